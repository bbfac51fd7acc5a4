package header

import (
	"net/url"
	"strings"
)

// A Replaces names the dialog that a new call takes the place of (RFC 3891 section 6.1). The tags are those of the side
// that gets the INVITE: ToTag is its own, FromTag its peer's.
type Replaces struct {
	CallID, ToTag, FromTag string
}

// ParseReplaces reads the value of a Replaces header field; false unless it names one dialog.
func ParseReplaces(s string) (Replaces, bool) {
	callID, rest, _ := strings.Cut(s, ";") // a Call-ID may hold quotes and angle brackets that mean nothing, never a ";"
	_, params := Field(";" + rest)
	r := Replaces{CallID: strings.TrimSpace(callID), ToTag: params["to-tag"], FromTag: params["from-tag"]}
	// Section 6.1: exactly one to-tag and exactly one from-tag; a Call-ID with a comma would be a second dialog.
	return r, r.CallID != "" && r.ToTag != "" && r.FromTag != "" && !strings.ContainsAny(r.CallID, ", \t")
}

// ReplacesOf reads the Replaces that the header part of a SIP URI asks for (RFC 3261 section 19.1.1); false without one,
// or with more than one.
func ReplacesOf(uri string) (r Replaces, ok bool) {
	_, query, _ := strings.Cut(uri, "?")
	for piece := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if !strings.EqualFold(name, "replaces") {
			continue
		}
		plain, err := url.PathUnescape(value)
		if ok || err != nil {
			return Replaces{}, false
		}
		if r, ok = ParseReplaces(plain); !ok {
			return Replaces{}, false
		}
	}
	return r, ok
}

// HasReplaces tells a URI that asks for a Replaces, good or bad, from one that does not.
func HasReplaces(uri string) bool {
	_, query, _ := strings.Cut(uri, "?")
	for piece := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(piece, "="); strings.EqualFold(name, "replaces") {
			return true
		}
	}
	return false
}

// String is the value of the header field.
func (r Replaces) String() string {
	return r.CallID + ";to-tag=" + r.ToTag + ";from-tag=" + r.FromTag
}

// Within is a SIP URI without header part that asks for the Replaces: for Refer-To, between angle brackets.
func (r Replaces) Within(uri string) string {
	return uri + "?Replaces=" + escape(r.String())
}

// escape writes all but the unreserved characters of RFC 3261 section 25.1 as %HH: a ";" or "@" would end the value.
func escape(s string) string {
	const unreserved = "-_.!~*'()"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte(unreserved, c) >= 0:
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
