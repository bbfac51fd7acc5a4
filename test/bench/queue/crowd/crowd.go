//go:build linux

// Package crowd is thousands of phones in one process, as far as a server of presence can tell: each has a subscription
// of its own (RFC 6665) and answers each NOTIFY. They share a few UDP sockets, and do nothing else.
//
//	Open --Subscribe--> server        SUBSCRIBE, 401, SUBSCRIBE, 200, first NOTIFY: a window of them at a time
//	Expect(7), then the change        server --NOTIFY--> phone --200--> server
//	Gather -> Arrivals                the first, the last, packets, packets that came again
//
// What arrives is timed by the kernel. Bodies are read with sip/presence, each different one once a socket: that thousands
// of phones have one processor between them is this machine's fault, not theirs.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Config is whom the phones ask, and for what.
type Config struct {
	Server   netip.AddrPort
	Domain   string // of the addresses of phones and resource
	Resource string // "cc-zulassung"
	Event    string // "presence" or "dialog"
	Accept   string // content type of the bodies
	Password string // of every phone, where the server asks
	Phones   int
	// Value reads what a body says; Expect waits for it. It reports false for a body that says nothing.
	Value func(body []byte) (value int, ok bool)
}

// Bounds.
const (
	sockets = 8
	// window of SUBSCRIBE requests is under way on each socket: what a server's queue holds with ease.
	window = 8
	// retry is when a SUBSCRIBE, or the NOTIFY after it, is taken for lost.
	retry = 2 * time.Second
	// expires is longer than any measurement.
	expires = 3600
	// receiveBuffer holds a NOTIFY for each of 5,000 phones, as the kernel counts.
	receiveBuffer = 4 << 20
	pollEvery     = 5 * time.Millisecond
)

// A Crowd is the phones.
type Crowd struct {
	sockets []*socket
	running sync.WaitGroup
}

// Arrivals are how one change came to the phones.
type Arrivals struct {
	First, Last time.Time
	Reached     int // phones that have the value
	Packets     int // NOTIFY requests that came
	Again       int // of them, those that had come before
	Bytes       int // of all of them
}

// Open opens the sockets.
func Open(config Config) (*Crowd, error) {
	if config.Phones < 1 {
		return nil, errors.New("crowd: without a phone there is nothing to do")
	}
	c := &Crowd{}
	n := min(sockets, config.Phones)
	for i := range n {
		s, err := openSocket(config, i*config.Phones/n, (i+1)*config.Phones/n)
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("crowd: opening socket %d: %w", i, err)
		}
		c.sockets = append(c.sockets, s)
		c.running.Go(s.listen)
	}
	return c, nil
}

// Close ends the crowd without a word to the server.
func (c *Crowd) Close() {
	for _, s := range c.sockets {
		s.conn.Close()
	}
	c.running.Wait()
}

// Subscribe subscribes all phones, and comes back when each has had its first NOTIFY.
func (c *Crowd) Subscribe(ctx context.Context) error {
	for {
		ready, err := 0, error(nil)
		for _, s := range c.sockets {
			n, e := s.subscribe(time.Now())
			ready += n
			err = errors.Join(err, e)
		}
		switch {
		case err != nil:
			return err
		case ready == c.phones():
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("crowd: %d of %d phones have subscribed: %w", ready, c.phones(), ctx.Err())
		}
	}
}

func (c *Crowd) phones() (n int) {
	for _, s := range c.sockets {
		n += len(s.phones)
	}
	return n
}

// Expect is said before a change: its value, which no phone has yet. Counting begins anew.
func (c *Crowd) Expect(value int) {
	for _, s := range c.sockets {
		s.expect(value)
	}
}

// Gather waits until the change has come to all phones and then for quiet without a packet, or until ctx ends.
func (c *Crowd) Gather(ctx context.Context, quiet time.Duration) (a Arrivals) {
	for {
		var newest time.Time
		a, newest = c.arrivals()
		if a.Reached == c.phones() && time.Since(newest) > quiet {
			return a
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return a
		}
	}
}

// arrivals sums up; newest is when the last packet came.
func (c *Crowd) arrivals() (a Arrivals, newest time.Time) {
	for _, s := range c.sockets {
		one, last := s.arrivals()
		if a.First.IsZero() || !one.First.IsZero() && one.First.Before(a.First) {
			a.First = one.First
		}
		if one.Last.After(a.Last) {
			a.Last = one.Last
		}
		if last.After(newest) {
			newest = last
		}
		a.Reached, a.Packets, a.Again, a.Bytes = a.Reached+one.Reached, a.Packets+one.Packets, a.Again+one.Again, a.Bytes+one.Bytes
	}
	return a, newest
}
