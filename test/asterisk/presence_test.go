package asterisk

import (
	"encoding/xml"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// An onlooker of the presence of a resource is a phone that can nothing else.
type onlooker struct {
	t    *testing.T
	conn net.Conn
}

// subscribe sends a SUBSCRIBE with a User-Agent. Every NOTIFY is given by next.
func subscribe(t *testing.T, pbx *PBX, resource, agent string) *onlooker {
	t.Helper()
	conn, err := net.Dial("udp", pbx.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(commandMax))
	local := conn.LocalAddr().String()
	id := strings.NewReplacer(":", "-", ".", "-").Replace(local)
	_, err = fmt.Fprint(conn, strings.NewReplacer("\n", "\r\n", "LOCAL", local, "PBX", pbx.Address(), "RESOURCE", resource, "AGENT", agent, "ID", id).Replace(
		"SUBSCRIBE sip:RESOURCE@PBX SIP/2.0\nVia: SIP/2.0/UDP LOCAL;branch=z9hG4bKID;rport\nMax-Forwards: 70\nFrom: <sip:watcher@LOCAL>;tag=w\n"+
			"To: <sip:RESOURCE@PBX>\nCall-Id: ID\nCSeq: 1 SUBSCRIBE\nContact: <sip:watcher@LOCAL>\nEvent: presence\n"+
			"Accept: application/pidf+xml\nExpires: 60\nUser-Agent: AGENT\nContent-Length: 0\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &onlooker{t: t, conn: conn}
}

// next waits for a NOTIFY and gives what Asterisk says to Digium's phones: all empty without it.
func (s *onlooker) next() (state, subtype, text string) {
	s.t.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			s.t.Fatalf("no NOTIFY: %v", err)
		}
		head, body, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
		status, fields, _ := strings.Cut(head, "\r\n")
		if strings.HasPrefix(status, "SIP/2.0 200") {
			continue
		}
		if !strings.HasPrefix(status, "NOTIFY ") {
			s.t.Fatalf("SUBSCRIBE: %s", status)
		}
		answer := "SIP/2.0 200 OK\r\n"
		for field := range strings.SplitSeq(fields, "\r\n") {
			for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
				if strings.HasPrefix(field, name) {
					answer += field + "\r\n"
				}
			}
		}
		if _, err := fmt.Fprint(s.conn, answer+"Content-Length: 0\r\n\r\n"); err != nil {
			s.t.Fatal(err)
		}
		var pidf struct {
			Presence struct {
				State   string `xml:"type,attr"`
				Subtype string `xml:"subtype,attr"`
				Text    string `xml:",chardata"`
			} `xml:"tuple>status>digium_presence"`
		}
		if err := xml.Unmarshal([]byte(body), &pidf); err != nil {
			s.t.Fatalf("%v:\n%q", err, body)
		}
		return pidf.Presence.State, pidf.Presence.Subtype, strings.TrimSpace(pidf.Presence.Text)
	}
}
