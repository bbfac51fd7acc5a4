//go:build linux

package pcmtest

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// ready is a headset's stream of 16 kHz with periods of 10 ms and a buffer of 40 ms, set up as hal/pcm does.
func ready(t *testing.T, name string) (*Machine, *Card, asound.File) {
	t.Helper()
	card := Headset()
	m := New(card)
	f, err := m.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	hw := wide()
	hw.Intervals[asound.PeriodSize] = asound.Interval{Min: 160, Max: 160, Flags: asound.Integer}
	hw.Intervals[asound.BufferSize] = asound.Interval{Min: 640, Max: 640, Flags: asound.Integer}
	if err := f.Ioctl(asound.SetHW, hw); err != nil {
		t.Fatal(err)
	}
	if err := f.Ioctl(asound.SetSW, &asound.SWParams{AvailMin: 160, StartThreshold: 1 << 30, StopThreshold: 640}); err != nil {
		t.Fatal(err)
	}
	return m, card, f
}

func wide() *asound.HWParams {
	p := &asound.HWParams{RMask: math.MaxUint32}
	for i := range p.Masks {
		for j := range p.Masks[i] {
			p.Masks[i][j] = math.MaxUint32
		}
	}
	for i := range p.Intervals {
		p.Intervals[i].Max = math.MaxUint32
	}
	return p
}

func frames(n int) *asound.Transfer {
	return &asound.Transfer{Buffer: &make([]int16, n)[0], Frames: uintptr(n)}
}

func TestEveryCallInEveryStateAnswersAsTheKernelDoes(t *testing.T) {
	ok := unix.Errno(0)
	type call struct {
		request  asound.Request
		argument asound.Argument
	}
	prepare, start, drop := call{asound.Prepare, asound.None{}}, call{asound.Start, asound.None{}}, call{asound.Drop, asound.None{}}
	delay, write, read := call{asound.GetDelay, &asound.Delay{}}, call{asound.WriteI, frames(160)}, call{asound.ReadI, frames(160)}
	hardware, software := call{asound.SetHW, wide()}, call{asound.SetSW, &asound.SWParams{AvailMin: 160, StopThreshold: 640}}
	for _, c := range []struct {
		state string
		play  map[call]unix.Errno
		hear  map[call]unix.Errno
	}{
		{"OPEN", map[call]unix.Errno{prepare: unix.EBADFD, start: unix.EBADFD, drop: unix.EBADFD, delay: unix.EBADFD, write: unix.EBADFD, software: unix.EBADFD, hardware: ok},
			map[call]unix.Errno{read: unix.EBADFD}},
		{"SETUP", map[call]unix.Errno{prepare: ok, start: unix.EBADFD, drop: ok, delay: unix.EBADFD, write: unix.EBADFD, software: ok, hardware: ok},
			map[call]unix.Errno{read: unix.EBADFD}},
		{"PREPARED", map[call]unix.Errno{prepare: ok, start: unix.EPIPE, drop: ok, delay: ok, write: ok, read: unix.EINVAL, hardware: ok},
			map[call]unix.Errno{start: ok, read: unix.EAGAIN, write: unix.EINVAL}},
		{"RUNNING", map[call]unix.Errno{prepare: unix.EBUSY, start: unix.EBADFD, drop: ok, delay: ok, write: ok, hardware: unix.EBADFD},
			map[call]unix.Errno{prepare: unix.EBUSY, read: unix.EAGAIN}},
		{"XRUN", map[call]unix.Errno{prepare: ok, start: unix.EBADFD, drop: ok, delay: unix.EPIPE, write: unix.EPIPE, hardware: unix.EBADFD},
			map[call]unix.Errno{read: unix.EPIPE, delay: unix.EPIPE}},
		{"SUSPENDED", map[call]unix.Errno{prepare: ok, drop: ok, delay: unix.ESTRPIPE, write: unix.ESTRPIPE},
			map[call]unix.Errno{read: unix.ESTRPIPE, delay: unix.ESTRPIPE}},
		{"DISCONNECTED", map[call]unix.Errno{prepare: unix.ENODEV, start: unix.ENODEV, drop: unix.ENODEV, delay: unix.ENODEV, write: unix.ENODEV, hardware: unix.ENODEV},
			map[call]unix.Errno{read: unix.ENODEV}},
	} {
		for name, calls := range map[string]map[call]unix.Errno{"pcmC0D0p": c.play, "pcmC0D0c": c.hear} {
			for call, want := range calls {
				synctest.Test(t, func(t *testing.T) {
					m, card, f := ready(t, name)
					s := card.Capture
					if name == "pcmC0D0p" {
						s = card.Playback
					}
					reach(t, c.state, m, card, s, f)
					err := f.Ioctl(call.request, call.argument)
					if got, _ := err.(unix.Errno); got != want {
						t.Errorf("%s in %s: request %#x: %v, want %v", name, c.state, call.request, err, want)
					}
				})
			}
		}
	}
}

