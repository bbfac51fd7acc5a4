// Package ua is one SIP user agent: one account, its registration and its calls. It is a transaction user (RFC 3261
// section 5) between the phone's commands and events and the transaction layer:
//
//	device/phone --Command--> Do      Handle <--transaction.Event-- sip/transaction
//	             <--Event---- events  tx     --requests, responses-->
//	                          media   --offer and answer--> sip/media
//
// All of it runs on one goroutine, that of transaction.Endpoint, and receives the time: it has no clock, no sockets, and
// knows nothing of SDP but that there is some. A file holds one concern of the standards:
//
//	call.go        a call, its states and deadlines
//	invite_in.go   calls that ring here                 invite_out.go  calls that we make
//	modify.go      re-INVITE and UPDATE, both ways      hold.go        what the phone wants of them
//	timer.go       refreshing the session               transfer.go    REFER and its NOTIFYs
//	join.go        two calls made one                   info.go        digits
//	request.go     all other requests of the peer       cause.go       statuses and reasons as sip.Cause
//
// What needs no call stands apart: registration, subscription (the status of queues), client (requests and digest), session
// (offer and answer, session timer), identity (who calls, and whom), header (syntax).
//
// Limitations: no PRACK (RFC 3262: not offered, and required it is refused), no INVITE with Replaces is
// taken (RFC 3891: not offered, refused with 481), no forked early media mixing,
// no redirection (a 3xx ends the call).
package ua

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/identity"
	"freizeichen/sip/ua/registration"
	"freizeichen/sip/ua/subscription"
)

// Config is what an Agent needs to know.
type Config struct {
	Account sip.Account
	// Local is our address for SIP as the exchange sees it (transaction.Endpoint.LocalAddr). It is asked often; an invalid
	// or unspecified address means that there is no network now.
	Local func() netip.AddrPort
	// UserAgent of our requests; empty sends none.
	UserAgent string
	// CalledFrom are the places where the number that the citizen dialled is looked for, the first that has one wins:
	// "diversion", "history-info", "p-called-party-id", "to". Nil means all of them in this order.
	CalledFrom []string
	// MaxCalls at the same time; the next caller hears busy. Zero means 2.
	MaxCalls int
	// KeepAlive is the time between two signs of life asked of the exchange; zero asks for none.
	KeepAlive time.Duration
	// SessionExpires is the session timer we ask for in our calls (RFC 4028), at least 90 s. We refresh by it also where
	// the peer has agreed to none, so that a call ends which it has forgotten. Zero asks for none; one that the peer
	// wants is kept in any case.
	SessionExpires time.Duration
	// Queues says where the status of queues comes from (sip.WatchQueues); the zero value is nowhere.
	Queues QueueSource
	// Timers as of the transaction layer: of a 2xx until its ACK.
	Timers transaction.Timers
	// Random is for tests with a seed; nil means crypto/rand.
	Random *rand.Rand
	Log    *slog.Logger // nil means silence
}

// A QueueSource is described there.
type QueueSource = subscription.Source

// Media is the sound of calls. Open binds the port where a call's RTP is received; Apply says what has been agreed, as
// often as it changes; SendDigit is RFC 4733; Close ends it and is called once for each Open that succeeded.
type Media interface {
	Open(call sip.CallID) (netip.AddrPort, error)
	Apply(call sip.CallID, m sip.Media) error
	SendDigit(call sip.CallID, digit byte)
	Close(call sip.CallID)
}

// Methods are the requests an Agent understands, for transaction.Config and Allow.
func Methods() []string {
	return []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "NOTIFY"}
}

// Extensions are the option tags an Agent understands, for transaction.Config and Supported.
func Extensions() []string { return []string{"timer"} }

// An Agent is one user agent. Its methods are to be called on one goroutine.
type Agent struct {
	config       Config
	tx           transaction.Transactions
	media        Media
	events       func(sip.Event)
	log          *slog.Logger
	client       *client.Client
	registration *registration.Registration
	watch        *subscription.Watch
	calls        []*call // in the order of their beginning
	last         sip.CallID
	stop         *stopping
	lost         bool // the registration; calls go on
	doubtful     bool // the exchange is back: does it still know the calls?
}

// stopping is the state of an Agent that Stop has been called on.
type stopping struct {
	unregistered bool
	by           time.Time
	done         func()
}

