// Package hostile is the enemy of the phone and of its exchange: strangers on the network, peers that lie, networks that
// come and go, and time. After each attack the same must hold: the call that is up goes on and both hear each other, the
// phone still takes and makes calls, nothing has leaked, and no log says who called.
//
//	stranger --SIP, RTP, TCP--> phone <==call==> exchange       real sockets on loopback, or a wire in fake time
package hostile

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/cmd/station"
	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/hal/sim"
	"freizeichen/sip"
	"freizeichen/sip/exchange"
	"freizeichen/sip/media"
	"freizeichen/sip/siptest"
	"freizeichen/test/tool"
)

// The tones by which each side is known to the other, and that of strangers. No two share a harmonic.
const (
	agentHz    = 1020
	citizenHz  = 730
	strangerHz = 1610
)

// ada is the citizen of most calls. Neither name nor number may be read in a log.
var ada = sip.Party{Name: "Ada Geheim", Number: "03023125001"}

// A desk is a phone with somebody at it, and the exchange it is registered with.
type desk struct {
	t        *testing.T
	exchange *exchange.Exchange
	phone    *station.Station
	body     *sim.Body
	ear      *ear
	log      *journal
	tapped   *tap // of the phone's SIP socket; nil without
	address  netip.AddrPort

	mu       sync.Mutex
	rtp      []netip.AddrPort // ports that the phone opened, in order
	open     int              // of them now
	citizens []exchange.ID
	stop     func()
	stopPBX  func()
	pbx      exchange.Config
}

// A ground is where a desk stands: on loopback, or on a wire.
type ground struct {
	wire     *siptest.Wire // nil: loopback
	tap      bool          // read along at the phone's SIP socket; there is no TCP then
	password string        // that the exchange knows; empty: the phone's
	away     bool          // the exchange is not there at the start
	slow     bool          // the sound device gives three frames a minute
	nat      func(network, address string) (net.PacketConn, error)
}

var (
	phoneHost = netip.MustParseAddr("192.0.2.10")
	pbxHost   = netip.MustParseAddr("192.0.2.1")
	loopback  = netip.MustParseAddr("127.0.0.1")
)

// raise starts exchange and phone on the ground; both end with the test.
func raise(t *testing.T, g ground) *desk {
	t.Helper()
	d := &desk{t: t, log: newJournal(), ear: newEar(t, g.slow), stopPBX: func() {}}
	d.address = netip.AddrPortFrom(phoneHost, 5060)
	if g.wire == nil {
		d.address = netip.AddrPortFrom(loopback, uint16(tool.FreePort(t)))
	}
	d.pbx = d.exchangeConfig(g)
	if !g.away {
		d.startPBX()
	} else if g.wire == nil {
		t.Fatal("an exchange that is away needs a wire")
	}
	settings := config.Default()
	account, err := config.ParseAccountURL("sip:201:secret@" + d.pbxAddress().String())
	if err != nil {
		t.Fatal(err)
	}
	settings.Accounts, settings.Network.Local = []config.Account{account}, d.address
	c := station.Config{Config: settings, Sound: d.ear, Version: "test", Logger: d.log.logger(), ListenRTP: d.listenRTP(g)}
	switch {
	case g.nat != nil:
		c.ListenPacket = g.nat
	case g.wire != nil:
		c.ListenPacket = g.wire.ListenPacket
	case g.tap:
		d.tapped = &tap{}
		c.ListenPacket = d.tapped.listen
	}
	d.body = sim.NewBody(func(k hal.KeyChange) { d.phone.Post(k) }, func(h hal.HookChange) { d.phone.Post(h) })
	c.Body = d.body
	if d.phone, err = station.New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.phone.Run(ctx) }()
	d.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the phone ended with %v", err)
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the phone's last steps:\n%s", d.phone.Transcript())
		}
		d.stop()
		d.stopPBX()
		d.log.check(t)
	})
	return d
}

