// Package exchange is a small telephone exchange in one process, over real SIP: registrar, queues, and citizens who
// call, wait, speak and hang up. It is what a simulated phone registers with, and a fixture of tests.
//
//	citizens --> queues --order--> attempts --INVITE--> phones        core: runs on the endpoint's goroutine
//	                ^                 |
//	                +--- answered ----+--> parties joined in pairs
//
//	phones <--RTP--> media <--frames--> studio: voices, melodies, bridges    a goroutine of its own
//
// It must not become a product PBX: no trunks, no voice mail, no encryption, no conference, no attended transfer.
package exchange

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	words "freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

// An Exchange is a transaction.User.
type Exchange struct {
	config   Config
	log      *slog.Logger
	address  netip.AddrPort
	endpoint *transaction.Endpoint
	ended    chan struct{}
	tx       transaction.Transactions
	media    media
	studio   *studio

	gate      *gate
	registrar *registrar
	queues    *queues
	arrivals  *arrivals
	visitors  []*visitor
	attempts  []*attempt
	legs      []*leg
	clients   map[transaction.ClientID]*client
	lastCall  words.CallID
	lastID    ID
	digits    map[string]string // received so far, by account
	events    []QueueEvent
	mute      bool // fault on demand: nothing is answered
}

// A client is a request of ours under way.
type client struct {
	leg     *leg      // of an INVITE
	binding *binding  // of an OPTIONS
	until   time.Time // to be forgotten; zero while the final response is due
}

// eventsMax bounds what Events remembers: a day of a small service centre.
const eventsMax = 5000

func newExchange(config Config) *Exchange {
	config.Domain = cmp.Or(config.Domain, "exchange")
	config.WaitingMax = cmp.Or(config.WaitingMax, 2)
	config.UnknownAccount = cmp.Or(config.UnknownAccount, sip.StatusNotFound)
	config.WrongPassword = cmp.Or(config.WrongPassword, sip.StatusUnauthorized)
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	e := &Exchange{
		config: config, log: config.Log, ended: make(chan struct{}),
		gate: &gate{realm: config.Domain, secret: []byte(rand.Text()), life: cmp.Or(config.NonceLife, 5*time.Minute), counts: map[string]uint64{}},
		registrar: &registrar{
			bindings: map[string][]*binding{}, shortest: cmp.Or(config.RegisterMin, 10*time.Second), longest: time.Hour,
			qualify: cmp.Or(config.Qualify, 30*time.Second),
		},
		queues: newQueues(config.Queues), clients: map[transaction.ClientID]*client{}, digits: map[string]string{},
	}
	return e
}

// attach gives the exchange its ways to the network.
func (e *Exchange) attach(endpoint *transaction.Endpoint, m media) {
	e.endpoint, e.tx, e.address = endpoint, endpoint.Transactions(), endpoint.LocalAddr("udp")
	e.media, e.studio = m, newStudio(m)
}

// open lets the citizens come.
func (e *Exchange) open(now time.Time) {
	e.arrivals = newArrivals(now, mathrand.New(mathrand.NewPCG(e.config.Seed, 0x63697479)), e.config.Traffic)
}

// Handle implements transaction.User.
func (e *Exchange) Handle(now time.Time, event transaction.Event) {
	if e.mute {
		return
	}
	switch ev := event.(type) {
	case transaction.RequestReceived:
		e.receive(now, ev.Transaction, ev.Request)
	case transaction.ResponseReceived:
		e.response(now, ev.Transaction, ev.Response)
	case transaction.Cancelled:
		for _, l := range slices.Clone(e.legs) {
			if l.server == ev.Transaction && l.state == calling {
				e.respond(now, l.server, l.invite, sip.StatusRequestTerminated)
				e.drop(now, l)
			}
		}
	case transaction.TimedOut:
		// RFC 3261 section 8.1.3.1: to be treated as 408, and what could not be sent as 503.
		e.final(now, ev.Transaction, sip.StatusRequestTimeout)
	case transaction.Failed:
		e.log.Debug("exchange: request not sent", "error", ev.Err)
		e.final(now, ev.Transaction, sip.StatusServiceUnavailable)
	}
	e.settle(now)
}

// Deadline implements transaction.User.
func (e *Exchange) Deadline() time.Time {
	first := earliest(e.queues.deadline(), e.registrar.deadline())
	if e.arrivals != nil {
		first = earliest(first, e.arrivals.deadline())
	}
	for _, v := range e.visitors {
		first = earliest(first, v.end)
	}
	for _, a := range e.attempts {
		first = earliest(first, a.due)
	}
	for _, l := range e.legs {
		first = earliest(first, earliest(l.resend, l.end))
	}
	for _, c := range e.clients {
		first = earliest(first, c.until)
	}
	return first
}

