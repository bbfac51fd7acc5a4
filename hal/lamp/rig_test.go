package lamp

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/hal"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// A wire is an output line that remembers when it went up and down.
type wire struct {
	label string

	mu    sync.Mutex
	flips []flip
	fail  error
	calls int
}

type flip struct {
	at   time.Time
	high bool
}

func (w *wire) String() string                        { return w.label }
func (w *wire) Name() string                          { return w.label }
func (w *wire) Number() int                           { return -1 }
func (w *wire) Function() string                      { panic("an output must not be asked for its function") }
func (w *wire) Halt() error                           { return nil }
func (w *wire) PWM(gpio.Duty, physic.Frequency) error { return errors.New("no PWM") }
func (w *wire) log() []flip                           { w.mu.Lock(); defer w.mu.Unlock(); return slices.Clone(w.flips) }
func (w *wire) breakWith(err error)                   { w.mu.Lock(); defer w.mu.Unlock(); w.fail = err }
func (w *wire) high() bool                            { log := w.log(); return len(log) > 0 && log[len(log)-1].high }
func (w *wire) tries() int                            { w.mu.Lock(); defer w.mu.Unlock(); return w.calls }
func (w *wire) Out(l gpio.Level) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.fail != nil {
		return w.fail
	}
	w.flips = append(w.flips, flip{time.Now(), bool(l)})
	return nil
}

// A reporter collects what is reported.
type reporter struct {
	mu      sync.Mutex
	changes []hal.PartChange
}

func (r *reporter) report(c hal.PartChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}

// take returns the reports since the last take.
func (r *reporter) take() []hal.PartChange {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.changes
	r.changes = nil
	return taken
}

// wantFault wants one report of a fault that names some things.
func wantFault(t *testing.T, r *reporter, fault hal.Fault, names ...string) {
	t.Helper()
	got := r.take()
	if len(got) != 1 || got[0].Part != hal.PartLamps || got[0].Fault != fault {
		t.Fatalf("reported %+v, want one change of the lamps to %s", got, fault)
	}
	for _, name := range names {
		if !strings.Contains(got[0].Detail, name) {
			t.Errorf("the report %q does not name %q", got[0].Detail, name)
		}
	}
}

func open(t *testing.T, config Config) *Lights {
	t.Helper()
	l, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(hal.Lamps{}) })
	return l
}

func shown(blinks map[hal.Lamp]hal.Blink) (lamps hal.Lamps) {
	for lamp, b := range blinks {
		lamps[lamp] = b
	}
	return lamps
}

// sysfs makes a folder with LEDs as the kernel shows them.
func sysfs(t *testing.T, labels ...string) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "sys/class/leds"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, label := range labels {
		addLED(t, root, label)
	}
	return root
}

func addLED(t *testing.T, root, label string) {
	t.Helper()
	dir := filepath.Join(root, "sys/class/leds", label)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"brightness": "0\n", "max_brightness": "100\n",
		"trigger": "none [heartbeat] timer oneshot\n", "delay_on": "500\n", "delay_off": "500\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func ledFile(t *testing.T, root, label, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "sys/class/leds", label, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
