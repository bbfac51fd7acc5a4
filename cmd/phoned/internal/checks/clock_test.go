//go:build linux

package checks

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/hal/board"
	"freizeichen/hal/clock"
)

func TestTheNextSecondIsFoundWithFewLooksOnceOneIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, stands, ahead := 0, false, 300*time.Millisecond
		held := time.Now()
		s := &seconds{read: func() (clock.Reading, error) {
			looks++
			now := time.Now()
			if stands {
				return clock.Reading{Clock: held, At: now}, nil
			}
			return clock.Reading{Clock: now.Add(ahead).Truncate(time.Second), At: now}, nil
		}}
		find := func(most int) {
			t.Helper()
			looks = 0
			r, err := s.next(t.Context())
			if late := r.At.Add(ahead).Sub(r.Clock); err != nil || late < 0 || late > edgeEvery {
				t.Errorf("%v: found %v after the second began", err, late)
			}
			if looks > most {
				t.Errorf("%d looks, at most %d", looks, most)
			}
		}
		find(52)
		for _, passed := range []time.Duration{0, 5 * time.Millisecond, time.Minute, 970 * time.Millisecond, 10*time.Second + 961*time.Millisecond} {
			time.Sleep(passed)
			find(5)
		}
		ahead = 900 * time.Millisecond // somebody has set it
		find(52)
		find(5)

		stands, looks = true, 0
		if r, err := s.next(t.Context()); err != nil || !r.Clock.Equal(held) || looks > 65 {
			t.Errorf("a clock that stands: %v, %v, %d looks", r, err, looks)
		}
		stands = false
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("it went on: %v", err)
		}
	})
}

func TestAClockIsComparedFromOneLookToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, board.Table{Clock: board.Clock{Chip: board.Chip{Place: "b:1", Bus: "nowhere", Address: 0x68}}}, nil)
		began, ahead := time.Now(), time.Duration(0)
		b.seconds.read = func() (clock.Reading, error) { // 2 ppm too fast, as a good one may be
			now := time.Now()
			return clock.Reading{Clock: now.Add(now.Sub(began)/500_000 + ahead).Truncate(time.Second), At: now}, nil
		}
		look := func() selftest.Result {
			b.beginTicks(selftest.Continuous)
			return b.run(t, selftest.Continuous, b.clock)
		}
		for day := range 20 {
			if r := look(); r.Outcome != selftest.Pass {
				t.Fatalf("a good clock after %d days: %+v", day, r)
			}
			time.Sleep(24 * time.Hour)
		}
		ahead = 3 * time.Hour // somebody has set it
		look()
		time.Sleep(time.Minute)
		if r := look(); r.Outcome != selftest.Pass {
			t.Errorf("a clock that was set: %+v", r)
		}
		began, ahead = time.Now(), 0
		b.seconds.read = func() (clock.Reading, error) { // 5 % too slow
			now := time.Now()
			return clock.Reading{Clock: began.Add(now.Sub(began) * 95 / 100).Truncate(time.Second), At: now}, nil
		}
		look()
		time.Sleep(2 * time.Minute)
		if r := look(); r.Outcome != selftest.Fail {
			t.Errorf("a bad clock: %+v", r)
		}
	})
}
