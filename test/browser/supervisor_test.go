package browser

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"freizeichen/cmd/centre/pagetest"
)

// selfMade lets a browser take the certificate of a test's server.
var selfMade = []string{"ignore-certificate-errors"}

// A desk is the supervisor's page over an invented service centre, by HTTPS.
type desk struct {
	*pagetest.Centre
	url    string
	server *httptest.Server
	down   atomic.Bool // the switchboard is away: connections break
}

func startDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{Centre: pagetest.Example(time.Now())}
	pages, err := d.Page(time.Local, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.down.Load() {
			panic(http.ErrAbortHandler)
		}
		pages.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		pages.Close()
		d.server.CloseClientConnections()
		d.server.Close()
	})
	d.url = d.server.URL
	return d
}

// enter logs in, by keyboard alone.
func (d *desk) enter(b *browser) *tab {
	b.t.Helper()
	tab := b.open(d.url + "/?lang=de")
	tab.until(`document.getElementById("name")`)
	tab.press(kb.Tab + kb.Tab + kb.Tab) // skip link, language, name
	tab.press(pagetest.Name + kb.Tab + pagetest.Password + kb.Enter)
	tab.until(`document.getElementById("picture")`)
	return tab
}

// visit opens another page of the desk.
func (tab *tab) visit(url string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(url))
	tab.until(`document.readyState === "complete"`)
}

// late replaces a queue by one where somebody waits for so long.
func (d *desk) late(i int, waited time.Duration) {
	queue := pagetest.Queues(time.Now())[i]
	queue.Waiting, queue.Oldest = 2, time.Now().Add(-waited)
	d.SetQueue(queue)
}

func TestTheSupervisorsPageKeepsItselfFresh(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	row := `[...document.querySelectorAll("tr.queue")].find((row) => row.textContent.includes("Xanten"))`
	tab.until(row + `.querySelector(".figure").textContent === "0"`)
	// It must not be loaded anew, and what its person does stays: opened details, the focus.
	tab.run(`window.mine = true; document.getElementById("topics-all").open = true; document.querySelector('#messages a').focus()`)
	said := `document.getElementById("said").textContent`
	if got := get[string](tab, said); got != "" {
		t.Errorf("the page said %q when it was opened", got)
	}
	tab.run(`{ window.heard = []; new MutationObserver(() => heard.push(` + said + `)).observe(document.getElementById("said"), { childList: true, characterData: true, subtree: true }); }`)
	d.late(3, 27*time.Second)
	tab.until(row + `.querySelector(".figure").textContent === "2"`)
	tab.until(row + `.querySelector(".count").textContent === "0:29"`) // it counts by itself
	tab.until(row + `.classList.contains("is-late") && !` + row + `.querySelector(".late").hidden`)
	tab.until(`/Xanten: jemand wartet länger als 30\s?s\./.test(heard.join(" "))`)
	d.SetPBX(false, time.Now())
	tab.until(`heard.join(" ").includes("Telefonanlage nicht erreichbar seit")`)
	tab.until(row + `.textContent.includes("keine Daten seit")`)
	if !get[bool](tab, `window.mine && document.getElementById("topics-all").open && document.activeElement === document.querySelector("#messages a")`) {
		t.Error("an update has closed details, taken the focus or loaded the page anew")
	}
	// A screen reader hears of changes that matter, not of seconds.
	if heard := get[[]string](tab, `heard`); len(heard) > 5 { // besides these two, waits of others that have become long
		t.Errorf("it was told %q", heard)
	}
	// A message that is gone while it has the focus leaves the focus near.
	tab.run(`document.querySelector("#messages button").focus()`)
	d.SetMessages()
	tab.until(`document.getElementById("messages").textContent.includes("Keine offene Nachricht.")`)
	tab.until(`document.activeElement.id === "now"`)
}

