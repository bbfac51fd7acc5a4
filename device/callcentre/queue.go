package callcentre

import (
	"time"

	"freizeichen/device/callcentre/report"
	"freizeichen/sip"
)

// queue is one queue that the phone watches.
type queue struct {
	name string
	report.Report
}

func (q *queue) view(now time.Time, config Config) QueueView {
	s := q.QueueStatus
	v := QueueView{Name: s.Title, Known: q.Known, Stale: q.Stale(now)}
	if v.Name == "" {
		v.Name = q.name
	}
	if !q.Known || !v.Stale.IsZero() {
		// Old figures are not even in the view: no panel can show them by mistake.
		v.Busy = Unknown
		return v
	}
	v.Waiting, v.Free, v.SignedIn, v.Paused, v.Coarse = s.Waiting, s.Free, s.SignedIn, s.Paused, s.Coarse
	v.Oldest = q.Longest(now)
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
