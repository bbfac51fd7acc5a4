package exchange

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	words "freizeichen/sip"
	"freizeichen/sip/offer"
	"freizeichen/sip/transaction"
)

func TestCallsFromPhonesThatLeadNowhere(t *testing.T) {
	for _, c := range []struct {
		number string
		status int
		seen   string // provisional statuses before
		after  time.Duration
	}{
		{"5099", 404, "", 0},
		{"5060", 486, "", 0},                  // busy
		{"202", 480, "", 0},                   // nobody is registered
		{"115", 486, "", 0},                   // an agent's own queue
		{"5070", 480, "180", time.Minute},     // never answers
		{"5080", 480, "183", 6 * time.Second}, // an announcement
	} {
		t.Run(c.number, func(t *testing.T) {
			inTown(t, nil, func(t *testing.T, b *bench) {
				p := b.agent("201", "192.0.2.1:5060")
				start := time.Now()
				s := p.dial(c.number)
				if p.status != c.status {
					t.Errorf("%d, want %d", p.status, c.status)
				}
				var seen []string
				for _, r := range s.seen {
					if r.StatusCode > 100 {
						seen = append(seen, strings.Fields(r.StartLine())[1])
					}
					if r.StatusCode == 183 {
						if _, err := offer.Accept(s.local, r.Body()); err != nil {
							t.Errorf("early media: %v", err)
						}
					}
				}
				if got := strings.Join(seen, " "); got != c.seen {
					t.Errorf("before it %q, want %q", got, c.seen)
				}
				if got := time.Since(start); got < c.after || got > c.after+time.Second {
					t.Errorf("after %v, want %v", got, c.after)
				}
				b.wantNothingOpen()
			})
		})
	}
}

// wantNothingOpen checks that no call has left anything behind.
func (b *bench) wantNothingOpen() {
	b.t.Helper()
	time.Sleep(40 * time.Second) // 64*T1: 2xx are awaited so long
	b.do(func(time.Time) {
		if len(b.legs)+len(b.attempts)+len(b.visitors)+len(b.clients) > 0 {
			b.t.Errorf("left: %d legs, %d attempts, %d visitors, %d requests", len(b.legs), len(b.attempts), len(b.visitors), len(b.clients))
		}
		b.wires.mu.Lock()
		defer b.wires.mu.Unlock()
		if b.wires.opened != b.wires.closed {
			b.t.Errorf("sound of %d calls opened, of %d closed", b.wires.opened, b.wires.closed)
		}
	})
}

func TestAnOfficeAnswersAfterRinging(t *testing.T) {
	for _, proxy := range []bool{false, true} {
		inTown(t, func(c *Config) { c.ProxyAuthentication = proxy }, func(t *testing.T, b *bench) {
			p := b.agent("201", "192.0.2.1:5060")
			start := time.Now()
			s := p.dial("50-36")
			if p.status != 200 || time.Since(start) != 3*time.Second {
				t.Fatalf("%d after %v", p.status, time.Since(start))
			}
			last := s.seen[len(s.seen)-1]
			if last.StatusCode != 180 || last.GetHeader("P-Asserted-Identity").Value() != `"Fachdienst Straßenverkehr" <sip:5036@exchange>` {
				t.Errorf("%s", last)
			}
			s.bye()
			b.wantNothingOpen()
		})
	}
}

func TestEmergencyNumbersAnswerWithoutDigestAndSayThatTheyAreADemo(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.phone("299", "", "192.0.2.1:5060")
		s := p.dial("112")
		if p.status != 200 {
			t.Fatal(p.status)
		}
		if got := s.seen[len(s.seen)-1].GetHeader("P-Asserted-Identity").Value(); !strings.Contains(got, "DEMO: kein Notruf") {
			t.Errorf("name %s", got)
		}
		s.bye()
	})
}

