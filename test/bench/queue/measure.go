//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"freizeichen/sip/ami/amitest"
	"freizeichen/sip/presence/publisher"
	"freizeichen/test/asterisk"
	"freizeichen/test/bench/process"
	"freizeichen/test/bench/stand"
	"freizeichen/test/presence"
)

// A setting is one case.
type setting struct {
	way             string
	phones, changes int
	program         string // the switchboard
}

// A result is what was measured of a setting.
type result struct {
	setting
	outcome
}

// An outcome is the figures of a result.
type outcome struct {
	subscribed  time.Duration   // until all phones had their first NOTIFY
	first, last []time.Duration // of each change, from the PBX's knowledge until a phone has it
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

// A server is Asterisk or Kamailio, with what belongs to it.
type server struct {
	task   task
	usage  func() (process.Usage, error)
	caller caller
	site   site // of the switchboard; with Asterisk's hints there is none
	// settled is called when the phone watches.
	settled func()
}

// startServer starts what a way needs.
func startServer(s *stand.Stand, way string) server {
	if way == presenceServer {
		k, pbx := presence.Start(s), startFakePBX(s, queueName)
		pbx.Add(queueName, amitest.Member{Interface: "PJSIP/201", Name: "4711", Paused: true, Reason: "Pause"})
		return server{
			task:  task{Way: way, Server: k.Address(), Domain: presence.Domain, Password: presence.Password},
			usage: func() (process.Usage, error) { return process.OfGroup(k.PID()) }, caller: pbx, settled: func() {},
			site: site{manager: pbx.address, secret: secret, queues: []string{queueName},
				publish: publisher.Config{Server: k.Address(), Domain: presence.Domain, Password: presence.Password}},
		}
	}
	pbx := asterisk.Start(s)
	return server{
		task:  task{Way: way, Server: pbx.Address(), Domain: pbx.Address(), Password: asterisk.Password},
		usage: func() (process.Usage, error) { return process.Of(pbx.PID()) }, caller: newCitizen(s, pbx),
		site: site{manager: pbx.Manager(), secret: asterisk.Password, queues: []string{queueName}},
		settled: func() {
			// Somebody serves the queue, so that callers are let in, but nobody is rung.
			pbx.WaitRegistered("201")
			pbx.CLI("queue pause member PJSIP/201 queue " + queueName)
		},
	}
}

// Bounds of a case.
const (
	subscribeMax = time.Minute
	settle       = 1500 * time.Millisecond // between the last SUBSCRIBE and the first change
	// apart are two changes: the switchboard tells of one a second.
	apart = 1200 * time.Millisecond
)

// measure measures one case.
func measure(ctx context.Context, set setting, out io.Writer) (r result, err error) {
	fmt.Fprintf(out, "%s: %d phones, %d changes\n", set.way, set.phones, set.changes)
	r.setting = set
	err = stand.Hold(out, func(s *stand.Stand) error {
		server := startServer(s, set.way)
		b := &bench{server: server, result: &r}
		if set.way != hints {
			b.board = startSwitchboard(s, set.program, server.site, nil)
		}
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
	server      server
	board       int // process of the switchboard, or 0
	phone, rest *child
	result      *result
}

func (b *bench) run(ctx context.Context, start func(string) *child) error {
	ctx, cancel := context.WithTimeout(ctx, 2*subscribeMax+time.Duration(b.result.changes+2)*2*gatherMax)
	defer cancel()
	if err := b.begin(ctx, start); err != nil {
		return err
	}
	// A caller who comes and goes before it counts: what is done once is done then.
	for n := range 2 {
		if err := b.change(ctx, n+1); err != nil {
			return fmt.Errorf("the changes that do not count: %w", err)
		}
	}
	b.result.outcome = outcome{subscribed: b.result.subscribed}
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

// begin brings everybody to where a change can come: all have heard that nobody waits.
func (b *bench) begin(ctx context.Context, start func(string) *child) error {
	within, cancel := context.WithTimeout(ctx, subscribeMax)
	defer cancel()
	b.phone = start("phone")
	if _, err := b.phone.until(within, 0); err != nil {
		return err
	}
	b.server.settled()
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
	for i, pid := range []int{0, b.board, b.phone.pid(), b.rest.pid()} {
		var u process.Usage
		switch {
		case i == 0:
			u, err = b.server.usage()
		case pid > 0:
			u, err = process.Of(pid)
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
	value := n % 2 // who waits
	if err := b.rest.tell(order{Value: value}); err != nil {
		return err
	}
	if _, err := b.rest.next(ctx); err != nil {
		return err
	}
	do := b.server.caller.join
	if value == 0 {
		do = b.server.caller.leave
	}
	began, err := do(ctx)
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
	own, err := b.phone.after(within, value, began.Add(-early))
	if err != nil && ctx.Err() != nil {
		return err
	}
	if a.Reached == 0 && err != nil {
		return fmt.Errorf("it has come to no phone at all within %v", gatherMax)
	}
	b.result.add(began, b.result.phones-1, a, own)
	time.Sleep(time.Until(began.Add(apart)))
	return nil
}

// early is how much sooner a phone may hear of a change than Asterisk stamps its event, which it does on another thread.
const early = 500 * time.Millisecond

// add counts a change: what the crowd of so many phones says, and the real phone, whose word is zero if it did not hear.
func (o *outcome) add(began time.Time, phones int, a, own word) {
	o.packets, o.again, o.bytes = o.packets+a.Packets, o.again+a.Again, o.bytes+a.Bytes
	o.missed += phones - a.Reached
	first, last := a.At, a.Last
	if own.At.IsZero() {
		o.missed++
	} else {
		if first.IsZero() || own.At.Before(first) {
			first = own.At
		}
		if own.At.After(last) {
			last = own.At
		}
	}
	if first.Before(began) {
		began = first
	}
	o.first, o.last = append(o.first, first.Sub(began)), append(o.last, last.Sub(began))
	if !own.At.IsZero() {
		o.real = append(o.real, own.At.Sub(began))
	}
}
