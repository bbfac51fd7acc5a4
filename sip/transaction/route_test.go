package transaction

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/siptest"
)

func TestARequestGoesWhereItsUserItsRouteOrTheConfigurationSays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server string
		change func(*sip.Request)
		want   Hop
	}{
		{"Request-URI", "", func(*sip.Request) {}, Hop{Network: "UDP", Destination: "192.0.2.2"}},
		{"its port", "", func(r *sip.Request) { r.Recipient.Port = 5070 }, Hop{Network: "UDP", Destination: "192.0.2.2:5070"}},
		{"its transport", "", func(r *sip.Request) { r.Recipient.UriParams.Add("transport", "tcp") }, Hop{Network: "TCP", Destination: "192.0.2.2"}},
		{"its maddr", "", func(r *sip.Request) { r.Recipient.UriParams.Add("maddr", "192.0.2.7") }, Hop{Network: "UDP", Destination: "192.0.2.7"}},
		{"IPv6", "", func(r *sip.Request) { r.Recipient.Host, r.Recipient.Port = "[2001:db8::1]", 5070 }, Hop{Network: "UDP", Destination: "[2001:db8::1]:5070"}},
		{"the server before the Request-URI", "pbx.example.com", func(*sip.Request) {}, Hop{Network: "UDP", Destination: "pbx.example.com"}},
		{"Route before the server", "pbx.example.com", func(r *sip.Request) {
			r.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.9", UriParams: sip.HeaderParams{{K: "lr"}}}})
			r.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.10"}})
		}, Hop{Network: "UDP", Destination: "192.0.2.9"}},
		{"the user before all", "pbx.example.com", func(r *sip.Request) {
			r.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.9"}})
			r.SetDestination("192.0.2.11:5080")
			r.SetTransport("TCP")
		}, Hop{Network: "TCP", Destination: "192.0.2.11:5080"}},
	} {
		wire := siptest.NewWire(1)
		config := onWire(wire, "192.0.2.1:5060")
		config.Server = tt.server
		e, err := Open(config)
		if err != nil {
			t.Fatal(err)
		}
		r := newRequest(sip.OPTIONS, "sip:201@192.0.2.2", "call")
		tt.change(r)
		tt.want.Host, tt.want.Port = "192.0.2.1", 5060
		if got := e.hop(r); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		e.Close()
	}
}

func TestDestinationsAreReadWithAndWithoutPort(t *testing.T) {
	for _, tt := range []struct {
		text, host string
		port       int
		ok         bool
	}{
		{"pbx:x", "", 0, false},
		{"a:b:c", "", 0, false},
		{"pbx", "pbx", 0, true},
		{"pbx:5060", "pbx", 5060, true},
		{"2001:db8::1", "2001:db8::1", 0, true},
		{"[2001:db8::1]:5070", "2001:db8::1", 5070, true},
	} {
		host, port, err := splitDestination(tt.text)
		if (err == nil) != tt.ok || err == nil && (host != tt.host || port != tt.port) {
			t.Errorf("%s: %s %d %v", tt.text, host, port, err)
		}
	}
}

// resolver is a slow name server that can be out of order.
type resolver struct {
	asked int
	err   error
	delay time.Duration
}

func (r *resolver) lookup(ctx context.Context, network, host string, port int) (netip.AddrPort, error) {
	r.asked++
	select {
	case <-time.After(r.delay):
	case <-ctx.Done():
		return netip.AddrPort{}, ctx.Err()
	}
	if host != "pbx.example.com" || network != "udp" || port != 0 {
		return netip.AddrPort{}, fmt.Errorf("asked for %s %s %d", network, host, port)
	}
	return netip.MustParseAddrPort("192.0.2.2:5060"), r.err
}

