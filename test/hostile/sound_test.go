package hostile

import (
	"math"
	"sync"
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/sim"
)

// earLength is what an ear remembers: 300 ms.
const earLength = 15 * hal.FrameSamples

// An ear is a sound device whose microphone hears the agent's tone, and that remembers what the agent heard last.
type ear struct {
	*sim.Device
	slow  bool
	mu    sync.Mutex
	heard []int16
}

func newEar(t *testing.T, slow bool) *ear {
	t.Helper()
	sound, err := sim.ParseSound("tone:1020")
	if err != nil {
		t.Fatal(err)
	}
	device, err := sound.Open()
	if err != nil {
		t.Fatal(err)
	}
	return &ear{Device: device, slow: slow}
}

// Read gives the next frame of the microphone.
func (e *ear) Read(mic []int16) error {
	if e.slow {
		time.Sleep(20 * time.Second)
	}
	return e.Device.Read(mic)
}

// Write takes what is heard.
func (e *ear) Write(speaker []int16) error {
	e.mu.Lock()
	e.heard = append(e.heard, speaker...)
	e.heard = e.heard[max(0, len(e.heard)-earLength):]
	e.mu.Unlock()
	return e.Device.Write(speaker)
}

func (e *ear) last() []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int16(nil), e.heard...)
}

// tone is a tone of n samples at 8 kHz.
func tone(hz float64, n int) []int16 {
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/hal.RateHz))
	}
	return samples
}

// share is how much of the energy of the last 100 ms lies at a frequency, by Goertzel's algorithm: 0 to 1. Silence has none.
func share(samples []int16, hz float64) float64 {
	const window = 5 * hal.FrameSamples
	if len(samples) < window {
		return 0
	}
	samples = samples[len(samples)-window:]
	coefficient := 2 * math.Cos(2*math.Pi*hz/hal.RateHz)
	var s1, s2, energy float64
	for _, v := range samples {
		x := float64(v)
		s1, s2 = x+coefficient*s1-s2, s1
		energy += x * x
	}
	if energy < window*100*100 {
		return 0
	}
	return (s1*s1 + s2*s2 - coefficient*s1*s2) / (energy * window / 2)
}

// holds reports whether the samples are mostly a tone.
func holds(samples []int16, hz float64) bool { return share(samples, hz) > 0.5 }
