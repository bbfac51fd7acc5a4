package voice

import (
	"freizeichen/hal"
	"freizeichen/sip"
)

// CallsMax is how many calls can be open at once: two lines and, for a moment each, one that is being refused and
// one that is on its way out.
const CallsMax = 4

// A Plan is all that the phone wants to sound like: whole, every time, and comparable. device/loop makes it from the
// phone's View. The zero Plan is silence without calls.
type Plan struct {
	Tone   Tone
	Digit  byte       // DTMF digit heard as feedback, 0-9 * # A-D; 0 without. The network gets digits as RTP events
	Route  hal.Route  // of voice and of all tones but Ring
	Live   sip.CallID // the call that is heard and spoken to, one of Calls; 0 without
	Muted  bool       // nothing of the microphone leaves the phone, not even the sidetone
	Volume int        // of the route: 0 is silent, 7 is 0 dB, 10 the loudest, a level is 3 dB
	Ringer int        // of Ring, the same levels; 0 is silent

	// Calls holds all open calls in any order, 0 is a free place. Each gets a frame every 20 ms, and silence unless
	// it is Live: an exchange hangs up on a phone that stops sending.
	Calls [CallsMax]sip.CallID
}

// quiet reports whether there is nothing to be heard and nobody to speak to.
func (p Plan) quiet() bool {
	return p.tone() == Quiet && p.Digit == 0 && p.Route == hal.Silent && p.Calls == [CallsMax]sip.CallID{}
}

// ringing reports whether the ringer sounds. During a conversation it would sound at the ear: see tone.
func (p Plan) ringing() bool { return p.Tone == Ring && p.Live == 0 && p.Ringer > 0 }

// tone is what is played: a ringer during a conversation becomes a knock, for nobody shall have a ringer at the ear.
func (p Plan) tone() Tone {
	switch {
	case p.Tone == Ring && p.Live != 0:
		return Knock
	case p.Tone == Ring && !p.ringing():
		return Quiet
	}
	return p.Tone
}

// route is where the device sends what is heard: a ringer always comes from the loudspeaker.
func (p Plan) route() hal.Route {
	if p.ringing() {
		return hal.Speaker
	}
	return p.Route
}

// live is the place of the live call in Calls, -1 without.
func (p Plan) live() int {
	for place, call := range p.Calls {
		if call != 0 && call == p.Live {
			return place
		}
	}
	return -1
}
