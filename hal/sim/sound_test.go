package sim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
)

// voiceDevice is what device/voice asks of a sound device.
type voiceDevice interface {
	Read(mic []int16) error
	Write(speaker []int16) error
	Route(hal.Route)
	Close() error
}

var (
	_ voiceDevice = (*Device)(nil)
	_ voiceDevice = (*Browser)(nil)
)

func TestParseSoundSaysWhatToWrite(t *testing.T) {
	for _, c := range []struct {
		text, hint string // a hint means refused
	}{
		{"", "write null, loop, tone"},
		{"alsa", "write null, loop, tone"},
		{"NULL", "write null, loop, tone"},
		{"null:", `write "null"`},
		{"loop:1", `write "loop"`},
		{"tone:", "from 50 to 3900 Hz"},
		{"tone:high", "from 50 to 3900 Hz"},
		{"tone:49", "from 50 to 3900 Hz"},
		{"tone:NaN", "from 50 to 3900 Hz"},
		{"tone:5000", "from 50 to 3900 Hz"},
		{"wav", "two file names"},
		{"wav:", "two file names"},
		{"wav:in.wav", "two file names"},
		{"wav:,", "two file names"},
		{"wav:a,b,c", "two file names"},
		{"null", ""},
		{"loop", ""},
		{"tone:1020", ""},
		{"tone:440.5", ""},
		{"wav:in.wav,out.wav", ""},
		{`wav:C:\in.wav,`, ""},
		{"wav:,out.wav", ""},
	} {
		sound, err := ParseSound(c.text)
		switch {
		case c.hint != "" && (err == nil || !strings.Contains(err.Error(), c.hint)):
			t.Errorf("%q: error %v, want it to say %q", c.text, err, c.hint)
		case c.hint == "" && err != nil:
			t.Errorf("%q: %v", c.text, err)
		case c.hint == "" && sound.String() != c.text:
			t.Errorf("%q becomes %q", c.text, sound)
		}
	}
	if sound, err := ParseSound("tone"); err != nil || sound.String() != "tone:1020" {
		t.Errorf("tone: %v, %v", sound, err)
	}
	if _, err := (Sound{}).Open(); err == nil {
		t.Error("a sound that was never parsed opens")
	}
}

// open is the device of a text.
func open(t *testing.T, text string) *Device {
	t.Helper()
	sound, err := ParseSound(text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := sound.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// hear reads so many frames.
func hear(t *testing.T, d voiceDevice, frames int) []int16 {
	t.Helper()
	var sound []int16
	mic := make([]int16, hal.FrameSamples)
	for range frames {
		if err := d.Read(mic); err != nil {
			t.Fatal(err)
		}
		sound = append(sound, mic...)
	}
	return sound
}

// level is how strong one frequency is in the sound, in dB of a full-scale sine (Goertzel's algorithm, Hann window).
func level(sound []int16, hz float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*hz/hal.RateHz)
	var s1, s2, weight float64
	for n, sample := range sound {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(n)/float64(len(sound)))
		s1, s2 = w*float64(sample)/math.MaxInt16+coefficient*s1-s2, s1
		weight += w
	}
	return 20 * math.Log10(2*math.Sqrt(max(s1*s1+s2*s2-coefficient*s1*s2, 1e-12))/weight)
}

// sine is a sound of one frequency.
func sine(hz, rateHz, peak float64, samples int) []int16 {
	sound := make([]int16, samples)
	for n := range sound {
		sound[n] = int16(math.Round(peak * math.Sin(2*math.Pi*hz*float64(n)/rateHz)))
	}
	return sound
}

func TestDevicesKeepRealTimeWhateverTheReaderDoes(t *testing.T) {
	for _, device := range []string{"null", "loop", "tone", "browser"} {
		synctest.Test(t, func(t *testing.T) {
			var d voiceDevice = NewBrowser()
			if device != "browser" {
				d = open(t, device)
			}
			mic, start, worst := make([]int16, hal.FrameSamples), time.Now(), time.Duration(0)
			for n := range 3000 { // a minute
				if err := d.Read(mic); err != nil {
					t.Fatal(err)
				}
				worst = max(worst, time.Since(start.Add(time.Duration(n+1)*hal.FrameTime)).Abs())
				time.Sleep(time.Duration(n%37) * time.Millisecond / 2) // up to 18 ms of work
			}
			if worst != 0 {
				t.Errorf("%s: a frame came %v away from its time", device, worst)
			}

			time.Sleep(2*time.Second - 18*time.Millisecond)
			atOnce := 0
			for before := time.Now(); time.Since(before) == 0; atOnce++ {
				if err := d.Read(mic); err != nil {
					t.Fatal(err)
				}
			}
			if atOnce < 5 || atOnce > 8 {
				t.Errorf("%s: %d frames at once after a stall of 2 s", device, atOnce)
			}
		})
	}
}

func TestSkippedFramesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, b := open(t, "null"), NewBrowser()
		hear(t, d, 1)
		hear(t, b, 1)
		time.Sleep(time.Second)
		hear(t, d, 1)
		hear(t, b, 1)
		if d.Skipped() != 45 || b.Counters().Skipped != 44 {
			t.Errorf("skipped %d and %d after a second", d.Skipped(), b.Counters().Skipped)
		}
	})
}

func TestTheToneHasItsFrequencyAndLevelAndNoClicks(t *testing.T) {
	for text, hz := range map[string]float64{"tone": 1020, "tone:440": 440, "tone:3400": 3400} {
		synctest.Test(t, func(t *testing.T) {
			sound := hear(t, open(t, text), 25)
			if got := level(sound, hz); math.Abs(got+13.14) > 0.1 {
				t.Errorf("%s: %.2f dB, want -13.14", text, got)
			}
			if got := level(sound, hz+100); got > -70 {
				t.Errorf("%s: %.1f dB beside it", text, got)
			}
		})
	}
}

func TestLoopHearsWhatIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, "loop")
		said := sine(500, hal.RateHz, 10000, hal.FrameSamples)
		if err := d.Write(said); err != nil {
			t.Fatal(err)
		}
		if got := hear(t, d, 1); [hal.FrameSamples]int16(got) != [hal.FrameSamples]int16(said) {
			t.Error("the microphone does not hear what was heard")
		}
		d.Route(hal.Headset)
		if got := hear(t, d, 1); largestStep(got) != 0 || d.Routed() != hal.Headset {
			t.Error("what was heard before the change of route is heard after it")
		}
	})
}

func TestAClosedDeviceSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []voiceDevice{open(t, "null"), open(t, "wav:,"+filepath.Join(t.TempDir(), "out")), NewBrowser()} {
			reading := make(chan error)
			go func() { reading <- d.Read(make([]int16, hal.FrameSamples)) }()
			synctest.Wait()
			if err := errors.Join(d.Close(), d.Close()); err != nil {
				t.Error(err)
			}
			if err := <-reading; !errors.Is(err, errClosed) {
				t.Errorf("%T: a read that waited returns %v", d, err)
			}
			if err := d.Write(make([]int16, hal.FrameSamples)); !errors.Is(err, errClosed) {
				t.Errorf("%T: a write returns %v", d, err)
			}
		}
	})
}

// wav makes a WAV file of PCM samples.
func wav(rateHz uint32, channels, bits uint16, samples []int16) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\xff\xff\xff\xffWAVE")
	b.WriteString("LIST\x05\x00\x00\x00INFO!\x00") // an odd chunk and its padding
	b.WriteString("fmt \x12\x00\x00\x00")          // 18 bytes, as some programs write
	block := channels * bits / 8
	for _, field := range []any{uint16(1), channels, rateHz, rateHz * uint32(block), block, bits, uint16(0)} {
		binary.Write(&b, binary.LittleEndian, field)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*len(samples)))
	binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

// file writes a file and returns its name.
func file(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in.wav")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheMicrophoneHearsAFileAndThenSilence(t *testing.T) {
	for _, c := range []struct {
		name  string
		rate  float64
		level float64 // of 1000 Hz
	}{{"8 kHz", 8000, -10}, {"16 kHz", 16000, -10}} {
		synctest.Test(t, func(t *testing.T) {
			peak := math.MaxInt16 * math.Pow(10, c.level/20)
			samples := sine(1000, c.rate, peak, int(c.rate)/2+100)
			if c.rate == 16000 { // what 8 kHz cannot carry must not come back as something else
				for n, alias := range sine(5000, c.rate, peak/2, len(samples)) {
					samples[n] += alias
				}
			}
			d := open(t, "wav:"+file(t, wav(uint32(c.rate), 1, 16, samples))+",")
			sound := hear(t, d, 30)
			if got := level(sound[:4000], 1000); math.Abs(got-c.level) > 0.1 {
				t.Errorf("%s: %.2f dB, want %.0f", c.name, got, c.level)
			}
			if got := level(sound[400:3600], 3000); got > -60 {
				t.Errorf("%s: an alias of %.1f dB at 3000 Hz", c.name, got)
			}
			for n, sample := range sound[4100:] {
				if sample != 0 {
					t.Fatalf("%s: %d heard %d samples after the end", c.name, sample, n)
				}
			}
		})
	}
}

