package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// one is a plan of single tests without parents.
func one(timeout time.Duration, names ...ID) Plan {
	plan := Plan{Level: Technician, Hardware: everything()}
	for _, name := range names {
		plan.Tests = append(plan.Tests, Test{ID: name, Levels: guided, Part: PartHook, Takes: time.Second, Timeout: timeout})
	}
	return plan
}

func pass(context.Context, *Step) Result { return good() }

func TestNothingRunsWhenThePlanIsRefused(t *testing.T) {
	plan := one(time.Second, "a")
	plan.CallUp = true
	bench := Bench{Tests: map[ID]Func{"a": func(context.Context, *Step) Result { t.Error("it ran"); return good() }}}
	if _, err := Run(context.Background(), bench, plan); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}

func TestOneTestThatPanicsDoesNotHideTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bench := Bench{Tests: map[ID]Func{"a": func(context.Context, *Step) Result { panic("index out of range") }, "b": pass}}
		r, err := Run(t.Context(), bench, one(time.Second, "a", "b"))
		if f := r.find("a"); err != nil || f.Outcome != Fail || f.Reason != (Reason{CausePanic, "index out of range"}) || r.find("b").Outcome != Pass {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestATestThatTheProgramCannotDoIsNoPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := Run(t.Context(), Bench{Tests: map[ID]Func{CheckNoise: pass}}, one(time.Second, "noise", "handset.noise", "echo"))
		if r.find("echo").Reason.Key != CauseNoTest || r.find("handset.noise").Outcome != Pass || r.find("noise").Outcome != Pass || r.Verdict() != Unable {
			t.Errorf("%+v", r)
		}
	})
}

func TestATestThatHangsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown []Progress
		leave, left := make(chan bool), make(chan bool)
		bench := Bench{Show: func(p Progress) { shown = append(shown, p) }, Tests: map[ID]Func{
			"a": func(_ context.Context, step *Step) Result { // does not look at its context
				<-leave
				step.Say(SayLift)
				close(left)
				return good()
			},
			"b": pass,
			"polite": func(ctx context.Context, step *Step) Result {
				<-ctx.Done()
				time.Sleep(grace / 2) // gives back its device
				return Judge(step.Measure("cycles", 9))
			},
		}}
		start := time.Now()
		plan := one(5*time.Second, "a", "b", "polite")
		plan.Tests[2].ID = "polite"
		r, err := Run(t.Context(), bench, plan)
		if f := r.find("a"); err != nil || f.Outcome != Fail || f.Reason.Key != CauseTimeout || r.find("b").Outcome != Pass {
			t.Errorf("%+v, %v", r, err)
		}
		if f := r.find("polite"); f.Outcome != Fail || len(f.Measurements) != 1 {
			t.Errorf("%+v", f)
		}
		if took := time.Since(start); took != 10*time.Second+grace+grace/2 {
			t.Errorf("took %v", took)
		}
		before := len(shown)
		close(leave)
		<-left
		if len(shown) != before {
			t.Error("a test that was left behind still speaks")
		}
	})
}

func TestACallEndsTheRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, call := context.WithCancelCause(t.Context())
		var gone time.Time
		bench := Bench{Tests: map[ID]Func{"a": func(ctx context.Context, _ *Step) Result {
			<-ctx.Done()
			gone = time.Now()
			return FailBecause("the device was taken away")
		}, "b": pass}}
		start := time.Now()
		time.AfterFunc(700*time.Millisecond, func() { call(errors.New("the handset was lifted")) })
		r, err := Run(ctx, bench, one(time.Minute, "a", "b"))
		if took := time.Since(start); err != nil || took != 700*time.Millisecond {
			t.Errorf("took %v, %v", took, err)
		}
		for _, f := range r.Findings {
			if f.Outcome != NotDone || f.Reason != (Reason{CauseStopped, "the handset was lifted"}) {
				t.Errorf("%s: %v %v", f.Test.ID, f.Outcome, f.Reason)
			}
		}
		if r.Verdict() != Aborted || len(r.Findings) != 2 {
			t.Errorf("%v", r.Verdict())
		}
		synctest.Wait()
		if !gone.Equal(start.Add(700 * time.Millisecond)) {
			t.Error("the test was not told")
		}
	})
}

func TestACallDoesNotWaitForATestThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, call := context.WithCancelCause(t.Context())
		leave := make(chan bool)
		bench := Bench{Tests: map[ID]Func{"a": func(context.Context, *Step) Result { <-leave; return good() }}}
		start := time.Now()
		time.AfterFunc(time.Second, func() { call(errors.New("112 is dialled")) })
		r, _ := Run(ctx, bench, one(time.Minute, "a"))
		if took := time.Since(start); took != time.Second || r.find("a").Outcome != NotDone {
			t.Errorf("%v, %v", took, r.find("a"))
		}
		close(leave)
	})
}

func TestAQuestionThatNobodyAnswersIsNotDoneAndExits5(t *testing.T) {
	ask := func(ctx context.Context, step *Step) Result {
		answer := step.Ask(ctx, Question{Phrase: AskPattern, Arguments: []string{"1"}, Choices: []Choice{Yes, No}, Within: 20 * time.Second})
		return Judge(Words("pattern 1", string(answer), string(Yes)))
	}
	silent := func(ctx context.Context, _ Question) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	for _, c := range []struct {
		name    string
		answer  func(context.Context, Question) (string, error)
		timeout time.Duration
		want    Outcome
		took    time.Duration
	}{
		{"nobody can answer", nil, time.Minute, NotDone, 0},
		{"nobody answers", silent, time.Minute, NotDone, 20 * time.Second},
		{"the test's time is over before", silent, 10 * time.Second, NotDone, 10 * time.Second},
		{"an answer that was not offered", func(context.Context, Question) (string, error) { return "maybe", nil }, time.Minute, NotDone, 0},
		{"an answer with an error", func(context.Context, Question) (string, error) { return "yes", errors.New("gone") }, time.Minute, NotDone, 0},
		{"no", func(context.Context, Question) (string, error) { return "no", nil }, time.Minute, Fail, 0},
		{"yes, after a while", func(context.Context, Question) (string, error) { time.Sleep(time.Second); return "yes", nil }, time.Minute, Pass, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			asked := 0
			bench := Bench{Answer: c.answer, Tests: map[ID]Func{"a": ask}, Show: func(p Progress) {
				if p.Question != nil {
					asked++
				}
			}}
			r, _ := Run(t.Context(), bench, one(c.timeout, "a"))
			f := r.find("a")
			if f.Outcome != c.want || time.Since(start) > c.took+grace || time.Since(start) < c.took {
				t.Errorf("%s: %v because %v after %v", c.name, f.Outcome, f.Reason, time.Since(start))
			}
			if c.want == NotDone && (f.Reason.Key != CauseUnanswered || r.Verdict().Exit() != ExitAborted) {
				t.Errorf("%s: %v, exit %d", c.name, f.Reason, r.Verdict().Exit())
			}
			if c.answer != nil && asked == 0 {
				t.Errorf("%s: the question was not shown", c.name)
			}
		})
	}
}

func TestWhatFailedCountsMoreThanAnOpenQuestion(t *testing.T) {
	for name, result := range map[string]Result{
		"a value":  Judge(StandardLimits().Measure(CheckLamps, "current", 90), Words("message", "", "red")),
		"a device": FailBecause("EIO"),
	} {
		synctest.Test(t, func(t *testing.T) {
			bench := Bench{Tests: map[ID]Func{"a": func(ctx context.Context, step *Step) Result {
				step.Ask(ctx, Question{Phrase: AskMuteLamp, Choices: []Choice{Yes, No}})
				return result
			}}}
			r, _ := Run(t.Context(), bench, one(time.Minute, "a"))
			if r.find("a").Outcome != Fail {
				t.Errorf("%s: %v", name, r.find("a").Outcome)
			}
		})
	}
}

func TestKeysAreAskedForOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		bench := Bench{
			Answer: func(ctx context.Context, q Question) (string, error) {
				if q.Arguments[0] == "5" { // it is dead
					<-ctx.Done()
					return "", ctx.Err()
				}
				return q.Arguments[0], nil
			},
			Show: func(p Progress) {
				if p.Question != nil {
					said = append(said, p.Question.Phrase.In(German, p.Question.Arguments...))
				}
			},
			Tests: map[ID]Func{CheckKeys: func(ctx context.Context, step *Step) Result {
				seen := ""
				for _, key := range []string{"4", "5", "6"} {
					seen += step.Key(ctx, key, 4*time.Second)
				}
				return Judge(Words("keys", seen, "456"))
			}},
		}
		r, _ := Run(t.Context(), bench, one(time.Minute, CheckKeys))
		if f := r.find(CheckKeys); f.Outcome != Fail || f.Measurements[0].Text != "46" || r.Verdict().Exit() != ExitFailed {
			t.Errorf("%+v", f)
		}
		if fmt.Sprint(slices.Compact(said)) != "[Taste drücken: 4 Taste drücken: 5 Taste drücken: 6]" {
			t.Error(said)
		}
	})
}

func TestInstructionsAreShownUntilTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown []string
		bench := Bench{
			Show: func(p Progress) {
				shown = append(shown, fmt.Sprintf("%d/%d %v %s", p.Number, p.Of, p.Left, p.Say.In(English, p.Arguments...)))
			},
			Tests: map[ID]Func{"a": func(ctx context.Context, step *Step) Result {
				step.Say(SayLift)
				time.Sleep(400 * time.Millisecond)
				step.Say(SayHookCycle, "1", "10")
				return good()
			}, "b": pass},
		}
		if _, err := Run(t.Context(), bench, one(time.Minute, "a", "b")); err != nil {
			t.Fatal(err)
		}
		want := "1/2 2s \n1/2 2s Lift the handset, hold earpiece and microphone together.\n1/2 1.6s Lift the handset and put it back: 1 of 10.\n2/2 1s "
		if got := strings.Join(shown, "\n"); got != want {
			t.Errorf("shown:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestThePowerOnTestIsOverInThreeSecondsWhateverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tests := map[ID]Func{}
		for _, kind := range Kinds() {
			tests[kind] = func(ctx context.Context, _ *Step) Result { <-ctx.Done(); time.Sleep(time.Hour); return good() }
		}
		start := time.Now()
		// A call is up: the power-on test runs all the same, for it is quiet.
		plan := planOf(t, PowerOn, everything())
		plan.CallUp = true
		r, err := Run(t.Context(), Bench{Tests: tests}, plan)
		if took := time.Since(start); err != nil || took > 3*time.Second+grace || r.Verdict() != Failed {
			t.Errorf("%v, %v, %v", took, r.Verdict(), err)
		}
		time.Sleep(2 * time.Hour) // those left behind end; a goroutine that does not would fail the bubble
	})
}

func ExampleRun() {
	tests, err := Select(Standard(), Technician, CheckHook)
	if err != nil {
		fmt.Println(err) // and exit with ExitUsage
		return
	}
	bench := Bench{Tests: map[ID]Func{CheckHook: func(ctx context.Context, step *Step) Result {
		step.Say(SayHookCycle, "1", "10")
		return Judge(step.Measure("cycles", 9)) // one lift was not seen
	}}}
	r, _ := Run(context.Background(), bench, Plan{Level: Technician, Tests: tests, Hardware: map[Part]Presence{PartHook: Fitted}})
	fmt.Println(r.Verdict().Title().In(German), r.Broken().Advice().In(German), r.Verdict().Exit(), Rhythm(r.Code())[0])
	// Output: FEHLER Gabelkontakt tauschen 1 250ms
}