func TestACallIsCancelledByItsCaller(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		two := b.agent("202", "192.0.2.3:5060")
		r := p.message(sip.INVITE, "202", offer.Offer(p.local()), "Contact: "+p.contact())
		challenged := p.send(r, nil)
		r = p.message(sip.INVITE, "202", offer.Offer(p.local()), "Contact: "+p.contact())
		p.prove(r, challenged)
		p.endpoint.Do(func(now time.Time) {
			id := p.endpoint.Transactions().Request(now, r)
			time.AfterFunc(2*time.Second, func() {
				p.endpoint.Do(func(now time.Time) { p.endpoint.Transactions().Cancel(now, id) })
			})
		})
		e := two.ring()
		<-two.cancels
		two.respond(e, 487, nil)
		time.Sleep(time.Second)
		b.wantNothingOpen()
	})
}

func TestOnePhoneCallsAnotherAndIsHeldWithMusic(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.agent("202", "192.0.2.3:5060")
		called := make(chan *session)
		go func() {
			e := two.ring()
			if got := e.Request.GetHeader("P-Asserted-Identity").Value(); got != `"Platz 1" <sip:201@exchange>` {
				t.Errorf("caller %s", got)
			}
			called <- two.lift(e)
		}()
		s := one.dial("202")
		other := <-called
		if s.dialog == nil {
			t.Fatal(one.status)
		}
		b.Call(Citizen{Called: "115"})
		b.wantEvents("joined") // both agents are busy
		for _, c := range []struct{ offered, answered words.Direction }{
			// Directions of the answer are seen from the phone.
			{words.SendOnly, words.SendOnly}, {words.Inactive, words.Inactive}, {words.SendRecv, words.SendRecv},
		} {
			if m := s.reinvite(c.offered); m.Direction != c.answered {
				t.Errorf("%v came to %v", c.offered, m.Direction)
			}
		}
		other.bye()
		s.expectBye()
		one.ring() // the citizen who waited
	})
}

func TestAReinviteThatCannotBePlayedLeavesTheCallAlone(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		s := p.dial("5090")
		body := "v=0\r\no=- 7 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 3\r\n"
		if r := s.request(sip.INVITE, []byte(body), "Contact: "+p.contact(), "Content-Type: application/sdp"); r.StatusCode != 488 {
			t.Errorf("%d, want 488", r.StatusCode)
		}
		if r := s.request(sip.INVITE, []byte("rubbish"), "Contact: "+p.contact(), "Content-Type: application/sdp"); r.StatusCode != 400 {
			t.Errorf("%d, want 400", r.StatusCode)
		}
		if m := s.reinvite(words.SendRecv); m.Codec != words.PCMA {
			t.Errorf("%+v", m)
		}
		s.bye()
		b.wantNothingOpen()
	})
}

func TestACallWithoutAnOfferGetsOursAndItsAnswerComesInTheAck(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		r := p.message(sip.INVITE, "5090", nil, "Contact: "+p.contact())
		challenged := p.send(r, nil)
		r = p.message(sip.INVITE, "5090", nil, "Contact: "+p.contact())
		p.prove(r, challenged)
		kept := r.Clone()
		response := p.send(r, nil)
		answer, m, err := offer.Answer(p.local(), response.Body())
		if err != nil || m.Remote.Port() == 0 {
			t.Fatalf("%v %+v", err, m)
		}
		s := &session{phone: p, local: p.local()}
		s.answerInACK(kept, response, answer)
		time.Sleep(time.Second)
		b.wires.mu.Lock()
		defer b.wires.mu.Unlock()
		if got := b.wires.agreed[1].Remote.String(); got != "192.0.2.1:4000" {
			t.Errorf("sound goes to %s", got)
		}
	})
}

func TestWithoutAnAckThe200ComesAgainAndThenBye(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		r := p.message(sip.INVITE, "5090", offer.Offer(p.local()), "Contact: "+p.contact())
		challenged := p.send(r, nil)
		r = p.message(sip.INVITE, "5090", offer.Offer(p.local()), "Contact: "+p.contact())
		p.prove(r, challenged)
		start := time.Now()
		p.send(r, nil)
		p.respond(p.expect(sip.BYE), 200, nil)
		if got := time.Since(start).Round(time.Second); got < 31*time.Second || got > 37*time.Second {
			t.Errorf("BYE after %v, want about 64*T1", got)
		}
		if n := len(p.responses); n < 9 {
			t.Errorf("the 200 came %d times more", n)
		}
		b.wantNothingOpen()
	})
}

