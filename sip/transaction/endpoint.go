package transaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

const (
	// inboxSize covers a burst of NOTIFYs to all lamps of a phone and a second of commands.
	inboxSize = 256
	// datagramSize is the largest UDP payload.
	datagramSize = 65535
	// listenTries is how often a free port is looked for that UDP and TCP can share.
	listenTries = 16
	// readPause keeps a socket that only has errors from taking the processor.
	readPause = time.Millisecond
)

// Config says where an Endpoint listens and whom it talks to.
type Config struct {
	Network string         // "udp" or "tcp": of requests that do not say; empty means "udp"
	Local   netip.AddrPort // zero address: every IPv4 address; zero port: any
	TCP     bool           // also TCP, at the same port: listen, and send large requests. Network "tcp" implies it
	Server  string         // "host:port" or "host": for requests without Route and SetDestination; empty: Request-URI

	Timers          Timers
	Methods         []string // what the user understands (Allow); empty: every method
	Extensions      []string // option tags the user understands (Require)
	TransactionsMax int      // of either side; zero means 8192
	ConnectionsMax  int      // TCP connections that others may open; zero means 1024

	// ListenPacket opens the UDP socket; nil means net.ListenPacket. Tests put a siptest.Wire here.
	ListenPacket func(network, address string) (net.PacketConn, error)
	// Lookup finds the address of a name; port 0 asks for SRV records first. Nil means the system's resolver.
	Lookup func(ctx context.Context, network, host string, port int) (netip.AddrPort, error)
	// Trace sees what is sent and received, with all its callers' data: datagrams, and what TCP delivers at a time.
	// It is called on several goroutines. Nil means off.
	Trace func(direction Direction, remote string, data []byte)
	Log   *slog.Logger // nil means silence
}

// A Direction says for Trace where a message goes.
type Direction bool

// The directions.
const (
	Received Direction = false
	Sent     Direction = true
)

func (d Direction) String() string {
	if d == Sent {
		return "sent"
	}
	return "received"
}

// An Endpoint is a Layer with sockets. Run is its only goroutine that touches the Layer and its User.
type Endpoint struct {
	config   Config
	layer    *Layer
	udp      net.PacketConn
	listener net.Listener // nil without TCP
	inbox    chan func(now time.Time)
	ctx      context.Context // ends with the endpoint
	cancel   context.CancelFunc
	running  sync.WaitGroup // all goroutines but Run's own
	ended    chan struct{}  // closed when Run has returned

	// Owned by Run:
	streams map[netip.AddrPort]*stream
	names   map[string]*name

	mu      sync.Mutex
	started bool       // Run has been called
	seen    netip.Addr // what Server resolved to, for LocalAddr
}

// ErrClosed: the endpoint has been closed.
var ErrClosed = errors.New("transaction: endpoint closed")

