package lamp

import (
	"fmt"
	"time"

	"freizeichen/hal"

	"periph.io/x/conn/v3/gpio"
)

// A line is a lamp on a GPIO line.
type line struct {
	lamp  hal.Lamp
	pin   gpio.PinOut
	known bool // high is what was written; outputs are not read, that would make them inputs
	high  bool
}

func (l *line) name() string { return fmt.Sprintf("line %s (%s)", l.pin, l.lamp) }

func (l *line) show(s *scene, now time.Time) error {
	on := s.lit(l.lamp, now)
	if l.known && l.high == on {
		return nil
	}
	l.known = false
	if err := l.pin.Out(gpio.Level(on)); err != nil {
		return fmt.Errorf("set %s: %w", gpio.Level(on), err)
	}
	l.known, l.high = true, on
	return nil
}

func (l *line) next(s *scene, now time.Time) time.Time { return s.next(l.lamp, now) }
