//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"freizeichen/cmd/station"
	"freizeichen/device/console"
	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/hal/board/body"
	"freizeichen/hal/serial"
)

// voicePriority is the real-time priority of the thread that moves sound: below the kernel's own interrupt threads (50).
const voicePriority = 10

// live opens body and phone and runs them until ctx ends, or until something breaks.
func live(ctx context.Context, o options, log *slog.Logger) error {
	late := &latecomer{}
	b, err := body.Open(body.Config{
		Table: o.board, Log: log,
		Key: func(k hal.KeyChange) { late.post(k) }, Hook: func(h hal.HookChange) { late.post(h) },
		Headset: func(h hal.HeadsetChange) { late.post(h) }, Part: func(p hal.PartChange) { late.post(p) },
	})
	if err != nil {
		return err
	}
	defer b.Close()
	tests, err := newTester(b, o, log)
	if err != nil {
		return err
	}
	s, err := station.New(station.Config{
		Config: o.config, Body: b, Sound: b.Sound(), VoiceThread: func() { realTime(log) }, Tester: tests, SelfTest: tests,
		Socket: o.socket, Version: version, Logger: log,
	})
	if err != nil {
		return err
	}
	tests.phone = s
	defer tests.wait.Wait()
	late.meet(s.Post)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var parts sync.WaitGroup
	parts.Go(func() { newSupervisor(s.Alive, log).run(ctx) })
	parts.Go(func() { tests.run(ctx) })
	if port := o.board.Service; port.Place != "" {
		line := serial.Lasting(port.Port, port.Baud, log)
		parts.Go(func() { serveLine(ctx, line, s.Console(), o.config.Service.Password.Reveal(), log) })
		defer parts.Wait()
		defer line.Close()
	} else {
		defer parts.Wait()
	}
	log.Info("the phone starts", "board", o.board.Model, "version", version, "account", o.config.Accounts[0].User)
	defer stop()
	return s.Run(ctx)
}

// serveLine answers technicians on the serial line.
func serveLine(ctx context.Context, line io.ReadWriter, server *console.Server, password string, log *slog.Logger) {
	service := console.Service{Server: server, Password: password, Log: func(format string, values ...any) { log.Info(fmt.Sprintf(format, values...)) }}
	if err := service.Serve(ctx, line); err != nil && ctx.Err() == nil {
		log.Warn("the service line has ended", "err", err)
	}
}

// realTime makes the calling goroutine's thread a real-time one, so that sound is on time on a busy machine. What cannot be
// had is done without.
func realTime(log *slog.Logger) {
	runtime.LockOSThread()
	err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: voicePriority}, 0)
	if err != nil {
		log.Info("sound runs without real-time priority; LimitRTPRIO of the service allows it", "err", err)
	}
}

// latecomer keeps what the body reports before there is a phone to hear it.
type latecomer struct {
	mu    sync.Mutex
	early []phone.Event
	to    func(phone.Event)
}

func (l *latecomer) post(e phone.Event) {
	l.mu.Lock()
	to := l.to
	if to == nil {
		l.early = append(l.early, e)
	}
	l.mu.Unlock()
	if to != nil {
		to(e)
	}
}

// meet hands over what came early, in its order, before anything later.
func (l *latecomer) meet(to func(phone.Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.early {
		to(e)
	}
	l.early, l.to = nil, to
}
