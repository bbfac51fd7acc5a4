package hook

import (
	"testing"
	"time"

	"freizeichen/hal"
)

const ms = time.Millisecond

// epoch is when the switch is first looked at.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A script is edges at times after epoch; up and down alternate, the first is up.
func play(d *Debouncer, edges []time.Duration, end time.Duration) (told []hal.HookChange, at []time.Duration) {
	up := false
	keep := func(now time.Duration) func(hal.HookChange, bool) {
		return func(change hal.HookChange, ok bool) {
			if ok {
				told, at = append(told, change), append(at, now)
			}
		}
	}
	for _, edge := range edges {
		for deadline := d.Deadline(); !deadline.IsZero() && deadline.Before(epoch.Add(edge)); deadline = d.Deadline() {
			keep(deadline.Sub(epoch))(d.Tick(deadline))
		}
		up = !up
		keep(edge)(d.Edge(epoch.Add(edge), up, 0))
	}
	if deadline := d.Deadline(); !deadline.IsZero() {
		keep(deadline.Sub(epoch))(d.Tick(deadline))
	}
	keep(end)(d.Tick(epoch.Add(end)))
	return told, at
}

// bounce is count edges every gap from start on.
func bounce(start, gap time.Duration, count int) []time.Duration {
	edges := make([]time.Duration, count)
	for i := range edges {
		edges[i] = start + time.Duration(i)*gap
	}
	return edges
}

func TestAMovementIsToldOnceHoweverItBounces(t *testing.T) {
	for _, c := range []struct {
		name   string
		edges  []time.Duration
		told   int
		at     time.Duration // of the first change
		report Report
	}{
		{"nothing moves", nil, 0, 0, Report{}},
		{"a disturbance of 9 ms", []time.Duration{0, 9 * ms}, 0, 0, Report{Glitches: 1, EdgesMax: 2, BounceP99: 9 * ms, BounceMax: 9 * ms}},
		{"one that bounces for 50 ms and falls back", bounce(0, ms, 50), 0, 0, Report{Glitches: 1, EdgesMax: 50, BounceP99: 49 * ms, BounceMax: 49 * ms}},
		{"a clean contact", []time.Duration{0}, 1, 10 * ms, Report{Movements: 1, EdgesMax: 1}},
		{"50 ms of bounce", bounce(0, ms, 51), 1, 60 * ms, Report{Movements: 1, EdgesMax: 51, BounceP99: 50 * ms, BounceMax: 50 * ms}},
		{"50 ms of bounce, 0.2 ms apart", bounce(0, 200*time.Microsecond, 251), 1, 60 * ms, Report{Movements: 1, EdgesMax: 251, BounceP99: 50 * ms, BounceMax: 50 * ms}},
		{"just stable for long enough", []time.Duration{0, 10 * ms}, 2, 10 * ms, Report{Movements: 2, EdgesMax: 1, Retriggers: 1}},
		{"lifted and put back", []time.Duration{0, 500 * ms}, 2, 10 * ms, Report{Movements: 2, EdgesMax: 1}},
		{"edges out of order in time", []time.Duration{5 * ms, 3 * ms, 4 * ms}, 1, 15 * ms, Report{Movements: 1, EdgesMax: 3}},
	} {
		d := NewDebouncer(StableDefault)
		if change, told := d.Level(epoch.Add(-time.Second), false); !told || change.Up {
			t.Fatalf("%s: the first level: %v, %v", c.name, change, told)
		}
		told, at := play(d, c.edges, time.Hour)
		if len(told) != c.told || c.told > 0 && (at[0] != c.at || !told[0].Up) {
			t.Errorf("%s: told %v at %v, want %d at %v", c.name, told, at, c.told, c.at)
		}
		if got := d.Report(); got != c.report {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.report)
		}
	}
}

func TestEdgesTakenLateGiveTheChangesTheyWouldHaveGiven(t *testing.T) {
	d := NewDebouncer(StableDefault)
	d.Level(epoch, false)
	var told []hal.HookChange
	for i, at := range []time.Duration{0, ms, 2 * ms, 500 * ms, 501 * ms, 502 * ms} { // all at once, a second later
		if change, ok := d.Edge(epoch.Add(at), i%2 == 0, 0); ok {
			told = append(told, change)
		}
	}
	if change, ok := d.Tick(epoch.Add(time.Second)); ok {
		told = append(told, change)
	}
	if len(told) != 2 || !told[0].Up || told[1].Up {
		t.Errorf("told %v", told)
	}
}

