package ua

import (
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/transaction"
)

func TestAnInviteThatCannotBeACallIsRefused(t *testing.T) {
	for _, c := range []struct {
		why    string
		status int
		sdp    string
		lines  []string
		change func(string) string
		rang   bool // the caller hears that it rings before he is refused, the agent nothing
	}{
		{"a stranger's Request-URI", 404, body(), nil, func(s string) string { return strings.Replace(s, "sip:201@192", "sip:100@192", 1) }, false},
		{"Replaces", 481, body(), []string{"Replaces: a;to-tag=b;from-tag=c"}, nil, false},
		{"no common codec", 488, strings.Replace(body(), "RTP/AVP 8 101", "RTP/AVP 18", 1), nil, nil, true},
		{"a body that is no SDP", 415, "", []string{"Content-Type: text/plain", "", "hello"}, nil, false},
		{"a compressed body", 415, body(), []string{"Content-Encoding: gzip"}, nil, false},
		{"a broken SDP", 400, "v=0\nnonsense", nil, nil, true},
		{"no Contact", 400, body(), nil, func(s string) string { return strings.Replace(s, "Contact: <sip:erika@192.0.2.1:5060>\n", "", 1) }, false},
		{"a session timer too short", 422, body(), []string{"Session-Expires: 60", "Supported: timer"}, nil, false},
	} {
		p := newPhone(t)
		text := (&callerOf{phone: p, callID: "x", cseq: 1}).request("INVITE", 1, c.sdp, c.lines...)
		if c.change != nil {
			text = c.change(text)
		}
		id := p.Receive(text)
		t.Log(c.why)
		if c.rang {
			p.WantResponse(id, 180)
		}
		p.WantResponse(id, c.status)
		p.wantOver()
	}
}

func TestAStrangerWhoGuessesTheAccountDoesNotRing(t *testing.T) {
	p := newPhone(t)
	text := (&callerOf{phone: p, callID: "x", cseq: 1}).request("INVITE", 1, body())
	p.From = "198.51.100.66:5060"
	p.WantResponse(p.Receive(text), 404)
	p.wantOver()
	// Our Contact nobody can guess: whoever has it was told by the exchange, such as another of its hosts.
	text = strings.Replace(text, "sip:201@192", "sip:"+p.registration.User()+"@192", 1)
	p.WantResponse(p.Receive(text), 180)
}

func TestWithoutAPortACallIsRefused(t *testing.T) {
	p := newPhone(t)
	p.media.refuse = true
	id := p.Receive((&callerOf{phone: p, callID: "x", cseq: 1}).request("INVITE", 1, body()))
	p.WantResponse(id, 180)
	p.WantResponse(id, 500)
	p.wantOver()
}

func TestACallRingsAndIsAnswered(t *testing.T) {
	p := newPhone(t)
	c, id, incoming := p.rings("c1", body(), "Subject: Zulassung und Führerschein",
		`Diversion: "Kreis Wesel" <sip:02812070@pbx.example>;reason=unconditional`)
	want := sip.Incoming{Call: 2, From: sip.Party{Name: "Erika Müller", Number: "+4928415551234"},
		Called: sip.Party{Name: "Kreis Wesel", Number: "02812070"}, Topic: "Zulassung und Führerschein"}
	if incoming != want {
		t.Errorf("got %+v", incoming)
	}
	p.do(sip.Answer{Call: 2})
	ok := p.WantResponse(id, 200)
	if !strings.Contains(string(ok.Body()), "m=audio 20004 RTP/AVP 8 101") || headerOf(t, ok, "Contact") == "" {
		t.Errorf("answered\n%s", ok)
	}
	p.wantEvent(sip.Answered{Call: 2})
	if got := p.media.applied[2]; len(got) != 1 || got[0].Remote.String() != "192.0.2.1:10000" {
		t.Errorf("applied %+v", got)
	}
	c.ack("")
	bye := c.next("BYE", "")
	p.WantResponse(bye, 200)
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.Normal})
	p.wantOver()
}

