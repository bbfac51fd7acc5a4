package acd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd/count"
)

var nineOClock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return nineOClock.Add(time.Duration(seconds * float64(time.Second)))
}

const (
	zulassung = "kw-zulassung"
	moers     = "moers"
)

// site is a centre under test, with a PBX that does what it is told unless a test answers itself.
type site struct {
	*Centre
	t       *testing.T
	effects []Effect
	manual  bool               // the test answers the commands
	answer  map[string]Problem // by command and queue or interface: "add moers"
	open    []Effect           // commands without an answer
}

func newSite(t *testing.T) *site {
	c := New(Config{
		Queues: []Queue{
			{Name: zulassung, Title: "Kreis Wesel Zulassung", Within: 30 * time.Second, Target: 80, WrapUp: 30 * time.Second},
			{Name: moers, Title: "Stadt Moers", Within: 30 * time.Second, Target: 75},
		},
		Reasons: []Reason{{"break", "Pause"}, {"meeting", "Besprechung"}},
	})
	return &site{Centre: c, t: t, answer: map[string]Problem{}}
}

// synced is a site whose PBX has both queues and nothing in them.
func synced(t *testing.T) *site {
	s := newSite(t)
	s.sync(at(0), SyncBegin{Started: at(-86400)}, seen(zulassung, 0, 0), seen(moers, 0, 0))
	s.take()
	return s
}

func seen(queue string, completed, abandoned int) QueueSeen {
	return QueueSeen{Queue: queue, Completed: completed, Abandoned: abandoned, Within: 30 * time.Second, Level: -1, Level2: -1}
}

func (s *site) sync(now time.Time, events ...Event) {
	if _, begun := events[0].(SyncBegin); !begun {
		events = append([]Event{SyncBegin{}}, events...)
	}
	s.step(now, append(events, SyncComplete{})...)
}

func (s *site) step(now time.Time, events ...Event) {
	s.t.Helper()
	for _, event := range events {
		effects := s.Step(now, event)
		s.effects = append(s.effects, effects...)
		for _, e := range effects {
			s.obey(now, e)
		}
	}
}

// obey is the PBX's side.
func (s *site) obey(now time.Time, e Effect) {
	switch command := e.(type) {
	case MemberAdd, MemberRemove, MemberPause:
		if s.manual {
			s.open = append(s.open, e)
			return
		}
		s.step(now, Done{number(command), s.answer[said(command)]})
	}
}

func number(command Effect) uint64 {
	switch c := command.(type) {
	case MemberAdd:
		return c.ID
	case MemberRemove:
		return c.ID
	case MemberPause:
		return c.ID
	}
	return 0
}

// said is a command or another effect in words; what only repeats the state is empty.
func said(e Effect) string {
	switch e := e.(type) {
	case MemberAdd:
		return fmt.Sprintf("add %s to %s", e.Interface, e.Queue)
	case MemberRemove:
		return fmt.Sprintf("remove %s from %s", e.Interface, e.Queue)
	case MemberPause:
		if e.Paused {
			return fmt.Sprintf("pause %s: %s", e.Interface, e.Reason)
		}
		return "unpause " + e.Interface
	case Reply:
		return fmt.Sprintf("reply %s: %s", e.Device, e.Reply.Problem)
	case QueueMissing:
		return "missing " + e.Queue
	case Resync:
		return "resync"
	}
	return ""
}

// take are the effects since the last call.
func (s *site) take() []Effect {
	effects := s.effects
	s.effects = nil
	return effects
}

