package board

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"freizeichen/hal/haltest"
	"freizeichen/test/board/rig"
	"freizeichen/test/board/rig/qtest"
	"freizeichen/test/board/rig/usbheadset"
	"freizeichen/test/board/rig/wire"
	"freizeichen/test/tool"
)

// lookEvery is how often is looked for what nothing tells: more often would take QEMU's time from the machine.
const lookEvery = 50 * time.Millisecond

// tone is a microphone that hears a sine.
func tone(hz float64) usbheadset.Source {
	n := 0
	return func(samples []int16) {
		for i := range samples {
			samples[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(n)/usbheadset.RateHz))
			n++
		}
	}
}

func headset(t *testing.T, model usbheadset.Model) *usbheadset.Headset {
	t.Helper()
	h, err := usbheadset.New(model)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAllThatAPhoneNeedsIsOnTheBoard(t *testing.T) {
	eeprom := haltest.NewEEPROM24(256, 16, false, 0)
	eeprom.Load([]byte("HELLO EEPROM 123"))
	bus := new(haltest.Bus)
	bus.Attach(0x50, eeprom)
	ear := headset(t, usbheadset.Model{Vendor: 0x1209, Product: 1, Manufacturer: "Freizeichen", Name: "Headset", Keys: true})
	handset := headset(t, usbheadset.Model{Vendor: 0x1209, Product: 2, Manufacturer: "Freizeichen", Name: "Handset"})
	ear.Speak(tone(1000))
	handset.Speak(tone(1100))
	program := wire.Program{Path: "/usr/bin/probe", Args: []string{"serve"}, UID: 1000, GIDs: rig.Groups(1000), WatchdogEvery: time.Second}
	page := tool.FreePort(t)
	m := rig.Start(t, rig.Board{Forward: map[string]int{"tcp:7000": page}, Files: []rig.File{rig.Program(t, "freizeichen/test/board/probe")}, Program: program, Watchdog: 6 * time.Second,
		Bus: bus, Headset: ear, Handset: handset, Panel: true})
	run := func(name string, check func(*testing.T, *rig.Machine)) {
		t.Run(name, func(t *testing.T) { check(t, m.In(t)) })
	}
	probe := func(t *testing.T, arguments ...string) string {
		t.Helper()
		out, code := m.Run("/usr/bin/probe", arguments...)
		if code != 0 {
			t.Errorf("probe %s: exit status %d", arguments, code)
		}
		return out
	}
	run("a program that does not exist is not run", func(t *testing.T, m *rig.Machine) {
		if _, err := m.Read("/proc/PID/stat/nothing"); err == nil {
			t.Error("a file that cannot be was read")
		}
		if _, code := m.Run("/usr/bin/probe", "nonsense"); code != 1 {
			t.Errorf("exit status %d, want 1", code)
		}
	})
	run("the program under test has no rights, and is ready", func(t *testing.T, m *rig.Machine) {
		m.Wait(wire.Ready, "")
		if status := m.Wait(wire.Status, ""); status != "user 1000" {
			t.Error(status)
		}
		if status, err := m.Read("/proc/PID/status"); err != nil || !strings.Contains(status, "CapEff:\t0000000000000000") {
			t.Error(status, err)
		}
	})
	run("the hook's edges reach the program, and its lamp the test", followHook)
	run("the kernel reads and writes a part on the I2C bus", func(t *testing.T, m *rig.Machine) {
		out := probe(t, "i2c", "0x50")
		for _, want := range []string{`read "HELLO EEPROM 123"`, `read "HELLWORLDROM 123"`, "nobody: "} {
			if !strings.Contains(out, want) || strings.Contains(out, "nobody: <nil>") {
				t.Errorf("%s\nwant %s", out, want)
			}
		}
		if string(eeprom.Bytes()[4:8]) != "WORL" {
			t.Errorf("the part holds %q", eeprom.Bytes()[:16])
		}
		t.Log(out)
	})
	run("both cards hear and are heard at once", func(t *testing.T, m *rig.Machine) { sound(t, m, ear, handset) })
	run("the headset's keys reach the program, and its lamps the test", func(t *testing.T, m *rig.Machine) { press(t, m, ear) })
	run("the headset goes and comes", func(t *testing.T, m *rig.Machine) {
		ear.Unplug()
		m.WaitPath("/dev/hidraw0", false)
		m.WaitPath("/dev/snd/pcmC0D0p", false)
		// A maker whose keys the kernel leaves to a driver of its own.
		jabra := headset(t, usbheadset.Model{Vendor: 0x0b0e, Product: 0x0300, Manufacturer: "Jabra", Name: "Evolve", Keys: true})
		m.Plug(jabra)
		m.WaitPath("/dev/hidraw0", true)
		m.WaitPath("/dev/snd/pcmC0D0p", true)
		if driver := m.Glob("/sys/bus/hid/drivers/jabra/*:0B0E:*"); len(driver) != 1 {
			t.Errorf("the driver for Jabra's keys has %v", driver)
		}
	})
	run("the panel shows what is painted", func(t *testing.T, m *rig.Machine) {
		probe(t, "panel")
		// The kernel brings it to the display in its own time.
		for deadline := time.Now().Add(rig.Patience); ; time.Sleep(lookEvery) {
			picture, err := m.Monitor.Picture()
			if err != nil {
				t.Fatal(err)
			}
			size := picture.Bounds().Size()
			left, right := color.GrayModel.Convert(picture.At(10, 100)), color.GrayModel.Convert(picture.At(310, 100))
			if size.X == 320 && size.Y == 240 && left == (color.Gray{255}) && right == (color.Gray{0}) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal(size, left, right)
			}
		}
	})
	run("the service line carries both ways", service)
	run("a service line to which nobody listens holds up nothing", func(t *testing.T, m *rig.Machine) {
		if err := m.Write("/dev/ttyUSB0", bytes.Repeat([]byte("x"), 100<<10)); err != nil {
			t.Error(err)
		}
		if _, err := m.Read("/proc/uptime"); err != nil {
			t.Error(err)
		}
	})
	run("the program reaches the host", network)
	run("the host reaches a port of the board", func(t *testing.T, m *rig.Machine) { visit(t, m, page) })
	run("the cable goes and comes", func(t *testing.T, m *rig.Machine) {
		for _, up := range []bool{false, true} {
			if err := m.Monitor.Link("ethernet", up); err != nil {
				t.Fatal(err)
			}
			want := map[bool]string{true: "1", false: "0"}[up]
			for deadline := time.Now().Add(rig.Patience); ; time.Sleep(lookEvery) {
				if carrier, err := m.Read("/sys/class/net/eth0/carrier"); err == nil && strings.TrimSpace(carrier) == want {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the kernel does not know that the cable is up: %t", up)
				}
			}
		}
	})
	run("a program that ends is told, and starts again", func(t *testing.T, m *rig.Machine) {
		mark := m.Mark()
		m.Signal(syscall.SIGTERM)
		if text := m.WaitAfter(mark, wire.Ended, ""); text != "signal: terminated" {
			t.Error(text)
		}
		m.StartAgain()
		m.WaitAfter(mark, wire.Ready, "")
	})
	run("a program that hangs is ended by the watchdog", func(t *testing.T, m *rig.Machine) {
		mark := m.Mark()
		m.WaitAfter(mark, wire.Fed, "")
		m.Signal(syscall.SIGSTOP)
		began := time.Now()
		if !m.Exited(rig.Patience) {
			t.Fatal("the machine still runs")
		}
		t.Log("after", time.Since(began))
	})
}

