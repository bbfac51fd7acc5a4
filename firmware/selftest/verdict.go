package selftest

import (
	"slices"
	"time"
)

// A Verdict is what a whole run says.
type Verdict uint8

// The verdicts.
const (
	Untested   Verdict = iota // nothing ran: no such hardware. Never a pass
	Passed                    // everything that this phone has
	Warned                    // everything, and something is close to its limit
	Failed                    // at least one test
	Aborted                   // by a person or a call, or a question was not answered
	Late                      // the time of the run was over
	Unable                    // a test that should have run did not, by no fault of the phone
	verdictEnd                //
)

// Verdict is what the findings say together. A failure counts more than an interruption: it is known.
func (r Report) Verdict() Verdict {
	reasons := map[string]bool{}
	var count [OutcomeCount]int
	for _, f := range r.Findings {
		count[min(f.Outcome, OutcomeCount-1)]++
		if f.Outcome == NotDone {
			reasons[f.Reason.Key] = true
		}
	}
	switch {
	case count[Fail] > 0:
		return Failed
	case reasons[CauseStopped], reasons[CauseUnanswered]:
		return Aborted
	case reasons[CauseLate]:
		return Late
	case count[NotDone] > 0:
		return Unable
	case count[Marginal] > 0:
		return Warned
	case count[Pass] > 0:
		return Passed
	}
	return Untested
}

// Title is the verdict in one or two words.
func (v Verdict) Title() Text {
	return [...]Text{{"NICHT GEPRÜFT", "NOT TESTED"}, {"BESTANDEN", "PASSED"}, {"BESTANDEN, WARNUNG", "PASSED, WARNING"}, {"FEHLER", "FAILED"},
		{"ABGEBROCHEN", "ABORTED"}, {"ZEIT ABGELAUFEN", "OUT OF TIME"}, {"UNVOLLSTÄNDIG", "INCOMPLETE"}, {"?", "?"}}[min(v, verdictEnd)]
}

func (v Verdict) String() string {
	return [...]string{"UNTESTED", "PASSED", "WARNED", "FAILED", "ABORTED", "LATE", "UNABLE", "invalid"}[min(v, verdictEnd)]
}

// ParseVerdict is the inverse of String; false when there is no such verdict.
func ParseVerdict(name string) (Verdict, bool) {
	for v := range verdictEnd {
		if v.String() == name {
			return v, true
		}
	}
	return 0, false
}

// An Exit is the exit code of a program that tests.
type Exit int

// The exit codes.
const (
	ExitPassed  Exit = 0  // all required tests passed
	ExitFailed  Exit = 1  // at least one failed
	ExitUsage   Exit = 2  // unknown test or option
	ExitRefused Exit = 3  // could not run: a call is up, the agent is ready, or the program lacks a test
	ExitWarned  Exit = 4  // passed with warnings
	ExitAborted Exit = 5  // by a person or a call, a question unanswered, or out of time
	ExitNothing Exit = 77 // everything skipped: no such hardware (the convention of automake's tests)
)

// Exit is the code of a verdict.
func (v Verdict) Exit() Exit {
	switch v {
	case Passed:
		return ExitPassed
	case Warned:
		return ExitWarned
	case Failed:
		return ExitFailed
	case Aborted, Late:
		return ExitAborted
	case Untested:
		return ExitNothing
	}
	return ExitRefused
}

// Broken is the first part whose test failed, in the order of the run; empty when none did.
func (r Report) Broken() Part {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Outcome == Fail })
	if i < 0 {
		return ""
	}
	return r.Findings[i].Test.Part
}

// The codes of a lamp that are no part's.
const (
	CodePassed     = 0  // steady light
	CodeOtherPart  = 19 // of a program's own
	CodeIncomplete = 20 // nothing failed, and not everything was tested
)

// Code is the number that a lamp blinks for a part:
//
//	1 handset   2 headset   3 loudspeaker  4 keypad     5 hook switch  6 display  7 lamps    8 Ethernet  9 network
//	10 I2C bus  11 identity 12 clock       13 temperature  14 watchdog  15 storage  16 update  19 any other
func (p Part) Code() int {
	if words, ok := parts[p]; ok {
		return words.code
	}
	return CodeOtherPart
}

// Code is the number that a lamp blinks for a run: CodePassed, CodeIncomplete, or that of the first broken part.
func (r Report) Code() int {
	switch r.Verdict() {
	case Passed, Warned:
		return CodePassed
	case Failed:
		return r.Broken().Code()
	}
	return CodeIncomplete
}

// Rhythm is how long a lamp is on, off, on, off ... for a code, once; repeat it. One long light counts ten, a short one
// counts one, and 2 s of dark end the number: 12 is long, short, short. CodePassed is nil: steady light.
func Rhythm(code int) []time.Duration {
	const long, short, gap, end = 1200 * time.Millisecond, 250 * time.Millisecond, 350 * time.Millisecond, 2 * time.Second
	if code <= 0 || code > 99 {
		return nil
	}
	var rhythm []time.Duration
	for range code / 10 {
		rhythm = append(rhythm, long, gap)
	}
	for range code % 10 {
		rhythm = append(rhythm, short, gap)
	}
	rhythm[len(rhythm)-1] = end
	return rhythm
}
