package headset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Device is a headset with keys that is plugged in.
type Device struct {
	Path        string      // /dev/hidraw3
	Name        string      // as it calls itself
	USBPath     string      // folder of its USB device in sysfs, links resolved; empty when it hangs on no USB
	Conformance Conformance // what it offers
}

// USBPath is the folder of the USB device that a folder in sysfs belongs to, such as /sys/class/sound/card1/device; empty
// when there is none. The sound card and the keys of one headset have the same.
func USBPath(folder string) string {
	at, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return ""
	}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		// Only the device has it, not its interfaces (Documentation/ABI/stable/sysfs-bus-usb).
		if _, err := os.Stat(filepath.Join(at, "idVendor")); err == nil {
			return at
		}
	}
	return ""
}

// A found is a raw HID device that the kernel lists and that is a headset.
type found struct {
	device     Device
	descriptor []byte
}

// list finds the headsets among the raw HID devices, by what their descriptors say. It opens none: the descriptor can be
// read by everybody, the device only by whom udev lets.
func (c Config) list() (headsets map[string]found, all map[string]bool, err error) {
	class := filepath.Join(c.Sys, "class", "hidraw")
	entries, err := os.ReadDir(class)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil // no HID device was ever plugged in
	} else if err != nil {
		return nil, nil, fmt.Errorf("headset: list raw HID devices: %w", err)
	}
	headsets, all = map[string]found{}, map[string]bool{}
	for _, e := range entries[:min(len(entries), hidrawMax)] {
		all[e.Name()] = true
		folder := filepath.Join(class, e.Name(), "device")
		descriptor, err := readSmall(filepath.Join(folder, "report_descriptor"))
		if err != nil {
			continue // it is just going, or just coming and will be announced
		}
		if _, err := New(descriptor); err != nil {
			continue
		}
		conformance, _ := Examine(descriptor) // New has read it
		headsets[e.Name()] = found{Device{
			Path: filepath.Join(c.Dev, e.Name()), Name: nameOf(folder), USBPath: USBPath(folder), Conformance: conformance,
		}, descriptor}
	}
	return headsets, all, nil
}

// hidrawMax is the number of raw HID devices that the kernel can have: HIDRAW_MAX_DEVICES.
const hidrawMax = 64

// readSmall reads a file of sysfs: at most one page and a bit, so that nothing else is swallowed by mistake.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 8192))
}

// nameOf is the name in the device's uevent file; control characters become spaces, as it ends in logs and on the panel.
func nameOf(folder string) string {
	text, err := readSmall(filepath.Join(folder, "uevent"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "HID_NAME="); ok {
			name = strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7F || r == '\uFFFD' {
					return ' '
				}
				return r
			}, name)
			return strings.TrimSpace(name[:min(len(name), 128)])
		}
	}
	return ""
}

// open opens the device and makes sure that it is still the one that was listed: names are used again at once.
func open(f found) (io.ReadWriteCloser, error) {
	file, err := os.OpenFile(f.device.Path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	descriptor, err := descriptorOf(file)
	if err == nil && !bytes.Equal(descriptor, f.descriptor) {
		err = errors.New("it is another device by now")
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("read descriptor of %s: %w", f.device.Path, err)
	}
	return file, nil
}

// The requests of linux/hidraw.h; the same on 32 and 64 bits.
const (
	hidiocgrdescsize = 0x80044801 // _IOR('H', 1, int)
	hidiocgrdesc     = 0x90044802 // _IOR('H', 2, struct hidraw_report_descriptor)
)

// descriptorOf asks the opened device for its report descriptor.
func descriptorOf(file *os.File) ([]byte, error) {
	// struct hidraw_report_descriptor: a __u32 and HID_MAX_DESCRIPTOR_SIZE bytes.
	var d struct {
		size  uint32
		value [4096]byte
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var errno unix.Errno
	err = conn.Control(func(fd uintptr) {
		if _, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, hidiocgrdescsize, uintptr(unsafe.Pointer(&d.size))); errno == 0 {
			d.size = min(d.size, uint32(len(d.value)))
			_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, hidiocgrdesc, uintptr(unsafe.Pointer(&d)))
		}
	})
	if err != nil {
		return nil, err
	}
	if errno != 0 {
		return nil, errno
	}
	return d.value[:min(int(d.size), len(d.value))], nil
}
