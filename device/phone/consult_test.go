package phone

import (
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// consulting is a bench where Ada (call 2) waits while 36 (call 1) is asked for her; it has come so far.
func consulting(t *testing.T, state CallState) *bench {
	t.Helper()
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.press(hal.KeyTransfer).step(sip.HoldChanged{Call: 2, Held: true}).typed("36").press(hal.KeySoft1)
	if state >= RingingOut {
		b.step(sip.Progress{Call: 1, Status: 180})
	}
	if state == Talking {
		b.step(sip.Answered{Call: 1})
	}
	b.sent = nil
	return b
}

// soft checks the meaning of the soft keys.
func (b *bench) soft(keys ...Soft) *bench {
	b.t.Helper()
	var want [4]Soft
	copy(want[:], keys)
	if got := b.view().Soft; got != want {
		b.t.Fatalf("the soft keys are %v, want %v", got, want)
	}
	return b
}

func TestAnOfficeIsAskedBeforeTheCitizenIsPassedOn(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.sent = nil
	b.press(hal.KeyTransfer).wants(sip.Hold{Call: 2}).step(sip.HoldChanged{Call: 2, Held: true})
	b.typed("36").soft(SoftConsult, SoftPass, SoftDelete, SoftCancel)
	b.press(hal.KeySoft1).wants(sip.Dial{Call: 1, Number: "36"}).shows("calling", "live=0", "route=handset").soft(0, 0, 0, SoftHangup)
	b.lamp(hal.LampLine1, hal.BlinkSlow).lamp(hal.LampLine2, hal.Steady).lamp(hal.LampHold, hal.BlinkSlow)
	if c := b.view().Calls[1]; c.Consulting != 2 || b.view().Calls[0].Consulting != 0 {
		t.Fatalf("the view shows %+v", b.view().Calls)
	}
	b.press(hal.KeyTransfer).wants() // nothing can be joined yet
	b.step(sip.Progress{Call: 1, Status: 180}).shows("ringing-out").wait(time.Second).shows("ringing-out", "tone=ringback").soft(SoftJoin, 0, 0, SoftHangup)
	b.step(sip.Answered{Call: 1}).shows("talking", "live=1").soft(SoftJoin, SoftSwap, 0, SoftHangup).wants()
	b.press(hal.KeySoft1).wants(sip.Join{Call: 2, With: 1}).shows("transferring", "live=0").soft()
	b.lamp(hal.LampLine1, hal.BlinkSlow).lamp(hal.LampLine2, hal.BlinkSlow)
	b.press(hal.KeyCancel, hal.KeySoft4).wants() // too soon to give it up
	b.replace().wants().shows("transferring", "route=silent")
	b.step(sip.Ended{Call: 1, Cause: sip.Transferred}).shows("transferring")
	b.step(sip.Ended{Call: 2, Cause: sip.Transferred}).shows("Ended", "tone=none", "live=0")
	if end := b.view().Screen.(Ended); end.Cause != sip.Transferred || end.Party.Name != "Ada" {
		t.Fatalf("the panel says %+v", end)
	}
	b.wait(endedShown).shows("Idle").lamp(hal.LampLine1, hal.Dark).lamp(hal.LampLine2, hal.Dark)
}

func TestACitizenIsPassedOnWhileItRings(t *testing.T) {
	b := consulting(t, RingingOut)
	b.press(hal.KeyTransfer).wants(sip.Join{Call: 2, With: 1}).shows("transferring", "tone=none")
	b.step(sip.Answered{Call: 1}).shows("transferring", "live=0") // somebody lifts there meanwhile
	b.step(sip.Ended{Call: 2, Cause: sip.Transferred}, sip.Ended{Call: 1, Cause: sip.Transferred})
	b.wait(endedShown+time.Second).shows("Dialling", "tone=dial") // the handset is still up
}

func TestAConsultationThatEndsByItselfBringsTheCitizenBack(t *testing.T) {
	for _, c := range []struct {
		why   string
		state CallState
		cause sip.Cause
	}{
		{"busy", CallingOut, sip.Busy}, {"no answer", RingingOut, sip.NoAnswer}, {"unknown", CallingOut, sip.NotFound},
		{"the office hangs up", Talking, sip.Normal}, {"the PBX fails", RingingOut, sip.ServerError},
	} {
		b := consulting(t, c.state)
		t.Log(c.why)
		b.step(sip.Ended{Call: 1, Cause: c.cause}).wants(sip.Resume{Call: 2}).shows("Ended", "route=handset", "tone=none")
		if end := b.view().Screen.(Ended); end.Cause != c.cause || end.Party.Number != "36" {
			t.Errorf("the panel says %+v", end)
		}
		b.step(sip.HoldChanged{Call: 2}).shows("Ended", "live=2").soft(0, 0, 0, SoftBack)
		b.wait(endedShown).shows("talking", "live=2").soft(SoftHold, SoftTransfer, 0, SoftHangup)
	}
	b := consulting(t, Talking) // on the speaker, without the handset
	b.press(hal.KeySpeaker).replace().step(sip.Ended{Call: 1, Cause: sip.Normal}).wants(sip.Resume{Call: 2}).shows("Ended", "route=speaker")
}

func TestAConsultationThatEndsWhileNobodyIsThereLeavesTheCitizenOnHold(t *testing.T) {
	b := consulting(t, Talking)
	b.press(hal.KeyHold).step(sip.HoldChanged{Call: 1, Held: true}).replace()
	b.sent = nil
	b.step(sip.Ended{Call: 1, Cause: sip.Normal}).wants().shows("Ended", "live=0").wait(endedShown).shows("held", "tone=hold")
	b.lift().wants(sip.Resume{Call: 2})

	b = consulting(t, Talking) // both wait, by the agent's own wish
	b.press(hal.KeyHold).step(sip.HoldChanged{Call: 1, Held: true})
	b.soft(SoftJoin, SoftResume, 0, SoftHangup)
	b.sent = nil
	b.step(sip.Ended{Call: 1, Cause: sip.Normal}).wants().shows("Ended", "live=0")
}

func TestHangingUpTheConsultationTakesTheCitizenBack(t *testing.T) {
	for _, state := range []CallState{CallingOut, RingingOut, Talking} {
		b := consulting(t, state)
		b.press(hal.KeySoft4).wants(sip.Hangup{Call: 1}, sip.Resume{Call: 2}).step(sip.HoldChanged{Call: 2}).shows("talking", "live=2")
		b.step(sip.Ended{Call: 1, Cause: sip.Normal}).shows("talking", "live=2")

		b = consulting(t, state) // with the citizen selected
		b.press(hal.KeyUp, hal.KeyCancel).wants(sip.Hangup{Call: 1}, sip.Resume{Call: 2})

		b = consulting(t, state)
		b.step(Request{Verb: AskHangup}).wants(sip.Hangup{Call: 1}, sip.Resume{Call: 2})
	}
}

func TestLayingTheHandsetDownEndsTheConsultationAndTheCitizenWaits(t *testing.T) {
	for _, state := range []CallState{CallingOut, RingingOut, Talking} {
		b := consulting(t, state)
		b.replace().wants(sip.Hangup{Call: 1}).wait(endedShown).shows("held", "live=0", "tone=hold", "route=silent")
		b.step(sip.Ended{Call: 1, Cause: sip.Normal}).lift().wants(sip.Resume{Call: 2}).step(sip.HoldChanged{Call: 2}).shows("talking", "live=2")
	}
}

func TestTheAgentSwapsBetweenTheCitizenAndTheOffice(t *testing.T) {
	b := consulting(t, Talking)
	b.press(hal.KeySoft2).wants(sip.Hold{Call: 1}, sip.Resume{Call: 2}).shows("held", "live=0")
	b.step(sip.HoldChanged{Call: 1, Held: true}, sip.HoldChanged{Call: 2}).shows("talking", "live=2").soft(SoftJoin, SoftSwap, 0, SoftHangup)
	b.press(hal.KeySoft2).step(sip.HoldChanged{Call: 2, Held: true}, sip.HoldChanged{Call: 1}).shows("talking", "live=1")
	b.press(hal.KeySoft2).step(sip.HoldChanged{Call: 1, Held: true}, sip.HoldChanged{Call: 2})
	b.sent = nil
	b.press(hal.KeySoft1).wants(sip.Join{Call: 2, With: 1}).shows("transferring", "live=0")
	b.step(sip.TransferFailed{Call: 2, Cause: sip.Rejected, Status: 603}).wants().shows("Ended", "live=0").wait(endedShown).shows("held")
}

func TestAJoinThatFailsKeepsTheCitizenOnHoldAndSaysWhy(t *testing.T) {
	failed := sip.TransferFailed{Call: 2, Cause: sip.Rejected, Status: 603}
	b := consulting(t, Talking)
	b.press(hal.KeySoft1).step(failed).shows("Ended", "live=1").soft(0, 0, 0, SoftBack)
	if end := b.view().Screen.(Ended); end.Cause != sip.Rejected || end.Party.Number != "36" || len(end.Waiting) != 1 || end.Waiting[0].Name != "Ada" {
		t.Fatalf("the panel says %+v", end)
	}
	b.wait(endedShown).shows("talking", "live=1").soft(SoftJoin, SoftSwap, 0, SoftHangup)
	b.press(hal.KeySoft4)
	b.sent = nil

	b = consulting(t, RingingOut) // it rings on
	b.press(hal.KeySoft1).step(failed).wait(endedShown).shows("ringing-out", "tone=ringback").soft(SoftJoin, 0, 0, SoftHangup)

	b = consulting(t, Talking) // nobody is there any more: both wait
	b.press(hal.KeySoft1).replace()
	b.sent = nil
	b.step(failed).wants(sip.Hold{Call: 1}).shows("Ended", "live=0").wait(endedShown).shows("held", "live=0")

	b = consulting(t, RingingOut) // nobody would hear the office answer
	b.press(hal.KeySoft1).replace()
	b.sent = nil
	b.step(failed).wants(sip.Hangup{Call: 1}).shows("Ended", "live=0")

	b = consulting(t, RingingOut) // the office has gone meanwhile
	b.press(hal.KeySoft1).step(sip.Ended{Call: 1, Cause: sip.Busy, Status: 486}).shows("transferring")
	b.step(sip.TransferFailed{Call: 2, Cause: sip.ServerError, Status: 481}).shows("Ended").soft(SoftResume, 0, 0, SoftBack)
	if end := b.view().Screen.(Ended); end.Party.Number != "36" {
		t.Fatalf("the panel says %+v", end)
	}
}

func TestAJoinThatNobodyConfirmsCanBeGivenUp(t *testing.T) {
	b := consulting(t, Talking)
	b.press(hal.KeySoft1).wait(joinTime).soft(0, 0, 0, SoftHangup)
	b.sent = nil
	b.press(hal.KeySoft4).wants(sip.Hangup{Call: 1}).step(sip.Ended{Call: 1, Cause: sip.Normal})
	b.step(sip.TransferFailed{Call: 2, Cause: sip.NoAnswer}).shows("Ended").wait(endedShown).shows("held", "live=0")
}

func TestACitizenWhoHangsUpLeavesTheAgentWithTheOffice(t *testing.T) {
	b := consulting(t, Talking)
	b.step(sip.Ended{Call: 2, Cause: sip.Normal}).shows("Ended", "live=1", "tone=none").wait(endedShown)
	b.shows("talking", "live=1").soft(SoftHold, SoftTransfer, 0, SoftHangup)
	b.step(Request{Verb: AskJoin}).wants()

	b = consulting(t, Talking) // while he is passed on
	b.press(hal.KeySoft1).step(sip.Ended{Call: 2, Cause: sip.Transferred}).shows("Ended", "live=1")
}

func TestAConsultationNeedsALine(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}, ada(4)).press(hal.KeySoft1)
	b.step(sip.HoldChanged{Call: 2, Held: true}, sip.Answered{Call: 4})
	b.press(hal.KeyTransfer).typed("36").soft(SoftNone, SoftPass, SoftDelete, SoftCancel)
	b.sent = nil
	b.step(sip.HoldChanged{Call: 4, Held: true}).press(hal.KeyOK).wants().shows("Ended", "live=0").soft(SoftResume, 0, 0, SoftBack)
}

