package transaction

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestWhatIsDueTogetherGoesInTheOrderItCame(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	for i := range 20 {
		d.layer.Request(d.now, newRequest(sip.OPTIONS, "sip:pbx@192.0.2.2", fmt.Sprint(i)))
	}
	d.layer.Drain()
	d.layer.Tick(d.now.Add(500 * time.Millisecond))
	sends, _ := d.layer.Drain()
	if len(sends) != 20 {
		t.Fatalf("%d retransmissions, want 20", len(sends))
	}
	for i, s := range sends {
		if !strings.Contains(string(s.Data), fmt.Sprintf("Call-ID: %d\r\n", i)) {
			t.Errorf("retransmission %d is\n%s", i, s.Data)
		}
	}
}

func TestTimersCanBeSet(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{Timers: Timers{T1: 100 * time.Millisecond, T2: 200 * time.Millisecond, T4: time.Second, D: 2 * time.Second}})
	d.play(`
		0s     user OPTIONS
		0s     > OPTIONS
		100ms  > OPTIONS
		300ms  > OPTIONS
		500ms  > OPTIONS
		600ms  < 200
		600ms  ! 200
		1.6s   end
		2s     user INVITE
		2s     > INVITE
		2s     < 486
		2s     > ACK
		2s     ! 486
		4s     end`)
}

// TestNothingIsLeftAfterAnyConversation plays a thousand random ones. A failure names its seed.
func TestNothingIsLeftAfterAnyConversation(t *testing.T) {
	for seed := range uint64(1000) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { playRandom(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func playRandom(t *testing.T, dice *rand.Rand) {
	network := []string{"UDP", "TCP"}[dice.IntN(2)]
	d := newDiagram(t, network, Settings{TransactionsMax: 6})
	for range dice.IntN(60) {
		d.advance(d.now.Add(time.Duration(dice.IntN(3000)) * time.Millisecond))
		randomStep(d, dice)
		d.drain()
		if n := d.layer.Len(); n > 13 { // six of each side, and a CANCEL of ours may come on top
			t.Fatalf("%d transactions", n)
		}
	}
	// What rings for ever is the user's: he refuses it, or gives it up.
	for id := range d.layer.byID {
		d.server, d.got = id, d.layer.byID[id].base().request
		d.user("480")
	}
	for id, c := range d.layer.clients {
		if c.pending() {
			d.layer.SendFailed(d.now, id, ErrClosed)
		}
	}
	d.drain()
	d.advance(d.now.Add(3 * time.Minute))
	d.log = nil
	d.play(fmt.Sprintf("%v end", d.now.Sub(d.start)))
}

func randomStep(d *diagram, dice *rand.Rand) {
	pick := func(words ...string) string { return words[dice.IntN(len(words))] }
	switch dice.IntN(4) {
	case 0:
		what := pick("INVITE", "OPTIONS", "cancel", "cannot send", "ACK")
		d.user(what)
	case 1:
		if d.got != nil {
			d.user(pick("100", "180", "200", "486"))
		}
	case 2:
		method := pick("INVITE", "OPTIONS", "CANCEL")
		if d.sent[method] != nil {
			d.peer(pick("100", "183", "200", "202", "302", "487", "503") + " " + method + " " + pick("one", "two"))
		}
	case 3:
		d.peer(pick("INVITE", "OPTIONS", "CANCEL", "ACK", "BYE", "INFO") + " " + pick("b1", "b2", "b3", "old"))
	}
}

func BenchmarkReceive(b *testing.B) {
	l := New(Settings{Hop: func(*sip.Request) Hop { return Hop{Network: "UDP"} }})
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	i := 0
	for b.Loop() {
		i++
		now = now.Add(6 * time.Millisecond) // some 5,300 transactions live
		r := newRequest(sip.OPTIONS, "sip:201@192.0.2.1", fmt.Sprint(i))
		via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "192.0.2.2"}
		via.Params.Add("branch", fmt.Sprint("z9hG4bK", i))
		r.PrependHeader(via)
		r.SetTransport("UDP")
		r.SetSource("192.0.2.2:5060")
		l.Receive(now, r)
		for _, e := range second(l.Drain()) {
			if e, ok := e.(RequestReceived); ok {
				l.Respond(now, e.Transaction, sip.NewResponseFromRequest(e.Request, 200, "OK", nil))
			}
		}
		l.Tick(now)
		l.Drain()
	}
}

func second(_ []Send, e []Event) []Event { return e }
