package ua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
)

func TestWhatCannotBeDialledIsABadNumber(t *testing.T) {
	for _, number := range []string{"", "115\r\nEvil: 1", "1 1 5", "a@b", "sip:115", "<115>", `"115"`, "Bürger", "\x00",
		strings.Repeat("1", 65)} {
		p := newPhone(t)
		p.do(sip.Dial{Call: 1, Number: number})
		p.wantEvent(sip.Ended{Call: 1, Cause: sip.BadNumber})
		p.wantOver()
	}
}

func TestADialledStringIsEscaped(t *testing.T) {
	for number, want := range map[string]string{"*471#": "sip:*471%23@pbx.example", "+49(2841)2020": "sip:+49(2841)2020@pbx.example",
		"a;b?c": "sip:a%3Bb%3Fc@pbx.example", "10%": "sip:10%25@pbx.example"} {
		p := newPhone(t)
		p.do(sip.Dial{Call: 1, Number: number})
		invite := p.WantRequest("INVITE").Request
		if got := invite.Recipient.String(); got != want || invite.To().Address.String() != want {
			t.Errorf("%s became %s, To %s", number, got, invite.To().Value())
		}
	}
}

func TestAnInviteNamesUsAndGoesToTheServer(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE").Request
	if got := invite.From().Value(); !strings.HasPrefix(got, `"Amt \"36\"" <sip:201@pbx.example>;tag=`) {
		t.Errorf("From %s", got)
	}
	if invite.Destination() != "192.0.2.1:5060" || headerOf(t, invite, "Allow") == "" || headerOf(t, invite, "Supported") != "timer" {
		t.Errorf("sent to %s\n%s", invite.Destination(), invite)
	}
	if strings.Contains(invite.String(), "100rel") || !strings.Contains(string(invite.Body()), "m=audio 20002") {
		t.Errorf("offered\n%s", invite)
	}
}

func TestACallThatCannotBeginEnds(t *testing.T) {
	p := newPhone(t)
	p.media.refuse = true
	p.do(sip.Dial{Call: 1, Number: "115"})
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.LocalFault})
	p.wantOver()

	p = newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "1"})
	p.do(sip.Dial{Call: 3, Number: "2"})
	p.do(sip.Dial{Call: 5, Number: "3"})
	p.wantEvent(sip.Ended{Call: 5, Cause: sip.NoFreeLine})
	p.do(sip.Dial{Call: 1, Number: "4"}) // a second time: a mistake that must not end the first
	p.wantNoEvent()
}

func TestEveryRefusalOfACallHasItsCause(t *testing.T) {
	for _, c := range []struct {
		status int
		rang   bool
		want   sip.Cause
	}{
		{486, true, sip.Busy}, {600, false, sip.Busy}, {603, true, sip.Rejected}, {403, false, sip.Rejected},
		{404, false, sip.NotFound}, {484, false, sip.NotFound}, {604, false, sip.NotFound},
		{480, true, sip.NoAnswer}, {480, false, sip.Unavailable}, {408, true, sip.NoAnswer}, {408, false, sip.Unreachable},
		{487, true, sip.NoAnswer}, {302, false, sip.Unavailable}, {488, false, sip.NoCommonCodec}, {415, false, sip.NoCommonCodec},
		{401, false, sip.WrongPassword}, {407, false, sip.WrongPassword}, {500, false, sip.ServerError}, {503, true, sip.ServerError},
		{422, false, sip.ServerError}, {499, false, sip.ServerError},
	} {
		p := newPhone(t)
		p.do(sip.Dial{Call: 1, Number: "115"})
		invite := p.WantRequest("INVITE")
		if c.rang {
			p.Answer(invite, "180 Ringing", "tag=b")
			p.wantEvent(sip.Progress{Call: 1, Status: 180})
		}
		p.Answer(invite, fmt.Sprintf("%d X", c.status), "tag=b", "Contact: <sip:elsewhere@203.0.113.1>")
		p.wantEvent(sip.Ended{Call: 1, Cause: c.want, Status: c.status})
		p.wantOver()
	}
}

