package mixer

import (
	"errors"
	"fmt"
	"math"
)

// The types of TLV blocks, include/uapi/sound/tlv.h.
const (
	tlvContainer  = 0
	tlvScale      = 1
	tlvLinear     = 2
	tlvRange      = 3
	tlvMinMax     = 4
	tlvMinMaxMute = 5
)

const (
	// muteGain is SNDRV_CTL_TLVD_DB_GAIN_MUTE: as the least gain of a linear volume it is silence.
	muteGain = -9999999
	// gainMax in dB is beyond all that is built, and far from where powers of ten overflow.
	gainMax = 1000
	// depthMax is how deep blocks may lie in one another: a range in a container in a container.
	depthMax = 4
)

var errNoScale = errors.New("it says nothing about decibels")

// A Scale is what the values of a volume mean in dB. Make it with ParseScale.
type Scale struct{ spans []span }

// span is a part of the values.
type span struct {
	kind      uint32
	low, high int     // values
	least     float64 // dB at low; of tlvLinear -Inf is silence
	most      float64 // dB at high; not of tlvScale
	step      float64 // dB; of tlvScale
	mute      bool    // low is silence
}

// ParseScale reads the TLV of a volume with values from low to high: words of type, length in bytes, content. What cannot
// be understood is an error.
func ParseScale(words []uint32, low, high int) (Scale, error) {
	if low > high {
		return Scale{}, fmt.Errorf("mixer: a volume from %d to %d", low, high)
	}
	spans, err := parse(words, low, high, 0)
	if err != nil {
		return Scale{}, fmt.Errorf("mixer: reading the scale of a volume: %w", err)
	}
	return Scale{spans}, nil
}

func parse(words []uint32, low, high, depth int) ([]span, error) {
	if len(words) < 2 {
		return nil, errNoScale
	}
	kind, length := words[0], words[1]
	if uint64(length) > uint64(len(words)-2)*4 {
		return nil, fmt.Errorf("a block of %d bytes where there are %d", length, (len(words)-2)*4)
	}
	if depth > depthMax {
		return nil, fmt.Errorf("blocks lie more than %d deep in one another", depthMax)
	}
	content := words[2 : 2+(length+3)/4]
	switch kind {
	case tlvContainer:
		return parseContainer(content, low, high, depth)
	case tlvRange:
		return parseRange(content, depth)
	case tlvScale, tlvLinear, tlvMinMax, tlvMinMaxMute:
		if len(content) < 2 {
			return nil, fmt.Errorf("a block of type %d with %d bytes, at least 8 are needed", kind, length)
		}
		s := newSpan(kind, content, low, high)
		if math.Abs(s.most) > gainMax || math.Abs(s.least) > gainMax && !s.mute {
			return nil, fmt.Errorf("gains of %g and %g dB", s.least, s.most)
		}
		return []span{s}, nil
	}
	return nil, errNoScale
}

// newSpan reads the two words of a simple block; gains are in hundredths of a dB.
func newSpan(kind uint32, content []uint32, low, high int) span {
	s := span{kind: kind, low: low, high: high, least: float64(int32(content[0])) / 100}
	switch kind {
	case tlvScale:
		s.step, s.mute = float64(content[1]&0xffff)/100, content[1]&0x10000 != 0
	case tlvLinear:
		s.most, s.mute = float64(int32(content[1]))/100, int32(content[0]) <= muteGain
	default:
		s.most, s.mute = float64(int32(content[1]))/100, kind == tlvMinMaxMute
	}
	return s
}

// parseContainer is the first block in it that tells of decibels.
func parseContainer(content []uint32, low, high, depth int) ([]span, error) {
	for len(content) >= 2 {
		spans, err := parse(content, low, high, depth+1)
		if err == nil {
			return spans, nil
		}
		if !errors.Is(err, errNoScale) {
			return nil, err
		}
		content = content[2+(uint64(content[1])+3)/4:]
	}
	return nil, errNoScale
}

// parseRange is parts in the order of their values: first value, last value, block.
func parseRange(content []uint32, depth int) ([]span, error) {
	var spans []span
	for len(content) >= 4 {
		low, high := int(int32(content[0])), int(int32(content[1]))
		if low > high || len(spans) > 0 && low <= spans[len(spans)-1].high {
			return nil, fmt.Errorf("a part from %d to %d is out of order", low, high)
		}
		block := content[2:]
		part, err := parse(block, low, high, depth+1)
		if err != nil {
			return nil, err
		}
		spans = append(spans, part...)
		content = block[2+(uint64(block[1])+3)/4:]
	}
	if len(spans) == 0 {
		return nil, errNoScale
	}
	return spans, nil
}

// DB is the gain of a value in dB; -Inf is silence. Values outside of the scale count as its nearest end.
func (s Scale) DB(value int) float64 {
	if len(s.spans) == 0 {
		return 0
	}
	part := s.spans[0]
	for _, next := range s.spans[1:] {
		if value >= next.low {
			part = next
		}
	}
	return part.db(max(part.low, min(part.high, value)))
}

func (p span) db(value int) float64 {
	if p.mute && value == p.low {
		return math.Inf(-1)
	}
	if p.kind == tlvScale {
		return p.least + (float64(value)-float64(p.low))*p.step
	}
	if p.low == p.high {
		return p.most
	}
	at := (float64(value) - float64(p.low)) / (float64(p.high) - float64(p.low))
	if p.kind != tlvLinear {
		return p.least + at*(p.most-p.least)
	}
	from, to := math.Pow(10, p.least/20), math.Pow(10, p.most/20)
	if p.mute {
		from = 0
	}
	return 20 * math.Log10(from+at*(to-from))
}

// Value is the one whose gain is nearest to db. Silence is taken only for -Inf, or if there is nothing else.
func (s Scale) Value(db float64) int {
	if len(s.spans) == 0 || math.IsNaN(db) {
		return 0
	}
	low, high := s.spans[0].low, s.spans[len(s.spans)-1].high
	if math.IsInf(db, -1) {
		return low
	}
	// tlv.h: larger values have larger gains. The largest value that is not louder, or the lowest.
	for low < high {
		distance := uint(high) - uint(low) // may be more than an int on 32 bits
		middle := low + int(distance/2+distance%2)
		if s.DB(middle) <= db {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if next := s.above(low); next > low && math.Abs(s.DB(next)-db) < math.Abs(s.DB(low)-db) {
		return next
	}
	return low
}

// above is the next value that belongs to the scale, or the same at its end.
func (s Scale) above(value int) int {
	for _, part := range s.spans {
		if value < part.high {
			return max(value+1, part.low)
		}
	}
	return value
}
