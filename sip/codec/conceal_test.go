package codec

import (
	"math"
	"testing"
)

const frameSamples = 160

func sine(frequencyHz float64, frames int) []int16 {
	sound := make([]int16, frames*frameSamples)
	for i := range sound {
		sound[i] = int16(10000 * math.Sin(2*math.Pi*frequencyHz*float64(i)/8000))
	}
	return sound
}

// lose plays sound with every tenth frame lost and returns what is heard.
func lose(sound []int16, conceal func(c *Concealment, frame []int16)) []int16 {
	heard := make([]int16, len(sound))
	copy(heard, sound)
	var c Concealment
	for i := 0; i < len(sound); i += frameSamples {
		frame := heard[i : i+frameSamples]
		if i/frameSamples%10 == 9 {
			conceal(&c, frame)
		} else {
			c.Heard(frame)
		}
	}
	return heard
}

// largestStep is the loudest click: the largest change from one sample to the next.
func largestStep(sound []int16) (step int) {
	for i := 1; i < len(sound); i++ {
		step = max(step, distance(int(sound[i]), int(sound[i-1])))
	}
	return step
}

func TestALostFrameOfVoiceIsHardlyHeard(t *testing.T) {
	for _, frequencyHz := range []float64{100, 150, 203, 440} {
		sound := sine(frequencyHz, 100)
		heard := lose(sound, (*Concealment).Conceal)
		var signal, fault float64
		for i := range sound {
			signal += float64(sound[i]) * float64(sound[i])
			fault += math.Pow(float64(sound[i])-float64(heard[i]), 2)
		}
		// One frame in ten replaced by silence would be 10 dB.
		if ratio := 10 * math.Log10(signal/fault); ratio < 16 {
			t.Errorf("%v Hz with a tenth lost: signal to fault %.1f dB", frequencyHz, ratio)
		}
		if step, honest := largestStep(heard), largestStep(sound); step > 2*honest {
			t.Errorf("%v Hz: a click of %d, the sound itself has %d", frequencyHz, step, honest)
		}
	}
}

func TestALongGapFadesToSilence(t *testing.T) {
	var c Concealment
	c.Heard(sine(200, 10))
	var level [5]int
	for i := range level {
		frame := make([]int16, frameSamples)
		c.Conceal(frame)
		for _, sample := range frame {
			level[i] = max(level[i], distance(int(sample), 0))
		}
	}
	if level[0] < 9000 {
		t.Errorf("the first lost frame peaks at %d, want the level of the voice", level[0])
	}
	if level[1] >= level[0] || level[2] >= level[1] {
		t.Errorf("the gap does not fade: %v", level)
	}
	if level[3] != 0 || level[4] != 0 {
		t.Errorf("after 60 ms there is still sound: %v", level)
	}
}

func TestNothingHeardYetIsConcealedBySilence(t *testing.T) {
	var c Concealment
	frame := sine(200, 1)
	c.Conceal(frame)
	if largestStep(frame) != 0 || frame[0] != 0 {
		t.Errorf("sound out of nothing: %v", frame)
	}
}

func TestFramesOfAnyLengthAreConcealed(t *testing.T) {
	var c Concealment
	c.Heard(sine(200, 10))
	for _, length := range []int{0, 1, 7, 80, 640} {
		c.Conceal(make([]int16, length))
		c.Heard(make([]int16, length))
	}
}

func BenchmarkConceal(b *testing.B) {
	var c Concealment
	c.Heard(sine(200, 10))
	frame := make([]int16, frameSamples)
	b.ReportAllocs()
	for b.Loop() {
		c.made = 0
		c.Conceal(frame)
	}
}
