package media

import (
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"freizeichen/sip"
)

// A wire joins ports in memory. Its time is that of the test, which is fake inside of synctest.
type wire struct {
	mu    sync.Mutex
	ports map[netip.AddrPort]*port
	// fate says after which times the copies of a datagram arrive; none is lost. nil delivers at once.
	fate func(data []byte, from, to netip.AddrPort) []time.Duration
	tap  func(data []byte, from, to netip.AddrPort) // sees all that is sent
}

type datagram struct {
	data []byte
	from netip.AddrPort
}

// A port is one socket on the wire.
type port struct {
	wire     *wire
	address  netip.AddrPort
	inbox    chan datagram
	closed   chan struct{}
	deadline time.Time // of the one reader
}

func newWire() *wire { return &wire{ports: make(map[netip.AddrPort]*port)} }

func (w *wire) listen(address netip.AddrPort) (Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ports[address] != nil {
		return nil, errors.New("address already in use")
	}
	p := &port{wire: w, address: address, inbox: make(chan datagram, 1000), closed: make(chan struct{})}
	w.ports[address] = p
	return p, nil
}

func (p *port) ReadFromUDPAddrPort(buffer []byte) (int, netip.AddrPort, error) {
	var expired <-chan time.Time
	if !p.deadline.IsZero() {
		timer := time.NewTimer(time.Until(p.deadline))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case d := <-p.inbox:
		return copy(buffer, d.data), d.from, nil
	case <-expired:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	case <-p.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (p *port) WriteToUDPAddrPort(data []byte, to netip.AddrPort) (int, error) {
	w := p.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ports[p.address] != p {
		return 0, net.ErrClosed
	}
	if w.tap != nil {
		w.tap(data, p.address, to)
	}
	delays := []time.Duration{0}
	if w.fate != nil {
		delays = w.fate(data, p.address, to)
	}
	d := datagram{append([]byte(nil), data...), p.address}
	for _, delay := range delays {
		if delay == 0 {
			w.deliver(d, to)
			continue
		}
		time.AfterFunc(delay, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.deliver(d, to)
		})
	}
	return len(data), nil
}

func (w *wire) deliver(d datagram, to netip.AddrPort) {
	if p := w.ports[to]; p != nil {
		p.inbox <- d
	}
}

func (p *port) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.address) }

func (p *port) SetReadDeadline(t time.Time) error {
	p.deadline = t
	return nil
}

func (p *port) Close() error {
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	if p.wire.ports[p.address] == p {
		delete(p.wire.ports, p.address)
		close(p.closed)
	}
	return nil
}

// A talk is one call between two phones, each with its own sessions.
type talk struct {
	t             *testing.T
	wire          *wire
	near, far     *Sessions
	nearAt, atFar netip.AddrPort
	digits        chan byte // what far hears
	frame         int       // frames talked so far
}

const theCall sip.CallID = 1

// newTalk opens a call on both phones; change may alter what they agree on, seen from near.
func newTalk(t *testing.T, w *wire, change func(near, far *sip.Media)) *talk {
	t.Helper()
	k := &talk{t: t, wire: w, digits: make(chan byte, 100)}
	k.near = New(Config{Address: at("192.0.2.10"), Listen: w.listen})
	k.far = New(Config{Address: at("192.0.2.20"), Listen: w.listen,
		Digit: func(_ sip.CallID, digit byte) { k.digits <- digit }})
	var err error
	if k.nearAt, err = k.near.Open(theCall); err != nil {
		t.Fatal(err)
	}
	if k.atFar, err = k.far.Open(theCall); err != nil {
		t.Fatal(err)
	}
	k.apply(change)
	return k
}

// apply makes both phones agree.
func (k *talk) apply(change func(near, far *sip.Media)) {
	k.t.Helper()
	near, far := agreement(k.atFar), agreement(k.nearAt)
	if change != nil {
		change(&near, &far)
	}
	if err := errors.Join(k.near.Apply(theCall, near), k.far.Apply(theCall, far)); err != nil {
		k.t.Fatal(err)
	}
}

func agreement(remote netip.AddrPort) sip.Media {
	return sip.Media{Remote: remote, RemoteRTCP: netip.AddrPortFrom(remote.Addr(), remote.Port()+1),
		Codec: sip.PCMA, PayloadType: 8, EventType: 101, PacketTime: 20 * time.Millisecond}
}

// talk lets near whistle 440 Hz and far 1000 Hz for a time, and returns what each has heard.
func (k *talk) talk(d time.Duration) (heardNear, heardFar []int16) {
	for range int(d / (20 * time.Millisecond)) {
		k.near.Send(theCall, whistle(440, k.frame))
		k.far.Send(theCall, whistle(1000, k.frame))
		k.frame++
		time.Sleep(20 * time.Millisecond)
		frame := make([]int16, frameSamples)
		k.near.Receive(theCall, frame)
		heardNear = append(heardNear, frame...)
		frame = make([]int16, frameSamples)
		k.far.Receive(theCall, frame)
		heardFar = append(heardFar, frame...)
	}
	return heardNear, heardFar
}

// end closes both phones.
func (k *talk) end() {
	k.near.CloseAll()
	k.far.CloseAll()
}

func (k *talk) statistics(s *Sessions) sip.Statistics {
	k.t.Helper()
	statistics, ok := s.Statistics(theCall)
	if !ok {
		k.t.Fatal("no statistics")
	}
	return statistics
}

// whistle is frame n of a sine of half the full scale.
func whistle(frequencyHz float64, n int) []int16 {
	frame := make([]int16, frameSamples)
	for i := range frame {
		frame[i] = int16(16384 * math.Sin(2*math.Pi*frequencyHz*float64(n*frameSamples+i)/rateHz))
	}
	return frame
}

// share is how much of the sound's energy is a sine of that frequency, from 0 to 1 (Goertzel).
func share(sound []int16, frequencyHz float64) float64 {
	c := 2 * math.Cos(2*math.Pi*frequencyHz/rateHz)
	var s1, s2, energy float64
	for _, sample := range sound {
		x := float64(sample)
		energy += x * x
		s1, s2 = x+c*s1-s2, s1
	}
	if energy == 0 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - c*s1*s2) / (energy * float64(len(sound)))
}

// lose loses packets at random, always the same ones.
func lose(fraction float64) func([]byte, netip.AddrPort, netip.AddrPort) []time.Duration {
	chance := rand.New(rand.NewPCG(1, 2))
	return func([]byte, netip.AddrPort, netip.AddrPort) []time.Duration {
		if chance.Float64() < fraction {
			return nil
		}
		return []time.Duration{0}
	}
}

// at is an address that does not change.
func at(address string) func() netip.Addr {
	return func() netip.Addr { return netip.MustParseAddr(address) }
}
