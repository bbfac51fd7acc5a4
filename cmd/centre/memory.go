package centre

import (
	"context"
	"log/slog"
	"maps"
	"slices"
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
	memory  Memory
	log     *slog.Logger
	wake    chan struct{}
	signIns *latest[acd.SignIn] // by device
	days    *latest[count.Day]  // by queue
	failing bool                // and it was said
}

func newScribe(memory Memory, log *slog.Logger) *scribe {
	wake := make(chan struct{}, 1)
	return &scribe{memory: memory, log: log, wake: wake, signIns: newLatest[acd.SignIn](wake), days: newLatest[count.Day](wake)}
}

func (s *scribe) signIn(in acd.SignIn) { s.signIns.put(in.Device, in) }

func (s *scribe) day(d count.Day) { s.days.put(d.Queue, d) }

// run writes until ctx ends, and then what is left.
func (s *scribe) run(ctx context.Context) {
	for {
		select {
		case <-s.wake:
			if s.write() {
				continue
			}
			select {
			case <-time.After(retry):
				ring(s.wake)
			case <-ctx.Done():
			}
		case <-ctx.Done():
			s.write()
			return
		}
	}
}

// write reports whether everything was written; what was not is kept, unless something newer has come.
func (s *scribe) write() bool {
	signIns, days := s.signIns.take(), s.days.take()
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
	s.signIns.putBack(signIns)
	s.days.putBack(days)
	return false
}
