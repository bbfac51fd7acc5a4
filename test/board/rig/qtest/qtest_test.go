package qtest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

const patience = 30 * time.Second

// emulator answers each line with what say has for it; nothing ends the connection.
func emulator(t *testing.T, greeting string, say func(line string) string) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer there.Close()
		if _, err := fmt.Fprint(there, greeting); err != nil {
			return
		}
		for lines := bufio.NewScanner(there); lines.Scan(); {
			answer := say(lines.Text())
			if answer == "" {
				return
			}
			if _, err := fmt.Fprint(there, answer); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { here.Close(); <-ended })
	return here
}

func TestALampsHistoryIsKept(t *testing.T) {
	w, err := NewWires(emulator(t, "", func(line string) string {
		if strings.HasPrefix(line, "set_irq_in chip unnamed-gpio-in 0 1") {
			return "IRQ raise 2\nOK\nIRQ raise 2\nIRQ lower 3\nIRQ lower 2\n"
		}
		return "OK\n"
	}), "chip")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Set(0, true); err != nil {
		t.Fatal(err)
	}
	changes, ok := w.Wait(2, time.Time{}, patience, func(c []Change) bool { return len(c) == 2 })
	if !ok || !changes[0].High || changes[1].High || w.High(2) {
		t.Errorf("%v", changes)
	}
	if late := w.History(2, time.Now().Add(time.Second)); late != nil {
		t.Errorf("%v after now", late)
	}
	if _, ok := w.Wait(5, time.Time{}, time.Millisecond, func(c []Change) bool { return len(c) > 0 }); ok {
		t.Error("a line that never changed has changed")
	}
}

func TestQEMUsRefusalIsAnError(t *testing.T) {
	if _, err := NewWires(emulator(t, "", func(string) string { return "FAIL Unknown device\n" }), "chip"); err == nil || !strings.Contains(err.Error(), "Unknown device") {
		t.Error(err)
	}
	if _, err := NewWires(emulator(t, "", func(string) string { return "" }), "chip"); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Error(err)
	}
}

const greeting = `{"QMP": {"version": {}}}` + "\n"

func TestTheOnlyPartOfATypeIsFound(t *testing.T) {
	for _, test := range []struct{ answer, want string }{
		{`{"error": {"class": "x", "desc": "not found"}}`, ""},
		{`{"return": []}`, ""},
		{`{"return": [{"name": "a", "type": "child<pl061>"}, {"name": "b", "type": "child<pl061>"}]}`, ""},
		{`{"event": "RESUME"}` + "\n" + `{"return": [{"name": "a", "type": "child<pl031>"}, {"name": "device[6]", "type": "child<pl061>"}]}`, "/machine/unattached/device[6]"},
	} {
		m, err := NewMonitor(emulator(t, greeting, func(line string) string {
			if strings.Contains(line, `"/machine/unattached"`) {
				return test.answer + "\n"
			}
			return `{"return": []}` + "\n"
		}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Find("pl061")
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", test.answer, got, err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAMonitorThatIsNoneIsRefused(t *testing.T) {
	for _, said := range []string{"{}\n", "HTTP/1.1 200 OK\n"} {
		if _, err := NewMonitor(emulator(t, said, func(string) string { return `{"return": {}}` + "\n" })); err == nil {
			t.Errorf("%q was taken for QMP", said)
		}
	}
}
