// Package transaction is RFC 3261 section 17 with RFC 6026 on sipgo's message types. It has two halves:
//
//	Layer     pure: messages, time and the user's wishes in; messages to send and events out
//	Endpoint  the shell: sockets, one goroutine that owns a Layer and its User, messages in order
//
// The transaction user (TU, RFC 3261 section 5) is sip/ua for a phone and sip/exchange for an exchange. All of the
// TU's code runs on the Endpoint's goroutine, so that a TU needs no locks and no message overtakes another.
// It must not decide anything about dialogs, calls or registrations.
package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// Timers are the times of RFC 3261 table 4. The zero value of a field means the RFC's default.
type Timers struct {
	T1 time.Duration // round trip estimate, 500 ms
	T2 time.Duration // longest retransmission interval of non-INVITE requests and INVITE responses, 4 s
	T4 time.Duration // longest time a message stays in the network, 5 s
	D  time.Duration // wait for response retransmissions, 32 s
}

// ClientID names a client transaction, ServerID a server transaction, of one Layer. 0 is none.
type (
	ClientID uint64
	ServerID uint64
)

// An Event is what the layer tells its user. It is one of the types below.
type Event interface{ event() }

type (
	// RequestReceived: a request opened a server transaction, and the user owes a final response, or (Method ACK,
	// Transaction 0) an ACK to a 2xx arrived. CANCEL never comes here: see Cancelled.
	// Requests the layer must refuse by itself (malformed, wrong version, loop ...) never come here.
	RequestReceived struct {
		Transaction ServerID
		Request     *sip.Request
	}
	// ResponseReceived: a provisional or final response. A 2xx to an INVITE can come several times with the same
	// Transaction (RFC 6026 Accepted state): retransmissions and forks; the user acknowledges each.
	ResponseReceived struct {
		Transaction ClientID
		Response    *sip.Response
	}
	// Cancelled: a CANCEL matched the pending INVITE server transaction. It has been answered with 200;
	// the user owes 487 to the INVITE.
	Cancelled struct {
		Transaction ServerID
		Cancel      *sip.Request // for its Reason header fields
	}
	// TimedOut: no final response came in time (timer B or F). To be treated as 408 (RFC 3261 section 8.1.3.1).
	TimedOut struct{ Transaction ClientID }
	// Failed: the request could not be sent. To be treated as 503 (RFC 3261 section 8.1.3.1).
	Failed struct {
		Transaction ClientID
		Err         error
	}
	// NoACK: our non-2xx final response to an INVITE was never acknowledged (timer H).
	NoACK struct{ Transaction ServerID }
)

func (RequestReceived) event()  {}
func (ResponseReceived) event() {}
func (Cancelled) event()        {}
func (TimedOut) event()         {}
func (Failed) event()           {}
func (NoACK) event()            {}

// A User is a transaction user. All methods are called on the Endpoint's goroutine, one after another.
type User interface {
	Handle(now time.Time, event Event)
	// Deadline is when the user wants a Tick; the zero time means never.
	Deadline() time.Time
	Tick(now time.Time)
}

// Transactions is what a user asks of the layer; *Layer has these methods. Declared here because ua, exchange and
// their tests all use it. None of them blocks; what fails comes back as an event.
type Transactions interface {
	// Request starts a client transaction. The layer adds the top Via (with a new branch and rport),
	// Max-Forwards and Content-Length where they are missing. The request belongs to the layer afterwards.
	Request(now time.Time, request *sip.Request) ClientID
	// Cancel sends CANCEL for a pending INVITE, at once or after the first provisional response
	// (RFC 3261 section 9.1), with the header fields given (Reason).
	Cancel(now time.Time, id ClientID, headers ...sip.Header)
	// Respond sends a response in a server transaction. A 2xx to an INVITE may be sent again by the user
	// (RFC 6026: retransmission of a 2xx is the user's business, until the ACK).
	Respond(now time.Time, id ServerID, response *sip.Response)
	// ACK sends the acknowledgement of a 2xx, outside of any transaction (RFC 3261 section 13.2.2.4).
	ACK(now time.Time, request *sip.Request)
}
