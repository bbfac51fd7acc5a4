//go:build linux

package stand

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestAStandEndsWhatItBegan(t *testing.T) {
	var order []string
	note := func(what string) func() { return func() { order = append(order, what) } }
	broken := errors.New("broken")
	err := Hold(io.Discard, func(s *Stand) error {
		s.Cleanup(note("first"))
		s.Cleanup(func() { s.Error("a cleanup", "fails") })
		s.Cleanup(func() { s.Fatalf("another %s", "gives up") })
		s.Cleanup(note("last"))
		return broken
	})
	if !slices.Equal(order, []string{"last", "first"}) || !errors.Is(err, broken) || !strings.Contains(err.Error(), "a cleanup fails") || !strings.Contains(err.Error(), "another gives up") {
		t.Errorf("%v, %v", order, err)
	}
	dir := ""
	err = Hold(io.Discard, func(s *Stand) error { dir = s.TempDir(); s.Fatal("no more"); return nil })
	if _, gone := os.Stat(dir); err == nil || err.Error() != "no more" || !os.IsNotExist(gone) {
		t.Errorf("%v; folder: %v", err, gone)
	}
	if err := Hold(io.Discard, func(s *Stand) error { s.Skipf("no %s", "Kamailio"); return nil }); !errors.Is(err, ErrMissing) {
		t.Errorf("a program that is missing: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic of somebody else was swallowed")
		}
	}()
	_ = Hold(io.Discard, func(*Stand) error { panic("x") })
}
