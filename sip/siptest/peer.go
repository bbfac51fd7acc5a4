package siptest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A Peer is a SIP peer without a will: it sends what the test writes and hands out what arrives, message by message. So
// it can do what no well-behaved stack does: keep silent, answer twice, with a wrong tag, too late, or with garbage.
// It shares nothing with the phone's own transactions and dialogs, hence none of their mistakes.
//
//	invite := peer.Want("INVITE")
//	peer.Answer(invite, "180 Ringing", "tag=a")
//	peer.Answer(invite, "200 OK", "tag=a", "Contact: <sip:a@192.0.2.1>", "Content-Type: application/sdp", "", sdp)
//	peer.Want("ACK")
//
// It works on a Conn of a Wire as well as on a UDP socket. It is for one goroutine.
type Peer struct {
	t      testing.TB
	conn   net.PacketConn
	remote net.Addr // where the last message came from
	seen   map[string]bool
	// Retransmissions makes Want hand out messages that have come before, byte by byte. Else they are counted only.
	Retransmissions bool
	Repeated        int // retransmissions that Want has skipped
}

// patience is how long Want waits: longer than any timer of RFC 3261 table 4, and than a phone's pause between two tries.
// On a real socket it is what a failing test costs.
const patience = 2 * time.Minute

// NewPeer makes a peer that reads conn. It closes conn when the test ends.
func NewPeer(t testing.TB, conn net.PacketConn) *Peer {
	t.Cleanup(func() { conn.Close() })
	return &Peer{t: t, conn: conn, seen: map[string]bool{}}
}

// A Message is what arrived: one of the two is nil.
type Message struct {
	Request  *sip.Request
	Response *sip.Response
}

// what names a message as Want does: "INVITE", "200 INVITE".
func (m Message) what() string {
	if m.Request != nil {
		return string(m.Request.Method)
	}
	method := sip.RequestMethod("?")
	if cseq := m.Response.CSeq(); cseq != nil {
		method = cseq.MethodName
	}
	return fmt.Sprintf("%d %s", m.Response.StatusCode, method)
}

// String is the message as text.
func (m Message) String() string {
	if m.Request != nil {
		return m.Request.String()
	}
	return m.Response.String()
}

// Want waits for the next message, which must be the one named: a method, or a status and a method.
func (p *Peer) Want(what string) Message {
	p.t.Helper()
	m, err := p.next(patience)
	if err != nil {
		p.t.Fatalf("peer: nothing comes, want %s: %v", what, err)
	}
	if m.what() != what {
		p.t.Fatalf("peer: got %s, want %s:\n%s", m.what(), what, m)
	}
	return m
}

// WantNothing fails when something other than a retransmission comes within d.
func (p *Peer) WantNothing(d time.Duration) {
	p.t.Helper()
	if m, err := p.next(d); err == nil {
		p.t.Fatalf("peer: got %s, want nothing:\n%s", m.what(), m)
	}
}

// Ignore lets everything pass for d, as a peer that has gone.
func (p *Peer) Ignore(d time.Duration) {
	p.t.Helper()
	for end := time.Now().Add(d); ; {
		if _, err := p.next(time.Until(end)); err != nil {
			return
		}
	}
}

func (p *Peer) next(wait time.Duration) (Message, error) {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return Message{}, err
	}
	for data := make([]byte, 65535); ; {
		n, from, err := p.conn.ReadFrom(data)
		if err != nil {
			return Message{}, err
		}
		if n <= 4 {
			continue // a keep-alive of RFC 5626 section 4.4.1
		}
		p.remote = from
		text := string(data[:n])
		if p.seen[text] && !p.Retransmissions {
			p.Repeated++
			continue
		}
		p.seen[text] = true
		parsed, err := sip.ParseMessage([]byte(text))
		if err != nil {
			p.t.Fatalf("peer: the phone sent what cannot be read: %v\n%s", err, text)
		}
		if request, ok := parsed.(*sip.Request); ok {
			return Message{Request: request}, nil
		}
		return Message{Response: parsed.(*sip.Response)}, nil
	}
}

// Answer sends a response to a request: status and phrase, then lines. "tag=x" sets the To tag, the lines after an
// empty one are the body, all others are header fields. It can be called as often as the test likes.
func (p *Peer) Answer(request Message, status string, lines ...string) {
	p.t.Helper()
	to, r := request.Request.To().Value(), request.Request
	for i, line := range lines {
		if tag, ok := strings.CutPrefix(line, "tag="); ok {
			if !strings.Contains(to, ";tag=") {
				to += ";tag=" + tag
			}
			lines = append(lines[:i:i], lines[i+1:]...)
			break
		}
	}
	head := []string{"SIP/2.0 " + status}
	for _, via := range r.GetHeaders("via") {
		head = append(head, via.String())
	}
	head = append(head, r.From().String(), "To: "+to, r.CallID().String(), r.CSeq().String())
	p.Send(append(head, lines...)...)
}

// Send sends a message line by line; the lines after an empty one are its body. Content-Length is added.
func (p *Peer) Send(lines ...string) {
	p.t.Helper()
	body := ""
	for i, line := range lines {
		if line == "" {
			body = strings.Join(lines[i+1:], "\r\n")
			lines = lines[:i]
			break
		}
	}
	p.Raw([]byte(fmt.Sprintf("%s\r\nContent-Length: %d\r\n\r\n%s", strings.Join(lines, "\r\n"), len(body), body)))
}

// Raw sends bytes as they are, to where the last message came from.
func (p *Peer) Raw(data []byte) {
	p.t.Helper()
	if p.remote == nil {
		p.t.Fatal("peer: nothing has come yet, so there is nowhere to send to")
	}
	if _, err := p.conn.WriteTo(data, p.remote); err != nil {
		p.t.Fatalf("peer: send: %v", err)
	}
}
