package hostile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stranger is somebody on the network who sends what he likes.
type stranger struct {
	t    *testing.T
	conn *net.UDPConn
	to   netip.AddrPort
	dice *rand.Rand
	last int // number of his last call

	mu    sync.Mutex
	count map[string]int // of what came back: all "datagrams", and by the second word: "404"
	over  chan struct{}  // closed when nothing more can come
}

// newStranger lets somebody send to an address from a host of loopback.
func newStranger(t *testing.T, host string, to netip.AddrPort) *stranger {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
	if err != nil {
		t.Fatal(err)
	}
	s := &stranger{t: t, conn: conn, to: to, dice: rand.New(rand.NewPCG(7, 11)), count: map[string]int{}, over: make(chan struct{})}
	go s.read()
	t.Cleanup(s.leave)
	return s
}

// leave takes the stranger from the network.
func (s *stranger) leave() {
	s.conn.Close()
	<-s.over
}

func (s *stranger) read() {
	defer close(s.over)
	for buffer := make([]byte, 65535); ; {
		n, _, err := s.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier datagram
		}
		s.mu.Lock()
		s.count["datagrams"]++
		if words := strings.Fields(string(buffer[:min(n, 40)])); len(words) > 1 {
			s.count[words[1]]++
		}
		s.mu.Unlock()
	}
}

func (s *stranger) address() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// send sends bytes as they are. A full socket of the victim, or an ICMP error, is no failure of the test.
func (s *stranger) send(data string) { _, _ = s.conn.WriteToUDPAddrPort([]byte(data), s.to) }

// A letter is a request: who gets it, and lines to add. Its From, Contact and Call-ID are the sender's own.
type letter struct {
	method, user string
	to           string   // parameters of To, ";tag=x"
	callID       string   // empty: a new one
	cseq         int      // zero: 1
	fields       []string // further header fields
	from         string   // the From field without its tag; empty: a person's name and number
	body         string   // with Content-Type application/sdp
}

// write makes the text of a request.
func (s *stranger) write(l letter) string {
	s.last++
	if l.callID == "" {
		l.callID = fmt.Sprintf("%d-%x@stranger.example", s.last, s.dice.Uint64())
	}
	if l.from == "" {
		l.from = `"Eva Geheim" <sip:03023125099@stranger.example>`
	}
	if l.cseq == 0 {
		l.cseq = 1
	}
	lines := []string{
		fmt.Sprintf("%s sip:%s@%s SIP/2.0", l.method, l.user, s.to),
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK%d-%x", s.address(), s.last, s.dice.Uint64()),
		fmt.Sprintf("From: %s;tag=%x", l.from, s.dice.Uint32()),
		fmt.Sprintf("To: <sip:%s@%s>%s", l.user, s.to, l.to),
		"Call-ID: " + l.callID,
		fmt.Sprintf("CSeq: %d %s", l.cseq, l.method),
		fmt.Sprintf("Contact: <sip:eva@%s>", s.address()),
		"Max-Forwards: 70",
	}
	lines = append(lines, l.fields...)
	if l.body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(lines, "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(l.body), l.body)
}

// offer is a description of sound at an address, with people's names where some phones write them.
func offer(at netip.AddrPort, lines ...string) string {
	body := []string{
		"v=0", fmt.Sprintf("o=Eva.Geheim 1 1 IN IP4 %s", at.Addr()), "s=Eva Geheim", fmt.Sprintf("c=IN IP4 %s", at.Addr()), "t=0 0",
		fmt.Sprintf("m=audio %d RTP/AVP 8 0 101", at.Port()), "a=rtpmap:101 telephone-event/8000",
	}
	return strings.Join(append(body, lines...), "\r\n") + "\r\n"
}

// answers are what has come back so far and within a moment, see count.
func (s *stranger) answers(moment time.Duration) map[string]int {
	time.Sleep(moment)
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.count
	s.count = map[string]int{}
	return got
}

// mutate damages a message in one to four places.
func mutate(dice *rand.Rand, message string) string {
	b := []byte(message)
	for range 1 + dice.IntN(4) {
		if len(b) < 2 {
			return string(b)
		}
		at := dice.IntN(len(b))
		switch dice.IntN(9) {
		case 0: // one bit
			b[at] ^= 1 << dice.IntN(8)
		case 1: // any byte
			b[at] = byte(dice.IntN(256))
		case 2: // cut short
			b = b[:at]
		case 3: // a piece missing
			end := min(len(b), at+1+dice.IntN(40))
			b = append(b[:at:at], b[end:]...)
		case 4: // a piece twice
			end := min(len(b), at+1+dice.IntN(200))
			b = append(append(append([]byte(nil), b[:end]...), b[at:end]...), b[end:]...)
		case 5: // what parsers stumble over
			piece := pieces[dice.IntN(len(pieces))]
			b = append(append(append([]byte(nil), b[:at]...), piece...), b[at:]...)
		case 6: // a number changed
			for i := at; i < len(b); i++ {
				if b[i] >= '0' && b[i] <= '9' {
					b[i] = '0' + byte(dice.IntN(10))
					break
				}
			}
		case 7: // two lines swapped
			lines := strings.Split(string(b), "\r\n")
			i, j := dice.IntN(len(lines)), dice.IntN(len(lines))
			lines[i], lines[j] = lines[j], lines[i]
			b = []byte(strings.Join(lines, "\r\n"))
		case 8: // a line twice, or gone
			lines := strings.Split(string(b), "\r\n")
			i := dice.IntN(len(lines))
			if dice.IntN(2) == 0 {
				lines = append(lines[:i:i], lines[i+1:]...)
			} else {
				lines = append(lines[:i+1:i+1], lines[i:]...)
			}
			b = []byte(strings.Join(lines, "\r\n"))
		}
	}
	return string(b)
}

var pieces = []string{
	"\r\n", "\n", "\r", "\x00", "\r\n ", "\t", `"`, `\`, "<", ">", ";", "=", ",", "%", "%00", ":", "[::1]", "[", "@", "?", ";tag=", ";lr",
	"4294967296", "-1", "99999999999999999999", "\xff\xfe", "\xc0\xaf", "\u202e", "\u2028", "é", "\x1b[2J", "SIP/2.0", "Via: ", "a=", "m=audio 0",
	strings.Repeat("a", 3000), strings.Repeat(";x", 500), strings.Repeat("<", 200),
}
