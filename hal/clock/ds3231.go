package clock

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// Registers and bits of the DS3231 (figure 1, pages 13 and 14).
const (
	regControl     = 0x0E
	regStatus      = 0x0F
	regTemperature = 0x11
	registers      = 0x10 // that Read needs

	controlEOSC = 0x80 // the oscillator stops on battery
	statusOSF   = 0x80 // the oscillator stood

	monthCentury = 0x80
	hour12       = 0x40
	hourPM       = 0x20
)

// A DS3231 is Maxim's real-time clock. Its methods are for one goroutine.
type DS3231 struct {
	Bus  i2c.Bus
	Addr uint16 // 0x68
}

// Read is the time in UTC, to the second. ErrStopped: it must be set first. All registers come in one transfer, which holds
// them still (page 11), so that the flag belongs to the time.
func (d DS3231) Read() (time.Time, error) {
	var r [registers]byte
	if err := d.Bus.Tx(d.Addr, []byte{0x00}, r[:]); err != nil {
		return time.Time{}, d.wrong("read", err)
	}
	t, err := parse(r)
	if err != nil {
		return time.Time{}, d.wrong("read", err)
	}
	return t, nil
}

// parse reads the registers 00h to 0Fh. Bits that must be zero and digits above 9 are found: a bus full of noise is not a
// time.
func parse(r [registers]byte) (time.Time, error) {
	if r[regStatus]&statusOSF != 0 { // page 14, bit 7
		return time.Time{}, ErrStopped
	}
	// The bits of figure 1 that are always zero: of the control bits of 24 hours, that of the century is the one left free.
	zero := [7]byte{0x80, 0x80, 0x80, 0xF8, 0xC0, 0x60, 0x00}
	field := r
	hourMask := byte(0x3F)
	if r[2]&hour12 != 0 {
		hourMask = 0x1F
	}
	field[2] &= hourMask
	field[5] &^= monthCentury
	var n [7]int
	for i := range n {
		if r[i]&zero[i] != 0 || field[i]>>4 > 9 || field[i]&0x0F > 9 {
			return time.Time{}, fmt.Errorf("register %#02x is %#02x, which is not a time: is there another part at this address?", i, r[i])
		}
		n[i] = int(field[i]>>4)*10 + int(field[i]&0x0F)
	}
	if n[3] < 1 || n[3] > 7 {
		return time.Time{}, fmt.Errorf("the day of the week is %d, not 1 to 7", n[3])
	}
	hour := n[2]
	if r[2]&hour12 != 0 { // another program's: 12, 1, ... 11, and PM
		if hour < 1 || hour > 12 {
			return time.Time{}, fmt.Errorf("the hour is %d, not 1 to 12", hour)
		}
		hour %= 12
		if r[2]&hourPM != 0 {
			hour += 12
		}
	}
	year := 2000 + n[6]
	if r[5]&monthCentury != 0 { // toggles when the years go from 99 to 00 (page 11)
		year += 100
	}
	return civil(year, n[5], n[4], hour, n[1], n[0])
}

// Set sets the clock to a second, and clears what says that it stood. The clock begins that second when it is called; a
// caller who wants more precision calls at the begin of one.
func (d DS3231) Set(t time.Time) error {
	t, err := settable(t)
	if err != nil {
		return d.wrong("set", err)
	}
	bcd := func(n int) byte { return byte(n/10<<4 | n%10) }
	// One transfer: after the seconds the others must come within one (page 12). 24 hours; Sunday is day 1, as the kernel's
	// driver has it (drivers/rtc/rtc-ds1307.c), so that either can set what the other reads.
	message := []byte{0x00, bcd(t.Second()), bcd(t.Minute()), bcd(t.Hour()), byte(t.Weekday()) + 1, bcd(t.Day()), bcd(int(t.Month())), bcd(t.Year() % 100)}
	if err := d.Bus.Tx(d.Addr, message, nil); err != nil {
		return d.wrong("set", err)
	}
	// The flag last: a write that was cut leaves a clock that says it is not right.
	var r [2]byte
	if err := d.Bus.Tx(d.Addr, []byte{regControl}, r[:]); err != nil {
		return d.wrong("set", err)
	}
	// A1F and A2F can only be cleared (page 14): written as ones they stay as they are.
	if err := d.Bus.Tx(d.Addr, []byte{regControl, r[0] &^ controlEOSC, r[1]&^statusOSF | 0x03}, nil); err != nil {
		return d.wrong("set", err)
	}
	is, err := d.Read()
	if err != nil {
		return err
	}
	if late := is.Sub(t); late < 0 || late > 2*time.Second {
		return d.wrong("set", fmt.Errorf("it shows %s after %s was set", is.Format(time.DateTime), t.Format(time.DateTime)))
	}
	return nil
}

// Celsius is the temperature of the chip, in steps of 0.25 C, measured every 64 s (page 15).
func (d DS3231) Celsius() (float64, error) {
	var r [2]byte
	if err := d.Bus.Tx(d.Addr, []byte{regTemperature}, r[:]); err != nil {
		return 0, d.wrong("temperature", err)
	}
	c, err := parseCelsius(r)
	if err != nil {
		return 0, d.wrong("temperature", err)
	}
	return c, nil
}

// parseCelsius reads the registers 11h and 12h: ten bits, two's complement, the others zero; the chip lives from -40 to 85 C.
func parseCelsius(r [2]byte) (float64, error) {
	c := float64(int16(uint16(r[0])<<8|uint16(r[1]))) / 256
	if r[1]&0x3F != 0 || c < -40 || c > 85 {
		return 0, fmt.Errorf("registers %#02x %#02x are no temperature", r[0], r[1])
	}
	return c, nil
}

func (d DS3231) wrong(doing string, err error) error {
	return fmt.Errorf("clock: %s DS3231 at %#x: %w", doing, d.Addr, err)
}