func TestEveryReinviteGetsAnAnswerWithANewVersion(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		s := p.dial("5090")
		origin := func(body []byte) string {
			_, after, _ := strings.Cut(string(body), "o=")
			return strings.Join(strings.Fields(after)[1:3], " ")
		}
		var seen []string
		for range 2 {
			// Without an offer: the exchange makes one, and the answer comes in the ACK.
			response := s.request(sip.INVITE, nil, "Contact: "+p.contact())
			seen = append(seen, origin(response.Body()))
			if r := s.dialog.Request(sip.INVITE); p.send(r, nil).StatusCode != 500 {
				t.Errorf("an INVITE before the ACK: %d", p.status)
			}
			answer, _, err := offer.Answer(s.local, response.Body())
			if err != nil {
				t.Fatal(err)
			}
			ack := s.dialog.ACK(response)
			ack.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
			ack.SetBody(answer)
			p.endpoint.Do(func(now time.Time) { p.endpoint.Transactions().ACK(now, ack) })
			time.Sleep(time.Second)
			s.local.Address = netip.MustParseAddrPort("192.0.2.1:4002") // the second answer moves
		}
		if len(seen) != 2 || seen[0] != "1 2" || seen[1] != "1 3" {
			t.Errorf("session and version %q", seen)
		}
		b.wires.mu.Lock()
		defer b.wires.mu.Unlock()
		if got := b.wires.agreed[1].Remote.String(); got != "192.0.2.1:4002" {
			t.Errorf("sound goes to %s", got)
		}
	})
}

func TestAnAgentWithTwoPhonesLiftsOne(t *testing.T) {
	inTown(t, func(c *Config) { c.Accounts[0].Contacts = 2 }, func(t *testing.T, b *bench) {
		desk, home := b.agent("201", "192.0.2.1:5060"), b.agent("201", "192.0.2.3:5060")
		b.Call(ada)
		first, second := desk.ring(), home.ring()
		home.respond(second, 486, nil) // the other one rings on
		time.Sleep(time.Second)
		s := desk.lift(first)
		s.bye()
		b.Call(ada)
		first, second = desk.ring(), home.ring()
		home.lift(second)
		if got := (<-desk.cancels).Cancel.GetHeader("Reason").Value(); !strings.HasPrefix(got, "SIP;cause=200") {
			t.Errorf("Reason: %s", got)
		}
		desk.respond(first, 487, nil)
		b.wantEvents("joined", "offered 201", "answered 201", "left 201", "completed 201", "joined", "offered 201", "answered 201", "left 201")
	})
}

func TestACallerWhomNobodyTakesAfterTheTransferorLeftIsReleased(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		id, s := b.talk(p)
		s.refer("5070")
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		s.bye()
		time.Sleep(ringLimit - 2*time.Second)
		if !b.Present(id) {
			t.Error("released too early")
		}
		time.Sleep(3 * time.Second)
		if b.Present(id) {
			t.Error("waits for ever")
		}
		b.wantNothingOpen()
	})
}

func TestDigitsByInfoAreRecorded(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		s := p.dial("5090")
		for _, body := range []string{"Signal=1\r\nDuration=160\r\n", "Signal=#\r\n", "Signal=x\r\n"} {
			if r := s.request("INFO", []byte(body), "Content-Type: application/dtmf-relay"); r.StatusCode != 200 {
				t.Error(r.StatusCode)
			}
		}
		if got := b.Digits("201"); got != "1#" {
			t.Errorf("digits %q", got)
		}
	})
}

// talk lets a citizen be answered by an agent.
func (b *bench) talk(p *phone) (ID, *session) {
	b.t.Helper()
	id := b.Call(ada)
	return id, p.lift(p.ring())
}

