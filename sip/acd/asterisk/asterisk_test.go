package asterisk

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"freizeichen/sip/acd"
	"freizeichen/sip/ami"
)

func TestWhatAsteriskSaysBecomesTheModelsWords(t *testing.T) {
	m := ami.Member{Queue: "q", Name: "4711", Interface: "PJSIP/201", LastCall: time.Unix(9, 0), InCall: true, Status: ami.DeviceRinging, Paused: true, PausedReason: "Pause"}
	member := acd.MemberSeen{Queue: "q", Interface: "PJSIP/201", Name: "4711", Status: acd.StatusRinging, Paused: true, Reason: "Pause", Talking: true, LastCall: time.Unix(9, 0)}
	for _, c := range []struct {
		said ami.Event
		want acd.Event
	}{
		{ami.SyncBegin{}, acd.SyncBegin{}},
		{ami.SyncComplete{}, acd.SyncComplete{}},
		{ami.Lost{}, acd.PBXLost{}},
		{ami.QueueParams{Queue: "q", Completed: 3, Abandoned: 1, ServiceLevel: time.Second, Level: 667, Level2: 500}, acd.QueueSeen{Queue: "q", Completed: 3, Abandoned: 1, Within: time.Second, Level: 667, Level2: 500}},
		{ami.QueueMember{Member: m}, member},
		{ami.QueueMemberAdded{Member: m}, acd.MemberAdded(member)},
		{ami.QueueMemberRemoved{Member: m}, acd.MemberRemoved{Queue: "q", Interface: "PJSIP/201"}},
		{ami.QueueMemberPause{Member: m}, acd.MemberPaused{Queue: "q", Interface: "PJSIP/201", Paused: true, Reason: "Pause"}},
		{ami.QueueMemberStatus{Member: m}, acd.MemberStatus{Queue: "q", Interface: "PJSIP/201", Status: acd.StatusRinging}},
		{ami.QueueEntry{Queue: "q", Uniqueid: "1.1", Wait: time.Second}, acd.CallerSeen{Queue: "q", Caller: "1.1", Waited: time.Second}},
		{ami.QueueCallerJoin{Queue: "q", Uniqueid: "1.1"}, acd.CallerJoined{Queue: "q", Caller: "1.1"}},
		{ami.QueueCallerLeave{Queue: "q", Uniqueid: "1.1"}, acd.CallerLeft{Queue: "q", Caller: "1.1"}},
		{ami.QueueCallerAbandon{Queue: "q", Uniqueid: "1.1", HoldTime: time.Second}, acd.CallerAbandoned{Queue: "q", Caller: "1.1", Waited: time.Second}},
		{ami.AgentConnect{Queue: "q", Uniqueid: "1.1", Interface: "PJSIP/201", HoldTime: time.Second}, acd.AgentConnected{Queue: "q", Caller: "1.1", Interface: "PJSIP/201", Held: time.Second}},
		{ami.AgentComplete{Queue: "q", Interface: "PJSIP/201", HoldTime: 1, TalkTime: 2}, acd.AgentCompleted{Queue: "q", Interface: "PJSIP/201", Held: 1, Talked: 2}},
	} {
		if got, ok := Event(c.said); !ok || got != c.want {
			t.Errorf("%T%+v: %+v, want %+v", c.said, c.said, got, c.want)
		}
	}
	for _, e := range []ami.Event{ami.AgentCalled{}, ami.AgentRingNoAnswer{}, ami.FullyBooted{}, ami.Shutdown{}} {
		if got, ok := Event(e); ok {
			t.Errorf("%T: %+v", e, got)
		}
	}
	if acd.Status(ami.DeviceOnHold) != acd.StatusOnHold {
		t.Error("the numbers of the device states differ")
	}
}

// manager notes what it is asked and answers with an error.
type manager struct {
	asked string
	err   error
}

func (m *manager) QueueAdd(_ context.Context, a ami.Addition) error {
	m.asked = fmt.Sprintf("add %+v", a)
	return m.err
}

func (m *manager) QueueRemove(_ context.Context, queue, member string) error {
	m.asked = fmt.Sprintf("remove %s %s", queue, member)
	return m.err
}

func (m *manager) QueuePause(_ context.Context, member, queue string, paused bool, reason string) error {
	m.asked = fmt.Sprintf("pause %s %q %v %s", member, queue, paused, reason)
	return m.err
}

func TestCommandsAreCarriedOut(t *testing.T) {
	for err, want := range map[error]acd.Problem{
		nil: acd.Did, ami.ErrIsMember: acd.AlreadyThere, ami.ErrNoMember: acd.NotThere, ami.ErrNoQueue: acd.NoSuchQueue, ami.ErrStatic: acd.Refused,
		ami.ErrAway: acd.Unreachable, ami.ErrTimeout: acd.Unreachable, context.DeadlineExceeded: acd.Unreachable, errors.New("else"): acd.Refused,
	} {
		for e, asked := range map[acd.Effect]string{
			acd.MemberAdd{ID: 7, Queue: "q", Interface: "PJSIP/201", Name: "4711", Penalty: 2}: "add {Queue:q Interface:PJSIP/201 MemberName:4711 StateInterface: Paused:false Reason: Penalty:2}",
			acd.MemberRemove{ID: 7, Queue: "q", Interface: "PJSIP/201"}:                        "remove q PJSIP/201",
			acd.MemberPause{ID: 7, Interface: "PJSIP/201", Paused: true, Reason: "Pause"}:      `pause PJSIP/201 "" true Pause`,
		} {
			m := &manager{err: err}
			done, ok, _ := Do(t.Context(), m, e)
			if !ok || done != (acd.Done{ID: 7, Problem: want}) || m.asked != asked {
				t.Errorf("%+v: %+v, asked %s", e, done, m.asked)
			}
		}
	}
	if _, ok, _ := Do(t.Context(), &manager{}, acd.Resync{}); ok {
		t.Error("a resync is no command for a member")
	}
}
