package hours

import (
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware"
)

// known are the movable feasts of printed calendars: Good Friday, Easter Monday, Ascension, Whit Monday, Corpus Christi.
var known = map[int]string{
	1990: "13.04. 16.04. 24.05. 04.06. 14.06.",
	1995: "14.04. 17.04. 25.05. 05.06. 15.06.",
	2000: "21.04. 24.04. 01.06. 12.06. 22.06.",
	2008: "21.03. 24.03. 01.05. 12.05. 22.05.", // Ascension on May Day, and the earliest Easter of the century
	2011: "22.04. 25.04. 02.06. 13.06. 23.06.",
	2017: "14.04. 17.04. 25.05. 05.06. 15.06.",
	2024: "29.03. 01.04. 09.05. 20.05. 30.05.",
	2025: "18.04. 21.04. 29.05. 09.06. 19.06.",
	2026: "03.04. 06.04. 14.05. 25.05. 04.06.",
	2027: "26.03. 29.03. 06.05. 17.05. 27.05.",
	2030: "19.04. 22.04. 30.05. 10.06. 20.06.",
	2038: "23.04. 26.04. 03.06. 14.06. 24.06.", // the latest Easter there is
	2040: "30.03. 02.04. 10.05. 21.05. 31.05.",
}

func TestTheHolidaysOfKnownYears(t *testing.T) {
	movable := []string{"Karfreitag", "Ostermontag", "Christi Himmelfahrt", "Pfingstmontag", "Fronleichnam"}
	for year, want := range known {
		days := map[string]string{}
		for _, h := range Holidays(year) {
			days[h.Name] = h.Day.Format("02.01.")
		}
		var got []string
		for _, name := range movable {
			got = append(got, days[name])
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%d: got %s, want %s", year, text, want)
		}
		for name, day := range map[string]string{"Neujahr": "01.01.", "Tag der Arbeit": "01.05.", "Tag der Deutschen Einheit": "03.10.",
			"Allerheiligen": "01.11.", "1. Weihnachtstag": "25.12.", "2. Weihnachtstag": "26.12."} {
			if days[name] != day {
				t.Errorf("%d: %s is on %q", year, name, days[name])
			}
		}
	}
}

func TestEveryYearHasElevenHolidaysInOrderAndOneHadTwelve(t *testing.T) {
	for year := 1990; year <= 2040; year++ {
		want := 11
		if year == 2017 {
			want = 12
		}
		list := Holidays(year)
		if len(list) != want || !slices.IsSortedFunc(list, func(a, b Holiday) int { return a.Day.Compare(b.Day) }) {
			t.Errorf("%d: %v", year, list)
		}
		for _, h := range list {
			if h.Day.Year() != year || h.Day.Hour() != 0 || h.Day.Location() != firmware.Place() || HolidayOf(h.Day.Add(23*time.Hour)) == "" {
				t.Errorf("%d: %v", year, h)
			}
			weekday := map[string]time.Weekday{"Karfreitag": time.Friday, "Ostermontag": time.Monday, "Pfingstmontag": time.Monday,
				"Christi Himmelfahrt": time.Thursday, "Fronleichnam": time.Thursday}
			if want, movable := weekday[h.Name]; movable && h.Day.Weekday() != want {
				t.Errorf("%d: %s is a %v", year, h.Name, h.Day.Weekday())
			}
		}
	}
}

func TestNoOtherDayIsAHoliday(t *testing.T) {
	for _, text := range []string{"2016-10-31", "2018-10-31", "2026-04-05", "2026-05-24", "2026-01-06", "2026-08-15", "2026-12-24", "2026-12-31", "2025-11-19"} {
		day, err := time.ParseInLocation(time.DateOnly, text, firmware.Place())
		if err != nil {
			t.Fatal(err)
		}
		if name := HolidayOf(day); name != "" {
			t.Errorf("%s is %s", text, name)
		}
	}
	// The day is the place's: 23:30 on Christmas Eve in London is Christmas in Wesel.
	if got := HolidayOf(time.Date(2026, 12, 24, 23, 30, 0, 0, time.UTC)); got != "1. Weihnachtstag" {
		t.Errorf("got %q", got)
	}
}

// gauss is Easter by C. F. Gauss's rule of 1816, a second opinion.
func gauss(year int) time.Time {
	a, b, c, k := year%19, year%4, year%7, year/100
	m := (15 - (13+8*k)/25 + k - k/4) % 30
	d := (19*a + m) % 30
	e := (2*b + 4*c + 6*d + (4+k-k/4)%7) % 7
	switch {
	case d == 29 && e == 6, d == 28 && e == 6 && (11*m+11)%30 < 19:
		d -= 7
	}
	return time.Date(year, time.March, 22+d+e, 0, 0, 0, 0, firmware.Place())
}

func TestTwoRulesAgreeOnEaster(t *testing.T) {
	for year := 1900; year < 2300; year++ {
		if !Easter(year).Equal(gauss(year)) {
			t.Errorf("%d: %v and %v", year, Easter(year), gauss(year))
		}
	}
}