func TestAnUnreachableExchangeEndsTheCall(t *testing.T) {
	for _, failed := range []bool{true, false} {
		p := newPhone(t)
		p.do(sip.Dial{Call: 1, Number: "115"})
		invite := p.WantRequest("INVITE")
		if failed {
			p.Deliver(transaction.Failed{Transaction: invite.Client})
		} else {
			p.TimeOut(invite)
		}
		p.wantEvent(sip.Ended{Call: 1, Cause: sip.Unreachable})
		p.wantOver()
	}
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Advance(silenceMax)
	p.WantCancel(invite)
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.Unreachable})
	p.wantOver()
}

func TestACallIsAnsweredWithTheCSeqOfItsInvite(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "407 Proxy Authentication Required", "tag=x", `Proxy-Authenticate: Digest realm="r",nonce="n",qop="auth"`)
	second := p.WantRequest("INVITE")
	a, b := invite.Request, second.Request
	if a.CallID().Value() != b.CallID().Value() || b.CSeq().SeqNo != a.CSeq().SeqNo+1 || a.From().Value() != b.From().Value() {
		t.Errorf("sent again as\n%s", b)
	}
	p.Answer(second, "100 Trying")
	p.Answer(second, "180 Ringing", "tag=b")
	p.Answer(second, "180 Ringing", "tag=b")
	p.wantEvent(sip.Progress{Call: 1, Status: 180})
	p.wantNoEvent() // the second 180 says nothing new
	p.Answer(second, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:b@192.0.2.5:5062>",
		`P-Asserted-Identity: "D115" <sip:115@pbx.example>`)...)
	ack := p.WantACK()
	if ack.CSeq().SeqNo != b.CSeq().SeqNo || ack.Recipient.String() != "sip:b@192.0.2.5:5062" ||
		headerOf(t, ack, "Proxy-Authorization") != headerOf(t, b, "Proxy-Authorization") {
		t.Errorf("acknowledged with\n%s", ack)
	}
	p.wantEvent(sip.Answered{Call: 1})
	p.wantEvent(sip.Identified{Call: 1, Party: sip.Party{Name: "D115", Number: "115"}})
	p.Answer(second, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:b@192.0.2.5:5062>")...)
	p.WantACK() // a retransmission wants its ACK again
	p.do(sip.Hangup{Call: 1})
	bye := p.WantRequest("BYE").Request
	if bye.CSeq().SeqNo != b.CSeq().SeqNo+1 || bye.Destination() != "192.0.2.5:5062" {
		t.Errorf("hung up with\n%s", bye)
	}
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.Normal})
	p.wantOver()
}

func TestEarlyMediaIsHeard(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "183 Session Progress", withSDP(description(), "tag=b")...)
	p.wantEvent(sip.Progress{Call: 1, Status: 183, EarlyMedia: true})
	p.Answer(invite, "200 OK", "tag=b", "Contact: <sip:b@192.0.2.1>") // its description has been in the 183
	p.WantACK()
	p.wantEvent(sip.Answered{Call: 1})
	if len(p.media.applied[1]) != 1 {
		t.Errorf("applied %+v", p.media.applied[1])
	}
}

func TestEarlyMediaThatCannotBePlayedLeavesTheCallAlone(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "183 Session Progress", withSDP([]string{"v=0", "nonsense"}, "tag=b")...)
	p.wantEvent(sip.Progress{Call: 1, Status: 183})
	p.Answer(invite, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:b@192.0.2.1>")...)
	p.WantACK()
	p.wantEvent(sip.Answered{Call: 1})
}

func TestAnAnswerThatCannotBePlayedEndsTheCall(t *testing.T) {
	for _, lines := range [][]string{
		withSDP([]string{"v=0", "nonsense"}, "tag=b"),
		{"tag=b"},
	} {
		p := newPhone(t)
		p.do(sip.Dial{Call: 1, Number: "115"})
		p.Answer(p.WantRequest("INVITE"), "200 OK", append([]string{"Contact: <sip:b@192.0.2.1>"}, lines...)...)
		p.WantACK()
		p.WantRequest("BYE")
		p.wantEvent(sip.Ended{Call: 1, Cause: sip.NoCommonCodec})
		p.wantOver()
	}
}

