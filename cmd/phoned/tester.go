//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"freizeichen/cmd/phoned/internal/checks"
	"freizeichen/cmd/station"
	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
	"freizeichen/hal"
	"freizeichen/hal/board/body"
	"freizeichen/sip"
)

// Times of the tests that run by themselves.
const (
	continuousFirst = 30 * time.Second // after the start
	continuousEvery = 2 * time.Minute
)

// Why a test is stopped, as the report says it.
var (
	errStopped  = errors.New("by a person or a call")
	errSwitched = errors.New("the phone was switched off")
)

// errTesting refuses a test while another runs.
var errTesting = errors.New("a self-test runs at the phone")

// A tester runs the phone's self-tests: that of every start and the one that never ends by itself, those that a person
// wants when the phone has handed itself over (loop.Tester). The last report is there for programs (console.SelfTest).
//
//	phone --StartTest, TestAnswer, TestKey--> tester --selftest.Run--> checks --> body
//	      <--TestShown---------------------     +--> report, store, a lamp that blinks the result
type tester struct {
	lights   lights
	language selftest.Language
	small    bool          // the panel has room for a few short lines
	store    *report.Store // nil: reports live as long as the program
	log      *slog.Logger

	phone  telephone // set before run
	checks bench
	wait   sync.WaitGroup // for tests that persons have started; nobody starts one after the phone has ended

	mu       sync.Mutex
	ctx      context.Context // of run; nil before
	guided   *guided         // the test that a person has started, nil without
	progress string          // of the running test
	last     []byte          // the newest report
	verdict  string          // in one line
}

// A bench is what carries the tests out: checks.Bench.
type bench interface {
	Plan(selftest.Level, ...selftest.ID) (selftest.Plan, selftest.Bench, error)
	Tell(selftest.Report)
	Subject(firmware string, language selftest.Language) report.Subject
}

// lights are the lamps, for the result: lamp.Lights.
type lights interface {
	Force(lamp hal.Lamp, on bool)
	Release()
}

// A telephone is what shows the tests: station.Station.
type telephone interface {
	Post(phone.Event)
	View() phone.View
}

// guided is a test in which a person takes part.
type guided struct {
	cancel  context.CancelCauseFunc
	stopped bool // by a person or a call
	ended   chan struct{}
	answers chan string        // yes, no
	keys    chan hal.KeyChange // while keys are asked for
}

func newTester(b *body.Body, o options, log *slog.Logger) (*tester, error) {
	t := &tester{lights: b.Lights(), small: o.board.Panel.Shows == hal.Mono128x64, log: log}
	var err error
	t.checks, err = checks.New(checks.Config{Body: b, Config: o.config, Data: o.data, Log: log, View: func() phone.View { return t.phone.View() }, Echo: echo(o, log)})
	if err != nil {
		return nil, err
	}
	if o.config.Language == config.English {
		t.language = selftest.English
	}
	if o.data == "" {
		return t, nil
	}
	store, err := report.NewStore(filepath.Join(o.data, "selftest"))
	if err != nil {
		log.Warn("reports of the self-test are not kept", "err", err)
		return t, nil
	}
	t.store = store
	records, notes, err := store.All()
	for _, note := range notes {
		log.Warn("a report of the self-test is damaged and left out", "note", note)
	}
	if err != nil {
		log.Warn("reading the reports of the self-test", "err", err)
	}
	if len(records) > 0 {
		if document, err := records[0].Encode(); err == nil {
			t.last, t.verdict = document, line(records[0], t.language)
		}
	}
	return t, nil
}

// echoTime is how long voice goes to the exchange and back.
const echoTime = 10 * time.Second

// echo is the call to the site's echo; nil where there is none.
func echo(o options, log *slog.Logger) func(context.Context) (sip.Statistics, error) {
	number := o.config.SelfTest.Echo
	if number == "" {
		return nil
	}
	return func(ctx context.Context) (sip.Statistics, error) {
		return station.Echo(ctx, station.Config{Config: o.config, Version: version, Logger: log}, number, echoTime)
	}
}

// run does the test of the start, and goes on testing until ctx ends. Neither is in anybody's way.
func (t *tester) run(ctx context.Context) {
	t.mu.Lock()
	t.ctx = ctx
	t.mu.Unlock()
	if err := t.start(ctx, false); err != nil && ctx.Err() == nil {
		t.log.Warn("the self-test of the start was not done", "err", err)
	}
	timer := time.NewTimer(continuousFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		t.continuous(ctx)
		timer.Reset(continuousEvery)
	}
}

