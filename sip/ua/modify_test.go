package ua

import (
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/uatest"
)

func TestThePeersHoldIsReportedHoweverItIsWritten(t *testing.T) {
	for _, hold := range []string{body("a=sendonly"), body("a=inactive"),
		strings.Replace(body(), "c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0", 1)} {
		p := newPhone(t)
		c, call := p.talks()
		id := c.next("INVITE", hold)
		p.WantResponse(id, 200)
		c.ack("")
		p.wantEvent(sip.RemoteHold{Call: call, Held: true})
		if p.media.direction(call).Sends() {
			t.Errorf("sound is still sent after\n%s", hold)
		}
		id = c.next("INVITE", body())
		p.WantResponse(id, 200)
		c.ack("")
		p.wantEvent(sip.RemoteHold{Call: call, Held: false})
		p.wantNoEvent()
	}
}

func TestAReinviteThatCannotBePlayedChangesNothing(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	id := c.next("INVITE", strings.Replace(body(), "RTP/AVP 8 101", "RTP/AVP 18", 1))
	p.WantResponse(id, 488)
	id = c.next("INVITE", "v=0\nnonsense")
	p.WantResponse(id, 400)
	p.media.deaf = true
	id = c.next("INVITE", strings.Replace(body(), "10000", "10002", 1))
	p.WantResponse(id, 500)
	p.wantNoEvent()
	p.do(sip.Hangup{Call: call})
	p.WantRequest("BYE")
}

func TestAReinviteMovesTheTargetOnlyWhenAccepted(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	moved := func(sdp string) transaction.ServerID {
		c.cseq++
		return p.Receive(strings.Replace(c.request("INVITE", c.cseq, sdp), "sip:erika@192.0.2.1:5060", "sip:erika@192.0.2.66:5060", 1))
	}
	p.WantResponse(moved(strings.Replace(body(), "RTP/AVP 8 101", "RTP/AVP 18", 1)), 488)
	p.do(sip.SendDigit{Call: call, Digit: '1'})
	if p.media.digits != "1" {
		t.Errorf("digits %q", p.media.digits)
	}
	if target := p.calls[0].dialog.Target(); target.Host != "192.0.2.1" {
		t.Errorf("a refused re-INVITE moved the target to %s", target.Host)
	}
	p.WantResponse(moved(body()), 200)
	c.ack("")
	p.do(sip.Hangup{Call: call})
	if bye := p.WantRequest("BYE"); bye.Request.Recipient.Host != "192.0.2.66" {
		t.Errorf("BYE to %s", bye.Request.Recipient.String())
	}
}

func TestAReinviteWithoutOfferGetsOne(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	id := c.next("INVITE", "")
	ok := p.WantResponse(id, 200)
	if !strings.Contains(string(ok.Body()), "m=audio 20004") {
		t.Errorf("no offer in\n%s", ok)
	}
	c.ack(body("a=sendonly"))
	p.wantEvent(sip.RemoteHold{Call: call, Held: true})
}

func TestOneInviteAtATime(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	first := c.next("INVITE", body())
	p.WantResponse(first, 200)
	second := c.next("INVITE", body()) // before the ACK of the first
	if refusal := p.WantResponse(second, 500); headerOf(t, refusal, "Retry-After") == "" {
		t.Error("no Retry-After")
	}
	p.Receive(c.request("ACK", c.cseq-1, ""))
	p.do(sip.Hold{Call: call})
	p.WantRequest("INVITE")
	p.WantResponse(c.next("INVITE", body()), 491)
	p.WantResponse(c.next("UPDATE", body()), 491)
}

func TestAnOldRequestIsOutOfOrder(t *testing.T) {
	p := newPhone(t)
	c, _ := p.talks()
	c.next("INFO", "")
	p.Sent = nil
	id := p.Receive(c.request("BYE", c.cseq-1, ""))
	p.WantResponse(id, 500)
	p.wantNoEvent()
}

func TestAnUpdateTellsWhoIsThereNow(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	pai := `P-Asserted-Identity: "Fachdienst 36" <sip:5036@pbx.example>`
	p.WantResponse(c.next("UPDATE", "", pai), 200)
	p.wantEvent(sip.Identified{Call: call, Party: sip.Party{Name: "Fachdienst 36", Number: "5036"}})
	p.WantResponse(c.next("UPDATE", "", pai), 200) // twice at a transfer
	p.wantNoEvent()
	p.WantResponse(c.next("UPDATE", body("a=inactive")), 200)
	p.wantEvent(sip.RemoteHold{Call: call, Held: true})
}

