package voice

import (
	"math"
	"testing"
	"time"

	"freizeichen/hal"
)

func TestEveryToneHasItsFrequenciesAndItsLevel(t *testing.T) {
	const nominal, below = -10 - 3.14, -20 - 3.14
	for _, c := range []struct {
		country Country
		tone    Tone
		hz      []float64
		dB      float64
	}{
		{Germany, Dial, []float64{425}, nominal},
		{Germany, Ringback, []float64{425}, nominal},
		{Germany, Busy, []float64{425}, nominal},
		{Germany, Congestion, []float64{425}, nominal},
		{Germany, Knock, []float64{425}, below},
		{Germany, HoldReminder, []float64{425}, below},
		{UnitedKingdom, Dial, []float64{350, 440}, nominal - 3},
		{UnitedKingdom, Ringback, []float64{400, 450}, nominal - 3},
		{UnitedKingdom, Busy, []float64{400}, nominal},
		{UnitedStates, Ringback, []float64{440, 480}, nominal - 3},
		{UnitedStates, Busy, []float64{480, 620}, nominal - 3},
	} {
		m := NewMixer(Config{Country: c.country})
		listen(m, onTones(c.tone), hal.FrameTime) // it has risen
		length := 120 * time.Millisecond          // all bursts are longer
		if len(c.hz) == 2 {
			length = 240 * time.Millisecond // to tell apart what lies 40 Hz apart
		}
		sound := listen(m, onTones(c.tone), length)
		for _, hz := range c.hz {
			if got := level(sound, hz); math.Abs(got-c.dB) > 0.5 {
				t.Errorf("%v tone %d: %v Hz at %.1f dB, want %.1f", c.country, c.tone, hz, got, c.dB)
			}
		}
		if got := level(sound, 1200); got > c.dB-30 {
			t.Errorf("%v tone %d: %.1f dB at 1200 Hz where nothing should be", c.country, c.tone, got)
		}
	}
}

func TestCadencesAreThoseOfTheCountry(t *testing.T) {
	const always = 12 * time.Second
	ms := func(times ...int) (d []time.Duration) {
		for _, n := range times {
			d = append(d, time.Duration(n)*time.Millisecond)
		}
		return d
	}
	for _, c := range []struct {
		country Country
		tone    Tone
		onOff   []time.Duration // the first bursts and pauses
	}{
		{Germany, Quiet, nil},
		{Germany, Dial, []time.Duration{always}},
		{Germany, Ringback, ms(1000, 4000, 1000, 4000)},
		{Germany, Busy, ms(480, 480, 480, 480, 480)},
		{Germany, Congestion, ms(240, 240, 240, 240, 240)},
		{Germany, Knock, ms(200, 200, 200, 5000, 200, 200, 200)},
		{Germany, Ring, ms(1000, 4000, 1000, 4000)},
		{Germany, HoldReminder, ms(150, 150, 150, 8000, 150, 150, 150)},
		{UnitedKingdom, Dial, []time.Duration{always}},
		{UnitedKingdom, Ringback, ms(400, 200, 400, 2000, 400, 200, 400, 2000)},
		{UnitedKingdom, Busy, ms(375, 375, 375, 375)},
		{UnitedKingdom, Congestion, ms(400, 350, 225, 525, 400, 350, 225)},
		{UnitedKingdom, Knock, ms(100, 3900, 100, 3900)},
		{UnitedKingdom, Ring, ms(400, 200, 400, 2000)},
		{UnitedStates, Dial, []time.Duration{always}},
		{UnitedStates, Ringback, ms(2000, 4000, 2000)},
		{UnitedStates, Busy, ms(500, 500, 500, 500)},
		{UnitedStates, Congestion, ms(250, 250, 250, 250)},
		{UnitedStates, Knock, ms(300, 9700, 300)},
		{UnitedStates, Ring, ms(2000, 4000, 2000)},
	} {
		sound := listen(NewMixer(Config{Country: c.country}), onTones(c.tone), always)
		got := bursts(sound)
		if len(c.onOff) == 0 && len(got) > 0 {
			t.Errorf("%v tone %d sounds: %v", c.country, c.tone, got)
		}
		for n, want := range c.onOff {
			if n >= len(got) || (got[n]-want).Abs() > 45*time.Millisecond && c.tone == Ring ||
				(got[n]-want).Abs() > 8*time.Millisecond && c.tone != Ring {
				t.Errorf("%v tone %d: on and off %v, want %v", c.country, c.tone, got, c.onOff)
				break
			}
		}
	}
}

// bursts measures how long the sound is on and off in turn, beginning with on.
func bursts(sound []int16) []time.Duration {
	const window = 8 // 1 ms
	threshold := loudest(sound) / 4
	var times []time.Duration
	on, quiet := false, 0
	for n := 0; n+window <= len(sound); n += window {
		// A tone of 350 Hz has a peak in every 1.5 ms, a pair of tones beats: 15 ms of quiet are a pause.
		if loudest(sound[n:n+window]) > threshold {
			quiet = 0
		} else {
			quiet++
		}
		switch loud := quiet < 15; {
		case threshold == 0 || (len(times) == 0 && !on && quiet > 0):
			continue
		case loud != on && loud:
			on = true
			times = append(times, 0)
		case loud != on:
			on = false
			times[len(times)-1] -= 14 * time.Millisecond
			times = append(times, 14*time.Millisecond)
		}
		times[len(times)-1] += time.Millisecond
	}
	return times
}

