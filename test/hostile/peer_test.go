package hostile

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/hal"
)

// A liar speaks inside the call that is up: it knows the dialog, as the exchange does, or whoever reads along.
type liar struct {
	*stranger
	invite string // that the exchange sent
	tag    string // of the phone
	cseq   int
}

var (
	toLine   = regexp.MustCompile(`(?m)^To: .*\r$`)
	fromLine = regexp.MustCompile(`(?m)^From: .*\r$`)
	callLine = regexp.MustCompile(`(?m)^Call-ID: .*\r$`)
	userPart = regexp.MustCompile(`^INVITE sip:([^@]+)@`)
	tagOfTo  = regexp.MustCompile(`(?m)^To: .*;tag=([^;\r]+)`)
)

// contact is the user part by which the phone has registered: who knows it makes the phone ring from anywhere.
func (d *desk) contact() string {
	d.t.Helper()
	received, _ := d.tapped.messages()
	for _, m := range received {
		if match := userPart.FindStringSubmatch(m); match != nil {
			return match[1]
		}
	}
	d.t.Fatal("nobody has called the phone yet")
	return ""
}

// newLiar reads the last call's dialog from what the phone received and sent.
func newLiar(t *testing.T, d *desk) *liar {
	t.Helper()
	l := &liar{stranger: newStranger(t, "127.0.0.1", d.address), cseq: 100}
	received, sent := d.tapped.messages()
	for _, m := range received {
		if strings.HasPrefix(m, "INVITE ") && tagOfTo.FindString(m) == "" {
			l.invite = m
		}
	}
	for _, m := range sent {
		if match := tagOfTo.FindStringSubmatch(m); match != nil && strings.HasPrefix(m, "SIP/2.0 200") && strings.Contains(m, callLine.FindString(l.invite)) {
			l.tag = match[1]
		}
	}
	if l.invite == "" || l.tag == "" {
		t.Fatal("the call was not recorded")
	}
	return l
}

