package acoustic

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fourier transforms x in place; its length is a power of two. The inverse is not divided by the length.
func fourier(x []complex128, inverse bool) {
	n := len(x)
	shift := 64 - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); n > 1 && j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	sign := -2 * math.Pi
	if inverse {
		sign = -sign
	}
	turns := make([]complex128, n/2) // computed, not multiplied up: errors do not add up
	for i := range turns {
		turns[i] = cmplx.Rect(1, sign*float64(i)/float64(n))
	}
	for half := 1; half < n; half *= 2 {
		for start := 0; start < n; start += 2 * half {
			for k := range half {
				a, b := x[start+k], x[start+half+k]*turns[k*(n/(2*half))]
				x[start+k], x[start+half+k] = a+b, a-b
			}
		}
	}
}

// spectrum is the transform of samples, full scale 1, padded with zeros to n.
func spectrum(samples []int16, n int) []complex128 {
	x := make([]complex128, n)
	for i, s := range samples {
		x[i] = complex(float64(s)/fullScale, 0)
	}
	fourier(x, false)
	return x
}

// powerOfTwo is the next one that is n or more.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(max(n, 2)-1)) }

func power(x complex128) float64 { return real(x)*real(x) + imag(x)*imag(x) }

// blackmanHarris is the 4-term window with side lobes under -92 dB: what leaks from a tone of -10 dBFS is far below 0.1 %.
// Its main lobe is mainLobe bins wide to either side.
// F. J. Harris, "On the use of windows for harmonic analysis with the DFT", Proc. IEEE 66-1 (1978), table 1.
func blackmanHarris(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		t := 2 * math.Pi * float64(i) / float64(n)
		w[i] = 0.35875 - 0.48829*math.Cos(t) + 0.14128*math.Cos(2*t) - 0.01168*math.Cos(3*t)
	}
	return w
}

const mainLobe = 4

// powers is the one-sided power of each bin, mean square of full scale 1, through a window; and the width of a bin in Hz.
// The sum over all bins is the mean square of samples. The longest power of two that fits is taken from the end, where
// what switched on has settled.
func powers(samples []int16, rateHz int) (bins []float64, binHz float64) {
	n := powerOfTwo(len(samples)+1) / 2
	samples = samples[len(samples)-n:]
	window := blackmanHarris(n)
	x := make([]complex128, n)
	mean, energy := 0.0, 0.0
	for _, s := range samples {
		mean += float64(s) / float64(n)
	}
	for i, s := range samples {
		x[i] = complex((float64(s)-mean)/fullScale*window[i], 0)
		energy += window[i] * window[i]
	}
	fourier(x, false)
	bins = make([]float64, n/2+1)
	for i := range bins {
		bins[i] = 2 * power(x[i]) / (energy * float64(n))
	}
	bins[0], bins[n/2] = bins[0]/2, bins[n/2]/2
	return bins, float64(rateHz) / float64(n)
}

// correlate is the correlation of heard with sent: element i is the sum over sent moved by i.
func correlate(sent, heard []int16) []float64 {
	n := powerOfTwo(len(sent) + len(heard))
	x, y := spectrum(sent, n), spectrum(heard, n)
	for i := range y {
		y[i] *= cmplx.Conj(x[i])
	}
	fourier(y, true)
	c := make([]float64, max(0, len(heard)-len(sent)+1))
	for i := range c {
		c[i] = real(y[i]) / float64(n)
	}
	return c
}
