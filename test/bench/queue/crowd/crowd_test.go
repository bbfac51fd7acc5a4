//go:build linux

package crowd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

const notify = "NOTIFY sip:crowd7@127.0.0.1:5070 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nv: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n" +
	"From: <sip:cc-zulassung@pbx>;tag=a\r\nt: <sip:crowd7@pbx>;tag=7\r\nCall-ID: 7@crowd\r\nCSeq: 4 NOTIFY\r\n" +
	"Subscription-State: active;expires=3599\r\nContent-Length:   4\r\n\r\nbody"

func TestAnAnswerRepeatsWhatTheRequestSaid(t *testing.T) {
	m, ok := read([]byte(notify))
	if !ok || m.status != 0 || string(m.method) != "NOTIFY" || m.sequence != 4 || string(m.id) != "7@crowd" || string(m.body) != "body" || m.expired {
		t.Fatalf("%+v", m)
	}
	want := "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nv: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n" +
		"From: <sip:cc-zulassung@pbx>;tag=a\r\nTo: <sip:crowd7@pbx>;tag=7\r\nCall-ID: 7@crowd\r\nCSeq: 4 NOTIFY\r\nContent-Length: 0\r\n\r\n"
	if got := string(m.answer(nil, "200 OK")); got != want {
		t.Errorf("answer\n%s\nnot\n%s", got, want)
	}
}

func TestResponsesAndEndsAreRead(t *testing.T) {
	m, ok := read([]byte("SIP/2.0 401 Unauthorized\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: 1@crowd\r\nCSeq: 1 SUBSCRIBE\r\nWWW-Authenticate: Digest one\r\nWWW-Authenticate: Digest two\r\n\r\n"))
	if !ok || m.status != 401 || m.sequence != 1 || string(m.challenge) != "Digest one" {
		t.Errorf("%+v", m)
	}
	m, ok = read([]byte(strings.Replace(notify, "active;expires=3599", "terminated;reason=timeout", 1)))
	if !ok || !m.expired {
		t.Errorf("%+v", m)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for _, broken := range []string{
		"", "\r\n\r\n", "hello", "SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 99 x\r\n\r\n", "SIP/2.0 x\r\n\r\n", strings.TrimSuffix(notify, "\r\n\r\nbody"),
		strings.Replace(notify, "CSeq: 4 NOTIFY", "CSeq: 4 INVITE", 1), strings.Replace(notify, "CSeq: 4", "CSeq: x", 1),
		strings.Replace(notify, "Call-ID: 7@crowd\r\n", "", 1), strings.Replace(notify, "From: ", "From ", 1), strings.Replace(notify, " SIP/2.0\r\n", "\r\n", 1),
	} {
		if m, ok := read([]byte(broken)); ok {
			t.Errorf("%q was read as %+v", broken, m)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(notify))
	f.Add([]byte("SIP/2.0 401 Unauthorized\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: 1@crowd\r\nCSeq: 1 SUBSCRIBE\r\nWWW-Authenticate: Digest one\r\n\r\n"))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		m, ok := read(datagram)
		if !ok || m.status != 0 {
			return
		}
		again, ok := read(m.answer(nil, "200 OK"))
		if !ok || again.status != 200 || again.sequence != m.sequence || string(again.id) != string(m.id) || string(again.method) != string(m.method) {
			t.Errorf("the answer to %q is %q", datagram, m.answer(nil, "200 OK"))
		}
	})
}

// A server that challenges, and notifies on order.
type server struct {
	conn *net.UDPConn

	mu    sync.Mutex
	lose  int               // SUBSCRIBE requests to be ignored
	seats map[string]string // address by Call-ID
}

// startServer ignores the first SUBSCRIBE requests.
func startServer(t *testing.T, lose int) *server {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{conn: conn, lose: lose, seats: map[string]string{}}
	var running sync.WaitGroup
	running.Go(s.serve)
	t.Cleanup(func() { conn.Close(); running.Wait() })
	return s
}

