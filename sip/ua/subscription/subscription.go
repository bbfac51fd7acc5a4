package subscription

import (
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip/dialog"
	"freizeichen/sip/presence"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

const (
	// Tries after a failure: seconds first, since most exchanges restart quickly, but no burst of a whole floor.
	backOffMin, backOffMax = time.Second, time.Minute
	// refusedPause is the time between two tries where the exchange knows no such queue, or does not let us: only a
	// person can change that.
	refusedPause = 5 * time.Minute
	// retryAfterMax bounds what a retry-after can make us wait.
	retryAfterMax = 10 * time.Minute
	// proven is how long a subscription must have lived for its failures to be forgotten.
	proven = time.Minute
)

// A subscription is one of RFC 6665, kept up for ever: when it ends, the next one begins.
type subscription struct {
	watch    *Watch
	resource string // user part, not yet escaped
	event    string // "presence" or "dialog"
	// apply takes a body, forget is told when nothing is known any more, with the status of a refusal or 0.
	apply  func(now time.Time, body []byte) error
	forget func(status int)

	expires  time.Duration // to ask for
	identity client.Identity
	dialog   *dialog.Dialog  // nil before the first NOTIFY
	pending  *client.Request // SUBSCRIBE
	attempt  int             // replies to an earlier one are not for us
	failures int             // in a row
	since    time.Time       // of the first NOTIFY

	next   time.Time // SUBSCRIBE
	silent time.Time // the NOTIFY that a SUBSCRIBE brings must have come (timer N)
	over   time.Time // ends unless refreshed
	heard  time.Time // of the last NOTIFY

	stale    time.Time     // the next report should have come; zero: none is expected
	patience time.Duration // with that

	impossible bool // no URI can name the resource
	doubtful   bool // the registration has been lost since
	ending     bool
	leaving    bool // SUBSCRIBE with Expires: 0 has been sent

	hints hints
}

// agentName is the User-Agent of a SUBSCRIBE. Asterisk (res_pjsip_pidf_digium_body_supplement) puts the text of a
// presence state into the body only for a User-Agent that begins with "Digium": without it the phone would get "Ready".
func (s *subscription) agentName() string {
	if s.event != "presence" {
		return s.watch.config.UserAgent
	}
	return strings.TrimSpace("Digium-compatible " + s.watch.config.UserAgent)
}

// contentType is of the bodies that the event package brings.
func (s *subscription) contentType() string {
	if s.event == "dialog" {
		return presence.DialogXML
	}
	return presence.PIDF
}

// send subscribes, or refreshes.
func (s *subscription) send(now time.Time) {
	if s.pending != nil {
		return
	}
	c := s.watch.client
	if s.dialog == nil {
		s.identity = client.Identity{CallID: c.Token(), Tag: c.Token()}
	}
	s.next, s.leaving = time.Time{}, s.ending
	// RFC 6665 section 4.1.2.2: a subscriber starts Timer N when it sends the SUBSCRIBE request.
	s.silent = now.Add(s.watch.config.Silence)
	s.attempt++
	attempt := s.attempt
	s.pending = c.Send(now, s.build, func(now time.Time, reply client.Reply) {
		if s.attempt == attempt && reply.Final() {
			s.pending = nil
			s.replied(now, reply)
		}
	})
}

// build makes the SUBSCRIBE of RFC 6665 section 4.1.2.
func (s *subscription) build() *sipgo.Request {
	var request *sipgo.Request
	if s.dialog != nil {
		request = s.dialog.Request(sipgo.SUBSCRIBE)
	} else {
		user, _ := client.UserPart(s.resource)
		uri := s.watch.client.URI(user)
		s.identity.CSeq++
		request = s.watch.client.Outside(sipgo.SUBSCRIBE, uri, uri, s.identity)
	}
	expires := s.expires
	if s.leaving {
		expires = 0
	}
	request.AppendHeader(s.watch.config.Contact())
	request.AppendHeader(sipgo.NewHeader("Event", s.event))
	request.AppendHeader(sipgo.NewHeader("Accept", s.contentType()))
	request.AppendHeader(sipgo.NewHeader("Expires", header.WriteSeconds(expires)))
	if name := s.agentName(); name != "" {
		request.AppendHeader(sipgo.NewHeader("User-Agent", header.Text(name, 0)))
	}
	return request
}

// replied takes the final reply to SUBSCRIBE.
func (s *subscription) replied(now time.Time, reply client.Reply) {
	switch {
	case s.ending && !s.leaving:
		s.send(now)
	case s.ending && reply.Success(): // the last NOTIFY is due
	case s.ending:
		s.watch.remove(s)
	case reply.Success():
		s.granted(now, reply.Response)
	case reply.Status == sipgo.StatusIntervalToBrief && s.longer(reply.Response):
		s.send(now)
	case reply.Response == nil:
		s.lost(now, 0, s.pause(now))
	case s.dialog != nil && reply.Status == sipgo.StatusCallTransactionDoesNotExists:
		s.lost(now, reply.Status, s.atOnce(now)) // the exchange was restarted
		s.watch.suspect(now, s)
	case refusal(reply.Status):
		s.lost(now, reply.Status, s.spread(refusedPause, 10))
	default:
		s.lost(now, reply.Status, max(s.pause(now), retryAfter(header.First(reply.Response, "retry-after"))))
	}
}

// refusal tells statuses that stay until a person changes something: 403, 404, 489, a wrong password. Not among them are
// those of time and load.
func refusal(status int) bool {
	switch status {
	case sipgo.StatusRequestTimeout, sipgo.StatusIntervalToBrief, sipgo.StatusTemporarilyUnavailable, sipgo.StatusCallTransactionDoesNotExists,
		sipgo.StatusBusyHere, sipgo.StatusRequestPending:
		return false
	case sipgo.StatusNotImplemented:
		return true
	}
	return status < 500 || status >= 600
}

// granted takes a 2xx. RFC 6665 section 4.1.2.1: the Expires of the response is the duration; a later expires of a NOTIFY
// replaces it.
func (s *subscription) granted(now time.Time, response *sipgo.Response) {
	if s.dialog != nil && dialog.IDOfResponse(response) == s.dialog.ID() {
		s.dialog.Refresh(response)
	}
	granted, ok := header.Seconds(header.First(response, "expires"), expiresMax)
	if !ok {
		granted = s.expires
	}
	if granted == 0 {
		s.lost(now, response.StatusCode, s.pause(now))
		return
	}
	s.lasts(now, granted)
}

// lasts plans the refresh of a subscription that ends after d.
func (s *subscription) lasts(now time.Time, d time.Duration) {
	s.over = now.Add(d)
	s.next = now.Add(max(s.spread(d*3/4, 10), time.Second))
}

// longer takes Min-Expires of a 423 (RFC 6665 section 4.2.1.1). It reports whether asking again makes sense.
func (s *subscription) longer(response *sipgo.Response) bool {
	wanted, ok := header.Seconds(header.First(response, "min-expires"), expiresMax)
	if !ok || wanted <= s.expires {
		return false
	}
	s.expires = wanted
	return true
}

// lost ends this subscription and plans the next one. status is told with QueueUnknown.
func (s *subscription) lost(now time.Time, status int, wait time.Duration) {
	if s.ending {
		s.watch.remove(s)
		return
	}
	s.failures++
	s.abandon()
	s.next = now.Add(wait)
	s.watch.config.Log.Debug("subscription lost", "resource", s.resource, "status", status, "retry", wait)
	s.forget(status)
}

// staleMax bounds the growing pauses between questions about a report that does not come.
const staleMax = 15 * time.Minute

// expect waits for the next report. A reporter repeats it within its time: where none comes, he has died, or the exchange
// has forgotten us in a restart, and a refresh tells which. In vain it is sent more and more rarely.
func (s *subscription) expect(now time.Time, within time.Duration) {
	s.stale, s.patience = time.Time{}, min(within, staleMax)
	if within > 0 {
		s.stale = now.Add(s.spread(s.patience, 10))
	}
}

// abandon forgets the dialog and the SUBSCRIBE under way.
func (s *subscription) abandon() {
	s.attempt++
	s.pending, s.dialog, s.identity, s.hints = nil, nil, client.Identity{}, hints{}
	s.next, s.silent, s.over, s.since, s.stale = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
}

// end unsubscribes (RFC 6665 section 4.1.2.3). A SUBSCRIBE that nobody has notified of yet is forgotten: its NOTIFY
// gets 481, which ends the subscription as well.
func (s *subscription) end(now time.Time) {
	if s.ending {
		return
	}
	s.ending, s.over = true, time.Time{}
	if s.dialog == nil || s.watch.crowded() {
		s.watch.remove(s)
		return
	}
	s.send(now) // or, with one under way, in replied
}

// crowded reports whether too many subscriptions wait for their last NOTIFY: an exchange that has gone.
func (w *Watch) crowded() bool { return len(w.subscriptions) > 2*subscriptionsMax }

// pause is the time until the next try after a failure, twice as long each time.
func (s *subscription) pause(now time.Time) time.Duration {
	s.prove(now)
	wait := backOffMin
	for range min(s.failures, 10) {
		wait = min(2*wait, backOffMax)
	}
	return s.spread(wait, 25)
}

// atOnce is the time until the next try where the exchange invites us to it. One that does so again and again gets the
// pauses of a failure.
func (s *subscription) atOnce(now time.Time) time.Duration {
	if s.prove(now); s.failures == 0 {
		return s.watch.soon()
	}
	return s.pause(now)
}

// prove forgets the failures before a subscription that has lived for a while.
func (s *subscription) prove(now time.Time) {
	if !s.since.IsZero() && now.Sub(s.since) >= proven {
		s.failures = 0
	}
}

// spread is d give or take percent, so that the phones of a floor do not act together.
func (s *subscription) spread(d time.Duration, percent int) time.Duration {
	return d * time.Duration(1000-10*percent+s.watch.client.Intn(20*percent+1)) / 1000
}

// retryAfter reads seconds, perhaps with a comment or parameters behind (RFC 3261 section 20.33).
func retryAfter(text string) time.Duration {
	text = strings.TrimSpace(text)
	if end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
		text = text[:end]
	}
	after, _ := header.Seconds(text, retryAfterMax)
	return after
}
