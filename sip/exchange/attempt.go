package exchange

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	words "freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/exchange/deadline"
	"freizeichen/sip/exchange/plan"
	"freizeichen/sip/exchange/queue"
	"freizeichen/sip/exchange/registrar"
	"freizeichen/sip/exchange/studio"
	"freizeichen/sip/offer"
	"freizeichen/sip/ua/header"
)

// An attempt is the search for somebody who answers: all phones of one account, or a destination that is acted.
//
//	queue, dialling phone or transfer --> attempt --> rang, reached or unreached --> the same
type attempt struct {
	target string
	who    words.Party       // called
	legs   []*leg            // that ring
	office *plan.Destination // instead of phones
	voice  uint64            // seed of who answers as the office; zero: drawn
	due    time.Time         // when an acted destination goes on, or it has rung long enough; zero: the queue decides
	rung   bool

	// On whose behalf: exactly one of these.
	visitor  *visitor  // from a queue, or calling a phone directly
	dialler  *leg      // a phone's call
	referral *referral // a transfer
}

// A referral is a transfer under way (RFC 3515).
type referral struct {
	from   *leg   // the transferor; nil when he has left
	remote *party // who is transferred
	asked  *leg   // the transferor's own call to the target, which still rings; nil: he has not asked, or has left it
}

// ringLimit is how long a call rings that no queue watches.
const ringLimit = 60 * time.Second

// partingTime is how long a transferor has for his own BYE (RFC 5589 section 6.1) before the exchange sends one.
const partingTime = 4 * time.Second

// gaveUp is the Reason of a caller who does not wait any longer, as Asterisk writes it.
const gaveUp = `Q.850;cause=0`

// noAnswer is the Reason (RFC 3326) of ringing that nobody heard.
const noAnswer = `Q.850;cause=19;text="No answer"`

// elsewhere are the Reasons that make a phone count no missed call.
func elsewhere() []string {
	return []string{`SIP;cause=200;text="Call completed elsewhere"`, `Q.850;cause=26`}
}

// try begins an attempt that is not of a queue.
func (e *Exchange) try(now time.Time, a *attempt) {
	e.attempts = append(e.attempts, a)
	a.due = now.Add(ringLimit)
	if d := e.config.Destinations.Find(a.target); d != nil {
		a.office, a.who = d, words.Party{Name: d.Name, Number: d.Number}
		e.act(now, a)
		return
	}
	if account := e.account(a.target); account != nil {
		a.who = words.Party{Name: account.Name, Number: account.User}
		e.ring(now, a, account)
		return
	}
	if name, _ := e.queues.Find(a.target); name != "" {
		e.unreached(now, a, sip.StatusBusyHere) // agents do not queue for themselves
		return
	}
	if c := e.callers.Find(a.target); c != nil {
		e.callBack(now, a, c)
		return
	}
	e.unreached(now, a, sip.StatusNotFound)
}

// callBack rings a citizen who has called before.
func (e *Exchange) callBack(now time.Time, a *attempt, c *Citizen) {
	if e.engaged(c.Party.Number) {
		e.unreached(now, a, sip.StatusBusyHere)
		return
	}
	a.office = &plan.Destination{Number: c.Party.Number, Name: c.Party.Name, Manner: plan.Answers}
	a.who, a.voice = c.Party, c.Voice
	e.act(now, a)
}

// act is the first step of a destination.
func (e *Exchange) act(now time.Time, a *attempt) {
	switch a.office.Manner {
	case plan.Busy:
		e.unreached(now, a, sip.StatusBusyHere)
	case plan.Echo:
		e.proceed(now, a)
	case plan.Announcement:
		if a.dialler == nil {
			e.unreached(now, a, sip.StatusTemporarilyUnavailable) // an announcement is nobody to transfer to
			return
		}
		a.due = now.Add(6 * time.Second)
		l := a.dialler
		e.tx.Respond(now, l.server, e.describing(l, l.invite, sip.StatusSessionInProgress))
		e.studio.Play(l.id, studio.NewTalker(uint64(l.id), true))
	case plan.Silent:
		e.rang(now, a)
	case plan.Answers, plan.EmergencyDemo:
		a.due = now.Add(cmp.Or(a.office.Ringing, 2*time.Second))
		e.rang(now, a)
	}
}

// proceed is the second step of a destination, or the end of ringing.
func (e *Exchange) proceed(now time.Time, a *attempt) {
	manner := plan.Silent // of phones that rang long enough
	if a.office != nil {
		manner = a.office.Manner
	}
	p := &party{who: a.who}
	switch manner {
	case plan.Echo:
		p.sound = studio.Echo{}
	case plan.Answers:
		p.sound = studio.NewTalker(cmp.Or(a.voice, e.config.Seed+uint64(e.lastCall)), true)
	case plan.EmergencyDemo:
		p.sound = studio.SpecialInformation()
	default:
		e.unreached(now, a, sip.StatusTemporarilyUnavailable)
		return
	}
	e.reached(now, a, p)
}

// ring sends an INVITE to every phone of an account.
func (e *Exchange) ring(now time.Time, a *attempt, account *Account) {
	for _, b := range e.registrar.Reachable(now, account.User) {
		l, err := e.newLeg(ringing, account, b.Source, b.Transport)
		if err != nil {
			e.log.Error("exchange: no sound for a call", "error", err)
			break
		}
		l.attempt, l.queued = a, a.visitor != nil && a.visitor.queue != ""
		if !l.queued {
			e.queues.Occupy(now, account.User, +1)
		}
		a.legs = append(a.legs, l)
		l.sdp = offer.Offer(l.local)
		r := e.invitation(now, a, b)
		r.SetBody(l.sdp)
		l.invite = r.Clone()
		l.client = e.tx.Request(now, r)
		e.clients[l.client] = &client{leg: l}
	}
	if len(a.legs) == 0 {
		e.unreached(now, a, sip.StatusTemporarilyUnavailable)
	}
}

// invitation is the INVITE that a phone receives: who calls, which number was called, and why.
func (e *Exchange) invitation(now time.Time, a *attempt, b *registrar.Binding) *sip.Request {
	var from words.Party
	switch {
	case a.visitor != nil:
		from = a.visitor.Party
	case a.dialler != nil:
		from = a.dialler.party.who
	default:
		from = a.referral.remote.who
	}
	r := e.request(sip.INVITE, b, from)
	add := func(name, value string) { r.AppendHeader(sip.NewHeader(name, value)) }
	if from.Number == "" {
		// RFC 3323 section 4.1.1.3, RFC 3325 section 9.3: the caller withholds who he is.
		r.From().DisplayName, r.From().Address = "Anonymous", sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}
		add("Privacy", "id")
	} else {
		add("P-Asserted-Identity", e.identity(from)) // RFC 3325
	}
	if v := a.visitor; v != nil {
		if topic := header.Text(v.Topic, 100); topic != "" {
			add("Subject", topic) // RFC 3261 section 20.36
		}
		if v.queue != "" {
			called := e.identity(words.Party{Name: v.queue, Number: v.Called})
			add("Diversion", called+";reason=unconditional") // RFC 5806
			add("History-Info", called+";index=1")           // RFC 7044
			add("Alert-Info", "<urn:alert:source:external>;info=queue")
			add("X-CC-Queue", e.queues.ID(v.queue))
			add("X-CC-Wait", strconv.Itoa(int(now.Sub(v.since)/time.Second)))
		}
	}
	add("Allow", allow)
	add("Content-Type", "application/sdp")
	return r
}

// invited takes a response to our INVITE.
func (e *Exchange) invited(now time.Time, c *client, r *sip.Response) {
	l := c.leg
	switch {
	case r.StatusCode >= 300:
		e.refused(now, l, r.StatusCode)
		return
	case r.StatusCode < 200:
		if r.StatusCode >= 180 && l.state == ringing {
			e.rang(now, l.attempt)
		}
		return
	}
	c.until = now.Add(64 * t1) // RFC 6026 section 7.2: 2xx come again so long
	if l.dialog != nil && l.dialog.ID() == dialog.IDOfResponse(r) {
		e.tx.ACK(now, e.inside(l, l.dialog.ACK(r)))
		return
	}
	d, err := dialog.NewUAC(l.invite, r)
	if err != nil {
		e.log.Warn("exchange: useless answer of a phone", "error", err)
		return
	}
	// RFC 3261 section 13.2.2.4: every 2xx MUST be acknowledged.
	e.tx.ACK(now, e.inside(l, d.ACK(r)))
	if l.state != ringing {
		// It crossed our CANCEL, or comes from a second branch: acknowledged and ended.
		e.clients[e.tx.Request(now, e.inside(l, d.Request(sip.BYE)))] = &client{}
		if l.state == cancelled {
			e.drop(now, l)
		}
		return
	}
	l.dialog, l.state = d, up
	a := l.attempt
	m, err := offer.Accept(l.local, r.Body())
	if err != nil {
		e.detach(a, l)
		e.hangUp(now, l, `SIP;cause=488;text="Not Acceptable Here"`)
		e.exhausted(now, a, 488)
		return
	}
	e.agree(l, m)
	e.detach(a, l)
	e.reached(now, a, l.party)
}