// reach brings a stream from SETUP to a state.
func reach(t *testing.T, state string, m *Machine, card *Card, s *Stream, f asound.File) {
	t.Helper()
	var steps []asound.Request
	switch state {
	case "OPEN":
		bad := wide()
		bad.Intervals[asound.Rate].Max = 1
		if err := f.Ioctl(asound.SetHW, bad); err != unix.EINVAL {
			t.Fatal(err)
		}
	case "PREPARED":
		steps = []asound.Request{asound.Prepare}
	case "RUNNING", "XRUN", "SUSPENDED", "DISCONNECTED":
		steps = []asound.Request{asound.Prepare, asound.WriteI, asound.Start}
	}
	for _, step := range steps {
		var argument asound.Argument = asound.None{}
		if step == asound.WriteI {
			if !s.playback {
				continue
			}
			argument = frames(320)
		}
		if err := f.Ioctl(step, argument); err != nil {
			t.Fatal(err)
		}
	}
	switch state {
	case "XRUN":
		time.Sleep(time.Second)
	case "SUSPENDED":
		s.Suspend()
	case "DISCONNECTED":
		m.Unplug(card)
		return
	}
	if s.State() != state {
		t.Fatalf("state %s, want %s", s.State(), state)
	}
}

func TestTheClockIsTheCrystals(t *testing.T) {
	for _, ppm := range []float64{0, 250, -250} {
		synctest.Test(t, func(t *testing.T) {
			_, card, f := ready(t, "pcmC0D0c")
			card.Capture.PPM = ppm
			heard := 0
			card.Capture.Sound = func(samples []int16, channels, rateHz int) {
				if channels != 1 || rateHz != 16000 {
					t.Errorf("%d channels at %d Hz", channels, rateHz)
				}
				heard += len(samples)
			}
			for _, request := range []asound.Request{asound.Prepare, asound.Start} {
				if err := f.Ioctl(request, asound.None{}); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			for time.Since(began) < 100*time.Second {
				if ready, err := f.Poll(time.Second); ready != asound.Ready || err != nil {
					t.Fatal(ready, err)
				}
				if err := f.Ioctl(asound.ReadI, frames(640)); err != nil {
					t.Fatal(err)
				}
			}
			want := time.Since(began).Seconds() * 16000 * (1 + ppm/1e6)
			if math.Abs(float64(heard)-want) > 32 {
				t.Errorf("%g ppm: %d frames in %v, want %.0f", ppm, heard, time.Since(began), want)
			}
		})
	}
}

func TestAConfigurationThatCannotBeIsRefused(t *testing.T) {
	for name, break_ := range map[string]func(*asound.HWParams){
		"rate":     func(p *asound.HWParams) { p.Intervals[asound.Rate] = asound.Interval{Min: 8000, Max: 8000} },
		"channels": func(p *asound.HWParams) { p.Intervals[asound.Channels].Min = 2 },
		"format":   func(p *asound.HWParams) { p.Masks[asound.Format] = asound.Mask{1 << 10} },
		"access":   func(p *asound.HWParams) { p.Masks[asound.Access] = asound.Mask{1 << 4} },
		"period":   func(p *asound.HWParams) { p.Intervals[asound.PeriodSize].Min = 9000 },
		"buffer smaller than two periods": func(p *asound.HWParams) {
			p.Intervals[asound.PeriodSize].Min, p.Intervals[asound.BufferSize].Max = 1000, 1999
		},
	} {
		f, err := New(Headset()).Open("pcmC0D0p")
		if err != nil {
			t.Fatal(err)
		}
		p := wide()
		break_(p)
		if err := f.Ioctl(asound.HWRefine, p); err != unix.EINVAL {
			t.Errorf("%s: %v", name, err)
		}
	}
}
