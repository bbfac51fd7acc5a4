//go:build linux

package main

import (
	"sync"
	"time"
)

// A meter notes every message on the board's I2C bus.
type meter struct {
	mu       sync.Mutex
	messages []message
}

// A message is one between start and stop.
type message struct {
	at      time.Time
	address uint16
	bytes   int  // its address too
	picture bool // for the panel's memory
}

// messagesMax is more than a board says in an hour; what is more is not noted.
const messagesMax = 1 << 20

// note is asked by the bus before each message (haltest.Bus.Fail).
func (m *meter) note(address uint16, write, read []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.messages) < messagesMax {
		m.messages = append(m.messages, message{time.Now(), address, 1 + len(write) + len(read), address == addressPanel && len(write) > 0 && write[0] == controlData})
	}
	return nil
}

// controlData begins a message for the panel's memory: SSD1306 section 8.1.5.2.
const controlData = 0x40

// A burst is what the bus did from a time on until the panel's memory had its last byte.
type burst struct {
	first, last time.Time // messages for the panel's memory
	panel       int       // bytes to the panel
	bits        int       // clock periods of all messages: 9 a byte, start and stop
}

// busy is how long the bus is taken by it.
func (b burst) busy() time.Duration {
	return time.Duration(b.bits) * time.Second / clockI2C
}

// since is the burst so far; false before the panel has got anything.
func (m *meter) since(from time.Time) (b burst, changed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	begin := len(m.messages)
	for begin > 0 && !m.messages[begin-1].at.Before(from) {
		begin--
	}
	end := begin
	for i, one := range m.messages[begin:] {
		if one.picture {
			if b.first.IsZero() {
				b.first = one.at
			}
			b.last, end = one.at, begin+i+1
		}
	}
	for _, one := range m.messages[begin:end] {
		b.bits += 9*one.bytes + 2
		if one.address == addressPanel {
			b.panel += one.bytes
		}
	}
	return b, end > begin
}

// bytes is what has been said to an address since a time, or to all with 0.
func (m *meter) bytes(address uint16, from time.Time) (messages, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.messages {
		if !one.at.Before(from) && (address == 0 || one.address == address) {
			messages, bytes = messages+1, bytes+one.bytes
		}
	}
	return messages, bytes
}
