package haltest

import "testing"

func TestAnLM75HasFourRegisters(t *testing.T) {
	l := NewLM75()
	l.Measure(0x1920)
	for pointer, want := range map[byte][2]byte{0: {0x19, 0x20}, 1: {0, 0}, 2: {0x4B, 0x00}, 3: {0x50, 0x00}} { // 75 C, 80 C
		var r [2]byte
		l.Write([]byte{pointer})
		l.Read(r[:])
		if r != want {
			t.Errorf("register %d reads % x, want % x", pointer, r, want)
		}
	}
	var r [2]byte
	l.Write([]byte{3, 0x30, 0xFF})
	l.Read(r[:])
	if r != [2]byte{0x30, 0x80} {
		t.Errorf("a limit of 9 bits reads % x", r)
	}
}
