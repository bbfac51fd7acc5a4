package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"freizeichen/hal"
)

// heardMax is how many frames wait for a page at most, 200 ms: more would be heard as delay.
const heardMax = 10

// A session is one open page.
type session struct {
	page *Page
	conn *websocket.Conn
	log  *slog.Logger
	wake chan struct{}    // holds one: the state has to be looked at
	play chan hal.Frame   // frames for the page's loudspeaker, the oldest dropped when it is full
	down map[hal.Key]bool // keys this page holds; belongs to the reading goroutine
}

// serveSocket runs a session until the page goes, sends nonsense, or takes too long.
func (p *Page) serveSocket(w http.ResponseWriter, r *http.Request) {
	s := &session{
		page: p, log: p.log.With("page", r.RemoteAddr),
		wake: make(chan struct{}, 1), play: make(chan hal.Frame, heardMax), down: map[hal.Key]bool{},
	}
	if !p.join(s) {
		p.log.Warn("page: refused a page", "reason", "too many are open", "most", sessionsMax)
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(s)

	conn, err := websocket.Accept(w, r, nil) // checks the origin once more
	if err != nil {
		s.log.Warn("page: refused a web socket", "error", err)
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(soundSize)
	s.conn = conn

	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	var others sync.WaitGroup
	defer others.Wait()
	// Deferred after Wait, so run before it: closing the connection ends the other two.
	defer conn.CloseNow()
	defer cancel()
	others.Go(func() { s.end(s.write(ctx), cancel) })
	others.Go(func() { s.end(s.ping(ctx), cancel) })
	s.log.Info("page: opened")
	s.end(s.read(ctx), cancel)
	s.log.Info("page: closed")
}

// end logs why one part of the session has ended, and ends the others.
func (s *session) end(err error, cancel context.CancelFunc) {
	defer cancel()
	switch {
	case errors.Is(err, errMessage), errors.Is(err, websocket.ErrMessageTooBig):
		s.log.Warn("page: the page sends what it must not", "error", err)
		s.conn.Close(websocket.StatusPolicyViolation, errMessage.Error())
	case errors.Is(err, context.DeadlineExceeded):
		s.log.Warn("page: the page does not take what it is sent; its connection is given up")
	default: // the page was closed, or another part has ended first
		s.log.Debug("page: connection ended", "error", err)
	}
}

// read carries out what the page asks for. When it ends no key stays down, however long the rest may take.
func (s *session) read(ctx context.Context) error {
	defer s.page.releaseKeys(s)
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			frame, err := parseBinary(data)
			if err != nil {
				return err
			}
			s.page.microphone(s, frame)
			continue
		}
		wish, err := parseText(data)
		if err != nil {
			return err
		}
		s.obey(wish)
	}
}

func (s *session) obey(wish any) {
	switch wish := wish.(type) {
	case hal.KeyChange:
		s.page.key(s, wish)
	case hal.HookChange:
		s.page.config.Body.Hook(wish.Up)
	case hal.Panel:
		if s.page.config.SetPanel != nil {
			s.page.config.SetPanel(wish)
		}
	case languageWish:
		s.page.setLanguage(string(wish))
	case soundWish:
		if wish {
			s.page.takeSound(s)
		} else {
			s.page.releaseSound(s)
		}
	case microphoneState:
		s.log.Info("page: microphone", "state", string(wish))
	}
}

// ping finds out that a page has gone without a word: its keys must not stay down.
func (s *session) ping(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.page.timing.ping):
		}
		patience, cancel := context.WithTimeout(ctx, s.page.timing.ping)
		err := s.conn.Ping(patience)
		cancel()
		if err != nil {
			return err
		}
	}
}

// shown is what the page has been sent last.
type shown struct {
	language string
	state    []byte
	picture  *image.Paletted
}

// write shows the state, whenever it has changed, and plays sound. While the page takes its time for one message,
// displays become one and frames are dropped: it gets the newest next.
func (s *session) write(ctx context.Context) error {
	changed, stop := s.page.config.Body.Watch()
	defer stop()
	var last shown
	for {
		if err := s.show(ctx, &last); err != nil {
			return err
		}
	play:
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				break play
			case <-s.wake:
				break play
			case frame := <-s.play:
				if err := s.send(ctx, websocket.MessageBinary, soundMessage(frame)); err != nil {
					return err
				}
			}
		}
	}
}

// show sends what differs from what was shown last.
func (s *session) show(ctx context.Context, last *shown) error {
	display := s.page.config.Body.Display()
	language, now := s.page.look(s, display)
	if language != last.language {
		last.language = language
		if err := s.sendJSON(ctx, s.page.words(language)); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]state{"state": now})
	if err != nil {
		return fmt.Errorf("page: encoding the state: %w", err)
	}
	// The state first: the page makes its canvas as large as the picture that follows.
	if !bytes.Equal(data, last.state) {
		last.state = data
		if err := s.send(ctx, websocket.MessageText, data); err != nil {
			return err
		}
	}
	if display.Picture == nil || same(display.Picture, last.picture) {
		return nil
	}
	last.picture = display.Picture
	picture, err := pictureMessage(display.Picture)
	if err != nil {
		return err
	}
	return s.send(ctx, websocket.MessageBinary, picture)
}

// same: the two pictures look alike. They are not written to after they have been shown (hal.Display).
func same(a, b *image.Paletted) bool {
	if a == b || b == nil {
		return a == b
	}
	return a.Rect == b.Rect && a.Stride == b.Stride && bytes.Equal(a.Pix, b.Pix) && slices.Equal(a.Palette, b.Palette)
}

// look is the language and the state of the phone as the session sees it.
func (p *Page) look(s *session, display hal.Display) (string, state) {
	now := state{
		Panel:   panelOf(display.Picture),
		Text:    display.Text,
		Soft:    display.Soft,
		Ringing: display.Lamps[hal.LampMessage] == hal.BlinkFast, // "it rings", as hal.BlinkFast says
		Lamps:   lampsOf(display.Lamps),
		Keys:    []string{}, Languages: []string{},
		Hook: "down", Sound: "free",
	}
	now.Panel.Choice = p.config.SetPanel != nil
	if now.Text == nil {
		now.Text = []string{}
	}
	if p.config.SetLanguage != nil {
		now.Languages = p.config.Languages
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(p.down)) {
		now.Keys = append(now.Keys, key.String())
	}
	if p.config.Body.Lifted() {
		now.Hook = "up"
	}
	switch {
	case p.config.Sound == nil:
		now.Sound = "none"
	case p.owner == s:
		now.Sound = "here"
	case p.owner != nil:
		now.Sound = "elsewhere"
	}
	return p.language, now
}

func (p *Page) words(language string) words {
	labels := make(map[Label]string)
	for _, id := range Labels() {
		labels[id] = p.config.Label(language, id)
	}
	return words{Language: language, Labels: labels}
}

// hear queues a frame for the page; called by the sound device, which must not wait.
func (s *session) hear(frame hal.Frame) {
	frame = slices.Clone(frame)
	for {
		select {
		case s.play <- frame:
			return
		default:
		}
		select {
		case <-s.play: // the oldest: what is heard late is worth less than what is heard now
		default:
		}
	}
}

func (s *session) sendJSON(ctx context.Context, message any) error {
	data, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("page: encoding a message: %w", err)
	}
	return s.send(ctx, websocket.MessageText, data)
}

func (s *session) send(ctx context.Context, kind websocket.MessageType, data []byte) error {
	patience, cancel := context.WithTimeout(ctx, s.page.timing.write)
	defer cancel()
	return s.conn.Write(patience, kind, data)
}