func (s *site) want(want ...string) {
	s.t.Helper()
	var got []string
	for _, e := range s.take() {
		if text := said(e); text != "" {
			got = append(got, text)
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (s *site) ask(now time.Time, device string, verb sip.AgentVerb, change ...func(*Asked)) {
	s.t.Helper()
	a := Asked{Device: device, Request: sip.AgentRequest{ID: 1, Verb: verb}}
	for _, f := range change {
		f(&a)
	}
	s.step(now, a)
}

// agent is a verified agent of both queues.
func agent(number string) func(*Asked) {
	return func(a *Asked) {
		a.Verified = Verified{Number: number, Name: "Ada", Queues: []Serving{{Queue: zulassung}, {Queue: moers, Penalty: 1}}}
	}
}

func because(reason string) func(*Asked) { return func(a *Asked) { a.Request.Reason = reason } }
func takeOver(a *Asked)                  { a.Request.TakeOver = true }

func (s *site) wantState(device string, state sip.AgentState, reason string) sip.Agent {
	s.t.Helper()
	a := s.Agent(device)
	if a.State != state || a.Reason != reason {
		s.t.Errorf("phone %s: %v %q, want %v %q", device, a.State, a.Reason, state, reason)
	}
	return a
}

func (s *site) status(now time.Time, queue string) sip.QueueStatus {
	s.t.Helper()
	status, _ := s.Status(now, queue)
	if !status.Plausible() {
		s.t.Errorf("implausible: %+v", status)
	}
	return status
}

// counts are offered, answered, in time, abandoned, abandoned in time.
func (s *site) counts(queue string) [5]int {
	s.t.Helper()
	l := s.status(s.day.Now, queue).Level
	return [5]int{l.Offered, l.Answered, l.AnsweredInTime, l.Abandoned, l.AbandonedInTime}
}

func (s *site) wantCounts(queue string, want [5]int, since time.Time) {
	s.t.Helper()
	got, status := s.counts(queue), s.status(s.day.Now, queue)
	if got != want || !status.Since.Equal(since) {
		s.t.Errorf("%s: %v since %v, want %v since %v", queue, got, status.Since, want, since)
	}
}

// call is a caller who waits and talks.
func (s *site) call(now time.Time, queue, id, device string, held, talked time.Duration) {
	s.t.Helper()
	s.step(now, CallerJoined{queue, id})
	s.step(now.Add(held), AgentConnected{queue, id, "PJSIP/" + device, held}, CallerLeft{queue, id})
	s.step(now.Add(held+talked), AgentCompleted{queue, "PJSIP/" + device, held, talked})
}

func published(effects []Effect, queue string) (all []PublishQueue) {
	for _, e := range effects {
		if p, ok := e.(PublishQueue); ok && p.Status.Queue == queue {
			all = append(all, p)
		}
	}
	return all
}

func TestNothingIsPublishedBeforeThePBXHasSpoken(t *testing.T) {
	s := newSite(t)
	s.step(at(0), CallerJoined{zulassung, "1"}, Tick{})
	s.step(at(60), Tick{})
	if p := published(s.take(), zulassung); p != nil {
		t.Errorf("published %v", p)
	}
	s.sync(at(61), seen(zulassung, 0, 0))
	effects := s.take()
	if p := published(effects, zulassung); len(p) != 1 || p[0].Resource != "cc-kw-zulassung" {
		t.Errorf("published %v", p)
	}
	if p := published(effects, moers); p != nil || said(effects[0]) != "missing moers" {
		t.Errorf("a queue that the PBX does not have: %v", effects)
	}
}

func TestAChangeIsToldAtOnceButOnlyOneASecondAndAgainWithoutAChange(t *testing.T) {
	s := synced(t)
	s.step(at(10), CallerJoined{zulassung, "1"})
	if p := published(s.take(), zulassung); len(p) != 1 || p[0].Status.Waiting != 1 || !p[0].Status.Oldest.Equal(at(10)) || !p[0].Status.At.Equal(at(10)) {
		t.Fatalf("the first change: %+v", p)
	}
	s.step(at(10.2), CallerJoined{zulassung, "2"})
	s.step(at(10.4), CallerJoined{zulassung, "3"})
	if p := published(s.take(), zulassung); p != nil {
		t.Errorf("more than one in a second: %+v", p)
	}
	if d := s.Deadline(); !d.Equal(at(11)) {
		t.Errorf("deadline %v", d)
	}
	s.step(at(11), Tick{})
	if p := published(s.take(), zulassung); len(p) != 1 || p[0].Status.Waiting != 3 {
		t.Errorf("a second later: %+v", p)
	}
	s.step(at(41), Tick{})
	if p := published(s.take(), zulassung); len(p) != 1 || !p[0].Status.At.Equal(at(41)) {
		t.Errorf("a third of 90 s later: %+v", p)
	}
	s.step(at(42), PBXLost{at(42)})
	for now := 43.0; now < 200; now++ {
		s.step(at(now), Tick{})
	}
	if p := published(s.take(), zulassung); p != nil {
		t.Errorf("while the PBX is away: %+v", p)
	}
}

func TestFiguresAreCountedAsThePBXCountsThem(t *testing.T) {
	s := synced(t)
	s.step(at(0), MemberAdded{Queue: zulassung, Interface: "PJSIP/201", Status: StatusFree})
	s.call(at(10), zulassung, "1", "201", 30*time.Second, time.Minute)
	s.call(at(200), zulassung, "2", "201", 31*time.Second, time.Minute)
	s.step(at(400), CallerJoined{zulassung, "3"}, CallerJoined{zulassung, "4"})
	s.step(at(410), CallerAbandoned{zulassung, "3", 10 * time.Second}, CallerLeft{zulassung, "3"})
	s.step(at(460), CallerAbandoned{zulassung, "4", time.Minute}, CallerLeft{zulassung, "4"})
	s.wantCounts(zulassung, [5]int{4, 2, 1, 2, 1}, time.Time{})
	s.wantCounts(moers, [5]int{}, time.Time{})
	// Monday 24:00.
	s.step(s.day.Tomorrow, Tick{})
	s.wantCounts(zulassung, [5]int{}, time.Time{})
	if d := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC); !s.day.Tomorrow.Equal(d) {
		t.Errorf("the next midnight is %v", s.day.Tomorrow)
	}
}

func TestMembersAreFreePausedOrNeither(t *testing.T) {
	s := synced(t)
	member := func(device string, status Status, paused bool) {
		s.step(at(0), MemberAdded{Queue: zulassung, Interface: "PJSIP/" + device, Status: status, Paused: paused})
	}
	member("201", StatusFree, false)
	member("202", StatusFree, true)
	member("203", StatusUnavailable, false)
	member("204", StatusUnknown, false)
	check := func(signedIn, free, paused int) {
		t.Helper()
		if got := s.status(at(1), zulassung); got.SignedIn != signedIn || got.Free != free || got.Paused != paused {
			t.Errorf("signed in %d, free %d, paused %d; want %d %d %d", got.SignedIn, got.Free, got.Paused, signedIn, free, paused)
		}
	}
	check(4, 2, 1)
	s.step(at(1), MemberStatus{zulassung, "PJSIP/201", StatusRinging})
	check(4, 1, 1)
	s.step(at(1), MemberStatus{zulassung, "PJSIP/201", StatusFree}, MemberPaused{zulassung, "PJSIP/202", false, ""})
	check(4, 3, 0)
	s.step(at(1), MemberRemoved{zulassung, "PJSIP/201"}, MemberRemoved{zulassung, "PJSIP/999"})
	check(3, 2, 0)
}

func TestASyncLeavesNoGhosts(t *testing.T) {
	s := synced(t)
	s.step(at(1), CallerJoined{zulassung, "1"}, CallerJoined{zulassung, "2"}, MemberAdded{Queue: zulassung, Interface: "PJSIP/201"})
	s.step(at(2), PBXLost{at(2)})
	s.step(at(60), SyncBegin{}, seen(zulassung, 0, 0), seen(moers, 0, 0), CallerSeen{zulassung, "2", 59 * time.Second})
	s.step(at(60), MemberSeen{Queue: zulassung, Interface: "PJSIP/202", Status: StatusFree}, CallerJoined{zulassung, "3"}, SyncComplete{})
	got := s.status(at(60), zulassung)
	if got.Waiting != 2 || !got.Oldest.Equal(at(1)) || got.SignedIn != 1 || got.Free != 1 {
		t.Errorf("after the sync: %+v", got)
	}
	s.wantCounts(zulassung, [5]int{}, time.Time{})
}

func TestWhoJoinsInTheMiddleSaysSinceWhen(t *testing.T) {
	s := newSite(t)
	s.sync(at(0), seen(zulassung, 120, 7), seen(moers, 0, 0), CallerSeen{zulassung, "1", 10 * time.Second})
	s.wantCounts(zulassung, [5]int{}, at(0))
	s.step(at(5), AgentConnected{zulassung, "1", "PJSIP/201", 15 * time.Second})
	s.wantCounts(zulassung, [5]int{1, 1, 1, 0, 0}, at(0))
}

func TestWhatWasMissedIsTakenFromThePBXsCounters(t *testing.T) {
	member := func(talking bool, last time.Time) MemberSeen {
		return MemberSeen{Queue: zulassung, Interface: "PJSIP/201", Status: StatusInUse, Talking: talking, LastCall: last}
	}
	figures := func(completed, abandoned, level, level2 int) QueueSeen {
		return QueueSeen{Queue: zulassung, Completed: completed, Abandoned: abandoned, Within: 30 * time.Second, Level: level, Level2: level2}
	}
	cases := []struct {
		name   string
		events []Event
		want   [5]int
		gap    bool
	}{
		{"nothing", []Event{figures(1, 0, 1000, 1000), member(true, at(40))}, [5]int{2, 2, 1, 0, 0}, false},
		{"the talk has ended", []Event{figures(2, 0, 500, 500), member(false, at(110))}, [5]int{2, 2, 1, 0, 0}, false},
		{"ended, and two more were answered, one in time", []Event{figures(4, 0, 500, 500), member(false, at(300))}, [5]int{4, 4, 2, 0, 0}, false},
		{"one gave up in time", []Event{figures(1, 1, 1000, 1000), member(true, at(40))}, [5]int{3, 2, 1, 1, 1}, false},
		{"one gave up late", []Event{figures(1, 1, 1000, 500), member(true, at(40))}, [5]int{3, 2, 1, 1, 0}, false},
		{"another talk is going on", []Event{figures(2, 0, 500, 500), member(true, at(110))}, [5]int{3, 3, 1, 0, 0}, false},
		{"the percentages are not told", []Event{figures(3, 0, -1, -1), member(false, at(300))}, [5]int{2, 2, 1, 0, 0}, true},
		{"restarted at once", []Event{SyncBegin{Started: at(105)}, figures(1, 0, 1000, 1000), member(false, at(120))}, [5]int{3, 3, 2, 0, 0}, false},
		{"restarted, with nothing since", []Event{SyncBegin{Started: at(105)}, figures(0, 0, 0, 0)}, [5]int{2, 2, 1, 0, 0}, false},
		{"restarted much later", []Event{SyncBegin{Started: at(390)}, figures(1, 0, 1000, 1000), member(false, at(395))}, [5]int{2, 2, 1, 0, 0}, true},
		{"fresh counters, nobody knows since when", []Event{figures(0, 0, 0, 0)}, [5]int{2, 2, 1, 0, 0}, true},
		{"counters that cannot be", []Event{figures(1, 0, 1000, 1000)}, [5]int{2, 2, 1, 0, 0}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.sync(at(0), SyncBegin{Started: at(-86400)}, figures(0, 0, 0, 0), seen(moers, 0, 0), member(false, time.Time{}))
			s.call(at(0), zulassung, "1", "201", 10*time.Second, 30*time.Second)
			// A second talk goes on when the connection breaks; its caller had waited too long.
			s.step(at(50), CallerJoined{zulassung, "2"})
			s.step(at(90), AgentConnected{zulassung, "2", "PJSIP/201", 40 * time.Second})
			s.step(at(100), PBXLost{at(100)})
			s.sync(at(400), append(c.events, seen(moers, 0, 0))...)
			since := time.Time{}
			if c.gap {
				since = at(400)
			}
			s.wantCounts(zulassung, c.want, since)
			if c.name == "another talk is going on" {
				s.step(at(500), AgentCompleted{zulassung, "PJSIP/201", 20 * time.Second, 300 * time.Second})
				s.wantCounts(zulassung, [5]int{3, 3, 2, 0, 0}, time.Time{})
			}
		})
	}
}

func TestAnEventThatFollowsAListWhichKnowsItCountsOnce(t *testing.T) {
	s := synced(t)
	s.step(at(1), MemberAdded{Queue: zulassung, Interface: "PJSIP/201", Status: StatusFree})
	s.step(at(10), PBXLost{at(10)})
	s.sync(at(20), QueueSeen{zulassung, 1, 1, 30 * time.Second, 1000, 500}, seen(moers, 0, 0), MemberSeen{Queue: zulassung, Interface: "PJSIP/201", Talking: true, LastCall: at(15)})
	s.wantCounts(zulassung, [5]int{3, 2, 1, 1, 0}, time.Time{})
	s.step(at(20.1), CallerAbandoned{zulassung, "1", time.Minute}, AgentCompleted{zulassung, "PJSIP/202", 0, 0})
	s.step(at(20.1), AgentConnected{zulassung, "2", "PJSIP/201", 10 * time.Second})
	s.wantCounts(zulassung, [5]int{3, 2, 2, 1, 0}, time.Time{})
	s.step(at(30), AgentCompleted{zulassung, "PJSIP/201", 10 * time.Second, time.Second})
	s.step(at(30), AgentCompleted{zulassung, "PJSIP/201", 10 * time.Second, time.Second}) // twice
	s.wantCounts(zulassung, [5]int{3, 2, 2, 1, 0}, time.Time{})
	s.step(at(40), PBXLost{at(40)})
	s.sync(at(50), QueueSeen{zulassung, 2, 1, 30 * time.Second, 1000, 667}, seen(moers, 0, 0), MemberSeen{Queue: zulassung, Interface: "PJSIP/201", LastCall: at(30)})
	s.wantCounts(zulassung, [5]int{3, 2, 2, 1, 0}, at(50)) // the stranger's end was heard, but is not in the list: a gap, no jump
}

func TestFiguresSurviveARestartOfTheSwitchboard(t *testing.T) {
	s := synced(t)
	s.step(at(0), MemberAdded{Queue: zulassung, Interface: "PJSIP/201", Status: StatusFree})
	s.call(at(1), zulassung, "1", "201", 5*time.Second, 10*time.Second)
	s.step(at(20), CallerJoined{zulassung, "2"})
	s.step(at(25), AgentConnected{zulassung, "2", "PJSIP/201", 5 * time.Second})
	s.step(at(30), Tick{})
	days := map[string]count.Day{}
	for _, e := range s.take() {
		if r, ok := e.(RememberDay); ok {
			days[r.Day.Queue] = r.Day
		}
	}
	next := newSite(t)
	next.step(at(100), Restored{Days: []count.Day{days[zulassung], days[moers]}})
	next.sync(at(101), SyncBegin{Started: at(-86400)}, QueueSeen{Queue: zulassung, Completed: 3, Abandoned: 1, Within: 30 * time.Second, Level: 667, Level2: 500},
		seen(moers, 0, 0), MemberSeen{Queue: zulassung, Interface: "PJSIP/201", LastCall: at(95)})
	next.wantCounts(zulassung, [5]int{4, 3, 2, 1, 0}, time.Time{})
	next = newSite(t)
	next.step(at(86400), Restored{Days: []count.Day{days[zulassung]}})
	next.sync(at(86401), seen(zulassung, 3, 1), seen(moers, 0, 0))
	next.wantCounts(zulassung, [5]int{}, at(86401))
}
