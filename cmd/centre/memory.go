package centre

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
)

// A Memory outlives the program.
type Memory interface {
	// Restore is what was remembered.
	Restore(ctx context.Context) (acd.Restored, error)
	// PutSignIn remembers who sits at a phone; without Number: nobody.
	PutSignIn(ctx context.Context, in acd.SignIn) error
	// PutDays remembers figures of queues; those of others stay.
	PutDays(ctx context.Context, days []count.Day) error
}

// writeMax is for one entry; retry is between attempts when the memory cannot be written.
const (
	writeMax = 5 * time.Second
	retry    = 2 * time.Second
)

// A scribe writes what is to be remembered, beside the loop: of entries about one phone or queue the last counts.
type scribe struct {
	memory Memory
	log    *slog.Logger
	wake   chan struct{}
	*pending
}

type pending struct {
	mu      sync.Mutex
	signIns map[string]acd.SignIn
	days    map[string]count.Day
	failing bool // and it was said
}

func newScribe(memory Memory, log *slog.Logger) scribe {
	return scribe{memory, log, make(chan struct{}, 1), &pending{signIns: map[string]acd.SignIn{}, days: map[string]count.Day{}}}
}

func (s scribe) signIn(in acd.SignIn) {
	s.mu.Lock()
	s.signIns[in.Device] = in
	s.mu.Unlock()
	s.ring()
}

func (s scribe) day(d count.Day) {
	s.mu.Lock()
	s.days[d.Queue] = d
	s.mu.Unlock()
	s.ring()
}

func (s scribe) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take empties the desk.
func (s scribe) take() (map[string]acd.SignIn, map[string]count.Day) {
	s.mu.Lock()
	defer s.mu.Unlock()
	signIns, days := s.signIns, s.days
	s.signIns, s.days = map[string]acd.SignIn{}, map[string]count.Day{}
	return signIns, days
}

// run writes until ctx ends, and then what is left.
func (s scribe) run(ctx context.Context) {
	for {
		select {
		case <-s.wake:
			if s.write() {
				continue
			}
			select {
			case <-time.After(retry):
				s.ring()
			case <-ctx.Done():
			}
		case <-ctx.Done():
			s.write()
			return
		}
	}
}

// write reports whether everything was written; what was not is kept, unless something newer has come.
func (s scribe) write() bool {
	signIns, days := s.take()
	ctx, cancel := context.WithTimeout(context.Background(), writeMax)
	defer cancel()
	var err error
	for device, in := range signIns {
		if err = s.memory.PutSignIn(ctx, in); err != nil {
			break
		}
		delete(signIns, device)
	}
	if err == nil && len(days) > 0 {
		err = s.memory.PutDays(ctx, slices.Collect(maps.Values(days)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Said once, not with every attempt: the log may lie on the disk that is full.
	if err == nil {
		if s.failing {
			s.log.Info("what must survive a restart is written again")
		}
		s.failing = false
		return true
	}
	if !s.failing {
		s.log.Error("what must survive a restart cannot be written: look at disk and database; it is tried again until it can", "error", err)
	}
	s.failing = true
	maps.Copy(signIns, s.signIns)
	maps.Copy(days, s.days)
	s.signIns, s.days = signIns, days
	return false
}
