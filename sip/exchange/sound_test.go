package exchange

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	words "freizeichen/sip"
	"freizeichen/sip/media"
	"freizeichen/sip/siptest"
	"freizeichen/sip/transaction"
)

// goertzel is the share of a tone in the energy of a sound, 0 to 1.
func goertzel(sound []int16, hz float64) float64 {
	var s1, s2, energy float64
	c := 2 * math.Cos(2*math.Pi*hz/8000)
	for _, x := range sound {
		s1, s2 = float64(x)+c*s1-s2, s1
		energy += float64(x) * float64(x)
	}
	if energy == 0 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - c*s1*s2) / (energy * float64(len(sound)))
}

func tone(hz float64) []int16 {
	sound := make([]int16, 8000)
	for i := range sound {
		sound[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/8000))
	}
	return sound
}

// A handset sends a tone and keeps what it hears.
type handset struct {
	sessions *media.Sessions
	mu       sync.Mutex
	heard    []int16
}

const handsetCall = 2

// talk runs the sound of a call until the test ends.
func (h *handset) talk(t *testing.T, said []int16) {
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-done; h.sessions.CloseAll() })
	go func() {
		defer close(done)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		frame := make([]int16, 160)
		for at := 0; ; at = (at + 160) % len(said) {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			h.sessions.Send(handsetCall, said[at:at+160])
			if h.sessions.Receive(handsetCall, frame) {
				h.mu.Lock()
				h.heard = append(h.heard, frame...)
				h.mu.Unlock()
			}
		}
	}()
}

// last is what was heard in the last second.
func (h *handset) last() []int16 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]int16(nil), h.heard[max(0, len(h.heard)-8000):]...)
}

// newExchangeOnLoopback runs an exchange with real sockets and real sound.
func newExchangeOnLoopback(t *testing.T, network string) (*bench, *phone, *handset) {
	t.Helper()
	e, err := New(town())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	b := &bench{Exchange: e, t: t}
	p, h := b.phoneOnLoopback("201", network)
	return b, p, h
}

func (b *bench) phoneOnLoopback(user, network string) (*phone, *handset) {
	b.t.Helper()
	p := b.phoneOn(transaction.Config{Network: network, Local: netip.MustParseAddrPort("127.0.0.1:0"), Server: b.Address().String()}, user, "lab-"+user)
	if p.register("Expires: 300"); p.status != 200 {
		b.t.Fatalf("REGISTER by %s: %d", network, p.status)
	}
	h := &handset{sessions: media.New(media.Config{Address: b.Address().Addr})}
	var err error
	if p.sound, err = h.sessions.Open(handsetCall); err != nil {
		b.t.Fatal(err)
	}
	return p, h
}

// wantTone waits until a sound is mostly a tone.
func wantTone(t *testing.T, what string, hz float64, sound func() []int16) {
	t.Helper()
	var share float64
	for range 100 {
		if s := sound(); len(s) >= 8000 {
			if share = goertzel(s[len(s)-4000:], hz); share > 0.8 {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: the tone of %v Hz has %.0f %% of the energy", what, hz, 100*share)
}

func TestCitizenAndAgentHearEachOther(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			b, p, h := newExchangeOnLoopback(t, network)
			id := b.Call(ada)
			b.Speak(id, tone(1000))
			s := p.lift(p.ring())
			if err := h.sessions.Apply(handsetCall, s.remote); err != nil {
				t.Fatal(err)
			}
			h.talk(t, tone(600))
			wantTone(t, "the agent hears", 1000, h.last)
			wantTone(t, "the citizen hears", 600, func() []int16 { return b.Heard(id) })
			h.sessions.SendDigit(handsetCall, '7')
			b.want("a digit by RFC 4733", func() bool { return b.Digits("201") == "7" })
			b.HangUp(id)
			s.expectBye()
		})
	}
}

