package keypad

import (
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"
	"freizeichen/hal/keypad/contact"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"
)

// play runs a keypad against a recording, and presses the interrupt line once.
func play(t *testing.T, addr uint16, ops []i2ctest.IO, start func(bus i2c.Bus, r *rig, o Options) (*Keypad, error)) string {
	t.Helper()
	told := ""
	synctest.Test(t, func(t *testing.T) {
		for i := range ops {
			ops[i].Addr = addr
		}
		bus := &i2ctest.Playback{Ops: ops, DontPanic: true}
		r, p := &rig{pin: newPin("KB_INT")}, &phone{}
		k, err := start(bus, r, p.options())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * ms)
		r.pin.set(false)
		r.pin.set(true)
		time.Sleep(80 * ms)
		k.Close()
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
		keys, parts := p.take()
		if len(parts) > 0 {
			t.Errorf("reported %v", parts)
		}
		told = keys
	})
	return told
}

func TestTCA8418ByRecordedTransfers(t *testing.T) {
	told := play(t, 0x34, []i2ctest.IO{
		{W: []byte{0x01, 0x80}}, // auto-increment, no interrupts
		{W: []byte{0x03, 0x00}},
		{W: []byte{0x0E, 0x00}},
		{W: []byte{0x1A, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{W: []byte{0x29, 0, 0, 0}},
		{W: []byte{0x04}, R: []byte{0x8D}}, // an old event
		{W: []byte{0x04}, R: []byte{0x00}},
		{W: []byte{0x02, 0x1F}},
		{W: []byte{0x01, 0xB9}},
		{W: []byte{0x1D, 0x1E, 0x1C, 0x00}}, // rows 1 to 4, columns 2 to 4
		{W: []byte{0x01}, R: []byte{0xB9}},
		{W: []byte{0x1D}, R: []byte{0x1E, 0x1C, 0x00}},
		{W: []byte{0x02}, R: []byte{0x00, 0x00}},
		// The interrupt: row 1, column 2 is number 13.
		{W: []byte{0x02}, R: []byte{0x01, 0x02}},
		{W: []byte{0x04}, R: []byte{0x8D}},
		{W: []byte{0x04}, R: []byte{0x0D}},
		{W: []byte{0x02, 0x01}},
		{W: []byte{0x02}, R: []byte{0x00, 0x00}},
	}, func(bus i2c.Bus, r *rig, o Options) (*Keypad, error) { return StartTCA8418(bus, 0x34, r.pin, o) })
	if told != " +1 -1" {
		t.Errorf("told%s", told)
	}
}

func TestMCP23017ByRecordedTransfers(t *testing.T) {
	none, one := []byte{0xFF}, []byte{0xFB}
	row := func(w ...byte) i2ctest.IO { return i2ctest.IO{W: append([]byte{0x00}, w...)} }
	columns := func(r []byte) i2ctest.IO { return i2ctest.IO{W: []byte{0x13}, R: r} }
	sweep := func(row1 []byte) []i2ctest.IO { // rows 1 to 4
		return []i2ctest.IO{row(0xFF), columns(none), row(0xFD), columns(row1), row(0xFB), columns(none), row(0xF7), columns(none), row(0xEF), columns(none)}
	}
	resting := []byte{0xE1, 0xFF, 0, 0, 0, 0x1C, 0, 0x1C, 0, 0x1C, 0x44, 0x44, 0xFF, 0xFF}
	busy := []byte{0xE1, 0xFF, 0, 0, 0, 0, 0, 0x1C, 0, 0x1C, 0x44, 0x44, 0xFF, 0xFF}
	rest := []i2ctest.IO{row(0xE1), {W: []byte{0x05, 0x1C}}, columns(none), {W: []byte{0x00}, R: resting}}
	begin := i2ctest.IO{W: []byte{0x05, 0x00}}
	ops := []i2ctest.IO{begin, {W: []byte{0x0A, 0x44}}, {W: []byte{0x14, 0, 0}}, row(busy...), {W: []byte{0x00}, R: busy}, begin}
	ops = append(append(ops, sweep(none)...), rest...)
	ops = append(ops, begin)
	for i := range 12 { // the key is told at the second, and let go at the last
		ops = append(ops, sweep(map[bool][]byte{true: one, false: none}[i < 2])...)
	}
	ops = append(ops, rest...)
	told := play(t, 0x21, ops, func(bus i2c.Bus, r *rig, o Options) (*Keypad, error) { return StartMCP23017(bus, 0x21, r.pin, o) })
	if told != " +1 -1" {
		t.Errorf("told%s", told)
	}
}

func TestAnOverflowReleasesAllKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		k := r.run(t, p)
		r.fail(syscall.EAGAIN) // the bus is busy for a while
		r.pin.locked(func() { r.pin.deaf = true })
		for range 6 {
			r.push(hal.Key1)
			r.let(hal.Key1)
		}
		r.push(hal.Key2) // and stays
		r.fail(nil)
		r.pin.locked(func() { r.pin.deaf = false; r.pin.events = append(r.pin.events, time.Now()) })
		time.Sleep(100 * ms)
		p.want(t, " +1 -1 +1 -1 +1 -1 +1 -1 +2 -2")
		if k.Report().Overflows != 1 {
			t.Errorf("%+v", k.Report())
		}
		r.let(hal.Key2)
		time.Sleep(100 * ms)
		r.push(hal.Key3)
		time.Sleep(100 * ms)
		p.want(t, " +3")
	})
}

func TestTwoTapsInOneReadingAreTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		r.run(t, p)
		for range 2 { // 11 of 112, before the process is scheduled
			r.push(hal.Key1)
			r.let(hal.Key1)
		}
		r.push(hal.Key2)
		p.want(t, " +1 -1 +1 -1 +2")
	})
}

func TestWhatWasDueBeforeAnEventIsToldBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		o := p.options()
		o.Timing = &contact.Timing{Release: 20 * ms}
		k, err := r.start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { k.Close() })
		synctest.Wait()
		r.push(hal.Key1)
		synctest.Wait()
		r.let(hal.Key1)
		time.Sleep(10 * ms)
		r.bus.Fail(func(uint16, []byte, []byte) error { time.Sleep(20 * ms); return nil }) // a slow bus
		r.push(hal.Key1)
		time.Sleep(200 * ms)
		p.want(t, " +1 -1 +1")
	})
}

func TestAnEdgeThatNeverCameIsCuredWhileAKeyIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		r.run(t, p)
		r.push(hal.Key1)
		time.Sleep(100 * ms)
		r.pin.locked(func() { r.pin.deaf = true })
		r.let(hal.Key1)
		time.Sleep(tcaCheckEvery)
		if held, _ := p.held(); len(held) > 0 {
			t.Errorf("%v are down for ever", held)
		}
		r.pin.locked(func() { r.pin.deaf = false })
		r.push(hal.Key2)
		time.Sleep(100 * ms)
		if held, _ := p.held(); len(held) != 1 {
			t.Errorf("%v are down", held)
		}
	})
}

func TestAChipThatLockedItselfIsUnlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		r.run(t, p)
		if err := r.bus.Tx(0x34, []byte{0x03, 0x40}, nil); err != nil {
			t.Fatal(err)
		}
		r.push(hal.Key1)
		time.Sleep(2 * healthEvery)
		r.let(hal.Key1)
		r.push(hal.Key2)
		time.Sleep(100 * ms)
		p.want(t, " +2")
	})
}

func TestEventsOfNoKeyAreNoKeys(t *testing.T) {
	d := &tca8418{}
	for event := range 256 {
		number := event & 0x7F
		if got := d.apply(byte(event)); got != (number >= 1 && number <= 80) {
			t.Errorf("event %#x: %v", event, got)
		}
	}
	if d.apply(0x80 | 80); !d.down.Has(contact.Position{Row: 7, Col: 9}) {
		t.Errorf("number 80 is not the last key: %v", d.down)
	}
}

// A torn bus carries a transfer out, and then says that it failed.
type torn struct {
	i2c.Bus
	tear func(w []byte) bool
}

func (b *torn) Tx(addr uint16, w, r []byte) error {
	err := b.Bus.Tx(addr, w, r)
	if b.tear(w) {
		clear(r)
		return syscall.EIO
	}
	return err
}

func TestAHalfTransferLosesNoRelease(t *testing.T) {
	for _, reg := range []byte{0x01, 0x02, 0x04, 0x1D} {
		synctest.Test(t, func(t *testing.T) {
			r, p := tcaRig(), &phone{}
			times := 0
			bus := &torn{r.bus, func(w []byte) bool {
				if times > 0 && w[0] == reg {
					times--
					return true
				}
				return false
			}}
			k, err := StartTCA8418(bus, 0x34, r.pin, p.options())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			r.push(hal.Key1)
			time.Sleep(100 * ms)
			p.want(t, " +1")
			times = 1
			r.let(hal.Key1) // its event is read, and lost
			time.Sleep(3 * time.Second)
			if held, bad := p.held(); len(held) > 0 || bad != "" {
				t.Errorf("register %#x: %v stay down %s", reg, held, bad)
			}
			r.push(hal.Key2)
			time.Sleep(100 * ms)
			if keys, parts := p.take(); !strings.HasSuffix(keys, " +2") || len(parts) > 0 {
				t.Errorf("register %#x: told%s and %v", reg, keys, parts)
			}
			k.Close()
		})
	}
}

