package knowledge

import (
	"fmt"
	"time"

	"freizeichen/firmware"
)

// The compiled form: keys as on every other wire of the phone, times in UTC, durations in seconds. What is empty is left
// out, so that there is one form only.
type wire struct {
	Version   string         `json:"version"`
	Example   bool           `json:"example,omitempty"`
	Compiled  time.Time      `json:"compiled"`
	Tenants   []wireTenant   `json:"tenants,omitempty"`
	Topics    []wireTopic    `json:"topics,omitempty"`
	Offices   []wireOffice   `json:"offices,omitempty"`
	Calendars []wireCalendar `json:"calendars,omitempty"`
	Cards     []wireCard     `json:"cards,omitempty"`
	Notices   []wireNotice   `json:"notices,omitempty"`
}

type wireTenant struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Lines  []wireLine `json:"lines,omitempty"`
	Topics []string   `json:"topics,omitempty"`
}

type wireLine struct {
	Number       string `json:"number"`
	Name         string `json:"name"`
	Greeting     string `json:"greeting"`
	Calendar     string `json:"calendar"`
	Within       int64  `json:"within,omitempty"` // seconds
	Percent      int    `json:"percent,omitempty"`
	FirstContact int    `json:"firstContact,omitempty"`
	AnswerWithin int64  `json:"answerWithin,omitempty"` // seconds
}

type wireTopic struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Match []string `json:"match,omitempty"`
}

type wireOffice struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Number   string `json:"number"`
	Calendar string `json:"calendar"`
}

type wireCalendar struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Week     [7][][2]int64 `json:"week"` // from Sunday; seconds since midnight
	Holidays bool          `json:"holidays,omitempty"`
	Closed   []time.Time   `json:"closed,omitempty"`
}

type wireCard struct {
	Topic   string    `json:"topic"`
	Tenant  string    `json:"tenant,omitempty"`
	Source  string    `json:"source"`
	Updated time.Time `json:"updated"`
	Expires time.Time `json:"expires,omitzero"`
	Text    []string  `json:"text,omitempty"`
	Papers  []string  `json:"papers,omitempty"`
	Fee     string    `json:"fee,omitempty"`
	Hours   string    `json:"hours,omitempty"`
	Office  string    `json:"office,omitempty"`
}

type wireNotice struct {
	Tenants []string  `json:"tenants,omitempty"`
	Topics  []string  `json:"topics,omitempty"`
	Text    string    `json:"text"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
}

// each turns a list into another; nothing stays nil.
func each[A, B any](list []A, turn func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i, one := range list {
		out[i] = turn(one)
	}
	return out
}

// utc is a time for the wire, in whole seconds.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// local is a time from the wire, in the zone of the place.
func local(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.In(firmware.Place())
}

func pack(k firmware.Knowledge) wire {
	return wire{
		Version: k.Version, Example: k.Example, Compiled: utc(k.Compiled),
		Tenants: each(k.Tenants, func(t firmware.Tenant) wireTenant {
			return wireTenant{ID: t.ID, Name: t.Name, Topics: t.Topics, Lines: each(t.Lines, func(l firmware.Line) wireLine {
				return wireLine{Number: l.Number, Name: l.Name, Greeting: l.Greeting, Calendar: l.Calendar,
					Within: seconds(l.Promise.Within), Percent: l.Promise.Percent,
					FirstContact: l.Promise.FirstContact, AnswerWithin: seconds(l.Promise.AnswerWithin)}
			})}
		}),
		Topics:    each(k.Topics, func(t firmware.Topic) wireTopic { return wireTopic(t) }),
		Offices:   each(k.Offices, func(o firmware.Office) wireOffice { return wireOffice(o) }),
		Calendars: each(k.Calendars, packCalendar),
		Cards: each(k.Cards, func(c firmware.Card) wireCard {
			return wireCard{Topic: c.Topic, Tenant: c.Tenant, Source: c.Source.String(), Updated: utc(c.Updated), Expires: utc(c.Expires),
				Text: c.Text, Papers: c.Papers, Fee: c.Fee, Hours: c.Hours, Office: c.Office}
		}),
		Notices: each(k.Notices, func(n firmware.Notice) wireNotice {
			return wireNotice{Tenants: n.Tenants, Topics: n.Topics, Text: n.Text, From: utc(n.From), Until: utc(n.Until)}
		}),
	}
}

func packCalendar(c firmware.Calendar) wireCalendar {
	w := wireCalendar{ID: c.ID, Name: c.Name, Holidays: c.Holidays, Closed: each(c.Closed, utc)}
	for day, spans := range c.Week {
		w.Week[day] = each(spans, func(s firmware.Span) [2]int64 { return [2]int64{seconds(s.From), seconds(s.Until)} })
		if w.Week[day] == nil {
			w.Week[day] = [][2]int64{} // [] instead of null
		}
	}
	return w
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func (w wire) unpack() (firmware.Knowledge, error) {
	k := firmware.Knowledge{
		Version: w.Version, Example: w.Example, Compiled: local(w.Compiled),
		Tenants: each(w.Tenants, func(t wireTenant) firmware.Tenant {
			return firmware.Tenant{ID: t.ID, Name: t.Name, Topics: t.Topics, Lines: each(t.Lines, func(l wireLine) firmware.Line {
				return firmware.Line{Number: l.Number, Name: l.Name, Greeting: l.Greeting, Calendar: l.Calendar, Promise: firmware.Promise{
					Within: time.Duration(l.Within) * time.Second, Percent: l.Percent,
					FirstContact: l.FirstContact, AnswerWithin: time.Duration(l.AnswerWithin) * time.Second}}
			})}
		}),
		Topics:    each(w.Topics, func(t wireTopic) firmware.Topic { return firmware.Topic(t) }),
		Offices:   each(w.Offices, func(o wireOffice) firmware.Office { return firmware.Office(o) }),
		Calendars: each(w.Calendars, wireCalendar.unpack),
		Notices: each(w.Notices, func(n wireNotice) firmware.Notice {
			return firmware.Notice{Tenants: n.Tenants, Topics: n.Topics, Text: n.Text, From: local(n.From), Until: local(n.Until)}
		}),
	}
	for _, c := range w.Cards {
		source := firmware.Local
		for source <= firmware.Day && source.String() != c.Source {
			source++
		}
		if source > firmware.Day {
			return k, fmt.Errorf("a card of %q has the source %q", c.Topic, c.Source)
		}
		k.Cards = append(k.Cards, firmware.Card{Topic: c.Topic, Tenant: c.Tenant, Source: source, Updated: local(c.Updated), Expires: local(c.Expires),
			Text: c.Text, Papers: c.Papers, Fee: c.Fee, Hours: c.Hours, Office: c.Office})
	}
	return k, nil
}

func (c wireCalendar) unpack() firmware.Calendar {
	out := firmware.Calendar{ID: c.ID, Name: c.Name, Holidays: c.Holidays, Closed: each(c.Closed, local)}
	for day, spans := range c.Week {
		out.Week[day] = each(spans, func(s [2]int64) firmware.Span {
			return firmware.Span{From: time.Duration(s[0]) * time.Second, Until: time.Duration(s[1]) * time.Second}
		})
	}
	return out
}
