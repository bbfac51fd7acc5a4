package line

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/pin"
)

// The kernel's structs have these sizes on all machines, 32 and 64 bit; where one had not, this would not compile.
var (
	_ [68]byte  = [unsafe.Sizeof(unix.GPIOChipInfo{})]byte{}
	_ [256]byte = [unsafe.Sizeof(unix.GPIOV2LineInfo{})]byte{}
	_ [592]byte = [unsafe.Sizeof(unix.GPIOV2LineRequest{})]byte{}
	_ [272]byte = [unsafe.Sizeof(unix.GPIOV2LineConfig{})]byte{}
	_ [16]byte  = [unsafe.Sizeof(unix.GPIOV2LineValues{})]byte{}
	_ [48]byte  = [unsafe.Sizeof(unix.GPIOV2LineEvent{})]byte{}
)

const (
	// eventSize is that of struct gpio_v2_line_event.
	eventSize = 48
	// batch is how many edges are read at once: a press that bounces fits.
	batch = 16
	// queueDefault holds the bounce of a bad switch while the process is not scheduled.
	queueDefault = 64
	// drainMax bounds the emptying of the kernel's queue, which a line that never rests fills as fast as it is read.
	drainMax = 64
)

// A Line is one requested GPIO line, an input or an output. Its methods may be called by several goroutines, but only one
// waits for edges at a time. Who opens it closes it.
type Line struct {
	kernel  kernel
	chip    Chip
	info    Info
	options Options
	file    file

	reading chan struct{} // of one: held by the one who waits, taken before mu
	buffer  [batch * eventSize]byte

	mu       sync.Mutex
	closed   bool
	halts    uint64 // counts In, Out, Halt and Close: who waits notices
	output   bool
	level    gpio.Level // of an output
	pull     gpio.Pull
	edge     gpio.Edge
	queue    []Edge // read and not yet taken, at most batch
	seq      uint32 // of the edge read last
	seqKnown bool   // false after a new configuration: the next edge only tells where the count stands
	lost     uint64
}

var (
	_ gpio.PinIO  = (*Line)(nil)
	_ pin.PinFunc = (*Line)(nil)
)

// OpenInput requests a line as an input. Edges are reported only if asked for; they cost interrupts.
func OpenInput(a Address, pull gpio.Pull, edge gpio.Edge, o Options) (*Line, error) {
	return open(linux{}, a, o, &Line{pull: pull, edge: edge})
}

// OpenOutput requests a line as an output. It is at level from the first moment on: nothing flashes.
func OpenOutput(a Address, level gpio.Level, o Options) (*Line, error) {
	return open(linux{}, a, o, &Line{output: true, level: level})
}

func open(k kernel, a Address, o Options, l *Line) (*Line, error) {
	fail := func(err error) (*Line, error) { return nil, fmt.Errorf("line: open %v: %w", a, err) }
	chip, info, err := find(k, a)
	if err != nil {
		return fail(err)
	}
	if l.pull == gpio.PullNoChange {
		l.pull = o.Pull
	}
	if o.Queue <= 0 {
		o.Queue = queueDefault
	}
	if o.Consumer == "" {
		o.Consumer = "freizeichen"
	}
	l.kernel, l.chip, l.info, l.options = k, chip, info, o
	request := unix.GPIOV2LineRequest{Num_lines: 1, Event_buffer_size: uint32(o.Queue), Config: l.config(l.output, l.level, l.pull, l.edge)}
	request.Offsets[0] = uint32(info.Offset)
	copy(request.Consumer[:len(request.Consumer)-1], o.Consumer)
	f, err := k.open(chip.Path)
	if err != nil {
		return fail(fmt.Errorf("open %s: %w%s", chip.Path, err, advice(err)))
	}
	defer f.Close()
	if err := f.ioctl(unix.GPIO_V2_GET_LINE_IOCTL, unsafe.Pointer(&request)); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return fail(fmt.Errorf("%w: %s is used by %q", err, l, user(k, chip, info)))
		}
		return fail(fmt.Errorf("request %s: %w%s", l, err, advice(err)))
	}
	if l.file, err = k.adopt(int(request.Fd)); err != nil {
		return fail(err)
	}
	l.reading = make(chan struct{}, 1)
	l.seqKnown = true // the first edge of a new request is number 1
	return l, nil
}

// user is who has a line, as gpioinfo would say; the answer found while looking for it may be old.
func user(k kernel, chip Chip, line Info) string {
	if infos, err := chip.infos(k); err == nil && line.Offset < len(infos) {
		return infos[line.Offset].Consumer
	}
	return line.Consumer
}

