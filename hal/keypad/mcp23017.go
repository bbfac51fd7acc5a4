package keypad

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

// Registers of the MCP23017 with IOCON.BANK clear (DS20001952C table 3-3): port A, and port B right after it.
const (
	mcpIODIRA   = 0x00
	mcpIODIRB   = 0x01
	mcpGPINTENB = 0x05 // with BANK set: IOCON
	mcpDEFVALA  = 0x06
	mcpIOCON    = 0x0A
	mcpGPIOB    = 0x13
	mcpOLATA    = 0x14
)

// mcpConfigured is IOCON (register 3-6): both INT pins are one, so that either may be wired; they are open drain, so that the
// pull-up decides the voltage.
const mcpConfigured = 0x40 | 0x04

// mcpFilled is how many registers are configured, from IODIRA to GPPUB.
const mcpFilled = 14

// mcpCheckEvery is how often the configuration is checked while keys are down.
const mcpCheckEvery = time.Second

type mcp23017 struct {
	*scanner
	dev     i2c.Dev
	checked time.Time
}

// StartMCP23017 watches a matrix between port A (rows) and port B (columns) of an MCP23017, address 20h to 27h; INTA or INTB is at
// pin. Bus and pin stay the caller's; the pin must have a pull-up, and Low must be 0 V. Revision D of the datasheet makes GPA7 and GPB7 outputs: boards
// do well to leave row 7 and column 7 free.
func StartMCP23017(bus i2c.Bus, addr uint16, pin gpio.PinIn, o Options) (*Keypad, error) {
	if err := o.check(8, 8); err != nil {
		return nil, err
	}
	k := newKeypad(o, scanned)
	d := &mcp23017{dev: i2c.Dev{Bus: bus, Addr: addr}}
	d.scanner = &scanner{Keypad: k, interrupt: interrupt{pins: []gpio.PinIn{pin}, pause: k.sleep}, matrix: d,
		name: fmt.Sprintf("MCP23017 at %#x", addr)}
	d.rows, d.cols = o.Keys.Lines()
	return k.watch(d), nil
}

func (d *mcp23017) write(reg byte, values ...byte) error {
	if err := transfer(&d.dev, append([]byte{reg}, values...), nil); err != nil {
		return fmt.Errorf("write register %#02x: %w", reg, err)
	}
	return nil
}

func (d *mcp23017) read(reg byte, values []byte) error {
	if err := transfer(&d.dev, []byte{reg}, values); err != nil {
		return fmt.Errorf("read register %#02x: %w", reg, err)
	}
	return nil
}

// configuration is registers 00h to 0Dh at rest.
func (d *mcp23017) configuration() [mcpFilled]byte {
	cols := byte(d.cols)
	return [mcpFilled]byte{
		^d.rows, 0xFF, // IODIR: rows are outputs, all else inputs
		0, 0, // IPOL
		0, cols, // GPINTEN
		// Section 3.6.5: against DEFVAL an interrupt stays as long as a key is down. It cannot fall between two of our steps.
		0, cols, // DEFVAL
		0, cols, // INTCON
		mcpConfigured, mcpConfigured,
		0xFF, 0xFF, // GPPU: pull-ups also for rows that are let go, and for pins that nobody uses
	}
}

func (d *mcp23017) setup() error {
	d.restart()
	if err := d.interrupt.start(); err != nil {
		return d.fail("turn edges on", err)
	}
	registers := d.configuration()
	registers[mcpGPINTENB] = 0
	for _, step := range [][]byte{
		{mcpGPINTENB, 0}, // if BANK was set, this clears it; if not, it turns interrupts off
		{mcpIOCON, mcpConfigured},
		{mcpOLATA, 0, 0}, // before any pin is an output: none ever drives high
		append([]byte{mcpIODIRA}, registers[:]...),
	} {
		if err := d.write(step[0], step[1:]...); err != nil {
			return d.fail("configure", err)
		}
	}
	if err := d.verify(false); err != nil {
		return d.fail("configure", err)
	}
	return nil
}

// verify compares the registers with what was written; while scanning, direction and interrupt are different.
func (d *mcp23017) verify(resting bool) error {
	d.checked = time.Now()
	want, got := d.configuration(), [mcpFilled]byte{}
	if err := d.read(mcpIODIRA, got[:]); err != nil {
		return err
	}
	if !resting {
		want[mcpIODIRA], want[mcpGPINTENB] = got[mcpIODIRA], got[mcpGPINTENB]
	}
	// Bit 7 of IODIR is not compared where no key is: revision D of the datasheet gives it another value.
	for port, used := range [2]byte{d.rows, byte(d.cols)} {
		want[port], got[port] = want[port]|0x80&^used, got[port]|0x80&^used
	}
	if got != want {
		return fmt.Errorf("registers 00h to 0Dh read % x; written were % x: %w", got, want, errVerify)
	}
	return nil
}

func (d *mcp23017) begin() error { return d.write(mcpGPINTENB, 0) }

// drive makes an output of one row alone. A row is never driven high: two keys in a column would join two outputs.
func (d *mcp23017) drive(row int) error {
	if row < 0 {
		if time.Since(d.checked) > mcpCheckEvery {
			if err := d.verify(false); err != nil {
				return err
			}
		}
		return d.write(mcpIODIRA, 0xFF)
	}
	return d.write(mcpIODIRA, ^byte(1<<row))
}

func (d *mcp23017) columns() (low uint16, err error) {
	var levels [1]byte
	err = d.read(mcpGPIOB, levels[:])
	return uint16(^levels[0]), err
}

func (d *mcp23017) rest() error {
	if err := d.write(mcpIODIRA, ^d.rows); err != nil {
		return err
	}
	if err := d.write(mcpGPINTENB, byte(d.cols)); err != nil {
		return err
	}
	_, err := d.columns() // section 3.6.4: reading clears what a scan has left
	return err
}
