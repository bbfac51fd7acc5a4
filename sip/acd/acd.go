// Package acd is the model of queues and agents as the side of the PBX sees them. It receives the time and events, and
// gives what is to be done as values; it must not know AMI, SIP, HTTP, a clock or a caller's number.
//
//	Asterisk by AMI, or the built-in exchange --+                                      +--> MemberAdd, MemberRemove, MemberPause   to the PBX
//	phones: sign in, pause, ready             --+--> Centre.Step(now, event) --effects-+--> PublishQueue, PublishBell              to the phones
//	Deadline() passed                         --+         one goroutine                +--> Reply, Remember..., Resync, QueueMissing
//
// The PBX is the truth of who serves a queue and who pauses, this model of who the agent is. Figures are counted from
// events; what was missed while the PBX was away is taken from the PBX's own counters when they leave no doubt, and else
// the figures say since when they have no gap.
package acd

import (
	"cmp"
	"strings"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd/alarm"
	"freizeichen/sip/acd/day"
)

// A Config is what a site decides.
type Config struct {
	Location *time.Location // of midnight; nil means UTC
	Queues   []Queue        // served by this switchboard; others of the PBX are not looked at
	Reasons  []Reason       // for a pause
	// WrapUpReason is the text that the PBX gets as the reason of the pause after a call. Default "Nachbearbeitung".
	WrapUpReason string
	// Technology stands before the device in the PBX's name of a member. Default "PJSIP/".
	Technology string
	Valid      time.Duration // how long a published figure may be shown; default 90 s
	ExtendBy   time.Duration // what ExtendWrap adds; default 30 s
	Extends    int           // how often one wrap-up may be extended; default 2, negative: never
}

// A Queue is one queue of the PBX and what is promised of it.
type Queue struct {
	Name    string // the PBX's
	Title   string // for people
	Within  time.Duration
	Target  int // percent, 0 without a promise
	Formula sip.Formula
	WrapUp  time.Duration // after each of its calls; 0: none
}

// A Reason is why agents pause: its identifier for phones, its text for the PBX.
type Reason struct{ ID, Text string }

const (
	validDefault    = 90 * time.Second
	extendDefault   = 30 * time.Second
	extendsDefault  = 2
	withinDefault   = 30 * time.Second
	wrapUpDefault   = 30 * time.Second // of a wrap-up that somebody else began
	publishGap      = time.Second      // at most one change a second and queue
	commandPatience = 15 * time.Second // for the PBX's word on a command
	emptyPatience   = 2 * time.Second  // removed and added again is not signed out
	skewMax         = 5 * time.Second  // between the clock of the PBX and ours
	listLag         = 2 * time.Second  // an event may follow a list that knows it
	askedMax        = 4                // requests of one phone that wait for an earlier one
)

// A Centre is the model. Not safe for several goroutines.
type Centre struct {
	config  Config
	reasons map[string]string // text by identifier
	ids     map[string]string // identifier by text

	queues   []*queue // in order of the configuration
	byName   map[string]*queue
	seats    map[string]*seat // by interface
	agents   map[string]*seat // by agent number
	commands map[uint64]command
	command  uint64 // last identifier
	alarms   alarm.Alarms[owner]
	touched  []*queue
	effects  []Effect

	day day.Day

	connected  bool
	syncing    bool
	started    time.Time // of the PBX; zero: it does not tell
	lost       time.Time // when the connection was lost; zero: it was not, since the last SyncComplete
	synced     time.Time // the last SyncComplete
	generation uint64    // of syncs
}

// An owner of an alarm is a queue or a seat.
type owner struct {
	queue *queue
	seat  *seat
}

