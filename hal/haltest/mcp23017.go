package haltest

import "sync"

// Registers of a port, by their number with IOCON.BANK set (DS20001952C table 3-1).
const (
	mcpIODIR = iota
	mcpIPOL
	mcpGPINTEN
	mcpDEFVAL
	mcpINTCON
	mcpIOCON
	mcpGPPU
	mcpINTF
	mcpINTCAP
	mcpGPIO
	mcpOLAT
	mcpRegisters
)

// Bits of IOCON (DS20001952C register 3-6).
const (
	mcpBANK, mcpMIRROR, mcpSEQOP, mcpODR, mcpINTPOL = 0x80, 0x40, 0x20, 0x04, 0x02
)

// MCP23017 is the model of Microchip's 16-bit expander (DS20001952C), addresses 20h to 27h, with a matrix of switches without
// diodes between port A (rows) and port B (columns). A pin that nobody drives or pulls reads low. Its methods may be called from
// several goroutines.
type MCP23017 struct {
	mu        sync.Mutex
	wires     [2]interruptWire // INTA, INTB
	keys      keyMatrix
	pointer   byte
	reg       [2][mcpRegisters]byte
	reference [2]byte // levels that a change is seen against
	shorts    int
}

var _ Target = (*MCP23017)(nil)

// NewMCP23017 is a chip that has just got its power. intA and intB are told each change of the interrupt pins; they must not
// call the chip, and may be nil.
func NewMCP23017(intA, intB func(level bool)) *MCP23017 {
	m := &MCP23017{}
	m.wires = [2]interruptWire{{listen: intA, level: true}, {listen: intB, level: true}}
	m.reset()
	return m
}

// PowerOn resets the chip, as a dip of its supply does. The keys stay as they are.
func (m *MCP23017) PowerOn() {
	m.mu.Lock()
	m.reset()
	m.unlock()
}

func (m *MCP23017) reset() {
	m.pointer, m.reg = 0, [2][mcpRegisters]byte{{mcpIODIR: 0xFF}, {mcpIODIR: 0xFF}} // table 3-3, POR values
	m.settle()
}

// Press closes the switch between row, a pin of port A, and col, a pin of port B: 0 to 7 both.
func (m *MCP23017) Press(row, col int) { m.move(row, col, true) }

// Release opens it.
func (m *MCP23017) Release(row, col int) { m.move(row, col, false) }

func (m *MCP23017) move(row, col int, closed bool) {
	m.mu.Lock()
	m.keys.set(row, col&7, closed)
	m.settle()
	m.unlock()
}

// Shorts is how often outputs were set against each other through closed switches: a driver must never do that.
func (m *MCP23017) Shorts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.shorts
}

func (m *MCP23017) unlock() {
	m.mu.Unlock()
	for i := range m.wires {
		m.wires[i].tell(&m.mu)
	}
}

// levels are the pins of both ports.
func (m *MCP23017) levels() (levels [2]byte) {
	seen := byte(0)
	for row := range 8 {
		rows, cols := m.keys.net(row)
		if seen&rows == 0 && m.high(rows, byte(cols)) {
			levels[0] |= rows
			levels[1] |= byte(cols)
		}
		seen |= rows
	}
	for col := range 8 {
		alone := true
		for _, closed := range m.keys {
			alone = alone && closed&(1<<col) == 0
		}
		if alone && m.high(0, 1<<col) {
			levels[1] |= 1 << col
		}
	}
	return levels
}

// high tells the level of pins that hang together.
func (m *MCP23017) high(pins ...byte) bool {
	low, high, pulled := false, false, false
	for port, mask := range pins {
		r := &m.reg[port]
		outputs := mask &^ r[mcpIODIR]
		low = low || outputs&^r[mcpOLAT] != 0
		high = high || outputs&r[mcpOLAT] != 0
		pulled = pulled || mask&r[mcpIODIR]&r[mcpGPPU] != 0 // section 3.5.7: for pins that are inputs
	}
	if low && high {
		m.shorts++
	}
	return !low && (high || pulled)
}

