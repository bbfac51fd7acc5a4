// Package count counts one queue's day: offered, answered, abandoned, and those in time. It receives the time; it must
// not know who called or who answered.
//
//	events heard --> Answer, Abandon, Complete --+--> Level, Since      for people
//	                                             +--> Counters          what the PBX's own counters must be now
//	a sync after a gap --> Compare(Sync) --------+      difference = what was missed: added when it leaves no doubt
//
// Asterisk counts a call as completed when its talk ends, and as abandoned when the caller gives up or is sent away
// (app_queue: update_queue, record_abandoned). It tells those in time only as percentages, rounded to a tenth.
package count

import (
	"time"

	"freizeichen/sip"
)

// A Book is one queue's figures.
type Book struct {
	Within time.Duration    // "in time"
	Level  sip.ServiceLevel // counts only
	Since  time.Time        // the counts have no gap since then; zero: since midnight
	PBX    Counters
	known  bool // PBX is: there was a sync, or figures were restored
	ended  outcome
}

// Counters are what a queue's counters on the PBX were at a moment, carried on by what was heard since.
type Counters struct {
	Completed int
	Abandoned int
	Answered  int  // Completed, and those who talk
	InTime    Span // of Completed
	GaveUp    Span // of Abandoned, those in time
}

// An outcome is what a sync found of the talks before it.
type outcome struct {
	settled   int // have ended, and their answer had been heard
	inTime    int // of those
	unsettled int // have ended, and it is not known how soon they had been answered
}

// A Sync is what the PBX says of a queue, and what is known of the moment.
type Sync struct {
	Now, Midnight time.Time
	Lost          time.Time // since when nothing was heard; zero: all was heard
	Started       time.Time // of the PBX; zero: it does not tell
	Completed     int
	Abandoned     int
	Within        time.Duration // what the PBX calls in time
	Level, Level2 int           // tenths of a percent as the PBX rounds them, negative: not known; see acd.QueueSeen
	Talking       int           // members who talk now
	Unsettled     int           // of them, those whose answer was missed
}

// A Day is what survives a restart.
type Day struct {
	Queue    string
	At       time.Time
	Midnight time.Time // of the day that is counted
	Since    time.Time
	Level    sip.ServiceLevel
	PBX      Counters
	Talking  []Talk
}

// A Talk is a call that is answered and not over.
type Talk struct {
	Interface string
	InTime    bool
	LastCall  time.Time // when the member's call before it ended
}

// restartMax: a PBX that is back with fresh counters so soon has lost no call in between.
const restartMax = 2 * time.Minute

// Answer counts a caller whom an agent answered.
func (b *Book) Answer(held time.Duration) {
	b.Level.Offered++
	b.Level.Answered++
	b.PBX.Answered++
	if held <= b.Within {
		b.Level.AnsweredInTime++
	}
}

// Abandon counts a caller who gave up or was sent away.
func (b *Book) Abandon(waited time.Duration) {
	b.Level.Offered++
	b.Level.Abandoned++
	b.PBX.Abandoned++
	if waited <= b.Within {
		b.Level.AbandonedInTime++
		b.PBX.GaveUp.add(1)
	}
}

// Complete ends a talk. One that is unsettled was counted as answered, without knowing how soon.
func (b *Book) Complete(held time.Duration, unsettled bool) {
	b.PBX.Completed++
	if held <= b.Within {
		b.PBX.InTime.add(1)
	}
	if unsettled {
		b.Settle(held)
	}
}

// Settle tells how soon a talk that was counted as answered had been.
func (b *Book) Settle(held time.Duration) {
	if held <= b.Within {
		b.Level.AnsweredInTime = min(b.Level.AnsweredInTime+1, b.Level.Answered)
	}
}

// NewDay forgets the figures, not the PBX's counters, which run on.
func (b *Book) NewDay() { b.Level, b.Since = sip.ServiceLevel{}, time.Time{} }

// Begin is the begin of a sync.
func (b *Book) Begin() { b.ended = outcome{} }

// Known reports whether the book was ever compared with the PBX, or restored.
func (b *Book) Known() bool { return b.known }

