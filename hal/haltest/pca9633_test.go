package haltest

import (
	"testing"
	"time"
)

// Table 6 of the data sheet: where each kind of auto-increment goes on.
func TestThePCA9633IncrementsWithinItsGroup(t *testing.T) {
	for control, want := range map[byte][]int{
		0x80 | 11: {11, 12, 0, 1},
		0xA0 | 4:  {4, 5, 2, 3},
		0xC0 | 6:  {6, 7, 6, 7},
		0xE0 | 6:  {6, 7, 2, 3},
		0x02:      {2, 2, 2, 2}, // none,
	} {
		p := NewPCA9633()
		if !p.Write([]byte{control, 0x11, 0x12, 0x13, 0x14}) {
			t.Fatalf("control %#02x is not acknowledged", control)
		}
		holds := map[int]byte{}
		for i, n := range want {
			holds[n] = byte(0x11 + i)
		}
		for n, value := range holds {
			if got := p.Register(n); got != value {
				t.Errorf("control %#02x: register %d holds %#02x, want %#02x", control, n, got, value)
			}
		}
	}
	p := NewPCA9633()
	if p.Write([]byte{0x8D, 1}) || p.Write([]byte{0x90, 1}) {
		t.Error("a register that does not exist, or the bit that must be zero, is acknowledged")
	}
	var r [2]byte
	p.Write([]byte{0x80})
	p.Read(r[:])
	if r != [2]byte{0x91, 0x05} {
		t.Errorf("after power-on MODE1, MODE2 read % x", r)
	}
}

func TestThePCA9633LightsItsOutputs(t *testing.T) {
	now := time.Unix(1000, 0)
	p := NewPCA9633()
	p.Write([]byte{0x82, 10, 20, 30, 40, 64, 23, 0xE4}) // off, on, PWM, group; 1 s, a quarter of it
	want := func(when time.Duration, channel int, on bool, brightness uint8) {
		t.Helper()
		if gotOn, got := p.Lit(channel, now.Add(when)); gotOn != on || on && got != brightness {
			t.Errorf("channel %d after %v: %v %d, want %v %d", channel, when, gotOn, got, on, brightness)
		}
	}
	want(0, 1, true, 255)
	want(0, 2, false, 0) // it sleeps
	want(0, 3, false, 0)
	p.Write([]byte{0x80, 0x00, 0x25})
	want(0, 0, false, 0)
	want(0, 1, true, 255)
	want(0, 2, true, 30)
	want(0, 3, true, 40)
	want(249*time.Millisecond, 3, true, 40)
	want(250*time.Millisecond, 3, false, 0)
	want(999*time.Millisecond, 3, false, 0)
	want(1001*time.Millisecond, 3, true, 40)
	p.Write([]byte{0x81, 0x05}) // group dimming
	want(500*time.Millisecond, 3, true, 10)
}
