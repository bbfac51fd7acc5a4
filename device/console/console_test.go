package console

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/loop"
	"freizeichen/device/phone"
	"freizeichen/device/voice"
	"freizeichen/hal"
	"freizeichen/sip"
)

// silent is a phone without body, network and sound.
type silent struct{}

func (silent) Do(sip.Command)                  {}
func (silent) Show(hal.Display)                {}
func (silent) Set(voice.Plan)                  {}
func (silent) Draw(phone.View) *image.Paletted { return nil }
func (silent) Soft(phone.View) [4]string       { return [4]string{} }
func (silent) Text(v phone.View) []string {
	return []string{v.Status.Registration.String(), "zweite Zeile"}
}

// posting presses keys by posting them.
type posting struct{ loop *loop.Loop }

func (p posting) Press(k hal.Key)   { p.loop.Post(hal.KeyChange{Key: k, Down: true}) }
func (p posting) Release(k hal.Key) { p.loop.Post(hal.KeyChange{Key: k}) }
func (p posting) Hook(up bool)      { p.loop.Post(hal.HookChange{Up: up}) }

// serving is a phone with a console; the path of its socket.
func serving(t *testing.T) (string, *loop.Loop) {
	t.Helper()
	l := loop.New(loop.Config{
		Phone:   phone.New(phone.Config{Name: "201", Retention: time.Hour}),
		Network: silent{}, Body: silent{}, Voice: silent{}, Painter: silent{}, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- l.Run(ctx) }()
	path := filepath.Join(t.TempDir(), "run", "phone.sock")
	s, err := Listen(path, Config{Loop: l, Keys: posting{l}, Version: "1", Logger: slog.New(slog.DiscardHandler),
		Statistics: func(call sip.CallID) (sip.Statistics, bool) { return sip.Statistics{Sent: 50, Lost: 3}, call == 2 }})
	if err != nil {
		t.Fatal(err)
	}
	s.idle = 200 * time.Millisecond
	ran := make(chan struct{})
	go func() { s.Run(); close(ran) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-ran
		cancel()
		<-stopped
	})
	return path, l
}

