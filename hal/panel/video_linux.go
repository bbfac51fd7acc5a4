package panel

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests and levels of include/uapi/linux/fb.h.
const (
	fbioGetVScreenInfo = 0x4600
	fbioGetFScreenInfo = 0x4602
	fbioBlank          = 0x4611
	fbBlankUnblank     = 0
	fbBlankPowerdown   = 4
)

// fixedLength is the length of fb_fix_screeninfo: two of its members are words of the machine.
const fixedLength = 68 + 12*(unsafe.Sizeof(uintptr(0))/8)

type device struct {
	file   *os.File
	memory []byte
}

// OpenVideo opens a framebuffer of the kernel, as /dev/fb0. A text console that draws into it is to be switched off by the
// image (vt.global_cursor_default=0, or no fbcon).
func OpenVideo(path string) (Video, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &device{file: file}, nil
}

// Info implements Video.
func (d *device) Info() (fixed, variable []byte, err error) {
	fixed, variable = make([]byte, fixedLength), make([]byte, 160)
	if err := d.ask(fbioGetFScreenInfo, fixed); err != nil {
		return nil, nil, fmt.Errorf("%s: FBIOGET_FSCREENINFO: %w", d.file.Name(), err)
	}
	if err := d.ask(fbioGetVScreenInfo, variable); err != nil {
		return nil, nil, fmt.Errorf("%s: FBIOGET_VSCREENINFO: %w", d.file.Name(), err)
	}
	return fixed, variable, nil
}

func (d *device) ask(request uintptr, answer []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, d.file.Fd(), request, uintptr(unsafe.Pointer(&answer[0])))
	runtime.KeepAlive(d.file)
	if errno != 0 {
		return errno
	}
	return nil
}

// Map implements Video.
func (d *device) Map(length int) ([]byte, error) {
	if d.memory != nil {
		return nil, fmt.Errorf("%s is mapped already", d.file.Name())
	}
	memory, err := unix.Mmap(int(d.file.Fd()), 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	runtime.KeepAlive(d.file)
	if err != nil {
		return nil, fmt.Errorf("%s: mmap %d bytes: %w", d.file.Name(), length, err)
	}
	d.memory = memory
	return memory, nil
}

// Blank implements Video. A driver without fb_blank answers EINVAL.
func (d *device) Blank(blank bool) error {
	level := fbBlankUnblank
	if blank {
		level = fbBlankPowerdown
	}
	err := unix.IoctlSetInt(int(d.file.Fd()), fbioBlank, level)
	runtime.KeepAlive(d.file)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTTY) {
		return fmt.Errorf("%s: FBIOBLANK: %w", d.file.Name(), errors.ErrUnsupported)
	}
	return err
}

// Close implements Video.
func (d *device) Close() error {
	var err error
	if d.memory != nil {
		err = unix.Munmap(d.memory)
		d.memory = nil
	}
	return errors.Join(err, d.file.Close())
}
