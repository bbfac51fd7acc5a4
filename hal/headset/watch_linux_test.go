package headset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/hal"
)

// A body is a machine with USB sockets: a sysfs in a folder, nodes that are fakes, and the kernel's announcements.
type body struct {
	t       *testing.T
	sys     string
	uevents chan []byte

	mu       sync.Mutex
	fakes    map[string]*fake // by path of the node
	denied   bool             // udev has not come by yet
	opened   int
	heard    []string
	watcher  *Watcher
	stopped  chan struct{}
	cancel   context.CancelFunc
	deafness error
}

// A fake is a node: reports come out of it, what is written is kept.
type fake struct {
	reports chan []byte
	gone    chan struct{}
	once    sync.Once
	mu      sync.Mutex
	written [][]byte
	hangs   bool // writes end like those of a USB device that does not answer: after the kernel's 5 s
	closed  bool
}

func newFake() *fake { return &fake{reports: make(chan []byte), gone: make(chan struct{})} }

func (f *fake) unplug() { f.once.Do(func() { close(f.gone) }) }

func (f *fake) Read(b []byte) (int, error) {
	select {
	case r := <-f.reports:
		return copy(b, r), nil
	case <-f.gone:
		return 0, syscall.EIO
	}
}

func (f *fake) Write(b []byte) (int, error) {
	f.mu.Lock()
	hangs := f.hangs
	f.mu.Unlock()
	if hangs {
		time.Sleep(5 * time.Second)
		return 0, syscall.ETIMEDOUT
	}
	select {
	case <-f.gone:
		return 0, syscall.ENODEV
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = append(f.written, bytes.Clone(b))
	return len(b), nil
}

func (f *fake) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.unplug()
	return nil
}

func (f *fake) takes() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := fmt.Sprintf("% x", bytes.Join(f.written, []byte("|")))
	f.written = nil
	return text
}

func newBody(t *testing.T) *body {
	b := &body{t: t, sys: t.TempDir(), uevents: make(chan []byte), fakes: map[string]*fake{}, stopped: make(chan struct{})}
	if err := os.MkdirAll(filepath.Join(b.sys, "class", "hidraw"), 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

// plug puts a device into sysfs: an interface of a USB device, with the HID device below it.
func (b *body) plug(name, socket string, descriptor []byte) *fake {
	b.t.Helper()
	usb := filepath.Join(b.sys, "devices", "usb1", socket)
	folder := filepath.Join(usb, socket+":1.3", "0003:0B0E:0001.0001")
	for file, text := range map[string]string{
		filepath.Join(usb, "idVendor"):               "0b0e\n",
		filepath.Join(folder, "uevent"):              "DRIVER=hid-generic\nHID_ID=0003:00000B0E:00000001\nHID_NAME=Rig \x1b[31mHeadset\nHID_PHYS=usb\n",
		filepath.Join(folder, "report_descriptor"):   string(descriptor),
		filepath.Join(folder, "hidraw", name, "dev"): "239:0\n",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := os.Symlink("../..", filepath.Join(folder, "hidraw", name, "device")); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, "hidraw", name), filepath.Join(b.sys, "class", "hidraw", name)); err != nil {
		b.t.Fatal(err)
	}
	f := newFake()
	b.mu.Lock()
	b.fakes["/dev/"+name] = f
	b.mu.Unlock()
	return f
}

// pull takes a device out.
func (b *body) pull(name, socket string) {
	b.t.Helper()
	if err := os.Remove(filepath.Join(b.sys, "class", "hidraw", name)); err != nil {
		b.t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(b.sys, "devices", "usb1", socket)); err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	f := b.fakes["/dev/"+name]
	delete(b.fakes, "/dev/"+name)
	b.mu.Unlock()
	f.unplug()
}

func (b *body) announce() {
	b.uevents <- []byte("add@/devices/usb1/1-1\x00ACTION=add\x00SUBSYSTEM=hidraw\x00DEVNAME=hidraw0\x00")
}

// A channelReader is the socket of announcements.
type channelReader struct {
	messages chan []byte
	closed   chan struct{}
}

func (r channelReader) Read(b []byte) (int, error) {
	select {
	case m := <-r.messages:
		if m == nil {
			return 0, syscall.ENOBUFS
		}
		return copy(b, m), nil
	case <-r.closed:
		return 0, fs.ErrClosed
	}
}

func (r channelReader) Close() error { close(r.closed); return nil }

func (b *body) run() {
	say := func(format string, args ...any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.heard = append(b.heard, fmt.Sprintf(format, args...))
	}
	w := NewWatcher(Config{
		Change: func(c hal.HeadsetChange) { say("%v", c.Action) },
		Found:  func(d Device) { say("found %s %q", d.Path, d.Name) },
		Gone:   func(d Device) { say("gone %s", d.Path) },
		Sys:    b.sys,
	})
	w.open = func(f found) (io.ReadWriteCloser, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.opened++
		if b.denied {
			return nil, &fs.PathError{Op: "open", Path: f.device.Path, Err: fs.ErrPermission}
		}
		if fake := b.fakes[f.device.Path]; fake != nil {
			return fake, nil
		}
		return nil, &fs.PathError{Op: "open", Path: f.device.Path, Err: syscall.ENODEV}
	}
	w.listen = func() (io.ReadCloser, error) {
		if b.deafness != nil {
			return nil, b.deafness
		}
		return channelReader{b.uevents, make(chan struct{})}, nil
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	b.watcher, b.cancel = w, cancel
	go func() {
		w.Run(ctx)
		close(b.stopped)
	}()
	synctest.Wait()
}

// stop ends the watch; the bubble makes sure that no goroutine is left.
func (b *body) stop() {
	b.cancel()
	<-b.stopped
}

// hears is what the phone was told since the last time.
func (b *body) hears(want ...string) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.heard, want) {
		b.t.Errorf("heard %q, want %q", b.heard, want)
	}
	b.heard = nil
}

