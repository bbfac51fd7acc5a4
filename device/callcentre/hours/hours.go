// Package hours reckons with opening hours: is something open, until when, and when is an answer due that may take so
// many hours of service. It knows the public holidays of North Rhine-Westphalia.
//
//	firmware.Calendar, a moment --> open? changes when? closes soon? due when?
//
// Spans are times by the clock on the wall, in the place's zone; what comes out are moments. So a span from 0 to 4 h has
// three hours on the last Sunday of March and five on that of October. Pure: the moment is received.
package hours

import (
	"cmp"
	"slices"
	"time"

	"freizeichen/firmware"
)

// Warning is how long before closing agents are told.
const Warning = 5 * time.Minute

const (
	// quietMax is the longest time without opening that is searched through, in days: a year and its holidays. What
	// stays closed for longer is as good as never open.
	quietMax = 400
	// openMax is how far ahead the end of unbroken opening is searched, in days.
	openMax = 400
	// dueMax bounds the reckoning of Due, in days: ten years.
	dueMax = 3660
)

// A stretch is a piece of time in which something is open, from the first moment to the first after it.
type stretch struct{ from, until time.Time }

// Open tells whether a calendar is open at t, and when that changes next: until when it is open, or when it opens. The
// zero time means never, as far as a year shows.
func Open(calendar firmware.Calendar, t time.Time) (open bool, changes time.Time) {
	d := dayOf(t)
	for i := range quietMax {
		for _, s := range stretches(calendar, d.add(i)) {
			switch {
			case !s.until.After(t):
			case s.from.After(t):
				return false, s.from
			default:
				return true, closing(calendar, d.add(i), s.until)
			}
		}
	}
	return false, time.Time{}
}

// closing follows opening that goes on past midnight: 0-24 h ends only where the next day does not begin open.
func closing(calendar firmware.Calendar, d day, until time.Time) time.Time {
	for i := range openMax {
		next := d.add(i + 1)
		if until.Before(next.midnight()) {
			return until
		}
		list := stretches(calendar, next)
		if len(list) == 0 || list[0].from.After(until) {
			return until
		}
		until = list[0].until
	}
	return time.Time{}
}

// Closing tells when a calendar that is open at t closes, and whether that is at most Warning away. The zero time means
// that it is closed, or never closes.
func Closing(calendar firmware.Calendar, t time.Time) (closes time.Time, soon bool) {
	open, changes := Open(calendar, t)
	if !open || changes.IsZero() {
		return time.Time{}, false
	}
	return changes, changes.Sub(t) <= Warning
}

// Due is when so much time of service has passed since from: the clock stands still while the calendar is closed. Without
// service, or with less than none, it is the first open moment from from on. The zero time means never: a calendar that
// does not open, or too rarely.
func Due(calendar firmware.Calendar, from time.Time, service time.Duration) time.Time {
	service = max(0, service)
	d, quiet := dayOf(from), 0
	for i := range dueMax {
		list := stretches(calendar, d.add(i))
		if quiet++; len(list) > 0 {
			quiet = 0
		}
		if quiet > quietMax {
			break
		}
		for _, s := range list {
			if !s.until.After(from) {
				continue
			}
			if s.from.Before(from) {
				s.from = from
			}
			length := s.until.Sub(s.from)
			if service <= length {
				return s.from.Add(service).In(firmware.Place())
			}
			service -= length
		}
	}
	return time.Time{}
}

// A day is one of the place's calendar.
type day struct {
	year  int
	month time.Month
	day   int
}

func dayOf(t time.Time) day {
	year, month, date := t.In(firmware.Place()).Date()
	return day{year, month, date}
}

// add is the day so many later.
func (d day) add(days int) day {
	return dayOf(time.Date(d.year, d.month, d.day+days, 12, 0, 0, 0, firmware.Place()))
}

func (d day) midnight() time.Time { return d.at(0) }

// at is the moment when the clock on the wall first shows so much since midnight. What it skips in spring it reaches
// when it jumps.
func (d day) at(wall time.Duration) time.Time {
	hour, minute, second := int(wall/time.Hour), int(wall%time.Hour/time.Minute), int(wall%time.Minute/time.Second)
	t := time.Date(d.year, d.month, d.day, hour, minute, second, 0, firmware.Place())
	if t.Minute() != minute || t.Hour() != hour%24 {
		// time.Date gives some moment beside the gap; the gap's own is where the zone that holds behind it begins.
		start, end := t.ZoneBounds()
		if t.Sub(start) < 2*time.Hour {
			return start
		}
		return end
	}
	// In autumn an hour comes twice, and time.Date may mean either.
	if earlier := t.Add(-time.Hour); earlier.Hour() == t.Hour() && earlier.Day() == t.Day() {
		return earlier
	}
	return t
}

// stretches are the open pieces of a day, in order, none touching another.
func stretches(calendar firmware.Calendar, d day) []stretch {
	noon := d.at(12 * time.Hour)
	spans := calendar.Week[noon.Weekday()]
	if len(spans) == 0 || closed(calendar, noon) {
		return nil
	}
	var list []stretch
	for _, span := range spans {
		if s := (stretch{d.at(max(0, span.From)), d.at(min(span.Until, 24*time.Hour))}); s.from.Before(s.until) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b stretch) int { return cmp.Or(a.from.Compare(b.from), a.until.Compare(b.until)) })
	var merged []stretch
	for _, s := range list {
		if last := len(merged) - 1; last >= 0 && !s.from.After(merged[last].until) {
			if s.until.After(merged[last].until) {
				merged[last].until = s.until
			}
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// closed tells a day on which a calendar is closed whatever its week says.
func closed(calendar firmware.Calendar, noon time.Time) bool {
	if calendar.Holidays && HolidayOf(noon) != "" {
		return true
	}
	return slices.ContainsFunc(calendar.Closed, func(c time.Time) bool { return sameDay(c.In(firmware.Place()), noon) })
}
