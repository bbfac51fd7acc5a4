package asound

import "unsafe"

// The masks of HWParams.
const (
	Access    = 0
	Format    = 1
	Subformat = 2
)

// The intervals of HWParams; the index is the kernel's number minus 8.
const (
	SampleBits  = 0
	FrameBits   = 1
	Channels    = 2
	Rate        = 3
	PeriodTime  = 4 // microseconds
	PeriodSize  = 5 // frames
	PeriodBytes = 6
	Periods     = 7
	BufferTime  = 8 // microseconds
	BufferSize  = 9 // frames
	BufferBytes = 10
	TickTime    = 11
)

// Bits of the masks that are used.
const (
	AccessRWInterleaved = 3
	FormatS16LE         = 2
	SubformatStandard   = 0
)

// A Mask is a set of 256 numbers.
type Mask [8]uint32

// Flags of an Interval.
const (
	OpenMin = 1 << 0
	OpenMax = 1 << 1
	Integer = 1 << 2
	Empty   = 1 << 3
)

// An Interval is from Min to Max, both in it unless the flags say that an end is open.
type Interval struct{ Min, Max, Flags uint32 }

// HWParams is struct snd_pcm_hw_params: the space of configurations that are still possible.
type HWParams struct {
	Flags     uint32
	Masks     [3]Mask
	_         [5]Mask
	Intervals [12]Interval
	_         [9]Interval
	RMask     uint32 // what the caller has changed
	CMask     uint32 // what the kernel has changed
	Info      uint32
	MSBits    uint32
	RateNum   uint32
	RateDen   uint32
	FIFOSize  uintptr
	_         [64]byte
}

// Pointer implements Argument.
func (p *HWParams) Pointer() unsafe.Pointer { return unsafe.Pointer(p) }

// SWParams is struct snd_pcm_sw_params; all sizes are frames.
type SWParams struct {
	TimestampMode    uint32
	PeriodStep       uint32
	SleepMin         uint32
	AvailMin         uintptr
	TransferAlign    uintptr
	StartThreshold   uintptr
	StopThreshold    uintptr
	SilenceThreshold uintptr
	SilenceSize      uintptr
	Boundary         uintptr // answered by the kernel
	Protocol         uint32
	TimestampType    uint32
	_                [56]byte
}

// Pointer implements Argument.
func (p *SWParams) Pointer() unsafe.Pointer { return unsafe.Pointer(p) }

// Transfer is struct snd_xferi: interleaved frames to or from a buffer of frames x channels samples.
type Transfer struct {
	Result int
	Buffer *int16 // a pointer, not a uintptr: the buffer lives as long as the transfer
	Frames uintptr
}

// Pointer implements Argument.
func (t *Transfer) Pointer() unsafe.Pointer { return unsafe.Pointer(t) }

// Samples is the buffer as a slice.
func (t *Transfer) Samples(channels int) []int16 {
	return unsafe.Slice(t.Buffer, int(t.Frames)*channels)
}

// Delay is the frames until what is written now is heard, or since what is read now was spoken.
type Delay struct{ Frames int }

// Pointer implements Argument.
func (d *Delay) Pointer() unsafe.Pointer { return unsafe.Pointer(d) }

// None is the argument of requests that have none.
type None struct{}

// Pointer implements Argument.
func (None) Pointer() unsafe.Pointer { return nil }
