// Package report tells how long what was reported of a queue may be shown as true. Pure.
package report

import (
	"time"

	"freizeichen/sip"
)

// A Report is the newest of one queue. Reports carry the reporter's clock; fresh is when the figures were true by ours.
//
// What a source has left behind when it died must not look like the present: the first report counts from the time it
// names, if that is past; only one that is newer than the last proves that somebody reports, and counts from its arrival.
// So a phone whose clock is wrong shows figures as old for one report at most.
type Report struct {
	sip.QueueStatus
	Known bool // one has come
	fresh time.Time
	lost  time.Time // nothing is known any more since then
}

// Take takes a newer report; one that cannot be true means that nothing is known.
func (r *Report) Take(now time.Time, s sip.QueueStatus) {
	if !s.Plausible() {
		r.Lose(now)
		return
	}
	timed := !s.At.IsZero()
	switch {
	case !r.Known || !timed || r.At.IsZero(), s.At.Before(r.At.Add(-max(s.Valid, time.Minute))):
		// The first report, or the reporter's clock was put back.
		r.fresh = now
		if timed && s.At.Before(now) && s.Valid > 0 {
			r.fresh = s.At
		}
	case s.At.After(r.At):
		r.fresh = now
	case s.At.Before(r.At):
		return // overtaken on its way
	}
	r.QueueStatus, r.Known, r.lost = s, true, time.Time{}
}

// Lose notes that nothing is known any more.
func (r *Report) Lose(now time.Time) {
	if r.lost.IsZero() {
		r.lost = now
	}
}

// Stale is since when there is no data; zero: the figures are present.
func (r *Report) Stale(now time.Time) time.Time {
	switch {
	case !r.Known:
		return time.Time{}
	case !r.lost.IsZero():
		return r.lost
	case r.Valid > 0 && !now.Before(r.fresh.Add(r.Valid)):
		return r.fresh
	}
	return time.Time{}
}

// Longest is how long the first in line waits, by our clock.
func (r *Report) Longest(now time.Time) time.Duration {
	if r.Oldest.IsZero() {
		return 0
	}
	return max(0, r.At.Sub(r.Oldest)+now.Sub(r.fresh))
}

// Deadline is when what is told of the queue changes by itself.
func (r *Report) Deadline(now time.Time) time.Time {
	if !r.Known || !r.Stale(now).IsZero() {
		return time.Time{}
	}
	var next time.Time
	if r.Valid > 0 {
		next = r.fresh.Add(r.Valid)
	}
	if !r.Oldest.IsZero() {
		if second := now.Add(time.Second - r.Longest(now)%time.Second); next.IsZero() || second.Before(next) {
			next = second
		}
	}
	return next
}
