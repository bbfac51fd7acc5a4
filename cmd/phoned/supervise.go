//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A supervisor is told how the phone is (sd_notify(3)): that it is ready, and again and again that it lives. It hears that
// only while loop, sound and network have each moved since the last time; else it restarts the phone.
type supervisor struct {
	interval time.Duration // between two signs of life; 0: nobody asks for them
	notify   func(state string)
	alive    func(context.Context) error
	log      *slog.Logger
}

// newSupervisor is the one that started this process, if there is one.
func newSupervisor(alive func(context.Context) error, log *slog.Logger) *supervisor {
	// WatchdogSec of the unit; half of it between two signs, as sd_watchdog_enabled(3) advises.
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the supervisor's watchdog is not understood, and gets no signs of life", "err", err)
	}
	return &supervisor{
		interval: limit / 2, alive: alive, log: log,
		notify: func(state string) {
			if _, err := daemon.SdNotify(false, state); err != nil {
				log.Warn("the supervisor does not hear", "err", err)
			}
		},
	}
}

// status is one line for systemctl status.
func (s *supervisor) status(format string, values ...any) {
	s.notify("STATUS=" + fmt.Sprintf(format, values...))
}

// run says that the phone is ready and gives signs of life until ctx ends.
func (s *supervisor) run(ctx context.Context) {
	s.notify(daemon.SdNotifyReady)
	defer s.notify(daemon.SdNotifyStopping)
	if s.interval <= 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(s.interval)
	defer tick.Stop()
	for {
		if err := s.check(ctx); err == nil {
			s.notify(daemon.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			s.log.Error("the watchdog is not fed", "err", err)
			s.status("%v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// check waits for a sign of life at most until the next is due.
func (s *supervisor) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.interval)
	defer cancel()
	return s.alive(ctx)
}
