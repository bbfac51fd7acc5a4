package selftest

import (
	"errors"
	"fmt"
	"time"
)

// ErrBusy is why a guided test does not begin: a program exits with ExitRefused.
var ErrBusy = errors.New("the phone is in use")

// A Plan is what shall be tested.
type Plan struct {
	Level    Level
	Tests    []Test // of Select
	Hardware map[Part]Presence
	// A call is up or rings, or the agent is ready and may get one: then only quiet levels run.
	CallUp, AgentReady bool
}

// A Finding is a test with what came of it.
type Finding struct {
	Test Test
	Result
	Start, End time.Time // equal when it did not run
}

// A Report is a whole run.
type Report struct {
	Level      Level
	Start, End time.Time
	Findings   []Finding // in the order of the run
}

// A Session decides which test is next and what the last one means. It has no clock and does nothing; one goroutine owns it.
type Session struct {
	level    Level
	tests    []Test // parents before children
	hardware map[Part]Presence
	findings map[ID]Finding
	order    []ID // of findings
	start    time.Time
	current  *Test
	begun    time.Time // the current one
	stopped  *Reason
	end      time.Time
}

// Begin checks the plan: every ID once, every parent known or not of this level, no circle. It wraps ErrBusy when the phone
// is in use and the level makes sound or asks.
func Begin(plan Plan, now time.Time) (*Session, error) {
	switch {
	case plan.Level >= LevelCount:
		return nil, errors.New("selftest: no such level")
	case plan.CallUp && !plan.Level.Quiet():
		return nil, fmt.Errorf("selftest: %s: %w: a call is up", plan.Level, ErrBusy)
	case plan.AgentReady && !plan.Level.Quiet():
		return nil, fmt.Errorf("selftest: %s: %w: the agent is ready for calls; pause or sign out first", plan.Level, ErrBusy)
	}
	tests, err := sorted(plan.Tests)
	if err != nil {
		return nil, fmt.Errorf("selftest: %w", err)
	}
	return &Session{level: plan.Level, tests: tests, hardware: plan.Hardware, findings: map[ID]Finding{}, start: now, end: now}, nil
}

// sorted puts parents before their children, and else keeps the order.
func sorted(tests []Test) ([]Test, error) {
	known := map[ID]Test{}
	for _, t := range tests {
		if _, twice := known[t.ID]; twice || t.ID == "" {
			return nil, fmt.Errorf("test %q is there twice, or has no name", t.ID)
		}
		if t.Timeout <= 0 {
			return nil, fmt.Errorf("test %q has no timeout", t.ID)
		}
		known[t.ID] = t
	}
	var order []Test
	placed := map[ID]bool{}
	for _, t := range tests {
		var chain []Test // t and its ancestors that have no place yet
		for next, ok := t, true; ok && !placed[next.ID]; next, ok = known[next.Parent] {
			if chain = append(chain, next); len(chain) > len(tests) {
				return nil, fmt.Errorf("test %q is its own ancestor", t.ID)
			}
		}
		for i := len(chain) - 1; i >= 0; i-- {
			placed[chain[i].ID] = true
			order = append(order, chain[i])
		}
	}
	return order, nil
}

// Next is the test to run now, until Deadline; then Finish or Expire must follow. Tests that need not run get their outcome
// on the way. False when the run is over.
func (s *Session) Next(now time.Time) (Test, bool) {
	if s.current != nil {
		panic(fmt.Sprintf("selftest: Next while %s runs", s.current.ID))
	}
	for i := range s.tests {
		t := &s.tests[i]
		if _, done := s.findings[t.ID]; done {
			continue
		}
		if result, settled := s.foregone(*t, now); settled {
			s.note(*t, result, now, now)
			continue
		}
		s.current, s.begun = t, now
		return *t, true
	}
	return Test{}, false
}

