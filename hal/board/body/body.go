//go:build linux

// Package body opens what a board's table says and is the phone's body: keys and hook come out of it, panel, lamps and the
// headset's lamps go into it, and sound is one device. Whatever is missing or fails is reported and tried again; the rest
// works. Only this package opens buses, lines and cards.
//
//	board.Table --Open--> hook, keypad, lamps, panel, sound, headset, sensors
//	phone <--Key, Hook, Headset, Part-- Body <--Show-- phone
//	                                    Body --Sound--> device/voice
//	self-test --Hook, Keypad, Lights, Panel, Bus ...--> the parts themselves
package body

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/board/bus"
	"freizeichen/hal/headset"
	"freizeichen/hal/headset/handsfree"
	"freizeichen/hal/hook"
	"freizeichen/hal/keypad"
	"freizeichen/hal/keypad/contact"
	"freizeichen/hal/lamp"
	"freizeichen/hal/panel"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/sensor"
	"freizeichen/hal/serial"
)

// Config is what a body needs beside its table. The functions are called from several goroutines, in order for each part,
// and must not call the body.
type Config struct {
	Table   board.Table
	Key     func(hal.KeyChange)
	Hook    func(hal.HookChange)
	Headset func(hal.HeadsetChange)
	Part    func(hal.PartChange)
	Log     *slog.Logger
}

// Body is the hardware of one phone.
type Body struct {
	config Config
	buses  map[string]*bus.I2C
	pins   []interface{ close() error }
	lit    []io.Closer // SPI ports

	hook    *hook.Switch
	keypad  *keypad.Keypad
	lights  *lamp.Lights
	panel   *panel.Panel
	sound   *Sound
	watcher *headset.Watcher
	link    *handsfree.Link

	stop  context.CancelFunc
	dark  func() // ends the dimming
	parts sync.WaitGroup

	mu      sync.Mutex
	faults  [hal.PartCount]hal.PartChange
	headset []headset.Device
	up      bool
	level   uint8 // of brightness

	lines struct { // on which headsets come
		sync.Mutex // held while the phone is told: it hears the latest last
		plugged    [lineCount]bool
	}
}

// The lines on which headsets come.
const (
	lineUSB = iota
	lineSerial
	lineCount
)

// Open opens the body. A part that is not there is reported, and opened when it comes; the error is one of the table: lamps
// that contradict each other.
func Open(config Config) (*Body, error) {
	ctx, stop := context.WithCancel(context.Background())
	b := &Body{config: config, buses: map[string]*bus.I2C{}, stop: stop, level: 255}
	b.sound = newSound(asound.Linux{}, config.Table, b.report, b.headsetPulled, config.Log)
	for _, scanned := range config.Table.Scan {
		b.bus(scanned.Name) // also those that only the self-test speaks on
	}
	if err := b.openLamps(); err != nil {
		stop()
		return nil, err
	}
	b.openHook()
	b.openKeypad()
	b.openPanel()
	b.openHeadset(ctx)
	b.openLight()
	b.sound.Check()
	return b, nil
}

// report keeps how a part is, tells the log and the phone.
func (b *Body) report(change hal.PartChange) {
	b.mu.Lock()
	was := b.faults[change.Part]
	b.faults[change.Part] = change
	b.mu.Unlock()
	if was.Fault == change.Fault {
		return
	}
	if change.Fault == hal.Working {
		b.config.Log.Info("a part works again", "part", change.Part.String())
	} else {
		b.config.Log.Warn("a part of the phone is broken; the rest goes on", "part", change.Part.String(), "fault", change.Fault.String(), "detail", change.Detail)
	}
	b.config.Part(change)
}

// Report tells of a part that somebody else has looked at: the self-test that runs all the time.
func (b *Body) Report(change hal.PartChange) { b.report(change) }

// Fault is how a part is, with the detail of the last report.
func (b *Body) Fault(part hal.Part) hal.PartChange {
	b.mu.Lock()
	defer b.mu.Unlock()
	change := b.faults[part]
	change.Part = part
	return change
}

// bus is the bus of a chip.
func (b *Body) bus(name string) *bus.I2C {
	if b.buses[name] == nil {
		b.buses[name] = bus.New(name)
	}
	return b.buses[name]
}

// Bus is the I2C bus of the name for the self-test; nil when the table has no chip on it.
func (b *Body) Bus(name string) i2c.Bus {
	if opened := b.buses[name]; opened != nil {
		return opened
	}
	return nil
}

func (b *Body) output(p board.Pin) *output {
	o := &output{pin: p}
	b.pins = append(b.pins, o)
	return o
}

func (b *Body) openHook() {
	h := b.config.Table.Hook
	if h.Place == "" {
		b.hookChange(hal.HookChange{})
		return
	}
	open := func() (hook.Line, error) { return openInput(h.Pin, 0) }
	var err error
	b.hook, err = hook.Start(nil, hook.Options{Stable: h.Debounce, Pull: pull(h.Pin), Reopen: open}, b.hookChange, b.report)
	if err != nil {
		b.report(hal.PartChange{Part: hal.PartHook, Fault: hal.Failing, Detail: err.Error()})
	}
}

