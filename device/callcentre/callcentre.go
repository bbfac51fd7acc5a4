// Package callcentre decides about the agent at the phone: who is signed in, whether he is ready, paused or wraps up, what he
// sees of the queues, what he says for whom, and what came of a call. It is pure: events and the time go in, effects and a
// view come out.
//
//	phone: calls, keys     --+                   +--> []Effect  asked of the switchboard, kept, dialled
//	network: queues, agent --+--> Desk.Step -----+
//	knowledge, Tick        --+                   +--> View      what the panel and the lamps add
//
// The switchboard is the truth about the agent and the PBX about the queues: the desk shows what it was told and since when,
// and marks what is old. It must not count what is official, nor show one tenant's card to another's citizen.
package callcentre

import (
	"fmt"
	"time"

	"freizeichen/device/callcentre/library"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// Config is what an administrator decides.
type Config struct {
	On      bool     // the phone belongs to a call centre
	Queues  []string // watched while nobody is signed in; and always, when the switchboard names none
	Reasons []Reason // for a pause, in the order of the menu
	Codes   Codes    // what is dialled when the switchboard is away
	// ManyWaiting and LongWait are when the lamp says that a queue is pressing: so many wait, or one so long. Zero: never
	// by number; by the promise of the queue.
	ManyWaiting int
	LongWait    time.Duration
	// RejectPauses: a refused call pauses its agent, because a queue offers it again at once otherwise.
	RejectPauses bool
	// Boot is 24 hexadecimal digits of chance, new at every start: what makes the names of outcomes unique.
	Boot string
}

// A Reason is why an agent pauses.
type Reason struct {
	ID   string // that the switchboard knows
	Text string // the site's word; empty for one that the catalogue of the panel knows
	Code string // dialled when the switchboard is away; empty: none
}

// Reasons that the phone uses by itself.
const (
	ReasonDeclined = "declined" // a call was refused
	ReasonQuiet    = "dnd"      // do not disturb
)

// Codes are the feature codes of the PBX; empty means there is none.
type Codes struct{ SignIn, SignOut, Ready string }

// An Event is one of the types below, one of sip's events about queues, agent and switchboard, or Tick.
type Event any

type (
	// Tick says that Deadline has passed.
	Tick struct{}
	// KnowledgeChanged brings a new edition.
	KnowledgeChanged struct{ Knowledge firmware.Knowledge }
	// Rings: a call rings here.
	Rings struct{ Call sip.Incoming }
	// Answered: the agent talks to the caller.
	Answered struct{ Call sip.CallID }
	// Identified: the caller became known.
	Identified struct {
		Call  sip.CallID
		Party sip.Party
	}
	// Refused: the agent has refused the call that rang.
	Refused struct{ Call sip.CallID }
	// Over: the call has ended. To is the number it was passed on to when Cause is sip.Transferred, empty when nobody knows.
	Over struct {
		Call  sip.CallID
		Cause sip.Cause
		To    string
	}
	// OfficeFailed: who was asked for the citizen of Call, at Number, is busy or did not answer.
	OfficeFailed struct {
		Call   sip.CallID
		Number string
	}
	// CodeDone: a feature code was dialled; the PBX took it or did not.
	CodeDone struct{ OK bool }
	// Press is a soft key, Digit a key of the keypad, Move up or down, Choose OK, Back the key that leaves.
	Press  struct{ Action Action }
	Digit  struct{ Digit byte }
	Move   struct{ By int }
	Choose struct{}
	Back   struct{}
)

// An Effect is something that must be done once. It is one of the types below.
type Effect interface{ effect() }

type (
	// Ask sends a request to the switchboard.
	Ask struct{ Request sip.AgentRequest }
	// Watch subscribes to these queues and to no others.
	Watch struct{ Queues []string }
	// Keep puts an outcome where it cannot be lost, to be delivered.
	Keep struct{ Outcome sip.Outcome }
	// Leave does the same with a message to an office.
	Leave struct{ Message sip.OfficeMessage }
	// Code dials a feature code; CodeDone follows.
	Code struct{ Number string }
	// Consult calls the office while the citizen waits; Pass gives it the call.
	Consult struct {
		Call   sip.CallID
		Office sip.Party
	}
	Pass struct {
		Call   sip.CallID
		Office sip.Party
	}
	// HoldCall and HangUp do what the keys of that name do.
	HoldCall struct{ Call sip.CallID }
	HangUp   struct{ Call sip.CallID }
	// Wipe forgets the call lists: the next agent must not see them.
	Wipe struct{}
)

func (Ask) effect()      {}
func (Watch) effect()    {}
func (Keep) effect()     {}
func (Leave) effect()    {}
func (Code) effect()     {}
func (Consult) effect()  {}
func (Pass) effect()     {}
func (HoldCall) effect() {}
func (HangUp) effect()   {}
func (Wipe) effect()     {}

// Times of the desk.
const (
	noteShown   = 5 * time.Second
	armed       = 5 * time.Second  // "press again" holds so long
	promptShown = 30 * time.Second // a half-typed PIN does not stay on the panel
	menuShown   = 60 * time.Second
	afterShown  = 60 * time.Second // the work after a call, when no wrap-up runs
	oldAfter    = 24 * time.Hour   // knowledge that nobody could renew
)

// Desk is the state of one agent's desk. One goroutine owns it.
type Desk struct {
	config  Config
	now     time.Time
	effects []Effect

	agent  sip.Agent
	known  bool // the switchboard has said who is signed in
	link   link
	asked  *sip.AgentRequest // no reply yet
	code   *sip.AgentRequest // what a feature code under way stands for
	lastID uint64
	quiet  bool // do not disturb while nobody is signed in
	unsent int
	broken bool

	watched []string
	queues  []*queue
	shown   int // index of the queue that the idle screen shows first

	library  *library.Library
	minute   minute
	citizens []*citizen
	after    *after
	counts   counts
	figures  *sip.DayFigures // of today, as the switchboard counts them; nil before the first
	made     uint64          // names of outcomes and messages

	prompt *prompt
	menu   *menu
	note   note
}

// link is what is known of the way to the switchboard.
type link struct {
	known, up bool
	problem   sip.AgentProblem
	since     time.Time
}

// note is a short message.
type note struct {
	what  Note
	arg   string
	until time.Time
}

// New is a desk at which nobody sits. Start says what it wants first.
func New(config Config) *Desk { return &Desk{config: config, library: &library.Library{}} }

// On reports whether the phone belongs to a call centre.
func (d *Desk) On() bool { return d.config.On }

// Quiet reports whether nobody may disturb: calls are refused while nobody is signed in.
func (d *Desk) Quiet() bool { return d.quiet }

// Step applies one event and returns what must be done, in order.
func (d *Desk) Step(now time.Time, event Event) []Effect {
	d.now, d.effects = now, nil
	if !d.config.On {
		return nil
	}
	d.watch()
	d.expire()
	switch event.(type) {
	case Press, Digit, Move, Choose, Back:
		d.note = note{} // read: what it spoke of may be over, and what the key opens must be seen
	}
	switch e := event.(type) {
	case Press:
		d.press(e.Action)
	case Digit:
		d.digit(e.Digit)
	case Move:
		d.move(e.By)
	case Choose:
		d.choose()
	case Back:
		d.back()
	case Rings:
		d.rings(e.Call)
	case Answered:
		d.answered(e.Call)
	case Identified:
		if c := d.citizen(e.Call); c != nil {
			c.party = e.Party
		}
	case Refused:
		d.refused(e.Call)
	case Over:
		d.over(e)
	case OfficeFailed:
		if c := d.citizen(e.Call); c != nil && d.isOffice(c, e.Number) {
			c.officeBusy = true
			d.say(NoteOfficeBusy, "")
		}
	case CodeDone:
		d.codeDone(e.OK)
	case KnowledgeChanged:
		d.library, d.minute = library.New(e.Knowledge), minute{}
	case Tick:
	case sip.Event:
		d.network(e)
	default:
		panic(fmt.Sprintf("callcentre: event of unknown type %T", event))
	}
	d.endWrapUp(false)
	return d.effects
}

// network applies what queues, switchboard and outbox report.
func (d *Desk) network(event sip.Event) {
	switch e := event.(type) {
	case sip.QueueReported:
		if q := d.queue(e.Status.Queue); q != nil {
			q.Take(d.now, e.Status)
		}
	case sip.QueueUnknown:
		if q := d.queue(e.Queue); q != nil {
			q.Lose(d.now)
		}
	case sip.AgentChanged:
		if e.Version != d.agent.Version && d.asked == nil {
			d.ask(sip.AgentRequest{Verb: sip.AskState})
		}
	case sip.AgentReply:
		d.reply(e)
	case sip.SwitchboardChanged:
		if !d.link.known || d.link.up != e.Up {
			d.link.since = d.now
		}
		d.link.known, d.link.up, d.link.problem = true, e.Up, e.Problem
	case sip.OutboxChanged:
		d.unsent = e.Waiting
		if e.Problem != sip.Kept {
			d.broken = true
			d.say(NoteNotSent, e.Problem.String())
		} else if e.ID != "" {
			d.broken = false
		}
	case sip.MessageTaken:
		if !e.Due.IsZero() {
			d.say(NoteMessageTaken, e.Due.In(d.now.Location()).Format("2.1. 15:04"))
		}
	case sip.FiguresReported:
		d.figures = &e.Figures
	default:
		panic(fmt.Sprintf("callcentre: network event of unknown type %T", event))
	}
}

func (d *Desk) do(e Effect) { d.effects = append(d.effects, e) }

func (d *Desk) say(what Note, arg string) { d.note = note{what, arg, d.now.Add(noteShown)} }

// expire lets go of everything whose time is over.
func (d *Desk) expire() {
	if !d.now.Before(d.note.until) {
		d.note = note{}
	}
	if d.prompt != nil && !d.now.Before(d.prompt.until) {
		d.prompt = nil
	}
	if d.menu != nil && !d.now.Before(d.menu.until) {
		d.menu = nil
	}
	if a := d.after; a != nil && a.open && !a.until.IsZero() && d.agent.State != sip.WrapUp && !d.now.Before(a.until) {
		a.close()
	}
	d.counts.of(d.now)
}

// Deadline is when Step wants a Tick, reckoned from the last Step; the zero time means not before the next minute.
func (d *Desk) Deadline() time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if t.After(d.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if !d.config.On {
		return next
	}
	sooner(d.note.until)
	if d.prompt != nil {
		sooner(d.prompt.until)
	}
	if d.menu != nil {
		sooner(d.menu.until)
	}
	if d.after != nil && d.after.open {
		sooner(d.after.until)
	}
	if d.agent.State == sip.WrapUp {
		if left := d.agent.Until.Sub(d.now); left > 0 {
			sooner(d.now.Add((left-1)%time.Second + 1))
		}
	}
	for _, q := range d.queues {
		sooner(q.Deadline(d.now))
	}
	return next
}

// Asking reports whether something is typed or chosen: it goes before all but a call that rings.
func (d *Desk) Asking() bool { return d.prompt != nil || d.menu != nil }

// Prompting reports whether something is typed.
func (d *Desk) Prompting() bool { return d.prompt != nil }

// AfterCall reports whether the work after a call has the screen when there is no call.
func (d *Desk) AfterCall() bool { return d.after != nil && d.after.open }

// LeaveScreen closes what is typed or chosen: the agent does something else.
func (d *Desk) LeaveScreen() { d.prompt, d.menu = nil, nil }
