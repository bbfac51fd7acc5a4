package centre

import (
	"context"
	"log/slog"
	"strings"

	"freizeichen/sip/switchboard/wire"
)

// bells is News whose bells ring under the names that only their phones know. The names take a look into the database, which
// the centre's goroutine does not wait for.
type bells struct {
	News
	hash func(ctx context.Context, device string) (string, error) // of the phone's secret; empty: there is no such phone
	log  *slog.Logger
	wake chan struct{}
	ring *latest[string] // text by device
}

func newBells(news News, hash func(context.Context, string) (string, error), log *slog.Logger) *bells {
	wake := make(chan struct{}, 1)
	return &bells{News: news, hash: hash, log: log, wake: wake, ring: newLatest[string](wake)}
}

// Publish implements News.
func (b *bells) Publish(resource, subtype, text string) {
	if subtype != "agent" {
		b.News.Publish(resource, subtype, text)
		return
	}
	b.ring.put(strings.TrimPrefix(resource, "cc-phone-"), text)
}

// Run implements News.
func (b *bells) Run(ctx context.Context) error {
	ringing := make(chan struct{})
	go func() {
		defer close(ringing)
		for {
			select {
			case <-ctx.Done():
				return
			case <-b.wake:
				b.ringAll(ctx)
			}
		}
	}()
	err := b.News.Run(ctx)
	<-ringing
	return err
}

func (b *bells) ringAll(ctx context.Context) {
	for device, text := range b.ring.take() {
		hash, err := b.hash(ctx, device)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil: // the phone asks by itself every few minutes
			b.log.Warn("a phone could not be told that its agent has changed", "phone", device, "error", err)
		case hash != "":
			b.News.Publish(wire.Bell(device, hash), "agent", text)
		}
	}
}