// New makes an agent that does nothing before Start. events is called during Handle, Tick, Do, Start and Stop; it must
// not call back.
func New(config Config, tx transaction.Transactions, media Media, events func(sip.Event)) *Agent {
	if config.CalledFrom == nil {
		config.CalledFrom = identity.Places()
	}
	if config.MaxCalls == 0 {
		config.MaxCalls = 2
	}
	if config.Timers.T1 == 0 {
		config.Timers.T1 = 500 * time.Millisecond
	}
	if config.Timers.T2 == 0 {
		config.Timers.T2 = 4 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{config: config, tx: tx, media: media, log: config.Log, events: events}
	a.client = client.New(client.Config{Account: config.Account, UserAgent: config.UserAgent, Random: config.Random}, tx)
	a.registration = registration.New(registration.Config{
		Account: config.Account, Local: config.Local, KeepAlive: config.KeepAlive,
	}, a.client, a.registrationChanged)
	a.watch = subscription.New(subscription.Config{
		Source: config.Queues, UserAgent: config.UserAgent, Contact: a.contact, Silence: 64 * config.Timers.T1, Log: config.Log,
	}, a.client, tx, events)
	return a
}

func (a *Agent) registrationChanged(event sip.Event) {
	switch event := event.(type) {
	case sip.Registered:
		a.doubtful, a.lost = a.doubtful || a.lost, false
		a.log.Debug("registered", "account", a.config.Account.String(), "expires", event.Expires)
	case sip.Unregistered:
		a.lost = event.Cause != sip.Normal
		level := slog.LevelWarn
		if event.Cause == sip.Normal { // as asked for
			level = slog.LevelDebug
		}
		a.log.Log(context.Background(), level, "not registered", "account", a.config.Account.String(), "cause", event.Cause,
			"status", event.Status, "retry", event.Retry)
	}
	a.events(event)
}

// Start registers.
func (a *Agent) Start(now time.Time) { a.registration.Start(now) }

// Stop ends all calls and unregisters. done is called once, when the network has confirmed all that, or after 2 s.
func (a *Agent) Stop(now time.Time, done func()) {
	if a.stop != nil {
		return
	}
	a.stop = &stopping{by: now.Add(2 * time.Second), done: done}
	for _, c := range slices.Clone(a.calls) {
		c.hangup(now)
	}
	a.watch.Stop(now)
	a.registration.Stop(now, func() { a.stop.unregistered = true })
	a.settle(now)
}

// settle does what an event has left to be done, and tells who stopped us when all is done.
func (a *Agent) settle(now time.Time) {
	a.verify(now)
	a.watch.Online(now, a.registration.Active())
	if a.stop == nil || a.stop.done == nil {
		return
	}
	if a.stop.unregistered && a.client.Pending() == 0 && len(a.calls) == 0 && a.watch.Ended() || !now.Before(a.stop.by) {
		done := a.stop.done
		a.stop.done = nil
		done()
	}
}

// Handle implements transaction.User.
func (a *Agent) Handle(now time.Time, event transaction.Event) {
	defer a.settle(now)
	if a.client.Handle(now, event) {
		return
	}
	switch event := event.(type) {
	case transaction.RequestReceived:
		a.receive(now, event.Transaction, event.Request)
	case transaction.Cancelled:
		a.cancelled(now, event.Transaction, event.Cancel)
	}
	// NoACK: the call that we refused has ended already.
}

// Deadline implements transaction.User.
func (a *Agent) Deadline() time.Time {
	first := a.registration.Deadline()
	earlier := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	earlier(a.watch.Deadline())
	for _, c := range a.calls {
		for _, t := range c.deadlines {
			earlier(t)
		}
	}
	if a.stop != nil && a.stop.done != nil {
		earlier(a.stop.by)
	}
	return first
}

// Tick implements transaction.User.
func (a *Agent) Tick(now time.Time) {
	a.registration.Tick(now)
	a.watch.Tick(now)
	for _, c := range slices.Clone(a.calls) {
		for i, t := range c.deadlines {
			if !t.IsZero() && !now.Before(t) && !c.deadlines[i].IsZero() {
				c.deadlines[i] = time.Time{}
				c.expired(now, deadline(i))
			}
		}
	}
	a.settle(now)
}

// Do carries out a command of the phone. One for a call that has gone is ignored.
func (a *Agent) Do(now time.Time, command sip.Command) {
	defer a.settle(now)
	switch command := command.(type) {
	case sip.Dial:
		a.dial(now, command)
	case sip.Answer:
		a.with(command.Call, func(c *call) { c.answer(now) })
	case sip.Reject:
		a.with(command.Call, func(c *call) { c.reject(now) })
	case sip.Hangup:
		a.with(command.Call, func(c *call) { c.hangup(now) })
	case sip.Hold:
		a.with(command.Call, func(c *call) { c.hold(now, true) })
	case sip.Resume:
		a.with(command.Call, func(c *call) { c.hold(now, false) })
	case sip.SendDigit:
		a.with(command.Call, func(c *call) { c.sendDigit(now, command.Digit) })
	case sip.WatchQueues:
		a.watch.Queues(now, command.Queues)
	case sip.Transfer:
		a.with(command.Call, func(c *call) { c.transfer(now, command.Number) })
	case sip.Join:
		a.with(command.Call, func(c *call) { c.join(now, command.With) })
	}
}

// with finds a call that the phone still has.
func (a *Agent) with(id sip.CallID, do func(*call)) {
	for _, c := range a.calls {
		if c.id == id && !c.gone {
			do(c)
			return
		}
	}
}

// live counts the calls that the phone has.
func (a *Agent) live() int {
	n := 0
	for _, c := range a.calls {
		if !c.gone {
			n++
		}
	}
	return n
}

// contact is our Contact, that a dialog needs.
func (a *Agent) contact() sipgo.Header {
	return &sipgo.ContactHeader{Address: a.registration.Contact()}
}

func allow() sipgo.Header { return sipgo.NewHeader("Allow", strings.Join(Methods(), ", ")) }

func supported() sipgo.Header { return sipgo.NewHeader("Supported", strings.Join(Extensions(), ", ")) }