// refused is a final response other than 2xx to our INVITE, or its absence.
func (e *Exchange) refused(now time.Time, l *leg, status int) {
	a := l.attempt
	e.detach(a, l)
	e.drop(now, l)
	e.exhausted(now, a, status)
}

// exhausted gives the attempt up when its last phone has refused.
func (e *Exchange) exhausted(now time.Time, a *attempt, status int) {
	if a != nil && len(a.legs) == 0 { // nil: cancelled
		e.unreached(now, a, status)
	}
}

// detach takes a leg out of its attempt.
func (e *Exchange) detach(a *attempt, l *leg) {
	l.attempt = nil
	if a != nil {
		a.legs = slices.DeleteFunc(a.legs, func(x *leg) bool { return x == l })
	}
}

// rang tells that it rings.
func (e *Exchange) rang(now time.Time, a *attempt) {
	if a == nil || a.rung {
		return
	}
	a.rung = true
	switch {
	case a.dialler != nil:
		l := a.dialler
		response := dialog.Response(l.invite, sip.StatusRinging, l.tag)
		response.AppendHeader(e.contact(l.transport))
		response.AppendHeader(sip.NewHeader("P-Asserted-Identity", e.identity(a.who)))
		e.tx.Respond(now, l.server, response)
	case a.referral != nil:
		e.notify(now, a.referral, sip.StatusRinging)
	}
}

// reached joins who was searched with who searched.
func (e *Exchange) reached(now time.Time, a *attempt, p *party) {
	e.abort(now, a, elsewhere()...)
	switch {
	case a.visitor != nil:
		v := a.visitor
		if v.queue != "" {
			if !e.queues.Answer(now, v.id, a.target) {
				e.hangUp(now, p.leg)
				return
			}
			p.leg.caller = v.id
		}
		v.end = deadline.After(now, v.Talk)
		e.connect(v.party, p)
	case a.dialler != nil:
		l := a.dialler
		l.attempt = nil
		e.accept(now, l, l.invite, sip.NewHeader("P-Asserted-Identity", e.identity(p.who)))
		e.connect(l.party, p)
	case a.referral != nil:
		r := a.referral
		e.notify(now, r, sip.StatusOK)
		e.declined(now, r, statusDecline)
		e.connect(r.remote, p)
		if r.from != nil {
			r.from.end = now.Add(partingTime)
		}
	}
}

// unreached tells that nobody answers.
func (e *Exchange) unreached(now time.Time, a *attempt, status int) {
	e.abort(now, a, noAnswer)
	switch {
	case a.visitor != nil && a.visitor.queue == "":
		e.dismiss(now, a.visitor)
	case a.visitor != nil:
		e.queues.Miss(now, a.visitor.id, a.target)
	case a.dialler != nil:
		l := a.dialler
		l.attempt = nil
		e.respond(now, l.server, l.invite, status)
		e.drop(now, l)
	case a.referral != nil:
		e.notify(now, a.referral, status)
		e.declined(now, a.referral, status)
		if a.referral.from == nil {
			e.release(now, a.referral.remote) // nobody is left to take the call back
		}
	}
}

// abort ends an attempt and the ringing of its phones.
func (e *Exchange) abort(now time.Time, a *attempt, reasons ...string) {
	e.attempts = slices.DeleteFunc(e.attempts, func(x *attempt) bool { return x == a })
	for _, l := range slices.Clone(a.legs) {
		e.detach(a, l)
		e.hangUp(now, l, reasons...)
	}
}

// offer lets an agent's phones ring for a caller of a queue.
func (e *Exchange) offer(now time.Time, o queue.Order) {
	v, account := e.visitor(o.Caller), e.account(o.Agent)
	if v == nil || account == nil {
		e.queues.Miss(now, o.Caller, o.Agent)
		return
	}
	a := &attempt{target: o.Agent, visitor: v, who: words.Party{Name: account.Name, Number: account.User}}
	e.attempts = append(e.attempts, a)
	e.ring(now, a, account)
}

// withdraw ends the ringing of an agent's phones, and says why (RFC 3326): only what was answered elsewhere is no missed call.
func (e *Exchange) withdraw(now time.Time, o queue.Order) {
	reasons := map[queue.StopCause][]string{queue.Elsewhere: elsewhere(), queue.GaveUp: {gaveUp}, queue.NoAnswer: {noAnswer}}
	for _, a := range slices.Clone(e.attempts) {
		if a.visitor != nil && a.visitor.id == o.Caller && a.target == o.Agent {
			e.abort(now, a, reasons[o.Cause]...)
		}
	}
}
