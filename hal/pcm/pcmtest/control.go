//go:build linux

package pcmtest

import (
	"time"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// A Control is one element of a card's mixer. Make it with Volume, Switch or Enumerated and change what differs.
type Control struct {
	Name           string
	Index          int
	Interface      int // asound.InterfaceMixer, mostly
	Type           int // asound.TypeInteger ...
	Min, Max, Step int
	Items          []string // of an enumerated one
	TLV            []uint32 // type, length in bytes, values; nil: it has none
	Values         []int    // a value per channel
	Access         int      // rights: asound.AccessRead | ...; 0 is all

	number uint32
}

// Volume is an integer control of two channels with a TLV; without one none is there.
func Volume(name string, low, high int, tlv ...uint32) *Control {
	return &Control{Name: name, Interface: asound.InterfaceMixer, Type: asound.TypeInteger, Min: low, Max: high, TLV: tlv, Values: []int{low, low}}
}

// Switch is a control of one channel that is on or off.
func Switch(name string) *Control {
	return &Control{Name: name, Interface: asound.InterfaceMixer, Type: asound.TypeBoolean, Max: 1, Values: []int{0}}
}

// Enumerated is a control of one channel that is one of its items.
func Enumerated(name string, items ...string) *Control {
	return &Control{Name: name, Interface: asound.InterfaceMixer, Type: asound.TypeEnumerated, Items: items, Values: []int{0}}
}

// Control is the card's control of that name, nil when it has none.
func (c *Card) Control(name string) *Control {
	for _, control := range c.Controls {
		if control.Name == name {
			return control
		}
	}
	return nil
}

// Level is what the control is set to, a value per channel.
func (c *Card) Level(name string) []int {
	c.machine.mu.Lock()
	defer c.machine.mu.Unlock()
	if control := c.Control(name); control != nil {
		return append([]int{}, control.Values...)
	}
	return nil
}

func (c *Control) access() uint32 {
	access := uint32(c.Access)
	if access == 0 {
		access = asound.AccessRead | asound.AccessWrite
	}
	if c.TLV != nil {
		access |= asound.AccessTLVRead
	}
	return access
}

func (c *Control) id() asound.ElemID {
	id := asound.ElemID{NumID: c.number, Interface: uint32(c.Interface), Index: uint32(c.Index)}
	copy(id.Name[:], c.Name)
	return id
}

// controlFile is the open control device.
type controlFile struct {
	card   *Card
	closed bool
}

// Ioctl implements asound.File.
func (f *controlFile) Ioctl(request asound.Request, argument asound.Argument) error {
	m := f.card.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.closed {
		return unix.EBADF
	}
	if err := m.failing(m.cards[f.card.number] != f.card, "control", request); err != nil {
		return err
	}
	switch request {
	case asound.GetCard:
		f.card.describe(argument.(*asound.CardInfo))
		return nil
	case asound.ElemList:
		f.card.list(argument.(*asound.IDList))
		return nil
	case asound.ElemInfo:
		return f.card.info(argument.(*asound.Info))
	case asound.ElemRead:
		return f.card.read(argument.(*asound.Value))
	case asound.ElemSet:
		return f.card.set(argument.(*asound.Value))
	case asound.TLVRead:
		return f.card.tlv(argument.(*asound.TLV))
	}
	return unix.ENOTTY
}

// Poll implements asound.File; nobody waits for controls.
func (f *controlFile) Poll(time.Duration) (asound.Readiness, error) { return asound.Expired, nil }

// Wake implements asound.File.
func (f *controlFile) Wake() {}

// Close implements asound.File.
func (f *controlFile) Close() error {
	f.card.machine.mu.Lock()
	defer f.card.machine.mu.Unlock()
	if f.closed {
		return unix.EBADF
	}
	f.closed = true
	return nil
}

func (c *Card) describe(info *asound.CardInfo) {
	*info = asound.CardInfo{Card: uint32(c.number)}
	for _, field := range []struct {
		to   []byte
		from string
	}{{info.ID[:], c.ID}, {info.Driver[:], c.Driver}, {info.Name[:], c.Name}, {info.LongName[:], c.LongName},
		{info.MixerName[:], c.Mixer}, {info.Components[:], c.Components}} {
		copy(field.to[:len(field.to)-1], field.from)
	}
}

func (c *Card) list(l *asound.IDList) {
	l.Used, l.Count = 0, uint32(len(c.Controls))
	for i := int(l.Offset); i < len(c.Controls) && l.Used < l.Space; i++ {
		l.Slice()[l.Used] = c.Controls[i].id()
		l.Used++
	}
}

// find is snd_ctl_find_id: by number, or by all else.
func (c *Card) find(id *asound.ElemID) (*Control, error) {
	for _, control := range c.Controls {
		own := control.id()
		byName := *id
		byName.NumID = own.NumID
		if id.NumID == own.NumID || id.NumID == 0 && byName == own {
			*id = own
			return control, nil
		}
	}
	return nil, unix.ENOENT
}

func (c *Card) info(info *asound.Info) error {
	item := info.Enumerated().Item
	control, err := c.find(&info.ID)
	if err != nil {
		return err
	}
	*info = asound.Info{ID: info.ID, Type: uint32(control.Type), Access: control.access(), Count: uint32(len(control.Values)), Owner: -1}
	if control.Type == asound.TypeEnumerated {
		enum := info.Enumerated()
		enum.Items = uint32(len(control.Items))
		enum.Item = min(item, enum.Items-1) // snd_ctl_enum_info
		copy(enum.Name[:63], control.Items[enum.Item])
		return nil
	}
	info.Range[0], info.Range[1], info.Range[2] = control.Min, control.Max, control.Step
	return nil
}

func (c *Card) read(v *asound.Value) error {
	control, err := c.find(&v.ID)
	if err != nil {
		return err
	}
	if control.access()&asound.AccessRead == 0 {
		return unix.EPERM
	}
	for i, value := range control.Values {
		if control.Type == asound.TypeEnumerated {
			v.Items()[i] = uint32(value)
		} else {
			v.Integers[i] = value
		}
	}
	return nil
}

func (c *Card) set(v *asound.Value) error {
	control, err := c.find(&v.ID)
	if err != nil {
		return err
	}
	if control.access()&asound.AccessWrite == 0 {
		return unix.EPERM
	}
	values := make([]int, len(control.Values))
	for i := range values {
		low, high := control.Min, control.Max
		values[i] = v.Integers[i]
		if control.Type == asound.TypeEnumerated {
			low, high = 0, len(control.Items)-1
			values[i] = int(v.Items()[i])
		}
		if values[i] < low || values[i] > high {
			return unix.EINVAL
		}
	}
	control.Values = values
	return nil
}

// tlv is snd_ctl_tlv_ioctl.
func (c *Card) tlv(t *asound.TLV) error {
	if t.NumID == 0 || t.Length < 8 {
		return unix.EINVAL
	}
	control, err := c.find(&asound.ElemID{NumID: t.NumID})
	switch {
	case err != nil:
		return err
	case control.TLV == nil:
		return unix.ENXIO
	case int(t.Length) < 4*len(control.TLV):
		return unix.ENOMEM
	}
	copy(t.Words[:], control.TLV)
	return nil
}
