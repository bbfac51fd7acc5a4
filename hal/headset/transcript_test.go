package headset

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/hal"
)

func descriptor(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		b = append(b, bytesOf(t, line)...)
	}
	return b
}

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// transcript plays the lines of a conversation that begin with shows, reads, fails or waits at their times, and is the
// conversation as it was: with what was written to the headset and what its keys meant.
func transcript(t *testing.T, h *Headset, text string) string {
	t.Helper()
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	var out strings.Builder
	at, failing := "", false
	say := func(verb, what string) {
		fmt.Fprintf(&out, "%-7s %-7s %s\n", at, verb, what)
		at = ""
	}
	write := func(now time.Time) {
		reports := h.Reports(now)
		for _, r := range reports {
			say("writes", fmt.Sprintf("% x", r))
		}
		if len(reports) > 0 {
			h.Sent(now, !failing)
		}
	}
	means := func(changes []hal.HeadsetChange) {
		for _, c := range changes {
			say("means", c.Action.String())
		}
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		offset, err := time.ParseDuration(fields[0])
		if err != nil {
			continue // what was written or meant
		}
		now := start.Add(offset)
		for d := h.Deadline(); !d.IsZero() && !d.After(now); d = h.Deadline() {
			at = d.Sub(start).String()
			means(h.Tick(d))
			write(d)
		}
		at = fields[0]
		verb, what := fields[1], strings.Join(fields[2:], " ")
		switch verb {
		case "shows":
			say(verb, what)
			h.Show(now, lamps(what))
		case "reads":
			say(verb, what)
			means(h.Input(now, bytesOf(t, what)))
		case "fails", "works":
			say(verb, what)
			failing = verb == "fails"
		case "waits":
			say(verb, what)
		}
		write(now)
	}
	return out.String()
}

func lamps(text string) hal.HeadsetLamps {
	has := func(word string) bool { return strings.Contains(" "+text+" ", " "+word+" ") }
	return hal.HeadsetLamps{Ring: has("ring"), OffHook: has("off-hook"), Mute: has("mute"), Hold: has("hold"), Microphone: has("microphone")}
}

