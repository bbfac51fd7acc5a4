package phone

import (
	"testing"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/firmware"
	"freizeichen/hal"
	"freizeichen/sip"
)

// newDesk is a phone with a desk at which agent 4711 sits.
func newDesk(t *testing.T) *bench {
	b := &bench{t: t, now: start, phone: New(Config{
		Name: "201", Emergency: []string{"110", "112"}, AutoDial: 4 * time.Second, Retention: time.Hour, Missed: true, Ringer: 5,
		Desk: callcentre.Config{
			On: true, Reasons: []callcentre.Reason{{ID: "break", Code: "*471"}}, RejectPauses: true, Boot: "0123456789abcdef01234567",
		},
	})}
	b.step(sip.Registered{Expires: 5 * time.Minute}, callcentre.KnowledgeChanged{Knowledge: firmware.Knowledge{
		Tenants: []firmware.Tenant{{ID: "kreis", Name: "Kreis Wesel", Topics: []string{"zulassung"}, Lines: []firmware.Line{{Number: "02812070", Greeting: "Kreis Wesel, guten Tag"}}}},
		Topics:  []firmware.Topic{{ID: "zulassung", Name: "Kfz-Zulassung"}},
		Offices: []firmware.Office{{ID: "strasse", Name: "Straßenverkehrsamt", Number: "5036"}},
		Cards:   []firmware.Card{{Topic: "zulassung", Tenant: "kreis", Text: []string{"Nur mit Termin", "Kennzeichen mitbringen"}, Office: "strasse"}},
	}})
	b.step(sip.AgentReply{Known: true, Agent: agentIn(sip.Ready, b.now)})
	b.sent = nil
	return b
}

func agentIn(state sip.AgentState, now time.Time) sip.Agent {
	return sip.Agent{Device: "201", Number: "4711", State: state, Since: now, Queues: []string{"kw"}, Confirmed: true}
}

func (b *bench) citizen(call sip.CallID) *bench {
	return b.step(sip.Incoming{Call: call, From: sip.Party{Name: "Ada", Number: "03023125001"}, Called: sip.Party{Number: "02812070"}, Topic: "Kfz-Zulassung", Queue: "kw"})
}

// take presses the soft key that has the meaning now.
func (b *bench) take(s Soft) *bench {
	b.t.Helper()
	for i, meaning := range b.view().Soft {
		if meaning == s {
			return b.press(hal.KeySoft1 + hal.Key(i))
		}
	}
	b.t.Fatalf("no soft key means %d: %v", s, b.view().Soft)
	return b
}

func action(a callcentre.Action) Soft { return SoftDesk + Soft(a) }

func TestTheDeskHasTheScreenOnlyWhenNothingElseNeedsIt(t *testing.T) {
	b := newDesk(t)
	b.shows("Idle").take(action(callcentre.ActPause)).shows("Desk")
	b.citizen(2).shows("ringing", "tone=ring").wait(slip)
	if v := b.view(); v.Desk.Caller == nil || v.Desk.Caller.Greeting != "Kreis Wesel, guten Tag" || v.Soft[0] != SoftAnswer {
		t.Errorf("ringing: %+v, keys %v", v.Desk.Caller, v.Soft)
	}
	b.take(SoftAnswer).shows("talking").wants(sip.Answer{Call: 2}).wait(twice)
	if v := b.view(); v.Desk.Card == nil || v.Desk.Menu != nil || v.Soft[0] != action(callcentre.ActAsk) {
		t.Errorf("talking: card %+v, menu %+v, keys %v", v.Desk.Card, v.Desk.Menu, v.Soft)
	}
	b.press(hal.KeyDown)
	if top := b.view().Desk.Card.Top; top != 1 {
		t.Errorf("the card stands at line %d", top)
	}
	b.take(action(callcentre.ActMore)).shows("Desk", "live=2")
	b.typed("4").shows("held").wants(sip.Hold{Call: 2}) // the fourth choice is hold
	b.press(hal.KeyHold).step(sip.HoldChanged{Call: 2, Held: true}, sip.HoldChanged{Call: 2}).shows("talking")
	b.sent = nil
	b.typed("5").wants(sip.SendDigit{Call: 2, Digit: '5'}) // without a menu a digit goes to the caller
	b.step(sip.Ended{Call: 2, Cause: sip.Normal}).shows("Desk", "live=0")
	b.wait(time.Second).lift().shows("Dialling", "tone=dial").replace().shows("Desk")
	b.take(action(callcentre.ActDone)).shows("Idle")
}

