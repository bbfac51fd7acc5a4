package exchange

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	words "freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/exchange/studio"
	"freizeichen/sip/offer"
	"freizeichen/sip/transaction"
)

// A legState is how far a leg has come.
type legState uint8

const (
	calling   legState = iota // the phone called, and waits for our answer
	ringing                   // we called the phone
	cancelled                 // we called, and gave up: the final response is due
	up
	gone
)

// A leg is the call between the exchange and one phone.
type leg struct {
	id        words.CallID
	state     legState
	account   *Account // nil: an emergency call from an unknown phone
	party     *party
	attempt   *attempt // that rings the phone, or that the phone's call waits for
	queued    bool     // offered by a queue; other legs make the agent busy
	caller    ID       // of the queue, with whom the agent talks; 0: none
	source    string
	transport string
	tag       string

	invite   *sip.Request
	client   transaction.ClientID // of our INVITE
	server   transaction.ServerID // of the phone's INVITE, the last one
	dialog   *dialog.Dialog
	local    offer.Local
	sdp      []byte // ours; nil before there is one
	accepted bool   // an answer has been agreed on

	// Our 2xx is sent again until the ACK comes (RFC 3261 section 13.3.1.4).
	ok       *sip.Response
	interval time.Duration
	resend   time.Time
	giveUp   time.Time
	end      time.Time // when the exchange hangs up by itself; zero: never
}

// A party is one end of a conversation: a phone, or somebody whose sound is made here.
type party struct {
	who     words.Party
	leg     *leg          // nil: made here
	sound   studio.Source // of those made here
	visitor *visitor      // of a citizen
	peer    *party
}

// The times of RFC 3261 table 4 that the transaction user needs by itself.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
)

// newLeg opens the sound of a leg.
func (e *Exchange) newLeg(state legState, account *Account, source, transport string) (*leg, error) {
	e.lastCall++
	l := &leg{id: e.lastCall, state: state, account: account, source: source, transport: transport, tag: rand.Text()}
	address, err := e.media.Open(l.id)
	if err != nil {
		return nil, err
	}
	e.studio.Open(l.id)
	l.local = offer.Local{Address: address, SessionID: uint64(l.id), Version: 1}
	l.party = &party{leg: l}
	if account != nil {
		l.party.who = words.Party{Name: account.Name, Number: account.User}
	}
	e.legs = append(e.legs, l)
	return l, nil
}

// byDialog finds the leg an in-dialog request belongs to.
func (e *Exchange) byDialog(r *sip.Request) *leg {
	id := dialog.IDOfRequest(r)
	for _, l := range e.legs {
		if l.dialog != nil && l.dialog.ID() == id {
			return l
		}
	}
	return nil
}

// agree applies what offer and answer came to.
func (e *Exchange) agree(l *leg, m words.Media) {
	l.accepted = true
	if err := e.media.Apply(l.id, m); err != nil {
		e.log.Warn("exchange: sound of a call", "error", err)
	}
	e.studio.Direct(l.id, m.Direction)
}

// describe answers the phone's offer, or makes ours if there is none (RFC 3264 section 5). The status is 0 or says why not.
func (e *Exchange) describe(l *leg, r *sip.Request) (status int) {
	if l.sdp != nil {
		l.local.Version++
	}
	if len(r.Body()) == 0 {
		l.sdp = offer.Offer(l.local)
		return 0
	}
	answer, m, err := offer.Answer(l.local, r.Body())
	switch {
	case errors.Is(err, offer.ErrNoCommonCodec):
		return 488 // RFC 3261 section 13.3.1.3
	case err != nil:
		return sip.StatusBadRequest
	}
	l.sdp = answer
	e.agree(l, m)
	return 0
}

// accept answers the phone's INVITE with 200.
func (e *Exchange) accept(now time.Time, l *leg, r *sip.Request, headers ...sip.Header) {
	l.state = up
	l.dialog.Confirm(nil)
	l.dialog.Refresh(r)
	l.ok = e.describing(l, r, sip.StatusOK, headers...)
	l.interval, l.resend, l.giveUp = t1, now.Add(t1), now.Add(64*t1)
	e.tx.Respond(now, l.server, l.ok)
}

// describing is a response with our SDP.
func (e *Exchange) describing(l *leg, r *sip.Request, status int, headers ...sip.Header) *sip.Response {
	response := dialog.Response(r, status, l.tag)
	response.AppendHeader(e.contact(l.transport))
	response.AppendHeader(sip.NewHeader("Allow", allow))
	for _, h := range headers {
		response.AppendHeader(h)
	}
	contentType := sip.ContentTypeHeader("application/sdp")
	response.AppendHeader(&contentType)
	response.SetBody(l.sdp)
	return response
}

