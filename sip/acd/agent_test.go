package acd

import (
	"testing"
	"time"

	"freizeichen/sip"
)

func TestSigningInServesTheQueuesAndSigningOutEndsIt(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.want("add PJSIP/201 to kw-zulassung", "add PJSIP/201 to moers", "reply 201: none")
	a := s.wantState("201", sip.Ready, "")
	if a.Number != "4711" || a.Name != "Ada" || len(a.Queues) != 2 || !a.Confirmed || !a.Since.Equal(at(1)) || a.Device != "201" {
		t.Errorf("%+v", a)
	}
	if got := s.status(at(1), moers); got.SignedIn != 1 || got.Free != 1 {
		t.Errorf("moers: %+v", got)
	}
	s.ask(at(2), "201", sip.SignOut)
	s.want("remove PJSIP/201 from kw-zulassung", "remove PJSIP/201 from moers", "reply 201: none")
	b := s.wantState("201", sip.SignedOut, "")
	if b.Number != "" || b.Name != "" || len(b.Queues) != 0 || b.Version <= a.Version {
		t.Errorf("%+v", b)
	}
	s.ask(at(3), "201", sip.SignOut)
	s.want("reply 201: not-signed-in")
}

func TestWhatIsNotDoneIsSaid(t *testing.T) {
	wrong := func(a *Asked) { a.Verified = Verified{Problem: sip.WrongPIN, Tries: 3} }
	s := newSite(t)
	s.ask(at(0), "201", sip.SignIn, agent("4711"))
	s.ask(at(0), "201", sip.AskState)
	s.ask(at(0), "201", sip.SignIn, wrong)
	s.want("reply 201: pbx-away", "reply 201: none", "reply 201: wrong-pin")
	s = synced(t)
	s.answer["add PJSIP/201 to kw-zulassung"] = Refused
	s.answer["add PJSIP/201 to moers"] = NoSuchQueue
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.want("add PJSIP/201 to kw-zulassung", "add PJSIP/201 to moers", "missing moers", "reply 201: pbx-refused")
	s.wantState("201", sip.SignedOut, "")
	for verb, want := range map[sip.AgentVerb]string{
		sip.GoReady: "not-signed-in", sip.GoPaused: "not-signed-in", sip.ExtendWrap: "not-signed-in", sip.SignOut: "not-signed-in", sip.AgentVerbCount: "not-signed-in",
	} {
		s.ask(at(2), "202", verb)
		s.want("reply 202: " + want)
	}
	s.answer = map[string]Problem{"pause PJSIP/201: Pause": Refused}
	s.ask(at(3), "201", sip.SignIn, agent("4711"))
	s.take()
	s.ask(at(3), "201", sip.GoPaused, because("break"))
	s.ask(at(3), "201", sip.GoPaused, because("holiday"))
	s.ask(at(3), "201", sip.ExtendWrap)
	s.want("pause PJSIP/201: Pause", "reply 201: pbx-refused", "reply 201: reason-unknown", "reply 201: not-wrapping-up")
	s.wantState("201", sip.Ready, "")
}

func TestAQueueThatThePBXDoesNotHaveIsNamedAndTheOthersAreServed(t *testing.T) {
	s := synced(t)
	s.answer["add PJSIP/201 to moers"] = NoSuchQueue
	s.answer["add PJSIP/201 to kw-zulassung"] = AlreadyThere
	s.ask(at(1), "201", sip.SignIn, agent("4711"), func(a *Asked) { a.Verified.Queues = append(a.Verified.Queues, Serving{Queue: "mars"}) })
	s.want("add PJSIP/201 to kw-zulassung", "add PJSIP/201 to moers", "missing mars", "missing moers", "reply 201: none")
	if a := s.wantState("201", sip.Ready, ""); len(a.Queues) != 1 || a.Queues[0] != zulassung {
		t.Errorf("%+v", a)
	}
}

func TestAnAgentIsAtOnePhone(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.take()
	s.ask(at(2), "202", sip.SignIn, agent("4711"))
	if r := s.effects[0].(Reply).Reply; r.Problem != sip.SignedInThere || r.Elsewhere != "201" || !r.Known || r.Agent.Device != "202" {
		t.Errorf("%+v", r)
	}
	s.want("reply 202: signed-in-elsewhere")
	s.ask(at(3), "202", sip.SignIn, agent("4711"), takeOver)
	s.want("add PJSIP/202 to kw-zulassung", "add PJSIP/202 to moers", "remove PJSIP/201 from kw-zulassung", "remove PJSIP/201 from moers", "reply 202: none")
	if a := s.wantState("201", sip.SignedOut, ""); a.Elsewhere != "202" || a.Number != "" {
		t.Errorf("%+v", a)
	}
	s.wantState("202", sip.Ready, "")
	if got := s.status(at(3), moers); got.SignedIn != 1 {
		t.Errorf("%d serve", got.SignedIn)
	}
}

