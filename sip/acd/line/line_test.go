package line

import (
	"testing"
	"time"
)

func TestWhoWaitsAndSinceWhen(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var l Line
	check := func(n int, oldest time.Time) {
		t.Helper()
		if got, first := l.Waiting(); got != n || !first.Equal(oldest) {
			t.Errorf("%d wait since %v, want %d since %v", got, first, n, oldest)
		}
	}
	l.Leave("nobody")
	check(0, time.Time{})
	l.Join("a", at(1))
	l.Join("b", at(2))
	l.Join("b", at(2))
	check(2, at(1))
	l.Leave("a")
	check(1, at(2))
	l.Begin()
	l.Find("d", at(5))
	l.Find("c", at(-5))
	l.Join("e", at(6))
	check(2, at(2)) // until the sync is complete
	l.Leave("d")
	l.Complete()
	check(2, at(-5))
	l.Shift(-time.Hour)
	check(2, at(-3605))
}