func TestALostEdgeIsCuredByReadingTheLevel(t *testing.T) {
	d := NewDebouncer(StableDefault)
	d.Level(epoch, false)
	if _, told := d.Edge(epoch, true, 0); told {
		t.Fatal("told at once")
	}
	// The falling edge never came.
	if change, told := d.Level(epoch.Add(10*ms), false); told {
		t.Fatalf("told %v though the level fell", change)
	}
	if change, told := d.Level(epoch.Add(20*ms), false); told {
		t.Errorf("told %v", change)
	}
	// Nor any edge of the next lift.
	if _, told := d.Level(epoch.Add(time.Second), true); told {
		t.Error("told by one reading")
	}
	if change, told := d.Level(epoch.Add(time.Second+10*ms), true); !told || !change.Up {
		t.Error("a lift without edges is not told")
	}
	// Silence with edges lost in it is none.
	d.Edge(epoch.Add(2*time.Second), false, 0)
	if change, told := d.Edge(epoch.Add(3*time.Second), true, 7); told {
		t.Errorf("told %v over lost edges", change)
	}
	if r := d.Report(); r.EdgesLost != 7 {
		t.Errorf("%+v", r)
	}
}

func TestDebouncingIsBetweenOneAndAHundredMilliseconds(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{-1: ms, 0: ms, ms: ms, 100 * ms: 100 * ms, time.Second: 100 * ms} {
		d := NewDebouncer(given)
		d.Level(epoch, false)
		d.Edge(epoch, true, 0)
		if got := d.Deadline().Sub(epoch); got != want {
			t.Errorf("%v: %v", given, got)
		}
	}
}

func TestP99LeavesOutTheWorstOfAHundred(t *testing.T) {
	d := NewDebouncer(StableDefault)
	d.Level(epoch, false)
	now, up := epoch, false
	for i := range 100 {
		now = now.Add(time.Second)
		width := 2 * ms
		if i == 50 {
			width = 300 * ms
		}
		for at := time.Duration(0); at <= width; at += ms {
			up = !up
			d.Edge(now.Add(at), up, 0)
		}
		d.Tick(now.Add(width + 10*ms))
	}
	if r := d.Report(); r.BounceP99 != 2*ms || r.BounceMax != 300*ms || r.EdgesMax != 301 {
		t.Errorf("%+v", r)
	}
}

// Whatever the edges: changes alternate, at most one comes with each call, none comes before the level was stable, and in the
// end the phone knows the level.
func FuzzEdges(f *testing.F) {
	f.Add([]byte{0, 1, 2, 200, 3, 255, 255, 9})
	f.Add([]byte{10, 11, 9, 10, 128, 64})
	f.Fuzz(func(t *testing.T, script []byte) {
		d := NewDebouncer(StableDefault)
		d.Level(epoch, false)
		level, reported, now, last := false, false, epoch, epoch
		check := func(what string, change hal.HookChange, told bool) {
			if !told {
				return
			}
			if change.Up == reported {
				t.Fatalf("%s tells %v again", what, change)
			}
			if now.Sub(last) < StableDefault {
				t.Fatalf("%s tells %v only %v after an edge", what, change, now.Sub(last))
			}
			reported = change.Up
		}
		for _, b := range script {
			now = now.Add(time.Duration(b&31) * ms / 2)
			switch b >> 6 {
			case 0, 1:
				level = !level
				change, told := d.Edge(now, level, 0)
				check("an edge", change, told)
				last = now
			case 2: // an edge that nobody sees, and a reading
				level = !level
				change, told := d.Level(now, level)
				check("a reading", change, told)
				last = now
			case 3:
				change, told := d.Tick(now)
				check("a tick", change, told)
			}
		}
		now = now.Add(StableDefault)
		change, told := d.Level(now, level)
		check("the end", change, told)
		if reported != level || !d.Deadline().IsZero() {
			t.Fatalf("the handset is up: %v, the phone thinks: %v", level, reported)
		}
		if r := d.Report(); r.BounceP99 > r.BounceMax {
			t.Fatalf("%+v", r)
		}
	})
}
