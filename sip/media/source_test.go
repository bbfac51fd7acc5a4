package media

import (
	"net/netip"
	"testing"
	"time"
)

var (
	described = netip.MustParseAddrPort("192.0.2.20:4000")
	otherPort = netip.MustParseAddrPort("192.0.2.20:5000")
	otherHost = netip.MustParseAddrPort("203.0.113.9:4000")
)

// A burst is packets every 20 ms from one origin.
type burst struct {
	from    netip.AddrPort
	ssrc    uint32
	packets int
}

// try sends bursts to a source that expects the described address, after a time of silence.
func try(silence time.Duration, bursts ...burst) (s source, heard int) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	s.expect(now, described)
	now = now.Add(silence)
	for _, b := range bursts {
		for i := range b.packets {
			if s.admit(now, origin{b.from, b.ssrc}, uint16(100+i)) != refused {
				heard++
			}
			now = now.Add(20 * time.Millisecond)
		}
	}
	return s, heard
}

func TestAStrangerIsNotHeard(t *testing.T) {
	tests := []struct {
		name    string
		silence time.Duration
		bursts  []burst
		heard   int
		who     netip.AddrPort
	}{
		{"another host at once", 0, []burst{{otherHost, 1, 90}}, 0, netip.AddrPort{}},
		{"another host while the peer speaks", 0, []burst{{described, 1, 10}, {otherHost, 2, 60}}, 9, described},
		{"one packet of another SSRC", 0, []burst{{described, 1, 10}, {described, 2, 1}, {described, 1, 10}}, 19, described},
		{"another port while the peer speaks", 0, []burst{{described, 1, 10}, {otherPort, 2, 4}}, 9, described},
		{"the peer", 0, []burst{{described, 1, 10}}, 9, described},
		{"a new SSRC of the peer", 0, []burst{{described, 1, 10}, {described, 2, 10}}, 18, described},
		{"another port of a peer that is silent", time.Second, []burst{{otherPort, 1, 10}}, 6, otherPort},
		{"a new SSRC on another port", time.Second, []burst{{otherPort, 1, 10}, {otherPort, 2, 10}}, 15, otherPort},
		{"another host after one packet of the peer", 3 * time.Second, []burst{{described, 1, 1}, {otherHost, 1, 110}}, 12, otherHost},
		{"another host while nobody speaks", 3 * time.Second, []burst{{otherHost, 1, 60}}, 11, otherHost},
		{"the peer comes back", 3 * time.Second, []burst{{otherHost, 1, 60}, {described, 2, 10}, {otherHost, 1, 10}}, 20, described},
	}
	for _, test := range tests {
		s, heard := try(test.silence, test.bursts...)
		if heard != test.heard || s.current.address != test.who {
			t.Errorf("%s: %d packets heard, at last from %v; want %d, %v", test.name, heard, s.current.address, test.heard, test.who)
		}
		sent := 0
		for _, b := range test.bursts {
			sent += b.packets
		}
		if strangers := int(s.count()); strangers > sent-heard || test.who != described && test.heard == 0 && strangers != sent {
			t.Errorf("%s: %d strangers of %d refused", test.name, strangers, sent-heard)
		}
	}
}

func TestAStrangerCannotKeepThePeerFromBeingHeard(t *testing.T) {
	var s source
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	s.expect(now, described)
	now = now.Add(3 * time.Second)
	heard := 0
	for i := range 20 {
		s.admit(now, origin{otherHost, uint32(i)}, 7)
		if s.admit(now, origin{described, 1}, uint16(i)) != refused {
			heard++
		}
		now = now.Add(20 * time.Millisecond)
	}
	if heard != 19 {
		t.Errorf("%d of 20 packets heard between those of a stranger, want 19", heard)
	}
}

func TestTheTargetFollowsWhoIsHeard(t *testing.T) {
	s, _ := try(0)
	if s.target() != described {
		t.Errorf("before anything is heard: to %v", s.target())
	}
	s, _ = try(time.Second, burst{otherPort, 1, 10})
	if s.target() != otherPort || !s.latched() {
		t.Errorf("the peer speaks from %v: to %v", otherPort, s.target())
	}
	s.expect(time.Now(), otherHost)
	if s.target() != otherHost || s.latched() {
		t.Errorf("a new description says %v: to %v", otherHost, s.target())
	}
}

func TestIPv4OnASocketForBothIsIPv4(t *testing.T) {
	mapped := netip.AddrPortFrom(netip.MustParseAddr("::ffff:192.0.2.20"), 4000)
	if _, heard := try(0, burst{mapped, 1, 3}); heard != 2 {
		t.Errorf("%d of 3 packets heard, want 2", heard)
	}
}
