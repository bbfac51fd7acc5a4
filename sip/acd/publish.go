package acd

import (
	"time"

	"freizeichen/sip"
)

// Resource names of presence: what phones subscribe to.
const (
	queueResource = "cc-"
	phoneResource = "cc-phone-"
)

// touch marks a queue that may have changed; the end of the step publishes it.
func (c *Centre) touch(q *queue) {
	if !q.touched {
		q.touched = true
		c.touched = append(c.touched, q)
	}
}

// status is how a queue stands.
func (c *Centre) status(now time.Time, q *queue) sip.QueueStatus {
	s := sip.QueueStatus{
		Queue: q.Name, Title: q.Title, At: now, Valid: c.config.Valid, Since: q.book.Since,
		SignedIn: len(q.members), Free: q.free, Paused: q.paused, Level: q.book.Level,
	}
	s.Waiting, s.Oldest = q.line.Waiting()
	s.Level.Within, s.Level.Target, s.Level.Formula = q.Within, q.Target, q.Formula
	return s
}

// publish tells of a queue: a change at once, but one a second at most; without a change a third of the validity later.
// Without a PBX nothing is known, and nothing is said: phones see the figures grow old.
func (c *Centre) publish(now time.Time, q *queue) {
	if !c.connected || !q.onPBX {
		c.alarms.Set(&q.alarm, time.Time{})
		return
	}
	repeat := q.published.Add(c.config.Valid / 3)
	if !q.published.IsZero() {
		if may := q.published.Add(publishGap); now.Before(may) {
			c.alarms.Set(&q.alarm, may)
			return
		}
	}
	if q.unsaved {
		q.unsaved = false
		c.do(RememberDay{c.dayOf(now, q)})
	}
	s := c.status(now, q)
	same := s
	same.At = q.last.At
	if same == q.last && !q.published.IsZero() && now.Before(repeat) {
		c.alarms.Set(&q.alarm, repeat)
		return
	}
	q.last, q.published = s, now
	c.alarms.Set(&q.alarm, now.Add(c.config.Valid/3))
	c.do(PublishQueue{queueResource + q.Name, s})
}

// bell tells a phone that its agent has changed.
func (c *Centre) bell(now time.Time, s *seat) {
	if c.connected && s.device != "" && s.agent.Version != s.rung {
		s.rung = s.agent.Version
		c.do(PublishBell{phoneResource + s.device, s.device, now, s.agent.Version})
	}
}
