package transaction

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func onLoopback() Config {
	return Config{Local: netip.MustParseAddrPort("127.0.0.1:0"), TCP: true}
}

// connect opens a TCP connection to an endpoint.
func connect(t *testing.T, to *user) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", to.endpoint.LocalAddr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn, bufio.NewReader(conn)
}

// answer reads one message without a body and returns its first line.
func answer(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	first := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", first, err)
		}
		if first == "" {
			first = strings.TrimSpace(line)
		}
		if line == "\r\n" {
			return first
		}
	}
}

func overTCP(callID string, lines ...string) string {
	lines = append(lines, "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK"+callID, "Call-ID: "+callID)
	return string(options("OPTIONS", lines...))
}

func TestABadMessageOnTCPIsAnsweredAndTheConnectionLives(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	conn, r := connect(t, pbx)
	fmt.Fprint(conn, overTCP("1")+overTCP("2", "From: <sip:a")+"nonsense\r\nl: 3\r\n\r\nabc"+overTCP("3"))
	for _, want := range []string{"SIP/2.0 200 OK", "SIP/2.0 400 Malformed From", "SIP/2.0 200 OK"} {
		if got := answer(t, r); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAMessageWithoutLengthOnTCPIsAnsweredAndEndsTheConnection(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	conn, r := connect(t, pbx)
	fmt.Fprint(conn, overTCP("1", "Content-Length:"))
	if got := answer(t, r); got != "SIP/2.0 400 Missing or Ambiguous Content-Length" {
		t.Errorf("got %s", got)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("%v, want the connection closed", err)
	}
}

func TestConnectionsBeyondTheBoundAreClosedAndTheSilentOneGivesWay(t *testing.T) {
	config := onLoopback()
	config.ConnectionsMax = 2
	pbx := serve(t, config, answer200)
	first, r1 := connect(t, pbx)
	fmt.Fprint(first, overTCP("1"))
	answer(t, r1)
	second, r2 := connect(t, pbx)
	fmt.Fprint(second, overTCP("2"))
	answer(t, r2)
	_, r3 := connect(t, pbx)
	if _, err := r3.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection too many: %v, want it closed", err)
	}
	fmt.Fprint(first, overTCP("3"))
	answer(t, r1)
	pbx.endpoint.Do(func(now time.Time) {
		if pbx.endpoint.makePlace(now) {
			t.Error("a connection in use gave way")
		}
		if !pbx.endpoint.makePlace(now.Add(silenceMin)) {
			t.Error("no connection gave way after a long silence")
		}
	})
	if _, err := r2.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection that was silent longest: %v, want it closed", err)
	}
	fmt.Fprint(first, overTCP("4"))
	answer(t, r1)
	_, r4 := connect(t, pbx)
	if _, err := r4.Peek(0); err != nil {
		t.Error(err)
	}
}

func TestADoubleCRLFIsAnsweredWithASingleOne(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	conn, r := connect(t, pbx)
	fmt.Fprint(conn, "\r\n\r\n")
	pong := make([]byte, 2)
	if _, err := io.ReadFull(r, pong); err != nil || string(pong) != "\r\n" {
		t.Errorf("%q, %v", pong, err)
	}
	fmt.Fprint(conn, overTCP("1"))
	if got := answer(t, r); got != "SIP/2.0 200 OK" {
		t.Errorf("got %s", got)
	}
}

// TestRequestsUseTheConnectionThatIsThere is RFC 3261 section 18: an exchange reaches a phone behind a NAT by the
// connection the phone has opened.
func TestRequestsUseTheConnectionThatIsThere(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	conn, r := connect(t, pbx)
	fmt.Fprint(conn, overTCP("1"))
	answer(t, r)
	request := newRequest(sip.NOTIFY, "sip:201@"+conn.LocalAddr().String()+";transport=tcp", "back")
	pbx.request(request)
	if got := answer(t, r); !strings.HasPrefix(got, "NOTIFY ") {
		t.Errorf("got %s", got)
	}
}

func TestManyRequestsToOneServerShareAConnectionAndKeepTheirOrder(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	config := onLoopback()
	config.Network, config.Server = "tcp", pbx.endpoint.LocalAddr("tcp").String()
	phone := serve(t, config, nil)
	for i := range 50 { // also while it is being dialled
		phone.request(newRequest(sip.MESSAGE, "sip:pbx@example.com", fmt.Sprint(i)))
	}
	source := ""
	for i := range 50 {
		e := pbx.wait(t).(RequestReceived)
		if got := e.Request.CallID().Value(); got != fmt.Sprint(i) {
			t.Fatalf("request %d came as number %s", i, got)
		}
		if source == "" {
			source = e.Request.Source()
		}
		if e.Request.Source() != source || e.Request.Transport() != "TCP" {
			t.Errorf("request %d came from %s", i, e.Request.Source())
		}
	}
	for range 50 {
		if e, ok := phone.wait(t).(ResponseReceived); !ok || e.Response.StatusCode != 200 {
			t.Fatalf("got %#v", e)
		}
	}
}

func TestALostConnectionFailsWhatIsPendingAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	config := onLoopback()
	config.Network, config.Server = "tcp", listener.Addr().String()
	phone := serve(t, config, nil)
	phone.request(newRequest(sip.INVITE, "sip:pbx@example.com", "call"))
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	answer(t, bufio.NewReader(conn))
	conn.Close()
	if e, ok := phone.wait(t).(Failed); !ok || !errors.Is(e.Err, io.EOF) {
		t.Errorf("got %#v, want Failed", e)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	phone.request(newRequest(sip.OPTIONS, "sip:pbx@example.com", "again"))
	if conn, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := answer(t, bufio.NewReader(conn)); !strings.HasPrefix(got, "OPTIONS ") {
		t.Errorf("on the new connection came %s", got)
	}
}

func TestAClosedPortFailsAtOnceAndALargeRequestFallsBackToUDP(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	config := onLoopback()
	config.Network, config.Server = "tcp", closed.Addr().String()
	phone := serve(t, config, nil)
	phone.request(newRequest(sip.OPTIONS, "sip:pbx@example.com", "call"))
	if e, ok := phone.wait(t).(Failed); !ok {
		t.Errorf("got %#v, want Failed", e)
	}

	pbx := serve(t, Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, answer200) // without TCP
	config = onLoopback()
	config.Server = pbx.endpoint.LocalAddr("udp").String()
	phone = serve(t, config, nil)
	r := newRequest(sip.MESSAGE, "sip:pbx@example.com", "large")
	r.SetBody([]byte(strings.Repeat("x", 5000)))
	phone.request(r)
	if e := pbx.wait(t).(RequestReceived); len(e.Request.Body()) != 5000 || e.Request.Transport() != "UDP" || e.Request.Via().Transport != "UDP" {
		t.Errorf("%d bytes by %s", len(e.Request.Body()), e.Request.Transport())
	}
	if e, ok := phone.wait(t).(ResponseReceived); !ok || e.Response.StatusCode != 200 {
		t.Errorf("got %#v, want a 200", e)
	}
}

func TestALargeRequestGoesByTCPIfThePeerHasIt(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	config := onLoopback()
	config.Server = pbx.endpoint.LocalAddr("udp").String()
	phone := serve(t, config, nil)
	r := newRequest(sip.MESSAGE, "sip:pbx@example.com", "large")
	r.SetBody([]byte(strings.Repeat("x", 5000)))
	phone.request(r)
	if e := pbx.wait(t).(RequestReceived); e.Request.Transport() != "TCP" || e.Request.Via().Transport != "TCP" {
		t.Errorf("by %s, Via %s", e.Request.Transport(), e.Request.Via())
	}
	if e, ok := phone.wait(t).(ResponseReceived); !ok || e.Response.StatusCode != 200 {
		t.Errorf("got %#v, want a 200", e)
	}
}

// TestAPeerThatDoesNotReadHoldsNobodyUp: the connection's queue fills, its requests fail, everything else goes on.
func TestAPeerThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	lazy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lazy.Close()
	pbx := serve(t, Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, answer200)
	phone := serve(t, onLoopback(), nil)
	large := func() *sip.Request {
		r := newRequest(sip.MESSAGE, "sip:lazy@"+lazy.Addr().String()+";transport=tcp", "lazy")
		r.SetBody(make([]byte, 200<<10))
		return r
	}
	for range 200 { // 40 MB: more than any socket buffer
		phone.request(large())
	}
	if e, ok := phone.wait(t).(Failed); !ok || !errors.Is(e.Err, errQueue) {
		t.Fatalf("got %#v, want Failed", e)
	}
	phone.request(newRequest(sip.OPTIONS, "sip:pbx@"+pbx.endpoint.LocalAddr("udp").String(), "quick"))
	for {
		switch e := phone.wait(t).(type) {
		case ResponseReceived:
			return
		case Failed:
			if !errors.Is(e.Err, errQueue) {
				t.Fatal(e.Err)
			}
		}
	}
}

func TestWhatIsQueuedLeavesBeforeClose(t *testing.T) {
	pbx := serve(t, onLoopback(), answer200)
	config := onLoopback()
	config.Network, config.Server = "tcp", pbx.endpoint.LocalAddr("tcp").String()
	phone := serve(t, config, nil)
	phone.request(newRequest(sip.OPTIONS, "sip:pbx@example.com", "first"))
	phone.wait(t)
	phone.request(newRequest(sip.REGISTER, "sip:pbx@example.com", "last"))
	settled := make(chan struct{})
	phone.endpoint.Do(func(time.Time) { close(settled) })
	<-settled
	phone.endpoint.Close()
	pbx.wait(t)
	if e := pbx.wait(t).(RequestReceived); e.Request.Method != sip.REGISTER {
		t.Errorf("got %s", e.Request.Method)
	}
}
