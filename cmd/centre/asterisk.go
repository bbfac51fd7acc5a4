package centre

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"freizeichen/sip/acd"
	"freizeichen/sip/acd/asterisk"
	"freizeichen/sip/ami"
)

// Asterisk is a PBX by its manager interface.
type Asterisk struct {
	client *ami.Client
	log    *slog.Logger
	post   func(...acd.Event) // while Run runs
}

// NewAsterisk takes address and login; Observe is ours.
func NewAsterisk(config ami.Config) (*Asterisk, error) {
	a := &Asterisk{log: config.Log}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	config.Observe = func(e ami.Event) {
		if event, ok := asterisk.Event(e); ok {
			a.post(event)
		}
	}
	var err error
	a.client, err = ami.New(config)
	return a, err
}

// Run implements PBX.
func (a *Asterisk) Run(ctx context.Context, post func(...acd.Event)) error {
	a.post = post
	return a.client.Run(ctx)
}

// Do implements PBX.
func (a *Asterisk) Do(ctx context.Context, command acd.Effect) acd.Done {
	done, _, err := asterisk.Do(ctx, a.client, command)
	if done.Problem >= acd.NoSuchQueue && !errors.Is(err, context.Canceled) {
		a.log.Warn("Asterisk did not do what was asked", "problem", done.Problem.String(), "error", err)
	}
	return done
}

// Resync implements PBX.
func (a *Asterisk) Resync(ctx context.Context) error { return a.client.QueueStatus(ctx) }

// tellMax is for all texts that are told at once: 5,000 phones after Asterisk was started again.
const tellMax = 30 * time.Second

// AsteriskNews tells phones by PRESENCE_STATE: Asterisk fans each text out to whoever has subscribed to it.
type AsteriskNews struct {
	asterisk *Asterisk
	wake     chan struct{}
	texts    *latest[ami.Presence] // by resource
}

// News makes the news of this Asterisk; its login must have the right to, see ami.Config.Presence.
func (a *Asterisk) News() *AsteriskNews {
	wake := make(chan struct{}, 1)
	return &AsteriskNews{a, wake, newLatest[ami.Presence](wake)}
}

// Publish implements News.
func (n *AsteriskNews) Publish(resource, subtype, text string) {
	n.texts.put(resource, ami.Presence{Resource: resource, Subtype: subtype, Text: []byte(text)})
}

// Run implements News.
func (n *AsteriskNews) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.wake:
		}
		texts := slices.SortedFunc(maps.Values(n.texts.take()), func(a, b ami.Presence) int { return strings.Compare(a.Resource, b.Resource) })
		within, cancel := context.WithTimeout(ctx, tellMax)
		err := n.asterisk.client.SetPresence(within, texts...)
		cancel()
		// Without a connection nothing is to be told: after it everything is told anew.
		if err != nil && !errors.Is(err, ami.ErrAway) && ctx.Err() == nil {
			n.asterisk.log.Warn("Asterisk did not take the state of queues; phones see it grow old", "error", err)
		}
	}
}
