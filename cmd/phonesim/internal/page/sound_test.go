package page

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"freizeichen/hal"
	"freizeichen/hal/sim"
)

// level is a frame of one value.
func level(value int16) hal.Frame {
	frame := make(hal.Frame, hal.FrameSamples)
	for i := range frame {
		frame[i] = value
	}
	return frame
}

func TestOnePageHasTheSoundAndAnotherCanTakeIt(t *testing.T) {
	d := newDesk(t)
	one, two := d.open(), d.open()
	one.send(`{"sound":"take"}`)
	one.until("the sound here", func() bool { return one.state.Sound == "here" })
	two.until("the sound elsewhere", func() bool { return two.state.Sound == "elsewhere" })
	d.sound.Write(level(-2))
	one.until("a frame", func() bool { return one.frame != nil })
	if len(one.frame) != 2*hal.FrameSamples || one.frame[0] != 0xfe || one.frame[1] != 0xff {
		t.Errorf("a frame of -2 arrives as %d bytes % x ...", len(one.frame), one.frame[:2])
	}

	two.send(`{"sound":"take"}`)
	two.until("the sound here", func() bool { return two.state.Sound == "here" })
	one.until("the sound elsewhere", func() bool { return one.state.Sound == "elsewhere" })
	one.send(`{"sound":"release"}`) // it has it no more
	one.send(`{"hook":"up"}`)       // after it, the wish has been dealt with
	d.wantMoved(hal.HookChange{Up: true})
	d.sound.Write(level(3))
	two.until("a frame", func() bool { return two.frame != nil })

	two.conn.Close(websocket.StatusGoingAway, "")
	one.until("free sound", func() bool { return one.state.Sound == "free" })
	one.send(`{"sound":"take"}`)
	one.until("the sound here", func() bool { return one.state.Sound == "here" })
	one.send(`{"sound":"release"}`)
	one.until("free sound", func() bool { return one.state.Sound == "free" })
}

func TestOnlyTheMicrophoneOfThePageWithTheSoundIsHeard(t *testing.T) {
	heard := make(chan hal.Frame, 10)
	d := newDesk(t, func(d *desk, c *Config) { c.Sound = tap{d.sound, heard} })
	owner, other := d.open(), d.open()
	owner.send(`{"sound":"take"}`)
	other.until("the sound elsewhere", func() bool { return other.state.Sound == "elsewhere" })
	other.sendBinary(soundMessage(level(1)))
	other.send(`{"hook":"up"}`) // after it, the frame has been dealt with
	d.wantMoved(hal.HookChange{Up: true})
	owner.sendBinary(soundMessage(level(-300)))
	select {
	case frame := <-heard:
		if len(frame) != hal.FrameSamples || frame[0] != -300 || frame[159] != -300 {
			t.Errorf("heard %d samples of %d", len(frame), frame[0])
		}
	case <-time.After(patience):
		t.Fatal("the owner is not heard")
	}
	if len(heard) != 0 {
		t.Error("a page without the sound is heard")
	}
}

// tap is a sound device that lets the test hear the microphone.
type tap struct {
	*sim.Browser
	heard chan hal.Frame
}

func (t tap) Push(frame hal.Frame) { t.heard <- frame }

func TestAPageThatIsLateHearsTheNewestFrames(t *testing.T) {
	s := &session{play: make(chan hal.Frame, heardMax)}
	frame := make(hal.Frame, hal.FrameSamples)
	for i := range 3 * heardMax {
		frame[0] = int16(i)
		s.hear(frame) // the same slice each time: it must not be kept
	}
	for i := 2 * heardMax; i < 3*heardMax; i++ {
		if got := <-s.play; got[0] != int16(i) {
			t.Fatalf("frame %d comes, want %d", got[0], i)
		}
	}
}
