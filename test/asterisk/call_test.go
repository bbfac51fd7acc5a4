package asterisk

import (
	"strings"
	"testing"
	"time"
)

func TestAQueueCallShowsTopicAndCalledNumberBeforeItIsAnswered(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	pbx.Originate("02812070")
	p.waitShow("Kreis Wesel", "Zulassung und Führerschein", "Erika Müller")
	p.waitStatus("line1", "ringing")
}

func TestBothSidesHearEachOther(t *testing.T) {
	pbx := Start(t)
	sound, heard := recording(t)
	p := startPhone(t, pbx, "201", "-sound", sound)
	pbx.WaitRegistered("201")
	citizen := pbx.Originate("02812070")
	p.waitShow("Kreis Wesel")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	time.Sleep(3 * time.Second) // they talk
	p.ctl("hangup")
	citizen.WaitGone()
	p.waitIdle()
	p.stop()
	if got := ToneSeconds(citizen.Heard(), phoneTone); got < 2 {
		t.Errorf("the citizen heard the phone for %.1f s of 3", got)
	}
	if got := ToneSeconds(heard(), CitizenHz); got < 2 {
		t.Errorf("the phone heard the citizen for %.1f s of 3", got)
	}
}

func TestACallOnHoldIsSilentUntilItIsResumed(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	citizen := pbx.Originate("02812070")
	p.waitShow("Kreis Wesel")
	p.ctl("answer")
	last := func() float64 {
		samples := citizen.Heard()
		return Share(samples[max(0, len(samples)-rateHz/2):], phoneTone)
	}
	p.wait("the citizen hears the phone", func() bool { return last() > 0.8 })
	p.ctl("hold")
	p.waitStatus("line1", "held")
	p.wait("the citizen hears nothing of the phone", func() bool { return last() < 0.1 })
	p.ctl("resume")
	p.waitStatus("line1", "talking")
	p.wait("the citizen hears the phone again", func() bool { return last() > 0.8 })
	if !citizen.Present() {
		t.Error("the citizen is gone")
	}
}

func TestACitizenWhoHangsUpEndsTheCall(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	citizen := pbx.Originate("02812070")
	p.waitShow("Kreis Wesel")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	citizen.HangUp()
	p.waitShow("Gespräch beendet")
	p.waitIdle()
}

func TestACitizenWhoGivesUpIsAMissedCall(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	citizen := pbx.Originate("02812070")
	p.waitShow("Kreis Wesel")
	citizen.HangUp()
	p.waitIdle()
	p.waitStatus("missed", "1")
}

func TestACallAnsweredElsewhereIsNotMissed(t *testing.T) {
	pbx := Start(t)
	first, second := startPhone(t, pbx, "201"), startPhone(t, pbx, "202")
	pbx.WaitRegistered("201")
	pbx.WaitRegistered("202")
	pbx.Originate("115")
	first.waitShow("Behördennummer 115")
	second.waitShow("Behördennummer 115")
	second.ctl("answer")
	second.waitStatus("line1", "talking")
	first.waitIdle()
	if missed := first.status("missed"); missed != "0" {
		t.Errorf("%s calls are missed", missed)
	}
}

func TestARejectedCallIsTakenByTheNextPhone(t *testing.T) {
	pbx := Start(t)
	first, second := startPhone(t, pbx, "201"), startPhone(t, pbx, "202")
	pbx.WaitRegistered("201")
	pbx.WaitRegistered("202")
	pbx.Originate("02812070") // one phone after another
	ringing, other := first, second
	first.wait("one of the phones rings", func() bool {
		if strings.Contains(second.try("show"), "Kreis Wesel") {
			ringing, other = second, first
		}
		return strings.Contains(ringing.try("show"), "Kreis Wesel")
	})
	ringing.ctl("hangup")
	other.waitShow("Kreis Wesel")
	other.ctl("answer")
	other.waitStatus("line1", "talking")
}

