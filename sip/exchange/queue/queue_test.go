package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var nineOClock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return nineOClock.Add(time.Duration(seconds * float64(time.Second)))
}

// desk is one queue under test, told and read in words.
type desk struct {
	*Queues
	t    *testing.T
	read int
}

func newDesk(t *testing.T, strategy Strategy, agents ...string) *desk {
	q := New([]Config{{Name: "Moers", Numbers: []string{"115", "028412020"}, Agents: agents, Strategy: strategy, WrapUp: 10 * time.Second}})
	for i, a := range agents {
		q.SetReady(at(float64(i-len(agents))), a, true)
	}
	return &desk{Queues: q, t: t}
}

// wantOrders compares what the queues ordered since the last call.
func (d *desk) wantOrders(want ...string) {
	d.t.Helper()
	var got []string
	for _, o := range d.orders {
		if o.Ring {
			got = append(got, fmt.Sprintf("ring %s for %d", o.Agent, o.Caller))
		} else {
			got = append(got, fmt.Sprintf("stop %s for %d: %s", o.Agent, o.Caller, [...]string{"gave up", "elsewhere", "no answer"}[o.Cause]))
		}
	}
	d.orders = nil
	if !slices.Equal(got, want) {
		d.t.Errorf("orders\n got %q\nwant %q", got, want)
	}
}

func (d *desk) wantEvents(want string) {
	d.t.Helper()
	var got []string
	for _, e := range d.events[d.read:] {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%v %d %s", e.Kind, e.Caller, e.Agent)))
	}
	d.read = len(d.events)
	if s := strings.Join(got, ", "); s != want {
		d.t.Errorf("events\n got %s\nwant %s", s, want)
	}
}

func TestACallerOfAnUnknownNumberIsNotQueued(t *testing.T) {
	d := newDesk(t, RingAll, "201")
	if d.Join(at(0), 1, "0190") {
		t.Error("queued")
	}
	d.wantOrders()
	d.wantEvents("")
}

func TestRingAllRingsEveryFreeAgentAndTheFirstToLiftHasTheCaller(t *testing.T) {
	d := newDesk(t, RingAll, "201", "202", "203")
	d.Occupy(at(0), "203", +1)
	d.Join(at(0), 1, "115")
	d.wantOrders("ring 201 for 1", "ring 202 for 1")
	if !d.Answer(at(3), 1, "202") {
		t.Fatal("the answer came too late")
	}
	d.wantOrders("stop 201 for 1: elsewhere")
	if d.Answer(at(3), 1, "201") {
		t.Error("two agents have the caller")
	}
	d.Occupy(at(4), "203", -1)
	d.Complete(at(60), 1)
	d.wantEvents("joined 1, offered 1 201, offered 1 202, answered 1 202, left 1 202, completed 1 202")
	last := d.events[len(d.events)-1]
	if last.Waited != 3*time.Second || last.Talked != 57*time.Second {
		t.Errorf("waited %v, talked %v", last.Waited, last.Talked)
	}
}

func TestLongestIdleOffersCallersInOrderOneAgentEach(t *testing.T) {
	d := newDesk(t, LongestIdle, "201", "202")
	d.Join(at(0), 1, "115")
	d.Join(at(1), 2, "028412020")
	d.Join(at(2), 3, "115")
	d.wantOrders("ring 201 for 1", "ring 202 for 2")
	d.Answer(at(3), 1, "201")
	d.Answer(at(4), 2, "202")
	d.Complete(at(30), 2)
	d.Complete(at(31), 1)
	d.wantOrders() // both wrap up
	if got := d.Deadline(); !got.Equal(at(40)) {
		t.Errorf("deadline %v, want the end of the first wrap-up", got)
	}
	d.Tick(at(40))
	d.wantOrders("ring 202 for 3")
	if d.Deadline().Before(at(40)) {
		t.Error("a deadline in the past while it rings: the owner would spin")
	}
}

func TestAnAgentWhoLetsItRingRestsAndTheNextOneIsTried(t *testing.T) {
	d := newDesk(t, LongestIdle, "201", "202")
	d.Join(at(0), 1, "115")
	d.wantOrders("ring 201 for 1")
	d.Tick(at(19.9))
	d.wantOrders()
	d.Tick(d.Deadline())
	d.wantOrders("stop 201 for 1: no answer", "ring 202 for 1")
	d.Miss(at(22), 1, "202") // refused
	d.wantOrders()
	d.Tick(at(25))
	d.wantOrders("ring 201 for 1")
	d.wantEvents("joined 1, offered 1 201, missed 1 201, offered 1 202, missed 1 202, offered 1 201")
}

