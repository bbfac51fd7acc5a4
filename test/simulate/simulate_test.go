// Package simulate lets random people and a random network play with the phone, seed by seed, and checks after every
// step what must always hold (design: never two live calls, idle means silence, every call is accounted for, every lamp
// agrees with the state, an emergency number can always be dialled).
package simulate

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

var seed = flag.Uint64("seed", 0, "play this seed alone and print its transcript")

// seeds is how many seeds are played: FREIZEICHEN_SEEDS, else few enough for every check.
func seeds(t *testing.T) uint64 {
	text := os.Getenv("FREIZEICHEN_SEEDS")
	if text == "" {
		return 500
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		t.Fatalf("FREIZEICHEN_SEEDS is %q, want a number", text)
	}
	return n
}

// stepsPerSeed is about five minutes of a hectic desk.
const stepsPerSeed = 120

func TestThePhoneKeepsItsPromisesWhateverHappens(t *testing.T) {
	first, last := uint64(1), seeds(t)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	reached := map[string]int{}
	for s := first; s <= last; s++ {
		d := play(s, reached)
		if d.broken == "" && *seed == 0 {
			continue
		}
		fmt.Fprint(os.Stderr, d.transcript.String())
		if d.broken != "" {
			t.Fatalf("seed %d: %s\nplay it again with: go test ./test/simulate -seed %d", s, d.broken, s)
		}
	}
	if *seed != 0 || last < 100 {
		return
	}
	// A walk that never gets anywhere proves nothing.
	for _, place := range []string{"ringing", "talking", "held", "calling", "ringing-out", "held-by-remote", "transferring",
		"phone.Idle", "phone.Dialling", "phone.Ended", "phone.List", "two calls", "knock", "consulting", "join", "missed", "answered", "rejected", "phone.Desk", "phone.Test", "card", "after"} {
		if reached[place] == 0 {
			t.Errorf("no seed ever reached %q", place)
		}
	}
}

// netCall is a call as the network sees it.
type netCall struct {
	incoming, answered, asked bool // asked: the phone wants to answer
	refused                   bool // the phone rejected it or hung up
	held                      bool
	ended                     bool
	code                      bool // a feature code that the desk has dialled: no key ends it
	cause                     sip.Cause
}

type desk struct {
	testing    bool // a self-test runs
	random     *rand.Rand
	phone      *phone.Phone
	now        time.Time
	calls      map[sip.CallID]*netCall
	next       sip.CallID
	pending    []sip.Event // answers of the network on their way, in order
	hookUp     bool
	missed     int
	outcomes   int // kept by the agent's desk
	transcript strings.Builder
	broken     string
	reached    map[string]int
}

func play(seed uint64, reached map[string]int) *desk {
	d := &desk{
		random: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		calls: map[sip.CallID]*netCall{}, next: 2, reached: reached,
		phone: phone.New(phone.Config{Emergency: []string{"110", "112"}, AutoDial: 4 * time.Second, Retention: 24 * time.Hour, Missed: true, Ringer: 5, Desk: deskConfig(seed)}),
	}
	d.step(sip.Registered{Expires: time.Minute})
	d.step(callcentre.KnowledgeChanged{Knowledge: knowledge()})
	for range stepsPerSeed {
		d.move()
		if d.broken != "" {
			return d
		}
	}
	d.emergency()
	d.goHome()
	return d
}

// move is one thing that a person, the network or the clock does.
func (d *desk) move() {
	switch n := d.random.IntN(100); {
	case n < 8:
		d.step(hal.HookChange{Up: !d.hookUp})
	case n < 40:
		k := hal.Key(d.random.IntN(int(hal.KeyCount)-1) + 1)
		d.step(hal.KeyChange{Key: k, Down: true})
		if d.random.IntN(10) > 0 {
			d.step(hal.KeyChange{Key: k})
		}
	case n < 44:
		d.step(phone.Request{ID: 1, Verb: phone.Verb(d.random.IntN(int(phone.VerbCount))), Argument: []string{"115", "", "x", "0281"}[d.random.IntN(4)]})
	case n < 46:
		d.press(hal.KeyTransfer, hal.Key3, hal.Key6, []hal.Key{hal.KeySoft1, hal.KeyOK, hal.KeySoft2}[d.random.IntN(3)])
	case n < 50:
		d.switchboard()
	case n < 57:
		d.call()
	case n < 64:
		d.remote()
	case n < 68:
		d.step([]phone.Event{sip.Registered{Expires: time.Minute}, sip.Unregistered{Cause: sip.Unreachable, Retry: 3 * time.Second}}[d.random.IntN(2)])
	case n < 72:
		d.body()
	case n < 85:
		d.deliver()
	default:
		d.wait(time.Duration(d.random.IntN(6000)) * time.Millisecond)
	}
}

