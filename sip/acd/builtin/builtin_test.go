package builtin

import (
	"slices"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/exchange/queue"
)

var nineOClock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// pbx is the exchange's queues without phones.
type pbx struct {
	*queue.Queues
	now time.Time
}

func (p *pbx) Serve(to, agent string, serves bool) bool {
	return p.Queues.Serve(p.now, to, agent, serves)
}
func (p *pbx) Pause(agent string, paused bool, reason string) bool {
	return p.Queues.Pause(p.now, agent, paused, reason)
}

// The exchange's own statistics and the model's figures are two ways to count the same day.
func TestTheModelCountsWhatTheExchangeCounts(t *testing.T) {
	p := &pbx{queue.New([]queue.Config{{Name: "Stadt Moers", Numbers: []string{"115"}, WrapUp: time.Second}}), nineOClock}
	a := New(map[string]string{"moers": "Stadt Moers"})
	c := acd.New(acd.Config{Queues: []acd.Queue{{Name: "moers", WrapUp: 30 * time.Second}}, Reasons: []acd.Reason{{ID: "break", Text: "Pause"}}})
	var step func(events ...acd.Event)
	step = func(events ...acd.Event) {
		for _, event := range events {
			for _, effect := range c.Step(p.now, event) {
				if done, ok := a.Do(p, effect); ok {
					step(done)
				}
			}
		}
	}
	settle := func(seconds float64) {
		p.now = nineOClock.Add(time.Duration(seconds * float64(time.Second)))
		p.SetReady(p.now, "201", true)
		p.Tick(p.now)
		_, events := p.Drain()
		for _, e := range events {
			if event, ok := a.Event(e); ok {
				step(event)
			}
		}
		for _, m := range p.Changed() {
			step(a.Member(m)...)
		}
	}
	step(a.Begin(nineOClock.Add(-time.Hour))...)
	in := acd.Asked{Device: "201", Request: sip.AgentRequest{Verb: sip.SignIn}}
	in.Verified = acd.Verified{Number: "4711", Queues: []acd.Serving{{Queue: "moers"}}}
	step(in)
	settle(0)
	p.Join(p.now, 1, "115")
	settle(1)
	if s, _ := c.Status(p.now, "moers"); s.Waiting != 1 || s.SignedIn != 1 || s.Free != 0 {
		t.Errorf("while it rings: %+v", s)
	}
	p.Answer(p.now, 1, "201")
	p.Join(p.now, 2, "115")
	settle(60)
	p.Complete(p.now, 1)
	settle(60)
	if s := c.Agent("201"); s.State != sip.WrapUp || !p.Members()[0].Paused {
		t.Errorf("after the call: %+v, %+v", s, p.Members())
	}
	settle(62) // the exchange would offer the second caller now
	if s := p.Members()[0].State; s != queue.Idle {
		t.Errorf("in the wrap-up the phone is %v", s)
	}
	p.Abandon(p.now, 2)
	settle(63)
	step(acd.Asked{Device: "201", Request: sip.AgentRequest{Verb: sip.SignOut}})
	settle(64)
	s, _ := c.Status(p.now, "moers")
	want := p.Statistics(p.now)[0]
	if s.Level.Offered != want.Offered || s.Level.Answered != want.Answered || s.Level.AnsweredInTime != want.InTime || s.Level.Abandoned != want.Abandoned ||
		want.Offered != 2 || s.Waiting != 0 || s.SignedIn != 0 || !s.Since.Equal(nineOClock.Add(-time.Hour)) {
		t.Errorf("%+v, the exchange counts %+v", s, want)
	}
	if len(p.Members()) != 0 {
		t.Errorf("signed out, but %+v", p.Members())
	}
}

func TestAnotherQueueIsNotTheModels(t *testing.T) {
	a := New(map[string]string{"moers": "Stadt Moers"})
	if _, ok := a.Event(queue.Event{Kind: queue.Joined, Queue: "Mars"}); ok || a.Member(queue.Member{Queue: "Mars"}) != nil {
		t.Error("a queue that nobody configured")
	}
	if done, _ := a.Do(&pbx{queue.New(nil), nineOClock}, acd.MemberAdd{ID: 3, Queue: "moers"}); done.Problem != acd.NoSuchQueue {
		t.Errorf("%+v", done)
	}
	if got := a.Member(queue.Member{Queue: "Stadt Moers", Agent: "201"}); !slices.Equal(got, []acd.Event{acd.MemberRemoved{Queue: "moers", Interface: "PJSIP/201"}}) {
		t.Errorf("%+v", got)
	}
}
