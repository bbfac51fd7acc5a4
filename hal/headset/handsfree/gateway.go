// Package handsfree speaks with base stations of headsets and adapters for electronic hook switches (EHS) that hang on a
// serial line and talk as Bluetooth headsets do: by AT commands. The phone is the audio gateway. Gateway decides and is pure;
// Link carries it over a line that somebody else opens. It knows no sound: that has its own wire.
//
//	serial line --bytes--> Gateway.Input(now, data) --+--> hal.HeadsetChange
//	                       Gateway.Show(now, lamps) --+
//	                       Gateway.Tick(now) ---------+--> Gateway.Output() --bytes--> serial line
//
// Sources: Headset Profile 1.2 (HSP), Hands-Free Profile 1.8 (HFP) of the Bluetooth SIG, and ITU-T V.250.
//
// Limitations: a number dialled and a digit sent by the headset are refused, as the phone takes numbers from its own keys
// alone; the phone's volume is not sent to the headset, which has its own.
package handsfree

import (
	"fmt"
	"strings"
	"time"

	"freizeichen/hal"
)

const (
	// ringTime is between two RING. HSP and HFP leave it to the gateway; this is the cadence of most networks.
	ringTime = 3 * time.Second
	// gainMax is the loudest (HFP, AT+VGS: 0 to 15).
	gainMax = 15
	// features of the gateway (HFP, +BRSF, bits 0 and 5): three-way calling, ability to reject a call.
	features = 1<<0 | 1<<5
)

// A Gateway is the phone's end of one line. The zero value is a line on which nothing was said.
type Gateway struct {
	lines   lines
	lamps   hal.HeadsetLamps
	out     []byte
	ring    time.Time // when RING is due; zero while nothing rings
	hfp     bool      // it has said AT+BRSF: a hands-free unit, else a headset
	events  bool      // AT+CMER: it wants to be told of indicators
	speaker gain
	mic     gain // where it stands when it is open
	heard   bool // it has said where its microphone stands
	muted   bool // its microphone is at 0, as it or the phone said last
}

// A gain is a volume of the headset as it told it; known only then.
type gain struct {
	value int
	known bool
}

// Input takes bytes as they come from the line.
func (g *Gateway) Input(now time.Time, data []byte) []hal.HeadsetChange {
	var changes []hal.HeadsetChange
	g.lines.feed(data, func(line string) {
		c, ok := parse(line)
		if ok {
			var actions []hal.HeadsetAction
			actions, ok = g.command(c)
			for _, a := range actions {
				changes = append(changes, hal.HeadsetChange{Action: a})
			}
		}
		g.result(ok)
	}, func() { g.result(false) })
	return changes
}

// result ends the answer to a command.
func (g *Gateway) result(ok bool) {
	if ok {
		g.say("OK")
	} else {
		g.say("ERROR")
	}
}

// say sends one line (V.250, result codes with a carriage return and line feed around them).
func (g *Gateway) say(format string, args ...any) {
	g.out = fmt.Appendf(g.out, "\r\n"+format+"\r\n", args...)
}

