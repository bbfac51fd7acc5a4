package media

import (
	"net/netip"
	"time"
)

// A source decides whose packets are heard: symmetric RTP (RFC 4961) with the suspicion of RFC 7362 section 5, that
// everybody can send to our port. A packet's origin is its address together with its SSRC.
//
//	address of the origin                        heard after      and only while
//	as in the peer's description                 2 in sequence    -
//	same host, other port                        5 in sequence    the present origin is silent
//	other host                                   50 in sequence   nothing is heard for 2 s
//
// All others are strangers. The zero value hears nobody.
type source struct {
	expected netip.AddrPort // from the description

	current origin    // who is heard; the zero origin is nobody
	heard   time.Time // when last, or when the description was learned

	candidate origin
	next      uint16 // sequence number that continues the candidate's run
	run       int
	tried     time.Time

	strangers uint64 // packets refused
}

// An origin is who sends a stream.
type origin struct {
	address netip.AddrPort
	ssrc    uint32
}

const (
	sequential         = 2  // RFC 3550 appendix A.1: MIN_SEQUENTIAL
	sequentialSameHost = 5  // 100 ms
	sequentialStranger = 50 // 1 s: who blindly sprays packets does not know that he is heard
	// silentSameHost without a packet: the present origin has moved.
	silentSameHost = 200 * time.Millisecond
	// silentStranger without a packet, since the description was learned: the address there is wrong.
	silentStranger = 2 * time.Second
	// candidateAge after which a candidate that does not go on gives way to any other.
	candidateAge = time.Second
)

// A verdict is what becomes of a packet.
type verdict uint8

const (
	refused  verdict = iota
	accepted         // of the present origin
	changed          // the first of a new origin
)

// expect learns a new address from a description; who was heard before is a stranger from now on.
func (s *source) expect(now time.Time, address netip.AddrPort) {
	*s = source{expected: plain(address), heard: now, strangers: s.count()}
}

// admit judges a packet by its origin and sequence number.
func (s *source) admit(now time.Time, from origin, sequence uint16) verdict {
	from.address = plain(from.address)
	if from == s.current {
		s.heard = now
		return accepted
	}
	needed := s.needed(now, from.address)
	if needed == 0 {
		s.strangers++
		return refused
	}
	if from == s.candidate && sequence == s.next {
		s.run++
	} else {
		if s.run > 0 && s.needed(now, s.candidate.address) < needed && now.Sub(s.tried) < candidateAge {
			s.strangers++ // a better candidate is being tried
			return refused
		}
		s.strangers += uint64(s.run)
		s.candidate, s.run = from, 1
	}
	s.next, s.tried = sequence+1, now
	if s.run < needed {
		return refused
	}
	s.current, s.heard = from, now
	s.candidate, s.run = origin{}, 0
	return changed
}

// needed is how many packets in sequence an address must send to be heard; 0 is never.
func (s *source) needed(now time.Time, address netip.AddrPort) int {
	silent := now.Sub(s.heard)
	switch {
	case address == s.expected:
		return sequential
	case address == s.current.address:
		// The peer has a new SSRC; the address has been trusted already.
		return sequential
	case address.Addr() == s.expected.Addr() && silent >= silentSameHost:
		return sequentialSameHost
	case silent >= silentStranger && s.expected.IsValid():
		return sequentialStranger
	}
	return 0
}

// latched reports whether somebody is heard who is not where the description says.
func (s *source) latched() bool {
	return s.current.address.IsValid() && s.current.address != s.expected
}

// target is where our RTP goes: to who is heard, else to the address of the description.
func (s *source) target() netip.AddrPort {
	if s.latched() {
		return s.current.address
	}
	return s.expected
}

// count is how many packets were refused. Those of a candidate may still turn out to be the peer's first.
func (s *source) count() uint64 { return s.strangers + uint64(s.run) }

// plain makes addresses comparable: IPv4 as IPv4, also from a socket that speaks both.
func plain(address netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
}
