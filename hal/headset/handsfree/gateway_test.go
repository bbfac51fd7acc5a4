package handsfree

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/hal"
)

func lamps(text string) hal.HeadsetLamps {
	has := func(word string) bool { return strings.Contains(" "+text+" ", " "+word+" ") }
	return hal.HeadsetLamps{Ring: has("ring"), OffHook: has("off-hook"), Mute: has("mute"), Hold: has("hold")}
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

// transcript plays the lines of a conversation that begin with shows, hears or waits at their times, and is the
// conversation as it was: with what was said to the headset and what its commands meant.
func transcript(text string) string {
	var g Gateway
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	var out strings.Builder
	at := ""
	say := func(verb, what string) {
		fmt.Fprintf(&out, "%s %s %s\n", at, verb, what)
		at = ""
	}
	says := func() {
		for _, line := range strings.Split(string(g.Output()), "\r\n") {
			if line != "" {
				say("says", line)
			}
		}
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		offset, err := time.ParseDuration(fields[0])
		if err != nil {
			continue // what was said or meant
		}
		if verb := fields[1]; verb != "shows" && verb != "hears" && verb != "waits" {
			continue // or was at its own time
		}
		now := start.Add(offset)
		for d := g.Deadline(); !d.IsZero() && !d.After(now); d = g.Deadline() {
			at = d.Sub(start).String()
			g.Tick(d)
			says()
		}
		at = fields[0]
		verb, what := fields[1], strings.Join(fields[2:], " ")
		say(verb, what)
		switch verb {
		case "shows":
			g.Show(now, lamps(what))
		case "hears":
			for _, c := range g.Input(now, []byte(what+"\r")) {
				say("means", c.Action.String())
			}
		}
		says()
	}
	return out.String()
}

func TestConversationsRunAsWritten(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"what is refused", `
			0s  hears  hello
			    says   ERROR
			0s  hears  A
			    says   ERROR
			0s  hears  AT+
			    says   ERROR
			0s  hears  AT+XYZ=1
			    says   ERROR
			0s  hears  AT+VGS=16
			    says   ERROR
			0s  hears  AT+VGS=-1
			    says   ERROR
			0s  hears  AT+VGM=
			    says   ERROR
			0s  hears  AT+BRSF=x
			    says   ERROR
			0s  hears  AT+CMER=3
			    says   ERROR
			0s  hears  AT+CKPD=201
			    says   ERROR
			0s  hears  ATA
			    says   ERROR
			0s  hears  AT+CHUP
			    says   ERROR
			0s  hears  AT+CHLD=0
			    says   ERROR
			0s  hears  AT+CHLD=2
			    says   ERROR
			0s  hears  AT+CHLD=7
			    says   ERROR
			0s  hears  ATD112;
			    says   ERROR
			0s  hears  ATD>1;
			    says   ERROR
			0s  hears  AT+VTS=5
			    says   ERROR
			0s  hears  AT+NREC=0
			    says   ERROR
			0s  hears  AT+BVRA=1
			    says   ERROR
		`},
		{"a headset with one button answers and ends", `
			0s     hears  AT
			       says   OK
			1s     shows  ring
			       says   RING
			4s     says   RING
			5s     hears  AT+CKPD=200
			       means  off-hook
			       says   OK
			5.01s  shows  off-hook
			20s    hears  at+ckpd=200
			       means  on-hook
			       says   OK
			20.1s  shows  dark
			90s    waits
		`},
		{"and begins", `
			0s     hears  AT+CKPD=200
			       means  off-hook
			       says   OK
			0.1s   shows  off-hook
		`},
		{"a hands-free unit makes itself known, answers, holds, ends", `
			0s     hears  AT+BRSF=191
			       says   +BRSF: 33
			       says   OK
			0s     hears  AT+CIND=?
			       says   +CIND: ("service",(0,1)),("call",(0,1)),("callsetup",(0-3)),("callheld",(0-2)),("signal",(0-5)),("roam",(0,1)),("battchg",(0-5))
			       says   OK
			0s     hears  AT+CIND?
			       says   +CIND: 1,0,0,0,5,0,5
			       says   OK
			0s     hears  AT+CMER=3,0,0,1
			       says   OK
			0s     hears  AT+CHLD=?
			       says   +CHLD: (0,1,2)
			       says   OK
			0s     hears  AT+CLIP=1
			       says   OK
			0s     hears  AT+CCWA=1
			       says   OK
			0s     hears  AT+BIA=0,0,0,0,0,0,0
			       says   OK
			0s     hears  AT+COPS=3,0
			       says   OK
			0s     hears  AT+COPS?
			       says   +COPS: 0
			       says   OK
			1s     shows  ring
			       says   +CIEV: 3,1
			       says   RING
			4s     says   RING
			5s     hears  ATA
			       means  off-hook
			       says   OK
			5.1s   shows  off-hook
			       says   +CIEV: 2,1
			       says   +CIEV: 3,0
			9s     hears  AT+CHLD=2
			       means  flash
			       says   OK
			9.1s   shows  off-hook hold
			       says   +CIEV: 4,1
			9.2s   shows  hold
			       says   +CIEV: 4,2
			9.3s   hears  AT+CIND?
			       says   +CIND: 1,1,0,2,5,0,5
			       says   OK
			10s    shows  off-hook
			       says   +CIEV: 4,0
			20s    hears  AT+CHUP
			       means  on-hook
			       says   OK
			20.1s  shows  dark
			       says   +CIEV: 2,0
			30s    hears  AT+CMER=3,0,0,0
			       says   OK
			31s    shows  off-hook
		`},
		{"a call is rejected", `
			0s     shows  ring
			       says   RING
			1s     hears  AT+CHUP
			       means  reject
			       says   OK
			1.1s   shows  dark
			9s     waits
		`},
		{"a second call does not ring in the first; it is rejected, taken, or taken and the first held", `
			0s     shows  off-hook
			1s     shows  off-hook ring
			2s     hears  AT+CHLD=0
			       means  reject
			       says   OK
			3s     hears  AT+CHLD=1
			       means  on-hook
			       means  off-hook
			       says   OK
			4s     hears  AT+CHLD=2
			       means  flash
			       means  off-hook
			       says   OK
			5s     shows  ring
			       says   RING
			6s     shows  off-hook
			7s     hears  AT+CHLD=1
			       means  on-hook
			       says   OK
		`},
		{"redial", `
			0s     hears  AT+BLDN
			       means  redial
			       says   OK
		`},
		{"volume: the first word only says where it stands", `
			0s     hears  AT+VGS=9
			       says   OK
			1s     hears  AT+VGS=10
			       means  volume-up
			       says   OK
			2s     hears  AT+VGS=10
			       says   OK
			3s     hears  AT+VGS=2
			       means  volume-down
			       says   OK
		`},
		{"mute of a headset", `
			0s     shows  off-hook
			1s     hears  AT+VGM=8
			       says   OK
			2s     hears  AT+VGM=0
			       means  mute
			       says   OK
			2.1s   shows  off-hook mute
			       says   +VGM=0
			3s     hears  AT+VGM=0
			       says   OK
			4s     shows  off-hook
			       says   +VGM=8
			5s     shows  off-hook mute
			       says   +VGM=0
			6s     hears  AT+VGM=8
			       means  unmute
			       says   OK
		`},
		{"a base that connects in a muted call and says its gain does not open the microphone", `
			0s     shows  off-hook mute
			       says   +VGM=0
			1s     hears  AT+VGM=9
			       says   +VGM=0
			       says   OK
			2s     hears  AT+VGM=9
			       means  unmute
			       says   OK
			2.1s   shows  off-hook
			       says   +VGM=9
		`},
		{"nor does a hands-free unit, whenever it connects anew", `
			0s     hears  AT+BRSF=0
			       says   +BRSF: 33
			       says   OK
			0s     hears  AT+VGM=9
			       says   OK
			1s     shows  off-hook mute
			       says   +VGM: 0
			2s     hears  AT+BRSF=0
			       says   +BRSF: 33
			       says   OK
			2s     hears  AT+VGM=9
			       says   +VGM: 0
			       says   OK
		`},
		{"a headset that says 0 first is muted", `
			0s     shows  off-hook
			1s     hears  AT+VGM=0
			       means  mute
			       says   OK
		`},
		{"a microphone that was muted between two calls is opened for the next one", `
			0s     hears  AT+VGM=7
			       says   OK
			1s     hears  AT+VGM=0
			       means  mute
			       says   OK
			2s     shows  off-hook
			       says   +VGM=7
			3s     shows  dark
			4s     shows  off-hook
			5s     shows  off-hook mute
			       says   +VGM=0
			6s     shows  mute
			7s     shows  off-hook mute
			8s     hears  AT+VGM=7
			       means  unmute
			       says   OK
			9s     shows  mute
			10s    shows  off-hook mute
			       says   +VGM=0
		`},
		{"mute of a hands-free unit", `
			0s     hears  AT+BRSF=0
			       says   +BRSF: 33
			       says   OK
			1s     shows  off-hook mute
			       says   +VGM: 0
			2s     shows  off-hook
			       says   +VGM: 15
		`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := transcript(test.text); tidy(got) != tidy(test.text) {
				t.Errorf("got\n%s\nwant\n%s", got, test.text)
			}
		})
	}
}

