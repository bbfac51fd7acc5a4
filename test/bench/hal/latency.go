//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"freizeichen/hal"
	"freizeichen/test/bench/peer"
	"freizeichen/test/bench/process"
	"freizeichen/test/board/rig"
)

const (
	// still is how long the panel must rest to have shown all of a change: the next second of a call comes later.
	still = 300 * time.Millisecond
	look  = 5 * time.Millisecond
	// between two movements the phone comes to rest, as in life.
	between = 700 * time.Millisecond
	// debounce is what the hook switch of boards/virt.yaml must be quiet for.
	debounce = 10 * time.Millisecond
)

// A latency is what one kind of movement took.
type latency struct {
	name  string
	took  []time.Duration
	first []time.Duration // until the panel's memory changed at all
	bus   []time.Duration // the bus was busy meanwhile
	bytes []int           // to the panel
}

func (l *latency) add(from time.Time, b burst) {
	l.took, l.first = append(l.took, b.last.Sub(from)), append(l.first, b.first.Sub(from))
	l.bus, l.bytes = append(l.bus, b.busy()), append(l.bytes, b.panel)
}

func (p *desk) printLatencies(ctx context.Context, rounds int, out io.Writer) error {
	digit, err := p.type20(ctx, rounds)
	if err != nil {
		return err
	}
	ring, second, lift, err := p.ring(ctx, rounds)
	if err != nil {
		return err
	}
	t := newTable(fmt.Sprintf("movements on the emulated arm64 board, %d of each, ms", rounds), "", "median", "worst", "first change", "of it bus at 400 kHz", "bytes to the panel")
	t.row("hook's edge to 200 on the wire", millis(middle(lift), 1), millis(worst(lift), 1), "-", fmt.Sprintf("0; %s of debouncing", debounce), "-")
	for _, l := range []*latency{digit, ring, second} {
		first := millis(middle(l.first), 1)
		if l.took == nil {
			continue
		}
		if l == second {
			t.row(l.name, "-", "-", "-", millis(middle(l.bus), 1), strconv.Itoa(middle(l.bytes)))
			continue
		}
		t.row(l.name, millis(middle(l.took), 1), millis(worst(l.took), 1), first, millis(middle(l.bus), 1), strconv.Itoa(middle(l.bytes)))
	}
	if err := t.print(out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Until the last byte is in the panel's memory. The bus here is a USB adapter without a clock: its share is reckoned from the\n"+
		"messages seen, all parts together. The rest is the emulated processor, and this machine's load.\n")
	return err
}

// changed waits until the panel has shown all of a change.
func (p *desk) changed(ctx context.Context, what string, from time.Time) (burst, error) {
	for deadline := time.Now().Add(rig.Patience); ; {
		if b, ok := p.meter.since(from); ok && time.Since(b.last) >= still {
			return b, nil
		}
		if time.Now().After(deadline) {
			return burst{}, fmt.Errorf("%s: the panel did not change within %s", what, rig.Patience)
		}
		if err := pause(ctx, look); err != nil {
			return burst{}, err
		}
	}
}

// digitsMax is how many digits of a number are typed: more would change their size.
const digitsMax = 5

// type20 presses digits; the first of a number, which changes the whole screen, does not count.
func (p *desk) type20(ctx context.Context, rounds int) (*latency, error) {
	l := &latency{name: "key to panel: a digit typed"}
	for n := 0; len(l.took) < rounds; n = (n + 1) % (digitsMax + 1) {
		key := hal.Key1 + hal.Key(n)
		if n == digitsMax {
			key = hal.KeyCancel
		}
		row, column, err := p.place(key)
		if err != nil {
			return nil, err
		}
		from := time.Now()
		p.keys.Press(row, column)
		b, err := p.changed(ctx, "key "+key.String(), from)
		p.keys.Release(row, column)
		if err != nil {
			return nil, err
		}
		if n > 0 && n < digitsMax {
			l.add(from, b)
		}
		if err := pause(ctx, between); err != nil {
			return nil, err
		}
	}
	row, column, err := p.place(hal.KeyCancel)
	if err != nil {
		return nil, err
	}
	p.keys.Press(row, column)
	p.keys.Release(row, column)
	return l, pause(ctx, between)
}

// place is where a key is wired.
func (p *desk) place(key hal.Key) (row, column int, err error) {
	for row, keys := range p.layout {
		for column, have := range keys {
			if have == key {
				return row, column, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("the board has no key %s", key)
}

// ring calls, lets it ring for two seconds, lifts and ends the call.
func (p *desk) ring(ctx context.Context, rounds int) (ring, second *latency, lift []time.Duration, err error) {
	ring, second = &latency{name: "INVITE to panel: it rings"}, &latency{name: "ringing: a second"}
	for range rounds {
		s, err := peer.OpenStream()
		if err != nil {
			return nil, nil, nil, err
		}
		took, err := p.ringOnce(ctx, s, ring, second)
		s.Close()
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%w; the board said:\n%s", err, p.Log())
		}
		lift = append(lift, took)
	}
	return ring, second, lift, nil
}

func (p *desk) ringOnce(ctx context.Context, s *peer.Stream, ring, second *latency) (lifted time.Duration, err error) {
	from := time.Now()
	call, _, err := p.exchange.Invite(ctx, account, s.Port())
	if err != nil {
		return 0, err
	}
	b, err := p.changed(ctx, "INVITE", from)
	if err != nil {
		return 0, err
	}
	ring.add(from, b)
	after := b.last.Add(time.Nanosecond)
	if b, err = p.changed(ctx, "ringing", after); err != nil {
		return 0, err
	}
	second.add(after, b)
	if lifted, err = call.Lift(ctx, func() error { return p.Wires.Set(rig.Hook, true) }); err != nil {
		return 0, err
	}
	if err := pause(ctx, between); err != nil {
		return 0, err
	}
	return lifted, p.end(ctx, call)
}

// end hangs up at both ends, and waits until the phone is idle.
func (p *desk) end(ctx context.Context, call *peer.Call) error {
	if err := call.Hangup(ctx); err != nil {
		return err
	}
	if err := p.Wires.Set(rig.Hook, false); err != nil {
		return err
	}
	return pause(ctx, 2*between)
}

// talk is a call with sound both ways; it gives what the phone has taken at its end.
func (p *desk) talk(ctx context.Context, long time.Duration) (process.Usage, error) {
	s, err := peer.OpenStream()
	if err != nil {
		return process.Usage{}, err
	}
	answered := make(chan struct{})
	go func() { defer close(answered); s.Answer() }()
	defer func() { s.Close(); <-answered }()
	call, _, err := p.exchange.Invite(ctx, account, s.Port())
	if err != nil {
		return process.Usage{}, err
	}
	if err := pause(ctx, between); err != nil {
		return process.Usage{}, err
	}
	if _, err := call.Lift(ctx, func() error { return p.Wires.Set(rig.Hook, true) }); err != nil {
		return process.Usage{}, err
	}
	if err := pause(ctx, long); err != nil {
		return process.Usage{}, err
	}
	usage, err := p.system.Of(p.pid)
	if err != nil {
		return usage, err
	}
	s.Close()
	<-answered
	// An emulated board is late now and then, but a tenth of the packets make a call.
	if least := int(long / peer.PacketTime / 10); s.Sent() < least {
		return usage, fmt.Errorf("the phone on the board sent %d packets of sound in %s; at least %d make a call", s.Sent(), long, least)
	}
	return usage, p.end(ctx, call)
}
