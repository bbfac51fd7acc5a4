package scenario

import "math"

// tone reports whether the samples at 8 kHz hold mostly a tone of that frequency: its share of the energy by Goertzel's
// algorithm is above a half.
func tone(samples []int16, frequencyHz float64) bool {
	if len(samples) < 800 {
		return false
	}
	samples = samples[len(samples)-800:] // 100 ms: what was heard last
	coefficient := 2 * math.Cos(2*math.Pi*frequencyHz/8000)
	var s1, s2, energy float64
	for _, v := range samples {
		x := float64(v)
		s1, s2 = x+coefficient*s1-s2, s1
		energy += x * x
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	return energy > 0 && power > 0.5*energy*float64(len(samples))/2
}
