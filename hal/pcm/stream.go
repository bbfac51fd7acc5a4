//go:build linux

package pcm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// What is asked of a device; it may give something near.
const (
	periodTime = 10 * time.Millisecond
	// bufferTime costs no delay: the recorded is read as soon as it is there, and how much waits to be played is held at
	// queueTarget. It is five frames: hal.FrameClock too lets five be caught up after a stall.
	bufferTime = 100 * time.Millisecond
	// bufferMin is two frames: with less, one cannot be written while the other plays.
	bufferMin = 2 * hal.FrameTime
	// revivalsMax is how often a stream is brought back within a frame before it is given up.
	revivalsMax = 5
)

// stream is one direction of a device.
type stream struct {
	name     string // for errors: "capture from card 1 Headset (pcmC1D0c)"
	file     asound.File
	rate     int // Hz
	channels int
	chosen   int // channel, from 1; 0 is all
	period   int // frames
	buffer   int // frames
	frame    int // hardware frames of hal.FrameTime

	samples  []int16 // interleaved; room for two frames of hal.FrameTime
	transfer asound.Transfer
	waiting  asound.Delay
}

// openStream opens and sets up a direction, "c" or "p". It is in state SETUP then.
func openStream(kernel asound.Kernel, end End, direction string) (*stream, error) {
	device := fmt.Sprintf("pcmC%dD%d%s", end.Card, end.Device, direction)
	s := &stream{name: "capture from", chosen: end.Channel}
	if direction == "p" {
		s.name = "playback to"
	}
	id, _ := kernel.Read(fmt.Sprintf("/proc/asound/card%d/id", end.Card))
	s.name += fmt.Sprintf(" card %d %s (%s)", end.Card, id, device)
	if end.Channel < 0 || end.Channel > channelsMax {
		return nil, fmt.Errorf("pcm: opening %s: channel %d: channels are 1 to %d, 0 is all", s.name, end.Channel, channelsMax)
	}
	file, err := kernel.Open(device)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("pcm: opening %s: %w: %s", s.name, err, holder(kernel, end, direction))
	}
	if errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("pcm: opening %s: %w: %w", s.name, ErrNoCard, err)
	}
	if err != nil {
		return nil, fmt.Errorf("pcm: opening %s: %w", s.name, explain(err))
	}
	s.file = file
	if err := s.setUp(end.rates()); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("pcm: setting up %s: %w", s.name, explain(err))
	}
	return s, nil
}

// holder says who has a device; sound/core/pcm.c shows it in /proc.
func holder(kernel asound.Kernel, end End, direction string) string {
	status, err := kernel.Read(fmt.Sprintf("/proc/asound/card%d/pcm%d%s/sub0/status", end.Card, end.Device, direction))
	if err == nil {
		for line := range strings.Lines(status) {
			key, value, _ := strings.Cut(line, ":")
			if strings.TrimSpace(key) == "owner_pid" {
				process := strings.TrimSpace(value)
				name, _ := kernel.Read("/proc/" + process + "/comm")
				return strings.TrimSpace("held by process " + process + " " + name)
			}
		}
	}
	return "another program holds it; a sound server, mostly: stop it"
}

func (s *stream) setUp(rates []int) error {
	space, err := newSpace(s.file)
	if err != nil {
		return err
	}
	if err := space.chooseSound(rates, max(1, s.chosen)); err != nil {
		return err
	}
	s.rate, s.channels = space.value(asound.Rate), space.value(asound.Channels)
	if err := space.chooseSizes(uint32(s.frames(periodTime)), uint32(s.frames(bufferTime))); err != nil {
		return err
	}
	s.period, s.buffer, s.frame = space.value(asound.PeriodSize), space.value(asound.BufferSize), s.frames(hal.FrameTime)
	if s.buffer < s.frames(bufferMin) {
		return fmt.Errorf("its buffer is at most %v, at least %v are needed", s.time(s.buffer), bufferMin)
	}
	s.samples = make([]int16, 2*s.frame*s.channels)
	return s.setSoftware()
}

