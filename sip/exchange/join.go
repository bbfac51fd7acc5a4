package exchange

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/dialog"
	"freizeichen/sip/exchange/plan"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

// statusDecline is 603, with which a call ends that was passed on while it rang, as Asterisk does it.
const statusDecline = 603

// receiveJoin joins whom the phone talks to on one leg with whom it has called on another (RFC 5589 section 7). Both legs
// end here, so the Replaces (RFC 3891) needs no INVITE: the exchange is the transferee and the target at once.
func (e *Exchange) receiveJoin(now time.Time, tx transaction.ServerID, l *leg, r *sip.Request, uri string) {
	replaces, ok := header.ReplacesOf(uri)
	if !ok {
		e.respond(now, tx, r, sip.StatusBadRequest)
		return
	}
	other := e.byReplaces(replaces)
	switch {
	case other == nil, other == l, other.party.peer == l.party, other.account == nil, other.account != l.account: // nobody passes on another's call (RFC 3891 section 8)
		e.respond(now, tx, r, statusDecline)
		return
	case other.state == up && other.party.peer != nil:
	case other.state == calling && other.attempt != nil && !announces(other.attempt):
	default:
		e.respond(now, tx, r, statusDecline)
		return
	}
	e.respond(now, tx, r, sip.StatusAccepted, e.contact(l.transport))
	f := &referral{from: l, remote: l.party.peer}
	e.notify(now, f, sip.StatusTrying)
	if other.state == up {
		e.notify(now, f, sip.StatusOK)
		e.connect(f.remote, other.party.peer)
		l.end = now.Add(partingTime)
		// RFC 3891 section 3: the replaced dialog is ended by who was asked to replace it.
		e.hangUp(now, other, `SIP;cause=200;text="Replaced"`)
		return
	}
	// It still rings there, from now on for whom is passed on. The phone's own call waits for the end, so that it has both
	// again if nobody lifts.
	f.asked = other
	a := other.attempt
	a.dialler, a.referral = nil, f
	if a.rung {
		e.notify(now, f, sip.StatusRinging)
	}
}

// byReplaces finds the leg that a Replaces names: our tag is its to-tag (RFC 3891 section 6.1).
func (e *Exchange) byReplaces(r header.Replaces) *leg {
	id := dialog.ID{CallID: r.CallID, LocalTag: r.ToTag, RemoteTag: r.FromTag}
	for _, l := range e.legs {
		if l.dialog != nil && l.dialog.ID() == id {
			return l
		}
	}
	return nil
}

// announces reports whether an attempt plays to who dialled: nobody is there whom a caller could be passed on to.
func announces(a *attempt) bool { return a.office != nil && a.office.Manner == plan.Announcement }

// declined ends the transferor's own call to a target that he passed somebody on to while it rang.
func (e *Exchange) declined(now time.Time, f *referral, status int) {
	l := f.asked
	if l == nil {
		return
	}
	f.asked, l.attempt = nil, nil
	if l.state == calling {
		e.respond(now, l.server, l.invite, status)
		e.drop(now, l)
	}
}