// settle finds interrupts (section 3.6), and brings the INT pins to where they belong.
func (m *MCP23017) settle() {
	levels := m.levels()
	for port := range m.reg {
		r := &m.reg[port]
		against := r[mcpINTCON]&r[mcpDEFVAL] | m.reference[port]&^r[mcpINTCON]
		cause := (levels[port] ^ against) & r[mcpGPINTEN] & r[mcpIODIR]
		// Section 3.6.4: the first interrupt is captured, later ones wait until it is cleared.
		if r[mcpINTF] == 0 && cause != 0 {
			r[mcpINTF], r[mcpINTCAP] = cause, m.port(port, levels)
		}
	}
	active := [2]bool{m.reg[0][mcpINTF] != 0, m.reg[1][mcpINTF] != 0}
	if m.reg[0][mcpIOCON]&mcpMIRROR != 0 {
		active[0] = active[0] || active[1]
		active[1] = active[0]
	}
	for i := range m.wires {
		// ODR overrides INTPOL; both are zero after power-on: active low.
		activeHigh := m.reg[0][mcpIOCON]&(mcpODR|mcpINTPOL) == mcpINTPOL
		m.wires[i].set(active[i] == activeHigh)
	}
}

// port is what the GPIO register reads.
func (m *MCP23017) port(port int, levels [2]byte) byte {
	return levels[port] ^ m.reg[port][mcpIPOL]&m.reg[port][mcpIODIR]
}

// place is the register that the pointer stands on.
func (m *MCP23017) place() (port, register int, ok bool) {
	p := int(m.pointer)
	if m.reg[0][mcpIOCON]&mcpBANK != 0 {
		port, register = p>>4, p&0x0F
	} else {
		port, register = p&1, p>>1
	}
	return port, register, port < 2 && register < mcpRegisters
}

// next moves the pointer (section 3.2.1).
func (m *MCP23017) next() {
	bank, bytewise := m.reg[0][mcpIOCON]&mcpBANK != 0, m.reg[0][mcpIOCON]&mcpSEQOP != 0
	switch {
	case bytewise && bank:
	case bytewise:
		m.pointer ^= 1
	case bank:
		if m.pointer++; m.pointer&0x0F == mcpRegisters {
			m.pointer &= 0x10
		}
	default:
		if m.pointer++; m.pointer == 2*mcpRegisters {
			m.pointer = 0
		}
	}
}

// Write implements Target.
func (m *MCP23017) Write(message []byte) bool {
	m.mu.Lock()
	defer m.unlock()
	for i, b := range message {
		if i == 0 {
			m.pointer = b
			continue
		}
		if port, register, ok := m.place(); ok {
			m.write(port, register, b)
		}
		m.next()
	}
	return true
}

func (m *MCP23017) write(port, register int, b byte) {
	switch register {
	case mcpINTF, mcpINTCAP:
		return // read-only
	case mcpIOCON:
		m.reg[0][mcpIOCON], m.reg[1][mcpIOCON] = b&0xFE, b&0xFE // one register at two addresses
	case mcpGPIO:
		m.reg[port][mcpOLAT] = b
	default:
		m.reg[port][register] = b
	}
	m.settle()
}

// Read implements Target.
func (m *MCP23017) Read(message []byte) {
	m.mu.Lock()
	defer m.unlock()
	for i := range message {
		if port, register, ok := m.place(); ok {
			message[i] = m.read(port, register)
		}
		m.next()
	}
}

func (m *MCP23017) read(port, register int) byte {
	r := &m.reg[port]
	levels := m.levels()
	value := r[register]
	if register == mcpGPIO {
		value = m.port(port, levels)
	}
	if register == mcpGPIO || register == mcpINTCAP {
		// Section 3.6.4: reading clears; section 3.6.5: what differs from DEFVAL stays an interrupt.
		r[mcpINTF], m.reference[port] = 0, levels[port]
		m.settle()
	}
	return value
}
