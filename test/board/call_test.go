package board

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/test/asterisk"
	"freizeichen/test/board/rig"
	"freizeichen/test/board/rig/qtest"
	"freizeichen/test/board/rig/usbheadset"
	"freizeichen/test/board/rig/wire"
)

// The phone's day on a board: everything that a hand, an eye and an ear can tell, and the office's PBX.
func TestAnAgentTelephonesOnTheBoard(t *testing.T) {
	pbx := asterisk.Start(t, translated, playsTones, says440)
	p := startPhone(t, newParts(t), options{pbx: pbx, headset: true})
	pbx.WaitRegistered("201")
	run := func(name string, test func(*testing.T, *phone, *asterisk.PBX)) {
		t.Run(name, func(t *testing.T) { test(t, p.in(t), pbx) })
	}
	run("it has all parts and no rights", whole)
	run("a call from the queue rings, is seen, taken by the hook and heard both ways", queueCall)
	run("the keypad dials and sends digits", dial)
	run("the headset answers, mutes, and is pulled out in the middle of the call", pulledOut)
	run("two keys start the self-test, and who lifts the handset telephones", byKeys)
	run("the service line lets a technician in", technician)
	run("it ends well", ends)
}

// The program for ARMv7 meets the kernel's layouts for 32 bits: of GPIO, I2C, sound and headset.
func TestAProgramOf32BitsTelephonesToo(t *testing.T) {
	pbx := asterisk.Start(t, translated, playsTones, says440)
	p := startPhone(t, newParts(t), options{pbx: pbx, headset: true, bits32: true})
	pbx.WaitRegistered("201")
	header, err := p.Read("/proc/PID/exe")
	if err != nil || !strings.HasPrefix(header, "\x7fELF\x01") { // ELFCLASS32
		t.Fatalf("the phone is no program of 32 bits: %.5q, %v", header, err)
	}
	t.Run("it has all parts and no rights", func(t *testing.T) { whole(t, p.in(t), pbx) })
	t.Run("a call is heard both ways", func(t *testing.T) { queueCall(t, p.in(t), pbx) })
	t.Run("the headset answers, and is pulled out", func(t *testing.T) { pulledOut(t, p.in(t), pbx) })
}

func whole(t *testing.T, p *phone, _ *asterisk.PBX) {
	p.status("registration: registered")
	p.until("no part is missing", func() bool { return !strings.Contains(p.ctl("status"), "fault.") })
	if status, err := p.Read("/proc/PID/status"); err != nil || !strings.Contains(status, "CapEff:\t0000000000000000") {
		t.Error(status, err)
	}
	if wrong := p.oled.Wrong(); len(wrong) > 0 {
		t.Errorf("the display was told nonsense: %q", wrong)
	}
}

