package board

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"freizeichen/device/screen/font"
	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/clock"
	"freizeichen/hal/eeprom"
	"freizeichen/hal/haltest"
	"freizeichen/test/asterisk"
	"freizeichen/test/board/rig"
	"freizeichen/test/board/rig/usbheadset"
	"freizeichen/test/board/rig/wire"
)

// Sound of the scenario, in Hz.
const (
	microphoneHz = 1000 // into the handset's microphone
	headsetHz    = 1200 // into the headset's
	citizenHz    = 440
)

// translated is the configuration of an office whose PBX the board sees at rig.Host. The board itself lies behind the translation too, as a
// phone behind a cheap router does: the PBX answers to where things come from.
var translated = asterisk.Edit{File: "pjsip.conf", Old: "type = transport\n",
	New: "type = transport\nexternal_media_address = " + rig.Host + "\nexternal_signaling_address = " + rig.Host + "\n"}

// playsTones and says440 let the citizen send 440 Hz instead of Asterisk's own test tone.
var playsTones = asterisk.Edit{File: "modules.conf", Old: "load = codec_alaw.so", New: "load = codec_alaw.so\nload = app_playtones.so"}
var says440 = asterisk.Edit{File: "extensions.conf", Old: " same => n,Milliwatt()\n\n; What phones", New: " same => n,Playtones(440)\n same => n,Wait(600)\n\n; What phones"}

// parts are the models behind the board's I2C bus, and its sound.
type parts struct {
	bus     *haltest.Bus
	oled    *haltest.SSD1306
	keys    *haltest.TCA8418
	lamps   [2]*haltest.PCA9633
	memory  *haltest.EEPROM24
	heat    *haltest.LM75
	clock   *haltest.DS3231
	light   *haltest.BH1750
	handset *usbheadset.Headset
	headset *usbheadset.Headset
	wire    func(high bool) // of the keypad's interrupt, once the board is there
}

// macOfTheBoard is the one that QEMU gives its first network card.
var macOfTheBoard = [6]byte{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}

func newParts(t *testing.T) *parts {
	t.Helper()
	p := &parts{bus: new(haltest.Bus), oled: haltest.NewSSD1306(), heat: haltest.NewLM75(), clock: haltest.NewDS3231(time.Now), light: haltest.NewBH1750(),
		memory: haltest.NewEEPROM24(256, 8, false, 0)}
	p.keys = haltest.NewTCA8418(func(high bool) {
		if p.wire != nil {
			p.wire(high)
		}
	})
	record, err := eeprom.Identity{Serial: "FZ-0001", Model: "virt", Revision: "A1", MAC: macOfTheBoard, Produced: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p.memory.Load(record)
	p.heat.Measure(0x1f80) // 31.5 °C
	p.light.Shine(400)
	for i := range p.lamps {
		p.lamps[i] = haltest.NewPCA9633()
		p.bus.Attach(uint16(0x62+i), p.lamps[i])
	}
	for address, target := range map[uint16]haltest.Target{0x3c: p.oled, 0x34: p.keys, 0x50: p.memory, 0x48: p.heat, 0x68: p.clock, 0x23: p.light} {
		p.bus.Attach(address, target)
	}
	if err := (clock.DS3231{Bus: p.bus, Addr: 0x68}).Set(time.Now()); err != nil {
		t.Fatal(err)
	}
	p.handset = headset(t, usbheadset.Model{Vendor: 0x1209, Product: 2, Manufacturer: "Freizeichen", Name: "Handset"})
	p.headset = headset(t, usbheadset.Model{Vendor: 0x1209, Product: 1, Manufacturer: "Freizeichen", Name: "Headset", Keys: true})
	p.handset.Speak(tone(microphoneHz))
	p.headset.Speak(tone(headsetHz))
	return p
}

// A phone is phoned on the board, and who uses it.
type phone struct {
	*rig.Machine
	*parts
	t *testing.T
}

// options are what a test wants otherwise.
type options struct {
	pbx       *asterisk.PBX // nil: nobody answers
	table     string        // the board's file; empty: virt
	headset   bool
	watchdog  time.Duration
	configure string // more of the phone's configuration
	panel     bool   // a framebuffer
	leds      bool   // the lamp lines are the kernel's
	bits32    bool   // the phone is the program for ARMv7
}

// small is the face of the self-test's lines on the panel.
const small = font.Face5x8

const socket = "/tmp/phone.sock"

// startPhone boots a board with phoned on it, and waits until it is ready.
func startPhone(t *testing.T, p *parts, o options) *phone {
	t.Helper()
	server := rig.Host + ":9" // nobody is there
	if o.pbx != nil {
		_, port, _ := strings.Cut(o.pbx.Address(), ":")
		server = rig.Host + ":" + port
	}
	config := fmt.Sprintf("accounts:\n  - {user: \"201\", password: %s, domain: %s, server: %q}\nnetwork: {local: \"%s:0\", rtp-ports: 20000-20099}\n"+
		"service-line: {password: schraube}\n%s", asterisk.Password, rig.Host, server, rig.Address, o.configure)
	table := o.table
	if table == "" {
		table, _ = board.Known("virt")
	}
	program := rig.Program
	if o.bits32 {
		program = rig.Program32
	}
	b := rig.Board{
		Files: []rig.File{program(t, "freizeichen/cmd/phoned"), rig.Program(t, "freizeichen/cmd/phonectl"),
			{Path: "/etc/phone.yaml", Data: []byte(config)}, {Path: "/etc/board.yaml", Data: []byte(table)}},
		Program: wire.Program{Path: "/usr/bin/phoned", Args: []string{"-board", "/etc/board.yaml", "-config", "/etc/phone.yaml", "-socket", socket, "-data", "/tmp"},
			UID: 1000, GIDs: rig.Groups(1000), WatchdogEvery: max(o.watchdog, 2*time.Second)},
		Watchdog: o.watchdog, Bus: p.bus, Handset: p.handset, Panel: o.panel, LEDs: o.leds,
	}
	if o.headset {
		b.Headset = p.headset
	}
	m := rig.Start(t, b)
	p.wire = func(high bool) { _ = m.Wires.Set(rig.KeyInterrupt, high) }
	m.Wait(wire.Ready, "")
	return &phone{Machine: m, parts: p, t: t}
}

// in is the phone for a subtest.
func (p *phone) in(t *testing.T) *phone {
	return &phone{Machine: p.Machine.In(t), parts: p.parts, t: t}
}

// ctl is what phonectl prints.
func (p *phone) ctl(words ...string) string {
	p.t.Helper()
	out, _ := p.Run("/usr/bin/phonectl", append([]string{"-socket", socket}, words...)...)
	return out
}

// until waits for something that is looked at again and again.
func (p *phone) until(what string, done func() bool) {
	p.t.Helper()
	// Not too often: a program that asks the phone costs the emulated processor a tenth of a second.
	for deadline := time.Now().Add(rig.Patience); !done(); time.Sleep(250 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited %s in vain until %s; the phone shows:\n%s\n%s", rig.Patience, what, p.ctl("show"), p.ctl("status"))
		}
	}
}

