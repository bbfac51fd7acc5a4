// Package voice joins the sound device and the media sessions of the calls, a frame of 20 ms at a time: gain, mute,
// tones, the ringer, sidetone. What shall be heard it is told by a Plan; it decides nothing about calls.
//
//	         microphone                        Send: the live call its voice,
//	Device ------------->  +-----------------+  the others silence
//	(paces)                | Voice.Run:      | ----------------------------->  Media
//	       <-------------  | Mixer.Step      | <-----------------------------
//	          speaker      +-----------------+  Receive: each call's sound
//	                           ^ Set(Plan), lock-free
//	                      device/loop
//
// The Mixer is pure; Voice is the thin shell with the clock. Echo cancelling, codecs, jitter buffers and RTP are
// elsewhere. After it has begun Run allocates nothing.
package voice

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// A Device is a microphone and a speaker with one clock: frames of hal.FrameSamples samples. Only one goroutine uses it.
type Device interface {
	// Read blocks until the microphone's next frame is there: it paces everything. A device that hangs says so with an
	// error after a second at most. After any error the device is not used again but closed.
	Read(mic []int16) error
	// Write puts a frame into the queue of the speaker; it does not wait for it to be heard.
	Write(speaker []int16) error
	// Route sends what is written from now on elsewhere, and drops what was written before and has not been heard: a
	// rest of the ringer must not come out at the ear.
	Route(hal.Route)
	// Close releases the device.
	Close() error
}

// A Rester is a Device that can stop its clock while there is nothing to hear and nobody to speak to: Rest is called after
// restAfter of such silence, and the next Read starts the clock again. A phone at rest then wakes for nothing.
type Rester interface{ Rest() error }

// restAfter is long enough for every tone and gain to have faded out.
const restAfter = 25 // frames, 500 ms

// Media is the calls' sound as RTP. It is called by Run every 20 ms for each open call, and ignores calls that it does
// not know (any longer).
type Media interface {
	// Send sends a frame to the call; nil is silence, which is sent like sound.
	Send(call sip.CallID, frame []int16)
	// Receive fills frame with what the call's jitter buffer has to play now, and reports false when there is nothing:
	// no media yet, on hold.
	Receive(call sip.CallID, frame []int16) bool
}

// DeviceGone says that the sound device failed (unplugged, mostly). Calls go on in silence until Use gives another one.
type DeviceGone struct{ Err error }

// Counters are what Run has counted since it began.
type Counters struct {
	Frames       uint64 // done, with and without a device
	Late         uint64 // that began more than a frame time too late, seen from the one before
	Dropped      uint64 // never done: left out after a stall of the stand-in's clock
	DeviceErrors uint64
}

// Voice is the shell around the Mixer. Make it with New.
type Voice struct {
	media Media
	gone  func(DeviceGone)
	log   *slog.Logger

	plan   atomic.Pointer[Plan]
	offers atomic.Pointer[offer]
	wake   chan struct{}      // something has changed; holds one
	pings  chan chan struct{} // who asks whether Run still moves; holds one

	frames, late, dropped, deviceErrors atomic.Uint64

	// Below: of the goroutine in Run alone.
	mixer    *Mixer
	device   Device // nil while there is none
	route    hal.Route
	routed   bool // the device has been told a route
	standIn  hal.FrameClock
	skipped  uint64 // of standIn, counted already
	began    time.Time
	still    int // frames in a row in which nothing was heard and nobody was there to hear
	mic      [hal.FrameSamples]int16
	received [CallsMax][hal.FrameSamples]int16
}

// offer carries a device to Run.
type offer struct{ device Device }

// New joins device and media. The device may be nil: then there is silence in real time until Use. Voice closes the
// device. gone is called from Run when the device failed; it must not block. Nil means nobody wants to know.
func New(device Device, media Media, config Config, gone func(DeviceGone), log *slog.Logger) *Voice {
	v := &Voice{media: media, gone: gone, log: log, mixer: NewMixer(config), device: device,
		wake: make(chan struct{}, 1), pings: make(chan chan struct{}, 1)}
	v.plan.Store(&Plan{})
	return v
}

// Set says what shall be heard from the next frame on. It may be called from any goroutine, never blocks, and
// allocates only if the plan is another one.
func (v *Voice) Set(plan Plan) {
	if *v.plan.Load() != plan {
		v.plan.Store(&plan)
		v.rouse()
	}
}

// rouse ends a rest.
func (v *Voice) rouse() {
	select {
	case v.wake <- struct{}{}:
	default: // it has been roused
	}
}

// Ping waits until Run has come round once more, and reports false when it has not before ctx ended: the sound's clock
// stands still. One goroutine at a time may ask.
func (v *Voice) Ping(ctx context.Context) bool {
	answer := make(chan struct{})
	select {
	case v.pings <- answer:
	case <-ctx.Done():
		return false
	}
	select {
	case <-answer:
		return true
	case <-ctx.Done():
		return false
	}
}

