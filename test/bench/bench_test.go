//go:build linux

package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestAQuantileIsAValueThatWasMeasured(t *testing.T) {
	of := func(values ...time.Duration) []time.Duration { return values }
	for _, test := range []struct {
		values []time.Duration
		q      float64
		want   time.Duration
	}{
		{of(7), 0, 7}, {of(7), 0.5, 7}, {of(7), 1, 7},
		{of(3, 1, 2), 0, 1}, {of(3, 1, 2), 0.5, 2}, {of(3, 1, 2), 0.95, 3},
		{of(4, 3, 2, 1), 0.5, 2}, // nearest rank: not 2.5
	} {
		if got := quantileOf(test.values, test.q); got != test.want {
			t.Errorf("quantile %v of %v is %v, not %v", test.q, test.values, got, test.want)
		}
	}
}

func TestSpacingLeavesTheBeginningOut(t *testing.T) {
	var times []time.Time
	at := time.Now()
	for n := range settled + 101 {
		gap := 20 * time.Millisecond
		if n < settled {
			gap = time.Second
		}
		if n == settled+50 {
			gap = 30 * time.Millisecond
		}
		at = at.Add(gap)
		times = append(times, at)
	}
	got := spaced(times)
	if got.p1 != 20*time.Millisecond || got.max != 30*time.Millisecond || got.sd < 900*time.Microsecond || got.sd > 1100*time.Microsecond {
		t.Errorf("one gap of 30 ms among 99 of 20 ms is %+v; sd should be near 1 ms", got)
	}
	if got := spaced(times[:settled]); got != (spacing{}) {
		t.Errorf("no steady state at all is %+v", got)
	}
}

func TestAFigureThatDoesNotExistHasNoRatio(t *testing.T) {
	r := row{what: "x", decimals: 1, values: []float64{2, math.NaN()}}
	r.want("at most 1", func(v []float64) bool { return v[0] <= 1 })
	if got, want := strings.Join(r.cells(), "|"), "x||2.0|-|-|at most 1: missed"; got != want {
		t.Errorf("cells %q, not %q", got, want)
	}
	r = row{what: "x", decimals: 1, values: []float64{2}}
	r.notSlower()
	if got, want := strings.Join(r.cells(), "|"), "x||2.0|-|"; got != want {
		t.Errorf("without another phone: cells %q, not %q", got, want)
	}
	r = row{what: "x", decimals: 1, values: []float64{2, 4}}
	r.notSlower()
	if got, want := strings.Join(r.cells(), "|"), "x||2.0|4.0|0.50|not slower: met"; got != want {
		t.Errorf("cells %q, not %q", got, want)
	}
}

func TestOptionsWantWholeNumbers(t *testing.T) {
	for _, args := range [][]string{{"-calls", "0"}, {"-starts", "x"}, {"-seconds", "-1"}, {"file"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	t.Setenv("BENCH_SECONDS", "ten")
	if _, err := parseOptions(nil); err == nil {
		t.Error("BENCH_SECONDS=ten was taken")
	}
	t.Setenv("BENCH_SECONDS", "10")
	if o, err := parseOptions([]string{"-calls", "5"}); err != nil || o.talk != 10*time.Second || o.calls != 5 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := parseOptions([]string{"-seconds", "3"}); err != nil || o.talk != 3*time.Second {
		t.Errorf("a flag counts more than the environment: %+v, %v", o, err)
	}
}
