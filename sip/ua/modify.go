package ua

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
)

// reinvited takes a re-INVITE of the peer: hold, a new place for its sound, a new target (RFC 3261 section 14.2).
func (c *call) reinvited(now time.Time, id transaction.ServerID, invite *sipgo.Request) {
	a := c.agent
	switch {
	case c.change.running:
		// Section 14.2: while an INVITE it had sent on that dialog is in progress: 491.
		a.respond(now, id, invite, sipgo.StatusRequestPending)
		return
	case c.state != up, c.pending != nil:
		a.later(now, id, invite)
		return
	case a.unsuitable(now, id, invite), a.tooShort(now, id, invite):
		return
	}
	var body []byte
	direction, offered := c.wish(), len(invite.Body()) == 0
	if offered {
		if c.held && c.sound.remoteHeld {
			direction = sip.Inactive
		}
		body = c.sound.ours.Offer(direction)
	} else {
		answer, ok := c.answerOffer(now, id, invite)
		if !ok {
			return
		}
		body = answer
	}
	c.dialog.Refresh(invite)
	c.identify(invite)
	response := c.dialogResponse(invite, "", sipgo.StatusOK, body)
	c.timer.Agree(now, invite, response)
	c.timed()
	c.accept(now, id, invite, response, direction, offered)
	if !offered {
		c.heldByPeer(c.sound.agreed)
	}
}

// answerOffer answers an offer inside the call and applies it; one that fails is refused, and all stays as it was.
func (c *call) answerOffer(now time.Time, id transaction.ServerID, request *sipgo.Request) ([]byte, bool) {
	answer, agreed, err := c.sound.ours.Answer(c.wish(), request.Body())
	if err != nil {
		c.undescribed("refused a change of the sound", err)
		c.agent.respond(now, id, request, statusOf(err))
		return nil, false
	}
	if err := c.apply(agreed); err != nil {
		c.agent.log.Error("refused a change of the sound", "call", c.id, "error", err)
		c.agent.respond(now, id, request, sipgo.StatusInternalServerError)
		return nil, false
	}
	return answer, true
}

// updated takes an UPDATE: with a description like a re-INVITE, without one a new target, a refresh or, with
// P-Asserted-Identity, a connected line (RFC 3311 section 5.2).
func (c *call) updated(now time.Time, id transaction.ServerID, update *sipgo.Request, d *dialog.Dialog) {
	a := c.agent
	if c.gone {
		a.respond(now, id, update, sipgo.StatusCallTransactionDoesNotExists)
		return
	}
	if a.unsuitable(now, id, update) || a.tooShort(now, id, update) {
		return
	}
	var answer []byte
	if len(update.Body()) > 0 {
		switch {
		case c.state == calling, c.change.running, c.pending != nil && c.pending.offered:
			// RFC 3311 section 5.2: the UAS has generated an offer to which it has received no answer: 491.
			a.respond(now, id, update, sipgo.StatusRequestPending)
			return
		case c.state == ringing:
			// Same section: it has received an offer to which it has generated no answer: 500.
			a.later(now, id, update)
			return
		}
		var ok bool
		if answer, ok = c.answerOffer(now, id, update); !ok {
			return
		}
	}
	d.Refresh(update)
	response := c.dialogResponse(update, "", sipgo.StatusOK, answer)
	if c.state == up {
		c.timer.Agree(now, update, response)
		c.timed()
	}
	a.tx.Respond(now, id, response)
	c.identify(update)
	if answer != nil {
		c.heldByPeer(c.sound.agreed)
	}
}

// reinvite offers the peer a session in which we hold it, or do not (RFC 3261 section 14.1).
func (c *call) reinvite(now time.Time, held bool) {
	direction := sip.SendRecv
	switch {
	case held && c.sound.remoteHeld:
		// RFC 3264 section 8.4: to hold a stream that was recvonly for us, it is set inactive.
		direction = sip.Inactive
	case held:
		direction = sip.SendOnly
	}
	body, answered := c.sound.ours.Offer(direction), false
	c.change.running = true
	c.agent.client.Send(now, func() *sipgo.Request {
		request := c.dialog.Request(sipgo.INVITE)
		c.finish(request, body)
		return request
	}, func(now time.Time, reply client.Reply) {
		switch {
		case !reply.Final():
		case reply.Success():
			c.agent.client.ACK(now, c.dialog.ACK(reply.Response), reply)
			if !answered && !c.gone { // else a retransmission
				answered, c.change.running = true, false
				c.changed(now, reply.Response, held, direction)
			}
		default:
			c.change.running = false
			if !c.gone {
				c.unchanged(now, reply, held)
			}
		}
	})
}

// changed takes the 2xx to our re-INVITE.
func (c *call) changed(now time.Time, response *sipgo.Response, held bool, direction sip.Direction) {
	c.dialog.Refresh(response)
	agreed, err := c.sound.ours.Accept(direction, response.Body())
	if err != nil {
		c.undescribed("the answer cannot be used", err)
		c.bye(now, sip.NoCommonCodec, 0)
		return
	}
	if !c.applyOrBye(now, agreed) {
		return
	}
	c.held, c.change.tries = held, 0
	c.timer.Confirm(now, response)
	c.timed()
	c.identify(response)
	if direction == sip.SendRecv {
		c.heldByPeer(agreed) // the answer to another offer does not tell what the peer wants
	}
	c.reconcile(now)
}

// unchanged takes the refusal of our re-INVITE: the session stays as it was (RFC 3261 section 14.1).
func (c *call) unchanged(now time.Time, reply client.Reply, held bool) {
	switch {
	case reply.Status == sipgo.StatusRequestTimeout, reply.Status == sipgo.StatusCallTransactionDoesNotExists:
		// RFC 3261 section 12.2.1.2: 481, 408 or no response at all: the UAC SHOULD terminate the dialog.
		c.bye(now, sip.Unreachable, reply.Status)
		return
	case reply.Status == sipgo.StatusRequestPending && c.change.tries < glareTriesMax:
		c.change.tries++
		c.at(glare, now.Add(c.glareTime()))
		return
	case reply.Status == statusIntervalTooSmall && c.timer.Longer(reply.Response) && c.change.tries < glareTriesMax:
		c.change.tries++
		c.reinvite(now, held)
		return
	}
	c.change.tries = 0
	c.refreshLater(now)
	if c.change.asked && c.change.wanted == held {
		c.change.asked = false
		c.agent.events(sip.HoldChanged{Call: c.id, Held: c.held, Failed: true})
	}
	c.reconcile(now)
}

// glareTriesMax bounds how often a re-INVITE that meets one of the peer is sent again.
const glareTriesMax = 10

// glareTime is how long to wait after a 491 (RFC 3261 section 14.1): 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s
// for the other, in units of 10 ms.
func (c *call) glareTime() time.Duration {
	if c.out != nil {
		return 2100*time.Millisecond + time.Duration(c.agent.client.Intn(191))*10*time.Millisecond
	}
	return time.Duration(c.agent.client.Intn(201)) * 10 * time.Millisecond
}
