// Package hook reads the hook switch: one GPIO line, whose contact bounces for some milliseconds whenever the handset is lifted
// or put back. It tells each movement once, when the level has been the same for long enough, and measures the bounce for the
// self-test. It decides nothing about calls.
//
//	line --edges--> Switch --Edge, Level, Tick--> Debouncer (pure) --hal.HookChange--> phone
//	                  ^----------Deadline-----------'  '--Report--> self-test
//	                  '--hal.PartChange--> phone: the line is gone, or never rests
package hook

import (
	"time"

	"freizeichen/hal"
)

// How long the level must stay the same to count.
const (
	StableDefault = 10 * time.Millisecond
	StableMin     = time.Millisecond
	StableMax     = 100 * time.Millisecond
)

// retriggerWithin is quicker than any hand: two changes closer together are bounce that outlasted the debouncing.
const retriggerWithin = 60 * time.Millisecond

// buckets of the histogram hold a millisecond of bounce each; the last holds all that is longer.
const buckets = 128

// A Debouncer turns edges into changes of the hook. It is pure: it starts no timer and reads no clock. The zero value is not
// ready, NewDebouncer makes one.
type Debouncer struct {
	stable time.Duration
	known  bool // the first level has been told
	up     bool // as told
	level  bool // as seen last

	moving      bool
	first, last time.Time // edges of the movement
	edges       int

	told      time.Time
	report    Report
	histogram [buckets]uint32
}

// A Report says how well the switch does: of all movements so far.
type Report struct {
	Movements  int           // changes told, the first level not counted
	Glitches   int           // disturbances that came to nothing
	Retriggers int           // changes less than 60 ms after another: debounced too short, or a bad contact
	EdgesMax   int           // edges of the worst movement; 1 is a contact that does not bounce
	EdgesLost  int           // edges that nobody has seen; the level was read again instead
	BounceP99  time.Duration // first to last edge of 99 in 100 movements, rounded up to a millisecond
	BounceMax  time.Duration // and of the worst
}

// NewDebouncer makes a Debouncer that wants the level the same for stable, at least StableMin and at most StableMax.
func NewDebouncer(stable time.Duration) *Debouncer {
	return &Debouncer{stable: min(max(stable, StableMin), StableMax)}
}

// Edge takes one change of the level, at the time it happened, and with the number of edges that were lost right before
// it. Edges come in order, but may come late: what was decided before at is returned.
func (d *Debouncer) Edge(at time.Time, up bool, lost int) (change hal.HookChange, told bool) {
	d.report.EdgesLost += lost
	if lost == 0 { // else the silence before it was none
		change, told = d.Tick(at)
	}
	d.move(at, up, 1+lost)
	return change, told
}

// Level takes the level as it is read now, when no edge has told it: at the start, after lost edges, or to be sure. The first
// level is told at once.
func (d *Debouncer) Level(now time.Time, up bool) (hal.HookChange, bool) {
	switch {
	case !d.known:
		d.known, d.up, d.level = true, up, up
		return hal.HookChange{Up: up}, true
	case up != d.level:
		d.move(now, up, 1)
		return hal.HookChange{}, false
	}
	return d.Tick(now)
}

func (d *Debouncer) move(at time.Time, up bool, edges int) {
	d.level = up
	if !d.moving {
		d.moving, d.first, d.last, d.edges = true, at, at, 0
	}
	d.edges += edges
	if at.After(d.last) {
		d.last = at
	}
}

// Tick is the change that the passing of time has decided.
func (d *Debouncer) Tick(now time.Time) (hal.HookChange, bool) {
	if !d.moving || now.Before(d.Deadline()) {
		return hal.HookChange{}, false
	}
	d.moving = false
	d.measure()
	if d.level == d.up || !d.known {
		d.report.Glitches++
		return hal.HookChange{}, false
	}
	if d.up = d.level; !d.told.IsZero() && d.first.Sub(d.told) < retriggerWithin {
		d.report.Retriggers++
	}
	d.told = d.last
	d.report.Movements++
	return hal.HookChange{Up: d.up}, true
}

// Deadline is when Tick has something to decide; the zero time means never.
func (d *Debouncer) Deadline() time.Time {
	if !d.moving {
		return time.Time{}
	}
	return d.last.Add(d.stable)
}

// Forget drops a movement that is under way: the line is not to be believed.
func (d *Debouncer) Forget() { d.moving, d.level = false, d.up }

func (d *Debouncer) measure() {
	bounce := d.last.Sub(d.first)
	d.report.EdgesMax = max(d.report.EdgesMax, d.edges)
	d.report.BounceMax = max(d.report.BounceMax, bounce)
	ms := (bounce + time.Millisecond - 1) / time.Millisecond
	d.histogram[min(ms, buckets-1)]++
}

// Restart forgets what has been measured: a test counts its own movements.
func (d *Debouncer) Restart() { d.report, d.histogram = Report{}, [buckets]uint32{} }

// Report is what has been measured since the start, or Restart.
func (d *Debouncer) Report() Report {
	r := d.report
	total, sum := uint64(0), uint64(0)
	for _, n := range d.histogram {
		total += uint64(n)
	}
	for ms, n := range d.histogram {
		if sum += uint64(n); n > 0 && sum*100 >= total*99 {
			r.BounceP99 = min(time.Duration(ms)*time.Millisecond, r.BounceMax)
			if ms == buckets-1 {
				r.BounceP99 = r.BounceMax
			}
			return r
		}
	}
	return r
}
