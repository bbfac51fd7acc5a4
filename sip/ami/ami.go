// Package ami is a client of the Asterisk Manager Interface: it follows the queues of a PBX, and does what a switchboard
// asks of them.
//
//	            one connection, made again whenever it ends
//	Asterisk <---------------------------------------------> Client --Observe--> typed events, in order, one goroutine
//	                                                            ^---QueueAdd, QueuePause, SetPresence ...: many at once
//
//	message   the bytes. Pure
//	amitest   an Asterisk that misbehaves on order; tests only
//
// The section of manager.conf needs no more than this (Setvar belongs to "call", everything else to "agent"):
//
//	[switchboard]
//	secret = ...
//	deny = 0.0.0.0/0.0.0.0
//	permit = 127.0.0.1/255.255.255.255
//	read = agent
//	write = agent,call
//
// It decides nothing about queues or agents, and keeps nothing of callers: no event of it has their number or name.
package ami

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"freizeichen/sip/ami/message"
)

// Times and bounds.
const (
	dialMax   = 5 * time.Second  // also the TLS handshake
	bannerMax = 10 * time.Second // from the connection to the first line
	actionMax = 10 * time.Second // from an action to its response
	syncMax   = 60 * time.Second // from QueueStatus to the end of its list

	// A connection that is silent for pingAfter is asked, and must answer within pongMax: together less than 25 s.
	pingAfter = 15 * time.Second
	pongMax   = 8 * time.Second
	writeMax  = 8 * time.Second

	// retryMin doubles up to retryMax with each attempt, and begins anew after a connection of stableMin.
	retryMin  = 500 * time.Millisecond
	retryMax  = 30 * time.Second
	stableMin = 10 * time.Second

	// inFlightMax actions wait for their response at one time; the next waits for a place.
	inFlightMax = 256
	// eventsMax events may wait for the observer: the list of 100 agents in 50 queues. Then reading stops, and Asterisk
	// closes the connection if that lasts.
	eventsMax = 8192
)

// Config says where Asterisk is and who asks. Address, User, Secret and Observe are needed.
type Config struct {
	Address string // "127.0.0.1:5038"
	User    string // the section of manager.conf
	Secret  string // never logged, and not sent in clear if Asterisk offers a challenge
	// TLS (5039, tlsenable in manager.conf); nil: without. An empty ServerName means the host of Address.
	TLS *tls.Config
	// Observe gets all events, one after another. While it does not return, nothing is read: it must not wait for an
	// action of the same Client.
	Observe func(Event)
	// Presence: SetPresence will be used. Without the right to ("write = call") there is no connection.
	Presence bool
	Log      *slog.Logger // nil means silence
	// Dial opens the connection; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Client is one switchboard's connection to one Asterisk. Its actions may be called from any goroutine but Observe's.
type Client struct {
	config Config

	mu   sync.Mutex
	link *link // nil while nobody is logged in
}

// New checks the configuration.
func New(config Config) (*Client, error) {
	host, _, err := net.SplitHostPort(config.Address)
	if err != nil {
		return nil, fmt.Errorf("ami: address: %w", err)
	}
	if config.User == "" || config.Secret == "" {
		return nil, errors.New("ami: a user and a secret are needed, see manager.conf")
	}
	if _, err := (message.Message{{Name: "Username", Value: config.User}, {Name: "Secret", Value: config.Secret}}).Append(nil); err != nil {
		return nil, fmt.Errorf("ami: %w", err)
	}
	if config.Observe == nil {
		return nil, errors.New("ami: nobody observes")
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{}).DialContext
	}
	if config.TLS != nil && config.TLS.ServerName == "" {
		config.TLS = config.TLS.Clone()
		config.TLS.ServerName = host
	}
	return &Client{config: config}, nil
}

// Run connects, and connects again, until ctx ends; then it returns ctx.Err(). Observe is called on its goroutine. No
// goroutine outlives it.
func (c *Client) Run(ctx context.Context) error {
	pause, again, before := retryMin, false, Cause(0)
	for ctx.Err() == nil {
		began := time.Now()
		err := c.connect(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) >= stableMin {
			pause = retryMin
		}
		lost := Lost{Cause: causeOf(err), Err: err}
		// 75 % to 125 %: the switchboards of a site do not come all at once.
		lost.Retry = pause*3/4 + rand.N(pause/2)
		pause = min(2*pause, retryMax)
		if lost.Cause == LoginRefused || lost.Cause == RightsMissing {
			lost.Retry = retryMax // nobody changes manager.conf in a second, and Asterisk logs each attempt
		}
		level := slog.LevelWarn
		if again && lost.Cause == before {
			level = slog.LevelDebug // once is enough while nothing changes
		}
		again, before = time.Since(began) < stableMin, lost.Cause
		c.config.Log.Log(ctx, level, "no connection to Asterisk", "cause", lost.Cause, "error", lost.Err, "retry", lost.Retry)
		c.config.Observe(lost)
		select {
		case <-time.After(lost.Retry):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// connect makes one connection and lives as long as it does.
func (c *Client) connect(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	l := newLink(conn)
	defer context.AfterFunc(ctx, func() { l.fail(&failure{Closed, ctx.Err()}) })()
	var running sync.WaitGroup
	running.Go(l.read)
	running.Go(l.write)
	var beginning error
	running.Go(func() {
		if beginning = c.begin(ctx, l); beginning != nil {
			l.fail(beginning)
		}
	})
	for e := range l.events {
		if ctx.Err() == nil {
			c.config.Observe(e)
		}
	}
	c.use(nil)
	running.Wait()
	// Asterisk closes the connection behind a refused login: that it did is not the reason.
	if f, ok := errors.AsType[*failure](beginning); ok {
		return f
	}
	return l.err
}

// use is the connection that actions go to.
func (c *Client) use(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialMax)
	defer cancel()
	conn, err := c.config.Dial(ctx, "tcp", c.config.Address)
	if err != nil {
		return nil, dialFailed(c.config.Address, err)
	}
	if c.config.TLS == nil {
		return conn, nil
	}
	secure := tls.Client(conn, c.config.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, &failure{Untrusted, fmt.Errorf("TLS with %s: %w (tlsenable, tlsbindaddr and tlscertfile in manager.conf)", c.config.Address, err)}
	}
	return secure, nil
}