// Open binds the sockets. It does not wait for the network: a server that cannot be reached is an event later.
func Open(config Config) (*Endpoint, error) {
	if config.Network == "" {
		config.Network = "udp"
	}
	if config.Network == "tcp" {
		config.TCP = true
	}
	if !config.Local.Addr().IsValid() {
		config.Local = netip.AddrPortFrom(netip.IPv4Unspecified(), config.Local.Port())
	}
	if config.ConnectionsMax == 0 {
		config.ConnectionsMax = connectionsMax
	}
	if config.ListenPacket == nil {
		config.ListenPacket = net.ListenPacket
	}
	if config.Lookup == nil {
		config.Lookup = lookup
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	e := &Endpoint{
		config:  config,
		inbox:   make(chan func(time.Time), inboxSize),
		ended:   make(chan struct{}),
		streams: map[netip.AddrPort]*stream{},
		names:   map[string]*name{},
	}
	e.layer = New(Settings{
		Timers: config.Timers, Methods: config.Methods, Extensions: config.Extensions,
		TransactionsMax: config.TransactionsMax, Hop: e.hop,
	})
	if err := e.listen(); err != nil {
		return nil, fmt.Errorf("transaction: listening on %s: %w", config.Local, err)
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// listen binds UDP, and TCP at the same port (RFC 3261 section 18.2.1 wants both).
func (e *Endpoint) listen() (err error) {
	family := "6"
	if e.config.Local.Addr().Is4() {
		family = "4" // without it Go listens on every IPv6 address too
	}
	for range listenTries {
		if e.udp, err = e.config.ListenPacket("udp"+family, e.config.Local.String()); err != nil {
			return err
		}
		queueRefusals(e.udp)
		if !e.config.TCP {
			return nil
		}
		e.listener, err = net.Listen("tcp"+family, e.bound().String())
		if err == nil {
			return nil
		}
		e.udp.Close()
		if e.config.Local.Port() != 0 {
			return err
		}
	}
	return err
}

// bound is the address of the UDP socket, which may be unspecified.
func (e *Endpoint) bound() netip.AddrPort { return addrPort(e.udp.LocalAddr()) }

// addrPort converts net's addresses; an IPv4 address in IPv6 clothes becomes IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Transactions is the layer; to be used on Run's goroutine only: in the User's methods and in Do.
func (e *Endpoint) Transactions() Transactions { return prompt{e} }

// prompt is the layer whose messages leave at once, and not when the user has come to the end of what it does: the
// 180 must not wait until the phone has been woken to show the call.
type prompt struct{ *Endpoint }

func (p prompt) Request(now time.Time, request *sip.Request) ClientID {
	defer p.flush(now)
	return p.layer.Request(now, request)
}

func (p prompt) Cancel(now time.Time, id ClientID, headers ...sip.Header) {
	p.layer.Cancel(now, id, headers...)
	p.flush(now)
}

func (p prompt) Respond(now time.Time, id ServerID, response *sip.Response) {
	p.layer.Respond(now, id, response)
	p.flush(now)
}

func (p prompt) ACK(now time.Time, request *sip.Request) {
	p.layer.ACK(now, request)
	p.flush(now)
}

// flush sends what has to leave.
func (e *Endpoint) flush(now time.Time) {
	for _, s := range e.layer.DrainSends() {
		e.transmit(now, s)
	}
}

// Do runs f on Run's goroutine, after what came before. It waits while the queue is full, so a User must not call
// it. It reports false, and does nothing, if the endpoint is closed.
func (e *Endpoint) Do(f func(now time.Time)) bool {
	if e.ctx.Err() != nil {
		return false
	}
	select {
	case e.inbox <- f:
		return true
	case <-e.ctx.Done():
		return false
	}
}

// Run serves the user until ctx ends or Close is called; then everything is closed. It must be called once.
func (e *Endpoint) Run(ctx context.Context, user User) error {
	if !e.begin() {
		return ErrClosed
	}
	defer close(e.ended)
	defer e.running.Wait()
	defer e.shut()
	e.spawn(e.readPackets)
	if e.listener != nil {
		e.spawn(e.accept)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.ctx.Done():
			return nil
		case f := <-e.inbox:
			f(time.Now())
		case <-timer.C:
		}
		e.settle(user)
		due := earliest(e.layer.Deadline(), user.Deadline())
		timer.Stop()
		if !due.IsZero() {
			timer.Reset(time.Until(due))
		}
	}
}

// begin reports whether Run may run. After it, Close waits for Run's end.
func (e *Endpoint) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started || e.ctx.Err() != nil {
		return false
	}
	e.started = true
	return true
}

// settle lets timers run out, sends what is to be sent and tells the user what happened, until nothing is left.
func (e *Endpoint) settle(user User) {
	now := time.Now()
	e.layer.Tick(now)
	if reached(user.Deadline(), now) {
		user.Tick(now)
	}
	for {
		sends, events := e.layer.Drain()
		for _, s := range sends {
			e.transmit(now, s)
		}
		for _, event := range events {
			user.Handle(now, event)
		}
		if len(sends) == 0 && len(events) == 0 {
			return
		}
	}
}

// Close ends Run and everything else, and waits for it. What was handed to TCP connections gets a second to leave.
// It must not be called by the User.
func (e *Endpoint) Close() error {
	e.shut()
	e.mu.Lock()
	started := e.started
	e.mu.Unlock()
	if started {
		<-e.ended
	}
	return nil
}

// shut makes every goroutine end; a second call does nothing.
func (e *Endpoint) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancel()
	e.udp.Close()
	if e.listener != nil {
		e.listener.Close()
	}
}

// spawn starts a goroutine that Run waits for.
func (e *Endpoint) spawn(f func()) { e.running.Go(f) }

// readPackets brings datagrams into the inbox. It waits while the inbox is full: then the kernel drops.
func (e *Endpoint) readPackets() {
	buf := make([]byte, datagramSize)
	for {
		n, from, err := e.udp.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) || e.ctx.Err() != nil {
			return
		}
		if err != nil { // an ICMP error or a datagram too large: the socket lives on
			e.Do(e.refused)
			e.pause(readPause)
			continue
		}
		m, err := message.Parse(buf[:n])
		e.receive("UDP", addrPort(from), buf[:n], m, err)
	}
}

// pause waits, but not beyond the endpoint's end.
func (e *Endpoint) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-e.ctx.Done():
	}
}

// receive hands a message to the layer. It reports false if the endpoint is closed.
func (e *Endpoint) receive(network string, from netip.AddrPort, data []byte, m sip.Message, err error) bool {
	if e.config.Trace != nil && len(data) > 0 {
		e.config.Trace(Received, from.String(), data)
	}
	fault, faulty := errors.AsType[*message.Fault](err)
	if err != nil && !faulty {
		e.config.Log.Debug("SIP message ignored", "network", network, "err", err)
		return true
	}
	m.SetTransport(network)
	m.SetSource(from.String())
	return e.Do(func(now time.Time) {
		if c := e.streams[from]; c != nil && network == "TCP" {
			c.used = now
		}
		if faulty {
			e.layer.ReceiveFault(now, m.(*sip.Request), fault)
			return
		}
		e.layer.Receive(now, m)
	})
}

// sendFailed tells the layer that a message did not leave; 0 means that nobody wants to know.
func (e *Endpoint) sendFailed(now time.Time, id ClientID, err error) {
	if id != 0 {
		e.layer.SendFailed(now, id, err)
	}
}
