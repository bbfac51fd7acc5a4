package alarm

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestAlarmsAreDueInTheirOrder(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	var all Alarms[int]
	if _, due := all.Due(start); due || !all.First().IsZero() {
		t.Error("an alarm that nobody set")
	}
	each := make([]Alarm[int], 200)
	want := make([]time.Time, len(each))
	for i := range each {
		each[i].Owner = i
	}
	for range 3000 {
		i := random.IntN(len(each))
		want[i] = time.Time{}
		if random.IntN(4) > 0 {
			want[i] = start.Add(time.Duration(1+random.IntN(1000)) * time.Second)
		}
		all.Set(&each[i], want[i])
	}
	all.Shift(time.Hour)
	var last time.Time
	for {
		now := all.First()
		if now.IsZero() {
			break
		}
		if _, due := all.Due(now.Add(-1)); due || now.Before(last) {
			t.Fatalf("due at %v, before %v", now, last)
		}
		i, due := all.Due(now)
		if !due || !want[i].Add(time.Hour).Equal(now) {
			t.Fatalf("%d is due at %v, want %v", i, now, want[i])
		}
		want[i], last = time.Time{}, now
	}
	if i := slices.IndexFunc(want, func(t time.Time) bool { return !t.IsZero() }); i >= 0 {
		t.Errorf("%d was never due", i)
	}
}
