package haltest

import "sync"

// EEPROM24 is the model of a serial EEPROM: 24AA02, AT24C02 (Microchip DS20001709L) with one address byte, 24C32 with two.
// A write wraps within its page, is programmed after the stop, and leaves the chip deaf for some polls.
type EEPROM24 struct {
	mu      sync.Mutex
	data    []byte
	page    int
	wide    bool
	pointer int
	polls   int // how often it does not answer after a write
	busy    int
	power   int // bytes that it can still program; below zero: without end
	dead    bool
}

var _ Target = (*EEPROM24)(nil)

// NewEEPROM24 is an erased chip of some bytes in pages of some bytes; wide chips have two address bytes. After each write it
// is busy, and does not acknowledge, for as many messages as polls says.
func NewEEPROM24(size, page int, wide bool, polls int) *EEPROM24 {
	e := &EEPROM24{data: make([]byte, size), page: page, wide: wide, polls: polls, power: -1}
	for i := range e.data {
		e.data[i] = 0xFF
	}
	return e
}

// CutAfter takes the chip's power away when it has programmed n more bytes: the rest of that page, and all that comes
// later, is lost. Power gives it back.
func (e *EEPROM24) CutAfter(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.power = n
	e.dead = n == 0
}

// Power ends a power cut.
func (e *EEPROM24) Power() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.power, e.dead, e.busy, e.pointer = -1, false, 0, 0
}

// Bytes is a copy of what the chip holds.
func (e *EEPROM24) Bytes() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]byte(nil), e.data...)
}

// Load replaces the first bytes of what the chip holds, past the bus.
func (e *EEPROM24) Load(data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	copy(e.data, data)
}

// Write implements Target.
func (e *EEPROM24) Write(message []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.answers() {
		return false
	}
	address, rest := 1, message
	if e.wide {
		address = 2
	}
	if len(message) < address {
		return true // the address is not whole: nothing moves
	}
	pointer := 0
	for _, b := range rest[:address] {
		pointer = pointer<<8 | int(b)
	}
	e.pointer = pointer % len(e.data)
	rest = rest[address:]
	if len(rest) == 0 {
		return true
	}
	start := e.pointer / e.page * e.page
	for _, b := range rest {
		if e.power == 0 {
			e.dead = true
			break
		}
		e.data[e.pointer] = b
		e.pointer = start + (e.pointer+1-start)%e.page // section 6.2: the address rolls over within the page
		if e.power > 0 {
			e.power--
		}
	}
	e.dead = e.dead || e.power == 0
	e.busy = e.polls
	return true
}

// answers tells whether the chip acknowledges its address now: not without power, not within its write cycle (section 7.0).
func (e *EEPROM24) answers() bool {
	if e.dead {
		return false
	}
	if e.busy > 0 {
		e.busy--
		return false
	}
	return true
}

// Read implements Target. A chip that is busy or without power cannot refuse here: the bus reads ones.
func (e *EEPROM24) Read(message []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	deaf := !e.answers()
	for i := range message {
		message[i] = 0xFF
		if deaf {
			continue
		}
		message[i] = e.data[e.pointer]
		e.pointer = (e.pointer + 1) % len(e.data) // section 8.3: reads roll over at the end of the memory
	}
}
