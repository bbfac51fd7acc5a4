//go:build linux

package bus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"periph.io/x/conn/v3/i2c"

	"freizeichen/hal/haltest"
)

// adapters is a root whose kernel shows adapters by number and name.
func adapters(t *testing.T, root string, class string, names map[int]string) {
	t.Helper()
	for number, name := range names {
		dir := filepath.Join(root, class, fmt.Sprintf("i2c-%d", number))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "name"), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const compatible = "sys/class/i2c-adapter"

// opener has a model bus behind each number, and counts.
type opener struct {
	mu             sync.Mutex
	opened, closed []int
	wire           haltest.Bus
	err            error
}

type openBus struct {
	*haltest.Bus
	close func() error
}

func (o openBus) Close() error { return o.close() }

func (o *opener) open(number int) (i2c.BusCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, o.err
	}
	o.opened = append(o.opened, number)
	return openBus{&o.wire, func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.closed = append(o.closed, number)
		return nil
	}}, nil
}

func (o *opener) counts() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprint(o.opened, o.closed)
}

// ask reads a byte of the sensor.
func ask(b *I2C) error { return b.Tx(0x48, []byte{0}, make([]byte, 2)) }

func testBus(t *testing.T, name string) (*I2C, *opener) {
	o := &opener{}
	o.wire.Attach(0x48, haltest.NewLM75())
	return &I2C{root: t.TempDir(), name: name, open: o.open}, o
}

func TestABusIsFoundByTheNameOfItsAdapter(t *testing.T) {
	two := map[int]string{1: "bcm2835 (i2c@7e804000)", 20: "fef04500.i2c", 7: "i2c-tiny-usb at bus 001 device 003", 3: "i2c-tiny-usb at bus 001 device 009"}
	for _, c := range []struct {
		name, class string
		there       map[int]string
		number      int
		says        string
	}{
		{"fef04500.i2c", compatible, nil, 0, "no I2C bus at all"},
		{"fef04500", compatible, two, 0, `no I2C bus "fef04500"; there are "`},
		{"*.i2c", compatible, two, 0, "there are"}, // a star is the end of a name and nothing else
		{"fef04500.i2c", compatible, two, 20, ""},
		{"bcm2835*", compatible, two, 1, ""},
		{"i2c-tiny-usb*", compatible, two, 3, ""}, // of two that fit the first
		{"fef04500.i2c", "sys/bus/i2c/devices", two, 20, ""},
	} {
		b, o := testBus(t, c.name)
		adapters(t, b.root, c.class, c.there)
		err := ask(b)
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q: %v, want it to say %q", c.name, err, c.says)
		}
		if want := fmt.Sprintf("[%d] []", c.number); c.says == "" && (err != nil || o.counts() != want) {
			t.Errorf("%q: %v, opened %s, want %s", c.name, err, o.counts(), want)
		}
	}
}

func TestABusThatComesLaterIsFoundThen(t *testing.T) {
	b, o := testBus(t, "i2c-tiny-usb*")
	if ask(b) == nil || b.Close() != nil {
		t.Fatal("there is a bus, or closing none fails")
	}
	adapters(t, b.root, compatible, map[int]string{4: "i2c-tiny-usb at bus 001"})
	o.err = errors.New("permission denied")
	if err := ask(b); err == nil || !strings.Contains(err.Error(), `"i2c-tiny-usb*", number 4: permission denied`) {
		t.Errorf("what cannot be opened: %v", err)
	}
	o.err = nil
	for range 3 {
		if err := ask(b); err != nil {
			t.Error(err)
		}
	}
	if err := b.Close(); err != nil || o.counts() != "[4] [4]" {
		t.Errorf("%v, opened and closed %s", err, o.counts())
	}
}

func TestAnAdapterThatWasPulledOutIsClosedAndFoundAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		moves  bool // the adapter has another number afterwards
		counts string
	}{
		{"a chip that does not answer leaves the bus open", haltest.ErrNAK, false, "[4] []"},
		{"in periph's words, too", fmt.Errorf("sysfs-i2c: %v", syscall.ENXIO), false, "[4] []"},
		{"so does a disturbed transfer", syscall.EIO, false, "[4] []"},
		{"no such device", syscall.ENODEV, false, "[4 4] [4]"},
		{"no such device, in periph's words", fmt.Errorf("sysfs-i2c: %v", syscall.ENODEV), false, "[4 4] [4]"},
		{"EIO of an adapter that is no more", syscall.EIO, true, "[4 9] [4]"},
	} {
		b, o := testBus(t, "tiny*")
		adapters(t, b.root, compatible, map[int]string{4: "tiny"})
		if err := ask(b); err != nil {
			t.Fatal(err)
		}
		o.wire.Fail(func(uint16, []byte, []byte) error { return c.err })
		if c.moves {
			if err := os.RemoveAll(filepath.Join(b.root, compatible, "i2c-4")); err != nil {
				t.Fatal(err)
			}
		}
		if err := ask(b); !errors.Is(err, c.err) || !strings.Contains(err.Error(), `bus "tiny*", address 0x48`) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.moves {
			adapters(t, b.root, compatible, map[int]string{9: "tiny"})
		}
		o.wire.Fail(nil)
		if err := ask(b); err != nil || o.counts() != c.counts {
			t.Errorf("%s: %v, opened and closed %s, want %s", c.name, err, o.counts(), c.counts)
		}
	}
}

func TestSeveralGoroutinesShareABusThatComesAndGoes(t *testing.T) {
	b, o := testBus(t, "tiny")
	adapters(t, b.root, compatible, map[int]string{4: "tiny"})
	var n int
	o.wire.Fail(func(uint16, []byte, []byte) error { // called under the bus's lock
		if n++; n%7 == 0 {
			return syscall.ENODEV
		}
		return nil
	})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if err := ask(b); err != nil && !errors.Is(err, syscall.ENODEV) {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if err := b.Close(); err != nil || len(o.opened) != len(o.closed) || len(o.opened) < 50 {
		t.Errorf("%v, opened %d times, closed %d times", err, len(o.opened), len(o.closed))
	}
}
