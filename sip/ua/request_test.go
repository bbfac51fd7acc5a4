package ua

import (
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/uatest"
)

// outside is a request outside of any dialog; lines are header fields, and after an empty one the body.
func outside(method string, lines ...string) string {
	return method + " sip:201@192.0.2.9:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKo;rport\n" +
		"From: <sip:pbx@pbx.example>;tag=o\nTo: <sip:201@pbx.example>\nCall-ID: o\nCSeq: 1 " + method + "\n" +
		strings.Join(lines, "\n") + "\n"
}

func TestRequestsOutsideOfACallHaveTheirAnswers(t *testing.T) {
	for _, c := range []struct {
		method string
		lines  []string
		status int
	}{
		{"MESSAGE", []string{"Content-Type: text/plain", "", "hello"}, 405},
		{"SUBSCRIBE", []string{"Event: presence"}, 405},
		{"REFER", []string{"Refer-To: <sip:0900@evil.example>"}, 405},
		{"REGISTER", nil, 405},
		{"BYE", nil, 481},
		{"UPDATE", nil, 481},
		{"INFO", nil, 481},
		{"NOTIFY", []string{"Event: x-queue-state", "Subscription-State: terminated"}, 489},
		{"NOTIFY", []string{"Subscription-State: terminated"}, 489},
		{"NOTIFY", []string{"Event: refer;id=1", "Subscription-State: terminated"}, 481},
		{"NOTIFY", []string{"Event: message-summary", "Subscription-State: terminated"}, 200},
		{"OPTIONS", nil, 200},
	} {
		p := newPhone(t)
		id := p.Receive(outside(c.method, c.lines...))
		response := p.WantResponse(id, c.status)
		if c.status == 405 && headerOf(t, response, "Allow") == "" {
			t.Errorf("%s: no Allow", c.method)
		}
		p.wantOver()
	}
}

func TestOptionsIsAnsweredAlsoWhenBusy(t *testing.T) {
	p := newPhone(t)
	p.talks()
	p.rings("c2", body())
	ok := p.WantResponse(p.Receive(outside("OPTIONS")), 200)
	for _, name := range []string{"Allow", "Accept", "Supported", "Contact"} {
		if headerOf(t, ok, name) == "" {
			t.Errorf("no %s", name)
		}
	}
}

func TestARequestForAForgottenCallIs481(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	p.do(sip.Hangup{Call: call})
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Normal})
	for _, method := range []string{"BYE", "INVITE", "INFO", "NOTIFY", "UPDATE"} {
		p.WantResponse(c.next(method, ""), 481)
	}
	c.ack("")
	p.wantOver()
}

func TestOptionsAndUnknownMethodsInACall(t *testing.T) {
	p := newPhone(t)
	c, _ := p.talks()
	p.WantResponse(c.next("OPTIONS", ""), 200)
	p.WantResponse(c.next("REFER", "", "Refer-To: <sip:0900@evil.example>"), 405)
	p.WantResponse(c.next("MESSAGE", ""), 405)
	p.wantNoEvent()
}

func TestDigitsByInfo(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	for _, i := range []struct {
		lines  []string
		status int
		digit  byte
	}{
		{[]string{"Info-Package: x", "Content-Type: text/plain", "", "x"}, 469, 0},
		{[]string{"Content-Type: text/plain", "", "5"}, 415, 0},
		{[]string{"Content-Type: application/dtmf-relay", "", "Signal=", "Duration=160"}, 200, 0},
		{[]string{"Content-Type: application/dtmf-relay", "", "Duration=5"}, 200, 0},
		{[]string{"Content-Type: application/dtmf", "", "55"}, 200, 0},
		{nil, 200, 0},
		{[]string{"Content-Type: application/dtmf-relay", "", "Signal= 5", "Duration=160"}, 200, '5'},
		{[]string{"Content-Type: application/dtmf-relay", "", "signal=d"}, 200, 'D'},
		{[]string{"Content-Type: Application/DTMF", "", "#"}, 200, '#'},
		{[]string{"Content-Type: application/dtmf", "", "10"}, 200, '*'},
		{[]string{"Content-Type: application/dtmf", "", "11"}, 200, '#'},
	} {
		p.WantResponse(c.next("INFO", "", i.lines...), i.status)
		if i.digit != 0 {
			p.wantEvent(sip.DigitReceived{Call: call, Digit: i.digit})
		}
		p.wantNoEvent()
	}
}

