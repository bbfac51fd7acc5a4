package asterisk

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/sip/ami"
)

// A manager is a client of the manager interface, and what it has been told.
type manager struct {
	*ami.Client
	t *testing.T

	mu     sync.Mutex
	events []ami.Event
	times  []time.Time
	conn   net.Conn
}

// manage starts a client of the section [switchboard] of manager.conf, unless another is named. It ends with the test.
func manage(t *testing.T, pbx *PBX, user, secret string) *manager {
	t.Helper()
	m := &manager{t: t}
	client, err := ami.New(ami.Config{Address: pbx.Manager(), User: user, Secret: secret, Presence: true, Observe: m.observe,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.conn = conn
			return conn, err
		}})
	if err != nil {
		t.Fatal(err)
	}
	m.Client = client
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if t.Failed() {
			t.Logf("the manager interface told %s:\n%s", user, m.told())
		}
	})
	return m
}

func (m *manager) observe(e ami.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events, m.times = append(m.events, e), append(m.times, time.Now())
}

func (m *manager) told() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for i, e := range m.events {
		fmt.Fprintf(&b, "%s %T%+v\n", m.times[i].Format("05.000"), e, e)
	}
	return b.String()
}

// cut ends the connection as a broken network does.
func (m *manager) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conn.Close()
}

// next waits for an event of a type, and forgets everything before it.
func next[E ami.Event](m *manager) E {
	m.t.Helper()
	for deadline := time.Now().Add(commandMax); ; time.Sleep(pollEvery) {
		m.mu.Lock()
		for i, e := range m.events {
			if found, ok := e.(E); ok {
				m.events, m.times = m.events[i+1:], m.times[i+1:]
				m.mu.Unlock()
				return found
			}
		}
		m.mu.Unlock()
		if time.Now().After(deadline) {
			var want E
			m.t.Fatalf("waited %s in vain for %T", commandMax, want)
		}
	}
}

// list is what comes up to the end of the list of all queues: the members by queue and interface.
func (m *manager) list() map[string]ami.Member {
	m.t.Helper()
	next[ami.SyncBegin](m)
	members := map[string]ami.Member{}
	for {
		switch e := next[ami.Event](m).(type) {
		case ami.QueueMember:
			members[e.Queue+" "+e.Interface] = e.Member
		case ami.SyncComplete:
			return members
		}
	}
}

func TestWhoMayNotUseTheManagerInterfaceIsTold(t *testing.T) {
	pbx := Start(t)
	for _, test := range []struct {
		user, secret string
		cause        ami.Cause
		says         string
	}{
		{"switchboard", "falsch", ami.LoginRefused, "section [switchboard] in manager.conf"},
		{"nobody", Password, ami.LoginRefused, "section [nobody] in manager.conf"},
		{"looker", Password, ami.RightsMissing, `section [looker] of manager.conf needs "write = agent,call"`},
	} {
		lost := next[ami.Lost](manage(t, pbx, test.user, test.secret))
		if lost.Cause != test.cause || !strings.Contains(lost.Err.Error(), test.says) || strings.Contains(lost.Err.Error(), test.secret) || lost.Retry < 30*time.Second {
			t.Errorf("%s: %s, %v, again after %s", test.user, lost.Cause, lost.Err, lost.Retry)
		}
	}
}

