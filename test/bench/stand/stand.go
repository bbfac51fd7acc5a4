//go:build linux

// Package stand is where a server or a machine stands that was made for tests, outside of `go test`: Asterisk, Kamailio and the
// emulated board are started by the same code, which wants a testing.TB. It judges nothing.
//
//	bench --Hold--> Stand --as testing.TB--> asterisk.Start, kamailio.Start, rig.Start
//	      <--error-- what failed, after all cleanups
package stand

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// A Stand is a testing.TB, as far as those who are started here use one: what is not here, they must not use.
type Stand struct {
	testing.TB // nil
	log        io.Writer
	cleanups   []func()
	errs       []error
}

// ErrMissing is the error when a program is not installed: where a test would be skipped.
var ErrMissing = errors.New("not measured here")

// errStopped is thrown by Fatal, and caught by Hold.
var errStopped = errors.New("stopped")

// Hold runs f, then the cleanups, the last first. What is logged goes to log.
func Hold(log io.Writer, f func(*Stand) error) (err error) {
	s := &Stand{log: log}
	defer func() {
		for len(s.cleanups) > 0 {
			last := s.cleanups[len(s.cleanups)-1]
			s.cleanups = s.cleanups[:len(s.cleanups)-1]
			_ = s.try(func() error { last(); return nil })
		}
		err = errors.Join(append([]error{err}, s.errs...)...)
	}()
	return s.try(func() error { return f(s) })
}

// try runs f as far as it gets.
func (s *Stand) try(f func() error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil && thrown != errStopped {
			panic(thrown)
		}
	}()
	return f()
}

// Helper implements testing.TB.
func (s *Stand) Helper() {}

// Cleanup implements testing.TB.
func (s *Stand) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Failed implements testing.TB.
func (s *Stand) Failed() bool { return len(s.errs) > 0 }

// Error implements testing.TB.
func (s *Stand) Error(args ...any) {
	s.errs = append(s.errs, errors.New(strings.TrimSpace(fmt.Sprintln(args...))))
}

// Errorf implements testing.TB.
func (s *Stand) Errorf(format string, args ...any) { s.Error(fmt.Sprintf(format, args...)) }

// Fatal implements testing.TB.
func (s *Stand) Fatal(args ...any) { s.Error(args...); panic(errStopped) }

// Fatalf implements testing.TB.
func (s *Stand) Fatalf(format string, args ...any) { s.Fatal(fmt.Sprintf(format, args...)) }

// Skipf implements testing.TB: what it skips is ErrMissing.
func (s *Stand) Skipf(format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf("%w: %s", ErrMissing, fmt.Sprintf(format, args...)))
	panic(errStopped)
}

// Log implements testing.TB.
func (s *Stand) Log(args ...any) { fmt.Fprintln(s.log, args...) }

// Logf implements testing.TB.
func (s *Stand) Logf(format string, args ...any) { fmt.Fprintf(s.log, format+"\n", args...) }

// TempDir is removed in the end.
func (s *Stand) TempDir() string {
	dir, err := os.MkdirTemp("", "freizeichen-bench-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			s.Error(err)
		}
	})
	return dir
}
