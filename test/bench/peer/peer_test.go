//go:build linux

package peer

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// registering sends REGISTER and returns the status line and the whole of the answer.
func registering(t *testing.T, e *Exchange, w *wire, extra string) (status, answer string) {
	t.Helper()
	request := fmt.Sprintf("REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK1\r\nFrom: <sip:301@%[1]s>;tag=a\r\n"+
		"To: <sip:301@%[1]s>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContact: <sip:x@%[2]s>;expires=60\r\n%[3]sContent-Length: 0\r\n\r\n",
		e.Address(), w.address(), extra)
	if err := w.send([]byte(request), e.Address()); err != nil {
		t.Fatal(err)
	}
	return received(t, w)
}

func received(t *testing.T, w *wire) (status, text string) {
	t.Helper()
	buf := make([]byte, 4096)
	if err := w.conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, at, err := w.read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(at); age < 0 || age > 5*time.Second {
		t.Errorf("the datagram was sent %v ago", age)
	}
	text = string(buf[:n])
	status, _, _ = strings.Cut(text, "\r\n")
	return status, text
}

// opened is an exchange and a phone's socket.
func opened(t *testing.T) (*Exchange, *wire) {
	t.Helper()
	e, err := OpenExchange()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	w, err := openWire(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return e, w
}

func TestOnlyTheRightPasswordRegisters(t *testing.T) {
	e, w := opened(t)
	status, answer := registering(t, e, w, "")
	if status != "SIP/2.0 401 Unauthorized" {
		t.Fatalf("without credentials: %s", status)
	}
	_, text, _ := strings.Cut(answer, "WWW-Authenticate: ")
	text, _, _ = strings.Cut(text, "\r\n")
	challenge, err := digest.ParseChallenge(text)
	if err != nil || challenge.Algorithm != "MD5" {
		t.Fatalf("challenge %q: %v", text, err)
	}
	for _, password := range []string{"wrong", e.Password("301")} {
		credentials, err := digest.Digest(challenge, digest.Options{
			Method: "REGISTER", URI: "sip:" + e.Address().String(), Username: "301", Password: password, Count: 1, Cnonce: "c",
		})
		if err != nil {
			t.Fatal(err)
		}
		want := "SIP/2.0 401 Unauthorized"
		if password != "wrong" {
			want = "SIP/2.0 200 OK"
		}
		if status, _ := registering(t, e, w, "Authorization: "+credentials.String()+"\r\n"); status != want {
			t.Errorf("password %s: %s, not %s", password, status, want)
		}
	}
	select {
	case <-e.Registrations("301"):
	case <-time.After(5 * time.Second):
		t.Error("the registration was not told of")
	}
	if contact, from := e.contact("301"); contact.User != "x" || from != w.address() {
		t.Errorf("contact %v, from %v", contact.String(), from)
	}
}

func TestACallIsTimedOnTheWire(t *testing.T) {
	e, w := opened(t)
	account := e.account("301")
	account.contact.User, account.contact.Host, account.from = "x", "192.0.2.1", w.address() // its own address is of no use behind a translation
	phone := func(delay time.Duration, status, body string) {
		_, text := received(t, w)
		var fields []string
		for _, line := range strings.Split(text, "\r\n") {
			for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
				if strings.HasPrefix(line, name) {
					fields = append(fields, line)
				}
			}
		}
		time.Sleep(delay)
		for _, one := range strings.Split(status, "|") {
			if err := w.send([]byte(message(append([]string{"SIP/2.0 " + one}, fields...), body)), e.Address()); err != nil {
				t.Error(err)
			}
		}
	}
	go phone(30*time.Millisecond, "100 Trying|180 Ringing", "")
	c, ringing, err := e.Invite(t.Context(), "301", 4000)
	if err != nil {
		t.Fatal(err)
	}
	if ringing < 30*time.Millisecond || ringing > 3*time.Second {
		t.Errorf("180 after %v, not 30 ms", ringing)
	}
	press := func() error {
		return w.send([]byte(message([]string{"SIP/2.0 200 OK", "Via: SIP/2.0/UDP x;branch=z9hG4bKx", "From: <sip:a@b>;tag=" + c.tag,
			"To: " + c.remote + ";tag=b", "Call-ID: " + c.id, "CSeq: 1 INVITE"}, "c=IN IP4 127.0.0.1\r\nm=audio 6000 RTP/AVP 8\r\n")), e.Address())
	}
	if _, err = c.Lift(t.Context(), press); err != nil || c.Sound != netip.AddrPortFrom(Loopback, 6000) {
		t.Fatalf("sound at %v, %v", c.Sound, err)
	}
	if status, _ := received(t, w); !strings.HasPrefix(status, "ACK sip:x@") {
		t.Errorf("after 200: %s", status)
	}
	go phone(0, "200 OK", "")
	if err := c.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	go phone(0, "486 Busy Here", "")
	if _, _, err := e.Invite(t.Context(), "301", 4000); err == nil || !strings.Contains(err.Error(), "486") {
		t.Errorf("a refused call: %v", err)
	}
}

