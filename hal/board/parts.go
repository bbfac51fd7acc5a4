package board

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"freizeichen/firmware/document"
	"freizeichen/hal"
)

// The parts with more than a place: panel and sound.

func (c *checker) panel(p *Panel, m rawPanel) {
	if m.At == (position{}) {
		return
	}
	p.Place = c.place(m.At)
	c.Need(m.At, "panel", "kind", m.Kind)
	document.Choice(c.Problems, &p.Kind, m.Kind, PanelSSD1306, PanelSH1106, PanelSSD1322, PanelST7789, PanelFramebuffer)
	shows := "mono128x64"
	if p.Kind == PanelST7789 || p.Kind == PanelFramebuffer {
		shows = "colour320x240"
	}
	document.Choice(c.Problems, &shows, m.Shows, "mono128x64", "colour320x240")
	if shows == "colour320x240" {
		p.Shows = hal.Colour320x240
	}
	if p.Shows == hal.Colour320x240 && (p.Kind == PanelSSD1306 || p.Kind == PanelSH1106 || p.Kind == PanelSSD1322) {
		c.Add(m.Shows.At, "panel.shows is colour320x240; a %s shows mono128x64", p.Kind)
	}
	document.Value(c.Problems, &p.Rotated, m.Rotated, document.ParseBool)
	document.Value(c.Problems, &p.Double, m.Double, document.ParseBool)
	if p.Kind == PanelSSD1322 {
		p.Offset = 0x1C // in the middle, as most glasses hang
	}
	// 480 columns are 120 units of four (SSD1322 section 8.6), of which the glass shows 64.
	document.Value(c.Problems, &p.Offset, m.Offset, document.NumberOf(0, 56))
	c.unread(p.Kind, m)
	p.Reset = c.pin(m.Reset, "panel.reset")
	if m.Reset.At != (position{}) && !m.Reset.Active.Set {
		c.Add(m.Reset.At, "panel.reset.active is missing: low for a line that resets the panel when it is low, as most do")
	}
	p.Backlight = c.pin(m.Backlight, "panel.backlight")
	switch p.Kind {
	case PanelSSD1306, PanelSH1106:
		p.Chip = c.chip(m.At, m.Bus, m.Address, "panel.address", false)
	case PanelSSD1322, PanelST7789:
		c.Need(m.At, "panel", "spi", m.SPI)
		document.Value(c.Problems, &p.SPI, m.SPI, document.TextOf(spi))
		p.ClockHz = 8_000_000
		document.Value(c.Problems, &p.ClockHz, m.Clock, document.NumberOf(100_000, 80_000_000))
		if m.DataCommand.At == (position{}) {
			c.Add(m.At, "panel.data-command is missing: the line that tells data from commands")
		}
		p.DataCommand = c.pin(m.DataCommand, "panel.data-command")
	case PanelFramebuffer:
		c.Need(m.At, "panel", "device", m.Device)
		document.Value(c.Problems, &p.Device, m.Device, document.TextOf(device))
	}
}

// unread refuses what a kind of panel would not look at: whoever wrote it believes that it does something.
func (c *checker) unread(kind string, m rawPanel) {
	i2c, serial := []string{PanelSSD1306, PanelSH1106}, []string{PanelSSD1322, PanelST7789}
	chips, lit := append(i2c, serial...), []string{PanelST7789, PanelFramebuffer}
	for _, k := range []struct {
		name string
		at   position
		of   []string
	}{
		{"bus", m.Bus.At, i2c}, {"address", m.Address.At, i2c},
		{"spi", m.SPI.At, serial}, {"clock", m.Clock.At, serial}, {"data-command", m.DataCommand.At, serial},
		{"reset", m.Reset.At, chips}, {"rotated", m.Rotated.At, chips}, {"backlight", m.Backlight.At, lit},
		{"device", m.Device.At, []string{PanelFramebuffer}},
		{"double", m.Double.At, []string{PanelSSD1322}}, {"offset", m.Offset.At, []string{PanelSSD1322}},
	} {
		if kind != "" && k.at != (position{}) && !slices.Contains(k.of, kind) {
			c.Add(k.at, "panel.%s is nothing to a %s; it is for %s", k.name, kind, strings.Join(k.of, ", "))
		}
	}
}

func spi(s string) error {
	bus, chip, two := strings.Cut(s, ".")
	_, first := strconv.ParseUint(bus, 10, 7)
	_, second := strconv.ParseUint(chip, 10, 7)
	if !two || first != nil || second != nil {
		return fmt.Errorf("is %s; allowed: BUS.CHIP such as 0.0", document.Excerpt(s))
	}
	return nil
}

func (c *checker) sound(s *Sound, m rawSound, path string) {
	if m.At == (position{}) {
		return
	}
	*s = Sound{Place: c.place(m.At), Playback: "both", Capture: "left"}
	c.Need(m.At, path, "card", m.Card)
	document.Value(c.Problems, &s.Card, m.Card, document.TextOf(text))
	document.Value(c.Problems, &s.Device, m.Device, document.NumberOf(0, 31))
	document.Choice(c.Problems, &s.Playback, m.Playback, "left", "right", "both")
	document.Choice(c.Problems, &s.Capture, m.Capture, "left", "right", "both")
	document.Value(c.Problems, &s.CouplingDB, m.Coupling, parseDecibels)
	for i, r := range m.Mixer {
		at := fmt.Sprintf("%s.mixer[%d]", path, i)
		control := Control{Place: c.place(r.At)}
		document.Value(c.Problems, &control.Name, r.Control, document.TextOf(text))
		document.Value(c.Problems, &control.Index, r.Index, document.NumberOf(0, 31))
		document.Value(c.Problems, &control.DB, r.DB, document.TextOf(decibels))
		document.Choice(c.Problems, &control.Switch, r.Switch, "on", "off")
		document.Value(c.Problems, &control.Choice, r.Choice, document.TextOf(text))
		values := 0
		for _, v := range []scalar{r.DB, r.Switch, r.Choice} {
			if v.Set {
				values++
			}
		}
		if values != 1 {
			c.Add(r.At, "%s needs one of db, switch and choice", at)
		}
		s.Mixer = append(s.Mixer, control)
	}
}