func (s *server) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		m, ok := read(buf[:n])
		if !ok || m.status != 0 {
			continue
		}
		text, id := string(buf[:n]), string(m.id)
		s.mu.Lock()
		switch {
		case s.lose > 0:
			s.lose--
		case !strings.Contains(text, `nonce="n1"`):
			answer := strings.TrimSuffix(string(m.answer(nil, "401 Unauthorized")), "\r\n") + "WWW-Authenticate: Digest realm=\"r\",nonce=\"n1\",qop=\"auth\"\r\n\r\n"
			s.send(from.String(), answer)
		default:
			s.send(from.String(), string(m.answer(nil, "200 OK")))
			s.seats[id] = from.String()
			s.notify(id, 1, 0)
		}
		s.mu.Unlock()
	}
}

func (s *server) send(to, text string) {
	_, _ = s.conn.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort(to))
}

// notify sends a NOTIFY; the mu is held.
func (s *server) notify(id string, sequence, value int) {
	s.send(s.seats[id], fmt.Sprintf("NOTIFY sip:c SIP/2.0\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: %s\r\nCSeq: %d NOTIFY\r\nSubscription-State: active\r\n\r\n%d", id, sequence, value))
}

// change sends a NOTIFY to all but one, and tells how many there are.
func (s *server) change(sequence, value int, but string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.seats {
		if id != but {
			s.notify(id, sequence, value)
		}
	}
	return len(s.seats)
}

func TestAllPhonesAreCounted(t *testing.T) {
	s := startServer(t, 1)
	c, err := Open(Config{Server: netip.MustParseAddrPort(s.conn.LocalAddr().String()), Domain: "pbx", Resource: "cc-zulassung", Event: "presence", Password: "geheim", Phones: 100,
		Value: func(body []byte) (int, bool) { var n int; _, err := fmt.Sscan(string(body), &n); return n, err == nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Subscribe(ctx); err != nil {
		t.Fatal(err)
	}
	c.Expect(1)
	if n := s.change(2, 0, ""); n != 100 { // no phone has heard 1
		t.Fatalf("%d phones are at the server", n)
	}
	wait := func(done func(Arrivals) bool) {
		t.Helper()
		for a, _ := c.arrivals(); !done(a); a, _ = c.arrivals() {
			time.Sleep(pollEvery)
			if ctx.Err() != nil {
				t.Fatalf("%+v", a)
			}
		}
	}
	wait(func(a Arrivals) bool { return a.Packets >= 100 })
	if a, _ := c.arrivals(); a.Reached != 0 || !a.First.IsZero() {
		t.Errorf("nobody has heard the value, but %+v", a)
	}
	s.change(3, 1, "5@crowd")
	s.change(3, 1, "5@crowd") // again
	s.mu.Lock()
	s.notify("5@crowd", 3, 1)
	s.mu.Unlock()
	a := c.Gather(ctx, 200*time.Millisecond)
	if a.Reached != 100 || a.First.IsZero() || a.Last.Before(a.First) || a.Again == 0 || a.Packets <= 200 || a.Bytes < a.Packets*100 {
		t.Errorf("%+v", a)
	}
	c.Expect(0)
	s.change(4, 0, "5@crowd")
	wait(func(a Arrivals) bool { return a.Reached >= 99 })
	cancel()
	if a := c.Gather(ctx, 0); a.Reached != 99 {
		t.Errorf("one phone was left out: %+v", a)
	}
}

func TestAPhoneThatIsRefusedEndsIt(t *testing.T) {
	s := startServer(t, 0)
	c, err := Open(Config{Server: netip.MustParseAddrPort(s.conn.LocalAddr().String()), Phones: 3, Value: func([]byte) (int, bool) { return 0, false }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.sockets[0].take(&message{status: 403, sequence: 1, id: []byte("0@crowd")}, time.Now(), 0, nil)
	c.sockets[0].phones[0].sequence = 1
	c.sockets[0].take(&message{status: 403, sequence: 1, id: []byte("0@crowd")}, time.Now(), 0, nil)
	if err := c.Subscribe(t.Context()); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("%v", err)
	}
	if _, err := Open(Config{}); err == nil {
		t.Error("a crowd of nobody was opened")
	}
}
