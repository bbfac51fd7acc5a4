package hal

import (
	"testing"
	"time"
)

func TestAStallIsCaughtUpBoundedAndTheRestSkipped(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		stall   time.Duration
		atOnce  int
		skipped uint64
	}{
		{"a second: five at once, the others are lost", time.Second, 6, 45},
		{"just what may be caught up", 100 * time.Millisecond, 6, 0},
		{"one frame late", 20 * time.Millisecond, 2, 0},
		{"less than a frame", 15 * time.Millisecond, 1, 0},
		{"on time", 0, 1, 0},
	} {
		var clock FrameClock
		if wait := clock.Wait(start); wait != FrameTime {
			t.Fatalf("%s: the first frame is due after %v, not a frame time", c.name, wait)
		}
		// The frame was due at start+20ms; the caller comes back late for the one due at +40ms.
		now := start.Add(2*FrameTime + c.stall)
		atOnce := 0
		for clock.Wait(now) == 0 {
			if atOnce++; atOnce > 100 {
				t.Fatalf("%s: never stops catching up", c.name)
			}
		}
		if atOnce != c.atOnce || clock.Skipped() != c.skipped {
			t.Errorf("%s: %d at once and %d skipped, want %d and %d", c.name, atOnce, clock.Skipped(), c.atOnce, c.skipped)
		}
	}
}

func TestSmallDelaysDoNotAddUp(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	start := now
	var clock FrameClock
	for range 5000 {
		now = now.Add(clock.Wait(now) + 3*time.Millisecond) // each frame is worked on 3 ms late
	}
	if got, want := now.Sub(start), 5000*FrameTime+3*time.Millisecond; got != want {
		t.Errorf("5000 frames took %v, want %v", got, want)
	}
}
