package acoustic

import (
	"fmt"
	"math"
	"math/cmplx"
)

// A Response is a frequency response.
type Response struct {
	// Hz and DB are its points, 12 in an octave, each a mean over a sixth of an octave; DB is relative to the middle between
	// the highest and the lowest point of the mask.
	Hz, DB []float64
	// LowestDB and HighestDB are of the points in the mask: a path is inside +-6 dB when both are.
	LowestDB, HighestDB float64
	// ClarityDB is how far what answers the sweep stands out of what does not: 0 of mere noise.
	ClarityDB float64
}

// A Mask is the range of frequencies that is judged.
type Mask struct{ LowHz, HighHz float64 }

// Narrow is the mask at 8 kHz: the telephone band.
func Narrow() Mask { return Mask{300, 3400} }

// Wide is the mask at 16 kHz, as in TIA-920 and ETSI ES 202 739.
func Wide() Mask { return Mask{100, 7000} }

// The impulse response is looked at from 4 ms before its peak to 60 ms after: a handset and its echoes from a desk.
const (
	beforePeak = 0.004
	afterPeak  = 0.060
)

// ResponseOf says how a path answers the Sweep. Heard begins when the sweep did and has at least 0.1 s more.
func ResponseOf(heard []int16, rateHz int, mask Mask) (Response, error) {
	if err := checked("frequency response", rateHz, len(heard), sweepSeconds*rateHz+rateHz/10); err != nil {
		return Response{}, err
	}
	if mask.LowHz < sweepLowHz || mask.HighHz > float64(rateHz)*0.45 || mask.LowHz >= mask.HighHz {
		return Response{}, fmt.Errorf("acoustic: frequency response: a mask of %v to %v Hz at %d Hz", mask.LowHz, mask.HighHz, rateHz)
	}
	if LevelDBFS(heard) < -90 {
		return Response{}, ErrSilence
	}
	heard = heard[:min(len(heard), (sweepSeconds+2)*rateHz)]
	impulse := deconvolve(Sweep(rateHz), heard)
	peak, total := 0, 0.0
	for i, v := range impulse {
		total += v * v
		if math.Abs(v) > math.Abs(impulse[peak]) {
			peak = i
		}
	}
	n := len(impulse)
	before, after := int(beforePeak*float64(rateHz)), int(afterPeak*float64(rateHz))
	gate := make([]complex128, powerOfTwo(8*(before+after)))
	inside := 0.0
	for i := -before; i < after; i++ {
		v := impulse[(peak+i+n)%n]
		inside += v * v
		// The edges of the gate are soft: 4 ms at its end, 2 ms before its peak.
		fade := min(1, float64(i+before+1)/float64(before/2), float64(after-i)/float64(before))
		gate[i+before] = complex(v*(0.5-0.5*math.Cos(math.Pi*fade)), 0)
	}
	fourier(gate, false)
	r := smoothed(gate, rateHz, mask)
	outside := (total - inside) / float64(n-before-after) * float64(before+after)
	r.ClarityDB = 10 * math.Log10(max(1e-12, inside)/max(1e-12, outside))
	return r, nil
}

// deconvolve divides the spectrum of heard by that of sent, and is the impulse response.
func deconvolve(sent, heard []int16) []float64 {
	n := powerOfTwo(len(sent) + len(heard))
	x, y := spectrum(sent, n), spectrum(heard, n)
	strongest := 0.0
	for _, v := range x {
		strongest = max(strongest, power(v))
	}
	for i := range y {
		// Where the sweep has nothing, noise is not blown up (Tikhonov).
		y[i] *= cmplx.Conj(x[i]) / complex(power(x[i])+1e-4*strongest, 0)
	}
	fourier(y, true)
	impulse := make([]float64, n)
	for i := range impulse {
		impulse[i] = real(y[i]) / float64(n)
	}
	return impulse
}

// smoothed is the curve of a transformed impulse response.
func smoothed(gate []complex128, rateHz int, mask Mask) Response {
	var r Response
	binHz := float64(rateHz) / float64(len(gate))
	lowest, highest := math.Inf(1), math.Inf(-1)
	for i := 0; ; i++ {
		hz := sweepLowHz * math.Exp2(float64(i)/12)
		if hz > float64(rateHz)*0.46 {
			break
		}
		from, to := int(math.Floor(hz*math.Exp2(-1.0/12)/binHz)), int(math.Ceil(hz*math.Exp2(1.0/12)/binHz))
		mean := 0.0
		for k := from; k <= to; k++ {
			mean += power(gate[k]) / float64(to-from+1)
		}
		db := decibels(mean)
		r.Hz, r.DB = append(r.Hz, hz), append(r.DB, db)
		if hz >= mask.LowHz && hz <= mask.HighHz {
			lowest, highest = min(lowest, db), max(highest, db)
		}
	}
	middle := (lowest + highest) / 2
	for i := range r.DB {
		r.DB[i] -= middle
	}
	r.LowestDB, r.HighestDB = lowest-middle, highest-middle
	return r
}

