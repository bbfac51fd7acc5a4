package media

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/codec"

	"github.com/pion/rtp"
)

// packetMax is the longest datagram read and written: RTP of stretchMax samples with a full header and an extension.
const packetMax = 2048

// A session is the RTP and RTCP of one call. Three goroutines meet under its lock: the caller of Apply and close, the
// caller of send and receive, and the readers. The lock is held for microseconds, never over a system call.
type session struct {
	call      sip.CallID
	rtp, rtcp Conn
	digit     func(call sip.CallID, digit byte)
	logger    *slog.Logger
	began     time.Time

	mu        sync.Mutex // guards what follows
	closed    bool
	agreed    bool // media is valid
	media     sip.Media
	sender    sender
	source    source
	reception reception
	reporter  reporter
	events    digitReceiver
	buffer    jitterBuffer
	conceal   concealer
	noise     codec.Noise
	level     uint8 // of the comfort noise, in -dBov
	// background is what is heard where nothing arrives: after voice missing, which is concealed; after a digit quiet; after
	// comfort noise more of it.
	background sound
	concealed  uint64
	unsent     bool // the last packet could not be sent

	out      [packetMax]byte   // of the caller of send
	incoming rtp.Packet        // of the RTP reader
	decoded  [stretchMax]int16 // of the RTP reader
}

// A concealer makes up sound for what never arrived; codec.Concealment is one.
type concealer interface {
	Heard(frame []int16)   // sound that arrived, in order
	Conceal(frame []int16) // fills frame
}

func newSession(call sip.CallID, rtpConn, rtcpConn Conn, c Config) *session {
	var seed [24]byte
	rand.Read(seed[:]) // never fails, since Go 1.24
	return &session{
		call: call, rtp: rtpConn, rtcp: rtcpConn, digit: c.Digit, logger: c.Logger, began: time.Now(),
		// RFC 3550 section 5.1: SSRC, first sequence number and first timestamp are random.
		sender: sender{
			ssrc:      binary.BigEndian.Uint32(seed[0:]),
			sequence:  binary.BigEndian.Uint16(seed[4:]),
			timestamp: binary.BigEndian.Uint32(seed[8:]),
			spurt:     true,
			noise:     codec.NewNoise(binary.BigEndian.Uint64(seed[12:])),
		},
		reporter: newReporter(),
		buffer:   new(fixedBuffer),
		conceal:  new(codec.Concealment),
		noise:    codec.NewNoise(binary.BigEndian.Uint64(seed[16:])),
	}
}

// apply makes m the agreement from now on.
func (s *session) apply(now time.Time, m sip.Media) error {
	if m.Codec == sip.CodecNone || !m.Remote.IsValid() || m.Remote.Port() == 0 {
		return fmt.Errorf("media: apply to call %d: no codec or no address: %v at %v", s.call, m.Codec, m.Remote)
	}
	if m.PacketTime == 0 {
		m.PacketTime = 20 * time.Millisecond
	}
	m.PacketTime = min(max(m.PacketTime.Truncate(10*time.Millisecond), 10*time.Millisecond), 60*time.Millisecond)
	m.Remote, m.RemoteRTCP = plain(m.Remote), plain(m.RemoteRTCP)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !m.Remote.Addr().IsUnspecified() && m.Remote != s.source.expected {
		s.source.expect(now, m.Remote)
	}
	if m.Codec != s.media.Codec || m.PayloadType != s.media.PayloadType || m.PacketTime != s.media.PacketTime {
		s.sender.pause()
	}
	if m.EventType == 0 {
		s.sender.digits.clear()
	}
	if !m.Direction.Receives() {
		s.buffer.Reset()
		s.background = missing
	}
	s.media, s.agreed = m, true
	return nil
}

// sendDigit queues a digit; the reason why not, else "".
func (s *session) sendDigit(digit byte) (refusal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.agreed || s.media.EventType == 0:
		return "the peer takes no telephone-event"
	case !s.media.Direction.Sends():
		return "nothing may be sent"
	case !s.sender.digits.add(digit):
		return "no digit, or too many wait"
	}
	return ""
}

