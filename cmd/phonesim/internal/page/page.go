// Package page is the simulated desk phone as a web page: it serves the page's files, presses the keys of the
// simulated body, shows its panel and lamps, and carries its sound to and from a browser.
//
//	browser                                        this package                     simulated body
//	keys, hook  --- text, JSON ------------------> session --- Press, Hook -------> Body
//	panel, lamps <-- text, JSON and PNG ---------- session <-- Watch, Display ----- Body
//	microphone  --- binary, 20 ms ---------------> session --- Push --------------> Sound
//	loudspeaker <-- binary, 20 ms ---------------- session <-- Attach ------------- Sound
//
// Several pages may be open: all show the same phone and all may press its keys; one of them owns the sound. The
// phone never waits for a page: what a slow page has not taken is replaced by what is newer.
//
// The package decides nothing about the phone, draws nothing and knows no word of any language: pictures come from
// the body, words from Config.Label. It answers on loopback and to its own origin only.
package page

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"freizeichen/hal"
)

// A Body is the simulated body whose keys the page presses. All methods return at once.
type Body interface {
	// Press and Release move a key. What is down or up already is left so.
	Press(hal.Key)
	Release(hal.Key)
	// Hook lifts the handset (up) or puts it back. What is so already is left so.
	Hook(up bool)
	// Lifted reports whether the handset is up.
	Lifted() bool
	// Display is what the body shows now. Its Picture is nil as long as nothing has been shown.
	Display() hal.Display
	// Watch returns a channel that receives after each change of display or handset; changes nobody has taken are one.
	// The caller stops it when done.
	Watch() (changed <-chan struct{}, stop func())
}

// A Sound is the sound device of the simulated body. All methods return at once.
type Sound interface {
	// Attach makes play the loudspeaker: it is called with every frame the phone plays and does not keep it. After
	// detach has returned it is not called again, and the phone hears and plays into nothing.
	Attach(play func(hal.Frame)) (detach func())
	// Push is a frame from the microphone of the attached page.
	Push(hal.Frame)
}

// Config is what a page needs. Body, Label and Languages must be given.
type Config struct {
	Body  Body
	Sound Sound // nil: the phone has its sound elsewhere, and the page says so
	// Label finds the words of the page. It is called with the ids of Labels only.
	Label     func(language string, id Label) string
	Languages []string // what can be chosen, as BCP 47 tags: "de", "en"; the first is shown first
	// SetLanguage and SetPanel are called when a person chooses another language or another panel on the page;
	// the change shows when the body shows it. Nil: no choice is offered.
	SetLanguage func(language string)
	SetPanel    func(hal.Panel)
	Logger      *slog.Logger // nil: nothing is logged
}

// sessionsMax bounds the pages open at once: more than a person looks at, far less than would harm the phone.
const sessionsMax = 8

// timing is how long a page may take.
type timing struct {
	write time.Duration // for taking one message, before it is given up
	ping  time.Duration // between two pings, and for answering one
}

// A Page serves the page to all browsers that ask. It is an http.Handler.
type Page struct {
	config Config
	log    *slog.Logger
	timing timing
	files  http.Handler
	index  *template.Template

	// ctx ends all sessions: their connections have left the http.Server that would end them otherwise.
	ctx    context.Context
	cancel context.CancelFunc
	open   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	sessions map[*session]struct{}
	language string
	down     map[hal.Key]int // how many pages hold the key
	owner    *session        // of the sound, nil when no page has it
	detach   func()          // the owner's sound; nil when no page has it
}

// New makes a page. Close ends it.
func New(config Config) (*Page, error) {
	if config.Body == nil || config.Label == nil || len(config.Languages) == 0 {
		return nil, errors.New("page: body, label and languages must be given")
	}
	index, err := template.ParseFS(assets, "assets/index.html")
	if err != nil {
		return nil, fmt.Errorf("page: reading index.html: %w", err)
	}
	log := config.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Page{
		config: config, log: log, index: index, files: files(),
		timing: timing{write: 5 * time.Second, ping: 10 * time.Second},
		ctx:    ctx, cancel: cancel,
		sessions: map[*session]struct{}{}, language: config.Languages[0], down: map[hal.Key]int{},
	}, nil
}

// Serve answers on the listener until ctx ends, then closes the listener and all pages. A listener that can be
// reached from another machine is refused. It returns nil when ctx has ended.
func (p *Page) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	if !loopback(l.Addr()) {
		return fmt.Errorf("page: listening on %s: not a loopback address", l.Addr())
	}
	server := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10, // a browser on localhost may bring many cookies of other programs
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() {
		server.Close()
		p.Close()
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		p.Close()
		return fmt.Errorf("page: serving %s: %w", l.Addr(), err)
	}
	p.Close()
	return nil
}

// Close ends all sessions, releases their keys and waits until they are gone. The phone goes on.
func (p *Page) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.open.Wait()
}

// join adds a session; false when there are too many or the page is closed.
func (p *Page) join(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.sessions) >= sessionsMax {
		return false
	}
	p.sessions[s] = struct{}{}
	p.open.Add(1)
	return true
}

// leave removes a session and gives its sound back.
func (p *Page) leave(s *session) {
	p.releaseSound(s)
	p.mu.Lock()
	delete(p.sessions, s)
	p.mu.Unlock()
	p.open.Done()
}

// key presses or releases a key for a session. The body's key is down as long as one page at least holds it.
func (p *Page) key(s *session, change hal.KeyChange) {
	if s.down[change.Key] == change.Down {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if change.Down {
		s.down[change.Key] = true
		p.down[change.Key]++
		p.config.Body.Press(change.Key)
	} else {
		delete(s.down, change.Key)
		p.down[change.Key]--
		if p.down[change.Key] == 0 {
			delete(p.down, change.Key)
			p.config.Body.Release(change.Key)
		}
	}
	p.wake()
}

// releaseKeys releases all keys that the session holds.
func (p *Page) releaseKeys(s *session) {
	for key := range s.down {
		p.key(s, hal.KeyChange{Key: key})
	}
}

func (p *Page) setLanguage(language string) {
	if p.config.SetLanguage == nil || !slices.Contains(p.config.Languages, language) {
		return
	}
	p.mu.Lock()
	changed := p.language != language
	p.language = language
	p.wake()
	p.mu.Unlock()
	if changed {
		p.config.SetLanguage(language)
	}
}

// takeSound makes the session the owner of the sound; who had it loses it.
func (p *Page) takeSound(s *session) {
	if p.config.Sound == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owner == s {
		return
	}
	if p.detach != nil {
		p.detach()
	}
	p.owner = s
	p.detach = p.config.Sound.Attach(s.hear)
	p.wake()
}

func (p *Page) releaseSound(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owner != s {
		return
	}
	p.detach()
	p.owner, p.detach = nil, nil
	p.wake()
}

// microphone passes a frame on if the session owns the sound: frames of the page that has just lost it are late.
func (p *Page) microphone(s *session, frame hal.Frame) {
	p.mu.Lock()
	owns := p.owner == s
	p.mu.Unlock()
	if owns {
		p.config.Sound.Push(frame)
	}
}

// wake lets every session look at the state again; mu is held.
func (p *Page) wake() {
	for s := range p.sessions {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}
