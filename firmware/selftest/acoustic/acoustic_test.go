package acoustic_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/acoustic"
	"freizeichen/firmware/selftest/reading"
)

// path is a model of a sound path: delay, filter, gain, clipping, noise.
type path struct {
	delay    int
	filter   func([]float64, int) []float64
	gain     float64
	clip     float64 // of full scale; 0: none
	noiseDB  float64 // dBFS; 0: none
	cubic    float64 // amount of third-order distortion
	reversed bool
	tail     int
}

func (p path) through(x []int16, rateHz int) []int16 {
	y := make([]float64, p.delay+len(x)+p.tail)
	for i, s := range x {
		v := float64(s) / 32768
		v += p.cubic * v * v * v
		y[i+p.delay] = v
	}
	if p.filter != nil {
		y = p.filter(y, rateHz)
	}
	random := rand.New(rand.NewPCG(1, 2))
	out := make([]int16, len(y))
	for i, v := range y {
		v *= p.gain
		if p.reversed {
			v = -v
		}
		if p.clip > 0 {
			v = max(-p.clip, min(p.clip, v))
		}
		if p.noiseDB != 0 {
			v += random.NormFloat64() * math.Pow(10, p.noiseDB/20) / math.Sqrt2
		}
		out[i] = int16(max(-32768, min(32767, math.Round(v*32768))))
	}
	return out
}

// lowpass and highpass are of first order: -3 dB at hz, by their analogue law while hz is far under the rate.
func lowpass(hz float64) func([]float64, int) []float64 {
	return func(x []float64, rateHz int) []float64 {
		a, y := 1-math.Exp(-2*math.Pi*hz/float64(rateHz)), 0.0
		out := make([]float64, len(x))
		for i, v := range x {
			y += a * (v - y)
			out[i] = y
		}
		return out
	}
}

func highpass(hz float64) func([]float64, int) []float64 {
	return func(x []float64, rateHz int) []float64 {
		low := lowpass(hz)(x, rateHz)
		out := make([]float64, len(x))
		for i := range x {
			out[i] = x[i] - low[i]
		}
		return out
	}
}

// telephone is the band of a handset, 300 to 3,400 Hz.
func telephone(x []float64, rateHz int) []float64 {
	return highpass(150)(x, rateHz)
}

func TestAFrequencyResponseIsJudgedByItsShape(t *testing.T) {
	limits := selftest.StandardLimits()
	for _, c := range []struct {
		name string
		path path
		want selftest.Outcome
	}{
		{"a torn diaphragm: everything above 700 Hz is muffled", path{gain: 1, filter: lowpass(400)}, selftest.Fail},
		{"a leak: nothing low is left", path{gain: 1, filter: highpass(3000)}, selftest.Fail},
		{"only noise is heard: the loudspeaker is dead", path{gain: 0, noiseDB: -30}, selftest.Fail},
		{"noise as loud as the sweep", path{gain: 0.001, noiseDB: -20}, selftest.Fail},
		{"flat", path{gain: 0.5}, selftest.Pass},
		{"flat and late by 30 ms", path{gain: 0.5, delay: 240}, selftest.Pass},
		{"a telephone's band, with noise 30 dB under the sweep", path{gain: 0.5, filter: telephone, noiseDB: -46}, selftest.Pass},
		{"reversed", path{gain: 0.5, reversed: true}, selftest.Pass},
	} {
		for _, rate := range []int{8000, 16000} {
			c.path.tail = rate / 2
			r, err := acoustic.ResponseOf(c.path.through(acoustic.Sweep(rate), rate), rate, acoustic.Narrow())
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got := reading.Response{LowestDB: r.LowestDB, HighestDB: r.HighestDB, ClarityDB: r.ClarityDB}.Judge(limits)
			if noise := c.path.gain < 0.01; noise != (r.ClarityDB < 15) {
				t.Errorf("%s at %d Hz: clarity %.1f dB", c.name, rate, r.ClarityDB)
			}
			if got.Outcome != c.want {
				t.Errorf("%s at %d Hz: %v, want %v: %.1f to %.1f dB, clarity %.1f dB", c.name, rate, got.Outcome, c.want, r.LowestDB, r.HighestDB, r.ClarityDB)
			}
		}
	}
}

