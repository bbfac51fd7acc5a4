package dialog

import "github.com/emiago/sipgo/sip"

// Response builds a response to request with our tag in To and the usual reason phrase (RFC 3261 section 8.2.6).
// A To that has a tag keeps it; a 100 gets none. Record-Route is copied where a dialog can come of it (section 12.1.1).
// Contact, which a 101 to 299 to an INVITE needs, is the caller's to append.
func Response(request *sip.Request, status int, localTag string) *sip.Response {
	response := sip.NewResponseFromRequest(request, status, ReasonPhrase(status), nil)
	if to := request.To(); to != nil && tagOf(to.Params) == "" && status > sip.StatusTrying && localTag != "" {
		response.To().Params.Add("tag", localTag)
	}
	return response
}

// ReasonPhrase is the phrase of RFC 3261 section 21 and its extensions; the class's name for a status without one.
func ReasonPhrase(status int) string {
	if phrase, ok := reasonPhrases[status]; ok {
		return phrase
	}
	classes := [...]string{"Unknown", "Progress", "OK", "Redirection", "Client Error", "Server Error", "Global Failure"}
	return classes[min(max(status/100, 0), len(classes)-1)]
}

// reasonPhrases holds what this program sends, or reads in a message/sipfrag.
var reasonPhrases = map[int]string{
	100: "Trying",
	180: "Ringing",
	181: "Call Is Being Forwarded",
	182: "Queued",
	183: "Session Progress",
	200: "OK",
	202: "Accepted",
	301: "Moved Permanently",
	302: "Moved Temporarily",
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	404: "Not Found",
	405: "Method Not Allowed",
	407: "Proxy Authentication Required",
	408: "Request Timeout",
	415: "Unsupported Media Type",
	420: "Bad Extension",
	422: "Session Interval Too Small",
	423: "Interval Too Brief",
	469: "Bad Info Package",
	480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist",
	484: "Address Incomplete",
	486: "Busy Here",
	487: "Request Terminated",
	488: "Not Acceptable Here",
	489: "Bad Event",
	491: "Request Pending",
	500: "Server Internal Error",
	501: "Not Implemented",
	503: "Service Unavailable",
	600: "Busy Everywhere",
	603: "Decline",
	604: "Does Not Exist Anywhere",
}