// Ended tells of a talk that the sync does not find any more.
func (b *Book) Ended(unsettled, inTime bool) {
	switch {
	case unsettled:
		b.ended.unsettled++
	case inTime:
		b.ended.inTime++
		fallthrough
	default:
		b.ended.settled++
	}
}

// Compare takes the PBX's counters at the end of a sync. If nothing was heard for a time, their difference to what was
// known is what was missed: it is added when it leaves no doubt. Else the figures stay, say that they have a gap, and
// Compare reports false.
func (b *Book) Compare(s Sync) bool {
	before, after, first := b.PBX, b.countersOf(s), !b.known
	b.PBX, b.known = after, true
	switch {
	case first:
		// Nothing was counted before the PBX was started, and nothing since: no gap, if that was before midnight.
		if after.Answered > 0 || after.Abandoned > 0 || s.Started.IsZero() {
			b.Since = s.Now
		} else if s.Started.After(s.Midnight) {
			b.Since = s.Started
		}
	case s.Lost.IsZero():
		// All events were heard. A difference is a matter of the moment, or somebody has reset the counters.
	case !b.recover(s, before, after):
		b.Since = s.Now
		return false
	}
	return true
}

// recover adds what was missed, if it is beyond doubt.
func (b *Book) recover(s Sync, before, after Counters) bool {
	shrunk := after.Completed < before.Completed || after.Abandoned < before.Abandoned
	if shrunk && s.Started.IsZero() && after.Completed+after.Abandoned > (before.Completed+before.Abandoned)/2 {
		return false // a restart leaves less: something was heard twice
	}
	if s.Started.After(s.Lost) || shrunk {
		// The counters began anew: the PBX was restarted. If that was what cut the connection, nothing is missing but what
		// it has counted since.
		back := s.Started
		if back.IsZero() {
			back = s.Now
		}
		if back.Sub(s.Lost) > restartMax {
			return false
		}
		before, b.ended = Counters{}, outcome{}
	}
	answered, abandoned := after.Answered-before.Answered, after.Abandoned-before.Abandoned
	// Of those who completed, some had been heard to be answered; of some of these not how soon.
	completed := after.Completed - before.Completed - b.ended.settled
	if answered < 0 || completed < 0 || answered != completed-b.ended.unsettled+s.Unsettled {
		return false
	}
	if answered == 0 && abandoned == 0 && b.ended.unsettled == 0 {
		return true
	}
	if s.Lost.Before(s.Midnight) {
		return false // of yesterday or of today?
	}
	inTime, gaveUp := 0, 0
	if completed > 0 {
		all, ok := after.InTime.minus(before.InTime, after.Completed-before.Completed).exact()
		if inTime = all - b.ended.inTime; !ok || inTime < 0 || inTime > completed {
			return false
		}
	}
	if abandoned > 0 {
		all, ok := after.GaveUp.minus(before.GaveUp, abandoned).exact()
		if gaveUp = all; !ok {
			return false
		}
	}
	b.Level.Answered += answered
	b.Level.Abandoned += abandoned
	b.Level.Offered += answered + abandoned
	b.Level.AnsweredInTime = min(b.Level.AnsweredInTime+inTime, b.Level.Answered)
	b.Level.AbandonedInTime += gaveUp
	return true
}

// countersOf reads the counters of a sync.
func (b *Book) countersOf(s Sync) Counters {
	c := Counters{Completed: s.Completed, Abandoned: s.Abandoned, Answered: s.Completed + s.Talking}
	c.InTime, c.GaveUp = Span{0, s.Completed}, Span{0, s.Abandoned}
	if s.Within == b.Within { // else "in time" is another time there
		c.InTime = share(s.Level, s.Completed)
		if s.Level2 >= 0 {
			c.GaveUp = share(s.Level2, s.Completed+s.Abandoned).minus(c.InTime, s.Abandoned)
		}
	}
	return c
}

// Restore takes figures of earlier today; it reports false when they are not, or cannot be true.
func (b *Book) Restore(d Day, now, midnight time.Time) bool {
	l := d.Level
	if !d.Midnight.Equal(midnight) || d.At.After(now) || !(sip.QueueStatus{Level: l}).Plausible() || l.Offered != l.Answered+l.Abandoned {
		return false
	}
	b.Level, b.Since, b.PBX, b.known = l, d.Since, d.PBX, true
	return true
}
