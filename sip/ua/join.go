package ua

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/ua/header"
)

// partingTime is how long a consultation that still rings may go on after it was passed on: the exchange ends it by itself
// (Asterisk 22: 603), and a CANCEL that overtakes the exchange's own work would end the ringing at the office.
const partingTime = 4 * time.Second

// join asks the peer to call the peer of another call of ours, in our place (RFC 5589 section 7.3).
//
//	citizen --Call-- phone --With-- office
//	   REFER in Call, Refer-To: <sip:office?Replaces=With's dialog>
//	citizen ------------------------ office
//
// RFC 5589 section 7.6 would have us wait until a ringing office answers, because only the exchange knows an early dialog,
// and RFC 3891 section 3 wants a phone to refuse it. An exchange in between, which every call of ours has, can do it: what
// it cannot, it refuses, and both calls are still ours.
func (c *call) join(now time.Time, id sip.CallID) {
	var with *call
	c.agent.with(id, func(other *call) { with = other })
	switch {
	case c.refer.pending:
		return // its end is on its way
	case c.state != up, with == nil, with == c, with != nil && with.consulted() == nil:
		c.agent.events(sip.TransferFailed{Call: c.id, Cause: sip.Unavailable})
		return
	}
	d := with.consulted()
	target, name := d.Target(), d.ID()
	// RFC 3891 section 6.1: whoever gets the INVITE compares the to-tag with its own tag, which is our remote one.
	replaces := header.Replaces{CallID: name.CallID, ToTag: name.RemoteTag, FromTag: name.LocalTag}
	// RFC 3515 section 2.1: with a "?" in the URI the angle brackets are not optional.
	c.sendRefer(now, sipgo.NewHeader("Refer-To", "<"+replaces.Within(target.String())+">"), with)
}

// consulted is the dialog with the peer of a call that we have made or taken; nil as long as nobody has answered to it.
func (c *call) consulted() *dialog.Dialog {
	switch {
	case c.state == up:
		return c.dialog
	case c.state == calling && c.out != nil && len(c.out.legs) == 1: // of several that ring, none can be chosen
		for _, l := range c.out.legs {
			return l.dialog
		}
	}
	return nil
}

// transferred ends what the peer does not need any more. The consultation goes first: then nobody is seen alone in it.
func (c *call) transferred(now time.Time, status int) {
	if with := c.refer.with; with != nil && !with.gone {
		switch with.state {
		case calling:
			with.report(sip.Transferred, 0)
			with.at(ringEnd, now.Add(partingTime))
		case up:
			with.bye(now, sip.Transferred, 0)
		}
	}
	c.bye(now, sip.Transferred, status)
}

// joining reports whether a REFER is under way that makes the peers of another call and of this one talk. Then this one
// ends as the exchange likes: with BYE, or 603 or 487 while it still rings.
func (c *call) joining() bool {
	for _, other := range c.agent.calls {
		if other.refer.pending && other.refer.with == c {
			return true
		}
	}
	return false
}
