// Package library finds things in the knowledge: whose number was called, what the caller wants, the card for both, who is
// responsible and whether he can be reached now. It must not show one tenant what belongs to another. Pure.
package library

import (
	"slices"
	"strings"
	"time"

	"freizeichen/device/callcentre/hours"
	"freizeichen/firmware"
)

// A Library is one edition of the knowledge. The zero Library is empty.
type Library struct {
	firmware.Knowledge
	Loaded bool
	lines  map[string]Place // by the called number's digits
	topics map[string]int   // by folded text: identifier, name and matches
}

// A Place is a line of a tenant; both nil for a number that is nobody's.
type Place struct {
	Tenant *firmware.Tenant
	Line   *firmware.Line
}

// New makes the knowledge searchable.
func New(k firmware.Knowledge) *Library {
	l := &Library{Knowledge: k, Loaded: true, lines: map[string]Place{}, topics: map[string]int{}}
	for i := range k.Tenants {
		for j := range k.Tenants[i].Lines {
			line := &k.Tenants[i].Lines[j]
			l.lines[Digits(line.Number)] = Place{&k.Tenants[i], line}
		}
	}
	for i, t := range k.Topics {
		for _, text := range append([]string{t.ID, t.Name}, t.Match...) {
			if _, taken := l.topics[fold(text)]; !taken {
				l.topics[fold(text)] = i
			}
		}
	}
	return l
}

// Digits is a number without what stands in it for the eye, and as it is dialled inside the country.
func Digits(number string) string {
	national, plus := strings.CutPrefix(strings.TrimSpace(number), "+49")
	plain := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, national)
	if rest, international := strings.CutPrefix(plain, "0049"); international {
		plain, plus = rest, true
	}
	if plus {
		return "0" + plain
	}
	return plain
}

func fold(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// Called finds the tenant and line of a called number.
func (l *Library) Called(number string) Place {
	if number == "" {
		return Place{}
	}
	return l.lines[Digits(number)]
}

// Topic is the identifier of what the PBX calls the caller's wish, empty when the knowledge has none.
func (l *Library) Topic(text string) string {
	if i, known := l.topics[fold(text)]; known && text != "" {
		return l.Topics[i].ID
	}
	return ""
}

// TopicName is the name of a topic, the identifier itself when there is none.
func (l *Library) TopicName(id string) string {
	for i := range l.Topics {
		if l.Topics[i].ID == id {
			return l.Topics[i].Name
		}
	}
	return id
}

// Tenant finds a tenant by its identifier, nil without one.
func (l *Library) Tenant(id string) *firmware.Tenant {
	for i := range l.Tenants {
		if l.Tenants[i].ID == id {
			return &l.Tenants[i]
		}
	}
	return nil
}

// Office finds an office by its identifier, nil without one.
func (l *Library) Office(id string) *firmware.Office {
	for i := range l.Offices {
		if l.Offices[i].ID == id && id != "" {
			return &l.Offices[i]
		}
	}
	return nil
}

func (l *Library) calendar(id string) (firmware.Calendar, bool) {
	for _, c := range l.Calendars {
		if c.ID == id && id != "" {
			return c, true
		}
	}
	return firmware.Calendar{}, false
}

// CardsFor are the card of the day, nil without one, and the lasting card for the topic: the tenant's own before the common one.
// Another tenant's card is never found; a citizen whose tenant is unknown gets none.
func (l *Library) CardsFor(tenant, topic string, now time.Time) (day, lasting *firmware.Card) {
	if tenant == "" || topic == "" {
		return nil, nil
	}
	better := func(a, b *firmware.Card) bool { // a before b
		if b == nil || (a.Tenant != "") != (b.Tenant != "") {
			return b == nil || a.Tenant != ""
		}
		return a.Source < b.Source
	}
	for i := range l.Cards {
		c := &l.Cards[i]
		if c.Topic != topic || c.Tenant != "" && c.Tenant != tenant || !c.Expires.IsZero() && !now.Before(c.Expires) {
			continue
		}
		kind := &lasting
		if c.Source == firmware.Day {
			if now.Before(c.Updated) {
				continue // of tomorrow
			}
			kind = &day
		}
		if better(c, *kind) {
			*kind = c
		}
	}
	return day, lasting
}

// NoticesFor are the news for a tenant and topic; empty ones stand for all.
func (l *Library) NoticesFor(tenant, topic string, now time.Time) []string {
	var texts []string
	for _, n := range l.Notices {
		if now.Before(n.From) || !now.Before(n.Until) {
			continue
		}
		ofTenant := tenant == "" || n.Tenants == nil || slices.Contains(n.Tenants, tenant)
		ofTopic := topic == "" || n.Topics == nil || slices.Contains(n.Topics, topic)
		if ofTenant && ofTopic {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// Open says whether an office can be reached now, and until or from when; one without hours always can. It reports false
// for an office that does not exist.
func (l *Library) Open(id string, now time.Time) (office *firmware.Office, open bool, changes time.Time) {
	o := l.Office(id)
	if o == nil {
		return nil, false, time.Time{}
	}
	c, known := l.calendar(o.Calendar)
	if !known {
		return o, true, time.Time{} // nothing says that it is closed
	}
	open, changes = hours.Open(c, now)
	return o, open, changes
}

// A Closing is a line whose hours end soon.
type Closing struct {
	Tenant string
	Line   string // name
	At     time.Time
}

// Closing are the lines that close soon, soonest first.
func (l *Library) Closing(now time.Time) []Closing {
	var soon []Closing
	for i := range l.Tenants {
		for _, line := range l.Tenants[i].Lines {
			c, known := l.calendar(line.Calendar)
			if !known {
				continue
			}
			if at, near := hours.Closing(c, now); near {
				soon = append(soon, Closing{Tenant: l.Tenants[i].Name, Line: line.Name, At: at})
			}
		}
	}
	slices.SortStableFunc(soon, func(a, b Closing) int { return a.At.Compare(b.At) })
	return soon
}

// Favourites are the topics of a tenant, those with the highest counts first, then in the order of the file; of an unknown
// tenant, all topics.
func (l *Library) Favourites(tenant string, counts map[string]int) []string {
	var ids []string
	if t := l.Tenant(tenant); t != nil {
		ids = slices.Clone(t.Topics)
	}
	for i := range l.Topics {
		if id := l.Topics[i].ID; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return counts[b] - counts[a] })
	return ids
}
