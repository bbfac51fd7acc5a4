package exchange

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	words "freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/offer"
	"freizeichen/sip/siptest"
	"freizeichen/sip/transaction"
)

// wires stands in for sip/media: it remembers what was agreed and carries nothing.
type wires struct {
	mu     sync.Mutex
	agreed map[words.CallID]words.Media
	opened int
	closed int
}

func (w *wires) Open(call words.CallID) (netip.AddrPort, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), uint16(20000+2*call)), nil
}

func (w *wires) Apply(call words.CallID, m words.Media) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.agreed[call] = m
	return nil
}

func (w *wires) Close(words.CallID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
}

func (w *wires) Send(words.CallID, []int16)         {}
func (w *wires) Receive(words.CallID, []int16) bool { return false }

// A bench is an exchange on a wire, in fake time.
type bench struct {
	*Exchange
	t     *testing.T
	wire  *siptest.Wire
	wires *wires
}

func newBench(t *testing.T, config Config) *bench {
	t.Helper()
	wire := siptest.NewWire(1)
	e := newExchange(config)
	endpoint, err := transaction.Open(transaction.Config{Local: netip.MustParseAddrPort("192.0.2.2:5060"), ListenPacket: wire.ListenPacket})
	if err != nil {
		t.Fatal(err)
	}
	w := &wires{agreed: map[words.CallID]words.Media{}}
	e.attach(endpoint, w)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &bench{e, t, wire, w}
}

// want waits until a condition holds.
func (b *bench) want(what string, holds func() bool) {
	b.t.Helper()
	for range 1200 {
		if holds() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("after two minutes still not: %s", what)
}

// wantEvents compares the queues' events so far.
func (b *bench) wantEvents(want ...string) {
	b.t.Helper()
	time.Sleep(time.Second)
	var got []string
	for _, e := range b.Events() {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%v %s", e.Kind, e.Agent)))
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

// A phone is a scripted user agent: the test says every message.
type phone struct {
	t         *testing.T
	bench     *bench
	user      string
	password  string
	address   netip.AddrPort
	network   string         // "tcp", or else UDP
	sound     netip.AddrPort // where it wants RTP
	endpoint  *transaction.Endpoint
	requests  chan transaction.RequestReceived
	responses chan transaction.Event
	cancels   chan transaction.Cancelled
	cseq      uint32
	challenge string // the last one
	count     int
	status    int // final status of the last request
}

func (p *phone) Deadline() time.Time { return time.Time{} }
func (p *phone) Tick(time.Time)      {}

func (p *phone) Handle(now time.Time, event transaction.Event) {
	switch e := event.(type) {
	case transaction.RequestReceived:
		if e.Request.Method == sip.OPTIONS || e.Request.Method == sip.NOTIFY {
			p.endpoint.Transactions().Respond(now, e.Transaction, dialog.Response(e.Request, 200, "phone"))
		}
		if e.Request.Method != sip.OPTIONS {
			p.requests <- e
		}
	case transaction.Cancelled:
		p.cancels <- e
	default:
		p.responses <- e
	}
}

// phone puts a phone on the wire; it is not registered.
func (b *bench) phone(user, password, address string) *phone {
	b.t.Helper()
	return b.phoneOn(transaction.Config{Local: netip.MustParseAddrPort(address), ListenPacket: b.wire.ListenPacket, Server: "192.0.2.2:5060"}, user, password)
}

func (b *bench) phoneOn(config transaction.Config, user, password string) *phone {
	b.t.Helper()
	p := &phone{
		t: b.t, bench: b, user: user, password: password,
		requests: make(chan transaction.RequestReceived, 100), responses: make(chan transaction.Event, 100), cancels: make(chan transaction.Cancelled, 100),
	}
	var err error
	if p.endpoint, err = transaction.Open(config); err != nil {
		b.t.Fatal(err)
	}
	p.address, p.network = p.endpoint.LocalAddr("udp"), config.Network
	p.sound = netip.AddrPortFrom(p.address.Addr(), 4000)
	ended := make(chan error)
	go func() { ended <- p.endpoint.Run(context.Background(), p) }()
	b.t.Cleanup(func() { p.endpoint.Close(); <-ended })
	return p
}

// agent puts a registered phone on the wire.
func (b *bench) agent(user, address string) *phone {
	b.t.Helper()
	p := b.phone(user, "lab-"+user, address)
	if p.register("Expires: 300"); p.status != 200 {
		b.t.Fatalf("REGISTER of %s: %d", user, p.status)
	}
	return p
}

func (p *phone) contact() string {
	if p.network == "tcp" {
		return fmt.Sprintf("<sip:%s@%s;transport=tcp>", p.user, p.address)
	}
	return fmt.Sprintf("<sip:%s@%s>", p.user, p.address)
}

// message builds a request outside of dialogs.
func (p *phone) message(method sip.RequestMethod, to string, body []byte, lines ...string) *sip.Request {
	p.cseq++
	r := sip.NewRequest(method, sip.Uri{Scheme: "sip", User: to, Host: "192.0.2.2"})
	from := &sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: p.user, Host: "exchange"}}
	from.Params.Add("tag", fmt.Sprintf("%s-%d", p.user, p.cseq))
	callID := sip.CallIDHeader(fmt.Sprintf("%s-%s", p.user, p.address))
	if method != sip.REGISTER {
		callID += sip.CallIDHeader(fmt.Sprint(p.cseq))
	}
	r.AppendHeader(from)
	r.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: to, Host: "exchange"}})
	r.AppendHeader(&callID)
	r.AppendHeader(&sip.CSeqHeader{SeqNo: p.cseq, MethodName: method})
	p.lines(r, lines)
	if body != nil {
		r.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		r.SetBody(body)
	}
	return r
}

