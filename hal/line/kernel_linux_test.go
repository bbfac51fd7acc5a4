package line

import (
	"encoding/binary"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A fakeKernel answers as gpiolib-cdev.c does, error codes included, and notes every level that an output has shown.
type fakeKernel struct {
	mu    sync.Mutex
	boot  time.Time
	chips map[string]*fakeChip // by path
	fds   map[int]*fakeRequest
	// refuse, if set, is what opening a chip fails with.
	refuse error
}

type fakeChip struct {
	name, label string
	lines       []*fakeLine
	gone        bool
}

type fakeLine struct {
	name, consumer string
	noInterrupt    bool
	volts          bool   // the level of the wire
	shown          []bool // what the wire was driven to as an output, in order
	output         bool
	request        *fakeRequest
}

func newFakeKernel() *fakeKernel {
	return &fakeKernel{boot: time.Now().Add(-time.Hour), chips: map[string]*fakeChip{}, fds: map[int]*fakeRequest{}}
}

func (k *fakeKernel) plug(path, name, label string, lines ...string) *fakeChip {
	k.mu.Lock()
	defer k.mu.Unlock()
	chip := &fakeChip{name: name, label: label}
	for _, line := range lines {
		chip.lines = append(chip.lines, &fakeLine{name: line})
	}
	k.chips[path] = chip
	return chip
}

// drive sets the wire of an input, and tells whoever listens.
func (k *fakeKernel) drive(l *fakeLine, volts bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.volts == volts {
		return
	}
	l.volts = volts
	if l.request != nil {
		l.request.edge(volts)
	}
}

func (k *fakeKernel) unplug(chip *fakeChip) {
	k.mu.Lock()
	defer k.mu.Unlock()
	chip.gone = true
	for _, l := range chip.lines {
		if l.request != nil {
			l.request.notify()
		}
	}
}

func (k *fakeKernel) devices() ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.chips)), nil
}

func (k *fakeKernel) open(path string) (file, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	chip := k.chips[path]
	switch {
	case k.refuse != nil:
		return nil, k.refuse
	case chip == nil:
		return nil, unix.ENOENT
	}
	return &fakeChipFile{kernel: k, chip: chip}, nil
}

func (k *fakeKernel) adopt(fd int) (file, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.fds[fd]; r != nil {
		return r, nil
	}
	return nil, unix.EBADF
}

func (k *fakeKernel) monotonic() (time.Duration, error) { return time.Since(k.boot), nil }

// A fakeChipFile is an open /dev/gpiochipN.
type fakeChipFile struct {
	file
	kernel *fakeKernel
	chip   *fakeChip
}

func (f *fakeChipFile) Close() error { return nil }

func (f *fakeChipFile) ioctl(request uint, arg unsafe.Pointer) error {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	if f.chip.gone {
		return unix.ENODEV
	}
	switch request {
	case unix.GPIO_GET_CHIPINFO_IOCTL:
		info := (*unix.GPIOChipInfo)(arg)
		copy(info.Name[:31], f.chip.name)
		copy(info.Label[:31], f.chip.label)
		info.Lines = uint32(len(f.chip.lines))
		return nil
	case unix.GPIO_V2_GET_LINEINFO_IOCTL:
		info := (*unix.GPIOV2LineInfo)(arg)
		if int(info.Offset) >= len(f.chip.lines) {
			return unix.EINVAL
		}
		l := f.chip.lines[info.Offset]
		copy(info.Name[:31], l.name)
		copy(info.Consumer[:31], l.consumer)
		if l.request != nil || l.consumer != "" {
			info.Flags |= flagUsed
		}
		return nil
	case unix.GPIO_V2_GET_LINE_IOCTL:
		return f.getLine((*unix.GPIOV2LineRequest)(arg))
	}
	return unix.ENOTTY
}

func (f *fakeChipFile) getLine(request *unix.GPIOV2LineRequest) error {
	if request.Num_lines != 1 || int(request.Offsets[0]) >= len(f.chip.lines) {
		return unix.EINVAL
	}
	l := f.chip.lines[request.Offsets[0]]
	if l.request != nil || l.consumer != "" {
		return unix.EBUSY
	}
	r := &fakeRequest{kernel: f.kernel, chip: f.chip, line: l, size: int(request.Event_buffer_size), changed: make(chan struct{})}
	if err := r.configure(&request.Config); err != nil {
		return err
	}
	l.request, l.consumer = r, unix.ByteSliceToString(request.Consumer[:])
	request.Fd = int32(100 + len(f.kernel.fds))
	f.kernel.fds[int(request.Fd)] = r
	return nil
}

// A fakeRequest is the file of a requested line.
type fakeRequest struct {
	kernel   *fakeKernel
	chip     *fakeChip
	line     *fakeLine
	size     int
	flags    uint64
	debounce uint64 // µs
	events   [][]byte
	seq      uint32
	closed   bool
	deadline time.Time
	changed  chan struct{}
	configs  int
}

