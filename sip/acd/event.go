package acd

import (
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd/count"
)

// An Event is what a Centre is told.
type Event interface {
	queue() string // that it is about; empty: about none
}

// A Status is what a member's phone does, with the numbers of Asterisk's device states.
type Status uint8

// The statuses.
const (
	StatusUnknown Status = iota // counts as free: Asterisk offers calls to it
	StatusFree
	StatusInUse
	StatusBusy
	StatusInvalid
	StatusUnavailable // the phone is not registered, or does not answer
	StatusRinging
	StatusRingInUse
	StatusOnHold
)

// A Problem is what became of a command to the PBX.
type Problem uint8

// The problems.
const (
	Did          Problem = iota // the PBX did it
	AlreadyThere                // MemberAdd: the member serves the queue already
	NotThere                    // MemberRemove, MemberPause: there is no such member
	NoSuchQueue                 // the PBX does not have the queue
	Refused                     // another reason
	Unreachable                 // no answer: it may have been done or not
	ProblemCount
)

func (p Problem) String() string {
	return [...]string{"did", "already there", "not there", "no such queue", "refused", "unreachable", "invalid"}[min(p, ProblemCount)]
}

// The PBX's queues. Callers are named by the PBX's identifier of the call, which says nothing of the person; members by
// the PBX's name of the device ("PJSIP/201").
type (
	// SyncBegin: the PBX's whole view follows, as QueueSeen, MemberSeen and CallerSeen, until SyncComplete. Other events
	// may come in between. Started is when the PBX was started, zero when it does not tell.
	SyncBegin    struct{ Started time.Time }
	SyncComplete struct{} // all of it has come
	// PBXLost: there is no connection any more, since a time that may be earlier than now.
	PBXLost struct{ Since time.Time }
	// QueueSeen is one queue with its counters, which run since the PBX was started or they were reset.
	QueueSeen struct {
		Queue     string
		Completed int // calls that were answered and are over
		Abandoned int
		Within    time.Duration // what the PBX calls in time
		// Level is completed in time / completed, Level2 (completed in time + abandoned in time) / (completed + abandoned),
		// both in tenths of a percent, rounded as the PBX does; negative: not known.
		Level, Level2 int
	}
	// MemberSeen is one member of a queue.
	MemberSeen struct {
		Queue     string
		Interface string
		Name      string // an agent's number, or what another tool put there
		Status    Status
		Paused    bool
		Reason    string    // of the pause
		Talking   bool      // with a caller of this queue
		LastCall  time.Time // when his last call of the queue ended; zero: none
	}
	// CallerSeen is one caller who waits.
	CallerSeen struct {
		Queue, Caller string
		Waited        time.Duration
	}
	// CallerJoined: a caller waits.
	CallerJoined struct{ Queue, Caller string }
	// CallerLeft: he waits no more, whatever the reason.
	CallerLeft struct{ Queue, Caller string }
	// CallerAbandoned: he gave up, or was sent away without an answer.
	CallerAbandoned struct {
		Queue, Caller string
		Waited        time.Duration
	}
	// AgentConnected: an agent answered him.
	AgentConnected struct {
		Queue, Caller, Interface string
		Held                     time.Duration // how long he waited
	}
	// AgentCompleted: their talk is over, or went to somebody else.
	AgentCompleted struct {
		Queue, Interface string
		Held, Talked     time.Duration
	}
	// MemberAdded: somebody began to serve a queue.
	MemberAdded MemberSeen
	// MemberRemoved: somebody serves it no more.
	MemberRemoved struct{ Queue, Interface string }
	// MemberPaused: a pause began, with a reason, or ended.
	MemberPaused struct {
		Queue, Interface string
		Paused           bool
		Reason           string
	}
	// MemberStatus: a member's phone does something else.
	MemberStatus struct {
		Queue, Interface string
		Status           Status
	}
	// Done is the PBX's word on the command of the same ID. Exactly one follows each command, except that PBXLost speaks
	// for all that are open.
	Done struct {
		ID      uint64
		Problem Problem
	}
)