// resend repeats our 2xx.
func (e *Exchange) resend(now time.Time, l *leg) {
	if !now.Before(l.giveUp) {
		// RFC 3261 section 13.3.1.4: with no ACK after 64*T1 the session SHOULD be terminated with a BYE.
		e.hangUp(now, l)
		return
	}
	l.interval = min(2*l.interval, t2)
	l.resend = now.Add(l.interval)
	e.tx.Respond(now, l.server, l.ok)
}

// acknowledged takes the phone's ACK, with the answer if our 200 had the offer.
func (e *Exchange) acknowledged(now time.Time, l *leg, r *sip.Request) {
	l.ok, l.resend = nil, time.Time{}
	if len(r.Body()) == 0 || l.accepted {
		return
	}
	if m, err := offer.Accept(l.local, r.Body()); err == nil {
		e.agree(l, m)
	} else {
		e.hangUp(now, l)
	}
}

// send builds and sends a request inside the leg's dialog.
func (e *Exchange) send(now time.Time, l *leg, method sip.RequestMethod, body []byte, headers ...sip.Header) {
	r := e.inside(l, l.dialog.Request(method))
	for _, h := range headers {
		r.AppendHeader(h)
	}
	if body != nil {
		r.SetBody(body)
	}
	e.clients[e.tx.Request(now, r)] = &client{}
}

// inside makes a request of the leg's dialog go the way the phone came, unless proxies stand between.
func (e *Exchange) inside(l *leg, r *sip.Request) *sip.Request {
	if r.Route() == nil {
		r.SetTransport(l.transport)
		r.SetDestination(l.source)
	}
	return r
}

// hangUp ends a leg from our side, in any state.
func (e *Exchange) hangUp(now time.Time, l *leg, reasons ...string) {
	var headers []sip.Header
	for _, reason := range reasons {
		headers = append(headers, sip.NewHeader("Reason", reason)) // RFC 3326
	}
	switch l.state {
	case calling:
		e.respond(now, l.server, l.invite, sip.StatusTemporarilyUnavailable, headers...)
	case ringing:
		l.state = cancelled
		e.leave(now, l)
		e.tx.Cancel(now, l.client, headers...)
		return // the final response is due
	case up:
		e.send(now, l, sip.BYE, nil, headers...)
	}
	e.drop(now, l)
}

// drop forgets a leg whose dialog is over, and frees whoever was with it.
func (e *Exchange) drop(now time.Time, l *leg) {
	if l.state == gone {
		return
	}
	if l.state != cancelled {
		e.leave(now, l)
	}
	l.state = gone
	e.legs = slices.DeleteFunc(e.legs, func(x *leg) bool { return x == l })
}

// leave takes a leg out of the conversation, the sound and the count of calls.
func (e *Exchange) leave(now time.Time, l *leg) {
	e.studio.Close(l.id)
	e.media.Close(l.id)
	if a := l.attempt; a != nil && a.dialler == l {
		e.abort(now, a)
	}
	switch {
	case l.caller != 0:
		e.queues.Complete(now, l.caller)
	case l.account != nil && !l.queued:
		e.queues.Occupy(now, l.account.User, -1)
	}
	e.lost(now, l.party)
}

// lost ends what a party takes part in who is gone for good.
func (e *Exchange) lost(now time.Time, p *party) {
	for _, a := range slices.Clone(e.attempts) {
		if r := a.referral; r != nil && r.remote == p {
			e.notify(now, r, sip.StatusRequestTerminated)
			e.abort(now, a)
			e.declined(now, r, sip.StatusRequestTerminated)
		}
	}
	peer := p.peer
	e.part(p)
	for _, a := range e.attempts {
		if r := a.referral; r != nil && p.leg != nil && r.from == p.leg {
			r.from = nil // RFC 5589 section 6.1: the transferor may leave at once; whom he transfers waits on
			return
		}
	}
	e.release(now, peer)
}

// connect lets two parties talk.
func (e *Exchange) connect(a, b *party) {
	e.part(a)
	e.part(b)
	a.peer, b.peer = b, a
	switch {
	case a.leg != nil && b.leg != nil:
		e.studio.Join(a.leg.id, b.leg.id)
	case a.leg != nil:
		e.studio.Play(a.leg.id, b.sound)
	case b.leg != nil:
		e.studio.Play(b.leg.id, a.sound)
	}
}

// part ends a conversation; both parties are still there.
func (e *Exchange) part(p *party) {
	peer := p.peer
	if peer == nil {
		return
	}
	p.peer, peer.peer = nil, nil
	for _, one := range []*party{p, peer} {
		if one.leg != nil {
			e.studio.Play(one.leg.id, nil)
		}
	}
}

// release ends the call of somebody whose peer has gone.
func (e *Exchange) release(now time.Time, p *party) {
	switch {
	case p == nil:
	case p.leg != nil:
		e.hangUp(now, p.leg, `Q.850;cause=16;text="Normal call clearing"`)
	case p.visitor != nil:
		e.dismiss(now, p.visitor)
	}
}
