package page

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"freizeichen/hal"
	"freizeichen/hal/sim"
)

func TestAPageWithoutBodyWordsOrLanguageIsRefused(t *testing.T) {
	body := sim.NewBody(func(hal.KeyChange) {}, func(hal.HookChange) {})
	for name, config := range map[string]Config{
		"no body":     {Label: label, Languages: []string{"de"}},
		"no words":    {Body: body, Languages: []string{"de"}},
		"no language": {Body: body, Label: label},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAListenerForOtherMachinesIsRefused(t *testing.T) {
	p := newDesk(t).page
	for _, addr := range []net.Addr{
		&net.TCPAddr{IP: net.IPv4zero, Port: 8080},
		&net.TCPAddr{IP: net.IPv6zero, Port: 8080},
		&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8080},
		&net.UnixAddr{Name: "socket"},
	} {
		l := &deafListener{addr: addr}
		if err := p.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "not a loopback address") {
			t.Errorf("listening on %s: %v", addr, err)
		}
		if !l.closed {
			t.Errorf("listening on %s: the listener stays open", addr)
		}
	}
}

type deafListener struct {
	addr   net.Addr
	closed bool
}

func (l *deafListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (l *deafListener) Close() error              { l.closed = true; return nil }
func (l *deafListener) Addr() net.Addr            { return l.addr }

func TestServingEndsWithItsContext(t *testing.T) {
	d := newDesk(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.page.Serve(ctx, l) }()
	d.server.URL = "http://" + l.Addr().String()
	b := d.open()
	cancel()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("still serving")
	}
	for b.receive() == nil {
	}
}

func TestANewPageShowsThePhoneAsItIs(t *testing.T) {
	d := newDesk(t)
	picture := mono(image.Pt(3, 5), image.Pt(127, 63))
	d.body.Show(hal.Display{
		Picture: picture, Text: []string{"Kreis Wesel", "Elterngeld"}, Soft: [4]string{0: "Annehmen", 3: "Ablehnen"},
		Lamps: hal.Lamps{hal.LampMessage: hal.BlinkFast, hal.LampHold: hal.BlinkSlow, hal.LampMute: hal.Steady},
	})
	b := d.open()
	b.until("the picture", func() bool { return b.screen != nil })
	if b.words.Language != "de" || b.words.Labels["key-hold"] != "Halten" || b.words.Labels["key-#"] != "Raute" {
		t.Errorf("words are %+v", b.words)
	}
	if got, want := b.state.Panel, (panelState{"mono", 128, 64, true}); got != want {
		t.Errorf("panel is %+v, want %+v", got, want)
	}
	if len(b.state.Text) != 2 || b.state.Text[1] != "Elterngeld" || !b.state.Ringing {
		t.Errorf("text is %q, ringing %v", b.state.Text, b.state.Ringing)
	}
	if want := [4]string{"Annehmen", "", "", "Ablehnen"}; b.state.Soft != want {
		t.Errorf("soft keys are %q, want %q", b.state.Soft, want)
	}
	for name, want := range map[string]lampState{
		"message": {"fast", 125, 125}, "hold": {"slow", 1000, 1000}, "mute": {"steady", 0, 0}, "line1": {"dark", 0, 0},
	} {
		if got := b.state.Lamps[name]; got != want {
			t.Errorf("lamp %s is %v, want %v", name, got, want)
		}
	}
	got, ok := b.screen.(*image.Paletted)
	if !ok || got.Rect != picture.Rect || !bytes.Equal(got.Pix, picture.Pix) {
		t.Error("the picture is not the panel's, pixel for pixel")
	}
	if b.state.Hook != "down" || b.state.Sound != "free" || len(b.state.Keys) != 0 {
		t.Errorf("state is %+v", b.state)
	}
}

func TestAnOpenPageSeesTheDisplayChange(t *testing.T) {
	d := newDesk(t)
	b := d.open()
	if b.state.Panel.Kind != "" || b.screen != nil {
		t.Fatalf("a dark panel is shown as %+v", b.state.Panel)
	}
	d.body.Show(hal.Display{Picture: image.NewPaletted(image.Rect(0, 0, 320, 240), color.Palette{color.Black})})
	b.until("the colour panel", func() bool { return b.state.Panel.Kind == "colour" && b.screen != nil })
}