// PowerOn implements console.SelfTest.
func (t *tester) PowerOn(ctx context.Context) error {
	if t.testing() != nil {
		return errTesting // whose report would be this one's?
	}
	return t.start(ctx, true)
}

// start does the test of the start. Its report takes the place of the one before when somebody has asked for it, not with every
// start: what a technician found must be there after it.
func (t *tester) start(ctx context.Context, asked bool) error {
	result, err := t.level(ctx, selftest.PowerOn, nil)
	if err != nil {
		return err
	}
	if asked || t.Report() == nil {
		t.keep(result, false)
	}
	t.checks.Tell(result)
	return nil
}

// continuous looks at what can break while the phone is used. It tells the phone, and the log what has changed; a report every
// two minutes would help nobody.
func (t *tester) continuous(ctx context.Context) {
	if t.testing() != nil {
		return
	}
	result, err := t.level(ctx, selftest.Continuous, nil)
	if err != nil {
		if ctx.Err() == nil {
			t.log.Warn("the self-test that runs all the time was not done", "err", err)
		}
		return
	}
	t.checks.Tell(result)
}

// level runs all tests of a level.
func (t *tester) level(ctx context.Context, level selftest.Level, g *guided, names ...selftest.ID) (selftest.Report, error) {
	plan, bench, err := t.checks.Plan(level, names...)
	if err != nil {
		return selftest.Report{}, err
	}
	if g != nil {
		bench.Show = func(p selftest.Progress) {
			if p.Question != nil {
				g.forget()
			}
			t.show(p)
		}
		bench.Answer = g.answer
	}
	return selftest.Run(ctx, bench, plan)
}

// testing is the test that a person has started; nil without.
func (t *tester) testing() *guided {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.guided
}

// Test implements loop.Tester.
func (t *tester) Test(effect phone.Effect) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := effect.(type) {
	case phone.StartTest:
		if t.ctx == nil || t.ctx.Err() != nil || t.guided != nil && !t.guided.stopped {
			t.wait.Go(func() { t.over(nil, notDone, nil) })
			return
		}
		// It was stopped, and has not ended yet.
		before := t.guided
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.ctx)) // guide says why it ends with t.ctx
		g := &guided{cancel: cancel, ended: make(chan struct{}), answers: make(chan string, 1), keys: make(chan hal.KeyChange, 32)}
		t.guided = g
		var names []selftest.ID
		for name := range strings.FieldsSeq(e.Tests) {
			names = append(names, selftest.ID(name))
		}
		t.progress = ""
		t.wait.Go(func() {
			defer close(g.ended)
			if before != nil {
				<-before.ended
			}
			t.guide(ctx, selftest.ParseLevel(e.Level), g, names...)
		})
	case phone.StopTest:
		if t.guided != nil {
			t.guided.stopped = true
			t.guided.cancel(errStopped)
		}
	case phone.TestAnswer:
		if t.guided != nil {
			answer := string(selftest.No)
			if e.Yes {
				answer = string(selftest.Yes)
			}
			offer(t.guided.answers, answer)
		}
	case phone.TestKey:
		if t.guided != nil {
			offer(t.guided.keys, e.Change)
		}
	}
}

// offer gives a value to whoever waits, and forgets it when nobody has taken the ones before.
func offer[T any](to chan T, value T) {
	select {
	case to <- value:
	default:
	}
}

