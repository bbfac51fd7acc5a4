// Package studio makes the sound of the exchange: voices of citizens and offices, melodies, and the lines that hear them,
// one frame of 20 ms after the other. It must not know calls, queues or SIP; RTP is somebody else's.
package studio

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
type Sound interface {
	Send(call sip.CallID, frame []int16)
	Receive(call sip.CallID, frame []int16) bool // false: nothing came, the frame is not filled
}

// A Source makes what one line hears. said has 160 samples to be filled, heard what the line says.
type Source interface{ Frame(heard, said []int16) }

// A Studio joins the sounds of all lines, once per frame:
//
//	line --Receive--> heard --> its source (citizen, office, Melody) --> said --Send--> line
//	                    +-----> the line it is bridged with
//
// Lines are opened and joined by the signalling side; the frames run on a goroutine of their own.
type Studio struct {
	sound Sound
	mu    sync.Mutex
	lines map[sip.CallID]*line
}

type line struct {
	call    sip.CallID
	source  Source
	bridge  *line
	music   Melody // while the bridged line holds this one
	hears   bool   // our direction sends: the phone takes sound
	speaks  bool   // our direction receives: what the phone says is passed on
	in, out [frameLength]int16
	kept    []int16 // the last of what the phone said
}

// New makes a studio without lines.
func New(sound Sound) *Studio {
	return &Studio{sound: sound, lines: map[sip.CallID]*line{}}
}

// Open begins a line without source.
func (s *Studio) Open(call sip.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines[call] == nil {
		s.lines[call] = &line{call: call}
	}
}

// Close ends a line; whoever was bridged with it hears silence.
func (s *Studio) Close(call sip.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbridge(call)
	delete(s.lines, call)
}

// Direct sets what the line's session lets through.
func (s *Studio) Direct(call sip.CallID, direction sip.Direction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[call]; l != nil {
		l.hears, l.speaks = direction.Sends(), direction.Receives()
	}
}

// Play gives a line what it hears from now on; nil is silence.
func (s *Studio) Play(call sip.CallID, from Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbridge(call)
	if l := s.lines[call]; l != nil {
		l.source = from
	}
}

// Join lets two lines hear each other.
func (s *Studio) Join(a, b sip.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbridge(a)
	s.unbridge(b)
	if x, y := s.lines[a], s.lines[b]; x != nil && y != nil {
		x.bridge, y.bridge, x.source, y.source = y, x, nil, nil
	}
}

func (s *Studio) unbridge(call sip.CallID) {
	if l := s.lines[call]; l != nil && l.bridge != nil {
		l.bridge.bridge, l.bridge = nil, nil
	}
}

// Heard is a copy of the last 3 s that the line said.
func (s *Studio) Heard(call sip.CallID) []int16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[call]; l != nil {
		return slices.Clone(l.kept)
	}
	return nil
}

// Run makes frames until the context ends. The times are absolute: a late frame does not delay those after it. After a
// standstill of more than five frames the schedule begins anew instead of sending a burst.
func (s *Studio) Run(ctx context.Context) {
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
func (s *Studio) tick() {
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
		case l.bridge != nil && l.bridge.hears:
			l.out = l.bridge.in
			l.music = Melody{}
		case l.bridge != nil: // has put this line on hold
			l.music.notes = holdMusic
			l.music.Frame(nil, l.out[:])
		case l.source != nil:
			l.source.Frame(l.in[:], l.out[:])
		default:
			clear(l.out[:])
		}
		s.sound.Send(l.call, l.out[:])
	}
}
