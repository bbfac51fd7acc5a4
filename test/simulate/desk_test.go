package simulate

import (
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/firmware"
	"freizeichen/hal"
	"freizeichen/sip"
)

// deskConfig is the agent's desk of every second seed.
func deskConfig(seed uint64) callcentre.Config {
	return callcentre.Config{
		On: seed%2 == 1, Queues: []string{"kw"}, Reasons: []callcentre.Reason{{ID: "break", Code: "*471"}, {ID: "meeting"}},
		Codes: callcentre.Codes{SignIn: "*45", SignOut: "*46", Ready: "*48"}, RejectPauses: true, Boot: "0123456789abcdef01234567",
	}
}

// knowledge is what the agent speaks from.
func knowledge() firmware.Knowledge {
	return firmware.Knowledge{
		Tenants: []firmware.Tenant{{ID: "kreis", Name: "Kreis Wesel", Topics: []string{"elterngeld"}, Lines: []firmware.Line{{Number: "02812070"}}}},
		Topics:  []firmware.Topic{{ID: "elterngeld", Name: "Elterngeld"}},
		Offices: []firmware.Office{{ID: "amt", Name: "Amt", Number: "5036"}},
		Cards:   []firmware.Card{{Topic: "elterngeld", Tenant: "kreis", Text: []string{"a", "b", "c"}, Office: "amt"}},
	}
}

// switchboard is one thing that the switchboard or a queue does by itself.
func (d *desk) switchboard() {
	switch d.random.IntN(4) {
	case 0:
		d.step(sip.SwitchboardChanged{Up: d.random.IntN(2) == 0, Problem: sip.SwitchboardAway})
	case 1:
		s := sip.QueueStatus{Queue: "kw", At: d.now.Add(time.Duration(d.random.IntN(200)-100) * time.Second), Valid: 90 * time.Second, SignedIn: 1, Free: 1}
		if d.random.IntN(2) == 0 {
			s.Waiting, s.Oldest = 1, s.At
		}
		d.step(sip.QueueReported{Status: s})
	default:
		d.step(sip.AgentReply{Known: true, Agent: d.agent()})
	}
}

func (d *desk) agent() sip.Agent {
	a := sip.Agent{Device: "201", State: sip.AgentState(d.random.IntN(int(sip.AgentStateCount))), Since: d.now, Queues: []string{"kw"}, Confirmed: true}
	if a.State != sip.SignedOut {
		a.Number = "4711"
	}
	if a.State == sip.WrapUp {
		a.Until, a.Extends = d.now.Add(30*time.Second), 1
	}
	return a
}

// deskEffect is the switchboard's part of the contract: one reply to every request.
func (d *desk) deskEffect(effect phone.Effect) {
	switch e := effect.(type) {
	case phone.AskSwitchboard:
		reply := sip.AgentReply{ID: e.Request.ID, Problem: sip.AgentProblem(d.random.IntN(int(sip.AgentProblemCount)))}
		if reply.Problem == sip.NoProblem {
			reply.Known, reply.Agent = true, d.agent()
		}
		d.pending = append(d.pending, reply)
	case phone.KeepOutcome:
		if e.Outcome.Revision == 0 {
			d.outcomes++
		}
	}
}

// checkDesk works out from the calls what the desk must have kept, and that nothing old is shown as if it were true.
func (d *desk) checkDesk(v phone.View) {
	if !v.Desk.On {
		return
	}
	over := 0
	for _, n := range d.calls {
		if n.incoming && n.asked && (n.ended || n.refused) {
			over++
		}
	}
	if over != d.outcomes {
		d.fail("%d calls of citizens are over, and %d outcomes are kept", over, d.outcomes)
	}
	if _, desk := v.Screen.(phone.Desk); desk && v.Desk.Prompt == nil && v.Desk.Menu == nil && v.Desk.After == nil {
		d.fail("the desk has the screen and nothing to show")
	}
	for _, q := range v.Desk.Queues {
		if !q.Stale.IsZero() && q.Waiting+q.Free != 0 {
			d.fail("old figures are shown: %+v", q)
		}
	}
	want := map[sip.AgentState]hal.Blink{sip.SignedOut: hal.Dark, sip.Ready: hal.Steady, sip.Paused: hal.BlinkSlow}
	_, testing := v.Screen.(phone.Test) // then the lamps are the test's
	if blink, known := want[v.Desk.Agent.State]; known && !testing && v.Lamps[hal.LampAgent] != blink {
		d.fail("the agent is %s and his lamp says %s", v.Desk.Agent.State, v.Lamps[hal.LampAgent])
	}
	if v.Desk.Card != nil {
		d.reached["card"]++
	}
	if v.Desk.After != nil {
		d.reached["after"]++
	}
}
