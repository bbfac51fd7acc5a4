package phone

import (
	"fmt"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/hal"
	"freizeichen/sip"
)

// Times of a feature code that is dialled for the desk.
const (
	codePatience = 15 * time.Second // for the PBX to take it
	codeHeard    = 2 * time.Second  // for its announcement, that nobody hears
)

// code is a feature code under way. It is no call of the user's: it is neither shown nor heard, and takes no line.
type code struct {
	call     sip.CallID
	answered bool
	until    time.Time
}

// tellDesk hands an event to the agent's desk and carries out what it wants.
func (p *Phone) tellDesk(event callcentre.Event) {
	after := p.desk.AfterCall()
	for _, effect := range p.desk.Step(p.now, event) {
		p.forDesk(effect)
	}
	if after {
		p.seizeIfLifted() // it has waited for the work after the call
	}
}

func (p *Phone) forDesk(effect callcentre.Effect) {
	switch e := effect.(type) {
	case callcentre.Ask:
		p.outbox = append(p.outbox, AskSwitchboard{e.Request})
	case callcentre.Keep:
		p.outbox = append(p.outbox, KeepOutcome{e.Outcome})
	case callcentre.Leave:
		p.outbox = append(p.outbox, LeaveMessage{e.Message})
	case callcentre.Watch:
		p.send(sip.WatchQueues{Queues: e.Queues})
	case callcentre.Wipe:
		p.missed, p.dialled, p.unseen, p.list = nil, nil, 0, nil
	case callcentre.Code:
		p.dialCode(e.Number)
	case callcentre.Consult:
		if c := p.find(e.Call); c != nil && c.state == Talking {
			p.consult(c, e.Office)
		}
	case callcentre.Pass:
		if c := p.find(e.Call); c != nil && c.state == Talking {
			p.dial = nil
			p.transfer(c, e.Office.Number)
		}
	case callcentre.HoldCall:
		if c := p.find(e.Call); c != nil && c == p.live() {
			p.holdKey()
		}
	case callcentre.HangUp:
		if c := p.find(e.Call); c != nil {
			p.selected = c.id
			p.hangUpKey(p.now)
		}
	default:
		panic(fmt.Sprintf("phone: effect of the desk of unknown type %T", effect))
	}
}

// dialCode dials a feature code behind the user's back.
func (p *Phone) dialCode(number string) {
	if p.registration != Registered || p.code != nil {
		p.tellDesk(callcentre.CodeDone{})
		return
	}
	p.code = &code{call: p.next, until: p.now.Add(codePatience)}
	p.next += 2 // odd: see sip.CallID
	p.send(sip.Dial{Call: p.code.call, Number: number})
}

// ofCode takes what the network says of the feature code; false when it speaks of something else.
func (p *Phone) ofCode(event sip.Event) bool {
	c := p.code
	if c == nil {
		return false
	}
	switch e := event.(type) {
	case sip.Answered:
		if e.Call != c.call {
			return false
		}
		c.answered, c.until = true, p.now.Add(codeHeard)
	case sip.Ended:
		if e.Call != c.call {
			return false
		}
		p.code = nil
		p.tellDesk(callcentre.CodeDone{OK: c.answered})
	case sip.Progress:
		return e.Call == c.call
	case sip.Identified:
		return e.Call == c.call
	case sip.HoldChanged:
		return e.Call == c.call
	case sip.RemoteHold:
		return e.Call == c.call
	case sip.TransferFailed:
		return e.Call == c.call
	default:
		return false
	}
	return true
}

// expireCode hangs up when the announcement has been played, or the PBX does not answer.
func (p *Phone) expireCode(now time.Time) {
	if c := p.code; c != nil && !c.until.IsZero() && !now.Before(c.until) {
		c.until = time.Time{} // Ended follows
		p.send(sip.Hangup{Call: c.call})
	}
}

// deskScreen reports whether screen and keys are the desk's: something is typed or chosen, or a call is over of which
// something is to be told.
func (p *Phone) deskScreen() bool {
	if p.screenRinging() || p.dial != nil || p.list != nil {
		return false
	}
	return p.desk.Asking() || p.desk.AfterCall() && len(p.present()) == 0
}

// leaveToDesk shows no end of a call where the desk shows the work after it; whoever still holds the handset hears it.
func (p *Phone) leaveToDesk() {
	if p.ended != nil && p.desk.AfterCall() && !p.hookUp && len(p.present()) == 0 {
		p.ended = nil
	}
}

// deskCall is the one call whose screen and keys are the desk's while the agent talks; 0 without one.
func (p *Phone) deskCall() sip.CallID {
	c := p.find(p.selected)
	if c == nil || c.view() != Talking || len(p.present()) != 1 || p.dial != nil || p.list != nil || p.ended != nil {
		return 0
	}
	return c.id
}

// deskKeys are the soft keys while they are the desk's.
func (p *Phone) deskKeys() ([4]Soft, bool) {
	var soft [4]Soft
	call := p.deskCall()
	if call == 0 && !p.deskScreen() {
		return soft, false
	}
	actions, ours := p.desk.Soft(call)
	for i, a := range actions {
		if a != callcentre.ActNone {
			soft[i] = SoftDesk + Soft(a)
		}
	}
	return soft, ours
}

// deskMove lets the desk go up and down where the screen is its own.
func (p *Phone) deskMove(by int) bool {
	view := p.desk.View(p.now, p.deskCall())
	idle := len(p.present()) == 0 && p.dial == nil && p.list == nil && len(view.Queues) > 1
	if !p.deskScreen() && view.Card == nil && !idle {
		return false
	}
	p.tellDesk(callcentre.Move{By: by})
	return true
}

// deskEmergency takes an emergency number out of the digits that choose topics after a call: it stands on the panel then, as
// on the idle screen, for OK or the handset to dial. What is typed into a prompt may be anything.
func (p *Phone) deskEmergency(digit byte) bool {
	if !p.desk.AfterCall() || p.desk.Prompting() {
		p.deskTyped = ""
		return false
	}
	if p.now.Sub(p.keyBefore) >= typing || len(p.deskTyped) >= numberMax {
		p.deskTyped = ""
	}
	p.deskTyped += string(digit)
	if p.emergency(p.deskTyped) {
		p.desk.LeaveScreen()
		p.dial, p.deskTyped = &dialling{number: p.deskTyped, offHook: p.route != hal.Silent}, ""
		return true
	}
	return false
}

// deskLamps adds what the desk has to say.
func (p *Phone) deskLamps(now time.Time, lamps *hal.Lamps) {
	v := p.desk.View(now, 0)
	lamps[hal.LampQueue] = [...]hal.Blink{
		callcentre.Calm: hal.Dark, callcentre.Waiting: hal.Steady, callcentre.Many: hal.BlinkSlow, callcentre.Long: hal.BlinkFast,
		callcentre.Unknown: hal.Flash,
	}[v.Busy()]
	switch v.Agent.State {
	case sip.Ready:
		lamps[hal.LampAgent] = hal.Steady
	case sip.Paused:
		lamps[hal.LampAgent] = hal.BlinkSlow
	case sip.WrapUp:
		lamps[hal.LampAgent] = hal.Flash
		if v.After != nil && v.After.Counting && v.After.Left <= wrapUpEnds {
			lamps[hal.LampAgent] = hal.BlinkFast
		}
	}
}

// wrapUpEnds is when the lamp says that the next call is near.
const wrapUpEnds = 10 * time.Second
