//go:build linux

// Package bus has the buses of a board as periph's contracts want them: I2C by the adapter's name, SPI by number, each opened when it
// is used first and again after it was away. Only here periph's host drivers are opened.
//
//	parts --i2c.Bus, spi.Conn--> I2C, SPI --sysfs: find, open--> periph host --> /dev/i2c-N, /dev/spidevN.M
package bus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/host/v3/sysfs"
)

// I2C is one I2C bus of the kernel, found by its adapter's name whenever it is needed: numbers change with every kernel, and an
// adapter on USB comes and goes. periph looks for buses only once, and by number.
type I2C struct {
	root string // "/", another one in tests
	name string // the adapter's, or its beginning before a "*"
	open func(number int) (i2c.BusCloser, error)

	mu     sync.Mutex
	opened i2c.BusCloser
	number int // of opened
}

func openI2C(number int) (i2c.BusCloser, error) { return sysfs.NewI2C(number) }

// New is the bus whose adapter has the name, or begins with it before a "*". Nothing is opened yet.
func New(name string) *I2C { return &I2C{root: "/", name: name, open: openI2C} }

// Tx implements i2c.Bus. What is not there is an error like a chip that does not answer: the parts try again.
func (b *I2C) Tx(addr uint16, w, r []byte) error {
	deepen()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened == nil {
		number, err := b.find()
		if err != nil {
			return err
		}
		opened, err := b.open(number)
		if err != nil {
			return fmt.Errorf("bus: opening I2C bus %q, number %d: %w", b.name, number, err)
		}
		b.opened, b.number = opened, number
	}
	err := b.opened.Tx(addr, w, r)
	if err != nil && (gone(err) || b.moved()) {
		_ = b.opened.Close() // of an adapter that is no more
		b.opened = nil
	}
	if err != nil {
		return fmt.Errorf("bus: I2C bus %q, address %#02x: %w", b.name, addr, err)
	}
	return nil
}

// gone tells an adapter that was pulled out from a chip that does not answer. periph hides the kernel's number at the end of its
// text; "no such device or address" is a chip that did not acknowledge.
func gone(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENODEV, syscall.ESHUTDOWN, syscall.EBADF} {
		if errors.Is(err, errno) || strings.HasSuffix(err.Error(), errno.Error()) {
			return true
		}
	}
	return errors.Is(err, os.ErrClosed)
}

// moved tells whether the adapter is no longer where it was opened. An adapter on USB that was pulled out fails with EIO, as
// one does that is disturbed (i2c-tiny-usb.c); and the kernel's whole USB hub waits until it is closed (i2c_del_adapter).
func (b *I2C) moved() bool {
	number, err := b.find()
	return err != nil || number != b.number
}

// find is the number of the adapter with the name.
func (b *I2C) find() (int, error) {
	files, _ := filepath.Glob(filepath.Join(b.root, "sys/class/i2c-adapter/*/name")) // the pattern is fine
	if len(files) == 0 {
		files, _ = filepath.Glob(filepath.Join(b.root, "sys/bus/i2c/devices/i2c-*/name"))
	}
	var names []string
	found, number := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just gone
		}
		name := strings.TrimSpace(string(text))
		names = append(names, strconv.Quote(name))
		if beginning, any := strings.CutSuffix(b.name, "*"); name != b.name && !(any && strings.HasPrefix(name, beginning)) {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(filepath.Dir(file)), "i2c-"))
		if err != nil {
			continue
		}
		if found++; found == 1 || n < number {
			number = n
		}
	}
	switch {
	case found == 0 && len(names) == 0:
		return 0, fmt.Errorf("bus: there is no I2C bus at all, wanted %q; is i2c-dev loaded?", b.name)
	case found == 0:
		return 0, fmt.Errorf("bus: there is no I2C bus %q; there are %s", b.name, strings.Join(names, ", "))
	}
	return number, nil
}

// SetSpeed implements i2c.Bus: the kernel's device tree has the speed.
func (b *I2C) SetSpeed(physic.Frequency) error {
	return errors.New("bus: the speed of an I2C bus is set in the device tree")
}

// String implements i2c.Bus.
func (b *I2C) String() string { return b.name }

// Close gives the bus back; the next transfer opens it again.
func (b *I2C) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened == nil {
		return nil
	}
	err := b.opened.Close()
	b.opened = nil
	return err
}

// deepen makes room on the goroutine's stack. periph's Tx keeps addresses of its stack in numbers while it calls down; a stack
// that moves just then would leave them stale.
//
//go:noinline
func deepen() byte {
	var room [8 << 10]byte
	room[len(room)-1] = 1
	return room[len(room)-1]
}
