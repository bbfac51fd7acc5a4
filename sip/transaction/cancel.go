package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// Cancel implements Transactions. It does nothing for what is no INVITE, or has its final response already.
func (l *Layer) Cancel(now time.Time, id ClientID, headers ...sip.Header) {
	c, ok := l.clients[id].(*clientInvite)
	if !ok || !c.pending() || c.cancelled {
		return
	}
	c.cancelled = true
	c.reasons = headers
	// RFC 3261 section 9.1: if no provisional response has been received, the CANCEL request MUST NOT be sent;
	// rather, the client MUST wait for its arrival.
	if c.state == inviteProceeding {
		c.sendCancel(now)
		l.table.set(c)
	}
}

// sendCancel sends the CANCEL as a transaction of its own, once.
func (c *clientInvite) sendCancel(now time.Time) {
	if c.cancelOut {
		return
	}
	c.cancelOut = true
	// RFC 3261 section 9.1: if there is no final response in 64*T1 seconds, the client SHOULD consider the
	// original transaction cancelled and destroy it.
	c.timeout = now.Add(64 * c.layer.timers.T1)
	cancel := c.companion(sip.CANCEL)
	for _, h := range c.reasons {
		cancel.AppendHeader(h)
	}
	data, err := message.Encode(cancel)
	if err != nil {
		cancel = c.companion(sip.CANCEL) // without the header field that cannot be written
		if data, err = message.Encode(cancel); err != nil {
			return
		}
	}
	l := c.layer
	x := exchange{layer: l, id: l.nextClient(), key: clientKey{c.key.branch, sip.CANCEL}, request: cancel, hop: c.hop, data: data, silent: true}
	x.hop.LargeOverTCP = false // it must go where the INVITE went
	n := &clientNonInvite{exchange: x}
	l.clients[x.id] = n
	l.byVia[x.key] = x.id
	n.start(now)
	l.table.set(n)
}

// receiveCancel answers a CANCEL and tells the user of it (RFC 3261 section 9.2).
func (l *Layer) receiveCancel(now time.Time, s server) {
	key, cancel := s.base().key, s.base().request
	key.method = sip.INVITE
	invite, known := l.servers[key].(*serverInvite)
	if !known {
		s.respond(now, l.reply(cancel, 481, "Call/Transaction Does Not Exist"))
		return
	}
	done := l.reply(cancel, 200, "OK")
	// RFC 3261 section 9.2: the To tag SHOULD be the same as in the response to the original request.
	if to := done.To(); to != nil && invite.toTag != "" {
		to.Params.Add("tag", invite.toTag)
	}
	s.respond(now, done)
	// Same section: with a final response already given, the CANCEL has no effect on the INVITE.
	if invite.state == serverProceeding {
		l.emit(Cancelled{Transaction: invite.id, Cancel: cancel})
	}
}