func TestTwoPhonesCallEachOther(t *testing.T) {
	pbx := Start(t)
	sound, heard := recording(t)
	caller, callee := startPhone(t, pbx, "201", "-sound", sound), startPhone(t, pbx, "203", "-sound", "tone:1300")
	pbx.WaitRegistered("201")
	pbx.WaitRegistered("203")
	caller.ctl("dial", "203")
	callee.waitShow("Agent 201")
	caller.waitStatus("line1", "ringing")
	callee.ctl("answer")
	caller.waitStatus("line1", "talking")
	time.Sleep(2 * time.Second) // they talk
	callee.ctl("hangup")
	caller.waitIdle()
	callee.waitIdle()
	caller.stop()
	if got := ToneSeconds(heard(), 1300); got < 1 {
		t.Errorf("the caller heard the callee for %.1f s of 2", got)
	}
}

func TestDiallingOutRingsAndTalks(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "202")
	pbx.WaitRegistered("202")
	p.ctl("dial", "602")
	p.waitShow("Freizeichen")
	p.waitStatus("line1", "talking")
	p.wait("the callee hears the phone", func() bool { return ToneSeconds(pbx.Recording("602-heard"), phoneTone) >= 1 })
	p.ctl("hangup")
	p.waitIdle()
	pbx.wait(commandMax, "Asterisk has no call", func() bool { return strings.Contains(pbx.CLI("core show channels count"), "0 active channels") })
}

func TestAsteriskReadsTheDigits(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	p.ctl("dial", "603")
	p.waitStatus("line1", "talking")
	p.ctl("dtmf", "1*02")
	pbx.WaitLog("READ 1*02.")
}

func TestWhyADialledCallFailsStandsOnThePanel(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	for number, words := range map[string]string{"604": "Besetzt", "699": "Rufnummer nicht vergeben", "605": "Teilnehmer nicht erreichbar"} {
		p.ctl("dial", number)
		p.waitShow(words)
		p.try("hangup")
		p.waitIdle()
	}
}

func TestASecondCallKnocksAndIsTaken(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	first := pbx.Originate("201")
	p.waitStatus("line1", "ringing")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	second := pbx.Originate("201")
	p.waitStatus("line2", "ringing")
	p.ctl("answer")
	p.waitStatus("line2", "talking")
	p.waitStatus("line1", "held")
	if !first.Present() || !second.Present() {
		t.Error("a citizen is gone")
	}
}

func TestABlindTransferPassesTheCitizenOn(t *testing.T) {
	pbx := Start(t)
	sound, heard := recording(t)
	p, colleague := startPhone(t, pbx, "201"), startPhone(t, pbx, "203", "-sound", sound)
	pbx.WaitRegistered("201")
	pbx.WaitRegistered("203")
	citizen := pbx.Originate("201")
	p.waitStatus("line1", "ringing")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	p.ctl("transfer", "203")
	colleague.waitStatus("line1", "ringing")
	colleague.ctl("answer")
	p.waitIdle()
	time.Sleep(2 * time.Second) // the citizen talks with the colleague
	if !citizen.Present() {
		t.Error("the citizen is gone")
	}
	colleague.ctl("hangup")
	citizen.WaitGone()
	colleague.stop()
	if got := ToneSeconds(heard(), CitizenHz); got < 1 {
		t.Errorf("the colleague heard the citizen for %.1f s of 2", got)
	}
}

func TestATransferToNobodyLeavesTheCallWithThePhone(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	citizen := pbx.Originate("201")
	p.waitStatus("line1", "ringing")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	p.ctl("transfer", "699")
	p.waitStatus("line1", "held")
	p.ctl("resume")
	p.waitStatus("line1", "talking")
	if !citizen.Present() {
		t.Error("the citizen is gone")
	}
}

// A call outlives the PBX's registrar: sound and panel go on, and the phone can hang up.
func TestACallGoesOnWhileTheRegistrationIsLost(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	p.ctl("dial", "600")
	p.waitStatus("line1", "talking")
	pbx.Stop()
	pbx.wait(registerMax, "the phone notices", func() bool { return p.status("registration") == "lost" })
	if line := p.status("line1"); !strings.HasPrefix(line, "talking") {
		t.Errorf("line 1 is %q, want the call to go on", line)
	}
	p.ctl("hangup")
	p.waitIdle()
}
