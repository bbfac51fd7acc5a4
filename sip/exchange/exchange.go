// Package exchange is a small telephone exchange in one process, over real SIP: registrar, queues, and citizens who
// call, wait, speak and hang up. It is what a simulated phone registers with, and a fixture of tests.
//
//	citizens --> queues --order--> attempts --INVITE--> phones        core: runs on the endpoint's goroutine
//	                ^                 |
//	                +--- answered ----+--> parties joined in pairs
//
//	phones <--RTP--> media <--frames--> studio: voices, melodies, bridges    a goroutine of its own
//
// It must not become a product PBX: no trunks, no voice mail, no encryption, no conference.
package exchange

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	words "freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/exchange/citizen"
	"freizeichen/sip/exchange/deadline"
	"freizeichen/sip/exchange/notifier"
	"freizeichen/sip/exchange/queue"
	"freizeichen/sip/exchange/registrar"
	"freizeichen/sip/exchange/studio"
	"freizeichen/sip/media"
	"freizeichen/sip/presence"
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
	media    sessions
	studio   *studio.Studio

	gate      *registrar.Gate
	registrar *registrar.Registrar
	queues    *queue.Queues
	arrivals  *citizen.Arrivals
	visitors  []*visitor
	callers   citizen.Callers // can be called back
	attempts  []*attempt
	legs      []*leg
	clients   map[transaction.ClientID]*client
	lastCall  words.CallID
	lastID    ID
	digits    map[string]string // received so far, by account
	events    []queue.Event
	mute      bool // fault on demand: nothing is answered
	notifier  *notifier.Notifier
	news      presence.News // from SetPresence
}

// A sessions carries the sound of calls over RTP; *media.Sessions has these methods.
type sessions interface {
	Open(call words.CallID) (netip.AddrPort, error) // where RTP of the call arrives
	Apply(call words.CallID, agreed words.Media) error
	Close(call words.CallID)
	studio.Sound
}

// A client is a request of ours under way.
type client struct {
	leg     *leg               // of an INVITE
	binding *registrar.Binding // of an OPTIONS
	until   time.Time          // to be forgotten; zero while the final response is due
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
		gate:      registrar.NewGate(config.Domain, []byte(rand.Text()), cmp.Or(config.NonceLife, 5*time.Minute)),
		registrar: registrar.New(cmp.Or(config.RegisterMin, 10*time.Second), time.Hour, cmp.Or(config.Qualify, 30*time.Second)),
		queues:    queue.New(config.Queues), clients: map[transaction.ClientID]*client{}, digits: map[string]string{},
	}
	return e
}

// New opens the sockets of an exchange. Run serves them.
func New(config Config) (*Exchange, error) {
	if !config.Listen.Addr().IsValid() {
		config.Listen = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), config.Listen.Port())
	}
	if config.Listen.Addr().IsUnspecified() {
		return nil, fmt.Errorf("exchange: listening on %s: phones need one address, not all", config.Listen)
	}
	if config.PortMin == 0 && config.PortMax == 0 {
		config.PortMin, config.PortMax = 12000, 12999
	}
	endpoint, err := transaction.Open(transaction.Config{
		Local: config.Listen, TCP: config.ListenPacket == nil, ListenPacket: config.ListenPacket, Log: config.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("exchange: opening the SIP port: %w", err)
	}
	e := newExchange(config)
	e.attach(endpoint, media.New(media.Config{
		Address: config.Listen.Addr, PortMin: config.PortMin, PortMax: config.PortMax,
		Listen: config.ListenRTP, Digit: e.digit, Logger: config.Log,
	}))
	return e, nil
}

// digit takes a digit by RFC 4733, on a goroutine of the session.
func (e *Exchange) digit(call words.CallID, digit byte) {
	e.endpoint.Do(func(time.Time) {
		for _, l := range e.legs {
			if l.id == call && l.account != nil {
				e.digits[l.account.User] += string(digit)
			}
		}
	})
}

// attach gives the exchange its ways to the network.
func (e *Exchange) attach(endpoint *transaction.Endpoint, m sessions) {
	e.endpoint, e.tx, e.address = endpoint, endpoint.Transactions(), endpoint.LocalAddr("udp")
	e.media, e.studio = m, studio.New(m)
	e.notifier = notifier.New(notifier.Config{Contact: e.contact}, e.tx)
}

// open lets the citizens come.
func (e *Exchange) open(now time.Time) {
	e.arrivals = citizen.NewArrivals(now, mathrand.New(mathrand.NewPCG(e.config.Seed, 0x63697479)), e.config.Traffic)
}

