package browser

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestAScreenReaderFindsANameForEverything(t *testing.T) {
	b := startBrowser(t, nil)
	tab := b.openPhone(startPhoneAt(t, startExchange(t)))
	buttons := 0
	for _, n := range tab.accessible() {
		switch n.role {
		case "button", "combobox", "checkbox", "image", "group", "region", "complementary", "DisclosureTriangle":
			if n.name == "" && n.role != "group" { // details are groups without a name
				t.Errorf("a %s without a name", n.role)
			}
		}
		if n.role == "button" {
			buttons++
		}
	}
	if want := get[int](tab, `[...document.querySelectorAll("[data-key], #handset")].length`); buttons < want {
		t.Errorf("a screen reader finds %d buttons, the phone has %d", buttons, want)
	}
	tab.run(`document.querySelector(".help").open = true`)
	for _, test := range []struct{ what, expression string }{
		{"the page names its language", `document.documentElement.lang === "de"`},
		{"the panel's text is a polite live region", `document.querySelector("#said[role=status][aria-live=polite]")`},
		{"a call is an assertive one", `document.querySelector("#called-out[role=alert][aria-live=assertive]")`},
		{"the connection is told", `document.querySelector("#link[role=status]")`},
		{"sound and microphone are told", `document.querySelectorAll("#sound-text[role=status], #microphone-text[role=status]").length === 2`},
		{"nobody jumps the queue of Tab", `![...document.querySelectorAll("[tabindex]")].some((e) => e.tabIndex > 0)`},
		{"every id stands once", `new Set([...document.querySelectorAll("[id]")].map((e) => e.id)).size === document.querySelectorAll("[id]").length`},
		{"every description is there", `[...document.querySelectorAll("[aria-describedby]")].every((e) => document.getElementById(e.getAttribute("aria-describedby")))`},
		{"no word is missing", `![...document.querySelectorAll("[data-text], [data-name]")].some((e) => (e.dataset.text && (e.textContent === "" || e.textContent === e.dataset.text)) || (e.dataset.name && e.getAttribute("aria-label") === e.dataset.name))`},
		{"the page has a main part", `document.querySelectorAll("main").length === 1`},
		{"the page has a title", `document.title.includes("Freizeichen")`},
	} {
		if !get[bool](tab, "Boolean("+test.expression+")") {
			t.Errorf("not so: %s", test.what)
		}
	}
}

// box is an element in CSS pixels of the window.
type box struct {
	Name                     string
	Left, Top, Right, Bottom float64
	Colour                   []float64 // of its text: red, green, blue
	Large                    bool      // text, as WCAG 2.2 understands it
}

// texts are the pieces of text that are seen, each with its colour.
const texts = `(() => {
	const found = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const paint = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	while (walker.nextNode()) {
		const text = walker.currentNode;
		const e = text.parentElement;
		if (!text.data.trim() || !e.checkVisibility({ visibilityProperty: true }) || e.closest(".unseen, .brand, script, option, noscript")) continue;
		const range = document.createRange();
		range.selectNodeContents(text);
		const box = range.getBoundingClientRect();
		if (box.width < 2 || box.bottom > innerHeight || box.right > innerWidth || box.top < 0 || box.left < 0) continue;
		const style = getComputedStyle(e);
		paint.clearRect(0, 0, 1, 1);
		paint.fillStyle = style.color; // in whatever notation
		paint.fillRect(0, 0, 1, 1);
		const size = parseFloat(style.fontSize);
		found.push({
			name: text.data.trim(), left: box.left, top: box.top, right: box.right, bottom: box.bottom,
			colour: [...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)],
			large: size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700),
		});
	}
	return found;
})()`

func TestTextStandsOutFromItsGroundInBothThemes(t *testing.T) {
	b := startBrowser(t, nil)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	tab.do(chromedp.EmulateViewport(1280, 1500)) // all at once
	tab.run(`document.querySelector(".help").open = true`)
	for _, theme := range []string{"light", "dark"} {
		tab.choose("theme", theme)
		tab.contrast(theme)
	}
	// What is said in colours when something is wrong.
	p.kill()
	tab.tells("link", "unterbrochen")
	for _, theme := range []string{"light", "dark"} {
		tab.choose("theme", theme)
		tab.contrast(theme + " without a phone")
	}
	tab.refused = true
}

// What WCAG 2.2 asks for. The name on the case is a logotype, of which nothing is asked.
const (
	contrastMin   = 4.5
	contrastLarge = 3.0
)

