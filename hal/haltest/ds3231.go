package haltest

import (
	"sync"
	"time"
)

// DS3231 is the model of Maxim's real-time clock (19-5170 Rev. 10): registers 00h to 12h, where the first seven tick.
type DS3231 struct {
	mu      sync.Mutex
	now     func() time.Time
	offset  time.Duration // what the clock shows is now() plus this
	stopped time.Time     // not zero: the oscillator stands, and the clock with it
	garbage [7]byte       // with broken, what its time registers read
	broken  bool
	pointer byte
	read    [7]byte // the secondary registers, filled at each start (page 11)
	reg     [19]byte
}

var _ Target = (*DS3231)(nil)

// NewDS3231 is a clock that has never been set: it ticks from 1 January 2000 as now does, and its oscillator stop flag is
// set (page 14).
func NewDS3231(now func() time.Time) *DS3231 {
	d := &DS3231{now: now}
	d.offset = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Sub(now())
	d.reg[0x0E], d.reg[0x0F] = 0x1C, 0x88
	d.reg[0x11], d.reg[0x12] = 0x19, 0x40 // 25.25 C
	return d
}

// LoseBattery stops the oscillator and starts it again, as an empty battery and a power cut do.
func (d *DS3231) LoseBattery() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reg[0x0F] |= 0x80
	d.offset = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Sub(d.now())
}

// Stop breaks the crystal: the clock stands, and says nothing of it.
func (d *DS3231) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = d.now().Add(d.offset)
}

// Garbage makes the seven time registers read these bytes from now on.
func (d *DS3231) Garbage(registers [7]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.garbage, d.broken = registers, true
}

// Temperature sets registers 11h and 12h.
func (d *DS3231) Temperature(msb, lsb byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reg[0x11], d.reg[0x12] = msb, lsb
}

// Status is the register 0Fh.
func (d *DS3231) Status() byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reg[0x0F]
}

// Write implements Target.
func (d *DS3231) Write(message []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latch()
	clock, set := d.read, false
	for i, b := range message {
		if i == 0 {
			d.pointer = b % 19
			continue
		}
		switch n := d.pointer; {
		case n <= 6:
			clock[n], set = b, true
		case n == 0x0F: // A1F, A2F and OSF can only be written to zero; BSY not at all
			d.reg[n] = d.reg[n]&b&0x83 | b&0x08 | d.reg[n]&0x04
		case n < 0x11:
			d.reg[n] = b
		}
		d.pointer = (d.pointer + 1) % 19
	}
	if set {
		d.set(clock)
	}
	return true
}

// Read implements Target.
func (d *DS3231) Read(message []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latch()
	for i := range message {
		if d.pointer <= 6 {
			message[i] = d.read[d.pointer]
		} else {
			message[i] = d.reg[d.pointer]
		}
		if d.pointer = (d.pointer + 1) % 19; d.pointer == 0 {
			d.latch()
		}
	}
}

// latch copies the running clock to the registers that are read.
func (d *DS3231) latch() {
	if d.broken {
		d.read = d.garbage
		return
	}
	t := d.now().Add(d.offset)
	if !d.stopped.IsZero() {
		t = d.stopped
	}
	t = t.UTC()
	bcd := func(n int) byte { return byte(n/10<<4 | n%10) }
	month := bcd(int(t.Month()))
	if t.Year() >= 2100 {
		month |= 0x80
	}
	d.read = [7]byte{bcd(t.Second()), bcd(t.Minute()), bcd(t.Hour()), byte(t.Weekday()) + 1, bcd(t.Day()), month, bcd(t.Year() % 100)}
}

// set sets the clock; a write of the seconds begins a new second (page 12). Illogical entries mean an undefined time.
func (d *DS3231) set(r [7]byte) {
	n := func(b byte) int { return int(b>>4)*10 + int(b&0x0F) }
	hour := n(r[2] & 0x3F)
	if r[2]&0x40 != 0 { // 12-hour mode, bit 5 is PM
		hour = n(r[2]&0x1F) % 12
		if r[2]&0x20 != 0 {
			hour += 12
		}
	}
	year := 2000 + n(r[6])
	if r[5]&0x80 != 0 {
		year += 100
	}
	t := time.Date(year, time.Month(n(r[5]&0x1F)), n(r[4]), hour, n(r[1]), n(r[0]), 0, time.UTC)
	d.offset = t.Sub(d.now())
	if !d.stopped.IsZero() {
		d.stopped = t
	}
}
