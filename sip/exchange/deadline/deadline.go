// Package deadline compares times of which the zero time means never: the exchange's parts say when they want to be
// ticked, and nobody holds a timer. It must not read the clock.
package deadline

import "time"

// Earliest is the first of the times; zero means never.
func Earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// Reached reports whether a time has come.
func Reached(now, at time.Time) bool { return !at.IsZero() && !now.Before(at) }

// After is a time that never comes when the duration is not positive.
func After(now time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return now.Add(d)
}
