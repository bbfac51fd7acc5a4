package simulate

import (
	"fmt"

	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

// check is what must hold after every step.
func (d *desk) check() {
	v := d.phone.View(d.now)
	d.checkConsultation(v)
	d.checkSound(v)
	d.checkLamps(v)
	d.checkDesk(v)
	d.checkBody(v)
	d.reached[fmt.Sprintf("%T", v.Screen)]++
	if c, ok := v.Screen.(phone.Calls); ok {
		for _, call := range c.Calls {
			d.reached[call.State.String()]++
			if call.Consulting != 0 {
				d.reached["consulting"]++
			}
		}
		if len(c.Calls) == 2 {
			d.reached["two calls"]++
		}
	}
	if v.Sound.Tone == phone.ToneKnock {
		d.reached["knock"]++
	}
}

func (d *desk) checkSound(v phone.View) {
	if live := v.Sound.Live; live != 0 {
		n := d.calls[live]
		switch {
		case n == nil || n.ended:
			d.fail("call %d is heard and does not exist", live)
		case n.refused:
			d.fail("call %d is heard after it was left", live)
		case v.Sound.Route == hal.Silent:
			d.fail("call %d is live on a phone that is on hook", live)
		}
	}
	if _, idle := v.Screen.(phone.Idle); idle && !d.hookUp && v.Sound.Route == hal.Silent {
		if v.Sound.Tone != phone.ToneNone || v.Sound.Live != 0 || v.Sound.Muted {
			d.fail("an idle phone is not silent: %+v", v.Sound)
		}
	}
	if v.Sound.Route == hal.Handset && !d.hookUp {
		d.fail("sound goes to a handset that lies in its cradle")
	}
	if v.Sound.Tone == phone.ToneRing && (v.Sound.Live != 0 || v.Sound.Route != hal.Silent) {
		d.fail("the ringer sounds during a conversation")
	}
	for _, c := range talking(v) {
		if c.State == phone.Talking && c.ID != v.Sound.Live {
			d.fail("call %d is shown as talking and is not heard", c.ID)
		}
	}
}

// checkLamps works the lamps out from what the network knows, not from what the phone thinks.
func (d *desk) checkLamps(v phone.View) {
	rings := false
	for _, n := range d.calls {
		rings = rings || n.incoming && !n.ended && !n.asked && !n.refused
	}
	if got := v.Lamps[hal.LampMessage] == hal.BlinkFast; got != rings {
		d.fail("a call rings: %t; the message lamp says %s", rings, v.Lamps[hal.LampMessage])
	}
	if got := v.Lamps[hal.LampMute] == hal.Steady; got != v.Sound.Muted {
		d.fail("muted is %t and the lamp says %s", v.Sound.Muted, v.Lamps[hal.LampMute])
	}
	for lamp, route := range map[hal.Lamp]hal.Route{hal.LampHeadset: hal.Headset, hal.LampSpeaker: hal.Speaker} {
		if got := v.Lamps[lamp] == hal.Steady; got != (v.Sound.Route == route) {
			d.fail("the route is %s and lamp %s says %s", v.Sound.Route, lamp, v.Lamps[lamp])
		}
	}
	for _, c := range talking(v) {
		want := hal.Steady
		switch c.State {
		case phone.RingingIn:
			want = hal.BlinkFast
		case phone.Held, phone.Transferring:
			want = hal.BlinkSlow
		}
		if got := v.Lamps[hal.LampLine1+hal.Lamp(c.Line-1)]; got != want {
			d.fail("line %d is %s and its lamp says %s, want %s", c.Line, c.State, got, want)
		}
	}
}

// talking returns the calls on the panel, none when it shows something else.
func talking(v phone.View) []phone.Call {
	c, _ := v.Screen.(phone.Calls)
	seen := map[sip.CallID]bool{}
	for _, call := range c.Calls {
		if seen[call.ID] {
			panic("a call is shown twice")
		}
		seen[call.ID] = true
	}
	return c.Calls
}

// checkConsultation: who is asked for somebody is asked for a call that is there, and the phone never speaks with both.
func (d *desk) checkConsultation(v phone.View) {
	for _, office := range v.Calls {
		if office.Consulting == 0 {
			continue
		}
		found := false
		for _, citizen := range v.Calls {
			if citizen.ID != office.Consulting {
				continue
			}
			found = true
			if citizen.State == phone.Talking && office.State == phone.Talking {
				d.fail("both the citizen and the office are spoken with")
			}
		}
		if !found || office.Consulting == office.ID {
			d.fail("call %d asks for call %d, which is not there", office.ID, office.Consulting)
		}
	}
}

// waiting is the citizen who waits for a consultation while the handset goes down, or a key is pressed that he must not be
// lost by; 0 without.
func (d *desk) waiting(event phone.Event) sip.CallID {
	switch e := event.(type) {
	case hal.HookChange:
	case hal.KeyChange:
		if !e.Down || e.Key != hal.KeyCancel && e.Key != hal.KeySoft4 && e.Key != hal.KeyHeadset && e.Key != hal.KeySpeaker {
			return 0
		}
	default:
		return 0
	}
	calls := d.phone.View(d.now).Calls
	for _, office := range calls {
		for _, citizen := range calls {
			if citizen.ID == office.Consulting && (citizen.State == phone.Held || citizen.State == phone.Transferring) {
				return citizen.ID
			}
		}
	}
	return 0
}