func TestTheOfficeIsAskedOrGivenTheCallByOneKey(t *testing.T) {
	b := newDesk(t)
	b.citizen(2).lift().step(sip.Answered{Call: 2}).wants(sip.Answer{Call: 2})
	b.take(action(callcentre.ActAsk)).shows("calling").wants(sip.Hold{Call: 2}, sip.Dial{Call: 1, Number: "5036"})
	b.step(sip.HoldChanged{Call: 2, Held: true}, sip.Ended{Call: 1, Cause: sip.Busy}).wants(sip.Resume{Call: 2})
	if v := b.view(); v.Desk.Card == nil || !v.Desk.Card.Office.Busy || v.Desk.Note != callcentre.NoteOfficeBusy {
		t.Errorf("the office is busy: %+v note %v", v.Desk.Card, v.Desk.Note)
	}
	b.step(sip.HoldChanged{Call: 2}).wait(endedShown).shows("talking")
	b.take(action(callcentre.ActPass)).wants(sip.Transfer{Call: 2, Number: "5036"})
	b.step(sip.Ended{Call: 2, Cause: sip.Transferred})
	if a := b.view().Desk.After; a == nil || a.Result != sip.Forwarded {
		t.Errorf("passed on: %+v", a)
	}
}

func TestARefusedCallPausesAndHasNoOutcome(t *testing.T) {
	b := newDesk(t)
	b.citizen(2)
	var asked []sip.AgentRequest
	for _, effect := range b.phone.Step(b.now, hal.KeyChange{Key: hal.KeyCancel, Down: true}) {
		if a, ok := effect.(AskSwitchboard); ok {
			asked = append(asked, a.Request)
		}
		if _, ok := effect.(KeepOutcome); ok {
			t.Error("a call that nobody answered has an outcome")
		}
	}
	if len(asked) != 1 || asked[0].Verb != sip.GoPaused || asked[0].Reason != callcentre.ReasonDeclined {
		t.Errorf("asked %+v", asked)
	}
}

func TestAFeatureCodeIsNoCallOfTheUsers(t *testing.T) {
	b := newDesk(t)
	b.take(action(callcentre.ActPause)).typed("1")
	b.step(sip.AgentReply{ID: 1, Problem: sip.SwitchboardAway}).wants(sip.Dial{Call: 1, Number: "*471"}).shows("Idle", "live=0")
	if v := b.view(); v.Sound.Calls[0] != 1 || len(v.Calls) != 0 || !v.Desk.Agent.Asked {
		t.Errorf("sound %v calls %v agent %+v", v.Sound.Calls, v.Calls, v.Desk.Agent)
	}
	b.step(sip.Progress{Call: 1, Status: 180}, sip.Identified{Call: 1}, sip.Answered{Call: 1}).wait(codeHeard).wants(sip.Hangup{Call: 1})
	b.step(sip.Ended{Call: 1}).lamp(hal.LampAgent, hal.BlinkSlow)
	if v := b.view(); v.Desk.Agent.State != sip.Paused || !v.Desk.Agent.Unconfirmed || v.Sound.Calls[0] != 0 {
		t.Errorf("agent %+v sound %v", v.Desk.Agent, v.Sound.Calls)
	}
	b.take(action(callcentre.ActReady)).step(sip.AgentReply{ID: 2, Problem: sip.SwitchboardAway}).shows("Idle")
	if v := b.view(); v.Desk.Note != callcentre.NoteProblem {
		t.Errorf("there is no code for it, and note %v says nothing", v.Desk.Note)
	}
}

func TestLampsTellTheAgentsStateAndTheQueues(t *testing.T) {
	b := newDesk(t)
	b.lamp(hal.LampAgent, hal.Steady).lamp(hal.LampQueue, hal.Flash) // nobody has told of the queue
	b.step(sip.QueueReported{Status: sip.QueueStatus{Queue: "kw", At: b.now, Valid: 90 * time.Second, SignedIn: 1, Free: 1}}).lamp(hal.LampQueue, hal.Dark)
	b.wait(2 * time.Second)
	waiting := sip.QueueStatus{Queue: "kw", At: b.now, Valid: 90 * time.Second, SignedIn: 1, Waiting: 1, Oldest: b.now, Level: sip.ServiceLevel{Within: 30 * time.Second}}
	b.step(sip.QueueReported{Status: waiting}).lamp(hal.LampQueue, hal.Steady)
	b.wait(30*time.Second).lamp(hal.LampQueue, hal.BlinkFast)
	b.wait(60*time.Second).lamp(hal.LampQueue, hal.Flash)
	wrap := agentIn(sip.WrapUp, b.now)
	wrap.Until = b.now.Add(30 * time.Second)
	b.citizen(2).lift().step(sip.Ended{Call: 2, Cause: sip.Normal}).replace()
	b.step(sip.AgentReply{Known: true, Agent: wrap}).lamp(hal.LampAgent, hal.Flash)
	b.wait(20*time.Second).lamp(hal.LampAgent, hal.BlinkFast)
	b.step(sip.AgentReply{Known: true, Agent: agentIn(sip.Ready, b.now)}).lamp(hal.LampAgent, hal.Steady).shows("Idle")
	b.step(sip.AgentReply{Known: true}).lamp(hal.LampAgent, hal.Dark)
}

