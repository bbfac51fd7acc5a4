// Package message turns bytes into sipgo's SIP messages and back. It is what stands between the network and the
// transactions: everything a stranger can write passes here first.
//
//	datagram --Parse-->   sip.Message, or a Fault to be answered, or an error to be ignored
//	stream   --Stream-->  the same, one message after another
//	sip.Message --Encode--> bytes, or an error if a field would break out of its line
//
// It uses sipgo's message types and its URI parser, but reads header fields by itself: sipgo v1.7.2 does not know
// white space around "=" and ";", quoted strings in parameters or parameter names in capitals, and it drops a
// message for one bad field where RFC 3261 section 21.4.1 wants a 400. It must not know transactions or sockets.
package message

import (
	"errors"
	"fmt"
)

// A Fault says why a request cannot be accepted and how it is to be answered. It comes together with the request,
// of which only the start line's method and the fields of the answer (Via, From, To, Call-ID, CSeq) may be used.
type Fault struct {
	Status int    // of the answer
	Reason string // phrase of the answer; our own words, never the sender's
	Lost   bool   // nobody knows where the next message of the stream begins: answer and close
}

func (f *Fault) Error() string { return fmt.Sprintf("message: %d %s", f.Status, f.Reason) }

var (
	// ErrNotSIP: the bytes are no SIP message, or a response that nobody can use. To be ignored.
	ErrNotSIP = errors.New("message: not a SIP message")
	// ErrIncomplete: the stream has no whole message yet.
	ErrIncomplete = errors.New("message: incomplete")
	// ErrPing: the stream's peer sent the double CRLF of RFC 5626 section 3.5.1 and wants one CRLF back.
	ErrPing = errors.New("message: keep-alive")
	// ErrLost: nobody knows where the next message of the stream begins. The connection is to be closed.
	ErrLost = errors.New("message: no message boundary")
)

func bad(reason string) *Fault { return &Fault{Status: 400, Reason: reason} }
