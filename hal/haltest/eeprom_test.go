package haltest

import (
	"bytes"
	"testing"
)

func TestAnEEPROMWrapsWithinItsPageAndIsDeafAfterwards(t *testing.T) {
	e := NewEEPROM24(256, 8, false, 2)
	if !e.Write([]byte{0x06, 1, 2, 3, 4}) {
		t.Fatal("not acknowledged")
	}
	for i, want := range []bool{false, false, true} {
		if got := e.Write([]byte{0}); got != want {
			t.Errorf("message %d after a write: acknowledged %v", i, got)
		}
	}
	var r [9]byte
	e.Read(r[:])
	if !bytes.Equal(r[:], []byte{3, 4, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 0xFF}) {
		t.Errorf("it holds % x", r)
	}
	e.Write([]byte{0xFF})
	e.Read(r[:2])
	if r[1] != 3 {
		t.Errorf("reads do not go on at the begin: % x", r[:2])
	}
	wide := NewEEPROM24(4096, 32, true, 0)
	wide.Write([]byte{0x01, 0x20, 7})
	if wide.Bytes()[0x120] != 7 {
		t.Error("a wide chip does not take two address bytes")
	}
}

func TestAPowerCutKeepsWhatWasProgrammed(t *testing.T) {
	e := NewEEPROM24(256, 8, false, 0)
	e.CutAfter(2)
	if !e.Write([]byte{0, 1, 2, 3}) || e.Write([]byte{0}) {
		t.Error("the power does not go while the page is programmed")
	}
	e.Power()
	if !e.Write([]byte{0}) || !bytes.Equal(e.Bytes()[:3], []byte{1, 2, 0xFF}) {
		t.Errorf("it holds % x", e.Bytes()[:3])
	}
	e.CutAfter(0)
	if e.Write([]byte{0}) {
		t.Error("a chip without power answers")
	}
}
