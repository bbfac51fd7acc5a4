package phone

import (
	"fmt"
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

func (b *bench) headset(actions ...hal.HeadsetAction) *bench {
	for _, a := range actions {
		b.step(hal.HeadsetChange{Action: a})
	}
	return b
}

func (b *bench) headsetLamps(want hal.HeadsetLamps) *bench {
	b.t.Helper()
	if got := b.view().Headset; got != want {
		b.t.Fatalf("the headset's lamps are %+v, want %+v", got, want)
	}
	return b
}

func TestAHeadsetAnswersMutesHoldsAndHangsUp(t *testing.T) {
	b := newBench(t).headset(hal.HeadsetPlugged)
	b.step(ada(2)).headsetLamps(hal.HeadsetLamps{Ring: true})
	b.headset(hal.HeadsetOffHook).wants(sip.Answer{Call: 2}).step(sip.Answered{Call: 2}).
		shows("talking", "live=2", "route=headset").headsetLamps(hal.HeadsetLamps{OffHook: true, Microphone: true})
	b.headset(hal.HeadsetMute).headsetLamps(hal.HeadsetLamps{OffHook: true, Mute: true})
	b.headset(hal.HeadsetMute).headsetLamps(hal.HeadsetLamps{OffHook: true, Mute: true})
	b.headset(hal.HeadsetUnmute, hal.HeadsetFlash).wants(sip.Hold{Call: 2}).step(sip.HoldChanged{Call: 2, Held: true}).
		headsetLamps(hal.HeadsetLamps{OffHook: true, Hold: true})
	b.headset(hal.HeadsetFlash).wants(sip.Resume{Call: 2}).step(sip.HoldChanged{Call: 2})
	b.headset(hal.HeadsetVolumeUp)
	if v := b.view().Status.Volume; v == nil || v.Level != 8 {
		t.Fatalf("the headset's key makes it %+v", v)
	}
	b.headset(hal.HeadsetOnHook).wants(sip.Hangup{Call: 2}).headsetLamps(hal.HeadsetLamps{})
}

func TestAHeadsetsHookNeverEndsWhatIsSpokenElsewhere(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).lift().wants(sip.Answer{Call: 2}).step(sip.Answered{Call: 2})
	b.headset(hal.HeadsetOnHook).wants().shows("talking", "route=handset")
	b.headset(hal.HeadsetOffHook).wants().shows("talking", "route=headset") // off hook moves it there
	b.headset(hal.HeadsetReject).wants().shows("talking", "live=2")         // and there is nothing to refuse
}

func TestAHeadsetRefusesACallThatRings(t *testing.T) {
	b := newBench(t)
	b.step(ada(2)).headset(hal.HeadsetReject).wants(sip.Reject{Call: 2})
}

func TestAPluggedOutHeadsetCutsNobodyOff(t *testing.T) {
	b := newBench(t).headset(hal.HeadsetPlugged)
	b.step(ada(2)).headset(hal.HeadsetOffHook).step(sip.Answered{Call: 2})
	b.headset(hal.HeadsetUnplugged).shows("talking", "live=2", "route=speaker")
	b.replace().shows("talking", "live=2", "route=speaker")
	b.headset(hal.HeadsetPlugged, hal.HeadsetOffHook).shows("talking", "route=headset")
	b.lift().shows("talking", "route=handset").headset(hal.HeadsetUnplugged).shows("talking", "route=handset")
}

func TestOnlyKeysThatMayRepeatDo(t *testing.T) {
	b := newBench(t)
	held := func(k hal.Key, d time.Duration) { b.step(hal.KeyChange{Key: k, Down: true, Held: d}) }
	b.step(hal.KeyChange{Key: hal.KeyVolumeUp, Down: true})
	held(hal.KeyVolumeUp, hal.RepeatAfter)
	held(hal.KeyVolumeUp, hal.RepeatAfter+hal.RepeatEvery)
	if v := b.view().Status.Volume; v == nil || v.Level != 8 {
		t.Fatalf("three steps from 5 make %+v", v)
	}
	b.lift().typed("5036")
	held(hal.Key6, hal.RepeatAfter)
	if d := b.view().Screen.(Dialling); d.Number != "5036" {
		t.Fatalf("a digit that stays down types %q", d.Number)
	}
	held(hal.KeySoft2, hal.RepeatAfter) // deletes
	if d := b.view().Screen.(Dialling); d.Number != "503" {
		t.Fatalf("the delete key that stays down leaves %q", d.Number)
	}
}

func TestALongZeroIsThePlusOfAnInternationalNumber(t *testing.T) {
	b := newBench(t)
	b.step(hal.KeyChange{Key: hal.Key0, Down: true}, hal.KeyChange{Key: hal.Key0, Down: true, Held: hal.RepeatAfter},
		hal.KeyChange{Key: hal.Key0, Down: true, Held: hal.RepeatAfter + hal.RepeatEvery}, hal.KeyChange{Key: hal.Key0})
	b.typed("49281").press(hal.KeyOK).wants(sip.Dial{Call: 1, Number: "0049281"})
	b.press(hal.KeyCancel)
}

