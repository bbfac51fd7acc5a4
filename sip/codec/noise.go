package codec

import "math"

// A Noise makes white comfort noise. The zero value is ready; two with the same seed make the same noise.
type Noise struct{ state uint64 }

// NewNoise returns a Noise whose sequence depends on seed alone.
func NewNoise(seed uint64) Noise { return Noise{state: seed} }

// Fill writes noise of the given level in -dBov: 0 is the loudest, 127 is silence on any 16-bit line. The level is that
// of RFC 3389 section 3.1: relative to the overload of the system, so that a full-scale square wave has 0 dBov.
func (n *Noise) Fill(dst []int16, level uint8) {
	peak := noisePeak[level&0x7f]
	for i := range dst {
		// Knuth's linear congruential generator, MMIX variant: the upper bits are random enough for the ear.
		n.state = n.state*6364136223846793005 + 1442695040888963407
		dst[i] = int16(int64(int32(n.state>>32)) * peak >> 31)
	}
}

// noisePeak is the peak of equally distributed noise for every level: root mean square times the root of three.
var noisePeak = noisePeaks()

func noisePeaks() (peaks [128]int64) {
	for level := range peaks {
		rms := 32768 * math.Pow(10, -float64(level)/20)
		peaks[level] = min(int64(math.Round(rms*math.Sqrt(3))), math.MaxInt16)
	}
	return peaks
}

// NoiseLevel reads the level in -dBov out of an RTP payload of type CN (RFC 3389 section 3); false when there is none.
// The spectrum that may follow is not used: our comfort noise is white.
func NoiseLevel(payload []byte) (level uint8, ok bool) {
	// RFC 3389 section 3.1: "the most significant bit of this byte is not used and MUST be 0"; we do not insist.
	if len(payload) == 0 {
		return 0, false
	}
	return payload[0] & 0x7f, true
}
