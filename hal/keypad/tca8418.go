package keypad

import (
	"fmt"
	"time"

	"freizeichen/hal/keypad/contact"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

// Registers of the TCA8418 (SCPS215G section 8.6.2, table 6).
const (
	tcaConfiguration = 0x01
	tcaInterrupts    = 0x02
	tcaLockCount     = 0x03 // KEY_LCK_EC
	tcaEvent         = 0x04 // KEY_EVENT_A
	tcaLockTimer     = 0x0E
	tcaUnlock1       = 0x0F
	tcaGPIOEnable    = 0x1A // GPIO_INT_EN1 to 3
	tcaKeypad        = 0x1D // KP_GPIO1 to 3; GPI_EM1 to 3 follow
	tcaDebounceOff   = 0x29 // DEBOUNCE_DIS1 to 3
)

// Bits of CFG (section 8.6.2.1): registers count up within a transfer; the newest event pushes out the oldest, without which the
// overflow is not reported (errata, section 8.6.4.1); INT rises for 50 µs when it is cleared with events pending, so that there is
// another edge; interrupts of overflow and keys.
const tcaConfigured = 0x80 | 0x20 | 0x10 | 0x08 | 0x01

// Bits of INT_STAT (section 8.6.2.2) and of KEY_LCK_EC (section 8.6.2.3).
const (
	tcaOverflow = 0x08
	tcaLocked   = 0x70
	tcaCount    = 0x0F
)

const (
	tcaRows, tcaCols = 8, 10
	// tcaRounds bounds what one service reads: a FIFO of 10, refilled while it is read by somebody who hits all keys.
	tcaRounds = 4
	// tcaCheckEvery is how often the chip is asked while a key is down, and has its configuration looked at: a release that is lost
	// would press it for ever.
	tcaCheckEvery = 2 * time.Second
)

type tca8418 struct {
	*Keypad
	interrupt
	dev     i2c.Dev
	rows    uint8
	cols    uint16
	down    contact.Set
	drained time.Time // when the chip was asked last
	check   time.Time // when to ask it without being woken
	checked time.Time // when its configuration was looked at
}

// StartTCA8418 watches the keys behind a TCA8418, address 34h (SCPS215G section 8.6.1), whose INT output is at pin. The chip debounces by
// itself (section 6.9: up to 60 ms). Bus and pin stay the caller's; the pin must have a pull-up, and Low must be 0 V.
func StartTCA8418(bus i2c.Bus, addr uint16, pin gpio.PinIn, o Options) (*Keypad, error) {
	if err := o.check(tcaRows, tcaCols); err != nil {
		return nil, err
	}
	k := newKeypad(o, contact.Timing{})
	d := &tca8418{Keypad: k, interrupt: interrupt{pins: []gpio.PinIn{pin}, pause: k.sleep}, dev: i2c.Dev{Bus: bus, Addr: addr}}
	d.rows, d.cols = o.Keys.Lines()
	return k.watch(d), nil
}

func (d *tca8418) fail(doing string, err error) error {
	return fmt.Errorf("keypad: TCA8418 at %#x: %s: %w", d.dev.Addr, doing, err)
}

func (d *tca8418) write(reg byte, values ...byte) error {
	if err := transfer(&d.dev, append([]byte{reg}, values...), nil); err != nil {
		return d.fail(fmt.Sprintf("write register %#02x", reg), err)
	}
	return nil
}

func (d *tca8418) read(reg byte, values []byte) error {
	if err := transfer(&d.dev, []byte{reg}, values); err != nil {
		return d.fail(fmt.Sprintf("read register %#02x", reg), err)
	}
	return nil
}

// event takes the oldest of at least so many events out of the FIFO. Reading takes it out (section 8.6.2.4), also when we are
// disturbed: it is read again only if as many are still there. Otherwise it is lost, and which keys are down is not known.
func (d *tca8418) event(waiting byte) (byte, error) {
	var event, count [1]byte
	err := d.dev.Tx([]byte{tcaEvent}, event[:])
	if err == nil {
		return event[0], nil
	}
	if d.read(tcaLockCount, count[:]) == nil && count[0]&tcaCount >= waiting {
		err = d.dev.Tx([]byte{tcaEvent}, event[:])
	}
	if err != nil {
		return 0, d.fail("read an event", err)
	}
	return event[0], nil
}

// keypad is what KP_GPIO1 to 3 shall be: rows, columns 0 to 7, columns 8 and 9 (section 8.6.2.11).
func (d *tca8418) keypad() [3]byte { return [3]byte{d.rows, byte(d.cols), byte(d.cols >> 8)} }

func (d *tca8418) setup() error {
	d.down, d.check = contact.Set{}, time.Time{}
	if err := d.interrupt.start(); err != nil {
		return d.fail("turn edges on", err)
	}
	// The chip may have been configured before, and has no reset by software: interrupts off, unlocked, no lock timer; then from
	// GPIO_INT_EN1 on no inputs that interrupt, no keypad, no inputs with events; debouncing on.
	for _, step := range [][]byte{{tcaConfiguration, 0x80}, {tcaLockCount, 0}, {tcaLockTimer, 0},
		{tcaGPIOEnable, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {tcaDebounceOff, 0, 0, 0}} {
		if err := d.write(step[0], step[1:]...); err != nil {
			return err
		}
	}
	// Events from before are nobody's any more.
	for event, n := []byte{0xFF}, 0; event[0] != 0 && n <= tcaCount; n++ {
		if err := d.read(tcaEvent, event); err != nil {
			return err
		}
	}
	keypad := d.keypad()
	for _, step := range [][]byte{{tcaInterrupts, 0x1F}, {tcaConfiguration, tcaConfigured}, {tcaKeypad, keypad[0], keypad[1], keypad[2]}} {
		if err := d.write(step[0], step[1:]...); err != nil {
			return err
		}
	}
	return d.verify()
}

func (d *tca8418) verify() error {
	d.checked = time.Now()
	var cfg [1]byte
	var keypad [3]byte
	if err := d.read(tcaConfiguration, cfg[:]); err != nil {
		return err
	}
	if err := d.read(tcaKeypad, keypad[:]); err != nil {
		return err
	}
	if cfg[0] != tcaConfigured || keypad != d.keypad() {
		return d.fail(fmt.Sprintf("CFG reads %#02x, KP_GPIO % x; written were %#02x, % x", cfg[0], keypad, tcaConfigured, d.keypad()), errVerify)
	}
	return nil
}

// apply takes one event: bit 7 is a press, the rest the number of the key, row * 10 + column + 1 (sections 8.3.1.1, 8.6.2.4). Other
// numbers are of inputs that are no keypad.
func (d *tca8418) apply(event byte) bool {
	number := event & 0x7F
	if number == 0 || number > tcaRows*tcaCols {
		return false
	}
	d.down.Put(contact.Position{Row: (number - 1) / tcaCols, Col: (number - 1) % tcaCols}, event&0x80 != 0)
	return true
}

func (d *tca8418) service(now time.Time, woken bool) (time.Time, error) {
	asked := woken || d.polling
	found := false
	if asked || !now.Before(d.check) {
		var err error
		if found, err = d.drain(); err != nil {
			return now, err
		}
		if d.drained = now; now.Sub(d.checked) >= tcaCheckEvery {
			if err := d.verify(); err != nil {
				return now, err
			}
		}
	}
	d.scan(time.Now(), d.down) // and so the tracker knows when we looked first
	if found && woken {
		d.served(d.edge)
	}
	again, err := d.judge(now, woken, found)
	if err != nil {
		return now, d.fail("look at the interrupt line", err)
	}
	d.check = sooner(again, d.checked.Add(healthEvery))
	if d.down != (contact.Set{}) {
		d.check = sooner(d.check, d.drained.Add(tcaCheckEvery))
	}
	return sooner(d.check, d.deadline()), nil
}

// drain reads the FIFO as section 8.3.1.3 says.
func (d *tca8418) drain() (found bool, err error) {
	for range tcaRounds {
		var status [2]byte // INT_STAT, KEY_LCK_EC
		if err := d.read(tcaInterrupts, status[:]); err != nil {
			return found, err
		}
		if status[1]&tcaLocked != 0 { // nobody has asked for that
			if err := d.write(tcaLockCount, 0); err != nil {
				return found, err
			}
		}
		for waiting := status[1] & tcaCount; waiting > 0; waiting-- {
			event, err := d.event(waiting)
			if err != nil {
				return found, err // an event may be lost: all keys are released
			}
			now := time.Now()
			d.tick(now) // what is due was true until this event
			if d.apply(event) {
				d.scan(now, d.down)
				found = true
			}
		}
		if status[0]&tcaOverflow != 0 {
			// Events are missing: which keys are down is not known.
			d.down, found = contact.Set{}, true
			d.lost()
			d.overflow()
		}
		if status[0] == 0 {
			return found, nil
		}
		if err := d.write(tcaInterrupts, status[0]); err != nil {
			return found, err
		}
	}
	return found, nil
}
