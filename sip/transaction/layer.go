package transaction

import (
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

const (
	// magicCookie begins every branch of RFC 3261 section 8.1.1.7.
	magicCookie = "z9hG4bK"
	// transactionsMax is the default of Settings.TransactionsMax: 32 s of 250 requests a second, 32 MB at most.
	transactionsMax = 8192
	// datagramMax is the largest request that may go by UDP while the path MTU is unknown (RFC 3261 section 18.1.1).
	datagramMax = 1300
	// tryingDelay is how long the user may take before the layer answers an INVITE with 100 (RFC 3261 section 17.2.1).
	tryingDelay = 200 * time.Millisecond
)

var errFull = errors.New("transaction: too many transactions")

// Settings are what a Layer needs to know. They do not change afterwards.
type Settings struct {
	Timers          Timers
	Methods         []string // what the user understands, for Allow; empty allows every known method
	Extensions      []string // option tags the user understands, for Require and Supported
	TransactionsMax int      // client transactions, and as many server transactions; zero means 8192
	// Hop says how a request leaves. It is asked once for every request and must not block.
	Hop func(*sip.Request) Hop
	// Token makes unguessable text for branches and tags (RFC 3261 section 19.3); nil means crypto/rand.
	Token func() string
}

// A Hop is the first step of a request's way.
type Hop struct {
	Network     string // "UDP" or "TCP"
	Destination string // "host:port", or "host" for a name that SRV records may know
	Host        string // sent-by of the Via: our address as the destination sees it
	Port        int
	// LargeOverTCP lets a request of more than 1300 bytes go by TCP although Network is UDP (RFC 3261 section 18.1.1).
	LargeOverTCP bool
}

// A Send is one message that is to leave now.
type Send struct {
	Data        []byte
	Network     string // "UDP" or "TCP"
	Destination string // "host:port", or "host" (see Hop)
	// Connection is the remote address of the TCP connection a response belongs to; if it is gone, Destination
	// is dialled (RFC 3261 section 18.2.2). Empty for requests.
	Connection  string
	Transaction ClientID // to be named to SendFailed if it cannot be sent; 0 if nobody wants to know
}

// A Layer holds all transactions of one user agent. It is not safe for use by several goroutines. After each
// call the caller is to Drain it and to look at Deadline again.
type Layer struct {
	set     Settings
	timers  Timers // with defaults
	branch  string // beginning of all our branches, so that we know our own
	clients map[ClientID]client
	byVia   map[clientKey]ClientID
	servers map[serverKey]server
	byID    map[ServerID]server
	merges  map[mergeKey]int // how many server transactions there are of a request
	room    room             // of the server transactions
	last    uint64           // last ID given
	table   timetable
	sends   []Send
	events  []Event
}

// New makes an empty layer.
func New(set Settings) *Layer {
	if set.Token == nil {
		set.Token = rand.Text
	}
	if set.TransactionsMax == 0 {
		set.TransactionsMax = transactionsMax
	}
	return &Layer{
		set:     set,
		timers:  set.Timers.withDefaults(),
		branch:  magicCookie + set.Token() + "-",
		clients: map[ClientID]client{},
		byVia:   map[clientKey]ClientID{},
		servers: map[serverKey]server{},
		byID:    map[ServerID]server{},
		merges:  map[mergeKey]int{},
		room:    newRoom(set.TransactionsMax),
	}
}

func (t Timers) withDefaults() Timers {
	for _, f := range []struct {
		value *time.Duration
		rfc   time.Duration
	}{{&t.T1, 500 * time.Millisecond}, {&t.T2, 4 * time.Second}, {&t.T4, 5 * time.Second}, {&t.D, 32 * time.Second}} {
		if *f.value == 0 {
			*f.value = f.rfc
		}
	}
	return t
}

// Drain hands out what has to leave and what the user has to be told, each in its order, and forgets it.
func (l *Layer) Drain() ([]Send, []Event) {
	sends, events := l.sends, l.events
	l.sends, l.events = nil, nil
	return sends, events
}

// DrainSends is Drain for what has to leave alone: what the user has to be told stays.
func (l *Layer) DrainSends() []Send {
	sends := l.sends
	l.sends = nil
	return sends
}

// Len is the number of transactions that are not yet over.
func (l *Layer) Len() int { return len(l.clients) + len(l.byID) }

// Deadline is when Tick is wanted; the zero time means never.
func (l *Layer) Deadline() time.Time { return l.table.first() }

// Tick lets all timers run out that are due.
func (l *Layer) Tick(now time.Time) {
	for {
		m := l.table.due(now)
		if m == nil {
			return
		}
		m.tick(now)
		l.table.set(m)
	}
}

// Receive takes a well-formed message from the network. Its Transport and Source ("ip:port") must be set.
func (l *Layer) Receive(now time.Time, m sip.Message) {
	switch m := m.(type) {
	case *sip.Request:
		l.receiveRequest(now, m, nil)
	case *sip.Response:
		l.receiveResponse(now, m)
	}
}

// ReceiveFault takes a request that message.Parse found faulty, and answers it unless it is an ACK.
func (l *Layer) ReceiveFault(now time.Time, r *sip.Request, fault *message.Fault) {
	l.receiveRequest(now, r, fault)
}

func (l *Layer) receiveResponse(now time.Time, r *sip.Response) {
	vias := r.GetHeaders("Via")
	via, cseq := r.Via(), r.CSeq()
	// RFC 3261 section 8.1.3.3: with more than one Via value a response was not meant for us.
	if len(vias) != 1 || via == nil || cseq == nil {
		return
	}
	branch, _ := via.Params.Get("branch")
	// RFC 3261 section 17.1.3: branch and CSeq method name the client transaction.
	if id, ok := l.byVia[clientKey{branch, cseq.MethodName}]; ok {
		c := l.clients[id]
		c.receive(now, r)
		l.table.set(c)
		return
	}
	// RFC 3261 section 18.1.2: other responses go to the core, which section 13.2.2.4 lets care for 2xx only. Our
	// branch stands for the sent-by check: nobody can guess it.
	if r.IsSuccess() && cseq.MethodName == sip.INVITE && strings.HasPrefix(branch, l.branch) {
		l.emit(ResponseReceived{Response: r})
	}
}

func (l *Layer) receiveRequest(now time.Time, r *sip.Request, fault *message.Fault) {
	via := topVia(r)
	if via == nil {
		return // there is nowhere to answer to
	}
	key := keyOf(r, via)
	addReceived(via, r.Source())
	if s, ok := l.servers[key]; ok && s.base().matches(r) {
		s.again(now, r)
		l.table.set(s)
		return
	}
	refusal := l.check(r, fault)
	switch {
	case r.Method == sip.ACK:
		// RFC 3261 section 8.1.1.1 and 17: an ACK is never answered; one for a 2xx belongs to the user.
		if refusal == nil {
			l.emit(RequestReceived{Request: r})
		}
		return
	case !l.room.admits(host(r), size(r)):
		l.answerStateless(r, 503, "Service Unavailable")
		return
	}
	s := l.newServer(now, key, r)
	switch {
	case refusal != nil:
		s.respond(now, refusal)
	case s.base().merged():
		// RFC 3261 section 8.2.2.2: the same request came by another way.
		s.respond(now, l.reply(r, 482, "Loop Detected"))
	case r.Method == sip.CANCEL:
		l.receiveCancel(now, s)
	default:
		l.emit(RequestReceived{Transaction: s.base().id, Request: r})
	}
	l.table.set(s)
}

// Request implements Transactions. Via fields of an earlier try are replaced.
func (l *Layer) Request(now time.Time, r *sip.Request) ClientID {
	id := l.nextClient()
	if len(l.clients) >= l.set.TransactionsMax {
		l.emit(Failed{id, errFull})
		return id
	}
	hop := l.set.Hop(r)
	data, err := l.prepare(r, &hop)
	if err != nil {
		l.emit(Failed{id, err})
		return id
	}
	l.start(now, id, r, hop, data)
	return id
}

// start opens the client transaction of a request that is ready to leave.
func (l *Layer) start(now time.Time, id ClientID, r *sip.Request, hop Hop, data []byte) {
	branch, _ := r.Via().Params.Get("branch")
	x := exchange{layer: l, id: id, key: clientKey{branch, r.Method}, request: r, hop: hop, data: data}
	var c client
	if r.Method == sip.INVITE {
		c = &clientInvite{exchange: x}
	} else {
		c = &clientNonInvite{exchange: x}
	}
	l.clients[id] = c
	l.byVia[x.key] = id
	c.start(now)
	l.table.set(c)
}

// prepare gives a request what a transport needs and writes it. It changes hop if the request is too large for it.
func (l *Layer) prepare(r *sip.Request, hop *Hop) ([]byte, error) {
	for r.RemoveHeader("Via") {
	}
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: hop.Network, Host: hop.Host, Port: hop.Port}
	via.Params.Add("branch", l.branch+l.set.Token())
	via.Params.Add("rport", "") // RFC 3581 section 3
	r.PrependHeader(via)
	if r.MaxForwards() == nil {
		h := sip.MaxForwardsHeader(70) // RFC 3261 section 8.1.1.6
		r.AppendHeader(&h)
	}
	r.SetBody(r.Body()) // makes Content-Length true
	data, err := message.Encode(r)
	if err != nil || len(data) <= datagramMax || hop.Network != "UDP" || !hop.LargeOverTCP {
		return data, err
	}
	// RFC 3261 section 18.1.1: the request MUST be sent using a congestion controlled transport; the value in the
	// top Via MUST be changed.
	hop.Network = "TCP"
	via.Transport = "TCP"
	return message.Encode(r)
}

