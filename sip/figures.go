package sip

import "time"

// A Tally counts calls by what came of them. It knows no caller.
type Tally struct {
	Calls     int // all of the below
	Solved    int
	Forwarded int
	Messages  int
	Unsaid    int // the agent did not say
}

// FirstContact is the percentage of requests that were solved at the first contact: of those whose result was said,
// rounded down. It reports false while there are none.
func (t Tally) FirstContact() (percent int, ok bool) {
	said := t.Solved + t.Forwarded + t.Messages
	if said <= 0 {
		return 0, false
	}
	return t.Solved * 100 / said, true
}

// A NamedTally is the Tally of one line or of one topic.
type NamedTally struct {
	Name string // the called number, or the identifier of the topic; empty: unknown, or none chosen
	Tally
}

// DayFigures are what the agents have said of the calls of one day.
type DayFigures struct {
	Day    time.Time // its midnight, by the clock of the place
	Team   Tally
	Lines  []NamedTally // by called number: 115 is counted apart; the most called first
	Topics []NamedTally // the most frequent first
	Own    Tally        // of the agent who is signed in at this phone; zero without one
}

// A KeepProblem says why an outcome or a message is not safe on this phone.
type KeepProblem uint8

// The problems of keeping.
const (
	Kept        KeepProblem = iota // it is on the disk and will be delivered
	OutboxFull                     // too many wait to be delivered: this one was not kept, the older ones are
	OutboxFault                    // the disk refused it
	KeepProblemCount
)

func (p KeepProblem) String() string {
	return [...]string{"kept", "outbox-full", "outbox-fault", "invalid"}[min(p, KeepProblemCount)]
}

type (
	// SwitchboardChanged: the switchboard can be asked, or why it cannot.
	SwitchboardChanged struct {
		Up      bool
		Problem AgentProblem // SwitchboardAway, SwitchboardUntrusted or PhoneUnknown; NoProblem when Up
	}
	// FiguresReported: the figures of the day have come.
	FiguresReported struct{ Figures DayFigures }
	// OutboxChanged: what became of the outcome or message ID (empty: nothing new), and how many wait for delivery.
	OutboxChanged struct {
		ID      string
		Problem KeepProblem
		Waiting int
	}
	// MessageTaken: the switchboard has the message; the office answers until Due. Zero: nothing is promised.
	MessageTaken struct {
		ID  string
		Due time.Time
	}
)

func (AgentReply) event()         {}
func (SwitchboardChanged) event() {}
func (FiguresReported) event()    {}
func (OutboxChanged) event()      {}
func (MessageTaken) event()       {}
