package media

import (
	"slices"
	"testing"
)

// hear counts packets with the sequence numbers given, the first of which starts the source.
func hear(sequences ...int) (r reception, refused []int) {
	r.start(uint16(sequences[0]))
	for _, sequence := range sequences {
		if !r.update(uint16(sequence)) {
			refused = append(refused, sequence)
		}
	}
	return r, refused
}

func TestLossIsCountedAsRFC3550Says(t *testing.T) {
	tests := []struct {
		name      string
		sequences []int
		refused   []int
		extended  uint32
		lost      int32  // as reported
		total     uint64 // that never came
	}{
		{"a duplicate", []int{7, 8, 8, 9}, []int{8}, 9, -1, 0},
		{"before the beginning", []int{7, 6, 8}, []int{6}, 8, -1, 0},
		{"a jump without confirmation", []int{7, 20000, 8, 9}, []int{20000}, 9, 0, 0},
		{"a jump that goes on", []int{7, 20000, 20001, 20002}, []int{20000}, 20002, 0, 0},
		{"a jump back that goes on", []int{5000, 1000, 1001}, []int{1000}, 1001, 0, 0},
		{"one", []int{7}, nil, 7, 0, 0},
		{"the first is 0", []int{0, 1}, nil, 1, 0, 0},
		{"one lost", []int{7, 9}, nil, 9, 1, 1},
		{"out of order", []int{7, 9, 8, 10}, nil, 10, 0, 0},
		{"one lost and one twice", []int{7, 9, 9}, []int{9}, 9, 0, 1},
		{"a wrap", []int{65534, 65535, 0, 1}, nil, 65537, 0, 0},
		{"a wrap with loss", []int{65534, 1}, nil, 65537, 2, 2},
		{"out of order at the wrap", []int{65534, 0, 65535, 1}, nil, 65537, 0, 0},
	}
	for _, test := range tests {
		r, refused := hear(test.sequences...)
		if !slices.Equal(refused, test.refused) {
			t.Errorf("%s: refused %v, want %v", test.name, refused, test.refused)
		}
		if r.extended() != test.extended || r.lost() != test.lost || r.totalLost() != test.total {
			t.Errorf("%s: highest %d, lost %d, in all %d; want %d, %d, %d", test.name, r.extended(), r.lost(), r.totalLost(),
				test.extended, test.lost, test.total)
		}
	}
}

func TestTheFractionLostIsThatSinceTheLastReport(t *testing.T) {
	r, _ := hear(1, 2, 3, 5) // one of five
	if got := r.fraction(); got != 256/5 {
		t.Errorf("%d/256 lost, want %d", got, 256/5)
	}
	if got := r.fraction(); got != 0 {
		t.Errorf("%d/256 lost since", got)
	}
	r.update(6)
	r.update(7)
	if got := r.fraction(); got != 0 {
		t.Errorf("%d/256 lost of two that came", got)
	}
	r.update(9)
	if got := r.fraction(); got != 128 {
		t.Errorf("%d/256 lost, want half", got)
	}
}

func TestACountSurvivesANewSource(t *testing.T) {
	r, _ := hear(1, 3, 4, 4)
	r.start(1000)
	r.update(1000)
	r.update(1002)
	if r.totalReceived() != 5 || r.totalLost() != 2 {
		t.Errorf("received %d, lost %d; want 5, 2", r.totalReceived(), r.totalLost())
	}
	if r.lost() != 1 {
		t.Errorf("reported lost %d, want those of the present source: 1", r.lost())
	}
}

func TestJitterIsThatOfRFC3550(t *testing.T) {
	var r reception
	for i := range uint32(100) {
		r.arrive(i*160+12345, i*160)
	}
	if r.jitter16 != 0 {
		t.Errorf("packets on time have a jitter of %d/16", r.jitter16)
	}
	// Each packet 80 units earlier or later than the one before: J approaches 80 by a sixteenth of what is missing.
	for i := range uint32(200) {
		r.arrive(i*160+12345+80*(i%2), i*160)
	}
	if jitter := r.jitter16 >> 4; jitter < 78 || jitter > 80 {
		t.Errorf("jitter %d, want 80", jitter)
	}
}
