package board

import (
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	"freizeichen/device/screen/font"
	"freizeichen/hal/board"
	"freizeichen/test/asterisk"
	"freizeichen/test/board/rig"
	"freizeichen/test/board/rig/qtest"
)

// The other ways that a board can be wired: a display that the kernel drives, and lamps that are the kernel's.
func TestTheKernelsDisplayAndLEDsServeAsWell(t *testing.T) {
	table, _ := board.Known("virt")
	other := strings.NewReplacer(
		`panel: {kind: ssd1306, address: "0x3c"}`, "panel: {kind: framebuffer, device: /dev/fb0}",
		"{lamp: message, line: LAMP_MESSAGE}", "{lamp: message, led: message}",
		"{lamp: mute, line: LAMP_MUTE}", "{lamp: mute, led: mute}",
		"{lamp: headset, line: LAMP_HEADSET}", "{lamp: headset, led: headset}",
	).Replace(table)
	if strings.Contains(other, "ssd1306") || strings.Contains(other, "LAMP_") {
		t.Fatal("virt.yaml is written in another way")
	}
	pbx := asterisk.Start(t, translated)
	p := startPhone(t, newParts(t), options{pbx: pbx, table: other, panel: true, leds: true})
	pbx.WaitRegistered("201")
	p.sees("201")
	began := time.Now()
	citizen := pbx.Originate("02812070")
	p.sees("Kreis Wesel")
	p.sees("Zulassung und") // the topic has two lines
	changes, ok := p.Wires.Wait(rig.LampMessage, began, rig.Patience, func(c []qtest.Change) bool { return len(c) >= 17 })
	if !ok {
		t.Fatalf("the kernel's LED does not ring: %v", changes)
	}
	if half := beat(changes[:17]); half < 100*time.Millisecond || half > 190*time.Millisecond {
		t.Errorf("the message lamp changes every %s, not every 125 ms", half)
	}
	citizen.HangUp()
	// The missed call is the only one that flashes: the kernel does it alone.
	p.until("the kernel blinks by itself", func() bool {
		trigger, err := p.Read("/sys/class/leds/message/trigger")
		return err == nil && strings.Contains(trigger, "[timer]")
	})
	p.until("no part is missing", func() bool { return !strings.Contains(p.ctl("status"), "fault.") })
}

// sees waits until the kernel's display has the words, in any size and in one colour.
func (p *phone) sees(words string) {
	p.t.Helper()
	p.until("the display shows "+words, func() bool {
		picture, err := p.Monitor.Picture()
		if err != nil {
			p.t.Fatal(err)
		}
		// Two inks of the colour panel are bright, the papers under dark text as well: light on dark, and dark on light.
		mono := image.NewPaletted(picture.Bounds(), color.Palette{color.Gray{0}, color.Gray{255}})
		for y := range mono.Rect.Dy() {
			for x := range mono.Rect.Dx() {
				if color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y > 0x90 {
					mono.SetColorIndex(x, y, 1)
				}
			}
		}
		for _, face := range []font.Face{font.Face6x12, font.Face8x16, font.Face12x24, font.Face16x32} {
			if drawn(mono, face, words) {
				return true
			}
		}
		return false
	})
}
