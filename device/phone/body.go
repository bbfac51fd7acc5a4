package phone

import (
	"time"

	"freizeichen/hal"
)

// headset takes what the headset's own keys ask for, and that it came or went.
func (p *Phone) headset(now time.Time, action hal.HeadsetAction) {
	switch action {
	case hal.HeadsetPlugged:
		p.prefer = hal.Headset
	case hal.HeadsetUnplugged:
		p.headsetGone()
	case hal.HeadsetOffHook:
		p.takeToHeadset(now)
	case hal.HeadsetOnHook:
		if p.route == hal.Headset {
			p.release(now)
			p.seizeIfLifted()
		}
	case hal.HeadsetMute, hal.HeadsetUnmute:
		if p.live() != nil {
			p.muted = action == hal.HeadsetMute
		}
	case hal.HeadsetFlash:
		if p.held() != nil && p.live() != nil {
			p.soft(now, SoftSwap)
		} else {
			p.holdKey()
		}
	case hal.HeadsetRedial:
		if p.route == hal.Silent {
			p.prefer = hal.Headset
		}
		p.soft(now, SoftRedial)
	case hal.HeadsetReject:
		p.soft(now, SoftReject)
	case hal.HeadsetVolumeUp:
		p.louder(now, +1)
	case hal.HeadsetVolumeDown:
		p.louder(now, -1)
	}
}

// headsetGone takes a conversation to what is left: nobody is cut off because a plug came out. Who holds no handset hears it
// by the loudspeaker.
func (p *Phone) headsetGone() {
	p.prefer = hal.Speaker
	if p.route != hal.Headset {
		return
	}
	p.route = hal.Speaker
	if p.hookUp {
		p.route = hal.Handset
	}
}

// takeToHeadset answers, moves the conversation there, or begins one; it never ends one.
func (p *Phone) takeToHeadset(now time.Time) {
	p.prefer = hal.Headset
	switch c := p.ringing(); {
	case p.live() != nil:
		p.route = hal.Headset
	case c != nil:
		p.answer(now, c, hal.Headset)
	case p.route != hal.Silent:
		p.route = hal.Headset
	default:
		p.engage(now, hal.Headset)
	}
}

// headsetLamps is what the headset shows.
func (p *Phone) headsetLamps() hal.HeadsetLamps {
	live := p.live()
	return hal.HeadsetLamps{
		Ring:       p.ringing() != nil,
		OffHook:    p.route == hal.Headset,
		Mute:       p.muted,
		Hold:       p.held() != nil,
		Microphone: p.route == hal.Headset && live != nil && live.state == Talking && !p.muted,
	}
}

// repeats reports whether a key that stays down does again what it does.
func (p *Phone) repeats(key hal.Key) bool {
	switch key {
	case hal.KeyVolumeUp, hal.KeyVolumeDown, hal.KeyUp, hal.KeyDown:
		return true
	case hal.KeySoft1, hal.KeySoft2, hal.KeySoft3, hal.KeySoft4:
		return p.list == nil && p.softKeys()[key-hal.KeySoft1] == SoftDelete
	}
	return false
}

// held down: the long press of a key. On 0 it makes the + of an international number, as on every mobile phone.
func (p *Phone) longPress(e hal.KeyChange) {
	if d := p.dial; e.Key == hal.Key0 && e.Held == hal.RepeatAfter && d != nil && d.number == "0" {
		d.number = "+"
	}
	if e.Held >= testHold && p.down[hal.KeyStar] && p.down[hal.KeyPound] && !p.keysHeld {
		p.keysHeld = true // whoever does not want the test need not let go first
		p.askTest(TechnicianTest)
	}
}
