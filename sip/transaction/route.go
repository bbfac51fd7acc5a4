package transaction

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// nameLife is how long an address found by DNS is used; net.Resolver does not tell the record's own time.
	nameLife = time.Minute
	// nameWaiting bounds the messages that wait for one name.
	nameWaiting = 64
	// namesMax bounds the names remembered: a phone has one or two servers.
	namesMax = 256
	// lookupWait ends a lookup before the transaction would (64*T1).
	lookupWait = 15 * time.Second
)

var (
	errWaiting = errors.New("transaction: too many messages wait for DNS")
	errNames   = errors.New("transaction: too many names")
)

// hop says how a request leaves: SetDestination, else the topmost Route, else the configured server, else the
// Request-URI. RFC 3261 section 8.1.2 lets local policy (an outbound server) come before the Request-URI.
func (e *Endpoint) hop(r *sip.Request) Hop {
	next := &r.Recipient
	if route := r.Route(); route != nil {
		next = &route.Address
	}
	destination := r.MessageData.Destination()
	if destination == "" && (next != &r.Recipient || e.config.Server == "") {
		destination = strings.Trim(next.Host, "[]")
		if maddr, ok := next.UriParams.Get("maddr"); ok {
			destination = strings.Trim(maddr, "[]")
		}
		if next.Port != 0 {
			destination = net.JoinHostPort(destination, strconv.Itoa(next.Port))
		}
	}
	if destination == "" {
		destination = e.config.Server
	}
	network := r.MessageData.Transport()
	if network == "" {
		network = next.UriParams.GetOr("transport", e.config.Network)
	}
	h := Hop{Network: strings.ToUpper(network), Destination: destination}
	h.LargeOverTCP = h.Network == "UDP" && e.config.TCP
	local := e.localFor(destination)
	h.Host, h.Port = local.Addr().String(), int(local.Port())
	return h
}

// LocalAddr is our address as the server sees it, for Contact and Via. It may change when the network does. Both
// networks ("udp", "tcp") share one port. It can be called on any goroutine.
func (e *Endpoint) LocalAddr(_ string) netip.AddrPort { return e.localFor(e.config.Server) }

// localFor is our address as seen by a destination. Bound to every address, it asks the kernel's routing table by
// connecting a UDP socket, which sends nothing.
func (e *Endpoint) localFor(destination string) netip.AddrPort {
	bound := e.bound()
	if !bound.Addr().IsUnspecified() {
		return bound
	}
	host, _, err := splitDestination(destination)
	target, errIP := netip.ParseAddr(host)
	if err != nil || errIP != nil {
		e.mu.Lock()
		target = e.seen
		e.mu.Unlock()
	}
	if !target.IsValid() {
		target = netip.AddrFrom4([4]byte{192, 0, 2, 1}) // RFC 5737: behind the default route, whatever that is
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(target, 5060)))
	if err != nil {
		return bound // no route: the request will fail soon enough
	}
	defer conn.Close()
	return netip.AddrPortFrom(addrPort(conn.LocalAddr()).Addr(), bound.Port())
}

// splitDestination reads "host:port" or "host"; without a port it is 0.
func splitDestination(destination string) (host string, port int, err error) {
	if _, err := netip.ParseAddr(destination); err == nil || !strings.Contains(destination, ":") {
		return destination, 0, nil
	}
	host, text, err := net.SplitHostPort(destination)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return host, int(n), err
}

// A name is a host that is or was looked up.
type name struct {
	addr    netip.AddrPort // zero: never found
	until   time.Time      // when to look again
	waiting []Send         // in order; not nil while a lookup is under way
}

// enqueue lets a message wait, a retransmission in place of the first. It reports false if too many wait.
func (n *name) enqueue(s Send) bool {
	if s.Transaction != 0 && slices.ContainsFunc(n.waiting, func(w Send) bool { return w.Transaction == s.Transaction }) {
		return true
	}
	if len(n.waiting) >= nameWaiting {
		return false
	}
	n.waiting = append(n.waiting, s)
	return true
}