// config is what the kernel shall make of the line.
func (l *Line) config(output bool, level gpio.Level, pull gpio.Pull, edge gpio.Edge) unix.GPIOV2LineConfig {
	var c unix.GPIOV2LineConfig
	attribute := func(id uint32, value uint64) {
		c.Attrs[c.Num_attrs] = unix.GPIOV2LineConfigAttribute{Attr: unix.GPIOV2LineAttribute{Id: id, Flags: value}, Mask: 1}
		c.Num_attrs++
	}
	if output {
		pull = l.options.Pull
	}
	switch pull {
	case gpio.PullUp:
		c.Flags |= flagPullUp
	case gpio.PullDown:
		c.Flags |= flagPullDown
	case gpio.Float:
		c.Flags |= flagFloat
	}
	if l.options.ActiveLow {
		c.Flags |= flagActiveLow
	}
	if output {
		c.Flags |= flagOutput
		if l.options.OpenDrain {
			c.Flags |= flagOpenDrain
		}
		value := uint64(0)
		if level {
			value = 1
		}
		attribute(unix.GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, value)
		return c
	}
	c.Flags |= flagInput
	if edge&gpio.RisingEdge != 0 {
		c.Flags |= flagRising
	}
	if edge&gpio.FallingEdge != 0 {
		c.Flags |= flagFalling
	}
	if l.options.Debounce > 0 {
		// The union's 32 bits are its first ones; all boards of ours are little endian.
		attribute(unix.GPIO_V2_LINE_ATTR_ID_DEBOUNCE, uint64(l.options.Debounce.Microseconds()))
	}
	return c
}

// reconfigure changes the line in place: it is never given back in between, and whoever waits for an edge is woken.
func (l *Line) reconfigure(doing string, output bool, level gpio.Level, pull gpio.Pull, edge gpio.Edge) error {
	if l.closed {
		return fmt.Errorf("line: %s %s: %w", doing, l, ErrClosed)
	}
	l.wake()
	c := l.config(output, level, pull, edge)
	err := l.file.ioctl(setConfig, unsafe.Pointer(&c))
	if err != nil && errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("line: %s %s: %w%s", doing, l, err, advice(err)) // refused before anything was touched
	}
	l.output, l.level, l.pull, l.edge = output, level, pull, edge
	l.drain()
	if err != nil {
		l.edge = gpio.NoEdge
		return fmt.Errorf("line: %s %s: %w%s", doing, l, err, advice(err))
	}
	return nil
}

// wake ends the waiting of another goroutine.
func (l *Line) wake() {
	l.halts++
	// It fails only on a file that is closed, and then nobody waits.
	_ = l.file.SetReadDeadline(time.Unix(1, 0))
}

// drain forgets the edges of an earlier configuration.
func (l *Line) drain() {
	l.queue, l.seqKnown = nil, false
	var forgotten [batch * eventSize]byte
	for range drainMax {
		if n, err := l.file.readNow(forgotten[:]); err != nil || n == 0 {
			return
		}
	}
}

// In makes the line an input and forgets older edges; a wait that runs ends. PullNoChange keeps the bias there is. It fails with
// ENXIO when the chip has no interrupt for the line. In implements gpio.PinIn.
func (l *Line) In(pull gpio.Pull, edge gpio.Edge) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pull == gpio.PullNoChange {
		pull = l.pull
	}
	return l.reconfigure("make an input of", false, gpio.Low, pull, edge)
}

// Out sets the level of an output, and makes an output of an input without another level in between. It implements
// gpio.PinOut.
func (l *Line) Out(level gpio.Level) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !l.output {
		return l.reconfigure("make an output of", true, level, l.pull, gpio.NoEdge)
	}
	values := unix.GPIOV2LineValues{Mask: 1}
	if level {
		values.Bits = 1
	}
	if err := l.file.ioctl(unix.GPIO_V2_LINE_SET_VALUES_IOCTL, unsafe.Pointer(&values)); err != nil {
		return fmt.Errorf("line: set %s %v: %w%s", l, level, err, advice(err))
	}
	l.level = level
	return nil
}

// PWM is not for lines: it always fails. It implements gpio.PinOut.
func (l *Line) PWM(gpio.Duty, physic.Frequency) error {
	return fmt.Errorf("line: %s: a GPIO line has no PWM", l)
}

// Value is the level of an input now, or the last one set of an output.
func (l *Line) Value() (gpio.Level, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return gpio.Low, fmt.Errorf("line: read %s: %w", l, ErrClosed)
	case l.output:
		return l.level, nil
	}
	values := unix.GPIOV2LineValues{Mask: 1}
	if err := l.file.ioctl(unix.GPIO_V2_LINE_GET_VALUES_IOCTL, unsafe.Pointer(&values)); err != nil {
		return gpio.Low, fmt.Errorf("line: read %s: %w%s", l, err, advice(err))
	}
	return values.Bits&1 != 0, nil
}

// Read is Value for those who cannot take an error: Low then. It implements gpio.PinIn.
func (l *Line) Read() gpio.Level {
	level, _ := l.Value()
	return level
}

// Halt ends a wait that runs, and turns edges off until the next In. An output keeps its level. It implements conn.Resource.
func (l *Line) Halt() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.output || l.edge == gpio.NoEdge {
		return nil
	}
	err := l.reconfigure("halt", false, gpio.Low, l.pull, gpio.NoEdge)
	l.edge = gpio.NoEdge
	return err
}

// Close gives the line back and ends a wait that runs. The kernel leaves an output as it is, or makes it an input, as the
// chip's driver sees fit. Closing again does nothing.
func (l *Line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed, l.queue = true, nil
	l.halts++
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("line: close %s: %w", l, err)
	}
	return nil
}
