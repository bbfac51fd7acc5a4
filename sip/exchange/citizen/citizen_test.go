package citizen

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var nineOClock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestCitizensCallFromNumbersThatBelongToNobody(t *testing.T) {
	rng := newRand(1)
	anonymous, subjects := 0, map[string]int{}
	for range 2000 {
		c := newCaller(rng, "115")
		if c.Called != "115" || c.Topic == "" || c.Patience < 40*time.Second || c.Talk < 45*time.Second {
			t.Fatalf("%+v", c)
		}
		subjects[c.Topic]++
		if c.Party.Number == "" {
			anonymous++
			if c.Party.Name != "" {
				t.Fatalf("withheld number with a name: %+v", c)
			}
			continue
		}
		if !utf8.ValidString(c.Party.Name) || !strings.Contains(c.Party.Name, " ") {
			t.Fatalf("name %q", c.Party.Name)
		}
		if !isDrama(c.Party.Number) {
			t.Fatalf("%s is not a number for media productions", c.Party.Number)
		}
	}
	if anonymous < 150 || anonymous > 350 {
		t.Errorf("%d of 2000 withhold their number, want about an eighth", anonymous)
	}
	if len(subjects) != len(topics) || subjects["Kfz-Zulassung"] < subjects["Gewerbeanmeldung"] {
		t.Errorf("topics %v", subjects)
	}
}

func isDrama(number string) bool {
	for _, block := range dramaNumbers {
		if strings.HasPrefix(number, block.prefix) && len(number) == len(block.prefix)+block.digits {
			return true
		}
	}
	return false
}

// run lets a day of citizens come and counts them by hour.
func run(t *testing.T, traffic Traffic, from time.Time, long time.Duration, room bool) (byHour [24]int, first time.Time) {
	t.Helper()
	a := NewArrivals(from, newRand(5), []Traffic{traffic})
	for !a.Deadline().IsZero() && a.Deadline().Before(from.Add(long)) {
		now := a.Deadline()
		for range a.Due(now, func(string) bool { return room }) {
			byHour[now.Hour()]++
			if first.IsZero() {
				first = now
			}
		}
		if !a.Deadline().After(now) {
			t.Fatal("time stands still")
		}
	}
	return byHour, first
}

func TestNobodyCallsANumberWithoutTraffic(t *testing.T) {
	if byHour, _ := run(t, Traffic{Number: "115"}, nineOClock, time.Hour, true); byHour != [24]int{} {
		t.Errorf("%v", byHour)
	}
}

func TestNobodyCallsWhereThereIsNoRoom(t *testing.T) {
	if byHour, _ := run(t, Traffic{Number: "115", Gap: time.Minute}, nineOClock, time.Hour, false); byHour != [24]int{} {
		t.Errorf("%v", byHour)
	}
}

func TestTheFirstCitizenCallsWhenAsked(t *testing.T) {
	_, first := run(t, Traffic{Number: "115", Gap: time.Minute, First: 4 * time.Second}, nineOClock, time.Hour, true)
	if got := first.Sub(nineOClock); got != 4*time.Second {
		t.Errorf("after %v", got)
	}
}

func TestTheDayHasAnM(t *testing.T) {
	byHour, _ := run(t, Traffic{Number: "115", Gap: 10 * time.Second, Hours: OfficeHours}, nineOClock.Add(-9*time.Hour), 24*time.Hour, true)
	if byHour[3] != 0 || byHour[20] != 0 {
		t.Errorf("calls at night: %v", byHour)
	}
	if byHour[9] <= byHour[12] || byHour[14] <= byHour[12] || byHour[12] == 0 {
		t.Errorf("no peaks before and after noon: %v", byHour)
	}
}
