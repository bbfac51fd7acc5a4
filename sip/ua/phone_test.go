package ua

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/uatest"
)

// A phone is an agent between a network on paper and a media that remembers. It is registered from the beginning.
type phone struct {
	*uatest.Layer
	*Agent
	t      testing.TB
	media  *memory
	events []sip.Event
}

// memory is the Media of the tests.
type memory struct {
	t       testing.TB
	open    map[sip.CallID]bool
	applied map[sip.CallID][]sip.Media
	digits  string
	refuse  bool // Open fails
	deaf    bool // Apply fails
}

func (m *memory) Open(call sip.CallID) (netip.AddrPort, error) {
	if m.refuse {
		return netip.AddrPort{}, errors.New("no port")
	}
	if _, known := m.open[call]; known {
		m.t.Errorf("the sound of call %d is opened twice", call)
	}
	m.open[call] = true
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), uint16(20000+2*call)), nil
}

func (m *memory) Apply(call sip.CallID, agreed sip.Media) error {
	if !m.open[call] {
		m.t.Errorf("sound of call %d applied, which is not open", call)
	}
	if m.deaf {
		return errors.New("no memory")
	}
	m.applied[call] = append(m.applied[call], agreed)
	return nil
}

func (m *memory) SendDigit(call sip.CallID, digit byte) { m.digits += string(rune(digit)) }

func (m *memory) Close(call sip.CallID) {
	if !m.open[call] {
		m.t.Errorf("sound of call %d closed, which is not open", call)
	}
	m.open[call] = false
}

// direction is the last direction applied.
func (m *memory) direction(call sip.CallID) sip.Direction {
	m.t.Helper()
	applied := m.applied[call]
	if len(applied) == 0 {
		m.t.Fatalf("nothing applied for call %d", call)
	}
	return applied[len(applied)-1].Direction
}

func (p *phone) Handle(now time.Time, event transaction.Event) { p.Agent.Handle(now, event) }
func (p *phone) Deadline() time.Time                           { return p.Agent.Deadline() }
func (p *phone) Tick(now time.Time)                            { p.Agent.Tick(now) }

func newPhone(t testing.TB, change ...func(*Config)) *phone {
	t.Helper()
	p := &phone{Layer: uatest.New(t), t: t}
	p.media = &memory{t: t, open: map[sip.CallID]bool{}, applied: map[sip.CallID][]sip.Media{}}
	config := Config{
		Account: sip.Account{User: "201", Password: "lab-201", Name: `Amt "36"`, Domain: "pbx.example", Server: "192.0.2.1:5060",
			Expires: 24 * time.Hour},
		Local:     func() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.9:5060") },
		UserAgent: "Freizeichen",
		Random:    rand.New(rand.NewPCG(7, 7)),
	}
	for _, f := range change {
		f(&config)
	}
	p.Agent = New(config, p.Layer, p.media, func(event sip.Event) { p.events = append(p.events, event) })
	p.Attach(p)
	p.Start(p.Now)
	p.Answer(p.WantRequest("REGISTER"), "200 OK", "tag=r")
	p.wantEvent(sip.Registered{Expires: 24 * time.Hour})
	return p
}

func (p *phone) do(command sip.Command) { p.Do(p.Now, command) }

func (p *phone) wantEvent(want sip.Event) {
	p.t.Helper()
	if len(p.events) == 0 {
		p.t.Fatalf("no event, want %T%+v", want, want)
	}
	got := p.events[0]
	p.events = p.events[1:]
	if !reflect.DeepEqual(got, want) {
		p.t.Fatalf("event %T%+v, want %T%+v", got, got, want, want)
	}
}

func (p *phone) wantNoEvent() {
	p.t.Helper()
	if len(p.events) > 0 {
		p.t.Fatalf("event %T%+v, want none", p.events[0], p.events[0])
	}
}

// wantOver checks that nothing of a call is left, neither here nor on the way.
func (p *phone) wantOver() {
	p.t.Helper()
	p.wantNoEvent()
	p.WantNothing()
	if len(p.calls) > 0 {
		p.t.Errorf("%d calls are left", len(p.calls))
	}
	for call, open := range p.media.open {
		if open {
			p.t.Errorf("the sound of call %d is still open", call)
		}
	}
}

// description is an offer or answer of the peer, with further lines.
func description(lines ...string) []string {
	return append([]string{"v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 10000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"}, lines...)
}

// withSDP are the lines of a response that carries a description.
func withSDP(sdp []string, lines ...string) []string {
	return append(append(lines, "Content-Type: application/sdp", ""), sdp...)
}

// body is a description at the end of a request.
func body(lines ...string) string { return strings.Join(description(lines...), "\n") + "\n" }

// A caller is the peer of an incoming call: it writes its requests.
type callerOf struct {
	*phone
	callID string
	tag    string // of the phone
	cseq   int
}

