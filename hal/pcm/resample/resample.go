// Package resample changes the rate of mono sound between the rates of sound cards and those of telephony, streaming and
// without allocation. It knows no clock and no card.
//
//	in  --> history --> one dot product per output sample --> out
//	                     ^ a phase of a windowed sinc, chosen by the output's exact place between input samples
//
// The place is counted in whole numbers, so that 44.1 kHz is exactly 441/80 of 8 kHz: a frame of 20 ms is always 882
// samples, and nothing drifts in a year. A bending converter may move the place a little faster or slower and then
// blends neighbouring phases; that is how two cards with different crystals are held together.
//
// The filter is the same for all pairs of rates, scaled to the lower one: Kaiser window, 32 samples of the lower rate
// long, in the middle of its slope at half the lower rate. With 8 kHz on one side: flat within 0.1 dB up to 3.4 kHz, at
// least 60 dB down from 4.6 kHz on, what lies between folds back above the voice band (3.4 kHz). It delays by 16 samples
// of the lower rate, 2 ms at 8 kHz (see Converter.Delay).
package resample

import (
	"fmt"
	"math"
	"time"
)

const (
	// lobes is how many samples of the lower rate the filter reaches to either side.
	lobes = 16
	// kaiser is the window's shape for 70 dB: 0.1102 (A - 8.7), J. F. Kaiser 1974.
	kaiser = 6.755
	// phasesMin is how finely a bending converter's table is cut. Between its phases coefficients are blended
	// linearly, which leaves an error of less than -90 dB.
	phasesMin = 256
	// blockMax is the most input samples that are taken at once: 20 ms at 48 kHz. Longer ones are taken in pieces.
	blockMax = 960
)

// RateMax is the highest rate of either side in Hz, BendMax the most that a converter is bent in parts per million.
const (
	RateMax = 48000
	BendMax = 500
)

// A Converter changes the rate of one stream of mono samples. Make it with New or NewBending.
type Converter struct {
	from, to  int
	step, one uint64      // an output sample is step/one input samples after the one before
	phases    int         // that the table has
	table     [][]float32 // phases+1 of them: the last is the first, one input sample later
	bent      int64       // added to step

	history []float32 // taps-1 old samples, then those of this block
	place   uint64    // of the next output sample, in 1/one input samples after the middle of the filter at history[0]
}

// scale is the resolution of a bending converter's place beyond the exact fraction: bends of 1/scale of a step.
const scale = 1 << 20

// New makes a converter from one rate to another, both in Hz, 8000 to RateMax.
func New(from, to int) (*Converter, error) { return newConverter(from, to, 1, 1) }

// NewBending makes a converter that also obeys Bend. It is for 8 kHz to something: its table is finer.
func NewBending(from, to int) (*Converter, error) { return newConverter(from, to, phasesMin, scale) }

func newConverter(from, to, fine int, scale uint64) (*Converter, error) {
	if from < 8000 || from > RateMax || to < 8000 || to > RateMax {
		return nil, fmt.Errorf("resample: from %d to %d Hz: rates are 8000 to %d", from, to, RateMax)
	}
	divisor := from
	for rest := to; rest != 0; {
		divisor, rest = rest, divisor%rest
	}
	up := to / divisor
	c := &Converter{from: from, to: to, step: uint64(from/divisor) * scale, one: uint64(up) * scale}
	c.phases = up * ((fine + up - 1) / up)
	taps := 2 * lobes * max(from, to) / to // in input samples: longer where the rate falls
	taps += taps % 2
	c.table = newTable(taps, c.phases, min(1, float64(to)/float64(from)))
	c.history = make([]float32, taps-1+blockMax)
	return c, nil
}

// newTable computes a windowed sinc for each place between two input samples; width is the pass band as a part of
// the input's.
func newTable(taps, phases int, width float64) [][]float32 {
	table := make([][]float32, phases+1)
	for p := range table {
		row := make([]float64, taps)
		sum := 0.0
		for t := range row {
			x := float64(taps/2-1-t) + float64(p)/float64(phases) // from tap t to the output's place
			row[t] = sinc(x*width) * window(x/(float64(taps)/2))
			sum += row[t]
		}
		table[p] = make([]float32, taps)
		for t := range row {
			table[p][t] = float32(row[t] / sum) // every phase passes silence's offset alike: no hum at the step rate
		}
	}
	return table
}

func sinc(x float64) float64 {
	switch {
	case x == 0:
		return 1
	case x == math.Trunc(x):
		return 0 // exactly, so that equal rates pass sound untouched
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// window is Kaiser's, x from -1 to 1.
func window(x float64) float64 {
	return bessel(kaiser*math.Sqrt(max(0, 1-x*x))) / bessel(kaiser)
}

// bessel is the modified Bessel function of the first kind and order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

// Delay is how much later the sound comes out.
func (c *Converter) Delay() time.Duration {
	return time.Duration(len(c.table[0])/2) * time.Second / time.Duration(c.from)
}

// Bend makes the converter of NewBending give ppm parts per million more samples, fewer when negative, from now on;
// at most BendMax either way. One of New does not bend.
func (c *Converter) Bend(ppm float64) {
	ppm = max(-BendMax, min(BendMax, ppm))
	if c.phases < phasesMin || math.IsNaN(ppm) {
		return
	}
	c.bent = -int64(math.Round(float64(c.step) * ppm / 1e6))
}

// Reset forgets the sound so far.
func (c *Converter) Reset() {
	clear(c.history)
	c.place = 0
}

// Most is the most output samples that n input samples can give.
func (c *Converter) Most(n int) int {
	// One more for the fraction that was left, and one for each 2000 that a bend adds.
	whole := n*c.to/c.from + 1
	return whole + whole/1000 + 1
}

// Process takes all of in and gives as many samples as there are: without a bend, n samples give exactly n*to/from over
// time, and exactly that at once if it is a whole number. Out has room for Most(len(in)).
func (c *Converter) Process(out, in []int16) int {
	given := 0
	for len(in) > 0 {
		n := min(len(in), blockMax)
		given += c.block(out[given:], in[:n])
		in = in[n:]
	}
	return given
}

func (c *Converter) block(out, in []int16) int {
	taps := len(c.table[0])
	for i, s := range in {
		c.history[taps-1+i] = float32(s)
	}
	end := uint64(len(in)) * c.one
	given := 0
	for ; c.place < end; given++ {
		whole := int(c.place / c.one)
		out[given] = c.sample(c.history[whole:whole+taps], c.place%c.one)
		c.place = uint64(int64(c.place+c.step) + c.bent)
	}
	c.place -= end
	copy(c.history, c.history[len(in):len(in)+taps-1])
	return given
}

// sample is the sound at a fraction, in 1/one, between the middle of old and the sample after it.
func (c *Converter) sample(old []float32, fraction uint64) int16 {
	exact := fraction * uint64(c.phases)
	phase, rest := int(exact/c.one), exact%c.one
	sum := dot(c.table[phase], old)
	if rest != 0 {
		next := dot(c.table[phase+1], old)
		sum += (next - sum) * float32(float64(rest)/float64(c.one))
	}
	rounded := math.Round(float64(sum))
	return int16(max(math.MinInt16, min(math.MaxInt16, rounded)))
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1 float32
	for i := 0; i+1 < len(a); i += 2 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
	}
	return s0 + s1
}
