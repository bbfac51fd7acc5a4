package studio

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
)

// speakers stand in for RTP: every line says a constant, and what it hears is kept.
type speakers struct {
	says  map[sip.CallID]int16
	heard map[sip.CallID][]int16 // first sample of every frame
}

func (s *speakers) Send(call sip.CallID, frame []int16) {
	s.heard[call] = append(s.heard[call], frame[80])
}

func (s *speakers) Receive(call sip.CallID, frame []int16) bool {
	for i := range frame {
		frame[i] = s.says[call]
	}
	return s.says[call] != 0
}

func newStudio() (*Studio, *speakers) {
	sound := &speakers{says: map[sip.CallID]int16{1: 100, 2: 200}, heard: map[sip.CallID][]int16{}}
	s := New(sound)
	for call := range sound.says {
		s.Open(call)
		s.Direct(call, sip.SendRecv)
	}
	return s, sound
}

// wantHeard lets frames pass and compares what a line heard of the last one.
func wantHeard(t *testing.T, s *Studio, sound *speakers, what string, one, two int16) {
	t.Helper()
	clear(sound.heard)
	s.tick()
	for call, want := range map[sip.CallID]int16{1: one, 2: two} {
		got := int16(-1) // nothing was sent
		if n := len(sound.heard[call]); n > 0 {
			got = sound.heard[call][n-1]
		}
		if got != want {
			t.Errorf("%s: line %d hears %d, want %d", what, call, got, want)
		}
	}
}

func TestLinesHearWhatTheyAreJoinedWith(t *testing.T) {
	s, sound := newStudio()
	wantHeard(t, s, sound, "nothing", 0, 0)
	s.Play(1, NewLoop([]int16{7}))
	wantHeard(t, s, sound, "a loop", 7, 0)
	s.Play(1, Echo{})
	wantHeard(t, s, sound, "an echo", 100, 0)
	s.Join(1, 2)
	wantHeard(t, s, sound, "joined", 200, 100)
	s.Direct(1, sip.SendOnly) // our side sends only: the phone listens
	wantHeard(t, s, sound, "one does not speak", 200, 0)
	s.Direct(1, sip.SendRecv)
	s.Play(2, nil)
	wantHeard(t, s, sound, "parted", 0, 0)
	s.Join(1, 2)
	s.Close(2)
	wantHeard(t, s, sound, "the other is gone", 0, -1)
}

func TestAHeldLineHearsNothingAndTheOtherMusic(t *testing.T) {
	s, sound := newStudio()
	s.Join(1, 2)
	for _, direction := range []sip.Direction{sip.RecvOnly, sip.Inactive} {
		s.Direct(1, direction)
		clear(sound.heard)
		for range 100 {
			s.tick()
		}
		if len(sound.heard[1]) > 0 {
			t.Errorf("%v: frames are sent to the phone that holds", direction)
		}
		if slices.Max(sound.heard[2]) < 1000 {
			t.Errorf("%v: no music", direction)
		}
	}
	s.Direct(1, sip.SendRecv)
	wantHeard(t, s, sound, "resumed", 200, 100)
}

func TestALineKeepsTheLastSecondsItSaid(t *testing.T) {
	s, sound := newStudio()
	for range 400 {
		s.tick()
	}
	sound.says[1] = 101
	s.tick()
	kept := s.Heard(1)
	if len(kept) < heardLength || len(kept) > 2*heardLength || kept[0] != 100 || kept[len(kept)-1] != 101 {
		t.Errorf("%d samples from %d to %d", len(kept), kept[0], kept[len(kept)-1])
	}
	if s.Heard(3) != nil {
		t.Error("a line that is not there was heard")
	}
}

// slow takes a while for one frame.
type slow struct {
	speakers
	frames int
	times  []time.Time
}

func (s *slow) Send(sip.CallID, []int16) {
	s.times = append(s.times, time.Now())
	if s.frames++; s.frames == 10 {
		time.Sleep(50 * time.Millisecond) // a little late
	}
	if s.frames == 20 {
		time.Sleep(time.Second) // a standstill
	}
}

func TestALateFrameDoesNotDelayTheOthersAndAStandstillMakesNoBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sound := &slow{}
		s := New(sound)
		s.Open(1)
		s.Direct(1, sip.SendRecv)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		s.Run(ctx)
		since := func(frame int) time.Duration { return sound.times[frame-1].Sub(start) }
		if since(1) != 20*time.Millisecond || since(10) != 200*time.Millisecond {
			t.Errorf("frames 1 and 10 after %v and %v", since(1), since(10))
		}
		if since(11) != 250*time.Millisecond || since(13) != 260*time.Millisecond {
			t.Errorf("frames 11 and 13 after %v and %v: not caught up", since(11), since(13))
		}
		// The standstill ends at 1.4 s: one frame at once, then one every 20 ms.
		if since(21) != 1400*time.Millisecond || since(23)-since(21) != 40*time.Millisecond {
			t.Errorf("frames 21 and 23 after %v and %v", since(21), since(23))
		}
	})
}
