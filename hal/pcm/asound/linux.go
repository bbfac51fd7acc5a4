//go:build linux

package asound

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Linux is the kernel that we run on.
type Linux struct {
	// Root is where /dev, /proc and /sys are; empty for the machine's own.
	Root string
}

// Open implements Kernel.
func (l Linux) Open(name string) (File, error) {
	// snd_pcm_open in pcm_native.c: without O_NONBLOCK a device that somebody has would be waited for.
	fd, err := unix.Open(l.Root+"/dev/snd/"+name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	f := &file{fd: fd, wake: wake}
	f.polled[0].Fd, f.polled[1].Fd = int32(fd), int32(wake)
	f.polled[0].Events, f.polled[1].Events = unix.POLLIN, unix.POLLIN // POLLERR is reported always
	return f, nil
}

// List implements Kernel.
func (l Linux) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(l.Root + dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Read implements Kernel.
func (l Linux) Read(file string) (string, error) {
	data, err := os.ReadFile(l.Root + file)
	return strings.TrimSpace(string(data)), err
}

// Resolve implements Kernel.
func (l Linux) Resolve(path string) (string, error) {
	// The kernel says in three calls what filepath.EvalSymlinks asks in fifty, for each card whenever they are looked for.
	fd, err := unix.Open(l.Root+path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &fs.PathError{Op: "resolve", Path: path, Err: err}
	}
	defer unix.Close(fd)
	resolved, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	return strings.TrimPrefix(resolved, l.Root), err
}

// file is an open device and an eventfd that ends its Poll.
type file struct {
	fd, wake int
	polled   [2]unix.PollFd
}

// Ioctl implements File.
func (f *file) Ioctl(request Request, argument Argument) error {
	for {
		// The argument is on the heap, because it came as an interface; the heap does not move.
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(f.fd), uintptr(request), uintptr(argument.Pointer()))
		runtime.KeepAlive(argument)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return errno
		}
		return nil
	}
}

// Poll implements File.
func (f *file) Poll(timeout time.Duration) (Readiness, error) {
	end := time.Now().Add(timeout)
	for {
		// Rounded up: a wait that is too short would turn in a circle.
		left := max(0, time.Until(end)+time.Millisecond-1)
		n, err := unix.Poll(f.polled[:], int(left/time.Millisecond))
		switch {
		case err == unix.EINTR:
			continue // a signal of Go's scheduler
		case err != nil:
			return Expired, err
		case f.polled[1].Revents != 0:
			return Woken, nil
		case n == 0:
			return Expired, nil
		}
		return Ready, nil // a stream that stands, or whose card is gone, has POLLERR: the next call says why
	}
}

// Wake implements File.
func (f *file) Wake() {
	one := [8]byte{1}
	// EAGAIN alone can happen: 2^64-2 wakes have been before.
	_, _ = unix.Write(f.wake, one[:])
}

// Close implements File.
func (f *file) Close() error {
	err := unix.Close(f.fd)
	_ = unix.Close(f.wake)
	return err
}