func TestAToneBeginsItsCadenceAnew(t *testing.T) {
	m := NewMixer(Config{})
	listen(m, onTones(Ringback), 3*time.Second) // in the middle of its pause
	listen(m, onTones(Quiet), hal.FrameTime)
	if got := bursts(listen(m, onTones(Ringback), 2*time.Second)); len(got) == 0 || got[0] < 980*time.Millisecond {
		t.Errorf("the second ringing tone is on and off for %v, want a second of sound first", got)
	}
	if got := loudest(listen(m, onTones(Busy), 100*time.Millisecond)); got == 0 {
		t.Error("busy after ringback does not begin with sound")
	}
}

func TestDigitsSoundTheirPair(t *testing.T) {
	rows, columns := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	for n, digit := range []byte("123A456B789C*0#D") {
		plan := onTones(Quiet)
		plan.Digit = digit
		m := NewMixer(Config{})
		listen(m, plan, hal.FrameTime)
		sound := listen(m, plan, 100*time.Millisecond)
		for r, hz := range rows {
			want := -10 - 3.14
			if got := level(sound, hz); r == n/4 && math.Abs(got-want) > 0.3 || r != n/4 && got > -40 {
				t.Errorf("digit %c: %v Hz at %.1f dB", digit, hz, got)
			}
		}
		for c, hz := range columns {
			want := -8 - 3.14
			if got := level(sound, hz); c == n%4 && math.Abs(got-want) > 0.3 || c != n%4 && got > -40 {
				t.Errorf("digit %c: %v Hz at %.1f dB", digit, hz, got)
			}
		}
	}
	plan := onTones(Quiet)
	plan.Digit = 'x'
	if got := loudest(listen(NewMixer(Config{}), plan, 100*time.Millisecond)); got != 0 {
		t.Errorf("a digit that does not exist sounds with %d", got)
	}
}

// TestNothingClicks changes tones, digits, volume and calls at the worst moments. A sine of amplitude A and frequency f
// has steps of at most A*2*pi*f/rate, a ramp of 5 ms adds A/40.
func TestNothingClicks(t *testing.T) {
	steepest := func(peak, hz float64) float64 { return peak*2*math.Pi*hz/hal.RateHz + peak/float64(rampSamples) }
	peak := math.MaxInt16 * amplitude(toneDBm0)
	m := NewMixer(Config{})
	var sound []int16
	for n, tone := range []Tone{Dial, Quiet, Busy, Congestion, Ringback, Dial, Knock, HoldReminder, Dial, Quiet, Quiet} {
		sound = append(sound, listen(m, onTones(tone), time.Duration(3+7*n)*hal.FrameTime)...)
	}
	if got, most := float64(largestStep(sound)), steepest(peak, 425)+2; got > most || got < most/2 {
		t.Errorf("tone changes: largest step %.0f, want at most %.0f", got, most)
	}

	m, sound = NewMixer(Config{}), nil
	for n := range 30 {
		plan := onTones(Dial)
		plan.Volume = []int{7, 0, 5, 1, 7, 3}[n%6]
		if n%4 == 3 {
			plan.Digit = digitKeys[n%16]
		}
		sound = append(sound, listen(m, plan, time.Duration(1+n%3)*hal.FrameTime)...)
	}
	low, high := math.MaxInt16*amplitude(digitLow), math.MaxInt16*amplitude(digitHigh)
	most := 1.1 * (steepest(peak, 425) + steepest(low, 941) + steepest(high, 1633))
	if got := float64(largestStep(sound)); got > most {
		t.Errorf("volume and digits: largest step %.0f, want at most %.0f", got, most)
	}
}

func TestEveryToneRises(t *testing.T) {
	for country := range countryCount {
		for tone := Dial; tone < toneCount; tone++ {
			plan := onTones(tone)
			m := NewMixer(Config{Country: country})
			listen(m, Plan{Tone: Ring, Ringer: 7}, hal.FrameTime) // the gain has arrived at 0 dB before the tone
			listen(m, Plan{Route: hal.Speaker, Volume: 7}, 5*hal.FrameTime)
			plan.Route = hal.Speaker
			sound := listen(m, plan, 100*time.Millisecond)
			early := 3 * time.Millisecond
			if tone == Ring {
				early = 30 * time.Millisecond
			}
			if got, peak := loudest(sound[:samples(early)]), loudest(sound); got > peak*6/10 || got == 0 {
				t.Errorf("%v tone %d: %d within %v, %d later", country, tone, got, early, peak)
			}
		}
	}
}

func TestCountriesAreParsed(t *testing.T) {
	for _, c := range []struct {
		name    string
		country Country
		refused bool
	}{
		{"fr", Germany, true},
		{"DE", Germany, true},
		{"", Germany, false},
		{"de", Germany, false},
		{"uk", UnitedKingdom, false},
		{"us", UnitedStates, false},
	} {
		got, err := ParseCountry(c.name)
		if got != c.country || (err != nil) != c.refused {
			t.Errorf("%q: %v, %v", c.name, got, err)
		}
	}
}
