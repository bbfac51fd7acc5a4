package publisher

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

const (
	statusConditionalRequestFailed = 412
	// expiresMax bounds what a 423 can make us ask for.
	expiresMax = 24 * time.Hour
	// Tries of one resource after a failure.
	backOffMin, backOffMax = time.Second, time.Minute
	retryAfterMax          = 10 * time.Minute
	// resourcesMax is four times the agents of the largest site we have measured.
	resourcesMax = 20_000
	// logPause keeps a server that is away from filling the log.
	logPause = 10 * time.Second
)

// Publications are all that a Publisher has told its server. They are a transaction.User on one goroutine.
type publications struct {
	config   Config
	client   *client.Client
	tx       transaction.Transactions
	all      map[string]*publication
	queue    []*publication // wait for their turn
	inFlight int
	next     time.Time // no publication is due before; zero: none is

	failed    int // since the last line in the log
	loggedAt  time.Time
	unhealthy bool
	over      bool // stop has been called
	stopBy    time.Time
	stopped   func()
}

// A publication is what the server knows of one resource (RFC 3903).
type publication struct {
	resource string
	want     string // the newest text; empty: it is to be removed
	sent     string // of the PUBLISH under way
	held     string // what the server has, by its last 2xx
	tag      string // the server's entity-tag of it; empty: none
	identity client.Identity
	expires  time.Duration // to ask for
	busy     bool          // a PUBLISH is under way
	queued   bool
	failures int
	due      time.Time // to be sent again: refresh, or try after a failure
}

func newPublications(config Config, tx transaction.Transactions) *publications {
	return &publications{config: config, tx: tx, all: map[string]*publication{},
		client: client.New(client.Config{Account: config.account(), UserAgent: config.UserAgent, Random: config.Random}, tx)}
}

// set takes the newest text of a resource.
func (p *publications) set(now time.Time, resource, text string) {
	if p.over {
		return
	}
	one := p.all[resource]
	if one == nil {
		if text == "" {
			return
		}
		if _, ok := client.UserPart(resource); !ok || len(p.all) >= resourcesMax {
			p.config.Log.Error("presence of a resource cannot be published", "resource", resource)
			return
		}
		one = &publication{resource: resource, expires: p.config.Expires, identity: client.Identity{CallID: p.client.Token(), Tag: p.client.Token()}}
		p.all[resource] = one
	}
	one.want = text
	if one.changed() && one.failures == 0 { // one that fails has its time already, and takes the newest text then
		p.enqueue(one)
	}
	p.pump(now)
}

// changed reports whether the server does not have what it should.
func (one *publication) changed() bool {
	return one.want != one.held || one.want != "" && one.tag == ""
}

// enqueue lets a publication wait for its turn. One that is under way comes again when it is answered.
func (p *publications) enqueue(one *publication) {
	one.due = time.Time{}
	if !one.busy && !one.queued {
		one.queued = true
		p.queue = append(p.queue, one)
	}
}

// plan lets a publication be sent again.
func (p *publications) plan(one *publication, due time.Time) {
	one.due = due
	if p.next.IsZero() || due.Before(p.next) {
		p.next = due
	}
}

// pump sends as much as may be under way at once.
func (p *publications) pump(now time.Time) {
	for len(p.queue) > 0 && p.inFlight < p.config.AtOnce {
		one := p.queue[0]
		p.queue = p.queue[1:]
		one.queued = false
		if one.want == "" && one.tag == "" {
			delete(p.all, one.resource) // the server has nothing of it
			continue
		}
		p.publish(now, one)
	}
}

// publish sends one PUBLISH of RFC 3903 section 4.1: initial, refresh, modify or remove.
func (p *publications) publish(now time.Time, one *publication) {
	one.busy, one.sent = true, one.want
	p.inFlight++
	p.client.Send(now, func() *sipgo.Request {
		user, _ := client.UserPart(one.resource)
		uri := p.client.URI(user)
		one.identity.CSeq++
		request := p.client.Outside(sipgo.PUBLISH, uri, uri, one.identity)
		expires := one.expires
		if one.sent == "" {
			expires = 0
		}
		request.AppendHeader(sipgo.NewHeader("Event", "presence"))
		request.AppendHeader(sipgo.NewHeader("Expires", header.WriteSeconds(expires)))
		if one.tag != "" {
			request.AppendHeader(sipgo.NewHeader("SIP-If-Match", one.tag))
		}
		if one.sent != "" && (one.tag == "" || one.sent != one.held) {
			request.AppendHeader(sipgo.NewHeader("Content-Type", presence.PIDF))
			request.SetBody(presence.Publication(uri.String(), one.resource, one.sent))
		}
		return request
	}, func(now time.Time, reply client.Reply) {
		if !reply.Final() {
			return
		}
		one.busy = false
		p.inFlight--
		p.replied(now, one, reply)
		p.pump(now)
	})
}