// shows waits until the panel's own memory has the words, as its letters are drawn, in any size.
func (p *phone) shows(words string) {
	p.t.Helper()
	p.until(fmt.Sprintf("the panel shows %q", words), func() bool {
		picture := p.oled.Picture()
		for _, face := range []font.Face{font.Face5x8, font.Face6x12, font.Face8x16, font.Face12x24, font.Face16x32} {
			if drawn(picture, face, words) {
				return true
			}
		}
		return false
	})
}

// status waits until phonectl status has a line.
func (p *phone) status(line string) {
	p.t.Helper()
	p.until(fmt.Sprintf("status says %q", line), func() bool { return strings.Contains(p.ctl("status"), line) })
}

// press presses a key of the keypad, and lets it go.
func (p *phone) press(keys ...hal.Key) {
	p.t.Helper()
	for _, key := range keys {
		row, column := place(p.t, key)
		p.keys.Press(row, column)
		p.served()
		p.keys.Release(row, column)
		p.served()
	}
}

// served waits until the phone has taken what the keypad had to tell.
func (p *phone) served() {
	p.t.Helper()
	for deadline := time.Now().Add(rig.Patience); p.keys.Waiting() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited %s in vain until the keypad was served", rig.Patience)
		}
	}
}

// hook lifts the handset or lays it down.
func (p *phone) hook(up bool) {
	p.t.Helper()
	if err := p.Wires.Set(rig.Hook, up); err != nil {
		p.t.Fatal(err)
	}
}

// place is where a key is wired on the board virt.
func place(t *testing.T, key hal.Key) (row, column int) {
	t.Helper()
	b, err := board.Load("virt")
	if err != nil {
		t.Fatal(err)
	}
	for row, keys := range b.Keypad.Keys {
		for column, k := range keys {
			if k == key {
				return row, column
			}
		}
	}
	t.Fatalf("the board has no key %s", key)
	return 0, 0
}

// drawn reports whether words stand in a picture, light on dark or dark on light.
func drawn(picture *image.Paletted, face font.Face, words string) bool {
	top, bottom := face.Ink() // above and below, something else may stand
	letters := image.NewPaletted(image.Rect(0, 0, face.Width(words), bottom-top), picture.Palette)
	face.Draw(letters, 0, -top, words, 1)
	if found(picture, letters) {
		return true
	}
	face.Draw(letters, 1, -top, words, 1) // in bold
	return found(picture, letters)
}

func found(picture, letters *image.Paletted) bool {
	size := letters.Rect.Size()
	for y := 0; y+size.Y <= picture.Rect.Dy(); y++ {
		for x := 0; x+size.X <= picture.Rect.Dx(); x++ {
			if same(picture, letters, x, y, 0) || same(picture, letters, x, y, 1) {
				return true
			}
		}
	}
	return false
}

func same(picture, letters *image.Paletted, x0, y0 int, inverse uint8) bool {
	for y := range letters.Rect.Dy() {
		for x := range letters.Rect.Dx() {
			if picture.ColorIndexAt(x0+x, y0+y) != letters.ColorIndexAt(x, y)^inverse {
				return false
			}
		}
	}
	return true
}
