package pcm

import (
	"time"

	"freizeichen/hal/pcm/resample"
)

// The servo's numbers. The queue is an integrator: one part per million of difference between the crystals moves it by
// 1 us a second. With 50 ppm for each ms of error it comes back with a time constant of 20 s, ten times slower than the
// average that it looks at: it cannot swing. Crystals differ by 200 ppm at most, which holds the queue 6 ms off its
// target; resample.BendMax is reached at 12 ms. Nobody hears 500 ppm: it is a hundredth of a semitone.
const (
	servoAverage = 100 // frames: 2 s
	servoGain    = 50  // ppm per ms
	// servoBand is how far the queue may be off without a bend: on one card nothing drifts, and sound passes untouched.
	servoBand = 2 * time.Millisecond
)

// servo says how much to bend the way to the speaker so that its queue stays where it shall be.
type servo struct {
	target time.Duration
	level  float64 // average of the queue in ms
	begun  bool
}

// bend is the ppm of samples more to be written, given what waits to be heard just before a frame is written: from
// -resample.BendMax to resample.BendMax.
func (s *servo) bend(queue time.Duration) float64 {
	now := queue.Seconds() * 1000
	if !s.begun {
		s.level, s.begun = now, true
	}
	s.level += (now - s.level) / servoAverage
	off := s.level - s.target.Seconds()*1000
	band := servoBand.Seconds() * 1000
	off -= max(-band, min(band, off)) // what is beyond the band
	return max(-resample.BendMax, min(resample.BendMax, -off*servoGain))
}
