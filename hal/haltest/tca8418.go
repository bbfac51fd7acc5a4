package haltest

import "sync"

// A keyMatrix is switches between 8 rows and up to 10 columns, wired without diodes: bit c of keyMatrix[r] is the one of row r
// and column c, set while it is closed.
type keyMatrix [8]uint16

func (m *keyMatrix) set(row, col int, closed bool) {
	if row < 0 || row >= len(m) || col < 0 || col > 15 {
		return
	}
	m[row] &^= 1 << col
	if closed {
		m[row] |= 1 << col
	}
}

// net is what hangs together with a row through closed switches: three keys at the corners of a rectangle close the fourth.
func (m *keyMatrix) net(row int) (rows uint8, cols uint16) {
	rows = 1 << row
	for {
		before := rows
		for r, closed := range m {
			if rows&(1<<r) != 0 {
				cols |= closed
			}
		}
		for r, closed := range m {
			if closed&cols != 0 {
				rows |= 1 << r
			}
		}
		if rows == before {
			return rows, cols
		}
	}
}

// An interruptWire carries the level of an interrupt output to whoever listens, in order.
type interruptWire struct {
	telling sync.Mutex
	listen  func(level bool)
	level   bool
	pending []bool // under the lock of the chip
}

func (w *interruptWire) set(level bool) {
	if level != w.level {
		w.level = level
		w.pending = append(w.pending, level)
	}
}

// tell is called without the lock of the chip.
func (w *interruptWire) tell(chip *sync.Mutex) {
	w.telling.Lock()
	defer w.telling.Unlock()
	chip.Lock()
	levels := w.pending
	w.pending = nil
	chip.Unlock()
	for _, level := range levels {
		if w.listen != nil {
			w.listen(level)
		}
	}
}

// TCA8418 is the model of TI's keypad scanner (SCPS215G), address 34h, with a matrix of switches without diodes. It scans the
// moment a switch moves; real ones need up to 60 ms (section 6.9). Its methods may be called from several goroutines.
type TCA8418 struct {
	mu      sync.Mutex
	wire    interruptWire
	keys    keyMatrix
	scanned keyMatrix
	pointer byte
	reg     [0x2F]byte
	fifo    []byte
	locked  bool
}

var _ Target = (*TCA8418)(nil)

// Registers and bits of section 8.6.2.
const (
	tcaCFG, tcaIntStat, tcaLockCount, tcaEventA = 0x01, 0x02, 0x03, 0x04
	tcaKeypad1, tcaKeypad3                      = 0x1D, 0x1F

	tcaIncrement, tcaOverflowMode, tcaPulse, tcaOverflowEnable, tcaKeyEnable = 0x80, 0x20, 0x10, 0x08, 0x01

	tcaKeyInt, tcaOverflowInt = 0x01, 0x08
	tcaFIFOSize               = 10
)

// NewTCA8418 is a chip that has just got its power. interrupt is told each change of the INT pin, which is low while an
// enabled interrupt is pending; it must not call the chip. It may be nil.
func NewTCA8418(interrupt func(level bool)) *TCA8418 {
	return &TCA8418{wire: interruptWire{listen: interrupt, level: true}}
}

// Press closes the switch of a row (0 to 7) and a column (0 to 9).
func (c *TCA8418) Press(row, col int) { c.move(row, col, true) }

// Release opens it.
func (c *TCA8418) Release(row, col int) { c.move(row, col, false) }

func (c *TCA8418) move(row, col int, closed bool) {
	c.mu.Lock()
	c.keys.set(row, col, closed)
	c.scan()
	c.mu.Unlock()
	c.wire.tell(&c.mu)
}

// Waiting is how many events nobody has read yet.
func (c *TCA8418) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.fifo)
}

// PowerOn resets the chip, as a dip of its supply does. The keys stay as they are.
func (c *TCA8418) PowerOn() {
	c.mu.Lock()
	c.reg, c.fifo, c.pointer, c.scanned, c.locked = [0x2F]byte{}, nil, 0, keyMatrix{}, false
	c.settle()
	c.mu.Unlock()
	c.wire.tell(&c.mu)
}

