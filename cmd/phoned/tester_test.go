//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/device/phone"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/firmware/selftest/report"
	"freizeichen/hal"
)

// A testRig is a tester with a bench whose tests a test writes, and a phone that shows what it is told.
type testRig struct {
	*tester
	t      *testing.T
	store  *report.Store
	broken error // of Plan

	mu     sync.Mutex
	view   phone.View
	shown  []phone.TestShown
	tests  map[selftest.ID]selftest.Func
	tree   []selftest.Test
	told   int // reports that the bench was told
	overs  int // outcomes that were posted
	lamp   bool
	forced int // how often the lamp was switched
	freed  int
}

func (r *testRig) Plan(level selftest.Level, names ...selftest.ID) (selftest.Plan, selftest.Bench, error) {
	if r.broken != nil {
		return selftest.Plan{}, selftest.Bench{}, r.broken
	}
	tests, err := selftest.Select(r.tree, level, names...)
	hardware := map[selftest.Part]selftest.Presence{}
	for _, test := range tests {
		hardware[test.Part] = selftest.Fitted
	}
	return selftest.Plan{Level: level, Tests: tests, Hardware: hardware}, selftest.Bench{Tests: r.tests}, err
}

func (r *testRig) Tell(selftest.Report) { r.mu.Lock(); defer r.mu.Unlock(); r.told++ }

func (r *testRig) Subject(firmware string, language selftest.Language) report.Subject {
	return report.Subject{Product: "Freizeichen", Model: "virt", Firmware: firmware, Language: language}
}

func (r *testRig) Force(lamp hal.Lamp, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if on != r.lamp {
		r.forced++
	}
	r.lamp = on
}

func (r *testRig) Release() { r.mu.Lock(); defer r.mu.Unlock(); r.lamp, r.freed = false, r.freed+1 }

// Post shows a test while the phone is at one.
func (r *testRig) Post(e phone.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	shown := e.(phone.TestShown)
	if shown.Over {
		r.overs++
	}
	if r.view.Screen != nil {
		r.shown, r.view.Screen = append(r.shown, shown), shown.Screen
	}
}

func (r *testRig) View() phone.View { r.mu.Lock(); defer r.mu.Unlock(); return r.view }

// last is what is shown.
func (r *testRig) last() phone.TestShown {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.shown) == 0 {
		return phone.TestShown{}
	}
	return r.shown[len(r.shown)-1]
}

// count reads one of the counts.
func (r *testRig) count(n *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *n
}

// start and stop are the phone's.
func (r *testRig) start() {
	r.mu.Lock()
	r.view.Screen, r.shown = phone.Test{}, nil
	r.mu.Unlock()
	r.Test(phone.StartTest{Level: phone.TechnicianTest})
}

func (r *testRig) stop() {
	r.mu.Lock()
	r.view.Screen = nil
	r.mu.Unlock()
	r.Test(phone.StopTest{})
}

// sleep lets time pass, and everything happen that is due by then.
func (r *testRig) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// bubble runs a tester around do, in a bubble in which a goroutine that is left fails.
func bubble(t *testing.T, tests map[selftest.ID]selftest.Func, do func(*testRig, context.CancelFunc)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store, err := report.NewStore(folder)
		if err != nil {
			t.Fatal(err)
		}
		r := &testRig{t: t, tests: tests, store: store}
		r.tester = &tester{lights: r, phone: r, checks: r, store: store, language: selftest.English, log: slog.New(slog.DiscardHandler)}
		guided := []selftest.Level{selftest.Technician, selftest.Factory}
		for _, test := range []selftest.Test{
			{ID: selftest.CheckIdentity, Part: selftest.PartIdentity, Levels: []selftest.Level{selftest.PowerOn}},
			{ID: selftest.CheckHook, Part: selftest.PartHook, Levels: guided},
			{ID: selftest.CheckKeys, Part: selftest.PartKeypad, Levels: guided},
			{ID: selftest.CheckLamps, Part: selftest.PartLamps, Levels: guided},
		} {
			test.Takes, test.Timeout = time.Second, time.Minute
			if tests[test.ID] != nil {
				r.tree = append(r.tree, test)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.run(ctx) })
		synctest.Wait()
		do(r, cancel)
		cancel()
		running.Wait()
		r.wait.Wait()
	})
}

