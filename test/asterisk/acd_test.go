package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"freizeichen/cmd/centre"
	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
	"freizeichen/sip/ami"
)

// A board is a switchboard beside the PBX, with one agent and no store, whose connection can be cut.
type board struct {
	*centre.Centre
	t   *testing.T
	pbx *PBX

	mu   sync.Mutex
	away bool
	conn net.Conn
}

const agentsQueue = "kw-zulassung" // 02812071 leads there

// startBoard ends with the test.
func startBoard(t *testing.T, pbx *PBX) *board {
	t.Helper()
	b := &board{t: t, pbx: pbx}
	asterisk, err := centre.NewAsterisk(ami.Config{Address: pbx.Manager(), User: "switchboard", Secret: Password, Presence: true, Dial: b.dial})
	if err != nil {
		t.Fatal(err)
	}
	b.Centre = centre.New(centre.Config{
		ACD: acd.Config{
			Queues:  []acd.Queue{{Name: agentsQueue, WrapUp: 30 * time.Second}, {Name: "moers"}},
			Reasons: []acd.Reason{{ID: "break", Text: "Pause"}},
		},
		PBX: asterisk, News: asterisk.News(), Agents: b, Memory: b,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	b.wait("the PBX's view", func() bool { return b.Snapshot().Connected })
	return b
}

func (b *board) dial(ctx context.Context, network, address string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return nil, errors.New("the cable is out")
	}
	var err error
	b.conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	return b.conn, err
}

// cut takes the cable out, or puts it in again.
func (b *board) cut(away bool) {
	b.mu.Lock()
	b.away = away
	if away {
		b.conn.Close()
	}
	b.mu.Unlock()
	b.wait(fmt.Sprintf("connected: %v", !away), func() bool { return b.Snapshot().Connected != away })
}

func (b *board) wait(what string, done func() bool) {
	b.t.Helper()
	b.pbx.wait(registerMax, what, done)
}

// CheckPIN takes any PIN of the one agent.
func (b *board) CheckPIN(_ context.Context, _ time.Time, number, _ string) (acd.Verified, error) {
	return acd.Verified{Number: number, Name: "Ada", Queues: []acd.Serving{{Queue: agentsQueue}, {Queue: "moers", Penalty: 1}}}, nil
}

func (b *board) Restore(context.Context) (acd.Restored, error)  { return acd.Restored{}, nil }
func (b *board) PutSignIn(context.Context, acd.SignIn) error    { return nil }
func (b *board) PutDays(_ context.Context, _ []count.Day) error { return nil }
func (b *board) status() sip.QueueStatus                        { return b.Snapshot().Queues[0].Status }
func (b *board) do(r sip.AgentRequest, want sip.AgentState) sip.Agent {
	b.t.Helper()
	reply := b.Do(b.t.Context(), "201", r)
	if reply.Problem != sip.NoProblem || reply.Agent.State != want {
		b.t.Errorf("%v: %v, %+v", r, reply.Problem, reply.Agent)
	}
	return reply.Agent
}

func (b *board) waitState(want sip.AgentState, reason string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("the agent is %v %s", want, reason), func() bool {
		a := b.State("201")
		return a.State == want && a.Reason == reason && a.Confirmed
	})
}

var shown = regexp.MustCompile(`W:\d+, C:(\d+), A:(\d+), SL:([0-9.]+)%, SL2:([0-9.]+)%`)

