package codec

import (
	"math"
	"testing"
)

// The decoder output values of ITU-T G.711 tables 1a and 2a (columns 7 and 8), at both ends of every segment:
// decoder output value number, value in units of the law.
var (
	aLawTable = map[int]int{128: 4032, 113: 2112, 112: 2016, 97: 1056, 96: 1008, 81: 528, 80: 504, 65: 264, 64: 252,
		49: 132, 48: 126, 33: 66, 32: 63, 17: 33, 16: 31, 2: 3, 1: 1}
	muLawTable = map[int]int{128: 8031, 113: 4191, 112: 3999, 97: 2079, 96: 1983, 81: 1023, 80: 975, 65: 495, 64: 471,
		49: 231, 48: 219, 33: 99, 32: 93, 17: 33, 16: 30, 2: 2, 1: 0}
)

func decodeOne(law func([]int16, []byte), code byte) int16 {
	var sample [1]int16
	law(sample[:], []byte{code})
	return sample[0]
}

func encodeOne(law func([]byte, []int16), sample int16) byte {
	var code [1]byte
	law(code[:], []int16{sample})
	return code[0]
}

func TestTheTablesOfG711AreDecoded(t *testing.T) {
	for number, value := range aLawTable {
		positive := byte(128+number-1) ^ 0x55 // table 1a, note 2
		if got := decodeOne(DecodeALaw, positive); int(got) != value*8 {
			t.Errorf("A-law output value %d: decoded %d, G.711 says %d", number, got, value*8)
		}
		if got := decodeOne(DecodeALaw, positive^0x80); int(got) != -value*8 {
			t.Errorf("A-law output value -%d: decoded %d, G.711 says %d", number, got, -value*8)
		}
	}
	for number, value := range muLawTable {
		positive := byte(255 - (number - 1)) // table 2a, note 2
		if got := decodeOne(DecodeMuLaw, positive); int(got) != value*4 {
			t.Errorf("mu-law output value %d: decoded %d, G.711 says %d", number, got, value*4)
		}
		if got := decodeOne(DecodeMuLaw, positive^0x80); int(got) != -value*4 {
			t.Errorf("mu-law output value -%d: decoded %d, G.711 says %d", number, got, -value*4)
		}
	}
}

func TestEveryCodeSurvivesARoundTrip(t *testing.T) {
	for i := range 256 {
		code := byte(i)
		if got := encodeOne(EncodeALaw, decodeOne(DecodeALaw, code)); got != code {
			t.Errorf("A-law %#02x came back as %#02x", code, got)
		}
		want := code
		if code == 0x7f {
			want = 0xff // mu-law has two zeros; we send the positive one
		}
		if got := encodeOne(EncodeMuLaw, decodeOne(DecodeMuLaw, code)); got != want {
			t.Errorf("mu-law %#02x came back as %#02x, want %#02x", code, got, want)
		}
	}
}

// The sequences of ITU-T G.711 tables 5 and 6 are a sine of 1 kHz with 0 dBm0; a sine at the overload of the law
// has 3.14 dBm0 in A-law and 3.17 dBm0 in mu-law (section 5).
func TestTheReferenceToneOfG711HasItsLevel(t *testing.T) {
	tones := []struct {
		name     string
		decode   func([]int16, []byte)
		codes    []byte
		overload float64 // as a sample
		maxDBm0  float64
	}{
		{"A-law", DecodeALaw, []byte{0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4}, 4096 * 8, 3.14},
		{"mu-law", DecodeMuLaw, []byte{0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e}, 8159 * 4, 3.17},
	}
	for _, tone := range tones {
		samples := make([]int16, len(tone.codes))
		tone.decode(samples, tone.codes)
		var sum float64
		for i, sample := range samples {
			sum += float64(sample) * float64(sample)
			if (sample < 0) != (i < 4) {
				t.Errorf("%s: sample %d is %d: wrong half wave", tone.name, i, sample)
			}
		}
		rms := math.Sqrt(sum / float64(len(samples)))
		if level := tone.maxDBm0 + 20*math.Log10(rms*math.Sqrt2/tone.overload); math.Abs(level) > 0.1 {
			t.Errorf("%s: the tone has %.2f dBm0, want 0", tone.name, level)
		}
	}
}

// decisions are the decision values x(1) to x(129) of G.711 column 5: first step, then sixteen steps a segment, each
// segment with twice the step.
func decisions(values []int, step int, unit int) []int {
	for len(values) <= 128 {
		values = append(values, values[len(values)-1]+step)
		if (len(values)-1)%16 == 0 {
			step *= 2
		}
	}
	for i := range values {
		values[i] *= unit
	}
	return values
}

func TestEverySampleGetsTheCodeOfItsInterval(t *testing.T) {
	laws := []struct {
		name      string
		encode    func([]byte, []int16)
		positive  func(interval int) byte
		decisions []int
		end       int // the overload, in samples
	}{
		// The first two segments of A-law have the same step: 2 for 32 intervals.
		{"A-law", EncodeALaw, func(n int) byte { return byte(128+n) ^ 0x55 },
			decisions([]int{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32}, 2, 8), 4096 * 8},
		// The first interval of mu-law is half as wide: 0 to 1, then 1 to 3.
		{"mu-law", EncodeMuLaw, func(n int) byte { return byte(255 - n) }, decisions([]int{0, 1}, 2, 4), 8159 * 4},
	}
	for _, law := range laws {
		if last := law.decisions[128]; last != law.end {
			t.Fatalf("%s: the test's decision values end at %d, G.711's at %d", law.name, last, law.end)
		}
		interval := 0
		for sample := range 32768 {
			for interval < 127 && sample >= law.decisions[interval+1] {
				interval++
			}
			want := law.positive(interval)
			if got := encodeOne(law.encode, int16(sample)); got != want {
				t.Fatalf("%s: %d got %#02x, lies in interval %d: %#02x", law.name, sample, got, interval, want)
			}
			// Minus one is as small as zero: our 16 bits have one negative value more than positive ones.
			if got := encodeOne(law.encode, int16(-1-sample)); got != want^0x80 {
				t.Fatalf("%s: %d got %#02x, want %#02x", law.name, -1-sample, got, want^0x80)
			}
		}
	}
}

func distance(a, b int) int { return max(a-b, b-a) }

func TestAShortBufferIsTheCallersMistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two samples went into a buffer of one octet")
		}
	}()
	EncodeALaw(make([]byte, 1), make([]int16, 2))
}

func TestNothingIsAllocated(t *testing.T) {
	frame, payload := make([]int16, 160), make([]byte, 160)
	noise, concealment := NewNoise(1), Concealment{}
	allocated := testing.AllocsPerRun(100, func() {
		EncodeALaw(payload, frame)
		DecodeALaw(frame, payload)
		EncodeMuLaw(payload, frame)
		DecodeMuLaw(frame, payload)
		noise.Fill(frame, 60)
		concealment.Heard(frame)
		concealment.Conceal(frame)
	})
	if allocated != 0 {
		t.Errorf("%v allocations a frame", allocated)
	}
}

func BenchmarkEncodeALaw(b *testing.B) {
	frame, payload := make([]int16, 160), make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		EncodeALaw(payload, frame)
	}
}
