package sim

import (
	"fmt"
	"sync"
	"time"

	"freizeichen/hal"
)

// The microphone's buffer, in frames. A browser's clock is not ours and its frames come in bursts: the buffer begins to
// play at bufferStart, and is made shorter when it has had more than bufferHigh for longer than a burst lasts.
const (
	bufferStart = 3  // 60 ms: a web socket's usual unevenness
	bufferHigh  = 6  // 120 ms
	bufferMax   = 16 // 320 ms: more is a page that slept; the oldest frames go
	burstFrames = 10 // 200 ms
)

// BrowserCounters are what a Browser has counted.
type BrowserCounters struct {
	Dropped    uint64 // frames of the microphone left out: the page's clock is faster, or it came late and all at once
	Duplicated uint64 // gaps filled with the frame before: the page's clock is slower, or it came late
	Skipped    uint64 // frame times lost because nobody read in time
}

// A Browser is a sound device whose microphone and loudspeaker are those of a web page. It is paced by its own clock, so
// that calls go on when no page is there: then the microphone hears nothing. All methods may be called from any goroutine.
type Browser struct {
	mu       sync.Mutex
	clock    hal.FrameClock
	closed   bool
	play     func(hal.Frame) // of the attached page; nil without
	attached uint64          // how many pages have been attached: which one owns the sound

	buffer   [bufferMax][hal.FrameSamples]int16 // a ring
	first    int                                // of the frames in it
	count    int                                // of the frames in it
	high     int                                // frames read in a row while there was more than bufferHigh
	playing  bool                               // since bufferStart was reached, until the buffer is empty
	last     [hal.FrameSamples]int16            // the last frame read while playing
	counters BrowserCounters
}

// NewBrowser makes the device; no page is attached.
func NewBrowser() *Browser { return &Browser{} }

// Attach gives the sound to a page, and takes it from the one that had it. play is called with every frame that the phone
// plays; it must return at once, must not keep the frame and must not call the Browser. After detach, or another Attach,
// has returned it is not called again. detach does nothing when another page has the sound.
func (b *Browser) Attach(play func(hal.Frame)) (detach func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attached++
	owner := b.attached
	b.play = play
	b.forget()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.attached == owner {
			b.play = nil
			b.forget()
		}
	}
}

// forget empties the microphone's buffer: what one page said does not go on as another's.
func (b *Browser) forget() { b.first, b.count, b.high, b.playing = 0, 0, 0, false }

// Push takes a frame of the page's microphone. A frame of another length than hal.FrameSamples is refused, and one that
// comes while no page is attached is lost.
func (b *Browser) Push(frame hal.Frame) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(frame) != hal.FrameSamples || b.play == nil {
		return
	}
	if b.count == bufferMax {
		b.drop()
	}
	copy(b.buffer[(b.first+b.count)%bufferMax][:], frame)
	b.count++
}

// drop leaves the oldest frame out.
func (b *Browser) drop() {
	b.take()
	b.counters.Dropped++
}

// take removes the oldest frame; it is valid until the next Push.
func (b *Browser) take() *[hal.FrameSamples]int16 {
	frame := &b.buffer[b.first]
	b.first = (b.first + 1) % bufferMax
	b.count--
	return frame
}

// Read waits until the next frame of the microphone is due and fills mic.
func (b *Browser) Read(mic []int16) error {
	b.mu.Lock()
	wait := b.clock.Wait(time.Now())
	b.mu.Unlock()
	time.Sleep(wait)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fmt.Errorf("sim: reading from the browser: %w", errClosed)
	}
	b.fill(mic)
	return nil
}

// fill makes the next frame from the buffer.
func (b *Browser) fill(mic []int16) {
	beginning := !b.playing
	if b.count >= bufferStart {
		b.playing = true
	}
	switch {
	case !b.playing:
		clear(mic)
		return
	case b.count == 0:
		b.bridge(mic)
		return
	}
	if b.high++; b.count <= bufferHigh {
		b.high = 0
	}
	next := b.take()
	copy(mic, next[:])
	if b.high > burstFrames && b.count > 0 {
		// Two frames become one, the first fading into the second: a change of the clock that nobody hears.
		fade(mic, b.take()[:])
		b.counters.Dropped++
		b.high = 0
	}
	if beginning {
		rise(mic)
	}
	copy(b.last[:], mic)
}

// bridge fills a gap with the last frame played backwards, which goes on where it ended, and falls to silence. Then the
// buffer has to be filled again.
func (b *Browser) bridge(mic []int16) {
	for n := range mic {
		left := len(mic) - n
		mic[n] = int16(int(b.last[left-1]) * (left - 1) / len(mic))
	}
	b.counters.Duplicated++
	b.playing = false
}

// fade turns frame into its second half-time successor: it begins as itself and ends as next.
func fade(frame, next []int16) {
	for n := range frame {
		frame[n] = int16((int(frame[n])*(len(frame)-n) + int(next[n])*n) / len(frame))
	}
}

// rise lets the frame begin at silence: its first quarter, 5 ms, rises.
func rise(frame []int16) {
	rising := frame[:len(frame)/4]
	for n := range rising {
		rising[n] = int16(int(rising[n]) * n / len(rising))
	}
}

// Write passes the frame that is heard to the page.
func (b *Browser) Write(speaker []int16) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fmt.Errorf("sim: writing to the browser: %w", errClosed)
	}
	if b.play != nil {
		b.play(speaker)
	}
	return nil
}

// Route does nothing: a page has one loudspeaker, and the display says where the sound would be.
func (b *Browser) Route(hal.Route) {}

// Close ends the device: the page's play is not called again, and a Read that waits returns an error within a frame time.
func (b *Browser) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.play = true, nil
	return nil
}

// Counters are what has been counted since NewBrowser.
func (b *Browser) Counters() BrowserCounters {
	b.mu.Lock()
	defer b.mu.Unlock()
	counters := b.counters
	counters.Skipped = b.clock.Skipped()
	return counters
}
