//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A turn is how long the emulated processor has run on this machine, and how long it has waited for its turn. The board's clock
// goes on meanwhile: what it counts as its processor's time is both.
type turn struct{ ran, waited time.Duration }

// share is the part of the time from one turn to another in which it ran, of the time in which it wanted to.
func (t turn) share(later turn) float64 {
	ran, waited := later.ran-t.ran, later.waited-t.waited
	if ran+waited <= 0 {
		return 1
	}
	return float64(ran) / float64(ran+waited)
}

// emulated finds the processor in the QEMU that we have started: of its threads, which have no names, the one that has run most.
func emulated(proc string, parent int) (most turn, err error) {
	stats, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat"))
	if err != nil {
		return most, err
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a process that has just ended
		}
		// pid (comm) state ppid: comm may have anything in it (proc(5)).
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) || !bytes.Contains(text, []byte("(qemu")) {
			continue
		}
		threads, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "task", "*", "schedstat")) // the pattern is fine
		for _, thread := range threads {
			if t, err := turnOf(thread); err == nil && t.ran > most.ran {
				most = t
			}
		}
	}
	if most.ran == 0 {
		return most, errors.New("the emulated processor's thread is not found")
	}
	return most, nil
}

// turnOf reads a schedstat: nanoseconds on a processor, and waiting for one (Linux Documentation/scheduler/sched-stats.rst).
func turnOf(path string) (t turn, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return t, fmt.Errorf("the emulated processor's time: %w", err)
	}
	if _, err := fmt.Sscan(string(text), (*int64)(&t.ran), (*int64)(&t.waited)); err != nil {
		return t, fmt.Errorf("the emulated processor's time: %q: %w", text, err)
	}
	return t, nil
}

// programPace is a fixed piece of work.
const programPace = "freizeichen/test/bench/hal/pace"

// pace is how many times as slow the emulated processor is as this machine's own.
func (p *desk) pace(ctx context.Context) (slower float64, err error) {
	path := filepath.Join(p.stand.TempDir(), "pace")
	if err := build(ctx, path, programPace); err != nil {
		return 0, err
	}
	said, err := exec.CommandContext(ctx, path).Output()
	if err != nil {
		return 0, fmt.Errorf("pace on this machine: %w", err)
	}
	before, err := emulated("/proc", os.Getpid())
	if err != nil {
		return 0, err
	}
	answer, _ := p.Run("/usr/bin/pace")
	after, err := emulated("/proc", os.Getpid())
	if err != nil {
		return 0, err
	}
	var here, there float64
	if _, err := fmt.Sscan(string(said), &here); err != nil || here <= 0 {
		return 0, fmt.Errorf("pace on this machine says %q", said)
	}
	if _, err := fmt.Sscan(answer, &there); err != nil {
		return 0, fmt.Errorf("pace on the board says %q", answer)
	}
	return there * before.share(after) / here, nil
}
