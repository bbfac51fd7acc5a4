package panel

import (
	"fmt"
	"image"
	"math"
	"time"

	"freizeichen/hal/panel/plan"
)

// A Grey is how an SSD1322 shows the picture of 128x64 pixels in 16 levels of grey.
type Grey struct {
	SPI
	// Double: each pixel is wired to two neighbouring columns, as on the NHD-2.7-12864WDW3. Otherwise the glass has 256x64
	// pixels and the picture stands in its middle.
	Double bool
	// Column is the first column address of the glass, in units of four columns. 0 means 0x1C: both glasses hang in the middle
	// of the 480 columns. -1 means 0.
	Column int
	Turned bool // built in upside down
	// Remap is the first byte of command A0h; 0 means 0x16 with Double and 0x14 without, and with Turned columns and
	// lines the other way. Bit 0 must be 0, bit 2 must be 1.
	Remap byte
}

// Commands, SSD1322 section 9.
const (
	greyColumns = 0x15
	greyRows    = 0x75
	greyWrite   = 0x5C
	greyOff     = 0xAE
	greyOn      = 0xAF
	greyMaster  = 0xC7
)

type grey struct {
	*link
	setup Grey
	shape form
}

// NewSSD1322 is an SSD1322 on SPI with a data/command line. It does not touch the bus.
func NewSSD1322(setup Grey) Controller {
	switch {
	case setup.Column == 0:
		setup.Column = 0x1C // NHD-2.7-12864WDW3 and NHD-3.12-25664UC, "Display Initialization"
	case setup.Column < 0:
		setup.Column = 0
	}
	if setup.Remap == 0 {
		setup.Remap = 0x14
		if setup.Double {
			setup.Remap = 0x16
		}
		if setup.Turned {
			setup.Remap ^= 0x12 // A[1] columns, A[4] COM scan
		}
	}
	setup.Remap = setup.Remap&^0x01 | 0x04 // windows are written row by row, the left pixel in the upper nibble
	l := newLink("ssd1322", setup.SPI)
	g := &grey{link: l, setup: setup, shape: form{
		// A column address holds four columns, section 8.6: the least that can be written.
		Grid: plan.Grid{Size: image.Pt(64, 64), Unit: 2, Rows: 64, Wire: l.wire(3+3+1, 5)},
		name: l.name, byteBits: 8, encode: encodeGreyWide,
	}}
	if setup.Double {
		g.shape.encode = encodeGreyDouble
	}
	return g
}

func (g *grey) form() *form { return &g.shape }

// start implements Controller.
func (g *grey) start() error {
	// Section 8.9: reset is low for at least 100 us.
	if err := pulse(g.Reset, time.Millisecond, time.Millisecond); err != nil {
		return fmt.Errorf("panel: %s: reset line: %w", g.name, err)
	}
	return g.initialise([]byte{greyOff})
}

// renew implements renewer.
func (g *grey) renew() error { return g.initialise() }

// initialise sends what comes first, and the values of the glass's datasheet.
func (g *grey) initialise(first ...[]byte) error {
	g.set = false
	if err := g.command(0xFD, 0x12); err != nil { // unlock, section 10.1.27: locked, it obeys nothing else
		return absent{err}
	}
	return g.commands(append(first,
		[]byte{0xB3, 0x91},                // clock, section 10.1.15: 80 frames a second
		[]byte{0xCA, 0x3F},                // 64 lines, section 10.1.25
		[]byte{0xA2, 0x00},                // no offset, section 10.1.8
		[]byte{0xA1, 0x00},                // RAM line 0 first, section 10.1.7
		[]byte{0xA0, g.setup.Remap, 0x11}, // re-map and dual COM mode, section 10.1.6
		[]byte{0xB5, 0x00},                // no GPIO, section 10.1.17
		[]byte{0xAB, 0x01},                // internal VDD regulator, section 10.1.12
		[]byte{0xB4, 0xA0, 0xFD},          // enhancement A, section 10.1.16
		[]byte{0xC1, 0x9F},                // contrast current, section 10.1.23
		[]byte{0xB9},                      // linear grey scale, section 10.1.20
		[]byte{0xB1, 0xF2},                // phases, section 10.1.14
		[]byte{0xD1, 0x82, 0x20},          // enhancement B, section 10.1.26
		[]byte{0xBB, 0x1F},                // pre-charge voltage, section 10.1.21
		[]byte{0xB6, 0x08},                // second pre-charge, section 10.1.18
		[]byte{0xBE, 0x04},                // VCOMH, section 10.1.22
		[]byte{0xA6},                      // normal display, section 10.1.9
		[]byte{0xA9},                      // not partial, section 10.1.11
	)...)
}

// write implements Controller, sections 10.1.2, 10.1.5 and 10.1.3.
func (g *grey) write(window image.Rectangle, data []byte) error {
	first := byte(g.setup.Column)
	err := g.commands(
		[]byte{greyColumns, first + byte(window.Min.X), first + byte(window.Max.X-1)},
		[]byte{greyRows, byte(window.Min.Y), byte(window.Max.Y - 1)},
		[]byte{greyWrite},
	)
	if err != nil {
		return err
	}
	return g.memory(data)
}

// light implements Controller: master contrast, section 10.1.24, in 16 steps.
func (g *grey) light(on bool, fraction float64) error {
	power := byte(greyOff)
	if on {
		power = greyOn
	}
	return g.commands([]byte{greyMaster, byte(math.Round(15 * fraction))}, []byte{power})
}

// status implements Controller: serially it can only be written (section 8.1.3).
func (g *grey) status(bool) (string, error) {
	return "", fmt.Errorf("panel: %s by SPI: %w", g.name, ErrUnreadable)
}

// encodeGreyWide puts a picture of 128x64 into the middle of 256x64: two pixels in a byte, the left one in the upper nibble.
func encodeGreyWide(memory []byte, picture *image.Paletted) {
	levels := greyLevels(picture)
	for i := range memory {
		x, y := i%128*2-64, i/128
		memory[i] = levels[index(picture, x, y)]<<4 | levels[index(picture, x+1, y)]
		if x < 0 || x >= 128 || y >= 64 {
			memory[i] = 0
		}
	}
}

// encodeGreyDouble: both nibbles of a byte are the same pixel.
func encodeGreyDouble(memory []byte, picture *image.Paletted) {
	levels := greyLevels(picture)
	for i := range memory {
		memory[i] = levels[index(picture, i%128, i/128)] * 0x11
	}
}

// greyLevels are the levels of a picture's colour indices. In a mono picture 0 is off and 1 is on, whatever its palette says.
func greyLevels(picture *image.Paletted) (levels [256]byte) {
	if picture == nil {
		return levels
	}
	for i := range levels {
		switch {
		case i > 0 && len(picture.Palette) <= 2:
			levels[i] = 15
		case i < len(picture.Palette) && len(picture.Palette) > 2:
			levels[i] = brightness(picture.Palette[i]) >> 4
		}
	}
	return levels
}