func TestABrokenPartIsSeenAndTakesNothingElseAway(t *testing.T) {
	b := newBench(t)
	b.step(hal.PartChange{Part: hal.PartPanel, Fault: hal.Missing, Detail: "SSD1306 at 0x3c"}, hal.PartChange{Part: hal.PartCount, Fault: hal.Missing})
	b.lamp(hal.LampMessage, hal.Wink)
	if f := b.view().Status.Faults; f[hal.PartPanel] != hal.Missing || f[hal.PartKeypad] != hal.Working {
		t.Fatalf("faults %v", f)
	}
	b.lift().typed("112").wants(sip.Dial{Call: 1, Number: "112"}).replace()
	b.step(sip.Ended{Call: 1}, ada(2)).lamp(hal.LampMessage, hal.BlinkFast).step(sip.Ended{Call: 2, Cause: sip.CallerGaveUp}).lamp(hal.LampMessage, hal.Flash)
	b.step(hal.PartChange{Part: hal.PartPanel}).wait(time.Hour)
	b.lamp(hal.LampMessage, hal.Dark)
}

// test collects what the self-test is told.
func (b *bench) told(events ...Event) string {
	text := ""
	for _, event := range events {
		for _, e := range b.phone.Step(b.now, event) {
			switch e := e.(type) {
			case StartTest, StopTest, TestAnswer, TestKey:
				text += fmt.Sprintf("%T%v ", e, e)
			case Reply:
				text += e.Refused.String() + " "
			case Send:
				b.sent = append(b.sent, e.Command)
			}
		}
	}
	return text
}

func (b *bench) hears(want string, events ...Event) *bench {
	b.t.Helper()
	if got := b.told(events...); got != want {
		b.t.Fatalf("told %q, want %q", got, want)
	}
	return b
}

func downUp(k hal.Key) []Event {
	return []Event{hal.KeyChange{Key: k, Down: true}, hal.KeyChange{Key: k}}
}

const started = "phone.StartTest{technician } "

func newTest(t *testing.T) *bench {
	return newBench(t).hears(started+"done ", Request{Verb: AskTest, Argument: TechnicianTest}).shows("Test")
}

func TestASelfTestIsRefusedWhileSomebodyNeedsThePhone(t *testing.T) {
	ask := Request{Verb: AskTest, Argument: TechnicianTest}
	newBench(t).hears(NoSuchTest.String()+" ", Request{Verb: AskTest, Argument: "thorough"})
	newTest(t).hears(Testing.String()+" ", ask)
	newBench(t).hears("phone.StartTest{factory handset.level hook} done ", Request{Verb: AskTest, Argument: "factory handset.level hook"})
	newBench(t).lift().hears(InUse.String()+" ", ask)
	newBench(t).step(ada(2)).hears(InUse.String()+" ", ask)
	newDesk(t).hears(AgentReady.String()+" ", ask)
	b := newDesk(t)
	b.step(sip.AgentReply{Known: true, Agent: agentIn(sip.Paused, b.now)}).hears(started+"done ", ask)
}

func TestTwoKeysHeldStartASelfTest(t *testing.T) {
	b := newBench(t)
	b.step(hal.KeyChange{Key: hal.KeyStar, Down: true}, hal.KeyChange{Key: hal.KeyPound, Down: true})
	b.hears("", hal.KeyChange{Key: hal.KeyStar, Down: true, Held: testHold - hal.RepeatEvery})
	b.hears(started, hal.KeyChange{Key: hal.KeyStar, Down: true, Held: testHold})
	b.hears("phone.StopTest{} ", hal.HookChange{Up: true}, hal.HookChange{})
	b.hears("", hal.KeyChange{Key: hal.KeyStar, Down: true, Held: 2 * testHold}) // not again while they stay down
	b = newBench(t)
	b.step(hal.KeyChange{Key: hal.KeyStar, Down: true}).hears("", hal.KeyChange{Key: hal.KeyStar, Down: true, Held: testHold}) // one alone does not
}

func TestKeysAnswerTheTestOnlyWhenItAsks(t *testing.T) {
	b := newTest(t).step(TestShown{Screen: Test{Title: "Lampen", Question: true}, Lamps: hal.Lamps{hal.LampMute: hal.Steady}})
	b.lamp(hal.LampMute, hal.Steady).hears("phone.TestAnswer{true} ", downUp(hal.KeySoft1)...).hears("phone.TestAnswer{false} ", downUp(hal.KeySoft2)...)
	b.step(TestShown{Screen: Test{Title: "Temperatur"}}).hears("", downUp(hal.KeySoft1)...).hears("", downUp(hal.KeyUp)...)
	b.step(TestShown{Screen: Test{Title: "Tasten", Keys: true}}).
		hears("phone.TestKey{{cancel true 0s}} phone.TestKey{{cancel false 0s}} ", downUp(hal.KeyCancel)...)
	b.hears("phone.StopTest{} ", hal.KeyChange{Key: hal.KeyCancel, Down: true, Held: testHold}).shows("Idle")
	newTest(t).hears("phone.StopTest{} ", downUp(hal.KeySoft4)...).shows("Idle")
}