func (p *phone) lines(m interface{ AppendHeader(sip.Header) }, lines []string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Contact" && value != "*" {
			var h sip.ContactHeader
			if _, err := sip.ParseAddressValue(value, &h.Address, &h.Params); err != nil {
				p.t.Fatal(err)
			}
			m.AppendHeader(&h)
			continue
		}
		m.AppendHeader(sip.NewHeader(name, value))
	}
}

// send sends a request and returns the final response; provisional ones are given to seen.
func (p *phone) send(r *sip.Request, seen func(*sip.Response)) *sip.Response {
	p.t.Helper()
	p.endpoint.Do(func(now time.Time) { p.endpoint.Transactions().Request(now, r) })
	for {
		select {
		case event := <-p.responses:
			e, ok := event.(transaction.ResponseReceived)
			if !ok {
				p.t.Fatalf("%s: %#v", r.Method, event)
			}
			if p.status = e.Response.StatusCode; p.status >= 200 {
				return e.Response
			}
			if seen != nil {
				seen(e.Response)
			}
		case <-time.After(2 * time.Minute):
			p.t.Fatalf("%s: no final response within 2 minutes", r.Method)
		}
	}
}

// prove adds credentials for the topmost challenge of a response.
func (p *phone) prove(r *sip.Request, challenged *sip.Response) {
	header := "Authorization"
	if challenged != nil {
		h := challenged.GetHeader("WWW-Authenticate")
		if h == nil {
			h, header = challenged.GetHeader("Proxy-Authenticate"), "Proxy-Authorization"
		}
		p.challenge, p.count = h.Value(), 0
	}
	c, err := digest.ParseChallenge(p.challenge)
	if err != nil {
		p.t.Fatal(err)
	}
	p.count++
	credentials, err := digest.Digest(c, digest.Options{Method: string(r.Method), URI: r.Recipient.String(), Username: p.user, Password: p.password, Count: p.count})
	if err != nil {
		p.t.Fatal(err)
	}
	r.AppendHeader(sip.NewHeader(header, credentials.String()))
}

// register sends REGISTER twice: without and with credentials.
func (p *phone) register(lines ...string) *sip.Response {
	p.t.Helper()
	if !slices.ContainsFunc(lines, func(s string) bool { return strings.HasPrefix(s, "Contact") }) {
		lines = append(lines, "Contact: "+p.contact())
	}
	response := p.send(p.message(sip.REGISTER, p.user, nil, lines...), nil)
	if response.StatusCode != 401 {
		return response
	}
	r := p.message(sip.REGISTER, p.user, nil, lines...)
	p.prove(r, response)
	return p.send(r, nil)
}

// A session is a dialog of the phone.
type session struct {
	phone  *phone
	dialog *dialog.Dialog
	local  offer.Local
	remote words.Media
	invite transaction.RequestReceived // for those who are called
	seen   []*sip.Response             // provisional, for those who call
}

func (p *phone) local() offer.Local {
	return offer.Local{Address: p.sound, SessionID: 7, Version: 1}
}

// dial calls a number; the session's dialog is nil unless it is answered.
func (p *phone) dial(number string) *session {
	p.t.Helper()
	s := &session{phone: p, local: p.local()}
	invite := func() *sip.Request {
		return p.message(sip.INVITE, number, offer.Offer(s.local), "Contact: "+p.contact())
	}
	r := invite()
	kept := r.Clone()
	seen := func(r *sip.Response) { s.seen = append(s.seen, r) }
	response := p.send(r, seen)
	if response.StatusCode == 401 || response.StatusCode == 407 {
		r = invite()
		p.prove(r, response)
		kept = r.Clone()
		response = p.send(r, seen)
	}
	if response.StatusCode == 200 {
		s.confirm(kept, response)
	}
	return s
}

func (s *session) confirm(invite *sip.Request, response *sip.Response) {
	p := s.phone
	p.t.Helper()
	var err error
	if s.dialog, err = dialog.NewUAC(invite, response); err != nil {
		p.t.Fatal(err)
	}
	if s.remote, err = offer.Accept(s.local, response.Body()); err != nil {
		p.t.Fatalf("%v\n%s", err, response)
	}
	ack := s.dialog.ACK(response)
	p.endpoint.Do(func(now time.Time) { p.endpoint.Transactions().ACK(now, ack) })
}

