package knowledge

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"freizeichen/firmware"
	"freizeichen/firmware/document"
)

// What fits a panel of 128x64 pixels, which shows 21 characters in a line and 6 lines in a page: a line of a card takes
// three of its lines, a greeting and a notice can be read at a glance.
const (
	idMax     = 32
	nameMax   = 32
	lineMax   = 64
	noticeMax = 160
	// cardMax is the lines of text and papers of one card, together: a dozen pages.
	cardMax = 24
	// numberMax are the digits of a number (ITU-T E.164 has 15, and a prefix).
	numberMax = 20
	// dayMax is how long an entry of the day may hold, in days; what is longer is no news.
	dayMax = 92
)

// phrase takes a text of at most so many characters that a panel shows as it stands.
func phrase(most int) func(string) (string, error) {
	return func(text string) (string, error) {
		switch n := utf8.RuneCountInString(text); {
		case strings.TrimSpace(text) == "":
			return "", errors.New("must not be empty")
		case n > most:
			return "", fmt.Errorf("is %d characters long, at most %d fit the panel", n, most)
		case strings.TrimSpace(text) != text:
			return "", errors.New("begins or ends with a space")
		}
		for _, r := range text {
			switch {
			case r < ' ' || r == 0x7f:
				return "", errors.New("must be one line without control characters")
			case unicode.Is(unicode.M, r):
				return "", fmt.Errorf("holds an accent apart from its letter (U+%04X): write é or ü as one character", r)
			case !unicode.IsPrint(r):
				return "", fmt.Errorf("holds a character that no panel shows (U+%04X)", r)
			}
		}
		return text, nil
	}
}

// parseID takes an identifier.
func parseID(text string) (string, error) {
	if text == "" || len(text) > idMax || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("is %s; allowed: 1 to %d small letters a-z, digits and -", document.Excerpt(text), idMax)
	}
	return text, nil
}

// parseNumber takes a number that citizens dial.
func parseNumber(text string) (string, error) {
	if len(text) < 2 || len(text) > numberMax || strings.Trim(text, "0123456789") != "" {
		return "", fmt.Errorf("is %s; allowed: 2 to %d digits without spaces, as 02812070", document.Excerpt(text), numberMax)
	}
	return text, nil
}

const (
	dayForm    = "2006-01-02"
	momentForm = "2006-01-02 15:04"
)

// parseDay takes a date and gives its midnight.
func parseDay(text string) (time.Time, error) {
	t, err := time.ParseInLocation(dayForm, text, firmware.Place())
	if err != nil {
		return time.Time{}, fmt.Errorf("is %s; allowed: a date as 2026-11-30", document.Excerpt(text))
	}
	return t, nil
}

// parseMoment takes a date, or a date and a time of day; day tells which.
func parseMoment(text string) (at time.Time, day bool, err error) {
	if t, err := time.ParseInLocation(momentForm, text, firmware.Place()); err == nil {
		return t, false, nil
	}
	if t, err := time.ParseInLocation(dayForm, text, firmware.Place()); err == nil {
		return t, true, nil
	}
	return time.Time{}, false, fmt.Errorf("is %s; allowed: a date as 2026-11-30, or with a time of day as 2026-11-30 14:00", document.Excerpt(text))
}

// midnightAfter is the end of the day that t lies in, in the place.
func midnightAfter(t time.Time) time.Time {
	year, month, day := t.In(firmware.Place()).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, firmware.Place())
}

// weekdays are the days as people write them, from Monday.
var weekdays = []struct {
	word string
	day  time.Weekday
}{
	{"Mo", time.Monday}, {"Di", time.Tuesday}, {"Mi", time.Wednesday}, {"Do", time.Thursday}, {"Fr", time.Friday},
	{"Sa", time.Saturday}, {"So", time.Sunday},
}

const hoursForm = "days and spans, as Mo-Do 8:00-12:00 14:00-16:00"

// parseHours takes one line of opening hours: "Mo-Fr 7:30-18:00", "Mo,Mi 8:00-12:00 14:00-16:00".
func parseHours(text string) (week [7][]firmware.Span, err error) {
	words := strings.Fields(text)
	if len(words) < 2 || len(words) > 5 {
		return week, fmt.Errorf("is %s; allowed: %s, at most four spans", document.Excerpt(text), hoursForm)
	}
	days, err := parseDays(words[0])
	if err != nil {
		return week, err
	}
	var spans []firmware.Span
	for _, word := range words[1:] {
		span, err := parseSpan(word)
		if err != nil {
			return week, err
		}
		if last := len(spans) - 1; last >= 0 && span.From < spans[last].Until {
			return week, fmt.Errorf("has a span %s that begins before the one in front of it ends", document.Excerpt(word))
		}
		spans = append(spans, span)
	}
	for _, day := range days {
		if week[day] != nil {
			return week, fmt.Errorf("names a day twice in %s", document.Excerpt(words[0]))
		}
		week[day] = spans
	}
	return week, nil
}

// parseDays takes "Mo", "Mo-Fr", "Mo,Mi-Fr".
func parseDays(text string) ([]time.Weekday, error) {
	index := func(word string) int {
		for i, d := range weekdays {
			if d.word == word {
				return i
			}
		}
		return -1
	}
	var days []time.Weekday
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		i, j := index(first), index(last)
		if i < 0 || j < i {
			return nil, fmt.Errorf("has the days %s; allowed: Mo Di Mi Do Fr Sa So, as Mo-Fr or Mo,Mi", document.Excerpt(text))
		}
		for _, d := range weekdays[i : j+1] {
			days = append(days, d.day)
		}
	}
	return days, nil
}

// parseSpan takes "7:30-18:00"; 24:00 is the end of the day.
func parseSpan(text string) (firmware.Span, error) {
	first, last, found := strings.Cut(text, "-")
	from, ok := parseClock(first)
	until, okUntil := parseClock(last)
	if !found || !ok || !okUntil {
		return firmware.Span{}, fmt.Errorf("has the span %s; allowed: two times of day, as 7:30-18:00", document.Excerpt(text))
	}
	if until <= from {
		return firmware.Span{}, fmt.Errorf("has the span %s, which ends before it begins", document.Excerpt(text))
	}
	return firmware.Span{From: from, Until: until}, nil
}

// parseClock takes "7:30", "07:30" and "24:00".
func parseClock(text string) (time.Duration, bool) {
	hour, minute, found := strings.Cut(text, ":")
	h, okHour := twoDigits(hour)
	m, okMinute := twoDigits(minute)
	if !found || !okHour || !okMinute || len(minute) != 2 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, true
}

func twoDigits(text string) (n int, ok bool) {
	if len(text) < 1 || len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	for _, r := range text {
		n = 10*n + int(r-'0')
	}
	return n, true
}
