package panel

import (
	"fmt"
	"image"
	"image/color"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// serialBus is an SPI connection with a data/command line that notes what goes over it, and gives it to a model byte by byte.
type serialBus struct {
	mu        sync.Mutex
	dc, reset *line
	limit     int // of a transfer; 0 means undefined
	obey      func(data bool, b byte)
	answer    func(w, r []byte)
	fault     func(w []byte) (sent int, err error) // nil: none
	notes     []string                             // "c 2a", "d 00 00 01 3f"; long data is cut
	transfers int
	bytes     int
}

var _ spi.Conn = (*serialBus)(nil)

// line is an output that can fail and that tells somebody.
type line struct {
	gpio.PinOut // none; only Out is used
	level       gpio.Level
	err         error
	told        func(gpio.Level)
}

func (l *line) Out(level gpio.Level) error {
	if l.err != nil {
		return l.err
	}
	if l.told != nil {
		l.told(level)
	}
	l.level = level
	return nil
}

func (b *serialBus) spi() SPI { return SPI{Conn: b, DC: b.dc, Reset: b.reset} }

func (b *serialBus) Tx(w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent, err := len(w), error(nil)
	if b.fault != nil {
		sent, err = b.fault(w)
	}
	if b.limit > 0 && len(w) > b.limit {
		return fmt.Errorf("transfer of %d bytes, at most %d", len(w), b.limit)
	}
	data := b.dc.level == gpio.High
	kind := "c"
	if data {
		kind = "d"
	}
	b.transfers++
	b.bytes += sent
	if sent > 40 {
		b.notes = append(b.notes, fmt.Sprintf("%s %d bytes", kind, sent))
	} else {
		b.notes = append(b.notes, fmt.Sprintf("%s % x", kind, w[:sent]))
	}
	for _, c := range w[:sent] {
		b.obey(data, c)
	}
	if r != nil && b.answer != nil {
		b.answer(w, r)
	}
	return err
}

func (b *serialBus) fail(f func(w []byte) (int, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

func (b *serialBus) traffic() (transfers, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.transfers, b.bytes
}

func (b *serialBus) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	notes := b.notes
	b.notes = nil
	return notes
}

func (b *serialBus) TxPackets([]spi.Packet) error { panic("not used") }
func (b *serialBus) Duplex() conn.Duplex          { return conn.Full }
func (b *serialBus) String() string               { return "serial model" }
func (b *serialBus) MaxTxSize() int               { return b.limit }
func (b *serialBus) SetSpeed(physic.Frequency) error {
	return nil
}

// commander parts a stream into commands with their parameters.
type commander struct {
	command    byte
	parameters []byte
}

// greyModel is an SSD1322: memory of 480 columns with 4 bits, kept as two bytes for each address of four columns.
type greyModel struct {
	serialBus
	commander
	memory      [128][240]byte
	c0, c1, c   int
	r0, r1, r   int
	half        int // bytes of the present address that have come
	on, locked  bool
	remap, dual byte
	contrast    byte
	wrong       []string
}

func newGreyModel() *greyModel {
	m := &greyModel{c1: 0x77, r1: 0x7F, locked: true}
	m.dc, m.reset = &line{}, &line{}
	m.obey = m.step
	m.reset.told = func(l gpio.Level) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if l == gpio.Low {
			m.on, m.locked, m.remap, m.contrast = false, true, 0, 15
		}
	}
	m.noise()
	return m
}

func (m *greyModel) noise() {
	for r := range m.memory {
		for c := range m.memory[r] {
			m.memory[r][c] = byte(r*7 + c*13)
		}
	}
}

// powerCycle is an interruption of the power.
func (m *greyModel) powerCycle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on, m.locked, m.remap = false, true, 0
	m.noise()
}

