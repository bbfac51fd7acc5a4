//go:build linux

package main

import (
	"math"
	"slices"
	"time"
)

// quantile is the value below which the part q of the values lies, by nearest rank; q in (0, 1]. 0 without values.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
