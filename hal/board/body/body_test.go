//go:build linux

package body

import (
	"fmt"
	"image"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/board/bus"
	"freizeichen/hal/headset"
	"freizeichen/hal/keypad"
	"freizeichen/hal/keypad/contact"
)

// nowhere is a known board of which no machine has a part, and so nothing that the tests run on is touched.
func nowhere(t *testing.T, name string) board.Table {
	t.Helper()
	text, known := board.Known(name)
	if !known {
		t.Fatalf("there is no board %s", name)
	}
	text = strings.NewReplacer("pinctrl-bcm2711", "nowhere", "pinctrl-bcm2835", "nowhere", "9030000.pl061", "nowhere",
		"bcm2835 (i2c@7e804000)", "nowhere", "i2c-tiny-usb*", "nowhere", "wm8960soundcard", "Nowhere", "card: Device", "card: Nowhere",
		"card: Handset", "card: Nowhere", `spi: "0.0"`, `spi: "99.9"`, "usb: true", "usb: false").Replace(text)
	table, err := board.Parse(name+".yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// listener is the phone of a body.
type listener struct {
	mu     sync.Mutex
	keys   []hal.KeyChange
	hook   []hal.HookChange
	faults []string
}

func (l *listener) config(table board.Table) Config {
	locked := func(do func()) { l.mu.Lock(); defer l.mu.Unlock(); do() }
	return Config{
		Table: table, Log: slog.New(slog.DiscardHandler), Headset: func(hal.HeadsetChange) {},
		Key:  func(k hal.KeyChange) { locked(func() { l.keys = append(l.keys, k) }) },
		Hook: func(h hal.HookChange) { locked(func() { l.hook = append(l.hook, h) }) },
		Part: func(p hal.PartChange) {
			locked(func() { l.faults = append(l.faults, fmt.Sprint(p.Part, " ", p.Fault)) })
		},
	}
}

// eventually waits for what takes its time on a slow machine.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("never: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// leaks fails when goroutines are left after the test.
func leaks(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func TestAPhoneWithoutAnyHardwareSaysOnceWhatIsMissingAndGoesOn(t *testing.T) {
	for _, name := range board.Names() {
		t.Run(name, func(t *testing.T) {
			leaks(t)
			var phone listener
			b, err := Open(phone.config(nowhere(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			missing := []hal.Part{hal.PartHook, hal.PartKeypad, hal.PartHandset, hal.PartSpeaker}
			eventually(t, "hook, keypad and sound are missing, lamps and panel do not work", func() bool {
				return !slices.ContainsFunc(missing, func(p hal.Part) bool { return b.Fault(p).Fault != hal.Missing }) &&
					b.Fault(hal.PartLamps).Fault != hal.Working && b.Fault(hal.PartPanel).Fault != hal.Working
			})
			picture := image.NewPaletted(image.Rectangle{Max: b.Table().Panel.Shows.Size()}, nil)
			shown := make(chan struct{})
			go func() {
				defer close(shown)
				for range 1000 {
					b.Show(hal.Display{Picture: picture, Lamps: hal.Lamps{hal.LampMessage: hal.BlinkFast}})
				}
			}()
			select {
			case <-shown:
			case <-time.After(30 * time.Second):
				t.Fatal("Show blocks")
			}
			b.Press(hal.Key5)
			b.Release(hal.Key5)
			b.Hook(true)
			if !b.Lifted() || len(phone.keys) != 2 || !phone.keys[0].Down || len(phone.hook) != 1 {
				t.Errorf("lifted %t, keys %v, hook %v", b.Lifted(), phone.keys, phone.hook)
			}
			time.Sleep(1200 * time.Millisecond) // everything has been tried again
			if err := b.Sound().Close(); err != nil {
				t.Error(err)
			}
			b.Close()
			phone.mu.Lock()
			defer phone.mu.Unlock()
			slices.Sort(phone.faults)
			if once := slices.Compact(slices.Clone(phone.faults)); len(once) != len(phone.faults) {
				t.Errorf("something is told twice: %q", phone.faults)
			}
			for _, scanned := range b.Table().Scan {
				if b.Bus(scanned.Name) == nil {
					t.Errorf("the self-test has no bus %s", scanned.Name)
				}
			}
		})
	}
}

func TestABodyWithoutPartsIsStillAPhone(t *testing.T) {
	leaks(t)
	var phone listener
	b, err := Open(phone.config(board.Table{Model: "bare"}))
	if err != nil {
		t.Fatal(err)
	}
	b.Show(hal.Display{})
	if len(phone.hook) != 1 || phone.hook[0].Up || len(phone.faults) != 0 {
		t.Errorf("hook %v, faults %v", phone.hook, phone.faults)
	}
	if b.Switch() != nil || b.Keys() != nil || b.Panel() != nil || b.Bus("x") != nil || b.Brightness() != 1 || b.Lights() == nil {
		t.Error("it has parts that no table named")
	}
	b.Close()
}

func TestLampsThatContradictEachOtherAreRefused(t *testing.T) {
	leaks(t)
	var phone listener
	chip := board.Chip{Place: "b:3", Bus: "nowhere", Address: 0x62}
	table := board.Table{Lamps: []board.Lamp{{Lamp: hal.LampHold, Chip: chip}, {Lamp: hal.LampMute, Chip: chip}}}
	if _, err := Open(phone.config(table)); err == nil || !strings.Contains(err.Error(), "body: lamps:") || !strings.Contains(err.Error(), "bound twice") {
		t.Errorf("%v", err)
	}
}

func TestAPartIsReportedOnlyWhenItChanges(t *testing.T) {
	leaks(t)
	var phone listener
	b, err := Open(phone.config(board.Table{}))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, f := range []hal.Fault{hal.Working, hal.Failing, hal.Failing, hal.Missing, hal.Working, hal.Working} {
		b.Report(hal.PartChange{Part: hal.PartClock, Fault: f, Detail: f.String() + " now"})
	}
	if got := strings.Join(phone.faults, ", "); got != "clock failing, clock missing, clock working" {
		t.Errorf("told %s", got)
	}
	if f := b.Fault(hal.PartClock); f.Part != hal.PartClock || f.Detail != "working now" {
		t.Errorf("%+v", f)
	}
}

func TestEachKindOfPanelHasItsController(t *testing.T) {
	pin := board.Pin{Place: "b:9", Chip: "nowhere", Line: "1"}
	for _, c := range []struct {
		panel board.Panel
		says  string
	}{
		{board.Panel{Kind: board.PanelSSD1306, Chip: board.Chip{Bus: "nowhere", Address: 0x3d}}, "ssd1306 at 0x3d"},
		{board.Panel{Kind: board.PanelSH1106, Chip: board.Chip{Bus: "nowhere", Address: 0x3c}}, "sh1106 at 0x3c"},
		{board.Panel{Kind: board.PanelSSD1322, SPI: "99.9", ClockHz: 1e6, DataCommand: pin, Reset: pin}, "ssd1322"},
		{board.Panel{Kind: board.PanelST7789, SPI: "99.9", ClockHz: 1e6, DataCommand: pin, Backlight: pin, Rotated: true}, "st7789"},
		{board.Panel{Kind: board.PanelFramebuffer, Device: "/dev/nowhere", Shows: hal.Colour320x240}, "/dev/nowhere"},
	} {
		t.Run(c.panel.Kind, func(t *testing.T) {
			leaks(t)
			c.panel.Place = "b:8"
			var phone listener
			b, err := Open(phone.config(board.Table{Panel: c.panel}))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			eventually(t, "it is told", func() bool { return b.Fault(hal.PartPanel).Fault != hal.Working })
			if detail := b.Fault(hal.PartPanel).Detail; !strings.Contains(detail, c.says) {
				t.Errorf("told %q, want it to say %q", detail, c.says)
			}
		})
	}
}

// Drivers of panels reset with a low level, drivers of keypads see a closed contact as low: the table says how the wire is.
func TestLinesAreTurnedAsTheirDriversWant(t *testing.T) {
	b := &Body{buses: map[string]*bus.I2C{}}
	for _, low := range []bool{true, false} {
		b.pins = nil
		b.controller(board.Panel{Kind: board.PanelSSD1306, Reset: board.Pin{Place: "b:1", Low: low}})
		if got := b.pins[0].(*output).pin.Low; got == low {
			t.Errorf("a reset that is active low %t is turned: %t", low, got)
		}
	}
	b.pins = nil
	k, err := b.openMatrix(board.Keypad{Rows: []board.Pin{{Low: true}, {}}, Columns: []board.Pin{{Low: true}, {Pull: "up"}}}, keypad.Options{Keys: contact.Keymap{{}: hal.Key1}, Key: func(hal.KeyChange) {}, Part: func(hal.PartChange) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for _, pin := range b.pins[:2] {
		if row := pin.(*output); row.pin.Low || !row.drain {
			t.Errorf("row %+v is not an open drain that pulls low", row.pin)
		}
	}
	for _, pin := range b.pins[2:] {
		if column := pin.(*input); !column.pin.Low { // of an input that is not low, the level is turned
			t.Errorf("column %+v is turned", column.pin)
		}
	}
}

func TestALineThatIsNotThereSaysWhereTheTableHasIt(t *testing.T) {
	pin := board.Pin{Place: "b.yaml:7", Chip: "nowhere", Line: "HOOK", Pull: "up"}
	o, i := &output{pin: pin}, &input{pin: pin}
	_, edge := i.NextEdge(time.Millisecond)
	_, value := i.Value()
	for what, err := range map[string]error{"out": o.Out(gpio.High), "in": i.In(gpio.PullUp, gpio.BothEdges), "value": value, "edge": edge, "pwm": o.PWM(gpio.DutyHalf, physic.Hertz)} {
		if err == nil || !strings.HasPrefix(err.Error(), "body: b.yaml:7: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if i.Read() != gpio.High || i.WaitForEdge(0) || i.Pull() != gpio.PullUp || i.String() != "nowhere HOOK" || o.String() != "nowhere HOOK" {
		t.Error("an interrupt line that is not there is not at rest")
	}
	for _, err := range []error{i.Halt(), i.close(), i.close(), o.Halt(), o.close()} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestTheSelfTestSpeaksOnABusThatNoDriverHas(t *testing.T) {
	leaks(t)
	var phone listener
	identity := board.Chip{Place: "b:1", Bus: "nowhere", Address: 0x50}
	b, err := Open(phone.config(board.Table{Identity: board.Identity{Chip: identity}, Scan: []board.Bus{{Name: "nowhere", Chips: []board.Chip{identity}}}}))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if bus := b.Bus("nowhere"); bus == nil || bus.Tx(0x50, []byte{0}, make([]byte, 1)) == nil || bus.String() != "nowhere" || bus.SetSpeed(physic.KiloHertz) == nil {
		t.Errorf("its bus is %v", bus)
	}
}

func TestAHeadsetIsGoneWhenNeitherLineHasOne(t *testing.T) {
	usb, other := headset.Device{Path: "/dev/hidraw1", USBPath: "/sys/1-1"}, headset.Device{Path: "/dev/hidraw2", USBPath: "/sys/1-2"}
	for _, c := range []struct {
		name string
		do   func(b *Body, line func(int, hal.HeadsetAction))
		told string
	}{
		{"USB alone", func(_ *Body, line func(int, hal.HeadsetAction)) {
			line(lineUSB, hal.HeadsetPlugged)
			line(lineUSB, hal.HeadsetUnplugged)
		}, "plugged unplugged"},
		{"USB goes, the serial one is in use", func(_ *Body, line func(int, hal.HeadsetAction)) {
			line(lineSerial, hal.HeadsetPlugged)
			line(lineUSB, hal.HeadsetPlugged)
			line(lineUSB, hal.HeadsetOffHook)
			line(lineUSB, hal.HeadsetUnplugged)
			line(lineSerial, hal.HeadsetOnHook)
			line(lineSerial, hal.HeadsetUnplugged)
		}, "plugged plugged off-hook on-hook unplugged"},
		{"the one that is heard is pulled", func(b *Body, line func(int, hal.HeadsetAction)) {
			b.headset = []headset.Device{usb}
			line(lineUSB, hal.HeadsetPlugged)
			b.headsetPulled(usb.USBPath)
		}, "plugged unplugged"},
		{"the one that is heard is pulled, the serial one is left", func(b *Body, line func(int, hal.HeadsetAction)) {
			line(lineSerial, hal.HeadsetPlugged)
			b.headsetPulled(usb.USBPath)
		}, "plugged unplugged plugged"},
		{"the one that is heard is pulled, another on USB is left", func(b *Body, _ func(int, hal.HeadsetAction)) {
			b.headset = []headset.Device{usb, other}
			b.headsetPulled(usb.USBPath)
		}, "unplugged plugged"},
	} {
		var told []string
		b := &Body{config: Config{Headset: func(change hal.HeadsetChange) { told = append(told, change.Action.String()) }}}
		c.do(b, func(line int, action hal.HeadsetAction) { b.headsetOn(line)(hal.HeadsetChange{Action: action}) })
		if got := strings.Join(told, " "); got != c.told {
			t.Errorf("%s: told %q, want %q", c.name, got, c.told)
		}
	}
}

func TestTheSoundIsThatOfTheHeadsetThatIsLeft(t *testing.T) {
	leaks(t)
	var phone listener
	b, err := Open(phone.config(board.Table{}))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	one, two := headset.Device{Path: "/dev/hidraw1", USBPath: "/sys/1-1"}, headset.Device{Path: "/dev/hidraw2", USBPath: "/sys/1-2"}
	for _, step := range []struct {
		do   func(headset.Device)
		with headset.Device
		usb  string
		left int
	}{{b.headsetFound, one, "/sys/1-1", 1}, {b.headsetFound, two, "/sys/1-2", 2}, {b.headsetGone, two, "/sys/1-1", 1}, {b.headsetGone, two, "/sys/1-1", 1}, {b.headsetGone, one, "", 0}} {
		step.do(step.with)
		if b.sound.usb != step.usb || len(b.Headsets()) != step.left {
			t.Errorf("%s: sound at %q, %d headsets; want %q, %d", step.with.Path, b.sound.usb, len(b.Headsets()), step.usb, step.left)
		}
	}
}
