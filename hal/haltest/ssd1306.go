package haltest

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"sync"
)

// SSD1306 is a model of the display controllers SSD1306 (Solomon Systech, Rev 1.1, with its application note on the charge
// pump) and SH1106 (Sino Wealth, V2.3) on a module of 128x64 pixels whose charge pump is needed. What is sent stays: a command
// that a broken transfer has left half waits for its bytes in the next message, which is the worst that a chip may do.
type SSD1306 struct {
	mu     sync.Mutex
	sh1106 bool
	wrong  []string
	registers
}

// registers are what an interruption of the power resets.
type registers struct {
	columns   int // of the memory
	memory    [8][132]byte
	mode      byte // 0 horizontal, 1 vertical, 2 by page
	c0, c1, c int  // column window and pointer
	p0, p1, p int  // page window and pointer
	pending   []byte
	on        bool
	pump      bool
	inverted  bool
	all       bool // every pixel is lit
	mirrored  bool // segment re-map
	upward    bool // COM scan from 63 to 0
	startLine int
	offset    int
	lines     int // multiplex ratio
	contrast  byte
}

var _ Target = (*SSD1306)(nil)

// NewSSD1306 is an SSD1306 after power-on.
func NewSSD1306() *SSD1306 { return newDisplay(false) }

// NewSH1106 is an SH1106 after power-on: 132 columns, of which the glass shows 2 to 129, and page addressing only.
func NewSH1106() *SSD1306 { return newDisplay(true) }

func newDisplay(sh1106 bool) *SSD1306 {
	s := &SSD1306{sh1106: sh1106}
	s.reset()
	return s
}

// PowerCycle is an interruption of the power: all registers are as after reset, the memory holds noise.
func (s *SSD1306) PowerCycle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
}

func (s *SSD1306) reset() {
	s.registers = registers{mode: 2, columns: 128, c1: 127, p1: 7, lines: 64, contrast: 0x7F}
	if s.sh1106 {
		s.columns, s.pump, s.contrast = 132, true, 0x80 // commands 5 and 10: on after reset
	}
	for p := range s.memory {
		for c := range s.memory[p] {
			s.memory[p][c] = byte(0x55 + 31*p + 7*c)
		}
	}
}

// Write implements Target: control bytes, section 8.1.5.2. With Co one byte follows, without it all the rest.
func (s *SSD1306) Write(message []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(message) > 0 {
		control := message[0]
		if control&0x3F != 0 {
			s.complain("control byte %#02x", control)
		}
		n := len(message)
		if control&0x80 != 0 {
			n = min(n, 2)
		}
		for _, b := range message[1:n] {
			if control&0x40 != 0 {
				s.data(b)
			} else {
				s.command(b)
			}
		}
		message = message[n:]
	}
	return true
}

// Read implements Target: the status byte, again and again. Bit 6 is 1 while the display is off.
func (s *SSD1306) Read(message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range message {
		message[i] = 0x03
		if !s.on {
			message[i] |= 0x40
		}
	}
}

// parameters is how many bytes belong to a command.
func (s *SSD1306) parameters(c byte) int {
	switch c {
	case 0x81, 0xA8, 0xD3, 0xD5, 0xD9, 0xDA, 0xDB:
		return 1
	case 0xAD:
		if s.sh1106 {
			return 1
		}
	}
	if s.sh1106 {
		return 0
	}
	switch c {
	case 0x20, 0x8D:
		return 1
	case 0x21, 0x22, 0xA3:
		return 2
	case 0x29, 0x2A:
		return 5
	case 0x26, 0x27:
		return 6
	}
	return 0
}

func (s *SSD1306) command(b byte) {
	s.pending = append(s.pending, b)
	c, p := s.pending[0], s.pending[1:]
	if len(p) < s.parameters(c) {
		return
	}
	s.pending = nil
	switch {
	case c == 0xE3: // no operation
	case c <= 0x0F && s.mode == 2:
		s.c = s.c&^0x0F | int(c)
	case c >= 0x10 && c <= 0x1F && s.mode == 2:
		s.c = s.c&0x0F | int(c&0x0F)<<4
	case c >= 0xB0 && c <= 0xB7 && s.mode == 2:
		s.p = int(c & 7)
	case c >= 0x40 && c <= 0x7F:
		s.startLine = int(c & 0x3F)
	case s.sh1106 && (c >= 0x30 && c <= 0x33):
	case s.sh1106 && c == 0xAD:
		s.pump = p[0] == 0x8B
	case !s.sh1106 && s.only1306(c, p):
	case !s.both(c, p):
		s.complain("command %#02x % x", c, p)
	}
}

