// Package uatest is a transaction layer on paper, for tests of transaction users: it writes down what the user sends and
// hands it what a peer would send, in the test's own time. Tests read like message diagrams:
//
//	invite := layer.WantRequest("INVITE")
//	layer.Answer(invite, "180 Ringing", "tag=b")
//	layer.Advance(time.Second)
//	layer.WantNothing()
//
// Messages of the peer pass sipgo's parser, so that the user sees what it would see on a wire. There are no
// retransmissions here: they are the layer's own tests.
package uatest

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction"
)

// Start is when all tests begin.
var Start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// A Sent is one thing that the user sent.
type Sent struct {
	Kind     string // "request", "cancel", "response", "ack"
	Client   transaction.ClientID
	Server   transaction.ServerID
	Request  *sip.Request  // of "request" and "ack"
	Response *sip.Response // of "response"
	Headers  []sip.Header  // of "cancel"
}

func (s Sent) String() string {
	switch s.Kind {
	case "request", "ack":
		return fmt.Sprintf("%s %d:\n%s", s.Kind, s.Client, s.Request)
	case "response":
		return fmt.Sprintf("response %d:\n%s", s.Server, s.Response)
	}
	return fmt.Sprintf("%s %d", s.Kind, s.Client)
}

// A Layer is the fake. It implements transaction.Transactions.
type Layer struct {
	From   string // host and port that messages come from; empty: the exchange's
	Now    time.Time
	Sent   []Sent // not yet looked at
	t      testing.TB
	user   transaction.User
	client transaction.ClientID
	server transaction.ServerID
}

// New makes a layer; Attach its user before anything is to happen.
func New(t testing.TB) *Layer { return &Layer{Now: Start, t: t} }

// Attach joins the user.
func (l *Layer) Attach(user transaction.User) { l.user = user }

// Request records a request.
func (l *Layer) Request(_ time.Time, request *sip.Request) transaction.ClientID {
	l.client++
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: request.Transport(), Host: "192.0.2.9", Port: 5060}
	via.Params.Add("branch", fmt.Sprintf("z9hG4bK%d", l.client))
	request.PrependHeader(via)
	l.Sent = append(l.Sent, Sent{Kind: "request", Client: l.client, Request: request})
	return l.client
}

// Cancel records a CANCEL.
func (l *Layer) Cancel(_ time.Time, id transaction.ClientID, headers ...sip.Header) {
	l.Sent = append(l.Sent, Sent{Kind: "cancel", Client: id, Headers: headers})
}

// Respond records a response.
func (l *Layer) Respond(_ time.Time, id transaction.ServerID, response *sip.Response) {
	l.Sent = append(l.Sent, Sent{Kind: "response", Server: id, Response: response})
}

// ACK records an ACK.
func (l *Layer) ACK(_ time.Time, request *sip.Request) {
	l.Sent = append(l.Sent, Sent{Kind: "ack", Request: request})
}

// take returns the next thing sent.
func (l *Layer) take(want string) Sent {
	l.t.Helper()
	if len(l.Sent) == 0 {
		l.t.Fatalf("nothing sent, want %s", want)
	}
	sent := l.Sent[0]
	l.Sent = l.Sent[1:]
	return sent
}

// WantRequest takes the next thing sent, which must be a request of this method.
func (l *Layer) WantRequest(method string) Sent {
	l.t.Helper()
	sent := l.take(method)
	if sent.Kind != "request" || string(sent.Request.Method) != method {
		l.t.Fatalf("sent %v, want %s", sent, method)
	}
	return sent
}

// WantACK takes the next thing sent, which must be an ACK to a 2xx.
func (l *Layer) WantACK() *sip.Request {
	l.t.Helper()
	sent := l.take("ACK")
	if sent.Kind != "ack" {
		l.t.Fatalf("sent %v, want ACK", sent)
	}
	return sent.Request
}

// WantCancel takes the next thing sent, which must be the CANCEL of this INVITE.
func (l *Layer) WantCancel(invite Sent) {
	l.t.Helper()
	if sent := l.take("CANCEL"); sent.Kind != "cancel" || sent.Client != invite.Client {
		l.t.Fatalf("sent %v, want CANCEL of %d", sent, invite.Client)
	}
}