// wantFigures compares the model with what is expected, and both with Asterisk's own "queue show".
func (b *board) wantFigures(answered, inTime, abandoned, abandonedInTime int) {
	b.t.Helper()
	want := sip.ServiceLevel{Offered: answered + abandoned, Answered: answered, AnsweredInTime: inTime, Abandoned: abandoned, AbandonedInTime: abandonedInTime,
		Within: 30 * time.Second}
	b.wait(fmt.Sprintf("the figures %+v", want), func() bool { return b.status().Level == want })
	text := b.pbx.CLI("queue show " + agentsQueue)
	f := shown.FindStringSubmatch(text)
	if f == nil {
		b.t.Fatalf("queue show says %s", text)
	}
	percent := func(part, whole int) string {
		if whole == 0 {
			return "0.0"
		}
		return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64)
	}
	got := [4]string{f[1], f[2], f[3], f[4]}
	if want := [4]string{strconv.Itoa(answered), strconv.Itoa(abandoned), percent(inTime, answered), percent(inTime+abandonedInTime, answered+abandoned)}; got != want {
		b.t.Errorf("Asterisk counts %v, the switchboard %v", got, want)
	}
}

// The figures of the switchboard are those of Asterisk: in calm, over a cut connection, and after a restart of Asterisk.
func TestTheSwitchboardCountsWhatAsteriskCounts(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	b := startBoard(t, pbx)
	b.do(sip.AgentRequest{Verb: sip.SignIn, Number: "4711"}, sip.Ready)
	since := b.status().Since
	call := func() *Citizen {
		t.Helper()
		c := pbx.Originate("02812071")
		p.waitStatus("line1", "ringing")
		return c
	}
	talk := func() {
		t.Helper()
		c := call()
		p.ctl("answer")
		p.waitStatus("line1", "talking")
		c.HangUp()
		p.waitIdle()
	}
	talk()
	b.waitState(sip.WrapUp, "")
	if !regexp.MustCompile(`PJSIP/201.*paused:Nachbearbeitung`).MatchString(pbx.CLI("queue show " + agentsQueue)) {
		t.Errorf("in the wrap-up Asterisk says %s", pbx.CLI("queue show "+agentsQueue))
	}
	b.wantFigures(1, 1, 0, 0)
	b.do(sip.AgentRequest{Verb: sip.GoReady}, sip.Ready)

	c := call()
	b.wait("one waits", func() bool { s := b.status(); return s.Waiting == 1 && s.Free == 0 && s.SignedIn == 1 })
	c.HangUp()
	p.waitIdle()
	b.wantFigures(1, 1, 1, 1)
	if s := b.status(); s.Waiting != 0 || !s.Oldest.IsZero() {
		t.Errorf("a ghost waits: %+v", s)
	}

	// With the cable out one is answered, one gives up, and one is answered and talks on.
	b.cut(true)
	talk()
	call().HangUp()
	p.waitIdle()
	c = call()
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	b.cut(false)
	b.wait("the talk is counted", func() bool {
		l := b.status().Level
		return l.Answered == 3 && l.Abandoned == 2 && l.AnsweredInTime == 2
	})
	if a := b.State("201"); a.State != sip.Ready || !a.Confirmed {
		t.Errorf("%+v", a)
	}
	b.do(sip.AgentRequest{Verb: sip.GoPaused, Reason: "break"}, sip.Ready) // begins after the call and its wrap-up
	c.HangUp()
	p.waitIdle()
	b.waitState(sip.WrapUp, "")
	b.do(sip.AgentRequest{Verb: sip.GoReady}, sip.Paused)
	b.wantFigures(3, 3, 2, 2)
	if s := b.status(); s.Since != since {
		t.Errorf("the figures have a gap since %v", s.Since)
	}

	// A feature code of somebody else is the truth.
	pbx.CLI("queue unpause member PJSIP/201")
	b.waitState(sip.Ready, "")
	pbx.Restart()
	b.wait("the PBX is back", func() bool { return b.Snapshot().Connected && pbx.Reachable("201") })
	if l := b.status().Level; l.Answered != 3 || l.Abandoned != 2 || l.AnsweredInTime != 3 {
		t.Errorf("after the restart the figures jump: %+v", l)
	}
	b.waitState(sip.SignedOut, "") // persistentmembers is off here
	b.do(sip.AgentRequest{Verb: sip.SignIn, Number: "4711"}, sip.Ready)
	talk()
	b.wait("one more", func() bool { return b.status().Level.Answered == 4 })
}
