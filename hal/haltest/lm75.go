package haltest

import "sync"

// LM75 is the model of an LM75B (NXP Rev. 6.1) or TMP102: pointer, temperature, configuration and two limits.
type LM75 struct {
	mu      sync.Mutex
	pointer byte
	config  byte
	raw     uint16
	limit   [2]uint16 // Thyst, Tos
}

var _ Target = (*LM75)(nil)

// NewLM75 is a sensor after power-on: 0 C until it has measured (section 7.4.3).
func NewLM75() *LM75 { return &LM75{limit: [2]uint16{0x4B00, 0x5000}} }

// Measure is what the sensor has measured, in steps of 1/256 C as in its register: 0x1920 is 25.125 C.
func (l *LM75) Measure(raw uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raw = raw
}

// Write implements Target.
func (l *LM75) Write(message []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(message) == 0 {
		return true
	}
	l.pointer = message[0] & 3
	switch value := message[1:]; {
	case l.pointer == 1 && len(value) > 0:
		l.config = value[0]
	case l.pointer >= 2 && len(value) >= 2:
		l.limit[l.pointer-2] = uint16(value[0])<<8 | uint16(value[1]&0x80)
	}
	return true
}

// Read implements Target. The two bytes of a register come again and again.
func (l *LM75) Read(message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var word uint16
	switch l.pointer {
	case 0:
		word = l.raw
	case 1:
		word = uint16(l.config)<<8 | uint16(l.config)
	default:
		word = l.limit[l.pointer-2]
	}
	for i := range message {
		message[i] = byte(word >> (8 * (1 - i%2)))
	}
}
