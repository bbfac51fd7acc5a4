package codec

import (
	"math"
	"slices"
	"testing"
)

func TestAnEmptyComfortNoisePayloadIsRefused(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		level   uint8
		ok      bool
	}{
		{"nothing", nil, 0, false},
		{"level alone", []byte{58}, 58, true},
		{"level and spectrum", []byte{70, 0x7f, 0x20}, 70, true},
		{"reserved bit set", []byte{0x80 | 40}, 40, true},
	}
	for _, test := range tests {
		if level, ok := NoiseLevel(test.payload); level != test.level || ok != test.ok {
			t.Errorf("%s: level %d, %v; want %d, %v", test.name, level, ok, test.level, test.ok)
		}
	}
}

func TestNoiseHasTheLevelAskedFor(t *testing.T) {
	for _, level := range []uint8{6, 30, 50, 66} {
		noise, frame := NewNoise(7), make([]int16, 8000)
		noise.Fill(frame, level)
		var sum float64
		for _, sample := range frame {
			sum += float64(sample) * float64(sample)
		}
		got := -20 * math.Log10(math.Sqrt(sum/float64(len(frame)))/32768)
		if math.Abs(got-float64(level)) > 1 {
			t.Errorf("asked for -%d dBov, got -%.1f", level, got)
		}
	}
}

func TestNoiseOfTheLowestLevelIsSilence(t *testing.T) {
	noise, frame := NewNoise(7), make([]int16, 160)
	noise.Fill(frame, 127)
	if slices.ContainsFunc(frame, func(s int16) bool { return s != 0 && s != -1 }) {
		t.Errorf("-127 dBov is not silent: %v", frame)
	}
}

func TestTheSameSeedMakesTheSameNoise(t *testing.T) {
	frames := [3][]int16{make([]int16, 160), make([]int16, 160), make([]int16, 160)}
	for i, seed := range []uint64{1, 1, 2} {
		noise := NewNoise(seed)
		noise.Fill(frames[i], 30)
	}
	if !slices.Equal(frames[0], frames[1]) {
		t.Error("two noises with seed 1 differ")
	}
	if slices.Equal(frames[0], frames[2]) {
		t.Error("seeds 1 and 2 make the same noise")
	}
}
