package simulate

import (
	"time"

	"freizeichen/device/phone"
	"freizeichen/hal"
)

// body is what else a body reports: a headset's keys, parts that break, keys that stay down, and a self-test that shows
// something.
func (d *desk) body() {
	r := d.random
	switch r.IntN(6) {
	case 0, 1:
		d.step(hal.HeadsetChange{Action: hal.HeadsetAction(r.IntN(int(hal.HeadsetActionCount)))})
	case 2:
		d.step(hal.PartChange{Part: hal.Part(r.IntN(int(hal.PartCount))), Fault: hal.Fault(r.IntN(int(hal.FaultCount)))})
	case 3:
		k := hal.Key(r.IntN(int(hal.KeyCount)-1) + 1)
		d.step(hal.KeyChange{Key: k, Down: true, Held: []time.Duration{hal.RepeatAfter, 3 * time.Second}[r.IntN(2)]})
	case 4:
		d.step(phone.Request{ID: 1, Verb: phone.AskTest, Argument: []string{phone.TechnicianTest, phone.FactoryTest}[r.IntN(2)]})
	default:
		d.step(phone.TestShown{Over: r.IntN(4) == 0, Screen: phone.Test{
			Question: r.IntN(3) == 0, Keys: r.IntN(3) == 0, Hook: r.IntN(3) == 0, Pattern: phone.Pattern(r.IntN(2)),
		}})
	}
}

// testEffect keeps account of the self-test: it is started once, stopped once, and told nothing in between otherwise.
func (d *desk) testEffect(effect phone.Effect) {
	switch effect.(type) {
	case phone.StartTest:
		if d.testing {
			d.fail("a self-test is started while one runs")
		}
		d.testing = true
	case phone.StopTest:
		if !d.testing {
			d.fail("a self-test is stopped that does not run")
		}
		d.testing = false
	case phone.TestAnswer, phone.TestKey:
		if !d.testing {
			d.fail("a self-test is told something while none runs")
		}
	}
}

// checkBody: a self-test never stands between people and their calls, and the headset never says otherwise than the panel.
func (d *desk) checkBody(v phone.View) {
	if _, testing := v.Screen.(phone.Test); testing {
		if len(v.Calls) > 0 || v.Sound.Tone != phone.ToneNone || v.Sound.Live != 0 {
			d.fail("a self-test has the screen while there is a call: %+v", v.Sound)
		}
		return
	}
	d.testing = false // it has ended by itself, and its outcome is not shown any more
	if v.Headset.OffHook != (v.Sound.Route == hal.Headset) || v.Headset.Microphone && (v.Sound.Muted || v.Sound.Live == 0) {
		d.fail("the headset shows %+v, and the sound is %+v", v.Headset, v.Sound)
	}
}
