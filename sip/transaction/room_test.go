package transaction

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// stranger lets a host send an OPTIONS and tells whether it reached the user.
func stranger(d *diagram, host string, number int, fields ...string) bool {
	d.t.Helper()
	fields = append(fields, fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK%d", host, number), fmt.Sprintf("Call-ID: %d@%s", number, host))
	m, err := message.Parse(options("OPTIONS", fields...))
	if err != nil {
		d.t.Fatal(err)
	}
	m.SetTransport("UDP")
	m.SetSource(host + ":5060")
	d.layer.Receive(d.now, m)
	_, events := d.layer.Drain()
	for _, e := range events {
		if e, ok := e.(RequestReceived); ok {
			d.layer.Respond(d.now, e.Transaction, sip.NewResponseFromRequest(e.Request, 200, "OK", nil))
			d.layer.Drain()
		}
	}
	return len(events) > 0
}

func TestAFloodLeavesRoomForOthersAndForOurselves(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{TransactionsMax: 100})
	reached := 0
	for i := range 1000 {
		if stranger(d, "192.0.2.66", i) {
			reached++
		}
	}
	if reached != 75 {
		t.Errorf("of 1000 requests of one host %d got a transaction, want three quarters of 100", reached)
	}
	if !stranger(d, "192.0.2.2", 1) {
		t.Error("the exchange's request was refused")
	}
	for i := range 1000 {
		stranger(d, fmt.Sprintf("198.51.100.%d", i%250), i)
	}
	if stranger(d, "192.0.2.2", 2) {
		t.Error("there is no end of room")
	}
	d.user("OPTIONS")
	d.drain()
	d.play(`
		0s     > OPTIONS
		0s     < 200
		0s     ! 200`)
	d.advance(d.now.Add(40e9))
	if l := d.layer; len(l.room.sources) > 0 || l.room.all != (share{}) || !stranger(d, "192.0.2.66", 1) {
		t.Errorf("after the flood: %+v", l.room)
	}
}

func TestLargeRequestsTakeMoreRoom(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{TransactionsMax: 100})
	reached := 0
	for i := range 100 {
		if stranger(d, "192.0.2.66", i, "Subject: "+strings.Repeat("x", 50000)) {
			reached++
		}
	}
	if most := 75 * bytesEach / 50000; reached != most {
		t.Errorf("%d requests of 50 kB got a transaction, want %d", reached, most)
	}
}