// step gives the phone an event and lets the network take up what the phone does.
func (d *desk) step(event phone.Event) {
	citizen, before := d.waiting(event), d.phone.View(d.now).Desk.Agent
	if h, ok := event.(hal.HookChange); ok {
		d.hookUp = h.Up
	}
	fmt.Fprintf(&d.transcript, "%s  %T %+v\n", d.now.Format("15:04:05.000"), event, event)
	for _, effect := range d.phone.Step(d.now, event) {
		fmt.Fprintf(&d.transcript, "              does %#v\n", effect)
		if s, ok := effect.(phone.Send); ok {
			d.command(s.Command)
		}
		d.deskEffect(effect)
		d.testEffect(effect)
	}
	if _, call := event.(sip.Incoming); call && before.Quiet {
		d.missed++ // refused, because nobody may disturb: it stands in the list
	}
	if after := d.phone.View(d.now).Desk.Agent; before.State != sip.SignedOut && after.Number != before.Number {
		d.missed = 0 // the lists are wiped with the agent
	}
	if n := d.calls[citizen]; n != nil && n.refused {
		d.fail("call %d, for which somebody is asked, is hung up by a movement of the hand", citizen)
	}
	d.check()
}

// command is the user agent's part of the contract: exactly one Ended for every call.
func (d *desk) command(command sip.Command) {
	switch c := command.(type) {
	case sip.Dial:
		if d.calls[c.Call] != nil || c.Call%2 != 1 {
			d.fail("call %d is dialled twice, or its number is not odd", c.Call)
		}
		d.calls[c.Call] = &netCall{code: strings.HasPrefix(c.Number, "*4")}
		switch d.random.IntN(4) {
		case 0:
			d.end(c.Call, sip.Busy)
		case 1:
			d.pending = append(d.pending, sip.Progress{Call: c.Call, Status: 183, EarlyMedia: true}, sip.Answered{Call: c.Call})
		default:
			d.pending = append(d.pending, sip.Progress{Call: c.Call, Status: 180}, sip.Answered{Call: c.Call})
		}
	case sip.Answer:
		if n := d.calls[c.Call]; n != nil && !n.ended && !n.asked {
			n.asked = true
			d.pending = append(d.pending, sip.Answered(c))
		} else if n != nil && n.asked {
			d.fail("call %d is answered twice", c.Call)
		}
	case sip.Reject:
		d.refuse(c.Call)
	case sip.Hangup:
		d.refuse(c.Call)
	case sip.Hold:
		d.pending = append(d.pending, sip.HoldChanged{Call: c.Call, Held: true})
	case sip.Resume:
		d.pending = append(d.pending, sip.HoldChanged{Call: c.Call})
	case sip.Join:
		d.join(c)
	case sip.Transfer:
		if d.random.IntN(2) == 0 {
			d.pending = append(d.pending, sip.TransferFailed{Call: c.Call, Cause: sip.NotFound})
		} else {
			d.end(c.Call, sip.Transferred)
		}
	}
}

// join is REFER with Replaces: it works, now and then the consultation goes first, or it does not.
func (d *desk) join(c sip.Join) {
	citizen, office := d.calls[c.Call], d.calls[c.With]
	if citizen == nil || office == nil || citizen == office || office.incoming && !office.asked {
		d.fail("call %d is joined with call %d, which nobody has asked", c.Call, c.With)
		return
	}
	if !citizen.ended && !citizen.refused {
		d.reached["join"]++
	}
	switch d.random.IntN(4) {
	case 0:
		d.pending = append(d.pending, sip.TransferFailed{Call: c.Call, Cause: sip.Rejected})
	case 1: // the office is lost, and the citizen is still there
		d.end(c.With, sip.Transferred)
		d.pending = append(d.pending, sip.TransferFailed{Call: c.Call, Cause: sip.ServerError})
	case 2:
		d.end(c.Call, sip.Transferred)
		d.end(c.With, sip.Transferred)
	default:
		d.end(c.With, sip.Transferred)
		d.end(c.Call, sip.Transferred)
	}
}

func (d *desk) refuse(call sip.CallID) {
	if n := d.calls[call]; n != nil && !n.refused {
		n.refused = true
		d.end(call, sip.Normal)
	}
}

func (d *desk) end(call sip.CallID, cause sip.Cause) {
	d.pending = append(d.pending, sip.Ended{Call: call, Cause: cause})
}

// call lets a citizen call, unless the user agent would refuse.
func (d *desk) call() {
	open := 0
	for _, n := range d.calls {
		if !n.ended {
			open++
		}
	}
	if open >= 3 {
		return
	}
	d.calls[d.next] = &netCall{incoming: true}
	// Each has a number of his own: who calls again is missed once.
	from := sip.Party{Number: fmt.Sprintf("03023%06d", d.next)}
	d.step(sip.Incoming{Call: d.next, From: from, Called: sip.Party{Number: "02812070"}, Topic: "Elterngeld"})
	d.next += 2
}

