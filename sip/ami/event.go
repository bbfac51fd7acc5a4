package ami

import (
	"math"
	"strconv"
	"strings"
	"time"

	"freizeichen/sip/ami/message"
)

// An Event is what the PBX tells, or what becomes of the connection to it. It is one of the types below. None has a
// field for a caller's number or name: they end in this file.
type Event interface{ event() }

// The connection. In between, everything comes in the order in which Asterisk sent it.
type (
	// SyncBegin: we are logged in, or QueueStatus was called, and the list of all queues follows: QueueParams, then
	// QueueMember and QueueEntry of each. Live events can come in between. One that comes after the list may tell of
	// something that the list knows already (Asterisk makes its events beside the list); whoever takes every event as
	// it comes ends up with the truth.
	SyncBegin struct{}
	// SyncComplete: what has not come since SyncBegin is not there.
	SyncComplete struct{}
	// Lost: the connection has ended, or an attempt at one has. Everything before it came whole; nothing is known of the
	// PBX until the next SyncComplete.
	Lost struct {
		Cause Cause
		Err   error         // for the operator: what to look at
		Retry time.Duration // until the next attempt
	}
	// FullyBooted and Shutdown are only sent to users with "read = system".
	FullyBooted struct{}
	Shutdown    struct{ Restart bool }
)

// The list of QueueStatus.
type (
	// QueueParams is one queue. The counts are since Asterisk's start or its last QueueReset.
	QueueParams struct {
		Queue        string
		Strategy     string
		Max          int // callers, 0 without a limit
		Calls        int // who wait
		HoldTime     time.Duration
		TalkTime     time.Duration // both are moving averages
		Completed    int
		Abandoned    int
		ServiceLevel time.Duration // "in time" of queues.conf, 0 without one
		Weight       int
		// Level is ServicelevelPerf, completed in time / completed, and Level2 is ServicelevelPerf2, (completed in time +
		// abandoned in time) / (completed + abandoned): in tenths of a percent, as Asterisk rounds them; -1: not told.
		Level, Level2 int
	}
	// QueueMember is one member in one queue.
	QueueMember struct{ Member }
	// QueueEntry is one caller who waits.
	QueueEntry struct {
		Queue    string
		Uniqueid string // of his channel
		Position int    // from 1
		Wait     time.Duration
	}
)

// Callers.
type (
	// QueueCallerJoin: one more waits. Count is with him.
	QueueCallerJoin struct {
		Queue    string
		Uniqueid string
		Position int
		Count    int
	}
	// QueueCallerLeave: one waits no more, whatever the reason. Count is without him, Position the one he had.
	QueueCallerLeave struct {
		Queue    string
		Uniqueid string
		Position int
		Count    int
	}
	// QueueCallerAbandon: he has given up; QueueCallerLeave follows.
	QueueCallerAbandon struct {
		Queue            string
		Uniqueid         string
		Position         int
		OriginalPosition int
		HoldTime         time.Duration
	}
)

// Calls of members. Uniqueid is the caller's, as in QueueCallerJoin; it can be empty, see AgentComplete.
type (
	// AgentCalled: a member's phone rings.
	AgentCalled struct{ Queue, Uniqueid, MemberName, Interface string }
	// AgentConnect: he has answered.
	AgentConnect struct {
		Queue, Uniqueid, MemberName, Interface string
		HoldTime                               time.Duration // the caller waited, whole seconds
		RingTime                               time.Duration // whole seconds
	}
	// AgentComplete: the call is over. Asterisk 22.10 leaves Uniqueid out when the caller's channel is gone already, as it
	// often is when he hung up: Queue and Interface say which call it was.
	AgentComplete struct {
		Queue, Uniqueid, MemberName, Interface string
		HoldTime                               time.Duration
		TalkTime                               time.Duration
		Reason                                 string // who ended it: caller, agent, transfer
	}
	// AgentRingNoAnswer: he did not answer in time, or rejected.
	AgentRingNoAnswer struct {
		Queue, Uniqueid, MemberName, Interface string
		RingTime                               time.Duration // to the millisecond; 0 when he rejected
	}
)

// Changes of members: the member as it is now, in QueueMemberRemoved as it was.
type (
	QueueMemberStatus  struct{ Member } // QueueMemberStatus: his device, or calls taken
	QueueMemberAdded   struct{ Member } // QueueMemberAdded: he serves the queue
	QueueMemberRemoved struct{ Member } // QueueMemberRemoved: he does not any more
	QueueMemberPause   struct{ Member } // QueueMemberPause: comes also when nothing has changed
)

// A Member is one member of one queue.
type Member struct {
	Queue          string
	Name           string // MemberName: the agent's number, or the interface if none was given
	Interface      string // that is called: "PJSIP/201"
	StateInterface string // whose state counts
	Membership     string // dynamic (QueueAdd), static (queues.conf), realtime
	Penalty        int
	CallsTaken     int
	LastCall       time.Time // when the last call ended, by the PBX's clock; zero: never
	LastPause      time.Time
	LoginTime      time.Time
	InCall         bool // in a call of this queue
	Status         DeviceState
	Paused         bool
	PausedReason   string
	WrapupTime     time.Duration
}

// A DeviceState is AST_DEVICE_... of Asterisk's devicestate.h.
type DeviceState uint8

// The states of a device.
const (
	DeviceUnknown DeviceState = iota
	DeviceNotInUse
	DeviceInUse
	DeviceBusy
	DeviceInvalid
	DeviceUnavailable
	DeviceRinging
	DeviceRingInUse
	DeviceOnHold
	DeviceStateCount
)

