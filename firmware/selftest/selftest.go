// Package selftest decides which tests of the phone run, in which order, and what came of them: a tree, so that one broken
// cable is one line and not ten. It knows no hardware: a program hands in what a test does, and its answers to questions.
//
//	Standard tests --Select--> Plan --Begin--> Session (pure): Next, Finish, Expire, Stop --> Report --> Verdict --> Exit
//	                                              ^ |                                           |
//	        Bench (functions of the program) --- Run (the only clock and goroutine)             +--> Rhythm of a lamp
//	        values that were read --> package reading + Limits --> Result
//
// A part that is missing is never a pass, nor is a test that measured nothing. The package must not open devices, and
// nothing in a report may be a secret or name a caller. Packages inside: reading (values judged), acoustic (signals and their
// analysis), report (the document and its forms), sheet (the page to print).
package selftest

import (
	"math"
	"strings"
	"time"
)

// A Level is how much is tested, and who is there.
type Level uint8

// The levels.
const (
	PowerOn    Level = iota // every boot: no sound, no question, under 3 s
	Continuous              // always, also during calls: only reads
	Technician              // 90 s, guided on the display
	Factory                 // 120 s, at a fixture
	LevelCount
)

func (l Level) String() string {
	return [...]string{"power-on", "continuous", "technician", "factory", "invalid"}[min(l, LevelCount)]
}

// ParseLevel is the inverse of String; LevelCount when there is no such level.
func ParseLevel(name string) Level {
	for l := range LevelCount {
		if l.String() == name {
			return l
		}
	}
	return LevelCount
}

// Budget is how long a whole run may take before what is left is not done: what the power-on test promises, and for the
// guided levels what is left of a person's patience.
func (l Level) Budget() time.Duration {
	switch l {
	case PowerOn:
		return 3 * time.Second
	case Continuous:
		return 2 * time.Minute
	}
	return 15 * time.Minute
}

// most is the longest that one test may take: at power-on a hanging bus must leave time for the others.
func (l Level) most(test time.Duration) time.Duration {
	if l == PowerOn {
		return min(test, 800*time.Millisecond)
	}
	return test
}

// Quiet tells whether the level may run while somebody telephones: it makes no sound and asks nobody.
func (l Level) Quiet() bool { return l == PowerOn || l == Continuous }

// An Outcome is what came of a test or a measurement.
type Outcome uint8

// The outcomes. The zero value is no pass.
const (
	NotDone       Outcome = iota
	Pass                  //
	Marginal              // inside the limit, and within its warning band
	Fail                  //
	NotApplicable         // this model has no such part
	OutcomeCount
)

func (o Outcome) String() string {
	return [...]string{"NOT DONE", "PASS", "MARGINAL", "FAIL", "NA", "invalid"}[min(o, OutcomeCount)]
}

// ParseOutcome is the inverse of String; OutcomeCount when there is no such outcome.
func ParseOutcome(name string) Outcome {
	for o := range OutcomeCount {
		if o.String() == name {
			return o
		}
	}
	return OutcomeCount
}

// An ID names a test: one of the Check constants, after a part and a dot where several parts have it ("handset.noise").
type ID string

// On is the test of a part that shares its kind with others.
func (id ID) On(part Part) ID { return ID(part) + "." + id }

// Kind is the Check constant of a test.
func (id ID) Kind() ID {
	if _, kind, ok := strings.Cut(string(id), "."); ok {
		return ID(kind)
	}
	return id
}

// A Test is one test of the tree.
type Test struct {
	ID     ID
	Parent ID            // when it fails, this one is not done, because of it; empty: none
	Levels []Level       // that have it
	Part   Part          // what is broken when it fails
	Needs  []Part        // what must be there besides Part
	Takes  time.Duration // at the guided levels
	// Timeout is when it has failed for lack of an answer. At power-on it is 0.8 s at the most.
	Timeout time.Duration
}

// A Presence is whether a part is there. The zero value is NotFitted: a program must say what its board has.
type Presence uint8

// The presences.
const (
	NotFitted Presence = iota // this model has none: its tests are NA
	Fitted                    // it is there, as far as is known
	Lost                      // the model has it, and it does not answer: its tests fail
)

// A Measurement is one value that was read, and what it had to be.
type Measurement struct {
	Name string // within its test: "fsync_p99"
	Unit string // as people write it: "dB", "ms", "%"; empty for a count
	// Value is the number, unless Want or Text is set: then it is words.
	Value float64
	Text  string
	Want  string // what Text had to be
	Limit Limit
	// Outcome is Pass, Marginal or Fail.
	Outcome Outcome
}

// Verbal tells whether the measurement is words and no number.
func (m Measurement) Verbal() bool { return m.Want != "" || m.Text != "" }

// judged is the measurement with its outcome.
func (m Measurement) judged() Measurement {
	switch {
	case !m.Verbal():
		m.Outcome = m.Limit.Judge(m.Value)
	case m.Want != "" && m.Text == m.Want:
		m.Outcome = Pass
	default:
		m.Outcome = Fail
	}
	return m
}

// unread stands for words where there were none.
const unread = "-"

// Words is a measurement of words: a pass when they are the wanted ones, which must not be empty.
func Words(name, text, want string) Measurement {
	if text == "" {
		text = unread
	}
	return Measurement{Name: name, Text: text, Want: want}.judged()
}

// An Attachment is a file that belongs to a result: a recorded sound, a list of frequencies.
type Attachment struct {
	Name string
	MIME string
	Data []byte
}

// A Result is what came of one test. The zero value is NOT DONE.
type Result struct {
	Outcome      Outcome
	Reason       Reason // why, where the measurements do not say it
	Measurements []Measurement
	Attachments  []Attachment
}

// Judge is the result of measurements alone: the worst of them, NOT DONE when there is none.
func Judge(measurements ...Measurement) Result {
	r := Result{Outcome: Pass, Measurements: measurements}
	return r.settled()
}

// FailBecause is a failure that no measurement shows: an error of a device. Without secrets, in English.
func FailBecause(detail string) Result {
	return Result{Outcome: Fail, Reason: Reason{CauseOther, detail}}
}

// settled is the result that its measurements allow: a test cannot say it passed when a value did not, or when it has none.
func (r Result) settled() Result {
	worst := NotDone
	measured := make([]Measurement, len(r.Measurements))
	for i, m := range r.Measurements {
		measured[i] = m.judged()
		worst = max(worst, measured[i].Outcome)
	}
	r.Measurements = measured
	switch {
	case worst == Fail, r.Outcome >= OutcomeCount:
		r.Outcome = Fail
	case r.Outcome == Pass && worst == NotDone, r.Outcome == Marginal && worst == NotDone:
		r.Outcome, r.Reason = NotDone, Reason{CauseUnmeasured, ""}
	case r.Outcome == Pass:
		r.Outcome = worst
	case r.Outcome == NotApplicable && r.Reason.Key == "":
		r.Outcome, r.Reason = NotDone, Reason{CauseUnmeasured, ""}
	}
	return r
}

// finite tells whether a value can be judged and written down.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