func passes(context.Context, *selftest.Step) selftest.Result {
	return selftest.Result{Outcome: selftest.Pass, Measurements: []selftest.Measurement{selftest.Words("is", "good", "good")}}
}

func fails(context.Context, *selftest.Step) selftest.Result {
	return selftest.FailBecause("it is broken")
}

// asksLamp asks whether a lamp is seen.
func asksLamp(ctx context.Context, step *selftest.Step) selftest.Result {
	seen := step.Ask(ctx, selftest.Question{Phrase: selftest.AskLampColour, Arguments: []string{"x"}, Choices: []selftest.Choice{selftest.Yes, selftest.No}})
	return reading.Looks{Looks: []reading.Look{{Name: "x", Wanted: selftest.Yes, Seen: seen}}}.Judge(selftest.StandardLimits())
}

// asksKeys asks for two keys.
func asksKeys(ctx context.Context, step *selftest.Step) selftest.Result {
	r := reading.Keys{Asked: []string{"1", "2"}}
	for _, key := range r.Asked {
		r.Seen = append(r.Seen, step.Key(ctx, key, 8*time.Second))
	}
	return r.Judge(selftest.StandardLimits())
}

// stored are the reports in the folder.
func (r *testRig) stored() []report.Record {
	records, _, err := r.store.All()
	if err != nil {
		r.t.Error(err)
	}
	return records
}

func TestTheTestOfTheStartIsReportedAndNotStored(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckIdentity: passes}, func(r *testRig, _ context.CancelFunc) {
		r.sleep(time.Second)
		line, over := r.Progress()
		record, err := report.Decode(r.Report())
		if !over || !strings.HasPrefix(line, "power-on: ") || err != nil || record.Metadata.ExitCode != int(selftest.ExitPassed) || len(r.stored()) != 0 {
			t.Errorf("%q %t, %v, exit code %d, %d stored", line, over, err, record.Metadata.ExitCode, len(r.stored()))
		}
		told := r.count(&r.told)
		r.sleep(10 * time.Minute) // the one that runs all the time
		if now := r.count(&r.told); now < told+4 {
			t.Errorf("within ten minutes the phone was told %d times", now-told)
		}
	})
}

func TestAnswersAndKeysReachTheTest(t *testing.T) {
	for _, c := range []struct {
		yes     bool
		keys    []hal.Key
		outcome string
		code    selftest.Exit
	}{
		{false, []hal.Key{hal.Key1, hal.Key2}, "fail", selftest.ExitFailed},
		{true, []hal.Key{hal.Key1, hal.Key3}, "fail", selftest.ExitFailed},
		{true, []hal.Key{hal.Key1, hal.Key2}, "pass", selftest.ExitPassed},
	} {
		bubble(t, map[selftest.ID]selftest.Func{selftest.CheckLamps: asksLamp, selftest.CheckKeys: asksKeys}, func(r *testRig, _ context.CancelFunc) {
			r.Test(phone.TestAnswer{Yes: !c.yes}) // nobody has asked
			r.start()
			for _, key := range c.keys {
				r.sleep(time.Second)
				if s := r.last().Screen; !s.Keys || s.Question {
					t.Errorf("asked for a key it shows %+v", s)
				}
				r.Test(phone.TestAnswer{Yes: !c.yes}) // to a question that was not put
				r.Test(phone.TestKey{Change: hal.KeyChange{Key: key, Down: true}})
				r.Test(phone.TestKey{Change: hal.KeyChange{Key: key}})
			}
			r.sleep(time.Second)
			if line, over := r.Progress(); over || !strings.Contains(line, "lamps") || !r.last().Screen.Question {
				t.Errorf("asked for a lamp it says %q %t and shows %+v", line, over, r.last())
			}
			r.Test(phone.TestAnswer{Yes: c.yes})
			r.sleep(time.Second)
			shown := r.last()
			if !shown.Over || shown.Screen.Outcome != c.outcome || (shown.Lamps[hal.LampMessage] == hal.Steady) != (c.outcome == "pass") {
				t.Errorf("%+v: in the end it shows %+v", c, shown)
			}
			record, err := report.Decode(r.Report())
			if err != nil || record.Metadata.ExitCode != int(c.code) || len(r.stored()) != 1 {
				t.Errorf("%+v: %v, exit code %d, %d stored", c, err, record.Metadata.ExitCode, len(r.stored()))
			}
		})
	}
}

