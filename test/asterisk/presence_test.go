package asterisk

import (
	"encoding/xml"
	"net"
	"strings"
	"testing"
	"time"
)

// subscribe asks for the presence of a resource as some phone and gives the text of the first NOTIFY, empty without one.
func subscribe(t *testing.T, pbx *PBX, resource, agent string) string {
	t.Helper()
	conn, err := net.Dial("udp", pbx.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	local := conn.LocalAddr().String()
	request := strings.NewReplacer("\n", "\r\n", "LOCAL", local, "PBX", pbx.Address(), "RESOURCE", resource, "AGENT", agent).Replace(
		"SUBSCRIBE sip:RESOURCE@PBX SIP/2.0\nVia: SIP/2.0/UDP LOCAL;branch=z9hG4bKs;rport\nMax-Forwards: 70\nFrom: <sip:watcher@LOCAL>;tag=w\n" +
			"To: <sip:RESOURCE@PBX>\nCall-ID: LOCAL-RESOURCE\nCSeq: 1 SUBSCRIBE\nContact: <sip:watcher@LOCAL>\nEvent: presence\n" +
			"Accept: application/pidf+xml\nExpires: 60\nUser-Agent: AGENT\nContent-Length: 0\n\n")
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("no NOTIFY of %s: %v", resource, err)
		}
		head, body, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
		status, _, _ := strings.Cut(head, "\r\n")
		switch {
		case strings.HasPrefix(status, "NOTIFY "):
		case strings.HasPrefix(status, "SIP/2.0 200"):
			continue
		default:
			t.Fatalf("SUBSCRIBE to %s: %s", resource, status)
		}
		var pidf struct {
			Tuples []struct {
				Presence string `xml:"status>digium_presence"`
			} `xml:"tuple"`
		}
		if err := xml.Unmarshal([]byte(body), &pidf); err != nil {
			t.Fatalf("%v:\n%q", err, body)
		}
		text := ""
		for _, tuple := range pidf.Tuples {
			text += tuple.Presence
		}
		return text
	}
}
