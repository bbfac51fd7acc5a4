// Package usbredir puts USB devices that are written in Go into an emulated machine: it is the device's end of the usbredir
// protocol, whose other end is QEMU's usb-redir device. The machine's own drivers then talk to them. It knows no class of devices:
// what one is stands in its descriptors, what it does in a Function.
//
//	kernel's driver <--xHCI-- QEMU usb-redir <--socket: control, interrupt, isochronous packets--> Device --> Function (sound, I2C, ...)
//
// The protocol is that of usbredir's docs/usb-redirection-protocol.md, version 0.7: numbers of packets and fields are taken from there.
package usbredir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"unicode/utf16"
)

// A Descriptor is what a device says it is. It runs at full speed.
type Descriptor struct {
	Class, SubClass, Protocol byte
	Vendor, Product, Release  uint16
	Manufacturer, Name        string
	// Interfaces is the configuration without its own header: interface, endpoint and class descriptors one after another, USB 2.0
	// section 9.6.5 and the following.
	Interfaces []byte
}

// A Setup is a control request, USB 2.0 section 9.3.
type Setup struct {
	Type, Request byte
	Value, Index  uint16
	Length        uint16
}

// A Function is what a device does. It is called by one goroutine at a time, and must not wait for the machine.
type Function interface {
	// Control answers a class or vendor request, or asks for a descriptor that only the class knows. Data is what the machine sends
	// with it. False stalls the endpoint.
	Control(setup Setup, data []byte) (reply []byte, ok bool)
	// Stream tells that an isochronous endpoint is wanted, or no longer.
	Stream(endpoint byte, on bool)
	// Receive takes a packet of an isochronous or interrupt endpoint.
	Receive(endpoint byte, data []byte)
}

// A Device is one device, plugged in or not.
type Device struct {
	descriptor Descriptor
	function   Function
	interfaces []alternate

	mu         sync.Mutex // for all below, and for writing to the connection
	connection net.Conn
	wide       bool // both ends have 64-bit ids
	done       chan struct{}
	chosen     map[byte]byte // alternate setting by interface
	configured byte
	listening  map[byte]bool // interrupt endpoints that the machine asks
}

// An alternate is one alternate setting of one interface.
type alternate struct {
	number, setting           byte
	class, subClass, protocol byte
	endpoints                 []endpoint
}

type endpoint struct {
	address, kind, interval byte
	sizeMax                 uint16
}

// New makes a device that is not plugged in. An error says what is wrong with its descriptors.
func New(descriptor Descriptor, function Function) (*Device, error) {
	interfaces, err := parse(descriptor.Interfaces)
	if err != nil {
		return nil, fmt.Errorf("usbredir: %s: %w", descriptor.Name, err)
	}
	return &Device{descriptor: descriptor, function: function, interfaces: interfaces}, nil
}

// Types of descriptors, USB 2.0 table 9-5.
const (
	typeDevice        = 1
	typeConfiguration = 2
	typeString        = 3
	typeInterface     = 4
	typeEndpoint      = 5
)

// parse finds interfaces and endpoints among the descriptors.
func parse(descriptors []byte) ([]alternate, error) {
	var found []alternate
	for rest := descriptors; len(rest) > 0; {
		length := int(rest[0])
		if length < 2 || length > len(rest) {
			return nil, fmt.Errorf("a descriptor of %d bytes where %d are left", length, len(rest))
		}
		d := rest[:length]
		rest = rest[length:]
		switch {
		case d[1] == typeInterface && length >= 9:
			found = append(found, alternate{number: d[2], setting: d[3], class: d[5], subClass: d[6], protocol: d[7]})
		case d[1] == typeEndpoint && length >= 7 && len(found) == 0:
			return nil, errors.New("an endpoint before the first interface")
		case d[1] == typeEndpoint && length >= 7:
			last := &found[len(found)-1]
			last.endpoints = append(last.endpoints, endpoint{address: d[2], kind: d[3] & 3, interval: d[6], sizeMax: binary.LittleEndian.Uint16(d[4:])})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no interface")
	}
	return found, nil
}

// numbers are the interfaces, each once, in order.
func (d *Device) numbers() []byte {
	var numbers []byte
	for _, a := range d.interfaces {
		if !slices.Contains(numbers, a.number) {
			numbers = append(numbers, a.number)
		}
	}
	return numbers
}

// active is the alternate setting that an interface has now. The caller holds the lock.
func (d *Device) active(number byte) alternate {
	for _, a := range d.interfaces {
		if a.number == number && a.setting == d.chosen[number] {
			return a
		}
	}
	return alternate{number: number}
}

// kindOf is the transfer type of an endpoint in whatever setting: 1 isochronous, 2 bulk, 3 interrupt.
func (d *Device) kindOf(address byte) byte {
	for _, a := range d.interfaces {
		for _, e := range a.endpoints {
			if e.address == address {
				return e.kind
			}
		}
	}
	return kindNone
}

// describe answers the standard requests for descriptors, USB 2.0 section 9.4.3.
func (d *Device) describe(kind, index byte) (reply []byte, ok bool) {
	own := &d.descriptor
	le := binary.LittleEndian
	switch kind {
	case typeDevice:
		b := []byte{18, typeDevice, 0x00, 0x02, own.Class, own.SubClass, own.Protocol, 64}
		b = le.AppendUint16(le.AppendUint16(le.AppendUint16(b, own.Vendor), own.Product), own.Release)
		return append(b, 1, 2, 0, 1), true
	case typeConfiguration:
		b := le.AppendUint16([]byte{9, typeConfiguration}, uint16(9+len(own.Interfaces)))
		b = append(b, byte(len(d.numbers())), 1, 0, 0x80, 50) // powered by the bus, 100 mA
		return append(b, own.Interfaces...), true
	case typeString:
		if index == 0 {
			return []byte{4, typeString, 0x09, 0x04}, true // English (United States)
		}
		texts := []string{own.Manufacturer, own.Name}
		if int(index) > len(texts) {
			return nil, false
		}
		b := []byte{0, typeString}
		for _, unit := range utf16.Encode([]rune(texts[index-1])) {
			b = le.AppendUint16(b, unit)
		}
		b[0] = byte(len(b))
		return b, true
	}
	return nil, false
}
