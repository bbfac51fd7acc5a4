//go:build linux

// Package pcmtest has sound cards in memory for tests: they answer the kernel's calls with the kernel's states and error
// codes, run over and dry, are unplugged at the worst moment, and hear and sound what a test wants. Their clock is
// package time's: in a bubble of testing/synctest a minute of sound takes no time.
//
//	pcm.Open, mixer.Open --asound.Kernel--> Machine --> Card --+--> Stream: state, clock, queue <--> Sound, a function
//	                                                           +--> Control
//
// What it does is read from sound/core/{pcm_native,pcm_lib,control,init}.c of Linux 6.1 to 6.12. It does not know
// blocking transfers, mmap, linked streams, draining, or constraints in microseconds or bytes.
package pcmtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// A Machine is an asound.Kernel with cards. Make it with New.
type Machine struct {
	mu    sync.Mutex
	cards []*Card // by number; nil is a free place
	fault func(name string, request asound.Request) error
}

var _ asound.Kernel = (*Machine)(nil)

// A Card is a sound card. A test sets the fields before it is plugged in; zero fields mean that there is no such thing.
type Card struct {
	ID, Driver, Name, LongName, Mixer, Components string
	USBID, USBPath                                string // "0b0e:0e36", "/sys/devices/x/usb1/1-1"
	Playback, Capture                             *Stream
	Controls                                      []*Control

	machine *Machine
	number  int
}

// Headset is a USB headset with one rate and one channel either way, as the emulated one of test/board.
func Headset() *Card {
	return &Card{
		ID: "Headset", Driver: "USB-Audio", Name: "Headset", LongName: "Freizeichen Headset at usb-0000:00:02.0-1, full speed",
		Mixer: "USB Mixer", Components: "USB1209:0001", USBID: "1209:0001", USBPath: "/sys/devices/pci0000:00/0000:00:02.0/usb1/1-1",
		Playback: &Stream{Rates: []int{16000}, Channels: [2]int{1, 1}},
		Capture:  &Stream{Rates: []int{16000}, Channels: [2]int{1, 1}},
		Controls: []*Control{
			Volume("PCM Playback Volume", 0, 100, 4, 8, negative(-3000), 0),
			Switch("PCM Playback Switch"),
			Volume("Mic Capture Volume", 0, 255, 1, 8, negative(-1725), 75),
			Switch("Mic Capture Switch"),
		},
	}
}

// Codec is a sound chip of a board, like the WM8960: stereo, several rates.
func Codec() *Card {
	return &Card{
		ID: "wm8960soundcard", Driver: "wm8960-soundcard", Name: "wm8960-soundcard", LongName: "wm8960-soundcard",
		Playback: &Stream{Rates: []int{8000, 16000, 44100, 48000}, Channels: [2]int{2, 2}},
		Capture:  &Stream{Rates: []int{8000, 16000, 44100, 48000}, Channels: [2]int{2, 2}},
		Controls: []*Control{
			// SOC_DOUBLE_R_TLV of sound/soc/codecs/wm8960.c: -121 dB in steps of 1 dB, the lowest is mute.
			Volume("Headphone Playback Volume", 0, 127, 1, 8, negative(-12100), 1<<16|100),
			Volume("Speaker Playback Volume", 0, 127, 1, 8, negative(-12100), 1<<16|100),
			Volume("Capture Volume", 0, 63, 1, 8, negative(-1725), 75),
			Switch("Capture Switch"),
			Enumerated("Playback Polarity", "No Inversion", "Left Inverted", "Right Inverted", "Stereo Inversion"),
		},
	}
}

// negative is a signed number as it stands in a TLV.
func negative(n int32) uint32 { return uint32(n) }

// New is a machine with these cards, numbered from 0.
func New(cards ...*Card) *Machine {
	m := &Machine{}
	for _, card := range cards {
		m.Plug(card)
	}
	return m
}

