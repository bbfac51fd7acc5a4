package phone

import (
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// A consultation is a call to somebody who is asked on behalf of a citizen; the citizen waits on hold meanwhile, and is
// never lost by what becomes of it:
//
//	Talking --consult--> citizen Held, office CallingOut, RingingOut, Talking --join--> both Transferring --> both gone
//	                         |  busy, no answer, hung up on either side                    | refused
//	                         v                                                             v
//	                     citizen taken back on the route in use                       both as before, and why
//
// Laying the handset down ends the consultation, and the citizen waits on.

// joinTime is how long a join must be under way before a key can give it up: whoever presses "join" and then "hang up"
// wants to be rid of both, and must not take the citizen with him.
const joinTime = 2 * time.Second

// consult calls a party on behalf of a call, which waits on hold meanwhile. It needs the other line.
func (p *Phone) consult(c *call, party sip.Party) Refusal {
	if c.state != Talking {
		return NotTalking
	}
	if refused := p.call(p.now, party, p.handsFree()); refused != Done {
		return refused
	}
	if p.find(c.id) != nil { // an emergency call can have taken its line
		p.find(p.selected).consults = c.id
	}
	return Done
}

// principal is the call that a consultation is for; nil when it is none, or whom it was for has gone.
func (p *Phone) principal(office *call) *call {
	if office == nil || office.consults == 0 {
		return nil
	}
	return p.find(office.consults)
}

// consultation is the one under way, nil without.
func (p *Phone) consultation() *call {
	return p.first(func(c *call) bool { return p.principal(c) != nil })
}

// join lets the citizen talk with whom he was passed on to, and leaves both. It may still ring there.
func (p *Phone) join() Refusal {
	office := p.consultation()
	citizen := p.principal(office)
	if citizen == nil || citizen.state != Talking || office.state != Talking && office.state != RingingOut {
		return NotConsulting
	}
	p.hush(citizen, office.party)
	office.before, office.state = office.state, Transferring
	citizen.joined = p.now
	p.send(sip.Join{Call: citizen.id, With: office.id})
	p.selected, p.dial, p.list, p.ended = citizen.id, nil, nil, nil
	p.disengage()
	return Done
}

// hush makes a call one that is being passed on: nothing of it is heard any more, and if that fails it waits.
func (p *Phone) hush(c *call, target sip.Party) {
	c.state, c.target = Transferring, target
	if !c.held {
		c.held, c.heldSince = true, p.now
	}
}

// beingJoined reports whether a call takes part in a join that is too young to be given up.
func (p *Phone) beingJoined(c *call) bool {
	if citizen := p.principal(c); citizen != nil {
		c = citizen
	}
	return c.state == Transferring && p.now.Sub(c.joined) < joinTime
}

// transferFailed is the network's word that a call could not be passed on: it waits, and the panel says why.
func (p *Phone) transferFailed(now time.Time, e sip.TransferFailed) {
	c := p.find(e.Call)
	if c == nil || c.state != Transferring {
		return
	}
	c.state = Talking
	if office := p.consultation(); office != nil && office.consults == c.id {
		p.restore(office)
	}
	p.ended = &ending{until: now.Add(endedShown), view: Ended{Party: c.target, Cause: e.Cause, Status: e.Status}}
}

// restore gives a consultation that was not joined back to the agent, as it was before.
func (p *Phone) restore(office *call) {
	if office.state != Transferring {
		return
	}
	engaged := p.route != hal.Silent && p.live() == nil
	office.state = office.before
	switch {
	case office.held: // it waits
	case engaged:
		p.selected = office.id
	case office.state == Talking:
		p.wantHold(office, true)
	default:
		p.leave(office) // nobody would hear that it is answered
	}
}

// released makes the consultation for a call that has gone a call like any other.
func (p *Phone) released(c *call) {
	if office := p.first(func(o *call) bool { return o.consults == c.id }); office != nil {
		office.consults = 0
		p.restore(office)
	}
}

// takeBack resumes the citizen whose consultation has ended, on the route in use; without one he waits on. While the agent
// has put both on hold, or types, nobody is forced upon him.
func (p *Phone) takeBack(citizen *call, heard bool) bool {
	if citizen == nil || !heard || p.route == hal.Silent || !citizen.held || citizen.state != Talking || p.dial != nil {
		return false
	}
	end := p.ended
	p.resume(citizen, p.route)
	p.ended = end
	return true
}

// consultKeys are the soft keys of a consultation and of the call it is for; false for other calls.
func (p *Phone) consultKeys(c *call) ([4]Soft, bool) {
	office := p.consultation()
	if office == nil || c != office && c.id != office.consults {
		return [4]Soft{}, false
	}
	soft := [4]Soft{3: SoftHangup}
	switch {
	case p.beingJoined(office):
		soft[3] = SoftNone
	case office.state == RingingOut:
		soft[0] = SoftJoin
	case office.state == Talking && p.live() != nil:
		soft[0], soft[1] = SoftJoin, SoftSwap
	case office.state == Talking:
		soft[0], soft[1] = SoftJoin, SoftResume
	}
	return soft, true
}

// hangUpKey ends the selected call. Of a citizen on hold and the consultation for him it is always the consultation: he is
// not lost by a key pressed at the wrong moment.
func (p *Phone) hangUpKey(now time.Time) Refusal {
	c := p.find(p.selected)
	if c == nil {
		return NoCall
	}
	if p.beingJoined(c) {
		return BeingJoined
	}
	if office := p.consultation(); office != nil && c.held && office.consults == c.id {
		c = office
	}
	p.hangUp(now, c)
	return Done
}

// askConsult is consult as a program asks for it.
func (p *Phone) askConsult(number string) Refusal {
	if !dialable(number) {
		return BadDigits
	}
	c := p.live()
	if c == nil {
		c = p.held()
	}
	switch {
	case p.consultation() != nil:
		return Consulting
	case c == nil:
		return NotTalking
	}
	return p.consult(c, sip.Party{Number: number})
}
