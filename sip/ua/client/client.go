// Package client sends the requests of one user agent and answers the challenges that they meet: one call of Send for one
// request, whatever number of transactions it takes (RFC 3261 section 8.1.3.5, 22).
// It must not know what the requests are about, and it keeps no time of its own.
//
//	Send --request--> transactions --401--> digest --request--> ... --final response--> handle
package client

import (
	"math/rand/v2"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/digest"
	"freizeichen/sip/ua/header"
)

// A Reply is a response to a request, or what stands for it.
type Reply struct {
	Status      int
	Response    *sipgo.Response // nil when none came: Status is then 408 or 503 (RFC 3261 section 8.1.3.1)
	Err         error           // why the request could not be sent, with Status 503
	Credentials []sipgo.Header  // that the request carried; the ACK of a 2xx repeats them (section 13.2.2.4)
}

// Success reports a 2xx.
func (r Reply) Success() bool { return r.Status >= 200 && r.Status < 300 }

// Final reports a final response, or none at all.
func (r Reply) Final() bool { return r.Status >= 200 }

// A Request is one request under way.
type Request struct {
	build       func() *sipgo.Request
	handle      func(time.Time, Reply)
	id          transaction.ClientID
	invite      bool
	withdrawn   bool
	sent        int      // transactions it has taken so far
	answered    []string // realms answered, see digest.Answers
	credentials []sipgo.Header
	expires     time.Time // of an INVITE after its 2xx
}

// transactionsMax bounds how often one request is sent: a nonce remembered, a stale one, the server, a proxy on the
// way, and one more.
const transactionsMax = 5

// acceptedTime is how long a 2xx to an INVITE can come again: timer M of RFC 6026, 64*T1.
const acceptedTime = 32 * time.Second

// Config is what a Client needs to know.
type Config struct {
	Account   sip.Account
	UserAgent string     // of the User-Agent header field; empty sends none
	Random    *rand.Rand // for tests with a seed; nil means crypto/rand
}

// A Client belongs to one user agent.
type Client struct {
	config   Config
	tx       transaction.Transactions
	digest   *digest.Client
	requests map[transaction.ClientID]*Request
}

// New makes a client.
func New(config Config, tx transaction.Transactions) *Client {
	c := &Client{config: config, tx: tx, requests: make(map[transaction.ClientID]*Request)}
	user := config.Account.AuthUser
	if user == "" {
		user = config.Account.User
	}
	c.digest = digest.NewClient(user, config.Account.Password, c.Token)
	return c
}

// Send sends what build makes. build is called again, for a new CSeq, when the request must be sent with credentials.
// handle receives provisional responses and one final Reply; of an INVITE also each 2xx that follows the first, for
// 64*T1: they are retransmissions and forks, and each wants an ACK.
func (c *Client) Send(now time.Time, build func() *sipgo.Request, handle func(time.Time, Reply)) *Request {
	request := &Request{build: build, handle: handle}
	c.send(now, request)
	return request
}

func (c *Client) send(now time.Time, request *Request) {
	for id, old := range c.requests {
		if !old.expires.IsZero() && now.After(old.expires) {
			delete(c.requests, id)
		}
	}
	message := request.build()
	request.invite = message.Method == sipgo.INVITE
	request.credentials = nil
	for _, field := range c.digest.Authorize(string(message.Method), message.Recipient.String()) {
		h := sipgo.NewHeader(field.Name, field.Value)
		message.AppendHeader(h)
		request.credentials = append(request.credentials, h)
	}
	c.finish(message)
	request.sent++
	request.id = c.tx.Request(now, message)
	c.requests[request.id] = request
}

// Cancel sends CANCEL for a pending INVITE, and keeps it from being sent again.
func (c *Client) Cancel(now time.Time, request *Request, headers ...sipgo.Header) {
	request.withdrawn = true
	c.tx.Cancel(now, request.id, headers...)
}

// ACK acknowledges a 2xx, with the credentials of the INVITE (RFC 3261 section 13.2.2.4).
func (c *Client) ACK(now time.Time, ack *sipgo.Request, reply Reply) {
	for _, h := range reply.Credentials {
		ack.AppendHeader(h)
	}
	c.finish(ack)
	c.tx.ACK(now, ack)
}

// Pending counts the requests without a final response.
func (c *Client) Pending() int {
	n := 0
	for _, request := range c.requests {
		if request.expires.IsZero() {
			n++
		}
	}
	return n
}

// Handle takes an event of the transaction layer. It reports false for one that is not about a request of ours.
func (c *Client) Handle(now time.Time, event transaction.Event) bool {
	switch event := event.(type) {
	case transaction.ResponseReceived:
		c.deliver(now, event.Transaction, Reply{Status: event.Response.StatusCode, Response: event.Response})
	case transaction.TimedOut:
		c.deliver(now, event.Transaction, Reply{Status: sipgo.StatusRequestTimeout})
	case transaction.Failed:
		c.deliver(now, event.Transaction, Reply{Status: sipgo.StatusServiceUnavailable, Err: event.Err})
	default:
		return false
	}
	return true
}

func (c *Client) deliver(now time.Time, id transaction.ClientID, reply Reply) {
	request := c.requests[id]
	if request == nil {
		return
	}
	if !request.expires.IsZero() && !reply.Success() {
		return // the INVITE has had its 2xx: nothing else counts any more
	}
	switch {
	case !reply.Final():
	case request.invite && reply.Success():
		if request.expires.IsZero() {
			request.expires = now.Add(acceptedTime)
		}
	default:
		delete(c.requests, id)
	}
	if c.answer(now, request, reply) {
		return
	}
	reply.Credentials = request.credentials
	request.handle(now, reply)
}

// answer sends a challenged request again. It reports false when the reply is the user's to handle.
func (c *Client) answer(now time.Time, request *Request, reply Reply) bool {
	if reply.Response == nil || reply.Status != sipgo.StatusUnauthorized && reply.Status != sipgo.StatusProxyAuthRequired {
		return false
	}
	if request.withdrawn || request.sent >= transactionsMax {
		return false
	}
	challenges := challengesOf(reply.Response)
	if c.digest.Challenged(challenges, request.answered) != digest.Retry {
		return false
	}
	request.answered = append(request.answered, digest.Answers(challenges)...)
	c.send(now, request)
	return true
}

func challengesOf(response *sipgo.Response) []digest.Challenge {
	var challenges []digest.Challenge
	for _, value := range header.Values(response, "www-authenticate") {
		if challenge, ok := digest.Parse(value, false); ok {
			challenges = append(challenges, challenge)
		}
	}
	for _, value := range header.Values(response, "proxy-authenticate") {
		if challenge, ok := digest.Parse(value, true); ok {
			challenges = append(challenges, challenge)
		}
	}
	return challenges
}