// scan compares the keys with what they were, and queues the changes.
func (c *TCA8418) scan() {
	rows, cols := c.reg[tcaKeypad1], uint16(c.reg[tcaKeypad1+1])|uint16(c.reg[tcaKeypad3]&3)<<8
	for row := range c.keys {
		seen := uint16(0)
		if rows&(1<<row) != 0 {
			_, seen = c.keys.net(row)
			seen &= cols
		}
		changed := seen ^ c.scanned[row]
		c.scanned[row] = seen
		if rows&(1<<row) == 0 {
			continue // no longer of the keypad: no events
		}
		for col := range 10 {
			if changed&cols&(1<<col) != 0 {
				event := byte(row*10 + col + 1) // section 8.3.1.1
				if seen&(1<<col) != 0 {
					event |= 0x80
				}
				c.queue(event)
			}
		}
	}
	c.settle()
}

func (c *TCA8418) queue(event byte) {
	if c.locked {
		return
	}
	if len(c.fifo) == tcaFIFOSize {
		// Section 8.6.4.1, overflow errata: there is no overflow unless both bits are set.
		if c.reg[tcaCFG]&tcaOverflowEnable != 0 && c.reg[tcaCFG]&tcaOverflowMode != 0 {
			c.reg[tcaIntStat] |= tcaOverflowInt
		}
		if c.reg[tcaCFG]&tcaOverflowMode == 0 {
			return // section 8.3.1.4: the new event is lost
		}
		c.fifo = c.fifo[1:]
	}
	c.fifo = append(c.fifo, event)
	c.reg[tcaIntStat] |= tcaKeyInt
}

// settle brings the INT pin to where it belongs.
func (c *TCA8418) settle() {
	pending := c.reg[tcaIntStat] & c.reg[tcaCFG] & (tcaKeyInt | tcaOverflowInt)
	c.wire.set(pending == 0)
}

// Write implements Target.
func (c *TCA8418) Write(message []byte) bool {
	c.mu.Lock()
	for i, b := range message {
		if i == 0 {
			c.pointer = b
			continue
		}
		c.write(b)
		c.next()
	}
	c.mu.Unlock()
	c.wire.tell(&c.mu)
	return true
}

func (c *TCA8418) write(b byte) {
	switch p := c.pointer; {
	case p == tcaIntStat:
		c.reg[p] &^= b
		if len(c.fifo) > 0 && b&tcaKeyInt != 0 {
			// Section 8.6.2.4: the bit and the pin are not cleared until the FIFO is empty; section 8.3.5.1: with
			// INT_CFG the pin goes high for 50 µs.
			if c.reg[tcaCFG]&tcaPulse != 0 {
				c.settle()
			}
			c.reg[p] |= tcaKeyInt
		}
		c.settle()
	case p == tcaLockCount:
		c.locked = b&0x40 != 0
	case p >= tcaEventA && p <= 0x0D, p >= 0x11 && p <= 0x16, p == 0, int(p) >= len(c.reg):
		// read-only, or reserved
	default:
		c.reg[p] = b
		if p >= tcaKeypad1 && p <= tcaKeypad3 {
			c.scan()
		}
		c.settle()
	}
}

// Read implements Target.
func (c *TCA8418) Read(message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range message {
		message[i] = c.read()
		c.next()
	}
}

func (c *TCA8418) read() byte {
	switch p := c.pointer; {
	case p == tcaLockCount:
		status := byte(len(c.fifo))
		if c.locked {
			status |= 0x70
		}
		return status
	case p == tcaEventA:
		if len(c.fifo) == 0 {
			return 0
		}
		event := c.fifo[0]
		c.fifo = c.fifo[1:]
		return event
	case p > tcaEventA && p <= 0x0D:
		if i := int(p - tcaEventA); i < len(c.fifo) {
			return c.fifo[i]
		}
		return 0
	case int(p) < len(c.reg):
		return c.reg[p]
	}
	return 0
}

func (c *TCA8418) next() {
	if c.reg[tcaCFG]&tcaIncrement != 0 {
		c.pointer++
	}
}
