package tool

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// spy is a test that ends when it skips or fails, and remembers which.
type spy struct {
	testing.TB
	ended string
}

func (s *spy) Helper()               {}
func (s *spy) Fatalf(string, ...any) { s.ended = "failed"; runtime.Goexit() }
func (s *spy) Skipf(string, ...any)  { s.ended = "skipped"; runtime.Goexit() }

func TestAMissingToolSkipsAtHomeAndFailsInCI(t *testing.T) {
	for _, test := range []struct {
		ci   string
		err  error
		want string
	}{
		{"true", errors.New("x"), "failed"},
		{"1", errors.New("x"), "failed"},
		{"", errors.New("x"), "skipped"},
		{"false", errors.New("x"), "skipped"},
		{"true", nil, ""},
		{"", nil, ""},
	} {
		t.Setenv("CI", test.ci)
		s := &spy{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			need(s, func() (string, error) { return "path", test.err })
		}()
		<-done
		if s.ended != test.want {
			t.Errorf("CI=%q, error %v: %q, want %q", test.ci, test.err, s.ended, test.want)
		}
	}
}

func TestTheFirstCommandFoundIsTaken(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	tool := Tool{Name: "X", Commands: []string{"first", "second"}, Package: "x"}
	if _, err := tool.Find(); err == nil || err.Error() != "X is not installed (Debian: x)" {
		t.Errorf("got %v", err)
	}
	second := filepath.Join(dir, "second")
	if err := os.WriteFile(second, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if path, err := tool.Find(); path != second || err != nil {
		t.Errorf("got %s, %v", path, err)
	}
}

func TestTheCacheLiesOutsideOfTheTree(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/cache")
	if dir, err := CacheDir(); dir != "/cache/freizeichen" || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
}