// only1306 obeys what the SH1106 does not know: windows, scrolling, the charge pump.
func (s *SSD1306) only1306(c byte, p []byte) bool {
	switch c {
	case 0x20:
		s.mode = p[0] & 3
		if s.mode == 3 {
			s.complain("addressing mode 3")
		}
	case 0x21:
		s.c0, s.c1, s.c = s.within("column", p, 127)
	case 0x22:
		s.p0, s.p1, s.p = s.within("page", p, 7)
	case 0x2E: // scrolling ends
	case 0x8D:
		s.pump = p[0]&0x04 != 0
	default:
		return false
	}
	return true
}

// within takes a window; one that is not there is cut to its bits.
func (s *SSD1306) within(what string, p []byte, limit byte) (first, last, at int) {
	if p[0] > p[1] || p[1] > limit {
		s.complain("%s window %d to %d", what, p[0], p[1])
	}
	return int(p[0] & limit), int(p[1] & limit), int(p[0] & limit)
}

// both obeys what both chips know.
func (s *SSD1306) both(c byte, p []byte) bool {
	switch c {
	case 0x81:
		s.contrast = p[0]
	case 0xA0, 0xA1:
		s.mirrored = c == 0xA1
	case 0xA4, 0xA5:
		s.all = c == 0xA5
	case 0xA6, 0xA7:
		s.inverted = c == 0xA7
	case 0xA8:
		s.lines = int(p[0]&0x3F) + 1
	case 0xAE, 0xAF:
		s.on = c == 0xAF
	case 0xC0, 0xC8:
		s.upward = c == 0xC8
	case 0xD3:
		s.offset = int(p[0] & 0x3F)
	case 0xD5, 0xD9, 0xDA, 0xDB: // timing, voltages and wiring are not modelled
	default:
		return false
	}
	return true
}

// data is one byte of memory. The segment re-map works on the way in (section 10.1.8): memory is kept by segment.
func (s *SSD1306) data(b byte) {
	if s.c < s.columns && s.p < 8 {
		segment := s.c
		if s.mirrored {
			segment = s.columns - 1 - s.c
		}
		s.memory[s.p][segment] = b
	} else {
		s.complain("data at column %d of page %d", s.c, s.p)
	}
	switch s.mode {
	case 0:
		if s.c++; s.c == s.c1+1 || s.c >= s.columns {
			s.c = s.c0
			s.p = next(s.p, s.p0, s.p1)
		}
	case 1:
		if s.p == s.p1 {
			s.c = next(s.c, s.c0, s.c1)
		}
		s.p = next(s.p, s.p0, s.p1)
	default:
		if s.c++; s.c >= s.columns && !s.sh1106 {
			s.c = 0 // section 10.1.3: back to the start; the SH1106 stops
		}
	}
}

func next(at, first, last int) int {
	if at == last || at >= 131 {
		return first
	}
	return at + 1
}

func (s *SSD1306) complain(format string, what ...any) {
	if len(s.wrong) < 32 {
		s.wrong = append(s.wrong, fmt.Sprintf(format, what...))
	}
}

// Wrong is what has been sent that the chip does not know or cannot do, the first 32 of it.
func (s *SSD1306) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrong)
}

// On tells whether the glass is lit: switched on, and with its charge pump.
func (s *SSD1306) On() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on && s.pump
}

// Contrast is the brightness, 0 to 255.
func (s *SSD1306) Contrast() byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contrast
}

// Memory is the part of the memory that the glass shows, by page and column as they were addressed with the segments mirrored,
// as modules want it.
func (s *SSD1306) Memory() (pages [8][128]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range pages {
		for x := range pages[p] {
			pages[p][x] = s.memory[p][s.columns-1-s.margin()-x]
		}
	}
	return pages
}

func (s *SSD1306) margin() int { return (s.columns - 128) / 2 }

// Picture is what a person sees who holds the module as it is meant: 128x64, index 1 is lit. The upper left pixel is segment 127
// and COM 63 of the glass. It is dark when the display is off.
func (s *SSD1306) Picture() *image.Paletted {
	s.mu.Lock()
	defer s.mu.Unlock()
	picture := image.NewPaletted(image.Rect(0, 0, 128, 64), color.Palette{color.Gray{}, color.Gray{Y: 255}})
	if !s.on || !s.pump {
		return picture
	}
	for y := range 64 {
		// Row 0 of the display is COM 0, which this module has at the bottom unless the scan runs from 63 to 0.
		row := y
		if !s.upward {
			row = 63 - y
		}
		if row >= s.lines {
			continue
		}
		line := (row + s.startLine + s.offset) % 64
		for x := range 128 {
			lit := s.memory[line/8][s.columns-1-s.margin()-x]>>(line%8)&1 == 1
			if lit != s.inverted || s.all {
				picture.Pix[y*picture.Stride+x] = 1
			}
		}
	}
	return picture
}