// request writes a request of the caller; lines are header fields.
func (c *callerOf) request(method string, cseq int, sdp string, lines ...string) string {
	to := "<sip:201@pbx.example>"
	if c.tag != "" {
		to += ";tag=" + c.tag
	}
	text := fmt.Sprintf("%s sip:201@192.0.2.9:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-%s-%d-%s;rport\n"+
		"From: \"Erika Müller\" <sip:+4928415551234@pbx.example>;tag=theirs\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n",
		method, c.callID, cseq, method, to, c.callID, cseq, method)
	if method == "INVITE" || method == "UPDATE" {
		text += "Contact: <sip:erika@192.0.2.1:5060>\n"
	}
	for _, line := range lines {
		text += line + "\n"
	}
	if sdp != "" {
		text += "Content-Type: application/sdp\n\n" + sdp
	}
	return text
}

// next sends the next request of the dialog.
func (c *callerOf) next(method, sdp string, lines ...string) transaction.ServerID {
	c.t.Helper()
	c.cseq++
	return c.Receive(c.request(method, c.cseq, sdp, lines...))
}

// ack acknowledges the INVITE with the caller's present CSeq.
func (c *callerOf) ack(sdp string) { c.Receive(c.request("ACK", c.cseq, sdp)) }

// rings lets a call come in and takes 180 and Incoming.
func (p *phone) rings(callID, sdp string, lines ...string) (*callerOf, transaction.ServerID, sip.Incoming) {
	p.t.Helper()
	c := &callerOf{phone: p, callID: callID, cseq: 1}
	id := p.Receive(c.request("INVITE", 1, sdp, lines...))
	ringing := p.WantResponse(id, 180)
	c.tag = dialog.IDOfResponse(ringing).RemoteTag
	if len(p.events) == 0 {
		p.t.Fatal("no event, want Incoming")
	}
	incoming, ok := p.events[0].(sip.Incoming)
	if !ok {
		p.t.Fatalf("event %T, want Incoming", p.events[0])
	}
	p.events = p.events[1:]
	return c, id, incoming
}

// talks is an incoming call that has been answered and acknowledged.
func (p *phone) talks(lines ...string) (*callerOf, sip.CallID) {
	p.t.Helper()
	c, id, incoming := p.rings("in-1", body(), lines...)
	p.do(sip.Answer{Call: incoming.Call})
	p.WantResponse(id, 200)
	p.wantEvent(sip.Answered{Call: incoming.Call})
	c.ack("")
	p.WantNothing()
	return c, incoming.Call
}

// dials is an outgoing call that has been answered; Sent is its INVITE.
func (p *phone) dials(lines ...string) (uatest.Sent, sip.CallID) {
	p.t.Helper()
	p.do(sip.Dial{Call: 1, Number: "115"})
	invite := p.WantRequest("INVITE")
	p.Answer(invite, "200 OK", withSDP(description(), append(lines, "tag=b", "Contact: <sip:b@192.0.2.1>")...)...)
	p.WantACK()
	p.wantEvent(sip.Answered{Call: 1})
	return invite, 1
}

// asks sends a request of the callee in the dialog of an outgoing call.
func (p *phone) asks(invite uatest.Sent, method string, cseq int, sdp string, lines ...string) transaction.ServerID {
	p.t.Helper()
	request := invite.Request
	text := fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-b-%d-%s\nFrom: %s;tag=b\nTo: %s\n"+
		"Call-ID: %s\nCSeq: %d %s\nContact: <sip:b@192.0.2.1>\n", method, request.Contact().Address.String(), cseq, method,
		request.To().Value(), request.From().Value(), request.CallID().Value(), cseq, method)
	for _, line := range lines {
		text += line + "\n"
	}
	if sdp != "" {
		text += "Content-Type: application/sdp\n\n" + sdp
	}
	return p.Receive(text)
}

// fragment is a NOTIFY with news of a REFER.
func (p *phone) fragment(invite uatest.Sent, cseq int, state, status string) transaction.ServerID {
	p.t.Helper()
	head := p.asksText(invite, cseq, state)
	return p.Receive(head + "\n" + status + "\n")
}

func (p *phone) asksText(invite uatest.Sent, cseq int, state string) string {
	request := invite.Request
	return fmt.Sprintf("NOTIFY %s SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-n-%d\nFrom: %s;tag=b\nTo: %s\n"+
		"Call-ID: %s\nCSeq: %d NOTIFY\nEvent: refer\nSubscription-State: %s\nContent-Type: message/sipfrag;version=2.0\n",
		request.Contact().Address.String(), cseq, request.To().Value(), request.From().Value(), request.CallID().Value(), cseq, state)
}

// header is the text of a header field that must be there.
func headerOf(t testing.TB, message interface{ GetHeaders(string) []sipgo.Header }, name string) string {
	t.Helper()
	headers := message.GetHeaders(name)
	if len(headers) == 0 {
		t.Fatalf("no %s in\n%v", name, message)
	}
	return headers[0].Value()
}
