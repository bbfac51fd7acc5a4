package hours

import (
	"math/rand/v2"
	"testing"
	"time"

	"freizeichen/firmware"
)

func clock(hour, minute int) time.Duration {
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

// weekdays is open on Monday to Friday in these spans.
func weekdays(spans ...firmware.Span) firmware.Calendar {
	c := firmware.Calendar{Holidays: true}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Week[d] = spans
	}
	return c
}

func everyDay(spans ...firmware.Span) (c firmware.Calendar) {
	for d := range c.Week {
		c.Week[d] = spans
	}
	return c
}

var (
	service = weekdays(firmware.Span{From: clock(7, 30), Until: clock(18, 0)})
	halves  = weekdays(firmware.Span{From: clock(14, 0), Until: clock(16, 0)}, firmware.Span{From: clock(8, 0), Until: clock(12, 0)})
	always  = everyDay(firmware.Span{Until: clock(24, 0)})
	never   = firmware.Calendar{}
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, firmware.Place())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestOpenSaysUntilWhenAndWhenNext(t *testing.T) {
	closedOnce := service
	closedOnce.Closed = []time.Time{moment(t, "2026-11-27 00:00:00")}
	touching := weekdays(firmware.Span{From: clock(8, 0), Until: clock(12, 0)}, firmware.Span{From: clock(12, 0), Until: clock(16, 0)})
	late := firmware.Calendar{}
	late.Week[time.Friday] = []firmware.Span{{From: clock(20, 0), Until: clock(24, 0)}}
	late.Week[time.Saturday] = []firmware.Span{{From: 0, Until: clock(2, 0)}}
	for _, test := range []struct {
		name     string
		calendar firmware.Calendar
		at       string
		open     bool
		changes  string
	}{
		{"never", never, "2026-11-26 12:00:00", false, ""},
		{"always", always, "2026-11-26 12:00:00", true, ""},
		{"a second too early", service, "2026-11-26 07:29:59", false, "2026-11-26 07:30:00"},
		{"at opening", service, "2026-11-26 07:30:00", true, "2026-11-26 18:00:00"},
		{"a second before closing", service, "2026-11-26 17:59:59", true, "2026-11-26 18:00:00"},
		{"at closing", service, "2026-11-26 18:00:00", false, "2026-11-27 07:30:00"},
		{"over the weekend", service, "2026-11-27 18:00:00", false, "2026-11-30 07:30:00"},
		{"noon", halves, "2026-11-26 12:00:00", false, "2026-11-26 14:00:00"},
		{"spans out of order", halves, "2026-11-26 08:00:00", true, "2026-11-26 12:00:00"},
		{"touching spans are one", touching, "2026-11-26 09:00:00", true, "2026-11-26 16:00:00"},
		{"past midnight", late, "2026-11-27 22:00:00", true, "2026-11-28 02:00:00"},
		{"Christmas", service, "2026-12-24 18:00:00", false, "2026-12-28 07:30:00"},
		{"on a holiday", service, "2026-05-14 10:00:00", false, "2026-05-15 07:30:00"},
		{"a closed day", closedOnce, "2026-11-27 10:00:00", false, "2026-11-30 07:30:00"},
		{"the day the clocks change, a Sunday", service, "2026-03-29 12:00:00", false, "2026-03-30 07:30:00"},
	} {
		open, changes := Open(test.calendar, moment(t, test.at))
		if open != test.open || !changes.Equal(moment(t, test.changes)) {
			t.Errorf("%s: open %v until %v, want %v until %s", test.name, open, changes, test.open, test.changes)
		}
	}
	// The moment is one, whatever zone it is told in.
	if open, _ := Open(service, time.Date(2026, 11, 26, 6, 30, 0, 0, time.UTC)); !open {
		t.Error("half past seven in Wesel is half past six in UTC")
	}
}

