package page

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// languages are those of the page, the default first; an index into the texts of words.
var languages = []string{"de", "en"}

// languageCookie remembers what was chosen. It says nothing about anybody.
const languageCookie = "language"

// chosen is the language of a request: what was chosen now, what was chosen before, what the browser prefers, German.
func chosen(w http.ResponseWriter, r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); slices.Contains(languages, asked) {
		if cookie, err := r.Cookie(languageCookie); err != nil || cookie.Value != asked {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: asked, Path: "/", MaxAge: int(boardRemind.Seconds()),
				Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		return asked
	}
	if cookie, err := r.Cookie(languageCookie); err == nil && slices.Contains(languages, cookie.Value) {
		return cookie.Value
	}
	return preferred(r.Header.Get("Accept-Language"))
}

// preferred is the language of ours that an Accept-Language field prefers (RFC 9110 section 12.5.4).
func preferred(field string) string {
	best, most := languages[0], 0.0
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
		if weight > most && weight <= 1 && slices.Contains(languages, primary) {
			best, most = primary, weight
		}
	}
	return best
}

// speech speaks one language, by the clock of one place.
type speech struct {
	language string
	place    *time.Location
}

// functions are those of the templates.
func (s speech) functions() template.FuncMap {
	return template.FuncMap{
		"t": s.template, "n": s.count, "clock": s.clock, "moment": s.moment, "wait": waited, "whole": whole, "seconds": s.seconds, "percent": s.percent,
		"old": s.old, "pbx": s.pbx, "level": s.level, "formula": s.formula, "hex": func(hash [32]byte) string { return hex.EncodeToString(hash[:]) },
		"lang": func() string { return s.language }, "other": s.other, "iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"dated": func(t time.Time) string { return s.moment(time.Time{}, t) }, "columns": columns,
	}
}

func (s speech) other() string { return languages[1-slices.Index(languages, s.language)] }

// template is say for templates: a key that is missing is an error.
func (s speech) template(key string, with ...any) (string, error) {
	if _, ok := words[key]; !ok {
		return "", errors.New("there is no text " + key)
	}
	return s.say(key, with...), nil
}

// say is a text of the catalogue; with fills its places.
func (s speech) say(key string, with ...any) string {
	text := words[key][slices.Index(languages, s.language)]
	if len(with) == 0 {
		return text
	}
	return fmt.Sprintf(text, with...)
}

// count is a text for one or for many: key-one, key-many.
func (s speech) count(key string, n int) string {
	if n == 1 {
		return s.say(key + "-one")
	}
	return s.say(key+"-many", n)
}

// clock is a time of today.
func (s speech) clock(t time.Time) string { return t.In(s.place).Format("15:04") }

// moment is a time of any day, seen from another: the day is said when it is not the same.
func (s speech) moment(now, t time.Time) string {
	now, t = now.In(s.place), t.In(s.place)
	if now.YearDay() == t.YearDay() && now.Year() == t.Year() {
		return s.clock(t)
	}
	day := strings.Fields(s.say("weekdays"))[t.Weekday()]
	return day + " " + t.Format(s.say("date")) + " " + s.clock(t)
}

// waited is a duration as a clock counts it: 0:07, 12:30, 1:02:12.
func waited(d time.Duration) string {
	seconds := int(max(0, d) / time.Second)
	if seconds < 3600 {
		return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// whole is a duration in seconds, for scripts.
func whole(d time.Duration) int { return int(max(0, d) / time.Second) }

// seconds is the window of a promise: "30 s". The space does not break.
func (s speech) seconds(d time.Duration) string { return fmt.Sprintf("%d s", whole(d)) }

func (s speech) percent(n int) string {
	if s.language == "de" {
		return fmt.Sprintf("%d %%", n) // DIN 5008: with a space, that does not break
	}
	return fmt.Sprintf("%d%%", n)
}

// old says since when nothing is known of a queue.
func (s speech) old(q queueRow) string {
	if q.At.IsZero() {
		return s.say("no-data")
	}
	return s.say("no-data-since", s.clock(q.At))
}

// pbx says how the connection to the PBX is.
func (s speech) pbx(p PBX) string {
	key := "pbx-away"
	if p.Connected {
		key = "pbx-connected"
	}
	if p.Since.IsZero() {
		return s.say(key + "-never")
	}
	return s.say(key, s.clock(p.Since))
}

func (s speech) formula(l levelRow) string { return s.say("formula-" + l.Formula.String()) }

// level is a service level with the name of its formula and its window: "78 % in 30 s of offered, today".
func (s speech) level(l levelRow) string {
	if !l.Known {
		return s.say("level-none")
	}
	return s.say("level", s.percent(l.Percent), s.seconds(l.Within), s.formula(l))
}

// columns is the class of a wallboard with so many queues: rows and columns that fill a wide screen.
func columns(queues int) string {
	across := 6
	for _, step := range [][2]int{{1, 1}, {2, 2}, {3, 3}, {4, 2}, {6, 3}, {8, 4}, {9, 3}, {12, 4}, {20, 5}} {
		if queues <= step[0] {
			across = step[1]
			break
		}
	}
	return fmt.Sprintf("across-%d down-%d", across, min(5, (queues+across-1)/across))
}

// execute makes a page, or a part of one, or nothing.
func (p *Page) execute(language, name string, s sheet) ([]byte, error) {
	var text bytes.Buffer
	if err := p.templates[language].ExecuteTemplate(&text, name, s); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
