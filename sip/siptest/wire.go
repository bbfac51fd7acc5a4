// Package siptest holds what SIP tests need: an in-memory network, and a scripted peer that misbehaves on order.
// Everything in it works under testing/synctest. It must not be imported by anything but tests.
//
//	Conn --WriteTo--> Wire: lose, delay, duplicate, reorder, cut --> queue of the other Conn --ReadFrom-->
package siptest

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	// queueSize is what a socket holds before it drops, as a kernel's receive buffer does.
	queueSize = 1024
	// firstPort begins the range from which port 0 is served (RFC 6335 section 6: dynamic ports).
	firstPort = 49152
)

// Faults is what a Wire does to packets. The zero value delivers all of them at once and in order.
type Faults struct {
	Loss      float64       // probability that a packet is lost, 0 to 1
	Duplicate float64       // probability that a packet arrives twice
	Reorder   float64       // probability that a packet is held back for another Delay + Jitter + 10 ms
	Delay     time.Duration // of every packet
	Jitter    time.Duration // up to this is added to Delay, so packets may overtake each other
}

// A Wire is a network of datagram sockets. The same seed makes the same faults, link by link.
type Wire struct {
	mu     sync.Mutex
	seed   uint64
	faults Faults
	links  map[[2]netip.Addr]Faults
	cut    map[[2]netip.Addr]bool
	dice   map[[2]netip.AddrPort]*rand.Rand
	conns  map[netip.AddrPort]*Conn
	ports  map[netip.Addr]uint16
	flying flight
	sent   uint64
	timer  *time.Timer
}

// NewWire makes an empty network without faults. Under synctest it is to be made inside the bubble.
func NewWire(seed uint64) *Wire {
	return &Wire{
		seed:  seed,
		links: map[[2]netip.Addr]Faults{},
		cut:   map[[2]netip.Addr]bool{},
		dice:  map[[2]netip.AddrPort]*rand.Rand{},
		conns: map[netip.AddrPort]*Conn{},
		ports: map[netip.Addr]uint16{},
	}
}

// SetFaults changes what happens to packets sent from now on, where SetLink says nothing else.
func (w *Wire) SetFaults(f Faults) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = f
}

// SetLink changes what happens to packets from one host to another; the way back is another link.
func (w *Wire) SetLink(from, to netip.Addr, f Faults) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links[[2]netip.Addr{from, to}] = f
}

// Cut separates two hosts in both directions; Join brings them together again.
func (w *Wire) Cut(a, b netip.Addr) { w.partition(a, b, true) }

// Join undoes Cut.
func (w *Wire) Join(a, b netip.Addr) { w.partition(a, b, false) }

func (w *Wire) partition(a, b netip.Addr, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[[2]netip.Addr{a, b}] = cut
	w.cut[[2]netip.Addr{b, a}] = cut
}

// Listen opens a socket; port 0 takes a free one.
func (w *Wire) Listen(addr netip.AddrPort) (*Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if addr.Port() == 0 {
		addr = netip.AddrPortFrom(addr.Addr(), w.freePort(addr.Addr(), 1))
	}
	return w.open(addr)
}

// ListenPair opens two sockets, RTP at an even port and RTCP at the next (RFC 3550 section 11).
func (w *Wire) ListenPair(host netip.Addr) (rtp, rtcp *Conn, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	port := w.freePort(host, 2)
	if rtp, err = w.open(netip.AddrPortFrom(host, port)); err != nil {
		return nil, nil, err
	}
	rtcp, err = w.open(netip.AddrPortFrom(host, port+1))
	return rtp, rtcp, err
}

// ListenPacket is for transaction.Config; network is ignored.
func (w *Wire) ListenPacket(_, address string) (net.PacketConn, error) {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("siptest: listen on %q: %w", address, err)
	}
	return w.Listen(addr)
}

func (w *Wire) open(addr netip.AddrPort) (*Conn, error) {
	if w.conns[addr] != nil {
		return nil, fmt.Errorf("siptest: listen on %s: address already in use", addr)
	}
	c := &Conn{wire: w, addr: addr, queue: make(chan packet, queueSize), closed: make(chan struct{})}
	c.deadline.over = make(chan struct{})
	w.conns[addr] = c
	return c, nil
}

// freePort is the next multiple of step of which step ports are free.
func (w *Wire) freePort(host netip.Addr, step uint16) uint16 {
	port := max(w.ports[host], firstPort)
	for port += (step - port%step) % step; ; port += step {
		free := port >= firstPort
		for i := range step {
			free = free && w.conns[netip.AddrPortFrom(host, port+i)] == nil
		}
		if free {
			w.ports[host] = port + step
			return port
		}
	}
}

// send decides the fate of a packet.
func (w *Wire) send(from, to netip.AddrPort, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	hosts := [2]netip.Addr{from.Addr(), to.Addr()}
	f, ok := w.links[hosts]
	if !ok {
		f = w.faults
	}
	dice := w.diceOf(from, to)
	// Always the same number of throws, so that one packet's fate does not change the next one's.
	lost, twice, late := dice.Float64() < f.Loss, dice.Float64() < f.Duplicate, dice.Float64() < f.Reorder
	delay := f.Delay + time.Duration(dice.Float64()*float64(f.Jitter))
	if lost || w.cut[hosts] {
		return
	}
	if late {
		delay += f.Delay + f.Jitter + 10*time.Millisecond
	}
	p := packet{from: from, to: to, data: append([]byte(nil), data...)}
	w.post(p, delay)
	if twice {
		w.post(p, delay)
	}
}

