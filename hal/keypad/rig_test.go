package keypad

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"
	"freizeichen/hal/keypad/contact"
	"freizeichen/hal/line"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

const ms = time.Millisecond

// pad is 4 x 3 keys: 1 2 3 / 4 5 6 / 7 8 9 / * 0 #, at rows 1 to 4 and columns 2 to 4.
func pad() contact.Keymap {
	m := contact.Keymap{}
	for i, key := range []hal.Key{hal.Key1, hal.Key2, hal.Key3, hal.Key4, hal.Key5, hal.Key6, hal.Key7, hal.Key8, hal.Key9, hal.KeyStar, hal.Key0, hal.KeyPound} {
		m[contact.Position{Row: uint8(i/3 + 1), Col: uint8(i%3 + 2)}] = key
	}
	return m
}

func where(key hal.Key) (row, col int) {
	for p, k := range pad() {
		if k == key {
			return int(p.Row), int(p.Col)
		}
	}
	panic(key)
}

// A pin is an input that behaves as a line of the kernel.
type pin struct {
	gpio.PinIO // for the methods that nobody calls
	name       string
	mu         sync.Mutex
	level      gpio.Level
	edge       gpio.Edge
	events     []time.Time
	changed    chan struct{}
	err        error
	deaf       bool          // no interrupts come
	stuck      bool          // low whatever happens
	slow       time.Duration // how long turning edges on takes
	calls      int
}

func newPin(name string) *pin {
	return &pin{PinIO: gpio.INVALID, name: name, level: gpio.High, changed: make(chan struct{})}
}

func (p *pin) String() string { return p.name }

func (p *pin) locked(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pin) set(level bool) {
	p.locked(func() {
		if p.edge != gpio.NoEdge && !p.deaf && !p.stuck && bool(p.level) && !level {
			p.events = append(p.events, time.Now())
		}
		p.level = gpio.Level(level)
	})
}

// stick holds the line low, or lets it go. Falling makes an edge.
func (p *pin) stick(low bool) {
	p.locked(func() {
		if low && bool(p.level) && p.edge != gpio.NoEdge {
			p.events = append(p.events, time.Now())
		}
		p.stuck = low
	})
}

// pulse is too short to be seen but by the interrupt.
func (p *pin) pulse() {
	p.locked(func() {
		if p.edge != gpio.NoEdge {
			p.events = append(p.events, time.Now())
		}
	})
}

func (p *pin) In(_ gpio.Pull, edge gpio.Edge) error {
	if edge != gpio.NoEdge {
		time.Sleep(p.slow)
	}
	p.locked(func() { p.edge, p.events = edge, nil })
	return p.err
}

func (p *pin) Halt() error {
	p.locked(func() { p.edge = gpio.NoEdge })
	return nil
}

func (p *pin) Value() (gpio.Level, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	return p.level && !gpio.Level(p.stuck), p.err
}

func (p *pin) Read() gpio.Level {
	level, _ := p.Value()
	return level
}

func (p *pin) NextEdge(timeout time.Duration) (line.Edge, error) {
	end := time.After(timeout)
	for {
		p.mu.Lock()
		p.calls++
		changed, edge, err := p.changed, p.edge, p.err
		if len(p.events) > 0 && err == nil {
			at := p.events[0]
			p.events = p.events[1:]
			p.mu.Unlock()
			return line.Edge{Time: at}, nil
		}
		p.mu.Unlock()
		switch {
		case err != nil:
			return line.Edge{}, err
		case edge == gpio.NoEdge:
			return line.Edge{}, line.ErrHalted
		}
		select {
		case <-changed:
		case <-end:
			return line.Edge{}, line.ErrTimeout
		}
	}
}

func (p *pin) WaitForEdge(timeout time.Duration) bool {
	_, err := p.NextEdge(timeout)
	return err == nil
}

// A plain pin is one of periph's, without times and errors.
type plain struct{ gpio.PinIn }

// A rig is one kind of keypad with switches that can be pressed.
type rig struct {
	press, release func(row, col int)
	start          func(Options) (*Keypad, error)
	pin            *pin
	bus            *haltest.Bus // nil for lines
	fail           func(error)  // of all access to the part; nil ends it
	reset          func()       // a dip of the supply; nil for lines
	traffic        func() int
}

// attach makes a rig of a chip on a bus. wrap, if any, stands between driver and bus.
func attach(addr uint16, target haltest.Target, start func(i2c.Bus, uint16, gpio.PinIn, Options) (*Keypad, error), r *rig) *rig {
	r.bus = &haltest.Bus{}
	r.bus.Attach(addr, target)
	r.start = func(o Options) (*Keypad, error) { return start(r.bus, addr, r.pin, o) }
	r.fail = func(err error) {
		r.bus.Fail(func(uint16, []byte, []byte) error { return err })
	}
	r.traffic = func() int {
		transfers, _ := r.bus.Traffic()
		return transfers
	}
	return r
}

