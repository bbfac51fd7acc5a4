package page_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/cmd/centre/pagetest"
)

var linkMade = regexp.MustCompile(`value="` + regexp.QuoteMeta(origin) + `(/wallboard/[^"]+)"`)

// link makes a link to the wallboard.
func (v *visitor) link(label string) string {
	v.t.Helper()
	w := v.post("/links", url.Values{"label": {label}})
	found := linkMade.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		v.t.Fatalf("making a link: %d\n%s", w.Code, w.Body)
	}
	return found[1]
}

func TestALinkOpensTheWallboardAndNothingElse(t *testing.T) {
	centre := pagetest.Example(time.Now())
	p := newPage(t, centre)
	v := enter(t, p)
	link := v.link("Großraum Ost")
	refuses(t, v.get("/links"), link) // it is shown once
	wants(t, text(v.get("/links")), "Großraum Ost "+pagetest.Name)

	screen := newVisitor(t, p)
	w := screen.do("GET", link+"?theme=light", nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/wallboard?theme=light" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	cookie := screen.cookies["__Host-wallboard"]
	if !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("the cookie is %v", cookie)
	}
	html := screen.get("/wallboard")
	wants(t, text(html), "Kreis Wesel Zulassung", "73 % in 30 s der angebotenen, heute", "Kfz-Zulassung 131", "Erstlösung heute 68 %")
	refuses(t, html, pagetest.Name, pagetest.Callback, `name="token"`, "Abmelden", "Elterngeldstelle", strings.TrimPrefix(link, "/wallboard/"))
	for _, target := range []string{"/", "/links", "/messages/00000000000000000000000000000001", "/events"} {
		if w := screen.do("GET", target, nil); w.Code == http.StatusOK {
			t.Errorf("a link opens %s", target)
		}
	}
	// What stands in a link is no session, and a session is no link.
	screen.cookies["__Host-session"] = &http.Cookie{Name: "__Host-session", Value: cookie.Value}
	if w := screen.do("GET", "/", nil); w.Code == http.StatusOK {
		t.Error("what stands in a link is a session")
	}
	delete(screen.cookies, "__Host-session")
	if w := newVisitor(t, p).do("GET", "/wallboard/"+v.cookies["__Host-session"].Value, nil); w.Code != http.StatusForbidden {
		t.Errorf("a session is a link: %d", w.Code)
	}

	hash := regexp.MustCompile(`name="link" value="([0-9a-f]{64})"`).FindStringSubmatch(v.get("/links"))[1]
	if w := v.post("/links/revoke", url.Values{"link": {hash}}); w.Code != http.StatusSeeOther {
		t.Errorf("revoking: %d", w.Code)
	}
	for _, target := range []string{"/wallboard", link} {
		w := screen.do("GET", target, nil)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s after revoking: %d", target, w.Code)
		}
		wants(t, w.Body.String(), "Dieser Link gilt nicht mehr.")
	}
	wants(t, text(v.get("/links")), "Kein Link.")
}

func TestLinksAreBounded(t *testing.T) {
	v := enter(t, newPage(t, pagetest.Example(time.Now())))
	for _, label := range []string{"", "  ", strings.Repeat("ä", 41)} {
		if w := v.post("/links", url.Values{"label": {label}}); w.Code != http.StatusBadRequest {
			t.Errorf("label %q: %d", label, w.Code)
		}
	}
	for range 20 {
		v.link(strings.Repeat("ä", 40))
	}
	if w := v.post("/links", url.Values{"label": {"x"}}); w.Code != http.StatusConflict {
		t.Errorf("the 21st: %d", w.Code)
	}
	for _, link := range []string{"", "xyz", strings.Repeat("0", 62)} {
		if w := v.post("/links/revoke", url.Values{"link": {link}}); w.Code != http.StatusBadRequest {
			t.Errorf("revoking %q: %d", link, w.Code)
		}
	}
}
