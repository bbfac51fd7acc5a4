package transaction

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

func TestAnInviteWithoutAnyAnswerIsRepeatedUntilTimerB(t *testing.T) {
	play(t, "UDP", `
		0s     user INVITE
		0s     > INVITE
		500ms  > INVITE
		1.5s   > INVITE
		3.5s   > INVITE
		7.5s   > INVITE
		15.5s  > INVITE
		31.5s  > INVITE
		32s    ! timed out
		32s    end`)
}

func TestOverTCPAnInviteIsNotRepeated(t *testing.T) {
	play(t, "TCP", `
		0s     user INVITE
		0s     > INVITE
		32s    ! timed out
		32s    end`)
}

func TestAProvisionalResponseEndsRetransmissionAndTimerB(t *testing.T) {
	play(t, "UDP", `
		0s     user INVITE
		0s     > INVITE
		400ms  < 100
		400ms  ! 100
		10s    < 180
		10s    ! 180
		179s   < 180
		179s   ! 180
		180s   < 486
		180s   > ACK
		180s   ! 486
		212s   end`)
}

func TestARetransmittedRefusalIsAcknowledgedAgainButNotTold(t *testing.T) {
	play(t, "UDP", `
		0s     user INVITE
		0s     > INVITE
		100ms  < 404
		100ms  > ACK
		100ms  ! 404
		600ms  < 404
		600ms  > ACK
		700ms  < 180
		20s    < 404
		20s    > ACK
		32.1s  end        # timer D
		33s    < 404      # too late: nobody knows it
		33s    end`)
}

func TestOverTCPARefusalEndsTheTransactionAtOnce(t *testing.T) {
	play(t, "TCP", `
		0s     user INVITE
		0s     > INVITE
		100ms  < 404
		100ms  > ACK
		100ms  ! 404
		100ms  end`)
}

func TestEvery2xxIsToldWhileAcceptedAndAfterwardsWithoutTransaction(t *testing.T) {
	for _, network := range []string{"UDP", "TCP"} {
		play(t, network, `
			0s     user INVITE
			0s     > INVITE
			100ms  < 180
			100ms  ! 180
			2s     < 200 INVITE one
			2s     ! 200
			2.5s   < 200 INVITE one     # retransmission: the user acknowledges again
			2.5s   ! 200
			3s     < 200 INVITE two     # another fork
			3s     ! 200
			3s     < 486                # a fork that lost
			3s     < 180
			34s    end                  # timer M
			40s    < 200 INVITE three   # late fork
			40s    ! 200 alone
			40s    end`)
	}
}

func TestTheACKOfARefusalCarriesWhatSection17_1_1_3Says(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	r := newRequest(sip.INVITE, "sip:pbx@192.0.2.2", "call")
	route := &sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.9"}}
	r.AppendHeader(route)
	r.AppendHeader(sip.NewHeader("Subject", "not in the ACK"))
	d.layer.Request(d.now, r)
	d.drain()
	d.log = nil
	invite := d.sent["INVITE"]
	d.play("100ms < 486 INVITE peer")
	ack := d.sent["ACK"]
	for _, name := range []string{"Via", "Route", "From", "Call-ID"} {
		if want, got := values(invite, name), values(ack, name); !slices.Equal(want, got) {
			t.Errorf("%s of the ACK is %q, of the INVITE %q", name, got, want)
		}
	}
	if ack.Recipient.String() != invite.Recipient.String() || ack.CSeq().Value() != "1 ACK" || tagOf(ack, "To") != "peer" {
		t.Errorf("wrong ACK:\n%s", ack)
	}
	if ack.GetHeader("Subject") != nil || ack.GetHeader("Contact") != nil || len(values(ack, "Via")) != 1 {
		t.Errorf("the ACK carries too much:\n%s", ack)
	}
}

func TestARequestThatCannotBeSentFails(t *testing.T) {
	play(t, "UDP", `
		0s     user INVITE
		0s     > INVITE
		1ms    user cannot send
		1ms    ! failed
		1ms    end`)
	play(t, "UDP", `
		0s     user OPTIONS
		0s     > OPTIONS
		1ms    user cannot send
		1ms    ! failed
		1ms    end`)
}

func TestAFailureAfterTheAnswerIsNotTold(t *testing.T) {
	play(t, "UDP", `
		0s     user INVITE
		0s     > INVITE
		100ms  < 200
		100ms  ! 200
		2s     user cannot send
		33s    end`)
}

