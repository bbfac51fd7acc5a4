package day

import (
	"testing"
	"time"
)

func TestADayHasItsOwnLength(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for date, hours := range map[string]int{"2026-03-29": 23, "2026-10-25": 25, "2026-11-23": 24} {
		noon, _ := time.ParseInLocation("2006-01-02 15", date+" 12", berlin)
		d := Day{Location: berlin}
		d.Step(noon, time.Time{})
		if got := d.Tomorrow.Sub(d.Midnight); got != time.Duration(hours)*time.Hour {
			t.Errorf("%s has %v", date, got)
		}
		if turn := d.Step(d.Tomorrow.Add(-1), time.Time{}); turn.New {
			t.Errorf("%s ends too early", date)
		}
		if turn := d.Step(d.Tomorrow, time.Time{}); !turn.New || turn.Jump || turn.Early {
			t.Errorf("%s does not end: %+v", date, turn)
		}
	}
}

func TestJumpsOfTheClockAreSeen(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		now  time.Time
		want Turn
	}{
		"as usual":             {noon.Add(time.Second), Turn{}},
		"a little back":        {noon.Add(-time.Second), Turn{}},
		"an hour back":         {noon.Add(-time.Hour), Turn{Shift: -time.Hour, Jump: true}},
		"a day back":           {noon.Add(-24 * time.Hour), Turn{Shift: -24 * time.Hour, Jump: true, Early: true}},
		"an hour later":        {noon.Add(time.Hour), Turn{Jump: true}},
		"the next day":         {noon.Add(24 * time.Hour), Turn{Jump: true, New: true}},
		"late by some seconds": {noon.Add(50 * time.Second), Turn{}},
	} {
		d := Day{Location: time.UTC}
		d.Step(noon, time.Time{})
		if got := d.Step(c.now, noon.Add(30*time.Second)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if d.Now.Before(d.Midnight) || !d.Now.Before(d.Tomorrow) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