func TestTheListsAreWipedWhenTheAgentSignsOut(t *testing.T) {
	b := newDesk(t)
	b.citizen(2).step(sip.Ended{Call: 2, Cause: sip.CallerGaveUp})
	if b.view().Status.Missed != 1 {
		t.Fatal("the missed call is not in the list")
	}
	b.wait(slip).press(hal.KeySoft1).shows("List").step(sip.AgentReply{Known: true}).shows("Idle")
	b.press(hal.KeySoft1).shows("List")
	if l := b.view().Screen.(List); len(l.Entries) != 0 {
		t.Errorf("the next agent reads %v", l.Entries)
	}
}

func TestNobodyRingsWhoWantsQuiet(t *testing.T) {
	b := newDesk(t)
	b.step(sip.AgentReply{Known: true})
	b.take(action(callcentre.ActMenu))
	for i, c := range b.view().Desk.Menu.Choices {
		if c.Word == callcentre.WordQuiet {
			b.press(hal.Key1 + hal.Key(i))
		}
	}
	b.sent = nil
	b.citizen(2).shows("Idle", "tone=none").wants(sip.Reject{Call: 2})
	if b.view().Status.Missed != 1 {
		t.Error("a caller who was refused is not in the list")
	}
}

func TestAnEmergencyCallGoesBeforeTheDesk(t *testing.T) {
	b := newDesk(t)
	b.citizen(2).lift().step(sip.Ended{Call: 2, Cause: sip.Normal}).replace().shows("Desk")
	b.sent = nil
	b.citizen(6).lift().step(sip.Ended{Call: 6, Cause: sip.Normal}).shows("Desk")
	b.sent = nil
	b.typed("112").wants(sip.Dial{Call: 1, Number: "112"}) // with the handset still in his hand
	b.replace().step(sip.Ended{Call: 1}).shows("Desk")
	b.sent = nil
	b.lift().typed("112").wants(sip.Dial{Call: 3, Number: "112"})
	b.replace().step(sip.Ended{Call: 3}).take(action(callcentre.ActDone))
	b.sent = nil
	b.citizen(8).wait(slip).lift().step(sip.Ended{Call: 8, Cause: sip.Normal}).replace().shows("Desk")
	b.sent = nil
	b.wait(typing).typed("1").wait(typing).typed("12").shows("Desk").wait(typing) // topics, one after the other
	b.typed("110").shows("Dialling").wants().press(hal.KeyOK).wants(sip.Dial{Call: 5, Number: "110"})
	b.step(sip.Ended{Call: 5}).wait(endedShown).take(action(callcentre.ActDone))
	b.sent = nil
	b.take(action(callcentre.ActPause)).lift().typed("110").wants(sip.Dial{Call: 7, Number: "110"})
}

// The keys beside the screen become a call's while the agent still works on the last one: what he presses then he has not meant.
func TestAKeyThatMeantSomethingElseAMomentAgoDoesNothing(t *testing.T) {
	for _, key := range []hal.Key{hal.KeySoft1, hal.KeySoft2, hal.KeyOK, hal.KeyCancel} {
		b := newDesk(t)
		b.citizen(2).lift().step(sip.Ended{Call: 2, Cause: sip.Normal}).replace().take(action(callcentre.ActSolved))
		b.sent = nil
		b.wait(time.Second).citizen(4).press(key).shows("ringing").wants()
		b.wait(slip).press(key)
		if b.view().Screen == nil || b.view().Sound.Tone == ToneRing {
			t.Errorf("key %v is dead for good: %v", key, b.view().Screen)
		}
	}
	b := newDesk(t)
	b.citizen(2).press(hal.KeySoft1).wants(sip.Answer{Call: 2}) // nobody has pressed anything before: he means it
	b.press(hal.KeySoft1).wants().shows("talking")              // twice: the office is not called
	b.wait(twice).press(hal.KeySoft1).wants(sip.Hold{Call: 2}, sip.Dial{Call: 1, Number: "5036"})

	b = newDesk(t)
	b.typed("5051").press(hal.KeyOK).wants(sip.Dial{Call: 1, Number: "5051"}).step(sip.Ended{Call: 1}).wait(time.Minute)
	b.sent = nil
	b.citizen(2).step(sip.Ended{Call: 2, Cause: sip.CallerGaveUp}).press(hal.KeySoft2).wants().shows("Idle") // he meant to refuse, not to redial
}

func TestWhatNobodyGoesOnWithDoesNotHideTheDesk(t *testing.T) {
	b := newDesk(t)
	b.typed("50").wait(aloneShown - time.Second).typed("3").wait(aloneShown - time.Second).shows("Dialling").wait(time.Second).shows("Idle")
	b.press(hal.KeyOK).shows("List").wait(aloneShown).shows("Idle")
	b.lift().shows("Dialling").wait(aloneShown).shows("Dialling", "route=handset") // the handset is in his hand
}