func TestAnUpdateWhileItRings(t *testing.T) {
	p := newPhone(t)
	c, _, incoming := p.rings("c1", body())
	p.WantResponse(c.next("UPDATE", "", "P-Asserted-Identity: <sip:5036@pbx.example>"), 200)
	p.wantEvent(sip.Identified{Call: incoming.Call, Party: sip.Party{Number: "5036"}})
	p.WantResponse(c.next("UPDATE", body()), 500) // its first offer is not answered yet

	p = newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "180 Ringing", "tag=b")
	p.wantEvent(sip.Progress{Call: 1, Status: 180})
	p.WantResponse(p.asks(invite, "UPDATE", 1, "", `P-Asserted-Identity: "Ada" <sip:115@pbx.example>`), 200)
	p.wantEvent(sip.Identified{Call: 1, Party: sip.Party{Name: "Ada", Number: "115"}})
	p.WantResponse(p.asks(invite, "UPDATE", 2, body()), 491) // our first offer is not answered yet
	p.WantResponse(p.asks(invite, "BYE", 3, ""), 481)        // RFC 3261 section 15: not on an early dialog
	p.wantNoEvent()
}

func TestHoldAndResume(t *testing.T) {
	p := newPhone(t)
	invite, call := p.dials()
	p.do(sip.Hold{Call: call})
	hold := p.WantRequest("INVITE")
	if !strings.Contains(string(hold.Request.Body()), "a=sendonly") {
		t.Errorf("hold offers\n%s", hold.Request.Body())
	}
	if hold.Request.CallID().Value() != invite.Request.CallID().Value() {
		t.Error("hold outside of the dialog")
	}
	p.Answer(hold, "100 Trying")
	p.Answer(hold, "200 OK", withSDP(description("a=recvonly"), "Contact: <sip:b@192.0.2.1>")...)
	if ack := p.WantACK(); ack.CSeq().SeqNo != hold.Request.CSeq().SeqNo {
		t.Errorf("ACK has CSeq %s", ack.CSeq().Value())
	}
	p.wantEvent(sip.HoldChanged{Call: call, Held: true})
	if p.media.direction(call) != sip.SendOnly {
		t.Errorf("sound is %v", p.media.direction(call))
	}
	p.Answer(hold, "200 OK", withSDP(description("a=recvonly"))...) // again
	p.WantACK()
	p.do(sip.Hold{Call: call}) // it is held already
	p.wantEvent(sip.HoldChanged{Call: call, Held: true})
	p.WantNothing()
	p.do(sip.Resume{Call: call})
	resume := p.WantRequest("INVITE")
	p.Answer(resume, "200 OK", withSDP(description())...)
	p.WantACK()
	p.wantEvent(sip.HoldChanged{Call: call, Held: false})
	if versions(t, string(hold.Request.Body())) >= versions(t, string(resume.Request.Body())) {
		t.Error("the version of our description was not raised")
	}
}

func TestAnOldAnswerThatComesAgainChangesNothing(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials()
	p.do(sip.Hold{Call: call})
	hold := p.WantRequest("INVITE")
	p.Answer(hold, "200 OK", withSDP(description("a=inactive"))...)
	p.WantACK()
	p.wantEvent(sip.HoldChanged{Call: call, Held: true})
	p.wantNoEvent() // inactive is the answer of exchanges to a hold: they do not hold us for it
	p.do(sip.Resume{Call: call})
	resume := p.WantRequest("INVITE")
	p.Answer(hold, "200 OK", withSDP(description("a=inactive"))...)
	p.WantACK()
	p.wantNoEvent()
	p.Answer(resume, "200 OK", withSDP(description())...)
	p.WantACK()
	p.wantEvent(sip.HoldChanged{Call: call, Held: false})
}

// versions is the third field of the o= line.
func versions(t *testing.T, sdp string) string {
	t.Helper()
	for line := range strings.Lines(sdp) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "o=") && len(fields) == 6 {
			return fields[2]
		}
	}
	t.Fatalf("no o= line in\n%s", sdp)
	return ""
}