// command does what one command asks. ok is false when it is refused.
func (g *Gateway) command(c command) (changes []hal.HeadsetAction, ok bool) {
	if changes, ok, known := g.callCommand(c); known {
		return changes, ok
	}
	switch {
	case c == command{}:
		return nil, true
	case c.name == "+BRSF" && c.form == set: // HFP, service level connection: first the features
		if _, ok := number(c.args, 1<<30); !ok {
			return nil, false
		}
		g.hfp, g.heard = true, false // it connects anew
		g.say("+BRSF: %d", features)
		return nil, true
	case c.name == "+CIND" && c.form == test: // then the indicators, by name
		g.say(`+CIND: ("service",(0,1)),("call",(0,1)),("callsetup",(0-3)),("callheld",(0-2)),("signal",(0-5)),("roam",(0,1)),("battchg",(0-5))`)
		return nil, true
	case c.name == "+CIND" && c.form == read:
		call, setup, held := indicators(g.lamps)
		g.say("+CIND: 1,%d,%d,%d,5,0,5", call, setup, held)
		return nil, true
	case c.name == "+CMER" && c.form == set: // mode,keyp,disp,ind: HFP asks for 3,0,0,1
		args := strings.Split(c.args, ",")
		if len(args) < 4 || strings.TrimSpace(args[0]) != "3" {
			return nil, false
		}
		g.events = strings.TrimSpace(args[3]) == "1"
		return nil, true
	case c.name == "+CHLD" && c.form == test:
		g.say("+CHLD: (0,1,2)")
		return nil, true
	case c.name == "+COPS" && c.form == read: // there is no network name
		g.say("+COPS: 0")
		return nil, true
	case c.form == set && (c.name == "+CLIP" || c.name == "+CCWA" || c.name == "+CMEE" || c.name == "+BIA" || c.name == "+COPS"):
		// Mandatory settings that change nothing here: callers' numbers stay in the phone, and the indicators of calls
		// may not be switched off one by one (HFP, AT+BIA).
		return nil, true
	}
	// AT+NREC and AT+BVRA among them: a gateway without the feature says ERROR (HFP, Echo Canceling and Noise Reduction,
	// Voice Recognition Activation). ATD and AT+VTS, too: see the limitations.
	return nil, false
}

// callCommand is what keys of the headset send.
func (g *Gateway) callCommand(c command) (changes []hal.HeadsetAction, ok, known bool) {
	one := func(a hal.HeadsetAction) ([]hal.HeadsetAction, bool, bool) { return []hal.HeadsetAction{a}, true, true }
	switch waiting := g.lamps.Ring && !g.lamps.OffHook; {
	case c == command{"+CKPD", set, "200"}: // HSP: the one button of a headset
		if g.lamps.OffHook {
			return one(hal.HeadsetOnHook)
		}
		return one(hal.HeadsetOffHook)
	case c == command{name: "A"}: // HFP, Answer an Incoming Call
		if waiting {
			return one(hal.HeadsetOffHook)
		}
		return nil, false, true
	case c == command{name: "+CHUP"}: // HFP, Reject an Incoming Call, Terminate a Call Process
		switch {
		case g.lamps.OffHook:
			return one(hal.HeadsetOnHook)
		case waiting:
			return one(hal.HeadsetReject)
		}
		return nil, false, true
	case c == command{name: "+BLDN"}: // HFP, Last Number Re-Dial
		return one(hal.HeadsetRedial)
	case c.name == "+CHLD" && c.form == set:
		changes, ok = g.hold(c.args)
		return changes, ok, true
	case c.name == "+VGS" && c.form == set:
		changes, ok = g.volume(c.args)
		return changes, ok, true
	case c.name == "+VGM" && c.form == set:
		changes, ok = g.microphone(c.args)
		return changes, ok, true
	}
	return nil, false, false
}

// hold is AT+CHLD (HFP, Three Way Call Handling): 0 rejects the call that waits, 1 ends the running one and takes the other,
// 2 holds it and takes the other, or swaps.
func (g *Gateway) hold(args string) ([]hal.HeadsetAction, bool) {
	switch {
	case args == "0" && g.lamps.Ring:
		return []hal.HeadsetAction{hal.HeadsetReject}, true
	case args == "1" && g.lamps.OffHook && g.lamps.Ring:
		return []hal.HeadsetAction{hal.HeadsetOnHook, hal.HeadsetOffHook}, true
	case args == "1" && g.lamps.OffHook:
		return []hal.HeadsetAction{hal.HeadsetOnHook}, true
	case args == "2" && g.lamps.OffHook && g.lamps.Ring:
		return []hal.HeadsetAction{hal.HeadsetFlash, hal.HeadsetOffHook}, true
	case args == "2" && (g.lamps.OffHook || g.lamps.Hold):
		return []hal.HeadsetAction{hal.HeadsetFlash}, true
	}
	return nil, false
}

