package asterisk

import (
	"math"
	"testing"
)

func TestATonesShareIsFoundAndNoOther(t *testing.T) {
	tone := Samples(ToneWAV(700, 1))
	silence := make([]int16, rateHz)
	noise := make([]int16, rateHz)
	seed := uint32(1)
	for i := range noise {
		seed = seed*1664525 + 1013904223 // Numerical Recipes' generator: the same noise at every run
		noise[i] = int16(seed >> 16)
	}
	for _, test := range []struct {
		name        string
		samples     []int16
		hz          float64
		least, most float64
	}{
		{"nothing", nil, 700, 0, 0},
		{"silence", silence, 700, 0, 0},
		{"noise", noise, 700, 0, 0.05},
		{"another tone", tone, 1004, 0, 0.05},
		{"the tone", tone, 700, 0.95, 1.01},
	} {
		if got := Share(test.samples, test.hz); math.IsNaN(got) || got < test.least || got > test.most {
			t.Errorf("%s: share %.3f, want %.2f to %.2f", test.name, got, test.least, test.most)
		}
	}
	if got := ToneSeconds(append(append(silence, tone...), noise...), 700); got != 1 {
		t.Errorf("the tone was heard for %.1f s, want 1", got)
	}
}
