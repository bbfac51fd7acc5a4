//go:build linux

package pcm

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/resample"

	"golang.org/x/sys/unix"
)

const (
	// queueTarget is what waits to be heard just before a frame is written. It bridges delays of the program; on USB those
	// of 22 ms, because the kernel hands up to 18 ms to the bus ahead of time (MAX_QUEUE in sound/usb/endpoint.c).
	queueTarget = 40 * time.Millisecond
	// queueMax is when frames are left out until the queue is back at its target: after a stall whatever was caught up
	// would be late for the rest of the call.
	queueMax = 80 * time.Millisecond
	// hangMax is how long a microphone may give nothing, and a speaker take nothing.
	hangMax = time.Second
)

// End is one direction of a Duplex.
type End struct {
	Card    int // Card.Number
	Device  int // of Card.Capture or Card.Playback; 0 mostly
	Channel int // from 1; 0 is all: the speaker's alike, the microphone's summed
	// Rates in Hz, the most wanted first, each 8000, 16000, 44100 or 48000; empty means these, 44100 last.
	Rates []int
}

// rates: native first, then exact multiples, then what takes most work.
func (e End) rates() []int {
	if len(e.Rates) == 0 {
		return []int{hal.RateHz, 16000, 48000, 44100}
	}
	return e.Rates
}

// Sound is how a direction was set up.
type Sound struct {
	RateHz, Channels int
	Period, Buffer   time.Duration
}

// Statistics are counted since Open.
type Statistics struct {
	Frames        uint64 // read, of hal.FrameTime
	CaptureXruns  uint64 // the microphone's buffer ran over, or was suspended: sound was lost
	PlaybackXruns uint64 // the speaker's queue ran dry, or was suspended: a gap was heard
	Dropped       uint64 // frames that were not played because the queue had grown too long
	// CaptureDelay is from a sound to the end of the Read that has it, PlaybackDelay from a Write to its first sample's
	// being heard, both as the kernel knew at the last frame.
	CaptureDelay, PlaybackDelay time.Duration
	BendPPM                     float64 // of the way to the speaker, now
}

// A Duplex is a microphone and a speaker with frames of hal.FrameSamples samples, 20 ms of mono at 8 kHz. One goroutine
// uses it; Close, Statistics and Sounds may be called from any. A program that wants to be on time calls from a
// real-time thread of its own.
type Duplex struct {
	closed  atomic.Bool
	counted counters

	mu       sync.Mutex // Close waits for Read and Write
	capture  *stream
	playback *stream
	down     *resample.Converter // nil: the microphone has 8 kHz
	up       *resample.Converter
	servo    servo

	recording bool    // the microphone runs
	playing   bool    // the speaker runs
	have      int     // hardware frames of the microphone's frame
	heard     []int16 // of the microphone at its rate, mono
	spoken    []int16 // for the speaker at its rate, mono
	dropping  bool
	refused   int // frames in a row of which the speaker took nothing
}

type counters struct {
	frames, captureXruns, playbackXruns, dropped atomic.Uint64
	captureDelay, playbackDelay                  atomic.Int64
	bend                                         atomic.Int64 // thousandths of a ppm
}

// Open opens a microphone and a speaker, of one card or of two. Nothing sounds before the first Read and Write. The
// error wraps ErrNoCard, ErrUnplugged or a syscall.Errno, like EBUSY, where one is the reason.
func Open(kernel asound.Kernel, capture, playback End) (*Duplex, error) {
	for _, rate := range slices.Concat(capture.rates(), playback.rates()) {
		if rate != hal.RateHz && rate != 16000 && rate != 44100 && rate != 48000 {
			return nil, fmt.Errorf("pcm: opening a sound device with %d Hz: 8000, 16000, 44100 and 48000 are known", rate)
		}
	}
	d := &Duplex{}
	var err error
	if d.capture, err = openStream(kernel, capture, "c"); err != nil {
		return nil, err
	}
	if d.playback, err = openStream(kernel, playback, "p"); err != nil {
		_ = d.capture.file.Close()
		return nil, err
	}
	if err := d.convert(); err != nil {
		_ = d.close()
		return nil, err
	}
	// In a small buffer a frame must find room, if a little early.
	d.servo.target = min(queueTarget, d.playback.time(d.playback.buffer)-hal.FrameTime-periodTime/2)
	return d, nil
}

