// Package codec turns frames of sound into RTP payloads and back: G.711 (ITU-T G.711, November 1988), comfort noise
// (RFC 3389), and the concealment of sound that never arrived. Mono, signed 16-bit, 8 kHz.
//
//	frame []int16 --Encode--> payload []byte ~~network~~> payload --Decode--> frame
//	                                                      (nothing) --Conceal--> frame made of the past
//
// It must not know packets, time or sockets, and it allocates nothing: all buffers are the caller's.
package codec

// EncodeALaw writes one A-law octet a sample. dst must be at least as long as src.
func EncodeALaw(dst []byte, src []int16) {
	dst = dst[:len(src)]
	for i, sample := range src {
		dst[i] = aLawCode[uint16(sample)>>4]
	}
}

// DecodeALaw writes one sample an A-law octet. dst must be at least as long as src.
func DecodeALaw(dst []int16, src []byte) {
	dst = dst[:len(src)]
	for i, code := range src {
		dst[i] = aLawSample[code]
	}
}

// EncodeMuLaw writes one mu-law octet a sample. dst must be at least as long as src.
func EncodeMuLaw(dst []byte, src []int16) {
	dst = dst[:len(src)]
	for i, sample := range src {
		dst[i] = muLawCode[uint16(sample)>>2]
	}
}

// DecodeMuLaw writes one sample a mu-law octet. dst must be at least as long as src.
func DecodeMuLaw(dst []int16, src []byte) {
	dst = dst[:len(src)]
	for i, code := range src {
		dst[i] = muLawSample[code]
	}
}

// The tables are computed once from the formulas below and never change. A-law needs the upper 12 of 16 bits
// (4,096 codes), mu-law the upper 14 (16,384 codes).
var (
	aLawSample  = expandALaw()
	aLawCode    = compressALaw()
	muLawSample = expandMuLaw()
	muLawCode   = compressMuLaw()
)

// G.711 table 1a, note 2: character signals are obtained by inverting the even bits.
const aLawInversion = 0x55

// expandALaw is G.711 table 1a: the first segment pair is linear with steps of 2 units, each further segment doubles
// the step. A unit is 8 of our 16-bit steps: G.711 counts to 4,096, we to 32,768.
func expandALaw() (samples [256]int16) {
	for i := range samples {
		code := byte(i) ^ aLawInversion
		segment, step := code>>4&7, int(code&0x0f)
		value := 2*step + 1
		if segment > 0 {
			value = (2*step + 33) << (segment - 1)
		}
		if code&0x80 == 0 { // note 2: the n-th positive interval is 128 + n before the inversion
			value = -value
		}
		samples[i] = int16(value * 8)
	}
	return samples
}

func compressALaw() (codes [4096]byte) {
	for i := range codes {
		value, polarity := int(int16(i<<4))>>4, byte(0x80)
		if value < 0 {
			// One's complement, so that -1 is as small as 0: G.711 knows no zero, only +1 and -1.
			value, polarity = ^value, 0
		}
		segment := 0
		for value>>(segment+4) != 0 {
			segment++
		}
		step := value >> max(segment-1, 0) & 0x0f
		codes[i] = (polarity | byte(segment)<<4 | byte(step)) ^ aLawInversion
	}
	return codes
}

// muLawBias moves the decision values of G.711 table 2a to powers of two: 31 becomes 64, 95 becomes 128 and so on.
const muLawBias = 33

// expandMuLaw is G.711 table 2a. A unit is 4 of our 16-bit steps: G.711 counts to 8,159. Note 2 of the table: the
// character signal of the n-th positive interval is 255 - n, that is n with all bits inverted.
func expandMuLaw() (samples [256]int16) {
	for i := range samples {
		code := ^byte(i)
		segment, step := code>>4&7, int(code&0x0f)
		value := (2*step+muLawBias)<<segment - muLawBias
		if code&0x80 != 0 {
			value = -value
		}
		samples[i] = int16(value * 4)
	}
	return samples
}

func compressMuLaw() (codes [16384]byte) {
	for i := range codes {
		value, polarity := int(int16(i<<2))>>2, byte(0)
		if value < 0 {
			value, polarity = ^value, 0x80
		}
		// G.711 table 2a ends at 8,159: beyond it the last character signal is sent.
		value = min(value+muLawBias, 0x1fff)
		segment := 0
		for value>>(segment+6) != 0 {
			segment++
		}
		step := value >> (segment + 1) & 0x0f
		codes[i] = ^(polarity | byte(segment)<<4 | byte(step))
	}
	return codes
}
