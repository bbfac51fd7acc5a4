// Package media carries the sound of calls: one RTP and RTCP session a call (RFC 3550, RFC 3551), G.711 in packets,
// digits as telephone-event (RFC 4733).
//
//	device/voice --Send 20 ms--> encoder, digits ------------------------> RTP port --> peer
//	device/voice <-Receive 20 ms- concealment <- jitter buffer <- source? <- RTP port <-- peer, strangers
//	sip/ua --Open, Apply, SendDigit, Close-->                  reports <--> RTCP port <-> peer
//
// It must not decide about calls, read SDP, or know where sound comes from and goes to. Its clock for sound is the caller
// of Send and Receive; it starts two goroutines a call, which end when the call is closed.
//
// Limitations: no encryption; the delay of the jitter buffer is fixed and is set right by jumps; packets are not
// marked for priority (DSCP); before Apply nothing is heard, although RFC 3264 section 5.1 wants an offerer to be ready at
// once, because nobody can tell the peer from a stranger then.
package media

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"freizeichen/sip"
)

// Conn is a UDP socket. A *net.UDPConn is one.
type Conn interface {
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	SetReadDeadline(time.Time) error
	Close() error
}

// Config is what the sessions need.
type Config struct {
	// Address is where to listen, asked at each Open because the network can change; the peer must be able to reach it.
	// The zero Addr means that there is no network.
	Address func() netip.Addr
	// Ports for RTP (even) and RTCP (the odd one above) are taken from PortMin to PortMax, both included. Both zero means
	// 10000 to 10199.
	PortMin, PortMax uint16
	// Listen opens a port; nil opens UDP sockets.
	Listen func(netip.AddrPort) (Conn, error)
	// Digit is told every digit that a peer sends, on a goroutine of ours. It may be told of a call just after its Close.
	// nil ignores them.
	Digit  func(call sip.CallID, digit byte)
	Logger *slog.Logger // nil logs nothing
}

// Sessions are the sessions of all calls. All methods may be called from any goroutine, but Send and Receive of one call
// from one at a time.
type Sessions struct {
	config Config

	mu    sync.RWMutex // guards what follows
	open  map[sip.CallID]*session
	next  int // pair of ports to be tried first
	spare pair
	ended [endedMax]ended
	last  int // the youngest of ended
}

// An ended call's statistics can still be asked for.
type ended struct {
	call       sip.CallID
	statistics sip.Statistics
}

// endedMax calls are remembered after their end, until somebody has shown or stored their statistics.
const endedMax = 8

// New returns sessions without any call.
func New(c Config) *Sessions {
	if c.PortMin == 0 && c.PortMax == 0 {
		c.PortMin, c.PortMax = 10000, 10199
	}
	if c.Listen == nil {
		c.Listen = listenUDP
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sessions{config: c, open: make(map[sip.CallID]*session)}
}

func listenUDP(address netip.AddrPort) (Conn, error) {
	network := "udp6"
	if address.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(address))
	if err != nil {
		return nil, err // not conn: a nil *net.UDPConn in an interface is not nil
	}
	return conn, nil
}

// Open takes a pair of ports for a call and returns the address for RTP. It fails when the call is open or no pair is
// free.
func (s *Sessions) Open(call sip.CallID) (netip.AddrPort, error) {
	host := s.config.Address() // not under the lock: whoever answers may take his time
	if !host.IsValid() {
		return netip.AddrPort{}, fmt.Errorf("media: open call %d: there is no address to listen at", call)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[call] != nil {
		return netip.AddrPort{}, fmt.Errorf("media: open call %d: it is open", call)
	}
	p, err := s.take(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("media: open call %d: %w", call, err)
	}
	opened := newSession(call, p.rtp, p.rtcp, s.config)
	s.open[call] = opened
	go opened.readRTP()
	go opened.runRTCP()
	return p.address, nil
}

// Prepare opens the ports of the next call ahead of it, so that it rings sooner. Without it, or when it fails, Open opens
// them.
func (s *Sessions) Prepare() {
	host := s.config.Address()
	s.mu.Lock()
	defer s.mu.Unlock()
	if host.IsValid() && s.spare.address.Addr() != host {
		s.spare.close()
		s.spare, _ = s.listen(host)
	}
}

// take returns the prepared pair of ports, or a new one.
func (s *Sessions) take(host netip.Addr) (pair, error) {
	p := s.spare
	s.spare = pair{}
	if p.address.Addr() == host {
		return p, nil
	}
	p.close()
	return s.listen(host)
}

// A pair of ports is open for a call; the zero pair is none.
type pair struct {
	address   netip.AddrPort // of RTP
	rtp, rtcp Conn
}

func (p pair) close() {
	if p.rtp != nil {
		p.rtp.Close()
		p.rtcp.Close()
	}
}

// listen opens a pair of the range.
func (s *Sessions) listen(host netip.Addr) (p pair, err error) {
	// RFC 3550 section 11: RTP uses an even port, RTCP the next higher one.
	first := (int(s.config.PortMin) + 1) &^ 1
	pairs := (int(s.config.PortMax) + 1 - first) / 2
	err = errors.New("the range has no pair")
	for range pairs {
		// Not always the first free pair: packets of the last call may still be on their way to it.
		p.address = netip.AddrPortFrom(host, uint16(first+2*(s.next%pairs)))
		s.next++
		if p.rtp, p.rtcp, err = s.listenAt(p.address); err == nil {
			return p, nil
		}
	}
	return pair{}, fmt.Errorf("no free pair of ports from %d to %d: %w", s.config.PortMin, s.config.PortMax, err)
}

// listenAt opens address for RTP and the port above it for RTCP.
func (s *Sessions) listenAt(address netip.AddrPort) (rtp, rtcp Conn, err error) {
	if rtp, err = s.config.Listen(address); err != nil {
		return nil, nil, err
	}
	if rtcp, err = s.config.Listen(netip.AddrPortFrom(address.Addr(), address.Port()+1)); err != nil {
		rtp.Close()
		return nil, nil, err
	}
	return rtp, rtcp, nil
}

func (s *Sessions) session(call sip.CallID) *session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.open[call]
}

