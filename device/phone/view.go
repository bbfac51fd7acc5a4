package phone

import (
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/hal"
	"freizeichen/sip"
)

// A View is all that the phone shows, lights and sounds: whole, every time, a pure function of state and time.
// It holds no words of any language: device/screen finds them.
type View struct {
	Now    time.Time // wall clock of the panel, in local time
	Status Status
	Screen Screen
	Calls  []Call  // all calls, in the order of their beginning, whatever the screen shows
	Soft   [4]Soft // meaning of the four soft keys, left to right
	Lamps  hal.Lamps
	Sound  Sound
	Desk   callcentre.View // what the agent's desk adds; with On false, nothing
	// Headset is what the headset's own lamps show.
	Headset hal.HeadsetLamps
}

// Status is the line that stands on every screen.
type Status struct {
	Name         string // of the account, as people know it: "201"
	Registration Registration
	Cause        sip.Cause     // why Registration is not Registered
	Retry        time.Duration // until the next try, rounded to seconds
	Missed       int           // missed calls not yet looked at
	Muted        bool
	Route        hal.Route   // of the running call or dial tone; Silent when there is none
	Volume       *VolumeView // shown for 2 s after a volume key, else nil
	Faults       hal.Faults  // parts of the body that are missing or fail
}

// VolumeView is the volume bar.
type VolumeView struct {
	Level, Max int
	Ringer     bool // the ringer's volume, not the voice's
}

// Registration is the state of the account.
type Registration uint8

// The states of registration.
const (
	Registering Registration = iota // first try is under way
	Registered                      //
	Lost                            // was registered, trying again; running calls go on
	Failed                          // never registered since the start, trying again
)

func (r Registration) String() string {
	return [...]string{"registering", "registered", "lost", "failed"}[r]
}

// A Screen is what the middle of the panel shows. It is one of the types below.
type Screen interface{ screen() }

type (
	// Idle: nothing to do.
	Idle struct{}
	// Dialling: a number is being typed.
	Dialling struct {
		Number   string
		OffHook  bool // the line is seized: dial tone or silence after the first digit; else digits first
		Transfer bool // the number a running call shall be passed to
	}
	// Calls: one or more calls.
	Calls struct {
		Calls    []Call // in the order of their lines
		Selected int    // index of the call that keys and soft keys mean
	}
	// Ended: the call is over, shown until the handset is put back or a few seconds have passed.
	Ended struct {
		Party    sip.Party
		Cause    sip.Cause
		Status   int           // SIP status for causes without a better word, 0 without one
		Duration time.Duration // of the conversation, 0 when there was none
		Waiting  []sip.Party   // who is on hold meanwhile and waits to be taken back
	}
	// List: a list of past calls, newest first.
	List struct {
		Kind     ListKind
		Entries  []Entry
		Selected int
	}
	// Desk: the agent's desk has the screen. View.Desk has a Prompt, else a Menu, else After.
	Desk struct{}
)

func (Idle) screen()     {}
func (Dialling) screen() {}
func (Calls) screen()    {}
func (Ended) screen()    {}
func (List) screen()     {}
func (Desk) screen()     {}

// A CallState is what a call is doing.
type CallState uint8

// The states of a call.
const (
	CallingOut CallState = iota // dialled, nothing heard from the other end yet
	RingingOut                  // the other end rings, or early media plays
	RingingIn                   // it rings here
	Talking
	Held         // we have put the peer on hold
	HeldByRemote // the peer has put us on hold
	Transferring // we have asked the peer to call somebody else
)

func (s CallState) String() string {
	return [...]string{"calling", "ringing-out", "ringing", "talking", "held", "held-by-remote", "transferring"}[s]
}

// Call is one call as the panel shows it.
type Call struct {
	ID       sip.CallID
	Line     int // 1 or 2
	State    CallState
	Party    sip.Party
	Called   sip.Party // the number the citizen dialled and its name (the municipality), zero if unknown
	Topic    string    // what the caller wants; may be empty
	Incoming bool
	Duration time.Duration // since the conversation began; while it rings, since it began to ring
	// Consulting is the call on whose behalf this one asks: that one waits, and can be joined with it. 0 without.
	Consulting sip.CallID
}

// A ListKind is a kind of call list.
type ListKind uint8

// The lists.
const (
	MissedCalls ListKind = iota
	DialledCalls
)

// An Entry is one past call.
type Entry struct {
	Party  sip.Party
	Called sip.Party // as in Call
	Topic  string
	At     time.Time
}

// A Soft is the meaning of a soft key. Each has a text in every language.
type Soft uint8

// The meanings.
const (
	SoftNone Soft = iota
	SoftAnswer
	SoftReject
	SoftHangup
	SoftHold
	SoftResume
	SoftSwap     // hold this call, resume the other
	SoftTransfer // ask for the number to pass the call to
	SoftConsult  // ask there first
	SoftPass     // pass the call on without asking
	SoftJoin     // pass it on to whom has been asked
	SoftDial
	SoftDelete // the last digit, or the selected entry
	SoftCancel
	SoftRedial
	SoftMissed
	SoftBack
	SoftYes // the self-test asks
	SoftNo
	SoftDesk  // SoftDesk + n is callcentre's Action n, one of the desk's own
	SoftCount = SoftDesk + Soft(callcentre.ActionCount)
)

// A Tone is what is heard besides voice. device/voice has its cadence.
type Tone uint8

// The tones.
const (
	ToneNone Tone = iota
	ToneDial
	ToneRingback
	ToneBusy
	ToneCongestion // the network cannot
	ToneKnock      // a second call waits, mixed into the conversation
	ToneRing       // the ringer, always on the loudspeaker
	ToneHold       // short reminder that a call is held and nobody talks
)

func (t Tone) String() string {
	return [...]string{"none", "dial", "ringback", "busy", "congestion", "knock", "ring", "hold"}[t]
}

// Sound is what is heard.
type Sound struct {
	Tone   Tone
	Digit  byte          // DTMF feedback while a digit key is down, 0 without
	Route  hal.Route     // of voice and tones other than ToneRing
	Live   sip.CallID    // the call that is heard and spoken to, 0 without
	Calls  [4]sip.CallID // all calls that may have media, 0 without: each must be sent silence when it is not Live
	Muted  bool          // the microphone is off; silence is sent
	Volume int           // of the route, 0 to VolumeMax
	Ringer int           // volume of the ringer, 0 (silent) to VolumeMax
}

// VolumeMax is the loudest level of every route and the ringer. A level is 3 dB; 7 is 0 dB.
const VolumeMax = 10
