// Package haltest has register models of the parts that hang on an I2C bus, and the bus they hang on: what their datasheets
// say, and the faults that a wire has. Tests of the drivers talk to them through periph's contract; test/board puts the same
// models behind a USB adapter of an emulated machine, where the kernel's drivers talk to them.
//
//	driver --i2c.Bus.Tx--> Bus --Write, Read--> Target (a model of one part)
//	kernel --i2c-tiny-usb--> test/board --------^
package haltest

import (
	"errors"
	"fmt"
	"sync"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// A Target is the model of one part on an I2C bus. Its methods are called by one goroutine at a time.
type Target interface {
	// Write is one message from the master, as it stands between (repeated) start and the next start or stop. It reports
	// whether every byte was acknowledged.
	Write(message []byte) bool
	// Read fills what the master reads in one message.
	Read(message []byte)
}

// ErrNAK is what a transfer to nobody, or one that was not acknowledged, ends with. The kernel says ENXIO or EREMOTEIO.
var ErrNAK = errors.New("haltest: not acknowledged")

// Bus is an i2c.Bus with targets by address, and with the faults of a wire. The zero value has no targets.
type Bus struct {
	mu      sync.Mutex
	targets map[uint16]Target
	fault   func(addr uint16, w, r []byte) error
	bytes   int // moved so far, addresses included
	calls   int
}

var _ i2c.Bus = (*Bus)(nil)

// Attach puts a target on the bus; nil takes it away.
func (b *Bus) Attach(addr uint16, t Target) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.targets == nil {
		b.targets = map[uint16]Target{}
	}
	if t == nil {
		delete(b.targets, addr)
		return
	}
	b.targets[addr] = t
}

// Fail asks f before each transfer; an error is the transfer's. Nil ends that.
func (b *Bus) Fail(f func(addr uint16, w, r []byte) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

// Traffic is the number of transfers and of bytes on the wire so far, address bytes included.
func (b *Bus) Traffic() (transfers, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls, b.bytes
}

// Message is one message of a transfer as an adapter sees it: read is filled, or write is sent. It reports whether
// somebody acknowledged.
func (b *Bus) Message(addr uint16, write, read []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil && b.fault(addr, write, read) != nil {
		return false
	}
	return b.message(addr, write, read)
}

func (b *Bus) message(addr uint16, write, read []byte) bool {
	t := b.targets[addr]
	if t == nil {
		return false
	}
	b.bytes += 1 + len(write) + len(read)
	if read != nil {
		t.Read(read)
		return true
	}
	return t.Write(write)
}

// Tx implements i2c.Bus.
func (b *Bus) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.fault != nil {
		if err := b.fault(addr, w, r); err != nil {
			return fmt.Errorf("haltest: address %#x: %w", addr, err)
		}
	}
	if len(w) > 0 && !b.message(addr, w, nil) {
		return fmt.Errorf("haltest: address %#x: %w", addr, ErrNAK)
	}
	if len(r) > 0 && !b.message(addr, nil, r) {
		return fmt.Errorf("haltest: address %#x: %w", addr, ErrNAK)
	}
	return nil
}

// SetSpeed implements i2c.Bus.
func (b *Bus) SetSpeed(physic.Frequency) error { return nil }

// String implements i2c.Bus.
func (b *Bus) String() string { return "model" }