// A Distortion is what is heard beside a tone.
type Distortion struct {
	Hz          float64 // the tone, as the hearing clock counts
	LevelDBFS   float64 // of the tone
	THDPercent  float64 // harmonics 2 to 6, those under half the rate: at 8 kHz and 1 kHz two
	THDNPercent float64 // everything but the tone, from 20 Hz; 100 when there is no tone
}

// DistortionOf says how a Tone of hz came through. Heard is 0.5 s or more from within the tone.
func DistortionOf(heard []int16, rateHz int, hz float64) (Distortion, error) {
	if err := checked("distortion", rateHz, len(heard), rateHz/2); err != nil {
		return Distortion{}, err
	}
	if err := tonal(rateHz, hz); err != nil {
		return Distortion{}, err
	}
	bins, binHz := powers(heard, rateHz)
	// The two clocks differ by some ppm; 2 % is room for a wrong rate to be seen as distortion.
	peak := int(math.Round(hz / binHz))
	for i := max(1, int(hz*0.98/binHz)); i <= min(len(bins)-1, int(hz*1.02/binHz)); i++ {
		if bins[i] > bins[peak] {
			peak = i
		}
	}
	total := 0.0
	for i := max(1, int(20/binHz)); i < len(bins); i++ {
		total += bins[i]
	}
	if decibels(2*total) < -90 {
		return Distortion{}, ErrSilence
	}
	tone := around(bins, peak, mainLobe)
	harmonics := 0.0
	for k := 2; k <= 6; k++ {
		if bin := k * peak; bin < len(bins)-mainLobe {
			harmonics += around(bins, bin, k/2+mainLobe) // the peak is known to half a bin
		}
	}
	return Distortion{
		Hz:          float64(peak) * binHz,
		LevelDBFS:   decibels(2 * tone),
		THDPercent:  min(100, 100*math.Sqrt(harmonics/max(tone, 1e-30))),
		THDNPercent: 100 * math.Sqrt(max(0, total-tone)/total),
	}, nil
}

// AWeightDB is the A-weighting at a frequency: IEC 61672-1:2013 Annex E, the analytical expression.
func AWeightDB(hz float64) float64 {
	f := hz * hz
	weight := 12194 * 12194 * f * f / ((f + 20.6*20.6) * math.Sqrt((f+107.7*107.7)*(f+737.9*737.9)) * (f + 12194*12194))
	return 20*math.Log10(max(weight, 1e-30)) + 2.00
}

// LevelDBFSA is the A-weighted level; at 8 kHz of what lies under 4 kHz. Samples are 0.25 s or more.
func LevelDBFSA(samples []int16, rateHz int) (float64, error) {
	if err := checked("A-weighted level", rateHz, len(samples), rateHz/4); err != nil {
		return 0, err
	}
	bins, binHz := powers(samples, rateHz)
	sum := 0.0
	for i := 1; i < len(bins); i++ {
		sum += bins[i] * math.Pow(10, AWeightDB(float64(i)*binHz)/10)
	}
	return decibels(2 * sum), nil
}

// SNR is how far the tone of 1 kHz stands above what is heard of silence, in dB, both A-weighted. ErrSilence when the tone
// itself is not there: a dead microphone is very quiet.
func SNR(tone, silence []int16, rateHz int) (float64, error) {
	loud, err := LevelDBFSA(tone, rateHz)
	if err != nil {
		return 0, err
	}
	quiet, err := LevelDBFSA(silence, rateHz)
	if err != nil {
		return 0, err
	}
	if loud < -90 {
		return 0, ErrSilence
	}
	return loud - quiet, nil
}

// PolarityOf is 1 when Pulses came through as they were sent, -1 when turned round, 0 when that is not to be seen.
func PolarityOf(heard []int16, rateHz int) (int, error) {
	if err := checked("polarity", rateHz, len(heard), rateHz/4); err != nil {
		return 0, err
	}
	mean, square, cube := 0.0, 0.0, 0.0
	for _, s := range heard {
		mean += float64(s) / float64(len(heard))
	}
	for _, s := range heard {
		d := float64(s) - mean
		square += d * d / float64(len(heard))
		cube += d * d * d / float64(len(heard))
	}
	if LevelDBFS(heard) < -90 || square < 1 {
		return 0, ErrSilence
	}
	// Skewness: Pulses have about 4, through a telephone's band still more than 1; speech and noise are near 0.
	switch skew := cube / math.Pow(square, 1.5); {
	case skew > 0.7:
		return 1, nil
	case skew < -0.7:
		return -1, nil
	}
	return 0, nil
}
