package exchange

import (
	"time"

	"freizeichen/sip/exchange/notifier"
)

// SetPresence changes what the presence of a resource ("cc-kw-zulassung") tells its subscribers; "" takes it back. It may
// be called on any goroutine, in Config.Observe too, and does not wait: of texts that come quickly the last counts.
func (e *Exchange) SetPresence(resource, text string) {
	if e.news.Put(resource, text) {
		// Do waits while the queue is full, and our caller may be who empties it.
		go e.endpoint.Do(func(now time.Time) {
			for resource, text := range e.news.Take() {
				e.notifier.Set(now, resource, text)
			}
		})
	}
}

// Presence lets a test count the subscriptions, and misbehave with them.
func (e *Exchange) Presence(do func(now time.Time, n *notifier.Notifier)) {
	e.do(func(now time.Time) { do(now, e.notifier) })
}
