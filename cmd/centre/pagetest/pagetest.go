// Package pagetest is a service centre in memory behind the supervisor's page: for tests of the page and for looking at
// it. It behaves as the contract of the page says, and can be told to fail.
//
//	test --> Centre: queues, desks, outcomes, messages, supervisors --> page.Page --> browser
//
// Everything in it is invented. It is no part of a program.
package pagetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"freizeichen/cmd/centre/internal/page"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// The supervisor of an example.
const (
	Name     = "Aufsicht"
	Password = "drei Tassen Tee"
)

// Callback is the number that stands in the first message of an example: it may be seen in that message alone.
const (
	Callback     = "02841555017"
	CallbackName = "Ada Böhm"
)

// A Centre is all that the page looks at. The zero value is an empty one: no queue, no supervisor, no PBX.
type Centre struct {
	mu        sync.Mutex
	queues    []sip.QueueStatus
	desks     []page.Desk
	pbx       page.PBX
	day       sip.DayFigures
	messages  []page.Message
	callbacks map[string]page.Callback
	doneBy    map[string]string
	people    map[string]string
	sessions  map[[32]byte]session
	links     map[[32]byte]page.Link
	knowledge firmware.Knowledge
	state     page.KnowledgeState
	watchers  map[chan struct{}]bool
	fault     error
	counted   int
}

// A session is a supervisor who is logged in.
type session struct {
	name  string
	until time.Time
}

// Config is what a page over the centre needs.
func (c *Centre) Config(place *time.Location, log *slog.Logger) page.Config {
	return page.Config{Live: c, Records: c, Accounts: c, Links: c, Knowledge: c, Place: place, Logger: log, Reason: reason}
}

// reason is the text of the reasons of an example.
func reason(language, name string) string {
	texts := map[string][2]string{"break": {"Kurze Pause", "short break"}, "meeting": {"Besprechung", "meeting"}, "training": {"Schulung", "training"}}
	text, ok := texts[name]
	switch {
	case !ok:
		return name
	case language == "de":
		return text[0]
	}
	return text[1]
}

// Page is a page over the centre.
func (c *Centre) Page(place *time.Location, log *slog.Logger) (*page.Page, error) {
	return page.New(c.Config(place, log))
}

// change changes the centre and tells who watches.
func (c *Centre) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
	for watcher := range c.watchers {
		select {
		case watcher <- struct{}{}:
		default:
		}
	}
}

// SetQueue replaces the queue of the same name, or adds it.
func (c *Centre) SetQueue(status sip.QueueStatus) {
	c.change(func() {
		i := slices.IndexFunc(c.queues, func(q sip.QueueStatus) bool { return q.Queue == status.Queue })
		if i < 0 {
			c.queues = append(c.queues, status)
		} else {
			c.queues[i] = status
		}
	})
}

// SetDesks replaces what the agents do: state, reason, talking.
func (c *Centre) SetDesks(desks ...page.Desk) { c.change(func() { c.desks = desks }) }

// SetPBX says how the connection to the PBX is, and since when.
func (c *Centre) SetPBX(connected bool, since time.Time) {
	c.change(func() { c.pbx = page.PBX{Connected: connected, Since: since} })
}

// SetDay replaces the figures of the day.
func (c *Centre) SetDay(day sip.DayFigures) { c.change(func() { c.day = day }) }

// SetMessages replaces the open messages; the first one is from Callback.
func (c *Centre) SetMessages(messages ...page.Message) {
	c.change(func() {
		c.messages, c.callbacks, c.doneBy = messages, map[string]page.Callback{}, map[string]string{}
		for i, message := range messages {
			if i == 0 {
				c.callbacks[message.ID] = page.Callback{Number: Callback, Name: CallbackName}
			} else {
				c.callbacks[message.ID] = page.Callback{Number: fmt.Sprintf("0280155%04d", i)}
			}
		}
	})
}

// SetKnowledge replaces the knowledge; fault is what is wrong with the newest file, empty for nothing.
func (c *Centre) SetKnowledge(k firmware.Knowledge, read time.Time, fault string, at time.Time) {
	c.change(func() { c.knowledge, c.state = k, page.KnowledgeState{Read: read, Fault: fault, At: at} })
}

// SetSupervisor adds a supervisor, or removes him with an empty password, and his sessions with him.
func (c *Centre) SetSupervisor(name, password string) {
	c.change(func() {
		if c.people == nil {
			c.people = map[string]string{}
		}
		if c.people[name] = password; password == "" {
			delete(c.people, name)
		}
	})
}

