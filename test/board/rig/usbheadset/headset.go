// Package usbheadset is a USB headset of an emulated machine, written in Go: sound both ways by USB Audio 1.0, keys and lamps by HID. The
// kernel's snd-usb-audio and usbhid drive it as any other. Without keys it is the codec of a handset.
//
//	phone --ALSA--> snd-usb-audio --isochronous OUT--> Headset --> Played: what the ear hears
//	phone <--ALSA-- snd-usb-audio <--isochronous IN--- Headset <-- Source: what is said
//	phone <--hidraw-- usbhid <---- Press, Release          Lamps: history of what the phone writes
//
// Sound is mono, 16 bit, RateHz. Chapters are those of "USB Device Class Definition for Audio Devices 1.0" and of "HID Usage Tables 1.4".
package usbheadset

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"freizeichen/test/board/rig/usbredir"
)

// RateHz is the rate of its sound, both ways.
const RateHz = 16000

// playedMax bounds what is kept of what was heard: ten minutes.
const playedMax = 600 * RateHz

// reportsMax bounds how many lamp reports are kept.
const reportsMax = 4096

// A Model says which headset it is.
type Model struct {
	Vendor, Product uint16
	Manufacturer    string
	Name            string // as the sound card will be called
	Keys            bool   // it has an HID interface for telephony
}

// A Report is what the machine wrote to the lamps.
type Report struct {
	At    time.Time
	Lamps Lamps
}

// A Source gives the next samples of the microphone; it fills all of them. It is asked every few milliseconds of real time.
type Source func(samples []int16)

// Headset is one headset, plugged in or not.
type Headset struct {
	*usbredir.Device

	mu      sync.Mutex
	source  Source
	played  []int16
	packets int // isochronous packets that came
	coupled *coupling
	stop    chan struct{}
	keys    Keys
	reports []Report
	changed chan struct{} // closed and replaced when a report comes
	volume  map[byte]int16
	muted   map[byte]bool
}

// New makes a headset that is not plugged in. Its microphone is silent.
func New(model Model) (*Headset, error) {
	h := &Headset{source: Silence, changed: make(chan struct{}), volume: map[byte]int16{}, muted: map[byte]bool{}}
	device, err := usbredir.New(usbredir.Descriptor{
		Vendor: model.Vendor, Product: model.Product, Release: 0x0100, Manufacturer: model.Manufacturer, Name: model.Name,
		Interfaces: interfaces(model.Keys),
	}, function{h})
	if err != nil {
		return nil, fmt.Errorf("usbheadset: %w", err)
	}
	h.Device = device
	return h, nil
}

// Silence is the Source of a microphone that hears nothing.
func Silence(samples []int16) { clear(samples) }

// Samples is a Source that says some samples of RateHz once, and is silent then.
func Samples(said []int16) Source {
	return func(samples []int16) {
		n := copy(samples, said)
		said = said[n:]
		clear(samples[n:])
	}
}

// Speak changes what the microphone hears.
func (h *Headset) Speak(source Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.source, h.coupled = source, nil
}

// Played is what has been heard since a Mark. Compare it by tone or correlation: where it begins varies.
func (h *Headset) Played(mark int) []int16 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.played[min(mark, len(h.played)):])
}

// Mark is how many samples have been heard so far.
func (h *Headset) Mark() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.played)
}

// Volume is how the machine has set the mixer of one way: 1/256 dB, 0 the loudest; and whether it is muted.
func (h *Headset) Volume(way Way) (level int16, muted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.volume[byte(way)], h.muted[byte(way)]
}

// Reports is what has been written to the lamps so far, oldest first.
func (h *Headset) Reports() []Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.reports)
}

// WaitLamps waits until the last report says these lamps, at most so long.
func (h *Headset) WaitLamps(want Lamps, most time.Duration) bool {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		h.mu.Lock()
		last, changed := Lamps{}, h.changed
		if n := len(h.reports); n > 0 {
			last = h.reports[n-1].Lamps
		}
		h.mu.Unlock()
		if last == want {
			return true
		}
		select {
		case <-changed:
		case <-late.C:
			return false
		}
	}
}

// Heard tells whether a program reads the keys. What is pressed earlier is lost, and in the first 50 ms too: the kernel drops what it finds
// when it begins to read (drivers/hid/usbhid/hid-core.c, usbhid_open).
func (h *Headset) Heard() bool { return h.Listening(endpointKeys) }

// Hold sets the keys that are down now, and tells the machine.
func (h *Headset) Hold(keys Keys) {
	h.mu.Lock()
	h.keys = keys
	h.mu.Unlock()
	h.Send(endpointKeys, append([]byte{reportTelephony}, keys.telephony()))
	h.Send(endpointKeys, append([]byte{reportConsumer}, keys.consumer()))
}

// function is the headset as its bus sees it.
type function struct{ h *Headset }

// Receive takes sound from the machine.
func (f function) Receive(endpoint byte, data []byte) {
	h := f.h
	if endpoint != endpointPlay {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.packets++
	h.couple(data)
	for ; len(data) >= 2 && len(h.played) < playedMax; data = data[2:] {
		h.played = append(h.played, int16(binary.LittleEndian.Uint16(data)))
	}
}

// Stream starts and stops the microphone.
func (f function) Stream(endpoint byte, on bool) {
	h := f.h
	if endpoint != endpointRecord {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop != nil {
		close(h.stop)
		h.stop = nil
	}
	if on {
		h.stop = make(chan struct{})
		go h.speak(h.stop)
	}
}

// A packet goes every millisecond, USB 2.0 section 5.6.3. Here they go as fast as the clock of the machine that runs the test says; after a
// stall what is older than stallMax is left out.
const (
	packetSamples = RateHz / 1000
	stallMax      = 100 * time.Millisecond
)

func (h *Headset) speak(stop chan struct{}) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	due := time.Now()
	samples := make([]int16, packetSamples)
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		now := time.Now()
		if now.Sub(due) > stallMax {
			due = now.Add(-stallMax)
		}
		for ; due.Before(now); due = due.Add(time.Millisecond) {
			h.mu.Lock()
			h.source(samples)
			h.mu.Unlock()
			data := make([]byte, 0, 2*packetSamples)
			for _, s := range samples {
				data = binary.LittleEndian.AppendUint16(data, uint16(s))
			}
			h.Send(endpointRecord, data)
		}
	}
}
