// Package serial opens serial lines: the service line of technicians, base stations of headsets. A line is 8 data bits, no
// parity, one stop bit, no flow control, raw: no echo, no line editing, every byte as it is. What the bytes mean is known
// above.
//
//	name --Open--> find (path, or USB identity in sysfs) --go.bug.st/serial--> io.ReadWriteCloser
//	name --Lasting--> the same, opened again whenever it vanishes
package serial

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"go.bug.st/serial"
)

// writeTime bounds Write: at 9,600 baud some 2,000 bytes go in that time. An adapter that hangs takes nothing any more.
const writeTime = 2 * time.Second

// Open opens a serial line. The name is a path such as /dev/ttyAMA0, a name in /dev such as ttyUSB0, or usb:VVVV:PPPP or
// usb:VVVV:PPPP:SERIAL, the identity of a USB adapter in hexadecimal, wherever it is plugged in. baud such as 115200.
//
// Read waits for at least one byte. When the line vanishes, Read fails with io.EOF or what the kernel says. Write gives up
// after 2 s with os.ErrDeadlineExceeded. Close ends both. An error of Open names the lines that are there.
func Open(name string, baud int) (io.ReadWriteCloser, error) {
	return roots{"/sys", "/dev"}.open(name, baud)
}

func (r roots) open(name string, baud int) (io.ReadWriteCloser, error) {
	path, err := r.find(name)
	if err != nil {
		return nil, err
	}
	if baud < 1 { // the library would take a negative speed
		return nil, fmt.Errorf("serial: open %s at %d baud: there is no such speed; 115200 and 9600 are usual", path, baud)
	}
	p, err := serial.Open(path, &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit})
	if err != nil {
		return nil, fmt.Errorf("serial: open %s at %d baud: %w: %s", path, baud, err, r.advice(err))
	}
	return newLine(path, p), nil
}

// advice is what a technician can do.
func (r roots) advice(err error) string {
	var e *serial.PortError
	code := serial.FunctionNotImplemented
	if errors.As(err, &e) {
		code = e.Code()
	}
	switch {
	case code == serial.PortBusy:
		return "another program has it open; is a login shell (getty) on it?"
	case code == serial.PermissionDenied || errors.Is(err, fs.ErrPermission):
		return "the phone's user must be in the group that owns it, often dialout"
	case code == serial.InvalidSpeed || code == serial.InvalidSerialPort:
		return "it is no serial line, or cannot do this speed"
	}
	return r.names()
}

// A line is an open serial line.
type line struct {
	path    string
	port    io.ReadWriteCloser
	writing chan struct{} // holds one token: who has it may write or close
	once    sync.Once
	closed  chan struct{}
}

func newLine(path string, port io.ReadWriteCloser) *line {
	l := &line{path: path, port: port, writing: make(chan struct{}, 1), closed: make(chan struct{})}
	l.writing <- struct{}{}
	return l
}

// Read reads what is there, at least one byte.
func (l *line) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err := l.port.Read(b)
		if n > 0 {
			return n, nil
		}
		var e *serial.PortError
		switch {
		case err == nil:
			continue // the library's time-out
		case errors.As(err, &e) && e.Code() == serial.PortClosed:
			return 0, io.EOF // closed by us, or hung up by the kernel: it says both in one way
		}
		return 0, fmt.Errorf("serial: read %s: %w", l.path, err)
	}
}

// Write writes all of b, or fails. The library writes to whatever has its descriptor's number, even after Close: so nobody
// writes then.
func (l *line) Write(b []byte) (int, error) {
	timer := time.NewTimer(writeTime)
	defer timer.Stop()
	select {
	case <-l.closed:
		return 0, fmt.Errorf("serial: write %s: %w", l.path, fs.ErrClosed)
	default:
	}
	select {
	case <-l.closed:
		return 0, fmt.Errorf("serial: write %s: %w", l.path, fs.ErrClosed)
	case <-timer.C:
		return 0, fmt.Errorf("serial: write %s: the line takes nothing: %w", l.path, os.ErrDeadlineExceeded)
	case <-l.writing:
	}
	type result struct {
		n   int
		err error
	}
	done, data := make(chan result, 1), bytes.Clone(b) // b is the caller's again after the time-out
	go func() {
		n, err := l.writeAll(data)
		l.writing <- struct{}{}
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			r.err = fmt.Errorf("serial: write %s: %w", l.path, r.err)
		}
		return r.n, r.err
	case <-timer.C:
		return 0, fmt.Errorf("serial: write %s: the line takes nothing: %w", l.path, os.ErrDeadlineExceeded)
	}
}

// writeAll goes on after a short write, which a signal can cause; not after Close, which does not wait for one that hangs.
func (l *line) writeAll(b []byte) (n int, err error) {
	for n < len(b) {
		select {
		case <-l.closed:
			return n, fs.ErrClosed
		default:
		}
		more, err := l.port.Write(b[n:])
		n += more
		if err != nil {
			return n, err
		}
		if more == 0 {
			return n, io.ErrShortWrite
		}
	}
	return n, nil
}

// Close ends reads and writes. A write that hangs in the kernel is given writeTime.
func (l *line) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		select {
		case <-l.writing: // never given back: nobody writes any more
		case <-time.After(writeTime):
		}
		if err = l.port.Close(); err != nil {
			err = fmt.Errorf("serial: close %s: %w", l.path, err)
		}
	})
	return err
}

// names lists the lines that exist, for an error text.
func (r roots) names() string {
	list := r.list()
	if len(list) == 0 {
		return "there is no serial line at all"
	}
	var texts []string
	for _, p := range list {
		text := p.path
		if p.usb != "" {
			text += " (" + p.usb + ")"
		}
		texts = append(texts, text)
	}
	return "there are " + strings.Join(texts, ", ")
}
