package exchange

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	words "freizeichen/sip"
	"freizeichen/sip/exchange/notifier"
	"freizeichen/sip/presence"
	"freizeichen/sip/siptest"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua"
	"freizeichen/sip/ua/subscription"
)

// An onlooker is a real user agent that watches queues.
type onlooker struct {
	t        *testing.T
	agent    *ua.Agent
	endpoint *transaction.Endpoint
	events   chan words.Event
}

func (b *bench) onlooker(user, address string, source ua.QueueSource) *onlooker {
	b.t.Helper()
	local := netip.MustParseAddrPort(address)
	o := &onlooker{t: b.t, events: make(chan words.Event, 10_000)}
	var err error
	o.endpoint, err = transaction.Open(transaction.Config{
		Local: local, Server: "192.0.2.2:5060", Methods: ua.Methods(), Extensions: ua.Extensions(), ListenPacket: b.wire.ListenPacket,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	o.agent = ua.New(ua.Config{
		Account: words.Account{User: user, Password: "lab-" + user, Domain: "exchange", Server: "192.0.2.2:5060", Expires: time.Minute},
		Local:   func() netip.AddrPort { return local }, UserAgent: "Freizeichen", Queues: source, Random: rand.New(rand.NewPCG(1, 1)),
	}, o.endpoint.Transactions(), nil, func(event words.Event) {
		switch event.(type) {
		case words.Registered, words.Unregistered:
		default:
			o.events <- event
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- o.endpoint.Run(context.Background(), o.agent) }()
	b.t.Cleanup(func() {
		o.endpoint.Close()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	})
	o.endpoint.Do(o.agent.Start)
	return o
}

func (o *onlooker) watch(queues ...string) {
	o.endpoint.Do(func(now time.Time) { o.agent.Do(now, words.WatchQueues{Queues: queues}) })
}

// want waits for an event.
func (o *onlooker) want(what string, is func(words.Event) bool) {
	o.t.Helper()
	select {
	case event := <-o.events:
		if !is(event) {
			o.t.Fatalf("event %T%+v, want %s", event, event, what)
		}
	case <-time.After(10 * time.Minute):
		o.t.Fatalf("no event, want %s", what)
	}
}

func (o *onlooker) wantWaiting(waiting int) {
	o.t.Helper()
	o.want(fmt.Sprint(waiting, " waiting"), func(e words.Event) bool {
		r, ok := e.(words.QueueReported)
		return ok && r.Status.Waiting == waiting
	})
}

func (o *onlooker) wantUnknown(status int) {
	o.t.Helper()
	o.want(fmt.Sprint("unknown ", status), func(e words.Event) bool { return e == words.QueueUnknown{Queue: "kw", Status: status} })
}

// report is the text of a queue with so many waiting callers.
func report(waiting int) string {
	now := time.Now().UTC().Truncate(time.Second)
	s := words.QueueStatus{Queue: "kw", At: now, Valid: 90 * time.Second, Waiting: waiting, SignedIn: 2}
	if waiting > 0 {
		s.Oldest = now
	}
	text, err := presence.Text(s)
	if err != nil {
		panic(err)
	}
	return text
}

var byPresence = ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-", Device: "cc-phone-201"}

func (b *bench) subscribers(resource string) (n int) {
	b.Presence(func(_ time.Time, all *notifier.Notifier) { n = all.Subscribers(resource) })
	return n
}

func TestPhonesAreToldHowTheQueuesStand(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		b.wire.SetFaults(siptest.Faults{Loss: 0.1, Delay: 5 * time.Millisecond, Jitter: 20 * time.Millisecond})
		b.SetPresence("cc-kw", report(0))
		time.Sleep(time.Second)
		one, two := b.onlooker("201", "192.0.2.1:5060", byPresence), b.onlooker("202", "192.0.2.3:5060", ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-"})
		one.watch("kw")
		two.watch("kw")
		one.wantWaiting(0)
		two.wantWaiting(0)
		for i := range 50 {
			b.SetPresence("cc-kw", report(i+1))
			time.Sleep(time.Minute)
			one.wantWaiting(i + 1)
			two.wantWaiting(i + 1)
		}
		b.SetPresence("cc-phone-201", presence.Bell(time.Now(), 17))
		one.want("the bell", func(e words.Event) bool { return e == words.AgentChanged{Version: 17} })
		b.SetPresence("cc-kw", "rubbish")
		one.wantUnknown(0)
		two.wantUnknown(0)
		if one, two := b.subscribers("cc-kw"), b.subscribers(""); one != 2 || two != 3 {
			t.Errorf("%d subscriptions of the queue, %d in all", one, two)
		}
	})
}

func TestSetPresenceMayBeCalledByEverybody(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		o := b.onlooker("201", "192.0.2.1:5060", byPresence)
		o.watch("kw")
		b.want("a subscription", func() bool { return b.subscribers("cc-kw") == 1 })
		o.wantUnknown(0)
		b.wire.SetFaults(siptest.Faults{Delay: 10 * time.Millisecond}) // of the wire: no time passes while texts are set
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() { b.SetPresence("cc-kw", report(i+1)) })
		}
		all.Wait()
		b.SetPresence("cc-kw", report(999))
		b.SetPresence("cc-phone-201", presence.Bell(time.Now(), 4))
		seen := 0
		o.want("999", func(e words.Event) bool {
			for ; ; seen++ {
				if r, ok := e.(words.QueueReported); ok && r.Status.Waiting == 999 {
					return true
				}
				e = <-o.events
			}
		})
		if seen > 2 {
			t.Errorf("%d reports on the way: changes that come quickly are told together", seen)
		}
	})
}

func TestPhonesSurviveARestartOfTheExchange(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		b.SetPresence("cc-kw", report(1))
		time.Sleep(time.Second)
		o := b.onlooker("201", "192.0.2.1:5060", ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-", Expires: 2 * time.Minute})
		o.watch("kw")
		o.wantWaiting(1)
		b.Forget() // the next refresh gets 481
		time.Sleep(2 * time.Minute)
		o.wantUnknown(481)
		o.wantWaiting(1)
		b.Presence(func(now time.Time, n *notifier.Notifier) { n.End(now, "deactivated") })
		o.wantUnknown(0)
		o.wantWaiting(1)
		b.Presence(func(now time.Time, n *notifier.Notifier) { n.End(now, "probation;retry-after=60") })
		o.wantUnknown(0)
		began := time.Now()
		if o.wantWaiting(1); time.Since(began) < time.Minute {
			t.Errorf("back after %v", time.Since(began))
		}
		b.Silence(true)
		time.Sleep(10 * time.Minute)
		o.wantUnknown(0)
		b.Silence(false)
		if o.wantWaiting(1); b.subscribers("") != 1 {
			t.Errorf("%d subscriptions", b.subscribers(""))
		}
		o.watch()
		b.want("no subscription", func() bool { return b.subscribers("") == 0 })
	})
}

func TestWhoIsTakenAwayIsForgotten(t *testing.T) {
	inTown(t, nil, func(t *testing.T, b *bench) {
		o := b.onlooker("201", "192.0.2.1:5060", byPresence)
		o.watch("kw", "moers")
		b.want("three subscriptions", func() bool { return b.subscribers("") == 3 })
		b.wire.Cut(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"))
		b.SetPresence("cc-kw", report(1))
		b.want("two subscriptions", func() bool { return b.subscribers("") == 2 }) // the NOTIFY was not answered
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := b.subscribers(""); n != 0 { // their time was over
			t.Errorf("%d subscriptions", n)
		}
	})
}