// An answer that comes as soon as the question is seen counts, however late the test waits for it.
func TestAQuickAnswerIsNotLost(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckLamps: asksLamp}, func(r *testRig, _ context.CancelFunc) {
		r.phone = eager{r}
		r.start()
		r.sleep(time.Second)
		if shown := r.last(); !shown.Over || shown.Screen.Outcome != "pass" {
			t.Errorf("it shows %+v", shown)
		}
	})
}

// eager answers before anybody can wait.
type eager struct{ *testRig }

func (e eager) Post(event phone.Event) {
	e.testRig.Post(event)
	if event.(phone.TestShown).Screen.Question {
		e.Test(phone.TestAnswer{Yes: true})
	}
}

func TestNobodyIsThereIsNoFault(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckKeys: asksKeys, selftest.CheckLamps: asksLamp}, func(r *testRig, _ context.CancelFunc) {
		r.start()
		r.sleep(2 * time.Minute)
		record, err := report.Decode(r.Report())
		if shown := r.last(); err != nil || shown.Screen.Outcome != "not-done" || record.Metadata.ExitCode != int(selftest.ExitAborted) {
			t.Errorf("%v, exit code %d, it shows %+v", err, record.Metadata.ExitCode, shown)
		}
	})
}

func TestTheLampCountsTheBrokenPartWhileTheOutcomeIsShown(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckHook: fails}, func(r *testRig, _ context.CancelFunc) {
		r.start()
		r.sleep(30 * time.Second)
		r.mu.Lock()
		switched := r.forced
		r.view.Screen = nil // a key was pressed
		r.mu.Unlock()
		// The hook switch is number 5: five short lights in 5 s.
		if switched < 40 || switched > 80 {
			t.Errorf("within 30 s the lamp was switched %d times", switched)
		}
		r.sleep(time.Second)
		if r.freed != 1 || r.lamp {
			t.Errorf("freed %d times, lit %t", r.freed, r.lamp)
		}
		r.sleep(time.Minute)
		if r.forced != switched && r.forced > switched+2 {
			t.Error("it goes on blinking")
		}
	})
}

func TestAGuidedTestMayBeStoppedAtAnyMoment(t *testing.T) {
	slow := func(ctx context.Context, step *selftest.Step) selftest.Result {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
		return passes(ctx, step)
	}
	for ms := range 25 {
		bubble(t, map[selftest.ID]selftest.Func{selftest.CheckHook: slow, selftest.CheckKeys: asksKeys, selftest.CheckLamps: asksLamp}, func(r *testRig, _ context.CancelFunc) {
			r.start()
			go func() { // a person in a hurry
				for _, key := range []hal.Key{hal.Key1, hal.Key2} {
					time.Sleep(400 * time.Millisecond)
					r.Test(phone.TestKey{Change: hal.KeyChange{Key: key, Down: true}})
				}
			}()
			r.sleep(time.Duration(ms) * 50 * time.Millisecond)
			r.stop()
			r.Test(phone.StopTest{})
			synctest.Wait()
			line, over := r.Progress()
			record, err := report.Decode(r.Report())
			if !over || !strings.HasPrefix(line, "technician: ") || err != nil || record.Metadata.ExitCode != int(selftest.ExitAborted) {
				t.Errorf("stopped after %d ms: %q %t, %v, exit code %d", 50*ms, line, over, err, record.Metadata.ExitCode)
			}
			if r.count(&r.overs) != 0 {
				t.Errorf("stopped after %d ms: the outcome is put over the call, or the next test", 50*ms)
			}
			r.start() // and the next one begins anew
			r.sleep(10 * time.Millisecond)
			if _, over := r.Progress(); over || r.last().Over {
				t.Errorf("stopped after %d ms: the next test is over before it began: %+v", 50*ms, r.last())
			}
			r.stop()
			r.sleep(time.Second) // for the person
		})
	}
}

