package registration

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/uatest"
)

// A bench is a registration in front of a registrar on paper.
type bench struct {
	*uatest.Layer
	*Registration
	t      *testing.T
	client *client.Client
	local  netip.AddrPort
	events []sip.Event
}

func (b *bench) Handle(now time.Time, event transaction.Event) { b.client.Handle(now, event) }
func (b *bench) Deadline() time.Time                           { return b.Registration.Deadline() }
func (b *bench) Tick(now time.Time)                            { b.Registration.Tick(now) }

func newBench(t *testing.T, keepAlive time.Duration, transport string) *bench {
	b := &bench{Layer: uatest.New(t), t: t, local: netip.MustParseAddrPort("192.0.2.9:5060")}
	account := sip.Account{User: "201", Password: "lab-201", Domain: "pbx.example", Server: "192.0.2.1:5060", Transport: transport}
	b.client = client.New(client.Config{Account: account, Random: rand.New(rand.NewPCG(1, 2))}, b.Layer)
	b.Registration = New(Config{
		Account:   account,
		Local:     func() netip.AddrPort { return b.local },
		KeepAlive: keepAlive,
	}, b.client, func(event sip.Event) { b.events = append(b.events, event) })
	b.Attach(b)
	b.Start(b.Now)
	return b
}

// accept answers a REGISTER as a registrar does.
func (b *bench) accept(register uatest.Sent, expires int, lines ...string) {
	b.t.Helper()
	contact := register.Request.GetHeaders("contact")
	own := strings.Split(contact[len(contact)-1].Value(), ";expires")[0]
	b.Answer(register, "200 OK", append([]string{"tag=r", fmt.Sprintf("Contact: %s;expires=%d", own, expires)}, lines...)...)
}

func (b *bench) wantEvent(want sip.Event) {
	b.t.Helper()
	if len(b.events) == 0 {
		b.t.Fatalf("no event, want %+v", want)
	}
	got := b.events[0]
	b.events = b.events[1:]
	if u, ok := got.(sip.Unregistered); ok {
		if w, ok := want.(sip.Unregistered); ok && w.Retry == 0 {
			u.Retry = 0
			got = u
		}
	}
	if got != want {
		b.t.Fatalf("event %+v, want %+v", got, want)
	}
}

// ping waits for the next OPTIONS.
func (b *bench) ping() uatest.Sent {
	b.t.Helper()
	for range 33 {
		if len(b.Sent) > 0 {
			break
		}
		b.Advance(time.Second)
	}
	return b.WantRequest("OPTIONS")
}

func (b *bench) retry() time.Duration {
	b.t.Helper()
	if len(b.events) == 0 {
		b.t.Fatal("no event, want Unregistered")
	}
	got, ok := b.events[0].(sip.Unregistered)
	b.events = b.events[1:]
	if !ok {
		b.t.Fatalf("event %+v, want Unregistered", got)
	}
	return got.Retry
}

func TestEveryRefusalHasItsCause(t *testing.T) {
	for _, c := range []struct {
		status string
		cause  sip.Cause
		code   int
	}{
		{"401 Unauthorized", sip.WrongPassword, 401}, // without a challenge that can be answered
		{"403 Forbidden", sip.WrongPassword, 403},
		{"404 Not Found", sip.UnknownAccount, 404},
		{"302 Moved Temporarily", sip.ServerError, 302},
		{"423 Interval Too Brief", sip.ServerError, 423}, // without Min-Expires
		{"480 Temporarily Unavailable", sip.Unreachable, 480},
		{"503 Service Unavailable", sip.ServerError, 503},
	} {
		b := newBench(t, 0, "udp")
		b.Answer(b.WantRequest("REGISTER"), c.status, "tag=r", "Contact: <sip:elsewhere.example>")
		b.wantEvent(sip.Unregistered{Cause: c.cause, Status: c.code})
		if b.Active() {
			t.Errorf("%s: active", c.status)
		}
		b.Advance(40 * time.Second)
		if again := b.WantRequest("REGISTER"); again.Request.Destination() != "192.0.2.1:5060" {
			t.Errorf("%s: the next try goes to %s", c.status, again.Request.Destination())
		}
	}
}

