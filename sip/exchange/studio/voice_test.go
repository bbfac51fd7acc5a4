package studio

import (
	"math"
	"slices"
	"testing"
)

func speech(seed uint64, seconds int) []int16 {
	v := newVoice(seed)
	sound := make([]int16, 0, seconds*rateHz)
	for range seconds * 50 {
		frame := make([]int16, frameLength)
		v.speak(frame)
		sound = append(sound, frame...)
	}
	return sound
}

// pitch is the median of the best autocorrelation lag of all loud windows of 50 ms.
func pitch(sound []int16) float64 {
	var found []float64
	for from := 0; from+400 <= len(sound); from += 400 {
		w := sound[from : from+400]
		if rms(w) < speechRMS/2 {
			continue
		}
		best, lag := 0.0, 0
		for l := rateHz / 280; l <= rateHz/75; l++ {
			var sum, a, b float64
			for i := l; i < len(w); i++ {
				sum += float64(w[i]) * float64(w[i-l])
				a += float64(w[i]) * float64(w[i])
				b += float64(w[i-l]) * float64(w[i-l])
			}
			// The slight preference of short lags keeps a multiple of the period from winning.
			if r := sum / math.Sqrt(a*b+1) * (1 - 0.001*float64(l)); r > best {
				best, lag = r, l
			}
		}
		if best > 0.6 {
			found = append(found, rateHz/float64(lag))
		}
	}
	if len(found) == 0 {
		return 0
	}
	slices.Sort(found)
	return found[len(found)/2]
}

func TestEveryCallerHasAPitchOfHisOwn(t *testing.T) {
	var low, high int
	heard := map[int]bool{}
	for seed := range uint64(12) {
		got, want := pitch(speech(seed, 6)), newVoice(seed).pitchHz
		if math.Abs(got-want) > 0.1*want {
			t.Errorf("seed %d: pitch %.0f Hz, want %.0f", seed, got, want)
		}
		if want < 150 {
			low++
		} else {
			high++
		}
		heard[int(want)] = true
	}
	if low == 0 || high == 0 || len(heard) < 10 {
		t.Errorf("12 callers: %d low voices, %d high, %d different pitches", low, high, len(heard))
	}
}

func TestAVoiceSpeaksAtMinus20DBovWithPausesAndNeverClips(t *testing.T) {
	for seed := range uint64(12) {
		sound := speech(seed, 10)
		var loud, quiet int
		var energy float64
		for from := 0; from < len(sound); from += frameLength {
			if r := rms(sound[from : from+frameLength]); r > 500 {
				loud++
				energy += r * r
			} else if r < 10 {
				quiet++
			}
		}
		if level := 20 * math.Log10(math.Sqrt(energy/float64(loud))/32768); level < -22 || level > -18 {
			t.Errorf("seed %d: active level %.1f dBov, want -20", seed, level)
		}
		if share := float64(quiet) / 500; share < 0.1 || share > 0.5 {
			t.Errorf("seed %d: %.0f %% of the frames are pauses", seed, 100*share)
		}
		if peak := max(slices.Max(sound), -slices.Min(sound)); peak > 30000 {
			t.Errorf("seed %d: peak %d clips", seed, peak)
		}
	}
}

func TestTheSameSeedSpeaksTheSameSound(t *testing.T) {
	if !slices.Equal(speech(7, 3), speech(7, 3)) {
		t.Error("two voices of one seed differ")
	}
	if slices.Equal(speech(7, 3), speech(8, 3)) {
		t.Error("two seeds sound the same")
	}
}

func TestATalkerAnswersWhenTheOtherSideHasSpokenAndPaused(t *testing.T) {
	talker := NewTalker(3, false)
	silence, said := make([]int16, frameLength), make([]int16, frameLength)
	loud := speech(1, 1)[rateHz/2:][:frameLength]
	for i := range loud {
		loud[i] = 2000
	}
	for n := range 100 { // two seconds of greeting
		if talker.Frame(loud, said); rms(said) > 0 {
			t.Fatalf("interrupts the greeting after %d frames", n)
		}
	}
	for n := 1; ; n++ {
		talker.Frame(silence, said)
		if talker.speaking {
			if n != answerPause {
				t.Errorf("answers after %d quiet frames, want %d", n, answerPause)
			}
			break
		}
		if n > 100 {
			t.Fatal("never answers")
		}
	}
	for n := 0; talker.speaking; n++ {
		if talker.Frame(loud, said); n > 300 {
			t.Fatal("never ends its turn")
		}
	}
}

func TestATalkerBreaksAnEmbarrassingSilence(t *testing.T) {
	talker := NewTalker(4, false)
	silence, said := make([]int16, frameLength), make([]int16, frameLength)
	for n := 0; !talker.speaking; n++ {
		if talker.Frame(silence, said); n > 150 {
			t.Fatal("waits for ever for a greeting")
		}
	}
}

func TestHoldMusicRepeatsAndStaysQuiet(t *testing.T) {
	m := &Melody{notes: holdMusic}
	said := make([]int16, frameLength)
	loud := 0
	for range 500 {
		m.Frame(nil, said)
		if slices.Max(said) > 2400 {
			t.Fatal("louder than -26 dBov")
		}
		if rms(said) > 100 {
			loud++
		}
	}
	if loud < 450 {
		t.Errorf("%d of 500 frames sound", loud)
	}
}
