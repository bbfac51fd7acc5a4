package media

import (
	"time"

	"freizeichen/sip"
	"freizeichen/sip/codec"

	"github.com/pion/rtp"
)

const (
	// payloadMax is the longest packet we send, plus the frame that completes it.
	payloadMax = 60*millisecond + frameSamples
	// stillMax without a frame: sound has been lost (the sound card was changed, or stood still), and the time line
	// jumps with the clock. Shorter gaps are frames that come late.
	stillMax = time.Second
	// comfortLevel of the noise sent instead of the microphone, in -dBov: what a quiet room has, so that nobody takes the
	// line for dead.
	comfortLevel = 66
)

// A sender makes the packets of our stream out of frames. One frame is 20 ms; its clock is the caller of advance.
type sender struct {
	ssrc      uint32
	sequence  uint16
	timestamp uint32    // of the next frame
	at        time.Time // when the last frame came
	spurt     bool      // the next packet of voice is the first after silence

	payload [payloadMax]byte // voice that waits for a packet
	filled  int
	started uint32 // timestamp of payload[0]

	digits digitSender
	event  [eventSize]byte
	header rtp.Header // of the event that is due
	due    bool

	silence [frameSamples]int16
	noise   codec.Noise

	packets, octets uint64 // sent
}

// advance takes the next frame of the microphone; nil is a muted one.
func (s *sender) advance(now time.Time, m sip.Media, frame []int16) {
	if still := now.Sub(s.at); !s.at.IsZero() && still > stillMax {
		s.timestamp += uint32(still/(20*time.Millisecond)-1) * frameSamples
		s.spurt = true
	}
	s.at = now
	switch {
	case !m.Direction.Sends() || !m.Remote.IsValid() || m.Remote.Addr().IsUnspecified():
		// RFC 3264 section 5.1 and 8.4: recvonly, inactive, and the hold of RFC 2543: no media is sent. RTCP still is, so
		// the peer knows that we live. No keep-alive of RFC 6263: there is no NAT between a phone and its PBX.
		s.digits.clear()
		s.pause()
	case s.digits.active():
		s.pause()
		n, timestamp, marker := s.digits.next(s.event[:], s.timestamp)
		s.due = n > 0
		s.header = rtp.Header{Timestamp: timestamp, Marker: marker, PayloadType: m.EventType}
	default:
		s.encode(m, frame)
	}
	// RFC 3550 section 5.1: the timestamp goes on through silence as well.
	s.timestamp += frameSamples
}

// pause ends the talkspurt.
func (s *sender) pause() { s.filled, s.spurt = 0, true }

func (s *sender) encode(m sip.Media, frame []int16) {
	if len(frame) != frameSamples {
		s.noise.Fill(s.silence[:], comfortLevel)
		frame = s.silence[:]
	}
	if s.filled == 0 {
		s.started = s.timestamp
	}
	if m.Codec == sip.PCMU {
		codec.EncodeMuLaw(s.payload[s.filled:], frame)
	} else {
		codec.EncodeALaw(s.payload[s.filled:], frame)
	}
	s.filled += frameSamples
}

// packet writes the next packet that is due to dst, which has room for packetMax; n is 0 when there is none.
func (s *sender) packet(m sip.Media, dst []byte) (n int) {
	size := int(m.PacketTime * rateHz / time.Second)
	switch {
	case s.due:
		s.due = false
		return s.write(dst, s.header, s.event[:])
	case s.filled >= size:
		// RFC 3551 section 4.1: the marker bit stands in the first packet of a talkspurt.
		header := rtp.Header{Timestamp: s.started, Marker: s.spurt, PayloadType: m.PayloadType}
		n = s.write(dst, header, s.payload[:size])
		s.spurt = false
		s.filled = copy(s.payload[:], s.payload[size:s.filled])
		s.started += uint32(size)
	}
	return n
}

func (s *sender) write(dst []byte, header rtp.Header, payload []byte) int {
	header.Version, header.SSRC, header.SequenceNumber = 2, s.ssrc, s.sequence
	n, err := header.MarshalTo(dst)
	if err != nil {
		panic("media: a packet without room for its header: " + err.Error())
	}
	s.sequence++
	s.packets++
	s.octets += uint64(len(payload))
	return n + copy(dst[n:], payload)
}
