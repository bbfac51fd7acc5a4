package exchange

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	words "freizeichen/sip"
	"freizeichen/sip/exchange/queue"
	"freizeichen/sip/offer"
	"freizeichen/sip/siptest"
)

// town is one queue with two agents, without citizens of its own.
func town() Config {
	c := Default(Account{User: "201", Password: "lab-201", Name: "Platz 1"}, Account{User: "202", Password: "lab-202"})
	c.Traffic, c.Domain = nil, "exchange"
	for i := range c.Queues {
		c.Queues[i].WrapUp = 0
	}
	return c
}

// inTown runs a conversation in fake time.
func inTown(t *testing.T, change func(*Config), f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := town()
		if change != nil {
			change(&c)
		}
		f(t, newBench(t, c))
	})
}

var ada = Citizen{Party: words.Party{Name: "Käthe Böhm", Number: "03023125042"}, Called: "02812070", Topic: "Führerschein", Voice: 1}

func TestAPhoneRegistersAndIsRefused(t *testing.T) {
	for _, c := range []struct {
		name           string
		change         func(*Config)
		user, password string
		line           string
		want           int
	}{
		{"an unknown account", nil, "299", "lab", "Expires: 300", 404},
		{"an unknown account, told otherwise", func(c *Config) { c.UnknownAccount = 403 }, "299", "lab", "Expires: 300", 403},
		{"an unknown account that learns nothing", func(c *Config) { c.UnknownAccount = 401 }, "299", "lab", "Expires: 300", 401},
		{"a wrong password", nil, "201", "lab-202", "Expires: 300", 401},
		{"a wrong password, told plainly", func(c *Config) { c.WrongPassword = 403 }, "201", "lab-202", "Expires: 300", 403},
		{"too short a time", nil, "201", "lab-201", "Expires: 9", 423},
		{"MD5 only", func(c *Config) { c.Accounts[0].Algorithms = []string{"MD5"} }, "201", "lab-201", "Expires: 300", 200},
		{"the right password", nil, "201", "lab-201", "Expires: 300", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			inTown(t, c.change, func(t *testing.T, b *bench) {
				p := b.phone(c.user, c.password, "192.0.2.1:5060")
				response := p.register(c.line)
				if p.status != c.want {
					t.Fatalf("%d, want %d", p.status, c.want)
				}
				if b.Registered("201") != (c.want == 200) {
					t.Errorf("registered: %v", b.Registered("201"))
				}
				switch c.want {
				case 423:
					if got := response.GetHeader("Min-Expires").Value(); got != "10" {
						t.Errorf("Min-Expires: %s", got)
					}
				case 200:
					if got := response.Contact().Params.GetOr("expires", ""); got != "300" {
						t.Errorf("expires=%s", got)
					}
				}
			})
		})
	}
}

func TestOneChallengeForEachAlgorithmAndStaleAfterItsTime(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.phone("201", "lab-201", "192.0.2.1:5060")
		first := p.send(p.message(sip.REGISTER, "201", nil, "Contact: "+p.contact()), nil)
		var algorithms []string
		for _, h := range first.GetHeaders("WWW-Authenticate") {
			_, after, _ := strings.Cut(h.Value(), "algorithm=")
			algorithm, _, _ := strings.Cut(after, ",")
			algorithms = append(algorithms, algorithm)
		}
		if got := strings.Join(algorithms, " "); got != "SHA-512-256 SHA-256 MD5" {
			t.Errorf("algorithms %q", got)
		}
		if p.register("Expires: 300"); p.status != 200 {
			t.Fatal(p.status)
		}
		time.Sleep(6 * time.Minute)
		r := p.message(sip.REGISTER, "201", nil, "Contact: "+p.contact())
		p.prove(r, nil)
		response := p.send(r, nil)
		if response.StatusCode != 401 || !strings.Contains(response.GetHeader("WWW-Authenticate").Value(), "stale=true") {
			t.Errorf("old nonce:\n%s", response)
		}
	})
}

func TestAPhoneThatDoesNotAnswerOptionsIsOfferedNothing(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		time.Sleep(2 * time.Minute)
		if !b.Registered("201") {
			t.Fatal("not reachable although it answers")
		}
		p.endpoint.Close()
		b.want("unreachable", func() bool { return !b.Registered("201") })
		id := b.Call(ada)
		b.wantEvents("joined")
		again := b.phone("201", "lab-201", "192.0.2.1:5062")
		again.register("Expires: 300")
		again.lift(again.ring()).bye()
		b.wantEvents("joined", "offered 201", "answered 201", "left 201", "completed 201")
		if b.Present(id) {
			t.Error("the citizen is still there")
		}
	})
}

