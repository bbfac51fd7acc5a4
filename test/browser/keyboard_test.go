package browser

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func TestACallIsAnsweredAndEndedWithoutAMouse(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	noCall := func() bool { return !strings.Contains(p.ctl("status"), "line1") }

	central.Call(ada)
	tab.lamp("line1", "fast")
	tab.press("h") // the handset
	tab.shows("Im Gespräch", "Hörer")
	tab.until(`counted.received > 20 && counted.sent > 20`) // a key is enough to start the sound
	tab.press("h")
	p.until("the handset is back and the call has ended", noCall)

	central.Call(ada)
	tab.lamp("line1", "fast")
	tab.press(kb.Enter)
	tab.shows("Im Gespräch")
	tab.press("p")
	tab.shows("Gehalten")
	tab.lamp("hold", "slow")
	tab.press("p")
	tab.shows("Im Gespräch")
	tab.press(kb.Escape)
	p.until("Escape has ended the call", noCall)

	id := central.Call(ada)
	tab.lamp("line1", "fast")
	tab.press(kb.Escape)
	tab.lamp("message", "dark")
	p.until("Escape has rejected the call", noCall)
	central.HangUp(id)

	// With the focus on a key, Enter and Space press this key and no other.
	tab.run(`document.querySelector('[data-key="7"]').focus()`)
	tab.press(" " + kb.Enter + "5")
	tab.shows("775")
}

// focused is where the focus is, and whether it can be seen.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return { name: "" };
	const style = getComputedStyle(e);
	const box = e.getBoundingClientRect();
	return {
		name: e.dataset.key ? "key " + e.dataset.key : e.id || e.tagName.toLowerCase(),
		seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0,
		within: box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight,
	};
})()`

type focusStop struct {
	Name         string
	Seen, Within bool
}

func TestTabReachesEveryKeyAndTheFocusIsSeen(t *testing.T) {
	b := startBrowser(t, nil)
	tab := b.openPhone(startPhoneAt(t, startExchange(t)))
	var order []string
	for range 80 {
		tab.press(kb.Tab)
		stop := get[focusStop](tab, focused)
		if stop.Name == "" || slices.Contains(order, stop.Name) && stop.Name != "summary" {
			t.Logf("after %q Tab comes to %q", order[max(0, len(order)-1):], stop.Name)
			break
		}
		if !stop.Seen {
			t.Errorf("the focus on %q is not seen", stop.Name)
		}
		if !stop.Within {
			t.Errorf("%q has the focus outside of the window", stop.Name)
		}
		order = append(order, stop.Name)
	}
	keys := get[[]string](tab, `[...document.querySelectorAll("[data-key]")].map((e) => "key " + e.dataset.key)`)
	wanted := append([]string{"handset", "panel", "language", "theme"}, keys...)
	if len(wanted) < 4+29 {
		t.Errorf("the page has only %q", wanted)
	}
	for _, want := range wanted {
		if !slices.Contains(order, want) {
			t.Errorf("Tab does not reach %q", want)
		}
	}
	// The order is that of reading: panel, then the digits row by row.
	at := func(name string) int { return slices.Index(order, name) }
	for _, pair := range [][2]string{{"key soft1", "key soft4"}, {"key soft4", "key 1"}, {"key 1", "key 2"}, {"key 3", "key 4"}, {"key 9", "key *"}, {"key 0", "key #"}, {"key #", "theme"}} {
		if at(pair[0]) > at(pair[1]) {
			t.Errorf("Tab comes to %q before %q", pair[1], pair[0])
		}
	}
}

func TestAButtonThatGoesLeavesTheFocusAtItsPlace(t *testing.T) {
	b := startBrowser(t, nil)
	p := startPhoneAt(t, startExchange(t))
	first, second := b.openPhone(p), b.openPhone(p)
	first.click("#simulator .note") // the browser lets a page sound that somebody has touched
	first.tells("sound-text", "aus diesem Fenster")
	second.click("#simulator .note")
	second.until(`!document.getElementById("sound-take").hidden`)
	second.run(`document.getElementById("sound-take").focus()`)
	second.press(kb.Enter)
	second.until(`document.getElementById("sound-take").hidden && document.activeElement.id === "sound-text"`)
	second.press(kb.Tab)
	if stop := get[focusStop](second, focused); stop.Name != "panel" || !stop.Seen {
		t.Errorf("the next Tab comes to %+v", stop)
	}
}
