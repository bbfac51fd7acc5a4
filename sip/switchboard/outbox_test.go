package switchboard

import (
	"errors"
	"slices"
	"sync"
)

// A box is an outbox in memory that can be full or broken.
type box struct {
	mu      sync.Mutex
	last    uint64
	waiting []boxed
	most    int
	broken  bool // Append fails
	stuck   bool // Confirm fails
}

type boxed struct {
	id   uint64
	data []byte
}

type boxFull struct{ error }

func (boxFull) Full() bool { return true }

func (b *box) Append(data []byte) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.broken:
		return 0, errors.New("input/output error")
	case b.most > 0 && len(b.waiting) >= b.most:
		return 0, boxFull{errors.New("full")}
	}
	b.last++
	b.waiting = append(b.waiting, boxed{b.last, slices.Clone(data)})
	return b.last, nil
}

func (b *box) Next(after uint64) (uint64, []byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.waiting {
		if e.id > after {
			return e.id, e.data, true
		}
	}
	return 0, nil, false
}

func (b *box) Confirm(id uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck {
		return errors.New("input/output error")
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(e boxed) bool { return e.id == id })
	return nil
}

func (b *box) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}