// answerInACK acknowledges a 200 that had the offer.
func (s *session) answerInACK(invite *sip.Request, response *sip.Response, answer []byte) {
	s.phone.t.Helper()
	var err error
	if s.dialog, err = dialog.NewUAC(invite, response); err != nil {
		s.phone.t.Fatal(err)
	}
	ack := s.dialog.ACK(response)
	ack.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	ack.SetBody(answer)
	s.phone.endpoint.Do(func(now time.Time) { s.phone.endpoint.Transactions().ACK(now, ack) })
}

// expect waits for a request.
func (p *phone) expect(method sip.RequestMethod) transaction.RequestReceived {
	p.t.Helper()
	select {
	case e := <-p.requests:
		if e.Request.Method != method {
			p.t.Fatalf("%s got\n%s\nwant %s", p.user, e.Request, method)
		}
		return e
	case <-time.After(2 * time.Minute):
		p.t.Fatalf("%s: no %s within 2 minutes", p.user, method)
		panic("unreachable")
	}
}

// quiet checks that nothing comes for a while.
func (p *phone) quiet(long time.Duration) {
	p.t.Helper()
	select {
	case e := <-p.requests:
		p.t.Fatalf("%s got an unexpected %s", p.user, e.Request.Method)
	case <-time.After(long):
	}
}

func (p *phone) respond(e transaction.RequestReceived, status int, body []byte) *sip.Response {
	r := dialog.Response(e.Request, status, "tag-"+p.user)
	p.lines(r, []string{"Contact: " + p.contact()})
	if body != nil {
		r.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		r.SetBody(body)
	}
	p.endpoint.Do(func(now time.Time) { p.endpoint.Transactions().Respond(now, e.Transaction, r) })
	return r
}

// ring waits for an INVITE and answers 180.
func (p *phone) ring() transaction.RequestReceived {
	p.t.Helper()
	e := p.expect(sip.INVITE)
	p.respond(e, 180, nil)
	return e
}

// lift answers an INVITE and waits for the ACK.
func (p *phone) lift(e transaction.RequestReceived) *session {
	p.t.Helper()
	s := &session{phone: p, invite: e, local: p.local()}
	answer, m, err := offer.Answer(s.local, e.Request.Body())
	if err != nil {
		p.t.Fatal(err)
	}
	s.remote = m
	if s.dialog, err = dialog.NewUAS(e.Request, "tag-"+p.user); err != nil {
		p.t.Fatal(err)
	}
	s.dialog.Confirm(nil)
	p.respond(e, 200, answer)
	p.expect(sip.ACK)
	return s
}

// request sends a request inside the dialog.
func (s *session) request(method sip.RequestMethod, body []byte, lines ...string) *sip.Response {
	s.phone.t.Helper()
	r := s.dialog.Request(method)
	s.phone.lines(r, lines)
	if body != nil {
		r.SetBody(body)
	}
	return s.phone.send(r, nil)
}

// reinvite offers a new direction and returns what the exchange answers.
func (s *session) reinvite(direction words.Direction) words.Media {
	s.phone.t.Helper()
	s.local.Direction = direction
	s.local.Version++
	response := s.request(sip.INVITE, offer.Offer(s.local), "Contact: "+s.phone.contact(), "Content-Type: application/sdp")
	if response.StatusCode != 200 {
		s.phone.t.Fatalf("re-INVITE: %d", response.StatusCode)
	}
	m, err := offer.Accept(s.local, response.Body())
	if err != nil {
		s.phone.t.Fatal(err)
	}
	ack := s.dialog.ACK(response)
	s.phone.endpoint.Do(func(now time.Time) { s.phone.endpoint.Transactions().ACK(now, ack) })
	return m
}

// bye hangs up.
func (s *session) bye() {
	s.phone.t.Helper()
	if s.request(sip.BYE, nil).StatusCode != 200 {
		s.phone.t.Errorf("BYE: %d", s.phone.status)
	}
}

// expectBye waits for the exchange's BYE, answers it and returns its Reason.
func (s *session) expectBye() string {
	s.phone.t.Helper()
	e := s.phone.expect(sip.BYE)
	s.phone.respond(e, 200, nil)
	if h := e.Request.GetHeader("Reason"); h != nil {
		return h.Value()
	}
	return ""
}

// expectNotify waits for the state of a transfer.
func (s *session) expectNotify(state, sipfrag string) {
	s.phone.t.Helper()
	r := s.phone.expect(sip.NOTIFY).Request
	if got := strings.TrimSpace(string(r.Body())); got != sipfrag {
		s.phone.t.Errorf("NOTIFY with %q, want %q", got, sipfrag)
	}
	if got := r.GetHeader("Subscription-State").Value(); !strings.HasPrefix(got, state) {
		s.phone.t.Errorf("Subscription-State %q, want %q", got, state)
	}
	if got := r.GetHeader("Event").Value(); got != "refer" {
		s.phone.t.Errorf("Event %q", got)
	}
}
