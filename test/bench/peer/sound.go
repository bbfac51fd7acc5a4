//go:build linux

package peer

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/sip/codec"
)

// The sound of a call: G.711 A-law, 20 ms a packet (RFC 3551).
const (
	PacketTime    = 20 * time.Millisecond
	packetSamples = 160
	headerSize    = 12
	PayloadALaw   = 8
)

// Stream is the sound between us and one phone: a tone out, and the times at which something came back.
type Stream struct {
	To    netip.AddrPort // where the phone wants its RTP
	Times []time.Time    // at which packets came; to be read after Listen has returned

	wire    *wire
	rtcp    *wire // takes reports, so that the phone hears of no closed port; nobody reads them
	payload []byte
	packet  [headerSize + packetSamples]byte
	sent    int
	peak    float64 // power of the loudest packet that came back
}

// OpenStream takes a pair of ports.
func OpenStream() (*Stream, error) {
	for range 100 {
		rtp, err := openWire(0)
		if err != nil {
			return nil, fmt.Errorf("sound: %w", err)
		}
		port := rtp.address().Port()
		if port%2 == 0 {
			if rtcp, err := openWire(port + 1); err == nil {
				return &Stream{wire: rtp, rtcp: rtcp, payload: tone()}, nil
			}
		}
		defer rtp.close() // not at once: the next try would get it again
	}
	return nil, fmt.Errorf("sound: no pair of free ports")
}

// Port is where we want the phone to send its RTP.
func (s *Stream) Port() uint16 { return s.wire.address().Port() }

// Loop makes the stream its own other end.
func (s *Stream) Loop() { s.To = s.wire.address() }

// Close ends the stream and Listen.
func (s *Stream) Close() {
	s.wire.close()
	s.rtcp.close()
}

// Listen notes what comes until Close.
func (s *Stream) Listen() {
	buf := make([]byte, 2048)
	samples := make([]int16, packetSamples)
	for {
		n, _, at, err := s.wire.read(buf)
		if err != nil {
			return
		}
		// RFC 3550 section 5.1: version 2 in the upper bits, payload type in the lower ones of the second octet.
		if n != headerSize+packetSamples || buf[0]>>6 != 2 || buf[1]&0x7f != PayloadALaw {
			continue
		}
		s.Times = append(s.Times, at)
		codec.DecodeALaw(samples, buf[headerSize:n])
		s.peak = max(s.peak, power(samples))
	}
}

// power is the mean square.
func power(samples []int16) float64 {
	sum := 0.0
	for _, sample := range samples {
		sum += float64(sample) * float64(sample)
	}
	return sum / float64(len(samples))
}

// Say sends the next packet. It allocates nothing.
func (s *Stream) Say() error {
	p := s.packet[:]
	p[0], p[1] = 0x80, PayloadALaw
	binary.BigEndian.PutUint16(p[2:], uint16(s.sent))
	binary.BigEndian.PutUint32(p[4:], uint32(s.sent*packetSamples))
	binary.BigEndian.PutUint32(p[8:], 1) // SSRC: there is one a session
	copy(p[headerSize:], s.payload)
	s.sent++
	if err := s.wire.send(p, s.To); err != nil {
		return fmt.Errorf("sending RTP: %w", err)
	}
	return nil
}

// Answer sends a packet for each that comes, to where it came from, until Close: so the sound finds a phone behind a
// translation of addresses. To is known then.
func (s *Stream) Answer() {
	buf := make([]byte, 2048)
	for {
		n, from, _, err := s.wire.read(buf)
		if err != nil {
			return
		}
		if n == headerSize+packetSamples {
			s.To = from
			_ = s.Say() // a phone that has gone: it sends no more either
		}
	}
}

// Sent is how many packets were sent; to be read after Answer or Speak has returned.
func (s *Stream) Sent() int { return s.sent }

// Swallow reads what comes until Close, notes nothing, and allocates nothing.
func (s *Stream) Swallow() {
	buf := make([]byte, 2048)
	for {
		if _, _, err := s.wire.conn.ReadFromUDPAddrPort(buf); err != nil {
			return
		}
	}
}

// toneHz has a whole number of periods in a packet, so that each packet can be the same.
const toneHz = 400

// tone is a packet of it, at -10 dBm0 or so.
func tone() []byte {
	samples := make([]int16, packetSamples)
	for i := range samples {
		samples[i] = int16(7000 * math.Sin(2*math.Pi*toneHz*float64(i)/8000))
	}
	payload := make([]byte, packetSamples)
	codec.EncodeALaw(payload, samples)
	return payload
}

// Speak sends to all streams in turn until the time is over, on a thread of its own, by an absolute schedule: a time
// too late does not make the next one late.
func Speak(ctx context.Context, streams []*Stream, talk time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("reading the clock: %w", err)
	}
	gap := PacketTime / time.Duration(len(streams))
	for n := range int(talk / gap) {
		at := unix.NsecToTimespec(now.Nano() + int64(n)*int64(gap))
		for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil) == unix.EINTR {
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := streams[n%len(streams)].Say(); err != nil {
			return err
		}
	}
	return nil
}

// CheckCount says when too few packets came back for a call. Few are no failure, but a slow phone or machine.
func (s *Stream) CheckCount() error {
	if least := s.sent / 10; len(s.Times) < least {
		return fmt.Errorf("sent %d packets of sound for our %d; at least %d make a call", len(s.Times), s.sent, least)
	}
	return nil
}

// Check says what is wrong with the sound of a phone that sends back what it hears.
func (s *Stream) Check() error {
	if err := s.CheckCount(); err != nil {
		return err
	}
	samples := make([]int16, packetSamples)
	codec.DecodeALaw(samples, s.payload)
	if quietest := power(samples) / 100; s.peak < quietest {
		return fmt.Errorf("sent silence: its loop does not carry our tone (power %.0f, at least %.0f)", s.peak, quietest)
	}
	return nil
}
