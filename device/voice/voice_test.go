package voice

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// fakeDevice is a sound device with a clock, whose microphone gives a constant, and which fails on order.
type fakeDevice struct {
	mu        sync.Mutex
	clock     hal.FrameClock
	failRead  error
	failWrite error
	routes    []hal.Route
	written   int
	closed    int
}

func (d *fakeDevice) Read(mic []int16) error {
	time.Sleep(d.clock.Wait(time.Now()))
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range mic {
		mic[n] = 1000
	}
	return d.failRead
}

func (d *fakeDevice) Write(speaker []int16) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written++
	return d.failWrite
}

func (d *fakeDevice) Route(r hal.Route) { d.routes = append(d.routes, r) }
func (d *fakeDevice) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed++
	return nil
}

// fail makes the device fail from now on.
func (d *fakeDevice) fail(read, write error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failRead, d.failWrite = read, write
}

// fakeMedia counts what each call gets. Its calls play a constant: their number times 100.
type fakeMedia struct {
	mu                      sync.Mutex
	voice, silence, emptied map[sip.CallID]int
	stall                   time.Duration // once
}

func newFakeMedia() *fakeMedia {
	return &fakeMedia{voice: map[sip.CallID]int{}, silence: map[sip.CallID]int{}, emptied: map[sip.CallID]int{}}
}

func (m *fakeMedia) Send(call sip.CallID, frame []int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	time.Sleep(m.stall)
	m.stall = 0
	if frame == nil {
		m.silence[call]++
	} else {
		m.voice[call]++
	}
}

// sent is how many frames the call has got.
func (m *fakeMedia) sent(call sip.CallID) (voice, silence int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.voice[call], m.silence[call]
}

func (m *fakeMedia) Receive(call sip.CallID, frame []int16) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.emptied[call]++
	for n := range frame {
		frame[n] = int16(call) * 100
	}
	return true
}

// running starts a Voice in the bubble; stop ends it and waits.
func running(device Device, media Media, gone func(DeviceGone)) (v *Voice, stop func()) {
	v = New(device, media, Config{}, gone, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { v.Run(ctx); close(done) }()
	return v, func() { cancel(); <-done }
}

// about reports whether a count is what a time of frames gives, one more or less for the change at each end.
func about(got int, d time.Duration) bool {
	want := int(d / hal.FrameTime)
	return got >= want-2 && got <= want+2
}

func TestTwoCallsGetAFrameEvery20msAndOnlyTheLiveOneVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, media := &fakeDevice{}, newFakeMedia()
		v, stop := running(device, media, nil)
		plan := Plan{Route: hal.Handset, Volume: 7, Live: 1, Calls: [CallsMax]sip.CallID{1, 2}}
		v.Set(plan)
		time.Sleep(time.Second)
		plan.Live = 2
		v.Set(plan)
		time.Sleep(3 * time.Second)
		plan.Muted = true
		v.Set(plan)
		time.Sleep(time.Second)
		stop()
		if !about(media.voice[1], time.Second) || !about(media.silence[1], 4*time.Second) {
			t.Errorf("call 1 got %d voice and %d silence", media.voice[1], media.silence[1])
		}
		if !about(media.voice[2], 3*time.Second) || !about(media.silence[2], 2*time.Second) {
			t.Errorf("call 2 got %d voice and %d silence", media.voice[2], media.silence[2])
		}
		if !about(media.emptied[1], 5*time.Second) || !about(media.emptied[2], 5*time.Second) {
			t.Errorf("jitter buffers emptied %v times", media.emptied)
		}
		if got := v.Counters(); !about(int(got.Frames), 5*time.Second) || got.Late+got.Dropped+got.DeviceErrors != 0 {
			t.Errorf("counters %+v", got)
		}
		if device.closed != 1 || device.written != int(v.Counters().Frames) {
			t.Errorf("device closed %d times after %d frames of %d", device.closed, device.written, v.Counters().Frames)
		}
	})
}

func TestCallsGoOnInSilenceWhenTheDeviceDies(t *testing.T) {
	unplugged := errors.New("no such device")
	for _, c := range []struct {
		name        string
		read, write error
	}{
		{"while reading", unplugged, nil},
		{"while writing", nil, unplugged},
	} {
		synctest.Test(t, func(t *testing.T) {
			device, media := &fakeDevice{}, newFakeMedia()
			var events []DeviceGone
			v, stop := running(device, media, func(e DeviceGone) { events = append(events, e) })
			v.Set(Plan{Route: hal.Headset, Volume: 7, Live: 1, Calls: [CallsMax]sip.CallID{1}})
			time.Sleep(time.Second)
			synctest.Wait()
			device.fail(c.read, c.write)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if len(events) != 1 || !errors.Is(events[0].Err, unplugged) || !strings.HasPrefix(events[0].Err.Error(), "voice: ") {
				t.Fatalf("%s: events %v", c.name, events)
			}
			if voice, silence := media.sent(1); !about(voice, time.Second) || !about(silence, 10*time.Second) {
				t.Errorf("%s: %d voice and %d silence", c.name, voice, silence)
			}
			if got := v.Counters(); got.DeviceErrors != 1 || got.Dropped != 0 || device.closed != 1 {
				t.Errorf("%s: counters %+v, closed %d times", c.name, got, device.closed)
			}

			another := &fakeDevice{}
			v.Use(another)
			time.Sleep(time.Second)
			stop()
			if !about(media.voice[1], 2*time.Second) || !slices.Equal(another.routes, []hal.Route{hal.Headset}) {
				t.Errorf("%s: with the new device %d voice, routes %v", c.name, media.voice[1], another.routes)
			}
			if another.closed != 1 || device.closed != 1 {
				t.Errorf("%s: devices closed %d and %d times", c.name, device.closed, another.closed)
			}
		})
	}
}

func TestADeviceThatWasNeverUsedIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, third := &fakeDevice{}, &fakeDevice{}, &fakeDevice{}
		v := New(first, newFakeMedia(), Config{}, nil, slog.New(slog.DiscardHandler))
		v.Use(second)
		v.Use(third)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		v.Run(ctx)
		if first.closed != 1 || second.closed != 1 || third.closed != 1 {
			t.Errorf("closed %d, %d, %d times", first.closed, second.closed, third.closed)
		}
	})
}

func TestADeviceIsReplacedOrTakenAwayWithoutLosingAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, media := &fakeDevice{}, &fakeDevice{}, newFakeMedia()
		v, stop := running(nil, media, nil)
		v.Set(Plan{Route: hal.Handset, Live: 1, Calls: [CallsMax]sip.CallID{1}})
		for _, device := range []Device{first, second, nil} {
			time.Sleep(time.Second)
			v.Use(device)
		}
		time.Sleep(time.Second)
		stop()
		if first.closed != 1 || second.closed != 1 {
			t.Errorf("devices closed %d and %d times", first.closed, second.closed)
		}
		if voice, silence := media.sent(1); !about(voice, 2*time.Second) || !about(silence, 2*time.Second) {
			t.Errorf("%d voice and %d silence", voice, silence)
		}
		if got := v.Counters(); got.Dropped+got.DeviceErrors+got.Late != 0 {
			t.Errorf("counters %+v", got)
		}
	})
}

func TestTheDeviceIsToldEveryChangeOfRouteOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device := &fakeDevice{}
		v, stop := running(device, newFakeMedia(), nil)
		for _, plan := range []Plan{
			{},
			{Tone: Ring, Ringer: 7},
			{Tone: Ring, Ringer: 7, Route: hal.Headset},
			{Route: hal.Headset, Volume: 7, Live: 2, Calls: [CallsMax]sip.CallID{2}},
			{Route: hal.Headset, Volume: 9, Live: 2, Calls: [CallsMax]sip.CallID{2}},
			{},
		} {
			v.Set(plan)
			time.Sleep(100 * time.Millisecond)
		}
		stop()
		if want := []hal.Route{hal.Silent, hal.Speaker, hal.Headset, hal.Silent}; !slices.Equal(device.routes, want) {
			t.Errorf("routes %v, want %v", device.routes, want)
		}
	})
}

func TestStallsAreCountedAndTheStandInRecentres(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		media := newFakeMedia()
		v, stop := running(nil, media, nil)
		v.Set(Plan{Calls: [CallsMax]sip.CallID{1}})
		time.Sleep(time.Second)
		synctest.Wait()
		media.mu.Lock()
		media.stall = time.Second
		media.mu.Unlock()
		time.Sleep(3 * time.Second)
		stop()
		got := v.Counters()
		if got.Late != 1 || got.Dropped < 43 || got.Dropped > 46 || !about(int(got.Frames+got.Dropped), 4*time.Second) {
			t.Errorf("counters %+v after a stall of a second in four", got)
		}
	})
}

func TestASteadyFrameAllocatesNothing(t *testing.T) {
	device := &instantDevice{}
	v := New(device, device, Config{}, nil, slog.New(slog.DiscardHandler))
	v.Set(Plan{Tone: Knock, Route: hal.Handset, Volume: 7, Live: 1, Calls: [CallsMax]sip.CallID{1, 2}})
	v.frame()
	if allocations := testing.AllocsPerRun(500, v.frame); allocations != 0 {
		t.Errorf("%v allocations a frame", allocations)
	}
}

// instantDevice is device and media that take no time and count nothing.
type instantDevice struct{}

func (instantDevice) Read([]int16) error                      { return nil }
func (instantDevice) Write([]int16) error                     { return nil }
func (instantDevice) Route(hal.Route)                         {}
func (instantDevice) Close() error                            { return nil }
func (instantDevice) Send(call sip.CallID, _ []int16)         {}
func (instantDevice) Receive(call sip.CallID, _ []int16) bool { return true }