func TestOfTwoForksThatAnswerTheFirstIsTheCall(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "180 Ringing", "tag=a", "Contact: <sip:a@192.0.2.1>")
	p.wantEvent(sip.Progress{Call: 1, Status: 180})
	p.Answer(invite, "180 Ringing", "tag=b", "Contact: <sip:b@192.0.2.1>")
	p.Answer(invite, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:b@192.0.2.1>")...)
	p.WantACK()
	p.wantEvent(sip.Answered{Call: 1})
	// The other fork answers too, and its 200 comes twice.
	late := withSDP(description(), "tag=a", "Contact: <sip:a@192.0.2.1>")
	p.Answer(invite, "200 OK", late...)
	ack, bye := p.WantACK(), p.WantRequest("BYE")
	if ack.Recipient.User != "a" || bye.Request.Recipient.User != "a" {
		t.Errorf("ACK to %s, BYE to %s", ack.Recipient.String(), bye.Request.Recipient.String())
	}
	p.Answer(invite, "200 OK", late...)
	p.WantACK()
	p.WantNothing()
	p.wantNoEvent()
	p.do(sip.Hangup{Call: 1})
	if bye := p.WantRequest("BYE"); bye.Request.Recipient.User != "b" {
		t.Errorf("BYE to %s", bye.Request.Recipient.String())
	}
}

func TestHangingUpCancelsAndALate200IsEnded(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.do(sip.Hangup{Call: 1}) // before the first provisional response: the layer waits with the CANCEL
	p.WantCancel(invite)
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.Normal})
	p.Answer(invite, "180 Ringing", "tag=b")
	p.Answer(invite, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:b@192.0.2.1>")...)
	p.WantACK()
	p.WantRequest("BYE")
	p.Answer(invite, "200 OK", withSDP(description(), "tag=b", "Contact: <sip:b@192.0.2.1>")...)
	p.WantACK()
	p.wantOver()
}

func TestACancelledCallIsNotSentAgainWithCredentials(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.do(sip.Hangup{Call: 1})
	p.WantCancel(invite)
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.Normal})
	p.Answer(invite, "401 Unauthorized", "tag=x", `WWW-Authenticate: Digest realm="r",nonce="n"`)
	p.wantOver()
}

func TestACallThatNobodyAnswersEnds(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "180 Ringing", "tag=b")
	p.wantEvent(sip.Progress{Call: 1, Status: 180})
	p.Advance(ringOutMax - time.Second)
	p.Answer(invite, "180 Ringing", "tag=b")
	p.Advance(ringOutMax - time.Second)
	p.WantNothing()
	p.Advance(time.Second)
	p.WantCancel(invite)
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.NoAnswer})
	p.wantOver()
}

func TestAServerThatAlwaysChallengesEndsTheCall(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	for i := range 20 {
		if len(p.Sent) == 0 {
			break
		}
		p.Answer(p.WantRequest("INVITE"), "401 Unauthorized", "tag=x", fmt.Sprintf(`WWW-Authenticate: Digest realm="r",nonce="%d",stale=true`, i))
	}
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.WrongPassword, Status: 401})
	p.wantOver()
}

func TestASessionTimerTooShortForTheServerIsRaised(t *testing.T) {
	p := newPhone(t, func(c *Config) { c.SessionExpires = 90 * time.Second })
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	if got := headerOf(t, invite.Request, "Session-Expires"); got != "90" {
		t.Errorf("asked for %s", got)
	}
	p.Answer(invite, "422 Session Interval Too Small", "tag=x", "Min-SE: 600")
	again := p.WantRequest("INVITE")
	if headerOf(t, again.Request, "Session-Expires") != "600" || headerOf(t, again.Request, "Min-SE") != "600" {
		t.Errorf("asked again\n%s", again.Request)
	}
	p.Answer(again, "422 Session Interval Too Small", "tag=x", "Min-SE: 600") // nonsense: it is 600
	p.wantEvent(sip.Ended{Call: 1, Cause: sip.ServerError, Status: 422})
	p.wantOver()
}

func TestAFloodOfForksIsBounded(t *testing.T) {
	p := newPhone(t)
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	for i := range 1000 {
		p.Answer(invite, "180 Ringing", fmt.Sprint("tag=", i), "Contact: <sip:x@192.0.2.1>")
	}
	if n := len(p.calls[0].out.legs); n > legsMax {
		t.Errorf("%d early dialogs", n)
	}
}