func TestAnEmergencyCallTakesTheLineOfTheOffice(t *testing.T) {
	b := consulting(t, Talking)
	b.step(Request{Verb: AskDial, Argument: "112"}).wants(sip.Hold{Call: 1}, sip.Hangup{Call: 1}, sip.Dial{Call: 3, Number: "112"})
	b = consulting(t, Talking) // the citizen is spoken with
	b.press(hal.KeySoft2).step(sip.HoldChanged{Call: 1, Held: true}, sip.HoldChanged{Call: 2})
	b.sent = nil
	b.step(Request{Verb: AskDial, Argument: "112"}).wants(sip.Hold{Call: 2}, sip.Hangup{Call: 1}, sip.Dial{Call: 3, Number: "112"})
	b = consulting(t, Talking) // the two are being joined
	b.press(hal.KeySoft1)
	b.sent = nil
	b.step(Request{Verb: AskDial, Argument: "112"}).wants(sip.Hangup{Call: 1}, sip.Dial{Call: 3, Number: "112"})
}

func TestAProgramConsultsAndJoins(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.sent = nil
	b.step(Request{Verb: AskConsult, Argument: "+36"}).wants(sip.Hold{Call: 2}, sip.Dial{Call: 1, Number: "0036"})
	for _, r := range []struct {
		request Request
		want    Refusal
	}{{Request{Verb: AskJoin}, NotConsulting}, {Request{Verb: AskConsult, Argument: "37"}, Consulting}, {Request{Verb: AskTransfer, Argument: "37"}, NotTalking}} {
		effects := b.phone.Step(b.now, r.request)
		if got := effects[len(effects)-1].(Reply).Refused; got != r.want {
			t.Errorf("%s: %q, want %q", r.request.Verb, got, r.want)
		}
	}
	b.step(sip.HoldChanged{Call: 2, Held: true}, sip.Progress{Call: 1, Status: 180}, sip.Answered{Call: 1})
	b.step(Request{Verb: AskTransfer, Argument: "37"}).wants()
	b.step(Request{Verb: AskJoin}).wants(sip.Join{Call: 2, With: 1}).shows("transferring")
	b.step(Request{Verb: AskHangup}).wants()
}
