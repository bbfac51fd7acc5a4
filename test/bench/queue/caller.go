//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"freizeichen/sip/ami/amitest"
	"freizeichen/test/asterisk"
	"freizeichen/test/bench/stand"
)

// A caller comes into the queue and leaves it: a change each. He tells when the PBX knew it.
type caller interface {
	join(ctx context.Context) (time.Time, error)
	leave(ctx context.Context) (time.Time, error)
}

// A citizen calls a real Asterisk. The time of his coming is the time stamp of Asterisk's own event.
type citizen struct {
	pbx    *asterisk.PBX
	events chan stamped
}

// A stamped event is one of the manager interface with its Timestamp.
type stamped struct {
	name string
	at   time.Time
}

// newCitizen opens a manager connection that looks, and does nothing.
func newCitizen(s *stand.Stand, pbx *asterisk.PBX) *citizen {
	conn, err := net.Dial("tcp", pbx.Manager())
	if err != nil {
		s.Fatal(err)
	}
	c := &citizen{pbx: pbx, events: make(chan stamped, 100)}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(c.events)
		readEvents(conn, func(e stamped) {
			select {
			case c.events <- e:
			default: // of no interest: nobody has asked for so many
			}
		})
	})
	s.Cleanup(func() { conn.Close(); reading.Wait() })
	if _, err := fmt.Fprintf(conn, "Action: Login\r\nUsername: looker\r\nSecret: %s\r\n\r\n", asterisk.Password); err != nil {
		s.Fatal(err)
	}
	return c
}

// readEvents reads the manager interface until its end: what happens in the queue.
func readEvents(r io.Reader, take func(stamped)) {
	lines := bufio.NewScanner(r)
	fields := map[string]string{}
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			fields[name] = value
		}
		if lines.Text() != "" {
			continue
		}
		// timestampevents = yes: seconds since 1970 with six decimals.
		seconds, micros, _ := strings.Cut(fields["Timestamp"], ".")
		whole, err := strconv.ParseInt(seconds, 10, 64)
		part, errPart := strconv.ParseInt(micros, 10, 64)
		if fields["Queue"] == queueName && err == nil && errPart == nil && len(micros) == 6 {
			take(stamped{fields["Event"], time.Unix(whole, part*int64(time.Microsecond))})
		}
		clear(fields)
	}
}

func (c *citizen) join(ctx context.Context) (time.Time, error) {
	return c.do(ctx, "channel originate Local/02812070@carrier/n application Wait 120", "QueueCallerJoin")
}

func (c *citizen) leave(ctx context.Context) (time.Time, error) {
	return c.do(ctx, "channel request hangup all", "QueueCallerAbandon", "QueueCallerLeave")
}

// do runs a command and waits for the first of the events, of which one stands for the command.
func (c *citizen) do(ctx context.Context, command string, events ...string) (time.Time, error) {
	c.pbx.CLI(command)
	for {
		select {
		case e, ok := <-c.events:
			switch {
			case !ok:
				return time.Time{}, errors.New("the manager interface was closed by Asterisk")
			case slices.Contains(events, e.name):
				return e.at, nil
			}
		case <-time.After(gatherMax):
			return time.Time{}, fmt.Errorf("no %s came from Asterisk", events[0])
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}

// A fakePBX has the manager interface of an Asterisk, over TCP.
type fakePBX struct {
	*amitest.Server
	address string
}

// secret is the fake's.
const secret = "bench"

// startFakePBX ends with the stand.
func startFakePBX(s *stand.Stand, queues ...string) *fakePBX {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	f := &fakePBX{Server: amitest.New("switchboard", secret, queues...), address: listener.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			outer, err := listener.Accept()
			if err != nil {
				return
			}
			inner, err := f.Dial(context.Background(), "", "")
			if err != nil {
				outer.Close()
				continue
			}
			running.Go(func() { _, _ = io.Copy(outer, inner); outer.Close() })
			running.Go(func() { _, _ = io.Copy(inner, outer); inner.Close() })
		}
	})
	s.Cleanup(func() { listener.Close(); f.Close(); running.Wait() })
	return f
}

// uniqueid is the one caller of the fake.
const uniqueid = "1795828164.1"

func (f *fakePBX) join(context.Context) (time.Time, error) {
	at := time.Now()
	f.Join(queueName, uniqueid)
	return at, nil
}

func (f *fakePBX) leave(context.Context) (time.Time, error) {
	at := time.Now()
	f.Leave(queueName, uniqueid)
	return at, nil
}
