package phone

import (
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/hal"
	"freizeichen/sip"
)

// call is one call from its first event until its Ended.
type call struct {
	id         sip.CallID
	line       int
	incoming   bool
	party      sip.Party
	called     sip.Party
	topic      string
	state      CallState // CallingOut, RingingOut, RingingIn, Talking or Transferring; holds stand beside it
	held       bool      // by us; from the moment we ask, so that nothing is overheard
	wanted     bool      // what the user wants held to be, while the peer has not agreed
	asked      bool      // Hold or Resume is under way
	heldSince  time.Time
	target     sip.Party  // whom it shall be passed to, while Transferring
	consults   sip.CallID // the call on whose behalf this one asks; 0 without
	before     CallState  // of a consultation that is being joined
	joined     time.Time  // since when the call is being joined with its consultation
	remoteHeld bool
	early      bool // early media plays
	answered   bool
	leaving    bool      // we have hung up; only its Ended is missing
	since      time.Time // the conversation began; before that, the ringing
	at         time.Time // the call began, for the lists
}

// view is the state as the panel names it.
func (c *call) view() CallState {
	switch {
	case c.state != Talking:
		return c.state
	case c.held:
		return Held
	case c.remoteHeld:
		return HeldByRemote
	}
	return Talking
}

// find returns the call that the network speaks of, nil when we have left it or never had it.
func (p *Phone) find(id sip.CallID) *call {
	for _, c := range p.calls {
		if c.id == id && !c.leaving {
			return c
		}
	}
	return nil
}

// present returns the calls that the user still has.
func (p *Phone) present() []*call {
	var present []*call
	for _, c := range p.calls {
		if !c.leaving {
			present = append(present, c)
		}
	}
	return present
}

// first returns the first call with the property, nil without one.
func (p *Phone) first(has func(*call) bool) *call {
	for _, c := range p.calls {
		if !c.leaving && has(c) {
			return c
		}
	}
	return nil
}

func (p *Phone) ringing() *call {
	if c := p.find(p.selected); c != nil && c.state == RingingIn {
		return c
	}
	return p.first(func(c *call) bool { return c.state == RingingIn })
}

// live is the call that is heard and spoken to. There is never more than one: whoever makes a call live has put
// the other on hold.
func (p *Phone) live() *call {
	return p.first(func(c *call) bool { return c.state != RingingIn && c.state != Transferring && !c.held })
}

func (p *Phone) held() *call {
	if c := p.find(p.selected); c != nil && c.held {
		return c
	}
	return p.first(func(c *call) bool { return c.held })
}

// freeLine is the lowest line without a call, 0 when both are taken.
func (p *Phone) freeLine() int {
	for line := 1; line <= lines; line++ {
		if p.onLine(line) == nil {
			return line
		}
	}
	return 0
}

func (p *Phone) onLine(line int) *call {
	return p.first(func(c *call) bool { return c.line == line })
}

func (p *Phone) incoming(now time.Time, e sip.Incoming) {
	line := p.freeLine()
	if line == 0 {
		// The user agent refuses a third call; between our hanging up and its knowing of it the two can differ.
		p.calls = append(p.calls, &call{id: e.Call, leaving: true})
		p.send(sip.Reject{Call: e.Call})
		return
	}
	p.calls = append(p.calls, &call{
		id: e.Call, line: line, incoming: true, state: RingingIn,
		party: e.From, called: e.Called, topic: e.Topic, since: now, at: now,
	})
	if p.desk.Quiet() {
		c := p.calls[len(p.calls)-1]
		p.leave(c)
		p.miss(c)
		return
	}
	p.stopTest()
	p.tellDesk(callcentre.Rings{Call: e})
	p.selected = e.Call
	p.turn(now.Sub(p.keyAt) < typing, slip)
	if p.ended != nil {
		p.ended = nil
		p.disengage()
	}
}

// answer takes a ringing call on the route; a live call is put on hold first.
func (p *Phone) answer(now time.Time, c *call, route hal.Route) {
	p.holdLive()
	p.dial, p.list, p.ended = nil, nil, nil
	p.send(sip.Answer{Call: c.id})
	c.state, c.since = Talking, now
	p.selected, p.route = c.id, route
	p.reached(c)
	p.tellDesk(callcentre.Answered{Call: c.id})
}

func (p *Phone) answered(now time.Time, id sip.CallID) {
	c := p.find(id)
	if c == nil || c.answered {
		return
	}
	c.answered = true
	switch {
	case c.state == Transferring: // a consultation, answered while it is being joined
		c.before, c.since = Talking, now
	case !c.incoming:
		c.state, c.since = Talking, now
	}
	if c.held { // put on hold before the other end lifted
		p.wantHold(c, true)
	}
}

// holdLive puts the live call on hold, or gives it up while the other end has not lifted.
func (p *Phone) holdLive() {
	c := p.live()
	switch {
	case c == nil:
	case c.state == Talking:
		p.wantHold(c, true)
	default:
		p.leave(c)
	}
}

// wantHold asks for hold or resume; only one request is under way at a time, the last wish wins.
func (p *Phone) wantHold(c *call, held bool) {
	c.wanted = held
	if held && !c.held {
		c.held, c.heldSince = true, p.now
	}
	if c.asked {
		return
	}
	c.asked = true
	if held {
		p.send(sip.Hold{Call: c.id})
	} else {
		p.send(sip.Resume{Call: c.id})
	}
}

