package haltest

import (
	"slices"
	"testing"
)

// send writes commands or data in one message each.
func send(t *testing.T, s *SSD1306, messages ...[]byte) {
	t.Helper()
	for _, m := range messages {
		if !s.Write(m) {
			t.Fatalf("% x was not acknowledged", m)
		}
	}
}

// lit is the pixels that are seen, as x and y in turn.
func lit(s *SSD1306) []int {
	var at []int
	for i, ink := range s.Picture().Pix {
		if ink == 1 {
			at = append(at, i%128, i/128)
		}
	}
	return at
}

// blank fills the memory with zeros and leaves the display on, upright.
func blank(t *testing.T, s *SSD1306) {
	t.Helper()
	send(t, s, []byte{0x00, 0xA1, 0xC8})
	for page := range byte(8) {
		send(t, s, []byte{0x00, 0xB0 | page, 0x00, 0x10}, append([]byte{0x40}, make([]byte, s.columns)...))
	}
	if !s.sh1106 {
		send(t, s, []byte{0x00, 0x8D, 0x14})
	}
	send(t, s, []byte{0x00, 0xAF})
}

func TestTheDisplayIsDarkUntilItIsOnAndPumped(t *testing.T) {
	s := NewSSD1306()
	status := []byte{0}
	for _, step := range []struct {
		command []byte
		on      bool
		status  byte
	}{{[]byte{0xE3}, false, 0x43}, {[]byte{0xAF}, false, 0x03}, {[]byte{0x8D, 0x14}, true, 0x03}, {[]byte{0x8D, 0x10}, false, 0x03}, {[]byte{0xAE}, false, 0x43}} {
		send(t, s, append([]byte{0x00}, step.command...))
		if s.Read(status); s.On() != step.on || status[0] != step.status {
			t.Errorf("after % x: on %t, status %#02x", step.command, s.On(), status[0])
		}
	}
	if n := len(lit(s)); n != 0 {
		t.Errorf("%d pixels are seen in the dark", n)
	}
}

func TestEachAddressingModeCountsItsWay(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup []byte
		want  [3][2]int // page and column of the first, second and third byte
		last  [2]int    // of the seventh, in a window of 2 pages and 3 columns
	}{
		{"horizontal", []byte{0x00, 0x20, 0x00, 0x21, 10, 12, 0x22, 3, 4}, [3][2]int{{3, 10}, {3, 11}, {3, 12}}, [2]int{3, 10}},
		{"vertical", []byte{0x00, 0x20, 0x01, 0x21, 10, 12, 0x22, 3, 4}, [3][2]int{{3, 10}, {4, 10}, {3, 11}}, [2]int{3, 10}},
		{"page", []byte{0x00, 0x20, 0x02, 0xB3, 0x0A, 0x10}, [3][2]int{{3, 10}, {3, 11}, {3, 12}}, [2]int{3, 16}},
		{"page, single bytes with Co", []byte{0x80, 0x20, 0x80, 0x02, 0x80, 0xB3, 0x80, 0x0E, 0x80, 0x17}, [3][2]int{{3, 126}, {3, 127}, {3, 0}}, [2]int{3, 4}},
	} {
		s := NewSSD1306()
		blank(t, s)
		send(t, s, c.setup, []byte{0x40, 1, 2, 3, 4, 5, 6, 7})
		m := s.Memory()
		for i, at := range c.want {
			want := byte(i + 1)
			if at == c.last {
				want = 7
			}
			if got := m[at[0]][at[1]]; got != want {
				t.Errorf("%s: byte %d is at %v: %d", c.name, i+1, at, got)
			}
		}
		if got := m[c.last[0]][c.last[1]]; got != 7 {
			t.Errorf("%s: the seventh byte is not at %v: %d", c.name, c.last, got)
		}
		if w := s.Wrong(); len(w) > 0 {
			t.Errorf("%s: %q", c.name, w)
		}
	}
}