func TestAgentsAreWarnedFiveMinutesBefore(t *testing.T) {
	for _, test := range []struct {
		calendar firmware.Calendar
		at       string
		closes   string
		soon     bool
	}{
		{never, "2026-11-26 17:55:00", "", false},
		{always, "2026-11-26 23:59:00", "", false},
		{service, "2026-11-26 07:00:00", "", false},
		{service, "2026-11-26 17:54:59", "2026-11-26 18:00:00", false},
		{service, "2026-11-26 17:55:00", "2026-11-26 18:00:00", true},
		{service, "2026-11-26 17:59:59", "2026-11-26 18:00:00", true},
		{service, "2026-11-26 18:00:00", "", false},
		{halves, "2026-11-26 11:55:00", "2026-11-26 12:00:00", true},
	} {
		closes, soon := Closing(test.calendar, moment(t, test.at))
		if !closes.Equal(moment(t, test.closes)) || soon != test.soon {
			t.Errorf("%s: %v, %v; want %s, %v", test.at, closes, soon, test.closes, test.soon)
		}
	}
}

func TestDueCountsHoursOfServiceAlone(t *testing.T) {
	nights := everyDay(firmware.Span{From: 0, Until: clock(4, 0)})
	for _, test := range []struct {
		name     string
		calendar firmware.Calendar
		from     string
		service  time.Duration
		due      string
	}{
		{"never open", never, "2026-11-26 12:00:00", 24 * time.Hour, ""},
		// Thursday 10:00: 8 h to the evening, 10.5 h on Friday, 5.5 h on Monday.
		{"24 h in days of 10.5 h", service, "2026-11-26 10:00:00", 24 * time.Hour, "2026-11-30 13:00:00"},
		{"asked in the evening", service, "2026-11-26 20:00:00", time.Hour, "2026-11-27 08:30:00"},
		{"to the end of the day", service, "2026-11-26 10:00:00", 8 * time.Hour, "2026-11-26 18:00:00"},
		{"at once, while open", service, "2026-11-26 10:00:00", 0, "2026-11-26 10:00:00"},
		{"at once, while closed", service, "2026-11-28 10:00:00", 0, "2026-11-30 07:30:00"},
		{"less than nothing", service, "2026-11-26 10:00:00", -time.Hour, "2026-11-26 10:00:00"},
		{"over Christmas", service, "2026-12-23 17:00:00", 24 * time.Hour, "2026-12-29 09:30:00"},
		{"through the noon", halves, "2026-11-26 11:00:00", 2 * time.Hour, "2026-11-26 15:00:00"},
		{"always open, in spring", always, "2026-03-28 12:00:00", 24 * time.Hour, "2026-03-29 13:00:00"},
		{"always open, in autumn", always, "2026-10-24 12:00:00", 24 * time.Hour, "2026-10-25 11:00:00"},
		// A night of 0 to 4 h has three hours in spring and five in autumn.
		{"the short night", nights, "2026-03-29 00:00:00", 4 * time.Hour, "2026-03-30 01:00:00"},
		{"the long night", nights, "2026-10-25 00:00:00", 5 * time.Hour, "2026-10-25 04:00:00"},
		{"service over the change of clocks", service, "2026-03-27 17:00:00", 2 * time.Hour, "2026-03-30 08:30:00"},
	} {
		if due := Due(test.calendar, moment(t, test.from), test.service); !due.Equal(moment(t, test.due)) {
			t.Errorf("%s: due %v, want %s", test.name, due, test.due)
		}
	}
}

func TestWhatTheClockSkipsOpensWhenItJumps(t *testing.T) {
	early := everyDay(firmware.Span{From: clock(2, 30), Until: clock(5, 0)})
	if _, opens := Open(early, moment(t, "2026-03-29 01:00:00")); !opens.Equal(moment(t, "2026-03-29 03:00:00")) {
		t.Errorf("opens %v", opens)
	}
	// In autumn the clock shows half past two twice: it opens at the first.
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	if _, opens := Open(early, first.Add(-time.Hour)); !opens.Equal(first) {
		t.Errorf("opens %v, want %v", opens, first)
	}
	// A span that the jump swallows is none.
	gone := everyDay(firmware.Span{From: clock(2, 0), Until: clock(3, 0)})
	if _, opens := Open(gone, moment(t, "2026-03-29 01:00:00")); !opens.Equal(moment(t, "2026-03-30 02:00:00")) {
		t.Errorf("opens %v", opens)
	}
}

