// Package scenario plays conversations written as text: the real loop, user agent, media, voice and simulated body against
// the real exchange, over an in-memory wire in fake time. A file of testdata is one conversation:
//
//	09:00:02  citizen  calls Ada 02812070 Elterngeld     at this time, somebody does something
//	          shows    Kreis Wesel                       and then this must be so
//
// Who can do something: hook up|down; key NAME; type DIGITS; citizen calls NAME NUMBER TOPIC; citizen hangs-up NAME;
// exchange silent|back|forgets; wire cut|joined|lossy; switchboard away|back|dies. A line "config desk" gives the phone an
// agent's desk and the exchange a switchboard, "config at DATE" says when the conversation begins by the clock of the
// place. What can be checked: shows TEXT, hides TEXT (the panel), soft TEXT (presses the key of that name), lamp
// NAME:BLINK, tone NAME, live yes|no, calls N (open on the phone), citizen hears|misses NAME (the agent's tone),
// citizen stays|gone NAME, digits DIGITS.
package scenario

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/cmd/centre"
	"freizeichen/cmd/station"
	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/hal/sim"
	"freizeichen/sip"
	"freizeichen/sip/exchange"
	"freizeichen/sip/media"
	"freizeichen/sip/siptest"
)

// callback is the number of every citizen: of the block for media productions.
const callback = "03023125001"

var (
	phoneAddress    = netip.MustParseAddrPort("192.0.2.10:5060")
	exchangeAddress = netip.MustParseAddrPort("192.0.2.1:5060")
)

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { play(t, file, string(text)) })
		})
	}
}

// stage is one phone, one exchange and the wire between them.
type stage struct {
	t        *testing.T
	wire     *siptest.Wire
	exchange *exchange.Exchange
	phone    *station.Station
	body     *sim.Body
	citizens map[string]exchange.ID
	began    time.Time
	room     *room // nil without a desk
	log      *lines
}

func play(t *testing.T, file, text string) {
	beginning(t, text)
	s := raise(t, text)
	defer func() {
		if t.Failed() {
			t.Logf("transcript of the phone:\n%s", s.phone.Transcript())
		}
	}()
	defer func() { s.private(s.phone.Transcript()) }()
	for number, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		stamp, rest := strings.TrimSpace(line[:min(8, len(line))]), strings.Fields(line[min(8, len(line)):])
		if stamp != "" {
			at, err := time.Parse("15:04:05", stamp)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, number+1, err)
			}
			due := s.began.Add(at.Sub(at.Truncate(24*time.Hour)) - 9*time.Hour)
			if time.Now().After(due) {
				t.Fatalf("%s:%d: the time goes backwards", file, number+1)
			}
			time.Sleep(time.Until(due))
		}
		if len(rest) < 2 {
			t.Fatalf("%s:%d: a line needs who and what", file, number+1)
		}
		if problem := s.line(rest[0], rest[1:]); problem != "" {
			t.Fatalf("%s:%d: %s\n%s", file, number+1, strings.TrimSpace(line), problem)
		}
		time.Sleep(5 * time.Millisecond) // what was done arrives
		synctest.Wait()
	}
}

