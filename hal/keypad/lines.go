package keypad

import (
	"fmt"
	"time"

	"freizeichen/hal/keypad/contact"

	"periph.io/x/conn/v3/gpio"
)

// settleDefault is how long a column may take to follow its row: 10 kΩ of pull-up against 1 nF of keypad and cable, five times over.
const settleDefault = 50 * time.Microsecond

// A lines is a matrix right on GPIO lines.
type lines struct {
	*scanner
	drivers []gpio.PinOut
	inputs  []gpio.PinIn
	settle  time.Duration
	driven  [contact.RowsMax]bool // rows that are low
	known   bool                  // driven is true
}

// StartMatrix watches a matrix on GPIO lines: rows[r] and cols[c] are the lines of row r and column c of the keymap. Rows must be
// open-drain outputs (line.Options.OpenDrain), so that two keys in a column never join two outputs; columns are inputs with a
// pull-up and edges. The lines stay the caller's.
func StartMatrix(rows []gpio.PinOut, cols []gpio.PinIn, o Options) (*Keypad, error) {
	if err := o.check(len(rows), len(cols)); err != nil {
		return nil, err
	}
	k := newKeypad(o, scanned)
	d := &lines{drivers: rows[:min(len(rows), contact.RowsMax)], inputs: cols[:min(len(cols), contact.ColsMax)], settle: o.Settle}
	if d.settle <= 0 {
		d.settle = settleDefault
	}
	d.scanner = &scanner{Keypad: k, interrupt: interrupt{pause: k.sleep}, matrix: d, name: "matrix"}
	d.rows, d.cols = o.Keys.Lines()
	for col, pin := range d.inputs {
		if d.cols&(1<<col) != 0 {
			d.pins = append(d.pins, pin)
		}
	}
	return k.watch(d), nil
}

func (d *lines) setup() error {
	d.restart()
	if err := d.drive(-1); err != nil {
		return d.fail("configure", err)
	}
	if err := d.interrupt.start(); err != nil {
		return d.fail("configure", err)
	}
	return nil
}

func (d *lines) begin() error { return nil }

// verify is for chips that forget; lines that go fail by themselves.
func (d *lines) verify(bool) error { return nil }

func (d *lines) drive(row int) error {
	return d.pull(func(r int) bool { return r == row })
}

// pull drives rows low, lets go of the others, and waits for the columns.
func (d *lines) pull(low func(row int) bool) error {
	for r, pin := range d.drivers {
		if d.known && d.driven[r] == low(r) {
			continue
		}
		if err := pin.Out(gpio.Level(!low(r))); err != nil {
			d.known = false
			return fmt.Errorf("row %s: %w", pin, err)
		}
		d.driven[r] = low(r)
	}
	d.known = true
	d.sleep(d.settle)
	return nil
}

func (d *lines) columns() (low uint16, err error) {
	for col, pin := range d.inputs {
		if d.cols&(1<<col) == 0 {
			continue
		}
		level, err := read(pin)
		if err != nil {
			return 0, fmt.Errorf("column %s: %w", pin, err)
		}
		if level == gpio.Low {
			low |= 1 << col
		}
	}
	return low, nil
}

func (d *lines) rest() error {
	return d.pull(func(int) bool { return true })
}
