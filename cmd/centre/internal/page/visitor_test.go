package page_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/cmd/centre/internal/page"
	"freizeichen/cmd/centre/pagetest"
)

const (
	host   = "desk.example:8443"
	origin = "https://" + host
)

// A visitor is a browser without a network: it keeps cookies and sends what a browser sends.
type visitor struct {
	t       *testing.T
	page    http.Handler
	remote  string
	origin  string // of what it posts; empty: none is sent
	header  http.Header
	cookies map[string]*http.Cookie
}

func newPage(t *testing.T, centre *pagetest.Centre) *page.Page {
	t.Helper()
	p, err := centre.Page(time.UTC, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func newVisitor(t *testing.T, p http.Handler) *visitor {
	return &visitor{t: t, page: p, remote: "192.0.2.7:50000", origin: origin, header: http.Header{}, cookies: map[string]*http.Cookie{}}
}

// enter makes a supervisor who is logged in.
func enter(t *testing.T, p http.Handler) *visitor {
	t.Helper()
	v := newVisitor(t, p)
	if got := v.login(pagetest.Name, pagetest.Password); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/" {
		t.Fatalf("logging in: %d %s", got.Code, got.Body)
	}
	return v
}

func (v *visitor) request(method, target string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, origin+target, strings.NewReader(form.Encode()))
	r.RemoteAddr = v.remote
	for name, values := range v.header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if method == http.MethodPost && v.origin != "" {
		r.Header.Set("Origin", v.origin)
	}
	for _, cookie := range v.cookies {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return r
}

func (v *visitor) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	v.t.Helper()
	w := httptest.NewRecorder()
	v.page.ServeHTTP(w, v.request(method, target, form))
	for _, cookie := range w.Result().Cookies() {
		if cookie.MaxAge < 0 {
			delete(v.cookies, cookie.Name)
		} else {
			v.cookies[cookie.Name] = cookie
		}
	}
	return w
}

// get is a page that must be there.
func (v *visitor) get(target string) string {
	v.t.Helper()
	w := v.do(http.MethodGet, target, nil)
	if w.Code != http.StatusOK {
		v.t.Fatalf("GET %s: %d\n%s", target, w.Code, w.Body)
	}
	return w.Body.String()
}

func (v *visitor) login(name, password string) *httptest.ResponseRecorder {
	v.t.Helper()
	return v.do(http.MethodPost, "/login", url.Values{"name": {name}, "password": {password}})
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// post sends a form with the token that the page has given.
func (v *visitor) post(target string, form url.Values) *httptest.ResponseRecorder {
	v.t.Helper()
	found := formToken.FindStringSubmatch(v.get("/"))
	if found == nil {
		v.t.Fatal("the page has no token for its forms")
	}
	form.Set("token", found[1])
	return v.do(http.MethodPost, target, form)
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`[ \t\n]+`)
)

// text is what a person reads: without tags, with single spaces.
func text(html string) string {
	return spaces.ReplaceAllString(strings.NewReplacer("&#39;", "'", "&#34;", `"`, "\u00a0", " ").Replace(tags.ReplaceAllString(html, " ")), " ")
}

// part is the text of one section.
func part(t *testing.T, html, id string) string {
	t.Helper()
	_, rest, ok := strings.Cut(html, `<section id="`+id+`"`)
	if !ok {
		t.Fatalf("there is no section %s in\n%s", id, html)
	}
	section, _, _ := strings.Cut(rest, "</section>")
	return text("<section " + section)
}

func wants(t *testing.T, got string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func refuses(t *testing.T, got string, all ...string) {
	t.Helper()
	for _, want := range all {
		if strings.Contains(got, want) {
			t.Errorf("%q is in\n%s", want, got)
		}
	}
}
