//go:build linux

package checks

import (
	"context"
	"errors"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/hal"
	"freizeichen/hal/clock"
	"freizeichen/hal/sensor"
)

// ticks is a first look at the clock: how it ticks shows the second, ten seconds later.
type ticks struct {
	reading clock.Reading
	err     error
}

// read looks at the clock now.
func (b *Bench) readClock() (clock.Reading, error) {
	c := b.Body.Table().Clock
	at := time.Now()
	var t time.Time
	var err error
	if c.Chip.Place != "" && c.Address != 0 {
		t, err = clock.DS3231{Bus: b.Body.Bus(c.Bus), Addr: c.Address}.Read()
	} else {
		t, err = clock.Kernel{Path: c.Device}.Read()
	}
	return clock.Reading{Clock: t, At: at}, err
}

// beginTicks takes the first look, with the beginning of a run.
func (b *Bench) beginTicks() {
	if b.Body.Table().Clock.Place == "" {
		return
	}
	first, err := b.readClock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ticks = ticks{first, err}
}

// clock compares ten seconds of the clock with ours.
func (b *Bench) clock(ctx context.Context, step *selftest.Step) selftest.Result {
	b.mu.Lock()
	first := b.ticks
	b.mu.Unlock()
	if first.err == nil {
		if left := clock.TickTime - time.Since(first.reading.At); left > 0 {
			step.Say("")
			if pause(ctx, left) != nil {
				return selftest.Result{}
			}
		}
	}
	second, err := b.readClock()
	err = errors.Join(first.err, err)
	stood := errors.Is(err, clock.ErrStopped)
	if err != nil && !stood {
		return failed(err)
	}
	if stood {
		return selftest.FailBecause(clock.ErrStopped.Error())
	}
	low := false
	return reading.Clock{Clock: second.Clock.Sub(first.reading.Clock), Monotonic: second.At.Sub(first.reading.At), BatteryLow: &low}.Judge(b.limits)
}

// temperature reads the board's sensor, the processor's zone and what the firmware says of the supply.
func (b *Bench) temperature(context.Context, *selftest.Step) selftest.Result {
	t := b.Body.Table().Temperature
	var r reading.Temperature
	if t.Address != 0 {
		celsius, err := sensor.LM75{Bus: b.Body.Bus(t.Bus), Addr: t.Address}.Celsius()
		if err != nil {
			return failed(err)
		}
		r.Board = &celsius
	}
	zones, err := sensor.Zones("")
	if err != nil {
		return failed(err)
	}
	for _, z := range zones {
		if celsius, err := z.Celsius(); err == nil && z.Type == t.Zone {
			r.SoC = &celsius
		}
	}
	if t.Zone != "" && r.SoC == nil {
		return selftest.FailBecause("there is no thermal zone " + t.Zone)
	}
	if throttle, err := sensor.ReadThrottle(""); err == nil {
		r.UnderVoltage = &throttle.UnderVoltage
		if !throttle.VoltageOnly {
			slow := throttle.Throttled || throttle.Capped
			r.Throttled = &slow
		}
	}
	return r.Judge(b.limits)
}

// keyFor is how long a person has to find a key.
const keyFor = 8 * time.Second

// keys asks for each key in the table's order. Others that come meanwhile are ghosts, or a slip.
func (b *Bench) keys(ctx context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartKeypad); f.Fault == hal.Missing {
		return selftest.FailBecause(f.Detail)
	}
	ghosts := b.Body.Keys().Report().Ghosts
	var r reading.Keys
	silent := 0
	for _, row := range b.Body.Table().Keypad.Keys {
		for _, key := range row {
			if key == hal.KeyNone {
				continue
			}
			r.Asked = append(r.Asked, key.String())
			seen := ""
			if silent < 3 { // three keys in a row that nobody presses: nobody is there
				seen = step.Key(ctx, key.String(), keyFor)
			}
			if seen == "" {
				silent++
			} else {
				silent = 0
			}
			r.Seen = append(r.Seen, seen)
		}
	}
	for range b.Body.Keys().Report().Ghosts - ghosts {
		r.Extra = append(r.Extra, "ghost")
	}
	return r.Judge(b.limits)
}

// stuck looks for keys that have been down too long.
func (b *Bench) stuck(_ context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartKeypad); f.Fault == hal.Missing {
		return selftest.FailBecause(f.Detail)
	}
	r := reading.Stuck{Held: map[string]time.Duration{}, PowerOn: step.Level == selftest.PowerOn}
	for key, k := range b.Body.Keys().Report().Keys {
		if !k.Down.IsZero() {
			r.Held[key.String()] = time.Since(k.Down)
		}
	}
	return r.Judge(b.limits)
}

// bounce judges the contacts by all presses since the start, those of the keys test among them.
func (b *Bench) bounce(context.Context, *selftest.Step) selftest.Result {
	var r reading.Bounce
	for _, k := range b.Body.Keys().Report().Keys {
		for range k.Presses {
			r = append(r, reading.Press{Bounce: k.BounceMax})
		}
	}
	return r.Judge(b.limits)
}
