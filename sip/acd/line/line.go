// Package line is who waits in one queue, in order. Callers are identifiers of calls: it knows nothing of persons.
package line

import (
	"slices"
	"time"
)

// A Line is the callers of one queue. The zero value is empty.
type Line struct {
	callers []caller // the longest waiting first
	found   []caller // by a sync that is not complete
	syncing bool
}

type caller struct {
	id     string
	joined time.Time
}

// Begin is the begin of a sync: callers are found anew.
func (l *Line) Begin() { l.found, l.syncing = nil, true }

// Find is a caller of a sync.
func (l *Line) Find(id string, joined time.Time) {
	l.found = append(l.found, caller{id, joined})
}

// Complete ends the sync: who was not found has gone meanwhile.
func (l *Line) Complete() {
	slices.SortStableFunc(l.found, func(a, b caller) int { return a.joined.Compare(b.joined) })
	l.callers, l.found, l.syncing = l.found, nil, false
}

// Join puts a caller at the end.
func (l *Line) Join(id string, now time.Time) {
	l.Leave(id)
	l.callers = append(l.callers, caller{id, now})
	if l.syncing {
		l.found = append(l.found, caller{id, now})
	}
}

// Leave takes a caller out, and reports whether he was in the line.
func (l *Line) Leave(id string) bool {
	is := func(c caller) bool { return c.id == id }
	before := len(l.callers) + len(l.found)
	l.callers = slices.DeleteFunc(l.callers, is)
	l.found = slices.DeleteFunc(l.found, is)
	return len(l.callers)+len(l.found) < before
}

// Waiting is how many wait, and since when the first; zero when nobody does.
func (l *Line) Waiting() (n int, oldest time.Time) {
	if len(l.callers) == 0 {
		return 0, time.Time{}
	}
	return len(l.callers), l.callers[0].joined
}

// Shift moves all times.
func (l *Line) Shift(by time.Duration) {
	for _, callers := range [][]caller{l.callers, l.found} {
		for i := range callers {
			callers[i].joined = callers[i].joined.Add(by)
		}
	}
}
