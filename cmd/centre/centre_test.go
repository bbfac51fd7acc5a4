package centre

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
	"freizeichen/sip/presence"
)

// lab is everything around a centre: a PBX that obeys, phones that hear, a memory, one agent.
type lab struct {
	mu        sync.Mutex
	post      func(...acd.Event)
	hangs     bool // the PBX does not answer
	asked     []acd.Effect
	texts     map[string]string
	told      int
	signIns   map[string]acd.SignIn
	days      map[string]count.Day
	unwilling error // of the memory
	pins      error
	observe   func(acd.Effect)
}

func newLab() *lab {
	return &lab{texts: map[string]string{}, signIns: map[string]acd.SignIn{}, days: map[string]count.Day{}}
}

func (l *lab) Run(ctx context.Context, post func(...acd.Event)) error {
	l.mu.Lock()
	l.post = post
	l.mu.Unlock()
	post(acd.SyncBegin{}, acd.QueueSeen{Queue: "moers", Level: -1, Level2: -1}, acd.SyncComplete{})
	<-ctx.Done()
	return ctx.Err()
}

func (l *lab) Do(ctx context.Context, e acd.Effect) acd.Done {
	l.mu.Lock()
	hangs := l.hangs
	l.asked = append(l.asked, e)
	l.mu.Unlock()
	var id uint64
	switch e := e.(type) {
	case acd.MemberAdd:
		id = e.ID
	case acd.MemberRemove:
		id = e.ID
	case acd.MemberPause:
		id = e.ID
	}
	if hangs {
		<-ctx.Done()
		return acd.Done{ID: id, Problem: acd.Unreachable}
	}
	return acd.Done{ID: id}
}

func (l *lab) Resync(context.Context) error { return nil }

func (l *lab) CheckPIN(_ context.Context, _ time.Time, number, pin string) (acd.Verified, error) {
	if l.pins != nil {
		return acd.Verified{}, l.pins
	}
	if number != "4711" || pin != "1234" {
		return acd.Verified{Problem: sip.WrongPIN, Tries: 4}, nil
	}
	return acd.Verified{Number: number, Name: "Ada", Queues: []acd.Serving{{Queue: "moers"}}}, nil
}

func (l *lab) Restore(context.Context) (r acd.Restored, err error) {
	for _, in := range l.signIns {
		r.SignIns = append(r.SignIns, in)
	}
	return r, l.unwilling
}

func (l *lab) PutSignIn(_ context.Context, in acd.SignIn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unwilling == nil {
		l.signIns[in.Device] = in
	}
	return l.unwilling
}

func (l *lab) PutDays(_ context.Context, days []count.Day) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range days {
		l.days[d.Queue] = d
	}
	return nil
}

// news is the lab's presence.
type news struct{ *lab }

func (n news) Publish(resource, _, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts[resource] = text
	n.told++
}

func (n news) Run(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// run plays with a centre in fake time.
func run(t *testing.T, l *lab, play func(t *testing.T, c *Centre)) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{
			ACD: acd.Config{Queues: []acd.Queue{{Name: "moers", Title: "Stadt Moers", WrapUp: 30 * time.Second}}, Reasons: []acd.Reason{{ID: "break", Text: "Pause"}}},
			PBX: l, News: news{l}, Agents: l, Memory: l, Observe: l.observe,
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		play(t, c)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if s := c.State("201"); s.State != sip.SignedOut {
			t.Errorf("after the end: %+v", s)
		}
		if r := c.Do(t.Context(), "201", sip.AgentRequest{Verb: sip.AskState}); r.Problem != sip.PBXAway {
			t.Errorf("after the end: %+v", r)
		}
	})
}

var signIn = sip.AgentRequest{ID: 77, Verb: sip.SignIn, Number: "4711", PIN: "1234"}

