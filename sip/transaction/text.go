package transaction

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textMax bounds what a person may put in a message, in runes: more than any name or subject needs.
const textMax = 256

// Text makes of anything typed or received what may stand as the value of a header field such as Subject: one line,
// without control characters, of valid UTF-8, at most 256 runes.
func Text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > textMax {
		s = strings.TrimSpace(string([]rune(s)[:textMax]))
	}
	return s
}

// DisplayName is Text for the DisplayName of sipgo's headers: quotes and backslashes are escaped (RFC 3261 section
// 25.1, quoted-pair), for sipgo puts quotes around it without looking.
func DisplayName(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Text(s))
}

// PlainName undoes the escapes of a DisplayName that was received, and makes it safe to show.
func PlainName(display string) string {
	var b strings.Builder
	for i := 0; i < len(display); i++ {
		if display[i] == '\\' && i+1 < len(display) {
			i++
		}
		b.WriteByte(display[i])
	}
	return Text(b.String())
}

// UserPart makes of a dialled string the user part of a SIP URI: what RFC 3261 section 25.1 does not allow there is
// escaped with "%", and so are slash, comma and question mark, which are allowed but which parsers stumble over.
// Control characters become spaces.
func UserPart(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(Text(s)) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()&=+$", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// PlainUser undoes the escapes of a user part that was received, and makes it safe to show and to dial.
func PlainUser(user string) string {
	var b strings.Builder
	for i := 0; i < len(user); i++ {
		c := user[i]
		if c == '%' && i+2 < len(user) {
			if n, err := strconv.ParseUint(user[i+1:i+3], 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		b.WriteByte(c)
	}
	return Text(b.String())
}

// Token leaves of a string what may stand in a token (RFC 3261 section 25.1): parameter values, option tags.
func Token(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-.!%*_+`'~", r)) {
			return r
		}
		return -1
	}, s)
}
