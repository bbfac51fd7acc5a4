// Package publisher tells a presence server how the queues stand: the client of RFC 3903. It is for big sites, where the
// PBX's own fan-out costs too much; phones subscribe at the presence server, and notice nothing.
//
//	Publish(resource, text) --> the newest per resource --PUBLISH, at most one each--> presence server --NOTIFY--> phones
//
// Of a resource at most one PUBLISH is under way; texts that come meanwhile replace each other. What the server holds is
// refreshed before it expires, and published anew when the server has forgotten it (412). It must not read the texts.
package publisher

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/dialog"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
)

// Config is what a Publisher needs to know.
type Config struct {
	Server  string // the presence server: "host:port", or "host" with SRV records
	Network string // "udp" or "tcp"; empty means "udp"
	Domain  string // of the resources' addresses; empty means the host of Server
	// User and Password answer its challenges; User is also who publishes. Empty User means "switchboard".
	User, Password string
	UserAgent      string
	Local          netip.AddrPort // zero: any address and port
	Expires        time.Duration  // of a publication; zero means 600 s
	AtOnce         int            // PUBLISH requests under way at the same time, of all resources; zero means 32

	// ListenPacket opens the UDP socket; nil opens a real one. Tests put an in-memory network here.
	ListenPacket func(network, address string) (net.PacketConn, error)
	// Random is for tests with a seed; nil means crypto/rand.
	Random *rand.Rand
	Log    *slog.Logger // nil means silence
}

// stopTime bounds how long the end of Run waits until the server has forgotten what we published.
const stopTime = 2 * time.Second

// A Publisher keeps texts published. Its methods may be called on any goroutine.
type Publisher struct {
	endpoint     *transaction.Endpoint
	publications *publications
	news         presence.News
	ended        chan struct{}
}

// A Status says how far a Publisher is.
type Status struct {
	Resources int // with a text
	Pending   int // of them, those that the server does not have in their newest form
	Failing   int // of them, those whose last PUBLISH failed
}

// Open binds the socket. It does not wait for the server.
func Open(config Config) (*Publisher, error) {
	if config.Expires == 0 {
		config.Expires = 600 * time.Second
	}
	if config.AtOnce == 0 {
		config.AtOnce = 32
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	endpoint, err := transaction.Open(transaction.Config{
		Network: config.Network, Local: config.Local, Server: config.Server, ListenPacket: config.ListenPacket, Log: config.Log,
		Methods: []string{"OPTIONS"},
	})
	if err != nil {
		return nil, fmt.Errorf("publisher: opening the SIP port: %w", err)
	}
	return &Publisher{endpoint: endpoint, publications: newPublications(config, endpoint.Transactions()), ended: make(chan struct{})}, nil
}

func (c Config) account() sip.Account {
	user := c.User
	if user == "" {
		user = "switchboard"
	}
	return sip.Account{User: user, Password: c.Password, Domain: host(c.Server, c.Domain), Server: c.Server, Transport: c.Network}
}

// Publish tells the server the text of a resource, in a note of a PIDF document; an empty text takes it back. It does not
// wait.
func (p *Publisher) Publish(resource, text string) {
	if p.news.Put(resource, text) {
		go p.endpoint.Do(func(now time.Time) {
			for resource, text := range p.news.Take() {
				p.publications.set(now, resource, text)
			}
		})
	}
}

// Status is how far it is now; zero after Run has returned.
func (p *Publisher) Status() (status Status) {
	got := make(chan Status, 1)
	if !p.endpoint.Do(func(time.Time) { got <- p.publications.status() }) {
		return Status{}
	}
	select {
	case status = <-got:
	case <-p.ended:
	}
	return status
}

// Run publishes until ctx ends; then it takes back what it published, for at most 2 s. It must be called once.
func (p *Publisher) Run(ctx context.Context) error {
	defer close(p.ended)
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.endpoint.Run(inner, p.publications) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	p.endpoint.Do(func(now time.Time) { p.publications.stop(now, cancel) })
	return <-ended
}

// refuse answers what others send us: a server may ask whether we are there.
func (p *publications) refuse(now time.Time, received transaction.RequestReceived) {
	status := sipgo.StatusMethodNotAllowed
	if received.Request.Method == sipgo.OPTIONS {
		status = sipgo.StatusOK
	}
	response := dialog.Response(received.Request, status, p.client.Token())
	response.AppendHeader(sipgo.NewHeader("Allow", "OPTIONS"))
	p.tx.Respond(now, received.Transaction, response)
}
