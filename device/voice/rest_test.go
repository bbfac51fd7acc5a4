package voice

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// restingDevice can stop its clock.
type restingDevice struct {
	fakeDevice
	rests    int
	failRest error
}

func (d *restingDevice) Rest() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rests++
	d.clock = hal.FrameClock{}
	return d.failRest
}

// count is how often it rested and was closed.
func (d *restingDevice) count() (rests, closed int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rests, d.closed
}

func rests(d *restingDevice) int { n, _ := d.count(); return n }

// inTime pings with a second's patience.
func inTime(v *Voice) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return v.Ping(ctx)
}

func TestAPhoneAtRestWakesForNothingAndIsAwakeForTheFirstFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, media := &restingDevice{}, newFakeMedia()
		v, stop := running(device, media, nil)
		defer stop()
		time.Sleep(time.Minute)
		if n := v.Counters().Frames; n != restAfter || rests(device) != 1 {
			t.Fatalf("a minute of silence took %d frames and %d rests", n, rests(device))
		}
		if !inTime(v) {
			t.Fatal("a phone at rest is taken for dead")
		}
		v.Set(Plan{Volume: 3}) // nothing to hear yet
		time.Sleep(time.Second)
		before := v.Counters().Frames
		v.Set(Plan{Route: hal.Handset, Volume: 7, Live: 1, Calls: [CallsMax]sip.CallID{1}})
		time.Sleep(time.Second)
		if voice, _ := media.sent(1); !about(voice, time.Second) || v.Counters().Late != 0 {
			t.Errorf("after the rest the call got %d frames, %d late", voice, v.Counters().Late)
		}
		if before > 2*restAfter+1 {
			t.Errorf("a change of volume cost %d frames", before)
		}
		v.Set(Plan{})
		time.Sleep(time.Minute)
		if rests(device) < 2 {
			t.Error("it never rested again")
		}
	})
}

func TestEverythingThatSoundsKeepsThePhoneAwake(t *testing.T) {
	for name, plan := range map[string]Plan{
		"a call": {Calls: [CallsMax]sip.CallID{0, 7}}, "a ringer": {Tone: Ring, Ringer: 1}, "a digit": {Digit: '5'},
		"a lifted handset": {Route: hal.Handset}, "a tone": {Tone: Dial},
	} {
		if plan.quiet() {
			t.Errorf("%s lets it rest", name)
		}
	}
	if !(Plan{Tone: Ring}).quiet() {
		t.Error("a ringer that is switched off keeps it awake")
	}
}

func TestARestThatFailsLosesTheDeviceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, gone := &restingDevice{failRest: errors.New("no such device")}, make(chan DeviceGone, 2)
		v, stop := running(device, newFakeMedia(), func(g DeviceGone) { gone <- g })
		time.Sleep(time.Second)
		if len(gone) != 1 || !inTime(v) {
			t.Errorf("gone %d times", len(gone))
		}
		second := &restingDevice{}
		v.Use(second)
		time.Sleep(time.Minute)
		third := &restingDevice{}
		v.Use(third) // while the second rests
		time.Sleep(time.Second)
		stop()
		if second.rests != 1 || second.closed != 1 || third.closed != 1 {
			t.Errorf("second rested %d times, closed %d; third closed %d", second.rests, second.closed, third.closed)
		}
		if inTime(v) {
			t.Error("a voice that has ended answers")
		}
	})
}

func TestAHangingDeviceIsNoticedByPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		media := newFakeMedia()
		media.stall = 10 * time.Second
		v, stop := running(&fakeDevice{}, media, nil)
		v.Set(Plan{Route: hal.Handset, Calls: [CallsMax]sip.CallID{1}})
		time.Sleep(100 * time.Millisecond)
		if inTime(v) {
			t.Error("it hangs and answers")
		}
		time.Sleep(time.Minute)
		if !inTime(v) {
			t.Error("it moves again and does not answer")
		}
		stop()
	})
}
