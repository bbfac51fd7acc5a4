// Package qtest speaks with a running QEMU by its two sockets: by qtest, which moves single wires of the emulated board, and by QMP, which
// starts the machine, finds its parts, unplugs its network and takes its picture.
//
//	Wires --set_irq_in, irq_intercept_out--> pins of one GPIO chip        docs/devel/qtest.rst
//	Monitor --cont, qom-list, set_link, screendump--> QEMU                docs/interop/qmp-spec.rst
package qtest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// answerMax bounds how long QEMU may take for an answer, on a machine that does other things too.
const answerMax = 60 * time.Second

// historyMax bounds how many changes of the outputs are kept: an hour of the fastest lamp.
const historyMax = 1 << 16

// A Change is a new level of an output.
type Change struct {
	At   time.Time
	Line int
	High bool
}

// Wires are the pins of one GPIO chip: inputs are set, outputs are watched.
type Wires struct {
	connection net.Conn
	chip       string // its path in QEMU
	asking     sync.Mutex
	answers    chan string
	closed     chan struct{}

	mu      sync.Mutex
	levels  map[int]bool
	history []Change
	changed chan struct{} // closed and replaced at every change
}

// NewWires takes over a connection to QEMU's qtest socket, and the outputs of the chip at a path of Monitor.Find. Only one chip of a
// machine can be watched.
func NewWires(connection net.Conn, chip string) (*Wires, error) {
	w := &Wires{connection: connection, chip: chip, answers: make(chan string, 1), closed: make(chan struct{}), levels: map[int]bool{}, changed: make(chan struct{})}
	go w.read()
	if err := w.ask("irq_intercept_out " + chip); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close ends watching.
func (w *Wires) Close() error {
	err := w.connection.Close()
	<-w.closed
	return err
}

// read takes answers, and changes of outputs between them: "IRQ raise 3".
func (w *Wires) read() {
	defer close(w.closed)
	for lines := bufio.NewScanner(w.connection); lines.Scan(); {
		var line int
		var verb string
		if n, _ := fmt.Sscanf(lines.Text(), "IRQ %s %d", &verb, &line); n == 2 {
			w.note(Change{time.Now(), line, verb == "raise"})
			continue
		}
		select {
		case w.answers <- lines.Text():
		default: // nobody asked
		}
	}
}

func (w *Wires) note(c Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if old, known := w.levels[c.Line]; known && old == c.High {
		return
	}
	w.levels[c.Line] = c.High
	if len(w.history) < historyMax {
		w.history = append(w.history, c)
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *Wires) ask(command string) error {
	w.asking.Lock()
	defer w.asking.Unlock()
	if _, err := fmt.Fprintln(w.connection, command); err != nil {
		return fmt.Errorf("qtest: %s: %w", command, err)
	}
	select {
	case answer := <-w.answers:
		if !strings.HasPrefix(answer, "OK") {
			return fmt.Errorf("qtest: %s: %s", command, answer)
		}
		return nil
	case <-w.closed:
		return fmt.Errorf("qtest: %s: QEMU has ended", command)
	case <-time.After(answerMax):
		return fmt.Errorf("qtest: %s: no answer in %s", command, answerMax)
	}
}

// Set drives an input.
func (w *Wires) Set(line int, high bool) error {
	level := 0
	if high {
		level = 1
	}
	return w.ask(fmt.Sprintf("set_irq_in %s unnamed-gpio-in %d %d", w.chip, line, level))
}

// High is the level of an output now; one that never changed is Low.
func (w *Wires) High(line int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.levels[line]
}

// History is every change of an output since a time, oldest first. The times are those at which it was seen here: milliseconds late, and
// more on a busy machine.
func (w *Wires) History(line int, since time.Time) []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since(line, since)
}

func (w *Wires) since(line int, since time.Time) []Change {
	var changes []Change
	for _, c := range w.history {
		if c.Line == line && !c.At.Before(since) {
			changes = append(changes, c)
		}
	}
	return changes
}

// Wait waits until the changes of an output since a time satisfy a condition, at most so long. It reports whether they do, and the changes.
func (w *Wires) Wait(line int, since time.Time, most time.Duration, done func([]Change) bool) ([]Change, bool) {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		w.mu.Lock()
		changes, changed := w.since(line, since), w.changed
		w.mu.Unlock()
		if done(changes) {
			return changes, true
		}
		select {
		case <-changed:
		case <-w.closed:
			return changes, false
		case <-late.C:
			return changes, false
		}
	}
}