// Fail lets everything that is stored fail with err, until it is nil.
func (c *Centre) Fail(err error) { c.change(func() { c.fault = err }) }

// DoneBy is the supervisor who ended a message; empty when nobody has.
func (c *Centre) DoneBy(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doneBy[id]
}

// Counted is how often the figures of the day were asked for.
func (c *Centre) Counted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted
}

// Watchers is how many watch.
func (c *Centre) Watchers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.watchers)
}

// Queues is page.Live.
func (c *Centre) Queues() []sip.QueueStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.queues)
}

// Desks is page.Live.
func (c *Centre) Desks() []page.Desk {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.desks)
}

// PBX is page.Live.
func (c *Centre) PBX() page.PBX {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pbx
}

// Watch is page.Live.
func (c *Centre) Watch() (<-chan struct{}, func()) {
	watcher := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watchers == nil {
		c.watchers = map[chan struct{}]bool{}
	}
	c.watchers[watcher] = true
	return watcher, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, watcher)
	}
}

// Figures is page.Records: it has but one day.
func (c *Centre) Figures(_ context.Context, from, until time.Time) (sip.DayFigures, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !until.After(from) {
		return sip.DayFigures{}, errors.New("pagetest: the day ends before it begins")
	}
	c.counted++
	return c.day, c.fault
}

// Messages is page.Records.
func (c *Centre) Messages(context.Context) ([]page.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages), c.fault
}

// Callback is page.Records.
func (c *Centre) Callback(_ context.Context, id string) (page.Callback, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	callback, ok := c.callbacks[id]
	if !ok && c.fault == nil {
		return callback, page.ErrNoMessage
	}
	return callback, c.fault
}

// Done is page.Records.
func (c *Centre) Done(_ context.Context, id, by string) (err error) {
	c.change(func() {
		i := slices.IndexFunc(c.messages, func(m page.Message) bool { return m.ID == id })
		switch {
		case c.fault != nil:
			err = c.fault
		case i < 0:
			err = page.ErrNoMessage
		default:
			c.messages = slices.Delete(slices.Clone(c.messages), i, i+1)
			delete(c.callbacks, id)
			c.doneBy[id] = by
		}
	})
	return err
}

// Supervisors is page.Accounts.
func (c *Centre) Supervisors(context.Context) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.people)), c.fault
}

// LogIn is page.Accounts. The real one hashes, and locks a name after five tries; this one does not.
func (c *Centre) LogIn(_ context.Context, now time.Time, name, password string, length time.Duration) (string, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	right, ok := c.people[name]
	if !ok || subtle.ConstantTimeCompare([]byte(right), []byte(password)) != 1 || c.fault != nil {
		return "", time.Time{}, c.fault
	}
	if c.sessions == nil {
		c.sessions = map[[32]byte]session{}
	}
	token := rand.Text()
	c.sessions[sha256.Sum256([]byte(token))] = session{name, now.Add(length)}
	return token, time.Time{}, nil
}

// Session is page.Accounts.
func (c *Centre) Session(_ context.Context, now time.Time, token string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.sessions[sha256.Sum256([]byte(token))]
	if _, there := c.people[s.name]; !ok || !there || !now.Before(s.until) || c.fault != nil {
		return "", c.fault
	}
	return s.name, nil
}

// LogOut is page.Accounts.
func (c *Centre) LogOut(_ context.Context, token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, sha256.Sum256([]byte(token)))
	return c.fault
}

// Links is page.Links.
func (c *Centre) Links(context.Context) ([]page.Link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.links)), c.fault
}

// PutLink is page.Links.
func (c *Centre) PutLink(_ context.Context, link page.Link) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links == nil {
		c.links = map[[32]byte]page.Link{}
	}
	if c.fault == nil {
		c.links[link.Hash] = link
	}
	return c.fault
}

// Link is page.Links.
func (c *Centre) Link(_ context.Context, hash [32]byte) (page.Link, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	link, ok := c.links[hash]
	return link, ok && c.fault == nil, c.fault
}

// RemoveLink is page.Links.
func (c *Centre) RemoveLink(_ context.Context, hash [32]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.links, hash)
	return c.fault
}

// Knowledge is page.Knowledge.
func (c *Centre) Knowledge() (firmware.Knowledge, page.KnowledgeState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.knowledge, c.state
}