func TestTheOutcomeOfATestStaysUntilAKeyOrAMinute(t *testing.T) {
	outcome := TestShown{Screen: Test{Title: "Ergebnis", Outcome: "pass"}, Over: true}
	newTest(t).step(outcome).shows("Test").hears("", downUp(hal.KeyOK)...).shows("Idle")
	newTest(t).step(outcome).wait(testResult - time.Second).shows("Test").wait(time.Second).shows("Idle")
	newTest(t).hears("phone.StopTest{} ", downUp(hal.KeyCancel)...).step(outcome).shows("Idle") // too late
}

func TestACallOrALiftedHandsetEndsATest(t *testing.T) {
	newTest(t).hears("phone.StopTest{} ", ada(2)).shows("ringing", "tone=ring")
	newTest(t).hears("phone.StopTest{} ", hal.HookChange{Up: true}).shows("Dialling", "tone=dial", "route=handset").
		typed("112").wants(sip.Dial{Call: 1, Number: "112"})
}

func TestTheHandsetOfAHookTestStillDialsAnEmergency(t *testing.T) {
	hook := TestShown{Screen: Test{Title: "Gabel", Hook: true}}
	b := newTest(t).step(hook).hears("", hal.HookChange{Up: true}, hal.HookChange{}).shows("Test")
	b.lift().hears("phone.StopTest{} ", hal.KeyChange{Key: hal.Key1, Down: true}).step(hal.KeyChange{Key: hal.Key1}).typed("12").wants(sip.Dial{Call: 1, Number: "112"})
	newTest(t).step(hook).lift().wait(testLifted-time.Second).shows("Test").wait(time.Second).shows("Dialling", "tone=dial").typed("110").wants(sip.Dial{Call: 1, Number: "110"})
	// The outcome comes while the handset is still up.
	newTest(t).step(hook).lift().step(TestShown{Over: true}).hears("", downUp(hal.KeyCancel)...).shows("Dialling", "tone=dial")
}

func TestNothingOfAnEmergencyCallIsLostInATest(t *testing.T) {
	outcome := TestShown{Screen: Test{Title: "Ergebnis", Outcome: "pass"}, Over: true}
	newTest(t).step(outcome).typed("112").lift().wants(sip.Dial{Call: 1, Number: "112"})
	hook := TestShown{Screen: Test{Title: "Gabel", Hook: true}}
	newTest(t).step(hook).lift().step(outcome).typed("112").wants(sip.Dial{Call: 1, Number: "112"})
	lamps := TestShown{Screen: Test{Title: "Lampen", Question: true}}
	newTest(t).step(lamps).typed("112").lift().wants(sip.Dial{Call: 1, Number: "112"})
	newTest(t).step(lamps).press(hal.KeySpeaker).shows("Dialling", "route=speaker").typed("112").wants(sip.Dial{Call: 1, Number: "112"})
	newTest(t).step(lamps).headset(hal.HeadsetPlugged, hal.HeadsetOffHook).shows("Dialling", "route=headset").typed("112").wants(sip.Dial{Call: 1, Number: "112"})
	keys := TestShown{Screen: Test{Title: "Tasten", Keys: true}}
	newTest(t).step(keys).lift().typed("112").wants(sip.Dial{Call: 1, Number: "112"})
}

func TestTheHandsetIsLiftedForItsOwnTest(t *testing.T) {
	handset := TestShown{Screen: Test{Title: "Hörer: Pegel und Polung", Handset: true}}
	speaker := TestShown{Screen: Test{Title: "Lautsprecher: Rauschen"}}
	b := newTest(t).step(handset).hears("", hal.HookChange{Up: true}).wait(time.Minute).shows("Test")
	b.step(speaker).hears("", hal.HookChange{}).shows("Test").hears("phone.StopTest{} ", hal.HookChange{Up: true}).shows("Dialling")
	newTest(t).step(handset).lift().typed("112").wants(sip.Dial{Call: 1, Number: "112"})
	newTest(t).step(handset).lift().hears("phone.StopTest{} ", downUp(hal.KeySoft4)...).shows("Dialling", "tone=dial")
	outcome := TestShown{Screen: Test{Title: "Ergebnis", Outcome: "pass"}, Over: true}
	newTest(t).step(handset).lift().step(outcome).replace().shows("Test") // it can still be read
}