// send takes the next frame of the microphone and sends what is due.
func (s *session) send(now time.Time, frame []int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.agreed || s.closed {
		return
	}
	s.sender.advance(now, s.media, frame)
	// At most two packets of voice: a frame has 20 ms, and no packet less than 10.
	for n := s.sender.packet(s.media, s.out[:]); n > 0; n = s.sender.packet(s.media, s.out[:]) {
		to := s.source.target()
		s.mu.Unlock()
		_, err := s.rtp.WriteToUDPAddrPort(s.out[:n], to)
		s.mu.Lock()
		if err != nil && !s.unsent && !s.closed {
			s.logger.Warn("media: packets cannot be sent", "call", s.call, "error", err)
		}
		s.unsent = err != nil
	}
}

// receive fills frame with the next sound; false when there is none.
func (s *session) receive(frame []int16) (heard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	madeUp := false
	for len(frame) > 0 {
		n, sound := s.buffer.Get(frame)
		part := frame[:n]
		frame = frame[n:]
		switch sound {
		case voice:
			s.background = missing
		case quiet, comfort:
			s.background = sound
		case missing:
			sound = s.background
		}
		switch {
		case sound == voice:
			s.conceal.Heard(part)
		case sound == missing:
			s.conceal.Conceal(part)
			madeUp = true
		case s.background == comfort: // also when idle: who suppresses silence sends nothing for minutes
			s.noise.Fill(part, s.level)
			s.conceal.Heard(part)
		default:
			clear(part)
			s.conceal.Heard(part)
			continue
		}
		heard = true
	}
	if madeUp {
		s.concealed++
	}
	return heard
}

// receivedRTP takes a datagram from the RTP port.
func (s *session) receivedRTP(now time.Time, data []byte, from netip.AddrPort) {
	err := s.incoming.Unmarshal(data)
	s.mu.Lock()
	digit := s.take(now, err == nil, from)
	closed := s.closed
	s.mu.Unlock()
	if digit != 0 && !closed && s.digit != nil {
		s.digit(s.call, digit)
	}
}

// take hears s.incoming, if it may be heard. digit is 0 unless a digit begins with it.
func (s *session) take(now time.Time, parsed bool, from netip.AddrPort) (digit byte) {
	p := &s.incoming
	kind := s.payload(p.PayloadType)
	speaker := origin{address: plain(from), ssrc: p.SSRC}
	if !parsed || p.Version != 2 || kind == payloadUnknown || !s.agreed ||
		// Who may not speak now is not learned either, so that nobody can take a held peer's place.
		!s.media.Direction.Receives() && speaker != s.source.current {
		s.source.strangers++
		return 0
	}
	switch s.source.admit(now, speaker, p.SequenceNumber) {
	case refused:
		return 0
	case changed:
		s.reception.start(p.SequenceNumber)
		s.reporter.lastReport = 0
		s.buffer.Reset()
		s.events = digitReceiver{}
		s.background = missing
		if s.source.latched() {
			s.logger.Warn("media: the peer speaks from another address than it said", "call", s.call)
		}
	}
	if !s.reception.update(p.SequenceNumber) {
		return 0
	}
	if kind == payloadEvent {
		return s.takeEvent(p)
	}
	s.reception.arrive(units(now.Sub(s.began)), p.Timestamp)
	if s.media.Direction.Receives() {
		s.takeSound(p, kind)
	}
	return 0
}

func (s *session) takeEvent(p *rtp.Packet) (digit byte) {
	digit, length, ok := s.events.receive(p.Payload, p.Timestamp, p.Marker)
	if ok && s.media.Direction.Receives() {
		// While a digit sounds there is no voice, and nothing is lost: the end of the event so far is known to be quiet.
		known := min(length, stretchMax)
		s.buffer.Put(stretch{timestamp: p.Timestamp + uint32(length-known), length: known, sound: quiet})
	}
	return digit
}

func (s *session) takeSound(p *rtp.Packet, kind payload) {
	if kind == payloadComfort {
		if level, ok := codec.NoiseLevel(p.Payload); ok {
			s.level = level
			s.buffer.Put(stretch{timestamp: p.Timestamp, length: frameSamples, sound: comfort})
		}
		return
	}
	n := len(p.Payload)
	if n == 0 || n > stretchMax {
		return
	}
	if kind == payloadMuLaw {
		codec.DecodeMuLaw(s.decoded[:], p.Payload)
	} else {
		codec.DecodeALaw(s.decoded[:], p.Payload)
	}
	s.buffer.Put(stretch{timestamp: p.Timestamp, length: n, sound: voice, samples: s.decoded[:n]})
}

