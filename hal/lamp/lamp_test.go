package lamp

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"
)

func TestContradictoryBindingsAreRefused(t *testing.T) {
	bus := &haltest.Bus{}
	chip := &Chip{Bus: bus, Addr: 0x62}
	tests := []struct {
		name     string
		bindings []Binding
		want     string
	}{
		{"nothing", []Binding{{Lamp: hal.LampHold}}, "0 of line, chip and LED"},
		{"two kinds", []Binding{{Lamp: hal.LampHold, LED: "a", Line: &wire{}}}, "2 of line"},
		{"no such lamp", []Binding{{Lamp: hal.LampCount, LED: "a"}}, "no lamp 9"},
		{"a glob", []Binding{{LED: "red*"}}, "not the name"},
		{"a path", []Binding{{LED: "../../etc"}}, "not the name"},
		{"a folder", []Binding{{LED: ".."}}, "not the name"},
		{"an LED twice", []Binding{{LED: "a"}, {Lamp: hal.LampHold, LED: "a"}}, "bound twice"},
		{"a line twice", []Binding{{Line: &wire{label: "P1"}}, {Line: &wire{label: "P1"}}}, "bound twice"},
		{"a fifth channel", []Binding{{Chip: chip, Channel: 4}}, "channels 0 to 3"},
		{"a channel below", []Binding{{Chip: chip, Channel: -1}}, "channels 0 to 3"},
		{"a channel twice", []Binding{{Chip: chip, Channel: 1}, {Chip: chip, Channel: 1}}, "bound twice"},
		{"no bus", []Binding{{Chip: &Chip{Addr: 0x62}}}, "on no bus"},
	}
	for _, test := range tests {
		if l, err := New(Config{Bindings: test.bindings}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
			if l != nil {
				_ = l.Close(hal.Lamps{})
			}
		}
	}
}

func TestLampsOfOneRhythmBlinkTogetherHoweverTheyJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &wire{label: "a"}, &wire{label: "b"}
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampMessage, Line: a}, {Lamp: hal.LampLine1, Line: b}}})
		synctest.Wait()
		time.Sleep(777 * time.Millisecond)
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.BlinkFast}))
		began := time.Now()
		synctest.Wait()
		if !a.high() {
			t.Fatal("a phone that rings does not light up at once")
		}
		time.Sleep(310 * time.Millisecond) // in the second bright half
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.BlinkFast, hal.LampLine1: hal.BlinkFast}))
		synctest.Wait()
		if !b.high() {
			t.Fatal("a lamp that joins in the bright half is dark")
		}
		joined := time.Now()
		time.Sleep(5 * time.Second)
		if err := l.Close(hal.Lamps{}); err != nil {
			t.Fatal(err)
		}
		after := func(log []flip) []flip {
			return slices.DeleteFunc(log, func(f flip) bool { return !f.at.After(joined) })
		}
		if x, y := after(a.log()), after(b.log()); len(x) < 40 || !slices.Equal(x, y) {
			t.Errorf("the lamps do not blink together:\n%v\n%v", x, y)
		} else if phase := x[0].at.Sub(began) % (125 * time.Millisecond); phase != 0 {
			t.Errorf("the lamp that joined moved the rhythm by %v", phase)
		}
	})
}

func TestEveryRhythmIsKeptToTheMillisecond(t *testing.T) {
	for rhythm := hal.BlinkSlow; rhythm < hal.BlinkCount; rhythm++ {
		synctest.Test(t, func(t *testing.T) {
			pin := &wire{label: "a"}
			l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampQueue, Line: pin}}})
			synctest.Wait()
			l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampQueue: rhythm}))
			time.Sleep(10*time.Second + time.Millisecond)
			log := pin.log()
			on, off := rhythm.Pattern()
			for i := 2; i < len(log); i++ {
				want := off
				if log[i-1].high {
					want = on
				}
				if got := log[i].at.Sub(log[i-1].at); got != want || log[i].high == log[i-1].high {
					t.Fatalf("%s: state %d lasted %v, want %v", rhythm, i, got, want)
				}
			}
			if want := int(10 * time.Second / (on + off) * 2); len(log) < want {
				t.Errorf("%s: %d changes in 10 s, want at least %d", rhythm, len(log), want)
			}
		})
	}
}

