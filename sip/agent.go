package sip

import "time"

// An AgentState is what an agent is to the queues.
type AgentState uint8

// The states.
const (
	SignedOut AgentState = iota // nobody is signed in at the phone
	Ready                       // calls are offered
	Paused                      // no calls, for a reason
	WrapUp                      // no calls until the work after a call is done
	AgentStateCount
)

func (s AgentState) String() string {
	return [...]string{"signed-out", "ready", "paused", "wrap-up", "invalid"}[min(s, AgentStateCount)]
}

// ParseAgentState is the inverse of String.
func ParseAgentState(name string) (AgentState, bool) {
	for s := range AgentStateCount {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// An Agent is who is signed in at one phone and what he does, as the switchboard knows it. The switchboard is the
// truth: a phone shows what it was told, and since when.
type Agent struct {
	Device  string     // the phone, by its SIP account: "201"
	Number  string     // of the agent: "4711"; empty when nobody is signed in
	Name    string     // of the agent; only told to his own phone
	State   AgentState //
	Reason  string     // why he paused, one of the site's reasons: "break"; empty without one
	Since   time.Time  // of State
	Until   time.Time  // when WrapUp ends by itself; zero: never
	Extends int        // how often this WrapUp can still be extended
	// PausesNext is the reason of a pause that begins when the call, or the WrapUp after it, is over; empty: none.
	PausesNext string
	Queues     []string // that he serves
	// Elsewhere is the phone that took the sign-in over, when State is SignedOut for that reason.
	Elsewhere string
	Version   uint64 // grows with every change
	// Confirmed: the PBX does what State says. False while the switchboard cannot reach the PBX.
	Confirmed bool
}

// An AgentVerb is what an agent asks of the switchboard.
type AgentVerb uint8

// The verbs.
const (
	AskState   AgentVerb = iota // nothing but the present Agent
	SignIn                      // Number, PIN, TakeOver
	SignOut                     //
	GoReady                     // from Paused, or WrapUp that is done
	GoPaused                    // Reason
	ExtendWrap                  // a longer WrapUp; bounded, see Agent.Extends
	AgentVerbCount
)

func (v AgentVerb) String() string {
	return [...]string{"state", "sign-in", "sign-out", "ready", "pause", "extend", "invalid"}[min(v, AgentVerbCount)]
}

// An AgentProblem says why the switchboard did not do what was asked.
type AgentProblem uint8

// The problems. Each has a text in every language of the panel.
const (
	NoProblem            AgentProblem = iota
	SwitchboardAway                   // no answer, or none that makes sense
	SwitchboardUntrusted              // its certificate is not from the configured authority, or the clock is wrong
	PhoneUnknown                      // the switchboard does not know the phone, or not with this secret
	WrongPIN                          // or no such agent: the answer does not tell which
	TooManyTries                      // the agent number is locked for a time
	SignedInThere                     // the agent is signed in at another phone (AgentReply.Elsewhere); TakeOver moves him
	NotSignedIn                       // nobody is signed in here
	ReasonUnknown                     // the site has no such reason
	ExtendedEnough                    // the wrap-up cannot be extended again
	NotWrappingUp                     // there is no wrap-up to extend
	PBXAway                           // the switchboard cannot reach the PBX; nothing has changed
	PBXRefused                        // the PBX did not do it; nothing has changed
	AgentProblemCount
)

func (p AgentProblem) String() string {
	return [...]string{"none", "switchboard-away", "switchboard-untrusted", "phone-unknown", "wrong-pin", "too-many-tries", "signed-in-elsewhere", "not-signed-in",
		"reason-unknown", "extended-enough", "not-wrapping-up", "pbx-away", "pbx-refused", "invalid"}[min(p, AgentProblemCount)]
}

// ParseAgentProblem is the inverse of String.
func ParseAgentProblem(name string) (AgentProblem, bool) {
	for p := range AgentProblemCount {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}

// A Result is what came of a call.
type Result uint8

// The results.
const (
	NoResult    Result = iota // the agent did not say
	Solved                    // at the first contact
	Forwarded                 // the citizen was passed on to an office
	LeftMessage               // an office got a message and answers
	ResultCount
)

func (r Result) String() string {
	return [...]string{"none", "solved", "forwarded", "message", "invalid"}[min(r, ResultCount)]
}

// ParseResult is the inverse of String.
func ParseResult(name string) (Result, bool) {
	for r := range ResultCount {
		if r.String() == name {
			return r, true
		}
	}
	return 0, false
}

// An Outcome is what an agent says of a call afterwards. It holds nothing of the caller.
type Outcome struct {
	ID       string    // 32 hexadecimal digits of chance, made by the phone: the same outcome sent twice counts once
	Revision int       // of the same ID, from 0; a late entry replaces what was said before, an older one does not
	Agent    string    // his number; empty when he signed in by a feature code
	Queue    string    // that the call came from; may be empty
	Tenant   string    // identifier of the knowledge file
	Line     string    // the called number; 115 is counted apart by it
	Topic    string    // identifier of the knowledge file; empty: none chosen
	Office   string    // identifier, of Forwarded and LeftMessage
	Result   Result    //
	At       time.Time // the call was answered
	Talked   time.Duration
	WrapUp   time.Duration
}

// An OfficeMessage asks an office to answer a citizen. It holds what the office needs for that, and is deleted when it
// has been done.
type OfficeMessage struct {
	ID     string // as Outcome.ID
	Agent  string
	Tenant string
	Line   string
	Topic  string
	Office string
	// Callback is the number to call, and Name the name that came with it: told to the office alone, never counted,
	// never logged.
	Callback string
	Name     string
	At       time.Time
}

// An AgentRequest goes from the phone to the switchboard. Exactly one AgentReply of the same ID follows.
type AgentRequest struct {
	ID       uint64
	Verb     AgentVerb
	Number   string // of SignIn
	PIN      string // of SignIn; never logged, see String
	Reason   string // of GoPaused
	TakeOver bool   // of SignIn: also when the agent is signed in at another phone
}

// String names the request without number and PIN.
func (r AgentRequest) String() string { return r.Verb.String() + " " + r.Reason }

// An AgentReply is the switchboard's answer. Agent is the state after it whenever Known.
type AgentReply struct {
	ID        uint64
	Problem   AgentProblem
	Known     bool
	Agent     Agent
	Tries     int       // left, of WrongPIN
	Retry     time.Time // of TooManyTries: when the number may try again
	Elsewhere string    // of SignedInThere: the phone
}
