// Package notifier is the exchange's end of presence (RFC 6665, RFC 3856): it keeps the texts of its resources and tells
// each subscriber at once and at every change. It behaves as Asterisk does: the text is in the body only for a subscriber
// whose User-Agent begins with "Digium".
//
//	Set --text--> Notifier --NOTIFY--> subscribers, one at a time each: of changes that come quicker the last is told
//
// It receives the time and decides; who may subscribe is the exchange's business.
package notifier

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/dialog"
	"freizeichen/sip/exchange/deadline"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

const (
	statusBadEvent = 489
	// subscribersMax bounds memory: a hundred phones with all their queues, or a bench of thousands with one.
	subscribersMax = 8192
	// expiresDefault is of RFC 3856 section 6.4.
	expiresDefault, expiresMax = time.Hour, time.Hour
)

// Config is what a Notifier needs to know.
type Config struct {
	Prefix string        // of the resources there are; empty means "cc-"
	Bell   string        // prefix of those that are phones; empty means "cc-phone-"
	Min    time.Duration // shorter subscriptions are answered 423; zero means 10 s
	// Contact is the Contact of the exchange, for a transport as Via writes it.
	Contact func(transport string) *sip.ContactHeader
}

// A Notifier is all resources and their subscribers. It belongs to one goroutine.
type Notifier struct {
	config      Config
	tx          transaction.Transactions
	texts       map[string]string
	subscribers []*subscriber
	requests    map[transaction.ClientID]*subscriber // NOTIFYs under way
}

// A subscriber is one subscription.
type subscriber struct {
	resource  string
	dialog    *dialog.Dialog
	transport string
	source    string
	digium    bool
	expires   time.Time
	busy      bool // a NOTIFY is under way
	behind    bool // the present text has not been sent
}

// New makes a notifier without texts.
func New(config Config, tx transaction.Transactions) *Notifier {
	if config.Prefix == "" {
		config.Prefix = "cc-"
	}
	if config.Bell == "" {
		config.Bell = "cc-phone-"
	}
	if config.Min == 0 {
		config.Min = 10 * time.Second
	}
	return &Notifier{config: config, tx: tx, texts: map[string]string{}, requests: map[transaction.ClientID]*subscriber{}}
}

// Set changes what a resource tells; an empty text takes it back.
func (n *Notifier) Set(now time.Time, resource, text string) {
	if n.texts[resource] == text {
		return
	}
	if n.texts[resource] = text; text == "" {
		delete(n.texts, resource)
	}
	for _, s := range slices.Clone(n.subscribers) {
		if s.resource == resource {
			n.tell(now, s)
		}
	}
}

// Subscribers counts the subscriptions of a resource; "" counts all.
func (n *Notifier) Subscribers(resource string) int {
	count := 0
	for _, s := range n.subscribers {
		if resource == "" || s.resource == resource {
			count++
		}
	}
	return count
}

// Forget drops all subscriptions without a word, as a PBX that restarts. Subscribers learn it at their next refresh.
func (n *Notifier) Forget() {
	n.subscribers = nil
	clear(n.requests)
}

// End ends all subscriptions with a reason of RFC 6665 section 4.1.3, perhaps with parameters: "deactivated",
// "probation;retry-after=60".
func (n *Notifier) End(now time.Time, reason string) {
	for _, s := range slices.Clone(n.subscribers) {
		n.end(now, s, reason)
	}
}

// Receive takes a SUBSCRIBE whose sender may subscribe.
func (n *Notifier) Receive(now time.Time, id transaction.ServerID, r *sip.Request) {
	if name := dialog.IDOfRequest(r); name.LocalTag == "" {
		n.subscribe(now, id, r)
	} else if i := slices.IndexFunc(n.subscribers, func(s *subscriber) bool { return s.dialog.ID() == name }); i >= 0 {
		n.refresh(now, id, r, n.subscribers[i])
	} else {
		n.respond(now, id, r, sip.StatusCallTransactionDoesNotExists)
	}
}

// subscribe takes the first SUBSCRIBE of a subscription.
func (n *Notifier) subscribe(now time.Time, id transaction.ServerID, r *sip.Request) {
	event, _ := header.Field(header.First(r, "event", "o"))
	resource := header.Address{URI: r.Recipient.String()}.User()
	expires, ok := n.asked(r)
	accepted := header.Tokens(r, "accept")
	switch {
	case !strings.EqualFold(event, "presence"):
		n.respond(now, id, r, statusBadEvent, sip.NewHeader("Allow-Events", "presence")) // RFC 6665 section 4.2.1.1
		return
	case !strings.HasPrefix(resource, n.config.Prefix):
		n.respond(now, id, r, sip.StatusNotFound)
		return
	case len(accepted) > 0 && !slices.ContainsFunc(accepted, func(kind string) bool { return strings.EqualFold(kind, presence.PIDF) }):
		n.respond(now, id, r, sip.StatusNotAcceptable)
		return
	case !ok:
		n.brief(now, id, r)
		return
	case len(n.subscribers) >= subscribersMax:
		n.respond(now, id, r, sip.StatusServiceUnavailable, sip.NewHeader("Retry-After", "60"))
		return
	}
	tag := rand.Text()
	d, err := dialog.NewUAS(r, tag)
	if err != nil {
		n.respond(now, id, r, sip.StatusBadRequest)
		return
	}
	d.Confirm(nil)
	s := &subscriber{resource: resource, dialog: d, digium: strings.HasPrefix(header.First(r, "user-agent"), "Digium")}
	n.subscribers = append(n.subscribers, s)
	n.accept(now, id, r, s, expires)
}

