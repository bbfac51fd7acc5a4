// Package centre joins the parts of one switchboard, as cmd/station joins those of a phone: the PBX, the model of queues
// and agents, the news to the phones, and what is remembered. It decides nothing: cmd/switchboard runs it beside an
// Asterisk, cmd/phonesim in its own process beside its exchange.
//
//	PBX (Asterisk, Builtin) --events--> one goroutine: sip/acd --commands--> carriers --> PBX
//	phones: Do ------------------------>      Step, Deadline   --news------> News (presence)
//	                                                           --memory----> scribe --> Memory (store, files)
package centre

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/presence"
)

// Bounds.
const (
	// queueSize covers the list of 5,000 agents in 4 queues each, twice.
	queueSize = 40_000
	// carriers commands are under way at one time: those of one phone in their order, those of others beside them.
	carriers = 16
	// commandsMax wait for a carrier: a shift of 5,000 that signs in at once, in 4 queues each. Further ones fail.
	commandsMax = 20_000 / carriers
	// commandMax is longer than the PBX client's own patience.
	commandMax = 12 * time.Second
)

// A PBX is where callers wait and agents serve. Asterisk and Builtin are two.
type PBX interface {
	// Run tells events in their order until ctx ends. post waits while the centre is busy.
	Run(ctx context.Context, post func(...acd.Event)) error
	// Do carries out a command and waits for what became of it.
	Do(ctx context.Context, command acd.Effect) acd.Done
	// Resync asks for the whole view once more.
	Resync(ctx context.Context) error
}

// News tells phones by presence.
type News interface {
	// Publish does not wait: of texts about one resource that come quickly the last counts.
	Publish(resource, subtype, text string)
	// Run carries out what Publish was told, until ctx ends.
	Run(ctx context.Context) error
}

// Agents are who may sign in.
type Agents interface {
	// CheckPIN tries a PIN; the error says that nobody could look.
	CheckPIN(ctx context.Context, now time.Time, number, pin string) (acd.Verified, error)
}

// Config is what a centre is made of. All fields but Log and Observe must be given.
type Config struct {
	ACD    acd.Config
	PBX    PBX
	News   News
	Agents Agents
	Memory Memory
	Log    *slog.Logger // nil: nothing is logged
	// Observe is told every effect of the model, on the centre's goroutine: for counters. Nil: nobody.
	Observe func(acd.Effect)
}

// A Centre is one switchboard without its interfaces to people and phones.
type Centre struct {
	config   Config
	model    *acd.Centre
	work     chan any // acd.Event or func(time.Time)
	commands [carriers]chan acd.Effect
	scribe   *scribe
	ended    chan struct{}

	lastID  atomic.Uint64
	replies map[uint64]chan<- sip.AgentReply // by the model's identifier; the loop's

	mu       sync.Mutex
	watchers map[chan struct{}]bool
}

// New makes a centre. Run makes it live.
func New(config Config) *Centre {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Observe == nil {
		config.Observe = func(acd.Effect) {}
	}
	c := &Centre{
		config: config, model: acd.New(config.ACD), work: make(chan any, queueSize), ended: make(chan struct{}),
		replies: map[uint64]chan<- sip.AgentReply{}, watchers: map[chan struct{}]bool{},
	}
	for i := range c.commands {
		c.commands[i] = make(chan acd.Effect, commandsMax)
	}
	c.scribe = newScribe(config.Memory, config.Log)
	return c
}

