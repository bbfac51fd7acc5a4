package studio

import (
	"math"
	"slices"
)

// A note is a sine for some milliseconds; 0 Hz is a rest.
type note struct{ hz, milliseconds float64 }

// The melodies. A melody begins again at its end.
var (
	holdMusic = []note{{262, 400}, {330, 400}, {392, 400}, {523, 400}, {392, 400}, {330, 400}, {294, 400}, {349, 400}, {440, 400}, {587, 400}, {440, 400}, {349, 400}}
	// specialInformation is the tone of ITU-T E.180 section 7 before an announcement: here it marks what is a demonstration only.
	specialInformation = []note{{950, 330}, {1400, 330}, {1800, 330}, {0, 1000}}
)

// A Melody plays notes at -26 dBov.
type Melody struct {
	notes []note
	at    int // sample of the present note
	index int
}

// SpecialInformation is the tone before an announcement that a call cannot be what it seems.
func SpecialInformation() *Melody { return &Melody{notes: specialInformation} }

// Frame implements Source.
func (m *Melody) Frame(_, said []int16) {
	for i := range said {
		n := m.notes[m.index]
		length := int(n.milliseconds * rateHz / 1000)
		s := math.Sin(2 * math.Pi * n.hz * float64(m.at) / rateHz)
		said[i] = int16(2320 * s * envelope(m.at, length))
		if m.at++; m.at >= length {
			m.at, m.index = 0, (m.index+1)%len(m.notes)
		}
	}
}

// An Echo says what it hears.
type Echo struct{}

// Frame implements Source.
func (Echo) Frame(heard, said []int16) { copy(said, heard) }

// A Loop repeats samples.
type Loop struct {
	samples []int16
	at      int
}

// NewLoop needs one sample at least.
func NewLoop(samples []int16) *Loop { return &Loop{samples: slices.Clone(samples)} }

// Frame implements Source.
func (l *Loop) Frame(_, said []int16) {
	for i := range said {
		said[i] = l.samples[l.at]
		l.at = (l.at + 1) % len(l.samples)
	}
}