// Apply makes m the agreement of an open call, at first and after every further offer and answer. A new m.Remote is
// learned anew.
func (s *Sessions) Apply(call sip.CallID, m sip.Media) error {
	session := s.session(call)
	if session == nil {
		return fmt.Errorf("media: apply to call %d: it is not open", call)
	}
	return session.apply(time.Now(), m)
}

// SendDigit queues a digit, 0-9 * # A-D: a tone of 100 ms and a pause of 60 ms, during which no voice is sent. A digit that
// cannot be sent is logged and forgotten: a call that is not open, a peer that takes no telephone-event (then
// sip.Media.EventType is 0), a direction that forbids sending, more than 32 waiting.
func (s *Sessions) SendDigit(call sip.CallID, digit byte) {
	refusal := "the call is not open"
	if session := s.session(call); session != nil {
		refusal = session.sendDigit(digit)
	}
	if refusal != "" {
		s.config.Logger.Warn("media: digit not sent", "call", call, "reason", refusal)
	}
}

// Send takes 20 ms of sound for the peer, 160 samples at 8 kHz. It must be called every 20 ms for every open call, also
// while it is muted or held: a frame of nil (or any other length) sends comfort noise, because PBXs end calls without RTP.
// What the direction forbids is not sent. A call that is not open is ignored.
func (s *Sessions) Send(call sip.CallID, frame []int16) {
	if session := s.session(call); session != nil {
		session.send(time.Now(), frame)
	}
}

// Receive fills frame with the next sound of the peer, 20 ms for 160 samples. Lost sound is made up. It returns false, and
// silence, when there is none: nothing has come yet or any more, the direction forbids it, the call is not open.
func (s *Sessions) Receive(call sip.CallID, frame []int16) bool {
	session := s.session(call)
	if session == nil {
		clear(frame)
		return false
	}
	return session.receive(frame)
}

// Close ends the session of a call; its statistics stay for a while. A call that is not open is ignored.
func (s *Sessions) Close(call sip.CallID) {
	s.mu.Lock()
	session := s.open[call]
	delete(s.open, call)
	s.mu.Unlock()
	if session == nil {
		return
	}
	session.close(time.Now())
	statistics := session.statistics()
	s.mu.Lock()
	s.last = (s.last + 1) % endedMax
	s.ended[s.last] = ended{call, statistics}
	s.mu.Unlock()
}

// CloseAll ends all sessions, and closes what Prepare has opened.
func (s *Sessions) CloseAll() {
	s.mu.Lock()
	s.spare.close()
	s.spare = pair{}
	var calls []sip.CallID
	for call := range s.open {
		calls = append(calls, call)
	}
	s.mu.Unlock()
	for _, call := range calls {
		s.Close(call)
	}
}

// Statistics are the counts of an open call, or of one of the last eight closed ones; false for any other.
func (s *Sessions) Statistics(call sip.CallID) (sip.Statistics, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if session := s.open[call]; session != nil {
		return session.statistics(), true
	}
	for i := range endedMax {
		if e := s.ended[(s.last+endedMax-i)%endedMax]; e.call == call && call != 0 {
			return e.statistics, true
		}
	}
	return sip.Statistics{}, false
}