// New is a centre that knows nothing of the PBX yet.
func New(config Config) *Centre {
	if config.Location == nil {
		config.Location = time.UTC
	}
	config.WrapUpReason = cmp.Or(config.WrapUpReason, "Nachbearbeitung")
	config.Technology = cmp.Or(config.Technology, "PJSIP/")
	config.Valid = cmp.Or(config.Valid, validDefault)
	config.ExtendBy = cmp.Or(config.ExtendBy, extendDefault)
	config.Extends = max(0, cmp.Or(config.Extends, extendsDefault))
	c := &Centre{
		config: config, reasons: map[string]string{}, ids: map[string]string{}, byName: map[string]*queue{},
		seats: map[string]*seat{}, agents: map[string]*seat{}, commands: map[uint64]command{},
		day: day.Day{Location: config.Location},
	}
	for _, r := range config.Reasons {
		c.reasons[r.ID], c.ids[r.Text] = r.Text, r.ID
	}
	for _, one := range config.Queues {
		one.Within = cmp.Or(one.Within, withinDefault)
		q := &queue{Queue: one, rank: len(c.queues), members: map[string]*member{}}
		q.book.Within, q.alarm.Owner.queue = one.Within, q
		c.queues = append(c.queues, q)
		c.byName[one.Name] = q
	}
	return c
}

// Step applies one event and returns what must be done, in order. The slice is the caller's.
func (c *Centre) Step(now time.Time, event Event) []Effect {
	c.effects = nil
	now = c.clock(now)
	switch e := event.(type) {
	case Asked:
		c.ask(now, e)
	case Done:
		c.done(now, e)
	case Restored:
		c.restore(now, e)
	case SyncBegin:
		c.syncBegin(e)
	case SyncComplete:
		c.syncComplete(now)
	case PBXLost:
		c.pbxLost(now, e)
	case Tick:
	default:
		c.queueEvent(now, event)
	}
	for {
		owner, due := c.alarms.Due(now)
		if !due {
			break
		}
		if owner.queue != nil {
			c.touch(owner.queue)
		} else {
			c.seatDue(now, owner.seat)
		}
	}
	for _, q := range c.touched {
		q.touched = false
		c.publish(now, q)
	}
	c.touched = c.touched[:0]
	effects := c.effects
	c.effects = nil
	return effects
}

// Deadline is when Step wants a Tick; the zero time means never.
func (c *Centre) Deadline() time.Time {
	if first := c.alarms.First(); !first.IsZero() && first.Before(c.day.Tomorrow) {
		return first
	}
	return c.day.Tomorrow
}

// clock takes the time of a step. It never runs backwards: a clock that is set back moves everything known with it.
func (c *Centre) clock(now time.Time) time.Time {
	turn := c.day.Step(now, c.Deadline())
	if turn.Shift != 0 {
		c.shift(turn.Shift)
	}
	if turn.Jump {
		c.resync()
	}
	if turn.New || turn.Early {
		for _, q := range c.queues {
			if turn.New {
				q.book.NewDay()
			} else {
				q.book.Since = c.day.Now
			}
			q.unsaved = true
			c.touch(q)
		}
	}
	return c.day.Now
}

// shift moves all that is remembered, so that every age stays what it was.
func (c *Centre) shift(by time.Duration) {
	move := func(times ...*time.Time) {
		for _, t := range times {
			if !t.IsZero() {
				*t = t.Add(by)
			}
		}
	}
	move(&c.lost, &c.synced)
	for _, q := range c.queues {
		move(&q.published)
		q.line.Shift(by)
	}
	for _, s := range c.seats {
		move(&s.agent.Since, &s.agent.Until, &s.patience, &s.empty)
	}
	c.alarms.Shift(by)
}

// resync asks for the PBX's view: after a jump of the clock the ages of the callers are in doubt.
func (c *Centre) resync() {
	if c.connected && !c.syncing {
		c.do(Resync{})
	}
}

func (c *Centre) do(e Effect) { c.effects = append(c.effects, e) }

// device is the phone behind a PBX's member; empty when it is none of the phones.
func (c *Centre) device(name string) string {
	device, ours := strings.CutPrefix(name, c.config.Technology)
	if !ours {
		return ""
	}
	return device
}