func queueCall(t *testing.T, p *phone, pbx *asterisk.PBX) {
	began := time.Now()
	mark := p.handset.Mark()
	citizen := pbx.Originate("02812070")
	p.shows("Kreis Wesel")
	p.shows("Zulassung und Führ")
	// The message lamp rings: 125 ms on and off.
	changes, ok := p.Wires.Wait(rig.LampMessage, began, rig.Patience, func(c []qtest.Change) bool { return len(c) >= 17 })
	if !ok {
		t.Fatalf("the message lamp does not blink: %v", changes)
	}
	if half := beat(changes[:17]); half < 100*time.Millisecond || half > 190*time.Millisecond {
		t.Errorf("the message lamp changes every %s, not every 125 ms", half)
	}
	line1 := map[bool]int{}
	p.until("the lamp of line 1 blinks too", func() bool {
		on, _ := p.lamps[0].Lit(0, time.Now())
		line1[on]++
		return line1[true] > 0 && line1[false] > 0
	})
	if loudest(p.handset.Played(mark)) < 1000 {
		t.Error("nobody hears that it rings")
	}
	mark = p.handset.Mark()
	p.hook(true)
	p.status("line1: talking")
	p.until("the citizen hears the microphone", func() bool { return asterisk.ToneSeconds(citizen.Heard(), microphoneHz) > 1 })
	p.until("the handset sounds of the citizen", func() bool { return usbheadset.Share(p.handset.Played(mark), citizenHz) > 0.9 })
	if on, _ := p.lamps[0].Lit(0, time.Now()); !on {
		t.Error("the lamp of line 1 is dark in the conversation")
	}
	p.hook(false)
	citizen.WaitGone()
	p.until("the phone is idle", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
}

// beat is how long a lamp stays as it is: the median of its spans. An emulated board is late now and then, by a second too.
func beat(changes []qtest.Change) time.Duration {
	var spans []time.Duration
	for i, c := range changes[1:] {
		spans = append(spans, c.At.Sub(changes[i].At))
	}
	slices.Sort(spans)
	return spans[len(spans)/2]
}

// loudest is the greatest sample.
func loudest(samples []int16) int16 {
	most := int16(0)
	for _, s := range samples {
		most = max(most, s, -s)
	}
	return most
}

func dial(t *testing.T, p *phone, pbx *asterisk.PBX) {
	p.hook(true)
	p.shows("Bitte wählen")
	p.press(hal.Key6, hal.Key0, hal.Key3, hal.KeyOK)
	p.status("line1: talking")
	p.press(hal.Key1, hal.KeyStar, hal.Key0, hal.Key2)
	pbx.WaitLog("READ 1*02.")
	p.hook(false)
	p.until("the phone is idle", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
}

func pulledOut(t *testing.T, p *phone, pbx *asterisk.PBX) {
	citizen := pbx.Originate("02812070")
	p.status("line1: ringing")
	if !p.headset.WaitLamps(usbheadset.Lamps{Ring: true}, rig.Patience) {
		t.Fatalf("the headset does not ring: %v", p.headset.Reports())
	}
	p.headset.Hold(usbheadset.Keys{OffHook: true})
	p.status("line1: talking")
	p.status("route: headset")
	if !p.headset.WaitLamps(usbheadset.Lamps{OffHook: true, Microphone: true}, rig.Patience) {
		t.Errorf("the headset shows %v", p.headset.Reports())
	}
	p.until("the citizen hears the headset", func() bool { return asterisk.ToneSeconds(citizen.Heard(), headsetHz) > 1 })

	p.headset.Hold(usbheadset.Keys{OffHook: true, Mute: true})
	p.status("muted: true")
	p.headset.Hold(usbheadset.Keys{OffHook: true})
	if !p.Wires.High(rig.LampMute) {
		p.until("the mute lamp is lit", func() bool { return p.Wires.High(rig.LampMute) })
	}
	recent := func(hz float64) float64 {
		heard := citizen.Heard()
		return asterisk.Share(heard[max(0, len(heard)-4000):], hz)
	}
	p.until("the citizen hears nothing of it", func() bool { return recent(headsetHz) < 0.1 })
	time.Sleep(300 * time.Millisecond) // an echo of the lamp and a second press must not be taken for each other
	p.headset.Hold(usbheadset.Keys{OffHook: true, Mute: true})
	p.status("muted: false")
	p.headset.Hold(usbheadset.Keys{OffHook: true})
	p.until("the citizen hears it again", func() bool { return recent(headsetHz) > 0.8 })

	p.headset.Unplug()
	p.status("route: speaker")
	p.until("the citizen hears the phone's own microphone", func() bool { return recent(microphoneHz) > 0.8 })
	if !citizen.Present() {
		t.Error("the citizen was cut off")
	}
	p.press(hal.KeyCancel)
	citizen.WaitGone()
	p.Plug(p.headset)
	p.WaitPath("/dev/hidraw0", true)
	p.until("the headset is there again", p.headset.Heard)
}

func byKeys(t *testing.T, p *phone, _ *asterisk.PBX) {
	for _, key := range []hal.Key{hal.KeyStar, hal.KeyPound} {
		row, column := place(t, key)
		p.keys.Press(row, column)
		defer p.keys.Release(row, column)
	}
	p.until("a self-test runs", func() bool {
		return strings.Contains(p.ctl("selftest", "report", "text")+p.ctl("transcript"), "tests    technician")
	})
	p.hook(true)
	p.shows("Bitte wählen")
	p.hook(false)
	p.until("the phone is idle", func() bool { return strings.Contains(p.ctl("show"), "Wahlwiederholung") })
}

// technician is at the other end of the serial line.
func technician(t *testing.T, p *phone, _ *asterisk.PBX) {
	for _, line := range []string{"\r", "schraube\r", "status\r"} {
		if err := p.Service.Say(line); err != nil {
			t.Fatal(err)
		}
	}
	if said, ok := p.Service.Wait("registration: registered", rig.Patience); !ok || strings.Contains(said, "schraube") {
		t.Errorf("the line said %q", said)
	}
}

func ends(t *testing.T, p *phone, pbx *asterisk.PBX) {
	mark := p.Mark()
	p.Signal(syscall.SIGTERM)
	if text := p.WaitAfter(mark, wire.Ended, ""); text != "exit status 0" {
		t.Error(text)
	}
	pbx.WaitGone("201")
	if p.oled.On() {
		t.Error("the display still shines")
	}
}

func TestAPhoneThatHangsIsRestartedByTheWatchdog(t *testing.T) {
	p := startPhone(t, newParts(t), options{watchdog: 6 * time.Second})
	p.Wait(wire.Fed, "")
	p.Signal(syscall.SIGSTOP)
	if !p.Exited(rig.Patience) {
		t.Fatal("the board still runs")
	}
}