func TestTheGlassShowsTheMemoryAsItIsSet(t *testing.T) {
	for _, c := range []struct {
		name    string
		command []byte
		data    bool // one pixel is written after the command, else before
		want    []int
	}{
		{"upright", []byte{0xE3}, false, []int{5, 17}},
		{"scanned upwards", []byte{0xC0}, false, []int{5, 46}},
		{"re-mapped after the data", []byte{0xA0}, false, []int{5, 17}},
		{"re-mapped before the data", []byte{0xA0}, true, []int{122, 17}},
		{"another start line", []byte{0x40 | 16}, false, []int{5, 1}},
		{"a display offset", []byte{0xD3, 10}, false, []int{5, 7}},
		{"few lines", []byte{0xA8, 15}, false, nil},
		{"off", []byte{0xAE}, false, nil},
	} {
		s := NewSSD1306()
		blank(t, s)
		pixel := [][]byte{{0x00, 0xB2, 0x05, 0x10}, {0x40, 0x02}}
		if !c.data {
			send(t, s, pixel...)
		}
		send(t, s, append([]byte{0x00}, c.command...))
		if c.data {
			send(t, s, pixel...)
		}
		if got := lit(s); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	s := NewSSD1306()
	blank(t, s)
	for _, command := range []byte{0xA7, 0xA5} {
		if send(t, s, []byte{0x00, command}); len(lit(s)) != 2*128*64 {
			t.Errorf("command %#02x lights %d pixels", command, len(lit(s))/2)
		}
	}
}

func TestTheSH1106HasTwoColumnsBesideTheGlassAndNoWindows(t *testing.T) {
	s := NewSH1106()
	blank(t, s)
	send(t, s, []byte{0x00, 0xB1, 0x00, 0x10}, []byte{0x40, 0xFF, 0xFF, 0x01, 0x80})
	if got := lit(s); !slices.Equal(got, []int{0, 8, 1, 15}) {
		t.Errorf("%v", got)
	}
	if w := s.Wrong(); len(w) > 0 {
		t.Errorf("%q", w)
	}
	send(t, s, []byte{0x00, 0x21}, []byte{0x00, 0x8D})
	if w := s.Wrong(); !slices.Equal(w, []string{"command 0x21 ", "command 0x8d "}) {
		t.Errorf("%q", w)
	}
}

func TestWhatTheChipDoesNotKnowIsNoted(t *testing.T) {
	for _, c := range []struct {
		name    string
		message []byte
	}{
		{"an unknown command", []byte{0x00, 0xF7}},
		{"a control byte", []byte{0x01, 0xE3}},
		{"a window backwards", []byte{0x00, 0x21, 5, 4}},
		{"a window beyond", []byte{0x00, 0x22, 0, 8}},
		{"a page command outside of page mode", []byte{0x00, 0x20, 0x00, 0xB0}},
		{"no addressing mode", []byte{0x00, 0x20, 0x03}},
	} {
		s := NewSSD1306()
		if send(t, s, c.message); len(s.Wrong()) != 1 {
			t.Errorf("%s: %q", c.name, s.Wrong())
		}
	}
}

func TestHalfACommandWaitsAndPowerForgetsIt(t *testing.T) {
	s := NewSSD1306()
	send(t, s, []byte{0x00, 0x81}, []byte{0x00, 0xAF})
	if s.Contrast() != 0xAF {
		t.Errorf("contrast %#02x", s.Contrast())
	}
	send(t, s, []byte{0x00, 0x81})
	s.PowerCycle()
	send(t, s, []byte{0x00, 0x8D, 0x14, 0xAF})
	if s.Contrast() != 0x7F || !s.On() {
		t.Errorf("contrast %#02x, on %t", s.Contrast(), s.On())
	}
}

func FuzzNoMessageBreaksTheDisplay(f *testing.F) {
	f.Add([]byte{0x00, 0x20, 0x01, 0x21, 120, 3, 0x22, 7, 1}, []byte{0x40, 1, 2, 3})
	f.Add([]byte{0x80}, []byte{0xC0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, s := range []*SSD1306{NewSSD1306(), NewSH1106()} {
			for range 3 {
				send(t, s, a, b)
			}
			s.Picture()
			s.Memory()
			s.Read(a)
		}
	})
}
