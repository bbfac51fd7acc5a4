// Package offer is the offer/answer model of RFC 3264 for the sound of one call, as pure functions over SDP (RFC 8866):
//
//	Offer(local)  --SDP-->  peer                 peer  --SDP-->  Answer(local, remote)  --SDP-->  peer
//	                          |                                          |
//	Accept(local, answer) <---+                                          |
//	       +-----------------------------> sip.Media <-------------------+
//
// It knows G.711 and telephone-event over plain RTP. It must not open sockets, keep state between offers, or write
// anything of the peer's text into an answer that it has not checked. Names of hosts are not resolved.
package offer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"freizeichen/sip"
)

// Local is our side of the session.
type Local struct {
	Address   netip.AddrPort // where we receive RTP; RTCP is one port above
	Direction sip.Direction  // what we want; SendOnly to hold the peer
	// SessionID and Version stand in our o= line. The id stays the same for the whole call, and the version is raised by
	// one whenever our description changes (RFC 3264 section 8).
	SessionID, Version uint64
}

// ErrNoCommonCodec says that the peer's description is understood, but there is no stream in it that we can play:
// another codec, encryption, no sound at all, an address we cannot reach. The answer to such an INVITE is 488.
// All other errors of this package mean that the description is malformed: 400.
var ErrNoCommonCodec = errors.New("no stream that we can play")

// ourEventType is the payload type under which we want to receive telephone-event. Any dynamic type would do; this is
// the one that most phones use, which helps peers that never look.
const ourEventType = 101

// Offer is a new description: A-law first, then mu-law, and telephone-event.
func Offer(l Local) []byte {
	return describe(l, l.Direction, []format{
		{number: staticPCMA, codec: sip.PCMA},
		{number: staticPCMU, codec: sip.PCMU},
		{number: ourEventType, event: true},
	}, []string{"0 0"}, nil, 0)
}

// Answer answers the offer remote. Media is what has been agreed, seen from here. An offer can be answered many times,
// a new one in the same call (re-INVITE) as well as the first.
func Answer(l Local, remote []byte) (answer []byte, m sip.Media, err error) {
	d, err := parse(remote)
	if err != nil {
		return nil, sip.Media{}, fmt.Errorf("offer: read the offer: %w", err)
	}
	// RFC 3264 section 6: of several streams an agent may accept some. We take the first that we can play.
	refused := ErrNoCommonCodec
	for i := range d.media {
		s, err := d.stream(i, l.Address.Addr())
		if err == nil {
			m = s.agree(l.Direction)
			return describe(l, m.Direction, s.answerable(), d.times, d.media, i), m, nil
		}
		if refused = err; !errors.Is(err, ErrNoCommonCodec) {
			break
		}
	}
	return nil, sip.Media{}, fmt.Errorf("offer: answer the offer: %w", refused)
}

// Accept reads the answer to the last Offer made with the same Local.
func Accept(l Local, answer []byte) (sip.Media, error) {
	d, err := parse(answer)
	if err != nil {
		return sip.Media{}, fmt.Errorf("offer: read the answer: %w", err)
	}
	if len(d.media) == 0 {
		return sip.Media{}, errors.New("offer: read the answer: it has no stream, our offer had one")
	}
	// RFC 3264 section 6: an answer has exactly as many m= lines as the offer. Further ones are ignored instead of ending
	// a call that people hear.
	s, err := d.stream(0, l.Address.Addr())
	if err != nil {
		return sip.Media{}, fmt.Errorf("offer: read the stream of the answer: %w", err)
	}
	return s.agree(l.Direction), nil
}

// agree is the session from our side, when we wish for a direction.
func (s stream) agree(wish sip.Direction) sip.Media {
	m := sip.Media{Remote: s.rtp, RemoteRTCP: s.rtcp, PacketTime: s.packetTime}
	for _, f := range s.formats {
		switch {
		case f.codec != sip.CodecNone && m.Codec == sip.CodecNone:
			m.Codec, m.PayloadType = f.codec, f.number
		case f.event && m.EventType == 0:
			m.EventType = f.number
		}
	}
	// RFC 3264 section 6.1: sendonly is answered by recvonly or inactive, recvonly by sendonly or inactive, inactive by
	// inactive. And never more than we wish ourselves.
	m.Direction = direction(wish.Sends() && s.direction.Receives(), wish.Receives() && s.direction.Sends())
	return m
}

// answerable are the formats that our answer repeats, in the order of the offer (RFC 3264 section 6.1 recommends it).
// A second codec is repeated only under its static number: sip.Media has room for one dynamic number.
func (s stream) answerable() (formats []format) {
	codec, event := false, false
	for _, f := range s.formats {
		switch {
		case f.event && !event:
			event = true
		case f.codec != sip.CodecNone && !codec:
			codec = true
		case f.codec == sip.PCMA && f.number == staticPCMA, f.codec == sip.PCMU && f.number == staticPCMU:
		default:
			continue
		}
		formats = append(formats, f)
	}
	return formats
}

func direction(sends, receives bool) sip.Direction {
	switch {
	case sends && receives:
		return sip.SendRecv
	case sends:
		return sip.SendOnly
	case receives:
		return sip.RecvOnly
	}
	return sip.Inactive
}

// describe writes a description with our sound in place of media[ours] and all other streams refused; without media,
// our sound alone.
func describe(l Local, d sip.Direction, formats []format, times []string, media []mediaLine, ours int) []byte {
	var b strings.Builder
	family := "IP4"
	if !l.Address.Addr().Unmap().Is4() {
		family = "IP6"
	}
	host := l.Address.Addr().Unmap().WithZone("").String()
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\n",
		l.SessionID, l.Version, family, host, family, host)
	for _, t := range times {
		fmt.Fprintf(&b, "t=%s\r\n", t)
	}
	if len(media) == 0 {
		describeSound(&b, l.Address.Port(), d, formats)
	}
	for i, m := range media {
		if i == ours {
			describeSound(&b, l.Address.Port(), d, formats)
			continue
		}
		// RFC 3264 section 6: a refused stream has port zero; at least one format must be there, and it means nothing.
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", m.kind, m.protocol, m.formats[0])
	}
	return []byte(b.String())
}

func describeSound(b *strings.Builder, port uint16, d sip.Direction, formats []format) {
	fmt.Fprintf(b, "m=audio %d RTP/AVP", port)
	for _, f := range formats {
		b.WriteString(" " + strconv.Itoa(int(f.number)))
	}
	b.WriteString("\r\n")
	for _, f := range formats {
		if f.event {
			// RFC 4733 section 2.4.1: events 0 to 15 are the DTMF digits 0-9, *, #, A-D.
			fmt.Fprintf(b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", f.number, f.number)
			continue
		}
		fmt.Fprintf(b, "a=rtpmap:%d %s/8000\r\n", f.number, f.codec)
	}
	fmt.Fprintf(b, "a=ptime:20\r\na=%s\r\n", d)
}
