package haltest

import "sync"

// BH1750 is the model of ROHM's sensor of ambient light (BH1750FVI, 2009.04 Rev. B): it has operation codes and no registers.
type BH1750 struct {
	mu     sync.Mutex
	on     bool
	raw    uint16 // what is in front of it
	result uint16 // what it has measured
	repeat bool
	codes  []byte
}

var _ Target = (*BH1750)(nil)

// NewBH1750 is a sensor after power-on: powered down, with nothing measured.
func NewBH1750() *BH1750 { return &BH1750{} }

// Shine sets the light in counts of the sensor, 1.2 to the lux. It is measured at once: the model has no clock.
func (b *BH1750) Shine(counts uint16) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.raw = counts
	if b.repeat {
		b.result = counts
	}
}

// Codes are all operation codes so far.
func (b *BH1750) Codes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]byte(nil), b.codes...)
}

// Write implements Target. It is "not able to accept plural command without stop condition": a second byte is not
// acknowledged.
func (b *BH1750) Write(message []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(message) == 0 {
		return true
	}
	code := message[0]
	b.codes = append(b.codes, code)
	switch {
	case code == 0x00:
		b.on, b.repeat = false, false
	case code == 0x01:
		b.on = true
	case code == 0x07:
		if b.on { // "Reset command is not acceptable in Power Down mode"
			b.result = 0
		}
	case code == 0x10, code == 0x11, code == 0x13:
		b.on, b.repeat, b.result = true, true, b.raw
	case code == 0x20, code == 0x21, code == 0x23:
		b.on, b.repeat, b.result = false, false, b.raw // powers down by itself afterwards
	}
	return len(message) == 1
}

// Read implements Target: high byte, low byte.
func (b *BH1750) Read(message []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range message {
		message[i] = byte(b.result >> (8 * (1 - i%2)))
	}
}
