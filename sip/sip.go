// Package sip holds the words that the phone and the network exchange: accounts, calls,
// commands, events, causes. Values only: no I/O, no goroutine, no import of ours.
//
//	device/phone --Command--> sip/ua --Event--> device/phone
package sip

import (
	"net/netip"
	"time"
)

// A CallID names a call between the phone and its user agent while the program runs; 0 is no call.
// As with stream identifiers of RFC 9113 section 5.1.1, either side can open calls without asking
// the other: the phone numbers the calls it dials odd, the user agent numbers incoming calls even.
// It has nothing to do with the Call-ID header field.
type CallID uint32

// A Party is the other end of a call as far as it is known. Both fields are UTF-8 and may be empty.
type Party struct {
	Name   string // display name
	Number string // user part of the URI: digits with an optional leading "+", or a SIP user name
}

// An Account is one registration with the PBX.
type Account struct {
	User      string        // user part of the address of record
	AuthUser  string        // user name for digest; empty means User
	Password  string        // never logged, see String
	Name      string        // display name sent in From; may be empty
	Domain    string        // host part of the address of record
	Server    string        // where requests go, "host" or "host:port"; empty means Domain
	Transport string        // "udp" or "tcp"; empty means "udp"
	Expires   time.Duration // what REGISTER asks for; zero means 300 s
}

// String names the account without its password.
func (a Account) String() string { return a.User + "@" + a.Domain }

// A Codec names an RTP payload format.
type Codec uint8

// The codecs, in our order of preference.
const (
	CodecNone Codec = iota
	PCMA            // G.711 A-law, RFC 3551 payload type 8
	PCMU            // G.711 mu-law, RFC 3551 payload type 0
)

func (c Codec) String() string {
	switch c {
	case PCMA:
		return "PCMA"
	case PCMU:
		return "PCMU"
	}
	return "none"
}

// RateHz is the sample rate of the codec's sound.
func (c Codec) RateHz() int { return 8000 }

// A Direction is the way of a media stream, seen from this phone (RFC 8866 section 6.7).
type Direction uint8

// The zero Direction is SendRecv, the default of RFC 8866.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}

// Receives reports whether sound arrives.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Sends reports whether sound may be sent.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Media is what offer and answer agreed for one call's sound.
type Media struct {
	Remote      netip.AddrPort // where RTP is sent; an unspecified address means hold of RFC 2543
	RemoteRTCP  netip.AddrPort // where RTCP is sent: Remote's port + 1 unless a=rtcp says otherwise
	Codec       Codec
	PayloadType uint8         // of the codec, as the peer wants to receive it
	EventType   uint8         // payload type of telephone-event; 0 means the peer takes none
	PacketTime  time.Duration // of the packets we send: 20 ms unless the peer asked for more (a=ptime)
	Direction   Direction
}

// Statistics is what one call's RTP session has counted (RFC 3550 section 6.4).
type Statistics struct {
	Sent, Received  uint64        // packets
	Lost            uint64        // packets that never arrived
	Late            uint64        // packets that arrived after their time to play
	Stranger        uint64        // packets refused because they came from another source
	Jitter          time.Duration // interarrival jitter
	RoundTrip       time.Duration // from RTCP; zero until the first report
	RemoteLost      uint64        // packets of ours that the peer reports lost
	RemoteJitter    time.Duration // as the peer reports it
	BufferDelay     time.Duration // present delay of the jitter buffer
	ConcealedFrames uint64        // frames made up for lost or late packets
}

// A Cause says in one word why a call ended or a registration failed.
type Cause uint8

// The causes. Each has a text in every language of the panel.
const (
	CauseNone      Cause = iota
	Normal               // one side hung up
	Busy                 // 486, 600
	NoAnswer             // 408 or 480 after it rang, or nobody lifted here
	Rejected             // 603, 403 to an INVITE
	NotFound             // 404, 484, 604: the number does not exist
	CallerGaveUp         // CANCEL before we answered
	Elsewhere            // CANCEL with Reason "answered elsewhere": no missed call
	Unavailable          // 480: the callee is not there
	Unreachable          // no answer from the network, host unknown, port closed
	WrongPassword        // 401 or 407 again after our answer to the challenge, 403 to a REGISTER: the PBX does not say whether it knows the user
	UnknownAccount       // 404 to a REGISTER
	NoCommonCodec        // 488, 415, or an answer we cannot play
	ServerError          // 5xx
	MediaLost            // the PBX hung up because it heard no RTP (Q.850 cause 44)
	Transferred          // we passed the call on
	NotRegistered        // we may not call without a registration
	NoFreeLine           // both lines are taken
	AddressInUse         // the local port is taken
	LocalFault           // no RTP port, no memory: our own fault
	BadNumber            // the dialled string cannot be a SIP user
)