func (d *desk) exchangeConfig(g ground) exchange.Config {
	password := g.password
	if password == "" {
		password = "secret"
	}
	c := exchange.Default(exchange.Account{User: "201", Password: password})
	c.Traffic, c.Log = nil, d.log.logger()
	for i := range c.Queues {
		c.Queues[i].WrapUp, c.Queues[i].Retry = 100*time.Millisecond, time.Second
	}
	if g.wire != nil {
		c.Listen, c.ListenPacket = netip.AddrPortFrom(pbxHost, 5060), g.wire.ListenPacket
		c.ListenRTP = func(at netip.AddrPort) (media.Conn, error) { return g.wire.Listen(at) }
	} else {
		c.Listen = netip.AddrPortFrom(loopback, uint16(tool.FreePort(d.t)))
	}
	return c
}

func (d *desk) pbxAddress() netip.AddrPort { return d.pbx.Listen }

// startPBX starts the exchange, anew if need be.
func (d *desk) startPBX() {
	d.t.Helper()
	var err error
	if d.exchange, err = exchange.New(d.pbx); err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.t.Context()))
	ended := make(chan error, 1)
	running := d.exchange
	go func() { ended <- running.Run(ctx) }()
	d.stopPBX = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			d.t.Errorf("the exchange ended with %v", err)
		}
	})
}

// listenRTP opens the phone's ports for sound and remembers them.
func (d *desk) listenRTP(g ground) func(netip.AddrPort) (media.Conn, error) {
	return func(at netip.AddrPort) (media.Conn, error) {
		var conn media.Conn
		var err error
		if g.wire != nil {
			conn, err = g.wire.Listen(at)
		} else {
			conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		}
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.rtp = append(d.rtp, at)
		d.open++
		return &port{Conn: conn, desk: d}, nil
	}
}

// A port is a socket for sound that is counted while it is open.
type port struct {
	media.Conn
	desk *desk
	once sync.Once
}

// Close implements media.Conn.
func (p *port) Close() error {
	p.once.Do(func() {
		p.desk.mu.Lock()
		defer p.desk.mu.Unlock()
		p.desk.open--
	})
	return p.Conn.Close()
}

// ports is how many sockets for sound are open.
func (d *desk) ports() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// sound is the phone's RTP port of the call that has just come; RTCP is one above.
func (d *desk) sound() netip.AddrPort {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.rtp) < 2 {
		d.t.Fatal("no call has opened its ports")
	}
	return d.rtp[len(d.rtp)-2]
}

// await waits until something holds, for at most a while.
func (d *desk) await(what string, within time.Duration, holds func() bool) {
	d.t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("after %v still not: %s\nthe panel shows\n%s", within, what, d.panel())
		}
	}
}

func (d *desk) panel() string { return strings.Join(d.body.Display().Text, "\n") }

func (d *desk) shows(text string) bool { return strings.Contains(d.panel(), text) }

func (d *desk) registered() bool {
	return d.phone.View().Status.Registration == phone.Registered && d.exchange.Registered("201")
}

// states are the calls on the panel.
func (d *desk) states() (states []phone.CallState) {
	if calls, ok := d.phone.View().Screen.(phone.Calls); ok {
		for _, c := range calls.Calls {
			states = append(states, c.State)
		}
	}
	return states
}

func (d *desk) rings() bool    { return slices.Contains(d.states(), phone.RingingIn) }
func (d *desk) talks() bool    { return slices.Contains(d.states(), phone.Talking) }
func (d *desk) atRest() bool   { return d.phone.View().Sound == d.silence() && len(d.states()) == 0 }
func (d *desk) inNoCall() bool { return d.phone.View().Sound.Calls == [4]sip.CallID{} }

// silence is what a phone at rest sounds like: nothing, at whatever volume.
func (d *desk) silence() phone.Sound {
	s := d.phone.View().Sound
	return phone.Sound{Volume: s.Volume, Ringer: s.Ringer}
}

func (d *desk) press(keys ...hal.Key) {
	for _, k := range keys {
		d.body.Press(k)
		d.body.Release(k)
	}
}