func TestTheNextAgentAtAPhoneReplacesTheOneBefore(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.take()
	s.ask(at(2), "201", sip.SignIn, agent("4712"))
	s.want("remove PJSIP/201 from kw-zulassung", "remove PJSIP/201 from moers", "add PJSIP/201 to kw-zulassung", "add PJSIP/201 to moers", "reply 201: none")
	if a := s.wantState("201", sip.Ready, ""); a.Number != "4712" {
		t.Errorf("%+v", a)
	}
	s.ask(at(3), "202", sip.SignIn, agent("4711"))
	s.wantState("202", sip.Ready, "")
}

func TestTwoSignInsAtTheSameMomentEndInOne(t *testing.T) {
	s := synced(t)
	s.manual = true
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.ask(at(1), "202", sip.SignIn, agent("4711"))
	s.ask(at(1), "201", sip.GoPaused, because("break")) // waits for the sign-in
	s.manual = false
	for _, e := range s.open {
		s.step(at(2), Done{number(e), Did})
	}
	s.take()
	s.wantState("201", sip.Paused, "break")
	s.wantState("202", sip.SignedOut, "")
	if got := s.status(at(3), moers); got.SignedIn != 1 || got.Paused != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWrapUpBeginsAfterACallAndEndsByItself(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.take()
	s.call(at(10), zulassung, "1", "201", time.Second, time.Minute)
	s.want("pause PJSIP/201: Nachbearbeitung")
	a := s.wantState("201", sip.WrapUp, "")
	if !a.Until.Equal(at(101)) || a.Extends != 2 || !a.Confirmed {
		t.Errorf("%+v", a)
	}
	if q := s.status(at(71), moers); q.Paused != 1 || q.Free != 0 {
		t.Errorf("in the wrap-up: %+v", q)
	}
	for _, want := range []string{"none", "none", "extended-enough"} {
		s.ask(at(72), "201", sip.ExtendWrap)
		s.want("reply 201: " + want)
	}
	if d := s.Agent("201").Until; !d.Equal(at(161)) {
		t.Errorf("until %v", d)
	}
	for now := 80.0; now <= 160; now += 10 {
		s.step(at(now), Tick{})
	}
	s.want()
	s.step(at(161), Tick{})
	s.want("unpause PJSIP/201")
	s.wantState("201", sip.Ready, "")
	// Finished early, and none at a queue without.
	s.call(at(200), zulassung, "2", "201", time.Second, time.Minute)
	s.take()
	s.ask(at(262), "201", sip.GoReady)
	s.want("unpause PJSIP/201", "reply 201: none")
	s.wantState("201", sip.Ready, "")
	s.call(at(300), moers, "3", "201", time.Second, time.Minute)
	s.wantState("201", sip.Ready, "")
}

func TestNobodyIsFreeBetweenACallAndItsWrapUp(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.step(at(3), AgentConnected{zulassung, "1", "PJSIP/201", 0})
	s.manual = true
	s.take()
	s.step(at(10), AgentCompleted{zulassung, "PJSIP/201", 0, time.Second})
	for _, p := range published(s.take(), zulassung) {
		if p.Status.Free != 0 || p.Status.Paused != 1 {
			t.Errorf("before the PBX has answered: %+v", p.Status)
		}
	}
	// The PBX refuses: then he is free.
	s.step(at(10), Done{number(s.open[0]), Refused})
	s.wantState("201", sip.Ready, "")
	if q := s.status(at(10), zulassung); q.Free != 1 || q.Paused != 0 {
		t.Errorf("after a refusal: %+v", q)
	}
}

func TestAPauseAskedForDuringACallBeginsAfterIt(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.step(at(2), AgentConnected{moers, "1", "PJSIP/201", 0})
	s.take()
	s.ask(at(3), "201", sip.GoPaused, because("break"))
	s.want("reply 201: none")
	if a := s.wantState("201", sip.Ready, ""); a.PausesNext != "break" {
		t.Errorf("%+v", a)
	}
	s.step(at(4), AgentCompleted{moers, "PJSIP/201", 0, 2 * time.Second})
	s.want("pause PJSIP/201: Pause")
	if a := s.wantState("201", sip.Paused, "break"); a.PausesNext != "" || !a.Since.Equal(at(4)) {
		t.Errorf("%+v", a)
	}
	// With a wrap-up in between, and taken back.
	s.ask(at(5), "201", sip.GoReady)
	s.step(at(6), AgentConnected{zulassung, "2", "PJSIP/201", 0})
	s.ask(at(7), "201", sip.GoPaused, because("meeting"))
	s.step(at(8), AgentCompleted{zulassung, "PJSIP/201", 0, 2 * time.Second})
	if a := s.wantState("201", sip.WrapUp, ""); a.PausesNext != "meeting" {
		t.Errorf("%+v", a)
	}
	s.ask(at(9), "201", sip.GoReady)
	s.wantState("201", sip.Paused, "meeting")
	s.ask(at(10), "201", sip.GoReady)
	s.step(at(11), AgentConnected{moers, "3", "PJSIP/201", 0})
	s.ask(at(12), "201", sip.GoPaused, because("break"))
	s.ask(at(13), "201", sip.GoReady)
	s.step(at(14), AgentCompleted{moers, "PJSIP/201", 0, 2 * time.Second})
	s.wantState("201", sip.Ready, "")
}

func TestWhatThePBXDoesByItselfIsTheTruth(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	pause := func(now float64, paused bool, reason string) {
		s.step(at(now), MemberPaused{zulassung, "PJSIP/201", paused, reason}, MemberPaused{moers, "PJSIP/201", paused, reason})
	}
	pause(2, true, "Besprechung")
	s.wantState("201", sip.Paused, "meeting")
	pause(3, true, "Brandschutz") // no reason of the site
	s.wantState("201", sip.Paused, "Brandschutz")
	pause(4, false, "")
	s.wantState("201", sip.Ready, "")
	pause(5, true, "Nachbearbeitung")
	if a := s.wantState("201", sip.WrapUp, ""); a.Until.IsZero() {
		t.Errorf("it never ends: %+v", a)
	}
	s.step(at(6), MemberRemoved{moers, "PJSIP/201"})
	if a := s.Agent("201"); len(a.Queues) != 1 {
		t.Errorf("%+v", a)
	}
	s.step(at(7), MemberRemoved{zulassung, "PJSIP/201"})
	s.wantState("201", sip.WrapUp, "") // removed and added again is not signed out
	s.step(at(9), Tick{})
	s.wantState("201", sip.SignedOut, "")
}

func TestWhileThePBXIsAwayNothingIsConfirmedAndNothingEnds(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.call(at(2), zulassung, "1", "201", time.Second, time.Second)
	s.manual = true
	s.ask(at(5), "201", sip.GoReady)
	s.take()
	s.step(at(10), PBXLost{at(10)})
	s.want("reply 201: pbx-away")
	if a := s.wantState("201", sip.WrapUp, ""); a.Confirmed {
		t.Errorf("%+v", a)
	}
	s.step(at(100), Tick{})
	s.ask(at(100), "201", sip.GoReady)
	s.want("reply 201: pbx-away")
	s.wantState("201", sip.WrapUp, "")
	s.manual = false
	member := func(queue string) MemberSeen {
		return MemberSeen{Queue: queue, Interface: "PJSIP/201", Status: StatusFree, Paused: true, Reason: "Nachbearbeitung"}
	}
	s.sync(at(101), seen(zulassung, 1, 0), seen(moers, 0, 0), member(zulassung), member(moers))
	s.want("unpause PJSIP/201")
	if a := s.wantState("201", sip.Ready, ""); !a.Confirmed {
		t.Errorf("%+v", a)
	}
}

func TestASignInThatIsCutOffLeavesNothing(t *testing.T) {
	s := synced(t)
	s.manual = true
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.step(at(2), PBXLost{at(2)})
	s.take()
	s.manual = false
	s.sync(at(3), seen(zulassung, 0, 0), seen(moers, 0, 0), MemberSeen{Queue: moers, Interface: "PJSIP/201", Name: "4711"})
	s.want("remove PJSIP/201 from moers")
	s.wantState("201", sip.SignedOut, "")
	// No answer at all.
	s.manual = true
	s.ask(at(10), "201", sip.SignIn, agent("4711"))
	s.take()
	s.step(s.Deadline(), Tick{})
	s.want("reply 201: pbx-away", "resync")
}

func TestSignInsSurviveARestartOfTheSwitchboardAndOfThePBX(t *testing.T) {
	s := synced(t)
	s.ask(at(1), "201", sip.SignIn, agent("4711"))
	s.ask(at(2), "201", sip.GoPaused, because("break"))
	var kept SignIn
	for _, e := range s.take() {
		if r, ok := e.(RememberSignIn); ok {
			kept = r.SignIn
		}
	}
	next := newSite(t)
	older := kept
	older.Device, older.Version = "202", kept.Version-1
	next.step(at(100), Restored{SignIns: []SignIn{kept, older}})
	if a := next.wantState("201", sip.Paused, "break"); a.Confirmed || a.Number != "4711" {
		t.Errorf("%+v", a)
	}
	next.sync(at(101), seen(zulassung, 0, 0), seen(moers, 0, 0),
		MemberSeen{Queue: zulassung, Interface: "PJSIP/201", Status: StatusUnavailable}, MemberSeen{Queue: moers, Interface: "PJSIP/201", Status: StatusUnavailable})
	if a := next.wantState("201", sip.Ready, ""); !a.Confirmed || a.Version <= kept.Version {
		t.Errorf("%+v", a)
	}
	if seats := next.Snapshot(at(101)).Seats; len(seats) != 1 || seats[0].Reachable {
		t.Errorf("%+v", seats)
	}
	// A PBX that has forgotten its members has signed them out.
	next.step(at(200), PBXLost{at(200)})
	next.sync(at(210), seen(zulassung, 0, 0), seen(moers, 0, 0))
	next.step(at(213), Tick{})
	next.wantState("201", sip.SignedOut, "")
}