func TestACallWithoutOfferGetsOneAndItsAnswerInTheACK(t *testing.T) {
	p := newPhone(t)
	c, id, _ := p.rings("c1", "")
	p.do(sip.Answer{Call: 2})
	ok := p.WantResponse(id, 200)
	if !strings.Contains(string(ok.Body()), "m=audio 20004") {
		t.Errorf("no offer in\n%s", ok)
	}
	p.wantEvent(sip.Answered{Call: 2})
	if len(p.media.applied[2]) != 0 {
		t.Error("applied before the answer")
	}
	c.ack(body())
	if p.media.direction(2) != sip.SendRecv {
		t.Errorf("applied %+v", p.media.applied[2])
	}
}

func TestAnACKWithoutTheAnswerItOwesEndsTheCall(t *testing.T) {
	p := newPhone(t)
	c, id, _ := p.rings("c1", "")
	p.do(sip.Answer{Call: 2})
	p.WantResponse(id, 200)
	p.wantEvent(sip.Answered{Call: 2})
	c.ack("")
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.NoCommonCodec})
	p.wantOver()
}

func TestA200IsSentAgainUntilItsACK(t *testing.T) {
	p := newPhone(t)
	c, id, _ := p.rings("c1", body())
	p.do(sip.Answer{Call: 2})
	p.WantResponse(id, 200)
	p.wantEvent(sip.Answered{Call: 2})
	at := p.Now
	for _, seconds := range []float64{0.5, 1.5, 3.5, 7.5, 11.5, 15.5} {
		p.Advance(at.Add(time.Duration(seconds * float64(time.Second))).Sub(p.Now))
		p.WantResponse(id, 200)
		p.WantNothing()
	}
	c.Receive(c.request("ACK", 77, "")) // of another INVITE
	p.Advance(4 * time.Second)
	p.WantResponse(id, 200)
	c.ack("")
	p.Advance(time.Minute)
	p.WantNothing()
}

func TestWithoutACKTheCallEndsWithBye(t *testing.T) {
	p := newPhone(t)
	_, id, _ := p.rings("c1", body())
	p.do(sip.Answer{Call: 2})
	p.wantEvent(sip.Answered{Call: 2})
	p.Advance(32 * time.Second)
	for len(p.Sent) > 1 {
		p.WantResponse(id, 200)
	}
	p.WantRequest("BYE")
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.Unreachable})
	p.wantOver()
}

func TestHangingUpBeforeTheACKWaitsWithTheBye(t *testing.T) {
	p := newPhone(t)
	c, id, _ := p.rings("c1", body())
	p.do(sip.Answer{Call: 2})
	p.WantResponse(id, 200)
	p.wantEvent(sip.Answered{Call: 2})
	p.do(sip.Hangup{Call: 2})
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.Normal})
	p.WantNothing()
	p.Advance(500 * time.Millisecond)
	p.WantResponse(id, 200)
	c.ack("")
	p.WantRequest("BYE")
	p.wantOver()
}

func TestARejectedCallIsAnswered486(t *testing.T) {
	for _, command := range []sip.Command{sip.Reject{Call: 2}, sip.Hangup{Call: 2}} {
		p := newPhone(t)
		_, id, _ := p.rings("c1", body())
		p.do(command)
		p.WantResponse(id, 486)
		p.wantEvent(sip.Ended{Call: 2, Cause: sip.Normal, Status: 486})
		p.do(sip.Answer{Call: 2}) // too late
		p.wantOver()
	}
}