// foregone is the result of a test that need not run.
func (s *Session) foregone(t Test, now time.Time) (Result, bool) {
	without := func(outcome Outcome, key, detail string) (Result, bool) {
		return Result{Outcome: outcome, Reason: Reason{key, detail}}, true
	}
	for _, part := range append([]Part{t.Part}, t.Needs...) {
		if s.hardware[part] == NotFitted {
			return without(NotApplicable, CauseNotFitted, string(part))
		}
	}
	if parent, ok := s.findings[t.Parent]; ok && parent.Outcome == NotDone && parent.Reason.Key == CauseParent {
		return without(NotDone, CauseParent, parent.Reason.Detail) // the root is named, not the line between
	} else if ok && (parent.Outcome == Fail || parent.Outcome == NotDone && s.stopped == nil) {
		return without(NotDone, CauseParent, string(t.Parent))
	}
	for _, part := range t.Needs {
		if s.hardware[part] == Lost {
			return without(NotDone, CauseLost, string(part))
		}
	}
	switch {
	case s.hardware[t.Part] == Lost:
		return without(Fail, CauseLost, string(t.Part))
	case s.stopped != nil:
		return without(NotDone, s.stopped.Key, s.stopped.Detail)
	case !now.Before(s.last()):
		return without(NotDone, CauseLate, "")
	}
	return Result{}, false
}

// last is when the time of the whole run is over.
func (s *Session) last() time.Time { return s.start.Add(s.level.Budget()) }

// Deadline is when Expire is due for the running test; the zero time when none runs.
func (s *Session) Deadline() time.Time {
	if s.current == nil {
		return time.Time{}
	}
	own := s.begun.Add(s.level.most(s.current.Timeout))
	if last := s.last(); last.Before(own) {
		return last
	}
	return own
}

// Finish takes the result of the running test.
func (s *Session) Finish(now time.Time, result Result) { s.finish(now, result.settled()) }

// Expire ends the running test at its Deadline: it failed, or, when the time of the whole run is over, was not done. What it
// measured is kept.
func (s *Session) Expire(now time.Time, measured ...Measurement) {
	result := Result{Outcome: Fail, Reason: Reason{CauseTimeout, s.level.most(s.current.Timeout).String()}, Measurements: measured}
	if !now.Before(s.last()) {
		result.Outcome, result.Reason = NotDone, Reason{CauseLate, ""}
	}
	s.finish(now, result.settled())
}

// Stop ends the run: the running test and those that are left are not done. For a person who has had enough, and for a call.
func (s *Session) Stop(now time.Time, why string) {
	if s.stopped != nil {
		return
	}
	s.stopped = &Reason{CauseStopped, why}
	if s.current != nil {
		s.finish(now, Result{Reason: *s.stopped})
	}
}

func (s *Session) finish(now time.Time, result Result) {
	if s.current == nil {
		panic("selftest: a result, and no test runs")
	}
	t := *s.current
	s.current = nil
	s.note(t, result, s.begun, now)
}

func (s *Session) note(t Test, result Result, start, end time.Time) {
	s.findings[t.ID] = Finding{Test: t, Result: result, Start: start, End: end}
	s.order = append(s.order, t.ID)
	s.end = end
}

// Report is what is known so far; the whole when Next said false.
func (s *Session) Report() Report {
	r := Report{Level: s.level, Start: s.start, End: s.end}
	for _, id := range s.order {
		r.Findings = append(r.Findings, s.findings[id])
	}
	return r
}

// Progress is what the display shows while a test runs.
type Progress struct {
	Test   Test
	Number int // of the tests that this phone can have, from 1
	Of     int
	Left   time.Duration // of the whole run, as planned; questions wait for people
	// Say is the instruction of the moment, empty when there is none. Arguments belong to it.
	Say       Phrase
	Arguments []string
	Question  *Question // nil when nothing is asked
	Failed    int       // tests so far
}

// Progress is about the running test; the zero value when none runs.
func (s *Session) Progress(now time.Time) Progress {
	if s.current == nil {
		return Progress{}
	}
	p := Progress{Test: *s.current}
	for _, t := range s.tests {
		finding, done := s.findings[t.ID]
		if s.hardware[t.Part] == NotFitted {
			continue
		}
		p.Of++
		switch {
		case done && finding.Outcome == Fail:
			p.Failed++
			p.Number++
		case done, t.ID == s.current.ID:
			p.Number++
		default:
			p.Left += t.Takes
		}
	}
	p.Left += max(0, s.current.Takes-now.Sub(s.begun))
	return p
}
