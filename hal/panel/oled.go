package panel

import (
	"fmt"
	"image"
	"math"
	"time"

	"freizeichen/hal/panel/plan"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

// An OLED is how an SSD1306 or SH1106 with 128x64 pixels hangs on I2C.
type OLED struct {
	Address    uint16      // 7 bits; 0 means 0x3C, SA0 low
	MessageMax int         // the longest message that the adapter takes, in bytes without the address; 0 means 1025, at least 8
	Turned     bool        // built in upside down
	External   bool        // VCC comes from outside: the charge pump stays off
	Reset      gpio.PinOut // nil when the module resets itself at power-on
}

// Control bytes of a message, SSD1306 section 8.1.5.2 and SH1106 "I2C-bus write data": Co is 0, so that all that follows is of
// one kind.
const (
	controlCommands = 0x00
	controlData     = 0x40
)

// Commands that are sent while running: SSD1306 section 9, SH1106 "Commands".
const (
	oledContrast = 0x81
	oledOff      = 0xAE
	oledOn       = 0xAF
	oledNOP      = 0xE3
	oledColumns  = 0x21
	oledPages    = 0x22
	oledPage     = 0xB0
	oledLow      = 0x00
	oledHigh     = 0x10
)

// sh1106Margin is the first of the 132 columns that a glass of 128 shows: it stands in the middle.
const sh1106Margin = 2

type oled struct {
	bus   i2c.Bus
	setup OLED
	shape form
	init  [][]byte
	sh    bool
}

// NewSSD1306 is an SSD1306 on I2C. It does not touch the bus.
func NewSSD1306(bus i2c.Bus, setup OLED) Controller {
	o := newOLED(bus, "ssd1306", setup)
	o.shape.Rows = 8
	// A window is opened by six bytes of commands, section 10.1.4 and 10.1.5.
	o.shape.Wire.Window = 2 + 6
	pump := byte(0x14)
	if setup.External {
		pump = 0x10
	}
	o.init = append(o.common(0x3F, 0x80, 0xF1, 0x20),
		[]byte{0x8D, pump}, // charge pump, application note section 2
		[]byte{0x20, 0x00}, // horizontal addressing, section 10.1.3
		[]byte{0x2E},       // no scrolling, section 10.2.3
	)
	return o
}

// NewSH1106 is an SH1106 on I2C: 132 columns of which 128 are seen, and addressed page by page only. It does not touch the bus.
func NewSH1106(bus i2c.Bus, setup OLED) Controller {
	o := newOLED(bus, "sh1106", setup)
	o.sh = true
	o.shape.Rows = 1
	o.shape.Wire.Window = 2 + 3 // commands 1, 2 and 12
	pump := byte(0x8B)
	if setup.External {
		pump = 0x8A
	}
	o.init = append(o.common(0x3F, 0x50, 0x22, 0x35),
		[]byte{0xAD, pump}, // DC-DC, command 10
		[]byte{0x32},       // its voltage, command 3: 8.0 V, as after reset
	)
	return o
}

func newOLED(bus i2c.Bus, chip string, setup OLED) *oled {
	if setup.Address == 0 {
		setup.Address = 0x3C // SSD1306 section 8.1.5: 0111100 with SA0 low
	}
	if setup.MessageMax == 0 {
		setup.MessageMax = 1 + 1024
	}
	setup.MessageMax = max(8, setup.MessageMax) // six bytes of a window with control byte must fit
	return &oled{bus: bus, setup: setup, shape: form{
		name: fmt.Sprintf("%s at %#x", chip, setup.Address), encode: encodePages, byteBits: 9, transferBits: 2,
		Grid: plan.Grid{Size: image.Pt(128, 8), Unit: 1, Wire: plan.Wire{Turns: 1, Around: 2, Room: setup.MessageMax - 1}},
	}}
}

// common is what both chips are told first; numbers in brackets are sections of the SSD1306 and commands of the SH1106.
func (o *oled) common(multiplex, clock, charge, vcomh byte) [][]byte {
	segments, scan := byte(0xA1), byte(0xC8) // modules have segment 127 and COM 63 at the upper left
	if o.setup.Turned {
		segments, scan = 0xA0, 0xC0
	}
	return [][]byte{
		{0xD5, clock},     // oscillator and divider [10.1.16; 15]
		{0xA8, multiplex}, // 64 lines [10.1.11; 9]
		{0xD3, 0x00},      // no offset [10.1.15; 14]
		{0x40},            // RAM line 0 first [10.1.6; 4]
		{segments},        // [10.1.8; 6]: works on what is written later, so before the picture
		{scan},            // [10.1.14; 13]
		{0xDA, 0x12},      // COM pins alternating [10.1.18; 17]
		{0xD9, charge},    // pre-charge [10.1.17; 16]
		{0xDB, vcomh},     // [10.1.19; 18]
		{0xA4},            // follow the RAM [10.1.9; 7]
		{0xA6},            // not inverted [10.1.10; 8]
	}
}

func (o *oled) form() *form { return &o.shape }

// start implements Controller.
func (o *oled) start() error {
	if err := pulse(o.setup.Reset, time.Millisecond, time.Millisecond); err != nil { // section 8.9: 3 us low
		return fmt.Errorf("panel: %s: reset line: %w", o.shape.name, err)
	}
	// Two no-operations first: a transfer that broke off may have left a command that waits for up to two more bytes, and
	// that would swallow what follows.
	if err := o.commands([]byte{oledNOP, oledNOP, oledOff}); err != nil {
		return absent{err}
	}
	return o.commands(o.init...)
}

// commands sends commands in as few messages as fit, none of them parted.
func (o *oled) commands(list ...[]byte) error {
	message := []byte{controlCommands}
	for _, c := range list {
		if len(message)+len(c) > o.setup.MessageMax {
			if err := o.send(message); err != nil {
				return err
			}
			message = []byte{controlCommands}
		}
		message = append(message, c...)
	}
	return o.send(message)
}

func (o *oled) send(message []byte) error {
	if err := o.bus.Tx(o.setup.Address, message, nil); err != nil {
		what := "commands"
		if message[0] == controlData {
			what = "picture"
		}
		return fmt.Errorf("panel: %s: send %d bytes of %s: %w", o.shape.name, len(message), what, err)
	}
	return nil
}

// write implements Controller.
func (o *oled) write(window image.Rectangle, data []byte) error {
	left, right, top, bottom := byte(window.Min.X), byte(window.Max.X-1), byte(window.Min.Y), byte(window.Max.Y-1)
	// SSD1306 sections 10.1.4 and 10.1.5: both set the pointer to the start of the window.
	address := []byte{oledColumns, left, right, oledPages, top, bottom}
	if o.sh {
		left += sh1106Margin
		address = []byte{oledPage | top, oledLow | left&0x0F, oledHigh | left>>4} // commands 12, 1 and 2
	}
	if err := o.commands(address); err != nil {
		return err
	}
	message := make([]byte, 0, 1+min(len(data), o.shape.Wire.Room))
	for len(data) > 0 {
		n := min(len(data), o.shape.Wire.Room)
		message = append(append(message[:0], controlData), data[:n]...)
		if err := o.send(message); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// light implements Controller: contrast, SSD1306 section 10.1.7 and SH1106 command 5.
func (o *oled) light(on bool, fraction float64) error {
	power := byte(oledOff)
	if on {
		power = oledOn
	}
	return o.commands([]byte{oledContrast, byte(math.Round(255 * fraction))}, []byte{power})
}

// status implements Controller: bit 6 of the status byte is 1 while the display is off; SSD1306 section 9.1, SH1106 command 23.
func (o *oled) status(on bool) (string, error) {
	var b [1]byte
	if err := o.bus.Tx(o.setup.Address, nil, b[:]); err != nil {
		return "", fmt.Errorf("panel: %s: read status: %w", o.shape.name, err)
	}
	if off := b[0]&0x40 != 0; off == on {
		return "", fmt.Errorf("panel: %s: status %#02x, on should be %t: %w", o.shape.name, b[0], on, errLost)
	}
	return fmt.Sprintf("%s answers, status %#02x", o.shape.name, b[0]), nil
}

// encodePages puts a picture of 128x64 into pages: a byte is eight pixels below each other, bit 0 on top (SSD1306 section 8.7).
func encodePages(memory []byte, picture *image.Paletted) {
	for i := range memory {
		x, y := i%128, i/128*8
		var b byte
		for bit := range 8 {
			if index(picture, x, y+bit) != 0 {
				b |= 1 << bit
			}
		}
		memory[i] = b
	}
}

// pulse resets by a line that is low for a while, and waits until the chip can be spoken with.
func pulse(reset gpio.PinOut, low, after time.Duration) error {
	if reset == nil {
		return nil
	}
	if err := reset.Out(gpio.Low); err != nil {
		return err
	}
	time.Sleep(low)
	if err := reset.Out(gpio.High); err != nil {
		return err
	}
	time.Sleep(after)
	return nil
}