// A payload is what a payload type means in this call.
type payload uint8

const (
	payloadUnknown payload = iota
	payloadALaw
	payloadMuLaw
	payloadComfort
	payloadEvent
)

// payload is what may arrive as type number. Besides what the peer prefers that is all that we ever offer:
// RFC 3264 section 5.1: the offerer must be ready for every format that it offered.
func (s *session) payload(number uint8) payload {
	const offeredEvent = 101 // see package offer
	switch {
	case number == s.media.PayloadType && s.media.Codec == sip.PCMU, number == 0 && number != s.media.PayloadType:
		return payloadMuLaw
	case number == s.media.PayloadType, number == 8:
		return payloadALaw
	case s.media.EventType != 0 && (number == s.media.EventType || number == offeredEvent):
		return payloadEvent
	case number == 13: // RFC 3389 section 4: static for a clock of 8000; many send it without asking
		return payloadComfort
	}
	return payloadUnknown
}

// readRTP hears the RTP port until it is closed.
func (s *session) readRTP() {
	buffer := make([]byte, packetMax)
	for {
		n, from, err := s.rtp.ReadFromUDPAddrPort(buffer)
		if err == nil {
			s.receivedRTP(time.Now(), buffer[:n], from)
		} else if s.ended(err) {
			return
		}
	}
}

// runRTCP hears the RTCP port until it is closed, and reports when it is time.
func (s *session) runRTCP() {
	buffer := make([]byte, packetMax)
	due := time.Now().Add(reportInterval(true, random()))
	for {
		err := s.rtcp.SetReadDeadline(due)
		var n int
		var from netip.AddrPort
		if err == nil {
			n, from, err = s.rtcp.ReadFromUDPAddrPort(buffer)
		}
		now := time.Now()
		if err == nil {
			s.receivedRTCP(now, buffer[:n], from)
		} else if !errors.Is(err, os.ErrDeadlineExceeded) && s.ended(err) {
			return
		}
		if !now.Before(due) {
			s.report(now, false)
			due = now.Add(reportInterval(false, random()))
		}
	}
}

// ended reports whether a read failed for good. Other failures (Windows tells of a port unreachable like this) must not
// turn the reader into a busy loop.
func (s *session) ended(err error) bool {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed || errors.Is(err, net.ErrClosed) {
		return true
	}
	s.logger.Debug("media: read failed", "call", s.call, "error", err)
	time.Sleep(20 * time.Millisecond)
	return false
}

// close says good-bye and closes the ports. The readers end soon after.
func (s *session) close(now time.Time) {
	s.mu.Lock()
	// RFC 3550 section 6.3.7: who has never sent RTP or RTCP must not send a BYE.
	leave := s.sender.packets > 0 || s.reporter.said
	s.closed = true
	s.mu.Unlock()
	if leave {
		s.report(now, true)
	}
	s.rtp.Close()
	s.rtcp.Close()
	end := s.statistics()
	s.mu.Lock()
	recentred, duplicates := s.buffer.Counts().recentred, s.reception.duplicates
	s.mu.Unlock()
	s.logger.Info("media: call closed", "call", s.call, "sent", end.Sent, "received", end.Received, "lost", end.Lost,
		"late", end.Late, "duplicates", duplicates, "strangers", end.Stranger, "concealed", end.ConcealedFrames,
		"recentred", recentred, "jitter", end.Jitter, "roundtrip", end.RoundTrip)
}

func (s *session) statistics() sip.Statistics {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.buffer.Counts()
	return sip.Statistics{
		Sent:            s.sender.packets,
		Received:        s.reception.totalReceived(),
		Lost:            s.reception.totalLost(),
		Late:            counts.late,
		Stranger:        s.source.count(),
		Jitter:          duration(int64(s.reception.jitter16 >> 4)),
		RoundTrip:       s.reporter.roundTrip,
		RemoteLost:      s.reporter.remoteLost,
		RemoteJitter:    s.reporter.remoteJitter,
		BufferDelay:     counts.delay,
		ConcealedFrames: s.concealed,
	}
}
