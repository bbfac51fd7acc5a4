package page

import (
	"net/http"
	"slices"
	"strings"
)

// policy: the page is complete in itself, runs no script and no style that stands in its text, and nobody may put it
// into a frame to catch clicks.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// bodyMax bounds a form.
const bodyMax = 8 << 10

// ServeHTTP answers a browser.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with it a browser hides the Origin of our own forms (Fetch standard section 3.2).
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(), camera=(), geolocation=()")
	// What is shown to a supervisor does not stay on the machine after him.
	h.Set("Cache-Control", "no-store")
	if strings.HasPrefix(r.URL.Path, "/static/") {
		h.Set("Cache-Control", "no-cache")
	}
	if reason := p.refuse(r); reason != "" {
		p.log.Warn("page: refused a request", "reason", reason, "method", r.Method, "origin", r.Header.Get("Origin"), "host", r.Host)
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
	p.mux.ServeHTTP(w, r)
}

// refuse says why a request is not answered; empty when it may be.
//
// A browser sends its Origin with every request that could change something (RFC 6454 section 7, Fetch standard section
// 3.2): it must be this page, whose name is in Host. The page is served by HTTPS alone, perhaps behind a proxy that
// ends TLS, so the scheme is not that of the connection.
func (p *Page) refuse(r *http.Request) string {
	if len(p.config.Hosts) > 0 && !slices.ContainsFunc(p.config.Hosts, func(host string) bool { return strings.EqualFold(host, r.Host) }) {
		return "unknown host name"
	}
	origin := r.Header.Get("Origin")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case origin == "" && !reads:
		return "no origin" // not a browser, or one that hides where it comes from
	case origin != "" && !strings.EqualFold(origin, "https://"+r.Host):
		return "another origin"
	}
	return ""
}