func TestTheSupervisorsPageSaysThatTheSwitchboardIsAway(t *testing.T) {
	d := startDesk(t)
	b := startBrowser(t, selfMade)
	for _, path := range []string{"/", "/wallboard"} {
		tab := d.enter(b)
		tab.refused = true // a lost connection stands on the console
		tab.visit(d.url + path)
		tab.until(`document.querySelector(".count")`)
		d.down.Store(true)
		d.server.CloseClientConnections()
		tab.until(`!document.getElementById("link").hidden && /^Verbindung zum Switchboard verloren seit \d\d:\d\d\./.test(document.getElementById("link").textContent)`)
		tab.until(`document.documentElement.classList.contains("lost")`)
		frozen := get[string](tab, `document.querySelector(".count").textContent`)
		tab.run(`new Promise((done) => setTimeout(done, 1500))`)
		if now := get[string](tab, `document.querySelector(".count").textContent`); now != frozen {
			t.Errorf("%s: a wait that nobody knows of counts from %s to %s", path, frozen, now)
		}
		d.down.Store(false)
		tab.until(`document.getElementById("link").hidden && !document.documentElement.classList.contains("lost")`)
		tab.until(`document.getElementById("said").textContent.includes("Verbindung wieder da.")`)
		tab.until(`document.querySelector(".count").textContent !== ` + fmt.Sprintf("%q", frozen))
	}
}

func TestTheSupervisorsPageSaysThatItsLoginHasEnded(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	tab.refused = true
	d.SetSupervisor(pagetest.Name, "")
	tab.until(`document.getElementById("link").textContent.includes("abgelaufen oder widerrufen")`)
	tab.until(`document.querySelector("#link a[href='/login']").checkVisibility()`)
}

func TestTheSupervisorsPageWorksWithoutJavaScript(t *testing.T) {
	d := startDesk(t)
	b := startBrowser(t, append(slices.Clone(selfMade), "blink-settings=scriptEnabled=false"))
	tab := d.enter(b)
	for _, path := range []string{"/", "/wallboard"} {
		tab.visit(d.url + path)
		tab.until(`document.querySelector('meta[http-equiv="refresh"]') && document.querySelector(".count").textContent.startsWith("1:")`)
	}
	tab.visit(d.url + "/")
	tab.run(`document.querySelector("#messages button").focus()`)
	tab.press(kb.Enter)
	tab.until(`location.hash === "#messages" && document.querySelectorAll("#messages tbody tr").length === 3`)
}

func TestTheSupervisorsPageIsUsedByKeyboardAlone(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	var order []string
	// The window follows the focus with its next picture.
	stop := `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => { const e = document.activeElement; const box = e.getBoundingClientRect(); const style = getComputedStyle(e);
		return { name: e === document.body ? "" : (e.getAttribute("aria-label") || e.textContent.trim()), seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 2,
			within: box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight }; })`
	for range 60 {
		tab.press(kb.Tab)
		at := get[focusStop](tab, stop)
		if at.Name == "" || slices.Contains(order, at.Name) {
			break
		}
		if !at.Seen || !at.Within {
			t.Errorf("the focus on %q: seen %v, within the window %v", at.Name, at.Seen, at.Within)
		}
		order = append(order, at.Name)
	}
	want := []string{"Zum Inhalt springen", "Lage", "Wandanzeige", "Anzeige-Links", "English", "Abmelden", "Wissen", "Neu laden", "So wird gerechnet", "Alle Themen (12)",
		"Elterngeldstelle Wesel", "Erledigt: Elterngeldstelle Wesel, Elterngeld", "Ordnungsamt Xanten", "Erledigt: Ordnungsamt Xanten, Gewerbeanmeldung",
		"Bürgerservice Moers", "Erledigt: Bürgerservice Moers, Personalausweis", "Jobcenter Leistung", "Erledigt: Jobcenter Leistung, Bürgergeld"}
	if !slices.Equal(order, want) {
		t.Errorf("Tab goes to\n%q, want\n%q", order, want)
	}
	// The skip link leads past the navigation.
	tab.visit(d.url + "/")
	tab.press(kb.Tab + kb.Enter + kb.Tab)
	tab.until(`document.activeElement.textContent === "Wissen"`)
	// The most urgent message: open it, see whom to call, mark it as done.
	tab.run(`document.querySelector("#messages a").focus()`)
	tab.press(kb.Enter)
	tab.until(`document.querySelector(".callback") && document.querySelector(".callback").textContent === "` + pagetest.Callback + `"`)
	tab.press(strings.Repeat(kb.Tab, 8) + kb.Enter) // skip, three pages, language, log out, number, done
	tab.until(`location.pathname === "/" && !document.getElementById("messages").textContent.includes("Elterngeldstelle")`)
	if by := d.DoneBy("00000000000000000000000000000001"); by != pagetest.Name {
		t.Errorf("done by %q", by)
	}
	// A link for a screen, and out.
	tab.visit(d.url + "/links")
	tab.press(strings.Repeat(kb.Tab, 7) + "Flur" + kb.Enter)
	tab.until(`document.getElementById("made") && document.getElementById("made").value.includes("/wallboard/")`)
	tab.press(strings.Repeat(kb.Tab, 6) + kb.Enter)
	tab.until(`location.pathname === "/login" && document.body.textContent.includes("Sie sind abgemeldet.")`)
}