func (p *publications) replied(now time.Time, one *publication, reply client.Reply) {
	initial := one.tag == ""
	switch {
	case reply.Success():
		p.published(now, one, reply.Response)
	case reply.Status == statusConditionalRequestFailed && !initial:
		// RFC 3903 section 4.1: the server does not know the entity-tag (any more): the publication begins anew.
		one.tag, one.held = "", ""
		p.enqueue(one)
	case reply.Status == sipgo.StatusIntervalToBrief && one.longer(reply.Response):
		p.enqueue(one)
	default:
		p.failure(now, one, reply)
	}
}

func (p *publications) published(now time.Time, one *publication, response *sipgo.Response) {
	one.held, one.failures = one.sent, 0
	one.tag = header.First(response, "sip-etag") // RFC 3903 section 4.1: new with each 2xx
	p.recovered()
	if one.sent == "" {
		one.tag = ""
	}
	granted, ok := header.Seconds(header.First(response, "expires"), expiresMax)
	if !ok || granted == 0 {
		granted = one.expires
	}
	switch {
	case one.want != one.held:
		p.enqueue(one)
	case one.want == "":
		delete(p.all, one.resource)
	default:
		p.plan(one, now.Add(max(p.spread(granted*3/4, 10), time.Second)))
	}
}

// longer takes Min-Expires of a 423. It reports whether asking again makes sense.
func (one *publication) longer(response *sipgo.Response) bool {
	wanted, ok := header.Seconds(header.First(response, "min-expires"), expiresMax)
	if !ok || wanted <= one.expires {
		return false
	}
	one.expires = wanted
	return true
}

// failure plans the next try.
func (p *publications) failure(now time.Time, one *publication, reply client.Reply) {
	if one.want == "" && p.stopped != nil {
		delete(p.all, one.resource)
		return
	}
	wait := backOffMin
	for range min(one.failures, 10) {
		wait = min(2*wait, backOffMax)
	}
	one.failures++
	if reply.Response != nil {
		text, _, _ := strings.Cut(strings.TrimSpace(header.First(reply.Response, "retry-after")), " ")
		if after, ok := header.Seconds(text, retryAfterMax); ok {
			wait = max(wait, after*4/3)
		}
	}
	p.plan(one, now.Add(p.spread(wait, 25)))
	p.failed++
	p.unhealthy = true
	if p.loggedAt.IsZero() || now.Sub(p.loggedAt) >= logPause {
		p.config.Log.Warn("presence cannot be published", "resource", one.resource, "status", reply.Status, "err", reply.Err, "failures", p.failed,
			slog.Duration("retry", wait))
		p.loggedAt, p.failed = now, 0
	}
}

func (p *publications) recovered() {
	if p.unhealthy {
		p.unhealthy = false
		p.config.Log.Info("presence is published again")
	}
}

// spread is d give or take percent, so that a thousand resources drift apart.
func (p *publications) spread(d time.Duration, percent int) time.Duration {
	return d * time.Duration(1000-10*percent+p.client.Intn(20*percent+1)) / 1000
}

// stop takes everything back. done is called once, when that is done or after a time.
func (p *publications) stop(now time.Time, done func()) {
	p.over, p.stopped, p.stopBy = true, done, now.Add(stopTime)
	for _, one := range p.all {
		one.want = ""
		p.enqueue(one)
	}
	p.pump(now)
	p.settle(now)
}

func (p *publications) settle(now time.Time) {
	if p.stopped != nil && (len(p.all) == 0 || !now.Before(p.stopBy)) {
		done := p.stopped
		p.stopped, p.stopBy = nil, time.Time{}
		done()
	}
}

// Handle implements transaction.User.
func (p *publications) Handle(now time.Time, event transaction.Event) {
	if received, ok := event.(transaction.RequestReceived); ok && received.Transaction != 0 {
		p.refuse(now, received)
		return
	}
	p.client.Handle(now, event)
	p.settle(now)
}

// Deadline implements transaction.User.
func (p *publications) Deadline() time.Time {
	if !p.stopBy.IsZero() && (p.next.IsZero() || p.stopBy.Before(p.next)) {
		return p.stopBy
	}
	return p.next
}

// Tick implements transaction.User.
func (p *publications) Tick(now time.Time) {
	if !p.next.IsZero() && !now.Before(p.next) {
		p.next = time.Time{}
		for _, one := range p.all {
			switch {
			case one.due.IsZero():
			case now.Before(one.due):
				p.plan(one, one.due)
			default:
				p.enqueue(one)
			}
		}
	}
	p.pump(now)
	p.settle(now)
}

// status is a picture of now.
func (p *publications) status() Status {
	s := Status{Resources: len(p.all)}
	for _, one := range p.all {
		if one.busy || one.queued || one.changed() {
			s.Pending++
		}
		if one.failures > 0 {
			s.Failing++
		}
	}
	return s
}

func host(server, domain string) string { return cmp.Or(domain, strings.Split(server, ":")[0]) }
