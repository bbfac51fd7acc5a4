package ua_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/presence"
	"freizeichen/sip/siptest"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua"
	"freizeichen/sip/ua/subscription"
)

var (
	phoneAddr = netip.MustParseAddrPort("192.0.2.9:5060")
	pbxAddr   = netip.MustParseAddrPort("192.0.2.1:5060")
)

// A desk is a whole user agent, with transactions and a socket, on a wire with a scripted exchange.
type desk struct {
	t        *testing.T
	wire     *siptest.Wire
	peer     *siptest.Peer
	endpoint *transaction.Endpoint
	agent    *ua.Agent
	events   chan sip.Event
}

type noSound struct{}

func (noSound) Open(sip.CallID) (netip.AddrPort, error) {
	return netip.AddrPortFrom(phoneAddr.Addr(), 20000), nil
}
func (noSound) Apply(sip.CallID, sip.Media) error { return nil }
func (noSound) SendDigit(sip.CallID, byte)        {}
func (noSound) Close(sip.CallID)                  {}

// atDesk runs a test in a bubble of fake time.
func atDesk(t *testing.T, test func(d *desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{t: t, wire: siptest.NewWire(1), events: make(chan sip.Event, 100)}
		conn, err := d.wire.Listen(pbxAddr)
		if err != nil {
			t.Fatal(err)
		}
		d.peer = siptest.NewPeer(t, conn)
		d.endpoint, err = transaction.Open(transaction.Config{
			Local: phoneAddr, Server: pbxAddr.String(), Methods: ua.Methods(), Extensions: ua.Extensions(), ListenPacket: d.wire.ListenPacket,
		})
		if err != nil {
			t.Fatal(err)
		}
		d.agent = ua.New(ua.Config{
			Account: sip.Account{User: "201", Password: "lab-201", Domain: "pbx.example", Server: pbxAddr.String()},
			Local:   func() netip.AddrPort { return phoneAddr },
			Random:  rand.New(rand.NewPCG(1, 1)),
			Queues:  ua.QueueSource{Kind: subscription.Presence, Prefix: "cc-"},
		}, d.endpoint.Transactions(), noSound{}, func(event sip.Event) { d.events <- event })
		ended := make(chan error, 1)
		go func() { ended <- d.endpoint.Run(context.Background(), d.agent) }()
		defer func() {
			d.endpoint.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		d.endpoint.Do(d.agent.Start)
		test(d)
	})
}

func (d *desk) do(command sip.Command) {
	d.endpoint.Do(func(now time.Time) { d.agent.Do(now, command) })
}

func (d *desk) want(want sip.Event) {
	d.t.Helper()
	select {
	case got := <-d.events:
		if got != want {
			d.t.Fatalf("event %T%+v, want %T%+v", got, got, want, want)
		}
	case <-time.After(2 * time.Minute):
		d.t.Fatalf("no event, want %T%+v", want, want)
	}
}

func (d *desk) register() {
	d.t.Helper()
	d.peer.Answer(d.peer.Want("REGISTER"), "200 OK", "tag=r", "Expires: 3600")
	d.want(sip.Registered{Expires: time.Hour})
}

var answered = []string{"Content-Type: application/sdp", "", "v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
	"m=audio 10000 RTP/AVP 8", ""}

func TestARegistrationGetsThroughLossAndChallenges(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.wire.SetFaults(siptest.Faults{Loss: 0.4, Delay: 10 * time.Millisecond, Jitter: 30 * time.Millisecond})
		d.peer.Retransmissions = true // so that lost answers are given again
		for registered := false; !registered; {
			register := d.peer.Want("REGISTER")
			if len(register.Request.GetHeaders("authorization")) == 0 {
				d.peer.Answer(register, "401 Unauthorized", "tag=r",
					`WWW-Authenticate: Digest realm="pbxlab",nonce="1/2",opaque="a",algorithm=SHA-256,qop="auth"`,
					`WWW-Authenticate: Digest realm="pbxlab",nonce="1/2",opaque="b",algorithm=MD5,qop="auth"`)
				continue
			}
			if got := register.Request.GetHeader("Authorization").Value(); !strings.Contains(got, "algorithm=SHA-256") {
				t.Errorf("answered %s", got)
			}
			d.peer.Answer(register, "200 OK", "tag=r", "Expires: 3600")
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
			select {
			case event := <-d.events:
				_, registered = event.(sip.Registered)
			default:
			}
		}
	})
}

func TestAnExchangeThatIsAwayIsFoundWhenItComesBack(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.peer.Ignore(20 * time.Minute)
		for len(d.events) > 0 {
			if event, ok := (<-d.events).(sip.Unregistered); !ok || event.Cause != sip.Unreachable {
				t.Errorf("event %+v", event)
			}
		}
		back := time.Now()
		d.peer.Retransmissions = true // it does not know what came before
		d.peer.Answer(d.peer.Want("REGISTER"), "200 OK", "tag=r", "Expires: 3600")
		d.want(sip.Registered{Expires: time.Hour})
		if took := time.Since(back); took > 80*time.Second {
			t.Errorf("found after %v", took)
		}
	})
}