// TestALargeRequestGoesByTCPAndFallsBackToUDP is RFC 3261 section 18.1.1.
func TestALargeRequestGoesByTCPAndFallsBackToUDP(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{Hop: func(*sip.Request) Hop {
		return Hop{Network: "UDP", Destination: "192.0.2.2:5060", Host: "192.0.2.1", Port: 5060, LargeOverTCP: true}
	}})
	r := newRequest(sip.INVITE, "sip:pbx@192.0.2.2", "call")
	r.SetBody([]byte(strings.Repeat("x", 1200)))
	id := d.layer.Request(d.now, r)
	sends, events := d.layer.Drain()
	if len(sends) != 1 || len(events) != 0 || sends[0].Network != "TCP" || !strings.Contains(string(sends[0].Data), "SIP/2.0/TCP") {
		t.Fatalf("sent %+v, told %v; want one INVITE by TCP", sends, events)
	}
	d.layer.SendFailed(d.now, id, errUndelivered)
	sends, events = d.layer.Drain()
	if len(sends) != 1 || len(events) != 0 || sends[0].Network != "UDP" || !strings.Contains(string(sends[0].Data), "SIP/2.0/UDP") {
		t.Fatalf("sent %+v, told %v; want the INVITE again by UDP", sends, events)
	}
	m, err := message.Parse(sends[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	d.sent["INVITE"], d.client, d.method = m.(*sip.Request), id, "INVITE"
	d.play(`
		500ms  > INVITE
		600ms  < 200
		600ms  ! 200
		33s    end`)
	d.layer.SendFailed(d.now, id, ErrClosed)
	if sends, events = d.layer.Drain(); len(sends)+len(events) > 0 {
		t.Errorf("after its end the transaction did %v %v", sends, events)
	}
}

// TestALargeRequestThatMayHaveArrivedIsNotSentAgain: the peer would see it twice, and refuse it with 482.
func TestALargeRequestThatMayHaveArrivedIsNotSentAgain(t *testing.T) {
	l := New(Settings{Hop: func(*sip.Request) Hop {
		return Hop{Network: "UDP", Destination: "192.0.2.2:5060", Host: "192.0.2.1", LargeOverTCP: true}
	}})
	now := newDiagram(t, "UDP", Settings{}).now
	r := newRequest(sip.INVITE, "sip:pbx@192.0.2.2", "call")
	r.SetBody(make([]byte, 2000))
	id := l.Request(now, r)
	l.Drain()
	l.SendFailed(now, id, io.EOF)
	if sends, events := l.Drain(); len(sends) != 0 || len(events) != 1 {
		t.Errorf("sent %d messages, told %v; want Failed alone", len(sends), events)
	}
}

func TestASmallRequestOrOneWithoutTCPStaysOnUDP(t *testing.T) {
	for _, tt := range []struct {
		size int
		tcp  bool
		want string
	}{{2000, false, "UDP"}, {100, true, "UDP"}, {2000, true, "TCP"}} {
		l := New(Settings{Hop: func(*sip.Request) Hop {
			return Hop{Network: "UDP", Destination: "192.0.2.2", Host: "192.0.2.1", LargeOverTCP: tt.tcp}
		}})
		r := newRequest(sip.MESSAGE, "sip:pbx@192.0.2.2", "call")
		r.SetBody(make([]byte, tt.size))
		l.Request(newDiagram(t, "UDP", Settings{}).now, r)
		if sends, _ := l.Drain(); len(sends) != 1 || sends[0].Network != tt.want {
			t.Errorf("%d bytes, TCP %v: sent %d messages, want one by %s", tt.size, tt.tcp, len(sends), tt.want)
		}
	}
}

// values are the values of all fields of a name.
func values(m sip.Message, name string) []string {
	var all []string
	for _, h := range m.GetHeaders(name) {
		all = append(all, h.Value())
	}
	return all
}

func TestTheACKOfA2xxIsTheUsersAndNoTransaction(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	d.play(`
		0s     user INVITE
		0s     > INVITE
		100ms  < 200
		100ms  ! 200
		100ms  user ACK
		100ms  > ACK
		32.1s  end`)
	if invite, _ := d.sent["INVITE"].Via().Params.Get("branch"); strings.Contains(d.sent["ACK"].Via().Value(), invite) {
		t.Error("RFC 3261 section 17: the ACK of a 2xx must have a branch of its own")
	}
}
