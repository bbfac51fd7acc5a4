package phone

import (
	"slices"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// View is what is shown, lit and heard at the time given.
func (p *Phone) View(now time.Time) View {
	return View{
		Now: now, Status: p.status(now), Screen: p.screen(now), Calls: p.views(now), Soft: p.softKeys(), Lamps: p.lamps(now), Sound: p.sound(),
		Desk: p.desk.View(now, p.selected), Headset: p.headsetLamps(),
	}
}

func (p *Phone) status(now time.Time) Status {
	s := Status{
		Name: p.config.Name, Registration: p.registration, Cause: p.registrationCause,
		Missed: p.unseen, Muted: p.muted, Route: p.route, Faults: p.faults,
	}
	if left := p.retryAt.Sub(now); left > 0 {
		s.Retry = (left + time.Second - 1).Truncate(time.Second)
	}
	if now.Before(p.volumeUntil) {
		s.Volume = &VolumeView{Level: p.ringer, Max: VolumeMax, Ringer: p.volumeOf == hal.Silent}
		if !s.Volume.Ringer {
			s.Volume.Level = p.volume[p.volumeOf]
		}
	}
	return s
}

// screenRinging reports whether the selected call rings: then the screen and the keys are its own.
func (p *Phone) screenRinging() bool {
	c := p.find(p.selected)
	return c != nil && c.state == RingingIn
}

// screen shows, in this order: a call that rings, an open list, what is being typed, the end of a call, the calls.
func (p *Phone) screen(now time.Time) Screen {
	switch {
	case p.test != nil:
		return p.test.shown.Screen
	case p.screenRinging():
	case p.deskScreen():
		return Desk{}
	case p.list != nil:
		return List{Kind: p.list.kind, Entries: slices.Clone(*p.entries(p.list.kind)), Selected: p.list.selected}
	case p.dial != nil:
		return Dialling{Number: p.dial.number, OffHook: p.dial.offHook, Transfer: p.dial.transfer != 0}
	case p.ended != nil:
		end := p.ended.view
		for _, c := range p.present() {
			if c.held {
				end.Waiting = append(end.Waiting, c.party)
			}
		}
		return end
	case len(p.present()) == 0:
		return Idle{}
	}
	calls := Calls{Calls: p.views(now)}
	for i, c := range calls.Calls {
		if c.ID == p.selected {
			calls.Selected = i
		}
	}
	return calls
}

// views is all calls as the panel shows them.
func (p *Phone) views(now time.Time) []Call {
	var calls []Call
	for _, c := range p.present() {
		since := c.since
		if c.view() == Held {
			since = c.heldSince
		}
		consulting := sip.CallID(0)
		if citizen := p.principal(c); citizen != nil {
			consulting = citizen.id
		}
		calls = append(calls, Call{
			ID: c.id, Line: c.line, State: c.view(), Party: c.party, Called: c.called, Topic: c.topic,
			Incoming: c.incoming, Duration: now.Sub(since), Consulting: consulting,
		})
	}
	return calls
}

// softKeys gives the four keys their meaning on the present screen.
func (p *Phone) softKeys() [4]Soft {
	c := p.find(p.selected)
	desk, ours := p.deskKeys()
	switch {
	case p.test != nil:
		return p.testSofts()
	case p.screenRinging():
		return [4]Soft{SoftAnswer, SoftReject}
	case ours:
		if p.ringing() != nil {
			desk[2] = SoftAnswer
		}
		return desk
	case p.list != nil && len(*p.entries(p.list.kind)) == 0:
		return [4]Soft{SoftNone, SoftNone, SoftNone, SoftBack}
	case p.list != nil:
		return [4]Soft{SoftDial, SoftDelete, SoftNone, SoftBack}
	case p.dial != nil && p.dial.transfer != 0 && p.freeLine() == 0: // nobody can be asked
		return [4]Soft{SoftNone, SoftPass, SoftDelete, SoftCancel}
	case p.dial != nil && p.dial.transfer != 0:
		return [4]Soft{SoftConsult, SoftPass, SoftDelete, SoftCancel}
	case p.dial != nil && p.dial.number == "":
		return [4]Soft{SoftMissed, SoftRedial, SoftNone, SoftCancel}
	case p.dial != nil:
		return [4]Soft{SoftDial, SoftDelete, SoftNone, SoftCancel}
	case p.ended != nil && p.live() != nil:
		return [4]Soft{3: SoftBack}
	case p.ended != nil && p.held() != nil:
		return [4]Soft{SoftResume, SoftNone, SoftNone, SoftBack} // never a key that ends a call which the screen does not show
	case p.ended != nil:
		return [4]Soft{SoftRedial, SoftNone, SoftNone, SoftBack}
	case c == nil && p.desk.On():
		right := p.desk.IdleSoft()
		return [4]Soft{SoftMissed, SoftRedial, SoftDesk + Soft(right[0]), SoftDesk + Soft(right[1])}
	case c == nil:
		return [4]Soft{SoftMissed, SoftRedial}
	}
	if soft, ok := p.consultKeys(c); ok {
		return soft
	}
	soft := [4]Soft{SoftHold, SoftTransfer, SoftNone, SoftHangup}
	switch {
	case c.state == CallingOut, c.state == RingingOut, c.state == Transferring:
		soft = [4]Soft{3: SoftHangup}
	case c.held:
		soft[0] = SoftResume
	case p.held() != nil:
		soft[0] = SoftSwap
	}
	if p.ringing() != nil {
		soft[2] = SoftAnswer
	}
	return soft
}

func (p *Phone) lamps(now time.Time) hal.Lamps {
	if p.test != nil {
		return p.test.shown.Lamps
	}
	var lamps hal.Lamps
	p.deskLamps(now, &lamps)
	switch {
	case p.ringing() != nil:
		lamps[hal.LampMessage] = hal.BlinkFast
	case p.registration == Lost || p.registration == Failed:
		lamps[hal.LampMessage] = hal.BlinkSlow
	case p.unseen > 0 && p.config.Missed:
		lamps[hal.LampMessage] = hal.Flash
	case p.faults.Any():
		lamps[hal.LampMessage] = hal.Wink
	}
	for _, c := range p.present() {
		lamps[hal.LampLine1+hal.Lamp(c.line-1)] = lineLamp(c)
		if c.held {
			lamps[hal.LampHold] = hal.BlinkSlow
		}
	}
	if d := p.dial; d != nil && d.offHook && d.transfer == 0 {
		if line := p.freeLine(); line != 0 {
			lamps[hal.LampLine1+hal.Lamp(line-1)] = hal.Steady
		}
	}
	if p.muted {
		lamps[hal.LampMute] = hal.Steady
	}
	switch p.route {
	case hal.Headset:
		lamps[hal.LampHeadset] = hal.Steady
	case hal.Speaker:
		lamps[hal.LampSpeaker] = hal.Steady
	}
	return lamps
}

func lineLamp(c *call) hal.Blink {
	switch {
	case c.state == RingingIn:
		return hal.BlinkFast
	case c.held, c.state == Transferring:
		return hal.BlinkSlow
	}
	return hal.Steady
}

func (p *Phone) sound() Sound {
	s := Sound{Tone: p.tone(), Digit: p.digit, Route: p.route, Muted: p.muted, Volume: p.volume[p.route], Ringer: p.ringer}
	if c := p.live(); c != nil && (c.state == Talking || c.early) {
		s.Live = c.id
	}
	n := 0
	for _, c := range p.calls[:min(len(p.calls), len(s.Calls))] {
		s.Calls[n] = c.id
		n++
	}
	if p.code != nil && n < len(s.Calls) {
		s.Calls[n] = p.code.call // a feature code: the PBX hears silence
	}
	return s
}

func (p *Phone) tone() Tone {
	live := p.live()
	switch {
	case p.ringing() != nil && p.route == hal.Silent:
		return ToneRing
	case p.ringing() != nil:
		return ToneKnock
	case p.digit != 0:
		return ToneNone // the digit is heard instead
	case live != nil && live.state == RingingOut && !live.early:
		return ToneRingback
	case live != nil:
		return ToneNone
	case p.dial != nil && p.dial.offHook && p.dial.number == "":
		return ToneDial
	case p.dial != nil:
		return ToneNone
	case p.ended != nil:
		return p.ended.tone
	case p.held() != nil:
		return ToneHold
	}
	return ToneNone
}