func TestAnAnswerNeedsAnAddressForSound(t *testing.T) {
	for _, refused := range []string{"", "m=audio 6000 RTP/AVP 8\r\n", "c=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 8\r\n", "c=IN IP4 x\r\nm=audio 1 RTP/AVP 8\r\n"} {
		if address, err := soundOf([]byte(refused)); err == nil {
			t.Errorf("%q has sound at %v", refused, address)
		}
	}
}

func TestSoundThatComesBackIsChecked(t *testing.T) {
	s, err := OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	s.Loop()
	done := make(chan struct{})
	go func() { s.Listen(); close(done) }()
	err = Speak(context.Background(), []*Stream{s}, 200*time.Millisecond)
	time.Sleep(20 * time.Millisecond)
	s.Close()
	<-done
	if err != nil || len(s.Times) != 10 {
		t.Errorf("%d packets in 200 ms, %v", len(s.Times), err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	s.peak = 0
	if s.Check() == nil {
		t.Error("silence is sound")
	}
	s.Times = nil
	if s.Check() == nil {
		t.Error("nothing is sound")
	}
}

func TestAPhoneBehindATranslationIsToldOfTheHostItSees(t *testing.T) {
	e, w := opened(t)
	e.Host = netip.MustParseAddr("10.0.2.2")
	a := e.account("301")
	a.contact.User, a.contact.Host, a.from = "x", "10.0.2.15", w.address()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _, _, _ = e.Invite(ctx, "301", 4000) }()
	_, text := received(t, w)
	for _, want := range []string{"INVITE sip:x@10.0.2.15", "Via: SIP/2.0/UDP 10.0.2.2:", "c=IN IP4 10.0.2.2\r\n", "Contact: <sip:bench@10.0.2.2:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if strings.Contains(text, Loopback.String()) {
		t.Errorf("the phone would look for us at its own address:\n%s", text)
	}
	cancel()
	<-ended
	if _, _, err := e.Invite(context.Background(), "302", 4000); err == nil {
		t.Error("a phone that has not registered was called")
	}
}

func TestSoundIsAnsweredToWhereItCameFrom(t *testing.T) {
	s, err := OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	phone, err := OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	ended := make(chan struct{})
	go func() { defer close(ended); s.Answer() }()
	phone.To = netip.AddrPortFrom(Loopback, s.Port())
	if err := phone.wire.send([]byte("no sound"), phone.To); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := phone.Say(); err != nil {
			t.Fatal(err)
		}
		if _, text := received(t, phone.wire); len(text) != headerSize+packetSamples {
			t.Errorf("%d bytes came back", len(text))
		}
	}
	s.Close()
	<-ended
	if s.Sent() != 3 || s.To.Port() != phone.Port() {
		t.Errorf("%d sent, the last to %s", s.Sent(), s.To)
	}
}
