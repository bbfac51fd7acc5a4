// Package day is the clock of a model: it gives a time that never runs backwards and the midnights around it, and says
// when the wall's clock jumped. It receives the time.
package day

import "time"

const (
	jitter    = 2 * time.Second // a clock that is set back by less is stopped until it is right
	overslept = time.Minute     // a deadline missed by more: the clock jumped, or the process slept
)

// A Day is today. The zero value is none yet.
type Day struct {
	Location *time.Location
	Now      time.Time
	Midnight time.Time // before Now
	Tomorrow time.Time // the midnight after it; a day has 23 or 25 hours when the clocks change
}

// A Turn is what a step of the clock brought.
type Turn struct {
	Shift time.Duration // all that is remembered is to be moved by it: the clock was set back
	Jump  bool          // ages are in doubt
	New   bool          // a day has begun
	Early bool          // the day that was counted has not begun yet: its figures are today's, with a gap
}

// Step takes the time of a step; due is when it should have come at the latest.
func (d *Day) Step(now, due time.Time) (t Turn) {
	// The wall's time alone: what is told to phones is computed from it, and a jump of it must be seen.
	now = now.Round(0)
	if d.Now.IsZero() {
		d.begin(now)
		return t
	}
	back := d.Now.Sub(now)
	switch {
	case back > jitter:
		t.Shift, t.Jump = -back, true
	case back > 0:
		now = d.Now
	case !due.IsZero() && now.Sub(due) > overslept:
		t.Jump = true
	}
	d.Now = now
	t.Early, t.New = now.Before(d.Midnight), !now.Before(d.Tomorrow)
	if t.Early || t.New {
		d.begin(now)
	}
	return t
}

func (d *Day) begin(now time.Time) {
	year, month, day := now.In(d.Location).Date()
	d.Now = now
	d.Midnight = time.Date(year, month, day, 0, 0, 0, 0, d.Location)
	d.Tomorrow = time.Date(year, month, day+1, 0, 0, 0, 0, d.Location)
}
