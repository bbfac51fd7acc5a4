package rig

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"time"

	"freizeichen/test/board/rig/wire"
)

// Seen is an event and when it came.
type Seen struct {
	At time.Time
	wire.Event
}

// eventsMax bounds the events that are kept.
const eventsMax = 1 << 17

// listen takes what the first process says, until the machine has ended.
func (m *machine) listen() {
	decoder := json.NewDecoder(m.port)
	for {
		var message wire.Message
		if err := decoder.Decode(&message); err != nil {
			break
		}
		m.mu.Lock()
		m.pulse.beat(time.Now())
		if r := message.Reply; r != nil && m.waiting[r.ID] != nil {
			m.waiting[r.ID] <- *r
			delete(m.waiting, r.ID)
		}
		if e := message.Event; e != nil && e.Kind != wire.Alive {
			if e.Kind != wire.Fed { // twice a second
				m.log.note(e.Kind, e.Text)
			}
			if len(m.events) < eventsMax {
				m.events = append(m.events, Seen{time.Now(), *e})
			}
			m.wake()
		}
		m.mu.Unlock()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = true
	for _, reply := range m.waiting {
		close(reply)
	}
	clear(m.waiting)
	m.wake()
}

// wake lets everybody look again who waits for an event. The caller holds the lock.
func (m *machine) wake() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Mark is a point in the course of events, for After.
func (m *machine) Mark() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events)
}

// Seen waits for the first event of a kind whose text contains some words, from the start on. It gives the whole text.
func (m *machine) Seen(kind, words string, most time.Duration) (text string, ok bool) {
	return m.SeenAfter(0, kind, words, most)
}

// SeenAfter is Seen from a Mark on.
func (m *machine) SeenAfter(mark int, kind, words string, most time.Duration) (text string, ok bool) {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		m.mu.Lock()
		for ; mark < len(m.events); mark++ {
			switch e := m.events[mark]; {
			case e.Kind == kind && strings.Contains(e.Text, words):
				m.mu.Unlock()
				return e.Text, true
			case e.Kind == wire.Failed:
				m.mu.Unlock()
				return e.Text, false
			}
		}
		changed, end := m.changed, m.end()
		m.mu.Unlock()
		if end != nil {
			return end.Error(), false
		}
		select {
		case <-changed:
		case <-late.C:
			return "", false
		}
	}
}

// Wait waits for an event with Patience, from the start on; without one the test has failed.
func (m *Machine) Wait(kind, words string) string {
	m.t.Helper()
	return m.WaitAfter(0, kind, words)
}

// WaitAfter is Wait from a Mark on.
func (m *Machine) WaitAfter(mark int, kind, words string) string {
	m.t.Helper()
	text, ok := m.SeenAfter(mark, kind, words, Patience)
	if !ok {
		m.t.Fatalf("waited %s in vain for %q of kind %s %s", Patience, words, kind, text)
	}
	return text
}

// Events are all so far, oldest first.
func (m *machine) Events() []Seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Seen(nil), m.events...)
}

// runMax is how long another program may run: a self-test with a technician takes two minutes.
const runMax = 5 * time.Minute

// ask sends a request and waits for its reply.
func (m *machine) ask(request wire.Request) (wire.Reply, error) {
	most := Patience
	if request.Do == wire.Run {
		most = runMax
	}
	answer := make(chan wire.Reply, 1)
	m.mu.Lock()
	if err := m.end(); err != nil {
		m.mu.Unlock()
		return wire.Reply{}, err
	}
	m.asked++
	request.ID = m.asked
	m.waiting[request.ID] = answer
	err := json.NewEncoder(m.port).Encode(request)
	m.mu.Unlock()
	if err != nil {
		return wire.Reply{}, fmt.Errorf("rig: %s: %w", request.Do, err)
	}
	select {
	case reply, ok := <-answer:
		switch {
		case !ok:
			return reply, fmt.Errorf("%s %s: %w", request.Do, request.Path, m.ended())
		case reply.Error != "":
			return reply, fmt.Errorf("rig: %s %s: %s", request.Do, request.Path, reply.Error)
		}
		return reply, nil
	case <-time.After(most):
		return wire.Reply{}, fmt.Errorf("rig: %s %s: no answer in %s", request.Do, request.Path, most)
	}
}

func (m *Machine) must(request wire.Request) wire.Reply {
	m.t.Helper()
	reply, err := m.ask(request)
	if err != nil {
		m.t.Fatal(err)
	}
	return reply
}

// Run runs another program on the board to its end, as root.
func (m *Machine) Run(path string, arguments ...string) (output string, code int) {
	m.t.Helper()
	return m.RunAs(wire.Program{Path: path, Args: arguments})
}

// RunAs runs another program on the board to its end, as the user it says.
func (m *Machine) RunAs(program wire.Program) (output string, code int) {
	m.t.Helper()
	out, code, err := m.Begin(program)()
	if err != nil {
		m.t.Fatal(err)
	}
	return out, code
}

// Begin runs another program on the board; the returned function waits for its end. It may run for five minutes.
func (m *machine) Begin(program wire.Program) (wait func() (output string, code int, err error)) {
	done := make(chan func() (string, int, error), 1)
	go func() {
		reply, err := m.ask(wire.Request{Do: wire.Run, Program: program, Path: program.Path})
		done <- func() (string, int, error) { return string(reply.Output), reply.Code, err }
	}()
	return func() (string, int, error) { return (<-done)() }
}

// Signal sends the program under test a signal: syscall.SIGSTOP.
func (m *Machine) Signal(signal syscall.Signal) {
	m.t.Helper()
	m.must(wire.Request{Do: wire.Signal, Number: int(signal)})
}

// StartAgain starts the program under test after it has ended.
func (m *Machine) StartAgain() { m.t.Helper(); m.must(wire.Request{Do: wire.Start}) }

// Read reads a file of the board. PID in its path is the program's number: "/proc/PID/status".
func (m *machine) Read(path string) (string, error) {
	reply, err := m.ask(wire.Request{Do: wire.Read, Path: path})
	return string(reply.Output), err
}

// Write writes a file of the board.
func (m *machine) Write(path string, data []byte) error {
	_, err := m.ask(wire.Request{Do: wire.Write, Path: path, Data: data})
	return err
}

// Glob are the paths of the board that fit a pattern.
func (m *Machine) Glob(pattern string) []string {
	m.t.Helper()
	return strings.Fields(string(m.must(wire.Request{Do: wire.Glob, Path: pattern}).Output))
}

// WaitPath waits until a pattern finds something on the board, or no longer.
func (m *Machine) WaitPath(pattern string, there bool) {
	m.t.Helper()
	const lookEvery = 50 * time.Millisecond
	for deadline := time.Now().Add(Patience); (len(m.Glob(pattern)) > 0) != there; time.Sleep(lookEvery) {
		if time.Now().After(deadline) {
			m.t.Fatalf("waited %s in vain until %s is there: %t", Patience, pattern, there)
		}
	}
}

// Off switches the machine off, as the program could not, and waits until it is off.
func (m *Machine) Off() {
	m.t.Helper()
	go m.ask(wire.Request{Do: wire.Off}) // it never answers
	if !m.Exited(Patience) {
		m.t.Fatalf("the machine was not off within %s", Patience)
	}
}
