package panel

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"time"

	"freizeichen/hal/panel/plan"

	"periph.io/x/conn/v3"
)

// A TFT is how an ST7789 with 320x240 pixels hangs on SPI.
type TFT struct {
	SPI
	// Scan is the parameter of MADCTL; 0 means 0x60, MX and MV: the 240x320 of the memory lie on their side. 0xA0 turns the
	// picture round; 0x08 is for glass with blue first.
	Scan byte
	// Offset is the memory's first column and row that the glass shows, as the picture lies.
	Offset image.Point
	// Inverted glass (IPS) shows the picture's colours with INVON only.
	Inverted bool
	// Setup are the glass maker's own commands with their parameters: voltages, gamma. The first byte of each is the command.
	Setup [][]byte
	// Backlight sets the lamp behind the glass, from 0, off, to 1. Nil: the controller's own brightness output is used.
	Backlight func(fraction float64) error
	// Readable: the controller's data output is wired to the bus.
	Readable bool
}

// Commands, ST7789V section 9.1.
const (
	tftReset      = 0x01
	tftID         = 0x04
	tftPower      = 0x0A
	tftSleepOut   = 0x11
	tftInvertOff  = 0x20
	tftInvertOn   = 0x21
	tftOff        = 0x28
	tftOn         = 0x29
	tftColumns    = 0x2A
	tftRows       = 0x2B
	tftWrite      = 0x2C
	tftScan       = 0x36
	tftPixels     = 0x3A
	tftBrightness = 0x51
	tftControl    = 0x53
)

// wakeTime is how long the supplies need after a reset in sleep-out mode, and after sleep-out (SWRESET, SLPOUT: 120 ms).
const wakeTime = 120 * time.Millisecond

type tft struct {
	*link
	setup TFT
	shape form
}

// NewST7789 is an ST7789V on SPI with a data/command line. It does not touch the bus.
func NewST7789(setup TFT) Controller {
	if setup.Scan == 0 {
		setup.Scan = 0x60
	}
	l := newLink("st7789", setup.SPI)
	return &tft{link: l, setup: setup, shape: form{
		Grid: plan.Grid{Size: image.Pt(320, 240), Unit: 2, Rows: 240, Wire: l.wire(5+5+1, 5)},
		name: l.name, byteBits: 8, encode: encode565,
	}}
}

func (t *tft) form() *form { return &t.shape }

// start implements Controller.
func (t *tft) start() error {
	t.set = false
	if t.setup.Backlight != nil {
		if err := t.setup.Backlight(0); err != nil {
			return fmt.Errorf("panel: %s: backlight: %w", t.name, err)
		}
	}
	// Reset timing: 10 us low, then 120 ms if it was awake.
	if err := pulse(t.Reset, time.Millisecond, wakeTime); err != nil {
		return fmt.Errorf("panel: %s: reset line: %w", t.name, err)
	}
	first := byte(tftOff)
	if t.Reset == nil {
		first = tftReset
	}
	if err := t.command(first); err != nil {
		return absent{err}
	}
	if t.Reset == nil {
		time.Sleep(wakeTime)
	}
	return t.initialise([]byte{tftBrightness, 0x00}) // dark until there is a picture
}

// renew implements renewer.
func (t *tft) renew() error {
	t.set = false
	return t.initialise()
}

// initialise wakes the controller, and sends how the glass is, and what comes last.
func (t *tft) initialise(last ...[]byte) error {
	if err := t.command(tftSleepOut); err != nil { // one that is awake ignores it (SLPOUT, restriction)
		return err
	}
	time.Sleep(wakeTime)
	inversion := byte(tftInvertOff)
	if t.setup.Inverted {
		inversion = tftInvertOn
	}
	err := t.commands(
		[]byte{tftScan, t.setup.Scan},
		[]byte{tftPixels, 0x55},  // 16 bits a pixel, red in the upper five
		[]byte{inversion},        //
		[]byte{tftControl, 0x24}, // WRCTRLD: brightness block and backlight on
	)
	if err == nil {
		err = t.commands(last...)
	}
	if err != nil {
		return err
	}
	return t.commands(t.setup.Setup...)
}

