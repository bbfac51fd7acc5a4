package phone

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// bench drives one phone as a person and a network would, and reads like a conversation.
type bench struct {
	t     *testing.T
	phone *Phone
	now   time.Time
	sent  []sip.Command
}

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: start, phone: New(Config{
		Name: "201", Emergency: []string{"110", "112"}, AutoDial: 4 * time.Second, Retention: time.Hour, Missed: true, Ringer: 5,
		Rules: []Rule{{Prefix: "+", Replace: "00"}},
	})}
	b.step(sip.Registered{Expires: 5 * time.Minute})
	return b
}

func (b *bench) step(events ...Event) *bench {
	for _, e := range events {
		for _, effect := range b.phone.Step(b.now, e) {
			if s, ok := effect.(Send); ok {
				b.sent = append(b.sent, s.Command)
			}
		}
	}
	return b
}

func (b *bench) lift() *bench    { return b.step(hal.HookChange{Up: true}) }
func (b *bench) replace() *bench { return b.step(hal.HookChange{}) }

func (b *bench) press(keys ...hal.Key) *bench {
	for _, k := range keys {
		b.step(hal.KeyChange{Key: k, Down: true}, hal.KeyChange{Key: k})
	}
	return b
}

func (b *bench) typed(digits string) *bench {
	for _, d := range []byte(digits) {
		b.press(keyOf(d))
	}
	return b
}

// wait lets time pass, with a Tick at every deadline on the way.
func (b *bench) wait(d time.Duration) *bench {
	end := b.now.Add(d)
	for {
		next := b.phone.Deadline()
		if !next.After(b.now) {
			b.t.Fatalf("deadline %v is not after %v", next, b.now)
		}
		if next.After(end) {
			b.now = end
			return b
		}
		b.now = next
		b.step(Tick{})
	}
}

func (b *bench) view() View { return b.phone.View(b.now) }

// wants checks the commands sent since the last call of wants.
func (b *bench) wants(commands ...sip.Command) *bench {
	b.t.Helper()
	if got, want := fmt.Sprintf("%#v", b.sent), fmt.Sprintf("%#v", commands); got != want && len(b.sent)+len(commands) > 0 {
		b.t.Fatalf("sent %s\nwant %s", got, want)
	}
	b.sent = nil
	return b
}

// shows checks what is seen and heard: the screen's name, then any of tone, live=N, route.
func (b *bench) shows(screen string, sound ...string) *bench {
	b.t.Helper()
	v := b.view()
	got := strings.TrimPrefix(fmt.Sprintf("%T", v.Screen), "phone.")
	if c, ok := v.Screen.(Calls); ok {
		got = c.Calls[c.Selected].State.String()
	}
	if got != screen {
		b.t.Fatalf("screen shows %s, want %s (%+v)", got, screen, v.Screen)
	}
	heard := fmt.Sprintf("tone=%s live=%d route=%s", v.Sound.Tone, v.Sound.Live, v.Sound.Route)
	for _, s := range sound {
		if !strings.Contains(heard+" ", s+" ") {
			b.t.Fatalf("heard %s, want %s", heard, s)
		}
	}
	return b
}

func (b *bench) lamp(l hal.Lamp, want hal.Blink) *bench {
	b.t.Helper()
	if got := b.view().Lamps[l]; got != want {
		b.t.Fatalf("lamp %s is %s, want %s", l, got, want)
	}
	return b
}

func ada(call sip.CallID) sip.Incoming {
	return sip.Incoming{Call: call, From: sip.Party{Name: "Ada", Number: "03023125001"},
		Called: sip.Party{Name: "Kreis Wesel", Number: "02812070"}, Topic: "Elterngeld"}
}