func TestACitizenWithAVoiceSpeaksAndPauses(t *testing.T) {
	b, p, h := newExchangeOnLoopback(t, "udp")
	id := b.Call(ada)
	s := p.lift(p.ring())
	if err := h.sessions.Apply(handsetCall, s.remote); err != nil {
		t.Fatal(err)
	}
	h.talk(t, make([]int16, 8000))
	b.want("a voice", func() bool {
		var loud, quiet int
		for sound := h.last(); len(sound) >= 160; sound = sound[160:] {
			var sum float64
			for _, x := range sound[:160] {
				sum += float64(x) * float64(x)
			}
			if level := math.Sqrt(sum / 160); level > 1000 {
				loud++
			} else if level < 100 {
				quiet++
			}
		}
		return loud > 20 && quiet > 0
	})
	if len(b.Heard(id)) == 0 {
		t.Error("the line keeps nothing")
	}
	s.bye()
}

func TestTheEchoRepeatsAndAHeldPhoneHearsNothing(t *testing.T) {
	_, p, h := newExchangeOnLoopback(t, "udp")
	s := p.dial("5090")
	if s.dialog == nil {
		t.Fatal(p.status)
	}
	if err := h.sessions.Apply(handsetCall, s.remote); err != nil {
		t.Fatal(err)
	}
	h.talk(t, tone(700))
	wantTone(t, "the echo", 700, h.last)
	held := s.reinvite(words.SendOnly)
	if held.Direction != words.SendOnly {
		t.Fatalf("direction %v", held.Direction)
	}
	time.Sleep(300 * time.Millisecond)
	h.mu.Lock()
	h.heard = nil
	h.mu.Unlock()
	time.Sleep(500 * time.Millisecond)
	if got := goertzel(h.last(), 700); got > 0.1 {
		t.Errorf("a held line still sends: %.2f", got)
	}
	s.bye()
}

func TestTwoPhonesHearEachOther(t *testing.T) {
	b, one, h1 := newExchangeOnLoopback(t, "udp")
	two, h2 := b.phoneOnLoopback("202", "tcp")
	called := make(chan *session)
	go func() { called <- two.lift(two.ring()) }()
	s := one.dial("202")
	other := <-called
	for h, m := range map[*handset]words.Media{h1: s.remote, h2: other.remote} {
		if err := h.sessions.Apply(handsetCall, m); err != nil {
			t.Fatal(err)
		}
	}
	h1.talk(t, tone(500))
	h2.talk(t, tone(900))
	wantTone(t, "the caller hears", 900, h1.last)
	wantTone(t, "the called hears", 500, h2.last)
	s.bye()
	other.expectBye()
}

func TestAnExchangeRunsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire(1)
		c := town()
		c.Listen = netip.MustParseAddrPort("192.0.2.2:5060")
		c.ListenPacket = wire.ListenPacket
		listen := func(a netip.AddrPort) (media.Conn, error) { return wire.Listen(a) }
		c.ListenRTP = listen
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- e.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-ended })
		b := &bench{Exchange: e, t: t, wire: wire}
		p := b.agent("201", "192.0.2.1:5060")
		h := &handset{sessions: media.New(media.Config{Address: p.address.Addr, Listen: listen})}
		if p.sound, err = h.sessions.Open(handsetCall); err != nil {
			t.Fatal(err)
		}
		id := b.Call(ada)
		b.Speak(id, tone(1000))
		s := p.lift(p.ring())
		if err := h.sessions.Apply(handsetCall, s.remote); err != nil {
			t.Fatal(err)
		}
		h.talk(t, tone(600))
		wantTone(t, "the agent hears", 1000, h.last)
		wantTone(t, "the citizen hears", 600, func() []int16 { return b.Heard(id) })
	})
}

func TestAnExchangeNeedsAnAddressThatPhonesReach(t *testing.T) {
	if _, err := New(Config{Listen: netip.MustParseAddrPort("0.0.0.0:0")}); err == nil {
		t.Error("every address is none")
	}
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Listen: e.Address()}); err == nil {
		t.Error("a port was taken twice")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Run(ctx); err != nil {
		t.Error(err)
	}
	if e.Call(ada) != 0 || e.Registered("201") {
		t.Error("something happens after the end")
	}
}
