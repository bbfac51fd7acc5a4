package ami

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/sip/ami/message"
)

// parse is one message of text.
func parse(t testing.TB, text string) message.Message {
	t.Helper()
	var s message.Stream
	s.Write([]byte(strings.TrimSpace(text) + "\n\n"))
	m, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// As Asterisk 22.10 sent them, and other releases would.
func TestEveryEventKeepsWhatAModelOfQueuesNeeds(t *testing.T) {
	caller := "Channel: PJSIP/carrier-00000001\nCallerIDNum: 028415551234\nCallerIDName: Erika Müller\nConnectedLineNum: 028415551234\nUniqueid: 1.1\nQueue: q\n"
	agent := caller + "DestCallerIDNum: 028415551234\nDestUniqueid: 1.2\nMemberName: 4711\nInterface: PJSIP/201\n"
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	member := Member{Queue: "q", Name: "4711", Interface: "PJSIP/201", StateInterface: "PJSIP/201", Membership: "dynamic", Penalty: 1, CallsTaken: 2, LastCall: at(3),
		LastPause: at(4), LoginTime: at(5), InCall: true, Status: DeviceRingInUse, Paused: true, PausedReason: "Pause", WrapupTime: 6 * time.Second}
	rest := "StateInterface: PJSIP/201\nMembership: dynamic\nPenalty: 1\nCallsTaken: 2\nLastCall: 3\nLastPause: 4\nLoginTime: 5\nInCall: 1\n" +
		"Status: 7\nPaused: 1\nPausedReason: Pause\nRinginuse: 0\nWrapuptime: 6"
	live := "Queue: q\nMemberName: 4711\nInterface: PJSIP/201\n" + rest
	for text, want := range map[string]Event{
		"Event: NewExten\nQueue: q":                                                                nil,
		"Event: OriginateResponse":                                                                 nil,
		"Event: QueueCallerJoin\n" + caller + "Position: 2\nCount: 3":                              QueueCallerJoin{"q", "1.1", 2, 3},
		"Event: QueueCallerLeave\n" + caller + "Position: 2\nCount: 3":                             QueueCallerLeave{"q", "1.1", 2, 3},
		"Event: QueueCallerAbandon\n" + caller + "Position: 2\nOriginalPosition: 3\nHoldTime: 40":  QueueCallerAbandon{"q", "1.1", 2, 3, 40 * time.Second},
		"Event: QueueEntry\n" + caller + "Position: 1\nWait: 12":                                   QueueEntry{"q", "1.1", 1, 12 * time.Second},
		"Event: QueueEntry\n" + caller + "Position: x\nWait: -12":                                  QueueEntry{"q", "1.1", 0, 0},
		"Event: AgentCalled\n" + agent:                                                             AgentCalled{"q", "1.1", "4711", "PJSIP/201"},
		"Event: AgentConnect\n" + agent + "HoldTime: 4\nRingTime: 3":                               AgentConnect{"q", "1.1", "4711", "PJSIP/201", 4 * time.Second, 3 * time.Second},
		"Event: AgentComplete\n" + agent + "HoldTime: 4\nTalkTime: 90\nReason: caller":             AgentComplete{"q", "1.1", "4711", "PJSIP/201", 4 * time.Second, 90 * time.Second, "caller"},
		"Event: AgentRingNoAnswer\n" + agent + "RingTime: 20015":                                   AgentRingNoAnswer{"q", "1.1", "4711", "PJSIP/201", 20015 * time.Millisecond},
		"Event: QueueMember\nQueue: q\nName: 4711\nLocation: PJSIP/201\n" + rest:                   QueueMember{member},
		"Event: QueueMemberStatus\n" + live:                                                        QueueMemberStatus{member},
		"Event: QueueMemberPenalty\n" + live:                                                       QueueMemberStatus{member},
		"Event: QueueMemberAdded\n" + live:                                                         QueueMemberAdded{member},
		"Event: QueueMemberRemoved\n" + strings.ToUpper(live[:len("Queue")]) + live[len("Queue"):]: QueueMemberRemoved{member},
		"Event: QueueMemberPause\n" + live:                                                         QueueMemberPause{member},
		"Event: QueueMemberPause\nStatus: 99\nLastCall: 99999999999999":                            QueueMemberPause{},
		"Event: FullyBooted\nStatus: Fully Booted":                                                 FullyBooted{},
		"Event: Shutdown\nShutdown: Cleanly\nRestart: True":                                        Shutdown{true},
		"Event: QueueParams\nQueue: q\nMax: 9\nStrategy: ringall\nCalls: 1\nHoldtime: 2\nTalkTime: 3\nCompleted: 4\nAbandoned: 5\nServicelevel: 30\nServicelevelPerf: nan\nWeight: 6": QueueParams{
			"q", "ringall", 9, 1, 2 * time.Second, 3 * time.Second, 4, 5, 30 * time.Second, 6, -1, -1},
	} {
		got, ok := decode(parse(t, text))
		if got != want || ok != (want != nil) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, ok, want)
		}
		if shown := fmt.Sprintf("%+v", got); strings.Contains(shown, "5551234") || strings.Contains(shown, "Erika") || strings.Contains(shown, "carrier") {
			t.Errorf("a caller is kept: %s", shown)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("Event: QueueMember\nName: 4711\nLastCall: 3\nStatus: 99\n\nEvent: QueueEntry\nWait: 99999999999\n\n"))
	f.Add([]byte("Event: AgentRingNoAnswer\nRingTime: -1\n\nEvent: Shutdown\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s message.Stream
		s.Write(data)
		for {
			m, err := s.Next()
			if err != nil {
				return
			}
			e, ok := decode(m)
			if ok != (e != nil) {
				t.Fatalf("%v gives %v, %v", m, e, ok)
			}
			if entry, ok := e.(QueueEntry); ok && entry.Wait < 0 {
				t.Fatalf("waited %s", entry.Wait)
			}
		}
	})
}
