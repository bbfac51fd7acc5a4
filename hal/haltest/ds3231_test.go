package haltest

import (
	"testing"
	"time"
)

func TestADS3231TicksAndRemembersThatItStood(t *testing.T) {
	now := time.Unix(1e9, 0)
	d := NewDS3231(func() time.Time { return now })
	read := func(first byte, n int) []byte {
		r := make([]byte, n)
		d.Write([]byte{first})
		d.Read(r)
		return r
	}
	want := func(clock string) {
		t.Helper()
		if got := string(read(0, 7)); got != clock {
			t.Errorf("registers % x, want % x", got, clock)
		}
	}
	want("\x00\x00\x00\x07\x01\x01\x00") // Saturday
	if d.Status()&0x80 == 0 {
		t.Error("a new clock says that it never stood")
	}
	d.Write([]byte{0x00, 0x59, 0x59, 0x23, 0x03, 0x31, 0x12, 0x99})
	d.Write([]byte{0x0F, 0x00})
	if d.Status() != 0 {
		t.Errorf("status %#02x", d.Status())
	}
	d.Write([]byte{0x0F, 0xFF})
	if d.Status()&0x83 != 0 {
		t.Error("flags that can only be cleared were set")
	}
	now = now.Add(time.Second)
	want("\x00\x00\x00\x06\x01\x81\x00") // the century bit toggles
	d.Write([]byte{0x00, 0x00, 0x00, 0x72, 0x01, 0x01, 0x01, 0x26})
	want("\x00\x00\x12\x05\x01\x01\x26")
	d.Stop()
	now = now.Add(time.Hour)
	want("\x00\x00\x12\x05\x01\x01\x26")
	if got := read(0x11, 3); got[0] != 0x19 || got[1] != 0x40 || got[2] != 0x00 {
		t.Errorf("temperature and what follows: % x", got)
	}
	d.LoseBattery()
	if d.Status()&0x80 == 0 {
		t.Error("the flag is not set")
	}
}
