package ua

import (
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

// transferMax is how long we wait for the end of a transfer: as long as a call may ring.
const transferMax = 3 * time.Minute

// referral is a REFER of ours and the subscription that it makes (RFC 3515 section 2.4.4).
type referral struct {
	known   bool  // there has been a REFER: NOTIFYs are ours
	pending bool  // the phone waits for its end
	with    *call // whom the peer shall replace us with; nil: a number that nobody has asked
}

// transfer asks the peer to call number and leave us.
func (c *call) transfer(now time.Time, number string) {
	user, ok := client.UserPart(number)
	switch {
	case c.refer.pending:
		return // its end is on its way
	case !ok:
		c.agent.events(sip.TransferFailed{Call: c.id, Cause: sip.BadNumber})
		return
	case c.state != up:
		c.agent.events(sip.TransferFailed{Call: c.id, Cause: sip.Unavailable})
		return
	}
	target := c.agent.client.URI(user)
	c.sendRefer(now, &sipgo.ReferToHeader{Address: target}, nil)
}

// sendRefer asks the peer to call the target of a Refer-To (RFC 3515 section 2.4.1).
func (c *call) sendRefer(now time.Time, target sipgo.Header, with *call) {
	a := c.agent
	self := a.client.URI(a.config.Account.User)
	c.refer = referral{known: true, pending: true, with: with}
	c.at(transferEnd, now.Add(transferMax))
	a.client.Send(now, func() *sipgo.Request {
		request := c.dialog.Request(sipgo.REFER)
		request.AppendHeader(a.contact())
		request.AppendHeader(sipgo.HeaderClone(target))
		request.AppendHeader(&sipgo.ReferredByHeader{Address: self}) // RFC 3892: the exchange shows who passed the call on
		return request
	}, c.referred)
}

// referred takes the response to REFER. A 2xx only means that the peer will try (RFC 3515 section 2.4.2).
func (c *call) referred(now time.Time, reply client.Reply) {
	switch {
	case !c.refer.pending, c.gone, !reply.Final(), reply.Success():
	case reply.Status == sipgo.StatusRequestTimeout, reply.Status == sipgo.StatusCallTransactionDoesNotExists:
		c.bye(now, sip.Unreachable, reply.Status)
	case reply.Response == nil:
		c.transferFailed(sip.Unreachable, 0)
	default:
		c.transferFailed(causeOf(reply.Status, false), reply.Status)
	}
}

func (c *call) transferFailed(cause sip.Cause, status int) {
	c.refer.pending, c.refer.with = false, nil
	c.never(transferEnd)
	c.agent.events(sip.TransferFailed{Call: c.id, Cause: cause, Status: status})
}

// notified takes a NOTIFY in the call: the news of our REFER, a message/sipfrag with a status line (RFC 3515
// section 2.4.5).
func (c *call) notified(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	event, _ := header.Field(header.First(request, "event", "o"))
	if !strings.EqualFold(event, "refer") {
		c.agent.respond(now, id, request, statusBadEvent, allowEvents())
		return
	}
	if !c.refer.known {
		c.agent.respond(now, id, request, sipgo.StatusCallTransactionDoesNotExists)
		return
	}
	c.agent.respond(now, id, request, sipgo.StatusOK)
	if !c.refer.pending {
		return
	}
	status := header.FragmentStatus(request.Body())
	state, _ := header.Field(header.First(request, "subscription-state"))
	switch {
	case status >= 300:
		c.transferFailed(causeOf(status, false), status)
	case status >= 200:
		c.transferred(now, status)
	case strings.EqualFold(state, "terminated"):
		// The peer will not tell the end. The caller is still here, which is what counts.
		c.transferFailed(sip.Unavailable, status)
	}
}
