package eeprom

import (
	"bytes"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// A Kind is a kind of EEPROM.
type Kind uint8

// The kinds.
const (
	AT24C02 Kind = iota // and 24AA02, 24LC02: 256 bytes in pages of 8, one address byte (DS20001709L)
	AT24C32             // and 24AA32, 24LC32: 4096 bytes in pages of 32, two address bytes (DS21713)
	kinds
)

func (k Kind) String() string { return [...]string{"AT24C02", "AT24C32", "invalid"}[min(k, kinds)] }

// ParseKind is the inverse of String.
func ParseKind(name string) (Kind, error) {
	for k := range kinds {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("eeprom: there is no kind %q: AT24C02, AT24C32", name)
}

func (k Kind) page() int {
	if k == AT24C32 {
		return 32
	}
	return 8
}

// A Chip is an EEPROM on a bus. Its methods take turns: they are for one goroutine.
type Chip struct {
	Bus  i2c.Bus
	Addr uint16 // 0x50 to 0x57
	Kind Kind
}

const (
	// A write cycle takes 5 ms at most (DS20001709L table 1-2, TWC), 10 ms on old 24C32. Five times that, and the chip is broken.
	polls     = 50
	pollEvery = time.Millisecond
	// readTries: a phone must not be without a name for one disturbed transfer.
	readTries = 3
)

// Read reads the identity. ErrBlank: there is none yet. It takes a few milliseconds.
func (c Chip) Read() (Identity, error) {
	data, err := c.record()
	if err != nil {
		return Identity{}, err
	}
	return Parse(data)
}

// record reads as many bytes as the record says it has. A record that does not parse is read again: the disturbance may have
// been on the bus.
func (c Chip) record() (data []byte, err error) {
	for range readTries {
		data, err = c.read(0, headerMax)
		if err != nil {
			continue
		}
		size, blank := recordSize(data)
		if blank != nil {
			continue
		}
		if data, err = c.read(0, size); err != nil {
			continue
		}
		if _, wrong := Parse(data); wrong == nil {
			break
		}
	}
	return data, err
}

// Write makes the chip hold an identity, and reads it back. It writes nothing if the chip holds it already. After an error,
// or a power cut, the chip holds the old identity, the new one, or none (ErrBlank, or a checksum that does not fit): write
// again.
func (c Chip) Write(i Identity) error {
	record, err := i.Marshal()
	if err != nil {
		return err
	}
	if old, err := c.read(0, len(record)); err != nil {
		return err
	} else if bytes.Equal(old, record) {
		return nil
	}
	// First the old record ceases to be one; last the new one becomes one. In between nothing can be taken for a record.
	erased := bytes.Repeat([]byte{0xFF}, len(magic))
	for _, step := range []struct {
		offset int
		data   []byte
	}{{0, erased}, {len(magic), record[len(magic):]}, {0, record[:len(magic)]}} {
		if err := c.write(step.offset, step.data); err != nil {
			return err
		}
		is, err := c.read(step.offset, len(step.data))
		if err != nil {
			return err
		}
		if !bytes.Equal(is, step.data) {
			return fmt.Errorf("eeprom: %s at %#x does not hold what was written at byte %d: is it write-protected (pin WP), or worn out?", c.Kind, c.Addr, step.offset)
		}
	}
	return nil
}

// write writes page by page: a page write that crosses its page wraps to the page's begin (DS20001709L section 6.2).
func (c Chip) write(offset int, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), c.Kind.page()-offset%c.Kind.page())
		if err := c.Bus.Tx(c.Addr, append(c.address(offset), data[:n]...), nil); err != nil {
			return c.wrong("write", offset, err)
		}
		if err := c.poll(offset); err != nil {
			return err
		}
		offset, data = offset+n, data[n:]
	}
	return nil
}

// poll waits for the end of the write cycle: until then the chip does not acknowledge (DS20001709L section 7.0). A message of
// the address alone writes nothing.
func (c Chip) poll(offset int) error {
	var err error
	for range polls {
		if err = c.Bus.Tx(c.Addr, c.address(offset), nil); err == nil {
			return nil
		}
		time.Sleep(pollEvery)
	}
	return c.wrong("wait for the write", offset, fmt.Errorf("no answer for %v: %w", polls*pollEvery, err))
}

func (c Chip) read(offset, n int) ([]byte, error) {
	data := make([]byte, n)
	var err error
	for range readTries {
		if err = c.Bus.Tx(c.Addr, c.address(offset), data); err == nil {
			return data, nil
		}
	}
	return nil, c.wrong("read", offset, err)
}

func (c Chip) address(offset int) []byte {
	if c.Kind == AT24C32 {
		return []byte{byte(offset >> 8), byte(offset)}
	}
	return []byte{byte(offset)}
}

func (c Chip) wrong(doing string, offset int, err error) error {
	return fmt.Errorf("eeprom: %s %s at %#x, byte %d: %w", doing, c.Kind, c.Addr, offset, err)
}