func TestACallOutAndItsEndOnTheWire(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.register()
		d.do(sip.Dial{Call: 1, Number: "115"})
		invite := d.peer.Want("INVITE")
		// One callee rings, two answer; the first 200 comes twice, as if its ACK had been lost.
		d.peer.Answer(invite, "180 Ringing", "tag=a")
		d.want(sip.Progress{Call: 1, Status: 180})
		a := append([]string{"tag=a", "Contact: <sip:a@192.0.2.1:5060>"}, answered...)
		b := append([]string{"tag=b", "Contact: <sip:b@192.0.2.1:5060>"}, answered...)
		d.peer.Answer(invite, "200 OK", a...)
		d.want(sip.Answered{Call: 1})
		first := d.peer.Want("ACK")
		d.peer.Answer(invite, "200 OK", b...)
		d.peer.Want("ACK")
		bye := d.peer.Want("BYE")
		if bye.Request.Recipient.User != "b" || first.Request.CSeq().SeqNo != invite.Request.CSeq().SeqNo {
			t.Errorf("BYE to %s", bye.Request.Recipient.String())
		}
		d.peer.Answer(bye, "200 OK")
		d.peer.Retransmissions = true
		d.peer.Answer(invite, "200 OK", a...)
		d.peer.Want("ACK")
		d.do(sip.Hangup{Call: 1})
		d.peer.Answer(d.peer.Want("BYE"), "200 OK")
		d.want(sip.Ended{Call: 1, Cause: sip.Normal})
		d.peer.WantNothing(time.Minute)
	})
}

func TestACancelThatCrossesTheAnswer(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.register()
		d.do(sip.Dial{Call: 1, Number: "115"})
		invite := d.peer.Want("INVITE")
		d.do(sip.Hangup{Call: 1})
		d.want(sip.Ended{Call: 1, Cause: sip.Normal})
		d.peer.WantNothing(300 * time.Millisecond) // no CANCEL before a provisional response
		d.peer.Answer(invite, "180 Ringing", "tag=a")
		cancel := d.peer.Want("CANCEL")
		d.peer.Answer(invite, "200 OK", append([]string{"tag=a", "Contact: <sip:a@192.0.2.1:5060>"}, answered...)...)
		d.peer.Answer(cancel, "200 OK", "tag=a")
		d.peer.Want("ACK")
		d.peer.Answer(d.peer.Want("BYE"), "200 OK")
		d.peer.WantNothing(time.Minute)
	})
}

// call is an INVITE of the exchange.
func (d *desk) call(id string, lines ...string) {
	head := []string{"INVITE sip:201@192.0.2.9:5060 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK" + id + ";rport",
		"From: <sip:202@pbx.example>;tag=x", "To: <sip:201@pbx.example>", "Call-ID: " + id, "CSeq: 1 INVITE", "Max-Forwards: 70",
		"Contact: <sip:202@192.0.2.1:5060>"}
	d.peer.Send(append(append(head, lines...), answered...)...)
}

func TestACallInWithoutACKAndALateCancel(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.register()
		d.call("c1")
		d.peer.Want("180 INVITE")
		d.want(sip.Incoming{Call: 2, From: sip.Party{Number: "202"}})
		d.do(sip.Answer{Call: 2})
		d.want(sip.Answered{Call: 2})
		ok := d.peer.Want("200 INVITE")
		d.peer.Send("CANCEL sip:201@192.0.2.9:5060 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKc1;rport",
			"From: <sip:202@pbx.example>;tag=x", "To: <sip:201@pbx.example>", "Call-ID: c1", "CSeq: 1 CANCEL", "Max-Forwards: 70")
		d.peer.Want("200 CANCEL")
		bye := d.peer.Want("BYE")
		if d.peer.Repeated != 10 { // 0.5, 1.5, 3.5, then every 4 s until 31.5 s
			t.Errorf("the 200 was sent again %d times", d.peer.Repeated)
		}
		if bye.Request.From().Value() != ok.Response.To().Value() {
			t.Errorf("BYE from %s", bye.Request.From().Value())
		}
		d.peer.Answer(bye, "481 Call/Transaction Does Not Exist")
		d.want(sip.Ended{Call: 2, Cause: sip.Unreachable})
	})
}