func TestAPictureThatLooksTheSameIsNotSentAgain(t *testing.T) {
	d := newDesk(t)
	b := d.open()
	d.body.Show(hal.Display{Picture: mono(image.Pt(1, 1))})
	b.until("the picture", func() bool { return b.screen != nil })
	b.screen = nil
	d.body.Show(hal.Display{Picture: mono(image.Pt(1, 1)), Lamps: hal.Lamps{hal.LampMute: hal.Steady}})
	b.until("the lamp", func() bool { return b.state.Lamps["mute"].Blink == "steady" })
	b.send(`{"hook":"up"}`)
	b.until("what comes after", func() bool { return b.state.Hook == "up" })
	if b.screen != nil {
		t.Error("it is sent again")
	}
}

func TestKeysAndHookReachThePhone(t *testing.T) {
	d := newDesk(t)
	b := d.open()
	b.send(`{"key":"5","down":true}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key5, Down: true})
	b.until("the pressed key", func() bool { return len(b.state.Keys) == 1 && b.state.Keys[0] == "5" })
	b.send(`{"key":"5","down":true}`)
	b.send(`{"key":"5","down":false}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key5})
	b.send(`{"key":"5","down":false}`)
	b.send(`{"key":"volume-up","down":true}`)
	d.wantMoved(hal.KeyChange{Key: hal.KeyVolumeUp, Down: true})
	b.send(`{"hook":"up"}`)
	d.wantMoved(hal.HookChange{Up: true})
	b.until("the lifted handset", func() bool { return b.state.Hook == "up" })
	b.send(`{"hook":"up"}`)
	b.send(`{"hook":"down"}`)
	d.wantMoved(hal.HookChange{})
}

func TestTheKeysOfAPageThatGoesComeUp(t *testing.T) {
	for name, leave := range map[string]func(*browser){
		"closed":         func(b *browser) { b.conn.Close(websocket.StatusGoingAway, "") },
		"torn off":       func(b *browser) { b.conn.CloseNow() },
		"talks nonsense": func(b *browser) { b.send("nonsense") },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			b := d.open()
			b.send(`{"key":"*","down":true}`)
			d.wantMoved(hal.KeyChange{Key: hal.KeyStar, Down: true})
			leave(b)
			d.wantMoved(hal.KeyChange{Key: hal.KeyStar})
			d.wantStill()
		})
	}
}