func TestARegistrarThatDoesNotListUsHasNotRegisteredUs(t *testing.T) {
	b := newBench(t, 0, "udp")
	b.Answer(b.WantRequest("REGISTER"), "200 OK", "tag=r", "Contact: <sip:stranger@192.0.2.7>;expires=300")
	b.wantEvent(sip.Unregistered{Cause: sip.ServerError, Status: 200})
}

func TestTheRefreshComesBeforeHalfOfTheGrantedTime(t *testing.T) {
	b := newBench(t, 0, "udp")
	register := b.WantRequest("REGISTER")
	if got := register.Request.GetHeader("Expires").Value(); got != "300" {
		t.Errorf("asked for %s s", got)
	}
	b.accept(register, 100, "Expires: 300")
	b.wantEvent(sip.Registered{Expires: 100 * time.Second})
	b.Advance(44 * time.Second)
	b.WantNothing()
	b.Advance(6 * time.Second)
	again := b.WantRequest("REGISTER")
	if a, c := register.Request, again.Request; a.CallID().Value() != c.CallID().Value() || c.CSeq().SeqNo != a.CSeq().SeqNo+1 {
		t.Errorf("refresh %s %s after %s %s", c.CallID().Value(), c.CSeq().Value(), a.CallID().Value(), a.CSeq().Value())
	}
}

func TestOnlyOneRegisterIsUnderWay(t *testing.T) {
	b := newBench(t, 0, "udp")
	b.Start(b.Now)
	b.WantRequest("REGISTER")
	b.WantNothing()
}

func TestEachStartHasItsOwnContactUser(t *testing.T) {
	a := newBench(t, 0, "tcp")
	c := New(a.config, a.client, nil)
	if a.Contact().User == c.Contact().User || len(a.Contact().User) < 10 {
		t.Errorf("contacts %v and %v", a.Contact(), c.Contact())
	}
	contact := a.Contact()
	if got := contact.String(); !strings.HasSuffix(got, "@192.0.2.9:5060;transport=tcp") {
		t.Errorf("contact by TCP is %s", got)
	}
}

func TestATooShortIntervalIsRaised(t *testing.T) {
	b := newBench(t, 0, "udp")
	b.Answer(b.WantRequest("REGISTER"), "423 Interval Too Brief", "tag=r", "Min-Expires: 1800")
	again := b.WantRequest("REGISTER")
	if got := again.Request.GetHeader("Expires").Value(); got != "1800" {
		t.Errorf("asked for %s s, want 1800", got)
	}
	b.Answer(again, "423 Interval Too Brief", "tag=r", "Min-Expires: 1800")
	b.wantEvent(sip.Unregistered{Cause: sip.ServerError, Status: 423})
}

func TestTriesGetRarerButNeverEnd(t *testing.T) {
	b := newBench(t, 0, "udp")
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		b.Answer(b.WantRequest("REGISTER"), "500 Server Internal Error", "tag=r")
		got, want := b.retry(), want*time.Second
		if got < want*3/4 || got > want*5/4 {
			t.Errorf("try %d: next in %v, want about %v", i, got, want)
		}
		b.Advance(got)
	}
	b.accept(b.WantRequest("REGISTER"), 300)
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
}

func TestAWrongPasswordIsTriedSlowly(t *testing.T) {
	b := newBench(t, 0, "udp")
	challenge := `WWW-Authenticate: Digest realm="pbxlab",nonce="%d",algorithm=MD5,qop="auth"`
	for i := range 3 {
		b.Answer(b.WantRequest("REGISTER"), "401 Unauthorized", "tag=r", fmt.Sprintf(challenge, 2*i))
		b.Answer(b.WantRequest("REGISTER"), "401 Unauthorized", "tag=r", fmt.Sprintf(challenge, 2*i+1))
		retry := b.retry()
		if retry < 20*time.Second {
			t.Errorf("next try in %v", retry)
		}
		b.WantNothing()
		b.Advance(retry)
	}
}