// Handle implements transaction.User.
func (e *Exchange) Handle(now time.Time, event transaction.Event) {
	if e.notifier.Handle(now, event) {
		return
	}
	switch ev := event.(type) {
	case transaction.RequestReceived:
		if e.mute {
			return
		}
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
	first := deadline.Earliest(e.queues.Deadline(), e.registrar.Deadline(), e.notifier.Deadline())
	if e.arrivals != nil {
		first = deadline.Earliest(first, e.arrivals.Deadline())
	}
	for _, v := range e.visitors {
		first = deadline.Earliest(first, v.end)
	}
	for _, a := range e.attempts {
		first = deadline.Earliest(first, a.due)
	}
	for _, l := range e.legs {
		first = deadline.Earliest(first, deadline.Earliest(l.resend, l.end))
	}
	for _, c := range e.clients {
		first = deadline.Earliest(first, c.until)
	}
	return first
}

// Tick implements transaction.User.
func (e *Exchange) Tick(now time.Time) {
	e.registrar.Expire(now)
	e.notifier.Tick(now)
	e.qualify(now)
	if e.arrivals != nil {
		for _, c := range e.arrivals.Due(now, e.room) {
			e.admit(now, c)
		}
	}
	for _, v := range slices.Clone(e.visitors) {
		if deadline.Reached(now, v.end) {
			e.dismiss(now, v)
		}
	}
	for _, a := range slices.Clone(e.attempts) {
		if deadline.Reached(now, a.due) {
			e.proceed(now, a)
		}
	}
	for _, l := range slices.Clone(e.legs) {
		if deadline.Reached(now, l.end) {
			e.hangUp(now, l)
		} else if deadline.Reached(now, l.resend) {
			e.resend(now, l)
		}
	}
	for id, c := range e.clients {
		if deadline.Reached(now, c.until) {
			delete(e.clients, id)
		}
	}
	e.queues.Tick(now)
	e.settle(now)
}

// room says whether a further citizen may wait for the number.
func (e *Exchange) room(number string) bool {
	name, waiting := e.queues.Find(number)
	return name == "" || waiting < e.config.WaitingMax
}

// settle carries out what the queues order, and tells what happened.
func (e *Exchange) settle(now time.Time) {
	for _, a := range e.config.Accounts {
		e.queues.SetReady(now, a.User, len(e.registrar.Reachable(now, a.User)) > 0)
	}
	for {
		orders, events := e.queues.Drain()
		if len(orders) == 0 && len(events) == 0 {
			e.tellMembers()
			return
		}
		for _, ev := range events {
			e.log.Info("exchange: queue", "queue", ev.Queue, "event", ev.Kind.String(), "caller", uint64(ev.Caller), "agent", ev.Agent)
			if e.config.Observe != nil {
				e.config.Observe(ev)
			}
		}
		e.events = append(e.events, events...)
		e.events = e.events[max(0, len(e.events)-eventsMax):]
		for _, o := range orders {
			if o.Ring {
				e.offer(now, o)
			} else {
				e.withdraw(now, o)
			}
		}
	}
}

// qualify asks the phones whether they are there.
func (e *Exchange) qualify(now time.Time) {
	for _, b := range e.registrar.Qualify(now) {
		r := e.request(sip.OPTIONS, b, words.Party{Number: "exchange"})
		r.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
		e.clients[e.tx.Request(now, r)] = &client{binding: b}
	}
}

// request begins a request outside of dialogs to a phone.
func (e *Exchange) request(method sip.RequestMethod, to *registrar.Binding, from words.Party) *sip.Request {
	r := sip.NewRequest(method, *to.Contact.Clone())
	r.SetTransport(to.Transport)
	r.SetDestination(to.Source)
	callID := sip.CallIDHeader(rand.Text() + "@" + e.config.Domain)
	tag := sip.NewParams()
	tag.Add("tag", rand.Text())
	r.AppendHeader(&sip.FromHeader{DisplayName: header.Escape(from.Name), Address: e.uri(from.Number), Params: tag})
	r.AppendHeader(&sip.ToHeader{Address: e.uri(to.Contact.User)})
	r.AppendHeader(&callID)
	r.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: method})
	r.AppendHeader(e.contact(to.Transport))
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
	text := e.address.String() // an IPv6 address in brackets, as RFC 3261 section 25.1 wants it
	c := &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "exchange", Host: text[:strings.LastIndexByte(text, ':')], Port: int(e.address.Port())}}
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
	for i := range e.config.Accounts {
		if e.config.Accounts[i].User == user {
			return &e.config.Accounts[i]
		}
	}
	return nil
}
