package exchange

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"freizeichen/sip/exchange/queue"
	"freizeichen/sip/exchange/studio"
)

// The methods of this file are for tests and for the simulator's controls. They may be called on any goroutine while Run
// runs; each waits until it has taken effect. After Run has returned they do nothing.

// do runs f between two events.
func (e *Exchange) do(f func(now time.Time)) {
	done := make(chan struct{})
	if !e.endpoint.Do(func(now time.Time) { f(now); e.settle(now); close(done) }) {
		return
	}
	select {
	case <-done:
	case <-e.ended:
	}
}

// Call lets a citizen call now: a number of a queue, or an account's user to reach that phone directly, whether it is in
// a call or not. The zero ID means that the number called leads nowhere.
func (e *Exchange) Call(c Citizen) (id ID) {
	e.do(func(now time.Time) { id = e.admit(now, c) })
	return id
}

// HangUp lets a citizen hang up, while waiting or talking.
func (e *Exchange) HangUp(id ID) {
	e.do(func(now time.Time) {
		if v := e.visitor(id); v != nil {
			e.dismiss(now, v)
		}
	})
}

// Present reports whether a citizen is at the exchange: in a queue, with an agent or with an office.
func (e *Exchange) Present(id ID) (present bool) {
	e.do(func(time.Time) { present = e.visitor(id) != nil })
	return present
}

// Registered reports whether a phone of the account can be called.
func (e *Exchange) Registered(user string) (registered bool) {
	e.do(func(now time.Time) { registered = len(e.registrar.Reachable(now, user)) > 0 })
	return registered
}

// Events are what happened in the queues, oldest first: the last 5000.
func (e *Exchange) Events() (events []queue.Event) {
	e.do(func(time.Time) { events = slices.Clone(e.events) })
	return events
}

// Statistics are the figures of the day, one for each queue.
func (e *Exchange) Statistics() (all []queue.Statistics) {
	e.do(func(now time.Time) { all = e.queues.Statistics(now) })
	return all
}

// Digits are the DTMF digits that the account's phones sent, by INFO or RFC 4733, since the exchange began.
func (e *Exchange) Digits(user string) (digits string) {
	e.do(func(time.Time) { digits = e.digits[user] })
	return digits
}

// Heard is what a citizen's line brought from the agent's phone, the last 3 to 6 s at 8 kHz; nil when nobody talks to him.
func (e *Exchange) Heard(id ID) (samples []int16) {
	e.do(func(time.Time) {
		if v := e.visitor(id); v != nil && v.party.peer != nil && v.party.peer.leg != nil {
			samples = e.studio.Heard(v.party.peer.leg.id)
		}
	})
	return samples
}

// Speak lets a citizen say these samples, at 8 kHz, again and again; none give him his own voice back.
func (e *Exchange) Speak(id ID, samples []int16) {
	e.do(func(time.Time) {
		v := e.visitor(id)
		if v == nil {
			return
		}
		v.party.sound = studio.NewTalker(v.Voice, true)
		if len(samples) > 0 {
			v.party.sound = studio.NewLoop(samples)
		}
		if peer := v.party.peer; peer != nil {
			e.connect(v.party, peer)
		}
	})
}

// Silence makes the exchange dead to the network, as a PBX that hangs, or brings it back. What it sends by itself goes on.
func (e *Exchange) Silence(on bool) {
	e.do(func(time.Time) { e.mute = on })
}

// Forget drops all registrations and subscriptions, as a PBX that restarts without a database. Phones learn it at their
// next REGISTER or SUBSCRIBE.
func (e *Exchange) Forget() {
	e.do(func(time.Time) { e.registrar.Forget(); e.notifier.Forget() })
}

// Address is where phones send their REGISTER, by UDP and TCP.
func (e *Exchange) Address() netip.AddrPort { return e.address }

// Run serves phones and citizens until the context ends, and closes everything: calls under way are not ended, as when a PBX
// dies. It must be called once.
func (e *Exchange) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frames := make(chan struct{})
	go func() {
		defer close(frames)
		e.studio.Run(ctx)
	}()
	e.endpoint.Do(e.open)
	err := e.endpoint.Run(ctx, e)
	close(e.ended)
	cancel()
	<-frames
	for _, l := range e.legs {
		e.media.Close(l.id)
	}
	return err
}
