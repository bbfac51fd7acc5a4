package board

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/device/screen"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/test/asterisk"
	"freizeichen/test/board/rig"
	"freizeichen/test/board/rig/usbheadset"
)

// emulated is virt with what is known of the emulation: its sound is late, and a headset belongs to it.
func emulated(t *testing.T) string {
	t.Helper()
	table, _ := board.Known("virt")
	changed := strings.NewReplacer("headset: {usb: true}", "headset: {usb: true, must: true, coupling: -12}", "{card: Handset}", "{card: Handset, coupling: -12}").Replace(table) +
		"limits: [{name: delay.delay, low: 0, high: 450}, {name: delay.drift, low: -1000, high: 1000}]\n"
	if !strings.Contains(changed, "must: true") {
		t.Fatal("virt.yaml has no headset")
	}
	return changed
}

// air takes 12 dB away.
func air(s int16) int16 { return s / 4 }

// A technician stands before the phone: reads its display, presses its keys, lifts its handset, and sees whether a lamp shines.
type technicianAtWork struct {
	p     *phone
	dead  map[hal.Lamp]bool // lamps whose light does not come out
	hook  func(up bool)
	quit  chan struct{}
	ended chan struct{}
	asked int // keys pressed so far
	// lifted: the handset is in the hand.
	lifted bool
}

func (p *phone) technician() *technicianAtWork {
	w := &technicianAtWork{p: p, dead: map[hal.Lamp]bool{}, hook: p.hook, quit: make(chan struct{}), ended: make(chan struct{})}
	go w.work()
	return w
}

func (w *technicianAtWork) leave() {
	close(w.quit)
	<-w.ended
	w.lift(false)
}

func (w *technicianAtWork) work() {
	defer close(w.ended)
	for {
		select {
		case <-w.quit:
			return
		case <-time.After(60 * time.Millisecond):
			w.look()
		}
	}
}

// reads reports whether all words stand on the display.
func (w *technicianAtWork) reads(words ...string) bool {
	picture := w.p.oled.Picture()
	for _, text := range words {
		for word := range strings.FieldsSeq(text) {
			if !drawn(picture, small, word) {
				return false
			}
		}
	}
	return true
}

// look does what the display asks for.
func (w *technicianAtWork) look() {
	switch {
	case w.reads("Ja", "Nein", "Leuchtet die"):
		w.answer(w.shining())
	case w.reads("Ja", "Nein"):
		w.answer(w.p.oled.On())
	case w.reads("abheben,"): // for its own test
		w.lift(true)
	case w.reads("auflegen."):
		w.lift(false)
	case w.reads("auflegen:"):
		w.hook(true)
		time.Sleep(150 * time.Millisecond)
		w.hook(false)
		time.Sleep(150 * time.Millisecond)
	case w.reads("Taste drücken:"):
		w.key()
	}
}

// lift lifts the handset or lays it down, once.
func (w *technicianAtWork) lift(up bool) {
	if w.lifted != up {
		w.p.hook(up)
		w.lifted = up
	}
}

func (w *technicianAtWork) answer(yes bool) {
	key := hal.KeySoft2
	if yes {
		key = hal.KeySoft1
	}
	w.pressed(key)
}