func (b *body) takes(f *fake, want string) {
	b.t.Helper()
	synctest.Wait()
	if got := f.takes(); got != want {
		b.t.Errorf("the headset took %q, want %q", got, want)
	}
}

const rigFound = `found /dev/hidraw0 "Rig  [31mHeadset"`

func TestAHeadsetThatIsThereAtTheStartIsFoundAndSpokenWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		b.plug("hidraw1", "1-2", descriptor(t, "razer-kraken"))
		f := b.plug("hidraw0", "1-1", descriptor(t, "jabra-layout"))
		b.run()
		defer b.stop()
		b.hears(rigFound, "plugged")
		b.takes(f, "02 00 00")
		f.reports <- []byte{2, 1, 0}
		b.hears("off-hook")
		b.watcher.Show(hal.HeadsetLamps{OffHook: true})
		b.takes(f, "02 01 00")
	})
}

func TestAHeadsetIsFoundWhenItIsPluggedInAndMissedWhenItIsPulled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		b.run()
		defer b.stop()
		b.hears()
		for range 3 {
			b.watcher.Show(hal.HeadsetLamps{OffHook: true, Mute: true})
			f := b.plug("hidraw0", "1-1", descriptor(t, "jabra-layout"))
			b.announce()
			b.hears(rigFound, "plugged")
			b.takes(f, "02 00 00 7c 02 03 00") // 7c is between two reports: it is told what runs, after all lamps went off
			b.pull("hidraw0", "1-1")
			b.hears("gone /dev/hidraw0", "unplugged")
			b.announce() // the kernel tells that, too; a name that was away is not held against the next headset
			synctest.Wait()
		}
	})
}

func TestTwoHeadsetsArePluggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		one := b.plug("hidraw0", "1-1", descriptor(t, "jabra-layout"))
		two := b.plug("hidraw1", "1-2", descriptor(t, "rig"))
		b.run()
		defer b.stop()
		b.hears(rigFound, "plugged", `found /dev/hidraw1 "Rig  [31mHeadset"`)
		b.takes(one, "02 00 00")
		b.takes(two, "02 00")
		b.watcher.Show(hal.HeadsetLamps{OffHook: true})
		b.takes(one, "02 01 00")
		b.takes(two, "02 01")
		b.pull("hidraw0", "1-1")
		b.hears("gone /dev/hidraw0")
		two.reports <- []byte{1, 1}
		two.reports <- []byte{1, 0}
		time.Sleep(echoTime)
		b.hears("on-hook")
		b.pull("hidraw1", "1-2")
		b.hears("gone /dev/hidraw1", "unplugged")
	})
}

