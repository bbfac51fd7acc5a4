package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// A serverInvite is RFC 3261 figure 7 with the Accepted state of RFC 6026 figure 5.
//
//	proceeding --2xx----> accepted --L--> over
//	     `-----300-699--> completed --ACK--> confirmed --I--> over
//	                          `--H: NoACK--> over
type serverInvite struct {
	reception
	state    serverInviteState
	trying   time.Time     // when the layer answers 100 itself; zero: never
	interval time.Duration // of timer G
}

type serverInviteState uint8

const (
	serverProceeding serverInviteState = iota
	serverAccepted
	serverCompleted
	serverConfirmed
)

func (s *serverInvite) again(now time.Time, r *sip.Request) {
	if r.Method == sip.ACK {
		s.acknowledged(now, r)
		return
	}
	// RFC 3261 section 17.2.1: a retransmission gets the most recent response again; RFC 6026 section 7.1: but not in
	// Accepted, there the user retransmits.
	if s.state == serverProceeding || s.state == serverCompleted {
		s.repeat()
	}
}

func (s *serverInvite) acknowledged(now time.Time, r *sip.Request) {
	switch s.state {
	case serverCompleted:
		s.state = serverConfirmed
		wait := s.layer.timers.T4
		if s.reliable() {
			wait = 0
		}
		s.linger(now, wait) // timer I
	case serverAccepted:
		// RFC 6026 section 7.1: an ACK in Accepted is passed to the user.
		s.layer.emit(RequestReceived{Request: r})
	}
}

func (s *serverInvite) respond(now time.Time, r *sip.Response) {
	switch {
	case s.state == serverAccepted && r.IsSuccess():
		s.transmit(r) // RFC 6026 section 7.1: the user's retransmission is passed to the transport
		return
	case s.state != serverProceeding:
		return
	}
	s.trying = time.Time{}
	switch status := s.transmit(r); {
	case status < 200:
	case status < 300:
		s.state = serverAccepted
		s.linger(now, 64*s.layer.timers.T1) // timer L, on every transport
	default:
		s.state = serverCompleted
		s.linger(now, 64*s.layer.timers.T1) // timer H, on every transport
		if !s.reliable() {
			s.interval = s.layer.timers.T1
			s.retransmit = now.Add(s.interval) // timer G
		}
	}
}

func (s *serverInvite) tick(now time.Time) {
	switch {
	case reached(s.trying, now):
		// RFC 3261 section 17.2.1: 100 unless the user will answer within 200 ms.
		trying := s.layer.reply(s.request, 100, "Trying")
		sip.CopyHeaders("Timestamp", s.request, trying) // RFC 3261 section 8.2.6.1
		s.respond(now, trying)
	case reached(s.timeout, now):
		if s.state == serverCompleted {
			s.layer.emit(NoACK{s.id})
		}
		s.end()
	case reached(s.retransmit, now):
		s.repeat()
		s.interval = min(2*s.interval, s.layer.timers.T2)
		s.retransmit = now.Add(s.interval)
	}
}

func (s *serverInvite) deadline() time.Time {
	if s.over {
		return time.Time{}
	}
	return earliest(s.trying, s.reception.deadline())
}
