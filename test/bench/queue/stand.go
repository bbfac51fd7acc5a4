//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// A stand is where a server stands that was made for tests: Asterisk and Kamailio are started by the same code, which
// wants a testing.TB. What is not here, it must not use.
type stand struct {
	testing.TB // nil
	log        io.Writer
	cleanups   []func()
	errs       []error
}

var (
	errStopped = errors.New("stopped")           // is thrown by Fatal, and caught by hold
	errMissing = errors.New("not measured here") // a program is not installed
)

// hold runs f, then the cleanups, the last first.
func hold(log io.Writer, f func(*stand) error) (err error) {
	s := &stand{log: log}
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
func (s *stand) try(f func() error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil && thrown != errStopped {
			panic(thrown)
		}
	}()
	return f()
}

func (s *stand) Helper()          {}
func (s *stand) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *stand) Failed() bool     { return len(s.errs) > 0 }
func (s *stand) Error(args ...any) {
	s.errs = append(s.errs, errors.New(strings.TrimSpace(fmt.Sprintln(args...))))
}
func (s *stand) Errorf(format string, args ...any) { s.Error(fmt.Sprintf(format, args...)) }
func (s *stand) Fatal(args ...any)                 { s.Error(args...); panic(errStopped) }
func (s *stand) Fatalf(format string, args ...any) { s.Fatal(fmt.Sprintf(format, args...)) }
func (s *stand) Skipf(format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf("%w: %s", errMissing, fmt.Sprintf(format, args...)))
	panic(errStopped)
}
func (s *stand) Log(args ...any)                 { fmt.Fprintln(s.log, args...) }
func (s *stand) Logf(format string, args ...any) { fmt.Fprintf(s.log, format+"\n", args...) }

// TempDir is removed in the end.
func (s *stand) TempDir() string {
	dir, err := os.MkdirTemp("", "freizeichen-bench-queue-")
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
