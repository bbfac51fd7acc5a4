//go:build linux

package pcmtest

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// state is one of enum snd_pcm_state.
type state string

const (
	stateOpen      state = "OPEN"
	stateSetup     state = "SETUP"
	statePrepared  state = "PREPARED"
	stateRunning   state = "RUNNING"
	stateXrun      state = "XRUN"
	stateSuspended state = "SUSPENDED"
)

// A Stream is one direction of a card. A test sets the fields before the card is plugged in.
type Stream struct {
	Rates    []int  // Hz
	Channels [2]int // fewest and most
	Formats  []int  // bits of the mask; empty is S16_LE alone
	Period   [2]int // shortest and longest in frames; 0 is 16 and 8192
	Buffer   [2]int // the same; 0 is 32 and 65536
	PPM      float64
	// Step is how far the position moves at once; 0 is a millisecond, as on USB. A card that knows it only at the end of a
	// period has 10 ms.
	Step time.Duration
	// Latency is what the hardware has taken and not yet played, or not yet given; DELAY counts it.
	Latency time.Duration
	// Sound is what the microphone hears, into samples, or what the speaker plays, out of them: interleaved frames, in
	// order. It is called with the machine locked. Nil is silence.
	Sound func(samples []int16, channels, rateHz int)
	// Holder is the name of another program that has it.
	Holder string
	// OpenEnds: intervals that are not chosen yet have open ends, as the kernel's have that come from a division.
	OpenEnds bool

	machine  *Machine
	playback bool
	file     *streamFile
	state    state
	notify   chan struct{} // closed when the state changes from outside

	rate, channels, period, buffer int
	software                       asound.SWParams
	queue                          []int16   // waits to be played, or to be read
	started                        time.Time // when the position was 0
	position                       int       // frames since then
	hung                           bool
	starts                         int
}

// State is the kernel's name of the state it is in: "RUNNING".
func (s *Stream) State() string {
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	s.advance()
	return string(s.state)
}

// Queued is how many frames wait to be played or to be read, Starts how often it was started.
func (s *Stream) Queued() int {
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	s.advance()
	return s.waiting()
}

// Starts is how often it was started.
func (s *Stream) Starts() int {
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	return s.starts
}

// Xrun makes it run dry or over now.
func (s *Stream) Xrun() { s.stop(stateXrun) }

// Suspend is the machine's sleep.
func (s *Stream) Suspend() { s.stop(stateSuspended) }

func (s *Stream) stop(to state) {
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	s.advance()
	if s.state == stateRunning {
		s.state = to
		s.changed()
	}
}

// Hang makes its position stand still without a word, or go on.
func (s *Stream) Hang(hung bool) {
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	s.advance()
	s.hung = hung
	s.started = time.Now().Add(-s.after(s.position))
	s.changed()
}

// changed wakes whoever polls.
func (s *Stream) changed() {
	if s.notify != nil {
		close(s.notify)
		s.notify = nil
	}
}

// status is a part of what /proc shows.
func (s *Stream) status() string {
	switch {
	case s.Holder != "":
		return "state: RUNNING\nowner_pid   : 4711\ntrigger_time: 12.3\n"
	case s.file != nil:
		return fmt.Sprintf("state: %s\nowner_pid   : 1\n", s.state)
	}
	return "closed\n"
}

// hz is the true rate of its crystal.
func (s *Stream) hz() float64 { return float64(s.rate) * (1 + s.PPM/1e6) }

// rounding forgives what a float64 gets wrong, in ns and in frames.
const rounding = 1e-4

// after is the time from the start until the position is there.
func (s *Stream) after(frames int) time.Duration {
	return time.Duration(math.Ceil(float64(frames)/s.hz()*1e9 - rounding))
}

func (s *Stream) step() time.Duration { return cmp.Or(s.Step, time.Millisecond) }

// waiting is the frames in the queue.
func (s *Stream) waiting() int { return len(s.queue) / max(1, s.channels) }

// available is what snd_pcm_avail says: room to write, or frames to read.
func (s *Stream) available() int {
	if s.playback {
		return s.buffer - s.waiting()
	}
	return s.waiting()
}

