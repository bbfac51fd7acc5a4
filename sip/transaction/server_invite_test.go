package transaction

import "testing"

func TestASlowUserIsCoveredBy100After200ms(t *testing.T) {
	play(t, "UDP", `
		0s      < INVITE
		0s      ! INVITE
		200ms   > 100 INVITE
		500ms   < INVITE         # retransmission: the last response again
		500ms   > 100 INVITE
		1s      user 180
		1s      > 180 INVITE
		1.5s    < INVITE
		1.5s    > 180 INVITE
		60s     user 200
		60s     > 200 INVITE
		92s     end`)
}

func TestAQuickUserNeedsNo100(t *testing.T) {
	play(t, "UDP", `
		0s      < INVITE
		0s      ! INVITE
		100ms   user 180
		100ms   > 180 INVITE
		1s      user 200
		1s      > 200 INVITE
		33s     end`)
}

func TestIn2xxTheUserRetransmitsAndGetsTheACK(t *testing.T) {
	for _, network := range []string{"UDP", "TCP"} {
		play(t, network, `
			0s      < INVITE
			0s      ! INVITE
			0s      user 200
			0s      > 200 INVITE
			400ms   < INVITE         # RFC 6026: absorbed, the user retransmits the 2xx
			500ms   user 200
			500ms   > 200 INVITE
			600ms   user 486         # too late
			700ms   < ACK other      # the ACK of a 2xx has its own branch
			700ms   ! ACK alone
			800ms   < ACK b1         # some send it with the INVITE's
			800ms   ! ACK alone
			31.9s   user 200
			31.9s   > 200 INVITE
			32s     end`) // timer L
	}
}

func TestARefusalIsRepeatedUntilItsACK(t *testing.T) {
	play(t, "UDP", `
		0s      < INVITE
		0s      ! INVITE
		0s      user 486
		0s      > 486 INVITE
		500ms   > 486 INVITE
		1s      < INVITE
		1s      > 486 INVITE
		1.5s    > 486 INVITE
		2s      < ACK
		2.5s    < ACK            # absorbed, as is
		2.6s    < INVITE
		7s      end              # timer I`)
}

func TestARefusalWithoutACKEndsWithTimerH(t *testing.T) {
	play(t, "UDP", `
		0s      < INVITE
		0s      ! INVITE
		0s      user 486
		0s      > 486 INVITE
		500ms   > 486 INVITE
		1.5s    > 486 INVITE
		3.5s    > 486 INVITE
		7.5s    > 486 INVITE
		11.5s   > 486 INVITE
		15.5s   > 486 INVITE
		19.5s   > 486 INVITE
		23.5s   > 486 INVITE
		27.5s   > 486 INVITE
		31.5s   > 486 INVITE
		32s     ! no ACK
		32s     end`)
}

func TestOverTCPARefusalIsSentOnceAndOverWithItsACK(t *testing.T) {
	play(t, "TCP", `
		0s      < INVITE
		0s      ! INVITE
		0s      user 486
		0s      > 486 INVITE
		2s      < ACK
		2s      end`)
	play(t, "TCP", `
		0s      < INVITE
		0s      ! INVITE
		0s      user 486
		0s      > 486 INVITE
		32s     ! no ACK
		32s     end`)
}

// TestWithoutMagicCookieTheFieldsAreCompared is RFC 3261 section 17.2.3 for senders of RFC 2543.
func TestWithoutMagicCookieTheFieldsAreCompared(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	d.play(`
		0s      < INVITE old
		0s      ! INVITE
		0s      user 486
		0s      > 486 INVITE
		400ms   < INVITE old
		400ms   > 486 INVITE`)
	ack := incoming("UDP", "ACK", "old")
	d.now = d.start.Add(450e6)
	d.receive(ack) // without the To tag of our response it acknowledges something else
	d.drain()
	for _, s := range d.layer.byID {
		ack = incomingTo("UDP", "ACK", "old", s.base().toTag)
	}
	d.play("450ms ! ACK alone")
	d.receive(ack)
	d.play("6s end")
}
