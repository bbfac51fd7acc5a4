// Package rig boots an emulated arm64 board with Debian's own kernel, and is everything that a phone is wired to: its hook, lamps and
// keys at GPIO lines, its parts on an I2C bus, headset and handset by USB, the service line, the network. Every driver between the
// phone and these is the kernel's real one. It must not know what runs on the board.
//
//	m := rig.Start(t, rig.Board{Files: ..., Program: ..., Bus: bus})
//	m.Wait(wire.Ready, "")                      the program says that it is ready
//	m.Wires.Set(rig.Hook, true)                 the hook goes up
//	out, code := m.Run("/usr/bin/phonectl", "status")
//
//	 test --qtest--> PL061 lines --> /dev/gpiochip0          usbredir: I2C bus, headset, handset --> xHCI
//	      --QMP----> machine: start, network cable, picture   virtio: serial port to PID 1, network (user mode), display
//
// Everything is asynchronous and slow at times: wait for what shall happen, with Patience, and never sleep.
package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"freizeichen/hal/haltest"
	"freizeichen/test/board/rig/i2cusb"
	"freizeichen/test/board/rig/qtest"
	"freizeichen/test/board/rig/usbheadset"
	"freizeichen/test/board/rig/usbredir"
	"freizeichen/test/board/rig/wire"
	"freizeichen/test/tool"
)

// Patience is how long anything may take on a machine that does other things too: the emulated processor has no clock of its own.
const Patience = 60 * time.Second

// GPIO lines of the board by their number at gpiochip0. Their names there are HOOK, KEYINT, LAMP_MESSAGE, LAMP_MUTE, LAMP_HEADSET and SPARE1
// to SPARE3.
const (
	Hook         = iota // High while the handset is lifted
	KeyInterrupt        // Low while the keypad has something to tell
	LampMessage         // an output, as the other lamps
	LampMute
	LampHeadset
	Spare1
	Spare2
	Spare3
)

// lineNames are what the board's device tree calls the lines.
var lineNames = []string{"HOOK", "KEYINT", "LAMP_MESSAGE", "LAMP_MUTE", "LAMP_HEADSET", "SPARE1", "SPARE2", "SPARE3"}

// Addresses in the machine's network. What listens on 127.0.0.1 of the host answers at Host.
const (
	Host    = "10.0.2.2"
	Address = "10.0.2.15"
)

// A Board is what a machine is made of. The zero value boots and does nothing.
type Board struct {
	Files   []File
	Program wire.Program // started as soon as all is there, when it has a Path
	Wait    []string     // more paths to wait for before, with stars
	// Permissions of what udev's rules would give to groups; DevicePermissions when nil.
	Permissions []wire.Permission
	Watchdog    time.Duration       // see wire.Config
	Bus         *haltest.Bus        // the I2C bus; nil for none
	Headset     *usbheadset.Headset // plugged in from the start
	Handset     *usbheadset.Headset // the same at a second port
	Panel       bool                // a display of 320x240 at /dev/fb0
	LEDs        bool                // the lamp lines belong to the kernel: /sys/class/leds/message and so on
	High        []int               // input lines that are High at the start. KeyInterrupt is, the others are Low
	// Forward lets the host reach ports of the machine: host's port on 127.0.0.1 by the machine's, "tcp:80" or "udp:5060". Sound and signalling
	// of a phone that speaks first need none: user mode networking brings the answers back.
	Forward map[string]int
	Verbose bool // the kernel says all on the console
}

// A Machine is a running board, as one test sees it.
type Machine struct {
	*machine
	t testing.TB
}

// machine is what all tests of one board share.
type machine struct {
	Wires   *qtest.Wires
	Monitor *qtest.Monitor
	Service *ServiceLine // its other end is /dev/ttyUSB0 in the machine

	board   Board
	dir     string
	log     *log
	process *exec.Cmd
	exited  chan struct{}
	port    net.Conn // to the first process
	plugged []*usbredir.Device

	mu      sync.Mutex
	asked   uint64
	waiting map[uint64]chan wire.Reply
	events  []Seen
	changed chan struct{} // closed and replaced at every event
	silent  bool          // the port has ended
	pulse   pulse
}

