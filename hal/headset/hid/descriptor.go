// Package hid reads the report descriptors of USB HID devices: which bit of which report means what. Pure: bytes in, values
// out. It knows nothing of telephones; package headset says what the usages mean.
//
//	descriptor --Parse--> Descriptor --Input, Output (a Usage)--> Control --On(report), Put(report)--> one bit
//
// Section numbers are those of the Device Class Definition for Human Interface Devices (HID), version 1.11 of 27 June 2001.
package hid

import (
	"errors"
	"fmt"
)

// Bounds. A descriptor is bytes from whatever somebody plugs in; none of the real ones comes near.
const (
	descriptorMax = 4096  // bytes; HID_MAX_DESCRIPTOR_SIZE of the kernel, longer ones never reach us
	reportMax     = 16384 // bytes of one report; HID_MAX_BUFFER_SIZE of the kernel
	fieldsMax     = 4096  // fields of the three kinds together
	usagesMax     = 1024  // usages and ranges before one main item
	depthMax      = 32    // collections within collections
	stackMax      = 16    // Push without Pop; the kernel allows 4
)

// A Usage names a control: a page of the HID Usage Tables and its number there.
type Usage struct{ Page, ID uint16 }

func (u Usage) String() string { return fmt.Sprintf("%#04x:%#04x", u.Page, u.ID) }

// Flags are the bits of an Input, Output or Feature item (section 6.2.2.5).
type Flags uint16

// The flags. Without Variable it is an array, without Relative absolute.
const (
	Constant    Flags = 1 << 0 // padding
	Variable    Flags = 1 << 1
	Relative    Flags = 1 << 2
	NoPreferred Flags = 1 << 5 // stays where it was put: a switch, no button
	NullState   Flags = 1 << 6 // a value outside of the limits means nothing
)

// A Kind is a direction of reports.
type Kind uint8

// The kinds.
const (
	Input   Kind = iota // from the device
	Output              // to the device
	Feature             // either way, on request
	kindCount
)

// A Range is a run of usages of one page, both ends included.
type Range struct{ First, Last Usage }

func (r Range) count() int64 { return int64(r.Last.ID) - int64(r.First.ID) + 1 }

// A Field is a part of a report: Count equal slots of Size bits, the first at bit Offset behind the report id.
type Field struct {
	Report      byte  // report id; 0 when the device does not number its reports
	Offset      int   // bits
	Size        int   // bits of one slot, 0 to 32; wider slots are never kept
	Count       int   // slots
	Min, Max    int64 // logical limits of a slot
	Flags       Flags
	Application Usage // of the innermost application collection
	// Usages: a variable field has one usage and one slot. In an array the value of each slot, less Min, counts through the
	// ranges.
	Usages []Range
}

// A Descriptor is what a report descriptor says.
type Descriptor struct {
	Numbered bool // every report begins with its id
	Fields   [kindCount][]Field
	bits     [kindCount]map[byte]int
}

// Length is how many bytes the report has, its id included when reports are numbered; 0 when there is no such report.
func (d *Descriptor) Length(kind Kind, report byte) int {
	bits, ok := d.bits[kind][report]
	if !ok {
		return 0
	}
	n := (bits + 7) / 8
	if d.Numbered {
		n++
	}
	return n
}

// Parse reads a report descriptor. It fails when the bytes are no descriptor, or ask for more than any real device does.
func Parse(descriptor []byte) (*Descriptor, error) {
	if len(descriptor) > descriptorMax {
		return nil, fmt.Errorf("hid: read report descriptor: %d bytes, more than %d", len(descriptor), descriptorMax)
	}
	p := parser{}
	for kind := range p.result.bits {
		p.result.bits[kind] = map[byte]int{}
	}
	for at := 0; at < len(descriptor); {
		n, err := p.item(descriptor[at:])
		if err != nil {
			return nil, fmt.Errorf("hid: read report descriptor at byte %d: %w", at, err)
		}
		at += n
	}
	if len(p.collections) > 0 {
		return nil, errors.New("hid: read report descriptor: it ends within a collection")
	}
	return &p.result, nil
}