func TestTheSwitchboardMovesMembersAndSurvivesARestart(t *testing.T) {
	pbx := Start(t)
	m, ctx := manage(t, pbx, "switchboard", Password), t.Context()
	members := m.list()
	if len(members) != 6 || members["alle PJSIP/203"].Membership != "static" || members["alle PJSIP/203"].Status != ami.DeviceUnavailable {
		t.Errorf("%d members: %+v", len(members), members)
	}
	member := ami.Addition{Queue: "zulassung", Interface: "PJSIP/204", MemberName: "4711", Paused: true, Reason: "sign-in"}
	if err := m.QueueAdd(ctx, member); err != nil {
		t.Fatal(err)
	}
	added := next[ami.QueueMemberAdded](m)
	if added.Queue != "zulassung" || added.Name != "4711" || added.Interface != "PJSIP/204" || added.Membership != "dynamic" || !added.Paused ||
		added.PausedReason != "sign-in" || time.Since(added.LoginTime).Abs() > time.Minute {
		t.Errorf("added %+v", added)
	}
	for _, paused := range []bool{false, true} {
		if err := m.QueuePause(ctx, "PJSIP/204", "", paused, "Besprechung"); err != nil {
			t.Fatal(err)
		}
		if e := next[ami.QueueMemberPause](m); e.Name != "4711" || e.Paused != paused {
			t.Errorf("paused %v: %+v", paused, e)
		}
	}
	for name, test := range map[string]struct{ got, want error }{
		"add twice":             {m.QueueAdd(ctx, member), ami.ErrIsMember},
		"add to no queue":       {m.QueueAdd(ctx, ami.Addition{Queue: "nix", Interface: "PJSIP/204"}), ami.ErrNoQueue},
		"pause nobody":          {m.QueuePause(ctx, "PJSIP/299", "", true, ""), ami.ErrNoMember},
		"pause elsewhere":       {m.QueuePause(ctx, "PJSIP/204", "alle", true, ""), ami.ErrNoMember},
		"remove from elsewhere": {m.QueueRemove(ctx, "alle", "PJSIP/204"), ami.ErrNoMember},
		"remove from no queue":  {m.QueueRemove(ctx, "nix", "PJSIP/204"), ami.ErrNoQueue},
		"remove a static one":   {m.QueueRemove(ctx, "alle", "PJSIP/201"), ami.ErrStatic},
		"ping":                  {m.Ping(ctx), nil},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
	m.cut()
	if lost := next[ami.Lost](m); lost.Cause != ami.Closed {
		t.Errorf("cut: %s, %v", lost.Cause, lost.Err)
	}
	if again := m.list()["zulassung PJSIP/204"]; again.Name != "4711" || !again.Paused || again.PausedReason != "Besprechung" {
		t.Errorf("after the cut it is %+v", again)
	}
	if err := m.QueueRemove(ctx, "zulassung", "PJSIP/204"); err != nil {
		t.Error(err)
	}
	next[ami.QueueMemberRemoved](m)
	pbx.Restart()
	if lost := next[ami.Lost](m); lost.Cause != ami.Closed {
		t.Errorf("restart: %s, %v", lost.Cause, lost.Err)
	}
	if members := m.list(); len(members) != 6 {
		t.Errorf("after the restart there are %d members: %+v", len(members), members)
	}
}

func TestTheSwitchboardFollowsACallOfAQueue(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	m := manage(t, pbx, "switchboard", Password)
	m.list()
	citizen := pbx.Originate("02812070")
	joined := next[ami.QueueCallerJoin](m)
	if joined.Queue != "zulassung" || joined.Position != 1 || joined.Count != 1 || joined.Uniqueid == "" {
		t.Errorf("joined %+v", joined)
	}
	called := next[ami.AgentCalled](m)
	p.waitStatus("line1", "ringing")
	p.ctl("hangup") // it rings again a second later: nobody waits to see the phone idle
	if e := next[ami.AgentRingNoAnswer](m); e.Interface != "PJSIP/201" {
		t.Errorf("rejected %+v", e)
	}
	next[ami.AgentCalled](m)
	p.waitStatus("line1", "ringing")
	p.ctl("answer")
	if e := next[ami.AgentConnect](m); e.Uniqueid != joined.Uniqueid || e.Queue != "zulassung" || e.Interface != "PJSIP/201" || called.Interface != e.Interface {
		t.Errorf("connected %+v, called %+v", e, called)
	}
	p.waitStatus("line1", "talking")
	citizen.HangUp()
	// The caller's channel can be gone before Asterisk writes the event, and then it has no Uniqueid.
	if e := next[ami.AgentComplete](m); e.Uniqueid != joined.Uniqueid && e.Uniqueid != "" || e.Queue != "zulassung" || e.Interface != "PJSIP/201" || e.Reason != "caller" || e.TalkTime > commandMax {
		t.Errorf("complete %+v", e)
	}
	p.waitIdle()
	citizen = pbx.Originate("02812070")
	joined = next[ami.QueueCallerJoin](m)
	p.waitStatus("line1", "ringing")
	citizen.HangUp()
	if e := next[ami.QueueCallerAbandon](m); e.Uniqueid != joined.Uniqueid || e.OriginalPosition != 1 {
		t.Errorf("abandoned %+v", e)
	}
	if e := next[ami.QueueCallerLeave](m); e.Uniqueid != joined.Uniqueid || e.Count != 0 {
		t.Errorf("left %+v", e)
	}
}

// A subscriber sees the text as base64, whole up to the longest that fits a line of the manager interface: at the
// beginning and with every change.
func TestThePresenceOfAQueueReachesItsSubscribers(t *testing.T) {
	pbx := Start(t)
	m, ctx := manage(t, pbx, "switchboard", Password), t.Context()
	m.list()
	text := `{"t":1795359500,"v":90,"h":"Zulassung & Führerschein <Wesel>","w":1}`
	longest := text[:len(text)-1] + `,"x":"` + strings.Repeat("y", ami.TextRoom("queue")-len(text)-len(`,"x":""}`)+1) + `"}`
	watcher := subscribe(t, pbx, "cc-zulassung", "Digium D65")
	if state, subtype, got := watcher.next(); state != "not_set" || subtype != "" || got != "" {
		t.Errorf("before anything was set: %q, %q, %q", state, subtype, got)
	}
	for _, want := range []string{text, longest, text} {
		if err := m.SetPresence(ctx, ami.Presence{Resource: "cc-zulassung", Subtype: "queue", Text: []byte(want)}); err != nil {
			t.Fatal(err)
		}
		if state, subtype, got := watcher.next(); state != "available" || subtype != "queue" || got != base64.StdEncoding.EncodeToString([]byte(want)) {
			t.Errorf("the subscriber sees %q, %q,\n%q of\n%q", state, subtype, got, want)
		}
	}
	if err := m.SetPresence(ctx, ami.Presence{Resource: "cc-zulassung", Subtype: "queue", Text: []byte(longest + " ")}); !errors.Is(err, ami.ErrTextTooLong) {
		t.Errorf("one byte more: %v", err)
	}
	if _, _, got := subscribe(t, pbx, "cc-zulassung", "Digium D65").next(); got != base64.StdEncoding.EncodeToString([]byte(text)) {
		t.Errorf("who comes later sees %q", got)
	}
	// Asterisk gives the text to Digium's phones alone.
	if _, _, got := subscribe(t, pbx, "cc-zulassung", "Freizeichen").next(); got != "" {
		t.Errorf("another phone sees %q", got)
	}
	var burst []ami.Presence
	for i := range 500 {
		burst = append(burst, ami.Presence{Resource: fmt.Sprintf("cc-phone-%d", i), Subtype: "agent", Text: []byte{byte(i)}})
	}
	if err := m.SetPresence(ctx, burst...); err != nil {
		t.Error(err)
	}
	if _, subtype, got := subscribe(t, pbx, "cc-phone-255", "Digium D65").next(); got != "/w==" || subtype != "agent" {
		t.Errorf("one of the burst is %q, %q", subtype, got)
	}
}
