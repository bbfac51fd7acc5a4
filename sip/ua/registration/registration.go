// Package registration keeps one account registered: RFC 3261 section 10. It refreshes in time, tries again after
// failures for ever, notices an exchange that has gone silent, and says what happened in sip.Registered and
// sip.Unregistered. It knows nothing of calls: a registration that is lost leaves them alone.
//
//	Start --REGISTER--> 200 --half of expires--> REGISTER ...      Stop --REGISTER Expires: 0--> done
//	            ^        +--OPTIONS every KeepAlive: no answer--+
//	            +--1, 2, 4 ... 60 s-- failure <-----------------+
package registration

import (
	"net"
	"net/netip"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

const (
	expiresDefault = 300 * time.Second
	// expiresMax bounds what a 423 can make us ask for.
	expiresMax = 24 * time.Hour
	// patience is how long a request may go without an answer until we say so: 8*T1, four sendings. The
	// transaction itself goes on for 64*T1, and its retransmissions find an exchange that comes back.
	patience = 4 * time.Second
	// stopTime bounds how long switching off waits for the registrar.
	stopTime = 2 * time.Second
	// Tries after a failure: seconds first, since most exchanges restart quickly, but no burst of a whole floor.
	backOffMin, backOffMax = time.Second, time.Minute
	// Tries after a refused password: slow enough for fail2ban and account locks, and still without anybody's help.
	refusedMin, refusedMax = 30 * time.Second, 5 * time.Minute
	// retryAfterMax bounds what a Retry-After can make us wait.
	retryAfterMax = 10 * time.Minute
	// addressesMax bounds how often a NAT that changes its mapping makes us register again at once.
	addressesMax = 3
)

// Config is what a Registration needs to know.
type Config struct {
	Account sip.Account
	// Local is our address for SIP as the exchange sees it: IP address and port. It is asked for each REGISTER; an
	// invalid or unspecified one means that there is no network now.
	Local     func() netip.AddrPort
	KeepAlive time.Duration // between two OPTIONS to the exchange; zero means none
}

// A Registration is one account's binding at its registrar.
type Registration struct {
	config Config
	client *client.Client
	report func(sip.Event)

	user     string // of our Contact: new at each start, see New
	identity client.Identity
	local    netip.AddrPort // what Config.Local said last
	public   netip.AddrPort // what a NAT made of it; invalid without one
	learned  int            // how often public has changed
	exchange string         // host that answered the last REGISTER; empty: none yet
	flow     string         // where the last REGISTER came from, as the registrar saw it; empty: it did not say
	bound    sipgo.Uri      // Contact that the registrar knows, or may know; Host is empty without one
	stale    sipgo.Uri      // Contact to be removed by the next REGISTER; Host is empty without one
	expires  time.Duration  // to ask for
	active   bool           // the last REGISTER succeeded
	failures int            // since then

	pending     *client.Request // REGISTER
	next        time.Time       // next REGISTER
	pendingLate time.Time       // pending has gone unanswered for too long
	ping        *client.Request // OPTIONS
	pingNext    time.Time       // next OPTIONS
	pingLate    time.Time       // ping has gone unanswered for too long

	stopped  func() // called once, when unregistered; nil unless stopping
	stopBy   time.Time
	finished bool // stopped has been called
}

// New makes a registration that does nothing before Start.
func New(config Config, c *client.Client, report func(sip.Event)) *Registration {
	if config.Account.Expires == 0 {
		config.Account.Expires = expiresDefault
	}
	return &Registration{
		config: config,
		client: c,
		report: report,
		// A new user part at each start: Asterisk takes it for a new binding and asks it at once whether it is
		// there, where it would let the old one wait for the next qualify.
		user:     c.Token(),
		identity: client.Identity{CallID: c.Token(), Tag: c.Token()},
		expires:  config.Account.Expires,
	}
}

// Start sends the first REGISTER.
func (r *Registration) Start(now time.Time) { r.register(now) }

// Active reports whether the last REGISTER succeeded.
func (r *Registration) Active() bool { return r.active }

// User is the user part of our Contact.
func (r *Registration) User() string { return r.user }

// Vouched reports whether a request came from the host that answers our REGISTER.
func (r *Registration) Vouched(source string) bool { return r.exchange == hostOf(source) }

// hostOf is the host of "host:port".
func hostOf(source string) string {
	host, _, _ := net.SplitHostPort(source)
	return host
}

// Contact is where the exchange, and peers in a dialog, reach us.
func (r *Registration) Contact() sipgo.Uri {
	address := r.local
	if r.public.IsValid() {
		address = r.public
	}
	host := address.Addr().Unmap().String()
	if address.Addr().Unmap().Is6() {
		host = "[" + host + "]"
	}
	contact := sipgo.Uri{Scheme: "sip", User: r.user, Host: host, Port: int(address.Port())}
	if r.client.Transport() == "TCP" {
		contact.UriParams.Add("transport", "tcp")
	}
	return contact
}

// Locate asks where we are now. It reports false without a network.
func (r *Registration) Locate() bool {
	local := r.config.Local()
	if local != r.local {
		r.local, r.public, r.learned = local, netip.AddrPort{}, 0
	}
	return local.IsValid() && !local.Addr().IsUnspecified()
}

// register sends REGISTER unless one is under way (RFC 3261 section 10.2: a user agent MUST NOT send a new
// registration until it has received a final response to the previous one, or it has timed out).
func (r *Registration) register(now time.Time) {
	if r.pending != nil {
		return
	}
	r.next, r.ping, r.pingNext, r.pingLate = time.Time{}, nil, time.Time{}, time.Time{}
	if !r.Locate() {
		r.failed(now, sip.Unreachable, client.Reply{})
		return
	}
	if contact := r.Contact(); r.bound.String() != contact.String() {
		// Our address has changed: the binding that leads nowhere goes, or each call would ring there too.
		r.stale, r.bound = r.bound, contact
	}
	r.pendingLate = now.Add(patience)
	r.pending = r.client.Send(now, func() *sipgo.Request { return r.request(r.expires) }, r.registered)
}

// request builds a REGISTER (RFC 3261 section 10.2).
func (r *Registration) request(expires time.Duration) *sipgo.Request {
	registrar := r.client.URI("")
	r.identity.CSeq++
	request := r.client.Outside(sipgo.REGISTER, registrar, r.client.URI(r.config.Account.User), r.identity)
	bind := func(uri sipgo.Uri, expires time.Duration) {
		contact := &sipgo.ContactHeader{Address: uri}
		contact.Params.Add("expires", header.WriteSeconds(expires))
		request.AppendHeader(contact)
	}
	if r.stale.Host != "" {
		bind(r.stale, 0)
	}
	bind(r.bound, expires)
	request.AppendHeader(sipgo.NewHeader("Expires", header.WriteSeconds(expires)))
	return request
}

// registered takes the answers to REGISTER.
func (r *Registration) registered(now time.Time, reply client.Reply) {
	if !reply.Final() {
		return
	}
	r.pending, r.pendingLate = nil, time.Time{}
	if reply.Response != nil {
		r.exchange = hostOf(reply.Response.Source())
	}
	if r.stopped != nil {
		r.unregister(now)
		return
	}
	switch {
	case reply.Success():
		r.succeeded(now, reply.Response)
	case reply.Status == sipgo.StatusIntervalToBrief && r.longer(reply.Response):
		r.register(now)
	case reply.Response == nil:
		r.failed(now, sip.Unreachable, reply)
	case reply.Status == sipgo.StatusUnauthorized, reply.Status == sipgo.StatusProxyAuthRequired,
		reply.Status == sipgo.StatusForbidden:
		r.failed(now, sip.WrongPassword, reply)
	case reply.Status == sipgo.StatusNotFound, reply.Status == sipgo.StatusGone:
		r.failed(now, sip.UnknownAccount, reply)
	case reply.Status == sipgo.StatusRequestTimeout, reply.Status == sipgo.StatusTemporarilyUnavailable:
		r.failed(now, sip.Unreachable, reply)
	default:
		// A 3xx too: which registrar is ours stands in the configuration. A redirection would send our answer to a
		// digest challenge wherever a forged response points.
		r.failed(now, sip.ServerError, reply)
	}
}

func (r *Registration) succeeded(now time.Time, response *sipgo.Response) {
	expires := r.granted(response)
	if expires == 0 {
		r.failed(now, sip.ServerError, client.Reply{Status: response.StatusCode})
		return
	}
	r.active, r.failures, r.stale, r.flow = true, 0, sipgo.Uri{}, flowOf(response)
	r.report(sip.Registered{Expires: expires})
	if r.learn(response) {
		r.register(now)
		return
	}
	// Half of the time at most: one try may fail, and an exchange that forgot us is noticed early. A tenth less at
	// random, so that phones which started together drift apart.
	r.next = now.Add(max(r.spread(expires/2*95/100, 5), time.Second))
	if r.config.KeepAlive > 0 {
		r.pingNext = now.Add(r.spread(r.config.KeepAlive, 10))
	}
}

// granted is the time that the registrar gives our binding (RFC 3261 section 10.2.4: each Contact has its own expires
// parameter); 0 when the list of bindings does not hold ours.
func (r *Registration) granted(response *sipgo.Response) time.Duration {
	general, ok := header.Seconds(header.First(response, "expires"), expiresMax)
	if !ok {
		general = r.expires
	}
	contacts := response.GetHeaders("contact")
	if len(contacts) == 0 {
		return general // RFC 3261 wants the list, but some registrars leave it out
	}
	var longest time.Duration
	for _, h := range contacts {
		// The user part is unguessable, so it is enough; registrars behind a NAT rewrite the host.
		contact, ok := h.(*sipgo.ContactHeader)
		if !ok || contact.Address.User != r.user {
			continue
		}
		granted := general
		for _, p := range contact.Params {
			if own, ok := header.Seconds(p.V, expiresMax); ok && strings.EqualFold(p.K, "expires") {
				granted = own
			}
		}
		longest = max(longest, granted)
	}
	return longest
}

// longer takes Min-Expires of a 423 (RFC 3261 section 10.2.8). It reports whether asking again makes sense.
func (r *Registration) longer(response *sipgo.Response) bool {
	wanted, ok := header.Seconds(header.First(response, "min-expires"), expiresMax)
	if !ok || wanted <= r.expires {
		return false
	}
	r.expires = wanted
	return true
}

// flowOf is where the next hop saw our request come from (RFC 3581: received and rport in our Via); empty if it does not
// say.
func flowOf(response *sipgo.Response) string {
	via := response.Via()
	if via == nil {
		return ""
	}
	received, _ := via.Params.Get("received")
	rport, _ := via.Params.Get("rport")
	if received == "" || rport == "" {
		return ""
	}
	return net.JoinHostPort(strings.Trim(received, "[]"), rport)
}

// learn takes our address as the next hop saw it into the Contact.
// It reports whether we must register again for it.
//
// Sensible only with UDP, where the exchange can send to that address: with TCP it is the far end of a connection that
// nobody can open. And only for an address that a Contact may have, and a few times: a NAT with a new mapping for each
// packet would make us register for ever, while exchanges that deal with NAT answer to the source anyway.
func (r *Registration) learn(response *sipgo.Response) bool {
	if r.client.Transport() != "UDP" || r.learned >= addressesMax {
		return false
	}
	seen, err := netip.ParseAddrPort(flowOf(response))
	if err != nil || seen.Port() == 0 {
		return false
	}
	seen = netip.AddrPortFrom(seen.Addr().Unmap(), seen.Port())
	known := r.local
	if r.public.IsValid() {
		known = r.public
	}
	known = netip.AddrPortFrom(known.Addr().Unmap(), known.Port())
	host := seen.Addr()
	if seen == known || host.IsUnspecified() || host.IsMulticast() || host.IsLoopback() != known.Addr().IsLoopback() {
		return false
	}
	r.public, r.learned = seen, r.learned+1
	return true
}

// failed reports a failure and plans the next try.
func (r *Registration) failed(now time.Time, cause sip.Cause, reply client.Reply) {
	r.active = false
	wait, most := backOffMin, backOffMax
	if cause == sip.WrongPassword {
		wait, most = refusedMin, refusedMax
	}
	for range min(r.failures, 10) {
		wait = min(2*wait, most)
	}
	r.failures++
	if reply.Response != nil {
		// RFC 3261 section 20.33: seconds, perhaps with a comment or parameters behind.
		text := strings.TrimSpace(header.First(reply.Response, "retry-after"))
		if end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
			text = text[:end]
		}
		if after, ok := header.Seconds(text, expiresMax); ok {
			wait = max(wait, min(after, retryAfterMax)*4/3) // so that the spread below stays beyond it
		}
	}
	wait = r.spread(wait, 25)
	r.next = now.Add(wait)
	r.report(sip.Unregistered{Cause: cause, Status: reply.Status, Retry: wait})
}

// spread is d give or take percent, so that the phones of a floor do not act together.
func (r *Registration) spread(d time.Duration, percent int) time.Duration {
	return d * time.Duration(1000-10*percent+r.client.Intn(20*percent+1)) / 1000
}
