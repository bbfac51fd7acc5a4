//go:build linux

package checks

import (
	"context"
	"errors"
	"sync"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/hal/clock"
	"freizeichen/hal/sensor"
)

// ticks is a first look at the clock: how it ticks shows the second, ten seconds or more later.
type ticks struct {
	reading clock.Reading
	err     error
	taken   bool
}

// Of a clock that counts seconds the moment of a second's change is looked for.
const (
	edgeEvery = 20 * time.Millisecond
	edgeMax   = 1200 * time.Millisecond
)

// readClock looks at the clock now.
func (b *Bench) readClock() (clock.Reading, error) {
	c := b.Body.Table().Clock
	at := time.Now()
	var t time.Time
	var err error
	if c.Address != 0 {
		t, err = clock.DS3231{Bus: b.Body.Bus(c.Bus), Addr: c.Address}.Read()
	} else {
		t, err = clock.Kernel{Path: c.Device}.Read()
	}
	return clock.Reading{Clock: t, At: at}, err
}

// seconds finds where the seconds of a clock begin. Where one began is remembered, so that the next is found with a few looks
// instead of fifty: the test runs every two minutes on the keys' own bus.
type seconds struct {
	read func() (clock.Reading, error)

	mu    sync.Mutex
	began time.Time // of the last that was found; zero: none
}

// before is how long to wait until shortly before the next second. Two looks are left for a beginning that was seen late.
func (s *seconds) before(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		return 0
	}
	return (2*time.Second - 2*edgeEvery - now.Sub(s.began)%time.Second) % time.Second
}

// next waits for the clock's next second. A clock that stands is taken as it is.
func (s *seconds) next(ctx context.Context) (clock.Reading, error) {
	if err := pause(ctx, s.before(time.Now())); err != nil {
		return clock.Reading{}, err
	}
	first, err := s.read()
	for now := first; err == nil && time.Since(first.At) < edgeMax; {
		if err = pause(ctx, edgeEvery); err != nil {
			break
		}
		if now, err = s.read(); err == nil && !now.Clock.Equal(first.Clock) {
			s.mu.Lock()
			s.began = now.At
			s.mu.Unlock()
			return now, nil
		}
	}
	return first, err
}

// beginTicks takes the first look with the beginning of a run, and keeps it for the tests that run all the time.
func (b *Bench) beginTicks(level selftest.Level) {
	b.mu.Lock()
	taken := b.ticks.taken
	b.mu.Unlock()
	if b.Body.Table().Clock.Place == "" || level == selftest.PowerOn || level == selftest.Continuous && taken {
		return
	}
	first, err := b.seconds.next(context.Background())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ticks = ticks{first, err, err == nil}
}

// clock compares ten seconds of the clock, or more, with ours.
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
	second, err := b.seconds.next(ctx)
	if ctx.Err() != nil {
		return selftest.Result{}
	}
	if err = errors.Join(first.err, err); err != nil {
		return failed(err)
	}
	if step.Level == selftest.Continuous { // the next compares from here: what a good clock loses in weeks is no defect
		b.mu.Lock()
		b.ticks = ticks{second, nil, true}
		b.mu.Unlock()
	}
	// One that stood says so, and is no reading.
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
	zones, err := sensor.Zones(b.root)
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
	if throttle, err := sensor.ReadThrottle(b.root); err == nil {
		r.UnderVoltage = &throttle.UnderVoltage
		if !throttle.VoltageOnly {
			slow := throttle.Throttled || throttle.Capped
			r.Throttled = &slow
		}
	}
	return r.Judge(b.limits)
}