func TestANodeWhosePermissionComesLateIsOpenedThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		b.denied = true
		b.run()
		defer b.stop()
		b.plug("hidraw0", "1-1", descriptor(t, "rig"))
		b.announce()
		b.hears()
		b.mu.Lock()
		b.denied = false
		b.mu.Unlock()
		time.Sleep(settleTime)
		b.hears(rigFound, "plugged")
	})
}

func TestAnAnnouncementThatComesTooSoonIsLookedAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		b.run()
		defer b.stop()
		b.announce()
		b.hears()
		b.plug("hidraw0", "1-1", descriptor(t, "rig"))
		time.Sleep(settleTime)
		b.hears(rigFound, "plugged")
	})
}

func TestANodeThatStaysForbiddenIsTriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		b.denied = true
		b.plug("hidraw0", "1-1", descriptor(t, "rig"))
		b.run()
		defer b.stop()
		time.Sleep(10 * time.Minute)
		b.hears()
		if most := 10*60/int(delayMax/time.Second) + 10; b.opened > most {
			t.Errorf("opened %d times in ten minutes, more than %d", b.opened, most)
		}
	})
}

func TestAHeadsetThatBreaksAtOnceIsTriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		b.plug("hidraw0", "1-1", descriptor(t, "rig")).unplug() // its cable has a loose contact
		b.run()
		defer b.stop()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if most := 10*60/int(delayMax/time.Second) + 10; b.opened > most || b.opened < 10 {
			t.Errorf("opened %d times in ten minutes, want 10 to %d", b.opened, most)
		}
	})
}

func TestLostAnnouncementsDelayOnly(t *testing.T) {
	for name, prepare := range map[string]func(*body){
		"there are none":    func(b *body) { b.deafness = errors.New("no netlink") },
		"one was swallowed": func(*body) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBody(t)
				prepare(b)
				b.run()
				defer b.stop()
				b.plug("hidraw0", "1-1", descriptor(t, "rig"))
				time.Sleep(rescanTime)
				b.hears(rigFound, "plugged")
			})
		})
	}
	t.Run("too many at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBody(t)
			b.run()
			defer b.stop()
			b.plug("hidraw0", "1-1", descriptor(t, "rig"))
			b.uevents <- nil
			b.hears(rigFound, "plugged")
		})
	})
}

func TestAHeadsetThatTakesNothingHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBody(t)
		deaf := b.plug("hidraw0", "1-1", descriptor(t, "jabra-layout"))
		deaf.hangs = true
		good := b.plug("hidraw1", "1-2", descriptor(t, "rig"))
		b.run()
		b.hears(rigFound, "plugged", `found /dev/hidraw1 "Rig  [31mHeadset"`)
		b.takes(good, "02 00")
		for range 1000 { // nobody waits, nothing piles up
			b.watcher.Show(hal.HeadsetLamps{OffHook: true})
			b.watcher.Show(hal.HeadsetLamps{OffHook: true, Mute: true})
		}
		synctest.Wait()
		good.takes()
		time.Sleep(echoTime)
		deaf.reports <- []byte{2, 4, 0}
		b.hears("unmute")
		deaf.mu.Lock()
		deaf.hangs = false
		deaf.mu.Unlock()
		time.Sleep(7 * time.Second) // the write fails, and a second later the latest is written
		b.takes(deaf, "02 03 00")
		deaf.mu.Lock()
		deaf.hangs = true
		deaf.mu.Unlock()
		b.watcher.Show(hal.HeadsetLamps{})
		synctest.Wait()
		begin := time.Now()
		b.stop()
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("stopping took %v", took)
		}
		if !deaf.closed || !good.closed {
			t.Error("a device stays open")
		}
	})
}

