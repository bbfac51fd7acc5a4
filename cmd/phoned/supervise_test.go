//go:build linux

package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// heard is what a supervisor was told.
type heard struct {
	mu     sync.Mutex
	states []string
}

func (h *heard) take(state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states = append(h.states, state)
}

// all is what was heard so far.
func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.states)
}

func (h *heard) count(state string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, s := range h.states {
		if s == state {
			n++
		}
	}
	return n
}

func TestTheWatchdogIsFedOnlyWhileThePhoneMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		stuck := make(chan struct{})
		s := supervisor{interval: 5 * time.Second, notify: h.take, log: slog.New(slog.DiscardHandler), alive: func(ctx context.Context) error {
			select {
			case <-stuck:
				<-ctx.Done() // as a loop that answers nobody
				return errors.New("station: the loop stands still")
			default:
				return nil
			}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { s.run(ctx) })
		time.Sleep(21 * time.Second)
		if states := h.all(); states[0] != "READY=1" || h.count("WATCHDOG=1") != 5 {
			t.Fatalf("in 21 s it heard %q", states)
		}
		close(stuck)
		fed := h.count("WATCHDOG=1")
		time.Sleep(time.Minute)
		if h.count("WATCHDOG=1") != fed || h.count("STATUS=station: the loop stands still") == 0 {
			t.Errorf("while the loop stood still it heard %q", h.all())
		}
		cancel()
		wait.Wait()
		if !slices.Contains(h.states, "STOPPING=1") {
			t.Errorf("at the end it heard %q", h.states)
		}
	})
}

func TestWithoutAWatchdogThePhoneSaysOnlyThatItIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s := supervisor{notify: h.take, log: slog.New(slog.DiscardHandler), alive: func(context.Context) error { return errors.New("nobody asks") }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		s.run(ctx)
		if !slices.Equal(h.states, []string{"READY=1", "STOPPING=1"}) {
			t.Errorf("it heard %q", h.states)
		}
	})
}
