package phone

import (
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/hal"
	"freizeichen/sip"
)

func (p *Phone) hook(now time.Time, up bool) {
	if up == p.hookUp {
		return
	}
	p.hookUp = up
	if !up {
		p.handsetDown(now)
		return
	}
	switch c := p.ringing(); {
	case p.live() != nil:
		p.route = hal.Handset
	case c != nil:
		p.answer(now, c, hal.Handset)
	default:
		p.engage(now, hal.Handset)
	}
}

// handsetDown ends what went through the handset. A call on hold waits on: a citizen is not lost by laying the
// handset down.
func (p *Phone) handsetDown(now time.Time) {
	if p.route != hal.Handset {
		return
	}
	p.release(now)
}

// release lets the engaged route go: the live call ends, typing stops, a resume under way is taken back.
func (p *Phone) release(now time.Time) {
	live := p.live()
	p.dial, p.ended = nil, nil
	p.route = hal.Silent
	for _, c := range p.calls {
		if c.asked && !c.wanted {
			c.wanted = true
		}
	}
	if live != nil {
		p.hangUp(now, live)
	}
	p.settle()
}

// engage takes the route for what waits to be done: the typed number, the selected entry, the held call, or a new line.
func (p *Phone) engage(now time.Time, route hal.Route) {
	entry, listed := p.listed()
	held := p.held()
	switch {
	case p.dial != nil && p.dial.number != "" && p.dial.transfer == 0:
		p.route = route
		p.dialTyped(now)
	case listed:
		p.call(now, entry.Party, route)
	case p.dial != nil:
		p.route, p.dial.offHook = route, true
	case held != nil && held.state == Talking:
		p.resume(held, route)
	default:
		p.seize(route)
	}
}

// audioKey is the headset or the speaker key: it takes the phone to that route, or lets it go.
func (p *Phone) audioKey(now time.Time, route hal.Route) {
	p.prefer = route
	c := p.ringing()
	switch {
	case c != nil && p.live() == nil:
		p.answer(now, c, route)
	case p.route == route && p.hookUp:
		p.route = hal.Handset
	case p.route == route:
		p.release(now)
	case p.route != hal.Silent:
		p.route = route
	default:
		p.engage(now, route)
	}
}

// keyChange gives a key to whom it belongs: the self-test, its repetition, or the phone.
func (p *Phone) keyChange(now time.Time, e hal.KeyChange) {
	if e.Key == hal.KeyNone || e.Key >= hal.KeyCount {
		return
	}
	p.down[e.Key] = e.Down
	p.keysHeld = p.keysHeld && p.down[hal.KeyStar] && p.down[hal.KeyPound]
	if p.testKey(e) {
		return
	}
	if e.Held > 0 {
		if p.repeats(e.Key) {
			p.key(now, e)
		} else {
			p.longPress(e)
		}
		return
	}
	p.key(now, e)
}

func (p *Phone) key(now time.Time, e hal.KeyChange) {
	digit := e.Key.Digit()
	if !e.Down {
		if digit != 0 && digit == p.digit {
			p.digitDown = false
			if !now.Before(p.digitUntil) {
				p.digit = 0
			}
		}
		return
	}
	slipped := !p.slipUntil.IsZero() && now.Before(p.slipUntil)
	p.keyBefore, p.keyAt = p.keyAt, now
	if digit != 0 {
		p.digitKey(now, digit)
		return
	}
	switch e.Key {
	case hal.KeySoft1, hal.KeySoft2, hal.KeySoft3, hal.KeySoft4, hal.KeyOK, hal.KeyCancel:
		if slipped {
			return
		}
	}
	switch e.Key {
	case hal.KeySoft1, hal.KeySoft2, hal.KeySoft3, hal.KeySoft4:
		p.soft(now, p.softKeys()[e.Key-hal.KeySoft1])
	case hal.KeyUp:
		p.move(-1)
	case hal.KeyDown:
		p.move(+1)
	case hal.KeyOK:
		p.ok(now)
	case hal.KeyCancel:
		p.cancel(now)
	case hal.KeyLine1, hal.KeyLine2:
		p.lineKey(now, int(e.Key-hal.KeyLine1)+1)
	case hal.KeyHold:
		p.holdKey()
	case hal.KeyTransfer:
		p.transferKey()
	case hal.KeyRedial:
		p.soft(now, SoftRedial)
	case hal.KeyMute:
		if p.live() != nil {
			p.muted = !p.muted
		}
	case hal.KeyHeadset:
		p.audioKey(now, hal.Headset)
	case hal.KeySpeaker:
		p.audioKey(now, hal.Speaker)
	case hal.KeyVolumeUp:
		p.louder(now, +1)
	case hal.KeyVolumeDown:
		p.louder(now, -1)
	}
}

// turn says that the keys beside the screen mean something else from now on, without a key having asked for it: at a desk,
// where one call follows the other, what is pressed in the first moment was meant for what was there before.
func (p *Phone) turn(busy bool, moment time.Duration) {
	if busy && p.desk.On() {
		p.slipUntil = p.now.Add(moment)
	}
}

// digitKey sends the digit into the conversation, or types it.
func (p *Phone) digitKey(now time.Time, digit byte) {
	live := p.live()
	switch {
	case p.deskScreen() && (!p.hookUp || p.desk.Asking()): // with the handset in his hand he dials: it may be 112
		if !p.deskEmergency(digit) {
			p.tellDesk(callcentre.Digit{Digit: digit})
		}
	case p.dial == nil && live != nil && live.state != Talking:
		return // nobody can hear it yet
	case p.dial == nil && live != nil:
		p.send(sip.SendDigit{Call: live.id, Digit: digit})
	case p.ended != nil && p.ended.deaf:
		return
	case p.screenRinging():
		return // the screen belongs to the call that rings; a digit now is a slip
	default:
		p.typeDigit(now, digit)
	}
	p.digit, p.digitDown, p.digitUntil = digit, true, now.Add(digitHeard)
}