// remote lets the other end of some call do something.
func (d *desk) remote() {
	for id := sip.CallID(1); id < d.next+200; id++ {
		n := d.calls[id]
		if n == nil || n.ended || d.random.IntN(2) == 0 {
			continue
		}
		switch causes := []sip.Cause{sip.CallerGaveUp, sip.Elsewhere, sip.Unreachable}; {
		case n.incoming && !n.asked:
			d.end(id, causes[d.random.IntN(len(causes))])
		case d.random.IntN(2) == 0:
			d.end(id, sip.Normal)
		default:
			d.step(sip.RemoteHold{Call: id, Held: d.random.IntN(2) == 0})
		}
		return
	}
}

// deliver lets the oldest answer of the network arrive.
func (d *desk) deliver() {
	if len(d.pending) == 0 {
		return
	}
	event := d.pending[0]
	d.pending = d.pending[1:]
	switch e := event.(type) {
	case sip.Answered:
		n := d.calls[e.Call]
		if n.ended {
			return
		}
		n.answered = true
	case sip.HoldChanged:
		n := d.calls[e.Call]
		if n == nil || n.ended {
			return
		}
		if d.random.IntN(5) == 0 {
			e.Failed, e.Held = true, n.held
			event = e
		}
		n.held = e.Held
	case sip.TransferFailed:
		if d.calls[e.Call].ended {
			return
		}
	case sip.Ended:
		n := d.calls[e.Call]
		if n.ended {
			return
		}
		n.ended, n.cause = true, e.Cause
		d.account(n)
	}
	d.step(event)
}

// account counts which of answered, rejected and missed an incoming call was.
func (d *desk) account(n *netCall) {
	switch {
	case !n.incoming:
	case n.asked:
		d.reached["answered"]++
	case n.refused:
		d.reached["rejected"]++
	case n.cause != sip.Elsewhere:
		d.reached["missed"]++
		d.missed++
	}
}

func (d *desk) wait(t time.Duration) {
	end := d.now.Add(t)
	for {
		next := d.phone.Deadline()
		if !next.After(d.now) {
			d.fail("the deadline %v has passed already", next)
			return
		}
		if next.After(end) {
			d.now = end
			return
		}
		d.now = next
		d.step(phone.Tick{})
	}
}

func (d *desk) fail(format string, values ...any) {
	if d.broken == "" {
		d.broken = fmt.Sprintf(format, values...)
		fmt.Fprintf(&d.transcript, "BROKEN  %s\n", d.broken)
	}
}

// emergency dials 110 from wherever the walk has led, as a program would and as a person would.
func (d *desk) emergency() {
	sent := d.transcript.Len()
	d.step(phone.Request{ID: 2, Verb: phone.AskDial, Argument: "110"})
	if !strings.Contains(d.transcript.String()[sent:], `Number:"110"`) {
		d.fail("110 could not be dialled by request")
		return
	}
	d.step(hal.HookChange{})
	d.wait(time.Second) // a key pressed in the moment in which it begins to ring is a slip
	for range 8 {
		d.press(hal.KeyCancel)
	}
	sent = d.transcript.Len()
	d.step(hal.HookChange{Up: true})
	d.press(hal.Key1, hal.Key1, hal.Key2)
	if !strings.Contains(d.transcript.String()[sent:], `Number:"112"`) {
		d.fail("112 could not be dialled by lifting and typing")
	}
}

func (d *desk) press(keys ...hal.Key) {
	for _, k := range keys {
		d.step(hal.KeyChange{Key: k, Down: true})
		d.step(hal.KeyChange{Key: k})
	}
}

// goHome ends everything: the phone must come to rest, dark and silent, with every call accounted for.
func (d *desk) goHome() {
	d.step(sip.Registered{Expires: time.Minute})
	d.step(hal.HookChange{})
	d.wait(3 * time.Second) // what is just being joined cannot be given up at once
	for range 8 {
		d.press(hal.KeyCancel)
	}
	for id, n := range d.calls {
		if !n.ended && !n.refused && !n.code {
			d.fail("call %d is still open after everything was cancelled", id)
		}
	}
	for len(d.pending) > 0 {
		d.deliver()
	}
	d.wait(time.Minute)
	v := d.phone.View(d.now)
	if _, idle := v.Screen.(phone.Idle); !idle {
		d.fail("the phone does not come to rest: %+v", v.Screen)
	}
	d.press(hal.KeySoft1)
	if l, ok := d.phone.View(d.now).Screen.(phone.List); !ok {
		d.fail("the list of missed calls does not open")
	} else if len(l.Entries) > d.missed || d.missed < 100 && len(l.Entries) < d.missed-deleted(d) {
		d.fail("%d calls were missed, the list has %d", d.missed, len(l.Entries))
	}
}

// deleted is how many entries a person may have deleted: at most one for each press of that soft key.
func deleted(d *desk) int { return strings.Count(d.transcript.String(), "{Key:soft2 Down:true") }
