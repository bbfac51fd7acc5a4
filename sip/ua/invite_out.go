package ua

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

const (
	// silenceMax is how long an INVITE may go without any response. Timer B would be 32 s; an exchange answers
	// within 200 ms (RFC 3261 section 17.2.1), and five sendings fit into this time.
	silenceMax = 10 * time.Second
	// ringOutMax is how long an INVITE may go without news after its last provisional response: timer C of RFC 3261
	// section 16.6, which is more than three minutes.
	ringOutMax = 200 * time.Second
	// intervalTriesMax bounds how often a 422 makes us call again with a longer session timer.
	intervalTriesMax = 3
)

// outgoing is the INVITE of a call that we make.
type outgoing struct {
	target   sipgo.Uri
	identity client.Identity
	invite   *sipgo.Request // as sent last
	request  *client.Request
	legs     map[string]*leg // by To tag
	heard    bool            // any response has come
	progress sip.Progress    // as reported last
	tries    int             // with a longer session timer
}

// A leg is one of the callees that a proxy has forked our INVITE to.
type leg struct {
	dialog   *dialog.Dialog
	answered bool      // it has sent a description
	agreed   sip.Media // by that description
	ended    bool      // with BYE
}

// legsMax bounds the early dialogs of one INVITE: a response with a made-up tag costs an attacker nothing.
const legsMax = 32

// dial calls a number.
func (a *Agent) dial(now time.Time, command sip.Dial) {
	for _, c := range a.calls {
		if c.id == command.Call {
			a.log.Error("a call was dialled twice", "call", command.Call)
			return
		}
	}
	c := &call{agent: a, id: command.Call, state: calling}
	user, ok := client.UserPart(command.Number)
	switch {
	case !ok:
		c.report(sip.BadNumber, 0)
	case a.stop != nil:
		c.report(sip.NotRegistered, 0)
	case a.live() >= a.config.MaxCalls:
		c.report(sip.NoFreeLine, 0)
	case !a.registration.Locate():
		c.report(sip.Unreachable, 0)
	default:
		// Not only with a registration: the exchange takes an INVITE with credentials also when it has forgotten us, and
		// emergency calls must be tried. The phone decides what else may be.
		if err := c.open(); err != nil {
			a.log.Error("cannot call", "call", c.id, "error", err)
			c.report(sip.LocalFault, 0)
			return
		}
		c.party = sip.Party{Number: command.Number}
		c.timer.Wanted = a.config.SessionExpires
		c.out = &outgoing{
			target:   a.client.URI(user),
			identity: client.Identity{CallID: a.client.Token(), Tag: a.client.Token()},
			progress: sip.Progress{Call: c.id},
		}
		a.calls = append(a.calls, c)
		a.log.Info("call goes out", "call", c.id)
		c.invite(now)
	}
}

// invite sends the INVITE (RFC 3261 section 13.2.1).
func (c *call) invite(now time.Time) {
	a, out := c.agent, c.out
	body := c.sound.ours.Offer(sip.SendRecv)
	out.legs = make(map[string]*leg)
	c.at(ringEnd, now.Add(silenceMax))
	out.request = a.client.Send(now, func() *sipgo.Request {
		out.identity.CSeq++
		request := a.client.Outside(sipgo.INVITE, out.target, out.target, out.identity)
		c.finish(request, body)
		out.invite = request
		return request
	}, c.invitedBack)
}

// finish adds to an INVITE or UPDATE of ours what belongs to every one of them.
func (c *call) finish(request *sipgo.Request, body []byte) {
	request.AppendHeader(c.agent.contact())
	request.AppendHeader(allow())
	request.AppendHeader(supported())
	c.timer.Ask(request)
	if body != nil {
		contentType := sipgo.ContentTypeHeader("application/sdp")
		request.AppendHeader(acceptSDP())
		request.AppendHeader(&contentType)
		request.SetBody(body)
	}
}

