package acd

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"freizeichen/sip"
)

// chaos lets chance play PBX, phones and clock.
type chaos struct {
	*Centre
	*rand.Rand
	t       *testing.T
	now     time.Time
	open    []Effect
	asked   int
	replied int
}

func (x *chaos) queue() string       { return []string{zulassung, moers, "mars"}[x.IntN(3)] }
func (x *chaos) name() string        { return fmt.Sprintf("PJSIP/%d", 201+x.IntN(5)) }
func (x *chaos) caller() string      { return fmt.Sprint(x.IntN(8)) }
func (x *chaos) wait() time.Duration { return time.Duration(x.IntN(90)-5) * time.Second }
func (x *chaos) yes() bool           { return x.IntN(2) == 0 }

func (x *chaos) event() Event {
	switch x.IntN(20) {
	case 0:
		return SyncBegin{Started: x.now.Add(-time.Duration(x.IntN(1000)) * time.Second)}
	case 1:
		return SyncComplete{}
	case 2:
		if x.IntN(4) > 0 {
			return Tick{}
		}
		return PBXLost{x.now.Add(-x.wait())}
	case 3:
		return QueueSeen{x.queue(), x.IntN(30), x.IntN(10), 30 * time.Second, x.IntN(1002) - 1, x.IntN(1002) - 1}
	case 4, 5:
		return MemberSeen{x.queue(), x.name(), "", Status(x.IntN(9)), x.yes(), x.reason(), x.yes(), x.now.Add(-x.wait())}
	case 6:
		return CallerSeen{x.queue(), x.caller(), x.wait()}
	case 7, 8:
		return CallerJoined{x.queue(), x.caller()}
	case 9:
		return CallerLeft{x.queue(), x.caller()}
	case 10:
		return CallerAbandoned{x.queue(), x.caller(), x.wait()}
	case 11:
		return AgentConnected{x.queue(), x.caller(), x.name(), x.wait()}
	case 12:
		return AgentCompleted{x.queue(), x.name(), x.wait(), x.wait()}
	case 13:
		return MemberAdded{Queue: x.queue(), Interface: x.name(), Paused: x.yes(), Reason: x.reason()}
	case 14:
		return MemberRemoved{x.queue(), x.name()}
	case 15:
		return MemberPaused{x.queue(), x.name(), x.yes(), x.reason()}
	case 16:
		return MemberStatus{x.queue(), x.name(), Status(x.IntN(9))}
	case 17:
		if len(x.open) > 0 {
			i := x.IntN(len(x.open))
			e := x.open[i]
			x.open = slices.Delete(x.open, i, i+1)
			return Done{number(e), Problem(x.IntN(int(ProblemCount)))}
		}
		return Done{uint64(x.IntN(100)), Did}
	}
	x.asked++
	a := Asked{Device: fmt.Sprint(201 + x.IntN(5)), Request: sip.AgentRequest{Verb: sip.AgentVerb(x.IntN(int(sip.AgentVerbCount) + 1)), Reason: "break", TakeOver: x.yes()}}
	if a.Request.Verb == sip.SignIn {
		agent(fmt.Sprint(4711 + x.IntN(4)))(&a)
	}
	return a
}

func (x *chaos) reason() string {
	return []string{"", "Pause", "Nachbearbeitung", "Brandschutz"}[x.IntN(4)]
}

func (x *chaos) advance() {
	switch x.IntN(100) {
	case 0:
		x.now = x.now.Add(-time.Duration(x.IntN(100000)) * time.Second)
	case 1:
		x.now = x.now.Add(time.Duration(x.IntN(100000)) * time.Second)
	default:
		x.now = x.now.Add(time.Duration(x.IntN(3000)) * time.Millisecond)
	}
}

func (x *chaos) check() {
	for _, q := range x.queues {
		s, _ := x.Status(x.now, q.Name)
		if !s.Plausible() || s.Level.Offered != s.Level.Answered+s.Level.Abandoned || s.Oldest.After(x.day.Now) {
			x.t.Fatalf("queue %s: %+v", q.Name, s)
		}
		free, paused := 0, 0
		for name, m := range q.members {
			if m.seat.name != name || !slices.Contains(m.seat.members, m) {
				x.t.Fatalf("member %s has another seat", name)
			}
			switch {
			case m.paused:
				paused++
			case m.status <= StatusFree && !m.talking:
				free++
			}
		}
		if free != q.free || paused != q.paused {
			x.t.Fatalf("queue %s counts %d free, %d paused, has %d, %d", q.Name, q.free, q.paused, free, paused)
		}
	}
	at := map[string]string{}
	for name, s := range x.seats {
		if number := s.agent.Number; number != "" {
			if other, twice := at[number]; twice {
				x.t.Fatalf("agent %s is at %s and %s", number, other, name)
			}
			at[number] = name
			if x.agents[number] != s || s.agent.State == sip.SignedOut {
				x.t.Fatalf("agent %s at %s: %+v", number, name, s.agent)
			}
		} else if s.agent.State != sip.SignedOut {
			x.t.Fatalf("nobody at %s, but %+v", name, s.agent)
		}
		if s.agent.State == sip.WrapUp && s.agent.Until.IsZero() {
			x.t.Fatalf("a wrap-up without an end: %+v", s.agent)
		}
		if s.open < 0 || s.job != nil && s.patience.IsZero() {
			x.t.Fatalf("%s: %d commands open, job %+v", name, s.open, s.job)
		}
	}
	if len(at) != len(x.agents) {
		x.t.Fatalf("%d agents, %d seats", len(x.agents), len(at))
	}
	if d := x.Deadline(); !d.IsZero() && !d.After(x.day.Now) {
		x.t.Fatalf("deadline %v is not after %v: the owner would spin", d, x.day.Now)
	}
}