func TestTheKernelsOwnLEDsBlinkAtTheLampLines(t *testing.T) {
	m := rig.Start(t, rig.Board{LEDs: true, Wait: []string{"/sys/class/leds/message"}})
	began := time.Now()
	for _, step := range []struct{ file, text string }{{"trigger", "timer"}, {"delay_on", "100"}, {"delay_off", "300"}} {
		if err := m.Write("/sys/class/leds/message/"+step.file, []byte(step.text)); err != nil {
			t.Fatal(err)
		}
	}
	changes, ok := m.Wires.Wait(rig.LampMessage, began, rig.Patience, func(c []qtest.Change) bool { return len(c) >= 9 })
	if !ok {
		t.Fatalf("the lamp does not blink: %v", changes)
	}
	var on, off time.Duration
	for i := range changes[:8] {
		if span := changes[i+1].At.Sub(changes[i].At); changes[i].High {
			on += span
		} else {
			off += span
		}
	}
	t.Log("on", on, "off", off)
	if off < on {
		t.Errorf("on %s, off %s in four rounds of 100 and 300 ms", on, off)
	}
}

func followHook(t *testing.T, m *rig.Machine) {
	for _, up := range []bool{true, false, true} {
		began, mark := time.Now(), m.Mark()
		if err := m.Wires.Set(rig.Hook, up); err != nil {
			t.Fatal(err)
		}
		m.WaitAfter(mark, wire.Output, fmt.Sprintf("hook rising: %t", up))
		changes, ok := m.Wires.Wait(rig.LampMessage, began, rig.Patience, func(c []qtest.Change) bool { return len(c) > 0 && c[len(c)-1].High == up })
		if !ok {
			t.Fatalf("hook up %t: the lamp did not follow: %v", up, changes)
		}
		t.Log("lamp after", changes[len(changes)-1].At.Sub(began))
	}
}

