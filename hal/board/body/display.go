//go:build linux

package body

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/host/v3/sysfs"

	"freizeichen/hal/board"
	"freizeichen/hal/panel"
)

// controller is the panel's, on its bus. It opens no more than it must: what is away comes later.
func (b *Body) controller(p board.Panel) panel.Controller {
	var reset gpio.PinOut
	if p.Reset.Place != "" {
		// Drivers pull the chip's own pin low to reset it: a line that the table calls active high has an inverter before it.
		p.Reset.Low = !p.Reset.Low
		reset = b.output(p.Reset)
	}
	switch p.Kind {
	case board.PanelSSD1306, board.PanelSH1106:
		setup := panel.OLED{Address: p.Chip.Address, Turned: p.Rotated, Reset: reset}
		if p.Kind == board.PanelSH1106 {
			return panel.NewSH1106(b.bus(p.Chip.Bus), setup)
		}
		return panel.NewSSD1306(b.bus(p.Chip.Bus), setup)
	case board.PanelFramebuffer:
		return panel.NewFramebuffer(panel.Framebuffer{
			Open: func() (panel.Video, error) { return panel.OpenVideo(p.Device) }, Panel: p.Shows, Backlight: b.backlight(p.Backlight),
		})
	}
	port := &spiConn{place: p.Place, name: p.SPI, hz: p.ClockHz}
	b.lit = append(b.lit, port)
	wire := panel.SPI{Conn: port, DC: b.output(p.DataCommand), Reset: reset, SpeedHz: p.ClockHz}
	if p.Kind == board.PanelSSD1322 {
		return panel.NewSSD1322(panel.Grey{SPI: wire, Double: p.Double, Column: p.Offset, Turned: p.Rotated})
	}
	tft := panel.TFT{SPI: wire, Backlight: b.backlight(p.Backlight)}
	if p.Rotated {
		tft.Scan = 0xa0
	}
	return panel.NewST7789(tft)
}

// backlight switches a lamp behind the glass; nil without one. A line knows no brightness: everything but dark is on.
func (b *Body) backlight(p board.Pin) func(float64) error {
	if p.Place == "" {
		return nil
	}
	o := b.output(p)
	return func(fraction float64) error { return o.Out(gpio.Level(fraction > 0)) }
}

// spiConn is a connection on an SPI bus of the kernel, opened when it is first used, and again after it failed.
type spiConn struct {
	place board.Place
	name  string // "0.0"
	hz    int

	mu   sync.Mutex
	port *sysfs.SPI
	conn spi.Conn
}

var _ spi.Conn = (*spiConn)(nil)

func (c *spiConn) open() error {
	if c.conn != nil {
		return nil
	}
	bus, chip, _ := strings.Cut(c.name, ".")
	b, _ := strconv.Atoi(bus) // both were checked with the table
	s, _ := strconv.Atoi(chip)
	port, err := sysfs.NewSPI(b, s)
	if err != nil {
		return fmt.Errorf("body: %s: opening SPI %s: %w", c.place, c.name, err)
	}
	conn, err := port.Connect(physic.Frequency(c.hz)*physic.Hertz, spi.Mode0, 8)
	if err != nil {
		_ = port.Close() // of no use
		return fmt.Errorf("body: %s: setting up SPI %s: %w", c.place, c.name, err)
	}
	c.port, c.conn = port, conn
	return nil
}

// Tx implements spi.Conn.
func (c *spiConn) Tx(w, r []byte) error {
	return c.use(func() error { return c.conn.Tx(w, r) })
}

// TxPackets implements spi.Conn.
func (c *spiConn) TxPackets(p []spi.Packet) error {
	return c.use(func() error { return c.conn.TxPackets(p) })
}

func (c *spiConn) use(do func() error) error {
	deepen()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return err
	}
	if err := do(); err != nil {
		_ = c.port.Close() // it is opened anew the next time
		c.port, c.conn = nil, nil
		return fmt.Errorf("body: %s: SPI %s: %w", c.place, c.name, err)
	}
	return nil
}

// Duplex implements conn.Conn.
func (c *spiConn) Duplex() conn.Duplex { return conn.Full }

// MaxTxSize implements conn.Limits: the kernel's spidev takes 4,096 bytes unless its module was told otherwise.
func (c *spiConn) MaxTxSize() int { return 4096 }

// String implements conn.Resource.
func (c *spiConn) String() string { return "SPI" + c.name }

// Close gives the port back.
func (c *spiConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.port == nil {
		return nil
	}
	err := c.port.Close()
	c.port, c.conn = nil, nil
	return err
}
