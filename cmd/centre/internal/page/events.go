package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Bounds of streams of events.
const (
	listenersMax = 64 // browsers at once
	perTokenMax  = 16 // of them by one session or link: a link that has got about cannot keep the supervisors out
	writeMax     = 10 * time.Second
	beat         = 10 * time.Second // a picture comes that often, changed or not: the browser expects it, see live.js
	gap          = time.Second      // between two pictures for one browser
	settle       = 50 * time.Millisecond
)

// audience counts who listens.
type audience struct {
	mu        sync.Mutex
	total     int
	listeners map[string]int // by the token that opened the stream
}

func (a *audience) join(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.total >= listenersMax || a.listeners[token] >= perTokenMax {
		return false
	}
	a.total++
	a.listeners[token]++
	return true
}

func (a *audience) leave(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	if a.listeners[token]--; a.listeners[token] == 0 {
		delete(a.listeners, token)
	}
}

func (p *Page) liveEvents(w http.ResponseWriter, r *http.Request, s session) {
	p.stream(w, r, s.token, "now", func(r *http.Request) (string, error) {
		s, err := p.session(r)
		return s.token, err
	})
}

// stream sends a picture at once and after each change, and every ten seconds, until the browser goes or its token is
// not valid any more. The format is that of the HTML standard, section 9.2.
func (p *Page) stream(w http.ResponseWriter, r *http.Request, token, name string, still func(*http.Request) (string, error)) {
	if !p.audience.join(token) {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many listeners", http.StatusServiceUnavailable)
		return
	}
	defer p.audience.leave(token)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	changed, stop := p.config.Live.Watch()
	defer stop()

	language := chosen(w, r)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between keeps nothing back
	control := http.NewResponseController(w)
	send := func(event []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeMax)) // a recorder of a test has none
		_, err := w.Write(event)
		err = errors.Join(err, control.Flush())
		_ = control.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose deadline passes between two pictures
		return err == nil
	}
	if !send([]byte("retry: 3000\n\n")) {
		return
	}
	for asked := time.Now(); ; asked = time.Now() {
		if token, err := still(r); err == nil && token == "" {
			return
		}
		// All who have been woken by the same change ask a moment later, and get the same picture.
		if !wait(ctx, settle, nil) {
			return
		}
		html, err := p.piece(ctx, language, name, asked)
		if err != nil {
			p.log.Error("page: making a picture", "picture", name, "error", err)
			return
		}
		if !send(picture(html)) || !wait(ctx, gap, nil) || !wait(ctx, beat-gap, changed) {
			return
		}
	}
}

// wait waits so long, or until something has changed; false when ctx has ended.
func wait(ctx context.Context, long time.Duration, changed <-chan struct{}) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-timer.C:
	}
	return true
}

// picture is an event with HTML, a data field for each line.
func picture(html []byte) []byte {
	var event bytes.Buffer
	event.WriteString("event: picture\n")
	for line := range bytes.Lines(html) {
		fmt.Fprintf(&event, "data: %s\n", bytes.TrimRight(line, "\r\n"))
	}
	event.WriteString("\n")
	return event.Bytes()
}

// piece is the part of a page that changes, made after somebody asked for it: perhaps for another browser.
func (p *Page) piece(ctx context.Context, language, name string, asked time.Time) ([]byte, error) {
	p.fresh.mu.Lock()
	defer p.fresh.mu.Unlock()
	key := language + " " + name
	if made, ok := p.fresh.made[key]; ok && !made.at.Before(asked) {
		return made.html, nil
	}
	now := time.Now()
	html, err := p.execute(language, name, sheet{Content: p.look(ctx, language)})
	if err == nil {
		p.fresh.made[key] = piece{now, html}
	}
	return html, err
}
