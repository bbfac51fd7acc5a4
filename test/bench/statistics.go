//go:build linux

package main

import (
	"math"
	"slices"
	"time"
)

// quantile is the value below which the part q of the sorted values lies, by nearest rank; q in (0, 1].
func quantile(sorted []time.Duration, q float64) time.Duration {
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func quantileOf(values []time.Duration, q float64) time.Duration {
	return quantile(slices.Sorted(slices.Values(values)), q)
}

// spacing is the times between packets.
type spacing struct{ sd, p1, p99, max time.Duration }

// settled is how much of the beginning is no steady state.
const settled = 50

// spaced sums up times of arrival; at least settled+2 are needed.
func spaced(times []time.Time) (s spacing) {
	gaps := gapsOf(times)
	if len(gaps) == 0 {
		return s
	}
	mean, squares := 0.0, 0.0
	for _, gap := range gaps {
		mean += float64(gap) / float64(len(gaps))
	}
	for _, gap := range gaps {
		squares += (float64(gap) - mean) * (float64(gap) - mean)
	}
	slices.Sort(gaps)
	return spacing{
		sd: time.Duration(math.Sqrt(squares / float64(len(gaps)))), p1: quantile(gaps, 0.01), p99: quantile(gaps, 0.99), max: gaps[len(gaps)-1],
	}
}

func gapsOf(times []time.Time) (gaps []time.Duration) {
	for i := settled + 1; i < len(times); i++ {
		gaps = append(gaps, times[i].Sub(times[i-1]))
	}
	return gaps
}
