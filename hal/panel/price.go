package panel

import (
	"image"
	"time"

	"freizeichen/hal/panel/plan"
)

// A form is how a picture stands in a controller's memory.
type form struct {
	plan.Grid
	name         string
	byteBits     int                                          // clock periods of a byte
	transferBits int                                          // clock periods of a transfer beside its bytes
	encode       func(memory []byte, picture *image.Paletted) // fills all of memory; parts without a picture are 0
}

// A Cost is what it takes to change a panel's picture.
type Cost struct {
	Windows   int // parts of the picture that are sent
	Transfers int // I2C messages, or SPI transfers between two changes of the data/command line
	Bytes     int // on the wire, with commands; on I2C with address and control bytes
	Bits      int // clock periods: on I2C 9 a byte, and 2 for start and stop of each message; on SPI 8 a byte
}

// Time is how long the bus is busy at a clock of so many periods a second, without the pauses that the machine makes.
func (c Cost) Time(clockHz int) time.Duration {
	return time.Duration(float64(c.Bits) / float64(max(1, clockHz)) * float64(time.Second))
}

// Price is what it costs to show next on a panel that shows previous; a nil previous stands for a panel whose content is not
// known: everything is sent. It does not touch the bus.
func Price(c Controller, previous, next *image.Paletted) Cost {
	f := c.form()
	memory := make([]byte, f.Length())
	f.encode(memory, next)
	windows := f.Whole()
	if previous != nil {
		old := make([]byte, f.Length())
		f.encode(old, previous)
		windows = f.Windows(old, memory)
	}
	cost := Cost{Windows: len(windows)}
	for _, w := range windows {
		count, transfers := f.Wire.Send(w.Dx() * w.Dy() * f.Unit)
		cost.Bytes += count
		cost.Transfers += transfers
	}
	cost.Bits = cost.Bytes*f.byteBits + cost.Transfers*f.transferBits
	return cost
}

// index is a picture's colour index, counted from its upper left corner; 0 where it has no pixel.
func index(p *image.Paletted, x, y int) uint8 {
	if p == nil || x < 0 || y < 0 || x >= p.Rect.Dx() || y >= p.Rect.Dy() {
		return 0
	}
	if i := y*p.Stride + x; i >= 0 && i < len(p.Pix) {
		return p.Pix[i]
	}
	return 0
}
