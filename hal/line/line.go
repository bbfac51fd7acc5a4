// Package line gives GPIO lines of Linux as periph's pins, by version 2 of the kernel's character device
// (include/uapi/linux/gpio.h, Linux 5.10 and later). What periph's own gpioioctl lacks is here: an output starts with the
// level that was asked for, edges keep the kernel's time and direction, reading an output leaves it an output, waiting can be
// cancelled, and a chip that appears later is found.
//
//	OpenInput, OpenOutput --GET_LINE--> *Line --SET_CONFIG--> In, Out, Halt
//	     |                                |------GET_VALUES, SET_VALUES--> Read, Value, Out
//	  Chips, Chip.Lines                   |<-----events of 48 bytes------- NextEdge, WaitForEdge
//	  (CHIPINFO, LINEINFO)
//
// Levels are logical: High is active, which on a line with Options.ActiveLow is 0 V. The package knows no keys and no hook,
// keeps no registry, and asks the kernel anew each time.
package line

import (
	"errors"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// An Address says which line is meant.
type Address struct {
	// Chip is the chip's label as gpiodetect shows it ("pinctrl-bcm2711"), or its device ("gpiochip0", "/dev/gpiochip0").
	// Labels are the better choice: the numbers change between kernels. Empty means whichever chip has a line of that name.
	Chip string
	// Line is the line's name ("HOOK"), or its offset in the chip ("17").
	Line string
}

func (a Address) String() string {
	if a.Chip == "" {
		return "line " + a.Line
	}
	return a.Chip + " line " + a.Line
}

// Options are what periph's contract has no word for. The zero value is a plain line.
type Options struct {
	// ActiveLow turns the levels around: High is 0 V, a rising edge is a falling voltage.
	ActiveLow bool
	// OpenDrain makes an output that only ever pulls to 0 V.
	OpenDrain bool
	// Pull is the bias resistor of an output or, unless In says otherwise, of an input.
	Pull gpio.Pull
	// Debounce is how long the kernel wants an input stable before it reports it; 0 is not at all.
	Debounce time.Duration
	// Queue is how many edges the kernel keeps for us before the oldest are lost; 0 is 64.
	Queue int
	// Consumer is what gpioinfo shows as the line's user; empty is "freizeichen".
	Consumer string
}

// An Edge is one change of an input's level.
type Edge struct {
	// At is the kernel's time of the interrupt on CLOCK_MONOTONIC.
	At time.Duration
	// Time is At on this process's clock, with its monotonic reading, so that it compares with time.Now.
	Time time.Time
	// Rising tells a change to High.
	Rising bool
	// Seq numbers the edges of the line; it wraps.
	Seq uint32
	// Lost is how many edges right before this one were dropped, because nobody took them in time.
	Lost uint32
}

// A Chip is one GPIO chip of the machine.
type Chip struct {
	Path  string // device, "/dev/gpiochip0"
	Name  string // "gpiochip0"
	Label string // "pinctrl-bcm2711"
	Lines int    // number of lines, offsets 0 to Lines-1
}

// Info is what the kernel tells about a line, whoever uses it.
type Info struct {
	Offset   int
	Name     string // may be empty
	Consumer string // who uses it; may be empty even if somebody does
	Used     bool
	Output   bool
}

var (
	// ErrHalted is how waiting ends when In, Out or Halt are called meanwhile, or when no edges were asked for.
	ErrHalted = errors.New("line: waiting was halted")
	// ErrClosed is what everything says after Close.
	ErrClosed = errors.New("line: closed")
	// ErrTimeout is how NextEdge ends when there was no edge in time.
	ErrTimeout = errors.New("line: no edge in time")
)
