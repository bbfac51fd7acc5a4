//go:build linux

package bus

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/host/v3/sysfs"

	"freizeichen/hal/board"
)

// SPI is a connection on an SPI bus of the kernel, opened when it is first used, and again after it failed.
type SPI struct {
	place board.Place
	name  string // "0.0"
	hz    int

	mu   sync.Mutex
	port *sysfs.SPI
	conn spi.Conn
}

var _ spi.Conn = (*SPI)(nil)

// NewSPI is a connection in mode 0 with words of 8 bits; name is "BUS.CHIP". Nothing is opened yet.
func NewSPI(place board.Place, name string, hz int) *SPI {
	return &SPI{place: place, name: name, hz: hz}
}

func (c *SPI) open() error {
	if c.conn != nil {
		return nil
	}
	bus, chip, _ := strings.Cut(c.name, ".")
	b, _ := strconv.Atoi(bus) // both were checked with the table
	s, _ := strconv.Atoi(chip)
	port, err := sysfs.NewSPI(b, s)
	if err != nil {
		return fmt.Errorf("bus: %s: opening SPI %s: %w", c.place, c.name, err)
	}
	conn, err := port.Connect(physic.Frequency(c.hz)*physic.Hertz, spi.Mode0, 8)
	if err != nil {
		_ = port.Close() // of no use
		return fmt.Errorf("bus: %s: setting up SPI %s: %w", c.place, c.name, err)
	}
	c.port, c.conn = port, conn
	return nil
}

// Tx implements spi.Conn.
func (c *SPI) Tx(w, r []byte) error {
	return c.use(func() error { return c.conn.Tx(w, r) })
}

// TxPackets implements spi.Conn.
func (c *SPI) TxPackets(p []spi.Packet) error {
	return c.use(func() error { return c.conn.TxPackets(p) })
}

func (c *SPI) use(do func() error) error {
	deepen()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return err
	}
	if err := do(); err != nil {
		_ = c.port.Close() // it is opened anew the next time
		c.port, c.conn = nil, nil
		return fmt.Errorf("bus: %s: SPI %s: %w", c.place, c.name, err)
	}
	return nil
}

// Duplex implements conn.Conn.
func (c *SPI) Duplex() conn.Duplex { return conn.Full }

// MaxTxSize implements conn.Limits: the kernel's spidev takes 4,096 bytes unless its module was told otherwise.
func (c *SPI) MaxTxSize() int { return 4096 }

// String implements conn.Resource.
func (c *SPI) String() string { return "SPI" + c.name }

// Close gives the port back.
func (c *SPI) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.port == nil {
		return nil
	}
	err := c.port.Close()
	c.port, c.conn = nil, nil
	return err
}