var causeNames = [...]string{
	CauseNone: "none", Normal: "normal", Busy: "busy", NoAnswer: "no-answer", Rejected: "rejected", NotFound: "not-found",
	CallerGaveUp: "caller-gave-up", Elsewhere: "answered-elsewhere", Unavailable: "unavailable", Unreachable: "unreachable",
	WrongPassword: "wrong-password", UnknownAccount: "unknown-account", NoCommonCodec: "no-common-codec",
	ServerError: "server-error", MediaLost: "media-lost", Transferred: "transferred", NotRegistered: "not-registered",
	NoFreeLine: "no-free-line", AddressInUse: "address-in-use", LocalFault: "local-fault", BadNumber: "bad-number",
}

// CauseCount is one more than the last cause.
const CauseCount = len(causeNames)

// String is the cause's name in logs and transcripts; the panel has texts of its own.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "invalid"
}

// An Event is something the network did. It is one of the types below.
type Event interface{ event() }

type (
	// Registered: the PBX knows us until now + Expires. Sent after every successful REGISTER.
	Registered struct{ Expires time.Duration }
	// Unregistered: the registration is gone or could not be made; the next try is in Retry.
	Unregistered struct {
		Cause  Cause
		Status int // of the response, 0 without one
		Retry  time.Duration
	}
	// Incoming: a call rings here; 180 has been sent.
	Incoming struct {
		Call   CallID
		From   Party
		Called Party         // the number the citizen dialled; zero when the PBX does not tell
		Topic  string        // Subject (RFC 3261 section 20.36); may be empty
		Queue  string        // that offers the call; empty for a call that came to the phone itself, or when the PBX does not tell
		Waited time.Duration // in the queue so far; 0 when the PBX does not tell
	}
	// Progress: the callee rings (Status 180), or early media can be heard (EarlyMedia).
	Progress struct {
		Call       CallID
		Status     int
		EarlyMedia bool
	}
	// Answered: the call is up, whoever dialled it.
	Answered struct{ Call CallID }
	// HoldChanged: our own hold or resume has been agreed with the peer. Failed means the call stays as it was.
	HoldChanged struct {
		Call   CallID
		Held   bool
		Failed bool
	}
	// RemoteHold: the peer put us on hold, or took us back.
	RemoteHold struct {
		Call CallID
		Held bool
	}
	// Identified: the party at the other end changed (connected line) or became known.
	Identified struct {
		Call  CallID
		Party Party
	}
	// DigitReceived: the peer sent a DTMF digit by RFC 4733 or INFO.
	DigitReceived struct {
		Call  CallID
		Digit byte // 0-9 * # A-D
	}
	// TransferFailed: the call we wanted to pass on is still ours.
	TransferFailed struct {
		Call   CallID
		Cause  Cause
		Status int
	}
	// Ended: the call is gone. Exactly one Ended follows every Incoming and every Dial.
	Ended struct {
		Call   CallID
		Cause  Cause
		Status int // SIP status, 0 without one
	}
)

func (Registered) event()     {}
func (Unregistered) event()   {}
func (Incoming) event()       {}
func (Progress) event()       {}
func (Answered) event()       {}
func (HoldChanged) event()    {}
func (RemoteHold) event()     {}
func (Identified) event()     {}
func (DigitReceived) event()  {}
func (TransferFailed) event() {}
func (Ended) event()          {}

// A Command is something the phone wants from the network. It is one of the types below.
// A command for a call that has gone is ignored: its Ended is on its way.
type Command interface{ command() }

type (
	// Dial calls a number. Number is what stands left of the @.
	Dial struct {
		Call   CallID
		Number string
	}
	// Answer takes an incoming call.
	Answer struct{ Call CallID }
	// Reject refuses an incoming call with 486: a 603 would reach the caller as 503.
	Reject struct{ Call CallID }
	// Hangup ends a call in any state: CANCEL, BYE or 486.
	Hangup struct{ Call CallID }
	// Hold asks the peer to wait (sendonly); Resume takes it back (sendrecv).
	Hold   struct{ Call CallID }
	Resume struct{ Call CallID }
	// SendDigit sends one DTMF digit: RFC 4733, or INFO when the peer takes no telephone-event.
	SendDigit struct {
		Call  CallID
		Digit byte
	}
	// Transfer passes the call on to Number without asking there first (REFER, RFC 3515).
	Transfer struct {
		Call   CallID
		Number string
	}
	// Join passes the peer of Call on to the peer of With, who has been asked or still rings (REFER with Replaces, RFC 5589
	// section 7). When it has worked both calls end with Transferred; TransferFailed for Call says that it has not. With
	// may end before that is known.
	Join struct{ Call, With CallID }
)

func (Dial) command()      {}
func (Answer) command()    {}
func (Reject) command()    {}
func (Hangup) command()    {}
func (Hold) command()      {}
func (Resume) command()    {}
func (SendDigit) command() {}
func (Transfer) command()  {}
func (Join) command()      {}
