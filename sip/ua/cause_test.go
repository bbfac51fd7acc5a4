package ua

import (
	"strings"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/header"
)

// FuzzBodies reads what a peer can write into Reason, INFO and NOTIFY.
func FuzzBodies(f *testing.F) {
	f.Add(`SIP;cause=200, Q.850;cause="26"`, "Signal=5\r\nDuration=160", "SIP/2.0 200 OK")
	f.Add(";;=", "signal", "SIP/2.0 ")
	f.Fuzz(func(t *testing.T, reason, info, fragment string) {
		request := sipgo.NewRequest(sipgo.BYE, sipgo.Uri{User: "201"})
		request.AppendHeader(sipgo.NewHeader("Reason", reason))
		if cause := causeOfBye(request); cause != sip.Normal && cause != sip.MediaLost {
			t.Errorf("BYE with %q: cause %d", reason, cause)
		}
		if cause := causeOfCancel(request); cause != sip.Elsewhere && cause != sip.CallerGaveUp {
			t.Errorf("CANCEL with %q: cause %d", reason, cause)
		}
		for _, kind := range []string{"application/dtmf-relay", "application/dtmf"} {
			if digit := infoDigit(kind, info); digit != 0 && strings.IndexByte(digits, digit) < 0 {
				t.Errorf("%q is digit %q", info, digit)
			}
		}
		if status := header.FragmentStatus([]byte(fragment)); status < 0 || status > 999 {
			t.Errorf("%q has status %d", fragment, status)
		}
	})
}