func TestACallerWhoGivesUpStopsTheRinging(t *testing.T) {
	d := newDesk(t, RingAll, "201", "202")
	d.Join(at(0), 1, "115")
	d.Join(at(1), 2, "115")
	d.orders = nil
	d.Abandon(at(5), 1)
	d.wantOrders("stop 201 for 1: gave up", "stop 202 for 1: gave up", "ring 201 for 2", "ring 202 for 2")
	if d.Answer(at(6), 1, "201") {
		t.Error("answered a caller who is gone")
	}
	d.wantEvents("joined 1, offered 1 201, offered 1 202, joined 2, abandoned 1, left 1, offered 2 201, offered 2 202")
}

func TestOnlyAgentsWithAPhoneAreOfferedCallers(t *testing.T) {
	d := newDesk(t, RingAll, "201")
	d.SetReady(at(0), "201", false)
	d.Join(at(1), 1, "115")
	d.wantOrders()
	d.SetReady(at(9), "201", true)
	d.wantOrders("ring 201 for 1")
}

func TestStatisticsCountADay(t *testing.T) {
	d := newDesk(t, RingAll, "201")
	d.Join(at(0), 1, "115")
	d.Answer(at(30), 1, "201") // 30 s is in time
	d.Join(at(1), 2, "115")
	d.Join(at(2), 3, "115")
	d.Abandon(at(50), 2)
	d.Complete(at(60), 1)
	d.Tick(at(70))
	d.Answer(at(80), 3, "201") // too late
	d.Join(at(90), 4, "115")
	d.Join(at(95), 5, "115")
	want := Statistics{Queue: "Moers", Offered: 5, Answered: 2, InTime: 1, Abandoned: 1, Waiting: 2, LongestWait: 10 * time.Second}
	if got := d.Statistics(at(100))[0]; got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	tomorrow := at(86400)
	want = Statistics{Queue: "Moers", Waiting: 2, LongestWait: tomorrow.Sub(at(90))}
	if got := d.Statistics(tomorrow)[0]; got != want {
		t.Errorf("next day: got %+v\nwant %+v", got, want)
	}
	d.Join(tomorrow, 6, "115")
	d.Abandon(tomorrow, 4) // of yesterday
	if got := d.Statistics(tomorrow)[0]; got.Offered != 1 || got.Abandoned != 0 {
		t.Errorf("next day: %+v", got)
	}
}

// TestNobodyIsLost drives the queues by chance and checks what must always hold.
func TestNobodyIsLost(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		strategy := Strategy(rng.IntN(2))
		q := New([]Config{
			{Name: "A", Numbers: []string{"1"}, Agents: []string{"201", "202"}, Strategy: strategy},
			{Name: "B", Numbers: []string{"2"}, Agents: []string{"202", "203"}, Strategy: LongestIdle, WrapUp: 5 * time.Second},
		})
		ringing := map[string]CallerID{}
		ended := map[CallerID]int{}
		next := CallerID(0)
		obey := func() {
			for _, o := range q.orders {
				if !o.Ring {
					if ringing[o.Agent] != o.Caller {
						t.Fatalf("seed %d: stop %s for %d, but %d rings there", seed, o.Agent, o.Caller, ringing[o.Agent])
					}
					delete(ringing, o.Agent)
					continue
				}
				if ringing[o.Agent] != 0 {
					t.Fatalf("seed %d: %s is offered %d while %d rings", seed, o.Agent, o.Caller, ringing[o.Agent])
				}
				ringing[o.Agent] = o.Caller
			}
			q.orders = nil
		}
		now := nineOClock
		for range 300 {
			now = now.Add(time.Duration(rng.IntN(6000)) * time.Millisecond)
			for d := q.Deadline(); !d.IsZero() && !now.Before(d); d = q.Deadline() {
				q.Tick(d)
			}
			obey()
			name := []string{"201", "202", "203"}[rng.IntN(3)]
			switch rng.IntN(6) {
			case 0, 1:
				next++
				q.Join(now, next, []string{"1", "2"}[rng.IntN(2)])
			case 2:
				q.SetReady(now, name, rng.IntN(4) > 0)
			case 3:
				if id := ringing[name]; id != 0 && q.Answer(now, id, name) {
					delete(ringing, name)
				}
			case 4:
				if next > 0 {
					q.Abandon(now, 1+CallerID(rng.IntN(int(next))))
				}
			case 5:
				if next > 0 {
					q.Complete(now, 1+CallerID(rng.IntN(int(next))))
				}
			}
			obey()
		}
		for _, e := range q.events {
			if e.Kind == Left {
				ended[e.Caller]++
			}
		}
		for id := CallerID(1); id <= next; id++ {
			waits := slices.ContainsFunc(q.waiting, func(c *caller) bool { return c.id == id })
			if want := 1; waits && ended[id] != 0 || !waits && ended[id] != want {
				t.Fatalf("seed %d: caller %d left %d times, waiting: %v", seed, id, ended[id], waits)
			}
		}
	}
}
