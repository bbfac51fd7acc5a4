package centre

import (
	"maps"
	"sync"
)

// latest holds, by name, the last value that nobody has taken yet. Its methods may be called on any goroutine.
type latest[V any] struct {
	wake chan<- struct{}

	mu     sync.Mutex
	values map[string]V
}

// newLatest wakes whoever receives from wake, a channel with room for one.
func newLatest[V any](wake chan<- struct{}) *latest[V] {
	return &latest[V]{wake: wake, values: map[string]V{}}
}

func (l *latest[V]) put(name string, value V) {
	l.mu.Lock()
	l.values[name] = value
	l.mu.Unlock()
	ring(l.wake)
}

func (l *latest[V]) take() map[string]V {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := l.values
	l.values = map[string]V{}
	return values
}

// putBack returns what was taken in vain, unless something newer has come. It wakes nobody.
func (l *latest[V]) putBack(values map[string]V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(values, l.values)
	l.values = values
}

func ring(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