// Use takes another device from the next frame on: the headset that was plugged in again. The one before is closed.
// It may be called from any goroutine until Run ends; nil takes the device away.
func (v *Voice) Use(device Device) {
	if earlier := v.offers.Swap(&offer{device}); earlier != nil {
		v.close(earlier.device) // Run has not come to see it
	}
	v.rouse()
}

// Counters may be called from any goroutine.
func (v *Voice) Counters() Counters {
	return Counters{
		Frames:       v.frames.Load(),
		Late:         v.late.Load(),
		Dropped:      v.dropped.Load(),
		DeviceErrors: v.deviceErrors.Load(),
	}
}

// Run does a frame after the other until ctx ends, at most a frame time later, and closes the device. It stays in its
// caller's goroutine, so a program that wants a real-time thread locks and raises its own before it calls. Run once.
func (v *Voice) Run(ctx context.Context) {
	defer func() {
		v.close(v.device)
		if last := v.offers.Swap(nil); last != nil {
			v.close(last.device)
		}
	}()
	for ctx.Err() == nil {
		select {
		case answer := <-v.pings:
			close(answer)
		default:
		}
		v.takeOffer()
		if v.mayRest() {
			v.rest(ctx)
		} else {
			v.frame()
		}
	}
}

// mayRest reports whether there has been nothing to do for long enough.
func (v *Voice) mayRest() bool {
	_, can := v.device.(Rester)
	if !can || !v.plan.Load().quiet() {
		v.still = 0
		return false
	}
	v.still++
	return v.still > restAfter
}

// rest stops the device's clock until the plan changes.
func (v *Voice) rest(ctx context.Context) {
	if err := v.device.(Rester).Rest(); err != nil {
		v.lose(fmt.Errorf("voice: letting the sound device rest: %w", err))
		return
	}
	for asleep := true; asleep; {
		select {
		case <-ctx.Done():
			asleep = false
		case <-v.wake:
			asleep = v.plan.Load().quiet() && v.offers.Load() == nil
		case answer := <-v.pings:
			close(answer)
		}
	}
	v.still, v.began = 0, time.Time{}
}

// takeOffer changes to the device given by Use.
func (v *Voice) takeOffer() {
	if v.offers.Load() == nil {
		return
	}
	given := v.offers.Swap(nil)
	v.close(v.device)
	v.device, v.routed = given.device, false
	v.standIn, v.skipped = hal.FrameClock{}, 0
	v.log.Info("sound device in use")
}

// frame does one frame: waits for the microphone, asks all calls, mixes, sends, plays.
func (v *Voice) frame() {
	v.pace()
	plan := *v.plan.Load()
	if v.device == nil {
		plan.Muted = true // the stand-in has no microphone
	}
	if route := plan.route(); v.device != nil && (!v.routed || route != v.route) {
		v.device.Route(route)
		v.route, v.routed = route, true
	}
	var received Frames
	for place, call := range plan.Calls {
		// Calls that are not heard are asked as well: a jitter buffer that nobody empties would play the past later.
		if call != 0 && v.media.Receive(call, v.received[place][:]) {
			received[place] = v.received[place][:]
		}
	}
	speaker, send := v.mixer.Step(plan, v.mic[:], received)
	for place, call := range plan.Calls {
		if call != 0 {
			v.media.Send(call, send[place])
		}
	}
	if v.device != nil {
		if err := v.device.Write(speaker); err != nil {
			v.lose(fmt.Errorf("voice: writing to the speaker: %w", err))
		}
	}
	v.frames.Add(1)
}

// pace waits until the next frame is due, by the device's clock or by the stand-in's.
func (v *Voice) pace() {
	if v.device != nil {
		if err := v.device.Read(v.mic[:]); err != nil {
			v.lose(fmt.Errorf("voice: reading the microphone: %w", err))
		}
	}
	if v.device == nil {
		time.Sleep(v.standIn.Wait(time.Now()))
		skipped := v.standIn.Skipped()
		v.dropped.Add(skipped - v.skipped)
		v.skipped = skipped
	}
	now := time.Now()
	if !v.began.IsZero() && now.Sub(v.began) > 2*hal.FrameTime {
		v.late.Add(1)
	}
	v.began = now
}

// lose gives the device up; the stand-in goes on from now.
func (v *Voice) lose(err error) {
	v.deviceErrors.Add(1)
	v.log.Warn("sound device lost, sending silence", "error", err)
	v.close(v.device)
	v.device, v.standIn, v.skipped = nil, hal.FrameClock{}, 0
	if v.gone != nil {
		v.gone(DeviceGone{Err: err})
	}
}

// close closes the device, if there is one.
func (v *Voice) close(device Device) {
	if device == nil {
		return
	}
	if err := device.Close(); err != nil {
		v.log.Warn("closing the sound device", "error", fmt.Errorf("voice: %w", err))
	}
}