func (d *desk) dial(number string) {
	d.body.Hook(true)
	for _, digit := range number {
		d.press(hal.ParseKey(string(digit)))
	}
	d.press(hal.KeyOK)
}

// call lets a citizen call, who speaks with his tone once somebody answers.
func (d *desk) call(party sip.Party) exchange.ID { return d.callAt(party, "02812070") }

func (d *desk) callAt(party sip.Party, number string) exchange.ID {
	d.t.Helper()
	id := d.exchange.Call(exchange.Citizen{Party: party, Called: number, Topic: "Elterngeld"})
	if id == 0 {
		d.t.Fatal("the number leads nowhere")
	}
	d.exchange.Speak(id, tone(citizenHz, 8000))
	d.citizens = append(d.citizens, id)
	return id
}

// talk takes a citizen's call.
func (d *desk) talk(party sip.Party) exchange.ID {
	d.t.Helper()
	d.await("registered", 10*time.Second, d.registered)
	id := d.call(party)
	d.await("it rings", 10*time.Second, d.rings)
	d.body.Hook(true)
	d.await("they talk", 10*time.Second, d.talks)
	d.wantSound(id)
	return id
}

// wantSound fails unless agent and citizen hear each other, and nobody else.
func (d *desk) wantSound(id exchange.ID) {
	d.t.Helper()
	d.await("the citizen hears the agent", 10*time.Second, func() bool { return holds(d.exchange.Heard(id), agentHz) })
	d.await("the agent hears the citizen", 10*time.Second, func() bool { return holds(d.ear.last(), citizenHz) })
}

// wantWork fails unless the phone, in no call, makes and takes one.
func (d *desk) wantWork() {
	d.t.Helper()
	d.await("in no call", 10*time.Second, d.inNoCall)
	d.body.Hook(false)
	d.await("at rest", 10*time.Second, d.atRest)
	d.dial("5090") // the echo
	d.await("the echo answers", 10*time.Second, d.talks)
	d.await("the agent hears himself", 10*time.Second, func() bool { return holds(d.ear.last(), agentHz) })
	d.body.Hook(false)
	d.await("in no call again", 10*time.Second, d.inNoCall)
	id := d.talk(ada)
	d.body.Hook(false)
	d.await("the citizen is gone", 10*time.Second, func() bool { return !d.exchange.Present(id) })
	d.await("at rest again", 10*time.Second, d.atRest)
}

// burden is what a process carries.
type burden struct {
	goroutines int
	heap       uint64
}

// weigh leaves out the goroutines of tests that wait and of those in another bubble; their memory cannot be told apart.
func weigh() burden {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	own, _, _ := strings.Cut(string(stacks), "\n") // "goroutine 7 [running, synctest bubble 2]:"
	mine := bubbleOf(own)
	b := burden{heap: m.HeapAlloc}
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		waits := strings.Contains(stack, "testing.(*T).") || strings.Contains(stack, "synctest.Run(") || strings.Contains(stack, "synctest.Test(")
		if bubbleOf(header) == mine && !waits {
			b.goroutines++
		}
	}
	return b
}

// bubbleOf is the number of the bubble in the header of a stack; "" is none.
func bubbleOf(header string) string {
	_, after, _ := strings.Cut(header, "synctest bubble ")
	number, _, _ := strings.Cut(after, "]")
	return number
}

// wantNoMore fails if the process carries more than before, beyond 2 goroutines and what is allowed.
func wantNoMore(t *testing.T, before, allowed burden) {
	t.Helper()
	allowed.goroutines += 2
	var after burden
	for range 100 {
		after = weigh()
		if after.goroutines <= before.goroutines+allowed.goroutines && after.heap <= before.heap+allowed.heap {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	stacks := make([]byte, 64<<10)
	t.Errorf("before %+v, after %+v, allowed %+v more\n%s", before, after, allowed, stacks[:runtime.Stack(stacks, true)])
}
