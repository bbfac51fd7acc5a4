package page_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"freizeichen/cmd/centre/internal/page"
	"freizeichen/cmd/centre/pagetest"
)

func TestFormsOfElsewhereAreRefused(t *testing.T) {
	centre := pagetest.Example(time.Now())
	config := centre.Config(nil, nil)
	config.Hosts = []string{host, "desk.example"}
	p, err := page.New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, test := range []struct {
		name, host, origin string
		want               int
	}{
		{"no origin", host, "", 403},
		{"another origin", host, "https://attacker.example", 403},
		{"an origin that begins like ours", host, origin + ".attacker.example", 403},
		{"another port's origin", host, "https://desk.example", 403},
		{"an origin without TLS", host, "http://" + host, 403},
		{"an opaque origin", host, "null", 403},
		{"a name that is not ours, with its own origin", "attacker.example", "https://attacker.example", 403},
		{"our own origin", host, origin, 401},
		{"our own origin in large letters", host, "https://DESK.example:8443", 401},
		{"our other name", "desk.example", "https://desk.example", 401},
	} {
		v := newVisitor(t, p)
		r := v.request("POST", "/login", url.Values{"name": {"x"}, "password": {"y"}})
		r.Host, r.RemoteAddr = test.host, test.name+":1"
		r.Header.Del("Origin")
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		w := do(p, r)
		if w.Code != test.want {
			t.Errorf("%s: %d, want %d", test.name, w.Code, test.want)
		}
	}
	r := newVisitor(t, p).request("GET", "/login", nil)
	r.Host = "rebound.example"
	if w := do(p, r); w.Code != 403 {
		t.Errorf("a page by a name that is not ours: %d", w.Code)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	p := newPage(t, pagetest.Example(time.Now()))
	v := enter(t, p)
	for _, target := range []string{"/", "/login", "/wallboard", "/links", "/static/style.css", "/static/live.js", "/nothing", "/messages/x", "/wallboard/x"} {
		w := v.do("GET", target, nil)
		h := w.Header()
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
		policy := h.Get("Content-Security-Policy")
		wants(t, policy, "default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'")
		refuses(t, policy, "unsafe", "*", "http")
		if static := strings.HasPrefix(target, "/static/"); !static && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored", target)
		}
		// The policy forbids them: they would not work.
		refuses(t, w.Body.String(), "<style", " style=", " onclick", "<script>", "http://www.w3.org/1999", "javascript:")
	}
}

func TestNothingIsShownWithoutALogin(t *testing.T) {
	p := newPage(t, pagetest.Example(time.Now()))
	for _, test := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/", 303}, {"HEAD", "/", 303}, {"GET", "/links", 303}, {"GET", "/wallboard", 303}, {"GET", "/messages/00000000000000000000000000000001", 303},
		{"POST", "/messages/done", 303}, {"POST", "/links", 303}, {"POST", "/links/revoke", 303}, {"POST", "/logout", 303},
		{"GET", "/events", 401}, {"GET", "/wallboard/events", 401}, {"GET", "/wallboard/guessed", 403},
		{"DELETE", "/", 403}, {"POST", "/", 404}, {"PUT", "/login", 403}, {"GET", "/static/", 404}, {"GET", "/static/../page.go", 307}, {"GET", "/static/live.html", 404},
	} {
		v := newVisitor(t, p)
		w := v.do(test.method, test.target, nil)
		if w.Code != test.want && !(test.target == "/static/" && w.Code == 200) {
			t.Errorf("%s %s: %d, want %d", test.method, test.target, w.Code, test.want)
		}
		if w.Code == 303 && w.Header().Get("Location") != "/login" {
			t.Errorf("%s %s leads to %s", test.method, test.target, w.Header().Get("Location"))
		}
		refuses(t, w.Body.String(), "Zulassung", "Elterngeld")
	}
}

func TestAFormNeedsTheTokenOfItsSession(t *testing.T) {
	centre := pagetest.Example(time.Now())
	p := newPage(t, centre)
	v, other := enter(t, p), enter(t, p)
	foreign := formToken.FindStringSubmatch(other.get("/"))[1]
	for _, target := range []string{"/messages/done", "/links", "/links/revoke", "/logout"} {
		for _, token := range []string{"", "x", foreign} {
			w := v.do("POST", target, url.Values{"token": {token}, "id": {"00000000000000000000000000000001"}, "label": {"x"}})
			if w.Code != http.StatusForbidden {
				t.Errorf("%s with token %q: %d", target, token, w.Code)
			}
		}
		// A token in the address is none: addresses are remembered.
		own := formToken.FindStringSubmatch(v.get("/"))[1]
		if w := v.do("POST", target+"?token="+own, url.Values{}); w.Code != http.StatusForbidden {
			t.Errorf("%s with its token in the address: %d", target, w.Code)
		}
	}
	if centre.DoneBy("00000000000000000000000000000001") != "" {
		t.Error("a forged form has ended a message")
	}
	v.get("/")
}

func TestAFormThatIsTooLongIsNotRead(t *testing.T) {
	p := newPage(t, pagetest.Example(time.Now()))
	v := newVisitor(t, p)
	if w := v.login(strings.Repeat("x", 20000), "y"); w.Code != http.StatusBadRequest {
		t.Errorf("%d", w.Code)
	}
}

func TestAStoreThatIsAwayIsSaidSo(t *testing.T) {
	centre := pagetest.Example(time.Now())
	p := newPage(t, centre)
	v := enter(t, p)
	centre.Fail(errors.New("disk full at secret path"))
	for _, target := range []string{"/", "/login", "/links", "/wallboard", "/messages/00000000000000000000000000000001"} {
		w := v.do("GET", target, nil)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", target, w.Code)
		}
		wants(t, w.Body.String(), "Die Datenbank des Switchboards antwortet nicht")
		refuses(t, w.Body.String(), "secret path")
	}
	if w := newVisitor(t, p).login(pagetest.Name, pagetest.Password); w.Code != http.StatusServiceUnavailable {
		t.Errorf("logging in: %d", w.Code)
	}
	centre.Fail(nil)
	v.get("/") // the session is still there
}

func TestAPageNeedsAllItLooksAt(t *testing.T) {
	if _, err := page.New(page.Config{}); err == nil {
		t.Error("a page without anything to show")
	}
}
