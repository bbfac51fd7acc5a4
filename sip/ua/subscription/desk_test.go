package subscription

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/uatest"
)

// A desk is a watch on a network of paper.
type desk struct {
	*uatest.Layer
	*Watch
	t      *testing.T
	client *client.Client
	events []sip.Event
}

func newDesk(t *testing.T, source Source) *desk {
	d := &desk{Layer: uatest.New(t), t: t}
	d.client = client.New(client.Config{
		Account:   sip.Account{User: "201", Password: "lab-201", Domain: "pbx.example", Server: "192.0.2.1:5060"},
		UserAgent: "Freizeichen/1", Random: rand.New(rand.NewPCG(5, 5)),
	}, d.Layer)
	contact := func() sipgo.Header {
		return &sipgo.ContactHeader{Address: sipgo.Uri{Scheme: "sip", User: "phone", Host: "192.0.2.9", Port: 5060}}
	}
	d.Watch = New(Config{Source: source, UserAgent: "Freizeichen/1", Contact: contact}, d.client, d.Layer, func(e sip.Event) { d.events = append(d.events, e) })
	d.Attach(d)
	return d
}

// queues is a desk that watches one queue by presence; the SUBSCRIBE has been sent.
func queues(t *testing.T) (*desk, uatest.Sent) {
	d := newDesk(t, Source{Kind: Presence, Prefix: "cc-"})
	d.Online(d.Now, true)
	d.Queues(d.Now, []string{"kw"})
	return d, d.WantRequest("SUBSCRIBE")
}

func (d *desk) Handle(now time.Time, event transaction.Event) {
	if d.client.Handle(now, event) {
		return
	}
	received := event.(transaction.RequestReceived)
	if !d.Watch.Receive(now, received.Transaction, received.Request) {
		d.Respond(now, received.Transaction, dialog.Response(received.Request, 481, "x"))
	}
}

func (d *desk) Receive(text string) transaction.ServerID { return d.Layer.Receive(text) }

// A note is a NOTIFY.
type note struct {
	tag, state, event, kind, body, more string
	cseq                                int
}

// notify sends a NOTIFY to a SUBSCRIBE and wants it answered so.
func (d *desk) notify(to uatest.Sent, n note, status int) {
	d.t.Helper()
	if n.tag == "" {
		n.tag = "pbx"
	}
	if n.cseq == 0 {
		n.cseq = 1
	}
	if n.state == "" {
		n.state = "active;expires=600"
	}
	if n.event == "" {
		n.event = headerOf(d.t, to.Request, "Event")
	}
	if n.kind == "" {
		n.kind = headerOf(d.t, to.Request, "Accept")
	}
	text := fmt.Sprintf("NOTIFY sip:phone@192.0.2.9:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-%s-%d-%d\n"+
		"From: %s;tag=%s\nTo: %s\nCall-ID: %s\nCSeq: %d NOTIFY\nContact: <sip:pbx@192.0.2.1:5060>\nEvent: %s\n%s",
		n.tag, n.cseq, len(d.events), strings.Split(to.Request.To().Value(), ";tag=")[0], n.tag, to.Request.From().Value(), to.Request.CallID().Value(), n.cseq, n.event, n.more)
	if n.state != "none" {
		text += "Subscription-State: " + n.state + "\n"
	}
	if n.body != "" {
		text += "Content-Type: " + n.kind + "\n\n" + n.body
	}
	d.WantResponse(d.Receive(text), status)
}

// report is a body with so many waiting callers.
func report(waiting int) string {
	s := sip.QueueStatus{Queue: "kw", At: uatest.Start, Valid: 90 * time.Second, Waiting: waiting, SignedIn: 2, Free: 1}
	if waiting > 0 {
		s.Oldest = uatest.Start.Add(-time.Second)
	}
	text, err := presence.Text(s)
	if err != nil {
		panic(err)
	}
	return string(presence.Queue("sip:cc-kw@pbx.example", text))
}

// wantWaiting takes the next event, a report of so many waiting callers.
func (d *desk) wantWaiting(waiting int) {
	d.t.Helper()
	if reported, ok := d.event().(sip.QueueReported); !ok || reported.Status.Waiting != waiting {
		d.t.Fatalf("event %T%+v, want %d waiting", reported, reported, waiting)
	}
}

func (d *desk) event() sip.Event {
	d.t.Helper()
	if len(d.events) == 0 {
		d.t.Fatal("no event")
	}
	event := d.events[0]
	d.events = d.events[1:]
	return event
}

func (d *desk) want(want sip.Event) {
	d.t.Helper()
	if got := d.event(); !reflect.DeepEqual(got, want) {
		d.t.Fatalf("event %T%+v, want %T%+v", got, got, want, want)
	}
}

// wantQuiet checks that nothing has been sent or told.
func (d *desk) wantQuiet() {
	d.t.Helper()
	d.WantNothing()
	if len(d.events) > 0 {
		d.t.Fatalf("event %T%+v, want none", d.events[0], d.events[0])
	}
}

// again waits for the next SUBSCRIBE, at most so long, and says after what time it came.
func (d *desk) again(most time.Duration) (uatest.Sent, time.Duration) {
	d.t.Helper()
	began := d.Now
	for len(d.Sent) == 0 && d.Now.Sub(began) < most {
		d.Advance(min(max(d.Watch.Deadline().Sub(d.Now), time.Millisecond), most))
	}
	return d.WantRequest("SUBSCRIBE"), d.Now.Sub(began)
}

func headerOf(t testing.TB, message interface{ GetHeaders(string) []sipgo.Header }, name string) string {
	t.Helper()
	headers := message.GetHeaders(name)
	if len(headers) != 1 {
		t.Fatalf("%d %s in\n%v", len(headers), name, message)
	}
	return headers[0].Value()
}
