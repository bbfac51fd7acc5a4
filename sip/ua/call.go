package ua

import (
	"fmt"
	"slices"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/identity"
	"freizeichen/sip/ua/session"
)

// A state is how far a call has come.
//
//	Dial   --> calling --2xx-----------------------+--> up --BYE--> gone
//	INVITE --> ringing --Answer--> accepted --ACK--+
type state uint8

const (
	calling  state = iota // our INVITE has no final response yet
	ringing               // an INVITE waits for our final response
	accepted              // our 2xx waits for its ACK
	up
)

// A deadline is one reason for a call to want a Tick.
type deadline uint8

const (
	retransmission deadline = iota // of our 2xx
	acknowledgement
	ringAgain   // another 180
	ringEnd     // nobody lifts, here or there
	glare       // our re-INVITE after a 491
	refresh     // session timer: our turn
	sessionEnd  // session timer: nobody has refreshed
	transferEnd // no news from our REFER
	deadlineCount
)

// A call is one call, from its INVITE until nothing of it is left.
type call struct {
	agent *Agent
	id    sip.CallID
	state state
	// gone: Ended has been reported; what is left is signalling that must come to its end.
	gone      bool
	party     sip.Party
	dialog    *dialog.Dialog // nil for an outgoing call before its 2xx
	allowed   []string       // methods that the peer allows; nil: not told
	deadlines [deadlineCount]time.Time

	in      *incoming // nil for an outgoing call
	out     *outgoing // nil for an incoming call
	pending *acceptance
	sound   sound
	held    bool // we hold the peer
	change  change
	timer   session.Timer
	refer   referral

	refreshTries int // with a longer session timer
}

// sound is what has been agreed about the call's sound.
type sound struct {
	open       bool
	ours       session.Description
	agreed     sip.Media
	applied    bool
	remoteHeld bool // the peer holds us
}

// An acceptance is our 2xx to an INVITE or re-INVITE until its ACK.
type acceptance struct {
	server    transaction.ServerID
	response  *sipgo.Response
	cseq      uint32
	interval  time.Duration
	direction sip.Direction
	offered   bool // our 2xx holds an offer, the ACK its answer
}

// open binds a port for the call's sound.
func (c *call) open() error {
	local, err := c.agent.media.Open(c.id)
	if err != nil {
		return fmt.Errorf("ua: open the sound of call %d: %w", c.id, err)
	}
	c.sound.open = true
	c.sound.ours = session.Description{Local: local, Session: uint64(c.agent.client.Intn(1<<31-1)) + 1}
	return nil
}

// wish is the direction that we want now.
func (c *call) wish() sip.Direction {
	if c.held {
		return sip.SendOnly
	}
	return sip.SendRecv
}

// apply hands what has been agreed to the media.
func (c *call) apply(agreed sip.Media) error {
	if c.sound.applied && agreed == c.sound.agreed {
		return nil
	}
	if err := c.agent.media.Apply(c.id, agreed); err != nil {
		return fmt.Errorf("ua: apply the sound of call %d: %w", c.id, err)
	}
	c.sound.agreed, c.sound.applied = agreed, true
	return nil
}

// undescribed logs that a description cannot be used. The error repeats pieces of it, where people's names may stand.
func (c *call) undescribed(what string, err error) {
	c.agent.log.Warn(what, "call", c.id, "status", statusOf(err))
	c.agent.log.Debug(what, "call", c.id, "error", err)
}

// heldByPeer reports a change of the peer's hold. The peer holds us when it does not want to hear us: sendonly,
// inactive, or the address 0.0.0.0 of RFC 2543 (RFC 3264 section 8.4).
func (c *call) heldByPeer(agreed sip.Media) {
	held := !agreed.Direction.Sends()
	if held != c.sound.remoteHeld {
		c.sound.remoteHeld = held
		c.agent.events(sip.RemoteHold{Call: c.id, Held: held})
	}
}

// identify reports a party that has changed or become known (connected line).
func (c *call) identify(m interface{ GetHeaders(string) []sipgo.Header }) {
	p, ok := identity.Asserted(m)
	if !ok || p == c.party {
		return
	}
	c.party = p
	if !c.gone {
		c.agent.events(sip.Identified{Call: c.id, Party: p})
	}
}

// at sets a deadline, never clears some.
func (c *call) at(d deadline, t time.Time) { c.deadlines[d] = t }

func (c *call) never(deadlines ...deadline) {
	for _, d := range deadlines {
		c.deadlines[d] = time.Time{}
	}
}

// expired does what a deadline is for.
func (c *call) expired(now time.Time, d deadline) {
	switch d {
	case retransmission:
		c.acceptAgain(now)
	case acknowledgement:
		c.notAcknowledged(now)
	case ringAgain:
		c.ring(now)
	case ringEnd:
		c.ringLongEnough(now)
	case glare:
		c.reconcile(now)
	case refresh:
		c.refresh(now)
	case sessionEnd:
		// RFC 4028 section 10: if the session expires without a refresh, the UA SHOULD send a BYE.
		c.bye(now, sip.Unreachable, 0)
	case transferEnd:
		c.transferFailed(sip.NoAnswer, 0)
	}
}

// end reports the call's end, once, and forgets it.
func (c *call) end(cause sip.Cause, status int) {
	c.report(cause, status)
	c.forget()
}

// report tells the phone that the call is gone, and closes its sound.
func (c *call) report(cause sip.Cause, status int) {
	if c.gone {
		return
	}
	c.gone = true
	if c.sound.open {
		c.agent.media.Close(c.id)
	}
	c.agent.log.Info("call ended", "call", c.id, "cause", cause, "status", status)
	c.agent.events(sip.Ended{Call: c.id, Cause: cause, Status: status})
}

// forget drops the call: requests of the peer for it are answered 481 from now on.
func (c *call) forget() {
	c.deadlines = [deadlineCount]time.Time{}
	c.agent.calls = slices.DeleteFunc(c.agent.calls, func(other *call) bool { return other == c })
}

// bye ends an established call with BYE (RFC 3261 section 15.1.1).
func (c *call) bye(now time.Time, cause sip.Cause, status int) {
	c.agent.sendBye(now, c.dialog)
	c.end(cause, status)
}

// sendBye ends a dialog. What comes back does not matter: section 15.1.1, the session is over when BYE is passed to the
// transaction layer.
func (a *Agent) sendBye(now time.Time, d *dialog.Dialog) {
	a.client.Send(now, func() *sipgo.Request { return d.Request(sipgo.BYE) }, func(time.Time, client.Reply) {})
}

// hangup is the phone's wish to end the call, whatever its state.
func (c *call) hangup(now time.Time) {
	switch c.state {
	case calling:
		c.giveUp(now, sip.Normal)
	case ringing:
		c.reject(now)
	case accepted:
		// RFC 3261 section 15: the callee MUST NOT send a BYE before it has received an ACK for its 2xx.
		c.report(sip.Normal, 0)
	case up:
		c.bye(now, sip.Normal, 0)
	}
}

// mayUse reports whether the peer takes a method; one that has not said what it allows is believed to know INVITE only.
func (c *call) mayUse(method sipgo.RequestMethod) bool {
	return slices.ContainsFunc(c.allowed, func(m string) bool { return strings.EqualFold(m, string(method)) })
}
