package centre

import (
	"context"
	"maps"
	"slices"
	"sync"

	"freizeichen/sip/ami"
)

// presenceNews holds the last text about each resource that nobody has taken yet.
type presenceNews struct {
	wake chan struct{}
	*unsent
}

type unsent struct {
	mu    sync.Mutex
	texts map[string]ami.Presence
}

func newNews() presenceNews {
	return presenceNews{make(chan struct{}, 1), &unsent{texts: map[string]ami.Presence{}}}
}

func (n presenceNews) put(resource string, p ami.Presence) {
	n.mu.Lock()
	n.texts[resource] = p
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n presenceNews) take() []ami.Presence {
	n.mu.Lock()
	defer n.mu.Unlock()
	texts := slices.Collect(maps.Values(n.texts))
	clear(n.texts)
	return texts
}

// Published tells phones through a presence server (RFC 3903), for big sites: sip/presence/publisher.
type Published struct {
	Publisher interface {
		Publish(resource, text string)
		Run(ctx context.Context) error
	}
}

// Publish implements News.
func (p Published) Publish(resource, _, text string) { p.Publisher.Publish(resource, text) }

// Run implements News.
func (p Published) Run(ctx context.Context) error { return p.Publisher.Run(ctx) }