func TestHoldOfAPeerThatHoldsUsIsInactive(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	p.WantResponse(c.next("INVITE", body("a=sendonly")), 200)
	c.ack("")
	p.wantEvent(sip.RemoteHold{Call: call, Held: true})
	p.do(sip.Hold{Call: call})
	hold := p.WantRequest("INVITE")
	if !strings.Contains(string(hold.Request.Body()), "a=inactive") {
		t.Errorf("hold offers\n%s", hold.Request.Body())
	}
	p.Answer(hold, "200 OK", withSDP(description("a=inactive"))...)
	p.WantACK()
	p.wantEvent(sip.HoldChanged{Call: call, Held: true})
	p.wantNoEvent() // that the peer still holds us is no news
}

func TestARefusedHoldLeavesTheCallAsItWas(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials()
	p.do(sip.Hold{Call: call})
	p.Answer(p.WantRequest("INVITE"), "488 Not Acceptable Here")
	p.wantEvent(sip.HoldChanged{Call: call, Failed: true})
	p.wantNoEvent()
	p.do(sip.Hangup{Call: call})
	p.WantRequest("BYE")
}

func TestHoldBeforeTheAnswerFails(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	p.do(sip.Hold{Call: 1})
	p.wantEvent(sip.HoldChanged{Call: 1, Failed: true})
}

func TestHoldWaitsForTheACK(t *testing.T) {
	p := newPhone(t)
	c, id, incoming := p.rings("c1", body())
	p.do(sip.Answer{Call: incoming.Call})
	p.WantResponse(id, 200)
	p.wantEvent(sip.Answered{Call: incoming.Call})
	p.do(sip.Hold{Call: incoming.Call})
	p.WantNothing()
	c.ack("")
	p.WantRequest("INVITE")
}

func TestADialogThatThePeerHasForgottenEnds(t *testing.T) {
	for _, status := range []string{"481 Call/Transaction Does Not Exist", "408 Request Timeout", ""} {
		p := newPhone(t)
		_, call := p.dials()
		p.do(sip.Hold{Call: call})
		hold := p.WantRequest("INVITE")
		want := sip.Ended{Call: call, Cause: sip.Unreachable, Status: 408}
		if status == "" {
			p.TimeOut(hold)
		} else {
			p.Answer(hold, status)
			if strings.HasPrefix(status, "481") {
				want.Status = 481
			}
		}
		p.WantRequest("BYE")
		p.wantEvent(want)
		p.wantOver()
	}
}

func TestGlareIsResolvedByWaiting(t *testing.T) {
	for _, outgoing := range []bool{true, false} {
		p := newPhone(t)
		var call sip.CallID
		least, most := 2100*time.Millisecond, 4*time.Second
		if outgoing {
			_, call = p.dials()
		} else {
			_, call = p.talks()
			least, most = 0, 2*time.Second
		}
		p.do(sip.Hold{Call: call})
		p.Answer(p.WantRequest("INVITE"), "491 Request Pending")
		p.wantNoEvent()
		before := p.Now
		for len(p.Sent) == 0 && p.Now.Sub(before) <= most {
			p.Advance(10 * time.Millisecond)
		}
		again := p.WantRequest("INVITE")
		if waited := p.Now.Sub(before); waited < least || waited > most+10*time.Millisecond {
			t.Errorf("outgoing %v: waited %v", outgoing, waited)
		}
		p.Answer(again, "200 OK", withSDP(description("a=recvonly"))...)
		p.WantACK()
		p.wantEvent(sip.HoldChanged{Call: call, Held: true})
	}
}

func TestAHoldThatIsNotWantedAnyMoreIsNotSentAgain(t *testing.T) {
	p := newPhone(t)
	invite, call := p.dials()
	p.do(sip.Hold{Call: call})
	p.Answer(p.WantRequest("INVITE"), "491 Request Pending")
	p.do(sip.Resume{Call: call})
	p.wantNoEvent()
	p.Advance(4 * time.Second)
	p.wantEvent(sip.HoldChanged{Call: call, Held: false})
	p.WantResponse(p.asks(invite, "INVITE", 1, body()), 200)
	p.asks(invite, "ACK", 1, "")
	p.WantNothing()
}

