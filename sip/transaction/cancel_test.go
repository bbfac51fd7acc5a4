package transaction

import (
	"slices"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func TestACancelWaitsForTheFirstProvisionalResponse(t *testing.T) {
	play(t, "UDP", `
		0s      user INVITE
		0s      > INVITE
		100ms   user cancel
		500ms   > INVITE
		1s      < 180 INVITE
		1s      > CANCEL
		1s      ! 180
		1.1s    < 200 CANCEL     # nobody needs to know
		1.2s    < 487 INVITE
		1.2s    > ACK
		1.2s    ! 487
		33.2s   end`)
}

func TestACancelIsRepeatedLikeAnyRequest(t *testing.T) {
	play(t, "UDP", `
		0s      user INVITE
		0s      > INVITE
		100ms   < 100 INVITE
		100ms   ! 100
		1s      user cancel
		1s      > CANCEL
		1s      user cancel      # once is enough
		1.5s    > CANCEL
		1.6s    < 200 CANCEL
		1.7s    < 487 INVITE
		1.7s    > ACK
		1.7s    ! 487
		33.7s   end`)
}

// TestACancelledInviteWithoutFinalResponseIsGivenUpAfter64T1 is RFC 3261 section 9.1.
func TestACancelledInviteWithoutFinalResponseIsGivenUpAfter64T1(t *testing.T) {
	play(t, "TCP", `
		0s      user INVITE
		0s      > INVITE
		1s      < 180 INVITE
		1s      ! 180
		60s     user cancel
		60s     > CANCEL
		61s     < 180 INVITE     # does not prolong the wait
		61s     ! 180
		92s     ! timed out
		92s     end`)
}

func TestAnAnswerThatCrossesTheCancelIsTold(t *testing.T) {
	play(t, "TCP", `
		0s      user INVITE
		0s      > INVITE
		1s      < 180 INVITE
		1s      ! 180
		2s      user cancel
		2s      > CANCEL
		2s      < 200 INVITE
		2s      ! 200
		2s      < 481 CANCEL
		34s     end`)
}

func TestAnAnswerBeforeTheFirstProvisionalNeedsNoCancel(t *testing.T) {
	play(t, "TCP", `
		0s      user INVITE
		0s      > INVITE
		0s      user cancel
		1s      < 200 INVITE
		1s      ! 200
		1s      user cancel
		33s     end`)
}

func TestACancelCarriesWhatSection9_1Says(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	r := newRequest(sip.INVITE, "sip:pbx@192.0.2.2", "call")
	r.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.9"}})
	r.AppendHeader(sip.NewHeader("Require", "100rel"))
	r.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.1"}})
	d.client = d.layer.Request(d.now, r)
	d.drain()
	d.log = nil
	d.play(`
		100ms < 180 INVITE
		100ms ! 180
		100ms user cancel
		100ms > CANCEL`)
	invite, cancel := d.sent["INVITE"], d.sent["CANCEL"]
	for _, name := range []string{"Via", "Route", "From", "To", "Call-ID"} {
		if want, got := values(invite, name), values(cancel, name); !slices.Equal(want, got) {
			t.Errorf("%s of the CANCEL is %q, of the INVITE %q", name, got, want)
		}
	}
	if cancel.CSeq().Value() != "1 CANCEL" || !slices.Equal(values(cancel, "Reason"), []string{"SIP;cause=200"}) {
		t.Errorf("wrong CANCEL:\n%s", cancel)
	}
	if cancel.GetHeader("Require") != nil || cancel.GetHeader("Contact") != nil {
		t.Errorf("the CANCEL carries too much:\n%s", cancel)
	}
}

func TestACancelFromThePeerIsAnsweredAndTold(t *testing.T) {
	play(t, "UDP", `
		0s      < INVITE
		0s      ! INVITE
		0s      user 180
		0s      > 180 INVITE
		5s      < CANCEL
		5s      > 200 CANCEL
		5s      ! cancelled
		5s      user 487
		5s      > 487 INVITE
		5.1s    < CANCEL         # retransmission
		5.1s    > 200 CANCEL
		5.2s    < ACK
		10.2s   < CANCEL
		10.2s   > 200 CANCEL
		37s     end`)
}

func TestACancelForNothingIs481(t *testing.T) {
	play(t, "UDP", `
		0s      < CANCEL
		0s      > 481 CANCEL
		32s     end`)
	play(t, "UDP", `
		0s      < OPTIONS
		0s      ! OPTIONS
		0s      < CANCEL
		0s      > 481 CANCEL
		0s      user 200
		0s      > 200 OPTIONS
		32s     end`)
}

func TestACancelAfterTheAnswerHasNoEffect(t *testing.T) {
	play(t, "UDP", `
		0s      < INVITE
		0s      ! INVITE
		0s      user 200
		0s      > 200 INVITE
		1s      < CANCEL
		1s      > 200 CANCEL
		33s     end`)
}

func TestACancelWithAFieldThatCannotBeWrittenGoesWithoutIt(t *testing.T) {
	d := newDiagram(t, "TCP", Settings{})
	d.play(`
		0s      user INVITE
		0s      > INVITE
		1s      < 180 INVITE
		1s      ! 180`)
	d.layer.Cancel(d.now, d.client, sip.NewHeader("Reason", "a\r\nb"))
	d.drain()
	d.play("1s > CANCEL")
	if d.sent["CANCEL"].GetHeader("Reason") != nil {
		t.Error("the CANCEL has the field")
	}
}
