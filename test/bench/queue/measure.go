//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"freizeichen/test/asterisk"
	"freizeichen/test/bench/process"
	"freizeichen/test/presence"
)

// A setting is one case.
type setting struct {
	way             string
	phones, changes int
}

// A result is what was measured of a setting.
type result struct {
	setting
	subscribed  time.Duration   // until all phones had their first NOTIFY
	first, last []time.Duration // of each change, from the word to the switchboard until a phone has it
	real        []time.Duration // until the real phone knows it
	packets     int             // NOTIFY requests to the crowd, of all changes
	again       int             // of them, those that came again
	bytes       int             // of them all
	missed      int             // phones that a change did not reach, of all changes
	server      cost
	board       cost
	phone       cost
	crowd       cost
}

// A cost is what one of the processes took.
type cost struct {
	cpu      time.Duration // of all changes
	memoryKB int           // proportional resident memory after the last
}

// A server is Asterisk or Kamailio.
type server struct {
	task  task
	usage func() (process.Usage, error)
	pbx   *asterisk.PBX // or nil
}

// startServer starts what a way needs.
func startServer(s *stand, way string) server {
	if way == presenceServer {
		k := presence.Start(s)
		return server{task: task{Way: way, Server: k.Address(), Domain: presence.Domain, Password: presence.Password},
			usage: func() (process.Usage, error) { return process.OfGroup(k.PID()) }}
	}
	pbx := asterisk.Start(s)
	return server{task: task{Way: way, Server: pbx.Address(), Domain: pbx.Address(), Password: asterisk.Password, Manager: pbx.Manager(), Secret: asterisk.Password},
		usage: func() (process.Usage, error) { return process.Of(pbx.PID()) }, pbx: pbx}
}

// Bounds of a case.
const (
	subscribeMax = time.Minute
	settle       = time.Second // between the last SUBSCRIBE and the first change
)

// measure measures one case.
func measure(ctx context.Context, set setting, out io.Writer) (r result, err error) {
	fmt.Fprintf(out, "%s: %d phones, %d changes\n", set.way, set.phones, set.changes)
	r.setting = set
	err = hold(out, func(s *stand) error {
		server := startServer(s, set.way)
		b := &bench{server: server, result: &r}
		start := func(name string) *child {
			t := server.task
			t.Phones = set.phones - 1
			c, err := startChild(name, t)
			if err != nil {
				s.Fatal(err)
			}
			s.Cleanup(c.stop)
			return c
		}
		return b.run(ctx, start)
	})
	return r, err
}

// A bench is one case under way.
type bench struct {
	server             server
	board, phone, rest *child
	result             *result
	caller             *asterisk.Citizen
}

func (b *bench) run(ctx context.Context, start func(string) *child) error {
	ctx, cancel := context.WithTimeout(ctx, 2*subscribeMax+time.Duration(b.result.changes)*2*gatherMax)
	defer cancel()
	if err := b.begin(ctx, start); err != nil {
		return err
	}
	before, err := b.costs()
	if err != nil {
		return err
	}
	for n := range b.result.changes {
		if err := b.change(ctx, n+1); err != nil {
			return fmt.Errorf("change %d: %w", n+1, err)
		}
	}
	after, err := b.costs()
	if err != nil {
		return err
	}
	for i := range after {
		after[i].cpu -= before[i].cpu
	}
	b.result.server, b.result.board, b.result.phone, b.result.crowd = after[0], after[1], after[2], after[3]
	return nil
}

// begin brings everybody to where a change can come: the queue has been told of once, all have heard it.
func (b *bench) begin(ctx context.Context, start func(string) *child) error {
	b.board = start("switchboard")
	if _, err := b.board.until(ctx, ready); err != nil {
		return err
	}
	if err := b.board.tell(order{Value: 0}); err != nil {
		return err
	}
	if _, err := b.board.until(ctx, 0); err != nil {
		return err
	}
	b.phone = start("phone")
	if _, err := b.phone.until(ctx, 0); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, subscribeMax)
	defer cancel()
	began := time.Now()
	b.rest = start("crowd")
	if _, err := b.rest.until(within, ready); err != nil {
		return err
	}
	b.result.subscribed = time.Since(began)
	time.Sleep(settle)
	return nil
}

// costs are those of server, switchboard, phone and crowd, so far.
func (b *bench) costs() (costs [4]cost, err error) {
	for i := range costs {
		var u process.Usage
		switch i {
		case 0:
			u, err = b.server.usage()
		default:
			u, err = process.Of([...]*child{b.board, b.phone, b.rest}[i-1].pid())
		}
		if err != nil {
			return costs, err
		}
		costs[i] = cost{cpu: u.CPU, memoryKB: u.Proportional}
	}
	return costs, nil
}

// change makes one change and waits until everybody has it and it is quiet again.
func (b *bench) change(ctx context.Context, n int) error {
	value := n
	if b.result.way == hints {
		value = n % 2
	}
	if err := b.rest.tell(order{Value: value}); err != nil {
		return err
	}
	if _, err := b.rest.next(ctx); err != nil {
		return err
	}
	began, err := b.set(ctx, value)
	if err != nil {
		return err
	}
	if err := b.rest.tell(order{Value: value, Gather: true}); err != nil {
		return err
	}
	a, err := b.rest.next(ctx)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, gatherMax)
	defer cancel()
	own, err := b.phone.until(within, value)
	if err != nil {
		return err
	}
	r := b.result
	last := a.Last
	if own.At.After(last) {
		last = own.At
	}
	r.first, r.last, r.real = append(r.first, a.At.Sub(began)), append(r.last, last.Sub(began)), append(r.real, own.At.Sub(began))
	r.packets, r.again, r.bytes, r.missed = r.packets+a.Packets, r.again+a.Again, r.bytes+a.Bytes, r.missed+r.phones-1-a.Reached
	return nil
}

// set changes the queue and tells when.
func (b *bench) set(ctx context.Context, value int) (began time.Time, err error) {
	if b.result.way != hints {
		if err := b.board.tell(order{Value: value}); err != nil {
			return began, err
		}
		w, err := b.board.until(ctx, value)
		return w.At, err
	}
	// Asterisk knows by itself who waits: a caller comes, a caller goes.
	began = time.Now()
	if value == 0 {
		b.caller.HangUp()
	} else {
		b.caller = b.server.pbx.Originate("02812070")
	}
	return began, nil
}