// convert makes what changes the rates.
func (d *Duplex) convert() (err error) {
	if d.capture.rate != hal.RateHz {
		if d.down, err = resample.New(d.capture.rate, hal.RateHz); err != nil {
			return fmt.Errorf("pcm: %s: %w", d.capture.name, err)
		}
	}
	if d.up, err = resample.NewBending(hal.RateHz, d.playback.rate); err != nil {
		return fmt.Errorf("pcm: %s: %w", d.playback.name, err)
	}
	d.heard = make([]int16, d.capture.frame)
	d.spoken = make([]int16, d.up.Most(hal.FrameSamples))
	return nil
}

// Sounds is how the card was set up.
func (d *Duplex) Sounds() (capture, playback Sound) {
	sound := func(s *stream) Sound { return Sound{s.rate, s.channels, s.time(s.period), s.time(s.buffer)} }
	return sound(d.capture), sound(d.playback)
}

// Statistics is what was counted so far.
func (d *Duplex) Statistics() Statistics {
	return Statistics{
		Frames:        d.counted.frames.Load(),
		CaptureXruns:  d.counted.captureXruns.Load(),
		PlaybackXruns: d.counted.playbackXruns.Load(),
		Dropped:       d.counted.dropped.Load(),
		CaptureDelay:  time.Duration(d.counted.captureDelay.Load()),
		PlaybackDelay: time.Duration(d.counted.playbackDelay.Load()),
		BendPPM:       float64(d.counted.bend.Load()) / 1000,
	}
}

// Read waits for the microphone's next frame; mic has hal.FrameSamples samples. The first one starts the microphone. An
// overrun is mended and counted. The error is ErrClosed or wraps ErrUnplugged, or the microphone hangs: it gave nothing
// for a second.
func (d *Duplex) Read(mic []int16) error {
	if len(mic) != hal.FrameSamples {
		return fmt.Errorf("pcm: reading %d samples: a frame has %d", len(mic), hal.FrameSamples)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return ErrClosed
	}
	if err := d.record(); err != nil {
		return err
	}
	c := d.capture
	d.have = 0
	if delay, err := c.delay(); err == nil { // what the next call sees is its business
		delay += hal.FrameTime
		if d.down != nil {
			delay += d.down.Delay()
		}
		d.counted.captureDelay.Store(int64(delay))
	}
	d.counted.frames.Add(1)
	if d.down == nil {
		c.mono(mic)
		return nil
	}
	c.mono(d.heard)
	d.down.Process(mic, d.heard)
	return nil
}

// record fills the microphone's frame in d.capture.samples.
func (d *Duplex) record() error {
	c := d.capture
	end := time.Now().Add(hangMax)
	var stopped error
	for revivals := 0; d.have < c.frame; {
		if !d.recording {
			if revivals++; revivals > revivalsMax {
				return c.lost("reading", fmt.Errorf("it stops again and again: %w", stopped))
			}
			if err := d.startRecording(stopped); err != nil {
				return err
			}
		}
		n, err := c.move(asound.ReadI, c.samples[d.have*c.channels:c.frame*c.channels])
		switch {
		case err == nil && n > 0:
			d.have += n
		case err == nil, errors.Is(err, unix.EAGAIN):
			if err := d.await(end); err != nil {
				return err
			}
		default:
			d.recording, stopped = false, err
			d.counted.captureXruns.Add(1)
		}
	}
	return nil
}

func (d *Duplex) startRecording(stopped error) error {
	err := d.capture.prepare(stopped)
	if err == nil {
		err = d.capture.do(asound.Start)
	}
	if err != nil {
		return d.capture.lost("starting", err)
	}
	d.recording = true
	return nil
}

// await waits until the microphone has something.
func (d *Duplex) await(end time.Time) error {
	left := time.Until(end)
	if left <= 0 {
		return fmt.Errorf("pcm: reading %s: it gave nothing for %v; the driver hangs", d.capture.name, hangMax)
	}
	readiness, err := d.capture.file.Poll(left)
	if err != nil {
		return d.capture.lost("waiting for", err)
	}
	if readiness == asound.Woken {
		return ErrClosed
	}
	return nil
}