// say makes a request inside the dialog. A re-INVITE's ACK has the same number.
func (l *liar) say(method, body string, fields ...string) string {
	if method != "ACK" {
		l.cseq++
	}
	l.last++
	lines := []string{
		fmt.Sprintf("%s sip:%s@%s SIP/2.0", method, userPart.FindStringSubmatch(l.invite)[1], l.to),
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKliar%d", l.address(), l.last),
		strings.TrimSuffix(fromLine.FindString(l.invite), "\r"),
		strings.TrimSuffix(toLine.FindString(l.invite), "\r") + ";tag=" + l.tag,
		strings.TrimSuffix(callLine.FindString(l.invite), "\r"),
		fmt.Sprintf("CSeq: %d %s", l.cseq, method),
		fmt.Sprintf("Contact: <sip:exchange@%s>", l.address()),
		"Max-Forwards: 70",
	}
	lines = append(lines, fields...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(lines, "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// change sends a re-INVITE and acknowledges whatever comes.
func (l *liar) change(body string, fields ...string) {
	l.send(l.say("INVITE", body, fields...))
	time.Sleep(5 * time.Millisecond)
	l.send(l.say("ACK", ""))
	time.Sleep(2 * time.Millisecond)
}

// truth is the description of the exchange as it was.
func (l *liar) truth() string {
	_, body, _ := strings.Cut(l.invite, "\r\n\r\n")
	return body
}

// aPeerThatLiesDoesNotBreakThePhone: re-INVITEs with damaged and with malicious descriptions. The call may get other
// sound by them, as the peer of a call may want; told the truth again, all is as before.
func aPeerThatLiesDoesNotBreakThePhone(t *testing.T) {
	d := raise(t, ground{tap: true})
	id := d.talk(ada)
	before := weigh()
	l := newLiar(t, d)
	settle := func(what string) {
		t.Helper()
		l.answers(20 * time.Millisecond)
		for range 20 { // a re-INVITE before may wait for its ACK still: then 500
			l.change(l.truth())
			if l.answers(50 * time.Millisecond)["200"] > 0 {
				d.wantSound(id)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatalf("after %s the truth is refused; the panel shows\n%s", what, d.panel())
	}
	settle("the beginning")
	if d.sound().Port() == 0 {
		t.Fatal("no port")
	}
	at := func(address string) netip.AddrPort { return netip.MustParseAddrPort(address) }
	for _, body := range []string{
		offer(d.sound()), // the phone's own port
		offer(d.address), // its SIP port
		offer(d.pbxAddress()),
		offer(at("0.0.0.0:4000")), offer(at("255.255.255.255:4000")), offer(at("224.0.0.1:4000")), offer(at("127.0.0.3:1")), offer(at("127.0.0.3:65535")),
		offer(at("127.0.0.3:0")), strings.ReplaceAll(offer(at("127.0.0.3:9")), "IP4 127.0.0.3", "IP6 ::1"),
		offer(at("127.0.0.3:9"), "a=rtcp:1 IN IP4 255.255.255.255", "a=ptime:0"), offer(at("127.0.0.3:9"), "a=ptime:1e9", "a=maxptime:-1"),
		offer(at("127.0.0.3:9"), "a=inactive"), offer(at("127.0.0.3:9"), "a=sendonly"), offer(at("127.0.0.3:9"), "a=recvonly", "a=rtpmap:101 x"),
		strings.Replace(offer(at("127.0.0.3:9")), "t=0 0", "t=Geheim 0", 1), strings.Replace(offer(at("127.0.0.3:9")), "IP4 127.0.0.3\r\nt", "IP4 eva.Geheim\r\nt", 1),
		strings.Replace(offer(at("127.0.0.3:9")), "audio 9 ", "audio Geheim ", 1), strings.Replace(offer(at("127.0.0.3:9")), "Geheim 1 1", "Geheim Geheim 1", 1),
		"v=0\r\n", "\x00\x00\x00\x00", strings.Repeat("a=\r\n", 5000), strings.Repeat("m=audio 1 RTP/AVP 0\r\n", 3000),
	} {
		l.change(body)
	}
	settle("malicious descriptions")
	for i := range 250 {
		l.dice = rand.New(rand.NewPCG(uint64(i), 2))
		if body := mutate(l.dice, l.truth()); body != "" { // an INVITE without offer wants an answer in its ACK, else the call ends
			l.change(body)
		}
	}
	settle("damaged descriptions")
	l.between()
	settle("requests of all kinds")
	d.wantSound(id)

	l.send(l.say("BYE", ""))
	d.await("in no call", 5*time.Second, d.inNoCall)
	d.exchange.HangUp(id)
	l.leave()
	d.body.Hook(false)
	d.wantWork()
	wantNoMore(t, before, burden{heap: 12 << 20})
}

// between sends what is in its right place in the wrong order, twice, or too early.
func (l *liar) between() {
	for range 20 {
		l.send(l.say("INVITE", l.truth()))
		l.send(l.say("INVITE", l.truth())) // before the first is acknowledged
		l.send(l.say("UPDATE", l.truth()))
		l.send(l.say("ACK", "v=0 nonsense"))
		l.cseq -= 50
		l.send(l.say("INVITE", l.truth())) // out of order
		l.send(l.say("BYE", ""))           // out of order: no end
		l.cseq += 50
		l.send(l.say("UPDATE", ""))
		l.send(l.say("UPDATE", "", `P-Asserted-Identity: "Eva`+"\x1b"+` Geheim" <sip:1@a>`))
		l.send(l.say("INFO", "", "Info-Package: x"))
		l.send(l.say("INFO", "Signal=\x00"))
		l.send(l.say("NOTIFY", "SIP/2.0 200", "Event: refer", "Subscription-State: terminated"))
		l.send(l.say("REFER", "", "Refer-To: <sip:evil@stranger.example>"))
		l.send(l.say("OPTIONS", "", "Require: "+strings.Repeat("x,", 2000)))
		l.send(l.say("INVITE", "", "Session-Expires: 1", "Supported: timer"))
		l.send(l.say("CANCEL", ""))
		l.send(l.say("PRACK", "", "RAck: 1 1 INVITE"))
	}
	// Acknowledge what the phone has accepted: it sends each 200 again until then.
	for number := l.cseq - 400; number <= l.cseq; number++ {
		ack := strings.Replace(l.say("ACK", ""), fmt.Sprintf("CSeq: %d ACK", l.cseq), fmt.Sprintf("CSeq: %d ACK", number), 1)
		l.send(ack)
	}
}

// aCallerWhoDescribesNonsenseIsNoCall is a caller who describes no sound, nonsense, or sound that nobody has.
func aCallerWhoDescribesNonsenseIsNoCall(t *testing.T) {
	d := raise(t, ground{})
	d.await("registered", 10*time.Second, d.registered)
	s := newStranger(t, "127.0.0.1", d.address)
	good := offer(s.address())
	for i := range 500 {
		s.dice = rand.New(rand.NewPCG(uint64(i), 3))
		s.send(s.write(letter{method: "INVITE", user: "201", body: mutate(s.dice, good)}))
		if i%20 == 0 {
			time.Sleep(5 * time.Millisecond)
			d.press([]hal.Key{hal.KeyOK, hal.KeyCancel}[i/20%2])
			rejectStrangers(d)
		}
	}
	time.Sleep(50 * time.Millisecond)
	for range 200 {
		if d.inNoCall() {
			break
		}
		d.press(hal.KeyCancel)
		time.Sleep(20 * time.Millisecond)
	}
	d.wantWork()
}
