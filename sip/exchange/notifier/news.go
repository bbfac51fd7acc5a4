package notifier

import (
	"sync"
	"time"
)

// News are texts on their way from other goroutines to a Notifier. The zero value is empty.
type News struct {
	mu    sync.Mutex
	texts map[string]string
}

// Put leaves the newest text of a resource. It reports whether Take is to be called: nobody else will.
func (w *News) Put(resource, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := len(w.texts) == 0
	if w.texts == nil {
		w.texts = map[string]string{}
	}
	w.texts[resource] = text
	return first
}

// Take tells the subscribers what has come, and empties it.
func (n *Notifier) Take(now time.Time, news *News) {
	news.mu.Lock()
	texts := news.texts
	news.texts = nil
	news.mu.Unlock()
	for resource, text := range texts {
		n.Set(now, resource, text)
	}
}
