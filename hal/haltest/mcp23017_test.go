package haltest

import (
	"slices"
	"testing"
)

func mcp(t *testing.T) (m *MCP23017, levels *[]bool, get func(reg byte) byte, put func(bytes ...byte)) {
	t.Helper()
	levels = &[]bool{}
	m = NewMCP23017(nil, func(level bool) { *levels = append(*levels, level) })
	bus := &Bus{}
	bus.Attach(0x20, m)
	put = func(b ...byte) {
		if err := bus.Tx(0x20, b, nil); err != nil {
			t.Fatal(err)
		}
	}
	get = func(reg byte) byte {
		r := make([]byte, 1)
		if err := bus.Tx(0x20, []byte{reg}, r); err != nil {
			t.Fatal(err)
		}
		return r[0]
	}
	*levels = nil
	return m, levels, get, put
}

func TestTheExpanderWakesUpAllInputs(t *testing.T) {
	m, _, get, put := mcp(t)
	put(0x00, 0x0F, 0xF0)
	m.PowerOn()
	if a, b := get(0x00), get(0x01); a != 0xFF || b != 0xFF {
		t.Errorf("IODIR %#x %#x", a, b)
	}
}

func TestAColumnReadsItsRowThroughTheKey(t *testing.T) {
	m, _, get, put := mcp(t)
	put(0x0D, 0xFF) // GPPUB
	put(0x00, 0xFE) // row 0 driven low
	if b := get(0x13); b != 0xFF {
		t.Errorf("no key: %#x", b)
	}
	m.Press(0, 3)
	m.Press(1, 4)
	if b := get(0x13); b != 0xF7 {
		t.Errorf("key 0,3: %#x", b)
	}
	m.Press(1, 3) // the ghost: row 0 reaches column 4 through row 1
	if b := get(0x13); b != 0xE7 {
		t.Errorf("three corners: %#x", b)
	}
	put(0x03, 0xFF) // IPOLB
	if b := get(0x13); b != 0x18 {
		t.Errorf("inverted: %#x", b)
	}
	put(0x0D, 0x00)
	put(0x03, 0x00)
	if b := get(0x13); b != 0 {
		t.Errorf("without pull-ups: %#x", b)
	}
	if m.Shorts() != 0 {
		t.Error("a short")
	}
	put(0x14, 0x02)
	put(0x00, 0xFC) // row 0 low against row 1 high
	if m.Shorts() == 0 {
		t.Error("no short")
	}
}

func TestAnInterruptOfAChangeIsClearedByReading(t *testing.T) {
	m, levels, get, put := mcp(t)
	put(0x0D, 0xFF)
	put(0x00, 0x00)
	get(0x13)
	put(0x05, 0xFF) // GPINTENB
	m.Press(2, 5)
	m.Press(2, 6)
	if f, capture := get(0x0F), get(0x11); f != 0x20 || capture != 0xDF {
		t.Errorf("INTFB %#x, INTCAPB %#x", f, capture)
	}
	if !slices.Equal(*levels, []bool{false, true}) || get(0x13) != 0x9F {
		t.Errorf("INTB %v", *levels)
	}
	m.Release(2, 5)
	get(0x13)
	if !slices.Equal(*levels, []bool{false, true, false, true}) {
		t.Errorf("INTB %v", *levels)
	}
}

func TestAnInterruptAgainstDEFVALStaysWhileTheKeyIsDown(t *testing.T) {
	m, levels, get, put := mcp(t)
	put(0x0A, 0x44) // MIRROR, ODR
	put(0x0D, 0xFF)
	put(0x00, 0x00)
	put(0x07, 0xFF) // DEFVALB
	put(0x09, 0xFF) // INTCONB
	put(0x05, 0xFF)
	m.Press(2, 5)
	get(0x13)
	get(0x11)
	if !slices.Equal(*levels, []bool{false}) {
		t.Errorf("INTB %v", *levels)
	}
	m.Release(2, 5)
	if !slices.Equal(*levels, []bool{false}) {
		t.Errorf("INTB %v before reading", *levels)
	}
	if get(0x13); !slices.Equal(*levels, []bool{false, true}) {
		t.Errorf("INTB %v", *levels)
	}
	put(0x0A, 0x02) // INTPOL: idle is low
	if !slices.Equal(*levels, []bool{false, true, false}) {
		t.Errorf("INTB %v", *levels)
	}
}

func TestThePointerMovesAsBankAndSEQOPSay(t *testing.T) {
	m, _, get, put := mcp(t)
	put(0x14, 0x11, 0x22, 0x33) // OLATA, OLATB, and around to IODIRA
	if get(0x14) != 0x11 || get(0x15) != 0x22 || get(0x00) != 0x33 {
		t.Error("it does not wrap")
	}
	put(0x0A, 0x20) // SEQOP
	put(0x14, 0x01, 0x02, 0x03)
	if get(0x14) != 0x03 || get(0x15) != 0x02 {
		t.Error("it does not toggle")
	}
	put(0x0A, 0x80) // BANK
	put(0x0A, 0x55, 0x66)
	if get(0x0A) != 0x55 || get(0x00) != 0x66 || get(0x1F) != 0 {
		t.Error("with BANK it does not stay in its port")
	}
	put(0x0A, 0xA0) // OLATA now
	if get(0x0A) != 0xA0 {
		t.Error("OLATA")
	}
	put(0x05, 0x00) // IOCON of BANK 1
	if get(0x14) != 0xA0 {
		t.Error("back in BANK 0")
	}
	put(0x0E, 0xFF, 0xFF, 0xFF, 0xFF) // read-only
	put(0x12, 0x0F)                   // GPIOA writes OLATA
	if get(0x0E) != 0 || get(0x10) != 0 || get(0x14) != 0x0F {
		t.Error("INTF and INTCAP can be written, or GPIO cannot")
	}
	m.Write(nil)
}