func TestTenYearsAreEnough(t *testing.T) {
	rare := firmware.Calendar{}
	rare.Week[time.Monday] = []firmware.Span{{From: clock(8, 0), Until: clock(8, 1)}}
	if due := Due(rare, moment(t, "2026-11-26 10:00:00"), 24*time.Hour); !due.IsZero() {
		t.Errorf("due %v: it should have given up", due)
	}
}

// randomCalendar has up to three spans a day, in quarters of an hour, none beginning or ending between 2 and 3 o'clock.
func randomCalendar(rng *rand.Rand) firmware.Calendar {
	c := firmware.Calendar{Holidays: rng.IntN(2) == 0}
	quarter := func() time.Duration {
		q := rng.IntN(97)
		if q >= 8 && q <= 12 {
			q = 13
		}
		return time.Duration(q) * 15 * time.Minute
	}
	for d := range c.Week {
		for range rng.IntN(4) {
			a, b := quarter(), quarter()
			c.Week[d] = append(c.Week[d], firmware.Span{From: min(a, b), Until: max(a, b)})
		}
	}
	return c
}

// wallOpen looks at the clock on the wall: the plain reading of a calendar.
func wallOpen(c firmware.Calendar, t time.Time) bool {
	t = t.In(firmware.Place())
	if c.Holidays && HolidayOf(t) != "" {
		return false
	}
	wall := clock(t.Hour(), t.Minute())
	for _, s := range c.Week[t.Weekday()] {
		if s.From <= wall && wall < s.Until {
			return true
		}
	}
	return false
}

func TestAgainstAClockThatWalksFiveMinutesByFive(t *testing.T) {
	const step = 5 * time.Minute
	starts := []string{"2026-03-27 23:00:00", "2026-10-23 01:00:00", "2026-12-23 00:00:00", "2026-06-01 09:00:00"}
	for seed := range uint64(16) {
		c := randomCalendar(rand.New(rand.NewPCG(seed, 1)))
		from := moment(t, starts[seed%4])
		first, changes := Open(c, from)
		passed := time.Duration(0)
		for at := from; at.Before(from.AddDate(0, 0, 4)); at = at.Add(step) {
			open := wallOpen(c, at)
			if got, _ := Open(c, at); got != open {
				t.Fatalf("seed %d: at %v open is %v, want %v\n%+v", seed, at, got, open, c)
			}
			if open != first && !changes.IsZero() {
				if !changes.Equal(at) {
					t.Fatalf("seed %d: from %v it changes at %v, want %v", seed, from, changes, at)
				}
				changes = time.Time{}
			}
			if open {
				// The step's middle is due after what has passed and half a step.
				if due := Due(c, from, passed+step/2); !due.Equal(at.Add(step / 2)) {
					t.Fatalf("seed %d: after %v of service from %v due is %v, want %v", seed, passed, from, due, at)
				}
				passed += step
			}
		}
	}
}

func TestDueGrowsWithServiceAndWithTheStartAndLiesInsideOpening(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		c := randomCalendar(rng)
		from := moment(t, "2026-01-01 00:00:00").Add(time.Duration(rng.IntN(365*24*60)) * time.Minute)
		length := time.Duration(1+rng.IntN(40*60)) * time.Minute
		due := Due(c, from, length)
		if due.IsZero() {
			if _, opens := Open(c, from); !opens.IsZero() {
				t.Errorf("seed %d: never due, but it opens %v", seed, opens)
			}
			continue
		}
		if later := Due(c, from, length+time.Minute); !later.After(due) {
			t.Errorf("seed %d: more service is due at %v, not after %v", seed, later, due)
		}
		if later := Due(c, from.Add(time.Hour), length); later.Before(due) {
			t.Errorf("seed %d: asked an hour later it is due at %v, before %v", seed, later, due)
		}
		if due.Sub(from) < length {
			t.Errorf("seed %d: due after %v, but that is less than %v", seed, due.Sub(from), length)
		}
		// The end of a span belongs to it here: an answer at closing time is in time.
		if open, _ := Open(c, due.Add(-time.Nanosecond)); !open {
			t.Errorf("seed %d: due at %v, when it is closed", seed, due)
		}
	}
}