func TestPullingIsHarmlessInEveryState(t *testing.T) {
	for name, lamps := range map[string]hal.HeadsetLamps{
		"idle": {}, "ringing": {Ring: true}, "talking": {OffHook: true, Microphone: true}, "muted": {OffHook: true, Mute: true}, "on hold": {Hold: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBody(t)
				f := b.plug("hidraw0", "1-1", descriptor(t, "jabra-layout"))
				b.run()
				b.watcher.Show(lamps)
				f.reports <- []byte{2, 1, 0} // a key just before
				b.pull("hidraw0", "1-1")
				b.watcher.Show(hal.HeadsetLamps{})
				synctest.Wait()
				if n := len(b.heard); n < 4 || b.heard[n-1] != "unplugged" || b.heard[n-2] != "gone /dev/hidraw0" {
					t.Errorf("heard %q", b.heard)
				}
				b.stop()
			})
		})
	}
}

func TestTheSoundCardAndTheKeysOfAHeadsetHaveOneUSBPath(t *testing.T) {
	b := newBody(t)
	b.plug("hidraw0", "1-1", descriptor(t, "rig"))
	card := filepath.Join(b.sys, "devices", "usb1", "1-1", "1-1:1.0", "sound", "card1")
	if err := os.MkdirAll(card, 0o755); err != nil {
		t.Fatal(err)
	}
	headsets, _, err := Config{Sys: b.sys, Dev: "/dev"}.list()
	if err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(filepath.Join(b.sys, "devices", "usb1", "1-1"))
	if err != nil {
		t.Fatal(err)
	}
	if keys, sound := headsets["hidraw0"].device.USBPath, USBPath(card); keys != want || sound != want {
		t.Errorf("keys %q, sound %q, want %q", keys, sound, want)
	}
	for _, none := range []string{"", b.sys, filepath.Join(b.sys, "nothing")} {
		if got := USBPath(none); got != "" {
			t.Errorf("%q has the USB path %q", none, got)
		}
	}
}

// The kernel's side is the other end of a pair of sockets that keep messages apart, as a raw HID device does.
func TestARealDescriptorIsReadWrittenAndClosed(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, kernel := os.NewFile(uintptr(pair[0]), "hidraw0"), os.NewFile(uintptr(pair[1]), "kernel")
	defer kernel.Close()
	b := newBody(t)
	b.plug("hidraw0", "1-1", descriptor(t, "rig"))
	changes := make(chan hal.HeadsetAction, 8)
	w := NewWatcher(Config{Sys: b.sys, Change: func(c hal.HeadsetChange) { changes <- c.Action }})
	opened := false
	w.open = func(found) (io.ReadWriteCloser, error) {
		if opened {
			return nil, syscall.ENODEV
		}
		opened = true
		return ours, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		w.Run(ctx) // with the real socket of announcements, where there is one
		close(stopped)
	}()
	want := func(action hal.HeadsetAction) {
		t.Helper()
		if got := <-changes; got != action {
			t.Fatalf("got %v, want %v", got, action)
		}
	}
	takes := func(report ...byte) {
		t.Helper()
		buffer := make([]byte, 64)
		n, err := kernel.Read(buffer)
		if err != nil || !bytes.Equal(buffer[:n], report) {
			t.Fatalf("got % x, %v; want % x", buffer[:n], err, report)
		}
	}
	want(hal.HeadsetPlugged)
	takes(2, 0)
	if _, err := kernel.Write([]byte{1, 1}); err != nil {
		t.Fatal(err)
	}
	want(hal.HeadsetOffHook)
	w.Show(hal.HeadsetLamps{OffHook: true})
	takes(2, 1)
	kernel.Close()
	want(hal.HeadsetUnplugged)
	cancel()
	<-stopped
	if _, err := ours.Write([]byte{0}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the device is still open: %v", err)
	}
}

func TestWhatIsNoRawHIDDeviceIsNotOpened(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hidraw0")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := open(found{device: Device{Path: name}}); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("got %v, %v", f, err)
	}
}

func TestOnlyRawHIDDevicesAreAnnounced(t *testing.T) {
	for message, want := range map[string]bool{
		"": false,
		"add@/devices/x\x00ACTION=add\x00SUBSYSTEM=hid\x00": false,
		"add@/x\x00XSUBSYSTEM=hidraw\x00":                   false,
		"add@/x\x00SUBSYSTEM=hidrawer\x00":                  false,
		"remove@/x\x00ACTION=remove\x00SUBSYSTEM=hidraw":    true,
	} {
		if got := announces([]byte(message)); got != want {
			t.Errorf("%q: got %v", message, got)
		}
	}
}
