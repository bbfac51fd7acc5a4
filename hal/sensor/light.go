package sensor

import (
	"fmt"
	"time"

	"freizeichen/hal"

	"periph.io/x/conn/v3/i2c"
)

// oneTimeH is the operation code for one measurement of 1 lx resolution, which also filters the flicker of lamps on the mains;
// the sensor powers down by itself afterwards (page 5). One-time, not continuous: a sensor that lost its power would read
// 0 lx for ever, and nobody could tell that from the night.
const oneTimeH = 0x20

// measureTime is the longest time of that measurement (page 2, tHR).
const measureTime = 180 * time.Millisecond

// A BH1750 is a sensor of ambient light.
type BH1750 struct {
	Bus  i2c.Bus
	Addr uint16 // 0x23, or 0x5C with its pin ADDR high
	// Window is how much of the light the case lets through, above 0 to 1; 0 is as 1.
	Window float64
}

// Lux measures for 180 ms. 54612 lx and more, direct sun, is 54612.
func (b BH1750) Lux() (float64, error) {
	start := func() error { return b.Bus.Tx(b.Addr, []byte{oneTimeH}, nil) } // one code, then stop (page 10)
	if err := start(); err != nil {
		return 0, fmt.Errorf("sensor: light at %#x: start: %w", b.Addr, notThere(err, start))
	}
	time.Sleep(measureTime)
	var r [2]byte
	if err := b.Bus.Tx(b.Addr, nil, r[:]); err != nil {
		return 0, fmt.Errorf("sensor: light at %#x: read: %w", b.Addr, notThere(err, start))
	}
	lux := float64(uint16(r[0])<<8|uint16(r[1])) / 1.2 // page 10, the example
	if b.Window > 0 && b.Window < 1 {
		lux /= b.Window
	}
	return lux, nil
}

// Follow measures light on a goroutine of its own, every 2 s while it changes and every 8 s while it stays, and calls level
// whenever the brightness changes, also with the
// first one; while it changes slowly, ten times a second. A sensor that fails is reported, and the brightness goes to the
// curve's brightest: what cannot be read by day is worse than what is too bright at night. level must not block. stop ends it
// and waits.
func Follow(lux func() (float64, error), curve Curve, level func(uint8), report func(hal.PartChange)) (stop func(), err error) {
	d, err := NewDimmer(curve)
	if err != nil {
		return nil, err
	}
	f := follower{dimmer: d, lux: lux, level: level, health: health{part: hal.PartLight, report: report}}
	return loop(f.step), nil
}

// pollSteady is how often the light is measured while it stays: a phone at rest shall wake for little.
const pollSteady = 8 * time.Second

// A follower joins sensor and dimmer.
type follower struct {
	dimmer *Dimmer
	lux    func() (float64, error)
	level  func(uint8)
	health health
	shown  uint8
	poll   time.Time
}

// step measures if it is time, lets the brightness go a step, and says when it wants to be called again.
func (f *follower) step() time.Time {
	if now := time.Now(); now.Before(f.poll) {
		f.dimmer.Tick(now)
	} else {
		lux, err := f.lux()
		f.health.result(err)
		now = time.Now() // a measurement takes time
		f.poll = now.Add(PollMin)
		before := f.dimmer.target
		switch {
		case err == nil:
			f.dimmer.Light(now, lux)
		case f.health.fault != hal.Working:
			f.dimmer.Blind(now)
		}
		if err == nil && f.dimmer.target == before {
			f.poll = now.Add(pollSteady)
		}
	}
	if l := f.dimmer.Level(); l != 0 && l != f.shown {
		f.shown = l
		f.level(l)
	}
	if d := f.dimmer.Deadline(); !d.IsZero() && d.Before(f.poll) {
		return d
	}
	return f.poll
}
