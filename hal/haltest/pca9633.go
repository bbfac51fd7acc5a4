package haltest

import (
	"sync"
	"time"
)

// PCA9633 is the model of NXP's 4-channel LED driver (PCA9633 Rev. 6): registers 00h to 0Ch behind a control byte with
// auto-increment (section 7.2). NewPCA9633 is a chip after power-on.
type PCA9633 struct {
	mu      sync.Mutex
	control byte
	reg     [13]byte
	ahead   time.Duration
}

var _ Target = (*PCA9633)(nil)

// NewPCA9633 is a chip that has just got its power: asleep, all outputs off.
func NewPCA9633() *PCA9633 {
	p := &PCA9633{}
	p.PowerOn()
	return p
}

// PowerOn puts all registers back to what they are after power-on (section 7.3, the values with a star).
func (p *PCA9633) PowerOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.control = 0x80
	p.reg = [13]byte{0: 0x11, 1: 0x05, 6: 0xFF, 9: 0xE2, 10: 0xE4, 11: 0xE8, 12: 0xE0}
}

// Write implements Target.
func (p *PCA9633) Write(message []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range message {
		if i == 0 {
			p.control = b
			continue
		}
		n := p.control & 0x0F
		if int(n) >= len(p.reg) || p.control&0x10 != 0 {
			return false // section 7.2: bit 4 must be zero; there is no register 0Dh
		}
		switch n {
		case 0:
			b &= 0x1F // AI[2:0] are read-only (table 8)
		case 1:
			b &= 0x3F
		}
		p.reg[n] = b
		p.next()
	}
	return true
}

// Read implements Target.
func (p *PCA9633) Read(message []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range message {
		message[i] = 0xFF
		if n := p.control & 0x0F; int(n) < len(p.reg) {
			message[i] = p.reg[n]
			if n == 0 {
				message[i] |= p.control & 0xE0
			}
		}
		p.next()
	}
}

// next increments the register's number as AI[2:0] say (table 6).
func (p *PCA9633) next() {
	var first, last byte
	switch p.control >> 5 {
	case 4:
		first, last = 0, 12
	case 5:
		first, last = 2, 5
	case 6:
		first, last = 6, 7
	case 7:
		first, last = 2, 7
	default:
		return
	}
	n := p.control&0x0F + 1
	if p.control&0x0F == last || n > 12 {
		n = first
	}
	p.control = p.control&0xF0 | n
}

// Register is the value of one register.
func (p *PCA9633) Register(n int) byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reg[n]
}

// Corrupt changes a register, as a discharge does.
func (p *PCA9633) Corrupt(n int, value byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reg[n] = value
}

// Ahead lets the chip's oscillator be ahead of others: each begins anywhere.
func (p *PCA9633) Ahead(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = by
}

// Lit tells whether the LED of a channel (0 to 3) shines at an instant, and how brightly (255 is all the chip can). A group
// blink counts from the zero Unix time, and what Ahead said. An LED that wants PWM is dark while the
// oscillator sleeps (MODE1, note 2).
func (p *PCA9633) Lit(channel int, now time.Time) (on bool, brightness uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asleep := p.reg[0]&0x10 != 0
	pwm := p.reg[2+channel]
	switch p.reg[8] >> (2 * channel) & 3 {
	case 1:
		return true, 255
	case 2:
		return !asleep && pwm > 0, pwm
	case 3:
		if asleep || pwm == 0 {
			return false, 0
		}
		group := time.Duration(p.reg[6])
		if p.reg[1]&0x20 == 0 { // DMBLNK: group dimming
			pwm = uint8(int(pwm) * int(group) / 255)
			return pwm > 0, pwm
		}
		// Equations 2 and 3: period (GRPFREQ+1)/24 s, on for GRPPWM/256 of it.
		period := (time.Duration(p.reg[7]) + 1) * time.Second / 24
		return time.Duration(now.Add(p.ahead).UnixNano())%period < period*group/256, pwm
	}
	return false, 0
}