// invitedBack takes the responses to our INVITE. The call may be gone: what comes late still wants an ACK and a BYE.
func (c *call) invitedBack(now time.Time, reply client.Reply) {
	c.out.heard = c.out.heard || reply.Response != nil
	switch {
	case reply.Final() && reply.Success():
		c.accepted(now, reply)
	case c.gone:
		if reply.Final() {
			c.forget()
		}
	case !reply.Final():
		c.at(ringEnd, now.Add(ringOutMax))
		c.provisional(reply.Response)
	case reply.Status == statusIntervalTooSmall && c.timer.Longer(reply.Response) && c.out.tries < intervalTriesMax:
		c.out.tries++
		c.invite(now)
	case reply.Response == nil:
		c.end(sip.Unreachable, 0)
	case (reply.Status == statusDecline || reply.Status == sipgo.StatusRequestTerminated) && c.joining():
		c.end(sip.Transferred, reply.Status)
	default:
		c.end(causeOf(reply.Status, c.out.progress.Status == sipgo.StatusRinging), reply.Status)
	}
}

// legOf is the dialog of a response; nil for a response that makes none.
func (c *call) legOf(response *sipgo.Response) *leg {
	tag := dialog.IDOfResponse(response).RemoteTag
	if l := c.out.legs[tag]; l != nil {
		return l
	}
	d, err := dialog.NewUAC(c.out.invite, response)
	if err != nil || !response.IsSuccess() && len(c.out.legs) >= legsMax {
		return nil
	}
	l := &leg{dialog: d}
	c.out.legs[tag] = l
	return l
}

// provisional takes a 1xx. Each callee of a forked INVITE has an early dialog; the sound is that of the last who sent a
// description.
func (c *call) provisional(response *sipgo.Response) {
	if response.StatusCode == sipgo.StatusTrying {
		return
	}
	progress := c.out.progress
	progress.Status = response.StatusCode
	l := c.legOf(response)
	if l != nil && header.IsSDP(response) && c.earlyMedia(l, response) {
		progress.EarlyMedia = true
	}
	if progress != c.out.progress {
		c.out.progress = progress
		c.agent.events(progress)
	}
	c.identify(response)
}

// earlyMedia lets the user hear what a callee, or the exchange, sends before the answer.
func (c *call) earlyMedia(l *leg, response *sipgo.Response) bool {
	agreed, err := c.sound.ours.Accept(sip.SendRecv, response.Body())
	if err == nil {
		err = c.apply(agreed)
	}
	if err != nil {
		c.undescribed("no early media", err)
		return false
	}
	l.answered, l.agreed = true, agreed
	return true
}

// accepted takes a 2xx: the first, a retransmission, or one of another callee (RFC 3261 section 13.2.2.4).
func (c *call) accepted(now time.Time, reply client.Reply) {
	l := c.legOf(reply.Response)
	if l == nil {
		c.agent.log.Warn("a 2xx that makes no dialog", "call", c.id)
		c.end(sip.ServerError, reply.Status)
		return
	}
	l.dialog.Confirm(reply.Response)
	c.agent.client.ACK(now, l.dialog.ACK(reply.Response), reply)
	switch {
	case l.dialog == c.dialog, l.ended: // a retransmission
	case c.dialog != nil, c.gone:
		// Section 13.2.2.4: all dialogs but one are to be ended with BYE; also the last, if we have given up already
		// and our CANCEL came too late.
		l.ended = true
		c.agent.sendBye(now, l.dialog)
		if c.gone {
			c.forget()
		}
	default:
		c.establish(now, l, reply.Response)
	}
}

// establish makes the call of the first 2xx.
func (c *call) establish(now time.Time, l *leg, response *sipgo.Response) {
	c.dialog, c.state = l.dialog, up
	c.allowed = header.Tokens(response, "allow")
	c.never(ringEnd)
	agreed := l.agreed
	switch {
	case header.IsSDP(response):
		var err error
		if agreed, err = c.sound.ours.Accept(sip.SendRecv, response.Body()); err != nil {
			c.undescribed("the answer cannot be used", err)
			c.bye(now, sip.NoCommonCodec, 0)
			return
		}
	case !l.answered:
		c.bye(now, sip.NoCommonCodec, 0)
		return
	}
	if !c.applyOrBye(now, agreed) {
		return
	}
	c.timer.Confirm(now, response)
	c.timed()
	c.agent.events(sip.Answered{Call: c.id})
	c.identify(response)
	c.heldByPeer(agreed)
}

// giveUp ends a call before its 2xx (RFC 3261 section 9.1).
func (c *call) giveUp(now time.Time, cause sip.Cause) {
	c.agent.client.Cancel(now, c.out.request)
	c.end(cause, 0)
}