func (w *Wire) diceOf(from, to netip.AddrPort) *rand.Rand {
	link := [2]netip.AddrPort{from, to}
	if w.dice[link] == nil {
		h := fnv.New64a()
		fmt.Fprint(h, from, to)
		w.dice[link] = rand.New(rand.NewPCG(w.seed, h.Sum64()))
	}
	return w.dice[link]
}

// post delivers now or enters the packet in the order of arrival.
func (w *Wire) post(p packet, delay time.Duration) {
	if delay <= 0 {
		w.deliver(p)
		return
	}
	w.sent++
	p.due, p.order = time.Now().Add(delay), w.sent
	heap.Push(&w.flying, p)
	w.arm()
}

// arm sets the one timer to the next arrival. A single timer keeps equal times in the order they were sent.
func (w *Wire) arm() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if len(w.flying) > 0 {
		w.timer = time.AfterFunc(time.Until(w.flying[0].due), w.land)
	}
}

func (w *Wire) land() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.flying) > 0 && !w.flying[0].due.After(time.Now()) {
		w.deliver(heap.Pop(&w.flying).(packet))
	}
	w.arm()
}

// deliver puts a packet in the queue of its socket; without a socket, or with a full queue, it is lost.
func (w *Wire) deliver(p packet) {
	if c := w.conns[p.to]; c != nil {
		select {
		case c.queue <- p:
		default:
		}
	}
}

type packet struct {
	from, to netip.AddrPort
	data     []byte
	due      time.Time
	order    uint64
}

// A flight holds packets on their way, the next to arrive first. It implements heap.Interface.
type flight []packet

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	if f[i].due.Equal(f[j].due) {
		return f[i].order < f[j].order
	}
	return f[i].due.Before(f[j].due)
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flight) Push(p any)   { *f = append(*f, p.(packet)) }
func (f *flight) Pop() any {
	last := len(*f) - 1
	p := (*f)[last]
	*f = (*f)[:last]
	return p
}

// A Conn is one socket of a Wire: a net.PacketConn with the two methods of net.UDPConn that RTP uses.
type Conn struct {
	wire     *Wire
	addr     netip.AddrPort
	queue    chan packet
	closed   chan struct{}
	once     sync.Once
	deadline deadline
}

// ReadFromUDPAddrPort waits for a packet. What does not fit into b is lost, as with a real socket.
func (c *Conn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case <-c.closed:
		return 0, netip.AddrPort{}, c.failed("read", net.ErrClosed)
	default:
	}
	select {
	case p := <-c.queue:
		return copy(b, p.data), p.from, nil
	case <-c.closed:
		return 0, netip.AddrPort{}, c.failed("read", net.ErrClosed)
	case <-c.deadline.passed():
		return 0, netip.AddrPort{}, c.failed("read", os.ErrDeadlineExceeded)
	}
}

// WriteToUDPAddrPort sends a packet. Like UDP it does not tell whether it arrives.
func (c *Conn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, c.failed("write", net.ErrClosed)
	default:
	}
	c.wire.send(c.addr, to, b)
	return len(b), nil
}

// ReadFrom implements net.PacketConn.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo implements net.PacketConn.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, err := netip.ParseAddrPort(to.String())
	if err != nil {
		return 0, c.failed("write", err)
	}
	return c.WriteToUDPAddrPort(b, addr)
}

// Close frees the address. Packets on their way to it are lost.
func (c *Conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.deadline.set(time.Time{})
		c.wire.mu.Lock()
		defer c.wire.mu.Unlock()
		delete(c.wire.conns, c.addr)
	})
	return nil
}

// LocalAddr is a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// AddrPort is LocalAddr as a value.
func (c *Conn) AddrPort() netip.AddrPort { return c.addr }

// SetReadDeadline ends reads at t with os.ErrDeadlineExceeded; the zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.deadline.set(t)
	return nil
}

// SetWriteDeadline does nothing: writes do not wait.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is SetReadDeadline.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

func (c *Conn) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Addr: c.LocalAddr(), Err: err}
}

// A deadline is a channel that closes when its time has come, and can be set anew.
type deadline struct {
	mu      sync.Mutex
	over    chan struct{}
	expired bool   // over is closed
	sets    uint64 // so that a timer that fires too late knows it
	timer   *time.Timer
}

func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}

// set moves the deadline. A reader that waits keeps the channel it has, so a channel is only replaced once it has
// been closed.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.sets++
	if d.expired {
		d.over, d.expired = make(chan struct{}), false
	}
	if t.IsZero() {
		return
	}
	if wait := time.Until(t); wait > 0 {
		sets := d.sets
		d.timer = time.AfterFunc(wait, func() { d.expire(sets) })
		return
	}
	d.expired = true
	close(d.over)
}

func (d *deadline) expire(sets uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sets == d.sets {
		d.expired = true
		close(d.over)
	}
}
