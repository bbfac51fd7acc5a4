package board

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/document"
	"freizeichen/hal"
)

func TestEveryKnownBoardIsWhole(t *testing.T) {
	if names := strings.Join(Names(), " "); names != "cm4 pi3 virt zero2w" {
		t.Fatalf("known are %s", names)
	}
	for _, name := range Names() {
		b, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keys := map[hal.Key]bool{}
		for _, row := range b.Keypad.Keys {
			for _, k := range row {
				keys[k] = true
			}
		}
		for k := hal.Key0; k < hal.KeyCount; k++ {
			if !keys[k] {
				t.Errorf("%s has no key %s", name, k)
			}
		}
		lamps := map[hal.Lamp]bool{}
		for _, l := range b.Lamps {
			lamps[l.Lamp] = true
		}
		if b.Model != name || len(lamps) != int(hal.LampCount) || b.Hook.Place == "" || b.Panel.Place == "" || b.Handset.Card == "" || b.Speaker.Card == "" ||
			!b.Headset.USB || b.Identity.Place == "" || b.Clock.Place == "" || b.Service.Port == "" || b.Network == "" {
			t.Errorf("%s lacks a part: %+v", name, b)
		}
	}
}

func TestATableIsWhatItsFileSays(t *testing.T) {
	b, err := Load("virt")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Pin{Place: "virt.yaml:6", Chip: "9030000.pl061", Line: "HOOK"}); b.Hook.Pin != want || b.Hook.Debounce != 10*time.Millisecond {
		t.Errorf("hook %+v, want %+v", b.Hook, want)
	}
	if k := b.Keypad; k.Kind != KeypadTCA8418 || k.Chip.Address != 0x34 || !k.Interrupt.Low || k.Keys[4][2] != hal.KeyPound {
		t.Errorf("keypad %+v", k)
	}
	if l := b.Lamps[3]; l.Lamp != hal.LampLine1 || l.Chip.Address != 0x62 || l.Channel != 0 {
		t.Errorf("line 1 is %+v", l)
	}
	if len(b.Scan) != 1 || len(b.Scan[0].Chips) != 8 {
		t.Errorf("the self-test looks for %+v", b.Scan)
	}
	b, _ = Load("cm4")
	if p := b.Panel; p.Kind != PanelST7789 || p.Shows != hal.Colour320x240 || p.ClockHz != 40_000_000 || !p.Reset.Low || p.Backlight.Line != "12" {
		t.Errorf("panel %+v", p)
	}
	for text, want := range map[string]int{"": 28, "offset: 0, ": 0, "offset: 28, ": 28} {
		b, err := Parse("b.yaml", []byte(virt(t, `kind: ssd1306, address: "0x3c"`, text+`kind: ssd1322, spi: "0.0", data-command: {line: X}`)))
		if err != nil || b.Panel.Offset != want {
			t.Errorf("%q: %v, offset %d", text, err, b.Panel.Offset)
		}
	}
	if s := b.Speaker; s.Capture != "right" || s.Mixer[6] != (Control{Place: s.Mixer[6].Place, Name: "Headphone Playback Volume", DB: "mute"}) {
		t.Errorf("speaker %+v", s)
	}
}

// virt is the board of the test with one change.
func virt(t *testing.T, old, changed string) string {
	t.Helper()
	text, _ := Known("virt")
	if !strings.Contains(text, old) {
		t.Fatalf("virt.yaml does not have %q", old)
	}
	return strings.Replace(text, old, changed, 1)
}