func TestAChipThatKeepsNothingIsFailing(t *testing.T) {
	for _, start := range []func(i2c.Bus, *rig, Options) (*Keypad, error){
		func(b i2c.Bus, r *rig, o Options) (*Keypad, error) { return StartTCA8418(b, 0x34, r.pin, o) },
		func(b i2c.Bus, r *rig, o Options) (*Keypad, error) { return StartMCP23017(b, 0x34, r.pin, o) },
	} {
		synctest.Test(t, func(t *testing.T) {
			bus := &haltest.Bus{}
			bus.Attach(0x34, mute{})
			r, p := &rig{pin: newPin("KB_INT")}, &phone{}
			k, err := start(bus, r, p.options())
			if err != nil {
				t.Fatal(err)
			}
			p.want(t, "", hal.Failing)
			k.Close()
		})
	}
}

// mute acknowledges everything and reads zero.
type mute struct{}

func (mute) Write([]byte) bool { return true }
func (mute) Read(b []byte)     { clear(b) }

func TestAnExpanderLeftInAnotherBankIsBroughtBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := mcpRig(), &phone{}
		if err := r.bus.Tx(0x20, []byte{0x0A, 0x80}, nil); err != nil {
			t.Fatal(err)
		}
		r.run(t, p)
		r.push(hal.Key5)
		time.Sleep(100 * ms)
		p.want(t, " +5")
	})
}

func TestRowsAreNeverDrivenAgainstEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := &rig{pin: newPin("KB_INT")}, &phone{}
		chip := haltest.NewMCP23017(r.pin.set, nil) // INTA will do
		r.press, r.release = chip.Press, chip.Release
		attach(0x20, chip, StartMCP23017, r).run(t, p)
		r.push(hal.Key2)
		time.Sleep(100 * ms)
		r.push(hal.Key5, hal.Key8, hal.Key0, hal.Key1)
		time.Sleep(100 * ms)
		if chip.Shorts() > 0 {
			t.Errorf("%d shorts", chip.Shorts())
		}
		if held, _ := p.held(); len(held) == 0 {
			t.Error("no key")
		}
	})
}

func TestAScannedContactMayBounceForFiftyMilliseconds(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		if r.bus != nil && r.bus.Tx(0x34, []byte{0}, nil) == nil {
			return // a TCA8418 debounces by itself; its model does not
		}
		r.run(t, p)
		for _, down := range []bool{true, false} {
			for i := range 51 {
				if (i%2 == 0) == down {
					r.push(hal.Key5)
				} else {
					r.let(hal.Key5)
				}
				time.Sleep(900 * time.Microsecond)
			}
			time.Sleep(100 * ms)
		}
		p.want(t, " +5 -5")
	})
}

func TestAShortIsNoKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := linesRig(), &phone{}
		r.run(t, p)
		r.pin.stick(true)
		time.Sleep(time.Second)
		p.want(t, "", hal.Failing)
		if detail := p.parts[0].Detail; detail != "column 2 is low without a key: a short to ground" {
			t.Errorf("%q", detail)
		}
		r.push(hal.Key5) // of another column
		time.Sleep(100 * ms)
		if keys, _ := p.take(); keys != " +5" {
			t.Errorf("told%s", keys)
		}
	})
}

func TestALineThatRelapsesIsTrustedLaterEachTime(t *testing.T) {
	i := interrupt{pins: []gpio.PinIn{newPin("KB_INT")}, pause: func(time.Duration) bool { return true }}
	now := time.Now()
	for round, want := range []int{20, 40, 80, 20} {
		if round == 3 {
			now = now.Add(relapseWithin + 1)
		}
		for asked := 0; !i.polling; asked++ {
			if asked > quietMax {
				t.Fatalf("round %d: still trusted after %d edges for nothing", round, asked)
			}
			if _, err := i.judge(now, true, false); err != nil {
				t.Fatal(err)
			}
		}
		polls := 0
		for ; i.polling; polls++ {
			next, err := i.judge(now, false, false)
			if err != nil {
				t.Fatal(err)
			}
			now = next
		}
		if polls != want {
			t.Errorf("round %d: trusted after %d polls, want %d", round, polls, want)
		}
	}
}
