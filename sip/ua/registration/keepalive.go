package registration

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/client"
)

// Deadline is when Tick is wanted; the zero time means never.
func (r *Registration) Deadline() time.Time {
	var first time.Time
	for _, t := range []time.Time{r.next, r.pendingLate, r.pingNext, r.pingLate, r.stopBy} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// Tick does what is due.
func (r *Registration) Tick(now time.Time) {
	due := func(t *time.Time) bool {
		if t.IsZero() || now.Before(*t) {
			return false
		}
		*t = time.Time{}
		return true
	}
	if due(&r.stopBy) {
		r.finish()
	}
	if due(&r.pendingLate) {
		r.active = false
		// Its transaction is still trying: no other try is planned.
		r.report(sip.Unregistered{Cause: sip.Unreachable})
	}
	if due(&r.pingLate) {
		r.register(now)
	}
	if due(&r.next) {
		r.register(now)
	}
	if due(&r.pingNext) {
		r.sendPing(now)
	}
}

// sendPing asks the exchange for a sign of life. Any response is one, also a refusal.
func (r *Registration) sendPing(now time.Time) {
	exchange := r.client.URI("")
	identity := client.Identity{CallID: r.client.Token(), Tag: r.client.Token()}
	r.pingLate = now.Add(patience)
	var ping *client.Request
	ping = r.client.Send(now, func() *sipgo.Request {
		identity.CSeq++
		return r.client.Outside(sipgo.OPTIONS, exchange, exchange, identity)
	}, func(now time.Time, reply client.Reply) {
		if !reply.Final() || r.ping != ping {
			return
		}
		r.ping, r.pingLate = nil, time.Time{}
		if reply.Response == nil {
			// The exchange has gone, or the connection to it: register, so that we are back as soon as it is.
			r.register(now)
			return
		}
		if flow := flowOf(reply.Response); flow != "" && r.flow != "" && flow != r.flow {
			// The exchange is there, but this OPTIONS came to it from elsewhere than our REGISTER: over a new TCP
			// connection, or by a new mapping of a NAT. Calls still go the old way, which leads nowhere.
			r.register(now)
			return
		}
		r.pingNext = now.Add(r.spread(r.config.KeepAlive, 10))
	})
	r.ping = ping
}

// Stop removes the binding (RFC 3261 section 10.2.2) and calls done once: when the registrar has answered, when there is
// nothing to remove, or after 2 s.
func (r *Registration) Stop(now time.Time, done func()) {
	if r.stopped != nil {
		return
	}
	r.stopped, r.stopBy = done, now.Add(stopTime)
	r.next, r.ping, r.pingNext, r.pingLate, r.pendingLate = time.Time{}, nil, time.Time{}, time.Time{}, time.Time{}
	if r.pending == nil {
		r.unregister(now)
	}
}

func (r *Registration) unregister(now time.Time) {
	if r.bound.Host == "" {
		r.finish()
		return
	}
	r.pending = r.client.Send(now, func() *sipgo.Request { return r.request(0) }, func(_ time.Time, reply client.Reply) {
		if reply.Final() {
			r.pending = nil
			r.finish()
		}
	})
}

func (r *Registration) finish() {
	if r.finished {
		return
	}
	r.finished, r.active, r.stopBy = true, false, time.Time{}
	r.report(sip.Unregistered{Cause: sip.Normal})
	r.stopped()
}
