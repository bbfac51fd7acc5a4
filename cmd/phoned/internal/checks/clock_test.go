//go:build linux

package checks

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

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
