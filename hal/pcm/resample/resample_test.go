package resample

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// tone is a sine of amplitude 16000, a second long.
func tone(hz float64, rate int) []int16 {
	samples := make([]int16, rate)
	for i := range samples {
		samples[i] = int16(math.Round(16000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return samples
}

// convert sends sound through in frames of 20 ms and leaves out the first 100 ms.
func convert(t *testing.T, c *Converter, in []int16, bent bool) []int16 {
	t.Helper()
	frame, exact := c.from/50, c.to/50
	out := make([]int16, c.Most(frame))
	var all []int16
	for ; len(in) >= frame; in = in[frame:] {
		n := c.Process(out, in[:frame])
		if n != exact && !bent {
			t.Fatalf("a frame of %d samples gave %d, want exactly %d", frame, n, exact)
		}
		all = append(all, out[:n]...)
	}
	return all[c.to/10:]
}

// measure fits a sine of hz: its amplitude over 16000, and what is not of it over it, both in dB.
func measure(samples []int16, hz float64, rate int) (gainDB, restDB float64) {
	var ss, cc, sc, sx, cx float64
	for i, v := range samples {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		ss, cc, sc = ss+s*s, cc+c*c, sc+s*c
		sx, cx = sx+s*float64(v), cx+c*float64(v)
	}
	d := ss*cc - sc*sc
	a, b := (sx*cc-cx*sc)/d, (cx*ss-sx*sc)/d
	rest := 0.0
	for i, v := range samples {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		rest += math.Pow(float64(v)-a*s-b*c, 2)
	}
	power := (a*a + b*b) / 2
	return 10 * math.Log10(power/(16000*16000/2)), 10 * math.Log10(rest/float64(len(samples))/power)
}

func levelDB(samples []int16) float64 {
	sum := 1e-9
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return 10 * math.Log10(sum/float64(len(samples))/(16000*16000/2))
}

func TestImpossibleRatesAreRefused(t *testing.T) {
	for _, c := range [][2]int{{0, 8000}, {8000, 0}, {-8000, 8000}, {7999, 8000}, {8000, 48001}, {96000, 8000}, {math.MaxInt, 8000}} {
		if _, err := New(c[0], c[1]); err == nil {
			t.Errorf("from %d to %d Hz: no error", c[0], c[1])
		}
		if _, err := NewBending(c[0], c[1]); err == nil {
			t.Errorf("bending from %d to %d Hz: no error", c[0], c[1])
		}
	}
}

var pairs = [][2]int{{8000, 8000}, {8000, 16000}, {8000, 44100}, {8000, 48000}, {16000, 8000}, {44100, 8000}, {48000, 8000},
	{16000, 16000}, {16000, 44100}, {16000, 48000}, {44100, 16000}, {48000, 16000}}

func TestTheVoiceBandPassesFlatAndCleanAtAllRates(t *testing.T) {
	for _, p := range pairs {
		for _, hz := range []float64{300, 1000, 2000, 3400} {
			for _, make := range []func(from, to int) (*Converter, error){New, NewBending} {
				c, err := make(p[0], p[1])
				if err != nil {
					t.Fatal(err)
				}
				// What is not the tone is images of it, mirrored at 8 kHz, and rounding.
				gain, rest := measure(convert(t, c, tone(hz, p[0])[:p[0]/2], false), hz, p[1])
				if math.Abs(gain) > 0.1 || rest > -65 {
					t.Errorf("%d to %d Hz, tone of %g Hz: gain %.3f dB, want 0; rest %.1f dB, want under -65", p[0], p[1], hz, gain, rest)
				}
			}
		}
	}
}

func TestWhatTelephonyCannotCarryDoesNotFoldIntoTheVoice(t *testing.T) {
	for _, from := range []int{16000, 44100, 48000} {
		for _, hz := range []float64{4600, 5000, 6000, 7400, 7900} {
			c, err := New(from, 8000)
			if err != nil {
				t.Fatal(err)
			}
			if level := levelDB(convert(t, c, tone(hz, from)[:from/2], false)); level > -60 {
				t.Errorf("%d Hz: a tone of %g Hz comes out folded at %.1f dB, want under -60", from, hz, level)
			}
		}
	}
}

func TestEqualRatesLeaveSoundUntouched(t *testing.T) {
	c, err := NewBending(8000, 8000)
	if err != nil {
		t.Fatal(err)
	}
	in := tone(1234, 8000)
	out := make([]int16, c.Most(len(in)))
	if n := c.Process(out, in); n != len(in) {
		t.Fatalf("%d samples of %d", n, len(in))
	}
	for i := range in[:7984] {
		if out[16+i] != in[i] {
			t.Fatalf("sample %d is %d, was %d", i, out[16+i], in[i])
		}
	}
}

func TestTheDelayIsWhatItSays(t *testing.T) {
	for _, p := range pairs {
		c, err := New(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		in := make([]int16, p[0]/10)
		in[0] = 30000
		out := make([]int16, c.Most(len(in)))
		n := c.Process(out, in)
		loudest := 0
		for i, v := range out[:n] {
			if v > out[loudest] {
				loudest = i
			}
		}
		came := time.Duration(loudest) * time.Second / time.Duration(p[1])
		if off := (came - c.Delay()).Abs(); off > 63*time.Microsecond {
			t.Errorf("%d to %d Hz: a click comes out after %v, said %v", p[0], p[1], came, c.Delay())
		}
		if want := 16 * time.Second / time.Duration(min(p[0], p[1])); (c.Delay() - want).Abs() > 50*time.Microsecond {
			t.Errorf("%d to %d Hz: delays by %v, the package comment says %v", p[0], p[1], c.Delay(), want)
		}
	}
}

func TestABendChangesTheCountAndNothingThatIsHeard(t *testing.T) {
	for _, to := range []int{8000, 16000, 44100, 48000} {
		for _, ppm := range []float64{-500, 7, 200, 9999} {
			c, err := NewBending(8000, to)
			if err != nil {
				t.Fatal(err)
			}
			c.Bend(ppm)
			bent := min(ppm, BendMax)
			in := tone(3000, 8000)
			out := make([]int16, c.Most(len(in)))
			n := 0
			seconds := 160000 / to
			for range seconds {
				n += c.Process(out, in)
			}
			if want := float64(to*seconds) * (1 + bent/1e6); math.Abs(float64(n)-want) > 2+1e-6*want {
				t.Errorf("to %d Hz, %g ppm: %d samples in %d s, want %.0f", to, ppm, n, seconds, want)
			}
			c.Reset()
			gain, rest := measure(convert(t, c, in, true), 3000/(1+bent/1e6), to)
			// The bend is as fine as a millionth: the tone that was fitted slides away from the true one by that.
			if math.Abs(gain) > 0.1 || rest > -50 {
				t.Errorf("to %d Hz, %g ppm: gain %.2f dB, rest %.1f dB", to, ppm, gain, rest)
			}
		}
	}
	c, err := New(16000, 8000)
	if err != nil {
		t.Fatal(err)
	}
	c.Bend(500)
	convert(t, c, tone(1000, 16000), false)
}

func TestHowSoundIsCutIntoBlocksIsNotHeard(t *testing.T) {
	for _, p := range pairs {
		whole, err := New(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := New(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		in := tone(700, p[0])
		a := make([]int16, whole.Most(len(in)))
		a = a[:whole.Process(a, in)]
		var b []int16
		piece := make([]int16, pieces.Most(1013))
		for size := 1; len(in) > 0; size = size*7%1013 + 1 {
			n := min(size, len(in))
			b = append(b, piece[:pieces.Process(piece, in[:n])]...)
			in = in[n:]
		}
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%d to %d Hz: %d samples at once and %d in pieces differ", p[0], p[1], len(a), len(b))
		}
	}
}

func TestLoudSoundSaturatesAndDoesNotWrap(t *testing.T) {
	c, err := New(8000, 48000)
	if err != nil {
		t.Fatal(err)
	}
	in := make([]int16, 160)
	for i := range in {
		in[i] = math.MaxInt16
		if i/4%2 == 1 {
			in[i] = math.MinInt16
		}
	}
	out := make([]int16, c.Most(len(in)))
	for i := 1; i < c.Process(out, in); i++ {
		if jump := math.Abs(float64(out[i]) - float64(out[i-1])); jump > 40000 {
			t.Fatalf("sample %d jumps from %d to %d", i, out[i-1], out[i])
		}
	}
}

func TestConvertingAllocatesNothing(t *testing.T) {
	c, err := NewBending(8000, 44100)
	if err != nil {
		t.Fatal(err)
	}
	in := tone(440, 8000)[:160]
	out := make([]int16, c.Most(len(in)))
	if n := testing.AllocsPerRun(100, func() { c.Bend(123); c.Process(out, in) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, p := range [][2]int{{8000, 16000}, {8000, 48000}, {48000, 8000}, {44100, 8000}} {
		b.Run(fmt.Sprint(p), func(b *testing.B) {
			c, err := NewBending(p[0], p[1])
			if err != nil {
				b.Fatal(err)
			}
			in := make([]int16, p[0]/50)
			out := make([]int16, c.Most(len(in)))
			for b.Loop() {
				c.Process(out, in)
			}
		})
	}
}
