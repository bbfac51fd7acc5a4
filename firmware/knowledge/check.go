package knowledge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"freizeichen/firmware"
	"freizeichen/firmware/document"
)

// check turns the mirror into knowledge and lists what is wrong. It goes from what is named to what names it.
type check struct {
	*document.Problems
	now       time.Time
	knowledge firmware.Knowledge
	seen      map[string]position // "topic zulassung" -> where it was given first
}

func (c *check) file(mirror raw) {
	k := &c.knowledge
	k.Compiled = c.now
	document.Value(c.Problems, &k.Version, mirror.Version, phrase(nameMax))
	document.Value(c.Problems, &k.Example, mirror.Example, document.ParseBool)
	for _, m := range mirror.Local.Calendars {
		k.Calendars = append(k.Calendars, c.calendar(m))
	}
	for _, m := range mirror.Local.Offices {
		k.Offices = append(k.Offices, c.office(m))
	}
	for _, m := range mirror.Local.Topics {
		k.Topics = append(k.Topics, c.topic(m))
	}
	for _, m := range mirror.Local.Tenants {
		k.Tenants = append(k.Tenants, c.tenant(m))
	}
	for _, m := range mirror.Local.Cards {
		k.Cards = append(k.Cards, c.card(m, firmware.Local))
	}
	for _, m := range mirror.Central.Cards {
		k.Cards = append(k.Cards, c.card(m, firmware.Central))
	}
	for _, m := range mirror.Day.Cards {
		card := c.dayCard(m)
		c.alone(m, card)
		k.Cards = append(k.Cards, card)
	}
	for _, m := range mirror.Day.Notices {
		k.Notices = append(k.Notices, c.notice(m))
	}
}

// define takes the identifier of a new thing.
func (c *check) define(kind string, s scalar) (id string) {
	if document.Value(c.Problems, &id, s, parseID) {
		c.once(kind+" "+id, s, "")
	}
	return id
}

// once lists what was given before, by whom if that is known.
func (c *check) once(key string, s scalar, by string) {
	if first, twice := c.seen[key]; twice {
		c.Add(s.At, "%s is %s, which is given already%s in line %d", s.Path, document.Excerpt(s.Text), by, first.Line)
		return
	}
	c.seen[key] = s.At
}

// refer takes the identifier of a thing that must exist; empty: it does not, or the key is not there.
func (c *check) refer(kind string, s scalar) (id string) {
	if !document.Value(c.Problems, &id, s, parseID) {
		return ""
	}
	if _, known := c.seen[kind+" "+id]; known {
		return id
	}
	var known []string
	for key := range c.seen {
		if name, ok := strings.CutPrefix(key, kind+" "); ok {
			known = append(known, name)
		}
	}
	hint := ""
	if nearest := document.Nearest(id, known); nearest != "" {
		hint = fmt.Sprintf("; did you mean %q?", nearest)
	}
	c.Add(s.At, "%s is %q, but no %s has this id%s", s.Path, id, kind, hint)
	return ""
}

