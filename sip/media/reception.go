package media

// A reception counts the packets of one source after another (RFC 3550 appendices A.1, A.3 and A.8).
// The zero value has heard nobody.
type reception struct {
	base       uint32 // first sequence number, extended
	cycles     uint32 // 65536 times the number of wraps
	highest    uint16
	bad        uint32 // the sequence number that would confirm a jump
	received   uint32 // as RFC 3550 counts: late ones and duplicates too
	duplicates uint32
	seen       uint64 // bit n: highest - n has come

	jitter16  uint32 // 16 times the interarrival jitter, in timestamp units
	transit   uint32
	transited bool

	expectedPrior, receivedPrior uint32 // at the last report

	formerReceived, formerLost uint64 // of the sources before
}

const (
	maxDropout  = 3000    // RFC 3550 appendix A.1: MAX_DROPOUT, a minute of packets
	maxMisorder = 100     // MAX_MISORDER
	badNone     = 1 << 16 // no sequence number equals it
)

// start begins to count a source whose first packet has the sequence number given; update must follow for it.
func (r *reception) start(sequence uint16) {
	*r = reception{
		base: uint32(sequence), highest: sequence - 1, bad: badNone, cycles: wrapBefore(sequence),
		seen:           ^uint64(0), // what lies before the beginning is not fresh
		formerReceived: r.totalReceived(), formerLost: r.totalLost(),
	}
}

// wrapBefore makes the extended number right when the first sequence number is 0, so that highest begins at 65535.
func wrapBefore(sequence uint16) uint32 {
	if sequence == 0 {
		return ^uint32(1<<16 - 1) // the wrap that follows makes it 0
	}
	return 0
}

// update counts a packet. It is not fresh when it has come before, or jumps so far that the next one must confirm it.
func (r *reception) update(sequence uint16) (fresh bool) {
	ahead := sequence - r.highest
	switch {
	case ahead == 0 || ahead >= 1<<16-maxMisorder+1: // again, or out of order
		r.received++
		behind := -ahead
		if behind < 64 {
			if r.seen>>behind&1 != 0 {
				r.duplicates++
				return false
			}
			r.seen |= 1 << behind
		}
	case ahead < maxDropout:
		r.received++
		if sequence < r.highest {
			r.cycles += 1 << 16
		}
		r.highest = sequence
		r.seen = r.seen<<ahead | 1
	case uint32(sequence) == r.bad:
		// RFC 3550 appendix A.1: "Two sequential packets -- assume that the other side restarted without telling us".
		r.start(sequence)
		return r.update(sequence)
	default:
		r.bad = uint32(sequence + 1)
		return false
	}
	r.bad = badNone
	return true
}

// arrive updates the jitter (RFC 3550 appendix A.8) with the arrival time of a packet in timestamp units.
func (r *reception) arrive(arrival, timestamp uint32) {
	transit := arrival - timestamp
	if r.transited {
		d := int32(transit - r.transit)
		r.jitter16 += uint32(max(d, -d)) - (r.jitter16+8)>>4
	}
	r.transit, r.transited = transit, true
}

// extended is the highest sequence number received, with its wraps.
func (r *reception) extended() uint32 { return r.cycles + uint32(r.highest) }

func (r *reception) expected() uint32 {
	if r.received == 0 {
		return 0
	}
	return r.extended() - r.base + 1
}

// lost is the cumulative number of packets lost: negative when there were more duplicates than losses
// (RFC 3550 section 6.4.1), within 24 bits.
func (r *reception) lost() int32 {
	return min(max(int32(r.expected()-r.received), -1<<23), 1<<23-1)
}

// fraction is the share of packets lost since the last call, in 256ths (RFC 3550 appendix A.3).
func (r *reception) fraction() uint8 {
	expected, received := r.expected(), r.received
	expectedInterval, receivedInterval := expected-r.expectedPrior, received-r.receivedPrior
	r.expectedPrior, r.receivedPrior = expected, received
	if lost := int32(expectedInterval - receivedInterval); expectedInterval != 0 && lost > 0 {
		return uint8(min(uint64(lost)<<8/uint64(expectedInterval), 255))
	}
	return 0
}

// totalReceived is how many different packets of all sources came.
func (r *reception) totalReceived() uint64 {
	return r.formerReceived + uint64(r.received-r.duplicates)
}

// totalLost is how many packets of all sources never came.
func (r *reception) totalLost() uint64 {
	return r.formerLost + uint64(max(int32(r.expected()-(r.received-r.duplicates)), 0))
}
