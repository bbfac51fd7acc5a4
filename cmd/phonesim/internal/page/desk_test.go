package page

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"freizeichen/hal"
	"freizeichen/hal/sim"
)

// patience bounds every wait of these tests.
const patience = 5 * time.Second

// A desk is a page with a simulated body, served on loopback.
type desk struct {
	t      *testing.T
	page   *Page
	server *httptest.Server
	body   *sim.Body
	sound  *sim.Browser
	moved  chan any // hal.KeyChange and hal.HookChange as the phone gets them
	panel  chan hal.Panel
	log    *journal
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func newDesk(t *testing.T, change ...func(*desk, *Config)) *desk {
	d := &desk{t: t, moved: make(chan any, 100), panel: make(chan hal.Panel, 1), sound: sim.NewBrowser(), log: &journal{}}
	d.body = sim.NewBody(func(c hal.KeyChange) { d.moved <- c }, func(c hal.HookChange) { d.moved <- c })
	config := Config{
		Body: d.body, Sound: d.sound, Label: label, Languages: []string{"de", "en"},
		SetLanguage: func(string) {}, SetPanel: func(p hal.Panel) { d.panel <- p },
		Logger: slog.New(slog.NewTextHandler(d.log, nil)),
	}
	for _, change := range change {
		change(d, &config)
	}
	page, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	d.page = page
	d.server = httptest.NewServer(page)
	t.Cleanup(func() {
		page.Close()
		d.server.Close()
	})
	return d
}

// wantMoved waits for what the phone gets next.
func (d *desk) wantMoved(want any) {
	d.t.Helper()
	select {
	case got := <-d.moved:
		if got != want {
			d.t.Fatalf("the phone got %#v, want %#v", got, want)
		}
	case <-time.After(patience):
		d.t.Fatalf("the phone got nothing, want %#v", want)
	}
}

// wantStill fails if the phone gets anything soon.
func (d *desk) wantStill() {
	d.t.Helper()
	select {
	case got := <-d.moved:
		d.t.Fatalf("the phone got %#v, want nothing", got)
	case <-time.After(50 * time.Millisecond):
	}
}

// A browser is the other end of a session, as a test plays it.
type browser struct {
	t      *testing.T
	conn   *websocket.Conn
	words  words
	state  state
	screen image.Image
	frame  []byte
}

func (d *desk) open() *browser {
	d.t.Helper()
	conn, _, err := d.dial(d.server.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	b := &browser{t: d.t, conn: conn}
	b.until("the first state", func() bool { return b.state.Hook != "" })
	return b
}

func (d *desk) dial(origin string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	return websocket.Dial(ctx, d.server.URL+"/socket", &websocket.DialOptions{HTTPHeader: header})
}

// receive takes one message.
func (b *browser) receive() error {
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	kind, data, err := b.conn.Read(ctx)
	if err != nil {
		return err
	}
	if kind == websocket.MessageText {
		message := struct {
			*words
			State *state `json:"state"`
		}{&b.words, &b.state}
		if bytes.HasPrefix(data, []byte(`{"state"`)) {
			b.state = state{} // whole, every time: nothing of the last one stays
		}
		return json.Unmarshal(data, &message)
	}
	switch data[0] {
	case kindSound:
		b.frame = data[1:]
	case kindPicture:
		b.screen, err = png.Decode(bytes.NewReader(data[1:]))
	}
	return err
}

// until takes messages until the page shows what is wanted.
func (b *browser) until(what string, shown func() bool) {
	b.t.Helper()
	for !shown() {
		if err := b.receive(); err != nil {
			b.t.Fatalf("waiting for %s: %v; the state is %+v", what, err, b.state)
		}
	}
}

func (b *browser) send(text string) {
	b.t.Helper()
	if err := b.conn.Write(b.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) sendBinary(data []byte) {
	b.t.Helper()
	if err := b.conn.Write(b.t.Context(), websocket.MessageBinary, data); err != nil {
		b.t.Fatal(err)
	}
}

func mono(on ...image.Point) *image.Paletted {
	picture := image.NewPaletted(image.Rectangle{Max: hal.Mono128x64.Size()}, color.Palette{color.Black, color.White})
	for _, p := range on {
		picture.SetColorIndex(p.X, p.Y, 1)
	}
	return picture
}