func TestTheInviteSaysWhoCallsWhatForAndWhichNumber(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		b.Call(ada)
		e := p.ring()
		r := e.Request
		// RFC 3261 section 18.1.1: beyond 1300 bytes it would have to leave UDP.
		if size := len(r.String()); size > 1250 {
			t.Errorf("%d bytes:\n%s", size, r)
		}
		for name, want := range map[string]string{
			"P-Asserted-Identity": `"Käthe Böhm" <sip:03023125042@exchange>`,
			"Subject":             "Führerschein",
			"Diversion":           `"Kreis Wesel" <sip:02812070@exchange>;reason=unconditional`,
			"History-Info":        `"Kreis Wesel" <sip:02812070@exchange>;index=1`,
			"Alert-Info":          "<urn:alert:source:external>;info=queue",
		} {
			if h := r.GetHeader(name); h == nil || h.Value() != want {
				t.Errorf("%s: %v, want %s", name, h, want)
			}
		}
		if from := r.From(); from.DisplayName != "Käthe Böhm" || from.Address.User != "03023125042" {
			t.Errorf("From: %v", from)
		}
		if to := r.To().Address.String(); to != "sip:201@exchange" || r.Recipient.User != "201" {
			t.Errorf("To: %s, Request-URI %s", to, r.Recipient.String())
		}
		p.lift(e).bye()
	})
}

func TestAWithheldNumberIsNotShown(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		b.Call(Citizen{Called: "115", Topic: "Wohngeld\r\nEvil: 1"})
		r := p.ring().Request
		if got := r.From().Address.String(); got != "sip:anonymous@anonymous.invalid" || r.GetHeader("P-Asserted-Identity") != nil {
			t.Errorf("From %s, PAI %v", got, r.GetHeader("P-Asserted-Identity"))
		}
		if r.GetHeader("Privacy") == nil || r.GetHeader("Evil") != nil || r.GetHeader("Subject").Value() != "Wohngeld Evil: 1" {
			t.Errorf("Subject %v", r.GetHeader("Subject"))
		}
	})
}

func TestTheFirstToLiftHasTheCallerAndTheOthersAreTold(t *testing.T) {
	inTown(t, func(c *Config) { c.Queues[0].Strategy = queue.RingAll }, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.agent("202", "192.0.2.3:5060")
		id := b.Call(ada)
		first, second := one.ring(), two.ring()
		s := two.lift(second)
		cancel := <-one.cancels
		var reasons []string
		for _, h := range cancel.Cancel.GetHeaders("Reason") {
			reasons = append(reasons, h.Value())
		}
		if got := strings.Join(reasons, " | "); got != `SIP;cause=200;text="Call completed elsewhere" | Q.850;cause=26` {
			t.Errorf("Reason: %s", got)
		}
		one.respond(first, 487, nil)
		b.wantEvents("joined", "offered 201", "offered 202", "answered 202", "left 202")
		b.HangUp(id)
		if reason := s.expectBye(); !strings.Contains(reason, "cause=16") {
			t.Errorf("Reason: %s", reason)
		}
		one.quiet(time.Minute)
	})
}

func TestBothLiftAtOnce(t *testing.T) {
	inTown(t, func(c *Config) { c.Queues[0].Strategy = queue.RingAll }, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.agent("202", "192.0.2.3:5060")
		id := b.Call(ada)
		first, second := one.ring(), two.ring()
		answer, _, err := offer.Answer(one.local(), first.Request.Body())
		if err != nil {
			t.Fatal(err)
		}
		b.wire.SetFaults(siptest.Faults{Delay: 50 * time.Millisecond})
		one.respond(first, 200, answer)
		time.Sleep(10 * time.Millisecond)
		two.respond(second, 200, answer) // crosses the CANCEL
		one.expect(sip.ACK)
		two.expect(sip.ACK)
		two.respond(two.expect(sip.BYE), 200, nil)
		one.quiet(time.Minute)
		if !b.Present(id) {
			t.Error("the citizen is gone")
		}
		b.wantEvents("joined", "offered 201", "offered 202", "answered 201", "left 201")
	})
}

func TestACallerGivesUp(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		c := ada
		c.Patience = 12 * time.Second
		b.Call(c)
		e := p.ring()
		cancel := <-p.cancels
		if got := cancel.Cancel.GetHeader("Reason").Value(); got != "Q.850;cause=0" {
			t.Errorf("Reason: %s", got)
		}
		p.respond(e, 487, nil)
		b.wantEvents("joined", "offered 201", "abandoned", "left")
		if s := b.Statistics()[0]; s.Offered != 1 || s.Abandoned != 1 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAnAgentRefusesOrLetsItRing(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		b.Call(ada)
		p.respond(p.ring(), 486, nil)
		e := p.ring() // offered again after his rest
		if got := (<-p.cancels).Cancel.GetHeader("Reason").Value(); !strings.Contains(got, "cause=19") {
			t.Errorf("Reason: %s", got)
		}
		p.respond(e, 487, nil)
		p.lift(p.ring())
		b.wantEvents("joined", "offered 201", "missed 201", "offered 201", "missed 201", "offered 201", "answered 201", "left 201")
	})
}
