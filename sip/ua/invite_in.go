package ua

import (
	"errors"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/offer"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
	"freizeichen/sip/ua/identity"
)

const (
	// ringAgainTime: RFC 3261 section 13.3.1.1, a proxy forgets an INVITE without news after three minutes, so a
	// provisional response is sent every minute.
	ringAgainTime = time.Minute
	// ringInMax is how long a call rings when nobody tells us that it does not any more: a CANCEL can be lost with the
	// exchange that should have sent it.
	ringInMax = 5 * time.Minute
)

// incoming is the INVITE of a call that somebody makes to us.
type incoming struct {
	server  transaction.ServerID
	invite  *sipgo.Request
	tag     string
	answer  []byte    // to the offer of the INVITE; nil if it had none
	agreed  sip.Media // by that answer
	expired int       // status when ringing ends by itself
}

// invited takes an INVITE outside of any dialog. It rings, or it is refused.
func (a *Agent) invited(now time.Time, id transaction.ServerID, invite *sipgo.Request) {
	user := invite.Recipient.User
	switch {
	case a.stop != nil:
		a.respond(now, id, invite, sipgo.StatusTemporarilyUnavailable)
		return
	case user != a.registration.User() && (user != a.config.Account.User || !a.registration.Vouched(invite.Source())):
		// Not for us: a scanner, or the exchange by a binding of before our last start. A ring would be one too many. Our
		// Contact cannot be guessed; the account's name can, and programs try all of them: only the exchange may use it.
		a.respond(now, id, invite, sipgo.StatusNotFound)
		return
	case header.First(invite, "replaces") != "":
		// RFC 3891 section 3: 481 if the dialog is not found. We do not offer "replaces", and somebody who asks for
		// it does not want to ring here.
		a.respond(now, id, invite, sipgo.StatusCallTransactionDoesNotExists)
		return
	case a.live() >= a.config.MaxCalls:
		a.respond(now, id, invite, sipgo.StatusBusyHere)
		return
	case a.unsuitable(now, id, invite), a.tooShort(now, id, invite):
		return
	}
	tag := a.client.Token()
	d, err := dialog.NewUAS(invite, tag)
	if err != nil {
		a.log.Warn("refused a call", "error", err)
		a.respond(now, id, invite, sipgo.StatusBadRequest)
		return
	}
	a.last += 2
	c := &call{agent: a, id: a.last, state: ringing, dialog: d, in: &incoming{server: id, invite: invite, tag: tag}}
	// The 180 leaves before what takes time. A call that then turns out to have no sound has rung for the caller, for less
	// than a millisecond, and never here.
	c.ring(now)
	c.timer.Wanted = a.config.SessionExpires
	if status := c.prepare(invite); status != 0 {
		if c.sound.open {
			a.media.Close(c.id)
		}
		c.refuse(now, status)
		return
	}
	c.party, c.allowed = identity.Caller(invite), header.Tokens(invite, "allow")
	a.calls = append(a.calls, c)
	c.ringUntil(now, invite)
	a.log.Info("call rings", "call", c.id)
	called := identity.Called(invite, a.config.CalledFrom, a.config.Account.User, a.registration.User())
	incoming := sip.Incoming{Call: c.id, From: c.party, Called: called, Topic: identity.Topic(invite)}
	incoming.Queue, incoming.Waited = identity.Queue(invite)
	a.events(incoming)
}

// prepare opens the sound and answers the offer, so that a call which nobody could hear does not ring here.
// It returns the status to refuse the call with, or 0.
func (c *call) prepare(invite *sipgo.Request) int {
	if err := c.open(); err != nil {
		c.agent.log.Error("refused a call", "error", err)
		return sipgo.StatusInternalServerError
	}
	if len(invite.Body()) == 0 {
		return 0
	}
	answer, agreed, err := c.sound.ours.Answer(sip.SendRecv, invite.Body())
	if err != nil {
		c.undescribed("refused a call", err)
		return statusOf(err)
	}
	c.in.answer, c.in.agreed = answer, agreed
	return 0
}

// statusOf is the answer to an offer that failed.
func statusOf(err error) int {
	if errors.Is(err, offer.ErrNoCommonCodec) {
		return sipgo.StatusNotAcceptableHere
	}
	return sipgo.StatusBadRequest
}

func (c *call) ringUntil(now time.Time, invite *sipgo.Request) {
	c.at(ringEnd, now.Add(ringInMax))
	c.in.expired = sipgo.StatusTemporarilyUnavailable
	// RFC 3261 section 13.3.1: an INVITE that expires before its final response SHOULD get 487.
	if s, err := strconv.Atoi(header.First(invite, "expires")); err == nil && s > 0 && s < int(ringInMax/time.Second) {
		c.at(ringEnd, now.Add(time.Duration(s)*time.Second))
		c.in.expired = sipgo.StatusRequestTerminated
	}
}

// ring sends 180.
func (c *call) ring(now time.Time) {
	c.agent.tx.Respond(now, c.in.server, c.response(sipgo.StatusRinging, nil))
	c.at(ringAgain, now.Add(ringAgainTime))
}

// response is one of ours to the INVITE. All have the same tag, and a Contact (RFC 3261 section 12.1.1).
func (c *call) response(status int, body []byte) *sipgo.Response {
	return c.dialogResponse(c.in.invite, c.in.tag, status, body)
}

