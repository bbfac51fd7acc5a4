package callcentre

import (
	"time"

	"freizeichen/device/callcentre/library"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// A View is all that the desk adds to the phone's panel and lamps: whole, every time, without words of any language but
// those that the knowledge file and the switchboard bring.
type View struct {
	On      bool // the phone belongs to a call centre; without it nothing of the desk is shown
	Agent   AgentView
	Queues  []QueueView
	Queue   int               // index of the queue that the idle screen shows first
	Light   Light             // of the worst queue
	Closing []library.Closing // lines that close within five minutes, soonest first
	Caller  *Caller           // the citizen of the present call or of the one that rings, nil without one
	Card    *CardView         // of the caller's topic while the agent talks, nil without one
	After   *After            // the work after a call, nil when there is none
	Prompt  *Prompt           // something is being typed, nil without
	Menu    *Menu             // something is to be chosen, nil without
	Note    Note              // one short message, NoteNone without
	NoteArg string            // what belongs to the note: a phone, an office, a time of day
	Unsent  int               // outcomes and messages that wait for the switchboard
	Lost    bool              // an outcome could not be kept: the outbox is full or broken
	Edition *Edition          // of the knowledge, nil without any
	// Today is what the agents have said of today's calls: all of them, and the one who is signed in here. Nil: unknown.
	Today *Today
}

// Today is what came of today's calls.
type Today struct{ Team, Own sip.Tally }

// AgentView is who is signed in and what he does, as far as the phone was told.
type AgentView struct {
	Number string
	Name   string
	State  sip.AgentState
	Reason string // identifier of the reason
	// ReasonText is the site's word for it, empty for one that the catalogue of the panel knows.
	ReasonText string
	Since      time.Time // of State
	// PausesNext: a pause has been asked for and begins when the call, or the work after it, is over.
	PausesNext bool
	Known      bool // false: nothing has been heard of the switchboard since the start
	// Asked: the switchboard has not answered yet; what is shown is the state before.
	Asked bool
	// Away: the switchboard cannot be reached since then; zero: it can.
	Away    time.Time
	Problem sip.AgentProblem // why, when Away
	// Quiet: nobody is signed in, and calls are refused (do not disturb).
	Quiet bool
	// Unconfirmed: the state was asked for by a feature code, or the PBX is away: nobody has confirmed it.
	Unconfirmed bool
}

// QueueView is one queue.
type QueueView struct {
	Name     string
	Known    bool // false: nothing has been reported since the start, or it was refused
	Waiting  int
	Oldest   time.Duration // how long the first in line waits, counted by the phone
	Free     int
	SignedIn int
	Paused   int
	Coarse   bool      // Waiting and Free only say whether there is somebody
	Stale    time.Time // no data since; zero: the figures are present. Stale figures are not shown as if they were true
	Level    LevelView
	Busy     Busy
}

// LevelView is the service level of today with all that makes it honest.
type LevelView struct {
	Known   bool // there was a call to count
	Percent int
	Formula sip.Formula
	Within  time.Duration
	Target  int // 0: nothing is promised
	Light   Light
	Since   time.Time // the counts have a gap before it; zero: they are of today
}

// A Light is a traffic light. Panels show it by shape and word; colour only repeats them.
type Light uint8

// The lights.
const (
	LightNone Light = iota // nothing promised, or nothing counted
	LightGood              // the promise is kept
	LightNear              // missed by five points at most
	LightBad               // missed
)

// Busy says how pressing a queue is, for the lamp.
type Busy uint8

// The degrees.
const (
	Calm    Busy = iota // nobody waits
	Waiting             // somebody waits
	Many                // more wait than the threshold
	Long                // one waits longer than the threshold
	Unknown             // no data
)

// Caller is the citizen of a call.
type Caller struct {
	Call     sip.CallID
	Tenant   string // name; empty when the called number is nobody's: then the panel shows the number as is
	Line     string // name of the called line
	Greeting string
	Topic    string        // name; the text of the PBX when the knowledge does not know it; may be empty
	Waited   time.Duration // before it rang here, 0 when the PBX does not tell
	Talking  bool
}

// CardView is what the agent speaks from. Lines are in the order in which they are to be read.
type CardView struct {
	Topic   string
	Tenant  string
	Lines   []CardLine
	Top     int // index of the first line shown; what a panel can show from there depends on its size
	Source  firmware.Source
	Example bool
	Updated time.Time // the day it was looked at last
	Age     int       // days since
	Office  *OfficeView
	Missing bool // there is no card for this topic and tenant: Lines is only notices
}

// A LineKind says what a line of a card is; the panel puts its word before it.
type LineKind uint8

// The kinds.
const (
	NoticeLine LineKind = iota // news of the day
	TextLine
	PaperLine // something to bring
	FeeLine
	HoursLine  // of the counter
	OfficeLine // name and number of the responsible office
	OpenLine   // whether it is open now: Text is empty, see OfficeView
	SourceLine // source and age: Text is empty
)

// A CardLine is one thing to say.
type CardLine struct {
	Kind LineKind
	Text string
}

// OfficeView is the responsible office.
type OfficeView struct {
	Name    string
	Number  string
	Open    bool
	Changes time.Time // when it closes or opens; zero: unknown
	Busy    bool      // it was asked during this call and was busy or did not answer
}

// After is the work after a call.
type After struct {
	Tenant  string
	Topic   string // name; empty: none chosen
	Result  sip.Result
	Choices []Choice // favourite topics; the first stands on key 1
	Top     int      // index of the first choice shown when they do not fit
	// Left is the rest of the wrap-up, rounded up to seconds; Counting is false when no wrap-up runs (late entry, no
	// switchboard): then nothing ends by itself.
	Counting bool
	Left     time.Duration
	Of       time.Duration // the whole wrap-up, with its extensions
	Extends  int           // how often it can still be extended
	Late     bool
}

// Prompt is something being typed.
type Prompt struct {
	Kind   PromptKind
	Typed  string // the agent's number; of a PIN only its length is known to the panel: dots
	Hidden int    // number of typed digits that must not be shown
	Tries  int    // that are left after a wrong PIN, 0 when not told
}

// A PromptKind says what is typed.
type PromptKind uint8

// The prompts.
const (
	AskNumber PromptKind = iota
	AskPIN
)

// Menu is a list to choose from.
type Menu struct {
	Kind     MenuKind
	Arg      string // of TakeOverMenu: the phone where the agent is signed in
	Choices  []Choice
	Selected int
}

// A MenuKind is the menu's title.
type MenuKind uint8

// The menus.
const (
	MainMenu MenuKind = iota
	ReasonMenu
	TopicMenu
	TenantMenu
	OfficeMenu
	CallMenu     // during a call
	TakeOverMenu // the agent is signed in at another phone (Menu.Arg): move him here?
	NoticeMenu   // the notices of the day, to read
	MenuKindCount
)

// A Choice is one line of a menu. Word says which of the catalogue's words it is; WordText means Text.
type Choice struct {
	Word Word
	Text string
	Mark bool // the present one
}

// A Word is a choice that the catalogue of the panel names.
type Word uint8

// The words.
const (
	WordText Word = iota
	WordSignIn
	WordSignOut
	WordReady
	WordPause
	WordLastCall // late entry of topic and outcome
	WordNotices
	WordTopic
	WordTenant
	WordOffice
	WordHold
	WordHangup
	WordQuiet   // do not disturb
	WordUnquiet // its end
	WordYes
	WordNo
	WordOther // another topic, none of the list
	WordBreak // the reasons every site has
	WordMeeting
	WordTraining
	WordBackOffice
	WordDeclined
	WordDoNotDisturb
	WordCount
)

// A Note is one short message for the agent.
type Note uint8

// The notes.
const (
	NoteNone         Note = iota
	NoteProblem           // the switchboard did not do it: View.Agent.Problem's words, or of the last request: NoteArg holds AgentProblem.String()
	NoteSignedIn          // welcome
	NoteTakenOver         // signed in at phone NoteArg meanwhile
	NoteOfficeClosed      // NoteArg opens at; press again to call all the same
	NoteNoOffice          // no office is responsible for this topic
	NoteMessageSent       // the office gets it
	NoteNotSent           // it could not be kept
	NoteCode              // asked by feature code; nobody has confirmed it
	NoteCodeFailed        // the feature code did not work
	NoteNoNumber          // no number to call back: the message cannot be left
	NotePaused            // a refused call has paused the agent
	NotePausesNext        // the pause asked for begins when the call is over
	NoteMessageTaken      // the switchboard has the message; the office answers until NoteArg
	NoteOfficeBusy        // the office is busy or does not answer: leave a message?
	NoteCount
)

// An Edition is which knowledge the phone speaks from.
type Edition struct {
	Version string
	At      time.Time // compiled
	Example bool
	Old     bool // the switchboard has been away for so long that a newer one may exist
}

// An Action is the meaning of a soft key that belongs to the desk.
type Action uint8

// The actions. Each has a text in every language.
const (
	ActNone Action = iota
	ActSignIn
	ActPause
	ActReady
	ActMenu
	ActNext // of a prompt
	ActErase
	ActCancel
	ActAsk     // the office, attended
	ActPass    // the call to the office, blind
	ActMessage // to the office
	ActMore
	ActSolved
	ActForwarded
	ActLeftMessage
	ActDone
	ActChoose
	ActBack
	ActYes
	ActNo
	ActionCount
)