func TestACancelTellsWhetherSomebodyElseTookTheCall(t *testing.T) {
	for reason, want := range map[string]sip.Cause{
		"":                       sip.CallerGaveUp,
		"Reason: Q.850;cause=16": sip.CallerGaveUp,
		"Reason: SIP;cause=487":  sip.CallerGaveUp,
		`Reason: SIP;cause=200;text="Call completed elsewhere"`: sip.Elsewhere,
		"Reason: Q.850;cause=0, Q.850 ; cause=26":               sip.Elsewhere,
	} {
		p := newPhone(t)
		c, id, _ := p.rings("c1", body())
		text := c.request("CANCEL", 1, "", "X: y", reason)
		cancel := p.Parse(strings.ReplaceAll(strings.TrimSpace(text)+"\n", "\n", "\r\n"), "").(*sipgo.Request)
		p.Deliver(transaction.Cancelled{Transaction: id, Cancel: cancel})
		p.WantResponse(id, 487)
		p.wantEvent(sip.Ended{Call: 2, Cause: want})
		p.wantOver()
	}
}

func TestACancelAfterOurAnswerDoesNothing(t *testing.T) {
	p := newPhone(t)
	_, id, _ := p.rings("c1", body())
	p.do(sip.Answer{Call: 2})
	p.WantResponse(id, 200)
	p.wantEvent(sip.Answered{Call: 2})
	p.Deliver(transaction.Cancelled{Transaction: id})
	p.WantNothing()
	p.wantNoEvent()
}

func TestTheSecondCallKnocksAndTheThirdIsBusy(t *testing.T) {
	p := newPhone(t)
	p.talks()
	_, _, second := p.rings("c2", body())
	if second.Call != 4 {
		t.Errorf("second call is %d", second.Call)
	}
	id := p.Receive((&callerOf{phone: p, callID: "c3", cseq: 1}).request("INVITE", 1, body()))
	p.WantResponse(id, 486)
	p.wantNoEvent()
}

func TestARingingCallIsRefreshedAndEndsByItself(t *testing.T) {
	p := newPhone(t)
	c, id, _ := p.rings("c1", body())
	for range 4 {
		p.Advance(time.Minute)
		again := p.WantResponse(id, 180)
		if dialog.IDOfResponse(again).RemoteTag != c.tag {
			t.Error("another tag in the second 180")
		}
	}
	p.Advance(time.Minute)
	for len(p.Sent) > 1 {
		p.WantResponse(id, 180)
	}
	p.WantResponse(id, 480)
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.NoAnswer, Status: 480})
	p.wantOver()
}

func TestAnInviteThatExpiresIsTerminated(t *testing.T) {
	p := newPhone(t)
	_, id, _ := p.rings("c1", body(), "Expires: 20")
	p.Advance(20 * time.Second)
	p.WantResponse(id, 487)
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.CallerGaveUp, Status: 487})
	p.wantOver()
}

func TestAByeEndsARingingCall(t *testing.T) {
	p := newPhone(t)
	c, id, _ := p.rings("c1", body())
	bye := c.next("BYE", "")
	p.WantResponse(bye, 200)
	p.WantResponse(id, 487)
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.CallerGaveUp})
	p.wantOver()
}

func TestACallWithoutSoundIsNotAnswered(t *testing.T) {
	p := newPhone(t)
	_, id, _ := p.rings("c1", body())
	p.media.deaf = true
	p.do(sip.Answer{Call: 2})
	p.WantResponse(id, 500)
	p.wantEvent(sip.Ended{Call: 2, Cause: sip.LocalFault})
	p.wantOver()
}

func TestALostRegistrationLeavesTheCallAlone(t *testing.T) {
	p := newPhone(t)
	c, call := p.talks()
	p.Advance(12 * time.Hour)
	p.Answer(p.WantRequest("REGISTER"), "503 Service Unavailable", "tag=r")
	if _, ok := p.events[0].(sip.Unregistered); !ok {
		t.Fatalf("event %T", p.events[0])
	}
	p.events = nil
	bye := c.next("BYE", "", "Reason: Q.850;cause=44")
	p.WantResponse(bye, 200)
	p.wantEvent(sip.Ended{Call: call, Cause: sip.MediaLost})
}