func TestTheCurveOfAKnownFilterIsRecoveredUnderNoise(t *testing.T) {
	const rate = 16000
	p := path{gain: 0.5, filter: highpass(500), noiseDB: -50, tail: rate / 2}
	r, err := acoustic.ResponseOf(p.through(acoustic.Sweep(rate), rate), rate, acoustic.Narrow())
	if err != nil {
		t.Fatal(err)
	}
	// The discrete filter's own law: 1 - a/(1-(1-a)z^-1).
	law := func(hz float64) float64 {
		a, w := 1-math.Exp(-2*math.Pi*500/rate), 2*math.Pi*hz/rate
		re, im := 1-(1-a)*math.Cos(w), (1-a)*math.Sin(w)
		d := re*re + im*im
		return 20 * math.Log10(math.Hypot(1-a*re/d, a*im/d))
	}
	offset := math.NaN()
	for i, hz := range r.Hz {
		if hz < 200 || hz > 6500 {
			continue
		}
		if math.IsNaN(offset) {
			offset = r.DB[i] - law(hz)
		}
		if diff := r.DB[i] - law(hz) - offset; math.Abs(diff) > 0.5 {
			t.Errorf("%.0f Hz: %.2f dB beside the filter's law", hz, diff)
		}
	}
}

func TestDistortionIsClassifiedRight(t *testing.T) {
	limits := selftest.StandardLimits()
	for _, c := range []struct {
		percent float64
		want    selftest.Outcome
	}{{10, selftest.Fail}, {4, selftest.Fail}, {2.8, selftest.Marginal}, {1, selftest.Pass}} {
		for _, rate := range []int{8000, 16000} {
			x := acoustic.Tone(rate, 1000, -10, 1)
			third := acoustic.Tone(rate, 3000, -10+20*math.Log10(c.percent/100), 1)
			for i := range x {
				x[i] += third[i]
			}
			d, err := acoustic.DistortionOf(x, rate, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(d.THDPercent-c.percent) > 0.05*c.percent || math.Abs(d.THDNPercent-c.percent) > 0.05*c.percent || math.Abs(d.LevelDBFS+10) > 0.1 {
				t.Errorf("%v %% at %d Hz: measured %+v", c.percent, rate, d)
			}
			if got := (reading.Distortion{THDNPercent: d.THDNPercent}).Judge(limits); got.Outcome != c.want {
				t.Errorf("%v %%: %v, want %v", c.percent, got.Outcome, c.want)
			}
		}
	}
}

func TestACleanToneHasLessThanTheElectricalLimit(t *testing.T) {
	// 1 kHz and 997 Hz: on a bin and between two, as the two clocks like.
	for _, hz := range []float64{1000, 997, 1000.49} {
		d, err := acoustic.DistortionOf(acoustic.Tone(8000, hz, -10, 1.1), 8000, 1000)
		if err != nil || d.THDNPercent > 0.05 {
			t.Errorf("%v Hz: %+v, %v", hz, d, err)
		}
	}
}

func TestAClippedLoudspeakerFails(t *testing.T) {
	for _, c := range []struct {
		clip float64
		want selftest.Outcome
	}{{0.1, selftest.Fail}, {0.2, selftest.Fail}, {0.5, selftest.Pass}} {
		p := path{gain: 1, clip: c.clip}
		d, err := acoustic.DistortionOf(p.through(acoustic.Tone(8000, 1000, -10, 1), 8000), 8000, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if got := (reading.Distortion{THDNPercent: d.THDNPercent}).Judge(selftest.StandardLimits()); got.Outcome != c.want {
			t.Errorf("clipped at %v of full scale: %v with %.2f %%", c.clip, got.Outcome, d.THDNPercent)
		}
	}
}

func TestNoiseInsteadOfAToneIsAllDistortion(t *testing.T) {
	d, err := acoustic.DistortionOf(acoustic.Noise(8000, -20, 1), 8000, 1000)
	if err != nil || d.THDNPercent < 90 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestASilentMicrophoneIsNeverGood(t *testing.T) {
	silent := make([]int16, 5*8000)
	for i := range silent {
		silent[i] = int16(i & 1) // its last bit flickers
	}
	for name, f := range map[string]func() error{
		"response":   func() error { _, err := acoustic.ResponseOf(silent, 8000, acoustic.Narrow()); return err },
		"distortion": func() error { _, err := acoustic.DistortionOf(silent, 8000, 1000); return err },
		"noise":      func() error { _, err := acoustic.SNR(silent, silent, 8000); return err },
		"polarity":   func() error { _, err := acoustic.PolarityOf(silent, 8000); return err },
		"echo":       func() error { _, err := acoustic.ERL(acoustic.Noise(8000, -10, 5), silent, 8000); return err },
	} {
		if err := f(); !errors.Is(err, acoustic.ErrSilence) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := acoustic.DelayOf(acoustic.Chirp(8000), silent, 8000); !errors.Is(err, acoustic.ErrNotFound) {
		t.Errorf("delay: %v", err)
	}
	if _, err := acoustic.DriftOf(silent, 8000, 4); !errors.Is(err, acoustic.ErrNotFound) {
		t.Errorf("drift: %v", err)
	}
	level := acoustic.LevelDBFS(silent)
	if r := (reading.Level{DeviationDB: level + 20, Polarity: 1}).Judge(selftest.StandardLimits()); r.Outcome != selftest.Fail {
		t.Errorf("level %v dBFS: %v", level, r.Outcome)
	}
	if acoustic.LevelDBFS(make([]int16, 100)) != -120 || acoustic.LevelDBFS(nil) != -120 {
		t.Error("digital silence has no level that can be written down")
	}
}

func TestBadRecordingsAreRefused(t *testing.T) {
	long, short := make([]int16, 40000), make([]int16, 100)
	for name, f := range map[string]func() error{
		"response, short":   func() error { _, err := acoustic.ResponseOf(short, 8000, acoustic.Narrow()); return err },
		"response, rate":    func() error { _, err := acoustic.ResponseOf(long, 44100, acoustic.Narrow()); return err },
		"response, mask":    func() error { _, err := acoustic.ResponseOf(long, 8000, acoustic.Wide()); return err },
		"distortion, short": func() error { _, err := acoustic.DistortionOf(short, 8000, 1000); return err },
		"distortion, rate":  func() error { _, err := acoustic.DistortionOf(long, 0, 1000); return err },
		"snr, short":        func() error { _, err := acoustic.SNR(long, short, 8000); return err },
		"polarity, short":   func() error { _, err := acoustic.PolarityOf(short, 8000); return err },
		"tone, short":       func() error { _, err := acoustic.ToneDBFS(short, 8000, 1000); return err },
		"delay, short":      func() error { _, err := acoustic.DelayOf(acoustic.Chirp(8000), short, 8000); return err },
		"drift, short":      func() error { _, err := acoustic.DriftOf(short, 8000, 10); return err },
		"drift, not apart":  func() error { _, err := acoustic.DriftOf(long, 8000, 0); return err },
		"distortion, tone":  func() error { _, err := acoustic.DistortionOf(long, 8000, 1e9); return err },
		"tone, no number":   func() error { _, err := acoustic.ToneDBFS(long, 8000, math.NaN()); return err },
		"tone, negative":    func() error { _, err := acoustic.ToneDBFS(long, 8000, -1000); return err },
		"drift, far apart":  func() error { _, err := acoustic.DriftOf(long, 8000, 1<<30); return err },
		"drift, backwards":  func() error { _, err := acoustic.DriftOf(long, 8000, -3); return err },
		"erl, short":        func() error { _, err := acoustic.ERL(short, long, 8000); return err },
	} {
		if err := f(); err == nil || errors.Is(err, acoustic.ErrSilence) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWeightingIsThatOfTheStandard(t *testing.T) {
	// IEC 61672-1 table 3, exact frequencies.
	for _, c := range []struct{ hz, db float64 }{{31.62, -39.4}, {100, -19.1}, {316.2, -6.6}, {1000, 0}, {1995, 1.2}, {3981, 1.0}, {7943, -1.1}} {
		if got := acoustic.AWeightDB(c.hz); math.Abs(got-c.db) > 0.06 {
			t.Errorf("%v Hz: %.2f dB, want %.1f", c.hz, got, c.db)
		}
	}
}

func TestTheSignalToNoiseRatioIsWeighted(t *testing.T) {
	const rate = 8000
	tone := acoustic.Tone(rate, 1000, -10, 1)
	for _, c := range []struct {
		name    string
		silence []int16
		want    float64
	}{
		{"hum of 50 Hz counts little: -30.2 dB less", acoustic.Tone(rate, 50.12, -40, 2), 60.2},
		{"a whistle of 2 kHz counts more", acoustic.Tone(rate, 1995, -50, 2), 38.8},
		{"digital silence", make([]int16, 2*rate), 110},
	} {
		got, err := acoustic.SNR(tone, c.silence, rate)
		if err != nil || math.Abs(got-c.want) > 0.5 {
			t.Errorf("%s: %.2f dB, want %.1f (%v)", c.name, got, c.want, err)
		}
	}
}

func TestLevelsAreThoseOfASine(t *testing.T) {
	for _, db := range []float64{0, -10, -40} {
		x := acoustic.Tone(8000, 1000, db, 1)
		tone, err := acoustic.ToneDBFS(x, 8000, 1000)
		if math.Abs(acoustic.LevelDBFS(x)-db) > 0.05 || err != nil || math.Abs(tone-db) > 0.05 {
			t.Errorf("%v dBFS: %.2f, and %.2f as a tone (%v)", db, acoustic.LevelDBFS(x), tone, err)
		}
	}
	if got := acoustic.LevelDBFS(acoustic.Noise(8000, -20, 4)); math.Abs(got+20) > 0.2 {
		t.Errorf("noise of -20 dBFS has %.2f", got)
	}
}

func TestTheOtherChannelIsToldByItsTone(t *testing.T) {
	right := acoustic.Tone(8000, 1000, -10, 0.5)
	for i, s := range acoustic.Tone(8000, 1400, -50, 0.5) {
		right[i] += s
	}
	own, _ := acoustic.ToneDBFS(right, 8000, 1000)
	leak, _ := acoustic.ToneDBFS(right, 8000, 1400)
	if math.Abs(leak-own+40) > 0.5 {
		t.Errorf("the other channel is %.1f dB over this one, want -40", leak-own)
	}
}

func TestPolarityFlipsWithTheWires(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, c := range []struct {
			name string
			path path
			want int
		}{
			{"reversed", path{gain: 0.3, filter: telephone, noiseDB: -50, reversed: true}, -1},
			{"right", path{gain: 0.3, filter: telephone, noiseDB: -50}, 1},
			{"muffled", path{gain: 0.3, filter: lowpass(1000)}, 1},
			{"only noise", path{noiseDB: -20}, 0},
		} {
			got, err := acoustic.PolarityOf(c.path.through(acoustic.Pulses(rate, 1), rate), rate)
			if err != nil || got != c.want {
				t.Errorf("%s at %d Hz: %d, want %d (%v)", c.name, rate, got, c.want, err)
			}
		}
	}
}

func TestDelaysAreFound(t *testing.T) {
	const rate = 8000
	sent := acoustic.Chirp(rate)
	for _, c := range []struct {
		samples int
		noise   float64
	}{{0, 0}, {1, -40}, {200, -20}, {320, -13}, {3999, -30}} {
		for _, reversed := range []bool{false, true} {
			p := path{delay: c.samples, gain: 0.5, noiseDB: c.noise, tail: 8000 - c.samples, reversed: reversed}
			got, err := acoustic.DelayOf(sent, p.through(sent, rate), rate)
			want := time.Duration(c.samples) * time.Second / rate
			if err != nil || (got-want).Abs() > 60*time.Microsecond {
				t.Errorf("%d samples, noise %v dBFS, reversed %t: %v, want %v (%v)", c.samples, c.noise, reversed, got, want, err)
			}
		}
	}
	if _, err := acoustic.DelayOf(sent, acoustic.Noise(rate, -10, 2), rate); !errors.Is(err, acoustic.ErrNotFound) {
		t.Errorf("a delay is found in noise: %v", err)
	}
}

// resampled is x as a clock counts it that is faster by ppm: windowed sinc, 32 points.
func resampled(x []int16, ppm float64, extra int) []int16 {
	out := make([]int16, len(x)+extra)
	for i := range out {
		at := float64(i) / (1 + ppm*1e-6)
		centre := int(math.Floor(at))
		if centre > 4100 && centre < len(x)-4100 { // between the chirps is silence
			continue
		}
		sum := 0.0
		for k := centre - 15; k <= centre+16; k++ {
			if k < 0 || k >= len(x) {
				continue
			}
			d := at - float64(k)
			if d == 0 {
				sum += float64(x[k])
				continue
			}
			sum += float64(x[k]) * math.Sin(math.Pi*d) / (math.Pi * d) * (0.5 + 0.5*math.Cos(math.Pi*d/16.5))
		}
		out[i] = int16(math.Round(sum))
	}
	return out
}

func TestDriftsAreRecovered(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, apart := range []int{10, 60} {
			for _, ppm := range []float64{-500, -120, -20, 0, 50, 99, 500} {
				heard := append(make([]int16, 123), resampled(acoustic.TwoChirps(rate, apart), ppm, rate/2)...)
				got, err := acoustic.DriftOf(heard, rate, apart)
				if err != nil || math.Abs(got-ppm) > 5 {
					t.Errorf("%d Hz, %d s apart: %.1f ppm, want %v (%v)", rate, apart, got, ppm, err)
				}
			}
		}
	}
}

func TestEchoIsMeasuredUnderNoise(t *testing.T) {
	const rate = 8000
	sent := acoustic.Noise(rate, -10, 4)
	for _, c := range []struct {
		name string
		path path
		want float64
		off  float64
	}{
		{"6 dB", path{gain: 0.5, delay: 37}, 6, 0.5},
		{"20 dB in a room that is as loud as the echo", path{gain: 0.1, delay: 80, noiseDB: -30}, 20, 1},
		{"an echo that is late, in a room as loud", path{gain: 0.1, delay: 900, noiseDB: -30}, 20, 1},
		{"no loss at all", path{gain: 1}, 0, 0.5},
	} {
		c.path.tail = rate / 4
		got, err := acoustic.ERL(sent, c.path.through(sent, rate), rate)
		if err != nil || math.Abs(got-c.want) > c.off {
			t.Errorf("%s: %.2f dB, want %v (%v)", c.name, got, c.want, err)
		}
	}
	got, err := acoustic.ERL(sent, path{noiseDB: -60, tail: 2000}.through(sent, rate), rate)
	if err != nil || got < 45 || got > 52 {
		t.Errorf("no echo in a quiet room: at least what the levels say (50 dB), got %.1f (%v)", got, err)
	}
}

func ExampleDistortionOf() {
	heard := acoustic.Tone(8000, 1000, -10, 1)
	d, err := acoustic.DistortionOf(heard, 8000, 1000)
	fmt.Printf("%.0f dBFS, THD+N under 0.1 %%: %t, %v\n", d.LevelDBFS, d.THDNPercent < 0.1, err)
	// Output: -10 dBFS, THD+N under 0.1 %: true, <nil>
}

func FuzzAnalysis(f *testing.F) {
	f.Add([]byte{}, 8000, 1000.0, 10)
	f.Add([]byte{1, 2, 3, 255, 127, 0, 128}, 16000, 997.0, 1)
	f.Fuzz(func(t *testing.T, pattern []byte, rate int, hz float64, apart int) {
		heard := make([]int16, 34000)
		for i := range heard {
			if len(pattern) > 1 {
				heard[i] = int16(pattern[i%len(pattern)])<<8 | int16(pattern[(i*7+1)%len(pattern)])
			}
		}
		finite := func(what string, err error, values ...float64) {
			for _, v := range values {
				if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Errorf("%s is %v", what, values)
				}
			}
		}
		r, err := acoustic.ResponseOf(heard, rate, acoustic.Narrow())
		finite("response", err, r.LowestDB, r.HighestDB, r.ClarityDB)
		d, err := acoustic.DistortionOf(heard, rate, hz)
		finite("distortion", err, d.Hz, d.LevelDBFS, d.THDPercent, d.THDNPercent)
		level, err := acoustic.ToneDBFS(heard, rate, hz)
		finite("tone", err, level)
		snr, err := acoustic.SNR(heard, heard[:13000], rate)
		finite("snr", err, snr)
		drift, err := acoustic.DriftOf(heard, rate, apart%4)
		finite("drift", err, drift)
		erl, err := acoustic.ERL(acoustic.Noise(8000, -10, 3), heard, rate)
		finite("erl", err, erl)
		_, _ = acoustic.PolarityOf(heard, rate)
	})
}