func TestAServersRetryAfterIsObeyedAndBounded(t *testing.T) {
	for value, want := range map[string][2]time.Duration{
		"120 (maintenance);duration=60": {120 * time.Second, 200 * time.Second},
		"999999999":                     {10 * time.Minute, 17 * time.Minute},
		"-5":                            {0, 2 * time.Second},
	} {
		b := newBench(t, 0, "udp")
		b.Answer(b.WantRequest("REGISTER"), "503 Service Unavailable", "tag=r", "Retry-After: "+value)
		if got := b.retry(); got < want[0] || got > want[1] {
			t.Errorf("Retry-After %q: next try in %v", value, got)
		}
	}
}

func TestASilentRegistrarIsReportedAfterSeconds(t *testing.T) {
	b := newBench(t, 0, "udp")
	register := b.WantRequest("REGISTER")
	b.Advance(5 * time.Second)
	b.wantEvent(sip.Unregistered{Cause: sip.Unreachable})
	b.WantNothing() // its transaction goes on
	b.accept(register, 300)
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
}

func TestWithoutNetworkItTriesAgain(t *testing.T) {
	b := newBench(t, 0, "udp")
	b.TimeOut(b.WantRequest("REGISTER"))
	b.wantEvent(sip.Unregistered{Cause: sip.Unreachable, Status: 408})
	b.local = netip.AddrPort{}
	b.Advance(2 * time.Second)
	b.WantNothing()
	b.wantEvent(sip.Unregistered{Cause: sip.Unreachable})
	b.local = netip.MustParseAddrPort("192.0.2.77:5060")
	b.Advance(3 * time.Second)
	contacts := b.WantRequest("REGISTER").Request.GetHeaders("contact")
	if len(contacts) != 2 || !strings.HasSuffix(contacts[0].Value(), "@192.0.2.9:5060>;expires=0") ||
		!strings.HasSuffix(contacts[1].Value(), "@192.0.2.77:5060>;expires=300") {
		t.Errorf("after a change of address: %v", contacts)
	}
}

func TestAnAddressGivenByANATGoesIntoTheContact(t *testing.T) {
	challenge := `WWW-Authenticate: Digest realm="pbxlab",nonce="1",qop="auth"`
	b := newBench(t, 0, "udp")
	b.accept(b.WantRequest("REGISTER"), 300, "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;received=198.51.100.4;rport=40000")
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
	b.Answer(b.WantRequest("REGISTER"), "401 Unauthorized", "tag=r", challenge)
	again := b.WantRequest("REGISTER") // with credentials, and still with the old binding to be removed
	contacts := again.Request.GetHeaders("contact")
	if len(contacts) != 2 || !strings.HasSuffix(contacts[0].Value(), "@192.0.2.9:5060>;expires=0") ||
		!strings.HasSuffix(contacts[1].Value(), "@198.51.100.4:40000>;expires=300") {
		t.Errorf("behind a NAT: %v", contacts)
	}
}

func TestASenselessAddressIsNotLearned(t *testing.T) {
	for _, via := range []string{
		"UDP 192.0.2.9:5060;branch=z9hG4bK1;received=192.0.2.9;rport=5060",
		"UDP 192.0.2.9:5060;branch=z9hG4bK1;received=0.0.0.0;rport=5060",
		"UDP 192.0.2.9:5060;branch=z9hG4bK1;received=127.0.0.1;rport=5060",
		"UDP 192.0.2.9:5060;branch=z9hG4bK1;received=evil.example;rport=5060",
		"UDP 192.0.2.9:5060;branch=z9hG4bK1;received=198.51.100.4;rport=0",
		"UDP 192.0.2.9:5060;branch=z9hG4bK1;received=198.51.100.4;rport",
	} {
		b := newBench(t, 0, "udp")
		b.accept(b.WantRequest("REGISTER"), 300, "Via: SIP/2.0/"+via)
		b.wantEvent(sip.Registered{Expires: 300 * time.Second})
		if len(b.Sent) > 0 {
			t.Errorf("%s: registers again", via)
		}
	}
	b := newBench(t, 0, "tcp")
	b.accept(b.WantRequest("REGISTER"), 300, "Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1;received=198.51.100.4;rport=40000")
	b.WantNothing()
}

