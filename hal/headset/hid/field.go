package hid

import (
	"errors"
	"fmt"
)

// main is section 6.2.2.4.
func (p *parser) main(tag byte, d datum) error {
	switch tag {
	case 0x8:
		return p.fieldsOf(Input, Flags(d.value))
	case 0x9:
		return p.fieldsOf(Output, Flags(d.value))
	case 0xB:
		return p.fieldsOf(Feature, Flags(d.value))
	case 0xA:
		return p.open(d)
	case 0xC:
		if len(p.collections) == 0 {
			return errors.New("an End Collection without a Collection")
		}
		p.collections = p.collections[:len(p.collections)-1]
	}
	return nil
}

// open begins a collection (section 6.2.2.6). An application within an application is against the wording and real: some
// headsets have it.
func (p *parser) open(d datum) error {
	const application = 1
	if len(p.collections) == depthMax {
		return errors.New("collections too deep")
	}
	var in Usage
	if n := len(p.collections); n > 0 {
		in = p.collections[n-1]
	}
	if usages := p.usages(); d.value == application && len(usages) > 0 {
		in = usages[0].First
	}
	p.collections = append(p.collections, in)
	return nil
}

// usages are the local usages with the page of now: it is the last page declared before the main item that counts, not the
// one before the usage (section 6.2.2.8). Plantronics writes usage, page, item.
func (p *parser) usages() []Range {
	ranges := make([]Range, 0, len(p.local.usages))
	resolve := func(u localUsage) Usage {
		if !u.extended {
			u.usage.Page = p.global.page
		}
		return u.usage
	}
	for _, r := range p.local.usages {
		first, last := resolve(r.first), resolve(r.last)
		last.Page = first.Page
		ranges = append(ranges, Range{first, last})
	}
	return ranges
}

// fieldsOf takes an Input, Output or Feature item: it moves the report's end, and keeps what can be named.
func (p *parser) fieldsOf(kind Kind, flags Flags) error {
	g := p.global
	bits := int64(g.size) * int64(g.runs) // each below 2^32
	offset := p.result.bits[kind][g.report]
	if g.size > 8*reportMax || g.runs > 8*reportMax || int64(offset)+bits > 8*reportMax {
		return fmt.Errorf("report %d is longer than %d bytes", g.report, reportMax)
	}
	p.result.bits[kind][g.report] = offset + int(bits)
	usages := p.usages()
	if flags&Constant != 0 || bits == 0 || len(usages) == 0 || g.size > 32 {
		return nil
	}
	f := Field{Report: g.report, Offset: offset, Size: int(g.size), Count: int(g.runs), Flags: flags}
	f.Min, f.Max = g.limits()
	if n := len(p.collections); n > 0 {
		f.Application = p.collections[n-1]
	}
	if flags&Variable == 0 {
		f.Usages = usages
		return p.keep(kind, f)
	}
	return p.variables(kind, f, usages)
}

// variables makes a field for each usage. The last one names all slots that are left (section 6.2.2.8): its first is enough,
// as nobody asks for the others of a vendor's block.
func (p *parser) variables(kind Kind, f Field, usages []Range) error {
	left := f.Count
	f.Count = 1
	for _, r := range usages {
		for n := int64(0); n < r.count() && left > 0; n++ {
			u := Usage{r.First.Page, r.First.ID + uint16(n)}
			f.Usages = []Range{{u, u}}
			if err := p.keep(kind, f); err != nil {
				return err
			}
			left--
			f.Offset += f.Size
		}
	}
	return nil
}

func (p *parser) keep(kind Kind, f Field) error {
	if p.fields++; p.fields > fieldsMax {
		return errors.New("too many fields")
	}
	p.result.Fields[kind] = append(p.result.Fields[kind], f)
	return nil
}

// limits are the logical limits. They are signed; but many devices write 25 FF for 255, so behind a minimum that is not
// negative the maximum is read as it stands, as the kernel does.
func (g global) limits() (low, high int64) {
	low, high = g.min.signed(), g.max.signed()
	if low >= 0 {
		high = int64(g.max.value)
	}
	return low, high
}

// A Control is one usage in the reports of one kind: where it is on or off.
type Control struct {
	Field
	value int64 // in an array: the value of a slot that means this usage
}

// Input finds a control among the input reports; of several the first.
func (d *Descriptor) Input(u Usage) (Control, bool) { return find(d.Fields[Input], u) }

// Output finds a control among the output reports; of several the first.
func (d *Descriptor) Output(u Usage) (Control, bool) { return find(d.Fields[Output], u) }

func find(fields []Field, u Usage) (Control, bool) {
	for _, f := range fields {
		if value, ok := f.find(u); ok {
			return Control{f, value}, true
		}
	}
	return Control{}, false
}

// find is the value that stands for the usage in an array: its place in the list, counted from the logical minimum
// (section 6.2.2.5). One above the maximum can never be said.
func (f Field) find(u Usage) (value int64, ok bool) {
	value = f.Min
	for _, r := range f.Usages {
		if r.First.Page == u.Page && r.First.ID <= u.ID && u.ID <= r.Last.ID {
			value += int64(u.ID - r.First.ID)
			return value, f.Flags&Variable != 0 || value <= f.Max
		}
		value += r.count()
	}
	return 0, false
}

// On tells from a report without its id whether the control is on. It is not known when the report is too short, or when it
// says itself that the value means nothing.
func (c Control) On(report []byte) (on, known bool) {
	if c.Flags&Variable != 0 {
		value, ok := c.slot(report, 0)
		if !ok || c.Flags&NullState != 0 && (value < c.Min || value > c.Max) {
			return false, false
		}
		return value != 0, true
	}
	for i := range c.Count {
		value, ok := c.slot(report, i)
		if !ok {
			return false, false
		}
		on = on || value == c.value
	}
	return on, true
}

// slot reads the slot from a report without its id. Bits are counted from the lowest of the first byte (section 8.4).
func (f Field) slot(report []byte, i int) (int64, bool) {
	from := f.Offset + i*f.Size
	if f.Size > 32 || from+f.Size > 8*len(report) {
		return 0, false
	}
	var v int64
	for bit := range f.Size {
		v |= int64(report[(from+bit)/8]>>((from+bit)%8)&1) << bit
	}
	if f.Min < 0 && f.Size > 0 && v>>(f.Size-1) == 1 {
		v -= 1 << f.Size
	}
	return v, true
}

// Put writes the control into a report without its id: a variable becomes 1 or 0, a slot of an array the control's value or
// one that means nothing. A report that is too short stays as it is.
func (c Control) Put(report []byte, on bool) {
	value := int64(0)
	if on {
		value = 1
	}
	if c.Flags&Variable == 0 {
		value = c.Min - 1
		if c.Min <= 0 {
			value = c.Max + 1
		}
		if on {
			value = c.value
		}
	}
	if c.Offset+c.Size > 8*len(report) {
		return
	}
	for bit := range c.Size {
		at := c.Offset + bit
		report[at/8] &^= 1 << (at % 8)
		report[at/8] |= byte(value>>bit&1) << (at % 8)
	}
}