func TestWhateverHappensTheFiguresAreTrue(t *testing.T) {
	for seed := range uint64(40) {
		s := newSite(t)
		x := &chaos{Centre: s.Centre, Rand: rand.New(rand.NewPCG(seed, 1)), t: t, now: nineOClock}
		for step := range 4000 {
			x.advance()
			event := x.event()
			for _, e := range x.Step(x.now, event) {
				switch e := e.(type) {
				case MemberAdd, MemberRemove, MemberPause:
					x.open = append(x.open, e)
				case Reply:
					x.replied++
				case PublishQueue:
					if !x.connected || !e.Status.Plausible() {
						t.Fatalf("published %+v", e)
					}
				}
			}
			x.open = x.open[max(0, len(x.open)-50):] // what the PBX never answers
			func() {
				defer func() {
					if t.Failed() {
						t.Logf("seed %d, step %d: %T%+v", seed, step, event, event)
					}
				}()
				x.check()
			}()
		}
		for _, e := range x.Step(x.day.Now, PBXLost{}) {
			if _, ok := e.(Reply); ok {
				x.replied++
			}
		}
		if x.asked != x.replied || x.asked == 0 {
			t.Errorf("seed %d: %d requests, %d replies", seed, x.asked, x.replied)
		}
	}
}

// crowd is a big site: every agent serves four of the queues.
func crowd(tb testing.TB, agents, queues int) *Centre {
	config := Config{}
	for i := range queues {
		config.Queues = append(config.Queues, Queue{Name: fmt.Sprintf("queue-%d", i), WrapUp: 30 * time.Second})
	}
	c := New(config)
	c.Step(nineOClock, SyncBegin{})
	for _, q := range config.Queues {
		c.Step(nineOClock, QueueSeen{Queue: q.Name})
	}
	c.Step(nineOClock, SyncComplete{})
	for i := range agents {
		a := Asked{Device: fmt.Sprint(10000 + i), Request: sip.AgentRequest{Verb: sip.SignIn}}
		a.Verified = Verified{Number: fmt.Sprint(50000 + i), Name: "Ada"}
		for j := range 4 {
			a.Verified.Queues = append(a.Verified.Queues, Serving{Queue: fmt.Sprintf("queue-%d", (i+j)%queues)})
		}
		replied := false
		for open := c.Step(nineOClock, a); len(open) > 0; open = open[1:] {
			if e, ok := open[0].(MemberAdd); ok {
				open = append(open, c.Step(nineOClock, Done{ID: e.ID})...)
			} else if _, ok := open[0].(Reply); ok {
				replied = true
			}
		}
		if !replied {
			tb.Fatal("not signed in")
		}
	}
	return c
}

func TestAGreatSiteNeedsFewMegabytes(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c := crowd(t, 5000, 200)
	used := heap() - before
	if used > 12<<20 {
		t.Errorf("5,000 agents and 200 queues take %d kB", used>>10)
	}
	t.Logf("5,000 agents and 200 queues take %d kB", used>>10)
	runtime.KeepAlive(c)
}

// BenchmarkACall is a call from joining to the end of the wrap-up among 5,000 agents: 8 events.
func BenchmarkACall(b *testing.B) {
	c := crowd(b, 5000, 200)
	now := nineOClock
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Second)
		name, queue := fmt.Sprintf("PJSIP/%d", 10000+i%5000), fmt.Sprintf("queue-%d", i%5000%200)
		c.Step(now, CallerJoined{queue, "1"})
		c.Step(now, MemberStatus{queue, name, StatusRinging})
		c.Step(now, AgentConnected{queue, "1", name, time.Second})
		c.Step(now, CallerLeft{queue, "1"})
		c.Step(now, MemberStatus{queue, name, StatusInUse})
		for _, e := range c.Step(now, AgentCompleted{queue, name, time.Second, time.Minute}) {
			if e, ok := e.(MemberPause); ok {
				c.Step(now, Done{ID: e.ID})
			}
		}
		c.Step(now, MemberStatus{queue, name, StatusFree})
		for _, e := range c.Step(now, Tick{}) {
			if e, ok := e.(MemberPause); ok {
				c.Step(now, Done{ID: e.ID})
			}
		}
	}
}