func (m *greyModel) step(data bool, b byte) {
	if !data {
		m.command, m.parameters = b, nil
		if m.locked && b != 0xFD {
			return
		}
		switch b {
		case 0xAE, 0xAF:
			m.on = b == 0xAF
		case 0x15, 0x75, 0x5C, 0xFD, 0xA0, 0xA1, 0xA2, 0xA6, 0xA9, 0xAB, 0xB1, 0xB3, 0xB4, 0xB5, 0xB6, 0xB9, 0xBB, 0xBE, 0xC1, 0xC7, 0xCA, 0xD1:
		default:
			m.wrong = append(m.wrong, fmt.Sprintf("command %#02x", b))
		}
		return
	}
	if m.command == 0x5C && !m.locked {
		m.data(b)
		return
	}
	m.parameters = append(m.parameters, b)
	p := m.parameters
	switch {
	case m.command == 0xFD && len(p) == 1:
		m.locked = b != 0x12
	case m.locked:
	case m.command == 0xC7 && len(p) == 1:
		m.contrast = b
	case m.command == 0xA0 && len(p) == 2:
		m.remap, m.dual = p[0], p[1]
	case m.command == 0x15 && len(p) == 2:
		m.c0, m.c1, m.c, m.half = int(p[0]), int(p[1]), int(p[0]), 0
		if m.c0 > m.c1 || m.c1 > 0x77 {
			m.wrong = append(m.wrong, fmt.Sprintf("columns %d to %d", m.c0, m.c1))
		}
	case m.command == 0x75 && len(p) == 2:
		m.r0, m.r1, m.r, m.half = int(p[0]), int(p[1]), int(p[0]), 0
		if m.r0 > m.r1 || m.r1 > 0x7F {
			m.wrong = append(m.wrong, fmt.Sprintf("rows %d to %d", m.r0, m.r1))
		}
	}
}

func (m *greyModel) data(b byte) {
	if m.remap&0x05 == 0x04 {
		m.memory[m.r][2*m.c+m.half] = b
	}
	if m.half++; m.half < 2 {
		return
	}
	m.half = 0
	if m.c++; m.c > m.c1 {
		m.c = m.c0
		if m.r++; m.r > m.r1 {
			m.r = m.r0
		}
	}
}

// level is the grey of a column of the glass of 256x64 that begins at column address 0x1C.
func (m *greyModel) level(x, y int) byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on {
		return 0
	}
	b := m.memory[y][0x1C*2+x/2]
	if x%2 == 0 {
		return b >> 4
	}
	return b & 15
}

// tftModel is an ST7789V: memory of 240 columns and 320 rows, MADCTL, and the pauses that it demands.
type tftModel struct {
	serialBus
	commander
	memory         [320][240]uint16
	window         [4]int // x0, x1, y0, y1
	x, y           int
	high           int // upper byte of a pixel that waits for the lower one; -1
	scan           byte
	on, awake, ips bool
	depth          byte
	bright         byte
	ready          time.Time // no command before
	wrong          []string
}

func newTFTModel() *tftModel {
	m := &tftModel{high: -1}
	m.dc, m.reset = &line{}, &line{}
	m.obey = m.step
	m.reset.told = func(l gpio.Level) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if l == gpio.Low {
			m.off()
			m.ready = time.Now().Add(wakeTime)
		}
	}
	m.answer = func(w, r []byte) {
		if w[0] == 0x04 && len(r) == 5 { // 85 85 52, one bit late
			v := uint32(0x858552) << 8 >> 1
			r[1], r[2], r[3], r[4] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
		}
		if w[0] == 0x0A && len(r) == 2 { // normal mode, 16 bits a pixel
			r[1] = 0x08
			if m.awake {
				r[1] |= 0x10
			}
			if m.on {
				r[1] |= 0x04
			}
		}
	}
	m.off()
	return m
}

func (m *tftModel) off() {
	m.on, m.awake, m.ips, m.scan, m.depth, m.bright = false, false, false, 0, 0x66, 0
	m.window = [4]int{0, 239, 0, 319}
	for y := range m.memory {
		for x := range m.memory[y] {
			m.memory[y][x] = uint16(x*77 + y)
		}
	}
}

// powerCycle is an interruption of the power.
func (m *tftModel) powerCycle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off()
}