func TestACallIsShownBeforeItIsAnsweredByLifting(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).shows("ringing", "tone=ring", "live=0").lamp(hal.LampMessage, hal.BlinkFast).lamp(hal.LampLine1, hal.BlinkFast)
	c := b.view().Screen.(Calls).Calls[0]
	if c.Topic != "Elterngeld" || c.Called.Name != "Kreis Wesel" || c.Party.Name != "Ada" {
		t.Fatalf("the ringing call shows %+v", c)
	}
	b.lift().wants(sip.Answer{Call: 2}).shows("talking", "tone=none", "live=2", "route=handset").lamp(hal.LampLine1, hal.Steady)
	b.step(sip.Answered{Call: 2}).wait(65 * time.Second)
	if d := b.view().Screen.(Calls).Calls[0].Duration; d != 65*time.Second {
		t.Fatalf("the call has lasted %v, want 65 s", d)
	}
	b.replace().wants(sip.Hangup{Call: 2}).shows("Ended", "live=0", "route=silent")
	b.step(sip.Ended{Call: 2, Cause: sip.Normal}).wait(endedShown).shows("Idle").lamp(hal.LampLine1, hal.Dark)
}

func TestACallerWhoGivesUpIsMissedAndCanBeCalledBackByLifting(t *testing.T) {
	b := newBench(t)
	b.step(ada(2), sip.Ended{Call: 2, Cause: sip.CallerGaveUp}).shows("Idle", "tone=none").lamp(hal.LampMessage, hal.Flash)
	if n := b.view().Status.Missed; n != 1 {
		t.Fatalf("%d missed calls, want 1", n)
	}
	b.press(hal.KeySoft1).shows("List").lamp(hal.LampMessage, hal.Dark)
	b.lift().wants(sip.Dial{Call: 1, Number: "03023125001"}).shows("calling", "route=handset")
}

func TestACallAnsweredElsewhereOrRejectedIsNotMissed(t *testing.T) {
	b := newBench(t)
	b.step(ada(2), sip.Ended{Call: 2, Cause: sip.Elsewhere}).shows("Idle")
	b.step(ada(4)).press(hal.KeySoft2).wants(sip.Reject{Call: 4}).shows("Idle")
	b.step(sip.Ended{Call: 4, Cause: sip.Rejected})
	if n := len(b.phone.missed); n != 0 {
		t.Fatalf("%d missed calls, want none", n)
	}
}

func TestDigitsThenLiftDials(t *testing.T) {
	b := newBench(t)
	b.typed("02841").shows("Dialling", "tone=none").wait(time.Minute).shows("Dialling").wants()
	b.lift().wants(sip.Dial{Call: 1, Number: "02841"}).shows("calling", "route=handset")
	b.step(sip.Progress{Call: 1, Status: 180}).shows("ringing-out", "tone=ringback", "live=0")
	b.step(sip.Progress{Call: 1, Status: 183, EarlyMedia: true}).shows("ringing-out", "tone=none", "live=1")
	b.step(sip.Answered{Call: 1}).shows("talking", "live=1")
}

func TestLiftThenDigitsDialsAfterAPauseOrAtOnceByOKAndPound(t *testing.T) {
	b := newBench(t)
	b.lift().shows("Dialling", "tone=dial", "route=handset")
	b.typed("50").shows("Dialling", "tone=none").wait(3 * time.Second).wants()
	b.typed("01").wait(4 * time.Second).wants(sip.Dial{Call: 1, Number: "5001"})
	b.replace().wants(sip.Hangup{Call: 1}).shows("Idle")
	b.lift().typed("77").press(hal.KeyOK).wants(sip.Dial{Call: 3, Number: "77"}).replace()
	b.sent = nil
	b.lift().typed("78#").wants(sip.Dial{Call: 5, Number: "78"}).replace()
	b.sent = nil
	b.lift().typed("*21#").wants().press(hal.KeyOK).wants(sip.Dial{Call: 7, Number: "*21#"})
}