func (p *Phone) ok(now time.Time) {
	c := p.find(p.selected)
	switch {
	case p.screenRinging():
		p.soft(now, SoftAnswer)
	case p.deskScreen():
		p.tellDesk(callcentre.Choose{})
	case p.list != nil:
		p.soft(now, SoftDial)
	case p.dial != nil:
		p.dialTyped(now)
	case p.ended != nil && p.ended.deaf:
	case c != nil && c.held:
		p.soft(now, SoftResume)
	case c == nil:
		p.openList(DialledCalls)
	}
}

func (p *Phone) cancel(now time.Time) {
	c := p.find(p.selected)
	switch {
	case p.screenRinging():
		p.soft(now, SoftReject)
	case p.deskScreen():
		p.tellDesk(callcentre.Back{})
	case p.list != nil:
		p.list = nil
	case p.dial != nil:
		p.soft(now, SoftCancel)
	case p.ended != nil:
		p.ended = nil
		p.disengage()
		p.seizeIfLifted()
	case c != nil:
		p.soft(now, SoftHangup)
	}
}

// move goes up and down in a list or between calls; on the idle screen it opens the list of dialled calls.
func (p *Phone) move(by int) {
	present := p.present()
	switch {
	case p.list != nil:
		p.list.selected = max(0, min(p.list.selected+by, len(*p.entries(p.list.kind))-1))
	case p.deskMove(by):
	case len(present) > 0:
		for i, c := range present {
			if c.id == p.selected {
				p.selected = present[max(0, min(i+by, len(present)-1))].id
				return
			}
		}
	case p.dial == nil:
		p.openList(DialledCalls)
	}
}

func (p *Phone) lineKey(now time.Time, line int) {
	c := p.onLine(line)
	switch {
	case c == nil:
		p.holdLive()
		p.seize(p.handsFree())
	case c.state == RingingIn:
		p.answer(now, c, p.handsFree())
	case c.held && c.state == Talking:
		p.resume(c, p.handsFree())
	default:
		p.selected, p.dial, p.list = c.id, nil, nil
	}
}

func (p *Phone) holdKey() Refusal {
	if c := p.live(); c != nil && c.state == Talking {
		p.wantHold(c, true)
		return Done
	} else if c != nil {
		return NotTalking
	}
	if c := p.held(); c != nil && c.state == Talking {
		p.resume(c, p.handsFree())
		return Done
	}
	return NoCall
}

// transferKey asks for the number to which the call shall be passed; the citizen waits on hold meanwhile. Pressed again it
// passes him to the number typed, or to whom has been asked.
func (p *Phone) transferKey() {
	switch d := p.dial; {
	case d != nil && d.transfer != 0:
		p.passTyped()
		return
	case p.consultation() != nil:
		p.join()
		return
	}
	c := p.live()
	if c == nil {
		c = p.held()
	}
	if c == nil || c.state != Talking {
		return
	}
	if !c.held {
		p.wantHold(c, true)
	}
	p.ended, p.list = nil, nil
	p.dial = &dialling{offHook: p.route != hal.Silent, transfer: c.id}
}

// louder changes the volume of what is heard now: of the route in use, else of the ringer.
func (p *Phone) louder(now time.Time, by int) {
	p.volumeUntil, p.volumeOf = now.Add(volumeShown), p.route
	if p.route == hal.Silent {
		p.ringer = bounded(p.ringer+by, 0)
		return
	}
	p.volume[p.route] = bounded(p.volume[p.route]+by, 1)
}

// soft does what a soft key means.
func (p *Phone) soft(now time.Time, s Soft) Refusal {
	if s > SoftDesk {
		p.tellDesk(callcentre.Press{Action: callcentre.Action(s - SoftDesk)})
		return Done
	}
	switch s {
	case SoftAnswer:
		c := p.ringing()
		if c == nil {
			return NotRinging
		}
		p.answer(now, c, p.handsFree())
		p.turn(true, twice) // its place is the office's now
	case SoftReject:
		c := p.ringing()
		if c == nil {
			return NotRinging
		}
		p.tellDesk(callcentre.Refused{Call: c.id})
		p.leave(c)
		p.settle()
	case SoftHangup:
		return p.hangUpKey(now)
	case SoftHold, SoftResume:
		return p.holdKey()
	case SoftSwap:
		if held := p.held(); held != nil {
			p.resume(held, p.handsFree())
		}
	case SoftTransfer:
		p.transferKey()
	case SoftPass:
		p.passTyped()
	case SoftJoin:
		return p.join()
	case SoftConsult:
		p.dialTyped(now)
	case SoftDial:
		if entry, ok := p.listed(); ok {
			return p.call(now, entry.Party, p.handsFree())
		}
		p.dialTyped(now)
	case SoftDelete:
		if p.list != nil {
			p.deleteListed()
		} else {
			p.deleteDigit(now)
		}
	case SoftCancel:
		p.cancelDial()
		p.seizeIfLifted()
	case SoftRedial:
		if p.redial().Number != "" {
			return p.call(now, p.redial(), p.handsFree())
		}
	case SoftMissed:
		p.openList(MissedCalls)
	case SoftBack:
		p.list, p.ended = nil, nil
		p.disengage()
	}
	return Done
}