func (r *fakeRequest) configure(c *unix.GPIOV2LineConfig) error {
	in, out := c.Flags&flagInput != 0, c.Flags&flagOutput != 0
	edges := c.Flags & (flagRising | flagFalling)
	switch {
	case in == out, edges != 0 && out, c.Flags&flagOpenDrain != 0 && in, c.Num_attrs > 10:
		return unix.EINVAL
	case c.Flags&flagPullUp != 0 && c.Flags&(flagPullDown|flagFloat) != 0:
		return unix.EINVAL
	}
	r.debounce = 0
	value := false // of an output without the attribute: the glitch that this package must not make
	for _, a := range c.Attrs[:c.Num_attrs] {
		switch a.Attr.Id {
		case unix.GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES:
			value = a.Attr.Flags&1 != 0
		case unix.GPIO_V2_LINE_ATTR_ID_DEBOUNCE:
			r.debounce = a.Attr.Flags
		default:
			return unix.EINVAL
		}
	}
	r.flags, r.line.output = c.Flags, out
	r.configs++
	if out {
		r.show(value)
	}
	if edges != 0 && r.line.noInterrupt {
		return unix.ENXIO // the direction has changed already
	}
	return nil
}

// active turns a wire's level into the line's, or back.
func (r *fakeRequest) active(volts bool) bool { return volts != (r.flags&flagActiveLow != 0) }

func (r *fakeRequest) show(value bool) {
	r.line.volts = r.active(value)
	r.line.shown = append(r.line.shown, r.line.volts)
}

func (r *fakeRequest) edge(volts bool) {
	id, wanted := uint32(unix.GPIO_V2_LINE_EVENT_FALLING_EDGE), flagFalling
	if r.active(volts) {
		id, wanted = unix.GPIO_V2_LINE_EVENT_RISING_EDGE, flagRising
	}
	if r.flags&wanted == 0 || r.closed {
		return
	}
	r.seq++
	if len(r.events) >= r.size {
		r.events = r.events[1:] // the kernel drops the oldest
	}
	event := make([]byte, 48)
	binary.NativeEndian.PutUint64(event, uint64(time.Since(r.kernel.boot)))
	binary.NativeEndian.PutUint32(event[8:], id)
	binary.NativeEndian.PutUint32(event[16:], r.seq)
	binary.NativeEndian.PutUint32(event[20:], r.seq)
	r.events = append(r.events, event)
	r.notify()
}

func (r *fakeRequest) notify() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *fakeRequest) ioctl(request uint, arg unsafe.Pointer) error {
	r.kernel.mu.Lock()
	defer r.kernel.mu.Unlock()
	values := (*unix.GPIOV2LineValues)(arg)
	switch {
	case r.closed:
		return os.ErrClosed
	case r.chip.gone:
		return unix.ENODEV
	case request == setConfig:
		return r.configure((*unix.GPIOV2LineConfig)(arg))
	case request == unix.GPIO_V2_LINE_GET_VALUES_IOCTL:
		values.Bits = 0
		if r.active(r.line.volts) {
			values.Bits = 1
		}
		return nil
	case request == unix.GPIO_V2_LINE_SET_VALUES_IOCTL:
		if r.flags&flagOutput == 0 {
			return unix.EPERM
		}
		r.show(values.Bits&1 != 0)
		return nil
	}
	return unix.ENOTTY
}

func (r *fakeRequest) readNow(p []byte) (int, error) {
	r.kernel.mu.Lock()
	defer r.kernel.mu.Unlock()
	switch {
	case r.closed:
		return 0, os.ErrClosed
	case r.chip.gone:
		return 0, unix.ENODEV
	case len(r.events) == 0:
		return 0, unix.EAGAIN
	}
	n := 0
	for len(r.events) > 0 && n+48 <= len(p) {
		n += copy(p[n:], r.events[0])
		r.events = r.events[1:]
	}
	return n, nil
}

func (r *fakeRequest) Read(p []byte) (int, error) {
	for {
		r.kernel.mu.Lock()
		deadline, changed, closed := r.deadline, r.changed, r.closed
		r.kernel.mu.Unlock()
		if closed {
			return 0, os.ErrClosed
		}
		var timeout <-chan time.Time
		if !deadline.IsZero() {
			if !time.Now().Before(deadline) {
				return 0, os.ErrDeadlineExceeded
			}
			timeout = time.After(time.Until(deadline))
		}
		if n, err := r.readNow(p); err != unix.EAGAIN {
			return n, err
		}
		select {
		case <-changed:
		case <-timeout:
		}
	}
}

func (r *fakeRequest) SetReadDeadline(t time.Time) error {
	r.kernel.mu.Lock()
	defer r.kernel.mu.Unlock()
	r.deadline = t
	r.notify()
	return nil
}

func (r *fakeRequest) Close() error {
	r.kernel.mu.Lock()
	defer r.kernel.mu.Unlock()
	r.closed, r.line.request, r.line.consumer = true, nil, ""
	r.notify()
	return nil
}