func TestAScreenReaderFindsItsWayOnTheSupervisorsPage(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	for _, path := range []string{"/", "/messages/00000000000000000000000000000001", "/links", "/wallboard", "/login", "/nothing"} {
		tab.refused = tab.refused || path == "/nothing"
		tab.visit(d.url + path)
		count := map[string]int{}
		for _, n := range tab.accessible() {
			count[n.role]++
			switch n.role {
			case "button", "link", "textbox", "table", "region", "navigation", "heading", "columnheader", "rowheader", "image", "DisclosureTriangle":
				if n.name == "" {
					t.Errorf("%s: a %s without a name", path, n.role)
				}
			}
		}
		if count["main"] != 1 {
			t.Errorf("%s has %d main parts", path, count["main"])
		}
		if path != "/wallboard" && count["banner"] != 1 {
			t.Errorf("%s has %d banners", path, count["banner"])
		}
		if path == "/" && (count["table"] < 3 || count["columnheader"] < 18 || count["rowheader"] < 14 || count["region"] < 8 || count["navigation"] != 1) {
			t.Errorf("a screen reader finds %v", count)
		}
		for what, expression := range map[string]string{
			"the language is named":       `document.documentElement.lang === "de"`,
			"there is a title":            `document.title.includes("Freizeichen")`,
			"there is one first heading":  `document.querySelectorAll("h1").length === 1`,
			"no heading skips a level":    `[...document.querySelectorAll("h1, h2, h3")].every((e, i, all) => i === 0 || Number(e.tagName[1]) <= Number(all[i - 1].tagName[1]) + 1)`,
			"each table has a caption":    `[...document.querySelectorAll("table")].every((e) => e.caption && e.caption.textContent.trim())`,
			"each heading cell has scope": `[...document.querySelectorAll("th")].every((e) => e.scope)`,
			"each id stands once":         `new Set([...document.querySelectorAll("[id]")].map((e) => e.id)).size === document.querySelectorAll("[id]").length`,
			"each name is there":          `[...document.querySelectorAll("[aria-labelledby]")].every((e) => document.getElementById(e.getAttribute("aria-labelledby")))`,
			"each field has a label":      `[...document.querySelectorAll("input:not([type=hidden])")].every((e) => e.labels.length === 1)`,
			"nobody jumps the queue":      `![...document.querySelectorAll("[tabindex]")].some((e) => e.tabIndex > 0)`,
			"drawings are not read":       `[...document.querySelectorAll("svg")].every((e) => e.closest("[aria-hidden=true]"))`,
			"a verdict is said in words":  `[...document.querySelectorAll(".verdict, .badge")].every((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim().length > 3))`,
		} {
			if !get[bool](tab, "Boolean("+expression+")") {
				t.Errorf("%s: not so: %s", path, what)
			}
		}
	}
}

func TestTextOfTheSupervisorsPageStandsOut(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	for _, away := range []bool{false, true} {
		if away {
			d.SetPBX(false, time.Now())
			k, read := d.Knowledge()
			d.SetKnowledge(k, read.Read, "knowledge.yaml:212: unknown key", time.Now())
		}
		for _, theme := range []string{"light", "dark"} {
			tab.system(theme)
			tab.do(chromedp.EmulateViewport(1280, 2600))
			tab.visit(d.url + "/")
			tab.run(`for (const e of document.querySelectorAll("details")) e.open = true`)
			tab.contrast(fmt.Sprintf("%s, PBX away %v", theme, away))
			tab.do(chromedp.EmulateViewport(1920, 1080))
			tab.visit(d.url + "/wallboard?theme=" + theme)
			tab.contrast(fmt.Sprintf("wallboard, %s, PBX away %v", theme, away))
		}
	}
}

