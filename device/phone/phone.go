// Package phone decides what the phone does: hook, keys, calls, hold, transfer, call lists. It is pure: events and
// the time go in, effects and a view come out; it never reads a clock, starts a goroutine or does I/O.
//
//	hal changes of the body       --+                    +--> []Effect  what must be done, once
//	sip.Event                     --+--> Phone.Step -----+
//	Request, Tick                 --+                    +--> View      what is shown, lit and heard, whole
//
// Deadline says when it wants a Tick. A call that we hang up leaves the View at once; the user agent reports its
// end later, and until then nothing that it still says can be seen or heard.
package phone

import (
	"fmt"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/hal"
	"freizeichen/sip"
)

// Config is what an administrator decides.
type Config struct {
	Name      string               // of the account, as people know it: "201"
	Emergency []string             // numbers that are dialled at once and always: 110, 112
	AutoDial  time.Duration        // off hook, a number is dialled this long after its last digit; 0 means never
	Rules     []Rule               // applied to a number before it is sent; the first that matches
	Retention time.Duration        // how long call lists remember; 0 means not at all
	Missed    bool                 // the message lamp tells of missed calls
	Volume    [hal.Speaker + 1]int // of each route at the start, 0 means 7 (0 dB)
	Ringer    int                  // volume of the ringer at the start, 0 to VolumeMax
	Desk      callcentre.Config    // of the agent's desk
}

// A Rule replaces the beginning of a dialled number.
type Rule struct{ Prefix, Replace string }

// An Event is one of hal.KeyChange, hal.HookChange, hal.HeadsetChange, hal.PartChange, a sip.Event,
// callcentre.KnowledgeChanged, TestShown, Request or Tick. Anything else is a defect, and panics.
type Event any

// Tick says that Deadline has passed.
type Tick struct{}

// An Effect is something that must be done once. It is one of the types below.
type Effect interface{ effect() }

type (
	// Send hands a command to the user agent.
	Send struct{ Command sip.Command }
	// Reply answers the Request of the same ID.
	Reply struct {
		ID      uint64
		Refused Refusal
	}
	// AskSwitchboard sends a request of the agent; sip.AgentReply follows.
	AskSwitchboard struct{ Request sip.AgentRequest }
	// KeepOutcome and LeaveMessage put something where it cannot be lost, to be delivered to the switchboard.
	KeepOutcome  struct{ Outcome sip.Outcome }
	LeaveMessage struct{ Message sip.OfficeMessage }
)

func (Send) effect()           {}
func (Reply) effect()          {}
func (AskSwitchboard) effect() {}
func (KeepOutcome) effect()    {}
func (LeaveMessage) effect()   {}

// lines is how many calls the phone can have: one spoken with and one that knocks or waits.
const lines = 2

// Times of the panel.
const (
	endedShown  = 3 * time.Second  // how long the end of a call is shown with the handset down
	endedHeard  = 30 * time.Second // how long busy tone sounds with the handset up
	volumeShown = 2 * time.Second
	aloneShown  = 60 * time.Second       // how long what nobody goes on with hides the agent's desk
	typing      = 3 * time.Second        // since the last key: the agent still has his fingers on them
	slip        = 700 * time.Millisecond // what the agent needs to see that the keys mean something else
	twice       = 400 * time.Millisecond // between two presses of an eager finger
	digitHeard  = 100 * time.Millisecond // shortest feedback of a digit
)

// Phone is the state of one phone. One goroutine owns it.
type Phone struct {
	config Config
	outbox []Effect
	now    time.Time // of the last Step

	hookUp bool
	route  hal.Route // that is engaged; Silent while the phone is on hook
	prefer hal.Route // that answers and dials when the handset is down: Speaker or Headset
	muted  bool
	volume [hal.Speaker + 1]int
	ringer int

	calls    []*call // in the order of their beginning, at most lines that are not ending
	selected sip.CallID
	next     sip.CallID // the identifier of the next dialled call

	dial  *dialling
	list  *listing
	ended *ending

	missed, dialled []Entry // newest first
	unseen          int     // missed calls not looked at

	down [hal.KeyCount]bool // keys that are down
	// keysHeld: the keys that start a self-test have done so, and are still down.
	keysHeld bool
	faults   hal.Faults // of the body
	test     *selfTest  // a self-test has the phone

	desk *callcentre.Desk
	code *code // a feature code under way for the desk

	registration      Registration
	registrationCause sip.Cause
	retryAt           time.Time

	keyAt     time.Time // of the last key that went down
	keyBefore time.Time // of the one before it
	deskTyped string    // digits that the desk took, without a pause between them
	slipUntil time.Time // the keys beside the screen mean something new: who presses one so soon means what was there before

	digit       byte
	digitDown   bool
	digitUntil  time.Time
	volumeUntil time.Time
	volumeOf    hal.Route // whose bar is shown; Silent means the ringer
}

// New is a phone that is on hook and not yet registered.
func New(config Config) *Phone {
	p := &Phone{config: config, next: 1, prefer: hal.Speaker, ringer: bounded(config.Ringer, 0), volume: config.Volume,
		desk: callcentre.New(config.Desk)}
	for r, v := range p.volume {
		if v == 0 {
			v = 7
		}
		p.volume[r] = bounded(v, 1)
	}
	return p
}

func bounded(level, least int) int { return max(least, min(level, VolumeMax)) }

