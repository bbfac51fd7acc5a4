package line

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setConfig is GPIO_V2_LINE_SET_CONFIG_IOCTL, _IOWR(0xB4, 0x0D, struct gpio_v2_line_config), which x/sys does not have.
const setConfig = 0xc110b40d

// Flags of a line, enum gpio_v2_line_flag.
const (
	flagUsed uint64 = 1 << iota
	flagActiveLow
	flagInput
	flagOutput
	flagRising
	flagFalling
	flagOpenDrain
	_ // open source
	flagPullUp
	flagPullDown
	flagFloat
)

// A kernel is what this package asks of Linux. Tests put one of their own in its place.
type kernel interface {
	// devices are the paths of what may be GPIO chips.
	devices() ([]string, error)
	open(path string) (file, error)
	// adopt makes a file of the descriptor that GET_LINE gave.
	adopt(fd int) (file, error)
	// monotonic is CLOCK_MONOTONIC, by which the kernel stamps edges.
	monotonic() (time.Duration, error)
}

// A file is a chip or a requested line.
type file interface {
	ioctl(request uint, arg unsafe.Pointer) error
	// readNow reads what is there, or fails with EAGAIN.
	readNow(p []byte) (int, error)
	// Read waits for events; it ends with os.ErrDeadlineExceeded, or os.ErrClosed.
	Read(p []byte) (int, error)
	SetReadDeadline(t time.Time) error
	Close() error
}

type linux struct{}

func (linux) devices() ([]string, error) { return filepath.Glob("/dev/gpiochip*") }

func (linux) open(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return newDevice(f)
}

// adopt hands the descriptor to the runtime's poller: there waiting costs no thread, has a deadline, and ends with Close.
func (linux) adopt(fd int) (file, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return newDevice(os.NewFile(uintptr(fd), "gpio-line"))
}

func (linux) monotonic() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}

type device struct {
	*os.File
	raw syscall.RawConn
}

func newDevice(f *os.File) (file, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return device{f, raw}, nil
}

func (d device) ioctl(request uint, arg unsafe.Pointer) error {
	errno := unix.Errno(0)
	err := d.raw.Control(func(fd uintptr) {
		for {
			_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, uintptr(request), uintptr(arg))
			if errno != unix.EINTR {
				return
			}
		}
	})
	runtime.KeepAlive(arg)
	if err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}

func (d device) readNow(p []byte) (n int, err error) {
	controlErr := d.raw.Control(func(fd uintptr) {
		for {
			if n, err = unix.Read(int(fd), p); err != unix.EINTR {
				return
			}
		}
	})
	if controlErr != nil {
		return 0, controlErr
	}
	return max(n, 0), err
}

// text is a C string of fixed size.
func text(b []byte) string { return unix.ByteSliceToString(b) }

// Chips lists the GPIO chips of the machine, each once: a Raspberry Pi 5 has a second name for one of them.
func Chips() ([]Chip, error) {
	found, err := chips(linux{})
	if err != nil {
		return nil, fmt.Errorf("line: list chips: %w", err)
	}
	return found, nil
}

func chips(k kernel) ([]Chip, error) {
	paths, err := k.devices()
	if err != nil {
		return nil, err
	}
	var found []Chip
	var failed error
	seen := map[string]bool{}
	for _, path := range paths {
		chip, err := inspect(k, path)
		switch {
		case err != nil:
			failed = err
		case !seen[chip.Name]:
			seen[chip.Name] = true
			found = append(found, chip)
		}
	}
	if len(found) == 0 && failed != nil {
		return nil, failed
	}
	return found, nil
}

func inspect(k kernel, path string) (Chip, error) {
	f, err := k.open(path)
	if err != nil {
		return Chip{}, fmt.Errorf("open %s: %w%s", path, err, advice(err))
	}
	defer f.Close()
	var info unix.GPIOChipInfo
	if err := f.ioctl(unix.GPIO_GET_CHIPINFO_IOCTL, unsafe.Pointer(&info)); err != nil {
		return Chip{}, fmt.Errorf("ask %s what it is: %w", path, err)
	}
	return Chip{Path: path, Name: text(info.Name[:]), Label: text(info.Label[:]), Lines: int(info.Lines)}, nil
}

// Infos lists the lines of the chip by offset.
func (c Chip) Infos() ([]Info, error) {
	lines, err := c.infos(linux{})
	if err != nil {
		return nil, fmt.Errorf("line: list the lines of %s: %w", c.describe(), err)
	}
	return lines, nil
}

func (c Chip) infos(k kernel) ([]Info, error) {
	f, err := k.open(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w%s", c.Path, err, advice(err))
	}
	defer f.Close()
	lines := make([]Info, c.Lines)
	for i := range lines {
		info := unix.GPIOV2LineInfo{Offset: uint32(i)}
		if err := f.ioctl(unix.GPIO_V2_GET_LINEINFO_IOCTL, unsafe.Pointer(&info)); err != nil {
			return nil, fmt.Errorf("ask %s about line %d: %w%s", c.Path, i, err, advice(err))
		}
		lines[i] = Info{Offset: i, Name: text(info.Name[:]), Consumer: text(info.Consumer[:]),
			Used: info.Flags&flagUsed != 0, Output: info.Flags&flagOutput != 0}
	}
	return lines, nil
}

// advice is what to do about an error of the kernel.
func advice(err error) string {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return " (may this user use GPIO? add it to the group that owns /dev/gpiochip*)"
	case errors.Is(err, unix.ENXIO):
		return " (the chip has no interrupt for this line: it cannot report edges)"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTTY):
		return " (the chip cannot do this, or the kernel is older than 5.10)"
	case errors.Is(err, unix.ENODEV):
		return " (the chip is gone)"
	}
	return ""
}
