package transaction

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/siptest"
)

// A user is a transaction user that remembers what it was told and answers with a function.
type user struct {
	endpoint *Endpoint
	answer   func(u *user, now time.Time, e Event)
	mu       sync.Mutex
	seen     []Event
	told     chan Event
}

func (u *user) Deadline() time.Time { return time.Time{} }
func (u *user) Tick(time.Time)      {}

func (u *user) Handle(now time.Time, e Event) {
	u.mu.Lock()
	u.seen = append(u.seen, e)
	u.mu.Unlock()
	if u.answer != nil {
		u.answer(u, now, e)
	}
	u.told <- e
}

// serve opens an endpoint and runs it until the test ends.
func serve(t *testing.T, config Config, answer func(*user, time.Time, Event)) *user {
	t.Helper()
	e, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	u := &user{endpoint: e, answer: answer, told: make(chan Event, 10000)}
	ended := make(chan error)
	go func() { ended <- e.Run(context.Background(), u) }()
	t.Cleanup(func() {
		e.Close()
		if err := <-ended; err != nil && err != ErrClosed {
			t.Error(err)
		}
	})
	return u
}

func (u *user) wait(t *testing.T) Event {
	t.Helper()
	select {
	case e := <-u.told:
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event within a minute")
		return nil
	}
}

// request asks the endpoint to send a request to an address.
func (u *user) request(r *sip.Request) {
	u.endpoint.Do(func(now time.Time) { u.endpoint.Transactions().Request(now, r) })
}

// left counts the transactions that are not over.
func (u *user) left() int {
	n := make(chan int)
	u.endpoint.Do(func(time.Time) { n <- u.endpoint.layer.Len() })
	return <-n
}

func answer200(u *user, now time.Time, e Event) {
	if e, ok := e.(RequestReceived); ok && e.Transaction != 0 {
		u.endpoint.Transactions().Respond(now, e.Transaction, sip.NewResponseFromRequest(e.Request, 200, "OK", nil))
	}
}

// newRequest is a request outside of a dialog.
func newRequest(method sip.RequestMethod, to string, callID string) *sip.Request {
	var uri sip.Uri
	if err := sip.ParseUri(to, &uri); err != nil {
		panic(err)
	}
	r := sip.NewRequest(method, uri)
	from := &sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "201", Host: "example.com"}}
	from.Params.Add("tag", "a")
	r.AppendHeader(from)
	r.AppendHeader(&sip.ToHeader{Address: uri})
	id := sip.CallIDHeader(callID)
	r.AppendHeader(&id)
	r.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: method})
	return r
}

func onWire(wire *siptest.Wire, address string) Config {
	return Config{Local: netip.MustParseAddrPort(address), ListenPacket: wire.ListenPacket}
}

func TestARequestIsAnsweredOverALossyWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire(1)
		wire.SetFaults(siptest.Faults{Loss: 0.3, Duplicate: 0.2, Delay: 20 * time.Millisecond, Jitter: 50 * time.Millisecond})
		serve(t, onWire(wire, "192.0.2.2:5060"), answer200)
		phone := serve(t, onWire(wire, "192.0.2.1:5060"), nil)
		for i := range 20 {
			phone.request(newRequest(sip.OPTIONS, "sip:pbx@192.0.2.2", fmt.Sprint(i)))
		}
		for range 20 {
			if e, ok := phone.wait(t).(ResponseReceived); !ok || e.Response.StatusCode != 200 {
				t.Fatalf("got %#v, want a 200", e)
			}
		}
		time.Sleep(40 * time.Second)
		if n := phone.left(); n != 0 {
			t.Errorf("%d transactions left", n)
		}
	})
}

func TestFiveThousandMessagesOnOneConnectionArriveInOrder(t *testing.T) {
	const messages = 5000
	pbx := serve(t, Config{Local: netip.MustParseAddrPort("127.0.0.1:0"), TCP: true}, answer200)
	conn, err := net.Dial("tcp", pbx.endpoint.LocalAddr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		var b strings.Builder
		for i := range messages {
			fmt.Fprintf(&b, "NOTIFY sip:201@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d\r\n"+
				"From: <sip:pbx@127.0.0.1>;tag=a\r\nTo: <sip:201@127.0.0.1>;tag=b\r\nCall-ID: order\r\nCSeq: %d NOTIFY\r\n"+
				"Content-Length: 3\r\n\r\nabc", i, i+1)
		}
		conn.Write([]byte(b.String()))
	}()
	go func() { // the answers must be read, or the endpoint would rightly give up on us
		buf := make([]byte, 1<<16)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	for i := range messages {
		e := pbx.wait(t).(RequestReceived)
		if got := e.Request.CSeq().SeqNo; got != uint32(i+1) {
			t.Fatalf("message %d came as number %d", got, i+1)
		}
	}
}