func (s *session) refer(number string) *sip.Response {
	s.phone.t.Helper()
	return s.request(sip.REFER, nil, "Contact: "+s.phone.contact(), "Refer-To: <sip:"+number+"@exchange>")
}

func TestATransferThatFailsLeavesTheCallerWithTheAgent(t *testing.T) {
	for number, want := range map[string]string{"5060": "SIP/2.0 486 Busy Here", "5099": "SIP/2.0 404 Not Found", "202": "SIP/2.0 480 Temporarily Unavailable", "5080": "SIP/2.0 480 Temporarily Unavailable"} {
		inTown(t, nil, func(t *testing.T, b *bench) {
			p := b.agent("201", "192.0.2.1:5060")
			id, s := b.talk(p)
			if got := s.refer(number).StatusCode; got != 202 {
				t.Fatalf("%s: %d, want 202", number, got)
			}
			s.expectNotify("active", "SIP/2.0 100 Trying")
			s.expectNotify("terminated;reason=noresource", want)
			p.quiet(10 * time.Second)
			b.HangUp(id)
			s.expectBye()
			b.wantNothingOpen()
		})
	}
}

func TestRefersThatMakeNoSense(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		_, s := b.talk(p)
		for _, c := range []struct {
			to   string
			want int
		}{{"", 400}, {"rubbish", 400}, {"<sip:5036@exchange>, <sip:5051@exchange>", 400}, {"<sip:5036@exchange?Replaces=a%3Bto-tag%3Db>", 400}, {"<sip:5036@exchange?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>", 603}} {
			var lines []string
			if c.to != "" {
				lines = append(lines, "Refer-To: "+c.to)
			}
			if r := s.request(sip.REFER, nil, lines...); r.StatusCode != c.want {
				t.Errorf("%q: %d, want %d", c.to, r.StatusCode, c.want)
			}
		}
		s.bye()
	})
}

func TestATransferredCallerTalksToTheOfficeAndTheAgentIsFree(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		c := ada
		c.Talk = 2 * time.Minute
		id := b.Call(c)
		s := p.lift(p.ring())
		s.refer("5036")
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		if r := s.refer("5051"); r.StatusCode != 491 {
			t.Errorf("a second REFER: %d", r.StatusCode)
		}
		s.expectNotify("terminated;reason=noresource", "SIP/2.0 200 OK")
		start := time.Now()
		s.expectBye()
		if got := time.Since(start); got != partingTime {
			t.Errorf("BYE after %v", got)
		}
		if !b.Present(id) {
			t.Error("the citizen is gone")
		}
		b.wantEvents("joined", "offered 201", "answered 201", "left 201", "completed 201")
		time.Sleep(2 * time.Minute)
		if b.Present(id) {
			t.Error("the citizen never hangs up")
		}
		b.wantNothingOpen()
	})
}

func TestATransferorWhoLeavesAtOnceDoesNotLoseTheCaller(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.phone("202", "lab-202", "192.0.2.3:5060")
		id, s := b.talk(one)
		two.register("Expires: 300")
		s.refer("202")
		s.expectNotify("active", "SIP/2.0 100 Trying")
		e := two.ring()
		if got := e.Request.From().Address.User; got != ada.Party.Number {
			t.Errorf("caller %q", got)
		}
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		s.bye()
		other := two.lift(e)
		if !b.Present(id) {
			t.Fatal("the citizen is gone")
		}
		other.bye()
		if b.Present(id) {
			t.Error("the citizen is still there")
		}
		b.wantNothingOpen()
	})
}

func TestACallerWhoHangsUpDuringATransferEndsIt(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.phone("202", "lab-202", "192.0.2.3:5060")
		id, s := b.talk(one)
		two.register("Expires: 300")
		s.refer("202")
		s.expectNotify("active", "SIP/2.0 100 Trying")
		e := two.ring()
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		b.HangUp(id)
		<-two.cancels
		two.respond(e, 487, nil)
		s.expectNotify("terminated", "SIP/2.0 487 Request Terminated")
		s.expectBye()
		b.wantNothingOpen()
	})
}