// Plug plugs a card in, at the lowest free number, which it is.
func (m *Machine) Plug(card *Card) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	number := slices.Index(m.cards, nil)
	if number < 0 {
		number = len(m.cards)
		m.cards = append(m.cards, nil)
	}
	m.cards[number] = card
	card.machine, card.number = m, number
	for _, s := range []*Stream{card.Playback, card.Capture} {
		if s != nil {
			s.machine, s.playback = m, s == card.Playback
		}
	}
	for i, c := range card.Controls {
		c.number = uint32(i + 1)
	}
	return number
}

// Unplug takes a card out, whatever it does. What is open on it stays dead when it is plugged in again.
func (m *Machine) Unplug(card *Card) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cards[card.number] = nil
	for _, s := range []*Stream{card.Playback, card.Capture} {
		if s != nil && s.file != nil {
			s.file.gone = true
			s.file = nil
			s.changed()
		}
	}
}

// Fail asks fault before each call of a device, "control" or like "pcmC0D0p"; an error is the call's. EPIPE and ESTRPIPE
// stop a stream that runs, as the kernel does before it says so. Nil ends that.
func (m *Machine) Fail(fault func(device string, request asound.Request) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// Open implements asound.Kernel.
func (m *Machine) Open(name string) (asound.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, card := range m.cards {
		if card == nil {
			continue
		}
		for s, device := range card.devices() {
			if device != name {
				continue
			}
			if s == nil {
				return &controlFile{card: card}, nil
			}
			if s.file != nil || s.Holder != "" {
				return nil, unix.EBUSY
			}
			s.file = &streamFile{stream: s, name: name, wake: make(chan struct{})}
			s.state, s.queue = stateOpen, nil
			return s.file, nil
		}
	}
	return nil, unix.ENOENT
}

// devices are the names in /dev/snd; nil is for the control device.
func (c *Card) devices() map[*Stream]string {
	names := map[*Stream]string{nil: fmt.Sprintf("controlC%d", c.number)}
	if c.Playback != nil {
		names[c.Playback] = fmt.Sprintf("pcmC%dD0p", c.number)
	}
	if c.Capture != nil {
		names[c.Capture] = fmt.Sprintf("pcmC%dD0c", c.number)
	}
	return names
}

// List implements asound.Kernel.
func (m *Machine) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if dir != "/dev/snd" || !slices.ContainsFunc(m.cards, func(c *Card) bool { return c != nil }) {
		return nil, unix.ENOENT
	}
	names := []string{"by-path", "seq", "timer"}
	for _, card := range m.cards {
		if card != nil {
			for _, name := range card.devices() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Read implements asound.Kernel.
func (m *Machine) Read(file string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, card := range m.cards {
		if card == nil {
			continue
		}
		dir := fmt.Sprintf("/proc/asound/card%d/", card.number)
		switch {
		case file == dir+"id":
			return card.ID, nil
		case file == dir+"usbid" && card.USBID != "":
			return card.USBID, nil
		}
		for s, name := range card.devices() {
			// pcmC1D0p has its state in /proc/asound/card1/pcm0p/sub0/status.
			if s != nil && file == dir+"pcm"+name[strings.IndexByte(name, 'D')+1:]+"/sub0/status" {
				return s.status(), nil
			}
			if s != nil && s.Holder != "" && file == "/proc/4711/comm" {
				return s.Holder, nil
			}
		}
	}
	return "", unix.ENOENT
}

// Resolve implements asound.Kernel.
func (m *Machine) Resolve(path string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, card := range m.cards {
		if card != nil && card.USBPath != "" && path == fmt.Sprintf("/sys/class/sound/card%d/device", card.number) {
			return card.USBPath + "/" + card.USBPath[strings.LastIndexByte(card.USBPath, '/')+1:] + ":1.0", nil
		}
	}
	return "", unix.ENOENT
}

// failing is what the test wants a call to fail with, or what an unplugged card says.
func (m *Machine) failing(gone bool, name string, request asound.Request) error {
	if gone {
		return syscall.ENODEV
	}
	if m.fault != nil {
		return m.fault(name, request)
	}
	return nil
}