func TestAPageThatIsSilentlyGoneIsFoundOutByPing(t *testing.T) {
	d := newDesk(t)
	d.page.timing.ping = 50 * time.Millisecond
	b := d.open()
	b.send(`{"key":"1","down":true}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key1, Down: true})
	// The browser reads no more, so it answers no ping either.
	d.wantMoved(hal.KeyChange{Key: hal.Key1})
}

func TestAKeyHeldOnTwoPagesComesUpWithTheSecond(t *testing.T) {
	d := newDesk(t)
	one, two := d.open(), d.open()
	one.send(`{"key":"7","down":true}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key7, Down: true})
	two.until("the other page's key", func() bool { return len(two.state.Keys) == 1 })
	two.send(`{"key":"7","down":true}`)
	two.send(`{"key":"8","down":true}`) // so that it is known that the one before has been dealt with
	d.wantMoved(hal.KeyChange{Key: hal.Key8, Down: true})
	one.conn.CloseNow()
	d.wantStill()
	two.send(`{"key":"7","down":false}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key7})
}

func TestACallGoesOnWithoutAPage(t *testing.T) {
	d := newDesk(t)
	b := d.open()
	b.send(`{"hook":"up"}`)
	d.wantMoved(hal.HookChange{Up: true})
	b.conn.Close(websocket.StatusGoingAway, "")
	d.wantStill()
	if next := d.open(); next.state.Hook != "up" {
		t.Errorf("a new page shows the handset %s", next.state.Hook)
	}
}

func TestLanguageAndPanelAreChosenOnThePage(t *testing.T) {
	chosen := make(chan string, 1)
	d := newDesk(t, func(_ *desk, c *Config) { c.SetLanguage = func(l string) { chosen <- l } })
	b := d.open()
	b.send(`{"language":"fr"}`) // nobody offers it
	b.send(`{"language":"en"}`)
	if got := <-chosen; got != "en" {
		t.Errorf("language is %s", got)
	}
	b.until("English words", func() bool { return b.words.Labels["key-hold"] == "Hold" && b.words.Language == "en" })
	b.send(`{"panel":"mono"}`)
	if got := <-d.panel; got != hal.Mono128x64 {
		t.Errorf("panel is %v", got)
	}
	if next := d.open(); next.words.Language != "en" {
		t.Errorf("a new page speaks %s", next.words.Language)
	}
}

func TestWithoutChoiceNoneIsOffered(t *testing.T) {
	d := newDesk(t, func(_ *desk, c *Config) { c.SetLanguage, c.SetPanel, c.Sound = nil, nil, nil })
	b := d.open()
	b.send(`{"language":"en"}`)
	b.send(`{"panel":"mono"}`)
	b.send(`{"sound":"take"}`)
	b.send(`{"microphone":"denied"}`)
	b.sendBinary(soundMessage(make(hal.Frame, hal.FrameSamples)))
	b.send(`{"hook":"up"}`)
	b.until("the hook", func() bool { return b.state.Hook == "up" })
	if b.state.Panel.Choice || len(b.state.Languages) != 0 || b.state.Sound != "none" || b.words.Language != "de" {
		t.Errorf("state is %+v in %s", b.state, b.words.Language)
	}
}

func TestAMessageThatIsNotUnderstoodEndsTheConnection(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name string
		talk func(*browser)
		want websocket.StatusCode
	}{
		{"no JSON", func(b *browser) { b.send("nonsense") }, websocket.StatusPolicyViolation},
		{"unknown field", func(b *browser) { b.send(`{"key":"5","down":true,"x":1}`) }, websocket.StatusPolicyViolation},
		{"empty binary", func(b *browser) { b.sendBinary(nil) }, websocket.StatusPolicyViolation},
		{"short frame", func(b *browser) { b.sendBinary([]byte{kindSound, 1, 2}) }, websocket.StatusPolicyViolation},
		{"too long", func(b *browser) { b.sendBinary(make([]byte, soundSize+1)) }, websocket.StatusMessageTooBig},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := d.open()
			c.talk(b)
			var err error
			for err == nil {
				err = b.receive()
			}
			if got := websocket.CloseStatus(err); got != c.want {
				t.Errorf("the connection ended with %v, want status %d", err, c.want)
			}
			if !strings.Contains(d.log.String(), "the page sends what it must not") {
				t.Errorf("the log says %q", d.log)
			}
		})
	}
	if len(d.moved) != 0 {
		t.Errorf("the phone got %v", <-d.moved)
	}
}

// watched is a body that knows how many watch it.
type watched struct {
	*sim.Body
	watching *atomic.Int32
}

func (w watched) Watch() (<-chan struct{}, func()) {
	changed, stop := w.Body.Watch()
	w.watching.Add(1)
	return changed, func() {
		w.watching.Add(-1)
		stop()
	}
}

func TestTooManyPagesAreRefused(t *testing.T) {
	d := newDesk(t)
	for range sessionsMax {
		d.open()
	}
	_, response, err := d.dial(d.server.URL)
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("page %d: %v", sessionsMax+1, err)
	}
	if !strings.Contains(d.log.String(), "too many are open") {
		t.Errorf("the log says %q", d.log)
	}
}

func TestNothingIsLeftBehindWhenPagesAndServerClose(t *testing.T) {
	before := runtime.NumGoroutine()
	var watching atomic.Int32
	d := newDesk(t, func(d *desk, c *Config) { c.Body = watched{d.body, &watching} })
	for range 3 {
		b := d.open()
		b.send(`{"sound":"take"}`)
		b.until("the sound", func() bool { return b.state.Sound == "here" })
		b.conn.Close(websocket.StatusGoingAway, "")
	}
	left := d.open()
	left.send(`{"key":"1","down":true}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key1, Down: true})
	d.page.Close() // a page is still open
	d.wantMoved(hal.KeyChange{Key: hal.Key1})
	if _, _, err := d.dial(d.server.URL); err == nil {
		t.Error("a closed page accepts another")
	}
	if n := watching.Load(); n != 0 {
		t.Errorf("%d sessions still watch the body", n)
	}
	left.conn.CloseNow()
	d.server.Close()
	http.DefaultClient.CloseIdleConnections()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestAHandsetThatSomebodyElseLiftsIsSeen(t *testing.T) {
	d := newDesk(t)
	b := d.open()
	b.until("the handset in its cradle", func() bool { return b.state.Hook == "down" })
	d.body.Hook(true)
	d.wantMoved(hal.HookChange{Up: true})
	b.until("the lifted handset", func() bool { return b.state.Hook == "up" })
}
