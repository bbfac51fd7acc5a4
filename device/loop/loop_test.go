package loop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/voice"
	"freizeichen/hal"
	"freizeichen/sip"
)

// world stands in for network, body, voice and painter, and remembers what it was given.
type world struct {
	mu       sync.Mutex
	commands []sip.Command
	display  hal.Display
	shown    int
	plan     voice.Plan
	block    chan struct{} // Do waits for it when it is not nil
}

func (w *world) Do(c sip.Command) {
	if w.block != nil {
		<-w.block
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commands = append(w.commands, c)
}

func (w *world) Show(d hal.Display) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.display, w.shown = d, w.shown+1
}

func (w *world) Set(p voice.Plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan = p
}

// seen is a copy of what was given so far.
func (w *world) seen() (commands []sip.Command, display hal.Display, shown int, plan voice.Plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.commands), w.display, w.shown, w.plan
}

func (w *world) Draw(phone.View) *image.Paletted { return nil }

func (w *world) Text(v phone.View) []string { return []string{describeView(v)} }

func (w *world) Soft(v phone.View) (words [4]string) {
	for i, soft := range v.Soft {
		words[i] = fmt.Sprint(soft)
	}
	return words
}

// running is a loop that runs in a bubble of fake time until the test ends.
func running(t *testing.T, w *world) *Loop {
	l := New(Config{
		Phone:   phone.New(phone.Config{Retention: time.Hour, Missed: true, Ringer: 5}),
		Network: w, Body: w, Voice: w, Painter: w, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return l
}

func TestAnEventBecomesCommandDisplayAndPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		l := running(t, w)
		l.Post(sip.Registered{Expires: time.Minute})
		l.Post(sip.Incoming{Call: 2, From: sip.Party{Name: "Ada", Number: "03023125001"}, Topic: "Elterngeld"})
		synctest.Wait()
		if _, display, _, plan := w.seen(); plan.Tone != voice.Ring || display.Lamps[hal.LampMessage] != hal.BlinkFast {
			t.Fatalf("while it rings: %+v, %+v", plan, display)
		}
		l.Post(hal.HookChange{Up: true})
		synctest.Wait()
		commands, _, _, plan := w.seen()
		if len(commands) != 1 || commands[0] != (sip.Answer{Call: 2}) {
			t.Fatalf("lifting sent %v", commands)
		}
		if plan.Live != 2 || plan.Route != hal.Handset || plan.Tone != voice.Quiet || plan.Calls[0] != 2 || l.LastLive() != 2 {
			t.Fatalf("plan in conversation is %+v", plan)
		}
	})
}

func TestTheDeadlineTicksByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		l := running(t, w)
		l.Post(sip.Registered{})
		l.Post(hal.KeyChange{Key: hal.KeyVolumeUp, Down: true})
		synctest.Wait()
		if l.View().Status.Volume == nil {
			t.Fatal("the volume bar is not shown")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if l.View().Status.Volume != nil {
			t.Fatal("nothing took the volume bar away")
		}
		_, _, before, _ := w.seen()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		_, _, after, _ := w.seen()
		if n := after - before; n < 10 || n > 11 {
			t.Fatalf("an idle phone was drawn %d times in 10 minutes, want once a minute", n)
		}
	})
}

func TestAskAnswersWhenItsOutcomeIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		l := running(t, w)
		if refused, err := l.Ask(t.Context(), phone.AskAnswer, ""); err != nil || refused != phone.NotRinging {
			t.Fatalf("answering nothing: %v, %v", refused, err)
		}
		l.Post(sip.Registered{})
		if refused, err := l.Ask(t.Context(), phone.AskDial, "115"); err != nil || refused != phone.Done {
			t.Fatalf("dialling: %v, %v", refused, err)
		}
		if text := l.Text(); !strings.Contains(text[0], "line1=calling") {
			t.Fatalf("the panel shows %q after Ask has returned", text)
		}
	})
}

func TestAskAndSyncEndWithThePhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Phone: phone.New(phone.Config{}), Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Ask(ctx, phone.AskAnswer, ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("asking a phone that does not run: %v", err)
		}
		close(l.done)
		if _, err := l.Ask(t.Context(), phone.AskAnswer, ""); !errors.Is(err, errStopped) {
			t.Fatalf("asking a phone that has stopped: %v", err)
		}
		if err := l.Sync(t.Context()); !errors.Is(err, errStopped) {
			t.Fatalf("waiting for a phone that has stopped: %v", err)
		}
	})
}

func TestAFullQueueIsADefectThatEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{block: make(chan struct{})}
		l := New(Config{
			Phone: phone.New(phone.Config{}), Network: w, Body: w, Voice: w, Painter: w, Logger: slog.New(slog.DiscardHandler),
		})
		done := make(chan error, 1)
		go func() { done <- l.Run(t.Context()) }()
		l.Post(sip.Registered{})
		l.Post(phone.Request{Verb: phone.AskDial, Argument: "1"}) // Do blocks
		for range queueSize + 2 {
			l.Post(phone.Tick{})
		}
		close(w.block)
		if err := <-done; !errors.Is(err, ErrQueueFull) {
			t.Fatalf("Run returned %v", err)
		}
		l.Post(phone.Tick{}) // returns although nobody listens any more
	})
}

func TestTheTranscriptHasNoNumberNameOrDigit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		l := running(t, w)
		l.Post(sip.Registered{Expires: time.Minute})
		l.Post(sip.Incoming{Call: 2, From: sip.Party{Name: "Ada", Number: "03023125001"}, Called: sip.Party{Number: "115"}, Topic: "Elterngeld"})
		l.Post(hal.HookChange{Up: true})
		l.Post(hal.KeyChange{Key: hal.Key7, Down: true})
		_, _ = l.Ask(t.Context(), phone.AskDial, "03023125999")
		_, _ = l.Ask(t.Context(), phone.AskDTMF, "x")
		synctest.Wait()
		text := l.Transcript()
		for _, secret := range []string{"Ada", "03023125001", "03023125999", "7"} {
			if strings.Contains(strings.ReplaceAll(text, "201", ""), secret) {
				t.Errorf("the transcript holds %q:\n%s", secret, text)
			}
		}
		for _, wanted := range []string{
			`network  incoming call=2 topic="Elterngeld" called="115"`, "hook     up", "does     answer call=2", "key      digit down",
			"asked    dial …", "does     dial call=1", "refuses  the call is not in conversation", "shows    line1=ringing* registered tone=ring lamps=message:fast,line1:fast",
		} {
			if !strings.Contains(text, wanted) {
				t.Errorf("the transcript lacks %q:\n%s", wanted, text)
			}
		}
	})
}

func TestTheTranscriptForgetsAndIsBounded(t *testing.T) {
	var r Recorder
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for range 3 * transcriptLines {
		r.Step(now, hal.HookChange{Up: true}, nil)
	}
	if n := strings.Count(r.String(), "\n"); n != transcriptLines {
		t.Fatalf("%d lines are kept, want %d", n, transcriptLines)
	}
	r.Step(now.Add(transcriptAge+time.Second), hal.HookChange{}, nil)
	if n := strings.Count(r.String(), "\n"); n != 1 {
		t.Fatalf("%d lines are kept after %v, want 1", n, transcriptAge)
	}
}

func TestAPingIsAnsweredByALoopThatMovesAndPaintsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{block: make(chan struct{})}
		l := running(t, w)
		synctest.Wait()
		_, _, before, _ := w.seen()
		for range 10 {
			if err := l.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, shown, _ := w.seen(); shown != before {
			t.Errorf("ten pings painted %d pictures", shown-before)
		}
		l.Post(sip.Registered{Expires: time.Minute})
		l.Post(hal.HookChange{Up: true})
		for _, k := range []hal.Key{hal.Key1, hal.Key1, hal.Key2} {
			l.Post(hal.KeyChange{Key: k, Down: true})
			l.Post(hal.KeyChange{Key: k})
		}
		l.Post(hal.KeyChange{Key: hal.KeyOK, Down: true}) // dials, and the network takes nothing
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Ping(ctx); err == nil {
			t.Error("a loop that stands still answers")
		}
		close(w.block)
		if err := l.Ping(t.Context()); err != nil {
			t.Errorf("when it moves again: %v", err)
		}
	})
}