func TestARefreshThatMeetsAReinviteIsSentAgain(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials("Session-Expires: 600;refresher=uac")
	p.Advance(300 * time.Second)
	p.Answer(p.WantRequest("INVITE"), "491 Request Pending")
	p.Advance(4 * time.Second)
	p.Answer(p.WantRequest("INVITE"), "491 Request Pending")
	p.do(sip.Resume{Call: call}) // it is not held: nothing to be sent for that
	p.Advance(4 * time.Second)
	p.wantEvent(sip.HoldChanged{Call: call, Held: false})
	p.Advance(refreshPause)
	p.Answer(p.WantRequest("INVITE"), "200 OK", withSDP(description(), "Session-Expires: 600;refresher=uac")...)
	p.WantACK()
	p.Advance(299 * time.Second)
	p.WantNothing()
	p.wantNoEvent()
}

func TestAPeerThatAlwaysSays491IsNotAskedForEver(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials()
	p.do(sip.Hold{Call: call})
	for i := 0; len(p.Sent) > 0 && i < 100; i++ {
		p.Answer(p.WantRequest("INVITE"), "491 Request Pending")
		p.Advance(4 * time.Second)
	}
	p.wantEvent(sip.HoldChanged{Call: call, Failed: true})
	p.wantNoEvent()
}

func TestAResumeWhileTheHoldIsUnderWayComesAfterIt(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials()
	p.do(sip.Hold{Call: call})
	hold := p.WantRequest("INVITE")
	p.do(sip.Resume{Call: call})
	p.WantNothing()
	p.Answer(hold, "200 OK", withSDP(description("a=recvonly"))...)
	p.WantACK()
	resume := p.WantRequest("INVITE")
	p.Answer(resume, "200 OK", withSDP(description())...)
	p.WantACK()
	p.wantEvent(sip.HoldChanged{Call: call, Held: false})
	p.wantNoEvent()
}

func TestAnAnswerToOurHoldAfterHangingUpIsAcknowledged(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials()
	p.do(sip.Hold{Call: call})
	hold := p.WantRequest("INVITE")
	p.do(sip.Hangup{Call: call})
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Normal})
	p.Answer(hold, "200 OK", withSDP(description("a=recvonly"))...)
	p.WantACK()
	p.wantOver()
}

func TestTheSessionIsRefreshedByWhoeverTookIt(t *testing.T) {
	timer := []string{"Session-Expires: 1800", "Supported: 100rel, timer", "Allow: INVITE, UPDATE"}
	// The exchange refreshes: we only watch.
	p := newPhone(t)
	c, id, incoming := p.rings("c1", body(), timer...)
	p.do(sip.Answer{Call: incoming.Call})
	ok := p.WantResponse(id, 200)
	if headerOf(t, ok, "Session-Expires") != "1800;refresher=uac" || headerOf(t, ok, "Require") != "timer" {
		t.Errorf("answered\n%s", ok)
	}
	c.ack("")
	p.wantEvent(sip.Answered{Call: incoming.Call})
	p.Advance(1000 * time.Second)
	refreshed := p.WantResponse(c.next("UPDATE", "", "Session-Expires: 1800;refresher=uac", "Supported: timer"), 200)
	if headerOf(t, refreshed, "Session-Expires") != "1800;refresher=uac" {
		t.Errorf("refreshed\n%s", refreshed)
	}
	p.Advance(1767 * time.Second)
	p.WantNothing()
	p.Advance(2 * time.Second)
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: incoming.Call, Cause: sip.Unreachable})
	p.wantOver()
}

func TestWeRefreshTheSessionIfAsked(t *testing.T) {
	for _, update := range []bool{true, false} {
		p := newPhone(t, func(c *Config) { c.SessionExpires = 30 * time.Minute })
		lines := []string{"Session-Expires: 600;refresher=uac", "Require: timer"}
		method := "INVITE"
		if update {
			lines, method = append(lines, "Allow: INVITE, ACK, UPDATE"), "UPDATE"
		}
		_, call := p.dials(lines...)
		for range 3 {
			p.Advance(299 * time.Second)
			p.WantNothing()
			p.Advance(time.Second)
			refresh := p.WantRequest(method)
			if got := headerOf(t, refresh.Request, "Session-Expires"); got != "600;refresher=uac" {
				t.Errorf("refreshes with %s", got)
			}
			if update {
				p.Answer(refresh, "200 OK", "Session-Expires: 600;refresher=uac")
				continue
			}
			p.Answer(refresh, "200 OK", withSDP(description(), "Session-Expires: 600;refresher=uac")...)
			p.WantACK()
		}
		p.wantNoEvent()
		// The exchange has been restarted: it does not know the call any more.
		p.Advance(300 * time.Second)
		p.Answer(p.WantRequest(method), "481 Call/Transaction Does Not Exist")
		p.WantRequest("BYE")
		p.wantEvent(sip.Ended{Call: call, Cause: sip.Unreachable, Status: 481})
		p.wantOver()
	}
}

