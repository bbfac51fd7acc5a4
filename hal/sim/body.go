// Package sim is a body without hardware: keys and a hook that programs and pages press, a display they can look at,
// and sound devices that are files, loops, tones or a browser. It decides nothing about the phone.
//
//	test, page -- Press, Hook --> Body --> key(hal.KeyChange), hook(hal.HookChange)
//	test, page <-- Display, Watch -- Body <-- Show(hal.Display)
//
//	file, tone, loop, nothing <--> Device  <--> device/voice (Read, Write, Route, Close)
//	browser -- Push, Attach ---->  Browser <--> device/voice
//
// All time is time.Now and time.Sleep, so that a phone with this body runs in a testing/synctest bubble.
package sim

import (
	"bytes"
	"slices"
	"sync"

	"freizeichen/hal"
)

// A Body is a simulated phone: a keypad, a hook switch, a display with lamps. All methods may be called from any
// goroutine.
type Body struct {
	input sync.Mutex // held while a change is delivered, so that changes stay in order
	key   func(hal.KeyChange)
	hook  func(hal.HookChange)
	down  [hal.KeyCount]bool
	up    bool

	output   sync.Mutex
	display  hal.Display
	lifted   bool // as up, for those who look
	watchers map[chan struct{}]struct{}
}

// NewBody makes a body with all keys up, the handset on its hook and a dark display. key and hook get the changes, one
// at a time and in order; they must not press keys themselves.
func NewBody(key func(hal.KeyChange), hook func(hal.HookChange)) *Body {
	return &Body{key: key, hook: hook, watchers: map[chan struct{}]struct{}{}}
}

// Press presses a key. Pressing what is down does nothing, and so does a key that no phone has.
func (b *Body) Press(key hal.Key) { b.move(key, true) }

// Release releases a key. Releasing what is up does nothing.
func (b *Body) Release(key hal.Key) { b.move(key, false) }

func (b *Body) move(key hal.Key, down bool) {
	b.input.Lock()
	defer b.input.Unlock()
	if key == hal.KeyNone || key >= hal.KeyCount || b.down[key] == down {
		return
	}
	b.down[key] = down
	b.key(hal.KeyChange{Key: key, Down: down})
}

// Hook lifts the handset (up) or puts it back. What is so already is left so.
func (b *Body) Hook(up bool) {
	b.input.Lock()
	defer b.input.Unlock()
	if b.up == up {
		return
	}
	b.up = up
	b.hook(hal.HookChange{Up: up})
	b.output.Lock()
	defer b.output.Unlock()
	b.lifted = up
	b.notify()
}

// Lifted reports whether the handset is up.
func (b *Body) Lifted() bool {
	b.output.Lock()
	defer b.output.Unlock()
	return b.lifted
}

// Show changes the display; what is shown already is no change. It never waits for those who watch.
func (b *Body) Show(display hal.Display) {
	b.output.Lock()
	defer b.output.Unlock()
	if equal(b.display, display) {
		return
	}
	b.display = display
	b.notify()
}

// notify wakes those who watch.
func (b *Body) notify() {
	for changed := range b.watchers {
		select {
		case changed <- struct{}{}:
		default: // the watcher has not yet taken an earlier change, and will see this one with it
		}
	}
}

// Display is what is shown now. Picture is nil as long as nothing has been shown; picture and text are not to be
// written to.
func (b *Body) Display() hal.Display {
	b.output.Lock()
	defer b.output.Unlock()
	return b.display
}

// Watch returns a channel that receives after each change of the display or the handset; changes nobody has taken are one, so that a
// slow watcher sees the newest display next. The caller stops it when done; the channel is never closed.
func (b *Body) Watch() (changed <-chan struct{}, stop func()) {
	watcher := make(chan struct{}, 1)
	b.output.Lock()
	defer b.output.Unlock()
	b.watchers[watcher] = struct{}{}
	return watcher, func() {
		b.output.Lock()
		defer b.output.Unlock()
		delete(b.watchers, watcher)
	}
}

// equal reports whether two displays look the same.
func equal(a, b hal.Display) bool {
	if a.Lamps != b.Lamps || a.Soft != b.Soft || a.Headset != b.Headset || !slices.Equal(a.Text, b.Text) {
		return false
	}
	if a.Picture == nil || b.Picture == nil || a.Picture == b.Picture {
		return a.Picture == b.Picture
	}
	return a.Picture.Rect == b.Picture.Rect && a.Picture.Stride == b.Picture.Stride &&
		bytes.Equal(a.Picture.Pix, b.Picture.Pix) && slices.Equal(a.Picture.Palette, b.Picture.Palette)
}
