package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"freizeichen/test/board/rig/wire"
)

// A machine says every second that it lives. One that says nothing for stillMin has stood still: a busy host makes it late by a
// second or three. After stillMax nobody waits for it any longer.
const (
	stillMin = 10 * time.Second
	stillMax = 45 * time.Second
)

// A pulse is what is known of a machine's signs of life.
type pulse struct {
	heard  time.Time     // the last
	still  time.Duration // the longest time without, from stillMin on
	dead   bool          // it was waited for long enough
	looked bool          // at this silence
}

func (p *pulse) beat(now time.Time) { p.heard, p.looked = now, false }

// check tells whether to look at the machine from outside, which is once at each silence and at the end, and whether to end it.
func (p *pulse) check(now time.Time) (look, end bool) {
	quiet := now.Sub(p.heard)
	if quiet < stillMin {
		return false, false
	}
	p.still, p.dead = max(p.still, quiet), quiet >= stillMax
	look, p.looked = !p.looked || p.dead, true
	return look, p.dead
}

// guard notes what can be seen from outside of a machine that stands still, and ends it when that lasts, so that no test waits
// for it until the suite's time is over.
func (m *machine) guard() {
	for !m.Exited(wire.AliveEvery) {
		m.mu.Lock()
		look, end := m.pulse.check(time.Now())
		m.mu.Unlock()
		if look {
			m.look()
		}
		if end {
			_ = m.process.Process.Kill() // it may have ended meanwhile
			return
		}
	}
}

// look notes what the machine is doing.
func (m *machine) look() {
	m.log.note("rig", fmt.Sprintf("no sign of life for %s; QEMU's threads: %s", m.stood().Round(time.Second), m.threads()))
	for _, question := range []string{"info status", "info registers", "info chardev", "info usb", "info network"} {
		answer, err := m.Monitor.Ask(question)
		if err != nil { // it would be so a minute later, too
			m.log.note("rig", fmt.Sprintf("%s: %v", question, err))
			break
		}
		m.log.note("rig", question+"\n"+answer)
	}
	m.log.note("rig", "QEMU's threads: "+m.threads())
}

// threads are those of QEMU: name, state, ticks in user and kernel, and what each waits for.
func (m *machine) threads() string {
	var all []string
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", m.process.Process.Pid)) // the pattern is fine
	for _, task := range tasks {
		stat, _ := os.ReadFile(filepath.Join(task, "stat")) // gone: empty
		waits, _ := os.ReadFile(filepath.Join(task, "wchan"))
		call, _ := os.ReadFile(filepath.Join(task, "syscall"))
		name, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 12 {
			all = append(all, fmt.Sprintf("%s) %s %s+%s %s %s", name, f[0], f[11], f[12], waits, strings.TrimSpace(string(call))))
		}
	}
	return strings.Join(all, "; ")
}

// stood is the longest time for which the machine has stood still; 0 when it never has.
func (m *machine) stood() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pulse.still
}

// end is why nothing comes from the machine any more; nil while it runs. The caller holds the lock.
func (m *machine) end() error {
	switch {
	case m.pulse.dead:
		return fmt.Errorf("rig: the machine was ended: it stood still for %s", m.pulse.still.Round(time.Second))
	case m.silent:
		return errors.New("rig: the machine has ended")
	}
	return nil
}

// ended is end for those who do not hold the lock.
func (m *machine) ended() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.end()
}
