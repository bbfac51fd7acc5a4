package message

import "strings"

// The character classes of RFC 3261 section 25.1.

func isLWS(c byte) bool { return c == ' ' || c == '\t' }

func isAlphanum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isToken(s string) bool {
	for i := range len(s) {
		if !isAlphanum(s[i]) && strings.IndexByte("-.!%*_+`'~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isTokens is for display names: tokens and white space. Letters beyond ASCII, strictly only allowed in quotes,
// are let through: they are unambiguous and people have names.
func isTokens(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x80 && !isLWS(c) && !isToken(string(c)) {
			return false
		}
	}
	return true
}

func isScheme(s string) bool {
	for i := range len(s) {
		if !isAlphanum(s[i]) && strings.IndexByte("+-.", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isHostname also lets an underscore pass: the names of containers have it.
func isHostname(s string) bool {
	for i := range len(s) {
		if !isAlphanum(s[i]) && strings.IndexByte("-._", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isHost is isHostname or an IPv6 reference in brackets.
func isHost(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return strings.Trim(s[1:len(s)-1], "0123456789abcdefABCDEF:.") == ""
	}
	return isHostname(s)
}

func isVersion(s string) bool {
	if len(s) < 7 || !strings.EqualFold(s[:4], "SIP/") {
		return false
	}
	major, minor, ok := strings.Cut(s[4:], ".")
	return ok && isDigits(major) && isDigits(minor)
}

// hasControl finds what must not stand in a line: NUL, CR, LF and the other controls except HT.
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

func withoutControl(s string) string {
	return strings.Map(func(r rune) rune {
		if hasControl(string(r)) {
			return ' '
		}
		return r
	}, s)
}
