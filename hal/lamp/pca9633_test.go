package lamp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

// The transfers of a start, as a logic analyser would show them.
func TestAChipIsWokenBeforeItsOutputsAreSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
			{Addr: 0x62, W: []byte{0x80, 0x00}},                                      // SLEEP off, ALLCALL off
			{Addr: 0x62, W: []byte{0x81, 0x25, 0xFF, 0, 0xFF, 0, 0, 0, 0x00}},        // all the rest, dark
			{Addr: 0x62, W: []byte{0x88, 0x02}},                                      // channel 0 by PWM
			{Addr: 0x62, W: []byte{0x82, 0x40}}, {Addr: 0x62, W: []byte{0x84, 0x40}}, // dimmed: PWM0 and PWM2 alone
			{Addr: 0x62, W: []byte{0x86, 0x80, 47, 0x03}}, // 2 s, half of it: the chip blinks
			{Addr: 0x62, W: []byte{0x88, 0x00}},
		}}
		chip := &Chip{Bus: bus, Addr: 0x62}
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampHold, Chip: chip}, {Lamp: hal.LampMute, Chip: chip, Channel: 2}}})
		time.Sleep(time.Second)
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Steady}))
		synctest.Wait()
		l.Dim(0x40)
		synctest.Wait()
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.BlinkSlow}))
		time.Sleep(5 * time.Second) // no transfer while it blinks
		if err := l.Close(hal.Lamps{}); err != nil {
			t.Error(err)
		}
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAChipWithExternalDriversIsInverted(t *testing.T) {
	s := newScene(scene{level: 255}, hal.Lamps{}, nil, time.Now())
	for wiring, want := range map[Chip]byte{{}: 0x25, {OpenDrain: true}: 0x21, {Invert: true}: 0x35} {
		if got := (&chip{wiring: wiring}).image(&s, time.Now())[regMode2]; got != want {
			t.Errorf("%+v: MODE2 %#02x, want %#02x", wiring, got, want)
		}
	}
}

func TestAllRhythmsOfThePhoneCanBlinkInTheChip(t *testing.T) {
	for b := range hal.BlinkCount {
		on, off := b.Pattern()
		pwm, freq, ok := groupBlink(b)
		if ok != (on > 0) {
			t.Errorf("%s: ok is %v", b, ok)
		}
		if b == hal.BlinkFast && (pwm != 128 || freq != 5) {
			t.Errorf("%s: GRPPWM %d, GRPFREQ %d, want 128 and 5: 250 ms, half of it", b, pwm, freq)
		}
		_ = off
	}
}

// lightsOn opens two chips of two lamps each.
func lightsOn(t *testing.T, bus *haltest.Bus, r *reporter) (*Lights, *haltest.PCA9633, *haltest.PCA9633) {
	t.Helper()
	one, two := haltest.NewPCA9633(), haltest.NewPCA9633()
	bus.Attach(0x62, one)
	bus.Attach(0x63, two)
	a, b := &Chip{Bus: bus, Addr: 0x62}, &Chip{Bus: bus, Addr: 0x63}
	l := open(t, Config{Report: r.report, Bindings: []Binding{
		{Lamp: hal.LampMessage, Chip: a, Channel: 0}, {Lamp: hal.LampLine1, Chip: a, Channel: 1},
		{Lamp: hal.LampHold, Chip: b, Channel: 0}, {Lamp: hal.LampMute, Chip: b, Channel: 3}}})
	return l, one, two
}

func TestChipsShowWhatIsAskedWhateverCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, r := &haltest.Bus{}, &reporter{}
		l, one, two := lightsOn(t, bus, r)
		random := rand.New(rand.NewPCG(1, 2))
		where := map[hal.Lamp]func(time.Time) (bool, uint8){
			hal.LampMessage: func(now time.Time) (bool, uint8) { return one.Lit(0, now) },
			hal.LampLine1:   func(now time.Time) (bool, uint8) { return one.Lit(1, now) },
			hal.LampHold:    func(now time.Time) (bool, uint8) { return two.Lit(0, now) },
			hal.LampMute:    func(now time.Time) (bool, uint8) { return two.Lit(3, now) },
		}
		for step := range 200 {
			var lamps hal.Lamps
			for lamp := range lamps {
				lamps[lamp] = hal.Blink(random.IntN(int(hal.BlinkCount)))
			}
			level := uint8(random.IntN(256))
			l.Show(lamps)
			l.Dim(level)
			time.Sleep(10 * time.Millisecond)
			lit := map[hal.Lamp]int{}
			const look = 6000 // ms: two periods of the longest rhythm
			for range look / 10 {
				for lamp, is := range where {
					if on, brightness := is(time.Now()); on {
						lit[lamp]++
						if brightness != max(level, 1) {
							t.Fatalf("step %d: %s has brightness %d, want %d", step, lamp, brightness, max(level, 1))
						}
					}
				}
				time.Sleep(10 * time.Millisecond)
			}
			for lamp := range where {
				want, tolerance := 0, 0
				if on, off := lamps[lamp].Pattern(); on > 0 {
					tolerance = int(look*time.Millisecond/(on+off)) + 1 // one look in each period
					want = int(look / 10 * on / (on + off))
				} else if lamps[lamp] == hal.Steady {
					want = look / 10
				}
				if lit[lamp] < want-tolerance || lit[lamp] > want+tolerance {
					t.Fatalf("step %d: %s (%s) shone %d of %d looks, want about %d", step, lamp, lamps[lamp], lit[lamp], look/10, want)
				}
			}
		}
		if got := r.take(); got != nil {
			t.Errorf("reported %v", got)
		}
	})
}

func TestOneRhythmOnTwoChipsIsKeptTogetherBySoftware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, r := &haltest.Bus{}, &reporter{}
		l, one, two := lightsOn(t, bus, r)
		two.Ahead(77 * time.Millisecond)
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.BlinkFast, hal.LampLine1: hal.BlinkFast}))
		synctest.Wait()
		time.Sleep(time.Millisecond)
		if one.Register(regLEDOut) != 0x0F {
			t.Errorf("LEDOUT %#02x: two lamps of one rhythm on one chip are not blinked by it", one.Register(regLEDOut))
		}
		time.Sleep(333 * time.Millisecond)
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.BlinkFast, hal.LampHold: hal.BlinkFast}))
		for range 400 {
			time.Sleep(5*time.Millisecond + time.Microsecond)
			a, _ := one.Lit(0, time.Now())
			b, _ := two.Lit(0, time.Now())
			if a != b {
				t.Fatal("two chips do not blink together")
			}
		}
		// One rhythm of its own, one shared: the own one in the chip.
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.BlinkSlow, hal.LampLine1: hal.BlinkFast, hal.LampHold: hal.BlinkFast}))
		synctest.Wait()
		if got := one.Register(regLEDOut) & 3; got != driveGroup || one.Register(regLEDOut)>>2 == driveGroup {
			t.Errorf("LEDOUT %#02x", one.Register(regLEDOut))
		}
		if err := l.Close(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.Wink})); err != nil || one.Register(regLEDOut) != drivePWM {
			t.Errorf("after Close LEDOUT is %#02x, %v: a last state stands still", one.Register(regLEDOut), err)
		}
	})
}

func TestAChipThatLostItsPowerIsWrittenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, r := &haltest.Bus{}, &reporter{}
		l, one, two := lightsOn(t, bus, r)
		asked := shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.Steady, hal.LampHold: hal.Steady})
		l.Show(asked)
		time.Sleep(time.Second)

		// With a change in between, that is not acknowledged.
		bus.Attach(0x62, nil)
		asked[hal.LampLine1] = hal.Steady
		l.Show(asked)
		time.Sleep(time.Second)
		wantFault(t, r, hal.Missing, "0x62", "message, line1")
		one.PowerOn()
		bus.Attach(0x62, one)
		time.Sleep(retryMax + time.Second)
		wantFault(t, r, hal.Working)
		for channel := range 2 {
			if on, _ := one.Lit(channel, time.Now()); !on {
				t.Errorf("channel %d is dark after the power came back", channel)
			}
		}

		// In silence, while nothing changes.
		two.PowerOn()
		two.Corrupt(regPWM0, 3)
		time.Sleep(checkEvery + time.Second)
		if on, brightness := two.Lit(0, time.Now()); !on || brightness != 255 {
			t.Errorf("after a silent loss of power: lit %v, brightness %d", on, brightness)
		}
		if got := r.take(); got != nil {
			t.Errorf("what repairs itself was reported: %v", got)
		}
	})
}

func TestTwoFaultsAreToldApartAndEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, r := &haltest.Bus{}, &reporter{}
		l, _, two := lightsOn(t, bus, r)
		time.Sleep(time.Second)
		stuck := errors.New("arbitration lost")
		bus.Fail(func(addr uint16, w, _ []byte) error {
			if addr == 0x62 && len(w) > 1 { // writes alone: the chip is there
				return stuck
			}
			return nil
		})
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.Steady}))
		synctest.Wait()
		wantFault(t, r, hal.Failing, "0x62", "arbitration lost")
		bus.Attach(0x63, nil)
		time.Sleep(checkEvery)
		wantFault(t, r, hal.Missing, "0x62", "0x63")
		bus.Fail(nil)
		time.Sleep(retryMax)
		wantFault(t, r, hal.Missing, "0x63")
		bus.Attach(0x63, two)
		time.Sleep(retryMax)
		wantFault(t, r, hal.Working)
	})
}

func TestAfterAnErrorNothingIsTakenForWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &haltest.Bus{}
		record := &i2ctest.Record{Bus: bus}
		bus.Attach(0x62, haltest.NewPCA9633())
		l := open(t, Config{Bindings: []Binding{{Lamp: hal.LampHold, Chip: &Chip{Bus: record, Addr: 0x62}}}})
		time.Sleep(time.Second)
		failed := false
		bus.Fail(func(uint16, []byte, []byte) error {
			if failed {
				return nil
			}
			failed = true
			return errors.New("arbitration lost")
		})
		record.Lock()
		before := len(record.Ops)
		record.Unlock()
		l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.Steady}))
		time.Sleep(time.Second)
		var writes [][]byte
		record.Lock()
		defer record.Unlock()
		for _, op := range record.Ops[before:] {
			if op.R == nil {
				writes = append(writes, op.W)
			}
		}
		want := [][]byte{{0x80, 0}, {0x81, 0x25, 0xFF, 0, 0, 0, 0, 0, 2}}
		if !slices.EqualFunc(writes, want, bytes.Equal) {
			t.Errorf("written % x, want % x", writes, want)
		}
	})
}

// Half transfers: the bus fails after any number of bytes, again and again; in the end the lamps are right.
func TestHalfTransfersHealThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(50) {
			bus, r, random := &haltest.Bus{}, &reporter{}, rand.New(rand.NewPCG(seed, 0))
			noise := rand.New(rand.NewPCG(seed, 1)) // the bus is used by other goroutines
			l, one, _ := lightsOn(t, bus, r)
			bus.Fail(func(addr uint16, w, _ []byte) error {
				if addr == 0x62 && noise.IntN(3) == 0 {
					one.Write(w[:noise.IntN(len(w)+1)]) // what still got through
					return errors.New("remote I/O error")
				}
				return nil
			})
			for range 20 {
				l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampMessage: hal.Blink(random.IntN(6)), hal.LampLine1: hal.Blink(random.IntN(6))}))
				time.Sleep(100 * time.Millisecond)
			}
			bus.Fail(nil)
			l.Show(shown(map[hal.Lamp]hal.Blink{hal.LampLine1: hal.Steady}))
			time.Sleep(retryMax + time.Second)
			dark, _ := one.Lit(0, time.Now())
			lit, _ := one.Lit(1, time.Now())
			if dark || !lit {
				t.Fatalf("seed %d: lamps %v %v, want dark and lit", seed, dark, lit)
			}
			if reports := r.take(); len(reports) > 0 && reports[len(reports)-1].Fault != hal.Working {
				t.Fatalf("seed %d: the last report is %v", seed, reports[len(reports)-1])
			}
			if err := l.Close(hal.Lamps{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestARegisterThatCannotBeWrittenIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, r := &haltest.Bus{}, &reporter{}
		l, one, _ := lightsOn(t, bus, r)
		time.Sleep(time.Second)
		bus.Fail(func(addr uint16, w, _ []byte) error {
			if addr == 0x62 && len(w) == 1 {
				one.Corrupt(regPWM0, 0x10) // as if the bit were burnt out
			}
			return nil
		})
		time.Sleep(2 * checkEvery)
		wantFault(t, r, hal.Failing, "0x62", "register 0x02 reads 0x10")
		if err := l.Close(hal.Lamps{}); err != nil {
			t.Error(err)
		}
	})
}