func TestDigitsAreSentInTheSoundOrByInfo(t *testing.T) {
	p := newPhone(t)
	_, call := p.talks()
	p.do(sip.SendDigit{Call: call, Digit: '5'})
	p.do(sip.SendDigit{Call: call, Digit: '\r'})
	p.WantNothing()
	if p.media.digits != "5" {
		t.Errorf("digits %q", p.media.digits)
	}

	p = newPhone(t)
	c := &callerOf{phone: p, callID: "x", cseq: 1}
	id := p.Receive(c.request("INVITE", 1, strings.Replace(body(), "RTP/AVP 8 101", "RTP/AVP 8", 1)))
	c.tag = tagOf(t, p.WantResponse(id, 180).To().Value())
	p.events = nil
	p.do(sip.Answer{Call: 2})
	p.WantResponse(id, 200)
	c.ack("")
	p.do(sip.SendDigit{Call: 2, Digit: '*'})
	info := p.WantRequest("INFO").Request
	if headerOf(t, info, "Content-Type") != "application/dtmf-relay" || string(info.Body()) != "Signal=*\r\nDuration=160\r\n" {
		t.Errorf("sent\n%s", info)
	}
}

func tagOf(t *testing.T, to string) string {
	t.Helper()
	_, tag, ok := strings.Cut(to, ";tag=")
	if !ok {
		t.Fatalf("no tag in %s", to)
	}
	return tag
}

func TestATransferThatSucceedsEndsTheCall(t *testing.T) {
	p := newPhone(t)
	invite, call := p.dials()
	p.do(sip.Transfer{Call: call, Number: "5036"})
	refer := p.WantRequest("REFER")
	if headerOf(t, refer.Request, "Refer-To") != "<sip:5036@pbx.example>" || headerOf(t, refer.Request, "Referred-By") != "<sip:201@pbx.example>" {
		t.Errorf("asked with\n%s", refer.Request)
	}
	p.Answer(refer, "202 Accepted")
	p.WantResponse(p.fragment(invite, 1, "active;expires=60", "SIP/2.0 100 Trying"), 200)
	p.WantResponse(p.fragment(invite, 2, "active;expires=60", "SIP/2.0 180 Ringing"), 200)
	p.wantNoEvent()
	p.WantResponse(p.fragment(invite, 3, "terminated;reason=noresource", "SIP/2.0 200 OK"), 200)
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Transferred, Status: 200})
	p.wantOver()
}

func TestThePeerMayLeaveDuringATransfer(t *testing.T) {
	p := newPhone(t)
	invite, call := p.dials()
	p.do(sip.Transfer{Call: call, Number: "5036"})
	p.Answer(p.WantRequest("REFER"), "202 Accepted")
	p.WantResponse(p.asks(invite, "BYE", 1, ""), 200)
	p.wantEvent(sip.Ended{Call: call, Cause: sip.Transferred})
	p.wantOver()
}

