package browser

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"

	"freizeichen/sip"
)

func TestACallFromTheQueueIsSeenHeardAndAnsweredByAClick(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	p := startPhone(t) // with its own exchange, as `make run` starts it
	tab := b.openPhone(p)
	tab.shows("verbunden")
	tab.lamp("message", "dark")

	// Kreis Wesel is called first. What is wanted stands behind "Anliegen", and is said at once.
	tab.tells("called-out", "Kreis Wesel", "Anliegen: ")
	tab.shows("Eingehender Anruf", "Kreis Wesel", "Anliegen: ")
	tab.lamp("message", "fast")
	tab.lamp("line1", "fast")
	tab.until(blinks("message", true))
	tab.until(blinks("message", false))
	tab.until(blinks("line1", true))
	tab.until(blinks("line1", false))
	tree := tab.accessible()
	if lamp := tree.find("image", "Anzeigelampe: blinkt schnell"); lamp == nil {
		t.Errorf("no screen reader finds the lamp that rings in\n%s", tree)
	}
	if line := tree.find("button", "Leitung 1"); line == nil || line.description != "blinkt schnell" {
		t.Errorf("the line's key tells a screen reader %+v", line)
	}
	if key := tree.find("button", "Annehmen"); key == nil {
		t.Errorf("no screen reader finds the soft key that answers in\n%s", tree)
	}
	tab.until(`document.title.startsWith("☎ Anruf für Kreis Wesel")`)
	if lit := get[int](tab, litPixels); lit < 500 {
		t.Errorf("the panel has %d lit pixels", lit)
	}
	if heard := get[int](tab, `counted.received`); heard != 0 {
		t.Errorf("the page got %d frames before its person has touched it", heard)
	}
	tab.until(`document.getElementById("sound-text").textContent.includes("klicken")`)

	tab.click("#handset")
	tab.shows("Im Gespräch", "Kreis Wesel", "Beispieldaten") // the card of what he calls for
	tab.tells("said", "Im Gespräch")
	tab.lamp("message", "dark")
	tab.lamp("line1", "steady")
	p.says("line1: talking")
	p.says("route: handset")
	tab.until(`document.documentElement.dataset.hook === "up"`)
	tab.until(`counted.received > 50 && counted.sent > 50`)
	tab.until(`Number(document.getElementById("sound").dataset.peak) > 0.01`) // the citizen comes out of the loudspeaker
	tab.tells("microphone-text", "bereit")
	tab.tells("sound-text", "aus diesem Fenster")
	if tree := tab.accessible(); tree.find("button", "Hörer auflegen") == nil {
		t.Errorf("no screen reader finds how to hang up in\n%s", tree)
	}

	tab.click("#handset")
	tab.until(`document.documentElement.dataset.hook === "down"`)
	tab.until(`!document.getElementById("screen-text").textContent.includes("Im Gespräch")`)
	p.until("the call has ended", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
	tab.lamp("line1", "dark")
}

// litPixels counts the pixels of the panel that differ from its corner.
const litPixels = `(() => {
	const screen = document.getElementById("screen");
	const context = new OffscreenCanvas(screen.width, screen.height).getContext("2d", { willReadFrequently: true });
	context.drawImage(screen, 0, 0);
	const { data } = context.getImageData(0, 0, screen.width, screen.height);
	let lit = 0;
	for (let i = 0; i < data.length; i += 4) if (data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2]) lit++;
	return lit;
})()`

// blinks is true while the lamp's light is seen, or is not.
func blinks(lamp string, on bool) string {
	want := "0"
	if on {
		want = "1"
	}
	return `getComputedStyle(document.querySelector('[data-lamp="` + lamp + `"]'), "::after").opacity === "` + want + `"`
}

func TestCitizenAndAgentHearEachOther(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	id := central.Call(ada)
	tab.tells("called-out", "Kreis Wesel", "Elterngeld", "Ada Böhm")
	tab.click("#handset")
	tab.shows("Im Gespräch")
	p.until("the agent's microphone is heard by the citizen", func() bool { return loudest(central.Heard(id)) > 500 })
	tab.until(`Number(document.getElementById("sound").dataset.peak) > 0.01`)

	// Muted, the agent is heard no more, and sees it.
	tab.click(`[data-key="mute"]`)
	tab.lamp("mute", "steady")
	p.says("muted: true")
	p.until("the citizen hears nothing", func() bool {
		heard := central.Heard(id)
		return loudest(heard[max(0, len(heard)-8000):]) < 100
	})

	// The citizen hangs up: the phone says so, and stays off hook.
	central.HangUp(id)
	tab.shows("beendet")
	p.until("the call has ended", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
	tab.click("#handset")
	tab.until(`document.documentElement.dataset.hook === "down"`)
}

func loudest(samples []int16) int {
	most := 0
	for _, sample := range samples {
		most = max(most, int(sample), -int(sample))
	}
	return most
}

// A node is something that a screen reader can find.
type node struct{ role, name, description string }

// A tree is all that a screen reader can find.
type tree []node

func (t tree) find(role, name string) *node {
	i := slices.IndexFunc(t, func(n node) bool { return n.role == role && n.name == name })
	if i < 0 {
		return nil
	}
	return &t[i]
}

func (t tree) String() string {
	var b strings.Builder
	for _, n := range t {
		b.WriteString(n.role + " " + n.name + " (" + n.description + ")\n")
	}
	return b.String()
}

// accessible asks the browser what it would tell a screen reader.
func (tab *tab) accessible() (all tree) {
	tab.t.Helper()
	call(tab, "asking for the accessibility tree", func(ctx context.Context) error {
		found, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		for _, n := range found.Nodes {
			if !n.Ignored {
				all = append(all, node{word(n.Role), word(n.Name), word(n.Description)})
			}
		}
		return err
	})
	return all
}

func word(value *accessibility.Value) (text string) {
	if value != nil {
		_ = json.Unmarshal(value.Value, &text) // some are no text: ""
	}
	return text
}

func TestASecondCitizenIsAnnouncedWhole(t *testing.T) {
	b := startBrowser(t, nil)
	central := startExchange(t)
	tab := b.openPhone(startPhoneAt(t, central))
	central.Call(ada)
	tab.tells("called-out", "Kreis Wesel", "Elterngeld", "Ada Böhm")
	tab.press("h")
	tab.tells("said", "Im Gespräch")
	tab.press("h")
	central.Call(ada)
	tab.lamp("message", "fast")
	tab.tells("called-out", "Eingehender Anruf")
	// One look: a second ringing after 20 s would hide what the first did not say.
	said := get[string](tab, `document.getElementById("called-out").textContent`)
	if !strings.Contains(said, "Kreis Wesel") || !strings.Contains(said, "Elterngeld") {
		t.Errorf("the second call is announced as %q", said)
	}
}

func TestACallIsAnsweredByTheSoftKeyThatSaysSo(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	tab.until(`document.querySelector('[data-key="soft4"]').getAttribute("aria-disabled") === "true"`)
	if key := tab.accessible().find("button", "Displaytaste 4"); key == nil {
		t.Error("a soft key that does nothing has lost its name")
	}
	central.Call(ada)
	tab.until(`document.querySelector('[aria-label="Annehmen"][aria-disabled="false"]')`)
	tab.until(`document.title.includes("Kreis Wesel")`)

	// What changes in the status line while it rings does not take the caller's place.
	tab.tells("called-out", "Kreis Wesel", "Elterngeld")
	if said := get[string](tab, `document.getElementById("called-out").textContent`); strings.Contains(said, "verbunden") {
		t.Errorf("the status line is called out with the caller: %q", said)
	}
	tab.click(`[aria-label="Annehmen"]`)
	p.says("line1: talking")
	tab.until(`document.title === "Freizeichen – Telefon im Browser"`)
	tab.until(`document.querySelector('[aria-label="Verbinden"].soft')`)

	// The tab names whom a second call is for, not whom the agent speaks to.
	knocking := ada
	knocking.Party, knocking.Called, knocking.Topic = sip.Party{Name: "Konrad Zuse", Number: "03023125018"}, agent, ""
	central.Call(knocking)
	tab.tells("called-out", "Konrad Zuse")
	tab.until(`document.title.startsWith("☎ Konrad Zuse")`)
	tab.click(`[aria-label="Ablehnen"]`)
	tab.until(`document.title === "Freizeichen – Telefon im Browser"`)
	tab.click(`[aria-label="Auflegen"]`)
	p.until("the call has ended", func() bool { return !strings.Contains(p.ctl("status"), "line1") })
}
