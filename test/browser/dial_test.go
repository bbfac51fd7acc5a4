package browser

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

func TestNumbersAreDialled(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	hungUp := func() {
		t.Helper()
		tab.click("#handset")
		tab.until(`document.documentElement.dataset.hook === "down"`)
		p.until("the call has ended", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
		tab.lamp("line1", "dark")
	}

	// Digits, then lift.
	for _, digit := range "5051" {
		tab.click(`[data-key="` + string(digit) + `"]`)
	}
	tab.shows("5051")
	tab.click("#handset")
	tab.shows("Im Gespräch")
	p.says("line1: talking")
	hungUp()

	// Lift, then digits: the dial tone is heard until the first one.
	tab.press("h")
	tab.shows("Bitte wählen")
	tab.lamp("line1", "steady")
	p.until("the dial tone of 425 Hz is heard", func() bool { return tab.tone(425) > 0.8 })
	tab.press("5")
	p.until("the dial tone is over", func() bool { return tab.tone(425) < 0.1 })
	tab.press("051" + kb.Enter)
	tab.shows("Im Gespräch")
	p.says("line1: talking")
	hungUp()

	// Redial.
	tab.press("r")
	tab.shows("Im Gespräch")
	p.says("line1: talking")
	tab.press(kb.Escape)
	p.until("the call has ended", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
	tab.lamp("line1", "dark")
}

func TestAMissedCitizenIsCalledBack(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	impatient := ada
	impatient.Patience = time.Second
	central.Call(impatient)
	tab.tells("called-out", "Ada Böhm")
	tab.shows("1 verpasster Anruf")
	tab.lamp("message", "flash")
	p.says("missed: 1")
	tab.click(`[data-key="soft1"]`)
	tab.shows("Verpasste Anrufe", "Ada Böhm", "Elterngeld")
	tab.lamp("message", "dark")
	tab.click(`[data-key="ok"]`)
	tab.shows("Im Gespräch", "Ada Böhm")
	p.says("line1: talking")
	tab.click(`[data-key="soft4"]`)
	p.until("the call has ended", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
}

// tone is the part of a frequency in the energy of what the page got in the last second, 0 to 1 (Goertzel's algorithm).
func (tab *tab) tone(hz float64) float64 {
	tab.t.Helper()
	samples := get[[]float64](tab, `counted.second.flatMap((data) => {
		const view = new DataView(data);
		return Array.from({ length: 160 }, (_, i) => view.getInt16(1 + 2 * i, true));
	})`)
	samples = samples[max(0, len(samples)-1600):] // 200 ms: 85 whole waves of 425 Hz
	coefficient := 2 * math.Cos(2*math.Pi*hz/8000)
	var before, last, energy float64
	for _, sample := range samples {
		before, last = last, sample+coefficient*last-before
		energy += sample * sample
	}
	if energy == 0 {
		return 0
	}
	return (last*last + before*before - coefficient*last*before) / (energy * float64(len(samples)) / 2)
}
