// Package alarm keeps many deadlines and knows the first: a step among thousands of agents looks at it alone. It
// receives the time and starts nothing.
package alarm

import (
	"container/heap"
	"time"
)

// An Alarm is when its owner wants to be looked at. The zero value with an owner is ready to use; it must not be copied
// while it is set.
type Alarm[T any] struct {
	Owner T
	at    time.Time
	place int // in the heap, from 1; 0: not set
}

// Alarms are those that are set. The zero value is ready to use.
type Alarms[T any] struct{ heap order[T] }

// Set moves an alarm; the zero time takes it away.
func (a *Alarms[T]) Set(one *Alarm[T], at time.Time) {
	switch {
	case at.IsZero():
		if one.place > 0 {
			heap.Remove(&a.heap, one.place-1)
		}
	case one.place > 0:
		one.at = at
		heap.Fix(&a.heap, one.place-1)
	default:
		one.at = at
		heap.Push(&a.heap, one)
	}
}

// First is when the first alarm is due; the zero time: none is set.
func (a *Alarms[T]) First() time.Time {
	if len(a.heap) == 0 {
		return time.Time{}
	}
	return a.heap[0].at
}

// Due takes away an alarm that is due and returns its owner.
func (a *Alarms[T]) Due(now time.Time) (owner T, due bool) {
	if len(a.heap) == 0 || now.Before(a.heap[0].at) {
		return owner, false
	}
	one := a.heap[0]
	a.Set(one, time.Time{})
	return one.Owner, true
}

// Shift moves all alarms by the same; their order stays.
func (a *Alarms[T]) Shift(by time.Duration) {
	for _, one := range a.heap {
		one.at = one.at.Add(by)
	}
}

// order is a heap.Interface.
type order[T any] []*Alarm[T]

func (o order[T]) Len() int           { return len(o) }
func (o order[T]) Less(i, j int) bool { return o[i].at.Before(o[j].at) }
func (o order[T]) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].place, o[j].place = i+1, j+1
}

func (o *order[T]) Push(x any) {
	one := x.(*Alarm[T])
	*o = append(*o, one)
	one.place = len(*o)
}

func (o *order[T]) Pop() any {
	last := len(*o) - 1
	one := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	one.place = 0
	return one
}
