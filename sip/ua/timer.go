package ua

import (
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

const (
	// intervalMin is the shortest session timer: RFC 4028 section 4, the absolute minimum for Session-Expires.
	intervalMin = 90 * time.Second
	intervalMax = 24 * time.Hour
	// refreshPause is the time between a refresh that failed and the next.
	refreshPause = 10 * time.Second
)

// sessionTimer is RFC 4028: one side refreshes the session in time, so that both notice when the other has gone.
type sessionTimer struct {
	wanted   time.Duration // of our own calls; zero: we ask for none
	least    time.Duration // Min-SE of a 422
	interval time.Duration // agreed; zero: no timer
	ours     bool          // we refresh
	tries    int           // with a longer interval
}

// sessionExpires reads Session-Expires; zero without one.
func sessionExpires(m message) (time.Duration, string) {
	value, params := header.Field(header.First(m, "session-expires", "x"))
	return deltaSeconds(value), strings.ToLower(params["refresher"])
}

func deltaSeconds(text string) time.Duration {
	s, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(s)*time.Second, intervalMax)
}

// askTimer puts the timer into an INVITE or UPDATE of ours.
func (c *call) askTimer(request *sipgo.Request) {
	interval, refresher := c.timer.wanted, ""
	if c.timer.interval > 0 {
		// RFC 4028 section 7.4: the refresher is named by its role in this transaction, and should stay who it is.
		interval, refresher = c.timer.interval, ";refresher=uas"
		if c.timer.ours {
			refresher = ";refresher=uac"
		}
	}
	if interval = max(interval, c.timer.least); interval == 0 {
		return
	}
	request.AppendHeader(sipgo.NewHeader("Session-Expires", seconds(interval)+refresher))
	if c.timer.least > 0 {
		// Section 7.4: once a 422 has named a minimum, it is repeated in the requests that follow.
		request.AppendHeader(sipgo.NewHeader("Min-SE", seconds(c.timer.least)))
	}
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// longerTimer takes the Min-SE of a 422. It reports whether asking again makes sense (section 7.3).
func (c *call) longerTimer(response *sipgo.Response) bool {
	value, _ := header.Field(header.First(response, "min-se"))
	least := deltaSeconds(value)
	if least <= max(c.timer.wanted, c.timer.interval, c.timer.least) {
		return false
	}
	c.timer.least = least
	return true
}

// tooShort refuses a request with a shorter timer than we take. Section 9: only if the peer knows of timers.
func (a *Agent) tooShort(now time.Time, id transaction.ServerID, request *sipgo.Request) bool {
	interval, _ := sessionExpires(request)
	if interval == 0 || interval >= intervalMin || !header.Has(request, "timer", "supported", "k") {
		return false
	}
	a.respond(now, id, request, 422, sipgo.NewHeader("Min-SE", seconds(intervalMin)))
	return true
}

// agreeTimer takes the timer of a request into our 2xx (section 9).
func (c *call) agreeTimer(now time.Time, request *sipgo.Request, response *sipgo.Response) {
	interval, refresher := sessionExpires(request)
	knows := header.Has(request, "timer", "supported", "k")
	switch {
	case !knows:
		refresher = "uas" // table 2: a peer that does not know timers cannot refresh; a proxy put it in
	case refresher != "uas":
		refresher = "uac" // so that the caller, who wants it, has the work
	}
	c.startTimer(now, interval, refresher == "uas")
	if interval == 0 {
		return
	}
	response.AppendHeader(sipgo.NewHeader("Session-Expires", seconds(interval)+";refresher="+refresher))
	if refresher == "uac" {
		// Section 9: if the UAC is the refresher, the UAS MUST put Require: timer into the response.
		response.AppendHeader(sipgo.NewHeader("Require", "timer"))
	}
}

// confirmTimer takes the timer of the 2xx to our INVITE or UPDATE (section 7.2). Without one there is none.
func (c *call) confirmTimer(now time.Time, response *sipgo.Response) {
	interval, refresher := sessionExpires(response)
	c.startTimer(now, interval, refresher != "uas")
}

// startTimer begins a session interval anew; zero ends the timer.
func (c *call) startTimer(now time.Time, interval time.Duration, ours bool) {
	c.never(refresh, sessionEnd)
	if interval > 0 {
		interval = max(interval, intervalMin) // nobody may make us refresh all the time
	}
	c.timer.interval, c.timer.ours, c.timer.tries = interval, ours, 0
	switch {
	case interval == 0:
	case ours:
		// Section 10: a refresher SHOULD refresh when half the interval has passed.
		c.at(refresh, now.Add(interval/2))
		c.at(sessionEnd, now.Add(interval))
	default:
		// Section 10: the other side sends BYE the smaller of 32 s and a third of the interval before the end.
		c.at(sessionEnd, now.Add(interval-min(32*time.Second, interval/3)))
	}
}

// refreshLater plans the next try of a refresh that failed; sessionEnd bounds them.
func (c *call) refreshLater(now time.Time) {
	if c.timer.interval > 0 && c.timer.ours {
		c.at(refresh, now.Add(refreshPause))
	}
}

// refresh keeps the session: by UPDATE, which cannot disturb the sound, or by re-INVITE if the peer knows no UPDATE.
func (c *call) refresh(now time.Time) {
	switch {
	case c.state != up, c.change.running, c.pending != nil:
		c.refreshLater(now)
	case !c.mayUse(sipgo.UPDATE):
		c.reinvite(now, c.sound.held)
	default:
		c.agent.client.Send(now, func() *sipgo.Request {
			request := c.dialog.Request(sipgo.UPDATE)
			c.finish(request, nil)
			return request
		}, c.refreshed)
	}
}

func (c *call) refreshed(now time.Time, reply client.Reply) {
	switch {
	case c.gone, !reply.Final():
	case reply.Success():
		c.dialog.Refresh(reply.Response)
		c.confirmTimer(now, reply.Response)
	case reply.Status == sipgo.StatusRequestTimeout, reply.Status == sipgo.StatusCallTransactionDoesNotExists:
		c.bye(now, sip.Unreachable, reply.Status)
	case reply.Status == 422 && c.longerTimer(reply.Response) && c.timer.tries < intervalTriesMax:
		c.timer.tries++
		c.refresh(now)
	default:
		c.refreshLater(now)
	}
}
