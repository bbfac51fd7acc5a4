//go:build linux

package checks

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/hal"
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

func TestKeysAreAskedForUntilEnoughIsKnown(t *testing.T) {
	rows := [][]hal.Key{
		{hal.Key1, hal.Key2, hal.Key3, hal.KeyNone, hal.KeyOK, hal.KeyCancel}, {hal.Key4, hal.Key5, hal.Key6, hal.KeyHold},
		{hal.Key7, hal.Key8, hal.Key9, hal.KeyRedial}, {hal.KeyStar, hal.Key0, hal.KeyPound, hal.KeySpeaker},
	}
	answers := func(dead ...hal.Key) func(hal.Key) string {
		return func(key hal.Key) string {
			if slices.Contains(dead, key) {
				return ""
			}
			return key.String()
		}
	}
	slipped := false
	for _, c := range []struct {
		name    string
		ask     func(hal.Key) string
		asked   int // questions
		outcome selftest.Outcome
		says    string
	}{
		{"all there", answers(), 17, selftest.Pass, ""},
		{"one is dead", answers(hal.Key5), 18, selftest.Fail, "missing: 5"},
		{"the first row is dead", answers(rows[0]...), 15, selftest.Fail, "missing: 1 2 3"},
		{"a row in the middle is dead", answers(rows[2]...), 16, selftest.Fail, "missing: 7 8 9"},
		{"nobody is there", func(hal.Key) string { return "" }, 6, selftest.NotDone, ""},
		{"a finger slips once", func(key hal.Key) string {
			if key == hal.Key5 && !slipped {
				slipped = true
				return "6"
			}
			return key.String()
		}, 18, selftest.Pass, ""},
		{"two are swapped", func(key hal.Key) string {
			return map[hal.Key]hal.Key{hal.Key5: hal.Key6, hal.Key6: hal.Key5}[key].String()
		}, 0, selftest.Fail, "missing: "},
	} {
		asked := 0
		r := askKeys(rows, func(key hal.Key) string { asked++; return c.ask(key) }).Judge(selftest.StandardLimits())
		if r.Outcome != c.outcome || !strings.Contains(r.Reason.Detail, c.says) || c.asked != 0 && asked != c.asked {
			t.Errorf("%s: %d questions, %s, %q", c.name, asked, r.Outcome, r.Reason.Detail)
		}
	}
}