// Step applies one event and returns what must be done, in order.
func (p *Phone) Step(now time.Time, event Event) []Effect {
	p.outbox, p.now = nil, now
	p.expire(now)
	switch e := event.(type) {
	case hal.HookChange:
		if !p.testHook(now, e.Up) {
			p.hook(now, e.Up)
		}
	case hal.KeyChange:
		p.keyChange(now, e)
	case hal.HeadsetChange:
		if e.Action == hal.HeadsetOffHook {
			p.stopTest() // who presses that wants to telephone
		}
		if p.test == nil || e.Action == hal.HeadsetPlugged || e.Action == hal.HeadsetUnplugged {
			p.headset(now, e.Action)
		}
	case hal.PartChange:
		if e.Part < hal.PartCount {
			p.faults[e.Part] = e.Fault
		}
	case TestShown:
		p.testShown(now, e)
	case sip.Event:
		p.network(now, e)
	case Request:
		p.outbox = append(p.outbox, Reply{ID: e.ID, Refused: p.request(now, e)})
	case callcentre.KnowledgeChanged:
		p.tellDesk(e)
	case Tick:
		p.tellDesk(callcentre.Tick{})
	default:
		panic(fmt.Sprintf("phone: event of unknown type %T", event))
	}
	if len(p.present()) == 0 {
		p.muted = false // the next conversation begins with an open microphone
	}
	return p.outbox
}

func (p *Phone) send(c sip.Command) { p.outbox = append(p.outbox, Send{c}) }

// expire lets go of everything whose time is over.
func (p *Phone) expire(now time.Time) {
	if p.ended != nil && !now.Before(p.ended.until) {
		p.ended = nil
		p.disengage()
		p.seizeIfLifted()
	}
	if !p.digitDown && !now.Before(p.digitUntil) {
		p.digit = 0
	}
	if d := p.dial; d != nil && !d.auto.IsZero() && !now.Before(d.auto) {
		p.dialTyped(now)
	}
	p.expireCode(now)
	p.expireTest(now)
	if p.leftAlone() && now.Sub(p.keyAt) >= aloneShown {
		p.dial, p.list = nil, nil
	}
	p.forget(now)
}

// leftAlone reports whether a half-typed number or a list lies over what an agent must see: queues, or the work after a call.
func (p *Phone) leftAlone() bool {
	return p.desk.On() && p.route == hal.Silent && (p.list != nil || p.dial != nil && p.dial.transfer == 0)
}

// Deadline is when Step wants a Tick, reckoned from the last Step. It is never the zero time: the clock on the
// panel goes on.
func (p *Phone) Deadline() time.Time {
	now := p.now
	next := now.Truncate(time.Minute).Add(time.Minute)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	if p.ended != nil {
		sooner(p.ended.until)
	}
	if p.dial != nil {
		sooner(p.dial.auto)
	}
	if p.digit != 0 {
		sooner(p.digitUntil)
	}
	if p.leftAlone() {
		sooner(p.keyAt.Add(aloneShown))
	}
	sooner(p.volumeUntil)
	sooner(p.testDeadline())
	sooner(p.desk.Deadline())
	if p.code != nil {
		sooner(p.code.until)
	}
	for _, c := range p.calls {
		// The next whole second of what the panel counts.
		sooner(now.Add(time.Second - now.Sub(c.since)%time.Second))
		sooner(c.joined.Add(joinTime)) // it can be given up from now on
	}
	if left := p.retryAt.Sub(now); left > 0 {
		sooner(now.Add((left-1)%time.Second + 1))
	}
	return next
}

// network applies what the user agent reports.
func (p *Phone) network(now time.Time, event sip.Event) {
	if p.ofCode(event) {
		return
	}
	switch e := event.(type) {
	case sip.Registered:
		p.registration, p.registrationCause, p.retryAt = Registered, sip.CauseNone, time.Time{}
	case sip.Unregistered:
		if p.registration == Registered || p.registration == Lost {
			p.registration = Lost
		} else {
			p.registration = Failed
		}
		p.registrationCause, p.retryAt = e.Cause, now.Add(e.Retry)
	case sip.Incoming:
		p.incoming(now, e)
	case sip.Progress:
		if c := p.find(e.Call); c != nil && !c.answered {
			c.early = c.early || e.EarlyMedia
			if c.state == CallingOut {
				c.state = RingingOut
			}
		}
	case sip.Answered:
		p.answered(now, e.Call)
	case sip.HoldChanged:
		p.holdChanged(e)
	case sip.RemoteHold:
		if c := p.find(e.Call); c != nil {
			c.remoteHeld = e.Held
		}
	case sip.Identified:
		if c := p.find(e.Call); c != nil {
			c.party = e.Party
			p.tellDesk(callcentre.Identified{Call: e.Call, Party: e.Party})
		}
	case sip.TransferFailed:
		p.transferFailed(now, e)
	case sip.Ended:
		p.over(now, e)
	case sip.DigitReceived:
		// Nothing on a phone listens to the caller's digits.
	case sip.QueueReported, sip.QueueUnknown, sip.AgentChanged, sip.AgentReply, sip.SwitchboardChanged, sip.OutboxChanged,
		sip.FiguresReported, sip.MessageTaken:
		p.tellDesk(e)
	default:
		panic(fmt.Sprintf("phone: network event of unknown type %T", event))
	}
}