// advance moves the position to now: snd_pcm_update_hw_ptr.
func (s *Stream) advance() {
	if s.state != stateRunning || s.hung {
		return
	}
	elapsed := time.Since(s.started).Truncate(s.step())
	now := int(elapsed.Seconds()*s.hz() + rounding)
	moved := max(0, now-s.position)
	s.position += moved
	n := min(moved, s.waiting())
	if !s.playback {
		n = min(moved, s.buffer-s.waiting())
	}
	var samples []int16
	if s.playback {
		samples = s.queue[:n*s.channels]
		s.queue = s.queue[n*s.channels:]
	} else {
		s.queue = append(s.queue, make([]int16, n*s.channels)...)
		samples = s.queue[len(s.queue)-n*s.channels:]
	}
	if s.Sound != nil && n > 0 {
		s.Sound(samples, s.channels, s.rate)
	}
	if s.available() >= int(s.software.StopThreshold) {
		s.state = stateXrun
	}
}

// streamFile is the open device.
type streamFile struct {
	stream *Stream
	name   string
	gone   bool
	closed bool
	wake   chan struct{}
}

// Ioctl implements asound.File.
func (f *streamFile) Ioctl(request asound.Request, argument asound.Argument) error {
	s := f.stream
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	if f.closed {
		return unix.EBADF
	}
	if err := s.machine.failing(f.gone, f.name, request); err != nil {
		switch {
		case s.state == stateRunning && err == unix.EPIPE:
			s.state = stateXrun
		case s.state == stateRunning && err == unix.ESTRPIPE:
			s.state = stateSuspended
		}
		return err
	}
	s.advance()
	switch request {
	case asound.HWRefine:
		return s.refine(argument.(*asound.HWParams))
	case asound.SetHW:
		return s.setHardware(argument.(*asound.HWParams))
	case asound.SetSW:
		return s.setSoftware(argument.(*asound.SWParams))
	case asound.GetDelay:
		return s.delay(argument.(*asound.Delay))
	case asound.Prepare:
		return s.prepare()
	case asound.Start:
		return s.start()
	case asound.Drop:
		if s.state == stateOpen {
			return unix.EBADFD
		}
		s.state, s.queue = stateSetup, nil
		return nil
	case asound.WriteI, asound.ReadI:
		return s.transfer(argument.(*asound.Transfer), request == asound.WriteI)
	}
	return unix.ENOTTY
}

// Poll implements asound.File: snd_pcm_poll, woken by snd_pcm_period_elapsed.
func (f *streamFile) Poll(timeout time.Duration) (asound.Readiness, error) {
	expired := time.NewTimer(timeout)
	defer expired.Stop()
	for {
		ready, next, notify := f.poll()
		if ready != asound.Expired {
			return ready, nil
		}
		elapsed := time.NewTimer(next)
		select {
		case <-f.wake:
		case <-notify:
		case <-elapsed.C:
		case <-expired.C:
			elapsed.Stop()
			return asound.Expired, nil
		}
		elapsed.Stop()
	}
}

// poll is what Poll sees now, or else when to look again.
func (f *streamFile) poll() (asound.Readiness, time.Duration, <-chan struct{}) {
	s := f.stream
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	select {
	case <-f.wake:
		return asound.Woken, 0, nil
	default:
	}
	// It looks at the position of the last call or of the last period's end: the kernel does not ask the hardware here.
	if s.state == stateRunning && !s.hung && time.Since(s.started) >= s.boundaryTime() {
		s.advance()
	}
	if f.gone || s.state != statePrepared && s.state != stateRunning || s.available() >= int(s.software.AvailMin) {
		return asound.Ready, 0, nil
	}
	if s.notify == nil {
		s.notify = make(chan struct{})
	}
	if s.state == statePrepared || s.hung {
		return asound.Expired, time.Hour, s.notify
	}
	return asound.Expired, max(time.Microsecond, time.Until(s.started.Add(s.boundaryTime()))), s.notify
}

// boundaryTime is when the next period ends, as the position shows it, from the start.
func (s *Stream) boundaryTime() time.Duration {
	next := s.after((s.position/s.period + 1) * s.period)
	return (next + s.step() - 1) / s.step() * s.step()
}

// Wake implements asound.File.
func (f *streamFile) Wake() {
	f.stream.machine.mu.Lock()
	defer f.stream.machine.mu.Unlock()
	select {
	case <-f.wake:
	default:
		close(f.wake)
	}
}

// Close implements asound.File.
func (f *streamFile) Close() error {
	s := f.stream
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	if f.closed {
		return unix.EBADF
	}
	f.closed = true
	if s.file == f {
		s.advance()
		s.file, s.state, s.queue = nil, stateOpen, nil
	}
	return nil
}
