package ua

import (
	"time"

	"freizeichen/sip"
)

// change is what the phone wants of the session, and how far that is. It is a level and not a queue: of a Hold and a
// Resume in quick succession only the last need reach the peer.
type change struct {
	wanted  bool // to hold the peer
	asked   bool // the phone waits for HoldChanged
	running bool // a re-INVITE of ours is under way
	tries   int  // of the same re-INVITE
}

// hold asks the peer to wait, or takes it back.
func (c *call) hold(now time.Time, held bool) {
	if c.state != up && c.state != accepted {
		c.agent.events(sip.HoldChanged{Call: c.id, Held: c.held, Failed: true})
		return
	}
	c.change.wanted, c.change.asked = held, true
	c.reconcile(now)
}

// reconcile brings the session nearer to what the phone wants. It is called whenever an obstacle has gone.
func (c *call) reconcile(now time.Time) {
	switch {
	case c.gone:
	case c.change.running, c.pending != nil, c.state != up, !c.deadlines[glare].IsZero():
		// RFC 3261 section 14.1: no new INVITE while another one is in progress in either direction.
	case !c.change.asked:
		if c.change.tries > 0 { // a refresh by re-INVITE that met one of the peer
			c.reinvite(now, c.held)
		}
	case c.change.wanted != c.held:
		c.reinvite(now, c.change.wanted)
	default:
		if c.change.tries > 0 { // the re-INVITE that was to be sent again is not wanted any more, unless as a refresh
			c.change.tries = 0
			c.refreshLater(now)
		}
		c.change.asked = false
		c.agent.events(sip.HoldChanged{Call: c.id, Held: c.held})
	}
}
