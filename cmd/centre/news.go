package centre

import "context"

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
