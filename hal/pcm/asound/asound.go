// Package asound is the kernel's interface to sound cards: structures, numbers and the door through which they go. It
// decides nothing; what the calls mean together is known by hal/pcm (streams) and hal/pcm/mixer (controls).
//
//	hal/pcm, hal/pcm/mixer --Ioctl, Poll--> File --+--> Linux: /dev/snd, /proc/asound, /sys/class/sound
//	                                               +--> pcmtest: cards in memory
//
// Source: include/uapi/sound/asound.h and tlv.h of Linux, PCM protocol 2.0.15, control protocol 2.0.8; what the calls
// do is read from sound/core/pcm_native.c, pcm_lib.c and control.c of Linux 6.1 to 6.12. In these structures there are
// only uint32, int, uintptr, pointers and bytes: Go on 32-bit ARM aligns an int64 to 4 bytes and the kernel to 8. A C
// long is Go's int on every machine that we build for.
package asound

import (
	"time"
	"unsafe"
)

// A Kernel opens the sound devices of a machine and reads what it tells of them.
type Kernel interface {
	// Open opens a device by its name in /dev/snd, like "pcmC0D0p" or "controlC0", without waiting for it to be free.
	// The error is or wraps a syscall.Errno: ENOENT there is none, EBUSY somebody has it, EACCES it is not ours.
	Open(name string) (File, error)
	// List is the names in a folder.
	List(dir string) ([]string, error)
	// Read is the text of a small file of /proc or /sys, without white space at its ends.
	Read(file string) (string, error)
	// Resolve is a path without symbolic links.
	Resolve(path string) (string, error)
}

// A File is an open device. Ioctl, Poll and Close are called by one goroutine at a time, Wake by any.
type File interface {
	// Ioctl asks the device. The error is a syscall.Errno.
	Ioctl(request Request, argument Argument) error
	// Poll waits until a capture stream has at least avail_min frames, stands still for a reason that the next call
	// tells, or the time is over.
	Poll(timeout time.Duration) (Readiness, error)
	// Wake ends a Poll that runs and all later ones with Woken.
	Wake()
	// Close gives the device back. Nothing else may be called afterwards.
	Close() error
}

// Readiness is why a Poll ended.
type Readiness uint8

// The reasons.
const (
	Expired Readiness = iota // the time is over
	Ready                    // read, or see what the call says
	Woken                    // by Wake
)

// An Argument is a structure that a request carries.
type Argument interface{ Pointer() unsafe.Pointer }

// A Request is an ioctl number: direction, size of its argument, letter, number.
type Request uint32

// Directions of asm-generic/ioctl.h, as seen by the program.
const (
	write     Request = 1 << 30
	read      Request = 2 << 30
	readWrite Request = 3 << 30

	pcm     Request = 'A' << 8
	control Request = 'U' << 8
)

// The requests of PCM devices.
const (
	HWRefine = readWrite | Request(unsafe.Sizeof(HWParams{}))<<16 | pcm | 0x10
	SetHW    = readWrite | Request(unsafe.Sizeof(HWParams{}))<<16 | pcm | 0x11
	SetSW    = readWrite | Request(unsafe.Sizeof(SWParams{}))<<16 | pcm | 0x13
	GetDelay = read | Request(unsafe.Sizeof(Delay{}))<<16 | pcm | 0x21
	Prepare  = pcm | 0x40
	Start    = pcm | 0x42
	Drop     = pcm | 0x43
	WriteI   = write | Request(unsafe.Sizeof(Transfer{}))<<16 | pcm | 0x50
	ReadI    = read | Request(unsafe.Sizeof(Transfer{}))<<16 | pcm | 0x51
)

// The requests of control devices.
const (
	GetCard  = read | Request(unsafe.Sizeof(CardInfo{}))<<16 | control | 0x01
	ElemList = readWrite | Request(unsafe.Sizeof(IDList{}))<<16 | control | 0x10
	ElemInfo = readWrite | Request(unsafe.Sizeof(Info{}))<<16 | control | 0x11
	ElemRead = readWrite | Request(unsafe.Sizeof(Value{}))<<16 | control | 0x12
	ElemSet  = readWrite | Request(unsafe.Sizeof(Value{}))<<16 | control | 0x13
	// TLVRead has the size of the header alone: what follows it is told by the header.
	TLVRead = readWrite | Request(unsafe.Offsetof(TLV{}.Words))<<16 | control | 0x1a
)

// Text is what stands in a field of bytes up to its first zero.
func Text(field []byte) string {
	for i, b := range field {
		if b == 0 {
			return string(field[:i])
		}
	}
	return string(field)
}
