package session

import (
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip/ua/header"
)

const (
	// IntervalMin is the shortest session timer: RFC 4028 section 4, the absolute minimum for Session-Expires.
	IntervalMin = 90 * time.Second
	intervalMax = 24 * time.Hour
)

// A Timer is the session timer of one call: one side refreshes the session in time, so that both notice when the other has
// gone. The zero Timer asks for none, and takes what the peer wants.
type Timer struct {
	Wanted   time.Duration // zero: we ask for none
	Interval time.Duration // agreed, or ours alone; zero: no timer
	Ours     bool          // we refresh
	Refresh  time.Time     // when it is our turn; zero: never
	End      time.Time     // when the session has expired; zero: never, for nobody has agreed
	least    time.Duration // Min-SE of a 422
}

// A message is a request or a response.
type message interface{ GetHeaders(string) []sipgo.Header }

// expires reads Session-Expires; zero without one.
func expires(m message) (interval time.Duration, refresher string) {
	value, params := header.Field(header.First(m, "session-expires", "x"))
	interval, _ = header.Seconds(value, intervalMax)
	return interval, strings.ToLower(params["refresher"])
}

func knowsTimers(m message) bool { return header.Has(m, "timer", "supported", "k") }

// TooShort reports a request that asks for less than IntervalMin. The answer is 422, but only to a peer that knows of
// timers (RFC 4028 section 9).
func TooShort(request *sipgo.Request) bool {
	interval, _ := expires(request)
	return interval > 0 && interval < IntervalMin && knowsTimers(request)
}

// Ask puts the timer into an INVITE or UPDATE of ours.
func (t *Timer) Ask(request *sipgo.Request) {
	interval, refresher := t.Wanted, ""
	if t.Interval > 0 {
		// RFC 4028 section 7.4: the refresher is named by its role in this transaction, and should stay who it is.
		interval, refresher = t.Interval, ";refresher=uas"
		if t.Ours {
			refresher = ";refresher=uac"
		}
	}
	if interval = max(interval, t.least); interval == 0 {
		return
	}
	request.AppendHeader(sipgo.NewHeader("Session-Expires", header.WriteSeconds(interval)+refresher))
	if t.least > 0 {
		// Section 7.4: once a 422 has named a minimum, it is repeated in the requests that follow.
		request.AppendHeader(sipgo.NewHeader("Min-SE", header.WriteSeconds(t.least)))
	}
}

// Longer takes the Min-SE of a 422. It reports whether asking again makes sense (section 7.3).
func (t *Timer) Longer(response *sipgo.Response) bool {
	if response == nil {
		return false
	}
	value, _ := header.Field(header.First(response, "min-se"))
	least, _ := header.Seconds(value, intervalMax)
	if least <= max(t.Wanted, t.Interval, t.least) {
		return false
	}
	t.least = least
	return true
}

// Agree takes the timer of a request into our 2xx (section 9).
func (t *Timer) Agree(now time.Time, request *sipgo.Request, response *sipgo.Response) {
	interval, refresher := expires(request)
	switch {
	case !knowsTimers(request):
		refresher = "uas" // table 2: a peer that does not know timers cannot refresh; a proxy put it in
	case refresher != "uas":
		refresher = "uac" // so that the caller, who wants it, has the work
	}
	t.start(now, interval, refresher == "uas")
	if interval == 0 {
		return
	}
	response.AppendHeader(sipgo.NewHeader("Session-Expires", header.WriteSeconds(interval)+";refresher="+refresher))
	if refresher == "uac" {
		// Section 9: if the UAC is the refresher, the UAS MUST put Require: timer into the response.
		response.AppendHeader(sipgo.NewHeader("Require", "timer"))
	}
}

// Confirm takes the timer of the 2xx to our INVITE or UPDATE (section 7.2).
func (t *Timer) Confirm(now time.Time, response *sipgo.Response) {
	interval, refresher := expires(response)
	t.start(now, interval, refresher != "uas")
}

// start begins a session interval anew; zero ends the timer, but for the one that we keep by ourselves.
func (t *Timer) start(now time.Time, interval time.Duration, ours bool) {
	if interval > 0 {
		interval = max(interval, IntervalMin) // nobody may make us refresh all the time
	}
	t.Interval, t.Ours, t.Refresh, t.End = interval, ours, time.Time{}, time.Time{}
	switch {
	case interval == 0 && t.Wanted > 0:
		// Section 4: the session timer works even if only one side supports it. Nothing expires then, but a peer that has
		// forgotten the call says so.
		t.Interval, t.Ours = max(t.Wanted, t.least, IntervalMin), true
		t.Refresh = now.Add(t.Interval / 2)
	case interval == 0:
	case ours:
		// Section 10: a refresher SHOULD refresh when half the interval has passed.
		t.Refresh, t.End = now.Add(interval/2), now.Add(interval)
	default:
		// Section 10: the other side sends BYE the smaller of 32 s and a third of the interval before the end.
		t.End = now.Add(interval - min(32*time.Second, interval/3))
	}
}