// raise starts exchange and phone; both end with the test.
func raise(t *testing.T, text string) *stage {
	s := &stage{t: t, wire: siptest.NewWire(1), citizens: map[string]exchange.ID{}, began: time.Now(), log: &lines{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	listenRTP := func(at netip.AddrPort) (media.Conn, error) { return s.wire.Listen(at) }
	c := exchange.Default(exchange.Account{User: "201", Password: "secret"})
	c.Listen, c.Traffic, c.ListenPacket, c.ListenRTP = exchangeAddress, nil, s.wire.ListenPacket, listenRTP
	var err error
	var pbx *centre.Builtin
	if strings.Contains(text, "config   desk") {
		s.room, pbx = furnish(t, &c, log)
	}
	if s.exchange, err = exchange.New(c); err != nil {
		t.Fatal(err)
	}
	password := "secret"
	if strings.Contains(text, "wrong password") {
		password = "guess"
	}
	account, err := config.ParseAccountURL("sip:201:" + password + "@" + exchangeAddress.String())
	if err != nil {
		t.Fatal(err)
	}
	account.Expires = time.Minute
	settings := config.Default()
	settings.Accounts, settings.Network.Local = []config.Account{account}, phoneAddress
	var dial func(context.Context, string, string) (net.Conn, error)
	if s.room != nil {
		pbx.Attach(s.exchange)
		settings.Centre, dial = s.room.centre, s.room.net.dial
	}
	sound, err := sim.ParseSound("tone:1020")
	if err != nil {
		t.Fatal(err)
	}
	device, err := sound.Open()
	if err != nil {
		t.Fatal(err)
	}
	s.body = sim.NewBody(func(k hal.KeyChange) { s.phone.Post(k) }, func(h hal.HookChange) { s.phone.Post(h) })
	s.phone, err = station.New(station.Config{
		Config: settings, Body: s.body, Sound: device, Version: "test", Logger: log,
		ListenPacket: s.wire.ListenPacket, ListenRTP: listenRTP, DialSwitchboard: dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.run()
	return s
}

// private fails when a text tells who has called, or an agent's PIN. What runs into logs is collected at the level that
// operators have.
func (s *stage) private(texts ...string) {
	for _, text := range append(texts, s.log.String()) {
		for _, secret := range []string{callback, "Ada", "Grace", "Edsger", "1234#", "5678"} {
			if strings.Contains(text, secret) {
				s.t.Errorf("%q is told:\n%s", secret, text)
			}
		}
	}
}

// lines is what was logged, from any goroutine.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (s *stage) run() {
	phones, stopPhone := context.WithCancel(s.t.Context())
	exchanges, stopExchange := context.WithCancel(context.WithoutCancel(s.t.Context()))
	phoneEnded, exchangeEnded := make(chan error, 1), make(chan error, 1)
	if s.room != nil {
		s.room.run()
	}
	go func() { exchangeEnded <- s.exchange.Run(exchanges) }()
	go func() { phoneEnded <- s.phone.Run(phones) }()
	s.t.Cleanup(func() {
		stopPhone()
		if err := <-phoneEnded; err != nil {
			s.t.Errorf("the phone ended with %v", err)
		}
		stopExchange()
		if err := <-exchangeEnded; err != nil {
			s.t.Errorf("the exchange ended with %v", err)
		}
		if s.room != nil {
			s.room.end(s.t)
		}
	})
}

// line does or checks one thing; the answer says what is wrong.
func (s *stage) line(who string, what []string) string {
	if check, ok := checks[who]; ok {
		return check(s, what)
	}
	if act, ok := acts[who]; ok {
		return act(s, what)
	}
	if who == "citizen" {
		return s.citizen(what[0], what[1:])
	}
	return "nobody is called " + who
}

var acts = map[string]func(s *stage, what []string) string{
	"hook": func(s *stage, what []string) string { s.body.Hook(what[0] == "up"); return "" },
	"key":  func(s *stage, what []string) string { return s.press(hal.ParseKey(what[0])) },
	"type": func(s *stage, what []string) string {
		for _, digit := range what[0] {
			if problem := s.press(hal.ParseKey(string(digit))); problem != "" {
				return problem
			}
		}
		return ""
	},
	"exchange": func(s *stage, what []string) string {
		switch what[0] {
		case "silent", "back":
			s.exchange.Silence(what[0] == "silent")
		case "forgets":
			s.exchange.Forget()
		default:
			return "an exchange cannot do that"
		}
		return ""
	},
	"wire": func(s *stage, what []string) string {
		switch what[0] {
		case "cut":
			s.wire.Cut(phoneAddress.Addr(), exchangeAddress.Addr())
		case "joined":
			s.wire.Join(phoneAddress.Addr(), exchangeAddress.Addr())
		case "lossy":
			s.wire.SetFaults(siptest.Faults{Loss: 0.1, Duplicate: 0.05, Jitter: 30 * time.Millisecond})
		default:
			return "a wire cannot be that"
		}
		return ""
	},
	"switchboard": func(s *stage, what []string) string {
		switch what[0] {
		case "away", "back":
			s.room.net.pull(what[0] == "away")
			return ""
		case "dies":
			s.room.end(s.t)
			return ""
		}
		return "a switchboard cannot be that"
	},
	"soft": func(s *stage, what []string) string {
		for i, word := range s.body.Display().Soft {
			if word == strings.Join(what, " ") {
				return s.press(hal.KeySoft1 + hal.Key(i))
			}
		}
		return fmt.Sprintf("the keys are %q", s.body.Display().Soft)
	},
	"config": func(*stage, []string) string { return "" }, // read before the stage is raised
}

func (s *stage) press(key hal.Key) string {
	if key == hal.KeyNone {
		return "there is no such key"
	}
	s.body.Press(key)
	s.body.Release(key)
	return ""
}

func (s *stage) citizen(what string, rest []string) string {
	name := rest[0]
	switch what {
	case "calls":
		s.citizens[name] = s.exchange.Call(exchange.Citizen{
			Party: sip.Party{Name: name, Number: callback}, Called: rest[1], Topic: strings.Join(rest[2:], " "),
		})
		if s.citizens[name] == 0 {
			return "no queue has this number"
		}
	case "hangs-up":
		s.exchange.HangUp(s.citizens[name])
	case "hears", "misses":
		heard := tone(s.exchange.Heard(s.citizens[name]), 1020)
		if heard != (what == "hears") {
			return fmt.Sprintf("the agent's tone is heard: %t", heard)
		}
	case "gone":
		if s.exchange.Present(s.citizens[name]) {
			return "still there"
		}
	case "stays":
		if !s.exchange.Present(s.citizens[name]) {
			return "gone"
		}
	default:
		return "a citizen cannot do that"
	}
	return ""
}

var checks = map[string]func(s *stage, what []string) string{
	"shows": func(s *stage, what []string) string { return s.panel(strings.Join(what, " "), true) },
	"hides": func(s *stage, what []string) string { return s.panel(strings.Join(what, " "), false) },
	"lamp": func(s *stage, what []string) string {
		for _, want := range what {
			name, blink, _ := strings.Cut(want, ":")
			for lamp := range hal.LampCount {
				if got := s.body.Display().Lamps[lamp].String(); lamp.String() == name && got != blink {
					return fmt.Sprintf("lamp %s is %s", name, got)
				}
			}
		}
		return ""
	},
	"tone": func(s *stage, what []string) string { return differs(s.phone.View().Sound.Tone.String(), what[0]) },
	"live": func(s *stage, what []string) string {
		return differs(map[bool]string{true: "yes", false: "no"}[s.phone.View().Sound.Live != 0], what[0])
	},
	"calls": func(s *stage, what []string) string {
		open := 0
		for _, call := range s.phone.View().Sound.Calls {
			if call != sip.CallID(0) {
				open++
			}
		}
		return differs(fmt.Sprint(open), what[0])
	},
	"digits":     func(s *stage, what []string) string { return differs(s.exchange.Digits("201"), what[0]) },
	"registered": func(s *stage, what []string) string { return differs(fmt.Sprint(s.registered()), what[0]) },
}

func (s *stage) registered() bool { return s.phone.View().Status.Registration == phone.Registered }

func (s *stage) panel(text string, want bool) string {
	shown := strings.Join(s.body.Display().Text, "\n")
	if strings.Contains(shown, text) != want {
		return "the panel shows\n" + shown
	}
	return ""
}

func differs(got, want string) string {
	if got == want {
		return ""
	}
	return "it is " + got
}
