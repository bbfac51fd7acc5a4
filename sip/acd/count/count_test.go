package count

import (
	"testing"
	"time"
)

func TestARoundedShareLeavesWhatItCanStandFor(t *testing.T) {
	for _, c := range []struct {
		perMille, whole int
		want            Span
	}{
		{-1, 10, Span{0, 10}},
		{0, 0, Span{}},
		{1000, 7, Span{7, 7}},
		{667, 3, Span{2, 2}},
		{333, 3, Span{1, 1}},
		{800, 900, Span{720, 720}},
		{800, 5000, Span{3998, 4002}}, // too coarse for one number
	} {
		if got := share(c.perMille, c.whole); got != c.want {
			t.Errorf("%d tenths of a percent of %d: %v, want %v", c.perMille, c.whole, got, c.want)
		}
	}
	// Every part of every whole below 1,000 is found again, alone.
	for whole := range 1000 {
		for part := 0; part <= whole && whole > 0; part += 1 + whole/50 {
			rounded := (2000*part + whole) / (2 * whole)
			if got := share(rounded, whole); got.Low > part || got.High < part || got.High-got.Low > 1 {
				t.Fatalf("%d of %d is %d tenths of a percent, which is %v", part, whole, rounded, got)
			}
		}
	}
}

func TestFiguresOfAnotherDayOrThatCannotBeAreNotRestored(t *testing.T) {
	midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	now := midnight.Add(9 * time.Hour)
	good := Day{At: now.Add(-time.Minute), Midnight: midnight}
	good.Level.Offered, good.Level.Answered = 3, 3
	var b Book
	if !b.Restore(good, now, midnight) || b.Level.Answered != 3 || !b.Known() {
		t.Errorf("not restored: %+v", b)
	}
	for name, change := range map[string]func(*Day){
		"of yesterday":     func(d *Day) { d.Midnight = midnight.AddDate(0, 0, -1) },
		"of the future":    func(d *Day) { d.At = now.Add(time.Hour) },
		"more in time":     func(d *Day) { d.Level.AnsweredInTime = 4 },
		"negative":         func(d *Day) { d.Level.Abandoned = -1 },
		"more are offered": func(d *Day) { d.Level.Offered = 9 },
	} {
		d := good
		change(&d)
		var b Book
		if b.Restore(d, now, midnight) || b.Known() {
			t.Errorf("%s: restored", name)
		}
	}
}

func TestMissedOverMidnightIsOfNoDay(t *testing.T) {
	midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	b := Book{Within: 30 * time.Second}
	b.Compare(Sync{Now: midnight.Add(-time.Hour), Within: b.Within, Started: midnight.Add(-90 * time.Hour)})
	s := Sync{Now: midnight.Add(time.Hour), Midnight: midnight, Lost: midnight.Add(-time.Minute), Within: b.Within}
	b.NewDay()
	if !b.Compare(s) || !b.Since.IsZero() {
		t.Errorf("nothing was missed: %+v", b)
	}
	s.Completed, s.Level, s.Level2 = 1, 1000, 1000
	if b.Compare(s) || b.Level.Answered != 0 || !b.Since.Equal(s.Now) {
		t.Errorf("a call of yesterday or of today: %+v", b)
	}
}