// refresh takes a further SUBSCRIBE.
func (n *Notifier) refresh(now time.Time, id transaction.ServerID, r *sip.Request, s *subscriber) {
	event, _ := header.Field(header.First(r, "event", "o"))
	expires, ok := n.asked(r)
	switch {
	case s.dialog.Receive(r) != nil:
		n.respond(now, id, r, sip.StatusInternalServerError) // RFC 3261 section 12.2.2
	case !strings.EqualFold(event, "presence"):
		n.respond(now, id, r, statusBadEvent, sip.NewHeader("Allow-Events", "presence"))
	case !ok:
		n.brief(now, id, r)
	default:
		s.dialog.Refresh(r)
		n.accept(now, id, r, s, expires)
	}
}

// asked is the duration a SUBSCRIBE asks for; it reports false for one that is too brief. Zero ends a subscription.
func (n *Notifier) asked(r *sip.Request) (time.Duration, bool) {
	expires, ok := header.Seconds(header.First(r, "expires"), expiresMax)
	if !ok {
		expires = expiresDefault
	}
	return expires, expires == 0 || expires >= n.config.Min
}

func (n *Notifier) brief(now time.Time, id transaction.ServerID, r *sip.Request) {
	n.respond(now, id, r, sip.StatusIntervalToBrief, sip.NewHeader("Min-Expires", header.WriteSeconds(n.config.Min)))
}

// accept answers a SUBSCRIBE and notifies at once (RFC 6665 section 4.2.1.2: the notifier MUST).
func (n *Notifier) accept(now time.Time, id transaction.ServerID, r *sip.Request, s *subscriber, expires time.Duration) {
	s.transport, s.source = r.Transport(), r.Source()
	response := dialog.Response(r, sip.StatusOK, s.dialog.ID().LocalTag)
	response.AppendHeader(n.config.Contact(s.transport))
	response.AppendHeader(sip.NewHeader("Expires", header.WriteSeconds(expires)))
	n.tx.Respond(now, id, response)
	if expires == 0 {
		n.end(now, s, "timeout") // section 4.4.1: the last NOTIFY carries the state once more
		return
	}
	s.expires = now.Add(expires)
	n.tell(now, s)
}

func (n *Notifier) respond(now time.Time, id transaction.ServerID, r *sip.Request, status int, headers ...sip.Header) {
	response := dialog.Response(r, status, rand.Text())
	for _, h := range headers {
		response.AppendHeader(h)
	}
	n.tx.Respond(now, id, response)
}

// tell notifies a subscriber of the present text, after the NOTIFY that is under way: two at once may change places.
func (n *Notifier) tell(now time.Time, s *subscriber) {
	if s.behind = s.busy; s.behind {
		return
	}
	left := max(s.expires.Sub(now), 0) / time.Second
	n.notify(now, s, "active;expires="+strconv.Itoa(int(left)))
}

func (n *Notifier) end(now time.Time, s *subscriber, reason string) {
	n.notify(now, s, "terminated;reason="+reason)
	n.remove(s)
}

func (n *Notifier) remove(s *subscriber) {
	n.subscribers = slices.DeleteFunc(n.subscribers, func(one *subscriber) bool { return one == s })
}

func (n *Notifier) notify(now time.Time, s *subscriber, state string) {
	r := s.dialog.Request(sip.NOTIFY)
	if r.Route() == nil { // the way the phone came, unless proxies stand between
		r.SetTransport(s.transport)
		r.SetDestination(s.source)
	}
	r.AppendHeader(n.config.Contact(s.transport))
	r.AppendHeader(sip.NewHeader("Event", "presence"))
	r.AppendHeader(sip.NewHeader("Subscription-State", state))
	r.AppendHeader(sip.NewHeader("Content-Type", presence.PIDF))
	r.SetBody(n.body(s))
	s.busy = true
	n.requests[n.tx.Request(now, r)] = s
}

func (n *Notifier) body(s *subscriber) []byte {
	local := s.dialog.Local()
	entity, text := local.Address.String(), n.texts[s.resource]
	switch {
	case text == "" || !s.digium:
		return presence.Silent(entity)
	case strings.HasPrefix(s.resource, n.config.Bell):
		return presence.Phone(entity, text)
	}
	return presence.Queue(entity, text)
}

// Handle takes what becomes of our NOTIFYs. It reports false for an event that is not about one of them.
func (n *Notifier) Handle(now time.Time, event transaction.Event) bool {
	var id transaction.ClientID
	status := 0
	switch event := event.(type) {
	case transaction.ResponseReceived:
		id, status = event.Transaction, event.Response.StatusCode
	case transaction.TimedOut:
		id, status = event.Transaction, sip.StatusRequestTimeout
	case transaction.Failed:
		id, status = event.Transaction, sip.StatusServiceUnavailable
	}
	s := n.requests[id]
	if s == nil || id == 0 {
		return false
	}
	if status < 200 {
		return true
	}
	delete(n.requests, id)
	s.busy = false
	// RFC 6665 section 4.2.2: a NOTIFY that is refused with 481, or not answered, ends the subscription.
	gone := status == sip.StatusCallTransactionDoesNotExists || status == sip.StatusRequestTimeout || status == sip.StatusServiceUnavailable
	switch {
	case !slices.Contains(n.subscribers, s):
	case gone:
		n.remove(s)
	case s.behind:
		n.tell(now, s)
	}
	return true
}

// Deadline is when Tick is wanted; zero means never.
func (n *Notifier) Deadline() time.Time {
	var first time.Time
	for _, s := range n.subscribers {
		first = deadline.Earliest(first, s.expires)
	}
	return first
}

// Tick ends subscriptions whose time is over.
func (n *Notifier) Tick(now time.Time) {
	for _, s := range slices.Clone(n.subscribers) {
		if deadline.Reached(now, s.expires) {
			n.end(now, s, "timeout")
		}
	}
}