func (d DeviceState) String() string {
	return [...]string{"unknown", "not-in-use", "in-use", "busy", "invalid", "unavailable", "ringing", "ring-in-use", "on-hold",
		"out-of-range"}[min(d, DeviceStateCount)]
}

func (SyncBegin) event()          {}
func (SyncComplete) event()       {}
func (Lost) event()               {}
func (FullyBooted) event()        {}
func (Shutdown) event()           {}
func (QueueParams) event()        {}
func (QueueMember) event()        {}
func (QueueEntry) event()         {}
func (QueueCallerJoin) event()    {}
func (QueueCallerLeave) event()   {}
func (QueueCallerAbandon) event() {}
func (AgentCalled) event()        {}
func (AgentConnect) event()       {}
func (AgentComplete) event()      {}
func (AgentRingNoAnswer) event()  {}
func (QueueMemberStatus) event()  {}
func (QueueMemberAdded) event()   {}
func (QueueMemberRemoved) event() {}
func (QueueMemberPause) event()   {}

// decode makes a typed event of Asterisk's. It reports false for the many that nobody here needs.
func decode(m message.Message) (Event, bool) {
	queue, caller := m.Get("Queue"), m.Get("Uniqueid")
	memberName, device := m.Get("MemberName"), first(m, "Interface", "Location")
	switch _, name := m.Kind(); name {
	case "QueueParams":
		return QueueParams{queue, m.Get("Strategy"), number(m, "Max"), number(m, "Calls"), seconds(m, "Holdtime"), seconds(m, "TalkTime"),
			number(m, "Completed"), number(m, "Abandoned"), seconds(m, "ServiceLevel"), number(m, "Weight"),
			tenths(m, "ServicelevelPerf"), tenths(m, "ServicelevelPerf2")}, true
	case "QueueEntry":
		return QueueEntry{queue, caller, number(m, "Position"), seconds(m, "Wait")}, true
	case "QueueMember":
		return QueueMember{member(m)}, true
	case "QueueMemberStatus", "QueueMemberPenalty":
		return QueueMemberStatus{member(m)}, true
	case "QueueMemberAdded":
		return QueueMemberAdded{member(m)}, true
	case "QueueMemberRemoved":
		return QueueMemberRemoved{member(m)}, true
	case "QueueMemberPause":
		return QueueMemberPause{member(m)}, true
	case "QueueCallerJoin":
		return QueueCallerJoin{queue, caller, number(m, "Position"), number(m, "Count")}, true
	case "QueueCallerLeave":
		return QueueCallerLeave{queue, caller, number(m, "Position"), number(m, "Count")}, true
	case "QueueCallerAbandon":
		return QueueCallerAbandon{queue, caller, number(m, "Position"), number(m, "OriginalPosition"), seconds(m, "HoldTime")}, true
	case "AgentCalled":
		return AgentCalled{queue, caller, memberName, device}, true
	case "AgentConnect":
		return AgentConnect{queue, caller, memberName, device, seconds(m, "HoldTime"), seconds(m, "RingTime")}, true
	case "AgentComplete":
		return AgentComplete{queue, caller, memberName, device, seconds(m, "HoldTime"), seconds(m, "TalkTime"), m.Get("Reason")}, true
	case "AgentRingNoAnswer":
		// app_queue.c, rna(): milliseconds here, seconds in AgentConnect.
		return AgentRingNoAnswer{queue, caller, memberName, device, seconds(m, "RingTime") / 1000}, true
	case "FullyBooted":
		return FullyBooted{}, true
	case "Shutdown":
		return Shutdown{yes(m, "Restart")}, true
	}
	return nil, false
}

func member(m message.Message) Member {
	state := number(m, "Status")
	if state < 0 || state >= int(DeviceStateCount) {
		state = int(DeviceUnknown)
	}
	return Member{
		// The list says Name and Location, the events MemberName and Interface.
		Queue: m.Get("Queue"), Name: first(m, "MemberName", "Name"), Interface: first(m, "Interface", "Location"),
		StateInterface: m.Get("StateInterface"), Membership: m.Get("Membership"), Penalty: number(m, "Penalty"), CallsTaken: number(m, "CallsTaken"),
		LastCall: epoch(m, "LastCall"), LastPause: epoch(m, "LastPause"), LoginTime: epoch(m, "LoginTime"),
		InCall: yes(m, "InCall"), Status: DeviceState(state), Paused: yes(m, "Paused"), PausedReason: m.Get("PausedReason"),
		WrapupTime: seconds(m, "Wrapuptime"),
	}
}

func first(m message.Message, names ...string) string {
	for _, name := range names {
		if value := m.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// number is a whole number that fits 32 bits, 0 if the field holds none.
func number(m message.Message, name string) int {
	n, err := strconv.ParseInt(m.Get(name), 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// tenths reads a percentage with one digit behind the point, "91.7", as 917; -1 if the field holds none.
func tenths(m message.Message, name string) int {
	whole, part, _ := strings.Cut(m.Get(name), ".")
	n, err := strconv.ParseUint(whole+(part + "0")[:1], 10, 16)
	if err != nil || n > 1000 || whole == "" {
		return -1
	}
	return int(n)
}

// seconds is never negative: Asterisk computes waiting times from its clock, which can be set.
func seconds(m message.Message, name string) time.Duration {
	return time.Duration(max(number(m, name), 0)) * time.Second
}

// epoch is the zero time for 0, which means never.
func epoch(m message.Message, name string) time.Time {
	n, err := strconv.ParseInt(m.Get(name), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt32*100 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

func yes(m message.Message, name string) bool {
	value := m.Get(name)
	return value == "1" || strings.EqualFold(value, "true") || strings.EqualFold(value, "yes")
}
