package transaction

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// requestURIMax is the longest Request-URI we take; those of phones have less than a hundred characters.
const requestURIMax = 4096

// knownMethods are those of the IANA registry: one of them that the user does not allow is 405, any other is 501.
var knownMethods = []string{
	"ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER", "REGISTER",
	"SUBSCRIBE", "UPDATE",
}

// A rule is one reason to refuse a request before the user sees it.
type rule struct {
	status int
	source string // where it is written
	// broken says what is wrong in our own words, for the reason phrase; empty if nothing is.
	broken func(*Layer, *sip.Request) string
}

// early are the rules that only need the request line, so that they also hold for a request with a Fault.
var early = []rule{
	{505, "RFC 3261 21.5.6: the server does not support the SIP protocol version", func(_ *Layer, r *sip.Request) string {
		return when(r.SipVersion != "SIP/2.0", "Version Not Supported")
	}},
	{501, "RFC 3261 21.5.2: the UAS does not recognize the request method", func(_ *Layer, r *sip.Request) string {
		return when(!slices.Contains(knownMethods, string(r.Method)), "Not Implemented")
	}},
}

// late are the rules for requests that could be read.
var late = []rule{
	{400, "RFC 3261 8.1.1: To, From, CSeq, Call-ID, Max-Forwards and Via are mandatory", missing},
	{400, "RFC 3261 7.3.1: only fields that are lists may appear more than once", repeated},
	{400, "RFC 3261 8.1.1.5: the method of CSeq MUST match that of the request", func(_ *Layer, r *sip.Request) string {
		return when(r.CSeq().MethodName != r.Method, "CSeq Method Mismatch")
	}},
	{400, "RFC 3261 8.1.1.3: the From field MUST contain a tag; RFC 2543 had none", func(_ *Layer, r *sip.Request) string {
		branch, _ := topVia(r).Params.Get("branch")
		return when(tagOf(r, "From") == "" && strings.HasPrefix(branch, magicCookie), "Missing From Tag")
	}},
	{400, "RFC 3261 19.1.1 table 1: header fields are not allowed in a Request-URI", func(_ *Layer, r *sip.Request) string {
		return when(len(r.Recipient.Headers) > 0, "Header Fields in Request-URI")
	}},
	{405, "RFC 3261 8.2.1: method recognized but not supported", func(l *Layer, r *sip.Request) string {
		allowed := len(l.set.Methods) == 0 || slices.Contains(l.set.Methods, string(r.Method))
		return when(!allowed && r.Method != sip.CANCEL && r.Method != sip.ACK, "Method Not Allowed")
	}},
	{416, "RFC 3261 8.2.2.1: scheme of the Request-URI not supported", func(_ *Layer, r *sip.Request) string {
		return when(r.Recipient.Scheme != "sip" && r.Recipient.Scheme != "sips", "Unsupported URI Scheme")
	}},
	{414, "RFC 3261 21.4.12: Request-URI longer than the server is willing to interpret", func(_ *Layer, r *sip.Request) string {
		return when(len(r.Recipient.String()) > requestURIMax, "Request-URI Too Long")
	}},
	{420, "RFC 3261 8.2.2.3: an option tag in Require that is not understood", func(l *Layer, r *sip.Request) string {
		return when(len(l.unsupported(r)) > 0, "Bad Extension")
	}},
	// No rule for Max-Forwards 0: RFC 4475 3.3.11, an endpoint processes the request as if it were positive.
}

// check returns the response to a request that must be refused, or nil.
func (l *Layer) check(r *sip.Request, fault *message.Fault) *sip.Response {
	rules := early
	if fault == nil {
		rules = append(early[:len(early):len(early)], late...)
	}
	for _, rule := range rules {
		if reason := rule.broken(l, r); reason != "" {
			return l.refuse(r, rule.status, reason)
		}
	}
	if fault != nil {
		return l.refuse(r, fault.Status, fault.Reason)
	}
	return nil
}

func (l *Layer) refuse(r *sip.Request, status int, reason string) *sip.Response {
	switch status {
	case 405, 501: // RFC 3261 section 21.4.6: the response MUST include Allow
		methods := l.set.Methods
		if len(methods) == 0 {
			methods = knownMethods
		}
		return l.reply(r, status, reason, sip.NewHeader("Allow", strings.Join(methods, ", ")))
	case 420: // RFC 3261 section 8.2.2.3
		return l.reply(r, status, reason, sip.NewHeader("Unsupported", strings.Join(l.unsupported(r), ", ")))
	}
	return l.reply(r, status, reason)
}

// missing finds an absent mandatory field. Max-Forwards is let go: RFC 2543 did not have it, and section 8.1.1.6
// lets a proxy add it.
func missing(_ *Layer, r *sip.Request) string {
	for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
		if r.GetHeader(name) == nil {
			return "Missing " + name
		}
	}
	return ""
}

func repeated(_ *Layer, r *sip.Request) string {
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type"} {
		if len(r.GetHeaders(name)) > 1 {
			return "Repeated " + name
		}
	}
	return ""
}

// unsupported are the option tags of Require that the user does not know.
func (l *Layer) unsupported(r *sip.Request) []string {
	// RFC 3261 section 8.2.2.3: Require is ignored in CANCEL and in ACK.
	if r.Method == sip.CANCEL || r.Method == sip.ACK {
		return nil
	}
	var unknown []string
	for _, h := range r.GetHeaders("Require") {
		for tag := range strings.SplitSeq(h.Value(), ",") {
			tag = strings.ToLower(strings.TrimSpace(tag))
			if tag != "" && !slices.Contains(l.set.Extensions, tag) {
				unknown = append(unknown, tag)
			}
		}
	}
	return unknown
}

func when(broken bool, reason string) string {
	if broken {
		return reason
	}
	return ""
}