// write implements Controller: CASET, RASET, RAMWR; the last sets the pointer to the window's start.
func (t *tft) write(window image.Rectangle, data []byte) error {
	w := window.Add(t.setup.Offset)
	err := t.commands(
		[]byte{tftColumns, byte(w.Min.X >> 8), byte(w.Min.X), byte((w.Max.X - 1) >> 8), byte(w.Max.X - 1)},
		[]byte{tftRows, byte(w.Min.Y >> 8), byte(w.Min.Y), byte((w.Max.Y - 1) >> 8), byte(w.Max.Y - 1)},
		[]byte{tftWrite},
	)
	if err != nil {
		return err
	}
	return t.memory(data)
}

// light implements Controller: by the backlight, else by WRDISBV.
func (t *tft) light(on bool, fraction float64) error {
	power := byte(tftOn)
	if !on {
		power, fraction = tftOff, 0
	}
	if t.setup.Backlight == nil {
		return t.commands([]byte{tftBrightness, byte(math.Round(255 * fraction))}, []byte{power})
	}
	if err := t.command(power); err != nil {
		return err
	}
	if err := t.setup.Backlight(fraction); err != nil {
		return fmt.Errorf("panel: %s: backlight: %w", t.name, err)
	}
	return nil
}

// Bits of the power mode (RDDPM): sleep out, display on.
const tftAwake, tftLit = 0x10, 0x04

// status implements Controller: RDDID, which any controller answers that has power, and RDDPM, which one that lost it has
// forgotten. After RDDID one clock passes before the three bytes (section 8.4.3, read of 24 bits), so they come one bit late;
// after RDDPM none does (read of 8 bits).
func (t *tft) status(on bool) (string, error) {
	if !t.setup.Readable || t.Conn.Duplex() != conn.Full {
		return "", fmt.Errorf("panel: %s without data output: %w", t.name, ErrUnreadable)
	}
	if err := t.DC.Out(false); err != nil {
		return "", fmt.Errorf("panel: %s: data/command line: %w", t.name, err)
	}
	t.set = false
	var r [5]byte
	if err := t.Conn.Tx([]byte{tftID, 0, 0, 0, 0}, r[:]); err != nil {
		return "", fmt.Errorf("panel: %s: read its ID: %w", t.name, err)
	}
	var power [2]byte
	if err := t.Conn.Tx([]byte{tftPower, 0}, power[:]); err != nil {
		return "", fmt.Errorf("panel: %s: read its power mode: %w", t.name, err)
	}
	id := (uint32(r[1])<<24 | uint32(r[2])<<16 | uint32(r[3])<<8 | uint32(r[4])) << 1 >> 8
	if id == 0 || id == 0xFFFFFF {
		return "", fmt.Errorf("panel: %s does not answer: its ID reads %06x", t.name, id)
	}
	if power[1]&tftAwake == 0 || (power[1]&tftLit != 0) != on {
		return "", fmt.Errorf("panel: %s: power mode %#02x, on should be %t: %w", t.name, power[1], on, errLost)
	}
	return fmt.Sprintf("%s answers, ID %06x", t.name, id), nil
}

// encode565 puts a picture into 16 bits a pixel, upper byte first.
func encode565(memory []byte, picture *image.Paletted) {
	var colours [256][2]byte
	for i := range colours {
		r, g, b := paint(picture, i)
		v := uint16(r>>3)<<11 | uint16(g>>2)<<5 | uint16(b>>3)
		colours[i] = [2]byte{byte(v >> 8), byte(v)}
	}
	for i := 0; i < len(memory)/2; i++ {
		x, y := i%320, i/320
		if picture == nil || x >= picture.Rect.Dx() || y >= picture.Rect.Dy() {
			memory[2*i], memory[2*i+1] = 0, 0
			continue
		}
		c := colours[index(picture, x, y)]
		memory[2*i], memory[2*i+1] = c[0], c[1]
	}
}

// paint is the colour of a picture's colour index, 8 bits each; black for an index without a colour.
func paint(picture *image.Paletted, i int) (r, g, b uint8) {
	if picture == nil || i >= len(picture.Palette) || picture.Palette[i] == nil {
		return 0, 0, 0
	}
	c := color.NRGBAModel.Convert(picture.Palette[i]).(color.NRGBA)
	return c.R, c.G, c.B
}

// brightness is a colour's luminance, 0 to 255.
func brightness(c color.Color) uint8 {
	if c == nil {
		return 0
	}
	return color.GrayModel.Convert(c).(color.Gray).Y
}
