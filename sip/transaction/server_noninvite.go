package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// A serverNonInvite is RFC 3261 figure 8.
//
//	trying --1xx--> proceeding --final--> completed --J--> over
type serverNonInvite struct {
	reception
	completed bool
}

func (s *serverNonInvite) again(_ time.Time, _ *sip.Request) {
	// RFC 3261 section 17.2.2: in Trying a retransmission is discarded, later it gets the last response again.
	s.repeat()
}

func (s *serverNonInvite) respond(now time.Time, r *sip.Response) {
	if s.completed {
		return // any other final response MUST be discarded
	}
	if s.transmit(r) < 200 {
		return
	}
	s.completed = true
	wait := 64 * s.layer.timers.T1
	if s.reliable() {
		wait = 0
	}
	s.linger(now, wait) // timer J
}

// tick ends the transaction: after timer J, or when the user forgot to answer for so long that nobody waits.
func (s *serverNonInvite) tick(time.Time) { s.end() }
