package exchange

import (
	"context"
	"slices"
	"sync"
	"time"

	"freizeichen/sip"
)

// frameTime is the length of a frame.
const frameTime = 20 * time.Millisecond

// heardLength is what the exchange keeps of what a phone said: 3 s.
const heardLength = 3 * rateHz

// A Sound carries the frames of calls over RTP; *media.Sessions of sip/media has these methods. A frame has 160 samples.
type sound interface {
	Send(call sip.CallID, frame []int16)
	Receive(call sip.CallID, frame []int16) bool // false: nothing came, the frame is not filled
}

// A source makes what one line hears. said has 160 samples to be filled, heard what the line says.
type source interface{ frame(heard, said []int16) }

// A studio joins the sounds of all lines, once per frame:
//
//	line --Receive--> heard --> its source (citizen, office, melody) --> said --Send--> line
//	                    +-----> the line it is bridged with
//
// Lines are opened and joined by the signalling side; the frames run on a goroutine of their own.
type studio struct {
	sound sound
	mu    sync.Mutex
	lines map[sip.CallID]*line
}

type line struct {
	call    sip.CallID
	source  source
	bridge  *line
	hears   bool // our direction sends: the phone takes sound
	speaks  bool // our direction receives: what the phone says is passed on
	in, out [frameLength]int16
	kept    []int16 // the last of what the phone said
}

func newStudio(sound sound) *studio {
	return &studio{sound: sound, lines: map[sip.CallID]*line{}}
}

// open begins a line without source.
func (s *studio) open(call sip.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines[call] == nil {
		s.lines[call] = &line{call: call}
	}
}

// close ends a line; whoever was bridged with it hears silence.
func (s *studio) close(call sip.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbridge(call)
	delete(s.lines, call)
}

// direct sets what the line's session lets through.
func (s *studio) direct(call sip.CallID, direction sip.Direction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[call]; l != nil {
		l.hears, l.speaks = direction.Sends(), direction.Receives()
	}
}

// play gives a line what it hears from now on; nil is silence.
func (s *studio) play(call sip.CallID, from source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbridge(call)
	if l := s.lines[call]; l != nil {
		l.source = from
	}
}

// join lets two lines hear each other.
func (s *studio) join(a, b sip.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbridge(a)
	s.unbridge(b)
	if x, y := s.lines[a], s.lines[b]; x != nil && y != nil {
		x.bridge, y.bridge, x.source, y.source = y, x, nil, nil
	}
}

func (s *studio) unbridge(call sip.CallID) {
	if l := s.lines[call]; l != nil && l.bridge != nil {
		l.bridge.bridge, l.bridge = nil, nil
	}
}

// heard is a copy of the last 3 s that the line said.
func (s *studio) heard(call sip.CallID) []int16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[call]; l != nil {
		return slices.Clone(l.kept)
	}
	return nil
}

// run makes frames until the context ends. The times are absolute: a late frame does not delay those after it. After a
// standstill of more than five frames the schedule begins anew instead of sending a burst.
func (s *studio) run(ctx context.Context) {
	timer := time.NewTimer(frameTime)
	defer timer.Stop()
	for next := time.Now().Add(frameTime); ; next = next.Add(frameTime) {
		late := time.Since(next)
		if late > 5*frameTime {
			next = time.Now()
		}
		timer.Reset(max(0, -late))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		s.tick()
	}
}

// tick makes one frame for every line.
func (s *studio) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		if !s.sound.Receive(l.call, l.in[:]) || !l.speaks {
			clear(l.in[:])
		}
		l.kept = append(l.kept, l.in[:]...)
		if excess := len(l.kept) - 2*heardLength; excess >= 0 { // seldom enough that the copy does not matter
			l.kept = append(l.kept[:0], l.kept[len(l.kept)-heardLength:]...)
		}
	}
	for _, l := range s.lines {
		if !l.hears {
			continue
		}
		switch {
		case l.bridge != nil && l.bridge.speaks:
			l.out = l.bridge.in
		case l.source != nil:
			l.source.frame(l.in[:], l.out[:])
		default:
			clear(l.out[:])
		}
		s.sound.Send(l.call, l.out[:])
	}
}

// hold lets a bridged line hear music while the other one is on hold, and ends it.
func (s *studio) hold(call sip.CallID, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[call]
	if l == nil || l.bridge == nil {
		return
	}
	l.bridge.source = nil
	if held {
		l.bridge.source = &melody{notes: holdMusic}
	}
}

// An echo says what it hears.
type echo struct{}

func (echo) frame(heard, said []int16) { copy(said, heard) }

// A loop repeats samples.
type loop struct {
	samples []int16
	at      int
}

func (l *loop) frame(_, said []int16) {
	for i := range said {
		said[i] = l.samples[l.at]
		l.at = (l.at + 1) % len(l.samples)
	}
}