func TestTheSupervisorsPageFitsEveryWindow(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	for _, path := range []string{"/", "/messages/00000000000000000000000000000001", "/links", "/wallboard", "/login"} {
		for _, width := range []int64{320, 360, 640, 768, 1024, 1280, 1920} { // 640 is 1280 at 200 % zoom
			tab.do(chromedp.EmulateViewport(width, 900))
			tab.visit(d.url + path)
			tab.run(`for (const e of document.querySelectorAll("details")) e.open = true`)
			if wide := get[[]string](tab, `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".unseen")).map((e) => e.tagName + "." + (e.getAttribute("class") || e.id))`); len(wide) > 0 {
				t.Errorf("%s at %d pixels: too wide: %q", path, width, wide)
			}
			// WCAG 2.2, success criterion 2.5.8.
			if small := get[[]string](tab, `[...document.querySelectorAll("button, input:not([type=hidden]), summary, nav a")].filter((e) => e.checkVisibility() && Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height) < 24).map((e) => e.textContent || e.id)`); len(small) > 0 {
				t.Errorf("%s at %d pixels: too small: %q", path, width, small)
			}
		}
	}
}

func TestTheWallboardFillsItsScreenAndNothingIsCut(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	queue := pagetest.Queues(time.Now())[0]
	for n := len(pagetest.Queues(time.Now())); n <= 12; n++ {
		for _, size := range [][2]int64{{1920, 1080}, {1366, 768}, {3840, 2160}} {
			tab.do(chromedp.EmulateViewport(size[0], size[1]))
			tab.visit(d.url + "/wallboard")
			tab.until(fmt.Sprintf(`document.querySelectorAll(".board-queues .queue").length === %d`, n))
			if got := get[[]int](tab, `[document.documentElement.scrollHeight - innerHeight, document.documentElement.scrollWidth - innerWidth]`); got[0] > 0 || got[1] > 0 {
				t.Errorf("%d queues at %v: the board is too high by %d and too wide by %d", n, size, got[0], got[1])
			}
			if cut := get[[]string](tab, `[...document.querySelectorAll(".board .queue, .board-foot > *")].filter((e) => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight).map((e) => e.textContent.trim().slice(0, 30))`); len(cut) > 0 {
				t.Errorf("%d queues at %v: cut: %q", n, size, cut)
			}
			if least := get[float64](tab, `Math.min(...[...document.querySelectorAll(".board-figures dd .count, .board-figures dt, .board-level p, .board h2")].map((e) => parseFloat(getComputedStyle(e).fontSize))) / innerHeight`); least < 0.015 {
				t.Errorf("%d queues at %v: a text has %.3f of the height", n, size, least)
			}
		}
		queue.Queue, queue.Title = fmt.Sprint("more", n), fmt.Sprint("Weitere Warteschlange ", n)
		queue.At, queue.Oldest = time.Now(), time.Now().Add(-time.Minute)
		d.SetQueue(queue)
	}
}

func TestTheWallboardDoesNotMoveForWhoWantsRest(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	tab.visit(d.url + "/wallboard")
	tab.prefers("prefers-reduced-motion", "reduce")
	tab.until(`document.getAnimations().length === 0 && [...document.querySelectorAll("*")].every((e) => getComputedStyle(e).transitionDuration === "0s" && getComputedStyle(e).animationName === "none")`)
}

// With FREIZEICHEN_PICTURE=1 the pictures of page and wallboard are written anew; look at them before you commit them.
func TestPicturesOfTheSupervisorsPageCanBeTaken(t *testing.T) {
	d := startDesk(t)
	tab := d.enter(startBrowser(t, selfMade))
	tab.system("light")
	for _, shot := range []struct {
		name, path    string
		width, height int64
	}{{"supervisor", "/", 1280, 1300}, {"wallboard", "/wallboard", 1920, 1080}} {
		tab.do(chromedp.EmulateViewport(shot.width, shot.height))
		tab.visit(d.url + shot.path)
		tab.until(`document.getElementById("picture")`)
		picture := coarse(tab.picture(page.CaptureScreenshotParams{}))
		var data bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&data, picture); err != nil {
			t.Fatal(err)
		}
		if width := picture.Bounds().Dx(); data.Len() > pictureMax || int64(width) != shot.width {
			t.Errorf("the picture of %s has %d bytes and is %d pixels wide", shot.path, data.Len(), width)
		}
		if os.Getenv("FREIZEICHEN_PICTURE") == "1" {
			if err := os.WriteFile(filepath.Join("testdata", shot.name+".png"), data.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
