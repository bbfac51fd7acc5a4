// Package plan is the dial plan of the exchange: what happens when a phone dials a number, or transfers to it. Pure.
package plan

import (
	"slices"
	"strings"
	"time"
)

// A Manner is how a destination behaves.
type Manner uint8

// The manners. The zero Manner is Answers.
const (
	Answers       Manner = iota // rings, then somebody talks
	Busy                        // 486
	Silent                      // rings and is never answered; 480 after 60 s
	Echo                        // repeats what it hears
	Announcement                // 183 with an announcement as early media, then 480
	EmergencyDemo               // an emergency number: answers, without digest, with a name that says that nobody is there
)

// A Destination is a number that phones can dial or transfer to. It is nobody's phone: the exchange acts it.
type Destination struct {
	Number  string
	Name    string // shown to the phone as P-Asserted-Identity
	Manner  Manner
	Ringing time.Duration // of Answers and EmergencyDemo: until somebody lifts; zero means 2 s
}

// A Plan is a list of destinations; of equal numbers the first counts.
type Plan []Destination

// Find returns the destination of a number, or nil.
func (p Plan) Find(number string) *Destination {
	i := slices.IndexFunc(p, func(d Destination) bool { return d.Number == number })
	if i < 0 {
		return nil
	}
	return &p[i]
}

// Number is a dialled string without the visual separators of RFC 3966 section 5.1.1.
func Number(dialled string) string {
	return strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(dialled)
}

// Municipal are offices that agents transfer to (those of the example in firmware/knowledge), numbers for every way a call can fail, and the emergency numbers.
func Municipal() Plan {
	return Plan{
		{Number: "5010", Name: "Bürgerservice Moers"},
		{Number: "5012", Name: "Steueramt Moers"},
		{Number: "5014", Name: "Jugendamt Moers"},
		{Number: "5015", Name: "Bürgerbüro Xanten", Ringing: 4 * time.Second},
		{Number: "5020", Name: "Jobcenter Kreis Wesel", Ringing: 5 * time.Second},
		{Number: "5032", Name: "Jagd- und Waffenrecht"},
		{Number: "5033", Name: "Ausländerbehörde", Ringing: 6 * time.Second},
		{Number: "5036", Name: "Fachdienst Straßenverkehr", Ringing: 3 * time.Second},
		{Number: "5040", Name: "Amt für Ausbildungsförderung"},
		{Number: "5050", Name: "Fachdienst Schwerbehinderung", Ringing: 3 * time.Second},
		{Number: "5051", Name: "Fachdienst Elterngeld", Ringing: 2 * time.Second},
		{Number: "5053", Name: "Gesundheitsamt"},
		{Number: "5055", Name: "Fachdienst Jugend"},
		{Number: "5057", Name: "Fachdienst Pflege"},
		{Number: "5060", Name: "Wohngeldstelle", Manner: Busy},
		{Number: "5062", Name: "Fachdienst Kataster"},
		{Number: "5063", Name: "Fachdienst Bauen", Ringing: 4 * time.Second},
		{Number: "5066", Name: "Abfallberatung"},
		{Number: "5070", Name: "Archiv", Manner: Silent},
		{Number: "5080", Name: "Ansage", Manner: Announcement},
		{Number: "5090", Name: "Echo", Manner: Echo},
		{Number: "110", Name: "DEMO: kein Notruf 110", Manner: EmergencyDemo},
		{Number: "112", Name: "DEMO: kein Notruf 112", Manner: EmergencyDemo},
	}
}
