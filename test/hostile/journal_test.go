package hostile

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
)

// secrets must not stand in a log at info level or above: who calls, what about, and the password. All enemies of this
// package use these words, too.
var secrets = []string{"Geheim", "03023125", "secret"}

// A journal reads all that the programs log.
type journal struct {
	mu      sync.Mutex
	entries []entry // at info level and above
	faults  []string
}

type entry struct {
	level slog.Level
	text  string // message and attributes
}

func newJournal() *journal { return &journal{} }

func (j *journal) logger() *slog.Logger { return slog.New(j) }

// Enabled implements slog.Handler: everything is read.
func (j *journal) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value.Any())
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	e := entry{r.Level, b.String()}
	if e.level >= slog.LevelInfo {
		j.entries = append(j.entries, e)
	}
	// A handler may write a text as it is: then a line end in it begins a line that we never wrote. A transcript has many
	// lines on purpose.
	if strings.ContainsFunc(e.text, unicode.IsControl) && r.Message != "event queue is full" {
		j.faults = append(j.faults, fmt.Sprintf("control character in the log: %v %q", e.level, e.text))
	}
	for _, s := range secrets {
		if e.level >= slog.LevelInfo && strings.Contains(e.text, s) {
			j.faults = append(j.faults, fmt.Sprintf("%q in the log: %v %q", s, e.level, e.text))
		}
	}
	return nil
}

// WithAttrs implements slog.Handler; nobody uses it here.
func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup implements slog.Handler; nobody uses it here.
func (j *journal) WithGroup(string) slog.Handler { return j }

// check fails the test for what should not have been logged. A fault is told once.
func (j *journal) check(t *testing.T) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	slices.Sort(j.faults)
	for i, fault := range slices.Compact(j.faults) {
		if i == 10 {
			t.Error("and more")
			break
		}
		t.Error(fault)
	}
	j.faults = nil
}

// len counts the entries at info level and above.
func (j *journal) len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}
