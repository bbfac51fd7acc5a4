package callcentre

import (
	"time"

	"freizeichen/sip"
)

// queue is one queue as the phone was told. Reports carry the reporter's clock; fresh is when the figures were true by ours.
//
// What a source has left behind when it died must not look like the present: the first report counts from the time it
// names, if that is past; only one that is newer than the last proves that somebody reports, and counts from its arrival.
// So a phone whose clock is wrong shows figures as old for one report at most.
type queue struct {
	name   string
	status sip.QueueStatus
	known  bool
	fresh  time.Time
	lost   time.Time // nothing is known any more since then
}

func (q *queue) report(now time.Time, s sip.QueueStatus) {
	if !s.Plausible() {
		q.lose(now)
		return
	}
	timed := !s.At.IsZero()
	switch {
	case !q.known || !timed || q.status.At.IsZero(), s.At.Before(q.status.At.Add(-max(s.Valid, time.Minute))):
		// The first report, or the reporter's clock was put back.
		q.fresh = now
		if timed && s.At.Before(now) && s.Valid > 0 {
			q.fresh = s.At
		}
	case s.At.After(q.status.At):
		q.fresh = now
	case s.At.Before(q.status.At):
		return // overtaken on its way
	}
	q.status, q.known, q.lost = s, true, time.Time{}
}

func (q *queue) lose(now time.Time) {
	if q.lost.IsZero() {
		q.lost = now
	}
}

// stale is since when there is no data; zero: the figures are present.
func (q *queue) stale(now time.Time) time.Time {
	switch {
	case !q.known:
		return time.Time{}
	case !q.lost.IsZero():
		return q.lost
	case q.status.Valid > 0 && !now.Before(q.fresh.Add(q.status.Valid)):
		return q.fresh
	}
	return time.Time{}
}

// oldest is how long the first in line waits, by our clock.
func (q *queue) oldest(now time.Time) time.Duration {
	if q.status.Oldest.IsZero() {
		return 0
	}
	return max(0, q.status.At.Sub(q.status.Oldest)+now.Sub(q.fresh))
}

// deadline is when the view of the queue changes by itself.
func (q *queue) deadline(now time.Time) time.Time {
	if !q.known || !q.stale(now).IsZero() {
		return time.Time{}
	}
	var next time.Time
	if q.status.Valid > 0 {
		next = q.fresh.Add(q.status.Valid)
	}
	if !q.status.Oldest.IsZero() {
		if second := now.Add(time.Second - q.oldest(now)%time.Second); next.IsZero() || second.Before(next) {
			next = second
		}
	}
	return next
}

func (q *queue) view(now time.Time, config Config) QueueView {
	s := q.status
	v := QueueView{Name: s.Title, Known: q.known, Stale: q.stale(now)}
	if v.Name == "" {
		v.Name = q.name
	}
	if !q.known || !v.Stale.IsZero() {
		// Old figures are not even in the view: no panel can show them by mistake.
		v.Busy = Unknown
		return v
	}
	v.Waiting, v.Free, v.SignedIn, v.Paused, v.Coarse = s.Waiting, s.Free, s.SignedIn, s.Paused, s.Coarse
	v.Oldest = q.oldest(now)
	v.Level = levelView(s.Level)
	v.Level.Since = s.Since
	long := config.LongWait
	if long == 0 {
		long = s.Level.Within
	}
	switch {
	case s.Waiting == 0:
	case long > 0 && v.Oldest >= long:
		v.Busy = Long
	case config.ManyWaiting > 0 && s.Waiting >= config.ManyWaiting:
		v.Busy = Many
	default:
		v.Busy = Waiting
	}
	return v
}

// nearMiss is how many points below the promise are a warning rather than a failure.
const nearMiss = 5

func levelView(l sip.ServiceLevel) LevelView {
	v := LevelView{Formula: l.Formula, Within: l.Within, Target: l.Target}
	v.Percent, v.Known = l.Percent(l.Formula)
	switch {
	case !v.Known || l.Target == 0:
	case v.Percent >= l.Target:
		v.Light = LightGood
	case v.Percent >= l.Target-nearMiss:
		v.Light = LightNear
	default:
		v.Light = LightBad
	}
	return v
}

func (d *Desk) queue(name string) *queue {
	for _, q := range d.queues {
		if q.name == name {
			return q
		}
	}
	return nil
}
