package page

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	"freizeichen/cmd/centre/internal/page/speech"
)

// languageCookie remembers what was chosen. It says nothing about anybody.
const languageCookie = "language"

// chosen is the language of a request: what was chosen now, what was chosen before, what the browser prefers, German.
func chosen(w http.ResponseWriter, r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); slices.Contains(speech.Languages, asked) {
		if cookie, err := r.Cookie(languageCookie); err != nil || cookie.Value != asked {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: asked, Path: "/", MaxAge: int(boardRemind.Seconds()),
				Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		return asked
	}
	if cookie, err := r.Cookie(languageCookie); err == nil && slices.Contains(speech.Languages, cookie.Value) {
		return cookie.Value
	}
	return speech.Preferred(r.Header.Get("Accept-Language"))
}

// A tongue says what the page shows.
type tongue struct{ speech.Speech }

// tongue is that of a request.
func (p *Page) tongue(w http.ResponseWriter, r *http.Request) tongue { return p.speak(chosen(w, r)) }

func (p *Page) speak(language string) tongue {
	return tongue{speech.Speech{Language: language, Place: p.config.Place}}
}

// functions are those of the templates.
func (s tongue) functions() template.FuncMap {
	return template.FuncMap{
		"t": s.Text, "n": s.Count, "clock": s.Clock, "moment": s.Moment, "wait": speech.Waited, "whole": speech.Whole, "seconds": s.Seconds, "percent": s.Percent,
		"old": s.old, "pbx": s.pbx, "level": s.level, "formula": s.formula, "hex": func(hash [32]byte) string { return hex.EncodeToString(hash[:]) },
		"lang": func() string { return s.Language }, "other": s.Other, "iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"dated": func(t time.Time) string { return s.Moment(time.Time{}, t) }, "columns": columns,
		"few": func() int { return teamMin },
	}
}

// old says since when nothing is known of a queue.
func (s tongue) old(q queueRow) string {
	if q.At.IsZero() {
		return s.Say("no-data")
	}
	return s.Say("no-data-since", s.Clock(q.At))
}

// pbx says how the connection to the PBX is.
func (s tongue) pbx(p PBX) string {
	key := "pbx-away"
	if p.Connected {
		key = "pbx-connected"
	}
	if p.Since.IsZero() {
		return s.Say(key + "-never")
	}
	return s.Say(key, s.Clock(p.Since))
}

func (s tongue) formula(l levelRow) string { return s.Say("formula-" + l.Formula.String()) }

// level is a service level with the name of its formula and its window: "78 % in 30 s of offered, today".
func (s tongue) level(l levelRow) string {
	switch {
	case !l.Known && !l.Since.IsZero():
		return s.Say("level-none-since", s.Clock(l.Since))
	case !l.Known:
		return s.Say("level-none")
	case !l.Since.IsZero():
		return s.Say("level-since", s.Percent(l.Percent), s.Seconds(l.Within), s.formula(l), s.Clock(l.Since))
	}
	return s.Say("level", s.Percent(l.Percent), s.Seconds(l.Within), s.formula(l))
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
