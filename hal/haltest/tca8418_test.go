package haltest

import (
	"bytes"
	"slices"
	"sync"
	"testing"
)

// A tca is a chip on a bus, with its keypad configured and interrupts on.
func tca(t *testing.T, cfg byte) (c *TCA8418, levels *[]bool, get func(reg byte, n int) []byte, put func(bytes ...byte)) {
	t.Helper()
	levels = &[]bool{}
	c = NewTCA8418(func(level bool) { *levels = append(*levels, level) })
	bus := &Bus{}
	bus.Attach(0x34, c)
	put = func(b ...byte) {
		if err := bus.Tx(0x34, b, nil); err != nil {
			t.Fatal(err)
		}
	}
	get = func(reg byte, n int) []byte {
		r := make([]byte, n)
		if err := bus.Tx(0x34, []byte{reg}, r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	put(0x01, 0x80|cfg)
	put(0x1D, 0xFF, 0xFF, 0x03)
	return c, levels, get, put
}

func TestTheFIFOReadsAsTheDatasheetsExample(t *testing.T) {
	c, levels, get, put := tca(t, 0x01)
	press := func(n int) { c.Press((n-1)/10, (n-1)%10) }
	release := func(n int) { c.Release((n-1)/10, (n-1)%10) }
	// SCPS215G section 8.3.1.3.
	press(1)
	press(32)
	release(1)
	release(32)
	press(23)
	release(23)
	press(45)
	press(41)
	release(41)
	release(45)
	if ec := get(0x03, 1)[0]; ec != 10 {
		t.Fatalf("KEY_LCK_EC %#x", ec)
	}
	var got []byte
	for n := range 10 {
		got = append(got, get(0x04, 1)[0])
		if ec := get(0x03, 1)[0]; int(ec) != 9-n {
			t.Errorf("event %d: KEY_LCK_EC %#x", n, ec)
		}
	}
	if want := []byte{0x81, 0xA0, 0x01, 0x20, 0x97, 0x17, 0xAD, 0xA9, 0x29, 0x2D}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
	if stat := get(0x02, 1)[0]; stat != 0x01 || get(0x04, 1)[0] != 0 {
		t.Errorf("INT_STAT %#x", stat)
	}
	put(0x02, 0x01)
	if !slices.Equal(*levels, []bool{false, true}) || get(0x02, 1)[0] != 0 {
		t.Errorf("INT %v", *levels)
	}
}

func TestAnInterruptIsNotClearedBeforeTheFIFOIsEmpty(t *testing.T) {
	for cfg, want := range map[byte][]bool{0x01: {false}, 0x11: {false, true, false}, 0x00: {}} {
		c, levels, get, put := tca(t, cfg)
		c.Press(0, 0)
		put(0x02, 0x1F)
		if !slices.Equal(*levels, want) || get(0x02, 1)[0] != 0x01 {
			t.Errorf("CFG %#x: INT %v, INT_STAT %#x", cfg, *levels, get(0x02, 1)[0])
		}
	}
}

func TestTheEleventhEventOverflows(t *testing.T) {
	for _, c := range []struct {
		cfg         byte
		first, last byte
		stat        byte
	}{
		{0x01, 0x81, 0x05, 0x01},
		{0x09, 0x81, 0x05, 0x01}, // errata, section 8.6.4.1: one bit does nothing
		{0x21, 0x01, 0x86, 0x01},
		{0x29, 0x01, 0x86, 0x09},
	} {
		chip, _, get, _ := tca(t, c.cfg)
		for col := range 5 {
			chip.Press(0, col)
			chip.Release(0, col)
		}
		chip.Press(0, 5)
		stat, fifo := get(0x02, 1)[0], []byte(nil)
		for range 10 {
			fifo = append(fifo, get(0x04, 1)[0])
		}
		if stat != c.stat || fifo[0] != c.first || fifo[9] != c.last {
			t.Errorf("CFG %#x: INT_STAT %#x, FIFO % x", c.cfg, stat, fifo)
		}
	}
}

func TestThreeCornersCloseTheFourth(t *testing.T) {
	c, _, get, _ := tca(t, 0x01)
	c.Press(2, 0)
	c.Press(1, 0)
	c.Press(2, 3)
	if got := get(0x03, 1)[0]; got != 4 {
		t.Fatalf("%d events", got)
	}
	c.Release(2, 3)
	var events []byte
	for range 6 {
		events = append(events, get(0x04, 1)[0])
	}
	if want := []byte{0x80 | 21, 0x80 | 11, 0x80 | 14, 0x80 | 24, 14, 24}; !bytes.Equal(events, want) {
		t.Errorf("% x, want % x", events, want)
	}
}

func TestOnlyTheKeypadsPinsAreScanned(t *testing.T) {
	c, levels, get, put := tca(t, 0x01)
	put(0x1D, 0x01, 0x01, 0x00)
	c.Press(1, 0)
	c.Press(0, 1)
	c.Press(0, 9)
	c.Press(-1, 99)
	if len(*levels) != 0 {
		t.Errorf("INT %v", *levels)
	}
	c.Press(0, 0)
	if got := get(0x04, 1)[0]; got != 0x81 {
		t.Errorf("event %#x", got)
	}
	c.PowerOn()
	if got := get(0x1D, 1)[0]; got != 0 || !slices.Equal(*levels, []bool{false, true}) {
		t.Errorf("after power-on KP_GPIO1 %#x, INT %v", got, *levels)
	}
	put(0x01, 0x01)
	put(0x1E, 0x01)
	put(0x1D, 0x01) // the key that is still down shows at once
	if got := get(0x04, 1)[0]; got != 0x81 {
		t.Errorf("event %#x", got)
	}
	put(0x03, 0x40)
	c.Release(0, 0)
	if got := get(0x03, 1)[0]; got != 0x70 {
		t.Errorf("locked: KEY_LCK_EC %#x", got)
	}
}

func TestTheModelsMayBeUsedFromSeveralGoroutines(t *testing.T) {
	var mu sync.Mutex
	low := map[string]bool{}
	listen := func(name string) func(bool) {
		return func(level bool) {
			mu.Lock()
			defer mu.Unlock()
			if low[name] == !level {
				t.Errorf("%s told twice", name)
			}
			low[name] = !level
		}
	}
	c, m := NewTCA8418(listen("tca")), NewMCP23017(listen("a"), listen("b"))
	c.Write([]byte{0x01, 0xB9})
	c.Write([]byte{0x1D, 0xFF, 0xFF, 0x03})
	m.Write([]byte{0x00, 0x00})
	m.Write([]byte{0x05, 0xFF})
	m.Write([]byte{0x0D, 0xFF})
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			for n := range 500 {
				c.Press(i, n%10)
				m.Press(i, n%8)
				c.Read(make([]byte, 2))
				c.Write([]byte{0x02, 0x1F})
				m.Write([]byte{0x13})
				m.Read(make([]byte, 1))
				c.Release(i, n%10)
				m.Release(i, n%8)
			}
		})
	}
	wait.Wait()
}
