package acd

import (
	"cmp"
	"slices"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd/alarm"
	"freizeichen/sip/acd/count"
	"freizeichen/sip/acd/line"
)

// A queue is one queue with who waits in it, who serves it, and what was counted.
type queue struct {
	Queue
	rank    int // in the configuration
	alarm   alarm.Alarm[owner]
	onPBX   bool
	missing bool // and said so
	seen    *QueueSeen

	line    line.Line
	book    count.Book
	members map[string]*member
	free    int // of the members
	paused  int

	touched   bool // in this step
	unsaved   bool // the book was written in since it was remembered
	published time.Time
	last      sip.QueueStatus // that was published
}

// A member is one interface in one queue.
type member struct {
	queue      *queue
	seat       *seat
	status     Status
	paused     bool
	reason     string
	lastCall   time.Time
	generation uint64 // of the sync that saw it last

	talking bool
	inTime  bool // the caller he talks to was answered in time
	found   bool // the talk was found by a sync: its answer was not heard
	// unsettled: the answer was missed. It counts, but only the end of the talk tells whether it was in time.
	unsettled bool
}

// queueEvent applies what the PBX says of one queue.
func (c *Centre) queueEvent(now time.Time, event Event) {
	q := c.byName[event.queue()]
	if q == nil {
		return
	}
	c.touch(q)
	switch e := event.(type) {
	case QueueSeen:
		q.seen = &e
	case CallerSeen:
		q.line.Find(e.Caller, now.Add(-max(0, e.Waited)))
	case CallerJoined:
		q.line.Join(e.Caller, now)
	case CallerLeft:
		q.line.Leave(e.Caller)
	case CallerAbandoned:
		// Asterisk makes its events beside its lists: one that follows a list closely may be known already.
		if q.line.Leave(e.Caller) || now.Sub(c.synced) > listLag {
			q.book.Abandon(e.Waited)
			q.unsaved = true
		}
	case AgentConnected:
		q.line.Leave(e.Caller)
		c.connect(q, e)
	case AgentCompleted:
		c.complete(now, q, e)
	case MemberSeen:
		c.seeMember(q, e)
	case MemberAdded:
		s := c.seat(e.Interface)
		m := c.join(q, s)
		m.set(e.Status, e.Paused, e.Reason)
		c.observe(now, s)
	case MemberRemoved:
		if m := q.members[e.Interface]; m != nil {
			c.drop(m)
			c.observe(now, m.seat)
		}
	case MemberPaused:
		if m := q.members[e.Interface]; m != nil {
			m.set(m.status, e.Paused, e.Reason)
			c.observe(now, m.seat)
		}
	case MemberStatus:
		if m := q.members[e.Interface]; m != nil {
			m.set(e.Status, m.paused, m.reason)
		}
	}
}

// join makes an interface a member of a queue, or finds that it is.
func (c *Centre) join(q *queue, s *seat) *member {
	m := q.members[s.name]
	if m == nil {
		m = &member{queue: q, seat: s, generation: c.generation}
		q.members[s.name] = m
		s.members = append(s.members, m)
		slices.SortFunc(s.members, func(a, b *member) int { return cmp.Compare(a.queue.rank, b.queue.rank) })
		m.tally(+1)
		c.touch(q)
	}
	return m
}

// drop takes a member out of his queue.
func (c *Centre) drop(m *member) {
	m.tally(-1)
	delete(m.queue.members, m.seat.name)
	m.seat.members = slices.DeleteFunc(m.seat.members, func(one *member) bool { return one == m })
	c.touch(m.queue)
	c.discard(m.seat)
}

// set changes what decides about free and paused.
func (m *member) set(status Status, paused bool, reason string) {
	m.tally(-1)
	m.status, m.paused, m.reason = status, paused, reason
	if !paused {
		m.reason = ""
	}
	m.tally(+1)
}

// tally counts the member in his queue's sums, or out of them.
func (m *member) tally(by int) {
	switch {
	case m.paused:
		m.queue.paused += by
	case m.status <= StatusFree && !m.talking:
		m.queue.free += by
	}
}

func (m *member) talk(talking bool) {
	m.tally(-1)
	m.talking = talking
	m.tally(+1)
}

func (c *Centre) connect(q *queue, e AgentConnected) {
	q.unsaved = true
	m := q.members[e.Interface]
	if m != nil && m.talking && m.found {
		// The answer of a talk that the list had already.
		if m.unsettled {
			q.book.Settle(e.Held)
		}
		m.inTime, m.found, m.unsettled = e.Held <= q.Within, false, false
		return
	}
	q.book.Answer(e.Held)
	if m != nil {
		m.talk(true)
		m.inTime, m.found, m.unsettled = e.Held <= q.Within, false, false
		m.seat.talking = q
	}
}

