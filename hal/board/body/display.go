//go:build linux

package body

import (
	"periph.io/x/conn/v3/gpio"

	"freizeichen/hal/board"
	"freizeichen/hal/board/bus"
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
	port := bus.NewSPI(p.Place, p.SPI, p.ClockHz)
	b.lit = append(b.lit, port)
	wire := panel.SPI{Conn: port, DC: b.output(p.DataCommand), Reset: reset, SpeedHz: p.ClockHz}
	if p.Kind == board.PanelSSD1322 {
		column := p.Offset
		if column == 0 {
			column = -1 // which Grey calls the first
		}
		return panel.NewSSD1322(panel.Grey{SPI: wire, Double: p.Double, Column: column, Turned: p.Rotated})
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
