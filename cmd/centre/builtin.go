package centre

import (
	"context"
	"time"

	"freizeichen/sip/acd"
	"freizeichen/sip/acd/builtin"
	"freizeichen/sip/exchange"
)

// builtinQueue covers what an exchange of a few phones tells while the centre starts.
const builtinQueue = 256

// Builtin is the exchange in one process as a PBX, and as News.
type Builtin struct {
	adapter  *builtin.Adapter
	exchange *exchange.Exchange
	events   chan []acd.Event
	ended    chan struct{}
}

// NewBuiltin takes the exchange's names of its queues by the model's. Observe and ObserveMember go into the exchange's
// configuration; Attach names the exchange.
func NewBuiltin(names map[string]string) *Builtin {
	return &Builtin{adapter: builtin.New(names), events: make(chan []acd.Event, builtinQueue), ended: make(chan struct{})}
}

// Attach names the exchange, before Run.
func (b *Builtin) Attach(x *exchange.Exchange) { b.exchange = x }

// Observe is the exchange's Config.Observe.
func (b *Builtin) Observe(e exchange.QueueEvent) {
	if event, ok := b.adapter.Event(e); ok {
		b.tell(event)
	}
}

// ObserveMember is the exchange's Config.ObserveMember.
func (b *Builtin) ObserveMember(m exchange.Member) { b.tell(b.adapter.Member(m)...) }

func (b *Builtin) tell(events ...acd.Event) {
	if len(events) == 0 {
		return
	}
	select {
	case b.events <- events:
	case <-b.ended: // an exchange that outlives the centre is not held up
	}
}

// Run implements PBX.
func (b *Builtin) Run(ctx context.Context, post func(...acd.Event)) error {
	defer close(b.ended)
	// The exchange is as old as this program: today nothing was counted before, as if it had run and nobody had called.
	post(b.adapter.Begin(time.Now().AddDate(0, 0, -1))...)
	for {
		select {
		case events := <-b.events:
			post(events...)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Do implements PBX.
func (b *Builtin) Do(_ context.Context, command acd.Effect) acd.Done {
	done, _ := b.adapter.Do(b.exchange, command)
	return done
}

// Resync implements PBX: nothing of an exchange in the same process is ever missed.
func (b *Builtin) Resync(context.Context) error { return nil }

// News are the phones of the exchange.
func (b *Builtin) News() News { return builtinNews{b} }

type builtinNews struct{ *Builtin }

func (n builtinNews) Publish(resource, _, text string) { n.exchange.SetPresence(resource, text) }

func (n builtinNews) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
