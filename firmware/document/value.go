package document

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Scalar is one value: its text as written (numbers keep their leading zeros) and where it stands.
type Scalar struct {
	Text string
	Path string // "accounts[0].user", for messages
	At   Position
	Set  bool // false: the key is not in the file
}

// Need lists a key that has no default and is not there.
func (p *Problems) Need(at Position, path, key string, s Scalar) {
	if !s.Set {
		p.Add(at, "%s.%s is missing", path, key)
	}
}

// Value parses one value over its default, and reports whether there was a good one.
func Value[T any](p *Problems, into *T, s Scalar, parse func(string) (T, error)) bool {
	if !s.Set {
		return false
	}
	v, err := parse(s.Text)
	if err != nil {
		p.Add(s.At, "%s %v", s.Path, err)
		return false
	}
	*into = v
	return true
}

// Choice takes one of a few words.
func Choice[T ~string](p *Problems, into *T, s Scalar, allowed ...T) bool {
	return Value(p, into, s, func(text string) (T, error) {
		if slices.Contains(allowed, T(text)) {
			return T(text), nil
		}
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = string(a)
		}
		return "", fmt.Errorf("is %s; allowed: %s", Excerpt(text), strings.Join(words, ", "))
	})
}

// Excerpt quotes a value for a message, not more than anybody reads.
func Excerpt(text string) string {
	if r := []rune(text); len(r) > 40 {
		text = string(r[:40]) + "…"
	}
	return strconv.Quote(text)
}

// ParseBool takes true and false, as YAML 1.2 does; yes and on are words.
func ParseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("is %s; allowed: true, false", Excerpt(text))
	}
	return text == "true", nil
}

// TextOf takes a text that passes the check.
func TextOf(check func(string) error) func(string) (string, error) {
	return func(text string) (string, error) { return text, check(text) }
}

// NumberOf takes a whole number in a range.
func NumberOf(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("is %s; allowed: a whole number from %d to %d", Excerpt(text), least, most)
		}
		return n, nil
	}
}

// DurationOf takes a time with its unit, in a range; off allows 0 beside it.
func DurationOf(least, most time.Duration, off bool) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err == nil && (d >= least && d <= most || d == 0 && off) {
			return d, nil
		}
		allowed := fmt.Sprintf("%s to %s", words(least), words(most))
		if off {
			allowed += ", or 0"
		}
		unit := ""
		if _, numeric := strconv.Atoi(text); err != nil && numeric == nil {
			unit = " without a unit"
		}
		return 0, fmt.Errorf("is %s%s; allowed: %s, written as 90s, 15m or 24h", Excerpt(text), unit, allowed)
	}
}

// words is a duration without its zero parts: 24h0m0s is 24h.
func words(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// CheckNumber takes what a keypad can dial, and a leading plus.
func CheckNumber(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return CheckDigits(text)
}

// CheckDigits is CheckNumber for a number that may be empty.
func CheckDigits(text string) error {
	if len(text) > 32 || strings.Trim(strings.TrimPrefix(text, "+"), "0123456789*#") != "" {
		return fmt.Errorf("is %s; allowed: at most 32 digits, * and #, with a + only in front", Excerpt(text))
	}
	return nil
}