func (p *Phone) holdChanged(e sip.HoldChanged) {
	c := p.find(e.Call)
	if c == nil {
		return
	}
	asked := c.asked
	c.asked = false
	if asked && !e.Failed && c.wanted != e.Held {
		p.wantHold(c, c.wanted)
		return
	}
	// A refused hold leaves the call as it was: live. But nobody may be overheard by a phone on hook or by a second
	// call: then it stays silent on our side.
	other := p.live()
	held := c.held
	c.held = e.Held || c.state == Transferring || p.route == hal.Silent || other != nil && other != c
	c.wanted = c.held
	if c.held && !held {
		c.heldSince = p.now
	}
}

// resume takes a held call back on the route; a live call is put on hold first.
func (p *Phone) resume(c *call, route hal.Route) {
	p.holdLive()
	p.dial, p.ended = nil, nil
	p.route, p.selected = route, c.id
	p.wantHold(c, false)
}

// leave hangs up. The user is rid of the call at once.
func (p *Phone) leave(c *call) {
	if c.state == RingingIn {
		p.send(sip.Reject{Call: c.id})
	} else {
		p.send(sip.Hangup{Call: c.id})
	}
	cause := sip.Normal
	if c.state == Transferring {
		cause = sip.Transferred // the agent does not wait for the office's word
	}
	c.leaving = true
	p.released(c)
	p.reselect()
	p.tellDesk(callcentre.Over{Call: c.id, Cause: cause, To: c.target.Number})
}

// hangUp is leave as the user does it: the conversation's end is shown for a moment.
func (p *Phone) hangUp(now time.Time, c *call) {
	talked := c.state == Talking || c.state == Transferring
	citizen, heard := p.principal(c), !c.held
	p.leave(c)
	if p.takeBack(citizen, heard) {
		return
	}
	if talked {
		p.ended = &ending{until: now.Add(endedShown), view: Ended{Party: c.party, Cause: sip.Normal, Duration: now.Sub(c.since)}}
	}
	p.leaveToDesk()
	p.settle()
}

// over is the network's word that a call has ended.
func (p *Phone) over(now time.Time, e sip.Ended) {
	c := p.remove(e.Call)
	if c == nil || c.leaving {
		return
	}
	citizen := p.principal(c)
	p.released(c)
	p.reselect()
	p.tellDesk(callcentre.Over{Call: e.Call, Cause: e.Cause, To: c.target.Number})
	if citizen != nil && (c.state == CallingOut || c.state == RingingOut) {
		p.tellDesk(callcentre.OfficeFailed{Call: citizen.id, Number: c.party.Number})
	}
	if citizen != nil && c.state == Transferring {
		return // passed on, or lost while it was: the citizen's call will tell
	}
	deaf := p.dial != nil && p.dial.transfer == c.id
	if deaf {
		p.dial = nil
	}
	if c.state == RingingIn {
		if e.Cause != sip.Elsewhere && e.Cause != sip.Rejected {
			p.miss(c)
		}
		p.turn(true, slip) // who was about to refuse him must not dial
		p.settle()
		return
	}
	end := &ending{until: now.Add(endedShown), deaf: deaf, view: Ended{Party: c.party, Cause: e.Cause, Status: e.Status}}
	if c.state == Talking || c.state == Transferring {
		end.view.Duration = now.Sub(c.since)
	}
	if !c.held && p.ringing() == nil && e.Cause != sip.Transferred {
		end.tone = toneAfter(e.Cause)
	}
	if p.hookUp && end.tone != ToneNone && len(p.present()) == 0 {
		end.until = now.Add(endedHeard)
	}
	if p.takeBack(citizen, !c.held) {
		end.tone, end.until = ToneNone, now.Add(endedShown)
	}
	p.ended = end
	p.leaveToDesk()
	p.settle()
}

// toneAfter is what is heard when a call has ended.
func toneAfter(cause sip.Cause) Tone {
	switch cause {
	case sip.Normal, sip.Busy, sip.Rejected, sip.NoAnswer:
		return ToneBusy
	}
	return ToneCongestion
}

// remove forgets the call and returns it, nil when there is none.
func (p *Phone) remove(id sip.CallID) *call {
	for i, c := range p.calls {
		if c.id == id {
			p.calls = append(p.calls[:i:i], p.calls[i+1:]...)
			return c
		}
	}
	return nil
}

// reselect points the keys at the call that matters most: ringing, live, held.
func (p *Phone) reselect() {
	if p.find(p.selected) != nil {
		return
	}
	p.selected = 0
	for _, c := range []*call{p.ringing(), p.live(), p.held()} {
		if c != nil {
			p.selected = c.id
			return
		}
	}
}

// settle lets go of what no call needs any more.
func (p *Phone) settle() {
	if p.ended == nil || p.ended.tone == ToneNone {
		p.disengage()
	}
}

// disengage frees the route when nothing uses it and the handset lies in its cradle.
func (p *Phone) disengage() {
	resuming := func(c *call) bool { return c.asked && !c.wanted }
	if p.hookUp || p.live() != nil || p.first(resuming) != nil || p.dial != nil && p.dial.offHook {
		return
	}
	p.route = hal.Silent
}

// ending is the end of a call while it is shown and heard.
type ending struct {
	view  Ended
	tone  Tone
	deaf  bool // digits are still being typed for a call that has gone: they must not dial
	until time.Time
}
