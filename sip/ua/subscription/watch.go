// Package subscription keeps a phone told how the queues stand: a subscriber of RFC 6665 for presence (RFC 3856) and for
// the dialog hints of queues (RFC 4235), and for the bell by which the switchboard calls a phone.
//
//	WatchQueues --> Watch --SUBSCRIBE--> 2xx    --3/4 of expires--> SUBSCRIBE ...     dropped, stopped: Expires: 0
//	                      <--NOTIFY----  report --> QueueReported, QueueUnknown, AgentChanged
//	                             ^
//	                             +--1, 2, 4 ... 60 s (refused: 5 min)-- failure, terminated, 481, silence
//
// Like the user agent around it, it receives the time and has no clock; it knows nothing of calls. What a NOTIFY says is
// read by package presence; what cannot be true is told as QueueUnknown.
//
// Limitations: of a forked SUBSCRIBE the first notifier counts (RFC 3856 section 6.9), and the others get 481. There are
// no resource lists (RFC 4662), no conditional notification (RFC 5839).
package subscription

import (
	"log/slog"
	"slices"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
)

// A Kind is the way in which the exchange tells how a queue stands.
type Kind uint8

// The kinds.
const (
	None     Kind = iota // not at all: nothing is subscribed to
	Presence             // figures, as presence of Prefix+queue
	Dialog               // a lamp, as dialog hints Prefix+queue (Queue:<name>) and Prefix+queue+"_avail"
)

// A Source is where the status of queues comes from. The zero value is none.
type Source struct {
	Kind   Kind
	Prefix string // of the resources: "cc-"
	// Device is the resource that rings when the state of this phone's agent has changed: "cc-phone-201". It is always
	// presence. Empty: none.
	Device  string
	Expires time.Duration // to ask for; zero means 600 s
}

const (
	expiresDefault = 600 * time.Second
	// expiresMax bounds what a 423 can make us ask for.
	expiresMax = 24 * time.Hour
	// subscriptionsMax is more than an agent serves, and than a panel shows.
	subscriptionsMax = 32
	availSuffix      = "_avail"
	// remembered is how long a NOTIFY proves that the exchange knows the subscription.
	remembered = 10 * time.Second
)

// Config is what a Watch needs to know.
type Config struct {
	Source
	UserAgent string // of the phone; see agentName
	// Contact is our Contact now.
	Contact func() sipgo.Header
	// Silence is how long a NOTIFY may be due: timer N of RFC 6665 section 4.1.2, 64*T1. Zero means 32 s.
	Silence time.Duration
	Log     *slog.Logger // nil means silence
}

// A Watch is all subscriptions of one user agent.
type Watch struct {
	config        Config
	client        *client.Client
	tx            transaction.Transactions
	report        func(sip.Event)
	online        bool // the account is registered
	stopped       bool
	subscriptions []*subscription
	queues        []*queue
	bell          uint64
	rung          bool // bell has a value
}