// openKeypad watches the keys.
func (b *Body) openKeypad() {
	k := b.config.Table.Keypad
	if k.Place == "" {
		return
	}
	o := keypad.Options{Keys: contact.Keymap{}, Key: b.config.Key, Part: b.report, Diodes: k.Diodes}
	for row, keys := range k.Keys {
		for column, key := range keys {
			if key != hal.KeyNone {
				o.Keys[contact.Position{Row: uint8(row), Col: uint8(column)}] = key
			}
		}
	}
	var err error
	switch k.Kind {
	case board.KeypadTCA8418:
		b.keypad, err = keypad.StartTCA8418(b.bus(k.Chip.Bus), k.Chip.Address, b.input(k.Interrupt), o)
	case board.KeypadMCP23017:
		b.keypad, err = keypad.StartMCP23017(b.bus(k.Chip.Bus), k.Chip.Address, b.input(k.Interrupt), o)
	case board.KeypadMatrix:
		b.keypad, err = b.openMatrix(k, o)
	}
	if err != nil {
		b.report(hal.PartChange{Part: hal.PartKeypad, Fault: hal.Missing, Detail: err.Error()})
	}
}

func (b *Body) openMatrix(k board.Keypad, o keypad.Options) (*keypad.Keypad, error) {
	var rows []gpio.PinOut
	var columns []gpio.PinIn
	// A matrix is low where it is active, whatever its lines are called: rows pull columns down.
	for _, p := range k.Rows {
		p.Low = false
		row := b.output(p)
		row.drain = true // two keys of a column must not join two outputs
		rows = append(rows, row)
	}
	for _, p := range k.Columns {
		p.Low = true
		columns = append(columns, b.input(p))
	}
	return keypad.StartMatrix(rows, columns, o)
}

// openLight dims panel and lamps by the light around the phone.
func (b *Body) openLight() {
	chip := b.config.Table.Light.Chip
	if chip.Place == "" {
		return
	}
	light := sensor.BH1750{Bus: b.bus(chip.Bus), Addr: chip.Address}
	var err error
	b.dark, err = sensor.Follow(light.Lux, sensor.DefaultCurve(), func(level uint8) {
		b.mu.Lock()
		b.level = level
		b.mu.Unlock()
		b.lights.Dim(level)
		if b.panel != nil {
			b.panel.Dim(b.Brightness())
		}
	}, b.report)
	if err != nil {
		b.report(hal.PartChange{Part: hal.PartLight, Fault: hal.Failing, Detail: err.Error()})
	}
}

// Brightness is how bright the light around the phone wants the panel, from above 0 to 1: 1 until it is known.
func (b *Body) Brightness() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return float64(b.level) / 255
}

func (b *Body) input(p board.Pin) *input {
	i := &input{pin: p}
	b.pins = append(b.pins, i)
	return i
}

func (b *Body) hookChange(change hal.HookChange) {
	b.mu.Lock()
	b.up = change.Up
	b.mu.Unlock()
	b.config.Hook(change)
}

// Lifted reports whether the handset is up.
func (b *Body) Lifted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.up
}

func (b *Body) openLamps() error {
	config := lamp.Config{Report: b.report}
	chips := map[string]*lamp.Chip{}
	for _, l := range b.config.Table.Lamps {
		binding := lamp.Binding{Lamp: l.Lamp, LED: l.LED, Channel: l.Channel}
		switch {
		case l.Pin.Place != "":
			binding.Line = b.output(l.Pin)
		case l.Chip.Place != "":
			id := fmt.Sprintf("%s %d", l.Chip.Bus, l.Chip.Address)
			if chips[id] == nil {
				chips[id] = &lamp.Chip{Bus: b.bus(l.Chip.Bus), Addr: l.Chip.Address}
			}
			binding.Chip = chips[id]
		}
		config.Bindings = append(config.Bindings, binding)
	}
	lights, err := lamp.New(config)
	if err != nil {
		return fmt.Errorf("body: lamps: %w", err)
	}
	b.lights = lights
	return nil
}

func (b *Body) openPanel() {
	p := b.config.Table.Panel
	if p.Place == "" {
		return
	}
	b.panel = panel.Open(b.controller(p), b.report)
}

// openHeadset watches for headsets, by USB and by a serial line.
func (b *Body) openHeadset(ctx context.Context) {
	h := b.config.Table.Headset
	if h.USB {
		b.watcher = headset.NewWatcher(headset.Config{
			Change: b.headsetOn(lineUSB), Found: b.headsetFound, Gone: b.headsetGone, Log: b.config.Log,
		})
		b.parts.Go(func() { b.watcher.Run(ctx) })
	}
	if h.Serial.Place != "" {
		b.link = handsfree.NewLink(handsfree.Config{
			Open:   func() (io.ReadWriteCloser, error) { return serial.Open(h.Serial.Port, h.Serial.Baud) },
			Change: b.headsetOn(lineSerial), Log: b.config.Log,
		})
		b.parts.Go(func() { b.link.Run(ctx) })
	}
}