// Write puts a frame of hal.FrameSamples samples into the speaker's queue and does not wait. The first one, and the first
// after Flush or an underrun, comes behind a little silence, so that the next is in time. The error is ErrClosed or
// wraps ErrUnplugged, or the speaker hangs: it took nothing for a second. A frame that is left out is counted.
func (d *Duplex) Write(speaker []int16) error {
	if len(speaker) != hal.FrameSamples {
		return fmt.Errorf("pcm: writing %d samples: a frame has %d", len(speaker), hal.FrameSamples)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return ErrClosed
	}
	var stopped error
	for range revivalsMax {
		err := d.play(speaker, stopped)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ESTRPIPE) {
			return d.playback.lost("writing", err)
		}
		d.playing, stopped = false, err
		d.counted.playbackXruns.Add(1)
	}
	return d.playback.lost("writing", fmt.Errorf("it stops again and again: %w", stopped))
}

// play puts a frame into the queue, and starts the speaker when it stands. Its error is the kernel's.
func (d *Duplex) play(speaker []int16, stopped error) error {
	p := d.playback
	if !d.playing {
		if err := p.prepare(stopped); err != nil {
			return err
		}
		clear(d.spoken)
		if err := d.queue(d.servo.target); err != nil {
			return err
		}
		d.servo.begun, d.dropping = false, false
	}
	waiting, err := p.delay()
	if err != nil {
		return err
	}
	d.counted.playbackDelay.Store(int64(waiting + d.up.Delay()))
	bend := d.servo.bend(waiting)
	d.up.Bend(bend)
	d.counted.bend.Store(int64(bend * 1000))
	n := d.up.Process(d.spoken, speaker)
	if d.full(waiting) {
		return d.refuse()
	}
	written, err := p.move(asound.WriteI, p.spread(d.spoken[:n]))
	switch { // what does not fit: a buffer smaller than we thought
	case errors.Is(err, unix.EAGAIN):
		err = d.refuse()
	case err == nil && written < n:
		d.counted.dropped.Add(1)
	}
	if err != nil {
		return err
	}
	if written > 0 {
		d.refused = 0
	}
	if !d.playing {
		if err := p.do(asound.Start); err != nil {
			return err
		}
		d.playing = true
	}
	return nil
}

// queue writes silence.
func (d *Duplex) queue(silence time.Duration) error {
	for left := d.playback.frames(silence); left > 0; {
		n := min(left, d.playback.frame)
		written, err := d.playback.move(asound.WriteI, d.playback.spread(d.spoken[:n]))
		if errors.Is(err, unix.EAGAIN) || err == nil && written == 0 {
			return nil // full
		}
		if err != nil {
			return err
		}
		left -= written
	}
	return nil
}

// refuse counts a frame that is left out. A queue that stays full for hangMax is not played: the position stands still.
func (d *Duplex) refuse() error {
	d.counted.dropped.Add(1)
	if d.refused++; d.refused >= int(hangMax/hal.FrameTime) {
		return fmt.Errorf("it took nothing for %v; the driver hangs", hangMax)
	}
	return nil
}

// full reports whether a frame is left out: from queueMax on until the queue is at its target again.
func (d *Duplex) full(waiting time.Duration) bool {
	switch {
	case waiting > queueMax:
		d.dropping = true
	case waiting <= d.servo.target+hal.FrameTime/2:
		d.dropping = false
	}
	if d.dropping {
		d.servo.begun = false // it averages from the new level
	}
	return d.dropping
}

// Flush drops what was written and has not been heard.
func (d *Duplex) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return ErrClosed
	}
	d.up.Reset()
	if !d.playing {
		return nil
	}
	d.playing = false
	if err := d.playback.do(asound.Drop); err != nil {
		return d.playback.lost("flushing", err)
	}
	return nil
}

// Stop stops microphone and speaker and drops what is on the way; the next Read and Write start them again. A Duplex
// that nobody reads for a while is stopped, else it runs over.
func (d *Duplex) Stop() error {
	if err := d.Flush(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return ErrClosed
	}
	if d.down != nil {
		d.down.Reset()
	}
	d.have = 0
	if !d.recording {
		return nil
	}
	d.recording = false
	if err := d.capture.do(asound.Drop); err != nil {
		return d.capture.lost("stopping", err)
	}
	return nil
}

// Close gives the card back. A Read that waits ends with ErrClosed. Closing again does nothing.
func (d *Duplex) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	d.capture.file.Wake()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.close()
}

func (d *Duplex) close() error {
	err := errors.Join(d.capture.file.Close(), d.playback.file.Close())
	if err != nil {
		return fmt.Errorf("pcm: closing %s and %s: %w", d.capture.name, d.playback.name, err)
	}
	return nil
}
