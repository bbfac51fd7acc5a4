package browser

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestOfTwoPagesOneOwnsTheSoundAndTheOtherMayTakeIt(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	first, second := b.openPhone(p), b.openPhone(p)
	central.Call(ada)
	first.tells("called-out", "Ada Böhm")
	second.tells("called-out", "Ada Böhm")

	first.click("#handset")
	first.shows("Im Gespräch")
	second.shows("Im Gespräch")
	second.until(`document.documentElement.dataset.hook === "up"`)
	first.tells("sound-text", "aus diesem Fenster")
	first.until(`counted.received > 20`)

	// The other page is touched: it does not take the sound by itself, but offers to.
	second.click("#simulator .note")
	second.tells("sound-text", "aus einem anderen Fenster")
	if got := get[int](second, `counted.received + counted.sent`); got != 0 {
		t.Errorf("%d frames at a page that has not the sound", got)
	}
	second.until(`!document.getElementById("sound-take").hidden`)
	second.click("#sound-take")
	second.tells("sound-text", "aus diesem Fenster")
	second.until(`counted.received > 20 && counted.sent > 20`)
	first.tells("sound-text", "aus einem anderen Fenster")
	before := get[int](first, `counted.received`)
	second.until(`counted.received > 70`)
	if after := get[int](first, `counted.received`); after != before {
		t.Errorf("%d frames at a page that has lost the sound", after-before)
	}

	// The owner goes: who is left takes over.
	second.close()
	first.tells("sound-text", "aus diesem Fenster")
	p.says("line1: talking")
	first.click("#handset")
	first.lamp("line1", "dark")
}

func TestACallSurvivesItsPage(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	id := central.Call(ada)
	tab := b.openPhone(p)
	tab.lamp("line1", "fast")
	tab.click("#handset")
	tab.until(`counted.received > 20 && counted.sent > 20`)

	tab.do(chromedp.Reload())
	tab.shows("Im Gespräch", "Ada Böhm", "Elterngeld")
	tab.lamp("line1", "steady")
	tab.until(`document.documentElement.dataset.hook === "up"`)
	p.says("line1: talking")

	// A key that is down when its page crashes does not stay down.
	tab.run(`document.dispatchEvent(new KeyboardEvent("keydown", { key: "5", code: "Digit5" }))`)
	other := b.openPhone(p)
	other.until(`document.querySelector('[data-key="5"]').classList.contains("pressed")`)
	tab.crash()
	other.until(`!document.querySelector('[data-key="5"]').classList.contains("pressed")`)
	other.close()
	p.says("line1: talking")
	if !central.Present(id) {
		t.Error("the citizen has gone with the page")
	}

	last := b.openPhone(p)
	last.shows("Im Gespräch", "Ada Böhm", "Elterngeld")
	last.until(`document.documentElement.dataset.hook === "up"`)
	last.click("#handset")
	p.until("the citizen has been hung up on", func() bool { return !central.Present(id) })
}

// crash ends the page as a fault of the browser does: it can say nothing any more.
func (tab *tab) crash() {
	ctx, cancel := context.WithTimeout(tab.ctx, time.Second)
	defer cancel()
	_, _ = chromedp.Call(ctx, page.Crash, cdp.Empty{}) // nobody is left to answer
	tab.close()
}