// volume is AT+VGS: where the headset's wheel stands. The first one only says where it starts.
func (g *Gateway) volume(args string) ([]hal.HeadsetAction, bool) {
	n, ok := number(args, gainMax)
	if !ok {
		return nil, false
	}
	before := g.speaker
	g.speaker = gain{n, true}
	switch {
	case !before.known || before.value == n:
		return nil, true
	case before.value < n:
		return []hal.HeadsetAction{hal.HeadsetVolumeUp}, true
	}
	return []hal.HeadsetAction{hal.HeadsetVolumeDown}, true
}

// microphone is AT+VGM; 0 is how a headset with a mute key mutes. A first word above 0 only says where it stands, as a base does
// that connects: it must not open a microphone that the agent has muted. A first 0 mutes, the headset does so already.
func (g *Gateway) microphone(args string) ([]hal.HeadsetAction, bool) {
	n, ok := number(args, gainMax)
	if !ok {
		return nil, false
	}
	first := !g.heard
	g.heard, g.muted = true, n == 0
	if n > 0 {
		g.mic = gain{n, true}
	}
	switch {
	case n > 0 && g.lamps.Mute && first:
		g.sendMute(true)
		return nil, true
	case n == 0 && !g.lamps.Mute:
		return []hal.HeadsetAction{hal.HeadsetMute}, true
	case n > 0 && g.lamps.Mute:
		return []hal.HeadsetAction{hal.HeadsetUnmute}, true
	}
	return nil, true
}

// indicators are the three that tell of calls (HFP, Indicators of the AG).
func indicators(l hal.HeadsetLamps) (call, setup, held int) {
	if l.OffHook || l.Hold {
		call = 1
	}
	if l.Ring {
		setup = 1
	}
	switch {
	case l.Hold && l.OffHook:
		held = 1
	case l.Hold:
		held = 2
	}
	return call, setup, held
}

// Places of the indicators in +CIND, counted from 1.
const (
	callPlace  = 2
	setupPlace = 3
	heldPlace  = 4
)

// Show is what the headset shall know from now on.
func (g *Gateway) Show(now time.Time, lamps hal.HeadsetLamps) {
	before := g.lamps
	g.lamps = lamps
	call, setup, held := indicators(before)
	newCall, newSetup, newHeld := indicators(lamps)
	// HFP, Answer an Incoming Call: call comes before callsetup, or the headset would see a moment without either.
	g.indicate(callPlace, call, newCall)
	g.indicate(setupPlace, setup, newSetup)
	g.indicate(heldPlace, held, newHeld)
	begins := lamps.OffHook && !before.OffHook // a microphone that was muted between calls must not stay so unseen
	if lamps.Mute != before.Mute || begins && lamps.Mute != g.muted {
		g.sendMute(lamps.Mute)
	}
	switch rings := lamps.Ring && !lamps.OffHook; { // a call that waits must not ring in a conversation
	case !rings:
		g.ring = time.Time{}
	case g.ring.IsZero():
		g.say("RING")
		g.ring = now.Add(ringTime)
	}
}

func (g *Gateway) indicate(place, before, value int) {
	if g.events && before != value {
		g.say("+CIEV: %d,%d", place, value)
	}
}

// sendMute sets the headset's microphone to 0 or to where it stood. HSP writes +VGM=5, HFP +VGM: 5 (HFP, Remote Audio
// Volume Control).
func (g *Gateway) sendMute(mute bool) {
	level, sign := gainMax, "="
	if g.mic.known {
		level = g.mic.value
	}
	if mute {
		level = 0
	}
	g.muted = mute
	if g.hfp {
		sign = ": "
	}
	g.say("+VGM%s%d", sign, level)
}

// Tick rings again.
func (g *Gateway) Tick(now time.Time) {
	if !g.ring.IsZero() && !now.Before(g.ring) {
		g.say("RING")
		g.ring = now.Add(ringTime)
	}
}

// Deadline is when Tick is due; the zero time means never.
func (g *Gateway) Deadline() time.Time { return g.ring }

// Output is what is to be sent, and forgets it; nil when there is nothing.
func (g *Gateway) Output() []byte {
	out := g.out
	g.out = nil
	return out
}