func sound(t *testing.T, m *rig.Machine, cards ...*usbheadset.Headset) {
	marks := make([]int, len(cards))
	waits := make([]func() (string, int, error), len(cards))
	for i, card := range cards {
		marks[i], waits[i] = card.Mark(), m.Begin(wire.Program{Path: "/usr/bin/probe", Args: []string{"sound", fmt.Sprint(i)}})
	}
	for i, card := range cards {
		out, code, err := waits[i]()
		if err != nil || code != 0 {
			t.Fatal(out, code, err)
		}
		played := card.Played(marks[i])
		t.Logf("card %d: %s, %d samples played", i, strings.TrimSpace(out), len(played))
		if s := usbheadset.Share(played, float64(400+100*i)); s < 0.9 {
			t.Errorf("card %d: %.2f of what is heard is what was said", i, s)
		}
		var heard float64
		if _, err := fmt.Sscanf(out, "share %f", &heard); err != nil || heard < 0.9 {
			t.Errorf("card %d: what the microphone hears does not arrive: %s", i, out)
		}
	}
}

func press(t *testing.T, m *rig.Machine, ear *usbheadset.Headset) {
	ended := make(chan struct{})
	var out string
	var code int
	var err error
	wait := m.Begin(wire.Program{Path: "/usr/bin/probe", Args: []string{"keys"}})
	go func() {
		defer close(ended)
		out, code, err = wait()
	}()
	for off := true; ; off = !off {
		ear.Hold(usbheadset.Keys{OffHook: off})
		select {
		case <-ended:
		case <-time.After(100 * time.Millisecond):
			continue
		}
		break
	}
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || !strings.Contains(out, "report 01 01") {
		t.Errorf("exit status %d: %s", code, out)
	}
	if !ear.WaitLamps(usbheadset.Lamps{Ring: true}, rig.Patience) {
		t.Errorf("the ring lamp was not lit: %v", ear.Reports())
	}
}

func service(t *testing.T, m *rig.Machine) {
	wait := m.Begin(wire.Program{Path: "/usr/bin/probe", Args: []string{"line"}})
	for deadline := time.Now().Add(rig.Patience); ; {
		// What is said before the program listens is lost, or echoed.
		if err := m.Service.Say("status\n"); err != nil {
			t.Fatal(err)
		}
		said, ok := m.Service.Wait("heard status", 200*time.Millisecond)
		if ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the line says %q", said)
		}
	}
	if out, code, err := wait(); err != nil || code != 0 {
		t.Error(out, code, err)
	}
}

func visit(t *testing.T, m *rig.Machine, port int) {
	wait := m.Begin(wire.Program{Path: "/usr/bin/probe", Args: []string{"tcp", ":7000"}})
	// Before the program listens, QEMU takes the call and hangs up.
	for deadline := time.Now().Add(rig.Patience); ; time.Sleep(lookEvery) {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		if err := connection.SetReadDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(connection)
		connection.Close()
		if string(said) == "welcome" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it said %q", said)
		}
	}
	if out, code, err := wait(); err != nil || code != 0 {
		t.Error(out, code, err)
	}
}

func network(t *testing.T, m *rig.Machine) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	go func() {
		packet := make([]byte, 1500)
		if n, from, err := socket.ReadFrom(packet); err == nil {
			_, _ = socket.WriteTo(slices.Concat([]byte("to "), packet[:n]), from)
		}
	}()
	out, code := m.Run("/usr/bin/probe", "udp", fmt.Sprintf("%s:%d", rig.Host, socket.LocalAddr().(*net.UDPAddr).Port))
	if code != 0 || !strings.Contains(out, "answer to hello") {
		t.Errorf("exit status %d: %s", code, out)
	}
}