func TestAnEmergencyNumberIsDialledAtOnceWithoutRegistrationAndWithBothLinesTaken(t *testing.T) {
	b := newBench(t)
	b.step(sip.Unregistered{Cause: sip.Unreachable, Retry: time.Second})
	b.lift().typed("112").wants(sip.Dial{Call: 1, Number: "112"})
	b.replace().step(sip.Ended{Call: 1}).wait(time.Minute)
	b.sent = nil
	b.lift().typed("77").press(hal.KeyOK).wants().wait(digitHeard).shows("Ended", "tone=congestion")
	b.replace()

	b = newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}, ada(4))
	b.sent = nil
	b.step(Request{Verb: AskDial, Argument: "110"}).wants(sip.Hold{Call: 2}, sip.Reject{Call: 4}, sip.Dial{Call: 1, Number: "110"})
}

func TestASecondCallKnocksAndAnsweringItPutsTheFirstOnHold(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.sent = nil
	b.step(ada(4)).shows("ringing", "tone=knock", "live=2")
	b.press(hal.KeySoft1).wants(sip.Hold{Call: 2}, sip.Answer{Call: 4}).shows("talking", "live=4").lamp(hal.LampHold, hal.BlinkSlow)
	b.step(sip.HoldChanged{Call: 2, Held: true}, sip.Answered{Call: 4})
	b.press(hal.KeySoft1).wants(sip.Hold{Call: 4}, sip.Resume{Call: 2}).shows("held", "live=0")
	b.step(sip.HoldChanged{Call: 4, Held: true}, sip.HoldChanged{Call: 2}).shows("talking", "live=2")
	b.replace().wants(sip.Hangup{Call: 2}).wait(endedShown).shows("held", "tone=hold", "live=0")
	b.lift().wants(sip.Resume{Call: 4}).step(sip.HoldChanged{Call: 4}).shows("talking", "live=4")
}

func TestAHeldCallThatIsResumedWhileTheHandsetGoesDownWaitsOn(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}).press(hal.KeyHold).step(sip.HoldChanged{Call: 2, Held: true})
	b.replace().press(hal.KeyCancel) // the end of nothing
	b = newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}).press(hal.KeyHold).step(sip.HoldChanged{Call: 2, Held: true})
	b.sent = nil
	b.press(hal.KeyHold).wants(sip.Resume{Call: 2}).replace().wants()
	b.step(sip.HoldChanged{Call: 2}).wants(sip.Hold{Call: 2}).shows("held", "live=0", "route=silent")
}

func TestARefusedHoldKeepsTalkingUnlessNobodyMayListen(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}).press(hal.KeyHold).shows("held", "live=0")
	b.step(sip.HoldChanged{Call: 2, Failed: true}).shows("talking", "live=2")
	b.press(hal.KeyHold).replace().step(sip.HoldChanged{Call: 2, Failed: true}).shows("held", "live=0")
}

func TestSpeakerAndHeadsetTakeTheCallAndLetItGo(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).press(hal.KeyHeadset).wants(sip.Answer{Call: 2}).shows("talking", "route=headset").lamp(hal.LampHeadset, hal.Steady)
	b.press(hal.KeySpeaker).shows("talking", "route=speaker").lift().shows("talking", "route=handset")
	b.press(hal.KeySpeaker).replace().wants().shows("talking", "route=speaker")
	b.press(hal.KeySpeaker).wants(sip.Hangup{Call: 2}).shows("Ended", "route=silent")
	b.step(sip.Ended{Call: 2}).press(hal.KeySpeaker).shows("Dialling", "tone=dial", "route=speaker")
	b.press(hal.KeySpeaker).shows("Idle", "route=silent")
}

func TestMuteEndsWithTheCall(t *testing.T) {
	b := newBench(t)
	b.press(hal.KeyMute).lamp(hal.LampMute, hal.Dark)
	b.step(ada(2)).lift().press(hal.KeyMute).lamp(hal.LampMute, hal.Steady)
	if !b.view().Sound.Muted {
		t.Fatal("the microphone is on")
	}
	b.replace().step(ada(4)).lift().lamp(hal.LampMute, hal.Dark)
}

