package selftest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Func does one test. It must end soon when ctx does, and give back every device it took: a call may be waiting for it.
// It may say and ask through step, and returns Judge of what it measured.
type Func func(ctx context.Context, step *Step) Result

// A Bench is what a program hands in.
type Bench struct {
	// Tests by ID ("handset.noise"), or by kind ("noise") for all parts alike.
	Tests map[ID]Func
	// Limits are what the steps measure against; nil: StandardLimits.
	Limits Limits
	// Show gets every change of what a person should see. It is called by one goroutine at a time, must not block, and must
	// not call back. Nil: nobody looks.
	Show func(Progress)
	// Answer waits for the person: one of the question's choices, or the name of the key when the question is for a key. It
	// must return when ctx ends. Nil: nobody is there.
	Answer func(ctx context.Context, question Question) (string, error)
}

// A Question is asked on the display.
type Question struct {
	Phrase    Phrase
	Arguments []string
	Choices   []Choice      // to choose from; nil: any key of the phone is the answer
	Within    time.Duration // after that it is unanswered; 0: 30 s
}

// patience is how long a person has to answer.
const patience = 30 * time.Second

// grace is how long a test whose time is over has to give back its devices before it is left alone.
const grace = 100 * time.Millisecond

// Run carries out a plan and is the report, also of a run that was stopped. It ends at once when ctx does: the cause of ctx
// says by what (context.WithCancelCause). The error is that of Begin, and nothing ran.
//
// A test that hangs is left behind in its goroutine: it fails, and its children are not begun.
func Run(ctx context.Context, bench Bench, plan Plan) (Report, error) {
	session, err := Begin(plan, time.Now())
	if err != nil {
		return Report{}, err
	}
	if bench.Limits == nil {
		bench.Limits = StandardLimits()
	}
	for {
		if ctx.Err() != nil {
			session.Stop(time.Now(), context.Cause(ctx).Error())
		}
		test, ok := session.Next(time.Now())
		if !ok {
			return session.Report(), nil
		}
		runOne(ctx, bench, session, test, plan.Level)
	}
}

// runOne runs one test and finishes it in the session.
func runOne(ctx context.Context, bench Bench, session *Session, test Test, level Level) {
	do, ok := bench.Tests[test.ID]
	if !ok {
		do, ok = bench.Tests[test.ID.Kind()]
	}
	if !ok {
		session.Finish(time.Now(), Result{Reason: Reason{CauseNoTest, ""}})
		return
	}
	within, cancel := context.WithDeadline(ctx, session.Deadline())
	defer cancel()
	step := &Step{Test: test, Level: level, Limits: bench.Limits, bench: bench, session: session}
	step.show()
	done := make(chan Result, 1) // room for the result of a test that was left behind
	go func() { done <- guarded(within, do, step) }()

	var result Result
	returned := false
	select {
	case result = <-done:
		returned = true
	case <-within.Done():
	}
	if ctx.Err() == nil && !returned { // a call does not wait for grace
		select {
		case result = <-done:
		case <-time.After(grace):
		}
	}
	unanswered := step.close()
	now := time.Now()
	switch {
	case ctx.Err() != nil:
		session.Stop(now, context.Cause(ctx).Error())
	case unanswered != "":
		session.Finish(now, result.open(unanswered))
	case within.Err() != nil:
		session.Expire(now, result.Measurements...)
	default:
		session.Finish(now, result)
	}
}

// open is the result of a test in which a question was not answered: NOT DONE, unless something else failed.
func (r Result) open(question string) Result {
	answered := slices.DeleteFunc(slices.Clone(r.Measurements), func(m Measurement) bool { return m.Text == unread })
	if Judge(answered...).Outcome == Fail || r.Outcome == Fail && r.Reason.Key != "" {
		return r
	}
	return Result{Reason: Reason{CauseUnanswered, question}, Measurements: answered, Attachments: r.Attachments}
}

// guarded is the result of a test, also when it panics: one broken test must not hide what the others find.
func guarded(ctx context.Context, do Func, step *Step) (result Result) {
	defer func() {
		if fault := recover(); fault != nil {
			result = Result{Outcome: Fail, Reason: Reason{CausePanic, fmt.Sprint(fault)}}
		}
	}()
	return do(ctx, step)
}

// A Step is one test while it runs: how it speaks with the person, and what it measures against.
type Step struct {
	Test   Test
	Level  Level
	Limits Limits

	bench   Bench
	session *Session // read under mutex, until close

	mutex      sync.Mutex
	say        Phrase
	arguments  []string
	question   *Question
	unanswered string
	closed     bool
}

// Measure judges a value by the limit of the test's kind and the name.
func (s *Step) Measure(name string, value float64) Measurement {
	return s.Limits.Measure(s.Test.ID.Kind(), name, value)
}

// Say shows an instruction until the next.
func (s *Step) Say(phrase Phrase, arguments ...string) {
	s.mutex.Lock()
	s.say, s.arguments = phrase, arguments
	s.mutex.Unlock()
	s.show()
}

// Ask waits for one of the question's choices. Empty when there was none in time: then the test is NOT DONE, unless what it
// measured fails.
func (s *Step) Ask(ctx context.Context, question Question) Choice {
	answer := s.answer(ctx, question)
	if slices.Contains(question.Choices, Choice(answer)) {
		return Choice(answer)
	}
	s.mutex.Lock()
	s.unanswered = string(question.Phrase)
	s.mutex.Unlock()
	return ""
}

// Key asks for a key to be pressed and is the one that was; empty when none was in time. Unlike Ask, that alone says
// nothing about the person: the key may be dead, see Keys.
func (s *Step) Key(ctx context.Context, key string, within time.Duration) string {
	return s.answer(ctx, Question{Phrase: SayPressKey, Arguments: []string{key}, Within: within})
}

func (s *Step) answer(ctx context.Context, question Question) string {
	if question.Within <= 0 {
		question.Within = patience
	}
	if s.bench.Answer == nil {
		return ""
	}
	s.mutex.Lock()
	s.question = &question
	s.mutex.Unlock()
	s.show()
	ctx, cancel := context.WithTimeout(ctx, question.Within)
	defer cancel()
	answer, err := s.bench.Answer(ctx, question)
	s.mutex.Lock()
	s.question = nil
	s.mutex.Unlock()
	s.show()
	if err != nil {
		return ""
	}
	return answer
}

func (s *Step) show() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed || s.bench.Show == nil {
		return
	}
	p := s.session.Progress(time.Now())
	p.Say, p.Arguments, p.Question = s.say, s.arguments, s.question
	s.bench.Show(p)
}

// close ends the step: a test that was left behind shows nothing any more. It is what was asked and not answered.
func (s *Step) close() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.closed = true
	if s.question != nil && s.question.Choices != nil {
		return string(s.question.Phrase) // still open: the time was over before
	}
	return s.unanswered
}
