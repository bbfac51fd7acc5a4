package usbheadset

import "math"

// window is short enough to lie between two gaps on a busy machine: 200 ms.
const window = RateHz / 5

// Share is how much of the power of samples at RateHz is at a frequency, 0 to 1, in the best window: Goertzel's algorithm.
func Share(samples []int16, hz float64) float64 {
	best, c := 0.0, 2*math.Cos(2*math.Pi*hz/RateHz)
	for ; len(samples) >= window; samples = samples[window:] {
		var a, b, all float64
		for _, s := range samples[:window] {
			x := float64(s)
			all += x * x
			a, b = x+c*a-b, a
		}
		if all > 0 {
			best = max(best, (a*a+b*b-c*a*b)/(all*window/2))
		}
	}
	return best
}