func TestAnAgentSignsInWorksAndIsRemembered(t *testing.T) {
	l := newLab()
	run(t, l, func(t *testing.T, c *Centre) {
		changed, stop := c.Watch()
		defer stop()
		r := c.Do(t.Context(), "201", signIn)
		if r.ID != 77 || r.Problem != sip.NoProblem || r.Agent.State != sip.Ready || r.Agent.Name != "Ada" {
			t.Fatalf("%+v", r)
		}
		l.post(acd.CallerJoined{Queue: "moers", Caller: "1"}, acd.AgentConnected{Queue: "moers", Caller: "1", Interface: "PJSIP/201"},
			acd.AgentCompleted{Queue: "moers", Interface: "PJSIP/201"})
		synctest.Wait()
		if s := c.State("201"); s.State != sip.WrapUp || !s.Confirmed {
			t.Errorf("%+v", s)
		}
		select {
		case <-changed:
		default:
			t.Error("nobody was told")
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if s := c.State("201"); s.State != sip.Ready {
			t.Errorf("the wrap-up does not end: %+v", s)
		}
		status, err := presence.ReadText("moers", l.texts["cc-moers"])
		if err != nil || status.Title != "Stadt Moers" || status.SignedIn != 1 || status.Level.Answered != 1 {
			t.Errorf("%+v, %v", status, err)
		}
		if l.texts["cc-phone-201"] == "" || l.signIns["201"].Number != "4711" || l.days["moers"].Level.Answered != 1 {
			t.Errorf("%+v %+v %+v", l.texts, l.signIns, l.days)
		}
		if view := c.Snapshot(); !view.Connected || len(view.Seats) != 1 {
			t.Errorf("%+v", view)
		}
	})
	again := newLab()
	again.signIns = l.signIns
	run(t, again, func(t *testing.T, c *Centre) {
		if s := c.State("201"); s.Number != "4711" {
			t.Errorf("after a restart: %+v", s)
		}
	})
}

func TestAWrongPINIsTheAgentsAndABrokenStoreTheSwitchboards(t *testing.T) {
	l := newLab()
	run(t, l, func(t *testing.T, c *Centre) {
		wrong := signIn
		wrong.PIN = "0000"
		if r := c.Do(t.Context(), "201", wrong); r.Problem != sip.WrongPIN || r.Tries != 4 || r.ID != 77 {
			t.Errorf("%+v", r)
		}
		l.pins = errors.New("the disk is gone")
		if r := c.Do(t.Context(), "201", signIn); r.Problem != sip.SwitchboardAway {
			t.Errorf("%+v", r)
		}
	})
}

func TestAPBXThatDoesNotAnswerHoldsUpNobodyElse(t *testing.T) {
	l := newLab()
	run(t, l, func(t *testing.T, c *Centre) {
		l.hangs = true
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if r := c.Do(ctx, "201", signIn); r.Problem != sip.PBXAway || time.Since(began) != 3*time.Second {
			t.Errorf("%+v after %v", r, time.Since(began))
		}
		if s := c.State("202"); s.State != sip.SignedOut {
			t.Errorf("%+v", s)
		}
		l.mu.Lock()
		l.hangs = false
		l.mu.Unlock()
		time.Sleep(time.Minute)
		if r := c.Do(t.Context(), "201", signIn); r.Problem != sip.NoProblem {
			t.Errorf("afterwards: %+v", r)
		}
	})
}

func TestAMemoryThatFailsIsTriedAgain(t *testing.T) {
	l := newLab()
	run(t, l, func(t *testing.T, c *Centre) {
		l.mu.Lock()
		l.unwilling = errors.New("the disk is full")
		l.mu.Unlock()
		c.Do(t.Context(), "201", signIn)
		time.Sleep(time.Minute)
		l.mu.Lock()
		l.unwilling = nil
		l.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if l.signIns["201"].Number != "4711" {
			t.Errorf("forgotten: %+v", l.signIns)
		}
		c.Do(t.Context(), "201", sip.AgentRequest{Verb: sip.SignOut})
	})
	if in := l.signIns["201"]; in.Number != "" {
		t.Errorf("what comes last is not written: %+v", in)
	}
}

func TestAPartThatEndsByItselfEndsTheCentre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab()
		c := New(Config{PBX: broken{l}, News: news{l}, Agents: l, Memory: l})
		if err := c.Run(t.Context()); err == nil || !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
		l.unwilling = errBroken
		c = New(Config{PBX: l, News: news{l}, Agents: l, Memory: l})
		if err := c.Run(t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
	})
}

var errBroken = errors.New("broken")

type broken struct{ *lab }

func (broken) Run(context.Context, func(...acd.Event)) error { return errBroken }

func TestCommandsOfOnePhoneKeepTheirOrder(t *testing.T) {
	l := newLab()
	run(t, l, func(t *testing.T, c *Centre) {
		for range 20 {
			c.Do(t.Context(), "201", signIn)
			c.Do(t.Context(), "201", sip.AgentRequest{Verb: sip.SignOut})
		}
	})
	var got []string
	for _, e := range l.asked {
		if _, ok := e.(acd.MemberAdd); ok {
			got = append(got, "add")
		} else {
			got = append(got, "remove")
		}
	}
	if len(got) != 40 || slices.Compact(got)[0] != "add" || len(slices.Compact(got)) != 40 {
		t.Errorf("%v", got)
	}
}