func TestRequestsOutsideOfCalls(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		for method, want := range map[sip.RequestMethod]int{
			sip.OPTIONS: 200, sip.SUBSCRIBE: 401, sip.PUBLISH: 489, sip.MESSAGE: 405, sip.BYE: 481, sip.INFO: 481, sip.REFER: 405,
		} {
			r := p.message(method, "exchange", nil)
			if method == sip.BYE {
				r.To().Params.Add("tag", "unknown")
			}
			if got := p.send(r, nil).StatusCode; got != want {
				t.Errorf("%s: %d, want %d", method, got, want)
			}
		}
	})
}

func TestAnExchangeThatIsSilentAnswersNothingAndOneThatForgetsKnowsNobody(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		b.Silence(true)
		p.endpoint.Do(func(now time.Time) {
			p.endpoint.Transactions().Request(now, p.message(sip.REGISTER, "201", nil, "Contact: "+p.contact()))
		})
		select {
		case e := <-p.responses:
			if _, ok := e.(transaction.TimedOut); !ok {
				t.Errorf("the silent exchange: %#v", e)
			}
		case <-time.After(time.Minute):
			t.Error("no timeout")
		}
		b.Silence(false)
		if p.register("Expires: 300"); p.status != 200 {
			t.Errorf("afterwards: %d", p.status)
		}
		b.Forget()
		if b.Registered("201") {
			t.Error("forgets nothing")
		}
	})
}

func TestCitizensCallByThemselvesAndStayAwayFromALongQueue(t *testing.T) {
	inTown(t, func(c *Config) {
		c.Traffic = []Traffic{{Number: "115", Gap: 5 * time.Second, First: 4 * time.Second}}
		c.Queues[1].RingTimeout = 10 * time.Minute
	}, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		start := time.Now()
		e := p.ring()
		if got := time.Since(start).Round(time.Millisecond); got > 4*time.Second {
			t.Errorf("the first citizen calls after %v", got)
		}
		if got := e.Request.GetHeader("Diversion").Value(); !strings.Contains(got, "Stadt Moers") {
			t.Errorf("called %s", got)
		}
		most := 0
		for range 60 {
			time.Sleep(time.Second)
			most = max(most, b.Statistics()[1].Waiting)
		}
		if most != 2 {
			t.Errorf("at most %d wait, want 2", most)
		}
	})
}

func TestACitizenWhoHasCalledCanBeCalledBack(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.agent("202", "192.0.2.3:5060")
		number := ada.Party.Number
		if one.dial(number); one.status != 404 {
			t.Fatalf("before the first call: %d, want 404", one.status)
		}
		id := b.Call(ada)
		one.lift(one.ring())
		if two.dial(number); two.status != 486 {
			t.Errorf("while the citizen talks: %d, want 486", two.status)
		}
		b.HangUp(id)
		time.Sleep(time.Second)
		start := time.Now()
		time.AfterFunc(time.Second, func() {
			b.do(func(time.Time) {
				if len(b.attempts) != 1 || b.attempts[0].voice != ada.Voice {
					t.Error("somebody else's voice will answer")
				}
			})
		})
		s := two.dial(number)
		if two.status != 200 || time.Since(start) != 2*time.Second {
			t.Fatalf("%d after %v", two.status, time.Since(start))
		}
		if got := s.seen[len(s.seen)-1].GetHeader("P-Asserted-Identity").Value(); got != `"Käthe Böhm" <sip:03023125042@exchange>` {
			t.Errorf("name %s", got)
		}
		if one.dial(number); one.status != 486 {
			t.Errorf("while another phone has called: %d, want 486", one.status)
		}
		s.bye()
		b.wantNothingOpen()
	})
}

func TestACitizenWhoWaitsIsBusy(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		echo := p.dial("5090")
		b.Call(ada)
		if p.dial(ada.Party.Number); p.status != 486 {
			t.Errorf("%d, want 486", p.status)
		}
		echo.bye()
	})
}