// complete ends a talk. What follows for the agent is his wrap-up, or the pause he asked for meanwhile.
func (c *Centre) complete(now time.Time, q *queue, e AgentCompleted) {
	m := q.members[e.Interface]
	if m != nil && !m.talking {
		return // a list had it already
	}
	q.book.Complete(e.Held, m != nil && m.unsettled)
	q.unsaved = true
	if m == nil {
		return
	}
	m.unsettled = false
	m.talk(false)
	m.lastCall = now
	m.seat.talking = nil
	c.afterCall(now, m.seat, q)
}

// seeMember takes a member of a sync. Talks are compared with those before: the PBX does not tell which call it is, but
// when the last one ended.
func (c *Centre) seeMember(q *queue, e MemberSeen) {
	s := c.seat(e.Interface)
	m := c.join(q, s)
	m.generation = c.generation
	m.set(e.Status, e.Paused, e.Reason)
	same := m.talking && e.Talking && !e.LastCall.After(m.lastCall.Add(skewMax))
	if m.talking && !same {
		q.book.Ended(m.unsettled, m.inTime)
	}
	if e.Talking && !same {
		m.unsettled = !c.lost.IsZero() && q.book.Known()
		m.inTime, m.found = false, true
	}
	m.talk(e.Talking)
	m.lastCall = e.LastCall
	if e.Talking {
		s.talking = q
	} else if s.talking == q {
		s.talking = nil
	}
}

func (c *Centre) syncBegin(e SyncBegin) {
	c.syncing, c.started = true, e.Started
	c.generation++
	for _, q := range c.queues {
		q.seen = nil
		q.line.Begin()
		q.book.Begin()
	}
}

// syncComplete replaces callers and members by those that were seen: who was not has gone meanwhile.
func (c *Centre) syncComplete(now time.Time) {
	if !c.syncing {
		return
	}
	for _, q := range c.queues {
		q.onPBX = q.seen != nil
		if !q.onPBX && !q.missing {
			c.do(QueueMissing{q.Name})
		}
		q.missing = !q.onPBX
		q.line.Complete()
		for _, m := range q.members {
			if m.generation == c.generation {
				continue
			}
			if m.talking {
				q.book.Ended(m.unsettled, m.inTime)
			}
			if m.seat.talking == q {
				m.seat.talking = nil
			}
			c.drop(m)
		}
		if q.onPBX {
			c.compare(now, q)
		}
		q.published = time.Time{}
		c.touch(q)
	}
	c.syncing, c.connected, c.lost, c.synced = false, true, time.Time{}, now
	for _, s := range c.sorted() {
		c.rejoin(now, s)
	}
}

func (c *Centre) pbxLost(now time.Time, e PBXLost) {
	if c.lost.IsZero() {
		c.lost = e.Since
		if e.Since.IsZero() || e.Since.After(now) {
			c.lost = now
		}
	}
	c.connected, c.syncing = false, false
	for _, s := range c.sorted() {
		c.cutOff(s)
	}
	clear(c.commands)
}

// compare holds the figures against the PBX's own at the end of a sync.
func (c *Centre) compare(now time.Time, q *queue) {
	seen := *q.seen
	s := count.Sync{
		Now: now, Midnight: c.day.Midnight, Lost: c.lost, Started: c.started, Completed: seen.Completed, Abandoned: seen.Abandoned,
		Within: seen.Within, Level: seen.Level, Level2: seen.Level2,
	}
	for _, m := range q.members {
		if m.talking {
			s.Talking++
		}
		if m.unsettled {
			s.Unsettled++
		}
	}
	q.unsaved = true
	if !q.book.Compare(s) {
		for _, m := range q.members {
			m.unsettled = false
		}
	}
}

// dayOf is what is to be remembered of a queue.
func (c *Centre) dayOf(now time.Time, q *queue) count.Day {
	d := count.Day{Queue: q.Name, At: now, Midnight: c.day.Midnight, Since: q.book.Since, Level: q.book.Level, PBX: q.book.PBX}
	for _, m := range q.members {
		if m.talking && !m.unsettled {
			d.Talking = append(d.Talking, count.Talk{Interface: m.seat.name, InTime: m.inTime, LastCall: m.lastCall})
		}
	}
	slices.SortFunc(d.Talking, func(a, b count.Talk) int { return cmp.Compare(a.Interface, b.Interface) })
	return d
}

// restoreDay takes figures of earlier today.
func (c *Centre) restoreDay(d count.Day) {
	q := c.byName[d.Queue]
	if q == nil || !q.book.Restore(d, c.day.Now, c.day.Midnight) {
		return
	}
	if c.lost.IsZero() || d.At.Before(c.lost) {
		c.lost = d.At
	}
	for _, t := range d.Talking {
		m := c.join(q, c.seat(t.Interface))
		m.talk(true)
		m.inTime, m.lastCall = t.InTime, t.LastCall
	}
}