// ACK implements Transactions.
func (l *Layer) ACK(_ time.Time, r *sip.Request) {
	hop := l.set.Hop(r)
	data, err := l.prepare(r, &hop)
	if err != nil {
		return // the INVITE with the same fields went out, so only a new Contact or body can be at fault: no ACK, then BYE
	}
	l.send(Send{Data: data, Network: hop.Network, Destination: hop.Destination})
}

// Respond implements Transactions. A response that comes too late for its transaction is dropped.
func (l *Layer) Respond(now time.Time, id ServerID, r *sip.Response) {
	s, ok := l.byID[id]
	if !ok {
		return
	}
	s.respond(now, r)
	l.table.set(s)
}

// SendFailed tells the layer that a Send with this transaction did not reach the network.
// RFC 3261 section 17.1.4: the client transaction informs its user and ends.
func (l *Layer) SendFailed(now time.Time, id ClientID, err error) {
	if c, ok := l.clients[id]; ok {
		c.failed(now, err)
		l.table.set(c)
	}
}

// Pending reports whether a client transaction still waits for its final response.
func (l *Layer) Pending(id ClientID) bool {
	c, ok := l.clients[id]
	return ok && c.pending()
}

func (l *Layer) send(s Send)  { l.sends = append(l.sends, s) }
func (l *Layer) emit(e Event) { l.events = append(l.events, e) }