// pressed presses a key once and waits until the display says something else: a second press would answer the next question. What the
// phone has not taken it forgets after a while, and asks again or goes on.
func (w *technicianAtWork) pressed(key hal.Key) {
	before := w.text()
	w.p.press(key)
	for began := time.Now(); w.text() == before && time.Since(began) < 10*time.Second; {
		select {
		case <-w.quit:
			return
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// text is the part of the display that has neither the clock nor the seconds that are left.
func (w *technicianAtWork) text() string {
	const first, last = 25, 64 // below the title, with the soft keys
	picture := w.p.oled.Picture()
	return string(picture.Pix[first*picture.Stride : last*picture.Stride])
}

// shining reports whether the lamp shines whose name is on the display.
func (w *technicianAtWork) shining() bool {
	names := map[hal.Lamp]bool{}
	for lamp := range hal.LampCount {
		name := screen.Label(screen.German, "lamp-"+lamp.String())
		names[lamp] = w.reads(name+"?") || w.reads("Stummlampe?") && lamp == hal.LampMute
	}
	for lamp, named := range names {
		if named {
			return w.p.lit(lamp) && !w.dead[lamp]
		}
	}
	return false
}

// lit reports whether a lamp gets current.
func (p *phone) lit(lamp hal.Lamp) bool {
	lines := map[hal.Lamp]int{hal.LampMessage: rig.LampMessage, hal.LampMute: rig.LampMute, hal.LampHeadset: rig.LampHeadset}
	if line, ok := lines[lamp]; ok {
		return p.Wires.High(line)
	}
	outputs := map[hal.Lamp][2]int{hal.LampLine1: {0, 0}, hal.LampLine2: {0, 1}, hal.LampHold: {0, 2}, hal.LampSpeaker: {0, 3}, hal.LampQueue: {1, 0}, hal.LampAgent: {1, 1}}
	o := outputs[lamp]
	on, _ := p.lamps[o[0]].Lit(o[1], time.Now())
	return on
}

// key presses the key that is asked for.
func (w *technicianAtWork) key() {
	for key := hal.Key0; key < hal.KeyCount; key++ {
		if w.wants(key) {
			w.pressed(key)
			w.asked++
			return
		}
	}
}

// wants reports whether the display asks for a key, and shows nothing else.
func (w *technicianAtWork) wants(key hal.Key) bool {
	const first, pitch, last = 25, 9, 52 // rows of the self-test's lines
	picture := w.p.oled.Picture()
	page := image.NewPaletted(picture.Rect, picture.Palette)
	lines := small.Lines(selftest.SayPressKey.In(selftest.German, screen.Label(screen.German, "key-"+key.String())), picture.Rect.Dx()-2, 3)
	for i, line := range lines {
		small.Draw(page, 1, first+pitch*i, line, 1)
	}
	return bytes.Equal(page.Pix[first*page.Stride:last*page.Stride], picture.Pix[first*picture.Stride:last*picture.Stride])
}

// test runs a self-test to its end and gives its report.
func (p *phone) test(words ...string) (report.Record, int) {
	p.t.Helper()
	out, code := p.Run("/usr/bin/phonectl", append([]string{"-socket", socket, "selftest"}, words...)...)
	document, reported := p.Run("/usr/bin/phonectl", "-socket", socket, "selftest", "report", "json")
	if reported != 0 {
		p.t.Fatalf("selftest %s: exit status %d\n%s\nno report: %s", words, code, out, document)
	}
	record, err := report.Decode([]byte(document))
	if err != nil {
		p.t.Fatalf("the report cannot be read: %v\n%s", err, document)
	}
	return record, code
}

// measured fails for what a test of a report should have measured and has not, and tells what it was.
func measured(t *testing.T, r report.Record, test string, names ...string) {
	t.Helper()
	i := slices.IndexFunc(r.Phases, func(p report.Phase) bool { return p.Name == test })
	if i < 0 {
		t.Errorf("the report has no test %s", test)
		return
	}
	for _, name := range names {
		m, known := r.Phases[i].Measurements[name]
		if !known || m.Value == nil {
			t.Errorf("%s: %s was not measured", test, name)
			continue
		}
		t.Logf("%s: %s %v", test, name, m.Value)
	}
}

// outcomes are the tests of a report by their outcome.
func outcomes(r report.Record) map[selftest.Outcome][]string {
	all := map[selftest.Outcome][]string{}
	for _, phase := range r.Phases {
		all[phase.Finer()] = append(all[phase.Finer()], phase.Name)
	}
	return all
}

func TestTheSelfTestPassesAGoodPhoneAndFindsEachDefect(t *testing.T) {
	pbx := asterisk.Start(t, translated)
	parts := newParts(t)
	parts.handset.Couple(air)
	parts.headset.Couple(air)
	p := startPhone(t, parts, options{pbx: pbx, headset: true, table: emulated(t), configure: "self-test: {echo: \"600\"}\n"})
	pbx.WaitRegistered("201")
	p.until("the headset is there", p.headset.Heard)

	t.Run("a good phone passes, and what it has not is not called good", func(t *testing.T) {
		p := p.in(t)
		w := p.technician()
		defer w.leave()
		began := time.Now()
		record, code := p.test("technician")
		t.Logf("%s in %s\n%s", record.Verdict(), time.Since(began).Round(time.Second), strings.Join(record.Sentences(selftest.German), "\n"))
		if code != 0 && code != 4 {
			t.Errorf("exit status %d: %v", code, outcomes(record))
		}
		if record.DUT != "FZ-0001" || record.Metadata.Model != "virt" {
			t.Errorf("the report is of %s, %s", record.DUT, record.Metadata.Model)
		}
		if na := strings.Join(outcomes(record)[selftest.NotApplicable], " "); na != "update bounce" {
			t.Errorf("not applicable are %q", na)
		}
		for test, names := range map[string][]string{"ethernet": {"speed", "lost"}, "network": {"exchange", "time", "loss", "jitter", "mos"}} {
			measured(t, record, test, names...)
		}
		if w.asked != 30 {
			t.Errorf("%d keys were asked for", w.asked)
		}
		keepReport(t, p)
	})
	t.Run("the factory writes an identity", func(t *testing.T) {
		p := p.in(t)
		out, code := p.Run("/usr/bin/phoned", "-board", "/etc/board.yaml", "-write-identity", "FZ-0002,A2,02:00:5e:10:00:02")
		if code != 0 || !strings.Contains(out, "FZ-0002") {
			t.Fatalf("exit status %d: %s", code, out)
		}
		if record, _ := p.test("technician", "identity"); record.DUT != "FZ-0002" || outcomes(record)[selftest.Fail] == nil {
			t.Errorf("the report is of %s: another MAC address than the board's must fail: %v", record.DUT, outcomes(record))
		}
		if out, code := p.Run("/usr/bin/phoned", "-board", "/etc/board.yaml", "-write-identity", "FZ-0001,A1,52:54:00:12:34:56"); code != 0 {
			t.Fatalf("exit status %d: %s", code, out)
		}
	})
	for _, d := range defects() {
		t.Run(d.name, func(t *testing.T) {
			p := p.in(t)
			w := p.technician()
			defer w.leave()
			heal := d.seed(p, w)
			defer heal()
			record, code := p.test(append([]string{"technician"}, d.tests...)...)
			t.Logf("%s\n%s", record.Verdict(), strings.Join(record.Sentences(selftest.German), "\n"))
			failed := strings.Join(outcomes(record)[selftest.Fail], " ")
			if code != 1 || !strings.Contains(failed, d.finds) || record.Metadata.Part != d.part {
				t.Errorf("exit status %d, failed %q, broken %q; want 1, %q, %q: %v", code, failed, record.Metadata.Part, d.finds, d.part, outcomes(record))
			}
		})
	}
}

// keepReport writes the report's forms where somebody who asks for it looks at them.
func keepReport(t *testing.T, p *phone) {
	t.Helper()
	for _, form := range []string{"text", "junit", "csv"} {
		if out, code := p.Run("/usr/bin/phonectl", "-socket", socket, "selftest", "report", form); code != 0 || out == "" {
			t.Errorf("report %s: exit status %d: %s", form, code, out)
		}
	}
	if out, code := p.Run("/usr/bin/phonectl", "-socket", socket, "selftest", "report", "pdf", "/tmp/report.pdf"); code != 0 {
		t.Fatalf("report pdf: exit status %d: %s", code, out)
	}
	data, err := p.Read("/tmp/report.pdf")
	if err != nil || !strings.HasPrefix(data, "%PDF-") {
		t.Fatalf("the PDF cannot be read: %v", err)
	}
	if path := os.Getenv("FREIZEICHEN_REPORT"); path != "" {
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// A defect is one thing that is broken, and what must find it.
type defect struct {
	name  string
	tests []string // to run: not all of them, each time
	finds string   // the test that must fail
	part  string   // that must be named
	seed  func(p *phone, w *technicianAtWork) (heal func())
}

func defects() []defect {
	return []defect{
		{"a dead lamp line", []string{"lamps"}, "lamps", "lamps", func(_ *phone, w *technicianAtWork) func() {
			w.dead[hal.LampHold] = true
			return func() {}
		}},
		{"a part that is missing on the I2C bus", []string{"bus", "temperature"}, "bus temperature", "bus", func(p *phone, _ *technicianAtWork) func() {
			p.bus.Attach(0x48, nil)
			return func() { p.bus.Attach(0x48, p.heat) }
		}},
		{"an EEPROM with a wrong checksum", []string{"identity"}, "identity", "identity", func(p *phone, _ *technicianAtWork) func() {
			record := p.memory.Bytes()
			spoilt := append([]byte(nil), record...)
			spoilt[12] ^= 0x10
			p.memory.Load(spoilt)
			return func() { p.memory.Load(record) }
		}},
		{"a hook switch that bounces", []string{"hook"}, "hook", "hook", func(p *phone, w *technicianAtWork) func() {
			w.hook = func(up bool) {
				for began := time.Now(); time.Since(began) < 75*time.Millisecond; time.Sleep(3 * time.Millisecond) {
					p.hook(up)
					time.Sleep(3 * time.Millisecond)
					p.hook(!up)
				}
				p.hook(up)
			}
			return func() { p.hook(false) }
		}},
		{"a microphone that hears nothing", []string{"handset.level"}, "handset.level", "handset", func(p *phone, _ *technicianAtWork) func() {
			p.handset.Speak(usbheadset.Silence)
			return func() { p.handset.Couple(air) }
		}},
		{"a loudspeaker that distorts", []string{"speaker.distortion"}, "speaker.distortion", "speaker", func(p *phone, _ *technicianAtWork) func() {
			p.handset.Couple(func(s int16) int16 { return air(max(-8500, min(s, 8500))) })
			return func() { p.handset.Couple(air) }
		}},
		{"a clock that has lost its battery", []string{"clock"}, "clock", "clock", func(p *phone, _ *technicianAtWork) func() {
			p.clock.LoseBattery()
			return func() {}
		}},
		{"a headset that is absent", []string{"headset.level"}, "headset.level", "headset", func(p *phone, _ *technicianAtWork) func() {
			p.headset.Unplug()
			p.WaitPath("/dev/hidraw0", false)
			return func() {
				p.Plug(p.headset)
				p.WaitPath("/dev/hidraw0", true)
			}
		}},
		{"a network that is not there", []string{"ethernet", "network"}, "ethernet", "ethernet", func(p *phone, _ *technicianAtWork) func() {
			link := func(up bool) {
				if err := p.Monitor.Link("ethernet", up); err != nil {
					p.t.Fatal(err)
				}
				p.until(fmt.Sprintf("the kernel knows that the cable is there: %t", up), func() bool {
					carrier, err := p.Read("/sys/class/net/eth0/carrier")
					return err == nil && strings.TrimSpace(carrier) == map[bool]string{true: "1", false: "0"}[up]
				})
			}
			link(false)
			return func() { link(true) }
		}},
	}
}

// A key that is held while the power comes is stuck after half a minute: it must be found, and must not keep the phone from its work.
func TestAStuckKeyIsFoundAndTheOthersWork(t *testing.T) {
	parts := newParts(t)
	row, column := place(t, hal.KeyRedial)
	parts.keys.Press(row, column)
	p := startPhone(t, parts, options{})
	p.status("fault.keypad: failing")
	record, code := p.test("technician", "stuck")
	t.Log(strings.Join(record.Sentences(selftest.German), "\n"))
	if failed := strings.Join(outcomes(record)[selftest.Fail], " "); code != 1 || failed != "stuck" || record.Metadata.Part != "keypad" {
		t.Errorf("exit status %d, failed %q, broken %q", code, failed, record.Metadata.Part)
	}
	p.press(hal.KeyCancel) // the outcome has been read
	p.press(hal.Key1, hal.Key1, hal.Key5)
	p.until("the other keys dial", func() bool { return strings.Contains(p.ctl("show"), "115") })
	p.keys.Release(row, column)
	p.until("the keypad is well again", func() bool { return !strings.Contains(p.ctl("status"), "fault.keypad") })
}