// Phones, memory and time.
type (
	// Asked is a phone's request. Exactly one Reply follows. Verified is what the shell found out about a SignIn.
	Asked struct {
		Device   string
		Request  sip.AgentRequest
		Verified Verified
	}
	// Restored is what was remembered of earlier, told before the first SyncBegin.
	Restored struct {
		SignIns []SignIn
		Days    []count.Day
	}
	// Tick: Deadline has come.
	Tick struct{}
)

// Verified is whom a phone's request comes from: the agent whose PIN was right, or the problem.
type Verified struct {
	Problem sip.AgentProblem
	Tries   int       // as in sip.AgentReply
	Retry   time.Time // as in sip.AgentReply
	Number  string
	Name    string
	Queues  []Serving
}

// Serving is one queue of an agent. Those with a lower penalty are offered a call first.
type Serving struct {
	Queue   string
	Penalty int
}

func (SyncBegin) queue() string         { return "" }
func (SyncComplete) queue() string      { return "" }
func (PBXLost) queue() string           { return "" }
func (Done) queue() string              { return "" }
func (Asked) queue() string             { return "" }
func (Restored) queue() string          { return "" }
func (Tick) queue() string              { return "" }
func (e QueueSeen) queue() string       { return e.Queue }
func (e MemberSeen) queue() string      { return e.Queue }
func (e CallerSeen) queue() string      { return e.Queue }
func (e CallerJoined) queue() string    { return e.Queue }
func (e CallerLeft) queue() string      { return e.Queue }
func (e CallerAbandoned) queue() string { return e.Queue }
func (e AgentConnected) queue() string  { return e.Queue }
func (e AgentCompleted) queue() string  { return e.Queue }
func (e MemberAdded) queue() string     { return e.Queue }
func (e MemberRemoved) queue() string   { return e.Queue }
func (e MemberPaused) queue() string    { return e.Queue }
func (e MemberStatus) queue() string    { return e.Queue }

// An Effect is what must be done.
type Effect interface{ effect() }

// To the PBX. Each is answered by Done; they are carried out in their order.
type (
	// MemberAdd lets an interface serve a queue.
	MemberAdd struct {
		ID               uint64
		Queue, Interface string
		Name             string // the agent's number
		Penalty          int
	}
	// MemberRemove ends it.
	MemberRemove struct {
		ID               uint64
		Queue, Interface string
	}
	// MemberPause pauses an interface in all its queues, or ends the pause.
	MemberPause struct {
		ID        uint64
		Interface string
		Paused    bool
		Reason    string // for people; empty when the pause ends
	}
	// Resync asks for SyncBegin ... SyncComplete.
	Resync struct{}
)

// To the phones, the memory and the log.
type (
	// PublishQueue tells all phones that watch the queue how it stands.
	PublishQueue struct {
		Resource string // "cc-kw-zulassung"
		Status   sip.QueueStatus
	}
	// PublishBell tells one phone that its agent has changed.
	PublishBell struct {
		Resource string // "cc-phone-201"
		Device   string
		At       time.Time
		Version  uint64
	}
	// Reply answers a phone's request.
	Reply struct {
		Device string
		Reply  sip.AgentReply
	}
	// RememberSignIn is to be stored in place of an earlier one of the device. One without Number is to be deleted.
	RememberSignIn struct{ SignIn SignIn }
	// RememberDay is to be stored in place of an earlier one of the queue.
	RememberDay struct{ Day count.Day }
	// QueueMissing: a queue of the configuration does not exist on the PBX.
	QueueMissing struct{ Queue string }
)

// A SignIn is what survives a restart of an agent at a phone.
type SignIn struct {
	Device, Number, Name string
	State                sip.AgentState
	Reason               string
	Since, Until         time.Time
	Extends              int
	Version              uint64
}

func (MemberAdd) effect()      {}
func (MemberRemove) effect()   {}
func (MemberPause) effect()    {}
func (Resync) effect()         {}
func (PublishQueue) effect()   {}
func (PublishBell) effect()    {}
func (Reply) effect()          {}
func (RememberSignIn) effect() {}
func (RememberDay) effect()    {}
func (QueueMissing) effect()   {}