func TestARefreshThatFailsIsTriedAgainUntilTheSessionEnds(t *testing.T) {
	p := newPhone(t)
	_, call := p.dials("Session-Expires: 100;refresher=uac", "Allow: UPDATE")
	p.Advance(50 * time.Second)
	for len(p.events) == 0 {
		if len(p.Sent) > 0 {
			p.Answer(p.WantRequest("UPDATE"), "500 Server Internal Error")
		}
		p.Advance(time.Second)
		if p.Now.Sub(uatest.Start) > time.Hour {
			t.Fatal("the session never ends")
		}
	}
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Unreachable})
}

func TestWithoutSessionExpiresThereIsNoTimer(t *testing.T) {
	p := newPhone(t)
	p.dials()
	p.talks()
	p.Advance(11 * time.Hour)
	p.WantNothing()
	p.wantNoEvent()
}

func TestACallIsRefreshedByUsWhenThePeerAgreesToNoTimer(t *testing.T) {
	half := func(c *Config) { c.SessionExpires = 30 * time.Minute }
	p := newPhone(t, half)
	_, call := p.dials()
	for _, status := range []string{"488 Not Acceptable Here", "500 Server Internal Error"} { // it takes no refresh: the call goes on
		p.Advance(15 * time.Minute)
		p.Answer(p.WantRequest("INVITE"), status)
		p.wantNoEvent()
	}
	p.Advance(15 * time.Minute)
	p.Answer(p.WantRequest("INVITE"), "200 OK", withSDP(description())...)
	p.WantACK()
	p.Advance(15 * time.Minute)
	p.Answer(p.WantRequest("INVITE"), "481 Call/Transaction Does Not Exist")
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Unreachable, Status: 481})
	p.wantOver()

	p = newPhone(t, half) // a call that came in
	c, id, incoming := p.rings("c1", body(), "Allow: UPDATE")
	p.do(sip.Answer{Call: incoming.Call})
	if ok := p.WantResponse(id, 200); len(ok.GetHeaders("Session-Expires")) > 0 {
		t.Errorf("a timer that nobody asked for:\n%s", ok)
	}
	c.ack("")
	p.wantEvent(sip.Answered{Call: incoming.Call})
	p.Advance(15 * time.Minute)
	p.Answer(p.WantRequest("UPDATE"), "200 OK")
	p.wantNoEvent()
}

func TestCallsAreVerifiedWhenTheExchangeWasAway(t *testing.T) {
	p := newPhone(t, func(c *Config) { c.SessionExpires = 30 * time.Minute })
	_, call := p.dials("Allow: UPDATE")
	p.registrationChanged(sip.Registered{Expires: time.Minute}) // as every few minutes
	p.Tick(p.Now)
	p.WantNothing()
	p.registrationChanged(sip.Unregistered{Cause: sip.Unreachable})
	p.Tick(p.Now)
	p.WantNothing()
	p.registrationChanged(sip.Registered{Expires: time.Minute})
	p.Tick(p.Now)
	p.Answer(p.WantRequest("UPDATE"), "481 Call/Transaction Does Not Exist")
	p.WantRequest("BYE")
	p.events = p.events[len(p.events)-1:]
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Unreachable, Status: 481})
}

func TestAProxysTimerIsRefreshedByUs(t *testing.T) {
	p := newPhone(t)
	_, id, incoming := p.rings("c1", body(), "Session-Expires: 1800", "Allow: UPDATE") // the caller knows no timers
	p.do(sip.Answer{Call: incoming.Call})
	ok := p.WantResponse(id, 200)
	if headerOf(t, ok, "Session-Expires") != "1800;refresher=uas" || len(ok.GetHeaders("Require")) != 0 {
		t.Errorf("answered\n%s", ok)
	}
}
