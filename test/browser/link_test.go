package browser

import (
	"fmt"
	"strings"
	"testing"
)

func TestThePageSaysThatThePhoneIsGoneAndRecovers(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	central := startExchange(t)
	p := startPhoneAt(t, central)
	tab := b.openPhone(p)
	id := central.Call(ada)
	tab.lamp("line1", "fast")
	tab.click("#handset")
	tab.until(`counted.received > 20 && counted.sent > 20`)

	listen := p.address()
	p.kill()
	tab.tells("link", "unterbrochen")
	tab.lamp("line1", "dark") // a phone without current
	tab.until(litPixels + ` === 0`)
	tab.until(`document.getElementById("screen-text").children.length === 0`)
	tab.press("5") // nobody is there to be told

	p.start(listen, "-pbx", account(central))
	tab.tells("link", "Verbunden")
	tab.shows("verbunden")
	tab.until(`document.documentElement.dataset.hook === "down"`)
	for _, fault := range tab.takeFaults() {
		if !strings.Contains(fault, "WebSocket") {
			t.Errorf("besides the lost connection the page complains: %s", fault)
		}
	}

	central.HangUp(id) // nobody answers her any more
	before := get[int](tab, `counted.received`)
	central.Call(ada)
	tab.shows("Eingehender Anruf", "Ada Böhm")
	tab.click("#handset")
	tab.shows("Im Gespräch")
	tab.until(fmt.Sprintf(`counted.received > %d`, before+50))
	p.says("line1: talking")
	tab.click("#handset")
	tab.lamp("line1", "dark")
}
