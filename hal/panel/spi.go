package panel

import (
	"fmt"

	"freizeichen/hal/panel/plan"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"
)

// An SPI is how a controller hangs on a serial bus.
type SPI struct {
	Conn    spi.Conn    // mode 0, 8 bits
	DC      gpio.PinOut // data/command: low with a command, high with what belongs to it
	Reset   gpio.PinOut // low resets; nil when the controller is reset with the board
	SpeedHz int         // of the clock; 0 means 10 MHz
}

const (
	spiSpeedHz = 10_000_000
	// spiRoom is what spidev takes in one transfer unless its module parameter bufsiz says otherwise.
	spiRoom = 4096
	// turnsASecond is about what a transfer costs beside its bytes: two calls of the kernel, one for the line and one for the bus.
	turnsASecond = 50_000
)

// link speaks with a controller by commands and data.
type link struct {
	SPI
	name string
	room int
	data gpio.Level
	set  bool // data is what the line has
}

func newLink(name string, s SPI) *link {
	if s.SpeedHz <= 0 {
		s.SpeedHz = spiSpeedHz
	}
	room := spiRoom
	if l, ok := s.Conn.(conn.Limits); ok && l.MaxTxSize() > 0 {
		room = l.MaxTxSize()
	}
	return &link{SPI: s, name: name, room: room}
}

// wire is what a window costs that is opened by so many bytes in so many transfers.
func (l *link) wire(window, turns int) plan.Wire {
	return plan.Wire{Window: window, Turns: turns, Room: l.room, Turn: l.SpeedHz / 8 / turnsASecond}
}

// command sends a command and what belongs to it.
func (l *link) command(c byte, parameters ...byte) error {
	err := l.send(gpio.Low, []byte{c})
	if err == nil && len(parameters) > 0 {
		err = l.send(gpio.High, parameters)
	}
	if err != nil {
		return fmt.Errorf("panel: %s: command %#02x: %w", l.name, c, err)
	}
	return nil
}

// commands sends several; the first byte of each is the command.
func (l *link) commands(list ...[]byte) error {
	for _, c := range list {
		if err := l.command(c[0], c[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// memory sends what belongs to a command that writes memory, in as many transfers as needed. Between two of them chip select
// rises, which pauses the write and does not end it (ST7789V section 8.4.4, data transfer pause).
func (l *link) memory(data []byte) error {
	for len(data) > 0 {
		n := min(len(data), l.room)
		if err := l.send(gpio.High, data[:n]); err != nil {
			return fmt.Errorf("panel: %s: send %d bytes of picture: %w", l.name, n, err)
		}
		data = data[n:]
	}
	return nil
}

func (l *link) send(level gpio.Level, bytes []byte) error {
	if !l.set || l.data != level {
		l.set = false
		if err := l.DC.Out(level); err != nil {
			return fmt.Errorf("data/command line: %w", err)
		}
		l.data, l.set = level, true
	}
	return l.Conn.Tx(bytes, nil)
}
