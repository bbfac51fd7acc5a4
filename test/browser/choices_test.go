package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestThePanelIsExchangedWhileItRuns(t *testing.T) {
	b := startBrowser(t, nil)
	tab := b.openPhone(startPhoneAt(t, startExchange(t), "-panel", "mono128x64"))
	for _, panel := range []struct{ kind, size string }{{"mono", "128x64"}, {"colour", "320x240"}, {"mono", "128x64"}} {
		tab.choose("panel", panel.kind)
		tab.until(`screenSize() === "` + panel.size + `"`)
		tab.until(litPixels + ` > 200`)
		tab.until(`sharp()`)
	}
}

// The panel's size in its own pixels, and whether each of them covers whole pixels of the device.
const panelWords = `
	function screenSize() {
		const { width, height } = document.getElementById("screen");
		return width + "x" + height;
	}
	function sharp() {
		const canvas = document.getElementById("screen");
		const box = canvas.getBoundingClientRect();
		const whole = (x) => Math.abs(x * devicePixelRatio - Math.round(x * devicePixelRatio)) < 0.01;
		return whole(box.width / canvas.width) && whole(box.height / canvas.height) && whole(box.left) && whole(box.top);
	}`

func TestAnotherLanguageChangesPanelAndPage(t *testing.T) {
	b := startBrowser(t, nil)
	central := startExchange(t)
	tab := b.openPhone(startPhoneAt(t, central))
	tab.shows("verbunden", "Verpasste Anrufe")
	tab.until(`document.documentElement.lang === "de"`)
	tab.choose("language", "en")
	tab.shows("registered", "Missed calls")
	tab.until(`document.documentElement.lang === "en"`)
	tab.tells("link", "Connected")
	tree := tab.accessible()
	for _, want := range []node{{role: "button", name: "Hold"}, {role: "button", name: "Lift the handset"}, {role: "button", name: "Line 1"}} {
		if tree.find(want.role, want.name) == nil {
			t.Errorf("no %s %q in\n%s", want.role, want.name, tree)
		}
	}
	central.Call(ada)
	tab.tells("called-out", "Incoming call", "Kreis Wesel", "Elterngeld")

	tab.do(chromedp.Reload())
	tab.shows("Incoming call")
	tab.until(`document.documentElement.lang === "en"`)
}

func TestAPhoneSpeaksEnglishFromTheStart(t *testing.T) {
	b := startBrowser(t, nil)
	tab := b.openPhone(startPhone(t, "-language", "en", "-panel", "mono128x64"))
	tab.shows("registered")
	tab.until(`document.documentElement.lang === "en" && screenSize() === "128x64"`)
}

func TestThemeFollowsTheSystemUntilItIsChosen(t *testing.T) {
	b := startBrowser(t, nil)
	tab := b.openPhone(startPhoneAt(t, startExchange(t)))
	tab.system("light")
	tab.until(`!isDark()`)
	tab.system("dark")
	tab.until(`isDark()`)
	tab.choose("theme", "light")
	tab.until(`!isDark()`)
	tab.system("light")
	tab.choose("theme", "dark")
	tab.until(`isDark()`)
	tab.do(chromedp.Reload())
	tab.shows("verbunden")
	tab.until(`isDark() && document.getElementById("theme").value === "dark"`)
	tab.choose("theme", "auto")
	tab.until(`!isDark()`)
}

// Dark is a page whose letters are brighter than its ground.
const themeWords = `
	function isDark() {
		const [r, g, b] = getComputedStyle(document.body).color.match(/[\d.]+/g).map(Number);
		return r + g + b > 3 * 128;
	}`

// system makes the system prefer a theme.
func (tab *tab) system(theme string) {
	tab.t.Helper()
	tab.prefers("prefers-color-scheme", theme)
}

// prefers sets what the system says its person prefers; anything else is as it comes.
func (tab *tab) prefers(feature, value string) {
	tab.t.Helper()
	call(tab, "preferring "+value, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
		})
		return err
	})
}
