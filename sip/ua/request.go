package ua

import (
	"errors"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

// receive takes a request of the peer.
func (a *Agent) receive(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	name := dialog.IDOfRequest(request)
	if name.LocalTag == "" {
		a.receiveOutside(now, id, request)
		return
	}
	if request.Method == sipgo.NOTIFY && a.watch.Receive(now, id, request) {
		return
	}
	c, d := a.find(name)
	switch {
	case c == nil:
		if request.Method != sipgo.ACK {
			// RFC 3261 section 12.2.2: a request that matches no dialog.
			a.respond(now, id, request, sipgo.StatusCallTransactionDoesNotExists)
		}
		return
	case request.Method == sipgo.ACK:
		c.acknowledged(now, request)
		return
	}
	if err := d.Receive(request); err != nil {
		status := sipgo.StatusBadRequest
		if errors.Is(err, dialog.ErrOutOfOrder) {
			status = sipgo.StatusInternalServerError
		}
		a.respond(now, id, request, status)
		return
	}
	c.receive(now, id, request, d)
}

// find is the call of a dialog. An outgoing call has an early dialog with each of its callees.
func (a *Agent) find(name dialog.ID) (*call, *dialog.Dialog) {
	for _, c := range a.calls {
		if c.dialog != nil && c.dialog.ID() == name {
			return c, c.dialog
		}
		if c.out != nil && c.dialog == nil {
			if l := c.out.legs[name.RemoteTag]; l != nil && l.dialog.ID() == name {
				return c, l.dialog
			}
		}
	}
	return nil, nil
}

// receiveOutside takes a request outside of any dialog.
func (a *Agent) receiveOutside(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	switch request.Method {
	case sipgo.ACK:
	case sipgo.INVITE:
		a.invited(now, id, request)
	case sipgo.OPTIONS:
		// RFC 3261 section 11.2 wants the status an INVITE would get. We say 200 also when busy: exchanges ask in
		// order to learn whether the phone is there, and stop offering calls to one that is not.
		a.respond(now, id, request, sipgo.StatusOK, allow(), supported(), acceptSDP(), a.contact())
	case sipgo.NOTIFY:
		a.notifiedOutside(now, id, request)
	case sipgo.BYE, sipgo.INFO, sipgo.UPDATE:
		a.respond(now, id, request, sipgo.StatusCallTransactionDoesNotExists)
	default:
		// MESSAGE among them: nobody would read it here, and the sender must know that.
		a.respond(now, id, request, sipgo.StatusMethodNotAllowed, allow())
	}
}

// notifiedOutside takes a NOTIFY that belongs to no subscription of ours.
func (a *Agent) notifiedOutside(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	event, _ := header.Field(header.First(request, "event", "o"))
	if strings.EqualFold(event, "message-summary") {
		// Exchanges send it unasked to every phone (RFC 3842 in the form of before RFC 6665). It harms nobody, and a refusal
		// would be repeated with each message.
		a.respond(now, id, request, sipgo.StatusOK)
		return
	}
	// RFC 6665 section 4.1.3: 481 for a subscription that we do not have; an event we do not know is 489.
	status := statusBadEvent
	if strings.EqualFold(event, "refer") {
		status = sipgo.StatusCallTransactionDoesNotExists
	}
	a.respond(now, id, request, status, allowEvents())
}

func allowEvents() sipgo.Header { return sipgo.NewHeader("Allow-Events", "refer") }

func acceptSDP() sipgo.Header { return sipgo.NewHeader("Accept", "application/sdp") }

// respond answers a request that makes no dialog, or lies inside one.
func (a *Agent) respond(now time.Time, id transaction.ServerID, request *sipgo.Request, status int, headers ...sipgo.Header) {
	response := dialog.Response(request, status, a.client.Token())
	for _, h := range headers {
		response.AppendHeader(h)
	}
	a.tx.Respond(now, id, response)
}

// later refuses a request that comes while another one is being worked on (RFC 3261 section 14.2).
func (a *Agent) later(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	seconds := strconv.Itoa(a.client.Intn(11)) // 0 to 10 s, at random
	a.respond(now, id, request, sipgo.StatusInternalServerError, sipgo.NewHeader("Retry-After", seconds))
}

// receive takes a request inside one of the call's dialogs.
func (c *call) receive(now time.Time, id transaction.ServerID, request *sipgo.Request, d *dialog.Dialog) {
	a := c.agent
	switch {
	case request.Method == sipgo.BYE && c.state != calling:
		c.hungUp(now, id, request)
	case request.Method == sipgo.UPDATE:
		c.updated(now, id, request, d)
	case request.Method == sipgo.OPTIONS:
		a.respond(now, id, request, sipgo.StatusOK, allow(), supported(), acceptSDP(), a.contact())
	case c.gone, d != c.dialog:
		a.respond(now, id, request, sipgo.StatusCallTransactionDoesNotExists)
	case request.Method == sipgo.INVITE:
		c.reinvited(now, id, request)
	case request.Method == sipgo.INFO:
		c.informed(now, id, request)
	case request.Method == sipgo.NOTIFY:
		c.notified(now, id, request)
	default:
		a.respond(now, id, request, sipgo.StatusMethodNotAllowed, allow())
	}
}

// hungUp ends the call (RFC 3261 section 15.1.2).
func (c *call) hungUp(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	c.agent.respond(now, id, request, sipgo.StatusOK)
	switch {
	case c.state == ringing:
		// A caller may end an early dialog so. Section 15.1.2: the UAS SHOULD answer pending requests with 487.
		c.refuse(now, sipgo.StatusRequestTerminated)
		c.end(sip.CallerGaveUp, 0)
	case c.refer.pending, c.joining():
		c.end(sip.Transferred, 0)
	default:
		c.end(causeOfBye(request), 0)
	}
}

// unsuitable refuses a request whose body we cannot take (RFC 3261 section 8.2.3).
func (a *Agent) unsuitable(now time.Time, id transaction.ServerID, request *sipgo.Request) bool {
	if len(request.Body()) == 0 || header.IsSDP(request) {
		return false
	}
	a.respond(now, id, request, sipgo.StatusUnsupportedMediaType, acceptSDP(), sipgo.NewHeader("Accept-Encoding", "identity"))
	return true
}
