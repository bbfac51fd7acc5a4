package station

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/firmware/config"
	"freizeichen/sip"
	"freizeichen/sip/exchange"
	"freizeichen/sip/media"
	"freizeichen/sip/siptest"
)

// A booth has an exchange whose 5090 sends back what it hears, and a phone that can call it.
type booth struct {
	wire   *siptest.Wire
	config Config
}

var exchangeAt, boothAt = netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("192.0.2.20:5060")

func openBooth(t *testing.T) *booth {
	t.Helper()
	b := &booth{wire: siptest.NewWire(1)}
	listenRTP := func(at netip.AddrPort) (media.Conn, error) { return b.wire.Listen(at) }
	c := exchange.Default(exchange.Account{User: "201", Password: "secret"})
	c.Listen, c.Traffic, c.ListenPacket, c.ListenRTP = exchangeAt, nil, b.wire.ListenPacket, listenRTP
	e, err := exchange.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	account, err := config.ParseAccountURL("sip:201:secret@" + exchangeAt.String())
	if err != nil {
		t.Fatal(err)
	}
	settings := config.Default()
	settings.Accounts, settings.Network.Local = []config.Account{account}, boothAt
	b.config = Config{Config: settings, Version: "test", Logger: slog.New(slog.DiscardHandler), ListenPacket: b.wire.ListenPacket, ListenRTP: listenRTP}
	return b
}

func TestTheEchoTellsHowTheNetworkCarriesVoice(t *testing.T) {
	for _, c := range []struct {
		name               string
		faults             siptest.Faults
		lossMin, lossMax   float64 // percent of what was said
		jitterMin, jitters time.Duration
	}{
		{"a good network", siptest.Faults{Delay: time.Millisecond}, 0, 0.4, 0, time.Millisecond},
		{"one that loses", siptest.Faults{Loss: 0.05}, 6, 14, 0, 5 * time.Millisecond}, // both ways
		{"one that is late at times", siptest.Faults{Jitter: 60 * time.Millisecond}, 0, 1, 10 * time.Millisecond, 60 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := openBooth(t)
				b.wire.SetFaults(c.faults)
				s, err := Echo(t.Context(), b.config, "5090", 10*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v", s)
				loss := 100 * float64(s.Lost+s.RemoteLost) / float64(s.Sent)
				if s.Sent != 500 || s.Received < 450 || loss < c.lossMin || loss > c.lossMax || s.Jitter < c.jitterMin || s.Jitter > c.jitters {
					t.Errorf("%d sent, %.1f %% lost, jitter %s", s.Sent, loss, s.Jitter)
				}
			})
		})
	}
}

func TestAnEchoThatCannotBeReachedSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name, number, want string
		change             func(b *booth)
	}{
		{"no such number", "5099", "5099 was not reached: not-found (404)", func(*booth) {}},
		{"a number that nobody can have", "\x00", "bad-number", func(*booth) {}},
		{"a wrong password", "5090", "wrong-password", func(b *booth) { b.config.Config.Accounts[0].Password = config.NewSecret("guess") }},
		{"no exchange", "5090", "unreachable", func(b *booth) { b.wire.Cut(exchangeAt.Addr(), boothAt.Addr()) }},
		{"a number that rings and rings", "5070", "within 15s", func(*booth) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := openBooth(t)
				c.change(b)
				if s, err := Echo(t.Context(), b.config, c.number, time.Second); err == nil || !strings.Contains(err.Error(), c.want) || s != (sip.Statistics{}) {
					t.Errorf("%+v, %v, want %q", s, err, c.want)
				}
			})
		})
	}
}

func TestAnEchoEndsWithTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openBooth(t)
		stopped := errors.New("a call comes")
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { stop(stopped) })
		began := time.Now()
		if _, err := Echo(ctx, b.config, "5090", time.Minute); !errors.Is(err, stopped) {
			t.Error(err)
		}
		if took := time.Since(began); took < 3*time.Second || took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
