package ua

import (
	"strings"
	"testing"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
	"freizeichen/sip/ua/uatest"
)

// asked is a citizen who waits, and an office that has been called for him.
type asked struct {
	*phone
	citizen *callerOf
	call    sip.CallID
	invite  uatest.Sent // of the consultation, call 1
}

// consults brings a phone there: the office rings.
func consults(t *testing.T) asked {
	p := newPhone(t)
	citizen, call := p.talks()
	p.do(sip.Dial{Call: 1, Number: "5036"})
	a := asked{phone: p, citizen: citizen, call: call, invite: p.WantRequest("INVITE")}
	p.Answer(a.invite, "180 Ringing", "tag=b", "Contact: <sip:5036@192.0.2.1:5060;transport=udp?X=y>")
	p.wantEvent(sip.Progress{Call: 1, Status: 180})
	return a
}

func (a asked) answers() asked {
	a.t.Helper()
	a.Answer(a.invite, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:5036@192.0.2.1:5060;transport=udp>")...)
	a.WantACK()
	a.wantEvent(sip.Answered{Call: 1})
	return a
}

// news is a NOTIFY in the citizen's call.
func (a asked) news(state, status string) {
	a.t.Helper()
	a.citizen.cseq++
	id := a.Receive(a.citizen.request("NOTIFY", a.citizen.cseq, "", "Event: refer", "Subscription-State: "+state,
		"Content-Type: message/sipfrag;version=2.0") + "\n" + status + "\n")
	a.WantResponse(id, 200)
}

func (a asked) refer() uatest.Sent {
	a.t.Helper()
	a.do(sip.Join{Call: a.call, With: 1})
	return a.WantRequest("REFER")
}

func TestAJoinNamesTheConsultationAsTheOfficesSideSeesIt(t *testing.T) {
	for _, rings := range []bool{true, false} {
		a := consults(t)
		if !rings {
			a.answers()
		}
		refer := a.refer().Request
		if refer.CallID().Value() != "in-1" {
			t.Errorf("REFER goes into the wrong call:\n%s", refer)
		}
		if got := headerOf(t, refer, "Referred-By"); got != "<sip:201@pbx.example>" {
			t.Errorf("Referred-By: %s", got)
		}
		// RFC 3891 section 6.1, and the angle brackets of RFC 3515 section 2.1.
		to, callID := headerOf(t, refer, "Refer-To"), a.invite.Request.CallID().Value()
		const before, after = "<sip:5036@192.0.2.1:5060;transport=udp?Replaces=", ">"
		if !strings.HasPrefix(to, before) || !strings.HasSuffix(to, after) || strings.ContainsAny(to[len(before):len(to)-1], ";=@?&<> ") {
			t.Fatalf("Refer-To: %s", to)
		}
		ours, _ := a.invite.Request.From().Params.Get("tag")
		want := header.Replaces{CallID: callID, ToTag: "b", FromTag: ours}
		if got, ok := header.ReplacesOf(to[1 : len(to)-1]); !ok || got != want || ours == "" {
			t.Errorf("replaces %+v, want %+v", got, want)
		}
	}
}

func TestAJoinWithAnOfficeThatHasAnsweredEndsBothCalls(t *testing.T) {
	a := consults(t).answers()
	a.Answer(a.refer(), "202 Accepted")
	a.news("active;expires=60", "SIP/2.0 100 Trying")
	a.wantNoEvent()
	a.news("terminated;reason=noresource", "SIP/2.0 200 OK")
	if bye := a.WantRequest("BYE").Request; bye.CallID().Value() != a.invite.Request.CallID().Value() {
		t.Errorf("the first BYE is\n%s", bye)
	}
	if bye := a.WantRequest("BYE").Request; bye.CallID().Value() != "in-1" {
		t.Errorf("the second BYE is\n%s", bye)
	}
	a.wantEvent(sip.Ended{Call: 1, Cause: sip.Transferred})
	a.wantEvent(sip.Ended{Call: a.call, Cause: sip.Transferred, Status: 200})
	a.wantOver()
}

// BYE in the consultation can overtake the NOTIFY.
func TestAJoinWhoseConsultationThePeerEndsItself(t *testing.T) {
	a := consults(t).answers()
	a.Answer(a.refer(), "202 Accepted")
	a.WantResponse(a.asks(a.invite, "BYE", 1, ""), 200)
	a.wantEvent(sip.Ended{Call: 1, Cause: sip.Transferred})
	a.news("terminated;reason=noresource", "SIP/2.0 200 OK")
	a.WantRequest("BYE")
	a.wantEvent(sip.Ended{Call: a.call, Cause: sip.Transferred, Status: 200})
	a.wantOver()
}

// The exchange ends the INVITE of a consultation that it has taken over: Asterisk 22 with 603.
func TestAJoinWithAnOfficeThatStillRings(t *testing.T) {
	for _, final := range []string{"603 Decline", "487 Request Terminated"} {
		a := consults(t)
		a.Answer(a.refer(), "202 Accepted")
		a.Answer(a.invite, final, "tag=b")
		a.wantEvent(sip.Ended{Call: 1, Cause: sip.Transferred, Status: map[byte]int{'6': 603, '4': 487}[final[0]]})
		a.news("terminated;reason=noresource", "SIP/2.0 200 OK")
		a.WantRequest("BYE")
		a.wantEvent(sip.Ended{Call: a.call, Cause: sip.Transferred, Status: 200})
		a.wantOver()
	}
}

// As Asterisk 22 does it: the news comes first. The phone is rid of both calls then, and waits with its CANCEL.
func TestAJoinDoesNotCancelTheRingingThatItPassedOn(t *testing.T) {
	joined := func() asked {
		a := consults(t)
		a.Answer(a.refer(), "202 Accepted")
		a.news("terminated;reason=noresource", "SIP/2.0 200 OK")
		a.WantRequest("BYE")
		a.wantEvent(sip.Ended{Call: 1, Cause: sip.Transferred})
		a.wantEvent(sip.Ended{Call: a.call, Cause: sip.Transferred, Status: 200})
		a.WantNothing()
		return a
	}
	a := joined()
	a.Answer(a.invite, "603 Decline", "tag=b")
	a.Advance(partingTime)
	a.wantOver()

	a = joined() // the exchange leaves it to us
	a.Advance(partingTime)
	a.WantCancel(a.invite)
	a.Answer(a.invite, "487 Request Terminated", "tag=b")
	a.wantOver()

	a = joined() // the office lifts in our own call
	a.Answer(a.invite, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:5036@192.0.2.1:5060>")...)
	a.WantACK()
	a.WantRequest("BYE")
	a.Advance(partingTime)
	a.wantOver()
}

func TestAnOfficeThatIsBusyDuringAJoinIsNotPassedOn(t *testing.T) {
	a := consults(t)
	a.Answer(a.refer(), "202 Accepted")
	a.Answer(a.invite, "486 Busy Here", "tag=b")
	a.wantEvent(sip.Ended{Call: 1, Cause: sip.Busy, Status: 486})
	a.news("terminated", "SIP/2.0 481 Call/Transaction Does Not Exist")
	a.wantEvent(sip.TransferFailed{Call: a.call, Cause: sip.ServerError, Status: 481})
	a.do(sip.Hangup{Call: a.call})
	a.WantRequest("BYE")
}

func TestThePeerMayLeaveDuringAJoin(t *testing.T) {
	a := consults(t).answers()
	a.Answer(a.refer(), "202 Accepted")
	a.WantResponse(a.citizen.next("BYE", ""), 200)
	a.wantEvent(sip.Ended{Call: a.call, Cause: sip.Transferred})
	// Nobody knows whether he was passed on or hung up. The office's side ends the consultation if he was.
	a.wantNoEvent()
	a.WantNothing()
	a.do(sip.Hangup{Call: 1})
	a.WantRequest("BYE")
	a.wantEvent(sip.Ended{Call: 1, Cause: sip.Normal})
	a.wantOver()
}

func TestAJoinThatFailsLeavesBothCalls(t *testing.T) {
	for _, c := range []struct {
		why  string
		fail func(a asked, refer uatest.Sent)
		want sip.TransferFailed
	}{
		{"declined", func(a asked, refer uatest.Sent) { a.Answer(refer, "603 Decline") },
			sip.TransferFailed{Cause: sip.Rejected, Status: 603}},
		{"not understood", func(a asked, refer uatest.Sent) { a.Answer(refer, "501 Not Implemented") },
			sip.TransferFailed{Cause: sip.ServerError, Status: 501}},
		{"bad", func(a asked, refer uatest.Sent) { a.Answer(refer, "400 Bad Request") },
			sip.TransferFailed{Cause: sip.ServerError, Status: 400}},
		{"not sent", func(a asked, refer uatest.Sent) { a.Deliver(transaction.Failed{Transaction: refer.Client}) },
			sip.TransferFailed{Cause: sip.Unreachable}},
		{"the office does not know the call", func(a asked, refer uatest.Sent) {
			a.Answer(refer, "202 Accepted")
			a.news("terminated", "SIP/2.0 481 Call/Transaction Does Not Exist")
		}, sip.TransferFailed{Cause: sip.ServerError, Status: 481}},
		{"the office is busy", func(a asked, refer uatest.Sent) {
			a.Answer(refer, "202 Accepted")
			a.news("terminated", "SIP/2.0 486 Busy Here")
		}, sip.TransferFailed{Cause: sip.Busy, Status: 486}},
		{"no news", func(a asked, refer uatest.Sent) {
			a.Answer(refer, "202 Accepted")
			a.Advance(transferMax)
		}, sip.TransferFailed{Cause: sip.NoAnswer}},
		{"the subscription ends early", func(a asked, refer uatest.Sent) {
			a.Answer(refer, "202 Accepted")
			a.news("terminated", "SIP/2.0 100 Trying")
		}, sip.TransferFailed{Cause: sip.Unavailable, Status: 100}},
	} {
		a := consults(t).answers()
		t.Log(c.why)
		refer := a.refer()
		a.do(sip.Join{Call: a.call, With: 1}) // one at a time
		a.do(sip.Transfer{Call: a.call, Number: "5037"})
		a.WantNothing()
		c.fail(a, refer)
		c.want.Call = a.call
		a.wantEvent(c.want)
		a.wantNoEvent()
		a.WantNothing()
		for _, call := range []sip.CallID{1, a.call} {
			a.do(sip.Hangup{Call: call})
			a.WantRequest("BYE")
			a.wantEvent(sip.Ended{Call: call, Cause: sip.Normal})
		}
		a.wantOver()
	}
}

func TestAJoinThatCannotBeginFails(t *testing.T) {
	p := newPhone(t)
	_, call := p.talks()
	fails := func(with sip.CallID) {
		t.Helper()
		p.do(sip.Join{Call: call, With: with})
		p.wantEvent(sip.TransferFailed{Call: call, Cause: sip.Unavailable})
		p.WantNothing()
	}
	fails(7)    // nobody
	fails(call) // itself
	p.do(sip.Dial{Call: 1, Number: "5036"})
	invite := p.WantRequest("INVITE")
	fails(1) // nobody has answered yet
	p.Answer(invite, "180 Ringing", "tag=b")
	p.Answer(invite, "180 Ringing", "tag=c")
	p.wantEvent(sip.Progress{Call: 1, Status: 180})
	fails(1) // two ring, and nobody knows which will answer
	p.do(sip.Join{Call: 1, With: call})
	p.wantEvent(sip.TransferFailed{Call: 1, Cause: sip.Unavailable})
	p.WantNothing()
}