// headsetOn takes what the headsets on a line say. The phone has none any more when the other line has none either.
func (b *Body) headsetOn(line int) func(hal.HeadsetChange) {
	return func(change hal.HeadsetChange) {
		b.lines.Lock()
		defer b.lines.Unlock()
		switch change.Action {
		case hal.HeadsetPlugged:
			b.lines.plugged[line] = true
		case hal.HeadsetUnplugged:
			b.lines.plugged[line] = false
			if b.lines.plugged != [lineCount]bool{} {
				return
			}
		}
		b.config.Headset(change)
	}
}

// headsetPulled tells that the headset which was heard is gone, so that the call goes elsewhere, and then of one that is left.
func (b *Body) headsetPulled(usb string) {
	b.mu.Lock()
	other := slices.ContainsFunc(b.headset, func(d headset.Device) bool { return d.USBPath != usb })
	b.mu.Unlock()
	b.lines.Lock()
	defer b.lines.Unlock()
	b.config.Headset(hal.HeadsetChange{Action: hal.HeadsetUnplugged})
	if other || b.lines.plugged[lineSerial] {
		b.config.Headset(hal.HeadsetChange{Action: hal.HeadsetPlugged})
	}
}

func (b *Body) headsetFound(d headset.Device) {
	b.mu.Lock()
	b.headset = append(b.headset, d)
	b.mu.Unlock()
	b.sound.Plugged(d.USBPath)
	b.config.Log.Info("a headset is plugged in", "name", d.Name, "device", d.Path, "it", d.Conformance.String())
}

func (b *Body) headsetGone(d headset.Device) {
	b.mu.Lock()
	usb := ""
	kept := b.headset[:0]
	for _, have := range b.headset {
		if have.Path != d.Path {
			kept = append(kept, have)
			usb = have.USBPath
		}
	}
	b.headset = kept
	b.mu.Unlock()
	b.sound.Plugged(usb)
	b.config.Log.Info("a headset is gone", "name", d.Name)
}

// Headsets are the USB headsets with keys that are plugged in.
func (b *Body) Headsets() []headset.Device {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]headset.Device(nil), b.headset...)
}

// Show changes panel, lamps and the headset's lamps; what is shown already costs nothing. It never waits for the hardware.
func (b *Body) Show(display hal.Display) {
	b.lights.Show(display.Lamps)
	if b.panel != nil {
		b.panel.Show(display.Picture)
	}
	if b.watcher != nil {
		b.watcher.Show(display.Headset)
	}
	if b.link != nil {
		b.link.Show(display.Headset)
	}
}

// Press presses a key in somebody's place: phonectl's, the service line's.
func (b *Body) Press(key hal.Key) { b.config.Key(hal.KeyChange{Key: key, Down: true}) }

// Release releases it.
func (b *Body) Release(key hal.Key) { b.config.Key(hal.KeyChange{Key: key}) }

// Hook lifts the handset in somebody's place, or puts it back.
func (b *Body) Hook(up bool) { b.hookChange(hal.HookChange{Up: up}) }

// Sound is the sound device of the body; device/voice closes it.
func (b *Body) Sound() *Sound { return b.sound }

// The parts, for the self-test; nil where the board has none.

// Switch is the hook switch.
func (b *Body) Switch() *hook.Switch { return b.hook }

// Keys is the keypad.
func (b *Body) Keys() *keypad.Keypad { return b.keypad }

// Lights are the lamps.
func (b *Body) Lights() *lamp.Lights { return b.lights }

// Panel is the display.
func (b *Body) Panel() *panel.Panel { return b.panel }

// Table is what the board's file says.
func (b *Body) Table() board.Table { return b.config.Table }

// Close darkens panel and lamps and gives everything back. The sound is the voice's to close. What was missing cannot be made
// dark: that is told to the log, and is no failure.
func (b *Body) Close() {
	b.stop()
	if b.dark != nil {
		b.dark()
	}
	var errs []error
	if b.hook != nil {
		errs = append(errs, b.hook.Close())
	}
	if b.keypad != nil {
		errs = append(errs, b.keypad.Close())
	}
	if b.panel != nil {
		errs = append(errs, b.panel.Close())
	}
	errs = append(errs, b.lights.Close(hal.Lamps{}))
	b.parts.Wait()
	for _, o := range b.pins {
		errs = append(errs, o.close())
	}
	for _, port := range b.lit {
		errs = append(errs, port.Close())
	}
	for _, opened := range b.buses {
		errs = append(errs, opened.Close())
	}
	if err := errors.Join(errs...); err != nil {
		b.config.Log.Info("some parts could not be switched off", "err", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}
