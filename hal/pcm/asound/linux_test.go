//go:build linux

package asound_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// machine is a root folder with a FIFO in place of a capture device: it opens without waiting and is polled like one.
func machine(t *testing.T) (asound.Linux, string) {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"/dev/snd", "/proc/asound/card0", "/sys/devices/usb1/1-1/1-1:1.0/sound/card0", "/sys/class/sound"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(unix.Mkfifo(root+"/dev/snd/pcmC0D0c", 0o600),
		os.WriteFile(root+"/proc/asound/card0/id", []byte("Headset\n"), 0o600),
		os.Symlink("../../devices/usb1/1-1/1-1:1.0/sound/card0", root+"/sys/class/sound/card0"),
		os.Symlink("../..", root+"/sys/devices/usb1/1-1/1-1:1.0/sound/card0/device"))
	if err != nil {
		t.Fatal(err)
	}
	return asound.Linux{Root: root}, root
}

func TestWhatTheKernelTellsOfACardIsRead(t *testing.T) {
	kernel, _ := machine(t)
	if names, err := kernel.List("/dev/snd"); err != nil || len(names) != 1 || names[0] != "pcmC0D0c" {
		t.Error(names, err)
	}
	if id, err := kernel.Read("/proc/asound/card0/id"); err != nil || id != "Headset" {
		t.Errorf("%q, %v", id, err)
	}
	if path, err := kernel.Resolve("/sys/class/sound/card0/device"); err != nil || path != "/sys/devices/usb1/1-1/1-1:1.0" {
		t.Errorf("%q, %v", path, err)
	}
	for _, missing := range []error{
		second(kernel.List("/dev/none")), second(kernel.Read("/proc/none")), second(kernel.Resolve("/sys/none")), second(kernel.Open("pcmC1D0c")),
	} {
		if !errors.Is(missing, unix.ENOENT) {
			t.Errorf("a missing thing: %v", missing)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestPollEndsForDataForWakeAndInTime(t *testing.T) {
	kernel, root := machine(t)
	f, err := kernel.Open("pcmC0D0c")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := f.Poll(time.Millisecond); r != asound.Expired || err != nil {
		t.Errorf("nothing there: %v, %v", r, err)
	}
	if err := f.Ioctl(asound.Prepare, asound.None{}); err != unix.ENOTTY {
		t.Errorf("a FIFO is a sound card: %v", err)
	}
	if err := f.Ioctl(asound.HWRefine, &asound.HWParams{}); err != unix.ENOTTY {
		t.Errorf("a FIFO is a sound card: %v", err)
	}
	fifo, err := os.OpenFile(root+"/dev/snd/pcmC0D0c", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	go fifo.Write([]byte("sound"))
	if r, err := f.Poll(time.Minute); r != asound.Ready || err != nil {
		t.Errorf("data: %v, %v", r, err)
	}
	if _, err := fifo.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	go f.Wake()
	for range 2 { // once woken, always woken
		if r, err := f.Poll(time.Minute); r != asound.Woken || err != nil {
			t.Errorf("woken: %v, %v", r, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestNoFileIsLeftOpen(t *testing.T) {
	kernel, _ := machine(t)
	before, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		f, err := kernel.Open("pcmC0D0c")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	after, err := os.ReadDir("/proc/self/fd")
	if err != nil || len(after) > len(before) {
		t.Errorf("%d files before, %d after, %v", len(before), len(after), err)
	}
}

func TestTextEndsAtItsZero(t *testing.T) {
	for in, want := range map[string]string{"": "", "\x00": "", "Mic\x00rest": "Mic", "full": "full"} {
		if got := asound.Text([]byte(in)); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