func asked(t *testing.T, path, verb, argument string) Response {
	t.Helper()
	r, err := Ask(path, Request{verb, argument})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryVerbAnswersWithItsStatus(t *testing.T) {
	path, l := serving(t)
	for _, c := range []struct {
		verb, argument string
		status         Status
		text           string
	}{
		{"answer", "", Refused, "no call is ringing"},
		{"hangup", "", Refused, "there is no call"},
		{"hold", "", Refused, "the call is not in conversation"},
		{"resume", "", Refused, "no call is on hold"},
		{"dial", "abc", Refused, "not a telephone number"},
		{"dial", "115", Refused, "not registered"},
		{"transfer", "1", Refused, "the call is not in conversation"},
		{"dtmf", "1", Refused, "the call is not in conversation"},
		{"press", "any", Usage, "the keys are 0 1 2"},
		{"fly", "", NotSupported, "does not know"},
		{"press", "lift", Done, ""},
		{"press", "5", Done, ""},
		{"show", "", Done, "zweite Zeile"},
		{"transcript", "", Done, "hook     up"},
		{"status", "", Done, "registration: registering"},
	} {
		if r := asked(t, path, c.verb, c.argument); r.Status != c.status || !strings.Contains(r.Text, c.text) {
			t.Errorf("%s %s: %+v, want %d with %q", c.verb, c.argument, r, c.status, c.text)
		}
	}
	l.Post(sip.Registered{})
	l.Post(sip.Incoming{Call: 2, From: sip.Party{Name: "Ada", Number: "03023125001"}})
	if r := asked(t, path, "answer", ""); r.Status != Done {
		t.Fatalf("answer: %+v", r)
	}
	text := asked(t, path, "status", "").Text
	for _, want := range []string{"account: 201", "registration: registered", "line1: talking", "sent: 50", "lost: 3", "route: handset"} {
		if !strings.Contains(text, want) {
			t.Errorf("status lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Ada") || strings.Contains(text, "0302312") {
		t.Errorf("status tells who called:\n%s", text)
	}
}

func TestGarbageOnTheSocketIsAnsweredAndHarmsNobody(t *testing.T) {
	path, _ := serving(t)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello\n{\"verb\":7}\n" + strings.Repeat("x", 2*requestMax) + "\n")); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	for _, want := range []string{"a request is one line", "a request is one line", "longer than"} {
		if !lines.Scan() || !strings.Contains(lines.Text(), want) || !strings.Contains(lines.Text(), `"status":2`) {
			t.Fatalf("got %q, want status 2 with %q", lines.Text(), want)
		}
	}
	if r := asked(t, path, "show", ""); r.Status != Done {
		t.Fatalf("another client is answered %+v", r)
	}
}

func TestTheSocketBelongsToOnePhoneAndOneUser(t *testing.T) {
	path, _ := serving(t)
	if _, err := Listen(path, Config{}); err == nil || !strings.Contains(err.Error(), "another phone listens") {
		t.Fatalf("a second phone on the same socket: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the socket's mode is %v, %v", info.Mode(), err)
	}
	left := filepath.Join(t.TempDir(), "left.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	s, err := Listen(left, Config{})
	if err != nil {
		t.Fatalf("a left-over socket is not replaced: %v", err)
	}
	_ = s.listener.Close()
	if _, err := Ask(left, Request{Verb: "show"}); err == nil || !strings.Contains(err.Error(), "no phone listens") {
		t.Fatalf("asking nobody: %v", err)
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	letter, link := filepath.Join(dir, "letter.txt"), filepath.Join(dir, "link")
	if err := os.WriteFile(letter, []byte("Dear Ada"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(letter, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{letter, link, dir} {
		if _, err := Listen(path, Config{}); err == nil || !strings.Contains(err.Error(), path+" is not a socket; choose another path with -socket") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, err := os.ReadFile(link); err != nil || string(text) != "Dear Ada" {
		t.Errorf("the letter says %q, %v", text, err)
	}
}

func TestManyConnectionsAtOnceAreAllAnswered(t *testing.T) {
	path, _ := serving(t)
	results := make(chan error, 3*connections)
	for range cap(results) {
		go func() {
			_, err := Ask(path, Request{Verb: "show"})
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
}

func TestConnectionsThatSayNothingGiveTheirPlaceToOthers(t *testing.T) {
	path, _ := serving(t)
	for range 2 * connections {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if r := asked(t, path, "show", ""); r.Status != Done {
		t.Fatalf("behind silent connections: %+v", r)
	}
}

func TestTheStatusTellsOfTheDesk(t *testing.T) {
	told := map[string]string{}
	line := func(key, format string, values ...any) { told[key] += fmt.Sprintf(format, values...) + "|" }
	deskStatus(callcentre.View{}, line)
	if len(told) != 0 {
		t.Errorf("a phone without a desk tells %v", told)
	}
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	deskStatus(callcentre.View{
		On: true, Unsent: 2, Lost: true, Edition: &callcentre.Edition{Version: "7", At: at},
		Agent: callcentre.AgentView{State: sip.Paused, Reason: "break", Unconfirmed: true, Away: at, Problem: sip.SwitchboardAway},
		Queues: []callcentre.QueueView{
			{Name: "a"}, {Name: "b", Known: true, Stale: at}, {Name: "c", Known: true, Waiting: 2, Oldest: 90 * time.Second, Free: 1, SignedIn: 4, Paused: 1},
		},
	}, line)
	want := map[string]string{
		"agent": "paused break unconfirmed|", "switchboard": "switchboard-away since 2026-11-30T09:00:00Z|", "unsent": "2|",
		"lost": "an outcome could not be kept|", "knowledge": "7 compiled 2026-11-30T09:00:00Z|",
		"queue": `"a" unknown|"b" no data since 2026-11-30T09:00:00Z|"c" waiting 2 longest 1m30s free 1 signed-in 4 paused 1|`,
	}
	if !maps.Equal(told, want) {
		t.Errorf("told %v", told)
	}
}