// contrast compares the colour of every text with the pixels behind it: WCAG 2.2, success criterion 1.4.3.
func (tab *tab) contrast(theme string) {
	tab.t.Helper()
	found := get[[]box](tab, texts)
	if len(found) < 30 {
		tab.t.Fatalf("%s: only %d texts are seen", theme, len(found))
	}
	tab.run(`{
		const bare = new CSSStyleSheet(); // a style element would be refused: the page's policy knows no inline styles
		bare.replaceSync("* { -webkit-text-fill-color: transparent !important; text-decoration-color: transparent !important; transition: none !important; } ::marker { color: transparent; }");
		document.adoptedStyleSheets = [bare];
	}`)
	picture := tab.picture(page.CaptureScreenshotParams{})
	tab.run(`document.adoptedStyleSheets = []`)
	for _, text := range found {
		least, wanted := 21.0, contrastMin
		if text.Large {
			wanted = contrastLarge
		}
		ink := luminance(text.Colour[0], text.Colour[1], text.Colour[2])
		for y := int(text.Top); y < int(text.Bottom); y++ {
			for x := int(text.Left); x < int(text.Right); x++ {
				r, g, b, _ := picture.At(x, y).RGBA()
				ground := luminance(float64(r>>8), float64(g>>8), float64(b>>8))
				least = min(least, (max(ink, ground)+0.05)/(min(ink, ground)+0.05))
			}
		}
		if least < wanted {
			tab.t.Errorf("%s: %q has a contrast of %.2f, want %.1f", theme, text.Name, least, wanted)
		}
	}
}

// luminance is the relative luminance of WCAG 2.2, 0 to 1; the parts of the colour go to 255.
func luminance(r, g, b float64) float64 {
	linear := func(part float64) float64 {
		if part /= 255; part <= 0.04045 {
			return part / 12.92
		}
		return math.Pow((part+0.055)/1.055, 2.4)
	}
	part := [3]float64{linear(r), linear(g), linear(b)}
	return 0.2126*part[0] + 0.7152*part[1] + 0.0722*part[2]
}

// picture is what is seen.
func (tab *tab) picture(params page.CaptureScreenshotParams) image.Image {
	tab.t.Helper()
	picture, err := png.Decode(bytes.NewReader(tab.screenshot(params)))
	if err != nil {
		tab.t.Fatal(err)
	}
	return picture
}

func (tab *tab) screenshot(params page.CaptureScreenshotParams) (data []byte) {
	tab.t.Helper()
	call(tab, "taking a picture", func(ctx context.Context) error {
		taken, err := chromedp.Call(ctx, page.CaptureScreenshot, params)
		data = taken.Data
		return err
	})
	return data
}

func TestThePageFitsEveryWindow(t *testing.T) {
	b := startBrowser(t, nil)
	central := startExchange(t)
	tab := b.openPhone(startPhoneAt(t, central))
	for _, panel := range []string{"mono", "colour"} {
		tab.choose("panel", panel)
		tab.until(`document.documentElement.dataset.panel === "` + panel + `"`)
		for _, width := range []int64{360, 412, 768, 1024, 1280, 1920} {
			tab.do(chromedp.EmulateViewport(width, 740))
			tab.until(fmt.Sprintf(`innerWidth === %d && document.documentElement.scrollWidth <= innerWidth`, width))
			seen := get[float64](tab, `document.documentElement.clientWidth`) // without the scroll bar
			for _, key := range get[[]box](tab, `[...document.querySelectorAll("button, select, summary, canvas")].filter((e) => e.checkVisibility())
				.map((e) => [e, e.getBoundingClientRect()]).map(([e, { left, top, right, bottom }]) => ({ name: e.id || e.dataset.key || e.tagName, left, top, right, bottom }))`) {
				if key.Left < 0 || key.Right > seen {
					t.Errorf("%s panel, %d pixels, %.0f without the scroll bar: %s reaches from %.0f to %.0f", panel, width, seen, key.Name, key.Left, key.Right)
				}
				// WCAG 2.2, success criterion 2.5.8: a target is 24 pixels wide and high, at least.
				if key.Right-key.Left < 24 || key.Bottom-key.Top < 24 && key.Name != "SUMMARY" {
					t.Errorf("%s panel, %d pixels: %s is only %.0f x %.0f", panel, width, key.Name, key.Right-key.Left, key.Bottom-key.Top)
				}
			}
			if cut := get[[]string](tab, `[...document.querySelectorAll(".key.function span")].filter((e) => e.scrollWidth > e.clientWidth + 1 || e.clientWidth < 4).map((e) => e.textContent)`); len(cut) > 0 {
				t.Errorf("%s panel, %d pixels: cut on their keys: %q", panel, width, cut)
			}
			tab.until(`sharp()`)
		}
	}
}
