package hostile

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"freizeichen/device/phone"
	"freizeichen/hal"
)

// strangersDoNotDisturbACall lets one enemy after the other send what he likes to a phone in a call, and to its exchange.
func strangersDoNotDisturbACall(t *testing.T) {
	for _, enemy := range []struct {
		name string
		do   func(*testing.T, *desk, *stranger)
	}{
		{"garbage", garbage},
		{"damaged messages", damaged},
		{"requests of no call", ofNoCall},
		{"scanners", scan},
		{"too much", tooMuch},
		{"floods at the exchange", func(t *testing.T, d *desk, s *stranger) {
			s.to = d.pbxAddress()
			flood(t, s, "REGISTER", "201", 2000)
			flood(t, s, "INVITE", "02812070", 1000)
			flood(t, s, "INVITE", "112", 1000) // emergency calls need no password
		}},
		{"a flood of OPTIONS", func(t *testing.T, d *desk, s *stranger) { flood(t, s, "OPTIONS", "201", 10000) }},
		{"a flood of INVITE", func(t *testing.T, d *desk, s *stranger) {
			flood(t, s, "INVITE", "201", 5000)
			if d.rings() {
				t.Error("a stranger's call rings")
			}
		}},
		{"a flood of INVITE that ring", func(t *testing.T, d *desk, s *stranger) {
			flood(t, s, "INVITE", d.contact(), 5000)
			if n := len(d.states()); n != 2 {
				t.Errorf("%d calls, want the citizen's and one that knocks", n)
			}
		}},
	} {
		t.Run(enemy.name, func(t *testing.T) { disturb(t, enemy.do) })
	}
}

// disturb is one enemy, and what must hold after him.
func disturb(t *testing.T, enemy func(*testing.T, *desk, *stranger)) {
	d := raise(t, ground{tap: true})
	d.await("registered", 10*time.Second, d.registered)
	before := weigh()
	d.talk(ada)
	s := newStranger(t, "127.0.0.2", d.address)
	enemy(t, d, s)
	s.leave()
	id := d.citizens[len(d.citizens)-1]
	d.wantSound(id)
	rejectStrangers(d)
	d.body.Hook(false)
	d.await("the citizen is gone", 10*time.Second, func() bool { return !d.exchange.Present(id) })
	d.wantWork()
	if n := d.log.len(); n > 2000 {
		t.Errorf("the enemy has filled the log with %d entries", n)
	}
	// What the transactions remember for 32 s is bounded: 8 MB in the phone, 32 MB in the exchange; there it has ten
	// emergency calls of unknown phones, too, with two sockets each.
	wantNoMore(t, before, burden{goroutines: 20, heap: 40 << 20})
}

func garbage(_ *testing.T, d *desk, s *stranger) {
	for _, to := range []netip.AddrPort{d.address, d.pbxAddress()} {
		s.to = to
		for _, text := range []string{"", "\r\n", "\r\n\r\n", "\x00", "INVITE", "SIP/2.0", "SIP/2.0 200 OK\r\n\r\n", strings.Repeat("\r\n", 30000),
			strings.Repeat("\x00", 65000), strings.Repeat("A", 65000), "INVITE sip:201@x SIP/2.0\r\n\r\n"} {
			s.send(text)
		}
		for range 2000 {
			text := make([]byte, s.dice.IntN(1500))
			for i := range text {
				text[i] = byte(s.dice.IntN(256))
			}
			s.send(string(text))
		}
	}
}

