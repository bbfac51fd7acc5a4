package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// A clientNonInvite is RFC 3261 figure 6.
//
//	trying --1xx--> proceeding --final--> completed --K--> over
//	   `------------F, transport error--> over
type clientNonInvite struct {
	exchange
	state clientNonInviteState
}

type clientNonInviteState uint8

const (
	requestTrying clientNonInviteState = iota
	requestProceeding
	requestCompleted
)

func (c *clientNonInvite) start(now time.Time) { c.begin(now) }

func (c *clientNonInvite) pending() bool { return !c.over && c.state != requestCompleted }

func (c *clientNonInvite) receive(now time.Time, r *sip.Response) {
	switch {
	case c.state == requestCompleted:
		return // a retransmission
	case r.IsProvisional():
		c.state = requestProceeding
		c.emit(ResponseReceived{c.id, r})
	default:
		c.state = requestCompleted
		c.emit(ResponseReceived{c.id, r})
		wait := c.layer.timers.T4
		if c.reliable() {
			wait = 0
		}
		c.linger(now, wait) // timer K
	}
}

func (c *clientNonInvite) tick(now time.Time) {
	switch {
	case reached(c.timeout, now):
		if c.pending() {
			c.emit(TimedOut{c.id}) // timer F
		}
		c.end()
	case reached(c.retransmit, now):
		c.transmit(c.data)
		// RFC 3261 section 17.1.2.2: timer E doubles up to T2; in Proceeding it is T2 at once.
		c.interval = min(2*c.interval, c.layer.timers.T2)
		if c.state == requestProceeding {
			c.interval = c.layer.timers.T2
		}
		c.retransmit = now.Add(c.interval)
	}
}

func (c *clientNonInvite) failed(now time.Time, err error) {
	if !c.pending() || c.state == requestTrying && c.fallBack(now, err) {
		return
	}
	c.emit(Failed{c.id, err})
	c.end()
}