func tidy(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func TestConversationsRunAsWritten(t *testing.T) {
	for _, test := range []struct{ name, headset, text string }{
		{"what is no report asks for nothing", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      reads
			1s      reads   02
			1s      reads   63 ff ff
			1s      reads   00
			2s      reads   02 00 00
			3s      waits
		`},
		{"half a report says what it can", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      reads   02 01
			        means   off-hook
		`},
		{"an incoming call is answered and ended by the key; ring goes off first", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      shows   ring
			        writes  02 04 00
			3s      reads   02 01 00
			        means   off-hook
			3.01s   shows   off-hook microphone
			        writes  02 00 00
			        writes  02 11 00
			3.1s    reads   02 01 00
			60s     reads   02 00 00
			        means   on-hook
			60.01s  shows   dark
			        writes  02 00 00
			90s     waits
		`},
		{"each lamp has its report: ring off comes before off-hook on", "plantronics-layout", `
			0s      shows   ring
			        writes  18 00
			        writes  17 00
			        writes  09 00
			        writes  20 00
			        writes  18 01
			3s      reads   08 01
			        means   off-hook
			3.01s   shows   off-hook
			        writes  18 00
			        writes  17 01
		`},
		{"the phone's own changes are answered by the headset, at once or late, and are no keys", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      shows   off-hook
			        writes  02 01 00
			1.05s   reads   02 01 00
			9s      shows   dark
			        writes  02 00 00
			10.5s   reads   02 00 00
			20s     waits
		`},
		{"the answer to the change before comes after the change: no key", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      shows   off-hook
			        writes  02 01 00
			1.05s   shows   dark
			        writes  02 00 00
			1.1s    reads   02 01 00
			1.15s   reads   02 00 00
			9s      waits
		`},
		{"a key among the echoes is told when they are over", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      shows   off-hook
			        writes  02 01 00
			1.05s   reads   02 01 00
			1.1s    reads   02 00 00
			1.2s    means   on-hook
			1.3s    shows   dark
			        writes  02 00 00
			9s      waits
		`},
		{"what the phone refuses is told to the headset", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      reads   02 01 00
			        means   off-hook
			1.5s    shows   dark
			2s      writes  02 00 00
			2.05s   reads   02 00 00
			9s      waits
		`},
		{"a headset that insists is told once", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      reads   02 01 00
			        means   off-hook
			2s      writes  02 00 00
			60s     waits
		`},
		{"mute by presses: the opposite of what is shown", "jabra-layout", `
			0s      shows   off-hook
			        writes  02 00 00
			        writes  02 01 00
			0.1s    reads   02 01 00
			1s      reads   02 05 00
			        means   mute
			1.01s   shows   off-hook mute
			        writes  02 03 00
			1.1s    reads   02 01 00
			1.15s   reads   02 05 00
			1.16s   reads   02 01 00
			2s      reads   02 05 00
			        means   unmute
			2.01s   shows   off-hook
			        writes  02 01 00
			2.1s    reads   02 01 00
			3s      shows   off-hook mute
			        writes  02 03 00
			4s      reads   02 05 00
			        means   unmute
		`},
		{"mute as a level", "rig", `
			0s      shows   off-hook
			        writes  02 00
			        writes  02 01
			0.1s    reads   01 01
			1s      reads   01 03
			        means   mute
			1.01s   shows   off-hook mute
			        writes  02 03
			2s      reads   01 01
			        means   unmute
			2.01s   shows   off-hook
			        writes  02 01
			3s      shows   off-hook mute
			        writes  02 03
			3.1s    reads   01 03
			4s      reads   01 01
			        means   unmute
			5s      writes  02 03
		`},
		{"reject, flash, redial", "plantronics-layout", `
			0s      shows   ring
			        writes  18 00
			        writes  17 00
			        writes  09 00
			        writes  20 00
			        writes  18 01
			1s      reads   08 80
			        means   reject
			1.1s    reads   08 00
			2s      reads   08 20
			        means   flash
			2.1s    reads   08 00
			3s      reads   08 40
			        means   redial
		`},
		{"volume keys have their own report, and one press is reported twice", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      reads   01 02 00
			        means   volume-up
			1.001s  reads   01 00 00
			1.004s  reads   01 02 00
			1.006s  reads   01 00 00
			1.4s    reads   01 01 00
			        means   volume-down
		`},
		{"a contact that bounces calls once", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      reads   02 01 00
			        means   off-hook
			1.001s  reads   02 00 00
			1.002s  reads   02 01 00
			1.003s  reads   02 00 00
			1.004s  reads   02 01 00
			1.1s    shows   off-hook
			        writes  02 01 00
			9s      waits
		`},
		{"what could not be written is written again, and nothing else meanwhile", "jabra-layout", `
			0s      fails
			        writes  02 00 00
			0.1s    shows   ring
			0.2s    works
			1s      writes  02 04 00
			9s      waits
		`},
		{"what failed is repeated though nothing changed, until it is taken", "jabra-layout", `
			0s      fails
			        writes  02 00 00
			1s      writes  02 00 00
			1.5s    works
			2s      writes  02 00 00
			9s      waits
		`},
		{"hold and a second call that rings", "jabra-layout", `
			0s      shows   dark
			        writes  02 00 00
			1s      shows   off-hook hold
			        writes  02 09 00
			2s      shows   off-hook hold ring
			        writes  02 0d 00
			3s      shows   off-hook hold
			        writes  02 09 00
		`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, err := New(descriptor(t, test.headset))
			if err != nil {
				t.Fatal(err)
			}
			if got := transcript(t, h, test.text); tidy(got) != tidy(test.text) {
				t.Errorf("got\n%s\nwant\n%s", got, test.text)
			}
		})
	}
}

