//go:build linux

package checks

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"freizeichen/device/screen"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/hal"
	"freizeichen/hal/board"
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

// startWindow is how soon after the start a key that is down was down before.
const startWindow = 3 * time.Second

// keyFor is how long a person has to find a key.
const keyFor = 8 * time.Second

// silentMax is how many keys one after another may be silent before the rest of their row is not asked for: a row whose wire is
// broken must not take minutes. When that happens in rowsMax rows and no key was ever seen, nobody is there.
const silentMax, rowsMax = 3, 2

// layDownFor is how long a person has to lay the handset down: with it in the hand, digits telephone.
const layDownFor = 20 * time.Second

// keys asks for each key in the table's order, and for those again that were not seen, or another in their place: a finger slips.
// Others that come meanwhile are ghosts.
func (b *Bench) keys(ctx context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartKeypad); f.Fault == hal.Missing {
		return selftest.FailBecause(f.Detail)
	}
	if s := b.Body.Switch(); s != nil && s.Up() {
		step.Say(selftest.SayReplace)
		for began := time.Now(); s.Up() && time.Since(began) < layDownFor; {
			if pause(ctx, 50*time.Millisecond) != nil {
				return selftest.Result{}
			}
		}
		step.Say("")
	}
	ghosts := b.Body.Keys().Report().Ghosts
	language, _ := screen.ParseLanguage(b.language().String())
	r := askKeys(b.Body.Table().Keypad.Keys, func(key hal.Key) string {
		return step.Key(ctx, screen.Label(language, "key-"+key.String()), keyFor)
	})
	for range b.Body.Keys().Report().Ghosts - ghosts {
		r.Extra = append(r.Extra, "ghost")
	}
	return r.Judge(b.limits)
}

// askKeys asks for the keys of all rows. ask is the key that came, empty when none did.
func askKeys(rows [][]hal.Key, ask func(hal.Key) string) reading.Keys {
	var r reading.Keys
	again := map[int]hal.Key{} // by place in r
	broken, anybody := 0, false
	for _, row := range rows {
		silent := 0
		for _, key := range row {
			if key == hal.KeyNone || silent == silentMax {
				continue
			}
			seen := ask(key)
			silent++
			if seen != "" {
				silent, anybody = 0, true
			}
			if seen != key.String() {
				again[len(r.Asked)] = key
			}
			r.Asked, r.Seen = append(r.Asked, key.String()), append(r.Seen, seen)
		}
		if silent == silentMax {
			broken++
		}
		if broken == rowsMax && !anybody {
			return r
		}
	}
	for _, i := range slices.Sorted(maps.Keys(again)) {
		if r.Seen[i] != "" || broken == 0 { // a row that is silent stays so
			r.Seen[i] = ask(again[i])
		}
	}
	return r
}

// stuck looks for keys that have been down too long.
func (b *Bench) stuck(_ context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartKeypad); f.Fault == hal.Missing {
		return selftest.FailBecause(f.Detail)
	}
	r := reading.Stuck{Held: map[string]time.Duration{}, PowerOn: step.Level == selftest.PowerOn}
	for key, k := range b.Body.Keys().Report().Keys {
		if k.Down.IsZero() {
			continue
		}
		r.Held[key.String()] = time.Since(k.Down)
		r.PowerOn = r.PowerOn || k.Down.Before(b.began.Add(startWindow)) // nobody holds a key while the power comes
	}
	return r.Judge(b.limits)
}

// bounce judges the contacts by the presses since the start, those of the keys test among them. A key's worst press is known and
// no other: the rest count as quiet, for one bad press in weeks is no worn contact.
func (b *Bench) bounce(context.Context, *selftest.Step) selftest.Result {
	if b.Body.Table().Keypad.Kind == board.KeypadTCA8418 { // it debounces by itself, and tells nobody
		return selftest.Result{Outcome: selftest.NotApplicable, Reason: selftest.Reason{Key: selftest.CauseNoTest}}
	}
	var r reading.Bounce
	for _, k := range b.Body.Keys().Report().Keys {
		for n := range k.Presses {
			press := reading.Press{}
			if n == 0 {
				press.Bounce = k.BounceMax
			}
			r = append(r, press)
		}
	}
	return r.Judge(b.limits)
}
