// Package citizen decides who calls the exchange, when, from which number, about what and how patiently. Pure: chance is
// seeded, time is given. It must not know queues or phones. No number it shows belongs to anybody, no name to anyone.
package citizen

import (
	"fmt"
	"math/rand/v2"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/exchange/deadline"
)

// A Citizen is someone who calls a municipality.
type Citizen struct {
	Party    sip.Party     // an empty number is withheld
	Called   string        // the number dialled
	Topic    string        // what the call is about; may be empty
	Voice    uint64        // seed of the voice
	Patience time.Duration // gives up waiting after it; zero means never
	Talk     time.Duration // hangs up this long after the answer; zero means never
}

// Traffic is how often citizens call one number.
type Traffic struct {
	Number string
	Gap    time.Duration // mean time between two calls in the busiest hour; zero means nobody calls
	First  time.Duration // the first call, counted from the start; zero leaves it to chance
	// Hours weighs the rate by the hour of the day. All zero means the same rate at every hour.
	Hours [24]float64
}

// OfficeHours is the daytime profile of a service centre: an M with peaks from 9 to 11 and from 14 to 16 o'clock.
var OfficeHours = [24]float64{7: 0.4, 8: 0.9, 9: 1.4, 10: 1.4, 11: 1, 12: 0.7, 13: 0.8, 14: 1.3, 15: 1.3, 16: 0.9, 17: 0.5}

// topics are what citizens ask for, with their share in parts of the whole. The first three are the usual leaders.
var topics = []struct {
	name  string
	share int
}{
	{"Kfz-Zulassung", 14}, {"Führerschein", 12}, {"Schwerbehinderung", 11}, {"Elterngeld", 10}, {"Personalausweis", 9},
	{"Wohngeld", 8}, {"Reisepass", 7}, {"Abfall und Sperrmüll", 7}, {"Meldebescheinigung", 6}, {"Kita-Anmeldung", 5},
	{"Baugenehmigung", 4}, {"Hundesteuer", 4}, {"Gewerbeanmeldung", 3},
}

// Topics are the texts that citizens' calls carry as Subject, the most frequent first.
func Topics() []string {
	var names []string
	for _, t := range topics {
		names = append(names, t.name)
	}
	return names
}

// The names are of nobody: given and family names are drawn apart.
var (
	givenNames  = []string{"Ada", "Bülent", "Claire", "Dörte", "Emil", "Fatma", "Günther", "Hannelore", "Ivo", "Jürgen", "Käthe", "Lena", "Mehmet", "Nadja", "Otto", "Svenja"}
	familyNames = []string{"Ackermann", "Böhm", "Çelik", "Dahlhaus", "Eßer", "Förster", "Groß", "Hülsmann", "Jansen", "Kowalski", "Lüders", "Möller", "Nowak", "Öztürk", "Peeters", "Weiß"}
)

// dramaNumbers are the blocks that the Bundesnetzagentur keeps free of subscribers for media productions:
// Mitteilung 148/2021, Amtsblatt 7/2021, page 489. No number outside of them is ever shown.
var dramaNumbers = []struct {
	prefix string
	digits int // that follow
}{
	{"03023125", 3}, {"06990009", 3}, {"04066969", 3}, {"02214710", 3}, {"08999998", 3},
	{"017139200", 2}, {"0176040690", 2}, {"015228817386", 0}, {"015228895456", 0}, {"01729925904", 0},
}

// newCaller draws somebody who calls the number.
func newCaller(rng *rand.Rand, number string) Citizen {
	c := Citizen{
		Called:   number,
		Voice:    rng.Uint64(),
		Patience: between(rng, 40*time.Second, 150*time.Second),
		Talk:     between(rng, 45*time.Second, 180*time.Second),
	}
	sum := 0
	for _, t := range topics {
		sum += t.share
	}
	n := rng.IntN(sum)
	for _, t := range topics {
		if n -= t.share; n < 0 {
			c.Topic = t.name
			break
		}
	}
	if rng.IntN(8) == 0 {
		return c // the number is withheld
	}
	block := dramaNumbers[rng.IntN(len(dramaNumbers))]
	c.Party.Number = block.prefix
	if block.digits > 0 {
		limit := 1
		for range block.digits {
			limit *= 10
		}
		c.Party.Number += fmt.Sprintf("%0*d", block.digits, rng.IntN(limit))
	}
	c.Party.Name = givenNames[rng.IntN(len(givenNames))] + " " + familyNames[rng.IntN(len(familyNames))]
	return c
}

// Arrivals decides when citizens call.
type Arrivals struct {
	rng  *rand.Rand
	list []*arrival
}

type arrival struct {
	Traffic
	next time.Time // zero: nobody calls
}

// NewArrivals begins at now.
func NewArrivals(now time.Time, rng *rand.Rand, traffic []Traffic) *Arrivals {
	a := &Arrivals{rng: rng}
	for _, t := range traffic {
		one := &arrival{Traffic: t}
		if t.First > 0 {
			one.next = now.Add(t.First)
		} else {
			one.draw(now, rng)
		}
		a.list = append(a.list, one)
	}
	return a
}

// draw sets the next call: the gaps are exponential, as those of many independent callers are.
func (a *arrival) draw(now time.Time, rng *rand.Rand) {
	a.next = time.Time{}
	if a.Gap <= 0 {
		return
	}
	gap := time.Duration(rng.ExpFloat64() * float64(a.Gap))
	a.next = now.Add(min(max(gap, a.Gap/4), 4*a.Gap)) // a rhythm, neither bursts nor deserts
}

// Due are the citizens who call now. room says how many more may wait at a number; beyond it citizens stay away.
func (a *Arrivals) Due(now time.Time, room func(number string) bool) []Citizen {
	var all []Citizen
	for _, one := range a.list {
		if one.next.IsZero() || now.Before(one.next) {
			continue
		}
		one.draw(now, a.rng)
		// Thinning: of the calls of the full rate only the hour's share is made.
		weight, top := 1.0, 0.0
		for _, w := range one.Hours {
			top = max(top, w)
		}
		if top > 0 {
			weight = one.Hours[now.Hour()] / top
		}
		if a.rng.Float64() < weight && room(one.Number) {
			all = append(all, newCaller(a.rng, one.Number))
		}
	}
	return all
}

// Deadline is when Due has somebody; the zero time means never.
func (a *Arrivals) Deadline() time.Time {
	var first time.Time
	for _, one := range a.list {
		first = deadline.Earliest(first, one.next)
	}
	return first
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}
