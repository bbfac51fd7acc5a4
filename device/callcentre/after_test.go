package callcentre

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
)

// talked plays a call to its end.
func (tb *table) talked(call sip.CallID, topic string) sip.Outcome {
	tb.Helper()
	tb.rings(call, "02812070", topic)
	tb.step(Answered{call})
	tb.wait(90 * time.Second)
	tb.step(Over{Call: call, Cause: sip.Normal})
	return effect[Keep](tb).Outcome
}

func (tb *table) wrapUp(for_ time.Duration) {
	a := tb.agent(sip.WrapUp)
	a.Until, a.Extends = tb.now.Add(for_), 2
	tb.step(sip.AgentReply{Known: true, Agent: a})
}

func TestAfterACallTopicAndResultAreOneKeyEach(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	first := tb.talked(2, "Kfz-Zulassung")
	if first.Talked != 90*time.Second || first.Agent != "4711" || first.Queue != "kw" || first.Topic != "zulassung" || first.Result != sip.NoResult || len(first.ID) != 32 {
		t.Errorf("kept at once: %+v", first)
	}
	tb.wrapUp(30 * time.Second)
	tb.wait(4500 * time.Millisecond)
	if a := tb.desk.View(tb.now, 0).After; a == nil || !a.Counting || a.Left != 26*time.Second || a.Extends != 2 || a.Choices[0].Text != "Kfz-Zulassung" {
		t.Fatalf("after the call: %+v", a)
	}
	tb.step(Press{ActSolved})
	if o := effect[Keep](tb).Outcome; o.ID != first.ID || o.Revision != 1 || o.Result != sip.Solved || o.WrapUp != 4500*time.Millisecond {
		t.Errorf("solved: %+v", o)
	}
	tb.step(Digit{'2'})
	if o := effect[Keep](tb).Outcome; o.Revision != 2 || o.Topic != "elterngeld" {
		t.Errorf("topic: %+v", o)
	}
	tb.step(Digit{'*'})
	if r := tb.asked(); r.Verb != sip.ExtendWrap {
		t.Errorf("extend asks %+v", r)
	}
	tb.step(Press{ActDone})
	if r := tb.asked(); r.Verb != sip.GoReady || tb.desk.AfterCall() {
		t.Errorf("done asks %+v", r)
	}
}

func TestWhoIsDoneBeforeTheWrapUpIsKnownIsReadyAllTheSame(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.talked(2, "Kfz-Zulassung")
	tb.wait(100 * time.Millisecond)
	tb.step(Press{ActSolved})
	if tb.step(Press{ActDone}); has[Ask](tb) {
		t.Errorf("asked too early: %v", tb.effects)
	}
	tb.wait(200 * time.Millisecond)
	// The bell rings, and the phone asks: the wrap-up comes as an answer.
	tb.step(sip.AgentChanged{Version: 99})
	state, a := tb.asked(), tb.agent(sip.WrapUp)
	a.Until, a.Version = tb.now.Add(30*time.Second), 99
	tb.step(sip.AgentReply{ID: state.ID, Known: true, Agent: a})
	ready := tb.asked()
	if ready.Verb != sip.GoReady || tb.desk.AfterCall() {
		t.Fatalf("asks %+v", ready)
	}
	tb.step(sip.AgentReply{ID: ready.ID, Known: true, Agent: tb.agent(sip.Ready)})
	// Once only: the next wrap-up is another one.
	if tb.wrapUp(30 * time.Second); has[Ask](tb) {
		t.Errorf("another wrap-up is ended: %v", tb.effects)
	}
}