func (m *tftModel) step(data bool, b byte) {
	if !data {
		if time.Now().Before(m.ready) {
			m.wrong = append(m.wrong, fmt.Sprintf("command %#02x came %v early", b, time.Until(m.ready)))
		}
		m.command, m.parameters, m.high = b, nil, -1
		switch b {
		case 0x01:
			m.off()
			m.ready = time.Now().Add(wakeTime)
		case 0x11:
			m.awake, m.ready = true, time.Now().Add(wakeTime)
		case 0x20, 0x21:
			m.ips = b == 0x21
		case 0x28, 0x29:
			m.on = b == 0x29
		case 0x2C:
			m.x, m.y = m.window[0], m.window[2]
		case 0x00, 0x04, 0x0A, 0x2A, 0x2B, 0x36, 0x3A, 0x51, 0x53, 0xB2:
		default:
			m.wrong = append(m.wrong, fmt.Sprintf("command %#02x", b))
		}
		return
	}
	if m.command == 0x2C {
		m.data(b)
		return
	}
	m.parameters = append(m.parameters, b)
	p := m.parameters
	switch {
	case m.command == 0x36 && len(p) == 1:
		m.scan = b
	case m.command == 0x3A && len(p) == 1:
		m.depth = b
	case m.command == 0x51 && len(p) == 1:
		m.bright = b
	case (m.command == 0x2A || m.command == 0x2B) && len(p) == 4:
		at := 2 * int(m.command-0x2A)
		m.window[at], m.window[at+1] = int(p[0])<<8|int(p[1]), int(p[2])<<8|int(p[3])
		limit := 239
		if (m.command == 0x2A) == (m.scan&0x20 != 0) {
			limit = 319
		}
		if m.window[at] > m.window[at+1] || m.window[at+1] > limit {
			m.wrong = append(m.wrong, fmt.Sprintf("command %#02x: %d to %d", m.command, m.window[at], m.window[at+1]))
		}
	}
}

func (m *tftModel) data(b byte) {
	if m.depth != 0x55 {
		return
	}
	if m.high < 0 {
		m.high = int(b)
		return
	}
	v := uint16(m.high)<<8 | uint16(b)
	m.high = -1
	// Section 8.12: with MV rows and columns change places, then MX and MY count from the other end.
	column, row := m.x, m.y
	if m.scan&0x20 != 0 {
		column, row = row, column
	}
	if m.scan&0x40 != 0 {
		column = 239 - column
	}
	if m.scan&0x80 != 0 {
		row = 319 - row
	}
	if row >= 0 && row < 320 && column >= 0 && column < 240 {
		m.memory[row][column] = v
	}
	if m.x++; m.x > m.window[1] {
		m.x = m.window[0]
		if m.y++; m.y > m.window[3] {
			m.y = m.window[2]
		}
	}
}

// colour is what a person sees at x, y of the glass on its side, the memory's column 239 on top.
func (m *tftModel) colour(x, y int) uint16 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on || !m.awake {
		return 0
	}
	return m.memory[x][239-y]
}

var (
	monoPalette   = color.Palette{color.Gray{0}, color.Gray{255}}
	colourPalette = color.Palette{color.Black, color.White, color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{200, 100, 50, 255}}
)

func monoPicture() *image.Paletted { return image.NewPaletted(image.Rect(0, 0, 128, 64), monoPalette) }

func colourPicture() *image.Paletted {
	return image.NewPaletted(image.Rect(0, 0, 320, 240), colourPalette)
}

func clone(p *image.Paletted) *image.Paletted {
	q := *p
	q.Pix = append([]byte(nil), p.Pix...)
	return &q
}

func fill(p *image.Paletted, r image.Rectangle, ink uint8) {
	r = r.Intersect(p.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.SetColorIndex(x, y, ink)
		}
	}
}

// write puts a text of invented letters into a picture: every letter differs from every other in most of its rows.
func write(p *image.Paletted, x, y, width, height int, text string) {
	for _, letter := range text {
		cell := image.Rect(x, y, x+width, y+height)
		fill(p, cell, 0)
		for dy := 1; dy < height-1; dy++ {
			for dx := range width - 1 {
				if (uint32(letter)*2654435761>>uint(dx*5/width+dy*7/height*2))&1 == 1 {
					p.SetColorIndex(x+dx, y+dy, 1)
				}
			}
		}
		x += width
	}
}

func sameNotes(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s, transfer %d: %s, want %s\nall: %q", what, i, g, w, got)
		}
	}
}
