package asterisk

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua"
	"freizeichen/sip/ua/subscription"
)

// A watcher is the phone's user agent, registered and watching queues.
type watcher struct {
	t      *testing.T
	do     func(sip.Command)
	events chan sip.Event // of queues and the bell
}

// noSound is for calls that ring and are not answered.
type noSound struct{}

func (noSound) Open(sip.CallID) (netip.AddrPort, error) {
	return netip.MustParseAddrPort("127.0.0.1:9"), nil
}
func (noSound) Apply(sip.CallID, sip.Media) error { return nil }
func (noSound) SendDigit(sip.CallID, byte)        {}
func (noSound) Close(sip.CallID)                  {}

// watch registers a user agent that watches queues.
func watch(t *testing.T, pbx *PBX, user, transport string, source ua.QueueSource, queues ...string) *watcher {
	t.Helper()
	w := &watcher{t: t, events: make(chan sip.Event, 1000)}
	endpoint, err := transaction.Open(transaction.Config{
		Network: transport, Local: netip.MustParseAddrPort("127.0.0.1:0"), Server: pbx.Address(), Methods: ua.Methods(), Extensions: ua.Extensions(),
	})
	if err != nil {
		t.Fatal(err)
	}
	agent := ua.New(ua.Config{
		Account: sip.Account{User: user, Password: Password, Domain: pbx.Address(), Server: pbx.Address(), Transport: transport},
		Local:   func() netip.AddrPort { return endpoint.LocalAddr(transport) }, UserAgent: "Freizeichen/test", Queues: source, KeepAlive: 2 * time.Second,
	}, endpoint.Transactions(), noSound{}, func(event sip.Event) {
		switch event.(type) {
		case sip.QueueReported, sip.QueueUnknown, sip.AgentChanged:
			w.events <- event
		}
	})
	w.do = func(command sip.Command) { endpoint.Do(func(now time.Time) { agent.Do(now, command) }) }
	ended := make(chan error, 1)
	go func() { ended <- endpoint.Run(context.Background(), agent) }()
	t.Cleanup(func() {
		endpoint.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	endpoint.Do(agent.Start)
	w.do(sip.WatchQueues{Queues: queues})
	return w
}

// next waits for an event; what is wanted is said when none comes.
func (w *watcher) next(want string) sip.Event {
	w.t.Helper()
	select {
	case event := <-w.events:
		return event
	case <-time.After(90 * time.Second): // an exchange that was restarted is found by then
		w.t.Fatalf("no event, want %s", want)
		return nil
	}
}

func (w *watcher) wantStatus(want sip.QueueStatus) {
	w.t.Helper()
	if event := w.next(fmt.Sprintf("%+v", want)); event != (sip.QueueReported{Status: want}) {
		w.t.Fatalf("event %T%+v, want %+v", event, event, want)
	}
}

func (w *watcher) wantUnknown(queue string, status int) {
	w.t.Helper()
	if event := w.next("unknown " + queue); event != (sip.QueueUnknown{Queue: queue, Status: status}) {
		w.t.Fatalf("event %T%+v, want %s unknown with %d", event, event, queue, status)
	}
}

// say changes the text of a resource. Base64: a comma would end it.
func (p *PBX) say(resource, subtype, text string) {
	p.t.Helper()
	out := p.CLI(fmt.Sprintf("presencestate change CustomPresence:%s available,%s,%s", resource, subtype, base64.StdEncoding.EncodeToString([]byte(text))))
	if !strings.Contains(out, "Changing") {
		p.t.Fatalf("asterisk: %s", out)
	}
}

// moment is how a queue stands with so many waiting callers, and its report.
func moment(t *testing.T, queue string, waiting int) (sip.QueueStatus, string) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	s := sip.QueueStatus{Queue: queue, Title: "Kreis Wesel Führerschein", At: now, Valid: 90 * time.Second, Waiting: waiting, SignedIn: 4, Free: 1, Paused: 1,
		Level: sip.ServiceLevel{Offered: 120, Answered: 110, AnsweredInTime: 96, Abandoned: 10, AbandonedInTime: 3, Within: 30 * time.Second, Target: 80}}
	if waiting > 0 {
		s.Oldest = now.Add(-17 * time.Second)
	}
	text, err := presence.Text(s)
	if err != nil {
		t.Fatal(err)
	}
	return s, text
}

func TestThePhoneSeesWhatAsteriskIsToldOfAQueue(t *testing.T) {
	pbx := Start(t)
	before, text := moment(t, "zulassung", 0)
	pbx.say("cc-zulassung", "queue", text)
	// Every digest, both transports.
	for user, transport := range map[string]string{"201": "udp", "202": "tcp", "203": "udp"} {
		w := watch(t, pbx, user, transport, ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-", Device: "cc-phone-" + user}, "zulassung")
		w.wantStatus(before)
		for waiting := range 3 {
			status, text := moment(t, "zulassung", waiting+1)
			pbx.say("cc-zulassung", "queue", text)
			w.wantStatus(status)
		}
		pbx.say("cc-phone-"+user, "agent", presence.Bell(time.Now(), 17))
		if event := w.next("the bell"); event != (sip.AgentChanged{Version: 17}) {
			t.Errorf("event %T%+v", event, event)
		}
		pbx.say("cc-zulassung", "queue", "{rubbish")
		w.wantUnknown("zulassung", 0)
		w.do(sip.WatchQueues{Queues: []string{"alle"}}) // nobody has told of it
		w.wantUnknown("alle", 0)
		pbx.wait(commandMax, "the other queue has no subscriber", func() bool {
			return strings.Count(pbx.ask("pjsip show subscriptions inbound"), "cc-zulassung") == 0
		})
		w.do(sip.WatchQueues{})
		pbx.say("cc-zulassung", "queue", text)
	}
}

func TestThePhoneSeesTheQueueAgainAfterARestart(t *testing.T) {
	pbx := Start(t)
	status, text := moment(t, "zulassung", 1)
	pbx.say("cc-zulassung", "queue", text)
	w := watch(t, pbx, "203", "udp", ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-", Expires: 30 * time.Second}, "zulassung")
	w.wantStatus(status)
	pbx.Restart()
	w.next("the loss") // 481 to a refresh, or an answer without a text: either way nothing is known
	status, text = moment(t, "zulassung", 2)
	pbx.say("cc-zulassung", "queue", text)
	for {
		if event := w.next("the queue"); event == (sip.QueueReported{Status: status}) {
			return
		}
	}
}

func TestARefusedQueueIsUnknownWithItsStatus(t *testing.T) {
	pbx := Start(t)
	w := watch(t, pbx, "201", "udp", ua.QueueSource{Kind: subscription.Presence, Prefix: "no-"}, "zulassung")
	w.wantUnknown("zulassung", 404)
}

func TestTheHintsOfAQueueAreALampOnThePhone(t *testing.T) {
	pbx := Start(t)
	w := watch(t, pbx, "201", "udp", ua.QueueSource{Kind: subscription.Dialog, Prefix: "q-"}, "zulassung")
	until := func(what string, is func(sip.QueueStatus) bool) {
		t.Helper()
		for {
			if reported, ok := w.next(what).(sip.QueueReported); ok && is(reported.Status) {
				return
			}
		}
	}
	pbx.WaitRegistered("201")
	until("a free agent", func(s sip.QueueStatus) bool { return s.Coarse && s.Waiting == 0 && s.Free == 1 && s.SignedIn == 1 })
	citizen := pbx.Originate("02812070")
	until("somebody waits, and the agent's phone rings", func(s sip.QueueStatus) bool { return s.Waiting == 1 && s.Free == 0 })
	citizen.HangUp()
	until("nobody waits", func(s sip.QueueStatus) bool { return s.Waiting == 0 && s.Free == 1 })
}
