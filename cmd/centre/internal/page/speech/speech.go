// Package speech says the texts of the supervisor's page and of the wallboard, in German and English. Pure.
package speech

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Languages are those of the page, the default first; an index into the texts of words.
var Languages = []string{"de", "en"}

// Preferred is the language of ours that an Accept-Language field prefers (RFC 9110 section 12.5.4).
func Preferred(field string) string {
	best, most := Languages[0], 0.0
	for i, entry := range strings.Split(field, ",") {
		if i >= 20 {
			break // no person speaks more
		}
		name, parameter, _ := strings.Cut(entry, ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			value, err := strconv.ParseFloat(q, 64)
			if err != nil {
				continue
			}
			weight = value
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "-")
		if weight > most && weight <= 1 && slices.Contains(Languages, primary) {
			best, most = primary, weight
		}
	}
	return best
}

// A Speech speaks one language, by the clock of one place.
type Speech struct {
	Language string // one of Languages
	Place    *time.Location
}

// Other is the language besides this one.
func (s Speech) Other() string { return Languages[1-slices.Index(Languages, s.Language)] }

// Text is Say for templates: a key that is missing is an error.
func (s Speech) Text(key string, with ...any) (string, error) {
	if _, ok := words[key]; !ok {
		return "", fmt.Errorf("speech: there is no text %q", key)
	}
	return s.Say(key, with...), nil
}

// Say is a text of the catalogue; with fills its places.
func (s Speech) Say(key string, with ...any) string {
	text := words[key][slices.Index(Languages, s.Language)]
	if len(with) == 0 {
		return text
	}
	return fmt.Sprintf(text, with...)
}

// Count is a text for one or for many: key-one, key-many.
func (s Speech) Count(key string, n int) string {
	if n == 1 {
		return s.Say(key + "-one")
	}
	return s.Say(key+"-many", n)
}

// Clock is a time of today.
func (s Speech) Clock(t time.Time) string { return t.In(s.Place).Format("15:04") }

// Moment is a time of any day, seen from another: the day is said when it is not the same.
func (s Speech) Moment(now, t time.Time) string {
	now, t = now.In(s.Place), t.In(s.Place)
	if now.YearDay() == t.YearDay() && now.Year() == t.Year() {
		return s.Clock(t)
	}
	day := strings.Fields(s.Say("weekdays"))[t.Weekday()]
	return day + " " + t.Format(s.Say("date")) + " " + s.Clock(t)
}

// Waited is a duration as a clock counts it: 0:07, 12:30, 1:02:12.
func Waited(d time.Duration) string {
	seconds := int(max(0, d) / time.Second)
	if seconds < 3600 {
		return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// Whole is a duration in seconds, for scripts.
func Whole(d time.Duration) int { return int(max(0, d) / time.Second) }

// Seconds is the window of a promise: "30 s". The space does not break.
func (s Speech) Seconds(d time.Duration) string { return fmt.Sprintf("%d\u00a0s", Whole(d)) }

// Percent is a percentage.
func (s Speech) Percent(n int) string {
	if s.Language == "de" {
		return fmt.Sprintf("%d\u00a0%%", n) // DIN 5008: with a space, that does not break
	}
	return fmt.Sprintf("%d%%", n)
}