// New makes a watch that does nothing before Online.
func New(config Config, c *client.Client, tx transaction.Transactions, report func(sip.Event)) *Watch {
	if config.Expires == 0 {
		config.Expires = expiresDefault
	}
	if config.Silence == 0 {
		config.Silence = 32 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watch{config: config, client: c, tx: tx, report: report}
	if config.Kind != None && config.Device != "" {
		w.add(time.Time{}, &subscription{resource: config.Device, event: "presence", apply: w.ring, forget: func(int) {}})
	}
	return w
}

// Queues is the whole list of queues to be watched; the list before is forgotten.
func (w *Watch) Queues(now time.Time, names []string) {
	if w.config.Kind == None || w.stopped {
		return
	}
	for _, q := range slices.Clone(w.queues) {
		if slices.Contains(names, q.name) {
			continue
		}
		w.queues = slices.DeleteFunc(w.queues, func(one *queue) bool { return one == q })
		for _, s := range q.subscriptions {
			s.end(now)
		}
	}
	for _, name := range names {
		if slices.ContainsFunc(w.queues, func(q *queue) bool { return q.name == name }) {
			continue
		}
		if !w.room() {
			w.config.Log.Warn("too many queues to watch", "queue", name, "most", subscriptionsMax)
			w.report(sip.QueueUnknown{Queue: name})
			continue
		}
		w.watch(now, &queue{watch: w, name: name})
	}
}

// room reports whether one more queue can be watched.
func (w *Watch) room() bool {
	n := 1
	if w.config.Kind == Dialog {
		n = 2
	}
	for _, s := range w.subscriptions {
		if !s.ending {
			n++
		}
	}
	return n <= subscriptionsMax
}

func (w *Watch) watch(now time.Time, q *queue) {
	w.queues = append(w.queues, q)
	resource := w.config.Prefix + q.name
	if w.config.Kind == Presence {
		s := &subscription{resource: resource, event: "presence", forget: q.unknown}
		s.apply = func(now time.Time, body []byte) error { return q.figures(now, s, body) }
		q.subscriptions = []*subscription{s}
	} else {
		waiting := &subscription{resource: resource, event: "dialog", forget: q.noWaiting}
		waiting.apply = waiting.hint(func(dialogs []presence.Dialog) { q.lamp.Waiting = dialogs; q.light() })
		taken := &subscription{resource: resource + availSuffix, event: "dialog", forget: q.noTaken}
		taken.apply = taken.hint(func(dialogs []presence.Dialog) { q.lamp.Taken = dialogs; q.light() })
		q.subscriptions = []*subscription{waiting, taken}
	}
	for _, s := range q.subscriptions {
		w.add(now, s)
	}
}

func (w *Watch) add(now time.Time, s *subscription) {
	s.watch, s.expires = w, w.config.Expires
	w.subscriptions = append(w.subscriptions, s)
	if _, ok := client.UserPart(s.resource); !ok {
		s.impossible = true
		s.forget(0) // no address: nothing can be asked
		return
	}
	if w.online {
		s.send(now)
	}
}

// Online says whether the account is registered. It may be said again and again. After a loss every subscription is
// doubtful: the exchange may have forgotten it.
func (w *Watch) Online(now time.Time, online bool) {
	if w.online == online {
		return
	}
	w.online = online
	for _, s := range w.subscriptions {
		switch {
		case s.impossible, s.ending:
		case !online:
			s.doubtful = true
		case s.pending != nil:
		case !s.doubtful:
			s.send(now)
		default:
			s.failures, s.next = 0, now.Add(w.soon())
		}
		s.doubtful = s.doubtful && !online
	}
	for _, q := range w.queues {
		if !online && q.known && q.last.Valid == 0 {
			q.unknown(0) // what has no end of its own must not outlive the exchange
		}
	}
}

// soon is up to a second, so that the phones of a floor do not come back in the same instant.
func (w *Watch) soon() time.Duration { return time.Duration(w.client.Intn(1000)) * time.Millisecond }

// Stop ends all subscriptions.
func (w *Watch) Stop(now time.Time) {
	w.queues, w.stopped = nil, true
	for _, s := range slices.Clone(w.subscriptions) {
		s.end(now)
	}
}

// Ended reports whether nothing is left after Stop.
func (w *Watch) Ended() bool { return len(w.subscriptions) == 0 }

// remove forgets a subscription; what comes of it gets 481.
func (w *Watch) remove(s *subscription) {
	s.abandon()
	w.subscriptions = slices.DeleteFunc(w.subscriptions, func(one *subscription) bool { return one == s })
}

// Deadline is when Tick is wanted; the zero time means never.
func (w *Watch) Deadline() time.Time {
	var first time.Time
	for _, s := range w.subscriptions {
		for _, t := range []time.Time{s.silent, s.over, w.due(s), w.stale(s)} {
			if !t.IsZero() && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
	}
	return first
}

// due is when a subscription sends next. Without a registration it waits.
func (w *Watch) due(s *subscription) time.Time {
	if !w.online || s.ending {
		return time.Time{}
	}
	return s.next
}

// stale is when the next report of a subscription should have come. Without a registration nothing can be asked.
func (w *Watch) stale(s *subscription) time.Time {
	if !w.online || s.ending {
		return time.Time{}
	}
	return s.stale
}

// suspect refreshes all other subscriptions soon: the exchange has forgotten one, so it may have forgotten all. What it
// has just told of, it knows.
func (w *Watch) suspect(now time.Time, forgotten *subscription) {
	for _, s := range w.subscriptions {
		if s != forgotten && s.dialog != nil && s.pending == nil && now.Sub(s.heard) > remembered {
			s.next = now.Add(w.soon())
		}
	}
}

// Tick lets time pass.
func (w *Watch) Tick(now time.Time) {
	reached := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	for _, s := range slices.Clone(w.subscriptions) {
		switch {
		case s.ending && reached(s.silent):
			w.remove(s)
		case reached(s.silent), reached(s.over):
			s.lost(now, 0, s.pause(now))
		case reached(w.due(s)):
			s.send(now)
		case reached(w.stale(s)):
			s.expect(now, 2*s.patience)
			s.send(now)
		}
	}
}

// Receive takes a NOTIFY. It reports false, and does nothing, if the NOTIFY belongs to no subscription of ours.
func (w *Watch) Receive(now time.Time, id transaction.ServerID, request *sipgo.Request) bool {
	name := dialog.IDOfRequest(request)
	for _, s := range w.subscriptions {
		if s.identity.CallID != "" && s.identity.CallID == name.CallID && s.identity.Tag == name.LocalTag {
			s.notified(now, id, request, name)
			return true
		}
	}
	return false
}

// ring takes the body of the bell. The same version again is no news.
func (w *Watch) ring(_ time.Time, body []byte) error {
	event, err := presence.ReadBell(body)
	if err != nil {
		return err
	}
	if !w.rung || w.bell != event.Version {
		w.bell, w.rung = event.Version, true
		w.report(event)
	}
	return nil
}

// A queue is what we know of one.
type queue struct {
	watch         *Watch
	name          string
	subscriptions []*subscription
	known         bool
	last          sip.QueueStatus // while known
	told          bool            // that it is not known, with
	status        int
	lamp          presence.Lamp
}

// figures takes a report.
func (q *queue) figures(now time.Time, s *subscription, body []byte) error {
	status, err := presence.ReadQueue(q.name, body)
	if err != nil {
		return err
	}
	if !q.known || q.last != status {
		s.expect(now, status.Valid)
	}
	q.reported(status)
	return nil
}

func (q *queue) reported(status sip.QueueStatus) {
	if q.known && q.last == status {
		return
	}
	q.known, q.last, q.told = true, status, false
	q.watch.report(sip.QueueReported{Status: status})
}

// unknown says that nothing is known any more; status is that of a refusal, 0 without one.
func (q *queue) unknown(status int) {
	if q.told && q.status == status {
		return
	}
	q.known, q.told, q.status = false, true, status
	q.watch.report(sip.QueueUnknown{Queue: q.name, Status: status})
}

// light tells what the hints say together.
func (q *queue) light() {
	if q.lamp.Waiting != nil {
		q.reported(q.lamp.Status(q.name))
	}
}

func (q *queue) noWaiting(status int) {
	q.lamp.Waiting = nil
	q.unknown(status)
}

// noTaken: without the hint about agents the lamp still tells of callers.
func (q *queue) noTaken(int) {
	q.lamp.Taken = nil
	q.light()
}
