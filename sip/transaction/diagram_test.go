package transaction

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// A diagram is a conversation as text, one step a line: a time, who, what.
//
//	0s     user  INVITE        the user sends a request; user 200 answers the last request that came
//	0s     >     INVITE        the layer sends this at this time, and nothing else before
//	1s     <     180           the peer sends this: a response to our request, or a request
//	1s     !     180           the layer tells the user this
//	32s    end                 nothing else was sent or told, and no transaction is left
type diagram struct {
	t       *testing.T
	layer   *Layer
	network string
	start   time.Time
	now     time.Time
	log     []string // what the layer did and nobody has looked at: "500ms > INVITE"

	sent   map[string]*sip.Request // our last request by method, as it was on the wire
	client ClientID                // of the user's last request
	method string                  // of it
	server ServerID                // of the last request told to the user
	got    *sip.Request            // that request
	last   *sip.Response           // what fate saw
}

func newDiagram(t *testing.T, network string, set Settings) *diagram {
	t.Helper()
	tokens := 0
	set.Token = func() string { tokens++; return "t" + strconv.Itoa(tokens) }
	if set.Hop == nil {
		set.Hop = func(*sip.Request) Hop {
			return Hop{Network: network, Destination: "192.0.2.2:5060", Host: "192.0.2.1", Port: 5060}
		}
	}
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return &diagram{t: t, layer: New(set), network: network, start: start, now: start, sent: map[string]*sip.Request{}}
}

// play checks a conversation.
func play(t *testing.T, network, text string) {
	t.Helper()
	newDiagram(t, network, Settings{}).play(text)
}

func (d *diagram) play(text string) {
	d.t.Helper()
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		at, err := time.ParseDuration(words[0])
		if err != nil {
			d.t.Fatal(err)
		}
		d.advance(d.start.Add(at))
		d.step(strings.TrimSpace(line), words[0], words[1], strings.Join(words[2:], " "))
	}
}

func (d *diagram) step(line, at, who, what string) {
	d.t.Helper()
	switch who {
	case ">", "!":
		want := at + " " + who + " " + what
		if len(d.log) == 0 || d.log[0] != want {
			d.t.Fatalf("%s: want that, the layer did %q", line, d.log)
		}
		d.log = d.log[1:]
		return
	case "end":
		if len(d.log) > 0 || d.layer.Len() > 0 || !d.layer.Deadline().IsZero() || len(d.layer.byVia)+len(d.layer.servers)+len(d.layer.merges) > 0 {
			d.t.Fatalf("%s: want nothing, have %q and %d transactions", line, d.log, d.layer.Len())
		}
		return
	}
	if len(d.log) > 0 {
		d.t.Fatalf("%s: before that nobody expected %q", line, d.log)
	}
	if who == "user" {
		d.user(what)
	} else {
		d.peer(what)
	}
	d.drain()
}

// advance lets time pass, deadline by deadline.
func (d *diagram) advance(to time.Time) {
	for due := d.layer.Deadline(); !due.IsZero() && !due.After(to); due = d.layer.Deadline() {
		d.now = due
		d.layer.Tick(due)
		d.drain()
	}
	d.now = to
}

func (d *diagram) drain() {
	sends, events := d.layer.Drain()
	for _, s := range sends {
		m, err := message.Parse(s.Data)
		if err != nil {
			d.t.Fatalf("the layer sent what nobody can read: %v\n%s", err, s.Data)
		}
		if s.Network != d.network {
			d.t.Errorf("sent by %s, want %s", s.Network, d.network)
		}
		d.write(">", d.describe(m))
		if r, ok := m.(*sip.Request); ok {
			d.sent[string(r.Method)] = r
		}
	}
	for _, e := range events {
		d.write("!", d.describeEvent(e))
	}
}

func (d *diagram) write(who, what string) {
	d.log = append(d.log, fmt.Sprintf("%v %s %s", shortDuration(d.now.Sub(d.start)), who, what))
}