func TestAWrongFileIsRefusedWithAReason(t *testing.T) {
	good := wav(8000, 1, 16, make([]int16, 100))
	for _, c := range []struct {
		name, reason string
		content      []byte
	}{
		{"empty", "not a WAV file", nil},
		{"an MP3", "not a WAV file", []byte("ID3\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"only the head", "without sound", good[:12]},
		{"cut in a chunk", "without sound", good[:20]},
		{"cut in the format", "cut off", good[:36]},
		{"sound before format", "before its sound", append(append([]byte{}, good[:12]...), "data\x02\x00\x00\x00ab"...)},
		{"stereo", "2 channels", wav(8000, 2, 16, nil)},
		{"8 bits", "8 bits", wav(8000, 1, 8, nil)},
		{"44.1 kHz", "44100 Hz", wav(44100, 1, 16, nil)},
		{"A-law", "format 6", bytes.Replace(good, []byte("\x12\x00\x00\x00\x01\x00"), []byte("\x12\x00\x00\x00\x06\x00"), 1)},
	} {
		_, _, err := readWAV(bytes.NewReader(c.content))
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.reason)
		}
	}
	if samples, rate, err := readWAV(bytes.NewReader(good[:len(good)-11])); len(samples) != 94 || rate != 8000 || err != nil {
		t.Errorf("a file that ends early: %d samples, %v", len(samples), err)
	}
	sound, _ := ParseSound("wav:/does/not/exist.wav,")
	if _, err := sound.Open(); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "sim: opening sound wav:") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestWhatIsHeardIsAFileAtEveryMoment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.wav")
	w, err := createWAV(name)
	if err != nil {
		t.Fatal(err)
	}
	read := func() []int16 {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		samples, rate, err := readWAV(f)
		if err != nil || rate != hal.RateHz {
			t.Fatalf("rate %d, %v", rate, err)
		}
		return samples
	}
	var said []int16
	for n := range 120 {
		frame := sine(300+float64(n), hal.RateHz, 9000, hal.FrameSamples)
		said = append(said, frame...)
		if err := w.write(frame); err != nil {
			t.Fatal(err)
		}
		// As if the program had been killed here: the header knows all but the last second.
		if got := len(read()); got < len(said)-hal.RateHz || got > len(said) {
			t.Fatalf("after %d frames the file tells of %d samples", n+1, got)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	got := read()
	if len(got) != len(said) {
		t.Fatalf("%d samples, want %d", len(got), len(said))
	}
	for n := range got {
		if got[n] != said[n] {
			t.Fatalf("sample %d is %d, want %d", n, got[n], said[n])
		}
	}
	content, err := os.ReadFile(name)
	if err != nil || binary.LittleEndian.Uint32(content[4:]) != uint32(len(content)-8) {
		t.Errorf("RIFF size %d of %d bytes, %v", binary.LittleEndian.Uint32(content[4:]), len(content), err)
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add(wav(8000, 1, 16, []int16{1, -2, 3}))
	f.Add(wav(16000, 1, 16, []int16{1, -2, 3, 4}))
	f.Add(wav(44100, 2, 8, nil))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x00\x00\x00\x00data\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		samples, rate, err := readWAV(bytes.NewReader(content))
		if err != nil {
			return
		}
		if rate != 8000 && rate != 16000 || 2*len(samples) > len(content) {
			t.Errorf("%d samples at %d Hz from %d bytes", len(samples), rate, len(content))
		}
		if got := len(halve(samples)); got != len(samples)/2 {
			t.Errorf("%d samples become %d", len(samples), got)
		}
	})
}

func FuzzParseSound(f *testing.F) {
	for _, text := range []string{"null", "loop", "tone", "tone:440", "wav:a,b", "wav:,b", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sound, err := ParseSound(text)
		if err != nil {
			return
		}
		if again, err := ParseSound(sound.String()); err != nil || again != sound {
			t.Errorf("%q becomes %q, which is %v, %v", text, sound, again, err)
		}
	})
}