func TestWhatIsWrongInABoardIsSaidWithItsLine(t *testing.T) {
	for _, c := range []struct{ old, changed, want string }{
		{"line: HOOK", "line: KEYINT", `b.yaml:10:`}, // the second that wants it is refused
		{"line: HOOK,", "", `b.yaml:6:`},
		{"line: HOOK", "lime: HOOK", "lime"},
		{"active: high}", "active: up}", "high, low"},
		{`gpio: "9030000.pl061"`, "", "hook has no chip"},
		{`i2c: "i2c-tiny-usb*"`, "", "has no bus"},
		{`address: "0x34"`, `address: "0x78"`, `b.yaml:9:`},
		{`address: "0x34"`, `address: "52"`, "0x08 to 0x77"},
		{"kind: tca8418", "kind: tca8419", "tca8418, mcp23017, matrix"},
		{"soft1 soft2", "soft1 soft1", "soft1 is there twice"},
		{"redial", "redail", `did you mean "redial"?`},
		{"* 0 #", "* 0 # 1 2 3 4 5 6 7 8", "columns"},
		{"lamp: queue", "lamp: quiet", "quiet"},
		{"lamp: queue", "lamp: agent", "there already"},
		{"channel: 3", "channel: 4", "0 to 3"},
		{`pca9633: "0x63", channel: 0`, "line: X, led: y", "needs one of"},
		{`"0x63", channel: 1`, `"0x63", channel: 0`, "b.yaml:26:45: lamps[8].channel 0 of 0x63 is taken already, in line 25"},
		{`identity: {address: "0x50"`, `identity: {address: "0x34"`, `identity.address 0x34 of i2c-tiny-usb* is taken already, in line 9`},
		{`pca9633: "0x62", channel: 3`, `pca9633: "0x34", channel: 3`, "lamps[6].pca9633 0x34 of i2c-tiny-usb* is taken already"},
		{`ssd1306, address: "0x3c"`, `ssd1306, address: "0x62"`, "is taken already"},
		{"kind: ssd1306", "kind: st7789", "data-command is missing"},
		{"kind: ssd1306", "offset: 57, kind: ssd1322", "0 to 56"},
		{"kind: ssd1306", "offset: 2, kind: ssd1306", "b.yaml:27:17: panel.offset is nothing to a ssd1306; it is for ssd1322"},
		{"kind: ssd1306", "offset: 2, kind: st7789", "panel.offset is nothing to a st7789"},
		{"kind: ssd1306", "double: true, kind: ssd1306", "panel.double is nothing to a ssd1306"},
		{"kind: ssd1306", "backlight: {line: X}, kind: ssd1306", "panel.backlight is nothing to a ssd1306; it is for st7789, framebuffer"},
		{"kind: ssd1306", "rotated: true, device: /dev/fb0, kind: framebuffer", "panel.rotated is nothing to a framebuffer"},
		{"kind: ssd1306", "reset: {line: X}, kind: ssd1306", "panel.reset.active is missing"},
		{"kind: ssd1306", "shows: colour320x240, kind: ssd1306", "shows mono128x64"},
		{"{card: Handset}", "{card: Handset, mixer: [{control: Volume}]}", "one of db, switch and choice"},
		{"{card: Handset}", "{}", "card is missing"},
		{`identity: {address: "0x50"}`, `identity: {address: "0x50", kind: 24c64}`, "AT24C02, AT24C32"},
		{"/dev/ttyUSB0", "../ttyUSB0", "a device such as"},
		{"headset: {usb: true}", "headset: {must: true}", "usb: true"},
		{"active: high}", "active: high, debounce: 1s}", "1ms to 100ms"},
		{"model: virt", "model:", "model"},
	} {
		_, err := Parse("b.yaml", []byte(virt(t, c.old, c.changed)))
		var all document.Errors
		if !errors.As(err, &all) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "b.yaml:") {
			t.Errorf("%q for %q: %v, want it to say %q", c.changed, c.old, err, c.want)
		}
	}
}

func TestABoardIsFoundByNameOrFile(t *testing.T) {
	if _, err := Load("pi9"); err == nil || !strings.Contains(err.Error(), "known are cm4, pi3, virt, zero2w") {
		t.Errorf("an unknown board: %v", err)
	}
	if _, err := Load("./missing.yaml"); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("a missing file: %v", err)
	}
	text, _ := Known("virt")
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Load(file)
	if err != nil || b.Hook.Place != Place(file+":6") {
		t.Errorf("%v, hook at %s", err, b.Hook.Place)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		text, _ := Known(name)
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Parse("f.yaml", data)
		if err == nil && table.Model == "" {
			t.Error("a board without a model is taken")
		}
	})
}
