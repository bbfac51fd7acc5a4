package presence

import "sync"

// News are texts on their way from any goroutine to the one that tells them. Of texts of one resource that come before
// they are taken, the last counts. The zero value is empty.
type News struct {
	mu    sync.Mutex
	texts map[string]string
}

// Put leaves a text. It reports whether Take must be called for it: whoever put the text before has not seen to that.
func (n *News) Put(resource, text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := n.texts == nil
	if first {
		n.texts = map[string]string{}
	}
	n.texts[resource] = text
	return first
}

// Take hands out what has been left, by resource.
func (n *News) Take() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	texts := n.texts
	n.texts = nil
	return texts
}