// references are several of one kind, each once.
func (c *check) references(kind string, list []scalar) (ids []string) {
	for _, s := range list {
		id := c.refer(kind, s)
		if id != "" && slices.Contains(ids, id) {
			c.Add(s.At, "%s is %q, which stands in the list already", s.Path, id)
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

func (c *check) phrases(list []scalar) (texts []string) {
	for _, s := range list {
		var text string
		document.Value(c.Problems, &text, s, phrase(lineMax))
		texts = append(texts, text)
	}
	return texts
}

func (c *check) calendar(m rawCalendar) (calendar firmware.Calendar) {
	calendar.ID = c.define("calendar", m.ID)
	document.Value(c.Problems, &calendar.Name, m.Name, phrase(nameMax))
	for _, s := range m.Hours {
		var week [7][]firmware.Span
		if !document.Value(c.Problems, &week, s, parseHours) {
			continue
		}
		for day, spans := range week {
			for _, span := range spans {
				if slices.ContainsFunc(calendar.Week[day], func(other firmware.Span) bool {
					return span.From < other.Until && other.From < span.Until
				}) {
					c.Add(s.At, "%s overlaps with a line above it on %s", s.Path, wordOf(time.Weekday(day)))
					break
				}
				calendar.Week[day] = append(calendar.Week[day], span)
			}
		}
	}
	for _, spans := range calendar.Week {
		slices.SortFunc(spans, func(a, b firmware.Span) int { return cmp.Compare(a.From, b.From) })
	}
	holidays := ""
	calendar.Holidays = document.Choice(c.Problems, &holidays, m.Holidays, "nrw")
	for _, s := range m.Closed {
		var day time.Time
		if document.Value(c.Problems, &day, s, parseDay) && slices.ContainsFunc(calendar.Closed, day.Equal) {
			c.Add(s.At, "%s is %s, which stands in the list already", s.Path, document.Excerpt(s.Text))
		}
		calendar.Closed = append(calendar.Closed, day)
	}
	return calendar
}

func wordOf(day time.Weekday) string {
	i := slices.IndexFunc(weekdays, func(d struct {
		word string
		day  time.Weekday
	}) bool {
		return d.day == day
	})
	return weekdays[i].word
}

func (c *check) office(m rawOffice) (office firmware.Office) {
	office.ID = c.define("office", m.ID)
	document.Value(c.Problems, &office.Name, m.Name, phrase(nameMax))
	document.Value(c.Problems, &office.Number, m.Number, document.TextOf(document.CheckNumber))
	office.Calendar = c.refer("calendar", m.Calendar)
	return office
}

func (c *check) topic(m rawTopic) (topic firmware.Topic) {
	topic.ID = c.define("topic", m.ID)
	if document.Value(c.Problems, &topic.Name, m.Name, phrase(nameMax)) {
		c.once("subject "+strings.ToLower(topic.Name), m.Name, " by a topic")
	}
	for _, s := range m.Match {
		var text string
		if document.Value(c.Problems, &text, s, phrase(lineMax)) {
			c.once("subject "+strings.ToLower(text), s, " by a topic")
		}
		topic.Match = append(topic.Match, text)
	}
	return topic
}

func (c *check) tenant(m rawTenant) (tenant firmware.Tenant) {
	tenant.ID = c.define("tenant", m.ID)
	document.Value(c.Problems, &tenant.Name, m.Name, phrase(nameMax))
	for _, line := range m.Lines {
		tenant.Lines = append(tenant.Lines, c.line(line))
	}
	tenant.Topics = c.references("topic", m.Topics)
	return tenant
}

func (c *check) line(m rawLine) (line firmware.Line) {
	if document.Value(c.Problems, &line.Number, m.Number, parseNumber) {
		c.once("number "+line.Number, m.Number, " as a line")
	}
	document.Value(c.Problems, &line.Name, m.Name, phrase(nameMax))
	document.Value(c.Problems, &line.Greeting, m.Greeting, phrase(lineMax))
	line.Calendar = c.refer("calendar", m.Calendar)
	promise := m.Promise
	document.Value(c.Problems, &line.Promise.Within, promise.Within, document.DurationOf(time.Second, 10*time.Minute, false))
	document.Value(c.Problems, &line.Promise.Percent, promise.Percent, document.NumberOf(1, 100))
	document.Value(c.Problems, &line.Promise.FirstContact, promise.FirstContact, document.NumberOf(1, 100))
	document.Value(c.Problems, &line.Promise.AnswerWithin, promise.AnswerWithin, document.DurationOf(time.Hour, 240*time.Hour, false))
	if promise.Within.Set != promise.Percent.Set {
		c.Add(promise.At, "a promise names within and percent, or neither: 80 percent within 30s")
	}
	return line
}

func (c *check) card(m rawCard, source firmware.Source) firmware.Card {
	card := firmware.Card{Source: source, Topic: c.refer("topic", m.Topic), Tenant: c.refer("tenant", m.Tenant)}
	// Example data must be readable on every day, also on that of a clock that was never set.
	if document.Value(c.Problems, &card.Updated, m.Updated, parseDay) && !card.Updated.Before(midnightAfter(c.now)) && !c.knowledge.Example {
		c.Add(m.Updated.At, "%s is %s, which is yet to come", m.Updated.Path, m.Updated.Text)
	}
	if document.Value(c.Problems, &card.Expires, m.Expires, parseDay) {
		switch {
		case !card.Expires.After(c.now):
			c.over(m.Expires)
		case !card.Expires.After(card.Updated):
			c.Add(m.Expires.At, "%s is %s, which is not after updated", m.Expires.Path, m.Expires.Text)
		}
	}
	c.content(m.At, &card, m.Text, m.Papers, m.Fee, m.Hours, m.Office)
	if card.Topic != "" && (card.Tenant != "" || !m.Tenant.Set) {
		whose := "all tenants"
		if card.Tenant != "" {
			whose = card.Tenant
		}
		key := fmt.Sprintf("card %v %s/%s", source, card.Topic, card.Tenant)
		if first, twice := c.seen[key]; twice {
			c.Add(m.At, "is a second %v card of %q for %s, the first is in line %d", source, card.Topic, whose, first.Line)
		} else {
			c.seen[key] = m.At
		}
	}
	return card
}

// content checks what a card says.
func (c *check) content(at position, card *firmware.Card, text, papers []scalar, fee, hours, office scalar) {
	card.Text, card.Papers = c.phrases(text), c.phrases(papers)
	if n := len(text) + len(papers); n > cardMax {
		c.Add(at, "a card has %d lines of text and papers, at most %d are allowed: nobody reads more during a call", n, cardMax)
	}
	document.Value(c.Problems, &card.Fee, fee, phrase(lineMax))
	document.Value(c.Problems, &card.Hours, hours, phrase(lineMax))
	card.Office = c.refer("office", office)
}

// over lists a date that has passed.
func (c *check) over(s scalar) {
	c.Add(s.At, "%s is %s: this is over; take the entry out or give it a new date", s.Path, s.Text)
}

// today is the date of example data, which would be over the next day.
const today = "today"

// span reads date and until of an entry of the day: until the end of its day, unless the file says more.
func (c *check) span(date, end scalar) (from, until time.Time) {
	parsed := false
	if date.Text == today && c.knowledge.Example {
		from, parsed = midnightAfter(c.now).AddDate(0, 0, -1), true
	} else {
		parsed = document.Value(c.Problems, &from, date, func(text string) (time.Time, error) {
			at, _, err := parseMoment(text)
			return at, err
		})
	}
	until = midnightAfter(from)
	if end.Set {
		parsed = document.Value(c.Problems, &until, end, func(text string) (time.Time, error) {
			at, day, err := parseMoment(text)
			if day {
				at = midnightAfter(at)
			}
			return at, err
		}) && parsed
	}
	last := date
	if end.Set {
		last = end
	}
	switch {
	case !parsed:
	case !until.After(from):
		c.Add(end.At, "%s is %s, which is before its date %s", end.Path, end.Text, date.Text)
	case !until.After(c.now):
		c.over(last)
	case until.After(from.AddDate(0, 0, dayMax)):
		c.Add(end.At, "%s is %s, which is more than %d days after its date: write a card under local", end.Path, end.Text, dayMax)
	case from.After(c.now.AddDate(1, 0, 0)):
		c.Add(date.At, "%s is %s, which is more than a year ahead", date.Path, date.Text)
	}
	return from, until
}

func (c *check) dayCard(m rawDayCard) firmware.Card {
	card := firmware.Card{Source: firmware.Day, Topic: c.refer("topic", m.Topic), Tenant: c.refer("tenant", m.Tenant)}
	card.Updated, card.Expires = c.span(m.Date, m.Until)
	c.content(m.At, &card, m.Text, m.Papers, m.Fee, m.Hours, m.Office)
	return card
}

// alone lists a card of the day that another one overlaps for the same topic and tenant.
func (c *check) alone(m rawDayCard, card firmware.Card) {
	for _, other := range c.knowledge.Cards {
		if other.Source == firmware.Day && other.Topic == card.Topic && other.Tenant == card.Tenant && card.Topic != "" &&
			card.Updated.Before(other.Expires) && other.Updated.Before(card.Expires) {
			c.Add(m.At, "is a second card of the day of %q for the same tenant and time", card.Topic)
			return
		}
	}
}

func (c *check) notice(m rawNotice) (notice firmware.Notice) {
	for key, list := range map[string][]scalar{"tenants": m.Tenants, "topics": m.Topics} {
		if list != nil && len(list) == 0 {
			c.Add(m.At, "%s of a notice is an empty list; leave the key out for all", key)
		}
	}
	notice.Tenants, notice.Topics = c.references("tenant", m.Tenants), c.references("topic", m.Topics)
	notice.From, notice.Until = c.span(m.Date, m.Until)
	document.Value(c.Problems, &notice.Text, m.Text, phrase(noticeMax))
	return notice
}