func TestAWrapUpThatEndsByItselfClosesAndCanBeToldOfUntilTheNextCall(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	first := tb.talked(2, "Kfz-Zulassung")
	tb.wrapUp(30 * time.Second)
	tb.wait(29 * time.Second)
	if !tb.desk.AfterCall() {
		t.Fatal("closed too early")
	}
	tb.wait(time.Second)
	tb.step(sip.AgentReply{Known: true, Agent: tb.agent(sip.Ready)})
	if tb.desk.AfterCall() {
		t.Fatal("still open")
	}
	tb.step(Press{ActMenu})
	tb.choose("", WordLastCall)
	if a := tb.desk.View(tb.now, 0).After; a == nil || !a.Late || a.Counting {
		t.Fatalf("late entry: %+v", a)
	}
	tb.step(Press{ActLeftMessage}) // who called is forgotten: only the result is told
	if o := effect[Keep](tb).Outcome; o.ID != first.ID || o.Revision != 1 || o.Result != sip.LeftMessage || has[Leave](tb) {
		t.Errorf("late: %+v %v", o, tb.effects)
	}
	tb.step(Press{ActDone})
	if has[Ask](tb) {
		t.Error("the end of a late entry changes the agent's state")
	}
	second := tb.talked(4, "Elterngeld")
	if second.ID == first.ID || second.Revision != 0 {
		t.Errorf("next call: %+v", second)
	}
	if a := tb.desk.View(tb.now, 0).After; a.Choices[0].Text != "Kfz-Zulassung" || a.Choices[1].Text != "Elterngeld" {
		t.Errorf("choices %v", a.Choices)
	}
	tb.step(Press{ActDone})
	tb.talked(6, "Elterngeld")
	if a := tb.desk.View(tb.now, 0).After; a.Choices[0].Text != "Elterngeld" {
		t.Errorf("what comes most often today does not stand first: %v", a.Choices)
	}
}

func TestWithoutASwitchboardTheWorkAfterACallEndsInAMinute(t *testing.T) {
	tb := newTable(t)
	tb.talked(2, "Kfz-Zulassung")
	if a := tb.desk.View(tb.now, 0).After; a == nil || a.Counting {
		t.Fatalf("after: %+v", a)
	}
	tb.wait(afterShown)
	if tb.desk.AfterCall() {
		t.Error("still open")
	}
}

func TestTheNextAgentSeesNothingOfTheLast(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.talked(2, "Elterngeld")
	tb.step(sip.AgentReply{Known: true, Agent: sip.Agent{State: sip.SignedOut, Confirmed: true}})
	if !has[Wipe](tb) || tb.desk.AfterCall() {
		t.Errorf("signed out: %v", tb.effects)
	}
	tb.signIn()
	tb.step(Press{ActMenu})
	for _, c := range tb.desk.View(tb.now, 0).Menu.Choices {
		if c.Word == WordLastCall {
			t.Error("the last agent's call can be told of")
		}
	}
	tb.talked(4, "Kfz-Zulassung")
	if a := tb.desk.View(tb.now, 0).After; a.Choices[0].Text != "Kfz-Zulassung" {
		t.Errorf("choices %v", a.Choices)
	}
}

// Random people and a random network play with the desk; nothing may be lost or shown that is not so.
func TestInvariantsOfTheDesk(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		tb := newTable(t)
		kept := map[string]int{}
		var ends int
		for range 400 {
			event := anything(r, tb)
			if over, ok := event.(Over); ok {
				if c := tb.desk.citizen(over.Call); c != nil && c.talking && c.fromQueue() {
					ends++
				}
			}
			for _, e := range tb.step(event) {
				if k, ok := e.(Keep); ok {
					if before, again := kept[k.Outcome.ID]; again != (k.Outcome.Revision > 0) || again && k.Outcome.Revision != before+1 {
						t.Fatalf("seed %d: outcome %s revision %d after %d", seed, k.Outcome.ID, k.Outcome.Revision, before)
					}
					kept[k.Outcome.ID] = k.Outcome.Revision
				}
			}
			v := tb.desk.View(tb.now, sip.CallID(r.IntN(4)))
			for _, q := range v.Queues {
				if !q.Stale.IsZero() && (q.Waiting != 0 || q.Free != 0 || q.Level.Known) {
					t.Fatalf("seed %d: old figures are shown: %+v", seed, q)
				}
			}
			if v.Card != nil && (v.Card.Top < 0 || len(v.Card.Lines) > 0 && v.Card.Top >= len(v.Card.Lines)) || v.Menu != nil && len(v.Menu.Choices) > 0 && v.Menu.Selected >= len(v.Menu.Choices) {
				t.Fatalf("seed %d: out of range: %+v %+v", seed, v.Card, v.Menu)
			}
			if due := tb.desk.Deadline(); !due.IsZero() && !due.After(tb.now) {
				t.Fatalf("seed %d: a deadline in the past", seed)
			}
			tb.now = tb.now.Add(time.Duration(r.IntN(20)) * time.Second)
			if r.IntN(50) == 0 {
				tb.now = tb.now.Add(time.Duration(r.IntN(7200)-3600) * time.Second) // somebody sets the clock
				tb.step(Tick{})
			}
		}
		if len(kept) != ends {
			t.Fatalf("seed %d: %d calls have ended, %d outcomes were kept", seed, ends, len(kept))
		}
	}
}

