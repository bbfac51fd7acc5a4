package transaction

import (
	"container/heap"
	"time"
)

// A machine is one transaction as the timetable sees it.
type machine interface {
	deadline() time.Time // zero: none, or over
	tick(now time.Time)
	place() *slot
}

// A slot is a machine's place in the timetable. The zero value is not in it.
type slot struct {
	due   time.Time
	order uint64 // of entry: what is due at the same time goes in this order
	index int    // in the heap, counted from 1
}

func (s *slot) place() *slot { return s }

// A timetable knows which machine is due next. It implements heap.Interface.
type timetable struct {
	machines []machine
	entered  uint64
}

// set enters, moves or removes a machine according to its deadline.
func (t *timetable) set(m machine) {
	s, due := m.place(), m.deadline()
	switch {
	case due.IsZero() && s.index > 0:
		heap.Remove(t, s.index-1)
	case due.IsZero() || s.index > 0 && s.due.Equal(due):
	case s.index > 0:
		s.due = due
		heap.Fix(t, s.index-1)
	default:
		t.entered++
		s.due, s.order = due, t.entered
		heap.Push(t, m)
	}
}

func (t *timetable) first() time.Time {
	if len(t.machines) == 0 {
		return time.Time{}
	}
	return t.machines[0].place().due
}

// due is a machine whose deadline has come, or nil.
func (t *timetable) due(now time.Time) machine {
	if len(t.machines) == 0 || t.machines[0].place().due.After(now) {
		return nil
	}
	return t.machines[0]
}

func (t *timetable) Len() int { return len(t.machines) }

func (t *timetable) Less(i, j int) bool {
	a, b := t.machines[i].place(), t.machines[j].place()
	if a.due.Equal(b.due) {
		return a.order < b.order
	}
	return a.due.Before(b.due)
}

func (t *timetable) Swap(i, j int) {
	t.machines[i], t.machines[j] = t.machines[j], t.machines[i]
	t.machines[i].place().index = i + 1
	t.machines[j].place().index = j + 1
}

func (t *timetable) Push(m any) {
	t.machines = append(t.machines, m.(machine))
	m.(machine).place().index = len(t.machines)
}

func (t *timetable) Pop() any {
	last := len(t.machines) - 1
	m := t.machines[last]
	t.machines[last] = nil
	t.machines = t.machines[:last]
	m.place().index = 0
	return m
}

// earliest is the first of two times of which zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// reached reports whether a time that may be zero (never) has come.
func reached(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }
