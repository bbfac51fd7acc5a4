package presence

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"freizeichen/sip"
	codec "freizeichen/sip/presence"
	"freizeichen/sip/presence/publisher"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua"
	"freizeichen/sip/ua/subscription"
)

// A phone is the user agent of one: registered, and watching queues.
type phone struct {
	t      testing.TB
	user   string
	do     func(sip.Command)
	events chan sip.Event // of queues and the bell
}

func startPhone(t testing.TB, s *Server, user, transport string, queues ...string) *phone {
	t.Helper()
	p := &phone{t: t, user: user, events: make(chan sip.Event, 1000)}
	endpoint, err := transaction.Open(transaction.Config{
		Network: transport, Local: netip.MustParseAddrPort("127.0.0.1:0"), Server: s.Address(), Methods: ua.Methods(), Extensions: ua.Extensions(),
	})
	if err != nil {
		t.Fatal(err)
	}
	agent := ua.New(ua.Config{
		Account: sip.Account{User: user, Password: Password, Domain: Domain, Server: s.Address(), Transport: transport},
		Local:   func() netip.AddrPort { return endpoint.LocalAddr(transport) }, UserAgent: "Freizeichen/test", KeepAlive: 5 * time.Second,
		Queues: ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-", Device: "cc-phone-" + user},
	}, endpoint.Transactions(), nil, func(event sip.Event) {
		switch event.(type) {
		case sip.Registered, sip.Unregistered:
		default:
			p.events <- event
		}
	})
	p.do = func(command sip.Command) { endpoint.Do(func(now time.Time) { agent.Do(now, command) }) }
	ended := make(chan error, 1)
	go func() { ended <- endpoint.Run(context.Background(), agent) }()
	t.Cleanup(func() {
		endpoint.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	p.do(sip.WatchQueues{Queues: queues})
	endpoint.Do(agent.Start)
	return p
}

// next waits for an event.
func (p *phone) next(want string) sip.Event {
	p.t.Helper()
	select {
	case event := <-p.events:
		return event
	case <-time.After(90 * time.Second):
		p.t.Fatalf("%s: no event, want %s", p.user, want)
		return nil
	}
}

// until passes over events that are not the one wanted.
func (p *phone) until(want sip.Event) {
	p.t.Helper()
	for p.next(fmt.Sprintf("%T%+v", want, want)) != want {
	}
}

func startPublisher(t testing.TB, config publisher.Config) *publisher.Publisher {
	t.Helper()
	config.Domain, config.Password, config.Local = Domain, Password, netip.MustParseAddrPort("127.0.0.1:0")
	config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	p, err := publisher.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

// moment is how a queue stands with so many waiting callers, and its report.
func moment(t testing.TB, queue string, waiting int) (sip.QueueReported, string) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	s := sip.QueueStatus{Queue: queue, Title: "Kreis Wesel & Führerschein", At: now, Valid: 90 * time.Second, Waiting: waiting, SignedIn: 4, Free: 1, Paused: 1,
		Level: sip.ServiceLevel{Offered: 120, Answered: 110, AnsweredInTime: 96, Abandoned: 10, AbandonedInTime: 3, Within: 30 * time.Second, Target: 80}}
	if waiting > 0 {
		s.Oldest = now.Add(-17 * time.Second)
	}
	text, err := codec.Text(s)
	if err != nil {
		t.Fatal(err)
	}
	return sip.QueueReported{Status: s}, text
}
