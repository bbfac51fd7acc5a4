package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"freizeichen/sip/exchange"
)

// overTCP makes a request that came from a connection.
func overTCP(s *stranger, l letter) string {
	return strings.Replace(s.write(l), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)
}

// connect opens a TCP connection to the phone; nil if it is refused.
func connect(t *testing.T, d *desk) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp4", d.address.String(), 5*time.Second)
	if err != nil {
		return nil
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// closed reports whether the phone closes the connection by then.
func closed(conn net.Conn, by time.Time) bool {
	if conn.SetReadDeadline(by) != nil {
		return true
	}
	_, err := io.Copy(io.Discard, conn)
	ne, ok := err.(net.Error)
	return !ok || !ne.Timeout()
}

// A crowd is TCP connections to a phone that begin something and do not end it.
type crowd struct {
	*desk
	call  exchange.ID // that is up
	conns map[string]net.Conn
}

// gather opens connections that stop in the middle: half a message, a byte now and then, a good message and then half of
// one, garbage.
func gather(t *testing.T) *crowd {
	d := raise(t, ground{})
	c := &crowd{desk: d, call: d.talk(ada), conns: map[string]net.Conn{}}
	s := newStranger(t, "127.0.0.2", d.address)
	half := overTCP(s, letter{method: "OPTIONS", user: "201"})[:150]
	whole := func() string { return overTCP(s, letter{method: "OPTIONS", user: "201"}) }
	for name, text := range map[string]string{
		"nothing":                    "",
		"half a message":             half,
		"half after a whole one":     whole() + half,
		"half after garbage":         "garbage\r\nContent-Length: 0\r\n\r\n" + half,
		"a body that does not come":  whole() + strings.Replace(whole(), "Content-Length: 0", "Content-Length: 60000", 1),
		"a huge body that is not":    whole() + strings.Replace(whole(), "Content-Length: 0", "Content-Length: 600000", 1),
		"keep-alives and nothing":    "\r\n\r\n\r\n\r\n",
		"a length that is no number": strings.Replace(whole(), "Content-Length: 0", "Content-Length: x", 1),
		"a line without end":         strings.Repeat("x", 70000),
		"a byte now and then":        "",
	} {
		conn := connect(t, d)
		if conn == nil {
			t.Fatalf("%s: no connection", name)
		}
		_, _ = io.WriteString(conn, text) // may fail: the phone may have closed it already
		c.conns[name] = conn
	}
	slow := overTCP(s, letter{method: "OPTIONS", user: "201", fields: []string{"Subject: " + strings.Repeat("x", 10000)}})
	go func() {
		for i := range slow {
			if _, err := io.WriteString(c.conns["a byte now and then"], slow[i:i+1]); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return c
}

// wantEnd fails unless all are closed half a minute and a bit after they began; the call has gone on meanwhile.
func (c *crowd) wantEnd(t *testing.T, began time.Time) {
	by := time.Now().Add(time.Second)
	if due := began.Add(36 * time.Second); due.After(by) {
		by = due
	}
	for name, conn := range c.conns {
		if !closed(conn, by) {
			t.Errorf("%s: the connection is open after %v", name, time.Since(began))
		}
	}
	c.wantSound(c.call)
	c.body.Hook(false)
	c.wantWork()
}

// manyConnectionsDoNotShutThePhone opens more than a phone takes, and floods those it takes.
func manyConnectionsDoNotShutThePhone(t *testing.T) {
	d := raise(t, ground{})
	id := d.talk(ada)
	before := weigh()
	s := newStranger(t, "127.0.0.2", d.address)
	var conns []net.Conn
	for range 300 {
		if conn := connect(t, d); conn != nil {
			_, _ = io.WriteString(conn, overTCP(s, letter{method: "OPTIONS", user: "201"})[:100])
			conns = append(conns, conn)
		}
	}
	d.wantSound(id)
	if after := weigh(); after.goroutines > before.goroutines+100 || after.heap > before.heap+16<<20 {
		t.Errorf("300 connections: before %+v, now %+v", before, after)
	}
	for _, conn := range conns {
		conn.Close()
	}
	wantNoMore(t, before, burden{heap: 8 << 20})

	conn := connect(t, d)
	if conn == nil {
		t.Fatal("no connection")
	}
	go func() { // until the connection is closed
		for i := 0; ; i++ {
			if _, err := io.WriteString(conn, strings.Repeat("\r\n\r\n", 1000)); err != nil {
				return
			}
		}
	}()
	answers := bufio.NewReader(conn)
	for range 1000 {
		if _, err := answers.ReadString('\n'); err != nil {
			t.Fatalf("keep-alives: %v", err)
		}
	}
	d.wantSound(id)
	conn.Close()

	// Requests by TCP as fast as the phone takes them, without anybody who reads the answers.
	deaf := connect(t, d)
	if deaf == nil {
		t.Fatal("no connection")
	}
	if err := deaf.SetWriteDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for i := range 20000 {
		if _, err := fmt.Fprint(deaf, overTCP(s, letter{method: "OPTIONS", user: "201", callID: fmt.Sprint("deaf", i)})); err != nil {
			break
		}
	}
	d.wantSound(id)
	deaf.Close()
	s.leave()
	d.body.Hook(false)
	d.wantWork()
	wantNoMore(t, before, burden{heap: 8 << 20})
}
