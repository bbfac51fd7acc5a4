//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/device/console"
	"freizeichen/device/phone"
	"freizeichen/firmware/selftest/report"
	"freizeichen/hal"
	"freizeichen/hal/board"
)

// nowhere is the virtual board with parts that no machine has.
func nowhere(t *testing.T) string {
	t.Helper()
	text, _ := board.Known("virt")
	return strings.NewReplacer("9030000.pl061", "nowhere", "i2c-tiny-usb*", "nowhere", "card: Handset", "card: Nowhere",
		"usb: true", "usb: false", "/dev/ttyUSB0", "/dev/nowhere").Replace(text)
}

// files writes a file for each text into a folder, which it is.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

const account = "accounts:\n  - {user: 201, password: x, domain: 127.0.0.1}\n"

func TestEachWrongOptionSaysWhatToDo(t *testing.T) {
	folder := files(t, map[string]string{"good.yaml": account, "bad.yaml": account + "languag: de\n", "empty.yaml": "language: de\n",
		"board.yaml": nowhere(t), "badboard.yaml": strings.Replace(nowhere(t), "line: HOOK", "lime: HOOK", 1)})
	for args, want := range map[string]string{
		"":                                 "-board and -config are needed; phoned -help lists the flags",
		"-board virt":                      "-board and -config are needed",
		"-config DIR/good.yaml":            "-board and -config are needed",
		"now":                              `unexpected "now"; phoned -help`,
		"-fly":                             "-fly",
		"-table pi9":                       "known are cm4, pi3, virt, zero2w",
		"-board pi9 -config DIR/good.yaml": "known are cm4, pi3, virt, zero2w",
		"-board DIR/none.yaml -config DIR/good.yaml":        "none.yaml",
		"-board DIR/badboard.yaml -config DIR/good.yaml":    `badboard.yaml:6:`,
		"-board virt -config DIR/none.yaml":                 "none.yaml",
		"-board virt -config DIR/bad.yaml":                  "bad.yaml:3:1",
		"-board virt -config DIR/empty.yaml":                "has no account; phonectl config reference shows one",
		"-board virt -config DIR/good.yaml -socket=":        "-socket needs a path",
		"-write-identity A,B,C":                             "needs the -board",
		"-board virt -write-identity A,B":                   "not SERIAL,REVISION,MAC",
		"-board virt -write-identity A,B,C":                 "not a MAC address",
		"-board virt -write-identity A,B,01:00:5e:00:00:01": "that of a group",
	} {
		var out bytes.Buffer
		status := run(t.Context(), strings.Fields(strings.ReplaceAll(args, "DIR", folder)), io.Discard, &out)
		if status != 2 || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "phoned: ") {
			t.Errorf("phoned %s: status %d, %q; want %q", args, status, out.String(), want)
		}
	}
}

