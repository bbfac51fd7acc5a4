package media

import (
	"net/netip"
	"testing"

	"freizeichen/sip"
)

func TestPreparedPortsAreTakenByTheNextCallAndMoveWithTheAddress(t *testing.T) {
	w := newWire()
	host := "192.0.2.10"
	s := New(Config{Address: func() netip.Addr { return netip.MustParseAddr(host) }, PortMin: 4000, PortMax: 4007, Listen: w.listen})
	open := func(want int, when string) {
		t.Helper()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.ports) != want {
			t.Errorf("%s: %d ports are open, want %d", when, len(w.ports), want)
		}
	}
	taken := func(call sip.CallID, want string) {
		t.Helper()
		if got, err := s.Open(call); err != nil || got.String() != want {
			t.Errorf("call %d has %v, %v, want %s", call, got, err, want)
		}
	}
	s.Prepare()
	s.Prepare()
	open(2, "prepared twice")
	taken(1, "192.0.2.10:4000")
	open(2, "the call has what was prepared")
	taken(2, "192.0.2.10:4002")
	open(4, "nothing was prepared")
	s.Prepare()
	host = "192.0.2.11"
	taken(3, "192.0.2.11:4006")
	open(6, "what was prepared at the old address is closed")
	s.Prepare()
	s.CloseAll()
	open(0, "after the end")
}
