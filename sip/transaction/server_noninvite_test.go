package transaction

import "testing"

func TestARequestIsToldOnceAndItsAnswerRepeated(t *testing.T) {
	play(t, "UDP", `
		0s      < OPTIONS
		0s      ! OPTIONS
		100ms   < OPTIONS        # nothing to repeat yet
		200ms   user 100
		200ms   > 100 OPTIONS
		300ms   < OPTIONS
		300ms   > 100 OPTIONS
		1s      user 200
		1s      > 200 OPTIONS
		2s      user 500         # too late
		30s     < OPTIONS
		30s     > 200 OPTIONS
		33s     end              # timer J`)
}

func TestOverTCPARequestIsOverWithItsAnswer(t *testing.T) {
	play(t, "TCP", `
		0s      < OPTIONS
		0s      ! OPTIONS
		1s      user 200
		1s      > 200 OPTIONS
		1s      end`)
}

func TestARequestTheUserForgetsDoesNotStayForever(t *testing.T) {
	play(t, "UDP", `
		0s      < OPTIONS
		0s      ! OPTIONS
		32s     end
		33s     user 200         # nobody is there any more
		33s     end`)
}
