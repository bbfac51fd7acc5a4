package ua

import (
	"slices"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
	"freizeichen/sip/ua/session"
)

// refreshPause is the time between a refresh that failed and the next. The session's end bounds them.
const refreshPause = 10 * time.Second

// timed takes the session timer's times after it has been agreed upon anew.
func (c *call) timed() {
	c.refreshTries = 0
	c.at(refresh, c.timer.Refresh)
	c.at(sessionEnd, c.timer.End)
}

// tooShort refuses a request with a shorter session timer than we take.
func (a *Agent) tooShort(now time.Time, id transaction.ServerID, request *sipgo.Request) bool {
	if !session.TooShort(request) {
		return false
	}
	a.respond(now, id, request, statusIntervalTooSmall, sipgo.NewHeader("Min-SE", header.WriteSeconds(session.IntervalMin)))
	return true
}

// refreshLater plans the next try of a refresh that failed.
func (c *call) refreshLater(now time.Time) {
	switch {
	case c.timer.Interval == 0 || !c.timer.Ours:
	case c.timer.End.IsZero(): // there is no hurry, and perhaps the peer takes none
		c.at(refresh, now.Add(c.timer.Interval/2))
	default:
		c.at(refresh, now.Add(refreshPause))
	}
}

// verify asks the peers of all calls for a refresh when the exchange has been away: one that was restarted says 481.
func (a *Agent) verify(now time.Time) {
	for _, c := range slices.Clone(a.calls) {
		if a.doubtful && c.state == up && !c.gone && c.timer.Interval > 0 {
			c.refresh(now)
		}
	}
	a.doubtful = false
}

// refresh keeps the session: by UPDATE, which cannot disturb the sound, or by re-INVITE if the peer knows no UPDATE.
func (c *call) refresh(now time.Time) {
	switch {
	case c.state != up, c.change.running, c.pending != nil:
		c.at(refresh, now.Add(refreshPause))
	case !c.mayUse(sipgo.UPDATE):
		c.reinvite(now, c.held)
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
		c.timer.Confirm(now, reply.Response)
		c.timed()
	case reply.Status == sipgo.StatusRequestTimeout, reply.Status == sipgo.StatusCallTransactionDoesNotExists:
		c.bye(now, sip.Unreachable, reply.Status)
	case reply.Status == statusIntervalTooSmall && c.timer.Longer(reply.Response) && c.refreshTries < intervalTriesMax:
		c.refreshTries++
		c.refresh(now)
	default:
		c.refreshLater(now)
	}
}
