package font

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"freizeichen/device/screen/font/internal/latin"
)

// Clean makes text from the network fit to be shown on one line and read aloud: letters and accents that come
// apart are put together (u + U+0308 becomes ü), control characters and line ends become single spaces,
// what changes the direction of text is taken out (it could make a number read backwards), and bytes that
// are not UTF-8 become U+FFFD. Spaces at both ends go. Clean text is returned as it is.
func Clean(text string) string {
	if isClean(text) {
		return text
	}
	out := make([]byte, 0, len(text))
	last, at := rune(0), 0 // the rune written last, and where it begins
	for _, r := range text {
		letter, composed := latin.Compose(last, r)
		switch {
		case composed:
			out, r = out[:at], letter
		case r == '\u00ad' || r != '\u200d' && unicode.Is(unicode.Cf, r): // soft hyphen, direction; U+200D joins emoji
			continue
		case unicode.IsControl(r) || unicode.IsSpace(r):
			if r = ' '; last == ' ' || len(out) == 0 {
				continue
			}
		}
		last, at = r, len(out)
		out = utf8.AppendRune(out, r)
	}
	return strings.TrimRight(string(out), " ")
}

// headMax is how many bytes of a text CleanHead looks at: more than any panel shows of one, and few enough that a hostile
// one costs no time.
const headMax = 400

// CleanHead is Clean of the beginning of text, which may be of any length.
func CleanHead(text string) string {
	if len(text) > headMax {
		end := headMax
		for end > headMax-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return Clean(text)
}

// isClean reports whether Clean has nothing to do; false is always safe.
func isClean(text string) bool {
	previous := rune(' ')
	for _, r := range text {
		if r < ' ' || r == ' ' && previous == ' ' || r >= 0x7f && r <= 0xa0 || r == 0xad || r >= 0x300 || r == utf8.RuneError {
			return false
		}
		previous = r
	}
	return text == "" || previous != ' '
}

// transliterations are what is written for a rune without a glyph; they never change. ẞ becomes SS, as in German passports.
var transliterations = map[rune]string{
	'\u00a0': " ", '\u2007': " ", '\u2009': " ", '\u202f': " ",
	'‐': "-", '‑': "-", '‒': "-", '−': "-", '¬': "-", '¯': "-", '―': "—",
	'′': "'", '´': "'", 'ʼ': "'", 'ʹ': "'", '″': `"`, '¨': `"`, '‛': "‘", '¸': ",", '¦': "|",
	'∙': "•", '⋅': "•", '×': "x", '©': "(c)", '®': "(R)", '™': "TM", '№': "Nr.",
	'¼': "1/4", '½': "1/2", '¾': "3/4", '¹': "1", '²': "2", '³': "3", 'ª': "a", 'º': "o",
	'µ': "u", '¢': "c", '¥': "Y", 'ƒ': "f",
	'ẞ': "SS", 'Æ': "AE", 'æ': "ae", 'Œ': "OE", 'œ': "oe", 'Ĳ': "IJ", 'ĳ': "ij", 'Þ': "Th", 'þ': "th",
	'ŉ': "'n", 'ﬀ': "ff", 'ﬁ': "fi", 'ﬂ': "fl", 'ﬃ': "ffi", 'ﬄ': "ffl",
	'Ð': "D", 'ð': "d", 'Đ': "D", 'đ': "d", 'Ħ': "H", 'ħ': "h", 'Ł': "L", 'ł': "l", 'Ŧ': "T", 'ŧ': "t",
	'Ŋ': "N", 'ŋ': "n", 'ĸ': "k", 'ſ': "s", 'ı': "i", 'Ŀ': "L", 'ŀ': "l",
	'Ĕ': "E", 'ĕ': "e", 'Ĭ': "I", 'ĭ': "i", 'Ŏ': "O", 'ŏ': "o", 'Ŵ': "W", 'ŵ': "w", 'Ŷ': "Y", 'ŷ': "y",
	'Ș': "Ş", 'ș': "ş", 'Ț': "Ţ", 'ț': "ţ",
}
