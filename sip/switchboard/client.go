// Package switchboard is the phone's side of the switchboard: it asks for the agent, delivers what the journal holds and
// fetches what there is to know, over HTTPS and the JSON of sip/switchboard/wire. It decides nothing about agents.
//
//	phone --Do, Changed----> courier (one goroutine) --HTTPS--> switchboard
//	      --KeepOutcome----> keeper  (one goroutine) --> Outbox --> courier
//	      <--sip.Event, knowledge-- both
//
// The courier does one thing at a time. A request of the agent comes before everything else: it breaks off what runs in
// the background, which is done again afterwards; everything in the background may be done twice.
package switchboard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

// An Outbox keeps what must be delivered; firmware/journal is one. What Append has confirmed survives a power cut, in
// order, until Confirm. An error of Append that has a method Full() bool and says true means that there is no room.
type Outbox interface {
	Append(data []byte) (id uint64, err error)
	// Next is the first that waits behind a number, behind 0 the oldest.
	Next(after uint64) (id uint64, data []byte, ok bool)
	Confirm(id uint64) error
	Len() int
}

// A KnowledgeStore keeps one compiled file; firmware/knowledge has the writing and reading that a power cut cannot hurt.
type KnowledgeStore interface {
	Store(data []byte) error
	// Open reads what Store was given last; its error wraps fs.ErrNotExist when there is nothing.
	Open() ([]byte, error)
}

// A Config says who the phone is and whom it asks.
type Config struct {
	URL    string // "https://switchboard.example:8443"; http is taken to this machine alone
	CAFile string // PEM file with the authorities that may have signed the switchboard's certificate; empty: the system's
	Device string // the phone's name there: its SIP account, "201"
	Secret string // its own; never logged
	Outbox Outbox
	// Kept is where the last knowledge is kept, for a start without the switchboard; nil: nowhere.
	Kept KnowledgeStore
	// Event gets AgentReply (ID 0: nobody asked), SwitchboardChanged, FiguresReported, OutboxChanged and MessageTaken;
	// Knowledge gets the compiled file when it is new, and reports whether it can be used: a file that cannot is not kept.
	// Calls come one at a time, from goroutines of Run; they must not wait for the client.
	Event     func(sip.Event)
	Knowledge func(data []byte) error
	Log       *slog.Logger // nil: nothing is logged

	// Dial connects; nil: a socket.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Bounds. A person presses keys far slower than that: who finds a queue full is stuck.
const (
	requestsMax = 16
	keepsMax    = 64
)

// A Client asks one switchboard for one phone.
type Client struct {
	config    Config
	base      *url.URL
	http      *http.Client
	authority string // what the CA file holds, for people
	restored  string // wire.Tag of the knowledge that was kept; empty: none

	wake   chan struct{} // has room for one: the courier looks at what is below
	keeps  chan keep
	events sync.Mutex // one call of Event or Knowledge at a time

	mu        sync.Mutex
	requests  []sip.AgentRequest
	breakOff  context.CancelCauseFunc // of what runs in the background; nil: nothing does
	changed   bool                    // the agent is another than the one we know
	version   uint64                  // of the agent we know
	delivered bool                    // nothing new waits in the outbox
}

// New makes a client; Run makes it work.
func New(config Config) (*Client, error) {
	c := &Client{config: config, wake: make(chan struct{}, 1), keeps: make(chan keep, keepsMax)}
	if c.config.Log == nil {
		c.config.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if c.base, err = parseURL(config.URL); err != nil {
		return nil, fmt.Errorf("switchboard: %w", err)
	}
	if config.Device == "" || config.Secret == "" {
		return nil, errors.New("switchboard: the phone needs a name and a secret")
	}
	pool, err := c.authorities()
	if err != nil {
		return nil, fmt.Errorf("switchboard: %w", err)
	}
	dial := config.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: requestTimeout}).DialContext
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:         dial,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ClientSessionCache: tls.NewLRUClientSessionCache(1)},
			TLSHandshakeTimeout: requestTimeout,
			MaxConnsPerHost:     2, // one may still be closing

			// The switchboard serves thousands: a connection is kept for what belongs together, and no longer.
			IdleConnTimeout:        2 * time.Second,
			MaxResponseHeaderBytes: 16 << 10,
		},
		// A redirection would carry the secret elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New(`the address of the switchboard must look like "https://host:port"`)
	}
	address, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && !address.IsLoopback()) {
		return nil, errors.New("the switchboard is asked by https: the phone's secret and agents' PINs travel there")
	}
	return u, nil
}

// authorities reads the CA file.
func (c *Client) authorities() (*x509.CertPool, error) {
	if c.config.CAFile == "" {
		c.authority = "the system's authorities"
		return nil, nil
	}
	data, err := os.ReadFile(c.config.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the authority of the switchboard's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	names, err := certificates(data)
	if err != nil {
		return nil, fmt.Errorf("a certificate in %s: %w", c.config.CAFile, err)
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", c.config.CAFile)
	}
	c.authority = fmt.Sprintf("%s (%s)", c.config.CAFile, strings.Join(names, "; "))
	return pool, nil
}

// Do asks the switchboard. Exactly one AgentReply with the request's ID follows as an event, within a few seconds. False:
// too many requests wait already, and none follows. It never blocks.
func (c *Client) Do(request sip.AgentRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.requests) >= requestsMax {
		return false
	}
	c.requests = append(c.requests, request)
	if c.breakOff != nil {
		c.breakOff(errBrokenOff)
	}
	c.look()
	return true
}

// Changed tells that the agent's state has another version (sip.AgentChanged): it is fetched.
func (c *Client) Changed(version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != c.version {
		c.changed = true
		c.look()
	}
}

// look makes the courier look at what there is to do.
func (c *Client) look() {
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// KeepOutcome keeps an outcome for delivery. OutboxChanged says when it is safe, or that it could not be kept. False: too
// many wait for the disk, and nothing follows. It never blocks.
func (c *Client) KeepOutcome(o sip.Outcome) bool {
	return c.keep(keep{o.ID, entry{Outcomes, o.ID, wire.EncodeOutcome(o)}})
}

// KeepMessage keeps a message to an office for delivery, as KeepOutcome does.
func (c *Client) KeepMessage(m sip.OfficeMessage) bool {
	return c.keep(keep{m.ID, entry{Messages, m.ID, wire.EncodeMessage(m)}})
}

func (c *Client) keep(k keep) bool {
	select {
	case c.keeps <- k:
		return true
	default:
		return false
	}
}

// Run works until ctx ends. What was given to KeepOutcome and KeepMessage before is in the outbox when it returns.
func (c *Client) Run(ctx context.Context) {
	c.restoreKnowledge()
	var both sync.WaitGroup
	both.Go(func() { c.runKeeper(ctx) })
	both.Go(func() { (&courier{Client: c}).run(ctx) })
	both.Wait()
	c.http.CloseIdleConnections()
}

func (c *Client) event(e sip.Event) {
	c.events.Lock()
	defer c.events.Unlock()
	c.config.Event(e)
}
