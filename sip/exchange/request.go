package exchange

import (
	"slices"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/dialog"
	"freizeichen/sip/exchange/dtmf"
	"freizeichen/sip/exchange/plan"
	"freizeichen/sip/exchange/registrar"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

// allow is what the exchange understands inside of dialogs.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY, SUBSCRIBE"

// receive takes a request of a phone.
func (e *Exchange) receive(now time.Time, tx transaction.ServerID, r *sip.Request) {
	if r.Method == sip.SUBSCRIBE {
		if e.authentic(now, tx, r, e.account(r.From().Address.User), false) {
			e.notifier.Receive(now, tx, r)
		}
		return
	}
	if r.To().Params.Has("tag") {
		e.receiveInside(now, tx, r)
		return
	}
	switch r.Method {
	case sip.REGISTER:
		e.receiveRegister(now, tx, r)
	case sip.INVITE:
		e.receiveInvite(now, tx, r)
	case sip.OPTIONS:
		e.respond(now, tx, r, sip.StatusOK, sip.NewHeader("Allow", allow), sip.NewHeader("Accept", "application/sdp"))
	case sip.PUBLISH:
		e.respond(now, tx, r, 489, sip.NewHeader("Allow-Events", "refer")) // RFC 6665 section 4.2.1.1
	case sip.ACK:
	case sip.BYE, sip.INFO, sip.NOTIFY:
		e.respond(now, tx, r, sip.StatusCallTransactionDoesNotExists)
	default:
		e.respond(now, tx, r, sip.StatusMethodNotAllowed, sip.NewHeader("Allow", allow)) // RFC 3261 section 8.2.1
	}
}

// authentic checks the digest of a request; if it does not suffice, the request has been answered.
func (e *Exchange) authentic(now time.Time, tx transaction.ServerID, r *sip.Request, account *Account, proxy bool) bool {
	credentials, challenge, status := "authorization", "WWW-Authenticate", sip.StatusUnauthorized
	if proxy {
		credentials, challenge, status = "proxy-authorization", "Proxy-Authenticate", sip.StatusProxyAuthRequired
	}
	result := registrar.NoCredentials
	if account != nil {
		result = e.gate.Check(now, r, credentials, account)
	} else if e.config.UnknownAccount != sip.StatusUnauthorized {
		e.respond(now, tx, r, e.config.UnknownAccount)
		return false
	} else {
		account = &Account{} // whoever guesses names learns nothing
	}
	switch {
	case result == registrar.Granted:
		return true
	case result == registrar.WrongPassword && e.config.WrongPassword != sip.StatusUnauthorized:
		e.respond(now, tx, r, e.config.WrongPassword)
		return false
	}
	var headers []sip.Header
	for _, text := range e.gate.Challenges(now, account, result == registrar.StaleNonce) {
		headers = append(headers, sip.NewHeader(challenge, text))
	}
	e.respond(now, tx, r, status, headers...)
	return false
}

func (e *Exchange) receiveRegister(now time.Time, tx transaction.ServerID, r *sip.Request) {
	account := e.account(r.To().Address.User)
	if !e.authentic(now, tx, r, account, false) {
		return
	}
	err := e.registrar.Register(now, r, account)
	switch refused, _ := err.(registrar.Refusal); {
	case err == nil:
		e.log.Info("exchange: registered", "account", account.User, "contacts", len(e.registrar.Contacts(now, account.User)))
		e.respond(now, tx, r, sip.StatusOK, e.registrar.Contacts(now, account.User)...)
	case refused == sip.StatusIntervalToBrief:
		e.respond(now, tx, r, int(refused), sip.NewHeader("Min-Expires", strconv.Itoa(int(e.registrar.Shortest()/time.Second))))
	default:
		e.respond(now, tx, r, int(refused))
	}
}

func (e *Exchange) receiveInvite(now time.Time, tx transaction.ServerID, r *sip.Request) {
	number := plan.Number(r.Recipient.User)
	account := e.account(r.From().Address.User)
	if d := e.config.Destinations.Find(number); d == nil || d.Manner != plan.EmergencyDemo {
		if !e.authentic(now, tx, r, account, e.config.ProxyAuthentication) {
			return
		}
	} else if account = e.emergencyCaller(now, r, account); account == nil && e.unknown() >= unknownMax {
		e.respond(now, tx, r, sip.StatusServiceUnavailable)
		return
	}
	l, err := e.newLeg(calling, account, r.Source(), r.Transport())
	if err != nil {
		e.log.Error("exchange: no sound for a call", "error", err)
		e.respond(now, tx, r, sip.StatusServiceUnavailable)
		return
	}
	if account != nil {
		e.queues.Occupy(now, account.User, +1)
	}
	l.server, l.invite = tx, r
	if l.dialog, err = dialog.NewUAS(r, l.tag); err != nil {
		e.respond(now, tx, r, sip.StatusBadRequest)
		e.drop(now, l)
		return
	}
	if status := e.describe(l, r); status != 0 {
		e.respond(now, tx, r, status)
		e.drop(now, l)
		return
	}
	l.attempt = &attempt{target: number, dialler: l}
	e.try(now, l.attempt)
}

// unknownMax bounds the emergency calls of unknown phones: each takes two ports.
const unknownMax = 10

// unknown counts them.
func (e *Exchange) unknown() (n int) {
	for _, l := range e.legs {
		if l.account == nil {
			n++
		}
	}
	return n
}

// emergencyCaller is the account of an emergency call that proves it; nil else. Such a call must not fail for want of a
// password, but nobody makes an agent busy by writing his name.
func (e *Exchange) emergencyCaller(now time.Time, r *sip.Request, account *Account) *Account {
	for _, credentials := range []string{"authorization", "proxy-authorization"} {
		if account == nil {
			break
		}
		if result := e.gate.Check(now, r, credentials, account); result == registrar.Granted || result == registrar.StaleNonce {
			return account
		}
	}
	return nil
}

// receiveInside takes a request of a dialog.
func (e *Exchange) receiveInside(now time.Time, tx transaction.ServerID, r *sip.Request) {
	l := e.byDialog(r)
	if l == nil {
		if r.Method != sip.ACK {
			e.respond(now, tx, r, sip.StatusCallTransactionDoesNotExists)
		}
		return
	}
	if err := l.dialog.Receive(r); err != nil {
		e.respond(now, tx, r, sip.StatusInternalServerError) // RFC 3261 section 12.2.2
		return
	}
	switch r.Method {
	case sip.ACK:
		e.acknowledged(now, l, r)
	case sip.BYE:
		e.respond(now, tx, r, sip.StatusOK)
		if l.state == calling {
			e.respond(now, l.server, l.invite, sip.StatusRequestTerminated) // RFC 3261 section 15.1.2
		}
		e.drop(now, l)
	case sip.INVITE:
		e.receiveReinvite(now, tx, l, r)
	case sip.INFO:
		if contentType := r.ContentType(); contentType != nil && l.account != nil {
			if digit, ok := dtmf.Info(contentType.Value(), r.Body()); ok {
				e.digits[l.account.User] += string(digit)
			}
		}
		e.respond(now, tx, r, sip.StatusOK)
	case sip.REFER:
		e.receiveRefer(now, tx, l, r)
	case sip.OPTIONS, sip.NOTIFY:
		e.respond(now, tx, r, sip.StatusOK)
	default:
		e.respond(now, tx, r, sip.StatusMethodNotAllowed, sip.NewHeader("Allow", allow))
	}
}

// receiveReinvite holds, resumes or moves the phone's sound.
func (e *Exchange) receiveReinvite(now time.Time, tx transaction.ServerID, l *leg, r *sip.Request) {
	if l.state != up || l.ok != nil {
		// RFC 3261 section 14.2: a second INVITE before the first is finally answered MUST get 500 with Retry-After.
		e.respond(now, tx, r, sip.StatusInternalServerError, sip.NewHeader("Retry-After", "1"))
		return
	}
	if status := e.describe(l, r); status != 0 {
		e.respond(now, tx, r, status) // the session stays as it was
		return
	}
	if len(r.Body()) == 0 {
		l.accepted = false // the answer comes in the ACK
	}
	l.server, l.invite = tx, r
	e.accept(now, l, r)
}

// receiveRefer begins a transfer: to a number (RFC 3515, RFC 5589 section 6), or to whom the phone has asked (section 7).
func (e *Exchange) receiveRefer(now time.Time, tx transaction.ServerID, l *leg, r *sip.Request) {
	to := header.Addresses(header.First(r, "Refer-To", "r"))
	if len(to) != 1 || to[0].User() == "" {
		e.respond(now, tx, r, sip.StatusBadRequest)
		return
	}
	if l.state != up || l.party.peer == nil {
		e.respond(now, tx, r, 603)
		return
	}
	if slices.ContainsFunc(e.attempts, func(a *attempt) bool { return a.referral != nil && a.referral.from == l }) {
		e.respond(now, tx, r, 491) // one at a time
		return
	}
	if header.HasReplaces(to[0].URI) {
		e.receiveJoin(now, tx, l, r, to[0].URI)
		return
	}
	e.respond(now, tx, r, sip.StatusAccepted, e.contact(l.transport))
	a := &attempt{target: to[0].User(), referral: &referral{from: l, remote: l.party.peer}}
	// RFC 3515 section 2.4.4: the agent that accepts MUST immediately send a NOTIFY.
	e.notify(now, a.referral, sip.StatusTrying)
	e.try(now, a)
}

// notify tells the transferor how far the transfer is (RFC 3515 section 2.4.4); a final status ends the subscription.
func (e *Exchange) notify(now time.Time, r *referral, status int) {
	if r.from == nil || r.from.state != up {
		return
	}
	state := "active;expires=60"
	if status >= 200 {
		state = "terminated;reason=noresource" // RFC 3515 section 2.4.7
	}
	body := "SIP/2.0 " + strconv.Itoa(status) + " " + dialog.ReasonPhrase(status) + "\r\n"
	e.send(now, r.from, sip.NOTIFY, []byte(body), e.contact(r.from.transport), sip.NewHeader("Event", "refer"),
		sip.NewHeader("Subscription-State", state), sip.NewHeader("Content-Type", "message/sipfrag;version=2.0"))
}

// response takes a response to a request of ours.
func (e *Exchange) response(now time.Time, id transaction.ClientID, r *sip.Response) {
	c := e.clients[id]
	if c == nil {
		return
	}
	if c.leg != nil {
		e.invited(now, c, r)
	}
	if r.StatusCode < 200 || c.leg != nil && r.IsSuccess() {
		return
	}
	if c.binding != nil {
		c.binding.Reachable = true // whatever it says: it is there
	}
	delete(e.clients, id)
}

// final is the end of a request of ours without a response.
func (e *Exchange) final(now time.Time, id transaction.ClientID, status int) {
	c := e.clients[id]
	delete(e.clients, id)
	switch {
	case c == nil:
	case c.leg != nil && c.until.IsZero():
		e.refused(now, c.leg, status)
	case c.binding != nil:
		c.binding.Reachable = false
	}
}