func shortDuration(v time.Duration) string {
	if v%time.Second == 0 {
		return fmt.Sprintf("%ds", v/time.Second)
	}
	return v.String()
}

func (d *diagram) describe(m sip.Message) string {
	switch m := m.(type) {
	case *sip.Request:
		return string(m.Method)
	case *sip.Response:
		return fmt.Sprintf("%d %s", m.StatusCode, m.CSeq().MethodName)
	}
	return "?"
}

func (d *diagram) describeEvent(e Event) string {
	switch e := e.(type) {
	case RequestReceived:
		if e.Transaction == 0 {
			return string(e.Request.Method) + " alone"
		}
		d.server, d.got = e.Transaction, e.Request
		return string(e.Request.Method)
	case ResponseReceived:
		if e.Transaction == 0 {
			return strconv.Itoa(e.Response.StatusCode) + " alone"
		}
		return strconv.Itoa(e.Response.StatusCode)
	case Cancelled:
		return "cancelled"
	case TimedOut:
		return "timed out"
	case Failed:
		return "failed"
	case NoACK:
		return "no ACK"
	}
	return "?"
}

// user does what the transaction user does.
func (d *diagram) user(what string) {
	d.t.Helper()
	status, err := strconv.Atoi(what)
	switch {
	case err == nil:
		d.layer.Respond(d.now, d.server, sip.NewResponseFromRequest(d.got, status, "Status", nil))
	case what == "cancel":
		d.layer.Cancel(d.now, d.client, sip.NewHeader("Reason", "SIP;cause=200"))
	case what == "cannot send":
		d.layer.SendFailed(d.now, d.client, errors.New("port unreachable"))
	case what == "ACK":
		d.layer.ACK(d.now, newRequest(sip.ACK, "sip:pbx@192.0.2.2", "call"))
	default:
		d.method = what
		d.client = d.layer.Request(d.now, newRequest(sip.RequestMethod(what), "sip:pbx@192.0.2.2", "call"))
	}
}

// peer receives "200", "200 CANCEL", "200 INVITE fork", "INVITE", "INVITE b2" ...
func (d *diagram) peer(what string) {
	d.t.Helper()
	words := append(strings.Fields(what), "", "")
	status, err := strconv.Atoi(words[0])
	if err != nil {
		branch := words[1]
		if branch == "" {
			branch = "b1"
		}
		d.receive(incoming(d.network, words[0], branch))
		return
	}
	method := words[1]
	if method == "" {
		method = d.method
	}
	r := d.sent[method]
	if r == nil {
		d.t.Fatalf("no %q was sent that could be answered", method)
	}
	res := sip.NewResponseFromRequest(r, status, "Status", nil)
	if words[2] != "" {
		res.To().Params.Add("tag", words[2])
	}
	d.receive(res.String())
}

func (d *diagram) receive(text string) {
	d.t.Helper()
	m, err := message.Parse([]byte(text))
	fault, faulty := errors.AsType[*message.Fault](err)
	if err != nil && !faulty {
		d.t.Fatalf("%v: %s", err, text)
	}
	m.SetTransport(d.network)
	m.SetSource("192.0.2.2:5060")
	if faulty {
		d.layer.ReceiveFault(d.now, m.(*sip.Request), fault)
		return
	}
	d.layer.Receive(d.now, m)
}

// incoming is a request of the peer. The branch "old" makes it one of RFC 2543.
func incoming(network, method, branch string) string { return incomingTo(network, method, branch, "") }

func incomingTo(network, method, branch, toTag string) string {
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	if branch == "old" {
		branch = ""
	} else {
		branch = ";branch=z9hG4bK" + branch
	}
	return method + " sip:201@192.0.2.1 SIP/2.0\r\n" +
		"Via: SIP/2.0/" + network + " 192.0.2.2:5060" + branch + "\r\n" +
		"From: <sip:pbx@192.0.2.2>;tag=p\r\nTo: <sip:201@192.0.2.1>" + toTag + "\r\n" +
		"Call-ID: incoming\r\nCSeq: 7 " + method + "\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
}
