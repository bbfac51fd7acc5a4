package throttle

import (
	"fmt"
	"testing"
	"time"
)

func TestWaitingDoublesUpToItsEnd(t *testing.T) {
	var slow Throttle
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	var waits []time.Duration
	for i := range 20 {
		name := fmt.Sprint("name", i)
		if wait := slow.Begin(now, "source", name); wait > 0 {
			waits = append(waits, wait)
			now = now.Add(wait)
			if wait := slow.Begin(now, "source", name); wait != 0 {
				t.Fatalf("after the wait there is another one of %s", wait)
			}
		}
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64} {
		if waits[i] != want*time.Second {
			t.Fatalf("the waits are %v", waits)
		}
	}
	if last := waits[len(waits)-1]; last != delaySource {
		t.Errorf("the last wait is %s", last)
	}
}

func TestANameIsNotHeldForLongByStrangers(t *testing.T) {
	var slow Throttle
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	for i := range 100 {
		now = now.Add(slow.Begin(now, fmt.Sprint("source", i), "name"))
	}
	if wait := slow.Begin(now, "own", "name"); wait > delayName {
		t.Errorf("the name is held for %s", wait)
	}
	if wait := slow.Begin(now.Add(delayName), "own", "name"); wait != 0 {
		t.Errorf("after its end it is held for %s", wait)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var slow Throttle
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	for i := range triesMax {
		now = now.Add(time.Millisecond)
		slow.Begin(now, fmt.Sprint("source", i), fmt.Sprint("name", i))
	}
	if len(slow.tries) > triesMax {
		t.Errorf("%d are remembered", len(slow.tries))
	}
	for range triesFree {
		slow.Begin(now, "source", "name")
	}
	later := now.Add(delaySource + 2*triesKept)
	for range triesFree {
		if wait := slow.Begin(later, "source", "name"); wait != 0 {
			t.Errorf("failures of long ago hold somebody for %s", wait)
		}
	}
}

func TestASourceIsWhatOneSubscriberHas(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:50000": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7", "[2001:db8:1:2:3::4]:443": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:9": "2001:db8:1:2::/64", "[fe80::1%eth0]:9": "fe80::/64", "@": "@", "": "",
	} {
		if got := Source(remote); got != want {
			t.Errorf("%q is %q, want %q", remote, got, want)
		}
	}
}
