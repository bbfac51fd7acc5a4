// Package eeprom keeps who the phone is, in a small EEPROM on its board that the factory writes once: serial number, model,
// revision, MAC address, day of production. Chips are the 24AA02 and AT24C02 (Microchip DS20001709L) and the 24C32
// (DS21713). It knows nothing of labels, orders or certificates.
//
//	bytes  4      1        1       6    2     1+n     1+n    1+n       4
//	       magic  version  length  MAC  day   serial  model  revision  CRC-32
//	                               |<----------- length ----------->|
//
//	Write: magic := FF  -->  the rest, page by page, read back  -->  magic
//
// A power cut at any byte of that leaves the old record, the new one, or none; never another.
package eeprom

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"time"
)

// An Identity is who a phone is.
type Identity struct {
	Serial   string  // 1 to 32 letters, digits, '-', '.', '_' and '/'
	Model    string  // 1 to 32 printable ASCII characters; the board's file has this name
	Revision string  // of the hardware; like Serial, up to 16, may be empty
	MAC      [6]byte // of the wired network; unicast
	Produced time.Time
}

// String is the identity in one line, as on the label.
func (i Identity) String() string {
	revision := ""
	if i.Revision != "" {
		revision = " rev. " + i.Revision
	}
	return fmt.Sprintf("%s%s, serial %s, MAC %s, produced %s", i.Model, revision, i.Serial, net.HardwareAddr(i.MAC[:]), i.Produced.Format(time.DateOnly))
}

// ErrBlank is the error for an EEPROM that holds no record: never written, or a write was cut. The factory writes it anew.
var ErrBlank = errors.New("it holds no identity; write one")

// The record. All numbers are big endian.
const (
	magic     = "FZid"
	version   = 1
	headerMax = 6 // magic, version, length
	fixed     = 8 // MAC and day
	sumBytes  = 4
	// MaxBytes is the size of the longest record.
	MaxBytes = headerMax + fixed + 3 + serialMax + modelMax + revisionMax + sumBytes

	serialMax   = 32
	modelMax    = 32
	revisionMax = 16
)

// epoch is day 0 of production.
func epoch() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// Marshal makes the record. It refuses what Parse would refuse. Of Produced only the day counts; it must lie in 2000 to 2179.
func (i Identity) Marshal() ([]byte, error) {
	year, month, day := i.Produced.Date()
	days := int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Sub(epoch()) / (24 * time.Hour))
	if year < 2000 || days > 0xFFFF {
		return nil, fmt.Errorf("eeprom: the day of production %s is not in 2000 to 2179", i.Produced.Format(time.DateOnly))
	}
	if err := i.check(); err != nil {
		return nil, err
	}
	body := append([]byte(nil), i.MAC[:]...)
	body = binary.BigEndian.AppendUint16(body, uint16(days))
	for _, text := range []string{i.Serial, i.Model, i.Revision} {
		body = append(append(body, byte(len(text))), text...)
	}
	record := append([]byte(magic), version, byte(len(body)))
	record = append(record, body...)
	return binary.BigEndian.AppendUint32(record, crc32.ChecksumIEEE(record)), nil
}

// check tells whether the fields can stand in a record.
func (i Identity) check() error {
	switch {
	case i.MAC[0]&1 != 0: // IEEE 802 section 8.2: the I/G bit
		return fmt.Errorf("eeprom: MAC %s is that of a group, not of a phone", net.HardwareAddr(i.MAC[:]))
	case i.MAC == [6]byte{}:
		return errors.New("eeprom: the MAC is all zeros")
	}
	narrow := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '.' || c == '_' || c == '/'
	}
	printable := func(c byte) bool { return c >= ' ' && c <= '~' }
	for _, f := range []struct {
		name, text string
		min, max   int
		allowed    func(byte) bool
	}{{"serial", i.Serial, 1, serialMax, narrow}, {"model", i.Model, 1, modelMax, printable}, {"revision", i.Revision, 0, revisionMax, narrow}} {
		if len(f.text) < f.min || len(f.text) > f.max {
			return fmt.Errorf("eeprom: the %s has %d characters, not %d to %d", f.name, len(f.text), f.min, f.max)
		}
		for n := range len(f.text) {
			if !f.allowed(f.text[n]) {
				return fmt.Errorf("eeprom: the %s has the character %q", f.name, f.text[n])
			}
		}
	}
	return nil
}

// Parse reads a record from the beginning of an EEPROM; what follows the record is not looked at. The error is ErrBlank if
// there is none, and otherwise says what is wrong with it.
func Parse(data []byte) (Identity, error) {
	size, err := recordSize(data)
	if err != nil {
		return Identity{}, err
	}
	if len(data) < size {
		return Identity{}, fmt.Errorf("eeprom: the record ends after %d of %d bytes", len(data), size)
	}
	sum := size - sumBytes
	if want, is := binary.BigEndian.Uint32(data[sum:]), crc32.ChecksumIEEE(data[:sum]); want != is {
		return Identity{}, fmt.Errorf("eeprom: the checksum of the record is %#08x, its bytes give %#08x: write it anew from the label", want, is)
	}
	if data[4] != version {
		return Identity{}, fmt.Errorf("eeprom: the record has version %d, this firmware knows %d: update it", data[4], version)
	}
	body := data[headerMax:sum]
	if len(body) < fixed+3 {
		return Identity{}, fmt.Errorf("eeprom: a record of %d bytes is too short", size)
	}
	var i Identity
	copy(i.MAC[:], body)
	i.Produced = epoch().AddDate(0, 0, int(binary.BigEndian.Uint16(body[6:])))
	rest := body[fixed:]
	for _, text := range []*string{&i.Serial, &i.Model, &i.Revision} {
		if len(rest) < 1 || len(rest) < 1+int(rest[0]) {
			return Identity{}, errors.New("eeprom: a text of the record is longer than the record")
		}
		*text = string(rest[1 : 1+rest[0]])
		rest = rest[1+rest[0]:]
	}
	if len(rest) != 0 {
		return Identity{}, fmt.Errorf("eeprom: %d bytes of the record mean nothing", len(rest))
	}
	if err := i.check(); err != nil {
		return Identity{}, err
	}
	return i, nil
}

// recordSize is how many bytes the record has, by its first six.
func recordSize(data []byte) (int, error) {
	if len(data) < headerMax || string(data[:len(magic)]) != magic {
		return 0, fmt.Errorf("eeprom: %w", ErrBlank)
	}
	return headerMax + int(data[5]) + sumBytes, nil
}
