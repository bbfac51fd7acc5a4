package transaction

import "testing"

func TestARequestWithoutAnyAnswerIsRepeatedUntilTimerF(t *testing.T) {
	play(t, "UDP", `
		0s     user OPTIONS
		0s     > OPTIONS
		500ms  > OPTIONS
		1.5s   > OPTIONS
		3.5s   > OPTIONS
		7.5s   > OPTIONS
		11.5s  > OPTIONS
		15.5s  > OPTIONS
		19.5s  > OPTIONS
		23.5s  > OPTIONS
		27.5s  > OPTIONS
		31.5s  > OPTIONS
		32s    ! timed out
		32s    end`)
}

func TestAProvisionalResponseSlowsARequestDownToT2(t *testing.T) {
	play(t, "UDP", `
		0s     user REGISTER
		0s     > REGISTER
		100ms  < 100
		100ms  ! 100
		500ms  > REGISTER
		4.5s   > REGISTER
		8.5s   > REGISTER
		9s     < 200
		9s     ! 200
		10s    < 200           # absorbed
		14s    end             # timer K`)
}

func TestOverTCPARequestIsSentOnceAndOverWithItsAnswer(t *testing.T) {
	play(t, "TCP", `
		0s     user OPTIONS
		0s     > OPTIONS
		20s    < 200
		20s    ! 200
		20s    end`)
	play(t, "TCP", `
		0s     user OPTIONS
		0s     > OPTIONS
		32s    ! timed out
		32s    end`)
}