// Run is the centre's life, until ctx ends (then the error is nil) or a part of it breaks.
func (c *Centre) Run(ctx context.Context) error {
	defer close(c.ended)
	restored, err := c.config.Memory.Restore(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("centre: remembering who is signed in: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var parts sync.WaitGroup
	part := func(name string, run func(context.Context) error) {
		parts.Go(func() {
			err := run(ctx)
			if ctx.Err() == nil {
				stop(fmt.Errorf("centre: %s: %w", name, errors.Join(err, errors.New("it ended by itself"))))
			}
		})
	}
	c.step(time.Now(), restored)
	part("PBX", func(ctx context.Context) error { return c.config.PBX.Run(ctx, c.post(ctx)) })
	part("presence", c.config.News.Run)
	for _, commands := range c.commands {
		parts.Go(func() { c.carry(ctx, commands) })
	}
	writing, done := context.WithCancel(context.WithoutCancel(ctx))
	var writer sync.WaitGroup
	writer.Go(func() { c.scribe.run(writing) })
	c.loop(ctx)
	parts.Wait()
	done()
	writer.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// post hands events to the loop.
func (c *Centre) post(ctx context.Context) func(...acd.Event) {
	return func(events ...acd.Event) {
		for _, e := range events {
			select {
			case c.work <- e:
			case <-ctx.Done():
				return
			}
		}
	}
}

// loop is the one goroutine that owns the model.
func (c *Centre) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-c.work:
			if f, ok := w.(func(time.Time)); ok {
				f(time.Now())
			} else {
				c.step(time.Now(), w.(acd.Event))
			}
		case <-timer.C:
			c.step(time.Now(), acd.Tick{})
		}
		if due := c.model.Deadline(); !due.IsZero() {
			timer.Reset(time.Until(due))
		}
	}
}

// step applies an event, and those that follow from it at once.
func (c *Centre) step(now time.Time, event acd.Event) {
	news := false
	for events := []acd.Event{event}; len(events) > 0; events = events[1:] {
		for _, e := range c.model.Step(now, events[0]) {
			c.config.Observe(e)
			if failed, yes := c.obey(e); yes {
				events = append(events, failed)
			}
			switch e.(type) {
			case acd.PublishQueue, acd.PublishBell:
				news = true
			}
		}
		if _, lost := events[0].(acd.PBXLost); lost {
			news = true
		}
	}
	if news {
		c.wake()
	}
}

// obey carries out an effect without waiting. What cannot even begin comes back as an event.
func (c *Centre) obey(e acd.Effect) (failed acd.Done, yes bool) {
	switch e := e.(type) {
	case acd.MemberAdd:
		return c.enqueue(e.Interface, e, e.ID)
	case acd.MemberRemove:
		return c.enqueue(e.Interface, e, e.ID)
	case acd.MemberPause:
		return c.enqueue(e.Interface, e, e.ID)
	case acd.Resync:
		return c.enqueue("", e, 0)
	case acd.PublishQueue:
		text, err := presence.Text(e.Status)
		if err != nil {
			c.config.Log.Error("a queue's figures cannot be told", "queue", e.Status.Queue, "error", err)
			return acd.Done{}, false
		}
		c.config.News.Publish(e.Resource, "queue", text)
	case acd.PublishBell:
		c.config.News.Publish(e.Resource, "agent", presence.Bell(e.At, e.Version))
	case acd.Reply:
		if waiting := c.replies[e.Reply.ID]; waiting != nil {
			delete(c.replies, e.Reply.ID)
			waiting <- e.Reply // has room for one
		}
	case acd.RememberSignIn:
		c.scribe.signIn(e.SignIn)
	case acd.RememberDay:
		c.scribe.day(e.Day)
	case acd.QueueMissing:
		c.config.Log.Warn("the PBX does not have this queue; look into queues.conf", "queue", e.Queue)
	}
	return acd.Done{}, false
}

// enqueue gives a command to the carrier of its phone.
func (c *Centre) enqueue(phone string, e acd.Effect, id uint64) (acd.Done, bool) {
	hash := fnv.New32a()
	hash.Write([]byte(phone))
	select {
	case c.commands[hash.Sum32()%carriers] <- e:
		return acd.Done{}, false
	default:
		return acd.Done{ID: id, Problem: acd.Unreachable}, id != 0
	}
}

// carry is a carrier: one command after another.
func (c *Centre) carry(ctx context.Context, commands <-chan acd.Effect) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-commands:
			within, cancel := context.WithTimeout(ctx, commandMax)
			if _, resync := e.(acd.Resync); resync {
				if err := c.config.PBX.Resync(within); err != nil && ctx.Err() == nil {
					c.config.Log.Warn("the PBX did not tell its view", "error", err)
				}
			} else {
				c.post(ctx)(c.config.PBX.Do(within, e))
			}
			cancel()
		}
	}
}
