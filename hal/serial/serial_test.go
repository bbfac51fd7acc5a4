package serial

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// machine is a sysfs with a built-in line, one that is not wired, a console and two USB adapters.
func machine(t *testing.T) roots {
	t.Helper()
	r := roots{sys: t.TempDir(), dev: "/dev"}
	for name, text := range map[string]string{
		"devices/soc/serial/tty/ttyAMA0/type":            "32\n",
		"devices/8250/tty/ttyS3/type":                    "0\n",
		"devices/virtual/tty/tty1/dev":                   "4:1\n",
		"devices/usb1/1-1/idVendor":                      "0403\n",
		"devices/usb1/1-1/idProduct":                     "6001\n",
		"devices/usb1/1-1/serial":                        "A9007CbR\n",
		"devices/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0/x": "",
		"devices/usb1/1-2/idVendor":                      "0403\n",
		"devices/usb1/1-2/idProduct":                     "6001\n",
		"devices/usb1/1-2/serial":                        "B\x1b[31m\n",
		"devices/usb1/1-2/1-2:1.0/ttyUSB1/tty/ttyUSB1/x": "",
		"devices/usb1/1-3/idVendor":                      "067b\n",
		"devices/usb1/1-3/idProduct":                     "2303\n",
		"devices/usb1/1-3/1-3:1.0/ttyUSB2/tty/ttyUSB2/x": "",
		"class/tty/x":                                    "",
	} {
		name = filepath.Join(r.sys, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"class/tty/ttyAMA0": "../../devices/soc/serial/tty/ttyAMA0",
		"class/tty/ttyS3":   "../../devices/8250/tty/ttyS3",
		"class/tty/tty1":    "../../devices/virtual/tty/tty1",
		"class/tty/ttyUSB0": "../../devices/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0",
		"class/tty/ttyUSB1": "../../devices/usb1/1-2/1-2:1.0/ttyUSB1/tty/ttyUSB1",
		"class/tty/ttyUSB2": "../../devices/usb1/1-3/1-3:1.0/ttyUSB2/tty/ttyUSB2",

		"devices/soc/serial/tty/ttyAMA0/device":               "../..",
		"devices/8250/tty/ttyS3/device":                       "../..",
		"devices/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0/device": "../..",
		"devices/usb1/1-2/1-2:1.0/ttyUSB1/tty/ttyUSB1/device": "../..",
		"devices/usb1/1-3/1-3:1.0/ttyUSB2/tty/ttyUSB2/device": "../..",
	} {
		if err := os.Symlink(target, filepath.Join(r.sys, link)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

const there = "there are /dev/ttyAMA0, /dev/ttyUSB0 (usb:0403:6001:A9007CbR), /dev/ttyUSB1 (usb:0403:6001:B?[31m), /dev/ttyUSB2 (usb:067b:2303)"

func TestNamesFindTheirLine(t *testing.T) {
	for _, test := range []struct{ name, path, err string }{
		{"", "", "no line is named; " + there},
		{"serial/by-id/x", "", "neither an absolute path nor a name in /dev; " + there},
		{"usb:0403", "", "no USB identity"},
		{"usb:0403:6001", "", "fits more than one line: /dev/ttyUSB0, /dev/ttyUSB1"},
		{"usb:0403:6001:a9007cbr", "", "no adapter usb:0403:6001:a9007cbr is plugged in; " + there},
		{"usb:1234:5678", "", "is plugged in; " + there},
		{"usb::", "", "is plugged in"},
		{"usb:0403:6001:A9007CbR", "/dev/ttyUSB0", ""},
		{"usb:067B:2303", "/dev/ttyUSB2", ""},
		{"ttyAMA0", "/dev/ttyAMA0", ""},
		{"/dev/serial/by-id/x", "/dev/serial/by-id/x", ""},
	} {
		path, err := machine(t).find(test.name)
		if path != test.path || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%q: got %q, %v; want %q, %q", test.name, path, err, test.path, test.err)
		}
	}
	if got := (roots{sys: t.TempDir()}).names(); got != "there is no serial line at all" {
		t.Error(got)
	}
}

// A plug is a line whose device can hang, and that can be pulled out.
type plug struct {
	in     chan string
	pulled chan struct{}
	hangs  chan struct{} // nil: writes go at once
	short  int
	once   sync.Once
	mu     sync.Mutex
	out    []byte
}

func newPlug() *plug { return &plug{in: make(chan string), pulled: make(chan struct{})} }

func (p *plug) Read(b []byte) (int, error) {
	select {
	case s := <-p.in:
		return copy(b, s), nil
	case <-p.pulled:
		return 0, syscall.EIO
	}
}

func (p *plug) Write(b []byte) (int, error) {
	if p.hangs != nil {
		<-p.hangs
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.short > 0 {
		b = b[:min(len(b), p.short)]
	}
	p.out = append(p.out, b...)
	return len(b), nil
}

func (p *plug) Close() error {
	p.once.Do(func() { close(p.pulled) })
	return nil
}

func TestAWriteThatHangsEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug()
		p.hangs = make(chan struct{})
		l := newLine("/dev/x", p)
		begin := time.Now()
		for range 2 { // the second waits for the first
			if _, err := l.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 3*writeTime {
			t.Errorf("two writes and closing took %v", took)
		}
		close(p.hangs) // the kernel lets go at last: the bubble makes sure that nothing is left
		synctest.Wait()
		if _, err := l.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAWriteThatHungDoesNotGoOnAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug()
		p.hangs, p.short = make(chan struct{}), 3
		l := newLine("/dev/x", p)
		if _, err := l.Write([]byte("all of it")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		close(p.hangs)
		synctest.Wait()
		// The number of the descriptor may be another file's by now.
		if string(p.out) != "all" {
			t.Errorf("wrote %q", p.out)
		}
	})
}

func TestAShortWriteGoesOn(t *testing.T) {
	p := newPlug()
	p.short = 3
	if n, err := newLine("/dev/x", p).Write([]byte("all of it")); n != 9 || err != nil || string(p.out) != "all of it" {
		t.Errorf("got %d, %v, %q", n, err, p.out)
	}
}

func TestALastingLineIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var there *plug
		l := Lasting("ttyX", 9600, nil).(*lasting)
		tries := 0
		l.open = func() (io.ReadWriteCloser, error) {
			mu.Lock()
			defer mu.Unlock()
			tries++
			if there == nil {
				return nil, syscall.ENOENT
			}
			return there, nil
		}
		put := func(p *plug) {
			mu.Lock()
			defer mu.Unlock()
			there = p
		}
		read := make(chan string)
		go func() {
			defer close(read)
			b := make([]byte, 16)
			for {
				n, err := l.Read(b)
				if err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					return
				}
				read <- string(b[:n])
			}
		}()
		for range 3 {
			time.Sleep(time.Minute)
			if _, err := l.Write([]byte("x")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a write to a line that is away: %v", err)
			}
			p := newPlug()
			put(p)
			p.in <- "hello"
			if got := <-read; got != "hello" {
				t.Errorf("got %q", got)
			}
			if _, err := l.Write([]byte("answer")); err != nil || string(p.out) != "answer" {
				t.Errorf("got %q, %v", p.out, err)
			}
			put(nil)
			p.Close()
		}
		mu.Lock()
		if tries > 40 {
			t.Errorf("opened %d times in three minutes", tries)
		}
		mu.Unlock()
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, ok := <-read; ok {
			t.Error("something is read after closing")
		}
	})
}

func TestClosingALastingLineEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug()
		l := Lasting("ttyX", 9600, nil).(*lasting)
		l.open = func() (io.ReadWriteCloser, error) { return p, nil }
		ended := make(chan error)
		go func() {
			_, err := l.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		l.Close()
		if err := <-ended; err != io.EOF {
			t.Error(err)
		}
	})
}