// Start boots a board that is switched off with the test, and waits until the program was started. The test skips without a machine to
// emulate, and fails in CI.
func Start(t testing.TB, board Board) *Machine {
	t.Helper()
	emulator, fdtput, kernel := tool.Board(t)
	dir, err := os.MkdirTemp("", "board-")
	if err != nil {
		t.Fatal(err)
	}
	m := &Machine{t: t, machine: &machine{board: board, dir: dir, log: &log{began: time.Now()}, waiting: map[uint64]chan wire.Reply{},
		changed: make(chan struct{}), exited: make(chan struct{})}}
	t.Cleanup(func() {
		m.stop()
		if t.Failed() {
			t.Logf("the board said:\n%s", m.log)
			if still := m.stood(); still > 0 {
				t.Logf("the machine stood still for %s: see \"no sign of life\" in the log", still.Round(time.Second))
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := m.prepare(kernel); err != nil {
		t.Fatal(err)
	}
	if err := deviceTree(emulator, fdtput, m.path("board.dtb"), board.LEDs); err != nil {
		t.Fatal(err)
	}
	if err := m.power(emulator, kernel); err != nil {
		t.Fatal(err)
	}
	if text, ok := m.Seen(wire.Booted, "", Patience); !ok {
		t.Fatalf("the board did not boot within %s %s", Patience, text)
	}
	go m.guard()
	return m
}

// In is the machine for a subtest: what fails there fails that.
func (m *Machine) In(t testing.TB) *Machine { return &Machine{m.machine, t} }

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

// power starts QEMU, connects everything, and lets the machine run.
func (m *machine) power(emulator string, kernel tool.Kernel) error {
	m.process = exec.Command(emulator, m.arguments(kernel)...)
	m.process.Stdout, m.process.Stderr = m.log, m.log
	// Pdeathsig: a test that is killed leaves no machine behind.
	m.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.process.Start(); err != nil {
		m.process = nil
		return fmt.Errorf("rig: QEMU: %w", err)
	}
	go func() {
		err := m.process.Wait()
		m.log.note("qemu", fmt.Sprint("ended: ", err))
		close(m.exited)
	}()
	if err := m.connect(); err != nil {
		return err
	}
	for _, line := range append([]int{KeyInterrupt}, m.board.High...) {
		if err := m.Wires.Set(line, true); err != nil {
			return err
		}
	}
	return m.Monitor.Continue()
}

// connect plugs in everything that is there from the start.
func (m *machine) connect() error {
	monitor, err := m.dial("qmp")
	if err != nil {
		return err
	}
	if m.Monitor, err = qtest.NewMonitor(monitor); err != nil {
		return err
	}
	chip, err := m.Monitor.Find("pl061")
	if err != nil {
		return err
	}
	wires, err := m.dial("qtest")
	if err != nil {
		return err
	}
	if m.Wires, err = qtest.NewWires(wires, chip); err != nil {
		return err
	}
	if m.port, err = m.dial("port"); err != nil {
		return err
	}
	go m.listen()
	service, err := m.dial("service")
	if err != nil {
		return err
	}
	m.Service = newServiceLine(service)
	for socket, device := range m.devices() {
		if err := m.plug(socket, device); err != nil {
			return err
		}
	}
	return nil
}

// devices are those at the USB ports from the start.
func (m *machine) devices() map[string]*usbredir.Device {
	devices := map[string]*usbredir.Device{}
	if m.board.Bus != nil {
		devices[portBus] = i2cusb.New(m.board.Bus)
	}
	if m.board.Headset != nil {
		devices[portHeadset] = m.board.Headset.Device
	}
	if m.board.Handset != nil {
		devices[portHandset] = m.board.Handset.Device
	}
	return devices
}

func (m *machine) plug(socket string, device *usbredir.Device) error {
	connection, err := m.dial(socket)
	if err != nil {
		return err
	}
	m.plugged = append(m.plugged, device)
	return device.Plug(connection)
}

// dialEvery is how often a socket is tried that QEMU has not made yet.
const dialEvery = 5 * time.Millisecond

func (m *machine) dial(name string) (net.Conn, error) {
	deadline := time.After(Patience)
	for {
		connection, err := net.Dial("unix", m.path(name))
		if err == nil {
			return connection, nil
		}
		select {
		case <-m.exited:
			return nil, errors.New("rig: QEMU ended at once")
		case <-deadline:
			return nil, fmt.Errorf("rig: QEMU: %w", err)
		case <-time.After(dialEvery):
		}
	}
}

// Plug puts a headset in while the machine runs, in the place of the one that was unplugged. The machine finds it within a second or so.
func (m *Machine) Plug(headset *usbheadset.Headset) {
	m.t.Helper()
	if err := m.plug(portHeadset, headset.Device); err != nil {
		m.t.Fatal(err)
	}
}

// Exited waits until the machine has ended by itself: switched off, or reset by its watchdog.
func (m *machine) Exited(most time.Duration) bool {
	select {
	case <-m.exited:
		return true
	case <-time.After(most):
		return false
	}
}

// Log is what the console and the program have said, a line each with its second.
func (m *machine) Log() string { return m.log.String() }

// stop ends the process that power began, by its id.
func (m *machine) stop() {
	if m.process != nil {
		_ = m.process.Process.Kill()
		<-m.exited
	}
	for _, device := range m.plugged {
		device.Unplug()
	}
	if m.Monitor != nil {
		_ = m.Monitor.Close()
	}
	if m.Wires != nil {
		_ = m.Wires.Close()
	}
	if m.port != nil {
		_ = m.port.Close()
	}
	if m.Service != nil {
		m.Service.close()
	}
}
