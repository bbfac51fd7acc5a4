package ua

import (
	"slices"
	"strconv"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/header"
)

// Statuses that sipgo has no name for.
const (
	statusIntervalTooSmall = 422 // RFC 4028
	statusBadInfoPackage   = 469 // RFC 6086
	statusBadEvent         = 489 // RFC 6665
	statusDecline          = 603 // RFC 3261
)

// causeOf says why an INVITE of ours was refused. rang tells that the callee had been ringing.
func causeOf(status int, rang bool) sip.Cause {
	switch {
	case status == 401, status == 407:
		return sip.WrongPassword
	case status == 486, status == 600:
		return sip.Busy
	case status == 403, status == 603, status == 433, status == 607:
		return sip.Rejected
	case status == 404, status == 410, status == 484, status == 485, status == 604:
		return sip.NotFound
	case status == 415, status == 488, status == 606:
		return sip.NoCommonCodec
	case rang && (status == 408 || status == 480 || status == 487):
		return sip.NoAnswer
	case status == 480, status >= 300 && status < 400:
		return sip.Unavailable
	case status == 408:
		return sip.Unreachable
	}
	return sip.ServerError
}

// reasonCauses finds the causes of a protocol in Reason header fields (RFC 3326): "SIP", "Q.850".
func reasonCauses(message interface{ GetHeaders(string) []sipgo.Header }, protocol string) []int {
	var causes []int
	for _, value := range header.Tokens(message, "reason") {
		name, params := header.Field(value)
		if cause, err := strconv.Atoi(params["cause"]); err == nil && name == protocol {
			causes = append(causes, cause)
		}
	}
	return causes
}

// causeOfCancel tells a caller who gave up from a call that somebody else took: RFC 3326 section 2 names SIP 200 as
// "Call completed elsewhere", ISDN has cause 26, "non-selected user clearing".
func causeOfCancel(cancel *sipgo.Request) sip.Cause {
	if cancel != nil && (slices.Contains(reasonCauses(cancel, "SIP"), 200) || slices.Contains(reasonCauses(cancel, "Q.850"), 26)) {
		return sip.Elsewhere
	}
	return sip.CallerGaveUp
}

// causeOfBye tells a peer who hung up from an exchange that heard nothing of us (Asterisk's rtp_timeout says Q.850
// cause 44, "requested circuit/channel not available").
func causeOfBye(bye *sipgo.Request) sip.Cause {
	if slices.Contains(reasonCauses(bye, "Q.850"), 44) {
		return sip.MediaLost
	}
	return sip.Normal
}
