package lamp

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
)

func TestAMissingLEDIsNamedWithThoseThatExist(t *testing.T) {
	root := sysfs(t, "green:line1", "red:message")
	synctest.Test(t, func(t *testing.T) {
		r := &reporter{}
		l := open(t, Config{Root: root, Report: r.report, Bindings: []Binding{{Lamp: hal.LampHold, LED: "red:hold"}, {Lamp: hal.LampLine1, LED: "green:line1"}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampLine1: hal.Steady}))
		time.Sleep(time.Second)
		wantFault(t, r, hal.Missing, "red:hold (hold)", "green:line1, red:message")
		if got := ledFile(t, root, "green:line1", "brightness"); got != "100" {
			t.Errorf("the other LED has brightness %s", got)
		}
		addLED(t, root, "red:hold")
		time.Sleep(retryMax)
		wantFault(t, r, hal.Working)
	})
}

func TestAnLEDThatVanishesIsFoundAndItsReturnToo(t *testing.T) {
	root := sysfs(t, "a")
	synctest.Test(t, func(t *testing.T) {
		r := &reporter{}
		l := open(t, Config{Root: root, Report: r.report, Bindings: []Binding{{Lamp: hal.LampHold, LED: "a"}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Steady}))
		time.Sleep(time.Second)
		if err := os.RemoveAll(filepath.Join(root, "sys/class/leds/a")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(checkEvery)
		wantFault(t, r, hal.Missing, "LED a (hold)", "there are: none")
		addLED(t, root, "a")
		time.Sleep(retryMax)
		wantFault(t, r, hal.Working)
		if got := ledFile(t, root, "a", "brightness"); got != "100" {
			t.Errorf("brightness %s after its return", got)
		}
		if err := os.WriteFile(filepath.Join(root, "sys/class/leds/a/brightness"), []byte("0\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		time.Sleep(checkEvery + time.Second)
		if got := ledFile(t, root, "a", "brightness"); got != "100" {
			t.Errorf("brightness %s: what somebody else wrote stays", got)
		}
	})
}

func TestAnLEDIsBlinkedByTheKernelUnlessAnotherKeepsItsRhythm(t *testing.T) {
	root := sysfs(t, "a", "b")
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Config{Root: root, Bindings: []Binding{{Lamp: hal.LampHold, LED: "a"}, {Lamp: hal.LampMute, LED: "b"}}})
		l.Dim(128)
		synctest.Wait()
		if got := ledFile(t, root, "a", "trigger"); got != "none" {
			t.Errorf("trigger %q: it is still driven by somebody else", got)
		}
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Flash}))
		synctest.Wait()
		for file, want := range map[string]string{"trigger": "timer", "delay_on": "100", "delay_off": "2900", "brightness": "50"} {
			if got := ledFile(t, root, "a", file); got != want {
				t.Errorf("%s is %q, want %q", file, got, want)
			}
		}
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.BlinkFast, hal.LampMute: hal.BlinkFast}))
		synctest.Wait()
		time.Sleep(time.Millisecond)
		seen := map[string]bool{}
		for range 8 {
			a, b := ledFile(t, root, "a", "brightness"), ledFile(t, root, "b", "brightness")
			if a != b {
				t.Error("two LEDs of one rhythm do not blink together")
			}
			seen[a] = true
			time.Sleep(125 * time.Millisecond)
		}
		if !seen["0"] || !seen["50"] || ledFile(t, root, "a", "trigger") != "none" {
			t.Errorf("blinked by software: brightness %v, trigger %q", seen, ledFile(t, root, "a", "trigger"))
		}
		if err := l.Close(hal.Lamps{}); err != nil || ledFile(t, root, "a", "brightness") != "0" {
			t.Errorf("after Close: %v, brightness %s", err, ledFile(t, root, "a", "brightness"))
		}
	})
}

func TestAnLEDThatCameBackDarkIsBlinkedByTheKernelAgain(t *testing.T) {
	root := sysfs(t, "a")
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Config{Root: root, Bindings: []Binding{{Lamp: hal.LampHold, LED: "a"}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Flash}))
		time.Sleep(time.Second)
		for _, c := range []struct{ left, want string }{
			{"none heartbeat [timer] oneshot", "none heartbeat [timer] oneshot"}, // as the kernel says it: left alone
			{"[none] heartbeat timer oneshot", "timer"},                          // its driver was bound anew
		} {
			for file, text := range map[string]string{"trigger": c.left, "brightness": "0"} {
				if err := os.WriteFile(filepath.Join(root, "sys/class/leds/a", file), []byte(text+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(checkEvery + time.Second)
			if got := ledFile(t, root, "a", "trigger"); got != c.want {
				t.Errorf("after %q the trigger is %q, want %q", c.left, got, c.want)
			}
		}
		if got := ledFile(t, root, "a", "brightness"); got != "100" {
			t.Errorf("brightness %s", got)
		}
	})
}

func TestAnLEDWithoutTheTimerIsBlinkedBySoftware(t *testing.T) {
	root := sysfs(t, "a")
	if err := os.WriteFile(filepath.Join(root, "sys/class/leds/a/trigger"), []byte("[none] heartbeat\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Config{Root: root, Bindings: []Binding{{Lamp: hal.LampHold, LED: "a"}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.BlinkSlow}))
		time.Sleep(500 * time.Millisecond)
		first := ledFile(t, root, "a", "brightness")
		time.Sleep(time.Second)
		if second := ledFile(t, root, "a", "brightness"); first != "100" || second != "0" {
			t.Errorf("brightness %s, then %s", first, second)
		}
	})
}

func TestAnLEDWithoutBrightnessIsAFault(t *testing.T) {
	root := sysfs(t, "a")
	if err := os.WriteFile(filepath.Join(root, "sys/class/leds/a/max_brightness"), []byte("-3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := &reporter{}
		l := open(t, Config{Root: root, Report: r.report, Bindings: []Binding{{Lamp: hal.LampHold, LED: "a"}}})
		synctest.Wait()
		wantFault(t, r, hal.Failing, "LED a", "-3")
		if err := l.Close(hal.Lamps{}); err == nil {
			t.Error("Close says nothing of a lamp that does not obey")
		}
	})
}

func TestNoFileIsEverCreated(t *testing.T) {
	root := sysfs(t, "a")
	delay := filepath.Join(root, "sys/class/leds/a/delay_on")
	if err := os.Remove(delay); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := &reporter{}
		l := open(t, Config{Root: root, Report: r.report, Bindings: []Binding{{Lamp: hal.LampHold, LED: "a"}}})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.BlinkSlow}))
		synctest.Wait()
		wantFault(t, r, hal.Failing, "delay_on")
		if _, err := os.Stat(delay); err == nil {
			t.Error("created")
		}
	})
}
