package acoustic

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"time"
)

// ErrNotFound is what an analysis says when the signal that was sent is not in what was heard.
var ErrNotFound = errors.New("acoustic: the test signal was not found in what was heard")

// likenessLeast is how much a place must be like the signal, 0 to 1, to be one: noise as loud as the signal still lets it
// be found, speech is less like it.
const likenessLeast = 0.3

// find is where sent begins in heard, in samples with a fraction. Polarity does not matter.
func find(sent, heard []int16) (float64, error) {
	if len(heard) < len(sent) {
		return 0, ErrNotFound
	}
	c := correlate(sent, heard)
	best := 0
	for i, v := range c {
		if math.Abs(v) > math.Abs(c[best]) {
			best = i
		}
	}
	energy := func(x []int16) (sum float64) {
		for _, s := range x {
			sum += float64(s) / fullScale * float64(s) / fullScale
		}
		return sum
	}
	strength := math.Sqrt(energy(sent) * energy(heard[best:best+len(sent)]))
	if strength < 1e-9 || math.Abs(c[best])/strength < likenessLeast {
		return 0, ErrNotFound
	}
	at := float64(best)
	if best > 0 && best+1 < len(c) {
		// Between samples: the top of the parabola through three points.
		left, top, right := c[best-1], c[best], c[best+1]
		if bend := left - 2*top + right; bend != 0 {
			at += 0.5 * (left - right) / bend
		}
	}
	return at, nil
}

// DelayOf is how long sent takes through a path. Heard begins when sent did, and is longer by the longest delay that is
// looked for. Sent is a Chirp or Noise.
func DelayOf(sent, heard []int16, rateHz int) (time.Duration, error) {
	if err := checked("delay", rateHz, len(heard), len(sent)); err != nil {
		return 0, err
	}
	at, err := find(sent, heard)
	return time.Duration(at / float64(rateHz) * float64(time.Second)), err
}

// DriftOf is how much faster the hearing clock runs than the sending one, in ppm, by TwoChirps: faster clocks count more
// samples. Heard begins when the first chirp did, and is longer than TwoChirps by the longest delay, up to 1 s.
func DriftOf(heard []int16, rateHz, apartSeconds int) (float64, error) {
	if apartSeconds < 1 || apartSeconds > 120 {
		return 0, fmt.Errorf("acoustic: drift: chirps that are %d s apart, not 1 to 120", apartSeconds)
	}
	chirp := Chirp(rateHz)
	if err := checked("drift", rateHz, len(heard), apartSeconds*rateHz+len(chirp)); err != nil {
		return 0, err
	}
	// Both are looked for within the same span after where they would be, a little earlier for a slow clock.
	early := rateHz/100 + apartSeconds*rateHz/1000 // 1,000 ppm: a sound card that is worse is another rate
	second := apartSeconds*rateHz - early
	reach := min(len(heard)-second, apartSeconds*rateHz, rateHz+2*early+len(chirp)) // a second: no path is later
	first, err := find(chirp, heard[:reach])
	if err != nil {
		return 0, err
	}
	last, err := find(chirp, heard[second:second+reach])
	if err != nil {
		return 0, err
	}
	spacing := last + float64(second) - first
	return (spacing/float64(apartSeconds*rateHz) - 1) * 1e6, nil
}

// erlWindow is the length of the segments of ERL; erlSegments how many it takes at least: uncorrelated noise counts with one
// part in as many.
const (
	erlWindow   = 1024
	erlSegments = 32
)

// ERL is the echo return loss in dB: how much weaker white Noise comes back through the microphone than it was sent. What
// the room adds does not count. When the noise is not found in what was heard, it is the mere difference of the levels: the
// loss is at least that. ErrSilence when not even the microphone's own noise is heard.
func ERL(sent, heard []int16, rateHz int) (float64, error) {
	const least = erlWindow * (erlSegments/2 + 1)
	if err := checked("echo return loss", rateHz, min(len(sent), len(heard)), least); err != nil {
		return 0, err
	}
	if LevelDBFS(heard) < -90 || LevelDBFS(sent) < -90 {
		return 0, ErrSilence
	}
	difference := LevelDBFS(sent) - LevelDBFS(heard)
	at, found := position(sent, heard)
	if !found || at+least > len(heard) {
		return difference, nil
	}
	heard = heard[at:]
	window := blackmanHarris(erlWindow)
	var cross [erlWindow]complex128
	var own [erlWindow]float64
	for start := 0; start+erlWindow <= min(len(sent), len(heard)); start += erlWindow / 2 {
		x, y := make([]complex128, erlWindow), make([]complex128, erlWindow)
		for i, w := range window {
			x[i] = complex(float64(sent[start+i])/fullScale*w, 0)
			y[i] = complex(float64(heard[start+i])/fullScale*w, 0)
		}
		fourier(x, false)
		fourier(y, false)
		for i := range x {
			cross[i] += cmplx.Conj(x[i]) * y[i]
			own[i] += power(x[i])
		}
	}
	back, out := 0.0, 0.0
	for i := 1; i < erlWindow/2; i++ {
		back += power(cross[i]) / own[i]
		out += own[i]
	}
	return max(difference, -decibels(back/out)), nil
}

// position is where noise begins in what was heard: the highest place of the correlation, if it stands out.
func position(sent, heard []int16) (int, bool) {
	n := min(len(sent), len(heard)) * 3 / 4 // leaves a quarter to move in
	c := correlate(sent[:n], heard)
	best, sum := 0, 0.0
	for i, v := range c {
		sum += v * v
		if math.Abs(v) > math.Abs(c[best]) {
			best = i
		}
	}
	return best, len(c) > 0 && c[best]*c[best] > 40*sum/float64(len(c))
}