func TestATableIsPrintedToBeChanged(t *testing.T) {
	var out bytes.Buffer
	if status := run(t.Context(), []string{"-table", "cm4"}, &out, io.Discard); status != 0 {
		t.Errorf("status %d", status)
	}
	if _, err := board.Parse("mine.yaml", out.Bytes()); err != nil {
		t.Errorf("what it prints is no board: %v", err)
	}
	if status := run(t.Context(), []string{"-help"}, io.Discard, &out); status != 0 || !strings.Contains(out.String(), "-data FOLDER") {
		t.Errorf("-help: status %d", status)
	}
	if _, err := parseOptions([]string{"-help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}

func TestThePanelThatIsThereCounts(t *testing.T) {
	folder := files(t, map[string]string{"phone.yaml": account + "panel: colour320x240\n"})
	for name, want := range map[string]hal.Panel{"virt": hal.Mono128x64, "cm4": hal.Colour320x240} {
		o, err := parseOptions([]string{"-board", name, "-config", filepath.Join(folder, "phone.yaml")}, io.Discard)
		if err != nil || (fmt.Sprint(o.config.Panel) == "colour320x240") != (want == hal.Colour320x240) {
			t.Errorf("%s: %v, %v", name, err, o.config.Panel)
		}
	}
}

// A running phone, as phonectl sees it.
type running struct {
	t      *testing.T
	socket string
}

func (r running) ask(verb, argument string) console.Response {
	response, err := console.Ask(r.socket, console.Request{Verb: verb, Argument: argument})
	if err != nil {
		r.t.Error(err)
	}
	return response
}

// eventually waits for what takes its time on a slow machine.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("never: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestAPhoneWithoutItsHardwareStartsAndAnswersAndEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	exchange, err := net.ListenPacket("udp", "127.0.0.1:0") // it never answers
	if err != nil {
		t.Fatal(err)
	}
	defer exchange.Close()
	folder := files(t, map[string]string{"board.yaml": nowhere(t), "phone.yaml": fmt.Sprintf(
		"language: en\naccounts:\n  - {user: 201, password: x, domain: 127.0.0.1, server: %q}\n", exchange.LocalAddr())})
	r := running{t, filepath.Join(folder, "s", "phone.sock")}
	ctx, stop := context.WithCancel(t.Context())
	var out lockedBuffer
	var status int
	var life sync.WaitGroup
	life.Go(func() {
		status = run(ctx, []string{"-board", filepath.Join(folder, "board.yaml"), "-config", filepath.Join(folder, "phone.yaml"),
			"-socket", r.socket, "-data", filepath.Join(folder, "data")}, io.Discard, &out)
	})
	eventually(t, "it answers", func() bool {
		_, err := console.Ask(r.socket, console.Request{Verb: "status"})
		return err == nil
	})
	eventually(t, "it says what is missing", func() bool {
		text := r.ask("status", "").Text
		for _, part := range []string{"hook: missing", "keypad: missing", "handset: missing", "speaker: missing", "panel: ", "lamps: "} {
			if !strings.Contains(text, "fault."+part) {
				return false
			}
		}
		return true
	})
	if response := r.ask("selftest", "power-on"); response.Status != console.Done {
		t.Errorf("power-on: %+v", response)
	}
	record, err := report.Decode([]byte(r.ask("selftest-report", "").Text))
	if err != nil || record.Metadata.Level != "power-on" || record.Metadata.ExitCode != 1 {
		t.Errorf("%v, level %s, exit code %d", err, record.Metadata.Level, record.Metadata.ExitCode)
	}
	if response := r.ask("press", "5"); response.Status != console.Done || !strings.Contains(r.ask("show", "").Text, "5") {
		t.Errorf("a key: %+v, it shows %q", response, r.ask("show", "").Text)
	}
	stop()
	life.Wait()
	if status != 0 || strings.Contains(out.String(), "password") || strings.Contains(out.String(), "panic") {
		t.Errorf("status %d, log:\n%s", status, out.String())
	}
	exchange.Close()
	eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func TestAPhoneThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	folder := files(t, map[string]string{"board.yaml": nowhere(t), "phone.yaml": account, "phone.sock": "a letter"})
	for args, want := range map[string]string{
		"-board DIR/board.yaml -config DIR/phone.yaml -socket DIR/phone.sock": "is not a socket",
	} {
		var out lockedBuffer
		if status := run(t.Context(), strings.Fields(strings.ReplaceAll(args, "DIR", folder)), io.Discard, &out); status != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: status %d, %s", args, status, out.String())
		}
	}
	limits := nowhere(t) + "limits: [{name: fun.fun, low: 0, high: 60}]\n"
	if err := os.WriteFile(filepath.Join(folder, "board.yaml"), []byte(limits), 0o600); err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	status := run(t.Context(), []string{"-board", filepath.Join(folder, "board.yaml"), "-config", filepath.Join(folder, "phone.yaml"),
		"-socket", filepath.Join(folder, "x.sock")}, io.Discard, &out)
	if status != 1 || !strings.Contains(out.String(), `no measurement is called "fun.fun"`) {
		t.Errorf("status %d, %s", status, out.String())
	}
	eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

func TestWhatComesBeforeThePhoneIsHeardFirst(t *testing.T) {
	var late latecomer
	var heard []phone.Event
	late.post(hal.HookChange{Up: true})
	late.post(hal.PartChange{Part: hal.PartPanel, Fault: hal.Missing})
	late.meet(func(e phone.Event) { heard = append(heard, e) })
	late.post(hal.HookChange{})
	if fmt.Sprint(heard) != fmt.Sprint([]phone.Event{hal.HookChange{Up: true}, hal.PartChange{Part: hal.PartPanel, Fault: hal.Missing}, hal.HookChange{}}) {
		t.Errorf("heard %v", heard)
	}
	ended := make(chan struct{})
	go func() { // whose thread ends with it
		defer close(ended)
		realTime(slog.New(slog.DiscardHandler)) // with or without the right to
	}()
	<-ended
}