// A report may take long to be taken: the answer to it comes when the phone wants the opposite already.
func TestALateAnswerIsNoKeyThoughTheReportsOverlap(t *testing.T) {
	h, err := New(descriptor(t, "jabra-layout"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms int) time.Time {
		return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
	}
	h.Show(at(0), lamps("off-hook"))
	h.Reports(at(0))
	h.Show(at(250), lamps("dark"))
	h.Sent(at(300), true)
	if reports := h.Reports(at(300)); len(reports) != 1 {
		t.Fatalf("the second change: % x", reports)
	}
	keys := h.Input(at(450), bytesOf(t, "02 01 00")) // to the first
	h.Sent(at(600), true)
	keys = append(keys, h.Tick(at(600))...)
	keys = append(keys, h.Input(at(650), bytesOf(t, "02 00 00"))...) // to the second
	if d := h.Deadline(); len(keys) > 0 || !d.IsZero() {
		t.Errorf("told %v, and something is still to be decided at %v", keys, d)
	}
}

func TestAOneShotHookTurnsWhatThePhoneShows(t *testing.T) {
	h, err := New(bytesOf(t, "05 0b 09 05 a1 01 15 00 25 01 75 01 09 20 95 01 81 06 09 26 81 06 95 06 81 01 05 08 09 17 95 01 91 02 95 07 91 01 c0"))
	if err != nil {
		t.Fatal(err)
	}
	text := `
		0s      shows   ring
		        writes  00 00
		1s      reads   01
		        means   off-hook
		1.01s   shows   off-hook
		        writes  00 01
		1.05s   reads   00
		1.1s    reads   01
		1.15s   reads   00
		5s      reads   01
		        means   on-hook
		5.01s   shows   dark
		        writes  00 00
		6s      reads   00
		6.5s    reads   02
		7s      reads   00
		8s      shows   ring
		9s      reads   02
		        means   reject
		9.1s    reads   00
		9.2s    shows   off-hook
		        writes  00 01
		10s     reads   02
		        means   on-hook
	`
	if got := transcript(t, h, text); tidy(got) != tidy(text) {
		t.Errorf("got\n%s\nwant\n%s", got, text)
	}
}

func TestAnArrayTellsOfPresses(t *testing.T) {
	h, err := New(bytesOf(t, "05 0b 09 05 a1 01 15 01 25 02 75 08 95 01 09 20 09 2f 81 00 c0"))
	if err != nil {
		t.Fatal(err)
	}
	text := `
		1s      reads   01
		        means   off-hook
		1.1s    reads   00
		2s      reads   02
		        means   mute
		2.1s    reads   00
		3s      shows   off-hook
		4s      reads   01
		        means   on-hook
	`
	if got := transcript(t, h, text); tidy(got) != tidy(text) {
		t.Errorf("got\n%s\nwant\n%s", got, text)
	}
}

func TestWhatHasNoKeysIsNoHeadset(t *testing.T) {
	for _, name := range []string{"anker-powerconf", "razer-seiren", "razer-kraken", "game-voice"} {
		if h, err := New(descriptor(t, name)); err != ErrNoTelephony {
			t.Errorf("%s: got %v, %v", name, h, err)
		}
	}
	if _, err := New([]byte{0x05}); err == nil {
		t.Error("half an item is taken")
	}
	// A mouse has a seventh button.
	h, err := New(bytesOf(t, "05 0b 09 05 a1 01 09 20 15 00 25 01 75 01 95 01 81 02 c0 05 01 09 02 a1 01 05 09 09 07 81 02 c0"))
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Input(time.Time{}.Add(time.Hour), []byte{2}); len(got) > 0 {
		t.Errorf("the mouse rejects: %v", got)
	}
}

func TestTheVerdictSaysWhatAHeadsetCanAndLacks(t *testing.T) {
	for _, test := range []struct {
		name     string
		hook     Control
		mute     Control
		complete bool
		verdict  string
	}{
		{"razer-kraken", Absent, Absent, false, "can change the volume; has no hook key, no mute key, no off-hook lamp, no ring lamp, no mute lamp"},
		{"game-voice", Absent, Absent, false, "can nothing; has no hook key, no mute key, no volume keys, no off-hook lamp, no ring lamp, no mute lamp"},
		{"anker-powerconf", Absent, Absent, false, "can change the volume; has no hook key, no mute key"},
		{"rig", Level, Level, false, "can answer and end, mute; has no volume keys, no ring lamp"},
		{"logitech-mx-brio", Level, OneShot, false, "can answer and end, mute; has no volume keys, no off-hook lamp, no ring lamp"},
		{"blackwire-3220", Level, OneShot, true, "can answer and end, mute, hold; has no volume keys"},
		{"plantronics-layout", Level, OneShot, true, "can answer and end, mute, reject, hold, redial; has no volume keys"},
		{"jabra-layout", Level, OneShot, true, "can answer and end, mute, reject, hold, change the volume"},
		{"dell-sp325", Level, OneShot, true, "can answer and end, mute, reject, hold, redial, change the volume"},
	} {
		c, err := Examine(descriptor(t, test.name))
		if err != nil || c.Hook != test.hook || c.Mute != test.mute || c.Complete() != test.complete || c.String() != test.verdict {
			t.Errorf("%s: got %v, hook %v, mute %v, complete %v: %q", test.name, err, c.Hook, c.Mute, c.Complete(), c)
		}
	}
	if _, err := Examine([]byte{0xC0}); err == nil {
		t.Error("an end without a beginning is examined")
	}
}
