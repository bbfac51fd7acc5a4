package page

import (
	"embed"
	"io/fs"
	"net"
	"net/http"
	"strconv"
)

// assets are the page's files as the browser gets them: nothing is built, nothing is fetched from elsewhere.
//
//go:embed assets
var assets embed.FS

// files serves the style sheets, scripts and pictures.
func files() http.Handler {
	root, err := fs.Sub(assets, "assets")
	if err != nil {
		panic("page: " + err.Error()) // the name is a constant and valid
	}
	return http.FileServerFS(root)
}

// policy: the page is complete in itself, and nobody may put it into a frame to catch clicks.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

// ServeHTTP answers a browser on this machine.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
	h.Set("Cache-Control", "no-cache")

	if reason := refuse(r); reason != "" {
		p.log.Warn("page: refused a request", "reason", reason, "path", r.URL.Path,
			"host", r.Host, "origin", r.Header.Get("Origin"), "remote", r.RemoteAddr)
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/":
		p.serveIndex(w)
	case "/socket":
		p.serveSocket(w, r)
	default:
		p.files.ServeHTTP(w, r)
	}
}

// refuse says why a request is not answered; empty when it may be.
//
// The Host must be a name of this machine with our port: a page of another site whose name has been made to point at
// 127.0.0.1 (DNS rebinding) still says its own name there. The Origin, which a browser sends with every web socket
// and with every request that could change something (RFC 6454 section 7, RFC 6455 section 10.2), must be this page.
func refuse(r *http.Request) string {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() {
		return "only this machine is served"
	}
	if !ownHost(r.Host, local.Port) {
		return "unknown host name"
	}
	origin := r.Header.Get("Origin")
	switch {
	case origin == "" && r.URL.Path == "/socket":
		return "no origin" // not a browser, or one that hides where it comes from
	case origin != "" && origin != "http://"+r.Host:
		return "another origin"
	}
	return ""
}

func ownHost(host string, port int) bool {
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if host == net.JoinHostPort(name, strconv.Itoa(port)) {
			return true
		}
	}
	// RFC 9110 section 4.2.1: the port may be left out when it is 80.
	return port == 80 && (host == "localhost" || host == "127.0.0.1" || host == "[::1]")
}

func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// serveIndex sends the page with the few words that are needed before the socket brings the others.
func (p *Page) serveIndex(w http.ResponseWriter) {
	p.mu.Lock()
	language := p.language
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := p.index.Execute(w, map[string]string{
		"Language":   language,
		"Title":      p.config.Label(language, LabelTitle),
		"Connecting": p.config.Label(language, LabelConnecting),
		"NeedScript": p.config.Label(language, LabelNeedScript),
	})
	if err != nil {
		p.log.Debug("page: sending index.html", "error", err)
	}
}
