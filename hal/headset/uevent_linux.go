package headset

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// listen opens the kernel's announcements of devices that come and go: one message a read.
func listen() (io.ReadCloser, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("headset: open socket of device events: %w", err)
	}
	// Group 1 is the kernel itself; group 2 would be udev, which not every image has.
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("headset: bind socket of device events: %w", err)
	}
	return os.NewFile(uintptr(fd), "uevent"), nil
}

// announces tells whether a message of the kernel is about a raw HID device: a header and then KEY=value, each ended by a
// zero byte (lib/kobject_uevent.c).
func announces(message []byte) bool {
	for field := range bytes.SplitSeq(message, []byte{0}) {
		if bytes.Equal(field, []byte("SUBSYSTEM=hidraw")) {
			return true
		}
	}
	return false
}