func TestANATThatKeepsChangingIsNotFollowedForEver(t *testing.T) {
	b := newBench(t, 0, "udp")
	registers := 0
	for port := 40000; len(b.Sent) > 0 && registers < 20; port++ {
		via := fmt.Sprintf("Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;received=198.51.100.4;rport=%d", port)
		b.accept(b.WantRequest("REGISTER"), 300, via)
		registers++
	}
	if registers != 1+addressesMax {
		t.Errorf("registered %d times in a row", registers)
	}
}

func TestASilentExchangeIsNoticedByTheKeepAlive(t *testing.T) {
	b := newBench(t, 30*time.Second, "udp")
	b.accept(b.WantRequest("REGISTER"), 300)
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
	b.Answer(b.ping(), "404 Not Found", "tag=o") // a refusal is a sign of life
	ping := b.ping()
	b.Advance(5 * time.Second)
	register := b.WantRequest("REGISTER")
	b.TimeOut(ping) // late: nobody waits for it any more
	b.WantNothing()
	b.Advance(5 * time.Second)
	b.wantEvent(sip.Unregistered{Cause: sip.Unreachable})
	b.accept(register, 300)
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
}

func TestANewConnectionIsRegisteredAnew(t *testing.T) {
	via := "Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1;received=192.0.2.9;rport="
	b := newBench(t, 30*time.Second, "tcp")
	b.accept(b.WantRequest("REGISTER"), 300, via+"40000")
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
	b.Answer(b.ping(), "200 OK", "tag=o", via+"40000")
	b.WantNothing()
	b.Answer(b.ping(), "200 OK", "tag=o", via+"40001") // the exchange has been restarted in between
	b.accept(b.WantRequest("REGISTER"), 300, via+"40001")
	b.Answer(b.ping(), "200 OK", "tag=o", via+"40001")
	b.WantNothing()
}

func TestALostConnectionIsNoticedByTheKeepAlive(t *testing.T) {
	b := newBench(t, 30*time.Second, "tcp")
	b.accept(b.WantRequest("REGISTER"), 300)
	b.Deliver(transaction.Failed{Transaction: b.ping().Client})
	b.WantRequest("REGISTER")
}

func TestStopRemovesTheBindingWithDigest(t *testing.T) {
	b := newBench(t, 30*time.Second, "udp")
	b.accept(b.WantRequest("REGISTER"), 300)
	b.wantEvent(sip.Registered{Expires: 300 * time.Second})
	done := 0
	b.Stop(b.Now, func() { done++ })
	b.Stop(b.Now, func() { done += 100 })
	b.Answer(b.WantRequest("REGISTER"), "401 Unauthorized", "tag=r", `WWW-Authenticate: Digest realm="r",nonce="1"`)
	remove := b.WantRequest("REGISTER")
	if h := remove.Request.GetHeaders("authorization"); len(h) != 1 || remove.Request.GetHeader("Expires").Value() != "0" {
		t.Errorf("unregistered with\n%s", remove.Request)
	}
	b.Answer(remove, "200 OK", "tag=r")
	b.wantEvent(sip.Unregistered{Cause: sip.Normal})
	b.Advance(time.Hour)
	b.WantNothing()
	if done != 1 || len(b.events) > 0 {
		t.Errorf("done %d times, events %v", done, b.events)
	}
}

func TestStopDoesNotWaitForASilentRegistrar(t *testing.T) {
	for _, registered := range []bool{true, false} {
		b := newBench(t, 0, "udp")
		register := b.WantRequest("REGISTER")
		if registered {
			b.accept(register, 300)
		}
		b.events = nil
		done := 0
		b.Stop(b.Now, func() { done++ })
		b.Advance(stopTime)
		if done != 1 {
			t.Errorf("registered %v: done %d times", registered, done)
		}
		b.Advance(time.Hour)
		if !b.Deadline().IsZero() || done != 1 || len(b.events) != 1 {
			t.Errorf("registered %v: goes on: %v, done %d, %v", registered, b.Deadline(), done, b.events)
		}
	}
}
