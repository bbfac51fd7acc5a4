//go:build linux

package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua"
	"freizeichen/sip/ua/subscription"
	"freizeichen/test/bench/queue/crowd"
)

// The queue that is watched, one of the Asterisk of test/asterisk.
const queueName = "zulassung"

// Bounds of a change, on a machine that does other things too.
const (
	gatherMax = 20 * time.Second
	// quiet is longer than the first repetition of a packet takes (RFC 3261 T1).
	quiet = 600 * time.Millisecond
)

// ready is the word of a child that has done what must be done before the first change.
const ready = -1

// playCrowd is many phones. Its words: ready, then one for each "expect", then the arrivals.
func playCrowd(ctx context.Context, t task, orders <-chan order, tell func(word) error) error {
	server, err := netip.ParseAddrPort(t.Server)
	if err != nil {
		return err
	}
	config := crowd.Config{Server: server, Domain: t.Domain, Resource: "cc-" + queueName, Event: "presence", Accept: presence.PIDF,
		Password: t.Password, Phones: t.Phones, Value: reported}
	if t.Way == hints {
		config.Resource, config.Event, config.Accept, config.Value = "q-"+queueName, "dialog", presence.DialogXML, lit
	}
	c, err := crowd.Open(config)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Subscribe(ctx); err != nil {
		return err
	}
	if err := tell(word{Value: ready}); err != nil {
		return err
	}
	for {
		select {
		case o := <-orders:
			answer := word{Value: o.Value}
			if o.Gather {
				within, cancel := context.WithTimeout(ctx, gatherMax)
				a := c.Gather(within, quiet)
				cancel()
				answer = word{Value: o.Value, At: a.First, Last: a.Last, Reached: a.Reached, Packets: a.Packets, Again: a.Again, Bytes: a.Bytes}
			} else {
				c.Expect(o.Value)
			}
			if err := tell(answer); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// reported is the value of a presence body: how many wait.
func reported(body []byte) (int, bool) {
	status, err := presence.ReadQueue(queueName, body)
	return status.Waiting, err == nil
}

// lit is the value of a hint's body: whether somebody waits.
func lit(body []byte) (int, bool) {
	document, err := presence.ReadDialogInfo(body)
	return presence.Lamp{Waiting: document.Dialogs}.Status(queueName).Waiting, err == nil
}

// noSound is for a phone that is not called.
type noSound struct{}

func (noSound) Open(sip.CallID) (netip.AddrPort, error) {
	return netip.AddrPort{}, errors.New("no sound")
}
func (noSound) Apply(sip.CallID, sip.Media) error { return nil }
func (noSound) SendDigit(sip.CallID, byte)        {}
func (noSound) Close(sip.CallID)                  {}

// playPhone is one phone as far as SIP goes: the user agent, registered and watching. Its words are what the queue reports.
func playPhone(ctx context.Context, t task, tell func(word) error) error {
	endpoint, err := transaction.Open(transaction.Config{
		Network: "udp", Local: netip.MustParseAddrPort("127.0.0.1:0"), Server: t.Server, Methods: ua.Methods(), Extensions: ua.Extensions(),
	})
	if err != nil {
		return err
	}
	source := ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-"}
	if t.Way == hints {
		source = ua.QueueSource{Kind: subscription.Dialog, Prefix: "q-"}
	}
	agent := ua.New(ua.Config{
		Account: sip.Account{User: "201", Password: t.Password, Domain: t.Domain, Server: t.Server, Transport: "udp"},
		Local:   func() netip.AddrPort { return endpoint.LocalAddr("udp") }, UserAgent: "Freizeichen/bench", Queues: source,
	}, endpoint.Transactions(), noSound{}, func(event sip.Event) {
		if e, ok := event.(sip.QueueReported); ok {
			_ = tell(word{Value: e.Status.Waiting, At: time.Now()}) // without a listener the process ends anyway
		}
	})
	go func() { <-ctx.Done(); endpoint.Close() }()
	endpoint.Do(agent.Start)
	endpoint.Do(func(now time.Time) { agent.Do(now, sip.WatchQueues{Queues: []string{queueName}}) })
	return endpoint.Run(context.Background(), agent)
}
