// Package page is the supervisor's page and the wallboard: how the queues stand, what the team does, what citizens call
// for, and the messages that wait for an office. HTML made here, kept fresh by Server-Sent Events.
//
//	Live, Records, Knowledge --> picture (pure) --> templates --> GET /            --> a supervisor's browser
//	                                  |                      \--> GET /wallboard   --> a screen on the wall
//	                                  +--- again after each change ---> GET /events, /wallboard/events
//	Accounts, Links <-- login, links
//
// It counts nothing itself and shows nothing of a single agent: figures are those of the team. A citizen's number is
// shown on the page of one message alone. It works without JavaScript, by keyboard and by screen reader, and gets
// nothing from another host. It is served by HTTPS alone: its cookies are Secure.
package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"freizeichen/cmd/centre/internal/page/speech"
	"freizeichen/cmd/centre/internal/page/throttle"
)

// Config is what a page needs. Live, Records, Accounts, Links and Knowledge must be given.
type Config struct {
	Live      Live
	Records   Records
	Accounts  Accounts
	Links     Links
	Knowledge Knowledge
	Place     *time.Location // of the clock on the wall; nil: that of the machine
	// Hosts are the names by which the page is called, with port where it is not 443. Empty: any, then the certificate
	// alone says who we are.
	Hosts []string
	// Reason is the text of a reason to pause. Nil: the reason itself.
	Reason func(language, reason string) string
	Logger *slog.Logger // nil: nothing is logged
}

// A Page serves supervisors and wallboards. It is an http.Handler.
type Page struct {
	config    Config
	log       *slog.Logger
	mux       *http.ServeMux
	templates map[string]*template.Template // by language
	throttle  throttle.Throttle
	checks    chan struct{} // a place for each password that is checked at once, see checksMax
	audience  audience
	fresh     fresh
	ledger    ledger

	// ctx ends the streams of events: http.Server.Shutdown would wait for them.
	ctx    context.Context
	cancel context.CancelFunc
}

//go:embed assets
var assets embed.FS

// New makes a page. Close ends its streams.
func New(config Config) (*Page, error) {
	if config.Live == nil || config.Records == nil || config.Accounts == nil || config.Links == nil || config.Knowledge == nil {
		return nil, errors.New("page: live, records, accounts, links and knowledge must be given")
	}
	if config.Place == nil {
		config.Place = time.Local
	}
	if config.Reason == nil {
		config.Reason = func(_, reason string) string { return reason }
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Page{
		config: config, log: config.Logger, templates: map[string]*template.Template{},
		checks:   make(chan struct{}, checksMax),
		audience: audience{listeners: map[string]int{}}, fresh: fresh{made: map[string]piece{}},
	}
	for _, language := range speech.Languages {
		parsed, err := template.New("").Funcs(p.speak(language).functions()).ParseFS(assets, "assets/*.html")
		if err != nil {
			return nil, fmt.Errorf("page: reading the templates: %w", err)
		}
		p.templates[language] = parsed
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.mux = p.routes()
	return p, nil
}

// Close ends all streams of events. Other requests are answered still.
func (p *Page) Close() { p.cancel() }

func (p *Page) routes() *http.ServeMux {
	static, err := fs.Sub(assets, "assets/static")
	if err != nil {
		panic("page: " + err.Error()) // the name is a constant and valid
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /login", p.loginForm)
	mux.HandleFunc("POST /login", p.login)
	mux.Handle("POST /logout", p.supervised(p.logout))
	mux.Handle("GET /{$}", p.supervised(p.live))
	mux.Handle("GET /events", p.supervised(p.liveEvents))
	mux.Handle("GET /messages/{id}", p.supervised(p.message))
	mux.Handle("POST /messages/done", p.supervised(p.messageDone))
	mux.Handle("GET /links", p.supervised(p.links))
	mux.Handle("POST /links", p.supervised(p.linkMade))
	mux.Handle("POST /links/revoke", p.supervised(p.linkRevoked))
	mux.HandleFunc("GET /wallboard", p.wallboard)
	mux.HandleFunc("GET /wallboard/events", p.wallboardEvents)
	mux.HandleFunc("GET /wallboard/{token}", p.wallboardLink)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.problem(w, r, http.StatusNotFound, "problem-unknown") })
	return mux
}

// A sheet is what every template gets.
type sheet struct {
	Path    string // of the page, for the switch of languages
	Who     string // the supervisor; empty on pages for nobody
	Token   string // for forms of this session
	Content any
	Problem string // a sentence about what went wrong; empty: nothing
	Theme   string // "light" or "dark"; empty: as the system has it
}

func (p *Page) live(w http.ResponseWriter, r *http.Request, s session) {
	p.render(w, r, http.StatusOK, "live", sheet{Who: s.owner, Token: s.form(), Content: p.look(r.Context(), chosen(w, r))})
}

// render sends a page.
func (p *Page) render(w http.ResponseWriter, r *http.Request, status int, name string, s sheet) {
	language := chosen(w, r)
	if s.Path == "" {
		s.Path = r.URL.Path
	}
	text, err := p.execute(language, name, s)
	if err != nil {
		p.log.Error("page: making a page", "page", name, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", language)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // who has gone does not miss it
	}
}

// problem sends a page that says in one sentence what is wrong and what to do.
func (p *Page) problem(w http.ResponseWriter, r *http.Request, status int, key string) {
	p.render(w, r, status, "problem", sheet{Content: key, Path: "/"})
}

// away answers when the store cannot.
func (p *Page) away(w http.ResponseWriter, r *http.Request, doing string, err error) {
	p.log.Error("page: "+doing, "error", err)
	p.problem(w, r, http.StatusServiceUnavailable, "problem-store")
}

// fresh holds the last made piece of each kind and language: a change is rendered once, however many look.
type fresh struct {
	mu   sync.Mutex
	made map[string]piece
}

type piece struct {
	at   time.Time
	html []byte
}
