package sip

import "time"

// A QueueStatus is how one queue stands, as the side of the PBX reports it. The phone computes no official figure: it
// shows these.
type QueueStatus struct {
	Queue string // the PBX's name of it: "kw-zulassung"
	Title string // for people: "Kreis Wesel Zulassung"; empty means Queue
	// At is when the figures were true, by the reporter's clock. Zero: the source does not tell.
	At time.Time
	// Valid is how long after At they may be shown as present. The reporter repeats them sooner, changed or not: a
	// source that has died cannot look like a calm queue. Zero: for as long as the subscription lasts.
	Valid    time.Duration
	Waiting  int       // callers who wait now
	Oldest   time.Time // when the one who waits longest joined, by the reporter's clock; zero without one
	SignedIn int       // agents who serve the queue, whatever they do
	Free     int       // of them, those who could take a call now
	Paused   int       // of them, those who have paused or wrap up
	Level    ServiceLevel
	// Since is when the counts of Level have no gap any more: what happened before is not all in them. Zero: since midnight.
	Since time.Time
	// Coarse: the source only tells whether somebody waits (Waiting is 0 or 1) and whether an agent is free (Free is 0
	// or 1): a lamp, no figures.
	Coarse bool
}

// A Formula is one of the three ratios that are all called service level.
type Formula uint8

// The formulas. If every caller gives up late, they read 0 %, nothing and 0 %; if every caller gives up at once, 0 %,
// nothing and 100 %.
const (
	OfOffered  Formula = iota // answered in time / offered: the promise of 115
	OfAnswered                // answered in time / answered: ServicelevelPerf of Asterisk
	OfHandled                 // (answered in time + abandoned in time) / (answered + abandoned): ServicelevelPerf2
	FormulaCount
)

func (f Formula) String() string {
	return [...]string{"offered", "answered", "handled", "invalid"}[min(f, FormulaCount)]
}

// ParseFormula is the inverse of String.
func ParseFormula(name string) (Formula, bool) {
	for f := range FormulaCount {
		if f.String() == name {
			return f, true
		}
	}
	return 0, false
}

// A ServiceLevel is what a queue has counted since midnight, and what is promised of it.
type ServiceLevel struct {
	Offered         int // callers who joined and are not waiting any more: Answered + Abandoned
	Answered        int
	AnsweredInTime  int // within Within
	Abandoned       int // gave up, or were sent away without an answer
	AbandonedInTime int
	Within          time.Duration // "in time": 30 s
	Target          int           // promised percent, 0 without a promise
	Formula         Formula       // that the promise is about
}

// Percent is the ratio of a formula, rounded down so that a promise that is missed by little is not shown as kept.
// It reports false while there is nothing to divide by.
func (l ServiceLevel) Percent(f Formula) (percent int, ok bool) {
	part, whole := l.AnsweredInTime, l.Offered
	switch f {
	case OfAnswered:
		whole = l.Answered
	case OfHandled:
		part, whole = l.AnsweredInTime+l.AbandonedInTime, l.Answered+l.Abandoned
	}
	if whole <= 0 {
		return 0, false
	}
	return part * 100 / whole, true
}

// Plausible reports whether the counts can be true together: a report that cannot is not shown.
func (s QueueStatus) Plausible() bool {
	l := s.Level
	for _, n := range []int{s.Waiting, s.SignedIn, s.Free, s.Paused, l.Offered, l.Answered, l.AnsweredInTime, l.Abandoned, l.AbandonedInTime} {
		if n < 0 || n > countMax {
			return false
		}
	}
	switch {
	case s.Coarse:
		return s.Waiting <= 1 && s.Free <= 1 && l == ServiceLevel{}
	case (s.Waiting > 0) == s.Oldest.IsZero():
		return false
	}
	return s.Free+s.Paused <= s.SignedIn && l.AnsweredInTime <= l.Answered && l.AbandonedInTime <= l.Abandoned && l.Answered+l.Abandoned <= l.Offered &&
		l.Target >= 0 && l.Target <= 100 && l.Within >= 0 && l.Formula < FormulaCount && s.Valid >= 0
}

// countMax is more than any queue counts in a day; what is above it is no count.
const countMax = 10_000_000

// Queue status: the phone names the queues it wants to know of, and the network reports each.
type (
	// WatchQueues is the whole list of queues that the phone wants to know of; it replaces the list before.
	WatchQueues struct{ Queues []string }
	// QueueReported: a queue's status has come.
	QueueReported struct{ Status QueueStatus }
	// QueueUnknown: nothing is known of the queue any more: its subscription ended, was refused (Status, of the SIP
	// response, 0 without one) or reports what cannot be true.
	QueueUnknown struct {
		Queue  string
		Status int
	}
	// AgentChanged: the switchboard says that the state of this phone's agent is another than the phone was told.
	AgentChanged struct{ Version uint64 }
)

func (WatchQueues) command() {}
func (QueueReported) event() {}
func (QueueUnknown) event()  {}
func (AgentChanged) event()  {}