// damaged sends messages of an earlier call with damages. What is whole by chance belongs to no dialog any more, or is an
// INVITE that rings.
func damaged(t *testing.T, d *desk, s *stranger) {
	d.press(hal.KeyHold)
	d.await("held", 5*time.Second, func() bool { return slices.Contains(d.states(), phone.Held) })
	d.body.Hook(false)
	d.press(hal.KeyCancel)
	d.await("in no call", 5*time.Second, d.inNoCall)
	for _, id := range d.citizens {
		d.exchange.HangUp(id)
	}
	received, sent := d.tapped.messages()
	d.talk(ada)
	for i := range 3000 {
		s.to, s.dice = d.address, rand.New(rand.NewPCG(uint64(i), 1))
		s.send(mutate(s.dice, received[s.dice.IntN(len(received))]))
		s.to = d.pbxAddress()
		s.send(mutate(s.dice, sent[s.dice.IntN(len(sent))]))
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// rejectStrangers refuses what rings, as an agent would.
func rejectStrangers(d *desk) {
	for range 100 {
		if !d.rings() {
			return
		}
		d.press(hal.KeyCancel)
		time.Sleep(20 * time.Millisecond)
	}
	d.t.Fatal("strangers' calls do not end")
}

func ofNoCall(t *testing.T, d *desk, s *stranger) {
	for _, to := range []netip.AddrPort{d.address, d.pbxAddress()} {
		s.to = to
		for _, method := range []string{"BYE", "CANCEL", "ACK", "UPDATE", "INFO", "NOTIFY", "PRACK", "REFER", "SUBSCRIBE", "MESSAGE", "PUBLISH", "REGISTER", "X"} {
			for _, tag := range []string{"", ";tag=wrong"} {
				for range 20 {
					s.send(s.write(letter{method: method, user: "201", to: tag}))
				}
			}
		}
		for _, status := range []string{"100 Trying", "180 Ringing", "200 OK", "302 Moved", "401 Unauthorized", "486 Busy", "699 ?"} {
			for _, method := range []string{"INVITE", "REGISTER", "OPTIONS", "BYE"} {
				request := s.write(letter{method: method, user: "201", to: ";tag=wrong",
					fields: []string{`WWW-Authenticate: Digest realm="x", nonce="y"`}})
				_, rest, _ := strings.Cut(request, "\r\n")
				s.send("SIP/2.0 " + status + "\r\n" + rest)
			}
		}
	}
	got := s.answers(300 * time.Millisecond)
	if got["481"] == 0 {
		t.Errorf("no request of no call was answered 481: %v", got)
	}
}

// scan rings at many doors, as programs do that look for open exchanges.
func scan(t *testing.T, d *desk, s *stranger) {
	for i := range 1000 {
		s.send(s.write(letter{method: "INVITE", user: fmt.Sprint(100 + i + i/101*2), body: offer(s.address())}))
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	got := s.answers(300 * time.Millisecond)
	if got["404"] < 500 || d.rings() {
		t.Errorf("answers to a scanner: %v", got)
	}
}

// tooMuch sends messages as large as datagrams can be.
func tooMuch(_ *testing.T, d *desk, s *stranger) {
	long := strings.Repeat("x", 60000)
	var many []string
	for i := range 4000 {
		many = append(many, fmt.Sprintf("X-%d: %d", i, i))
	}
	folded := "Subject: a" + strings.Repeat("\r\n b", 15000)
	vias := "Via: " + strings.TrimSuffix(strings.Repeat("SIP/2.0/UDP a,", 4000), ",")
	routes := "Record-Route: " + strings.TrimSuffix(strings.Repeat("<sip:a>,", 7000), ",")
	formats := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP" + strings.Repeat(" 9", 4000) + "\r\n" +
		strings.Repeat("a=rtpmap:7 x/1\r\n", 480)
	for _, to := range []netip.AddrPort{d.address, d.pbxAddress()} {
		s.to = to
		for range 10 {
			for _, l := range []letter{
				{fields: many}, {fields: []string{folded}}, {fields: []string{vias}}, {fields: []string{routes}}, {body: formats}, {body: long},
				{fields: []string{"Subject: " + long}}, {fields: []string{"Allow: " + strings.Repeat("A,", 30000)}}, {to: ";" + long}, {callID: long},
				{from: `"` + long + `" <sip:a@b>`}, {from: "<sip:a@b;" + long + ">"}, {user: long}, {method: long},
				{fields: []string{"Diversion: " + strings.Repeat("<sip:1@a>,", 6000)}},
				{fields: []string{"P-Asserted-Identity: " + strings.Repeat(`"Eva Geheim" <sip:1@a>,`, 2500)}},
			} {
				if l.method == "" {
					l.method = "INVITE"
				}
				if l.user == "" {
					l.user = d.contact()
				}
				s.send(s.write(l))
			}
			time.Sleep(10 * time.Millisecond) // a socket's buffer has room for a few of them
			rejectStrangers(d)
		}
	}
}

// flood sends n requests, 10,000 a second.
func flood(t *testing.T, s *stranger, method, user string, n int) {
	began := time.Now()
	for i := range n {
		body := ""
		if method == "INVITE" {
			body = offer(s.address())
		}
		s.send(s.write(letter{method: method, user: user, body: body, fields: []string{"Subject: Eva Geheim"}}))
		if i%100 == 0 {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / 10000)))
		}
	}
	if got := s.answers(200 * time.Millisecond); len(got) == 0 {
		t.Errorf("nobody has answered a flood of %s", method)
	}
}

// nobodyWritesOnThePanel looks at what a caller's texts become.
func nobodyWritesOnThePanel(t *testing.T) {
	d := raise(t, ground{})
	d.await("registered", 10*time.Second, d.registered)
	s := newStranger(t, "127.0.0.1", d.address)
	for _, text := range []string{
		"Elterngeld\x1b[2J", "A\u202eB", "a\u2028b", "\xff\xfe\xc0\xaf", "%s%d%n", "<script>alert(1)</script>", strings.Repeat("Ü", 5000),
		strings.Repeat("e\u0301\u0302\u0303", 300), "\u200b\u200d\ufeff", "line\x85two", "日本語 عربى", `\"`, `"; lr`, "%0d%0aInjected: 1",
	} {
		from := fmt.Sprintf("%q <sip:%%0d%%0aX@stranger.example>", "x")
		from = strings.Replace(from, "x", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text), 1)
		s.send(s.write(letter{method: "INVITE", user: "201", from: from, body: offer(s.address()), fields: []string{
			"Subject: " + text, "Diversion: <sip:%1b%5b2J@" + "a" + ">", "P-Asserted-Identity: <sip:%00%0a@b>",
		}}))
		answers := s.answers(150 * time.Millisecond)
		lines := d.body.Display().Text
		for _, line := range lines {
			if !utf8.ValidString(line) || len(line) > 1000 ||
				strings.ContainsFunc(line, func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }) {
				t.Errorf("subject %q: the panel says %q", text, line)
			}
		}
		if !d.rings() && answers["400"] == 0 {
			t.Errorf("subject %q neither rings nor is refused: %v", text, answers)
		}
		d.press(hal.KeyCancel)
		d.await("at rest", 5*time.Second, d.inNoCall)
	}
	if strings.Contains(d.phone.Transcript(), "\x1b") {
		t.Error("the transcript has a control character")
	}
}
