package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/device/loop"
	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/sip"
)

// A transcript of a phone in the field (phonectl transcript) that is put into testdata/field becomes a test: its events are
// played to the phone again, and it must do and show the same. Digits and numbers are not in a transcript, so "1" stands
// for all of them.
func TestTranscriptsOfTheFieldComeOutTheSame(t *testing.T) {
	files, err := filepath.Glob("testdata/field/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			again, err := replay(string(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if again != string(text) {
				t.Errorf("played again it is\n%s", again)
			}
		})
	}
}

// replay plays a transcript's events to a new phone and returns the new transcript.
func replay(text string) (string, error) {
	defaults := config.Default()
	p := phone.New(phone.Config{
		Emergency: defaults.Dial.Emergency, AutoDial: defaults.Dial.AutoDial, Retention: defaults.Calls.Retention,
		Missed: defaults.Lamps.Missed, Ringer: defaults.Sound.Volume.Ringer,
	})
	var recorder loop.Recorder
	apply := func(now time.Time, event phone.Event) {
		recorder.Step(now, event, p.Step(now, event))
		recorder.Shows(now, p.View(now))
	}
	var now time.Time
	for number, line := range strings.Split(text, "\n") {
		stamp, what, found := strings.Cut(strings.TrimSpace(line), "  ")
		at, err := time.Parse("15:04:05.000", stamp)
		if err != nil || !found {
			if number == 0 {
				apply(now, phone.Tick{})
			}
			continue // what it did and showed: the answer, not the question
		}
		event, err := parse(strings.TrimSpace(what))
		if err != nil {
			return "", fmt.Errorf("line %d: %w", number+1, err)
		}
		for due := p.Deadline(); !now.IsZero() && due.Before(at); due = p.Deadline() {
			apply(due, phone.Tick{})
		}
		now = at
		apply(now, event)
	}
	for due := p.Deadline(); due.Before(now.Add(time.Minute)); due = p.Deadline() {
		apply(due, phone.Tick{})
	}
	return recorder.String(), nil
}

// parse reads an event as loop.Recorder writes it.
func parse(line string) (phone.Event, error) {
	who, what, _ := strings.Cut(line, " ")
	what = strings.TrimSpace(what)
	switch who {
	case "hook":
		return hal.HookChange{Up: what == "up"}, nil
	case "key":
		name, move, _ := strings.Cut(what, " ")
		if name == "digit" {
			name = "1"
		}
		if held, ok := strings.CutPrefix(move, "held="); ok {
			d, err := time.ParseDuration(held)
			return hal.KeyChange{Key: hal.ParseKey(name), Down: true, Held: d}, err
		}
		return hal.KeyChange{Key: hal.ParseKey(name), Down: move == "down"}, nil
	case "headset":
		for action := range hal.HeadsetActionCount {
			if action.String() == what {
				return hal.HeadsetChange{Action: action}, nil
			}
		}
	case "part":
		for part := range hal.PartCount {
			for fault := range hal.FaultCount {
				if what == part.String()+" "+fault.String() {
					return hal.PartChange{Part: part, Fault: fault}, nil
				}
			}
		}
	case "asked":
		for verb := phone.AskAnswer; verb < phone.VerbCount; verb++ {
			if word, argument, _ := strings.Cut(what, " "); word == verb.String() {
				return phone.Request{Verb: verb, Argument: strings.ReplaceAll(argument, "…", "1")}, nil
			}
		}
	case "network":
		if event := parseNetwork(what); event != nil {
			return event, nil
		}
	}
	return nil, fmt.Errorf("this is no event: %q", line)
}

func parseNetwork(what string) sip.Event {
	word, rest, _ := strings.Cut(what, " ")
	var call sip.CallID
	var status int
	var cause, text string
	var yes, failed bool
	switch word {
	case "registered":
		return sip.Registered{Expires: duration(rest, "expires=%s")}
	case "unregistered":
		_, _ = fmt.Sscanf(rest, "cause=%s status=%d retry=%s", &cause, &status, &text)
		retry, _ := time.ParseDuration(text)
		return sip.Unregistered{Cause: causeOf(cause), Status: status, Retry: retry}
	case "incoming":
		var called string
		_, _ = fmt.Sscanf(rest, "call=%d topic=%q called=%q", &call, &text, &called)
		return sip.Incoming{Call: call, Topic: text, Called: sip.Party{Number: called}}
	case "progress":
		_, _ = fmt.Sscanf(rest, "call=%d status=%d early=%t", &call, &status, &yes)
		return sip.Progress{Call: call, Status: status, EarlyMedia: yes}
	case "answered":
		_, _ = fmt.Sscanf(rest, "call=%d", &call)
		return sip.Answered{Call: call}
	case "hold":
		_, _ = fmt.Sscanf(rest, "call=%d held=%t failed=%t", &call, &yes, &failed)
		return sip.HoldChanged{Call: call, Held: yes, Failed: failed}
	case "remote-hold":
		_, _ = fmt.Sscanf(rest, "call=%d held=%t", &call, &yes)
		return sip.RemoteHold{Call: call, Held: yes}
	case "identified":
		_, _ = fmt.Sscanf(rest, "call=%d", &call)
		return sip.Identified{Call: call}
	case "digit":
		_, _ = fmt.Sscanf(rest, "call=%d", &call)
		return sip.DigitReceived{Call: call}
	case "transfer-failed":
		_, _ = fmt.Sscanf(rest, "call=%d cause=%s status=%d", &call, &cause, &status)
		return sip.TransferFailed{Call: call, Cause: causeOf(cause), Status: status}
	case "ended":
		_, _ = fmt.Sscanf(rest, "call=%d cause=%s status=%d", &call, &cause, &status)
		return sip.Ended{Call: call, Cause: causeOf(cause), Status: status}
	}
	return nil
}

func duration(text, format string) time.Duration {
	var word string
	_, _ = fmt.Sscanf(text, format, &word)
	d, _ := time.ParseDuration(word)
	return d
}

func causeOf(name string) sip.Cause {
	for cause := range sip.Cause(sip.CauseCount) {
		if cause.String() == name {
			return cause
		}
	}
	return sip.CauseNone
}
