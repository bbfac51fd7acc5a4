package line

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/pin"
)

// WaitForEdge waits for the next edge; a negative timeout waits for ever. It reports false after the timeout, when In, Out,
// Halt or Close end the wait, and when the line fails: NextEdge tells these apart. It implements gpio.PinIn.
func (l *Line) WaitForEdge(timeout time.Duration) bool {
	_, err := l.NextEdge(timeout)
	return err == nil
}

// NextEdge is the oldest edge that nobody has taken yet, or waits for one; a negative timeout waits for ever. It fails with
// ErrTimeout, ErrHalted, ErrClosed, or with what the kernel says, such as ENODEV when the chip is gone.
func (l *Line) NextEdge(timeout time.Duration) (Edge, error) {
	var deadline time.Time
	if timeout >= 0 {
		deadline = time.Now().Add(timeout)
	}
	l.mu.Lock()
	halts := l.halts
	l.mu.Unlock()
	l.reading <- struct{}{}
	defer func() { <-l.reading }()
	for {
		edge, wait, err := l.take(halts, deadline)
		if !wait {
			return edge, err
		}
		n, err := l.file.Read(l.buffer[:])
		if err := l.put(halts, l.buffer[:max(n, 0)], err); err != nil {
			return Edge{}, err
		}
	}
}

// take is an edge that is there already, or the reason not to wait for one; else the deadline is set.
func (l *Line) take(halts uint64, deadline time.Time) (edge Edge, wait bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return Edge{}, false, ErrClosed
	case halts != l.halts, l.edge == gpio.NoEdge, l.output:
		return Edge{}, false, ErrHalted
	}
	if len(l.queue) == 0 {
		n, err := l.file.readNow(l.buffer[:])
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			return Edge{}, false, l.failed(err)
		}
		if err := l.parse(l.buffer[:max(n, 0)]); err != nil {
			return Edge{}, false, err
		}
	}
	if len(l.queue) > 0 {
		edge, l.queue = l.queue[0], l.queue[1:]
		return edge, false, nil
	}
	if !deadline.IsZero() && !time.Now().Before(deadline) {
		return Edge{}, false, ErrTimeout
	}
	// Under the lock, so that a halt from here on ends the read, and one before has been seen.
	if err := l.file.SetReadDeadline(deadline); err != nil {
		return Edge{}, false, l.failed(err)
	}
	return Edge{}, true, nil
}

// put keeps what a read brought, unless the line has been halted meanwhile.
func (l *Line) put(halts uint64, events []byte, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if halts != l.halts || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // take knows what it was
	}
	if err != nil {
		return l.failed(err)
	}
	if len(events) == 0 {
		return l.failed(unix.ENODEV)
	}
	return l.parse(events)
}

func (l *Line) failed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return ErrClosed
	}
	return fmt.Errorf("line: wait for an edge of %s: %w%s", l, err, advice(err))
}

// parse turns events of the kernel into edges, struct gpio_v2_line_event: timestamp_ns, id, offset, seqno, line_seqno.
func (l *Line) parse(events []byte) error {
	if len(events)%eventSize != 0 {
		return fmt.Errorf("line: wait for an edge of %s: the kernel gave %d bytes, events have %d", l, len(events), eventSize)
	}
	if len(events) == 0 {
		return nil
	}
	mono, err := l.kernel.monotonic()
	if err != nil {
		return l.failed(err)
	}
	now := time.Now()
	for ; len(events) > 0; events = events[eventSize:] {
		at := time.Duration(binary.NativeEndian.Uint64(events))
		seq := binary.NativeEndian.Uint32(events[20:])
		edge := Edge{At: at, Time: now.Add(at - mono), Seq: seq, Rising: binary.NativeEndian.Uint32(events[8:]) == unix.GPIO_V2_LINE_EVENT_RISING_EDGE}
		// When its queue is full the kernel drops the oldest edge: what is missing, is missing right before this one.
		if l.seqKnown {
			edge.Lost = seq - l.seq - 1
		}
		l.lost += uint64(edge.Lost)
		l.seq, l.seqKnown = seq, true
		l.queue = append(l.queue, edge)
	}
	return nil
}

// Lost is how many edges were dropped so far, because nobody took them in time.
func (l *Line) Lost() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// String is the line's name with its chip and offset, "HOOK(gpiochip0-17)".
func (l *Line) String() string {
	return fmt.Sprintf("%s(%s-%d)", l.info.Name, l.chip.Name, l.info.Offset)
}

// Name is the line's name, or chip and offset where it has none. It implements pin.Pin.
func (l *Line) Name() string {
	if l.info.Name != "" {
		return l.info.Name
	}
	return fmt.Sprintf("%s-%d", l.chip.Name, l.info.Offset)
}

// Number is the line's offset in its chip. It implements pin.Pin.
func (l *Line) Number() int { return l.info.Offset }

// Chip is the chip of the line.
func (l *Line) Chip() Chip { return l.chip }

// Pull is the bias that was asked for. It implements gpio.PinIn.
func (l *Line) Pull() gpio.Pull {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pull
}

// DefaultPull is not known to the kernel: PullNoChange. It implements gpio.PinIn.
func (l *Line) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// Function is Func as text. It implements pin.Pin.
func (l *Line) Function() string { return string(l.Func()) }

// Func is what the line was made: gpio.IN, OUT_HIGH, OUT_LOW or OUT_OC. Asking changes nothing. It implements pin.PinFunc.
func (l *Line) Func() pin.Func {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.output:
		return gpio.IN
	case l.options.OpenDrain:
		return gpio.OUT_OC
	case bool(l.level):
		return gpio.OUT_HIGH
	}
	return gpio.OUT_LOW
}

// SupportedFuncs are the functions that SetFunc takes. It implements pin.PinFunc.
func (l *Line) SupportedFuncs() []pin.Func {
	return []pin.Func{gpio.IN, gpio.OUT_HIGH, gpio.OUT_LOW}
}

// SetFunc is In without edges, or Out. It implements pin.PinFunc.
func (l *Line) SetFunc(f pin.Func) error {
	switch f {
	case gpio.IN:
		return l.In(gpio.PullNoChange, gpio.NoEdge)
	case gpio.OUT_HIGH:
		return l.Out(gpio.High)
	case gpio.OUT_LOW:
		return l.Out(gpio.Low)
	}
	return fmt.Errorf("line: %s cannot be made %q: it knows %v", l, f, l.SupportedFuncs())
}
