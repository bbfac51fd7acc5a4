//go:build linux

package main

import (
	"fmt"
	"image"
	"io"
	"strconv"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/screen"
	"freizeichen/hal"
	"freizeichen/hal/panel"
	"freizeichen/sip"
)

// A change is one that an agent's panel shows again and again.
type change struct {
	name          string
	before, after phone.View
	characters    bool // at most a few of them change, and must not send a frame
}

// caller is who calls, here and at the board.
var caller = sip.Party{Name: "Ada", Number: "0281207100"}

const topic = "Elterngeld"

// changes plays a phone's day and takes its views.
func changes() []change {
	at := time.Date(2026, time.November, 23, 9, 41, 59, 0, time.UTC)
	p := phone.New(phone.Config{Name: account, AutoDial: time.Hour, Retention: 24 * time.Hour, Missed: true, Ringer: 7})
	view := func() phone.View { return p.View(at) }
	press := func(keys ...hal.Key) {
		for _, key := range keys {
			p.Step(at, hal.KeyChange{Key: key, Down: true})
			p.Step(at, hal.KeyChange{Key: key})
		}
	}
	var all []change
	note := func(name string, characters bool, do func()) {
		before := view()
		do()
		all = append(all, change{name, before, view(), characters})
	}
	wait := func(d time.Duration) func() {
		return func() { at = at.Add(d); p.Step(at, phone.Tick{}) }
	}
	p.Step(at, sip.Registered{Expires: 5 * time.Minute})
	note("idle: the clock's minute", true, wait(time.Second))
	note("idle: the first digit", false, func() { press(hal.Key0) })
	press(hal.Key2)
	note("a digit typed", true, func() { press(hal.Key8) })
	press(hal.KeyCancel)
	note("idle: it rings", false, func() {
		p.Step(at, sip.Incoming{Call: 2, From: caller, Topic: topic})
	})
	wait(3 * time.Second)()
	note("ringing: a second", true, wait(time.Second))
	note("lifted: talking", false, func() {
		p.Step(at, hal.HookChange{Up: true})
		p.Step(at, sip.Answered{Call: 2})
	})
	wait(3 * time.Second)()
	note("talking: a second", true, wait(time.Second))
	note("the volume bar comes", false, func() { press(hal.KeyVolumeUp) })
	note("a step of the volume bar", true, func() { press(hal.KeyVolumeUp) })
	return all
}

// A glass is a panel on its bus.
type glass struct {
	name       string
	controller panel.Controller
	shows      hal.Panel
	clockHz    int
	turn       time.Duration // what the kernel takes for a transfer beside the bus
	cell       image.Point   // pixels that are sent together or not at all
	cellBytes  int
}

// Clocks of the buses: I2C in fast mode, SPI as boards/cm4.yaml has it, and slower for a controller that takes at most 10 MHz.
const (
	clockI2C  = 400_000
	clockGrey = 8_000_000
	clockTFT  = 40_000_000
)

// turnSPI is two calls of the kernel, for the line and for the bus: hal/panel reckons with the same. On I2C a message is as slow as
// that by itself.
const turnSPI = 20 * time.Microsecond

// glasses are the panels that a board can have. None has a bus: they are only asked for prices.
func glasses() []glass {
	return []glass{
		{"SSD1306, I2C 400 kHz", panel.NewSSD1306(nil, panel.OLED{}), hal.Mono128x64, clockI2C, 0, image.Pt(1, 8), 1},
		{"SH1106, I2C 400 kHz", panel.NewSH1106(nil, panel.OLED{}), hal.Mono128x64, clockI2C, 0, image.Pt(1, 8), 1},
		{"SSD1322, SPI 8 MHz", panel.NewSSD1322(panel.Grey{SPI: panel.SPI{SpeedHz: clockGrey}}), hal.Mono128x64, clockGrey, turnSPI, image.Pt(4, 1), 2},
		{"ST7789, SPI 40 MHz", panel.NewST7789(panel.TFT{SPI: panel.SPI{SpeedHz: clockTFT}}), hal.Colour320x240, clockTFT, turnSPI, image.Pt(1, 1), 2},
	}
}

// time is what a change takes, the kernel's share included.
func (g glass) time(c panel.Cost) time.Duration {
	return c.Time(g.clockHz) + time.Duration(c.Transfers)*g.turn
}

// least is what no driver can go below: the cells that differ, and the opening of one window.
func (g glass) least(before, after *image.Paletted) panel.Cost {
	cells, last := 0, image.Point{}
	for y := 0; y < after.Rect.Dy(); y += g.cell.Y {
		for x := 0; x < after.Rect.Dx(); x += g.cell.X {
			if differ(before, after, image.Rectangle{Max: g.cell}.Add(image.Pt(x, y))) {
				cells, last = cells+1, image.Pt(x, y)
			}
		}
	}
	if cells == 0 {
		return panel.Cost{}
	}
	one := image.NewPaletted(before.Rect, before.Palette)
	copy(one.Pix, before.Pix)
	for y := last.Y; y < last.Y+g.cell.Y; y++ {
		for x := last.X; x < last.X+g.cell.X; x++ {
			one.SetColorIndex(x, y, after.ColorIndexAt(x, y))
		}
	}
	c := panel.Price(g.controller, before, one)
	byteBits := 8
	if g.turn == 0 {
		byteBits = 9 // with the acknowledgement: NXP UM10204 section 3.1.5
	}
	c.Bytes += (cells - 1) * g.cellBytes
	c.Bits += (cells - 1) * g.cellBytes * byteBits
	return c
}

func differ(before, after *image.Paletted, part image.Rectangle) bool {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if before.ColorIndexAt(x, y) != after.ColorIndexAt(x, y) {
				return true
			}
		}
	}
	return false
}

// A characterMax of a frame is what a few characters may send, near the least: up to leastMax times as long. Of changes all over the
// screen the least is out of reach: they need more than one window.
const (
	characterMax = 0.1
	leastMax     = 2.0
)

func printPrices(out io.Writer) error {
	for _, g := range glasses() {
		t := newTable("a change of the screen on "+g.name+", by hal/panel.Price", "", "windows", "bytes", "ms", "frame", "frame ms", "share",
			"least bytes", "least ms", "times least", "goal")
		draw := screen.New(g.shows, screen.German).Draw
		for _, c := range changes() {
			before, after := draw(c.before), draw(c.after)
			cost, frame, least := panel.Price(g.controller, before, after), panel.Price(g.controller, nil, after), g.least(before, after)
			share := float64(cost.Bytes) / float64(frame.Bytes)
			times := float64(g.time(cost)) / float64(max(1, g.time(least)))
			words := ""
			if c.characters {
				words = goal(fmt.Sprintf("at most %.0f %% of a frame", 100*characterMax), share <= characterMax) + "; " +
					goal(fmt.Sprintf("%.0f times the least", leastMax), times <= leastMax)
			}
			t.row(c.name, strconv.Itoa(cost.Windows), strconv.Itoa(cost.Bytes), millis(g.time(cost), 2), strconv.Itoa(frame.Bytes),
				millis(g.time(frame), 2), fmt.Sprintf("%.1f %%", 100*share), strconv.Itoa(least.Bytes), millis(g.time(least), 2),
				fmt.Sprintf("%.2f", times), words)
		}
		if err := t.print(out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "least: the parts of the memory that differ, and the opening of one window. ms: with %s of the kernel for each transfer on SPI;\n"+
		"times least compares ms. Where a window costs more than what lies between two, both are sent as one.\n", turnSPI)
	return err
}