// answer waits for the person.
func (g *guided) answer(ctx context.Context, question selftest.Question) (string, error) {
	if question.Choices == nil {
		for {
			select {
			case k := <-g.keys:
				if k.Down {
					return k.Key.String(), nil
				}
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
	select {
	case a := <-g.answers:
		return a, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// forget drops what was answered and pressed before the question was seen.
func (g *guided) forget() {
	for {
		select {
		case <-g.answers:
		case <-g.keys:
		default:
			return
		}
	}
}

// guide runs a test with a person.
func (t *tester) guide(ctx context.Context, level selftest.Level, g *guided, names ...selftest.ID) {
	defer g.cancel(nil)
	stop := context.AfterFunc(t.ctx, func() { g.cancel(errSwitched) })
	defer stop()
	result, err := t.level(ctx, level, g, names...)
	if err != nil {
		t.log.Warn("a self-test was not done", "level", level.String(), "err", err)
		t.end(g, level.String()+": "+err.Error())
		t.over([]string{err.Error()}, notDone, nil)
		return
	}
	t.checks.Tell(result)
	record := t.keep(result, true)
	t.end(g, line(record, t.language)) // only now: who waits for the end reads the report
	if errors.Is(context.Cause(ctx), errStopped) {
		return // the phone shows something else, perhaps the next test
	}
	t.over(t.lines(record), outcome(result), &result)
}

// end ends a person's test; verdict is what is told of it. The next may have been asked for already.
func (t *tester) end(g *guided, verdict string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.verdict = verdict
	if t.guided == g {
		t.guided, t.progress = nil, ""
	}
}

// notDone is the outcome of a test that says nothing.
const notDone = "not-done"

// lines are what the panel has room for, without the verdict: that is the title.
func (t *tester) lines(r report.Record) []string {
	lines := r.Sentences(t.language)
	if t.small {
		lines = r.Lines(t.language)
	}
	return lines[min(1, len(lines)):]
}

// outcome is the word for phone.Test.Outcome.
func outcome(r selftest.Report) string {
	switch r.Verdict() {
	case selftest.Passed, selftest.Warned:
		return "pass"
	case selftest.Failed:
		return "fail"
	}
	return notDone
}

// over shows the outcome, on the panel and by a lamp for those whose panel is broken.
func (t *tester) over(lines []string, outcome string, result *selftest.Report) {
	screen := phone.Test{Outcome: outcome, Lines: lines, Title: selftest.Untested.Title().In(t.language)}
	if result == nil {
		t.phone.Post(phone.TestShown{Screen: screen, Over: true})
		return
	}
	screen.Title = result.Verdict().Title().In(t.language)
	var lamps hal.Lamps
	if result.Code() == selftest.CodePassed {
		lamps[hal.LampMessage] = hal.Steady
	}
	t.phone.Post(phone.TestShown{Screen: screen, Lamps: lamps, Over: true})
	t.blink(selftest.Rhythm(result.Code()))
}

// blinkStep is how soon the lamp is the phone's again.
const blinkStep = 50 * time.Millisecond

// blink lets the message lamp count the broken part as long as the outcome is shown.
func (t *tester) blink(rhythm []time.Duration) {
	if len(rhythm) == 0 {
		return
	}
	defer t.lights.Release()
	for {
		for i, length := range rhythm {
			t.lights.Force(hal.LampMessage, i%2 == 0)
			for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(blinkStep) {
				if _, shown := t.phone.View().Screen.(phone.Test); !shown || t.testing() != nil || t.ctx.Err() != nil {
					return
				}
			}
		}
	}
}

// show tells the phone what is to be seen.
func (t *tester) show(p selftest.Progress) {
	shown := phone.TestShown{Screen: phone.Test{
		Title: selftest.Title(p.Test.ID).In(t.language), Number: p.Number, Count: p.Of, Left: p.Left,
		Keys: p.Test.ID.Kind() == selftest.CheckKeys, Hook: p.Test.ID.Kind() == selftest.CheckHook, Handset: p.Test.Part == selftest.PartHandset,
	}}
	picture, lamp := checks.Shows(p.Say, p.Arguments)
	shown.Screen.Pattern = picture
	if lamp < hal.LampCount {
		shown.Lamps[lamp] = hal.Steady
	}
	if p.Say != "" && picture == phone.PatternNone && lamp == hal.LampCount {
		shown.Screen.Lines = append(shown.Screen.Lines, p.Say.In(t.language, p.Arguments...))
	}
	if q := p.Question; q != nil {
		shown.Screen.Question = q.Choices != nil
		shown.Screen.Pattern = phone.PatternNone
		shown.Screen.Lines = append(shown.Screen.Lines, q.Phrase.In(t.language, q.Arguments...))
	}
	t.mu.Lock()
	t.progress = fmt.Sprintf("%d/%d %s", p.Number, p.Of, p.Test.ID)
	t.mu.Unlock()
	t.phone.Post(shown)
}

// keep stores a report, in the folder too when somebody has asked for the test.
func (t *tester) keep(r selftest.Report, stored bool) report.Record {
	record := report.New(r, t.checks.Subject(version, t.language))
	document, err := record.Encode()
	if err == nil && stored && t.store != nil {
		_, _, err = t.store.Add(record)
	}
	if err != nil {
		t.log.Error("the report of the self-test cannot be kept", "err", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.verdict = document, line(record, t.language)
	t.log.Info("self-test", "level", r.Level.String(), "verdict", r.Verdict().String(), "broken", string(r.Broken()))
	return record
}

// line is a report in one line.
func line(r report.Record, language selftest.Language) string {
	text := r.Metadata.Level + ": " + r.Verdict().Title().In(language)
	if r.Metadata.Part != "" {
		text += ", " + selftest.Part(r.Metadata.Part).Title().In(language)
	}
	return text
}

// Progress implements console.SelfTest.
func (t *tester) Progress() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.guided != nil {
		return t.progress, false
	}
	return t.verdict, true
}

// Report implements console.SelfTest.
func (t *tester) Report() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}