func (c *call) dialogResponse(request *sipgo.Request, tag string, status int, body []byte) *sipgo.Response {
	response := dialog.Response(request, status, tag)
	response.AppendHeader(c.agent.contact())
	response.AppendHeader(allow())
	response.AppendHeader(supported())
	if body != nil {
		contentType := sipgo.ContentTypeHeader("application/sdp")
		response.AppendHeader(&contentType)
		response.SetBody(body)
	}
	return response
}

// ringLongEnough ends a call that nobody has answered: here, or there.
func (c *call) ringLongEnough(now time.Time) {
	if c.state == calling {
		cause := sip.Unreachable
		if c.out.heard {
			cause = sip.NoAnswer
		}
		c.giveUp(now, cause)
		return
	}
	c.refuse(now, c.in.expired)
	cause := sip.NoAnswer
	if c.in.expired == sipgo.StatusRequestTerminated {
		cause = sip.CallerGaveUp
	}
	c.end(cause, c.in.expired)
}

// answer takes the call.
func (c *call) answer(now time.Time) {
	if c.state != ringing {
		return
	}
	c.never(ringAgain, ringEnd)
	body, offered := c.in.answer, false
	if body == nil {
		// RFC 3261 section 13.2.1: an INVITE without offer wants it in the first reliable message, our 2xx.
		body, offered = c.sound.ours.Offer(sip.SendRecv), true
	} else if err := c.apply(c.in.agreed); err != nil {
		c.agent.log.Error("cannot answer", "call", c.id, "error", err)
		c.refuse(now, sipgo.StatusInternalServerError)
		c.end(sip.LocalFault, 0)
		return
	}
	c.state = accepted
	c.dialog.Confirm(nil)
	response := c.response(sipgo.StatusOK, body)
	c.timer.Agree(now, c.in.invite, response)
	c.timed()
	c.accept(now, c.in.server, c.in.invite, response, sip.SendRecv, offered)
	c.agent.events(sip.Answered{Call: c.id})
	if !offered {
		c.heldByPeer(c.sound.agreed)
	}
}

// accept sends a 2xx to an INVITE, and again until its ACK (RFC 3261 section 13.3.1.4).
func (c *call) accept(now time.Time, id transaction.ServerID, invite *sipgo.Request, response *sipgo.Response, direction sip.Direction, offered bool) {
	timers := c.agent.config.Timers
	c.pending = &acceptance{
		server: id, response: response, cseq: invite.CSeq().SeqNo, interval: timers.T1, direction: direction, offered: offered,
	}
	c.agent.tx.Respond(now, id, response)
	c.at(retransmission, now.Add(timers.T1))
	c.at(acknowledgement, now.Add(64*timers.T1))
}

// acceptAgain: the interval starts at T1 and doubles until it reaches T2, on every transport (section 13.3.1.4).
func (c *call) acceptAgain(now time.Time) {
	c.pending.interval = min(2*c.pending.interval, c.agent.config.Timers.T2)
	c.agent.tx.Respond(now, c.pending.server, c.pending.response.Clone())
	c.at(retransmission, now.Add(c.pending.interval))
}

// acknowledged takes the ACK of our 2xx.
func (c *call) acknowledged(now time.Time, ack *sipgo.Request) {
	p := c.pending
	if p == nil || ack.CSeq() == nil || ack.CSeq().SeqNo != p.cseq {
		return // again, or of an INVITE long done
	}
	c.pending = nil
	c.never(retransmission, acknowledgement)
	c.state = up
	if c.gone { // hung up before the ACK: now we may say so
		c.agent.sendBye(now, c.dialog)
		c.forget()
		return
	}
	if p.offered {
		agreed, err := c.sound.ours.Accept(p.direction, ack.Body())
		if err != nil {
			c.undescribed("the ACK has no answer", err)
			c.bye(now, sip.NoCommonCodec, 0)
			return
		}
		if !c.applyOrBye(now, agreed) {
			return
		}
		c.heldByPeer(agreed)
	}
	c.reconcile(now)
}

// applyOrBye hands what has been agreed to the media, and ends the call if it cannot.
func (c *call) applyOrBye(now time.Time, agreed sip.Media) bool {
	if err := c.apply(agreed); err != nil {
		c.agent.log.Error("the call has no sound", "call", c.id, "error", err)
		c.bye(now, sip.LocalFault, 0)
		return false
	}
	return true
}

// notAcknowledged: RFC 3261 section 13.3.1.4, without an ACK for 64*T1 the dialog is confirmed, but the session SHOULD be
// terminated, by a BYE.
func (c *call) notAcknowledged(now time.Time) {
	c.pending = nil
	c.agent.sendBye(now, c.dialog)
	c.end(sip.Unreachable, 0)
}

// reject refuses a ringing call. 486 and not 603: an exchange shows the caller a 603 as 503, and a 603 would end the
// search for the citizen's other agents.
func (c *call) reject(now time.Time) {
	if c.state != ringing {
		return
	}
	c.refuse(now, sipgo.StatusBusyHere)
	c.end(sip.Normal, sipgo.StatusBusyHere)
}

// refuse gives the INVITE its final response.
func (c *call) refuse(now time.Time, status int) {
	c.agent.tx.Respond(now, c.in.server, dialog.Response(c.in.invite, status, c.in.tag))
}

// cancelled: the caller does not want the call any more, or the exchange has given it to somebody else.
func (a *Agent) cancelled(now time.Time, id transaction.ServerID, cancel *sipgo.Request) {
	for _, c := range a.calls {
		if c.state != ringing || c.in.server != id {
			continue
		}
		c.refuse(now, sipgo.StatusRequestTerminated)
		c.end(causeOfCancel(cancel), 0)
		return
	}
}