// A parser is the item state table of section 5.4.
type parser struct {
	global      global
	stack       []global
	local       local
	collections []Usage // application usage that holds within each open collection
	fields      int
	result      Descriptor
}

type global struct {
	page       uint16
	min, max   datum
	size, runs uint32
	report     byte
}

// A datum is an item's data; whether it is signed is known later.
type datum struct {
	value uint32
	size  int // bytes
}

func (d datum) signed() int64 {
	switch d.size {
	case 1:
		return int64(int8(d.value))
	case 2:
		return int64(int16(d.value))
	}
	return int64(int32(d.value))
}

// A local is the local items since the last main item.
type local struct {
	usages    []localRange
	first     localUsage
	begun     bool // Usage Minimum has come, Usage Maximum not yet
	delimited bool
	taken     bool // the open set of alternatives has given its first usage
}

// A localUsage without extended takes the page that is in force at the main item (section 6.2.2.8).
type localUsage struct {
	usage    Usage
	extended bool
}

type localRange struct{ first, last localUsage }

// item takes one item and is its length.
func (p *parser) item(b []byte) (int, error) {
	const long = 0xFE // section 6.2.2.3: no tags are defined, so it is passed over
	if b[0] == long {
		if len(b) < 3 || len(b) < 3+int(b[1]) {
			return 0, errors.New("cut off within a long item")
		}
		return 3 + int(b[1]), nil
	}
	size := [...]int{0, 1, 2, 4}[b[0]&3] // section 6.2.2.2
	if len(b) < 1+size {
		return 0, errors.New("cut off within an item")
	}
	d := datum{size: size}
	for i, v := range b[1 : 1+size] {
		d.value |= uint32(v) << (8 * i)
	}
	var err error
	switch tag := b[0] >> 4; b[0] >> 2 & 3 {
	case 0:
		err = p.main(tag, d)
		p.local = local{}
	case 1:
		err = p.globalItem(tag, d)
	case 2:
		err = p.localItem(tag, d)
	}
	return 1 + size, err
}

// globalItem is section 6.2.2.7.
func (p *parser) globalItem(tag byte, d datum) error {
	g := &p.global
	switch tag {
	case 0x0:
		g.page = uint16(d.value)
	case 0x1:
		g.min = d
	case 0x2:
		g.max = d
	case 0x7:
		g.size = d.value
	case 0x8:
		if d.value == 0 || d.value > 255 {
			return fmt.Errorf("report id %d: only 1 to 255 are allowed", d.value)
		}
		g.report = byte(d.value)
		p.result.Numbered = true
	case 0x9:
		g.runs = d.value
	case 0xA:
		if len(p.stack) == stackMax {
			return errors.New("too many Push items")
		}
		p.stack = append(p.stack, *g)
	case 0xB:
		if len(p.stack) == 0 {
			return errors.New("a Pop item without a Push")
		}
		*g, p.stack = p.stack[len(p.stack)-1], p.stack[:len(p.stack)-1]
	}
	return nil
}

// localItem is section 6.2.2.8. Designators and strings say nothing about bits.
func (p *parser) localItem(tag byte, d datum) error {
	l, u := &p.local, localUsage{Usage{ID: uint16(d.value)}, d.size == 4}
	if u.extended {
		u.usage.Page = uint16(d.value >> 16)
	}
	switch tag {
	case 0x0:
		return l.add(localRange{u, u})
	case 0x1:
		l.first, l.begun = u, true
	case 0x2:
		if !l.begun {
			return errors.New("a Usage Maximum without a Usage Minimum")
		}
		l.begun = false
		if u.usage.ID < l.first.usage.ID || l.first.extended && u.extended && u.usage.Page != l.first.usage.Page {
			return fmt.Errorf("usages from %v to %v", l.first.usage, u.usage)
		}
		return l.add(localRange{l.first, u})
	case 0xA:
		l.delimited, l.taken = d.value == 1, false
	}
	return nil
}

// add keeps a usage. Of a delimited set of alternatives the first is the preferred one; the others are left out.
func (l *local) add(r localRange) error {
	if l.delimited && l.taken {
		return nil
	}
	l.taken = true
	if len(l.usages) == usagesMax {
		return errors.New("too many usages")
	}
	l.usages = append(l.usages, r)
	return nil
}
