// Package header reads and writes the header fields of SIP that sipgo leaves as text: parameters, lists, addresses,
// quoted strings (RFC 3261 section 25.1). It reads what arrives from the network, so nothing here fails: what
// cannot be read is left out. Pure; it knows nothing of dialogs or calls.
//
//	Diversion: "Kreis Wesel" <sip:02812070@pbx>;reason=unconditional, <sip:115@pbx>
//	           +-- Name ---+  +----- URI -----+ +------ Params -----+  +- next Address
package header

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"
)

// Values are the texts of all header fields with one of the names: the long one and, where there is one, the compact
// form (RFC 3261 section 7.3.3).
func Values(message interface{ GetHeaders(string) []sip.Header }, names ...string) []string {
	var values []string
	for _, name := range names {
		for _, h := range message.GetHeaders(name) {
			values = append(values, h.Value())
		}
	}
	return values
}

// First is the text of the first of these header fields, or "".
func First(message interface{ GetHeaders(string) []sip.Header }, names ...string) string {
	if values := Values(message, names...); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Has reports whether a comma-separated list (Require, Supported, Allow) holds token, whatever its case.
func Has(message interface{ GetHeaders(string) []sip.Header }, token string, names ...string) bool {
	for _, t := range Tokens(message, names...) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// Tokens is the content of all these header fields as one list, without empty elements.
func Tokens(message interface{ GetHeaders(string) []sip.Header }, names ...string) []string {
	var tokens []string
	for _, value := range Values(message, names...) {
		tokens = append(tokens, Split(value, ',')...)
	}
	return tokens
}

// Split cuts s at every separator that stands outside of quoted strings and angle brackets, trims the pieces and
// leaves out empty ones.
func Split(s string, separator byte) []string {
	var pieces []string
	start, quoted, bracketed := 0, false, false
	add := func(piece string) {
		if piece = strings.TrimSpace(piece); piece != "" {
			pieces = append(pieces, piece)
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++ // quoted-pair
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracketed = true
		case c == '>':
			bracketed = false
		case c == separator && !bracketed:
			add(s[start:i])
			start = i + 1
		}
	}
	add(s[start:])
	return pieces
}

// Params are the parameters of a header field, names in lower case, values without quotes.
type Params map[string]string

// Field cuts a header field's text into its value and its ";name=value" parameters.
func Field(s string) (string, Params) {
	pieces := Split(s, ';')
	if len(pieces) == 0 {
		return "", nil
	}
	if strings.HasPrefix(strings.TrimSpace(s), ";") {
		return "", params(pieces)
	}
	return pieces[0], params(pieces[1:])
}

func params(pieces []string) Params {
	p := make(Params, len(pieces))
	for _, piece := range pieces {
		name, value, _ := strings.Cut(piece, "=")
		p[strings.ToLower(strings.TrimSpace(name))] = Unquote(strings.TrimSpace(value))
	}
	return p
}

// Seconds reads delta-seconds (RFC 3261 section 25.1), at most most. It reports false for other text.
func Seconds(text string, most time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return min(time.Duration(n)*time.Second, most), err == nil
}

// WriteSeconds is the inverse of Seconds.
func WriteSeconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// IsSDP reports whether the body of a message is a session description that can be read as it stands.
func IsSDP(message interface {
	GetHeaders(string) []sip.Header
	Body() []byte
}) bool {
	kind, _ := Field(First(message, "content-type", "c"))
	encoding := First(message, "content-encoding", "e")
	return len(message.Body()) > 0 && strings.EqualFold(kind, "application/sdp") &&
		(encoding == "" || strings.EqualFold(encoding, "identity"))
}

// Unquote is the content of a quoted string; other text is returned as it is.
func Unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return Unescape(s[1 : len(s)-1])
}

// Unescape removes the backslashes of quoted pairs (RFC 3261 section 25.1).
func Unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Escape makes a text fit to stand between the quotes of a quoted string. Control characters, CR and LF among them,
// are removed: nothing that people or directories supply can begin a header field.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Text(s, 0))
}

// Text makes a text from the network fit for a panel: valid UTF-8, no control or formatting characters (the latter
// can turn a name around), single spaces, at most runes runes (0: no bound).
func Text(s string, runes int) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.C):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes > 0 && utf8.RuneCountInString(s) > runes {
		s = strings.TrimSpace(string([]rune(s)[:runes]))
	}
	return s
}
