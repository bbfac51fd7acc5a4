package asterisk

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
)

// rateHz of all sound here.
const rateHz = 8000

// headerBytes of a WAV file as Asterisk writes it: RIFF, a format chunk of 16 bytes, the data chunk.
const headerBytes = 44

// Recording is a recording of this run, as far as it has been written; nil as long as there is none.
func (p *PBX) Recording(name string) []int16 {
	p.t.Helper()
	data, err := os.ReadFile(p.path("spool/" + name + ".wav"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return Samples(data)
}

// Samples are those of a WAV file with 16 bits, one channel and no chunk but format and data; the sizes in it are not
// looked at, because its writer may still be at it.
func Samples(wav []byte) []int16 {
	if len(wav) < headerBytes {
		return nil
	}
	samples := make([]int16, (len(wav)-headerBytes)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(wav[headerBytes+2*i:]))
	}
	return samples
}

// Share is how much of the sound's power is at one frequency, 0 to 1: a pure tone has 1, noise nearly 0, silence 0.
// It is Goertzel's algorithm: one bin of the Fourier transform.
func Share(samples []int16, hz float64) float64 {
	var power, s1, s2 float64
	c := 2 * math.Cos(2*math.Pi*hz/rateHz)
	for _, sample := range samples {
		x := float64(sample)
		power += x * x
		s1, s2 = x+c*s1-s2, s1
	}
	// A frame of digital silence in A-law is +-8: that is no sound.
	if n := float64(len(samples)); n == 0 || power/n < 100 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - c*s1*s2) / (float64(len(samples)) * power)
}

// ToneSeconds is for how long the frequency was what was heard, in windows of 100 ms.
func ToneSeconds(samples []int16, hz float64) float64 {
	const window = rateHz / 10
	heard := 0
	for ; len(samples) >= window; samples = samples[window:] {
		if Share(samples[:window], hz) > 0.8 {
			heard++
		}
	}
	return float64(heard) / 10
}

// ToneWAV is a WAV file with a tone, 16 bits, one channel, 8 kHz.
func ToneWAV(hz float64, seconds int) []byte {
	n := seconds * rateHz
	out := make([]byte, 0, headerBytes+2*n)
	out = append(out, "RIFF"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(headerBytes-8+2*n))
	out = append(out, "WAVEfmt "...)
	out = binary.LittleEndian.AppendUint32(out, 16)
	out = binary.LittleEndian.AppendUint16(out, 1) // PCM
	out = binary.LittleEndian.AppendUint16(out, 1) // channel
	out = binary.LittleEndian.AppendUint32(out, rateHz)
	out = binary.LittleEndian.AppendUint32(out, 2*rateHz)
	out = binary.LittleEndian.AppendUint16(out, 2)
	out = binary.LittleEndian.AppendUint16(out, 16)
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(2*n))
	for i := range n {
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/rateHz))))
	}
	return out
}