func TestGarbageAndStrangersDoNotDisturb(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.register()
		for _, garbage := range []string{"\x00\x01\x02", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:201@192.0.2.9 SIP/2.0\r\n\r\n",
			"INVITE sip:201@192.0.2.9 SIP/2.0\r\nCSeq: x INVITE\r\nVia: nonsense\r\n\r\n", strings.Repeat("A", 60000)} {
			d.peer.Raw([]byte(garbage))
		}
		d.peer.Ignore(time.Second) // whatever it answers to them
		d.call("rel", "Require: 100rel")
		d.peer.Want("420 INVITE")
		d.peer.Send("ACK sip:201@192.0.2.9:5060 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKrel;rport",
			"From: <sip:202@pbx.example>;tag=x", "To: <sip:201@pbx.example>", "Call-ID: rel", "CSeq: 1 ACK")
		d.call("timer", "Require: timer", "Supported: timer", "Session-Expires: 1800")
		d.peer.Want("180 INVITE")
		d.want(sip.Incoming{Call: 2, From: sip.Party{Number: "202"}})
	})
}

func TestStopLeavesInGoodOrder(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.register()
		done := make(chan struct{})
		begin := time.Now()
		d.endpoint.Do(func(now time.Time) { d.agent.Stop(now, func() { close(done) }) })
		d.peer.Answer(d.peer.Want("REGISTER"), "401 Unauthorized", "tag=r", `WWW-Authenticate: Digest realm="r",nonce="n"`)
		remove := d.peer.Want("REGISTER")
		if !strings.Contains(fmt.Sprint(remove.Request.Contact()), "expires=0") {
			t.Errorf("unregistered with\n%s", remove)
		}
		d.peer.Answer(remove, "200 OK", "tag=r")
		<-done
		if took := time.Since(begin); took > 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		d.want(sip.Unregistered{Cause: sip.Normal})
	})
}

func TestTenThousandMutatedNotifiesShowNoWrongFigure(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.register()
		d.do(sip.WatchQueues{Queues: []string{"kw"}})
		subscribe := d.peer.Want("SUBSCRIBE")
		d.peer.Answer(subscribe, "200 OK", "tag=n", "Expires: 86400", "Contact: <sip:n@192.0.2.1:5060>")
		status := sip.QueueStatus{Queue: "kw", Title: "Kreis Wesel", At: time.Now().UTC().Truncate(time.Second), Valid: 90 * time.Second, Waiting: 3,
			Oldest: time.Now().UTC().Truncate(time.Second), SignedIn: 5, Free: 1, Paused: 2,
			Level: sip.ServiceLevel{Offered: 100, Answered: 90, AnsweredInTime: 80, Abandoned: 10, Within: 30 * time.Second, Target: 80}}
		text, err := presence.Text(status)
		if err != nil {
			t.Fatal(err)
		}
		r, good := subscribe.Request, string(presence.Queue("sip:cc-kw@pbx.example", text))
		notify := func(cseq int, body string, garble func([]byte) []byte) {
			head := fmt.Sprintf("NOTIFY sip:201@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-%d\r\nFrom: %s;tag=n\r\nTo: %s\r\nCall-ID: %s\r\n"+
				"CSeq: %d NOTIFY\r\nContact: <sip:n@192.0.2.1:5060>\r\nEvent: presence\r\nSubscription-State: active;expires=86000\r\n"+
				"Content-Type: application/pidf+xml\r\nContent-Length: %d\r\n\r\n", cseq, r.To().Value(), r.From().Value(), r.CallID().Value(), cseq, len(body))
			d.peer.Raw(garble([]byte(head + body)))
		}
		dice := rand.New(rand.NewPCG(27, 1828))
		shown := 0
		for i := range 10_000 {
			notify(i+1, good, func(message []byte) []byte {
				for range 1 + dice.IntN(3) {
					at := len(message) - 1 - dice.IntN(len(good))
					if dice.IntN(4) == 0 { // in the head, but where an answer does not repeat it
						begin := bytes.Index(message, []byte("Contact:"))
						at = begin + dice.IntN(len(message)-begin)
					}
					message[at] = []byte("0123456789-{}<>&;:\x00\xff")[dice.IntN(20)]
				}
				return message
			})
			if i%20 > 0 {
				continue
			}
			d.peer.Ignore(time.Millisecond)
			for len(d.events) > 0 {
				switch event := (<-d.events).(type) {
				case sip.QueueReported:
					if shown++; !event.Status.Plausible() || event.Status.Queue != "kw" {
						t.Fatalf("shown: %+v", event.Status)
					}
				case sip.QueueUnknown:
				default:
					t.Fatalf("event %T%+v", event, event)
				}
			}
		}
		if shown < 10 {
			t.Errorf("only %d reports were shown: the mutations prove nothing", shown)
		}
		// It still takes a true one, whatever subscription it has now.
		d.do(sip.WatchQueues{})
		d.peer.Ignore(time.Minute)
		for len(d.events) > 0 {
			<-d.events
		}
		d.do(sip.WatchQueues{Queues: []string{"kw"}})
		r = d.peer.Want("SUBSCRIBE").Request
		notify(1_000_000, good, func(message []byte) []byte { return message })
		d.want(sip.QueueReported{Status: status})
	})
}
