//go:build linux

package crowd

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/sip/ua/digest"
)

// A phone is one subscription.
type phone struct {
	number    int
	asked     time.Time // its SUBSCRIBE; zero: none yet
	sequence  uint32    // of its last SUBSCRIBE
	told      uint32    // CSeq of its last NOTIFY
	accepted  bool      // its SUBSCRIBE
	challenge int       // how often it was challenged
	has       bool      // the expected value
}

// A socket is some of the phones.
type socket struct {
	config Config
	conn   *net.UDPConn
	local  string
	first  int // number of its first phone

	mu       sync.Mutex
	phones   []phone
	digest   *digest.Client
	nonces   int
	next     int // the first phone that has not subscribed
	ready    int
	failed   error
	expected int
	arrived  Arrivals
	newest   time.Time

	body  []byte // the last one read
	value int    // what it says
	says  bool   // something
}

func openSocket(config Config, first, end int) (*socket, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(config.Server.Addr(), 0))) // both on loopback
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		var errOption error
		err = raw.Control(func(fd uintptr) { errOption = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
		if err == nil {
			err = errOption
		}
	}
	if err == nil {
		err = conn.SetReadBuffer(receiveBuffer)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	s := &socket{config: config, conn: conn, local: conn.LocalAddr().String(), first: first, phones: make([]phone, end-first), expected: -1}
	for i := range s.phones {
		s.phones[i].number = first + i
	}
	s.digest = digest.NewClient("crowd", config.Password, func() string { s.nonces++; return fmt.Sprintf("c%d", s.nonces) })
	return s, nil
}

// listen takes what comes until the socket is closed.
func (s *socket) listen() {
	buf, oob, out := make([]byte, 64<<10), make([]byte, 64), make([]byte, 0, 4<<10)
	for {
		n, length, _, from, err := s.conn.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			return
		}
		m, ok := read(buf[:n])
		if !ok {
			continue
		}
		if answer := s.take(&m, stamp(oob[:length]), n, out[:0]); len(answer) > 0 {
			_, _ = s.conn.WriteToUDPAddrPort(answer, from) // a lost answer is asked for again
		}
	}
}

// stamp is the kernel's time of a packet, or the present if it gave none.
func stamp(oob []byte) time.Time {
	header, data, _, err := unix.ParseOneSocketControlMessage(oob)
	if err == nil && header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS && len(data) == 16 {
		return time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
	}
	return time.Now()
}

// take obeys a message and appends the answer to out.
func (s *socket) take(m *message, at time.Time, size int, out []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(m.id)
	switch {
	case p == nil && m.status == 0:
		return m.answer(out, "481 Subscription Does Not Exist")
	case p == nil:
		return nil
	case m.status != 0:
		s.response(p, m)
		return nil
	case string(m.method) == "NOTIFY":
		s.notify(p, m, at, size)
		return m.answer(out, "200 OK")
	}
	return m.answer(out, "405 Method Not Allowed")
}

// phone is the one with a Call-ID: "17@crowd".
func (s *socket) phone(id []byte) *phone {
	number, ours := bytes.CutSuffix(id, []byte("@crowd"))
	n, err := strconv.Atoi(string(number))
	if n -= s.first; !ours || err != nil || n < 0 || n >= len(s.phones) {
		return nil
	}
	return &s.phones[n]
}

// challengesMax of one phone: its own, and one more because the nonce has become too old.
const challengesMax = 2

func (s *socket) response(p *phone, m *message) {
	switch {
	case m.sequence != p.sequence || m.status < 200:
	case m.status < 300:
		if !p.accepted {
			p.accepted = true
			s.complete(p)
		}
	case m.status == 401 && p.challenge < challengesMax:
		p.challenge++
		if c, ok := digest.Parse(string(m.challenge), false); ok && s.digest.Challenged([]digest.Challenge{c}, nil) == digest.Retry {
			p.sequence++
			s.send(p, time.Now())
			return
		}
		fallthrough
	default:
		s.failed = fmt.Errorf("SUBSCRIBE was answered with %d", m.status)
	}
}

// complete counts a phone that has both its 200 and its first NOTIFY, in whatever order they came.
func (s *socket) complete(p *phone) {
	if p.accepted && p.told > 0 {
		s.ready++
	}
}

func (s *socket) notify(p *phone, m *message, at time.Time, size int) {
	s.arrived.Packets++
	s.arrived.Bytes += size
	s.newest = at
	if m.expired {
		s.failed = fmt.Errorf("the server ended a subscription")
	}
	if p.told > 0 && m.sequence <= p.told {
		s.arrived.Again++
		return
	}
	first := p.told == 0
	p.told = max(m.sequence, 1)
	if first {
		s.complete(p)
	}
	if !bytes.Equal(s.body, m.body) {
		s.body = append(s.body[:0], m.body...)
		s.value, s.says = s.config.Value(m.body)
	}
	if s.says && s.value == s.expected && !p.has {
		p.has = true
		s.arrived.Reached++
		if s.arrived.First.IsZero() || at.Before(s.arrived.First) {
			s.arrived.First = at
		}
		if at.After(s.arrived.Last) {
			s.arrived.Last = at
		}
	}
}

// subscribe keeps the window full and asks again for what was lost. ready is how many are done.
func (s *socket) subscribe(now time.Time) (ready int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.next - s.ready
	for i := range s.phones[:s.next] {
		if p := &s.phones[i]; (!p.accepted || p.told == 0) && now.Sub(p.asked) > retry {
			s.send(p, now)
		}
	}
	for ; waiting < window && s.next < len(s.phones); s.next++ {
		if s.next == 1 && s.ready == 0 {
			break // the first learns whether there is a challenge
		}
		s.phones[s.next].sequence = 1
		s.send(&s.phones[s.next], now)
		waiting++
	}
	return s.ready, s.failed
}

// send sends the phone's SUBSCRIBE; with the same sequence it is the same one again.
func (s *socket) send(p *phone, now time.Time) {
	p.asked = now
	n := p.number
	uri := "sip:" + s.config.Resource + "@" + s.config.Domain
	var b strings.Builder
	fmt.Fprintf(&b, "SUBSCRIBE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d.%d;rport\r\nMax-Forwards: 70\r\n", uri, s.local, n, p.sequence)
	fmt.Fprintf(&b, "From: <sip:crowd%d@%s>;tag=%d\r\nTo: <%s>\r\nCall-ID: %d@crowd\r\nCSeq: %d SUBSCRIBE\r\n", n, s.config.Domain, n, uri, n, p.sequence)
	// Asterisk gives its presence text to Digium's phones alone, see sip/ua/subscription.
	fmt.Fprintf(&b, "Contact: <sip:crowd%d@%s>\r\nEvent: %s\r\nAccept: %s\r\nExpires: %d\r\nUser-Agent: Digium-compatible crowd\r\n",
		n, s.local, s.config.Event, s.config.Accept, expires)
	for _, field := range s.digest.Authorize("SUBSCRIBE", uri) {
		fmt.Fprintf(&b, "%s: %s\r\n", field.Name, field.Value)
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	_, _ = s.conn.WriteToUDPAddrPort([]byte(b.String()), s.config.Server) // what is lost is sent again
}

func (s *socket) expect(value int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected, s.arrived = value, Arrivals{}
	for i := range s.phones {
		s.phones[i].has = false
	}
}

func (s *socket) arrivals() (Arrivals, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived, s.newest
}
