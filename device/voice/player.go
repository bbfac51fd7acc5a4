package voice

import (
	"math"
	"time"

	"freizeichen/hal"
)

// rampTime is how long anything takes to begin or end, so that nothing clicks.
const rampTime = 5 * time.Millisecond

// rampSamples is rampTime in samples: 40.
const rampSamples = int(rampTime * hal.RateHz / time.Second)

// samples is a time in samples.
func samples(d time.Duration) int { return int(d * hal.RateHz / time.Second) }

// A player plays one signal at a time, sample by sample. Its phases run on through every change of frequency; its
// envelope reaches zero before another signal begins at its first step. The zero player is quiet.
type player struct {
	playing  *signal // nil is silence
	wanted   *signal
	step     int        // of playing
	left     int        // samples of the step still to come, -1 for ever
	sounding step       // the last step that was no pause: a fall still sounds its frequencies
	phase    [2]float64 // in radians, below 2 pi
	envelope float64    // 0 to 1
}

// want makes the player change to s, nil for silence. Wanting what is playing changes nothing.
func (p *player) want(s *signal) { p.wanted = s }

// cut ends what is playing at once, without a ramp: for a change of the route, where a ramp would be heard at the
// wrong ear.
func (p *player) cut() { p.playing, p.envelope = nil, 0 }

// next is the next sample, 1 is full scale.
func (p *player) next() float64 {
	if p.playing != p.wanted && p.envelope == 0 {
		p.begin()
	}
	if p.playing == nil {
		return 0
	}
	p.swell()
	sample := 0.0
	for n, hz := range p.sounding.hz {
		if hz == 0 {
			continue
		}
		sample += p.sounding.amplitude[n] * math.Sin(p.phase[n])
		if p.phase[n] += 2 * math.Pi * hz / hal.RateHz; p.phase[n] >= 2*math.Pi {
			p.phase[n] -= 2 * math.Pi
		}
	}
	sample *= p.envelope
	p.advance()
	return sample
}

// begin loads the wanted signal at its first step.
func (p *player) begin() {
	p.playing, p.step, p.phase = p.wanted, 0, [2]float64{}
	if p.playing != nil {
		p.enter()
	}
}

// swell moves the envelope one sample towards what the step wants.
func (p *player) swell() {
	switch {
	case p.playing != p.wanted: // what is leaving leaves quickly, whatever its own ramp is
		p.envelope = max(0, p.envelope-1/float64(rampSamples))
	case p.playing.steps[p.step].sounds():
		p.envelope = min(1, p.envelope+1/float64(samples(p.playing.ramp)))
	default:
		p.envelope = max(0, p.envelope-1/float64(samples(p.playing.ramp)))
	}
}

// advance counts the sample and goes on to the next step when this one is over.
func (p *player) advance() {
	if p.left < 0 {
		return
	}
	if p.left--; p.left == 0 {
		p.step = (p.step + 1) % len(p.playing.steps)
		p.enter()
	}
}

// enter begins the present step.
func (p *player) enter() {
	now := p.playing.steps[p.step]
	if p.left = samples(now.length); p.left == 0 {
		p.left = -1
	}
	if now.sounds() {
		p.sounding = now
	}
}
