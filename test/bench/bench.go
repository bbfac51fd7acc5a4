//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"freizeichen/test/bench/peer"
	"freizeichen/test/bench/process"
)

// bench takes the measurements one after another.
type bench struct {
	options  options
	dir      string
	exchange *peer.Exchange
	programs []program
	results  []result // of programs, in the same places
	out      io.Writer

	allocations float64 // per RTP packet of ours
	generator   spacing // of what we send ourselves
}

// result is what was measured of one phone.
type result struct {
	name                       string
	started, ringing, answered []time.Duration
	idle, talking              process.Usage // registered, before the long call; at its end
	cpu                        time.Duration
	packets                    int
	sent                       spacing
}

// pause lets a phone come to rest: in life it has been idle when a call comes.
const pause = 50 * time.Millisecond

// user is the account of a program.
func user(i int) string { return strconv.Itoa(301 + i) }

// start measures from the start of the process to the 200 of its REGISTER. The first start of each only fills the page
// cache.
func (b *bench) start(ctx context.Context) error {
	fmt.Fprintf(b.out, "start: %d of each\n", b.options.starts)
	for n := range b.options.starts + 1 {
		for i, p := range b.programs {
			r, err := launch(ctx, p, user(i), b.exchange, b.dir)
			if err != nil {
				return err
			}
			at, err := r.registered(b.exchange)
			if errStop := r.stop(); err == nil {
				err = errStop
			}
			if err != nil {
				return err
			}
			if n > 0 {
				b.results[i].started = append(b.results[i].started, at.Sub(r.began))
			}
		}
	}
	return nil
}

// seated is a registered phone and its answer key.
type seated struct {
	*running
	keys control
}

// sit starts all phones. leave must be called, whatever the error.
func (b *bench) sit(ctx context.Context) (phones []seated, leave func() error, err error) {
	leave = func() (err error) {
		for _, p := range phones {
			if p.keys != nil {
				p.keys.Close()
			}
			if errStop := p.stop(); err == nil {
				err = errStop
			}
		}
		return err
	}
	for i, p := range b.programs {
		r, err := launch(ctx, p, user(i), b.exchange, b.dir)
		if err != nil {
			return phones, leave, err
		}
		phones = append(phones, seated{running: r})
		if _, err := r.registered(b.exchange); err != nil {
			return phones, leave, err
		}
		if phones[i].keys, err = r.answering(); err != nil {
			return phones, leave, err
		}
	}
	return phones, leave, nil
}

// ring measures calls, to one phone after the other.
func (b *bench) ring(ctx context.Context) error {
	fmt.Fprintf(b.out, "ring and lift: %d calls to each\n", b.options.calls)
	phones, leave, err := b.sit(ctx)
	for n := range b.options.calls + 1 {
		for i := range phones {
			if err == nil {
				err = b.ringOne(ctx, phones[i], &b.results[i], n > 0)
			}
		}
	}
	if errLeave := leave(); err == nil {
		err = errLeave
	}
	return err
}

func (b *bench) ringOne(ctx context.Context, phone seated, r *result, counts bool) error {
	s, err := peer.OpenStream()
	if err != nil {
		return err
	}
	defer s.Close()
	time.Sleep(pause)
	c, ringing, err := b.exchange.Invite(phone.alive, phone.seat.user, s.Port())
	if err != nil {
		return phone.failed(err)
	}
	time.Sleep(pause)
	answered, err := c.Lift(phone.alive, phone.keys.lift)
	if err != nil {
		return phone.failed(err)
	}
	time.Sleep(pause)
	if counts {
		r.ringing, r.answered = append(r.ringing, ringing), append(r.answered, answered)
	}
	if err := c.Hangup(phone.alive); err != nil {
		return phone.failed(err)
	}
	return nil
}

// talk measures a long call with each phone, both at the same time: each shares the machine with the other.
func (b *bench) talk(ctx context.Context) (err error) {
	fmt.Fprintf(b.out, "talk: %v of G.711 A-law with each\n", b.options.talk)
	phones, leave, err := b.sit(ctx)
	defer func() {
		if errLeave := leave(); err == nil {
			err = errLeave
		}
	}()
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	streams := make([]*peer.Stream, 0, len(phones)+1)
	defer func() {
		for _, s := range streams {
			s.Close()
		}
	}()
	calls := make([]*peer.Call, len(phones))
	for i, phone := range phones {
		s, err := peer.OpenStream()
		if err != nil {
			return err
		}
		streams = append(streams, s)
		if b.results[i].idle, err = process.Of(phone.process.Process.Pid); err != nil {
			return err
		}
		if calls[i], _, err = b.exchange.Invite(phone.alive, phone.seat.user, s.Port()); err != nil {
			return phone.failed(err)
		}
		if _, err := calls[i].Lift(phone.alive, phone.keys.lift); err != nil {
			return phone.failed(err)
		}
		s.To = calls[i].Sound
	}
	own, err := peer.OpenStream()
	if err != nil {
		return err
	}
	streams = append(streams, own)
	own.Loop()
	if err := b.converse(ctx, phones, streams); err != nil {
		return err
	}
	b.generator = spaced(own.Times)
	for i, c := range calls {
		if err := phones[i].keys.check(streams[i]); err != nil {
			return phones[i].failed(err)
		}
		if err := c.Hangup(phones[i].alive); err != nil {
			return phones[i].failed(err)
		}
	}
	return nil
}

// converse sends and listens for the time of the long call, and reads what it cost. It closes the streams.
func (b *bench) converse(ctx context.Context, phones []seated, streams []*peer.Stream) error {
	before := make([]process.Usage, len(phones))
	for i, phone := range phones {
		var err error
		if before[i], err = process.Of(phone.process.Process.Pid); err != nil {
			return err
		}
	}
	var listening sync.WaitGroup
	for _, s := range streams {
		listening.Go(s.Listen)
	}
	err := peer.Speak(ctx, streams, b.options.talk)
	for i, phone := range phones {
		if err != nil {
			break
		}
		b.results[i].talking, err = process.Of(phone.process.Process.Pid)
		b.results[i].cpu = b.results[i].talking.CPU - before[i].CPU
	}
	for _, s := range streams {
		s.Close()
	}
	listening.Wait()
	for i := range phones {
		b.results[i].sent, b.results[i].packets = spaced(streams[i].Times), len(streams[i].Times)
	}
	return err
}
