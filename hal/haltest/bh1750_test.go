package haltest

import (
	"bytes"
	"testing"
)

func TestABH1750MeasuresWhenItIsTold(t *testing.T) {
	b := NewBH1750()
	b.Shine(0x8390)
	want := func(counts uint16) {
		t.Helper()
		var r [2]byte
		b.Read(r[:])
		if got := uint16(r[0])<<8 | uint16(r[1]); got != counts {
			t.Errorf("reads %#04x, want %#04x", got, counts)
		}
	}
	want(0)
	b.Write([]byte{0x20})
	want(0x8390)
	b.Shine(5)
	want(0x8390) // once
	b.Write([]byte{0x10})
	b.Shine(6)
	want(6) // again and again
	b.Write([]byte{0x07})
	want(0)
	b.Write([]byte{0x00})
	b.Shine(7)
	want(0)
	if b.Write([]byte{0x01, 0x10}) {
		t.Error("two codes without a stop are taken")
	}
	if !bytes.Equal(b.Codes(), []byte{0x20, 0x10, 0x07, 0x00, 0x01}) {
		t.Errorf("codes % x", b.Codes())
	}
}
