package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"freizeichen/hal"
)

// A WAV file (RIFF WAVE, "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft 1991):
//
//	"RIFF" size "WAVE" { name size content [padding] }, all numbers little-endian;
//	the chunk "fmt " says what the samples in the chunk "data" are
const (
	formatPCM      = 1
	formatExtended = 0xFFFE // the format is the first word of a GUID behind the usual fields
)

// recordingBytesMax bounds what is read of a file: an hour at 16 kHz.
const recordingBytesMax = 3600 * 16000 * 2

// readRecording reads a WAV file as samples at hal.RateHz.
func readRecording(name string) ([]int16, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	samples, rateHz, err := readWAV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if rateHz == 2*hal.RateHz {
		samples = halve(samples)
	}
	return samples, nil
}

// readWAV reads a recording of one channel, 16 bits, 8 or 16 kHz. Of a file that ends before the size it tells (its
// writer died, or streamed and wrote the largest size) it reads what is there.
func readWAV(r io.Reader) (samples []int16, rateHz int, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, 0, errors.New("not a WAV file")
	}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return nil, 0, errors.New("a WAV file without sound in it")
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if rateHz, err = readFormat(io.LimitReader(r, size)); err != nil {
				return nil, 0, err
			}
			size -= min(size, formatBytes)
		case "data":
			if rateHz == 0 {
				return nil, 0, errors.New("a WAV file that does not say its format before its sound")
			}
			content, err := io.ReadAll(io.LimitReader(r, min(size, recordingBytesMax)))
			if err != nil {
				return nil, 0, fmt.Errorf("reading the sound: %w", err)
			}
			samples = make([]int16, len(content)/2)
			for n := range samples {
				samples[n] = int16(binary.LittleEndian.Uint16(content[2*n:]))
			}
			return samples, rateHz, nil
		}
		size += size & 1 // chunks begin at even places
		if _, err := io.CopyN(io.Discard, r, size); err != nil {
			return nil, 0, errors.New("a WAV file without sound in it")
		}
	}
}

// formatBytes is what readFormat reads of the chunk: the fields of every format, up to the bits of a sample.
const formatBytes = 16

// readFormat reads the chunk "fmt " and refuses what the phone cannot play.
func readFormat(r io.Reader) (rateHz int, err error) {
	var f [formatBytes]byte
	if _, err := io.ReadFull(r, f[:]); err != nil {
		return 0, errors.New("a WAV file whose format is cut off")
	}
	format, channels := binary.LittleEndian.Uint16(f[0:]), binary.LittleEndian.Uint16(f[2:])
	rate, bits := binary.LittleEndian.Uint32(f[4:]), binary.LittleEndian.Uint16(f[14:])
	if format != formatPCM && format != formatExtended || channels != 1 || bits != 16 ||
		rate != hal.RateHz && rate != 2*hal.RateHz {
		return 0, fmt.Errorf("the sound has format %d, %d channels, %d bits, %d Hz; it must be PCM (format 1), "+
			"1 channel, 16 bits, 8000 or 16000 Hz: convert it with \"sox IN -b 16 -r 8000 -c 1 OUT\"",
			format, channels, bits, rate)
	}
	return int(rate), nil
}

// halve turns 16 kHz into 8 kHz: a low-pass below 4 kHz (windowed sinc, Hamming, 63 taps), then every other sample.
func halve(fast []int16) []int16 {
	const reach = 31
	var taps [2*reach + 1]float64
	sum := 0.0
	for n := range taps {
		x := float64(n - reach)
		taps[n] = 0.54 + 0.46*math.Cos(math.Pi*x/(reach+1))
		if x != 0 {
			taps[n] *= math.Sin(0.46*math.Pi*x) / (0.46 * math.Pi * x)
		}
		sum += taps[n]
	}
	slow := make([]int16, len(fast)/2)
	for n := range slow {
		sample := 0.0
		for k, tap := range taps {
			if at := 2*n + k - reach; at >= 0 && at < len(fast) {
				sample += tap / sum * float64(fast[at])
			}
		}
		slow[n] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(sample))))
	}
	return slow
}

const (
	wavHeaderBytes = 44
	// sizesEvery is how often the sizes in the header are brought up to date: after a power cut or a kill at most the
	// last second is not counted in them.
	sizesEvery = hal.RateHz * 2
	// wavBytesMax is what the sizes of the format can say, 74 hours; the rest is not recorded.
	wavBytesMax = math.MaxUint32 - wavHeaderBytes - 1
)

// wavFile is a WAV file of one channel, 16 bits, hal.RateHz that is being written.
type wavFile struct {
	file    *os.File
	bytes   int64 // of sound so far
	counted int64 // of them, in the header
	buffer  [2 * hal.FrameSamples]byte
}

// createWAV begins a file; one of that name is replaced.
func createWAV(name string) (*wavFile, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	w := &wavFile{file: f}
	if err := w.writeHeader(); err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// write adds a frame of at most hal.FrameSamples samples.
func (w *wavFile) write(frame []int16) error {
	content := w.buffer[:0]
	for _, sample := range frame {
		content = binary.LittleEndian.AppendUint16(content, uint16(sample))
	}
	if w.bytes+int64(len(content)) > wavBytesMax {
		return nil
	}
	n, err := w.file.WriteAt(content, wavHeaderBytes+w.bytes)
	w.bytes += int64(n &^ 1)
	if err != nil {
		return err
	}
	if w.bytes-w.counted >= sizesEvery {
		return w.writeHeader()
	}
	return nil
}

// writeHeader writes the header with the sizes as they are now.
func (w *wavFile) writeHeader() error {
	h := make([]byte, 0, wavHeaderBytes)
	h = append(h, "RIFF"...)
	h = binary.LittleEndian.AppendUint32(h, uint32(wavHeaderBytes-8+w.bytes))
	h = append(h, "WAVEfmt "...)
	h = binary.LittleEndian.AppendUint32(h, formatBytes)
	h = binary.LittleEndian.AppendUint16(h, formatPCM)
	h = binary.LittleEndian.AppendUint16(h, 1)            // channel
	h = binary.LittleEndian.AppendUint32(h, hal.RateHz)   // samples a second
	h = binary.LittleEndian.AppendUint32(h, hal.RateHz*2) // bytes a second
	h = binary.LittleEndian.AppendUint16(h, 2)            // bytes of all channels' samples at one time
	h = binary.LittleEndian.AppendUint16(h, 16)           // bits of a sample
	h = append(h, "data"...)
	h = binary.LittleEndian.AppendUint32(h, uint32(w.bytes))
	if _, err := w.file.WriteAt(h, 0); err != nil {
		return err
	}
	w.counted = w.bytes
	return nil
}

// close writes the sizes and closes the file.
func (w *wavFile) close() error {
	return errors.Join(w.writeHeader(), w.file.Close())
}