// setSoftware says when the kernel wakes, starts and stops the stream.
func (s *stream) setSoftware() error {
	params := &asound.SWParams{
		PeriodStep:    1,
		TransferAlign: 1,
		// It wakes us with the end of each period in any case. With more than one frame here it would let one pass when the
		// position is a little behind then.
		AvailMin: 1,
		// It never starts by itself: we know when enough was written.
		StartThreshold: 1 << 30,
		// It stops when it has run dry or over: then we hear of it. With the boundary here it would not, but USB cards then
		// leave their low-latency mode (lowlatency_playback_available in sound/usb/pcm.c).
		StopThreshold: uintptr(s.buffer),
		// Until it is stopped, a period later at most, it plays silence and not the period from before.
		SilenceThreshold: uintptr(s.period),
		SilenceSize:      uintptr(s.period),
	}
	if err := s.file.Ioctl(asound.SetSW, params); err != nil {
		return fmt.Errorf("setting thresholds: %w", err)
	}
	return nil
}

func (s *stream) frames(d time.Duration) int {
	return int(d * time.Duration(s.rate) / time.Second)
}

func (s *stream) time(frames int) time.Duration {
	return time.Duration(frames) * time.Second / time.Duration(s.rate)
}

func (s *stream) do(request asound.Request) error { return s.file.Ioctl(request, asound.None{}) }

// move reads into, or writes from, interleaved samples, as many whole frames as go at once.
func (s *stream) move(request asound.Request, samples []int16) (frames int, err error) {
	s.transfer = asound.Transfer{Buffer: &samples[0], Frames: uintptr(len(samples) / s.channels)}
	err = s.file.Ioctl(request, &s.transfer)
	if err != nil {
		return 0, err
	}
	return min(max(0, s.transfer.Result), len(samples)/s.channels), nil
}

// delay is the time until what is written now is heard, or since what is read next was spoken.
func (s *stream) delay() (time.Duration, error) {
	if err := s.file.Ioctl(asound.GetDelay, &s.waiting); err != nil {
		return 0, err
	}
	return s.time(max(0, s.waiting.Frames)), nil
}

// prepare makes the stream ready to be started, whatever stopped it; nil is nothing. An error that cannot be mended comes
// back. PREPARE does it after an underrun and also after the machine has slept (snd_pcm_prepare in pcm_native.c): RESUME
// would go on with what waited in the buffer, which is old, and most drivers do not have it.
func (s *stream) prepare(stopped error) error {
	if stopped != nil && !errors.Is(stopped, unix.EPIPE) && !errors.Is(stopped, unix.ESTRPIPE) {
		return stopped
	}
	return s.do(asound.Prepare)
}

// lost gives an error its name. A card that goes answers EBADFD first (snd_pcm_common_ioctl in pcm_native.c), and ENODEV
// as soon as its files are shut (sound/core/init.c); we use no stream in a state that would be a reason for EBADFD too.
func (s *stream) lost(doing string, err error) error {
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EBADFD) {
		return fmt.Errorf("pcm: %s %s: %w (%w)", doing, s.name, ErrUnplugged, err)
	}
	return fmt.Errorf("pcm: %s %s: %w", doing, s.name, err)
}

// mono takes frames of s.samples apart: the chosen channel, or the sum of all, which saturates.
func (s *stream) mono(out []int16) {
	for i := range out {
		frame := s.samples[i*s.channels:][:s.channels]
		if s.chosen > 0 {
			out[i] = frame[s.chosen-1]
			continue
		}
		sum := 0
		for _, sample := range frame {
			sum += int(sample)
		}
		out[i] = int16(max(-1<<15, min(1<<15-1, sum)))
	}
}

// spread puts sound on the chosen channel of s.samples, or on all; it is the interleaved samples.
func (s *stream) spread(in []int16) []int16 {
	for i, sample := range in {
		frame := s.samples[i*s.channels:][:s.channels]
		for c := range frame {
			frame[c] = 0
			if s.chosen == 0 || s.chosen == c+1 {
				frame[c] = sample
			}
		}
	}
	return s.samples[:len(in)*s.channels]
}
