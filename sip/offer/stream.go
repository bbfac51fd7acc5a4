package offer

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"freizeichen/sip"
)

// A stream is sound that the peer describes and that we can play.
type stream struct {
	rtp, rtcp  netip.AddrPort
	direction  sip.Direction // seen from the peer
	formats    []format      // those we know, in the peer's order; at least one codec
	packetTime time.Duration
}

// A format is one payload type: a codec, or telephone-event.
type format struct {
	number uint8
	codec  sip.Codec
	event  bool
}

// Static payload types (RFC 3551 table 4).
const (
	staticPCMU = 0
	staticPCMA = 8
)

// stream reads stream i for an agent that is reached at local.
func (d *description) stream(i int, local netip.Addr) (stream, error) {
	if !d.media[i].sound() {
		return stream{}, ErrNoCommonCodec
	}
	address, err := d.connection(i)
	if err != nil {
		return stream{}, err
	}
	if address.IsMulticast() || address.Is4() != local.Unmap().Is4() {
		return stream{}, fmt.Errorf("address %v: %w", address, ErrNoCommonCodec)
	}
	s := stream{
		rtp:        netip.AddrPortFrom(address, d.media[i].port),
		direction:  d.direction(i),
		formats:    d.formats(i),
		packetTime: d.packetTime(i),
	}
	s.rtcp = d.rtcp(i, s.rtp)
	if address.IsUnspecified() {
		// RFC 3264 section 8.4: hold as RFC 2543 knew it: "neither RTP nor RTCP should be sent to the peer".
		s.direction = direction(s.direction.Sends(), false)
	}
	for _, f := range s.formats {
		if f.codec != sip.CodecNone {
			return s, nil
		}
	}
	return stream{}, ErrNoCommonCodec
}

// direction is that of the stream, else that of the session, else sendrecv (RFC 8866 section 6.7).
func (d *description) direction(i int) sip.Direction {
	for _, has := range []func(string) (string, bool){
		d.session.MediaDescriptions[i].Attribute, d.session.Attribute,
	} {
		for way := sip.SendRecv; way <= sip.Inactive; way++ {
			if _, ok := has(way.String()); ok {
				return way
			}
		}
	}
	return sip.SendRecv
}

// formats are the payload types of stream i that we know.
func (d *description) formats(i int) (formats []format) {
	var seen [128]bool // by payload type: one that is named again says nothing new, and each costs a look at all attributes
	for _, text := range d.media[i].formats {
		number, err := strconv.ParseUint(text, 10, 7)
		if err != nil || seen[number] {
			continue // no payload type, so none that we know
		}
		seen[number] = true
		f := format{number: uint8(number)}
		switch name := d.encoding(i, text); {
		case strings.EqualFold(name, "PCMA/8000"):
			f.codec = sip.PCMA
		case strings.EqualFold(name, "PCMU/8000"):
			f.codec = sip.PCMU
		case strings.EqualFold(name, "telephone-event/8000") && number != 0: // 0 is "none" in sip.Media
			// RFC 4733 section 2.1: the clock is that of the codec; a second type with 48000 belongs to another one.
			f.event = true
		default:
			continue
		}
		formats = append(formats, f)
	}
	return formats
}

// encoding is what a=rtpmap of stream i says of a payload type, "PCMA/8000". RFC 3551 section 6: a static type has its
// meaning also without.
func (d *description) encoding(i int, payloadType string) string {
	for _, a := range d.session.MediaDescriptions[i].Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		fields := strings.Fields(a.Value)
		if len(fields) >= 2 && fields[0] == payloadType {
			return strings.TrimSuffix(fields[1], "/1") // one channel is the default (RFC 8866 section 6.6)
		}
	}
	switch payloadType {
	case "0":
		return "PCMU/8000"
	case "8":
		return "PCMA/8000"
	}
	return ""
}

// rtcp is where stream i wants its RTCP: a=rtcp (RFC 3605), else one port above RTP (RFC 3550 section 11). The zero
// AddrPort when there is no such port. We do not offer rtcp-mux, and RFC 5761 section 5.1.1 lets us refuse an offered one
// by saying nothing.
func (d *description) rtcp(i int, rtp netip.AddrPort) netip.AddrPort {
	value, _ := d.attribute(i, "rtcp")
	fields := strings.Fields(value) // "53020" or "53020 IN IP4 126.16.64.4"
	if len(fields) == 1 || len(fields) == 4 {
		port, err := strconv.ParseUint(fields[0], 10, 16)
		address := rtp.Addr()
		if err == nil && len(fields) == 4 {
			address, err = netip.ParseAddr(fields[3])
		}
		if address = address.Unmap(); err == nil && port != 0 && address.Is4() == rtp.Addr().Is4() && !address.IsMulticast() {
			return netip.AddrPortFrom(address, uint16(port))
		}
	}
	if rtp.Port() == 1<<16-1 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
}

const (
	packetTimeStep    = 10 * time.Millisecond // of G.711 in practice; a frame of ours is two steps
	packetTimeDefault = 20 * time.Millisecond // RFC 3551 section 4.2
	packetTimeMax     = 60 * time.Millisecond // a lost one is then just bridged by concealment
)

// packetTime is what stream i wants to receive: a=ptime, but not more than a=maxptime (RFC 8866 section 6.4), in whole
// steps. RFC 8866: a recommendation; nonsense is ignored.
func (d *description) packetTime(i int) time.Duration {
	t := packetTimeDefault
	if wanted, ok := d.milliseconds(i, "ptime"); ok {
		t = wanted
	}
	if most, ok := d.milliseconds(i, "maxptime"); ok {
		t = min(t, most)
	}
	return min(max(t.Truncate(packetTimeStep), packetTimeStep), packetTimeMax)
}

func (d *description) milliseconds(i int, key string) (time.Duration, bool) {
	value, _ := d.attribute(i, key)
	number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(number >= 1 && number <= 1000) {
		return 0, false
	}
	return time.Duration(number * float64(time.Millisecond)), true
}