func TestATestThatFollowsAStoppedOneIsTheOneThatIsTold(t *testing.T) {
	slowly := func(ctx context.Context, step *selftest.Step) selftest.Result {
		<-ctx.Done()
		time.Sleep(time.Second) // a sound card that is given back
		return selftest.Result{}
	}
	first := true
	hook := func(ctx context.Context, step *selftest.Step) selftest.Result {
		if first {
			first = false
			return slowly(ctx, step)
		}
		time.Sleep(3 * time.Second)
		return passes(ctx, step)
	}
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckHook: hook}, func(r *testRig, _ context.CancelFunc) {
		r.start()
		r.sleep(time.Second)
		r.stop()
		r.start()
		for range 20 {
			r.sleep(100 * time.Millisecond)
			if line, over := r.Progress(); over {
				t.Errorf("a program is told that it is over: %q", line)
				return
			}
		}
		r.sleep(3 * time.Second)
		if line, over := r.Progress(); !over || line != "technician: PASSED" {
			t.Errorf("%q, %t", line, over)
		}
		if n := len(r.stored()); n != 2 {
			t.Errorf("%d reports are stored", n)
		}
	})
}

func TestATechniciansReportOutlivesARestart(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckIdentity: passes, selftest.CheckHook: fails}, func(r *testRig, _ context.CancelFunc) {
		r.start()
		r.sleep(time.Second)
		found := r.Report()
		if err := r.tester.start(r.t.Context(), false); err != nil || !bytes.Equal(r.Report(), found) {
			t.Errorf("the test of a start takes its place: %v", err)
		}
		if err := r.PowerOn(r.t.Context()); err != nil || bytes.Equal(r.Report(), found) {
			t.Errorf("the test of the start that somebody asked for is not told: %v", err)
		}
	})
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckIdentity: passes, selftest.CheckLamps: asksLamp}, func(r *testRig, _ context.CancelFunc) {
		r.start()
		r.sleep(time.Second)
		if err := r.PowerOn(r.t.Context()); !errors.Is(err, errTesting) {
			t.Errorf("during a person's test: %v", err)
		}
		r.stop()
	})
}

func TestAKeyThatWasPressedTwiceAnswersOnce(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckKeys: asksKeys}, func(r *testRig, _ context.CancelFunc) {
		r.start()
		down := func(key hal.Key) { r.Test(phone.TestKey{Change: hal.KeyChange{Key: key, Down: true}}) }
		r.sleep(100 * time.Millisecond)
		down(hal.Key1)
		down(hal.Key1) // it slipped
		r.sleep(100 * time.Millisecond)
		down(hal.Key2)
		r.sleep(time.Second)
		if line, over := r.Progress(); !over || line != "technician: PASSED" {
			t.Errorf("%q, %t", line, over)
		}
	})
}

func TestSwitchingOffDuringATestIsInItsReport(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckLamps: asksLamp}, func(r *testRig, off context.CancelFunc) {
		r.start()
		r.sleep(time.Second)
		off()
		r.wait.Wait()
		records := r.stored()
		if len(records) != 1 || !strings.Contains(string(r.Report()), errSwitched.Error()) {
			t.Errorf("%d stored, the last: %s", len(records), r.Report())
		}
		r.start() // the loop may still hand one over
		synctest.Wait()
		if shown := r.last(); !shown.Over || shown.Screen.Outcome != "not-done" {
			t.Errorf("a test after the end shows %+v", shown)
		}
	})
}

func TestATestThatCannotBeginSaysSo(t *testing.T) {
	bubble(t, map[selftest.ID]selftest.Func{selftest.CheckLamps: asksLamp}, func(r *testRig, _ context.CancelFunc) {
		r.sleep(time.Second)
		before := string(r.Report())
		r.broken = errors.New("the limits contradict themselves")
		r.start()
		r.sleep(time.Second)
		line, over := r.Progress()
		if !over || line != "technician: the limits contradict themselves" || string(r.Report()) != before {
			t.Errorf("%q %t", line, over)
		}
		if shown := r.last(); !shown.Over || shown.Screen.Outcome != "not-done" || fmt.Sprint(shown.Screen.Lines) != "[the limits contradict themselves]" {
			t.Errorf("it shows %+v", shown)
		}
		r.broken = nil
		r.start()
		r.sleep(time.Second)
		shown := len(r.shown)
		r.Test(phone.StartTest{Level: phone.FactoryTest}) // while one runs
		r.sleep(time.Second)
		if _, over := r.Progress(); over || !r.last().Over || len(r.shown) != shown+1 {
			t.Errorf("a second test: %t, it shows %+v", over, r.last())
		}
	})
}