func TestATransferThatFailsLeavesTheCall(t *testing.T) {
	for _, c := range []struct {
		why  string
		fail func(p *phone, invite, refer uatest.Sent)
		want sip.TransferFailed
	}{
		{"refused", func(p *phone, _, refer uatest.Sent) { p.Answer(refer, "603 Decline") },
			sip.TransferFailed{Call: 1, Cause: sip.Rejected, Status: 603}},
		{"not sent", func(p *phone, _, refer uatest.Sent) { p.Deliver(transaction.Failed{Transaction: refer.Client}) },
			sip.TransferFailed{Call: 1, Cause: sip.Unreachable}},
		{"busy", func(p *phone, invite, _ uatest.Sent) {
			p.WantResponse(p.fragment(invite, 1, "terminated", "SIP/2.0 486 Busy Here"), 200)
		}, sip.TransferFailed{Call: 1, Cause: sip.Busy, Status: 486}},
		{"unknown number", func(p *phone, invite, _ uatest.Sent) {
			p.WantResponse(p.fragment(invite, 1, "terminated", "SIP/2.0 404 Not Found"), 200)
		}, sip.TransferFailed{Call: 1, Cause: sip.NotFound, Status: 404}},
		{"no news", func(p *phone, _, _ uatest.Sent) { p.Advance(transferMax) },
			sip.TransferFailed{Call: 1, Cause: sip.NoAnswer}},
		{"the subscription ends early", func(p *phone, invite, _ uatest.Sent) {
			p.WantResponse(p.fragment(invite, 1, "terminated", "SIP/2.0 100 Trying"), 200)
		}, sip.TransferFailed{Call: 1, Cause: sip.Unavailable, Status: 100}},
		{"nonsense", func(p *phone, invite, _ uatest.Sent) {
			p.WantResponse(p.fragment(invite, 1, "terminated", "SIP/2.0 2x0 OK"), 200)
		}, sip.TransferFailed{Call: 1, Cause: sip.Unavailable}},
	} {
		p := newPhone(t)
		invite, call := p.dials()
		p.do(sip.Transfer{Call: call, Number: "5036"})
		refer := p.WantRequest("REFER")
		p.do(sip.Transfer{Call: call, Number: "5037"}) // one at a time
		p.WantNothing()
		t.Log(c.why)
		c.fail(p, invite, refer)
		p.wantEvent(c.want)
		p.wantNoEvent()
		p.WantNothing()
		if c.why == "busy" { // a straggler, and another try
			p.WantResponse(p.fragment(invite, 2, "terminated", "SIP/2.0 200 OK"), 200)
			p.wantNoEvent()
			p.do(sip.Transfer{Call: call, Number: "5037"})
			p.WantRequest("REFER")
			continue
		}
		p.do(sip.Hangup{Call: call})
		p.WantRequest("BYE")
		p.wantEvent(sip.Ended{Call: call, Cause: sip.Normal})
	}
}

func TestATransferThatCannotBeginFails(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	p.WantRequest("INVITE")
	p.do(sip.Transfer{Call: 1, Number: "5036"})
	p.wantEvent(sip.TransferFailed{Call: 1, Cause: sip.Unavailable})
	p = newPhone(t)
	_, call := p.talks()
	p.do(sip.Transfer{Call: call, Number: "5036>\r\nX: y"})
	p.wantEvent(sip.TransferFailed{Call: call, Cause: sip.BadNumber})
	p.WantNothing()
}

func TestNotifiesThatNobodyAskedForAreRefused(t *testing.T) {
	p := newPhone(t)
	invite, _ := p.dials()
	p.WantResponse(p.fragment(invite, 1, "terminated", "SIP/2.0 200 OK"), 481)
	p.WantResponse(p.asks(invite, "NOTIFY", 2, "", "Event: talk"), 489)
	p.wantNoEvent()
}

func TestStopEndsCallsAndUnregisters(t *testing.T) {
	p := newPhone(t)
	p.talks()
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	done := false
	p.Stop(p.Now, func() { done = true })
	bye := p.WantRequest("BYE")
	p.WantCancel(invite)
	register := p.WantRequest("REGISTER")
	p.events = nil
	p.Answer(register, "200 OK", "tag=r")
	p.Answer(bye, "200 OK")
	if done {
		t.Error("done before the INVITE's end")
	}
	p.Answer(invite, "487 Request Terminated", "tag=b")
	if !done {
		t.Error("not done")
	}
	p.wantEvent(sip.Unregistered{Cause: sip.Normal})
	p.WantResponse(p.Receive((&callerOf{phone: p, callID: "late", cseq: 1}).request("INVITE", 1, body())), 480)
	p.do(sip.Dial{Call: 3, Number: "115"})
	p.wantEvent(sip.Ended{Call: 3, Cause: sip.NotRegistered})
	p.wantOver()
}

func TestStopIsBounded(t *testing.T) {
	p := newPhone(t)
	p.talks()
	done := 0
	p.Stop(p.Now, func() { done++ })
	p.Stop(p.Now, func() { done += 10 })
	p.Advance(2 * time.Second)
	if done != 1 {
		t.Errorf("done %d times", done)
	}
	p.Advance(time.Hour)
	if !p.Deadline().IsZero() || done != 1 {
		t.Errorf("goes on: %v, done %d", p.Deadline(), done)
	}
}