func TestTheEndIsShownInWordsAndHeardUntilTheHandsetIsDown(t *testing.T) {
	for cause, tone := range map[sip.Cause]string{
		sip.NotFound: "tone=congestion", sip.Busy: "tone=busy", sip.Unreachable: "tone=congestion", sip.NoAnswer: "tone=busy",
	} {
		b := newBench(t)
		b.lift().typed("77").press(hal.KeyOK).step(sip.Ended{Call: 1, Cause: cause})
		b.wait(10*time.Second).shows("Ended", tone, "route=handset")
		if got := b.view().Screen.(Ended).Cause; got != cause {
			t.Errorf("shows %s, want %s", got, cause)
		}
		b.replace().shows("Idle", "tone=none", "route=silent")
	}
}

func TestRegistrationLostDuringACallLeavesTheCall(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}, sip.Unregistered{Cause: sip.Unreachable, Retry: 2500 * time.Millisecond})
	b.shows("talking", "live=2").lamp(hal.LampMessage, hal.BlinkSlow)
	if s := b.view().Status; s.Registration != Lost || s.Retry != 3*time.Second {
		t.Fatalf("status is %+v", s)
	}
	b.step(sip.Registered{}).shows("talking", "live=2").lamp(hal.LampMessage, hal.Dark)
	b = newBench(t)
	b.phone = New(Config{})
	b.step(sip.Unregistered{Cause: sip.WrongPassword, Status: 401, Retry: time.Minute})
	if s := b.view().Status; s.Registration != Failed || s.Cause != sip.WrongPassword {
		t.Fatalf("status is %+v", s)
	}
}

func TestATransferKeepsTheCitizenUntilItHasWorked(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.sent = nil
	b.press(hal.KeyTransfer).wants(sip.Hold{Call: 2}).shows("Dialling", "live=0")
	b.step(sip.HoldChanged{Call: 2, Held: true}).replace().shows("held").lift().wants(sip.Resume{Call: 2})
	b.step(sip.HoldChanged{Call: 2}).press(hal.KeyTransfer).typed("36").wants(sip.Hold{Call: 2})
	b.press(hal.KeyTransfer).wants(sip.Transfer{Call: 2, Number: "36"}).shows("transferring", "live=0")
	b.step(sip.TransferFailed{Call: 2, Cause: sip.NotFound, Status: 404}).shows("Ended").wait(endedShown).shows("held")
	b.press(hal.KeyTransfer).typed("37").press(hal.KeySoft2).wants(sip.Transfer{Call: 2, Number: "37"})
	b.step(sip.Ended{Call: 2, Cause: sip.Transferred}).shows("Ended", "tone=none")
}

func TestDigitsInAConversationAreSentAndHeardWhileTheKeyIsDown(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.sent = nil
	b.step(hal.KeyChange{Key: hal.Key5, Down: true}).wants(sip.SendDigit{Call: 2, Digit: '5'})
	if d := b.wait(time.Second).view().Sound.Digit; d != '5' {
		t.Fatalf("digit %q is heard, want 5", d)
	}
	b.step(hal.KeyChange{Key: hal.Key5})
	if d := b.view().Sound.Digit; d != 0 {
		t.Fatalf("digit %q is heard after the key came up", d)
	}
	b.press(hal.Key6)
	if d := b.view().Sound.Digit; d != '6' {
		t.Fatal("a short press must be heard for a moment")
	}
	if d := b.wait(digitHeard).view().Sound.Digit; d != 0 {
		t.Fatalf("digit %q is heard for ever", d)
	}
}