// anything is a random event.
func anything(r *rand.Rand, tb *table) Event {
	call := sip.CallID(r.IntN(4))
	switch r.IntN(16) {
	case 0, 1:
		return Press{Action(r.IntN(int(ActionCount)))}
	case 2, 3:
		return Digit{"0123456789*#"[r.IntN(12)]}
	case 4:
		return Move{r.IntN(5) - 2}
	case 5:
		return Choose{}
	case 6:
		return Back{}
	case 7:
		return Rings{sip.Incoming{Call: sip.CallID(r.IntN(1 << 20)), Called: sip.Party{Number: []string{"02812070", "115", "7"}[r.IntN(3)]}, Topic: "Elterngeld", From: sip.Party{Number: "1"}}}
	case 8:
		if n := len(tb.desk.citizens); n > 0 {
			return Answered{tb.desk.citizens[r.IntN(n)].call}
		}
	case 9, 10:
		if n := len(tb.desk.citizens); n > 0 {
			return Over{Call: tb.desk.citizens[r.IntN(n)].call, Cause: sip.Cause(r.IntN(sip.CauseCount))}
		}
	case 11:
		a := tb.agent(sip.AgentState(r.IntN(int(sip.AgentStateCount))))
		a.Until = tb.now.Add(time.Duration(r.IntN(60)-5) * time.Second)
		return sip.AgentReply{ID: uint64(r.IntN(20)), Problem: sip.AgentProblem(r.IntN(int(sip.AgentProblemCount))), Known: r.IntN(2) == 0, Agent: a}
	case 12:
		s := reported(tb.now.Add(time.Duration(r.IntN(300)-150)*time.Second), r.IntN(3))
		s.Level.Answered = r.IntN(20)
		return sip.QueueReported{Status: s}
	case 13:
		return sip.SwitchboardChanged{Up: r.IntN(2) == 0}
	case 14:
		return CodeDone{r.IntN(2) == 0}
	}
	return OfficeFailed{Call: call, Number: "5036"}
}

func TestOutcomesHaveNamesThatNoOtherHas(t *testing.T) {
	d := New(Config{On: true, Boot: strings.Repeat("0", 24)})
	if a, b := d.name(), d.name(); a == b || len(a) != 32 {
		t.Errorf("%s %s", a, b)
	}
}

func TestTheTopicsStandStillWhileSomebodyChooses(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.talked(2, "Kfz-Zulassung")
	tb.step(Digit{'2'})
	tb.step(sip.FiguresReported{Figures: sip.DayFigures{Day: nine.Add(-9 * time.Hour), Topics: []sip.NamedTally{{Name: "ausweis", Tally: sip.Tally{Calls: 40}}}}})
	if a := tb.desk.View(tb.now, 0).After; a.Choices[0].Text != "Kfz-Zulassung" || a.Choices[1].Text != "Elterngeld" {
		t.Errorf("the keys mean something else now: %v", a.Choices)
	}
	tb.step(Digit{'#'})
	tb.talked(4, "Kfz-Zulassung")
	if a := tb.desk.View(tb.now, 0).After; a.Choices[0].Text != "Personalausweis" {
		t.Errorf("after the next call what came often is not first: %v", a.Choices)
	}
}