func TestNobodyWakesWhenNothingBlinks(t *testing.T) {
	pin := &wire{label: "a"}
	w := &worker{posts: []*post{{out: &line{lamp: hal.LampHold, pin: pin}, fault: (&faults{}).add("")}}}
	now := time.Now()
	for b := range hal.BlinkCount {
		bindings := []Binding{{Lamp: hal.LampHold, Line: pin}}
		s := newScene(scene{level: 255}, shown(map[hal.Lamp]hal.Blink{hal.LampHold: b, hal.LampAgent: hal.BlinkFast}), bindings, now)
		on, _ := b.Pattern()
		if deadline := w.turn(&s, now); deadline.IsZero() != (on == 0) {
			t.Errorf("%s: wakes at %v", b, deadline)
		}
	}
}

// A slow bus takes a second for a transfer.
type slow struct{ *haltest.Bus }

func (s slow) Tx(addr uint16, w, r []byte) error {
	time.Sleep(time.Second)
	return s.Bus.Tx(addr, w, r)
}

func TestASlowBusHoldsUpNeitherTheCallerNorTheOtherLamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, model, pin := slow{&haltest.Bus{}}, haltest.NewPCA9633(), &wire{label: "a"}
		bus.Attach(0x62, model)
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampMessage, Chip: &Chip{Bus: bus, Addr: 0x62}}, {Lamp: hal.LampLine1, Line: pin}}})
		start := time.Now()
		for i := range 1000 {
			l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.Blink(i % 2), hal.LampLine1: hal.BlinkFast}))
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("Show waited %v for the bus", took)
		}
		time.Sleep(10 * time.Second)
		if flips := len(pin.log()); flips < 80 {
			t.Errorf("the line changed %d times in 10 s beside a slow chip", flips)
		}
		if on, _ := model.Lit(0, time.Now()); !on {
			t.Error("the newest state did not win")
		}
		if calls, _ := bus.Traffic(); calls > 8 {
			t.Errorf("%d transfers: old states were not skipped", calls)
		}
	})
}

func TestALineThatFailsIsReportedOnceAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good, r := &wire{label: "gpiochip0 line 4"}, &wire{label: "gpiochip0 line 5"}, &reporter{}
		bad.breakWith(errors.New("input/output error"))
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampHold, Line: bad}, {Lamp: hal.LampMute, Line: good}}, Report: r.report})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Steady, hal.LampMute: hal.BlinkFast}))
		time.Sleep(time.Minute)
		wantFault(t, r, hal.Failing, "gpiochip0 line 4", "hold")
		if n := bad.tries(); n < 5 || n > 20 {
			t.Errorf("a line that fails was tried %d times in a minute", n)
		}
		if n := len(good.log()); n < 470 {
			t.Errorf("the other lamp changed %d times in a minute", n)
		}
		bad.breakWith(nil)
		time.Sleep(retryMax)
		wantFault(t, r, hal.Working)
		if !bad.high() {
			t.Error("the lamp that works again does not show what is asked")
		}
		if err := l.Close(hal.Lamps{}); err != nil || bad.high() || good.high() {
			t.Errorf("after Close: %v, lamps %v %v", err, bad.high(), good.high())
		}
	})
}

func TestTheSelfTestForcesLampsWhateverIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &wire{label: "a"}, &wire{label: "b"}
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampHold, Line: a}, {Lamp: hal.LampMute, Line: b}, {Lamp: hal.LampHold, Line: &wire{label: "c"}}}})
		if got := l.Lamps(); !slices.Equal(got, []hal.Lamp{hal.LampHold, hal.LampMute}) {
			t.Errorf("lamps %v", got)
		}
		l.Force(hal.LampHold, true)
		l.Force(hal.LampMute, false)
		l.Force(hal.LampCount, true) // no such lamp: nothing
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMute: hal.Steady}))
		synctest.Wait()
		if !a.high() || b.high() {
			t.Error("forced lamps follow what is shown")
		}
		l.Release()
		synctest.Wait()
		if a.high() || !b.high() {
			t.Error("released lamps do not follow what is shown")
		}
	})
}

func TestCloseLeavesALastStateThatStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &wire{label: "a"}, &wire{label: "b"}
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampHold, Line: a}, {Lamp: hal.LampMute, Line: b}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMute: hal.Steady}))
		synctest.Wait()
		if err := l.Close(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Wink})); err != nil {
			t.Fatal(err)
		}
		l.Show(hal.Lamps{})
		time.Sleep(time.Hour)
		if !a.high() || b.high() {
			t.Error("the last state does not stand")
		}
		if err := l.Close(hal.Lamps{}); err != nil || !a.high() {
			t.Error("a second Close did something")
		}
	})
}

func TestAnInvalidRhythmIsDark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &wire{label: "a"}
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampHold, Line: a}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.BlinkCount + 3}))
		synctest.Wait()
		if a.high() {
			t.Error("lit")
		}
	})
}