func TestLinesMayComeInPiecesWithAnyEndAndTooLong(t *testing.T) {
	var g Gateway
	for _, piece := range []string{"\r\n\nA", "T+CK", "PD=200\r", "\nAT\nAT+VGS=", strings.Repeat("1", 10_000), "\rAT\r"} {
		for _, c := range g.Input(time.Time{}, []byte(piece)) {
			fmt.Fprintf(discard{&g}, "<%v>", c.Action)
		}
	}
	if got, want := string(g.Output()), "\r\nOK\r\n<off-hook>\r\nOK\r\n\r\nERROR\r\n\r\nOK\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if cap(g.lines.line) > 2*lineMax {
		t.Errorf("the line buffer holds %d bytes", cap(g.lines.line))
	}
}

// A discard puts what a test notes among the answers.
type discard struct{ g *Gateway }

func (d discard) Write(b []byte) (int, error) { d.g.out = append(d.g.out, b...); return len(b), nil }

func FuzzInput(f *testing.F) {
	for _, line := range []string{"AT+CKPD=200\r", "AT+CIND=?\rAT+CIND?\r", "ATD112;\r", "at+vgs=9\r\nAT+VGM=0\r", "AT+CHLD=2\r", "\xff\x00AT\r"} {
		f.Add([]byte(line), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, state uint8) {
		var g Gateway
		now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
		g.Show(now, hal.HeadsetLamps{Ring: state&1 > 0, OffHook: state&2 > 0, Mute: state&4 > 0, Hold: state&8 > 0})
		g.Output()
		changes := g.Input(now, data)
		ends := strings.Count(string(data), "\r") + strings.Count(string(data), "\n")
		out := string(g.Output())
		answers := strings.Count(out, "\r\nOK\r\n") + strings.Count(out, "\r\nERROR\r\n")
		if len(changes) > 2*ends || answers > ends {
			t.Fatalf("%q: %d changes, %d answers to %d lines", data, len(changes), answers, ends)
		}
		if strings.Count(out, "\r\n")%2 != 0 || len(out) > 200*ends {
			t.Fatalf("%q is answered by %q", data, out)
		}
	})
}
