package lamp

import (
	"time"

	"freizeichen/hal"
)

// A scene is what all lamps show, and since when. It is a value, and pure: what shines at an instant is computed, not
// remembered.
type scene struct {
	lamps hal.Lamps
	level uint8 // 1 to 255
	// start is when the first lamp of a rhythm began; those that join later blink with it.
	start [hal.BlinkCount]time.Time
	// users counts the outputs of a rhythm.
	users [hal.BlinkCount]int
}

// newScene follows an earlier scene: rhythms that go on keep their start. A new one starts with its bright half, so that a
// phone that rings lights up at once; but not where a PCA9633 blinks by itself: its oscillator stands anywhere, so that a
// lamp may stay dark for the rest of a dark half (up to 2.9 s with hal.Flash).
func newScene(before scene, lamps hal.Lamps, bindings []Binding, now time.Time) scene {
	s := scene{level: before.level, lamps: lamps}
	for i, b := range s.lamps {
		if b >= hal.BlinkCount {
			s.lamps[i] = hal.Dark
		}
	}
	for _, b := range bindings {
		s.users[s.lamps[b.Lamp]]++
	}
	for b := range s.users {
		if on, _ := hal.Blink(b).Pattern(); on == 0 || s.users[b] == 0 {
			s.users[b] = 0
			continue
		}
		if s.start[b] = before.start[b]; s.start[b].IsZero() {
			s.start[b] = now
		}
	}
	return s
}

// lit tells whether a lamp shines now.
func (s *scene) lit(lamp hal.Lamp, now time.Time) bool {
	b := s.lamps[lamp]
	on, off := b.Pattern()
	if on == 0 {
		return b == hal.Steady
	}
	return max(now.Sub(s.start[b]), 0)%(on+off) < on
}

// next is when the lamp changes by itself; zero: never.
func (s *scene) next(lamp hal.Lamp, now time.Time) time.Time {
	b := s.lamps[lamp]
	on, off := b.Pattern()
	if on == 0 {
		return time.Time{}
	}
	phase := max(now.Sub(s.start[b]), 0) % (on + off)
	if phase < on {
		return now.Add(on - phase)
	}
	return now.Add(on + off - phase)
}

// earlier is the earlier of two deadlines, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