func tcaRig() *rig {
	r := &rig{pin: newPin("KB_INT")}
	chip := haltest.NewTCA8418(r.pin.set)
	r.press, r.release, r.reset = chip.Press, chip.Release, chip.PowerOn
	return attach(0x34, chip, StartTCA8418, r)
}

func mcpRig() *rig {
	r := &rig{pin: newPin("KB_INT")}
	chip := haltest.NewMCP23017(nil, r.pin.set)
	r.press, r.release, r.reset = chip.Press, chip.Release, chip.PowerOn
	return attach(0x20, chip, StartMCP23017, r)
}

// A wiring is a matrix of switches on lines, without diodes.
type wiring struct {
	mu     sync.Mutex
	closed contact.Set
	low    [8]bool // rows that are driven
	cols   []*pin
	err    error
	outs   int
}

func (w *wiring) settle() {
	for c, col := range w.cols {
		reached := uint16(1) << c // columns that hang together with this one
		low := false
		for range 8 {
			for r, cols := range w.closed {
				if cols&reached != 0 {
					reached |= cols
					low = low || w.low[r]
				}
			}
		}
		col.set(!low)
	}
}

func (w *wiring) move(row, col int, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed.Put(contact.Position{Row: uint8(row), Col: uint8(col)}, closed)
	w.settle()
}

// A rowPin is an open-drain output.
type rowPin struct {
	gpio.PinIO
	wiring *wiring
	row    int
}

func (p *rowPin) Out(level gpio.Level) error {
	p.wiring.mu.Lock()
	defer p.wiring.mu.Unlock()
	p.wiring.outs++
	p.wiring.low[p.row] = !bool(level)
	p.wiring.settle()
	return p.wiring.err
}

func linesRig() *rig {
	w := &wiring{}
	var rows []gpio.PinOut
	var cols []gpio.PinIn
	for r := range 5 {
		rows = append(rows, &rowPin{gpio.INVALID, w, r})
	}
	for c := range 5 {
		col := newPin(fmt.Sprint("COL", c))
		w.cols, cols = append(w.cols, col), append(cols, col)
	}
	return &rig{
		press:   func(row, col int) { w.move(row, col, true) },
		release: func(row, col int) { w.move(row, col, false) },
		start:   func(o Options) (*Keypad, error) { return StartMatrix(rows, cols, o) },
		pin:     w.cols[2],
		fail: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.err = err
		},
		traffic: func() int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.outs
		},
	}
}

// A phone keeps what it is told.
type phone struct {
	mu    sync.Mutex
	keys  string
	parts []hal.PartChange
	down  map[hal.Key]bool
	bad   string
}

func (p *phone) options() Options {
	p.down = map[hal.Key]bool{}
	return Options{Keys: pad(), Key: func(c hal.KeyChange) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if c.Held > 0 {
			if !p.down[c.Key] {
				p.bad = fmt.Sprintf("%v repeats and is up", c.Key)
			}
			p.keys += fmt.Sprintf(" (%v)", c.Key)
			return
		}
		if p.down[c.Key] == c.Down {
			p.bad = fmt.Sprintf("%v is told %v again", c.Key, c.Down)
		}
		p.down[c.Key] = c.Down
		p.keys += map[bool]string{true: " +", false: " -"}[c.Down] + c.Key.String()
	}, Part: func(c hal.PartChange) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.parts = append(p.parts, c)
	}}
}

func (r *rig) run(t *testing.T, p *phone) *Keypad {
	t.Helper()
	k, err := r.start(p.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	synctest.Wait()
	return k
}

// want compares the keys told since it was called last, and all faults.
func (p *phone) want(t *testing.T, keys string, faults ...hal.Fault) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []hal.Fault
	for _, part := range p.parts {
		if part.Part != hal.PartKeypad || (part.Fault == hal.Working) != (part.Detail == "") {
			t.Errorf("a report of %v: %q", part.Part, part.Detail)
		}
		got = append(got, part.Fault)
	}
	if p.keys != keys || !slices.Equal(got, faults) || p.bad != "" {
		t.Errorf("told%s and %v, want%s and %v %s", p.keys, p.parts, keys, faults, p.bad)
	}
	p.keys = ""
}

// take is the keys told since it was called last, and all reports.
func (p *phone) take() (string, []hal.PartChange) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := p.keys
	p.keys = ""
	return keys, slices.Clone(p.parts)
}

// held is what the phone thinks is down, and what was wrong with what it was told.
func (p *phone) held() (keys []hal.Key, bad string) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, down := range p.down {
		if down {
			keys = append(keys, key)
		}
	}
	return keys, p.bad
}

func (r *rig) push(keys ...hal.Key) {
	for _, key := range keys {
		r.press(where(key))
	}
}

func (r *rig) let(keys ...hal.Key) {
	for _, key := range keys {
		r.release(where(key))
	}
}

// each runs a test with each kind of keypad, in fake time.
func each(t *testing.T, test func(t *testing.T, r *rig, p *phone)) {
	t.Helper()
	for name, make := range map[string]func() *rig{"TCA8418": tcaRig, "MCP23017": mcpRig, "matrix": linesRig} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, make(), &phone{}) })
		})
	}
}
