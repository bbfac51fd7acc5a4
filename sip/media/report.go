package media

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// A reporter is the RTCP of one session: what we say of what we hear, and what the peer says of us.
type reporter struct {
	cname string
	said  bool // we have sent RTCP

	lastReport   uint32    // middle 32 bits of the NTP time in the peer's last sender report; 0 is none
	lastReportAt time.Time // when it came

	packetsReported uint64 // packets sent at our last report

	roundTrip    time.Duration
	remoteLost   uint64
	remoteJitter time.Duration
}

func newReporter() reporter {
	// RFC 7022 section 4.2: a short-term persistent CNAME has at least 96 bits of randomness, in base64. A new one for
	// each session says nothing about who speaks.
	var name [12]byte
	rand.Read(name[:]) // never fails, since Go 1.24
	return reporter{cname: base64.StdEncoding.EncodeToString(name[:])}
}

// reportInterval is the time until the next report (RFC 3550 section 6.3.1). With two members the share of the bandwidth
// is never reached, so the minimum of 5 s decides, half of it before the first report. random is from [0,1).
func reportInterval(first bool, random float64) time.Duration {
	const minimum = 5 * time.Second
	interval := float64(minimum)
	if first {
		interval /= 2
	}
	// "multiplied by a random number between 0.5 and 1.5, and divided by e-3/2=1.21828 to compensate for the fact that
	// the timer reconsideration algorithm converges to a value of the RTCP bandwidth below the intended average".
	return time.Duration(interval * (0.5 + random) / 1.21828)
}

// ntp is the time as RTCP writes it: seconds since 1900, and their 2^32nd parts (RFC 3550 section 4).
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800 // seconds until 1970
	seconds := uint64(t.Unix() + since1900)
	return seconds<<32 | uint64(t.Nanosecond())<<32/1e9
}

// compose makes a compound packet: report, name, and with leaving the good-bye.
func (s *session) compose(now time.Time, leaving bool) ([]byte, error) {
	var blocks []rtcp.ReceptionReport
	if s.reception.received > 0 {
		blocks = []rtcp.ReceptionReport{s.receptionReport(now)}
	}
	var packets []rtcp.Packet
	if s.sender.packets > s.reporter.packetsReported {
		// RFC 3550 section 6.4: a sender report is issued if data was sent since the last report, else a receiver report.
		s.reporter.packetsReported = s.sender.packets
		packets = append(packets, &rtcp.SenderReport{
			SSRC: s.sender.ssrc, NTPTime: ntp(now),
			// Section 6.4.1: the same instant in timestamp units. The frame that came last began at timestamp - 160.
			RTPTime:     s.sender.timestamp - frameSamples + units(now.Sub(s.sender.at)),
			PacketCount: uint32(s.sender.packets), OctetCount: uint32(s.sender.octets), Reports: blocks,
		})
	} else {
		packets = append(packets, &rtcp.ReceiverReport{SSRC: s.sender.ssrc, Reports: blocks})
	}
	packets = append(packets, rtcp.NewCNAMESourceDescription(s.sender.ssrc, s.reporter.cname))
	if leaving {
		packets = append(packets, &rtcp.Goodbye{Sources: []uint32{s.sender.ssrc}})
	}
	s.reporter.said = true
	data, err := rtcp.Marshal(packets)
	if err != nil {
		return nil, fmt.Errorf("media: compose the RTCP of call %d: %w", s.call, err)
	}
	return data, nil
}

func (s *session) receptionReport(now time.Time) rtcp.ReceptionReport {
	block := rtcp.ReceptionReport{
		SSRC:               s.source.current.ssrc,
		FractionLost:       s.reception.fraction(),
		TotalLost:          uint32(s.reception.lost()) & 0xffffff, // a signed number of 24 bits
		LastSequenceNumber: s.reception.extended(),
		Jitter:             s.reception.jitter16 >> 4,
	}
	if s.reporter.lastReport != 0 {
		block.LastSenderReport = s.reporter.lastReport
		block.Delay = uint32(now.Sub(s.reporter.lastReportAt).Microseconds() * 65536 / 1e6)
	}
	return block
}

// receivedRTCP takes a datagram from the RTCP port.
func (s *session) receivedRTCP(now time.Time, data []byte, from netip.AddrPort) {
	packets, err := rtcp.Unmarshal(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	host := plain(from).Addr()
	if err != nil || !s.agreed || host != s.media.RemoteRTCP.Addr() && host != s.source.target().Addr() {
		s.source.strangers++
		return
	}
	for _, packet := range packets {
		switch p := packet.(type) {
		case *rtcp.SenderReport:
			if p.SSRC == s.source.current.ssrc {
				s.reporter.lastReport, s.reporter.lastReportAt = uint32(p.NTPTime>>16), now
			}
			s.reported(now, p.Reports)
		case *rtcp.ReceiverReport:
			s.reported(now, p.Reports)
		}
		// BYE is ignored: SIP ends calls, and a new source is learned from its packets.
	}
}

// reported reads what the peer says of our stream (RFC 3550 section 6.4.1).
func (s *session) reported(now time.Time, blocks []rtcp.ReceptionReport) {
	for _, block := range blocks {
		if block.SSRC != s.sender.ssrc {
			continue
		}
		lost := int32(block.TotalLost<<8) >> 8 // 24 bits with sign
		s.reporter.remoteLost = uint64(max(lost, 0))
		s.reporter.remoteJitter = duration(int64(block.Jitter))
		if block.LastSenderReport == 0 {
			continue
		}
		// Round trip = arrival - LSR - DLSR, in units of 1/65536 s. Negative is the peer's mistake.
		trip := int32(uint32(ntp(now)>>16) - block.LastSenderReport - block.Delay)
		if trip >= 0 {
			s.reporter.roundTrip = time.Duration(trip) * time.Second / 65536
		}
	}
}

// report sends RTCP when it has somewhere to go.
func (s *session) report(now time.Time, leaving bool) {
	s.mu.Lock()
	to := s.reportTarget()
	var data []byte
	var err error
	if to.IsValid() {
		data, err = s.compose(now, leaving)
	}
	s.mu.Unlock()
	if err == nil && data != nil {
		_, err = s.rtcp.WriteToUDPAddrPort(data, to)
	}
	if err != nil {
		s.logger.Debug("media: RTCP not sent", "call", s.call, "error", err)
	}
}

// reportTarget is where our RTCP goes; the zero AddrPort is nowhere.
func (s *session) reportTarget() netip.AddrPort {
	to := s.media.RemoteRTCP
	if !s.agreed || to.Port() == 0 || to.Addr().IsUnspecified() {
		// RFC 3264 section 8.4: with the address 0.0.0.0 "neither RTP nor RTCP should be sent to the peer".
		return netip.AddrPort{}
	}
	if heard := s.source.target(); s.source.latched() && heard.Addr() != s.source.expected.Addr() {
		// The description is wrong about the host, so it is about RTCP as well: one port above (RFC 3550 section 11).
		return netip.AddrPortFrom(heard.Addr(), heard.Port()+1)
	}
	return to
}

// random is from [0,1), for the spacing of reports.
func random() float64 { return mathrand.Float64() }
