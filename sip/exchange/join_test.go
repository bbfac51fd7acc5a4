package exchange

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/dialog"
	"freizeichen/sip/offer"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

// invites calls a number and waits until it rings there; the INVITE stays open. there is what happens at the other end.
func (p *phone) invites(number string, there ...func()) *session {
	p.t.Helper()
	s := &session{phone: p, local: p.local()}
	r := p.message(sip.INVITE, number, offer.Offer(s.local), "Contact: "+p.contact())
	p.prove(r, nil)
	kept := r.Clone()
	p.endpoint.Do(func(now time.Time) { p.endpoint.Transactions().Request(now, r) })
	for _, do := range there {
		do()
	}
	response := p.response(180)
	var err error
	if s.dialog, err = dialog.NewUAC(kept, response); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// response waits for a response with this status, whatever comes before it.
func (p *phone) response(status int) *sip.Response {
	p.t.Helper()
	for {
		select {
		case event := <-p.responses:
			if e, ok := event.(transaction.ResponseReceived); ok && e.Response.StatusCode == status {
				return e.Response
			}
		case <-time.After(2 * time.Minute):
			p.t.Fatalf("no %d within 2 minutes", status)
		}
	}
}

// join asks the exchange to let the peers of two sessions talk, and returns what it says to that.
func (s *session) join(with *session) int {
	s.phone.t.Helper()
	id := with.dialog.ID()
	to := header.Replaces{CallID: id.CallID, ToTag: id.RemoteTag, FromTag: id.LocalTag}.Within("sip:office@exchange")
	return s.request(sip.REFER, nil, "Contact: "+s.phone.contact(), "Refer-To: <"+to+">").StatusCode
}

func TestACallerIsJoinedWithTheOfficeThatWasAsked(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		c := ada
		c.Talk = 2 * time.Minute
		id := b.Call(c)
		s := p.lift(p.ring())
		office := p.dial("5036")
		if got := s.join(office); got != 202 {
			t.Fatalf("REFER: %d", got)
		}
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("terminated;reason=noresource", "SIP/2.0 200 OK")
		start := time.Now()
		if got := office.expectBye(); got != `SIP;cause=200;text="Replaced"` {
			t.Errorf("the consultation ends with %q", got)
		}
		s.expectBye()
		if got := time.Since(start); got != partingTime {
			t.Errorf("the caller's leg ends after %v", got)
		}
		if !b.Present(id) {
			t.Fatal("the citizen is gone")
		}
		b.wantEvents("joined", "offered 201", "answered 201", "left 201", "completed 201")
		b.Call(Citizen{Party: ada.Party, Called: ada.Called}) // the agent is free
		p.respond(p.ring(), 486, nil)
		time.Sleep(2 * time.Minute)
		if b.Present(id) {
			t.Error("the citizen never hangs up")
		}
	})
}

func TestACallerIsJoinedWithAColleagueAndBothAreThePhonesOwnCallsNoMore(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.phone("202", "lab-202", "192.0.2.3:5060")
		id, s := b.talk(one)
		two.register("Expires: 300")
		var e transaction.RequestReceived
		asked := one.invites("202", func() { e = two.ring() })
		colleague := two.lift(e)
		asked.confirmed()
		if got := s.join(asked); got != 202 {
			t.Fatalf("REFER: %d", got)
		}
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("terminated", "SIP/2.0 200 OK")
		asked.expectBye()
		s.bye()
		b.HangUp(id)
		colleague.expectBye()
		b.wantNothingOpen()
	})
}

// confirmed acknowledges the 200 that has come meanwhile.
func (s *session) confirmed() {
	s.phone.t.Helper()
	response := s.phone.response(200)
	s.dialog.Confirm(response)
	ack := s.dialog.ACK(response)
	s.phone.endpoint.Do(func(now time.Time) { s.phone.endpoint.Transactions().ACK(now, ack) })
}

func TestACallerIsJoinedWithAnOfficeThatStillRings(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.phone("202", "lab-202", "192.0.2.3:5060")
		id, s := b.talk(one)
		two.register("Expires: 300")
		var e transaction.RequestReceived
		asked := one.invites("202", func() { e = two.ring() })
		if got := s.join(asked); got != 202 {
			t.Fatalf("REFER: %d", got)
		}
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		colleague := two.lift(e)
		s.expectNotify("terminated", "SIP/2.0 200 OK")
		one.response(603)
		s.bye()
		if !b.Present(id) {
			t.Fatal("the citizen is gone")
		}
		colleague.bye()
		if b.Present(id) {
			t.Error("the citizen is still there")
		}
		b.wantNothingOpen()
	})
}

func TestAnOfficeThatDoesNotAnswerAfterAJoinLeavesTheCallerWithTheAgent(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		id, s := b.talk(p)
		asked := p.invites("5070")
		s.join(asked)
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		s.expectNotify("terminated", "SIP/2.0 480 Temporarily Unavailable")
		p.response(480)
		if !b.Present(id) {
			t.Error("the citizen is gone")
		}
		b.HangUp(id)
		s.expectBye()
		b.wantNothingOpen()
	})
}

func TestACallerWhoHangsUpDuringAJoinEndsIt(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		id, s := b.talk(p)
		asked := p.invites("5070")
		s.join(asked)
		s.expectNotify("active", "SIP/2.0 100 Trying")
		s.expectNotify("active", "SIP/2.0 180 Ringing")
		b.HangUp(id)
		s.expectNotify("terminated", "SIP/2.0 487 Request Terminated")
		p.response(487)
		s.expectBye()
		b.wantNothingOpen()
	})
}

func TestAPhoneThatLeavesAfterAJoinDoesNotLoseTheCaller(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.phone("202", "lab-202", "192.0.2.3:5060")
		id, s := b.talk(one)
		two.register("Expires: 300")
		var e transaction.RequestReceived
		asked := one.invites("202", func() { e = two.ring() })
		s.join(asked)
		s.bye()
		colleague := two.lift(e)
		one.response(603)
		if !b.Present(id) {
			t.Fatal("the citizen is gone")
		}
		colleague.bye()
		b.wantNothingOpen()
	})
}

func TestJoinsThatMakeNoSenseAreDeclinedAndNothingChanges(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		one, two := b.agent("201", "192.0.2.1:5060"), b.phone("202", "lab-202", "192.0.2.3:5060")
		id, s := b.talk(one)
		two.register("Expires: 300")
		office := one.dial("5036")
		stranger := two.dial("5051")
		for why, with := range map[string]*session{"itself": s, "another's call": stranger} {
			if got := s.join(with); got != 603 {
				t.Errorf("%s: %d, want 603", why, got)
			}
		}
		office.bye()
		if got := s.join(office); got != 603 {
			t.Errorf("a call that has ended: %d, want 603", got)
		}
		one.quiet(5 * time.Second)
		if !b.Present(id) {
			t.Error("the citizen is gone")
		}
		// An announcement is nobody whom a caller could be passed on to.
		r := one.message(sip.INVITE, "5080", offer.Offer(one.local()), "Contact: "+one.contact())
		one.prove(r, nil)
		kept := r.Clone()
		one.endpoint.Do(func(now time.Time) { one.endpoint.Transactions().Request(now, r) })
		d, err := dialog.NewUAC(kept, one.response(183))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.join(&session{phone: one, dialog: d}); got != 603 {
			t.Errorf("an announcement: %d, want 603", got)
		}
		one.response(480)
		stranger.bye()
		s.bye()
		b.wantNothingOpen()
	})
}