func TestVolumeKeysChangeWhatIsHeardNow(t *testing.T) {
	b := newBench(t)
	b.press(hal.KeyVolumeUp)
	if v := b.view(); v.Sound.Ringer != 6 || v.Status.Volume == nil || !v.Status.Volume.Ringer {
		t.Fatalf("on hook: %+v", v)
	}
	if b.wait(volumeShown); b.view().Status.Volume != nil {
		t.Fatal("the bar stays for ever")
	}
	b.lift()
	for range 20 {
		b.press(hal.KeyVolumeDown)
	}
	if v := b.view().Sound; v.Volume != 1 || v.Ringer != 6 {
		t.Fatalf("handset: %+v, want the least that can be heard", v)
	}
}

func TestListsForgetAfterTheRetention(t *testing.T) {
	b := newBench(t)
	b.step(ada(2), sip.Ended{Call: 2, Cause: sip.CallerGaveUp}).wait(59 * time.Minute)
	if b.view().Status.Missed != 1 {
		t.Fatal("forgotten too soon")
	}
	b.wait(2*time.Minute).lamp(hal.LampMessage, hal.Dark)
	if len(b.phone.missed) != 0 || b.view().Status.Missed != 0 {
		t.Fatal("remembered too long")
	}
}

func TestARequestThatCannotBeDoneSaysWhy(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    Refusal
	}{
		{Request{Verb: AskAnswer}, NotRinging},
		{Request{Verb: AskHangup}, NoCall},
		{Request{Verb: AskHold}, NotTalking},
		{Request{Verb: AskResume}, NotHeld},
		{Request{Verb: AskDial, Argument: "12a"}, BadDigits},
		{Request{Verb: AskDial, Argument: "1\r\nX"}, BadDigits},
		{Request{Verb: AskDial, Argument: ""}, BadDigits},
		{Request{Verb: AskTransfer, Argument: "1"}, NotTalking},
		{Request{Verb: AskDTMF, Argument: "1"}, NotTalking},
		{Request{Verb: AskConsult, Argument: "x"}, BadDigits},
		{Request{Verb: AskConsult, Argument: "1"}, NotTalking},
		{Request{Verb: AskJoin}, NotConsulting},
		{Request{Verb: AskDial, Argument: "+492812070"}, Done},
	} {
		b := newBench(t)
		effects := b.phone.Step(b.now, c.request)
		if got := effects[len(effects)-1].(Reply).Refused; got != c.want {
			t.Errorf("%+v is answered %q, want %q", c.request, got, c.want)
		}
	}
	b := newBench(t)
	b.step(Request{Verb: AskDial, Argument: "+492812070"}).wants(sip.Dial{Call: 1, Number: "00492812070"})
}

func TestACallBeyondBothLinesIsRefusedSilently(t *testing.T) {
	b := newBench(t)
	b.step(ada(2), ada(4), ada(6)).wants(sip.Reject{Call: 6})
	if n := len(b.view().Screen.(Calls).Calls); n != 2 {
		t.Fatalf("%d calls are shown, want 2", n)
	}
	b.step(sip.Ended{Call: 6, Cause: sip.Busy})
	if len(b.phone.calls) != 2 {
		t.Fatal("the refused call was not forgotten")
	}
}

func TestNoKeyEndsACallThatTheScreenDoesNotShow(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2})
	b.press(hal.KeyTransfer).typed("5060").press(hal.KeyTransfer).step(sip.HoldChanged{Call: 2, Held: true})
	b.sent = nil
	b.step(sip.TransferFailed{Call: 2, Cause: sip.Busy, Status: 486}).shows("Ended")
	end := b.view().Screen.(Ended)
	if end.Party.Number != "5060" || len(end.Waiting) != 1 || end.Waiting[0].Name != "Ada" {
		t.Fatalf("the panel names %+v; 5060 is busy and Ada waits", end)
	}
	if soft := b.view().Soft; soft != [4]Soft{SoftResume, SoftNone, SoftNone, SoftBack} {
		t.Fatalf("the soft keys are %v", soft)
	}
	if calls := b.view().Calls; len(calls) != 1 || calls[0].State != Held {
		t.Fatalf("the calls are %+v", calls)
	}
	b.press(hal.KeySoft4).wants().shows("held")
	b.press(hal.KeySoft1).wants(sip.Resume{Call: 2})
}

