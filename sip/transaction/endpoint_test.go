package transaction

import (
	"context"
	"fmt"
	"log/slog"
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

func TestACallGoesThroughOverABadWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire(3)
		wire.SetFaults(siptest.Faults{Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Delay: 20 * time.Millisecond})
		serve(t, onWire(wire, "192.0.2.2:5060"), func(u *user, now time.Time, e Event) {
			if e, ok := e.(RequestReceived); ok && e.Transaction != 0 {
				u.endpoint.Transactions().Respond(now, e.Transaction, sip.NewResponseFromRequest(e.Request, 486, "Busy Here", nil))
			}
		})
		phone := serve(t, onWire(wire, "192.0.2.1:5060"), nil)
		for i := range 20 {
			phone.request(newRequest(sip.INVITE, "sip:pbx@192.0.2.2", fmt.Sprint(i)))
		}
		for refused := 0; refused < 20; {
			if e := phone.wait(t).(ResponseReceived); e.Response.StatusCode == 486 {
				refused++
			}
		}
		time.Sleep(time.Minute)
		if n := phone.left(); n != 0 {
			t.Errorf("%d transactions left", n)
		}
	})
}

func TestALargeDatagramIsNotHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire(1)
		pbx := serve(t, onWire(wire, "192.0.2.2:5060"), answer200)
		phone := serve(t, onWire(wire, "192.0.2.1:5060"), nil)
		r := newRequest(sip.MESSAGE, "sip:pbx@192.0.2.2", "large")
		r.SetBody([]byte(strings.Repeat("x", 5000)))
		phone.request(r)
		if e := pbx.wait(t).(RequestReceived); len(e.Request.Body()) != 5000 {
			t.Errorf("%d bytes came", len(e.Request.Body()))
		}
	})
}

// TestNothingRunsAfterClose: the bubble fails if a goroutine is left.
func TestNothingRunsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := Open(onWire(siptest.NewWire(1), "192.0.2.1:5060"))
		if err != nil {
			t.Fatal(err)
		}
		u := &user{endpoint: e, told: make(chan Event, 10)}
		ended := make(chan error)
		go func() { ended <- e.Run(t.Context(), u) }()
		u.request(newRequest(sip.OPTIONS, "sip:nobody@192.0.2.9", "call"))
		time.Sleep(time.Second)
		e.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if e.Do(func(time.Time) { t.Error("ran after Close") }) {
			t.Error("Do after Close said true")
		}
		if err := e.Run(t.Context(), u); err != ErrClosed {
			t.Errorf("Run after Close: %v", err)
		}
		e.Close()
	})
}

func TestTheEndOfTheContextEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := Open(onWire(siptest.NewWire(1), "192.0.2.1:5060"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		if err := e.Run(ctx, &user{endpoint: e}); err != nil || time.Since(start) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestAnAddressInUseIsAnError(t *testing.T) {
	wire := siptest.NewWire(1)
	first, err := Open(onWire(wire, "192.0.2.1:5060"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() // without Run
	if _, err := Open(onWire(wire, "192.0.2.1:5060")); err == nil {
		t.Error("two endpoints have one address")
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if _, err := Open(Config{Local: addrPort(busy.Addr()), TCP: true}); err == nil {
		t.Error("two listeners have one port")
	}
}

func TestTheLogHoldsNoCallersData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		wire := siptest.NewWire(1)
		config := onWire(wire, "192.0.2.2:5060")
		config.Log = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
		var traced []string
		config.Trace = func(d Direction, remote string, data []byte) {
			traced = append(traced, fmt.Sprintf("%s %s %d", d, remote, len(data)))
		}
		pbx := serve(t, config, answer200)
		conn, err := wire.Listen(netip.MustParseAddrPort("192.0.2.1:5060"))
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range []string{"SIP/2.0 200 OK\r\nFrom: <sip:02041284100\r\n\r\n", "INVITE 02041284100", string(options("OPTIONS", "From: 02041284100"))} {
			conn.WriteToUDPAddrPort([]byte(data), netip.MustParseAddrPort("192.0.2.2:5060"))
		}
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		answer := make([]byte, 1000)
		if n, _, err := conn.ReadFrom(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "SIP/2.0 400 Malformed From\r\n") {
			t.Errorf("%s, %v", answer[:n], err)
		}
		pbx.endpoint.Close()
		if strings.Contains(text.String(), "02041284100") || !strings.Contains(text.String(), "ignored") {
			t.Errorf("the log says\n%s", &text)
		}
		if len(traced) != 4 || !strings.HasPrefix(traced[3], "sent 192.0.2.1:5060 ") {
			t.Errorf("traced %q", traced)
		}
	})
}