func (l *Layer) nextClient() ClientID {
	l.last++
	return ClientID(l.last)
}

// topVia is the top Via if it could be read.
func topVia(r *sip.Request) *sip.ViaHeader {
	if vias := r.GetHeaders("Via"); len(vias) > 0 {
		if via, ok := vias[0].(*sip.ViaHeader); ok {
			return via
		}
	}
	return nil
}

// addReceived notes in the top Via where a request came from, so that every response copies it. What the sender wrote
// there himself is replaced: our answers are not to be aimed at others.
func addReceived(via *sip.ViaHeader, source string) {
	via.Params.Remove("received")
	from, err := netip.ParseAddrPort(source)
	if err != nil {
		return
	}
	ip := from.Addr().Unmap().WithZone("")
	host, err := netip.ParseAddr(via.Host)
	if via.Params.Has("rport") {
		// RFC 3581 section 4: set rport, and received even if it is the same as sent-by.
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
		via.Params.Add("received", ip.String())
	} else if err != nil || host.Unmap() != ip {
		// RFC 3261 section 18.2.1: if sent-by is a name or another address, the server MUST add received.
		via.Params.Add("received", ip.String())
	}
}

// responseDestination is where responses go (RFC 3261 section 18.2.2, RFC 3581 section 4). It does not follow maddr,
// against section 18.2.2: multicast SIP is dead, and a stranger could aim our answers at others.
func responseDestination(via *sip.ViaHeader) string {
	host, port := via.Host, via.Port
	if value, ok := via.Params.Get("received"); ok {
		host = value
	}
	if port == 0 {
		port = 5060
	}
	if value, ok := via.Params.Get("rport"); ok {
		if n, err := strconv.ParseUint(value, 10, 16); err == nil {
			port = int(n)
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// reply builds a response of our own (RFC 3261 section 8.2.6) from fields that may be missing or malformed.
func (l *Layer) reply(r *sip.Request, status int, reason string, headers ...sip.Header) *sip.Response {
	res := sip.NewResponse(status, reason)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		sip.CopyHeaders(name, r, res)
	}
	if to, ok := res.GetHeader("To").(*sip.ToHeader); ok && status > 100 && !to.Params.Has("tag") {
		to.Params.Add("tag", l.set.Token())
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	res.SetBody(nil)
	return res
}

// answerStateless answers without a transaction (RFC 3261 section 8.2.7).
func (l *Layer) answerStateless(r *sip.Request, status int, reason string) {
	data, err := message.Encode(l.reply(r, status, reason))
	if err != nil {
		return
	}
	l.send(Send{Data: data, Network: r.Transport(), Destination: responseDestination(topVia(r)), Connection: r.Source()})
}
