package hours

import (
	"time"

	"freizeichen/firmware"
)

// A Holiday is a public holiday of North Rhine-Westphalia.
type Holiday struct {
	Day  time.Time // its midnight in the place
	Name string    // in German, as calendars print it
}

// Holidays are the public holidays of a year, in its order: section 2 of the Feiertagsgesetz NW, as it stands since 1995.
// Easter and Whit Sunday are none; they are Sundays anyway. 31 October 2017 was one, once (500 years of the Reformation).
func Holidays(year int) []Holiday {
	at := func(month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, firmware.Place())
	}
	easter := Easter(year)
	from := func(days int) time.Time { return easter.AddDate(0, 0, days) }
	list := []Holiday{
		{at(time.January, 1), "Neujahr"},
		{from(-2), "Karfreitag"},
		{from(1), "Ostermontag"},
	}
	// Ascension Day lies between 30 April and 3 June: it can fall on May Day (2008) or before it.
	may, ascension := Holiday{at(time.May, 1), "Tag der Arbeit"}, Holiday{from(39), "Christi Himmelfahrt"}
	if ascension.Day.Before(may.Day) {
		may, ascension = ascension, may
	}
	list = append(list, may, ascension,
		Holiday{from(50), "Pfingstmontag"},
		Holiday{from(60), "Fronleichnam"},
		Holiday{at(time.October, 3), "Tag der Deutschen Einheit"})
	if year == 2017 {
		list = append(list, Holiday{at(time.October, 31), "Reformationstag"})
	}
	return append(list,
		Holiday{at(time.November, 1), "Allerheiligen"},
		Holiday{at(time.December, 25), "1. Weihnachtstag"},
		Holiday{at(time.December, 26), "2. Weihnachtstag"})
}

// HolidayOf is the name of the holiday in whose day t lies, in the place; empty: it is none. Of two on one day it names
// the first.
func HolidayOf(t time.Time) string {
	t = t.In(firmware.Place())
	for _, h := range Holidays(t.Year()) {
		if sameDay(h.Day, t) {
			return h.Name
		}
	}
	return ""
}

// Easter is the midnight of Easter Sunday in the place, for years of the Gregorian calendar: the method of an unnamed
// correspondent in Nature, 20 April 1876, that S. Butcher proved.
func Easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*n + 19) % 32
	return time.Date(year, time.Month(n), day, 0, 0, 0, 0, firmware.Place())
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}