// Tick implements transaction.User.
func (e *Exchange) Tick(now time.Time) {
	e.registrar.expire(now)
	e.qualify(now)
	if e.arrivals != nil {
		for _, c := range e.arrivals.due(now, e.room) {
			e.admit(now, c)
		}
	}
	for _, v := range slices.Clone(e.visitors) {
		if due(now, v.end) {
			e.dismiss(now, v)
		}
	}
	for _, a := range slices.Clone(e.attempts) {
		if due(now, a.due) {
			e.proceed(now, a)
		}
	}
	for _, l := range slices.Clone(e.legs) {
		if due(now, l.end) {
			e.hangUp(now, l)
		} else if due(now, l.resend) {
			e.resend(now, l)
		}
	}
	for id, c := range e.clients {
		if due(now, c.until) {
			delete(e.clients, id)
		}
	}
	e.queues.tick(now)
	e.settle(now)
}

// room says whether a further citizen may wait for the number.
func (e *Exchange) room(number string) bool {
	to := e.queues.byNumber(number)
	waiting := 0
	for _, c := range e.queues.waiting {
		if c.queue == to {
			waiting++
		}
	}
	return to != nil && waiting < e.config.WaitingMax
}

// settle carries out what the queues order, and tells what happened.
func (e *Exchange) settle(now time.Time) {
	for _, a := range e.config.Accounts {
		e.queues.setReady(now, a.User, len(e.registrar.reachable(now, a.User)) > 0)
	}
	for len(e.queues.orders) > 0 {
		o := e.queues.orders[0]
		e.queues.orders = e.queues.orders[1:]
		if o.ring {
			e.offer(now, o)
		} else {
			e.withdraw(now, o)
		}
	}
	for _, ev := range e.queues.events {
		e.log.Info("exchange: queue", "queue", ev.Queue, "event", ev.Kind.String(), "caller", uint64(ev.Caller), "agent", ev.Agent)
		if e.config.Observe != nil {
			e.config.Observe(ev)
		}
	}
	e.events = append(e.events, e.queues.events...)
	e.events = e.events[max(0, len(e.events)-eventsMax):]
	e.queues.events = nil
}

// qualify asks the phones whether they are there.
func (e *Exchange) qualify(now time.Time) {
	for _, list := range e.registrar.bindings {
		for _, b := range list {
			if !due(now, b.qualify) {
				continue
			}
			b.qualify = now.Add(e.registrar.qualify)
			r := e.request(sip.OPTIONS, b, words.Party{Number: "exchange"})
			r.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
			e.clients[e.tx.Request(now, r)] = &client{binding: b}
		}
	}
}

// request begins a request outside of dialogs to a phone.
func (e *Exchange) request(method sip.RequestMethod, to *binding, from words.Party) *sip.Request {
	r := sip.NewRequest(method, *to.contact.Clone())
	r.SetTransport(to.transport)
	r.SetDestination(to.source)
	callID := sip.CallIDHeader(rand.Text() + "@" + e.config.Domain)
	tag := sip.NewParams()
	tag.Add("tag", rand.Text())
	r.AppendHeader(&sip.FromHeader{DisplayName: header.Escape(from.Name), Address: e.uri(from.Number), Params: tag})
	r.AppendHeader(&sip.ToHeader{Address: e.uri(to.contact.User)})
	r.AppendHeader(&callID)
	r.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: method})
	r.AppendHeader(e.contact(to.transport))
	return r
}

// respond answers a request, with a tag of its own where there is no dialog.
func (e *Exchange) respond(now time.Time, tx transaction.ServerID, r *sip.Request, status int, headers ...sip.Header) {
	tag := rand.Text()
	for _, l := range e.legs {
		if l.invite == r {
			tag = l.tag
		}
	}
	response := dialog.Response(r, status, tag)
	for _, h := range headers {
		response.AppendHeader(h)
	}
	e.tx.Respond(now, tx, response)
}

// contact is where phones reach the exchange.
func (e *Exchange) contact(transport string) *sip.ContactHeader {
	c := &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "exchange", Host: host(e.address.Addr()), Port: int(e.address.Port())}}
	if transport == "TCP" {
		c.Address.UriParams = sip.NewParams()
		c.Address.UriParams.Add("transport", "tcp")
	}
	return c
}

// uri is the address of record of a number.
func (e *Exchange) uri(number string) sip.Uri {
	return sip.Uri{Scheme: "sip", User: number, Host: e.config.Domain}
}

// identity is the text of a name-addr: "Kreis Wesel" <sip:02812070@domain>.
func (e *Exchange) identity(p words.Party) string {
	uri := e.uri(p.Number)
	text := "<" + uri.String() + ">"
	if p.Name != "" {
		text = `"` + header.Escape(p.Name) + `" ` + text
	}
	return text
}

func (e *Exchange) account(user string) *Account {
	i := slices.IndexFunc(e.config.Accounts, func(a Account) bool { return a.User == user })
	if i < 0 {
		return nil
	}
	return &e.config.Accounts[i]
}

// host writes an IP address as RFC 3261 section 25.1 wants it in a URI.
func host(ip netip.Addr) string {
	if ip.Is6() {
		return fmt.Sprintf("[%s]", ip)
	}
	return ip.String()
}

// due reports whether a time that may be zero (never) has come.
func due(now, at time.Time) bool { return !at.IsZero() && !now.Before(at) }
