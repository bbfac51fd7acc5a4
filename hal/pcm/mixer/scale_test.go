package mixer

import (
	"encoding/binary"
	"math"
	"testing"
)

// db is hundredths of a dB as they stand in a TLV.
func db(hundredths int32) uint32 { return uint32(hundredths) }

func TestABrokenScaleIsRefused(t *testing.T) {
	for name, words := range map[string][]uint32{
		"nothing":                  nil,
		"half a head":              {1},
		"longer than the buffer":   {1, 12, 0, 100},
		"longer than the machine":  {1, math.MaxUint32, 0, 100},
		"too short":                {1, 4, 0},
		"an empty container":       {0, 0},
		"a channel map":            {0x101, 8, 3, 4},
		"no type that we know":     {77, 8, 0, 0},
		"a range without parts":    {3, 0},
		"a range with half a part": {3, 12, 0, 5, 1},
		"a part without decibels":  {3, 24, 0, 5, 0x101, 8, 3, 4},
		"parts out of order":       {3, 48, 5, 9, 1, 8, 0, 100, 0, 4, 1, 8, 0, 100},
		"a part backwards":         {3, 24, 9, 5, 1, 8, 0, 100},
		"a part that is too long":  {3, 24, 0, 5, 1, 80, 0, 100},
		"an impossible gain":       {2, 8, db(200000), 0},
		"too deep":                 {0, 40, 0, 32, 0, 24, 0, 16, 0, 8, 0, 0},
	} {
		if s, err := ParseScale(words, 0, 10); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if _, err := ParseScale([]uint32{1, 8, 0, 100}, 5, 4); err == nil {
		t.Error("a volume backwards is no error")
	}
}

func TestEveryKindOfScaleIsReadAsTheKernelMeansIt(t *testing.T) {
	silence := math.Inf(-1)
	for _, c := range []struct {
		name      string
		words     []uint32
		low, high int
		want      map[int]float64
	}{
		{"scale: least, step", []uint32{1, 8, db(-3450), 150}, 0, 31, map[int]float64{0: -34.5, 1: -33, 23: 0, 31: 12}},
		{"scale from 5", []uint32{1, 8, db(-1000), 100}, 5, 15, map[int]float64{5: -10, 15: 0}},
		{"scale with mute", []uint32{1, 8, db(-6000), 1<<16 | 50}, 0, 120, map[int]float64{0: silence, 1: -59.5, 120: 0}},
		{"least and most", []uint32{4, 8, db(-3000), 0}, 0, 100, map[int]float64{0: -30, 50: -15, 100: 0}},
		{"least and most with mute", []uint32{5, 8, db(-3000), 0}, 0, 100, map[int]float64{0: silence, 1: -29.7, 100: 0}},
		{"one value", []uint32{4, 8, db(-3000), db(-500)}, 3, 3, map[int]float64{3: -5}},
		{"linear", []uint32{2, 8, db(-2000), 0}, 0, 9, map[int]float64{0: -20, 9: 0, 4: 20 * math.Log10(0.5)}},
		{"linear from silence", []uint32{2, 8, db(-9999999), 600}, 0, 10, map[int]float64{0: silence, 10: 6, 5: 6 - 20*math.Log10(2)}},
		{"range", []uint32{3, 48, 0, 10, 1, 8, db(-4000), 200, 11, 20, 1, 8, db(-1900), 100}, 0, 20,
			map[int]float64{-5: -40, 0: -40, 10: -20, 11: -19, 20: -10, 99: -10}},
		{"a container with a channel map before", []uint32{0, 32, 0x101, 8, 3, 4, 1, 8, db(-100), 100}, 0, 2, map[int]float64{0: -1, 2: 1}},
		{"more behind it", []uint32{1, 8, 0, 100, 99, 99, 99}, 0, 5, map[int]float64{5: 5}},
	} {
		s, err := ParseScale(c.words, c.low, c.high)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for value, want := range c.want {
			if got := s.DB(value); got != want && !(math.Abs(got-want) < 1e-9) {
				t.Errorf("%s: value %d is %v dB, want %v", c.name, value, got, want)
			}
		}
		for value := c.low; value <= c.high; value++ {
			if got := s.Value(s.DB(value)); got != value {
				t.Errorf("%s: %v dB is value %d, want %d", c.name, s.DB(value), got, value)
			}
		}
	}
}

func TestTheNearestValueIsTakenAndNotSilence(t *testing.T) {
	s, err := ParseScale([]uint32{1, 8, db(-6000), 1<<16 | 50}, 0, 120)
	if err != nil {
		t.Fatal(err)
	}
	for gain, want := range map[float64]int{math.Inf(-1): 0, -1000: 1, -59.5: 1, -59.26: 1, -59.24: 2, -0.3: 119, -0.2: 120, 5: 120, math.Inf(1): 120, math.NaN(): 0} {
		if got := s.Value(gain); got != want {
			t.Errorf("%v dB is value %d, want %d", gain, got, want)
		}
	}
}

func FuzzScale(f *testing.F) {
	for _, words := range [][]uint32{{1, 8, db(-3450), 150}, {0, 32, 0x101, 8, 3, 4, 5, 8, db(-100), 100}, {2, 8, db(-9999999), 600},
		{3, 48, 0, 10, 1, 8, db(-4000), 200, 11, 20, 1, 8, db(-1900), 100}, {0, math.MaxUint32 - 3, 1}} {
		var data []byte
		for _, w := range words {
			data = binary.LittleEndian.AppendUint32(data, w)
		}
		f.Add(data, int32(0), int32(31), -6.0)
	}
	f.Fuzz(func(t *testing.T, data []byte, low, high int32, gain float64) {
		var words []uint32
		for ; len(data) >= 4; data = data[4:] {
			words = append(words, binary.LittleEndian.Uint32(data))
		}
		s, err := ParseScale(words, int(low), int(high))
		if err != nil {
			return
		}
		value := s.Value(gain)
		if first, last := s.spans[0].low, s.spans[len(s.spans)-1].high; value < first || value > last {
			if !math.IsNaN(gain) {
				t.Errorf("%v dB is %d, outside of %d to %d", gain, value, first, last)
			}
		}
		if math.IsNaN(s.DB(value)) {
			t.Errorf("%d is not a number of dB", value)
		}
	})
}
