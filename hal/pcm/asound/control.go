package asound

import "unsafe"

// CardInfo is struct snd_ctl_card_info. The fields are text.
type CardInfo struct {
	Card       uint32
	_          uint32
	ID         [16]byte
	Driver     [16]byte
	Name       [32]byte
	LongName   [80]byte
	_          [16]byte
	MixerName  [80]byte
	Components [128]byte
}

// Pointer implements Argument.
func (i *CardInfo) Pointer() unsafe.Pointer { return unsafe.Pointer(i) }

// InterfaceMixer is the Interface of controls that a mixer shows.
const InterfaceMixer = 2

// ElemID is struct snd_ctl_elem_id: NumID alone, or all else, names a control.
type ElemID struct {
	NumID     uint32
	Interface uint32
	Device    uint32
	Subdevice uint32
	Name      [44]byte
	Index     uint32
}

// IDList is struct snd_ctl_elem_list.
type IDList struct {
	Offset uint32
	Space  uint32 // of IDs
	Used   uint32 // answered: set in IDs
	Count  uint32 // answered: that there are
	IDs    *ElemID
	_      [50]byte
}

// Pointer implements Argument.
func (l *IDList) Pointer() unsafe.Pointer { return unsafe.Pointer(l) }

// Slice is the space for the IDs.
func (l *IDList) Slice() []ElemID { return unsafe.Slice(l.IDs, l.Space) }

// The types of controls.
const (
	TypeBoolean    = 1
	TypeInteger    = 2
	TypeEnumerated = 3
	TypeBytes      = 4
	TypeIEC958     = 5
	TypeInteger64  = 6
)

// The rights to a control.
const (
	AccessRead     = 1 << 0
	AccessWrite    = 1 << 1
	AccessTLVRead  = 1 << 4
	AccessInactive = 1 << 8
)

// Info is struct snd_ctl_elem_info.
type Info struct {
	ID     ElemID
	Type   uint32
	Access uint32
	Count  uint32 // of values: channels, mostly
	Owner  int32
	// Range is min, max and step of an integer or a switch.
	Range [128 / unsafe.Sizeof(int(0))]int
	_     [64]byte
}

// Pointer implements Argument.
func (i *Info) Pointer() unsafe.Pointer { return unsafe.Pointer(i) }

// EnumInfo is what Info has in place of a range for an enumerated control.
type EnumInfo struct {
	Items uint32 // that there are
	Item  uint32 // asked for
	Name  [64]byte
}

// Enumerated is the other view of Range.
func (i *Info) Enumerated() *EnumInfo { return (*EnumInfo)(unsafe.Pointer(&i.Range)) }

// Value is struct snd_ctl_elem_value.
type Value struct {
	ID       ElemID
	_        [2]uint32
	Integers [128]int // of integers and switches, a value per channel
	_        [128]byte
}

// Pointer implements Argument.
func (v *Value) Pointer() unsafe.Pointer { return unsafe.Pointer(v) }

// Items is the other view of Integers, for enumerated controls.
func (v *Value) Items() *[128]uint32 { return (*[128]uint32)(unsafe.Pointer(&v.Integers)) }

// TLV is struct snd_ctl_tlv with space for what follows it: nested type, length in bytes, values.
type TLV struct {
	NumID  uint32
	Length uint32 // of Words in bytes
	Words  [1024]uint32
}

// Pointer implements Argument.
func (t *TLV) Pointer() unsafe.Pointer { return unsafe.Pointer(t) }
