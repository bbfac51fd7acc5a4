// Package acoustic makes the signals that test a sound path, and says what became of them. Pure: slices in, numbers out.
// Signals are mono signed 16-bit samples at 8 or 16 kHz.
//
//	Sweep  --> loudspeaker, air, microphone --> ResponseOf     frequency response against a floating mask
//	Tone   -->            or a cable        --> DistortionOf   THD+N
//	silence, Tone                           --> SNR            A-weighted
//	Pulses                                  --> PolarityOf
//	Chirp, two Chirps                       --> DelayOf, DriftOf
//	Noise                                   --> ERL            echo return loss
//
// Levels are in dBFS: 0 is a sine of full scale (AES17). What was not heard is an error or a failing value, never a good one.
package acoustic

import (
	"errors"
	"fmt"
	"math"
)

const fullScale = 32768

// floorDBFS is the level of digital silence: far under one bit, and a number that can be written down.
const floorDBFS = -120

// ErrSilence is what an analysis says of sound in which nothing is to be heard.
var ErrSilence = errors.New("acoustic: nothing but silence was heard")

// checked refuses other rates, and recordings that are too short.
func checked(what string, rateHz, samples, least int) error {
	if rateHz != 8000 && rateHz != 16000 {
		return fmt.Errorf("acoustic: %s: %d Hz is not 8000 or 16000", what, rateHz)
	}
	if samples < least {
		return fmt.Errorf("acoustic: %s: %d samples are too few, it takes %d", what, samples, least)
	}
	return nil
}

// tonal refuses tones that a rate does not carry.
func tonal(rateHz int, hz float64) error {
	if !(hz >= 50 && hz <= 0.45*float64(rateHz)) { // also what is no number
		return fmt.Errorf("acoustic: a tone of %v Hz at %d Hz", hz, rateHz)
	}
	return nil
}

// amplitude is the peak of a sine of a level.
func amplitude(dBFS float64) float64 { return (fullScale - 1) * math.Pow(10, dBFS/20) }

func sample(v float64) int16 { return int16(max(-fullScale, min(fullScale-1, math.Round(v)))) }

// faded multiplies the first and last fade samples with a raised cosine: a signal that is cut clicks.
func faded(x []int16, fade int) []int16 {
	for i := range min(fade, len(x)/2) {
		g := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(fade))
		x[i] = sample(float64(x[i]) * g)
		x[len(x)-1-i] = sample(float64(x[len(x)-1-i]) * g)
	}
	return x
}

// Tone is a sine of a level.
func Tone(rateHz int, hz, dBFS, seconds float64) []int16 {
	x := make([]int16, int(seconds*float64(rateHz)))
	for i := range x {
		x[i] = sample(amplitude(dBFS) * math.Sin(2*math.Pi*hz*float64(i)/float64(rateHz)))
	}
	return x
}

// The sweep of 3 s: 100 Hz to just under half the rate (3.9 or 7.8 kHz), so loud as the tone of the other tests.
const (
	sweepSeconds = 3
	sweepDBFS    = -10
	sweepLowHz   = 100
)

// Sweep is a logarithmic sweep: as much energy in every octave. Play at least 0.2 s of silence after it.
// A. Farina, "Simultaneous measurement of impulse response and distortion with a swept-sine technique", AES 108 (2000).
func Sweep(rateHz int) []int16 {
	octaves := math.Log(float64(rateHz) * 0.4875 / sweepLowHz)
	x := make([]int16, sweepSeconds*rateHz)
	for i := range x {
		t := float64(i) / float64(rateHz)
		phase := 2 * math.Pi * sweepLowHz * sweepSeconds / octaves * (math.Exp(t*octaves/sweepSeconds) - 1)
		x[i] = sample(amplitude(sweepDBFS) * math.Sin(phase))
	}
	return faded(x, rateHz/100)
}

// Chirp is 250 ms from 500 to 3,000 Hz: its correlation is one sharp peak.
func Chirp(rateHz int) []int16 {
	const seconds, low, high = 0.25, 500, 3000
	x := make([]int16, int(seconds*float64(rateHz)))
	for i := range x {
		t := float64(i) / float64(rateHz)
		x[i] = sample(amplitude(sweepDBFS) * math.Sin(2*math.Pi*(low*t+(high-low)*t*t/(2*seconds))))
	}
	return faded(x, len(x)/4)
}

// TwoChirps are Chirps whose beginnings are apart seconds: 10 to 60 for DriftOf.
func TwoChirps(rateHz, apartSeconds int) []int16 {
	chirp := Chirp(rateHz)
	x := make([]int16, apartSeconds*rateHz+len(chirp))
	copy(x, chirp)
	copy(x[apartSeconds*rateHz:], chirp)
	return x
}

// Noise is white noise of a level, the same every time.
func Noise(rateHz int, dBFS, seconds float64) []int16 {
	x := make([]int16, int(seconds*float64(rateHz)))
	// Uniform noise of this peak has the mean square of the sine.
	peak := amplitude(dBFS) * math.Sqrt(1.5)
	state := uint64(0x9E3779B97F4A7C15)
	for i := range x {
		state ^= state << 13 // Marsaglia, "Xorshift RNGs" (2003)
		state ^= state >> 7
		state ^= state << 17
		x[i] = sample(peak * (float64(state>>11)/(1<<52) - 1))
	}
	return x
}

// Pulses are 20 positive pulses a second: what a path turns round shows in which side the peaks lie.
func Pulses(rateHz int, seconds float64) []int16 {
	x := make([]int16, int(seconds*float64(rateHz)))
	width := rateHz / 2000 // 0.5 ms: within the telephone band
	for start := 0; start+2*width < len(x); start += max(1, rateHz/20) {
		for i := range 2 * width {
			x[start+i] = sample(0.25 * fullScale * (1 - math.Cos(math.Pi*(float64(i)+0.5)/float64(width))))
		}
	}
	return x
}

// LevelDBFS is the level of samples; -120 of digital silence and of none.
func LevelDBFS(samples []int16) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += float64(s) * float64(s) / (fullScale * fullScale)
	}
	return decibels(2 * sum / float64(max(1, len(samples)))) // a sine of full scale has the mean square 1/2
}

// decibels of a power, with a floor.
func decibels(power float64) float64 {
	return max(floorDBFS, 10*math.Log10(max(power, 1e-30)))
}

// ToneDBFS is the level of what lies within 3 % of a frequency: of one channel's tone among others.
func ToneDBFS(samples []int16, rateHz int, hz float64) (float64, error) {
	if err := checked("the level of a tone", rateHz, len(samples), rateHz/4); err != nil {
		return 0, err
	}
	if err := tonal(rateHz, hz); err != nil {
		return 0, err
	}
	bins, binHz := powers(samples, rateHz)
	spread := int(hz*0.03/binHz) + mainLobe
	return decibels(2 * around(bins, int(math.Round(hz/binHz)), spread)), nil
}

// around is the power of a bin and its neighbours.
func around(bins []float64, centre, spread int) float64 {
	sum := 0.0
	for i := max(1, centre-spread); i <= min(len(bins)-1, centre+spread); i++ {
		sum += bins[i]
	}
	return sum
}
