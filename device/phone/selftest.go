package phone

import (
	"strings"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// The levels of the self-test that a person starts.
const (
	TechnicianTest = "technician"
	FactoryTest    = "factory"
)

// Times of the self-test.
const (
	testHold   = 3 * time.Second  // * and # together start it
	testLifted = 5 * time.Second  // whoever holds the handset that long wants to telephone
	testResult = 60 * time.Second // the outcome is shown that long, or until a key
)

// The effects by which a person speaks to the self-test; the loop hands them to it. It answers with TestShown.
type (
	// StartTest begins a self-test of the level, of all tests or those named, separated by spaces. The sound device and the
	// lamps are the test's until it ends.
	StartTest struct{ Level, Tests string }
	// StopTest ends it at once: a person wants it, a call rings or somebody lifts the handset.
	StopTest struct{}
	// TestAnswer answers the question that is shown.
	TestAnswer struct{ Yes bool }
	// TestKey is a key that was pressed or released while the test asked for keys.
	TestKey struct{ Change hal.KeyChange }
)

func (StartTest) effect()  {}
func (StopTest) effect()   {}
func (TestAnswer) effect() {}
func (TestKey) effect()    {}

// TestShown is the event by which the self-test says what is to be seen, whole every time.
type TestShown struct {
	Screen Test
	Lamps  hal.Lamps // what the test lights
	Over   bool      // it is the outcome: the test has ended
}

// Test is the screen of the self-test. Its texts are the test's own, in the phone's language.
type Test struct {
	Title    string
	Number   int // of this test among Count
	Count    int
	Lines    []string
	Left     time.Duration // of the whole run, 0 when that is not known
	Question bool          // yes or no
	Keys     bool          // keys are wanted: all of them belong to the test
	Hook     bool          // the handset is to be lifted and laid down
	Handset  bool          // it is the handset that is tested: it may be in a hand
	Pattern  Pattern       // of the display, instead of the text
	Outcome  string        // "pass", "fail" ...: the outcome's name, empty while it runs
}

// A Pattern is a picture that shows a broken display.
type Pattern uint8

// The patterns.
const (
	PatternNone Pattern = iota
	PatternBright
	PatternDark
	PatternChecker
	PatternLines
	PatternFrame
	PatternCount
)

func (Test) screen() {}

// selfTest is a self-test under way.
type selfTest struct {
	shown    TestShown
	liftedAt time.Time // since when the handset is up, zero while it is down
	until    time.Time // the outcome is shown, zero while the test runs
}

// askTest begins a self-test, "LEVEL" or "LEVEL TEST...", unless somebody needs the phone.
func (p *Phone) askTest(wanted string) Refusal {
	level, tests, _ := strings.Cut(wanted, " ")
	switch {
	case level != TechnicianTest && level != FactoryTest:
		return NoSuchTest
	case p.test != nil && p.test.until.IsZero():
		return Testing
	case len(p.calls) > 0 || p.code != nil || p.route != hal.Silent || p.hookUp:
		return InUse
	case p.serves(): // the next call is on its way, or its work not done
		return AgentReady
	}
	p.dial, p.list, p.ended = nil, nil, nil
	p.desk.LeaveScreen()
	p.test = &selfTest{}
	p.outbox = append(p.outbox, StartTest{Level: level, Tests: tests})
	return Done
}

// serves reports whether an agent is ready for calls here, or still busy with one.
func (p *Phone) serves() bool {
	state := p.desk.View(p.now, 0).Agent.State
	return state == sip.Ready || state == sip.WrapUp
}

// testShown takes what the test shows.
func (p *Phone) testShown(now time.Time, e TestShown) {
	if p.test == nil {
		return // it has been stopped, and does not know yet
	}
	p.test.shown = e
	if e.Over {
		p.test.until = now.Add(testResult)
	}
}

// stopTest gives the phone back to those who telephone.
func (p *Phone) stopTest() {
	if p.test == nil {
		return
	}
	if p.test.until.IsZero() {
		p.outbox = append(p.outbox, StopTest{})
	}
	p.test = nil
	p.seizeIfLifted()
}

// testKey takes a key while a test has the phone; false: the key is the phone's.
func (p *Phone) testKey(e hal.KeyChange) bool {
	t := p.test
	if t == nil {
		return false
	}
	screen := t.shown.Screen
	switch {
	case !t.until.IsZero():
		if !e.Down || e.Held > 0 {
			return true
		}
		p.stopTest()
		return !telephones(e.Key)
	case e.Down && e.Held == 0 && telephones(e.Key) && (!screen.Keys || p.hookUp):
		p.stopTest() // nothing of a 112 may be lost
		return false
	case screen.Keys:
		if e.Held == 0 {
			p.outbox = append(p.outbox, TestKey{Change: e})
		} else if e.Key == hal.KeyCancel && e.Held >= testHold {
			p.stopTest() // the one way out while every key belongs to the test
		}
	case !e.Down || e.Held > 0:
	case e.Key == hal.KeySoft4 || e.Key == hal.KeyCancel:
		p.stopTest()
	case screen.Question && e.Key == hal.KeySoft1, screen.Question && e.Key == hal.KeyOK:
		p.outbox = append(p.outbox, TestAnswer{Yes: true})
	case screen.Question && e.Key == hal.KeySoft2:
		p.outbox = append(p.outbox, TestAnswer{Yes: false})
	}
	return true
}

// telephones reports whether a key is one that somebody presses who wants to telephone.
func telephones(k hal.Key) bool { return k.Digit() != 0 || k == hal.KeySpeaker || k == hal.KeyHeadset }

// testHook takes the handset while a test has the phone; false: it is the phone's. Laying it down ends no test.
func (p *Phone) testHook(now time.Time, up bool) bool {
	t := p.test
	if t == nil {
		return false
	}
	screen := t.shown.Screen
	if up && (!t.until.IsZero() || !screen.Hook && !screen.Handset) {
		p.stopTest()
		return false
	}
	p.hookUp, t.liftedAt = up, time.Time{}
	if up && screen.Hook {
		t.liftedAt = now
	}
	return true
}

// expireTest ends what has been shown long enough, and a test whose handset somebody took to telephone.
func (p *Phone) expireTest(now time.Time) {
	t := p.test
	switch {
	case t == nil:
	case !t.until.IsZero() && !now.Before(t.until), !t.liftedAt.IsZero() && now.Sub(t.liftedAt) >= testLifted:
		p.stopTest()
	}
}

// testDeadline is when expireTest has something to do, the zero time without.
func (p *Phone) testDeadline() time.Time {
	switch t := p.test; {
	case t == nil:
		return time.Time{}
	case !t.until.IsZero():
		return t.until
	case !t.liftedAt.IsZero():
		return t.liftedAt.Add(testLifted)
	}
	return time.Time{}
}

// testSofts are the soft keys of a test.
func (p *Phone) testSofts() [4]Soft {
	switch t := p.test; {
	case !t.until.IsZero():
		return [4]Soft{3: SoftBack}
	case t.shown.Screen.Keys, t.shown.Screen.Pattern != PatternNone && !t.shown.Screen.Question:
		return [4]Soft{}
	case t.shown.Screen.Question:
		return [4]Soft{SoftYes, SoftNo, SoftNone, SoftCancel}
	}
	return [4]Soft{3: SoftCancel}
}
