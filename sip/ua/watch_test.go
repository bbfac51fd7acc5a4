package ua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/subscription"
	"freizeichen/sip/ua/uatest"
)

func byPresence(c *Config) { c.Queues = QueueSource{Kind: subscription.Presence, Prefix: "cc-"} }

// notify is a NOTIFY to a SUBSCRIBE.
func (p *phone) notify(subscribe uatest.Sent, cseq int, state, body string) transaction.ServerID {
	r := subscribe.Request
	return p.Receive(fmt.Sprintf("NOTIFY sip:201@192.0.2.9 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-s-%d\nFrom: %s;tag=n\nTo: %s\nCall-ID: %s\n"+
		"CSeq: %d NOTIFY\nContact: <sip:n@192.0.2.1>\nEvent: presence\nSubscription-State: %s\nContent-Type: application/pidf+xml\n\n%s",
		cseq, strings.Split(r.To().Value(), ";tag=")[0], r.From().Value(), r.CallID().Value(), cseq, state, body))
}

func TestQueuesAreWatchedBesideCalls(t *testing.T) {
	p := newPhone(t, byPresence)
	p.do(sip.WatchQueues{Queues: []string{"kw"}})
	subscribe := p.WantRequest("SUBSCRIBE")
	p.Answer(subscribe, "200 OK", "tag=n", "Expires: 3600")
	status := sip.QueueStatus{Queue: "kw", At: uatest.Start, SignedIn: 3, Free: 2}
	text, err := presence.Text(status)
	if err != nil {
		t.Fatal(err)
	}
	body := string(presence.Queue("sip:cc-kw@pbx.example", text))
	p.WantResponse(p.notify(subscribe, 1, "active", body), 200)
	p.wantEvent(sip.QueueReported{Status: status})
	// A transfer has a subscription of its own, in the call's dialog.
	c, call := p.talks()
	p.do(sip.Transfer{Call: call, Number: "115"})
	p.Answer(p.WantRequest("REFER"), "202 Accepted")
	p.WantResponse(c.next("NOTIFY", "", "Event: refer", "Subscription-State: active"), 200)
	p.WantResponse(c.next("NOTIFY", "", "Event: presence", "Subscription-State: active"), 489)
	p.WantResponse(p.notify(subscribe, 2, "active", body), 200)
	p.WantResponse(p.notify(subscribe, 1, "active", body), 500)
	p.wantNoEvent()
}

func TestALostRegistrationMakesSubscriptionsDoubtful(t *testing.T) {
	p := newPhone(t, byPresence, func(c *Config) { c.KeepAlive = time.Minute })
	p.do(sip.WatchQueues{Queues: []string{"kw"}})
	subscribe := p.WantRequest("SUBSCRIBE")
	p.WantResponse(p.notify(subscribe, 1, "pending", ""), 200)
	p.Answer(subscribe, "200 OK", "tag=n", "Expires: 36000")
	p.Advance(70 * time.Second)
	p.TimeOut(p.WantRequest("OPTIONS"))
	register := p.WantRequest("REGISTER")
	p.TimeOut(register)
	p.Advance(2 * time.Second)
	p.Answer(p.WantRequest("REGISTER"), "200 OK", "tag=r")
	p.WantNothing()
	p.Advance(2 * time.Second)
	if refresh := p.WantRequest("SUBSCRIBE").Request; refresh.CallID().Value() != subscribe.Request.CallID().Value() {
		t.Errorf("refreshed with\n%s", refresh)
	}
}

func TestStopEndsSubscriptionsBeforeTheRegistration(t *testing.T) {
	p := newPhone(t, byPresence)
	p.do(sip.WatchQueues{Queues: []string{"kw"}})
	subscribe := p.WantRequest("SUBSCRIBE")
	p.WantResponse(p.notify(subscribe, 1, "active", ""), 200)
	p.wantEvent(sip.QueueUnknown{Queue: "kw"})
	p.Answer(subscribe, "200 OK", "tag=n", "Expires: 3600")
	done := false
	p.Stop(p.Now, func() { done = true })
	leave, unregister := p.WantRequest("SUBSCRIBE"), p.WantRequest("REGISTER")
	if headerOf(t, leave.Request, "Expires") != "0" {
		t.Errorf("left with\n%s", leave.Request)
	}
	p.Answer(unregister, "200 OK", "tag=r")
	p.Answer(leave, "200 OK", "Expires: 0")
	if done {
		t.Error("stopped before the last NOTIFY")
	}
	p.WantResponse(p.notify(subscribe, 2, "terminated;reason=timeout", ""), 200)
	if !done {
		t.Error("not stopped")
	}
}
