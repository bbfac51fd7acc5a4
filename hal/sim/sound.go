package sim

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"freizeichen/hal"
)

// errClosed is what a device says that is used after Close.
var errClosed = errors.New("the sound device is closed")

// defaultToneHz is the test frequency ITU-T O.6 asks for with PCM: 1000 Hz would meet the same few samples of 8 kHz
// again and again.
const defaultToneHz = 1020

// Bounds of a tone's frequency: what a telephone channel carries.
const (
	minToneHz = 50
	maxToneHz = 3900
)

// A Sound says which sound device a simulated phone has, and comes from ParseSound.
type Sound struct {
	kind    string
	hz      float64 // of "tone"
	in, out string  // of "wav", either may be empty
}

// ParseSound reads what a person has written:
//
//	null          the microphone hears nothing, and what is heard is lost
//	loop          the microphone hears what is heard
//	tone, tone:HZ the microphone hears a tone, of 1020 Hz unless told
//	wav:IN,OUT    the microphone hears the file IN, what is heard is written to the file OUT; either may be empty
//
// It opens nothing. Its errors say what to write instead.
func ParseSound(text string) (Sound, error) {
	kind, rest, given := strings.Cut(text, ":")
	switch kind {
	case "null", "loop":
		if given {
			return Sound{}, fmt.Errorf("sim: sound %q: %s takes nothing after it, write %q", text, kind, kind)
		}
		return Sound{kind: kind}, nil
	case "tone":
		if !given {
			return Sound{kind: kind, hz: defaultToneHz}, nil
		}
		hz, err := strconv.ParseFloat(rest, 64)
		if err != nil || !(hz >= minToneHz && hz <= maxToneHz) {
			return Sound{}, fmt.Errorf("sim: sound %q: write a frequency from %d to %d Hz, for example %q",
				text, minToneHz, maxToneHz, "tone:440")
		}
		return Sound{kind: kind, hz: hz}, nil
	case "wav":
		in, out, two := strings.Cut(rest, ",")
		if !two || in == "" && out == "" || strings.Contains(out, ",") {
			return Sound{}, fmt.Errorf("sim: sound %q: write two file names without a comma in them, for example %q; "+
				"either may be missing", text, "wav:microphone.wav,heard.wav")
		}
		return Sound{kind: kind, in: in, out: out}, nil
	}
	return Sound{}, fmt.Errorf("sim: no sound device %q: write null, loop, tone, tone:HZ or wav:IN,OUT", text)
}

// String is what ParseSound reads.
func (s Sound) String() string {
	switch s.kind {
	case "tone":
		return "tone:" + strconv.FormatFloat(s.hz, 'g', -1, 64)
	case "wav":
		return "wav:" + s.in + "," + s.out
	}
	return s.kind
}

// Open makes the device. The caller closes it.
func (s Sound) Open() (*Device, error) {
	d := &Device{}
	switch s.kind {
	case "null":
	case "loop":
		d.source, d.sink = d.hearHeard, d.keepHeard
	case "tone":
		d.source = newTone(s.hz)
	case "wav":
		if err := d.openFiles(s.in, s.out); err != nil {
			return nil, fmt.Errorf("sim: opening sound %s: %w", s, err)
		}
	default:
		return nil, errors.New("sim: opening a sound that does not come from ParseSound")
	}
	return d, nil
}

// A Device is a sound device without hardware, paced in real time by an absolute schedule: a late reader gets a few
// frames at once and loses the rest, see hal.FrameClock. Read, Write and Route may be called by one goroutine and
// Close, Skipped and Routed by another.
type Device struct {
	source func(mic []int16)           // fills the microphone's frame; nil is silence
	sink   func(speaker []int16) error // takes what is heard; nil loses it
	end    func() error                // closes what sink writes to; may be nil

	mu     sync.Mutex
	clock  hal.FrameClock
	route  hal.Route
	closed bool

	heard [hal.FrameSamples]int16 // of "loop"
}

// Read waits until the next frame of the microphone is due and fills mic, hal.FrameSamples long.
func (d *Device) Read(mic []int16) error {
	d.mu.Lock()
	wait := d.clock.Wait(time.Now())
	d.mu.Unlock()
	time.Sleep(wait)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("sim: reading: %w", errClosed)
	}
	if d.source == nil {
		clear(mic)
		return nil
	}
	d.source(mic)
	return nil
}

// Write takes the frame that is heard.
func (d *Device) Write(speaker []int16) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("sim: writing: %w", errClosed)
	}
	if d.sink == nil {
		return nil
	}
	if err := d.sink(speaker); err != nil {
		return fmt.Errorf("sim: writing what is heard: %w", err)
	}
	return nil
}

// Route says where what is written would be heard.
func (d *Device) Route(route hal.Route) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.route = route
	clear(d.heard[:])
}

// Routed is where what is written would be heard.
func (d *Device) Routed() hal.Route {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.route
}

// Skipped is the number of frames lost because nobody read them in time.
func (d *Device) Skipped() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock.Skipped()
}

// Close closes the device and its files. A Read that waits returns an error within a frame time.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.end == nil {
		d.closed = true
		return nil
	}
	d.closed = true
	if err := d.end(); err != nil {
		return fmt.Errorf("sim: closing the sound device: %w", err)
	}
	return nil
}

func (d *Device) hearHeard(mic []int16) { copy(mic, d.heard[:]) }

func (d *Device) keepHeard(speaker []int16) error {
	copy(d.heard[:], speaker)
	return nil
}

// newTone is a microphone that hears a tone of -10 dBm0.
func newTone(hz float64) func(mic []int16) {
	// -10 dBm0 is 13.14 dB below a full-scale sine (ITU-T G.711 section 4).
	peak := math.MaxInt16 * math.Pow(10, -13.14/20)
	phase := 0.0
	return func(mic []int16) {
		for n := range mic {
			mic[n] = int16(math.Round(peak * math.Sin(phase)))
			phase = math.Mod(phase+2*math.Pi*hz/hal.RateHz, 2*math.Pi)
		}
	}
}

// openFiles makes the device hear the file in and write the file out, where they have a name.
func (d *Device) openFiles(in, out string) error {
	if in != "" {
		recording, err := readRecording(in)
		if err != nil {
			return err
		}
		d.source = func(mic []int16) {
			n := copy(mic, recording)
			clear(mic[n:]) // after its end there is silence
			recording = recording[n:]
		}
	}
	if out != "" {
		w, err := createWAV(out)
		if err != nil {
			return err
		}
		d.sink, d.end = w.write, w.close
	}
	return nil
}
