package notifier

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/uatest"
)

// A desk is a notifier on a network of paper.
type desk struct {
	*uatest.Layer
	*Notifier
	t *testing.T
}

func newDesk(t *testing.T) *desk {
	d := &desk{Layer: uatest.New(t), t: t}
	contact := func(string) *sip.ContactHeader {
		return &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "exchange", Host: "192.0.2.2"}}
	}
	d.Notifier = New(Config{Contact: contact}, d.Layer)
	d.Attach(d)
	return d
}

func (d *desk) Handle(now time.Time, event transaction.Event) {
	if received, ok := event.(transaction.RequestReceived); ok {
		d.Notifier.Receive(now, received.Transaction, received.Request)
	} else if !d.Notifier.Handle(now, event) {
		d.t.Errorf("%T is not the notifier's", event)
	}
}

// subscribe sends a SUBSCRIBE; lines come in the place of header fields of the same name.
func (d *desk) subscribe(cseq int, lines ...string) transaction.ServerID {
	d.t.Helper()
	text := fmt.Sprintf("SUBSCRIBE sip:cc-kw@exchange SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK-%d\nCSeq: %d SUBSCRIBE\nCall-ID: c\n", cseq, cseq)
	for _, usual := range []string{"From: <sip:201@exchange>;tag=phone", "To: <sip:cc-kw@exchange>", "Contact: <sip:p@192.0.2.9>", "Event: presence",
		"Accept: application/pidf+xml", "Expires: 600", "User-Agent: Digium-compatible x"} {
		name, _, _ := strings.Cut(usual, ":")
		for _, line := range lines {
			if strings.HasPrefix(line, name+":") {
				usual = line
			}
		}
		if usual != name+":" {
			text += usual + "\n"
		}
	}
	return d.Layer.Receive(text)
}

// subscribed is a desk with one subscriber, and the first NOTIFY.
func subscribed(t *testing.T, lines ...string) (*desk, string, uatest.Sent) {
	d := newDesk(t)
	ok := d.WantResponse(d.subscribe(1, lines...), 200)
	return d, "To: " + ok.To().Value(), d.WantRequest("NOTIFY")
}

func state(t *testing.T, notify uatest.Sent) string {
	t.Helper()
	return notify.Request.GetHeader("Subscription-State").Value()
}

func TestSubscriptionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		line string
		want int
	}{
		{"Event: dialog", 489}, {"Event:", 489}, {"Accept: text/plain", 406}, {"Expires: 9", 423}, {"Contact:", 400}, {"To: <sip:cc-kw@exchange>;tag=unknown", 481},
	} {
		d := newDesk(t)
		d.WantResponse(d.subscribe(1, c.line), c.want)
		if d.WantNothing(); d.Subscribers("") != 0 {
			t.Errorf("%s: a subscription", c.line)
		}
	}
	d := newDesk(t)
	id := d.Layer.Receive(strings.ReplaceAll("SUBSCRIBE sip:201@exchange SIP/2.0|Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1|From: <sip:2@x>;tag=1|To: <sip:201@x>|"+
		"Call-ID: 1|CSeq: 1 SUBSCRIBE|Event: presence|Contact: <sip:p@192.0.2.9>", "|", "\n"))
	d.WantResponse(id, 404)
}

func TestASubscriberIsToldAtOnceAndAtEachChange(t *testing.T) {
	d, _, first := subscribed(t)
	if got := state(t, first); got != "active;expires=600" {
		t.Error(got)
	}
	if _, err := presence.ReadDocument(first.Request.Body()); err != nil {
		t.Error(err)
	}
	d.Set(d.Now, "cc-kw", "{1}")
	d.Set(d.Now, "cc-kw", "{2}")
	d.WantNothing() // the first is under way
	d.Answer(first, "200 OK")
	second := d.WantRequest("NOTIFY")
	if document, err := presence.ReadDocument(second.Request.Body()); err != nil || len(document.Texts) != 1 || document.Texts[0] != "{2}" || document.Subtype != "queue" {
		t.Errorf("%+v, %v", document, err)
	}
	d.Answer(second, "200 OK")
	d.Set(d.Now, "cc-kw", "{2}")
	d.WantNothing() // no change
}

func TestOnlyDigiumPhonesAreToldTheText(t *testing.T) {
	d, _, first := subscribed(t, "User-Agent: Freizeichen")
	d.Answer(first, "200 OK")
	d.Set(d.Now, "cc-kw", "{1}")
	if document, err := presence.ReadDocument(d.WantRequest("NOTIFY").Request.Body()); err != nil || len(document.Texts) != 0 {
		t.Errorf("%+v, %v", document, err)
	}
}

func TestASubscriptionIsRefreshedAndEnds(t *testing.T) {
	d, to, first := subscribed(t, "Expires: 60")
	d.Answer(first, "200 OK")
	d.Advance(50 * time.Second)
	d.WantResponse(d.subscribe(2, to, "Expires: 60"), 200)
	d.Answer(d.WantRequest("NOTIFY"), "200 OK")
	d.WantResponse(d.subscribe(1, to), 500) // older
	d.WantResponse(d.subscribe(3, to, "Event: dialog"), 489)
	d.WantResponse(d.subscribe(4, to, "Expires: 1"), 423)
	d.Advance(59 * time.Second)
	d.WantNothing()
	d.Advance(time.Second)
	last := d.WantRequest("NOTIFY")
	if got := state(t, last); got != "terminated;reason=timeout" || d.Subscribers("cc-kw") != 0 {
		t.Error(got)
	}
	d.Answer(last, "200 OK")
	if !d.Notifier.Deadline().IsZero() {
		t.Error("a deadline is left")
	}
}

func TestUnsubscribeAndAskingOnce(t *testing.T) {
	d, to, first := subscribed(t)
	d.Answer(first, "200 OK")
	d.WantResponse(d.subscribe(2, to, "Expires: 0"), 200)
	if got := state(t, d.WantRequest("NOTIFY")); got != "terminated;reason=timeout" {
		t.Error(got)
	}
	d, _, once := subscribed(t, "Expires: 0")
	if got := state(t, once); got != "terminated;reason=timeout" || d.Subscribers("") != 0 {
		t.Error(got)
	}
}

func TestARefusedNotifyEndsTheSubscription(t *testing.T) {
	for status, left := range map[string]int{"481 Gone": 0, "500 Server Error": 1, "415 Unsupported": 1} {
		d, _, first := subscribed(t)
		if d.Answer(first, status); d.Subscribers("") != left {
			t.Errorf("%s: %d subscriptions", status, d.Subscribers(""))
		}
	}
	d, _, first := subscribed(t)
	d.Forget()
	if d.Subscribers("") != 0 || d.Notifier.Handle(d.Now, transaction.TimedOut{Transaction: first.Client}) {
		t.Error("something is left of a subscription that was forgotten")
	}
}