func TestRequestsWaitForDNSInOrderAndTheAnswerIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire(1)
		pbx := serve(t, onWire(wire, "192.0.2.2:5060"), answer200)
		dns := &resolver{delay: 3 * time.Second}
		config := onWire(wire, "192.0.2.1:5060")
		config.Lookup, config.Server = dns.lookup, "pbx.example.com"
		phone := serve(t, config, nil)
		start := time.Now()
		for i := range 5 {
			phone.request(newRequest(sip.OPTIONS, "sip:x@elsewhere.example", fmt.Sprint(i)))
		}
		for i := range 5 {
			if got := pbx.wait(t).(RequestReceived).Request.CallID().Value(); got != fmt.Sprint(i) {
				t.Errorf("request %d came as number %s", i, got)
			}
		}
		if took := time.Since(start); took != 3*time.Second || dns.asked != 1 {
			t.Errorf("took %v and %d lookups", took, dns.asked)
		}
		// The name server dies; the phone lives on with what it knows.
		dns.err = errors.New("no name server")
		for _, wait := range []time.Duration{time.Second, 2 * time.Minute, time.Second} {
			time.Sleep(wait)
			phone.request(newRequest(sip.OPTIONS, "sip:x@elsewhere.example", fmt.Sprint("later", time.Since(start).Nanoseconds())))
			pbx.wait(t)
		}
		if dns.asked != 2 {
			t.Errorf("%d lookups, want one more after a minute", dns.asked)
		}
	})
}

func TestARequestToAnUnknownNameFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &resolver{delay: time.Second, err: errors.New("no such host")}
		config := onWire(siptest.NewWire(1), "192.0.2.1:5060")
		config.Lookup = dns.lookup
		phone := serve(t, config, nil)
		for range 2 {
			phone.request(newRequest(sip.OPTIONS, "sip:x@pbx.example.com", "call"))
			if e, ok := phone.wait(t).(Failed); !ok || !errors.Is(e.Err, dns.err) {
				t.Errorf("got %#v, want Failed", e)
			}
		}
		if dns.asked != 2 {
			t.Errorf("%d lookups; a failure must not be remembered", dns.asked)
		}
	})
}

func TestNamesOfLongAgoMakeRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &resolver{err: errors.New("no such host")}
		config := onWire(siptest.NewWire(1), "192.0.2.1:5060")
		config.Lookup = dns.lookup
		phone := serve(t, config, nil)
		for i := range 2 * namesMax {
			phone.request(newRequest(sip.OPTIONS, fmt.Sprintf("sip:x@host%d.example.com", i), "call"))
			if e, ok := phone.wait(t).(Failed); !ok || errors.Is(e.Err, errNames) {
				t.Fatalf("name %d: got %v", i, e.Err)
			}
		}
	})
}

func TestTooManyRequestsForOneNameFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &resolver{delay: time.Hour}
		config := onWire(siptest.NewWire(1), "192.0.2.1:5060")
		config.Lookup = dns.lookup
		phone := serve(t, config, nil)
		for range nameWaiting + 1 {
			phone.request(newRequest(sip.OPTIONS, "sip:x@pbx.example.com", "call"))
		}
		if e, ok := phone.wait(t).(Failed); !ok || !errors.Is(e.Err, errWaiting) {
			t.Errorf("got %#v, want Failed", e)
		}
		for range nameWaiting { // the lookup is given up before the transactions are
			if e, ok := phone.wait(t).(Failed); !ok || !errors.Is(e.Err, context.DeadlineExceeded) {
				t.Errorf("got %#v, want Failed", e)
			}
		}
	})
}

func TestBoundToEveryAddressTheKernelSaysWhoWeAre(t *testing.T) {
	e, err := Open(Config{Server: "127.0.0.1:5060"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if a := e.LocalAddr("udp"); a.Addr() != netip.MustParseAddr("127.0.0.1") || a.Port() == 0 {
		t.Errorf("local address %v", a)
	}
}

func TestARequestWithoutAWayFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phone := serve(t, onWire(siptest.NewWire(1), "192.0.2.1:5060"), nil)
		for _, change := range []func(*sip.Request){
			func(r *sip.Request) { r.SetTransport("TLS") },
			func(r *sip.Request) { r.SetDestination("a:b:c") },
			func(r *sip.Request) { r.SetDestination(":5060") },
		} {
			r := newRequest(sip.OPTIONS, "sip:x@192.0.2.2", "call")
			change(r)
			phone.request(r)
			if e, ok := phone.wait(t).(Failed); !ok || e.Err == nil {
				t.Errorf("got %#v, want Failed", e)
			}
		}
	})
}

func TestTheSystemsResolverKnowsThisHost(t *testing.T) {
	addr, err := lookup(t.Context(), "udp", "localhost", 5070)
	if err != nil || !addr.Addr().IsLoopback() || addr.Port() != 5070 {
		t.Errorf("localhost is %v, %v", addr, err)
	}
}