// transmit brings a message on its way, or lets it wait for DNS.
func (e *Endpoint) transmit(now time.Time, s Send) {
	if addr, err := netip.ParseAddrPort(s.Connection); err == nil && s.Network == "TCP" {
		if c, ok := e.streams[addr]; ok {
			e.enqueue(now, c, s)
			return
		}
	}
	host, port, err := splitDestination(s.Destination)
	if err != nil || host == "" {
		e.sendFailed(now, s.Transaction, fmt.Errorf("transaction: destination %q: not host:port", s.Destination))
		return
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if port == 0 {
			port = 5060 // RFC 3263 section 4.2
		}
		e.transmitTo(now, s, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
		return
	}
	key := s.Network + " " + s.Destination
	e.forgetNames(now)
	n, known := e.names[key]
	switch {
	case !known && len(e.names) >= namesMax:
		e.sendFailed(now, s.Transaction, errNames)
	case known && n.waiting == nil && n.until.After(now):
		e.transmitTo(now, s, n.addr)
	case known && n.waiting != nil:
		if !n.enqueue(s) {
			e.sendFailed(now, s.Transaction, errWaiting)
		}
	default:
		if !known {
			n = &name{}
			e.names[key] = n
		}
		n.waiting = []Send{s}
		network := strings.ToLower(s.Network)
		e.spawn(func() { e.lookUp(n, network, host, port) })
	}
}

// forgetNames drops what is out of date once too much is remembered: names come from peers, too. Our server's stays, a
// stale address being better than none.
func (e *Endpoint) forgetNames(now time.Time) {
	if len(e.names) < namesMax {
		return
	}
	maps.DeleteFunc(e.names, func(key string, n *name) bool {
		return n.waiting == nil && !n.until.After(now) && !strings.HasSuffix(key, " "+e.config.Server)
	})
}

// lookUp asks the resolver, away from Run's goroutine, and sends what has waited.
func (e *Endpoint) lookUp(n *name, network, host string, port int) {
	ctx, cancel := context.WithTimeout(e.ctx, lookupWait)
	defer cancel()
	addr, err := e.config.Lookup(ctx, network, host, port)
	e.Do(func(now time.Time) {
		waiting := n.waiting
		n.waiting = nil
		if err == nil {
			n.addr, n.until = addr, now.Add(nameLife)
			e.mu.Lock()
			e.seen = addr.Addr()
			e.mu.Unlock()
		}
		if err != nil && n.addr.IsValid() {
			n.until = now.Add(nameLife) // a stale address is better than none
		}
		for _, s := range waiting {
			if !n.addr.IsValid() {
				e.sendFailed(now, s.Transaction, fmt.Errorf("transaction: looking up %s: %w", host, err))
				continue
			}
			e.transmitTo(now, s, n.addr)
		}
	})
}

// lookup is RFC 3263 section 4.2 as far as a phone needs it: SRV if there is no port, then A and AAAA; the first
// record of the best priority, IPv4 before IPv6.
func lookup(ctx context.Context, network, host string, port int) (netip.AddrPort, error) {
	if port == 0 {
		port = 5060
		if _, records, err := net.DefaultResolver.LookupSRV(ctx, "sip", network, host); err == nil && len(records) > 0 {
			host, port = records[0].Target, int(records[0].Port)
		}
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	best := addrs[0]
	for _, a := range addrs {
		if a.Unmap().Is4() {
			best = a
			break
		}
	}
	return netip.AddrPortFrom(best.Unmap(), uint16(port)), nil
}

// transmitTo sends to a known address.
func (e *Endpoint) transmitTo(now time.Time, s Send, to netip.AddrPort) {
	switch s.Network {
	case "UDP":
		if e.config.Trace != nil {
			e.config.Trace(Sent, to.String(), s.Data)
		}
		_, err := e.udp.WriteTo(s.Data, net.UDPAddrFromAddrPort(to))
		if isRefusal(err) {
			// The socket may be telling of an earlier datagram to somebody else. The second try means this one.
			e.refused(now)
			_, err = e.udp.WriteTo(s.Data, net.UDPAddrFromAddrPort(to))
		}
		if err != nil {
			e.sendFailed(now, s.Transaction, fmt.Errorf("transaction: sending to %s: %w", to, err))
		}
	case "TCP":
		c, ok := e.streams[to]
		if !ok {
			if c = e.dial(to); c == nil {
				e.sendFailed(now, s.Transaction, errStreams)
				return
			}
		}
		e.enqueue(now, c, s)
	default:
		e.sendFailed(now, s.Transaction, fmt.Errorf("transaction: network %q is not supported", s.Network))
	}
}