func TestDigitsTypedForACallThatHasGoneDialNobody(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}).press(hal.KeyTransfer).typed("50")
	b.sent = nil
	b.step(sip.Ended{Call: 2, Cause: sip.Normal}).typed("36").press(hal.KeyOK).wants().shows("Ended")
}

func TestACallThatRingsBesideTheSelectedOneCanBeAnsweredBySoftKey(t *testing.T) {
	b := newBench(t)
	b.step(Request{Verb: AskDial, Argument: "5090"}, ada(2))
	b.press(hal.KeyDown).press(hal.KeyUp).step(sip.Answered{Call: 1})
	b.sent = nil
	if b.view().Soft[2] != SoftAnswer {
		t.Fatalf("the soft keys are %v", b.view().Soft)
	}
	b.press(hal.KeySoft3).wants(sip.Hold{Call: 1}, sip.Answer{Call: 2})
}

func TestAHeldCallShowsHowLongItHasWaited(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().step(sip.Answered{Call: 2}).wait(time.Minute).press(hal.KeyHold).wait(7 * time.Second)
	if c := b.view().Calls[0]; c.State != Held || c.Duration != 7*time.Second {
		t.Fatalf("%+v, want held for 7 s", c)
	}
	b.step(sip.HoldChanged{Call: 2, Held: true}).press(hal.KeyHold).step(sip.HoldChanged{Call: 2})
	if c := b.view().Calls[0]; c.State != Talking || c.Duration != 67*time.Second {
		t.Fatalf("%+v, want talking for 67 s", c)
	}
}

func TestACallerWhoseNumberCannotBeDialledIsNotCalledBack(t *testing.T) {
	for _, number := range []string{"", "anonymous", "--", "+", "1\r\n2"} {
		b := newBench(t)
		b.step(sip.Incoming{Call: 2, From: sip.Party{Number: number}}, sip.Ended{Call: 2, Cause: sip.CallerGaveUp})
		b.sent = nil
		if refused := b.phone.call(b.now, b.phone.missed[0].Party, hal.Headset); refused != NoNumber {
			t.Errorf("%q: %v, want %v", number, refused, NoNumber)
		}
		if b.wants().shows("Ended").view().Screen.(Ended).Cause != sip.BadNumber {
			t.Errorf("%q: the panel gives another reason", number)
		}
	}
	b := newBench(t)
	if refused := b.phone.call(b.now, sip.Party{Number: "+49-(2841)-20.20"}, hal.Headset); refused != Done {
		t.Errorf("a number with separators: %v", refused)
	}
}

// A queue that offers a caller again after every few seconds of ringing makes one missed call of it, and none when he is answered at last.
func TestACallerWhoIsOfferedAgainIsMissedOnce(t *testing.T) {
	b := newBench(t)
	other := ada(4)
	other.From = sip.Party{Number: "0284100"}
	secret := func(call sip.CallID) sip.Incoming {
		in := ada(call)
		in.From = sip.Party{Number: "anonymous"}
		return in
	}
	for _, in := range []sip.Incoming{ada(2), other, ada(6), secret(8), secret(10), ada(12)} {
		b.step(in, sip.Ended{Call: in.Call, Cause: sip.CallerGaveUp})
	}
	if n := b.view().Status.Missed; n != 4 || len(b.phone.missed) != 4 || b.phone.missed[0].Party.Name != "Ada" {
		t.Errorf("%d missed calls, want Ada, two who withhold their number, and one more: %v", n, b.phone.missed)
	}
	b.press(hal.KeySoft1).press(hal.KeyCancel).step(ada(14)).lift()
	if n := b.view().Status.Missed; n != 0 || len(b.phone.missed) != 3 {
		t.Errorf("%d not looked at, want 0; after Ada has been answered the list is %v", n, b.phone.missed)
	}
}
