// Package firmware holds the words of what is delivered to a phone: at present the knowledge that its agent speaks from,
// and the time zone that its hours are meant in.
// Values only: no I/O, no goroutine, no import of ours. firmware/knowledge reads and checks them.
package firmware

import "time"

// Knowledge is all that agents speak from: municipalities, their lines and greetings, topics with their cards, offices
// with their hours, and the notices of the day. It is checked: every identifier that is named exists.
type Knowledge struct {
	Version   string    // of the file, as its editors write it; shown to people
	Example   bool      // example data: every card says so
	Compiled  time.Time // when the file was checked and compiled
	Tenants   []Tenant
	Topics    []Topic
	Offices   []Office
	Calendars []Calendar
	Cards     []Card
	Notices   []Notice
}

// A Tenant is a municipality or authority in whose name calls are answered.
type Tenant struct {
	ID    string // "moers"
	Name  string // "Stadt Moers"
	Lines []Line
	// Topics are the identifiers of those that its citizens call for, the most frequent first.
	Topics []string
}

// A Line is one called number of a tenant.
type Line struct {
	Number   string // digits only, as it is dialled: "02812070", "115"
	Name     string // "Behördennummer 115"
	Greeting string // what the agent says: "Stadt Moers, guten Tag, ..."
	Calendar string // the hours in which the line is served
	Promise  Promise
}

// A Promise is what a line promises its callers. Its numbers are the site's, zero means no promise.
type Promise struct {
	Within       time.Duration // 30 s
	Percent      int           // of those offered, answered within it: 80; of 115: 75
	FirstContact int           // percent solved at the first contact: 65
	AnswerWithin time.Duration // a forwarded request is answered within so much time of service: 24 h of the line's hours
}

// A Topic is what citizens want.
type Topic struct {
	ID   string // "zulassung"
	Name string // "Kfz-Zulassung", at most 32 characters
	// Match are the texts that the PBX sends as Subject for it, besides Name; compared without case and outer spaces.
	Match []string
}

// An Office is who answers what the service centre cannot.
type Office struct {
	ID       string // "kw-36"
	Name     string // "Straßenverkehrsamt Wesel"
	Number   string // to dial, as a phone of the service centre dials it
	Calendar string // when it can be reached
}

// A Source is where a card comes from.
type Source uint8

// The sources.
const (
	Local   Source = iota // the municipality's own
	Central               // the common base of 115
	Day                   // kept for the day, gone at its end
)

func (s Source) String() string {
	return [...]string{"local", "central", "day", "invalid"}[min(s, Day+1)]
}

// A Card is what an agent needs for one topic.
type Card struct {
	Topic   string
	Tenant  string    // empty: for every tenant that has no card of its own
	Source  Source    //
	Updated time.Time // the day it was last looked at; a card of the day is shown from it on
	Expires time.Time // it is not shown from here on; zero: never
	Text    []string  // short lines to speak from
	Papers  []string  // what to bring
	Fee     string
	Hours   string // opening hours of the counter, in words
	Office  string // who is responsible; may be empty
}

// A Notice is news of the day: a closure, an outage, a deadline. It is shown before the card.
type Notice struct {
	Tenants []string // nil: all
	Topics  []string // nil: all
	Text    string
	From    time.Time
	Until   time.Time // never zero: at the latest the end of the day that From lies in, unless the file says more
}

// A Calendar says when something is open.
type Calendar struct {
	ID   string
	Name string
	// Week holds the spans of each day, by time.Weekday, in the time of the place.
	Week [7][]Span
	// Holidays: closed on the public holidays of North Rhine-Westphalia.
	Holidays bool
	// Closed are days on which it is closed besides, at midnight of the day.
	Closed []time.Time
}

// A Span is a time of day from and until, since midnight by the clock on the wall: 7h30m to 18h.
type Span struct{ From, Until time.Duration }
