//go:build linux

package body

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"

	"freizeichen/hal/board"
	"freizeichen/hal/line"
)

// address is where the kernel has a pin of the table.
func address(p board.Pin) line.Address { return line.Address{Chip: p.Chip, Line: p.Line} }

// pull is the bias of a pin.
func pull(p board.Pin) gpio.Pull {
	switch p.Pull {
	case "up":
		return gpio.PullUp
	case "down":
		return gpio.PullDown
	}
	return gpio.PullNoChange
}

// at puts the line of the table's file before an error about a pin.
func at(p board.Pin, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("body: %s: %w", p.Place, err)
}

// openInput opens an input of the table with both edges.
func openInput(p board.Pin, debounce time.Duration) (*line.Line, error) {
	l, err := line.OpenInput(address(p), pull(p), gpio.BothEdges, line.Options{ActiveLow: p.Low, Debounce: debounce})
	return l, at(p, err)
}

// output is a pin that is opened by the first level it is given, so that it has no other before, and again when its chip was
// away.
type output struct {
	pin   board.Pin
	drain bool // it only ever pulls down

	mu   sync.Mutex
	line *line.Line
}

var _ gpio.PinOut = (*output)(nil)

// Out implements gpio.PinOut.
func (o *output) Out(level gpio.Level) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line == nil {
		l, err := line.OpenOutput(address(o.pin), level, line.Options{ActiveLow: o.pin.Low, OpenDrain: o.drain})
		if err != nil {
			return at(o.pin, err)
		}
		o.line = l
		return nil
	}
	err := o.line.Out(level)
	if err != nil {
		_ = o.line.Close() // it failed, and is opened anew the next time
		o.line = nil
	}
	return at(o.pin, err)
}

// PWM implements gpio.PinOut.
func (o *output) PWM(gpio.Duty, physic.Frequency) error {
	return at(o.pin, fmt.Errorf("a line knows no brightness"))
}

// Halt implements conn.Resource: the level stays.
func (o *output) Halt() error { return nil }

// String implements conn.Resource.
func (o *output) String() string { return o.pin.Chip + " " + o.pin.Line }

// Name implements pin.Pin.
func (o *output) Name() string { return o.pin.Line }

// Number implements pin.Pin.
func (o *output) Number() int { return -1 }

// Function implements pin.Pin.
func (o *output) Function() string { return "Out" }

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line == nil {
		return nil
	}
	err := o.line.Close()
	o.line = nil
	return at(o.pin, err)
}

// input is an interrupt line of a chip, opened when its driver sets it up, and again when its GPIO chip was away. Drivers want
// to see what the chip pulls low: a line that the table calls active high is turned round.
type input struct {
	pin board.Pin

	mu   sync.Mutex
	line *line.Line
}

var _ gpio.PinIn = (*input)(nil)

// opened is the line, or why there is none.
func (i *input) opened() (*line.Line, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.line == nil {
		l, err := line.OpenInput(address(i.pin), pull(i.pin), gpio.BothEdges, line.Options{ActiveLow: !i.pin.Low})
		if err != nil {
			return nil, at(i.pin, err)
		}
		i.line = l
	}
	return i.line, nil
}

// lost forgets a line whose chip is gone.
func (i *input) lost(err error) error {
	if errors.Is(err, syscall.ENODEV) {
		_ = i.close() // of a chip that is no more
	}
	return at(i.pin, err)
}

// In implements gpio.PinIn. The bias is the table's where it names one.
func (i *input) In(wanted gpio.Pull, edge gpio.Edge) error {
	l, err := i.opened()
	if err != nil {
		return err
	}
	if p := pull(i.pin); p != gpio.PullNoChange {
		wanted = p
	}
	return i.lost(l.In(wanted, edge))
}

// Value is the level, as line.Line has it.
func (i *input) Value() (gpio.Level, error) {
	l, err := i.opened()
	if err != nil {
		return gpio.High, err
	}
	level, err := l.Value()
	return level, i.lost(err)
}

// Read implements gpio.PinIn: High, at rest, when it cannot be read.
func (i *input) Read() gpio.Level {
	level, err := i.Value()
	if err != nil {
		return gpio.High
	}
	return level
}

// NextEdge is line.Line's.
func (i *input) NextEdge(timeout time.Duration) (line.Edge, error) {
	l, err := i.opened()
	if err != nil {
		return line.Edge{}, err
	}
	e, err := l.NextEdge(timeout)
	switch {
	case err == nil, errors.Is(err, line.ErrTimeout), errors.Is(err, line.ErrHalted), errors.Is(err, line.ErrClosed):
		return e, err
	}
	return e, i.lost(err)
}

// WaitForEdge implements gpio.PinIn.
func (i *input) WaitForEdge(timeout time.Duration) bool {
	_, err := i.NextEdge(timeout)
	return err == nil
}

// Halt implements conn.Resource: it ends a wait.
func (i *input) Halt() error {
	i.mu.Lock()
	l := i.line
	i.mu.Unlock()
	if l == nil {
		return nil
	}
	return at(i.pin, l.Halt())
}

// Pull implements gpio.PinIn.
func (i *input) Pull() gpio.Pull { return pull(i.pin) }

// DefaultPull implements gpio.PinIn.
func (i *input) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// String implements conn.Resource.
func (i *input) String() string { return i.pin.Chip + " " + i.pin.Line }

// Name implements pin.Pin.
func (i *input) Name() string { return i.pin.Line }

// Number implements pin.Pin.
func (i *input) Number() int { return -1 }

// Function implements pin.Pin.
func (i *input) Function() string { return "In" }

func (i *input) close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.line == nil {
		return nil
	}
	err := i.line.Close()
	i.line = nil
	return at(i.pin, err)
}
