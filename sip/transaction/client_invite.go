package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// A clientInvite is RFC 3261 figure 5 with the Accepted state of RFC 6026 figure 2.
//
//	calling --1xx--> proceeding --2xx--> accepted  --M--> over
//	   |                 `----300-699--> completed --D--> over
//	   `--B, transport error--> over
type clientInvite struct {
	exchange
	state     clientInviteState
	ack       []byte       // for a non-2xx, as it was written
	cancelled bool         // the user wants it cancelled
	reasons   []sip.Header // for the CANCEL
	cancelOut bool         // the CANCEL has been sent
}

type clientInviteState uint8

const (
	inviteCalling clientInviteState = iota
	inviteProceeding
	inviteCompleted
	inviteAccepted
)

func (c *clientInvite) start(now time.Time) { c.begin(now) }

func (c *clientInvite) pending() bool { return !c.over && c.state <= inviteProceeding }

func (c *clientInvite) receive(now time.Time, r *sip.Response) {
	switch c.state {
	case inviteCalling, inviteProceeding:
		c.progress(now, r)
	case inviteCompleted:
		// RFC 3261 section 17.1.1.2: a retransmitted final response causes the ACK again, and goes no further.
		if r.StatusCode >= 300 {
			c.sendACK()
		}
	case inviteAccepted:
		// RFC 6026 section 7.2: every 2xx is passed to the user, be it a retransmission or from another fork.
		if r.IsSuccess() {
			c.emit(ResponseReceived{c.id, r})
		}
	}
}

// progress takes a response before the final one.
func (c *clientInvite) progress(now time.Time, r *sip.Response) {
	switch {
	case r.IsProvisional():
		// RFC 3261 section 17.1.1.2: no retransmissions in Proceeding; it may last as long as it rings.
		c.state = inviteProceeding
		c.retransmit = time.Time{}
		if !c.cancelOut {
			c.timeout = time.Time{}
		}
		c.emit(ResponseReceived{c.id, r})
		if c.cancelled {
			c.sendCancel(now)
		}
	case r.IsSuccess():
		c.state = inviteAccepted
		c.emit(ResponseReceived{c.id, r})
		c.linger(now, 64*c.layer.timers.T1) // timer M, on every transport
	default:
		c.state = inviteCompleted
		c.ack = c.buildACK(r)
		c.sendACK()
		c.emit(ResponseReceived{c.id, r})
		wait := c.layer.timers.D
		if c.reliable() {
			wait = 0
		}
		c.linger(now, wait) // timer D
	}
}

func (c *clientInvite) tick(now time.Time) {
	switch {
	case reached(c.timeout, now):
		if c.pending() {
			// Timer B in Calling; in Proceeding the 64*T1 that RFC 3261 section 9.1 grants after a CANCEL.
			c.emit(TimedOut{c.id})
		}
		c.end()
	case reached(c.retransmit, now):
		c.transmit(c.data)
		c.interval *= 2 // timer A doubles without bound until timer B
		c.retransmit = now.Add(c.interval)
	}
}

func (c *clientInvite) failed(now time.Time, err error) {
	if !c.pending() || c.state == inviteCalling && c.fallBack(now, err) {
		return
	}
	c.emit(Failed{c.id, err})
	c.end()
}

// buildACK is RFC 3261 section 17.1.1.3: the acknowledgement of a non-2xx is the transaction's business.
func (c *clientInvite) buildACK(r *sip.Response) []byte {
	ack := c.companion(sip.ACK)
	for ack.RemoveHeader("To") {
	}
	sip.CopyHeaders("To", r, ack) // with the tag of the response
	data, err := message.Encode(ack)
	if err != nil {
		return nil // a To that cannot be written back; the peer's timer H ends it
	}
	return data
}

func (c *clientInvite) sendACK() {
	if c.ack != nil {
		c.layer.send(Send{Data: c.ack, Network: c.hop.Network, Destination: c.hop.Destination})
	}
}

// companion is an ACK or CANCEL of the INVITE: same Request-URI, top Via, Route set, From, To, Call-ID and CSeq
// number (RFC 3261 sections 9.1 and 17.1.1.3).
func (c *clientInvite) companion(method sip.RequestMethod) *sip.Request {
	invite := c.request
	r := sip.NewRequest(method, *invite.Recipient.Clone())
	for _, name := range []string{"Via", "Route", "From", "To", "Call-ID"} {
		sip.CopyHeaders(name, invite, r)
	}
	if cseq := invite.CSeq(); cseq != nil {
		r.AppendHeader(&sip.CSeqHeader{SeqNo: cseq.SeqNo, MethodName: method})
	}
	maxForwards := sip.MaxForwardsHeader(70)
	r.AppendHeader(&maxForwards)
	r.SetBody(nil)
	return r
}