// WantResponse takes the next thing sent, which must be a response to this request with this status.
func (l *Layer) WantResponse(id transaction.ServerID, status int) *sip.Response {
	l.t.Helper()
	sent := l.take(fmt.Sprint("response ", status))
	if sent.Kind != "response" || sent.Server != id || sent.Response.StatusCode != status {
		l.t.Fatalf("sent %v, want %d to %d", sent, status, id)
	}
	return sent.Response
}

// WantNothing fails when something has been sent that nobody looked at.
func (l *Layer) WantNothing() {
	l.t.Helper()
	if len(l.Sent) > 0 {
		l.t.Fatalf("sent %v, want nothing", l.Sent)
	}
}

// Answer delivers a response to a request: status and phrase, then lines. "tag=x" sets the To tag, a line with a colon is
// a header field, and all after an empty line is the body.
func (l *Layer) Answer(to Sent, status string, lines ...string) {
	l.t.Helper()
	l.user.Handle(l.Now, transaction.ResponseReceived{Transaction: to.Client, Response: l.response(to.Request, status, lines)})
}

func (l *Layer) response(request *sip.Request, status string, lines []string) *sip.Response {
	l.t.Helper()
	tag, head, body := "", "", ""
	for i, line := range lines {
		if line == "" {
			body = strings.Join(lines[i+1:], "\r\n")
			break
		}
		if t, ok := strings.CutPrefix(line, "tag="); ok {
			tag = ";tag=" + t
			continue
		}
		head += line + "\r\n"
	}
	to := request.To().Value()
	if strings.Contains(to, ";tag=") {
		tag = ""
	}
	text := "SIP/2.0 " + status + "\r\n"
	if !strings.Contains(head, "Via:") {
		text += request.Via().String() + "\r\n"
	}
	text += request.From().String() + "\r\nTo: " + to + tag + "\r\n" + request.CallID().String() + "\r\n" +
		request.CSeq().String() + "\r\n" + head
	return l.Parse(text, body).(*sip.Response)
}

// Parse reads a message: its lines without Content-Length, and its body.
func (l *Layer) Parse(head, body string) sip.Message {
	l.t.Helper()
	text := head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	message, err := sip.ParseMessage([]byte(text))
	if err != nil {
		l.t.Fatalf("the test's message cannot be read: %v\n%s", err, text)
	}
	message.SetSource(cmp.Or(l.From, "192.0.2.1:5060"))
	return message
}

// Receive delivers a request written with plain line ends; an empty line begins the body. An ACK gets no transaction.
func (l *Layer) Receive(text string) transaction.ServerID {
	l.t.Helper()
	head, body, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	head = strings.ReplaceAll(strings.TrimSpace(head)+"\n", "\n", "\r\n")
	request := l.Parse(head, strings.ReplaceAll(body, "\n", "\r\n")).(*sip.Request)
	request.SetTransport("UDP")
	if request.Method == sip.ACK {
		l.user.Handle(l.Now, transaction.RequestReceived{Request: request})
		return 0
	}
	l.server++
	id := l.server
	l.user.Handle(l.Now, transaction.RequestReceived{Transaction: id, Request: request})
	return id
}

// Deliver hands the user an event as it stands.
func (l *Layer) Deliver(event transaction.Event) { l.user.Handle(l.Now, event) }

// TimeOut lets a request go unanswered for good.
func (l *Layer) TimeOut(request Sent) { l.Deliver(transaction.TimedOut{Transaction: request.Client}) }

// Advance lets time pass, with a Tick at each deadline on the way.
func (l *Layer) Advance(d time.Duration) {
	l.t.Helper()
	end := l.Now.Add(d)
	for range 10000 {
		next := l.user.Deadline()
		if next.IsZero() || next.After(end) {
			l.Now = end
			return
		}
		if next.After(l.Now) {
			l.Now = next
		}
		l.user.Tick(l.Now)
	}
	l.t.Fatalf("the user wants a Tick at %v again and again", l.user.Deadline())
}
