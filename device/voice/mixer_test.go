package voice

import (
	"math"
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// level is how strong one frequency is in the sound, in dB of a full-scale sine (Goertzel's algorithm, Hann window).
func level(sound []int16, hz float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*hz/hal.RateHz)
	var s1, s2, weight float64
	for n, sample := range sound {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(n)/float64(len(sound)))
		s1, s2 = w*float64(sample)/math.MaxInt16+coefficient*s1-s2, s1
		weight += w
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	return 20 * math.Log10(2*math.Sqrt(max(power, 1e-12))/weight)
}

// loudest is the largest sample without its sign.
func loudest(sound []int16) int {
	peak := 0
	for _, sample := range sound {
		peak = max(peak, max(int(sample), -int(sample)))
	}
	return peak
}

// largestStep is the largest change from a sample to the next.
func largestStep(sound []int16) int {
	largest := 0
	for n := 1; n < len(sound); n++ {
		step := int(sound[n]) - int(sound[n-1])
		largest = max(largest, max(step, -step))
	}
	return largest
}

// listen runs the mixer for a time without a microphone and returns what is heard.
func listen(m *Mixer, plan Plan, d time.Duration) []int16 {
	var sound []int16
	silence := make(hal.Frame, hal.FrameSamples)
	for range int(d / hal.FrameTime) {
		speaker, _ := m.Step(plan, silence, Frames{})
		sound = append(sound, speaker...)
	}
	return sound
}

// sine is a frame of a sine that goes on from frame to frame; peak in units of int16.
func sine(frame int, hz, peak float64) hal.Frame {
	f := make(hal.Frame, hal.FrameSamples)
	for n := range f {
		f[n] = int16(peak * math.Sin(2*math.Pi*hz*float64(frame*hal.FrameSamples+n)/hal.RateHz))
	}
	return f
}

// onTones is a plan for a handset off the hook at 0 dB.
func onTones(tone Tone) Plan {
	return Plan{Tone: tone, Route: hal.Handset, Volume: 7, Ringer: 7}
}

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

func TestChangingTheLiveCallOrLosingItsSoundDoesNotClick(t *testing.T) {
	loud := make(hal.Frame, hal.FrameSamples)
	negative := make(hal.Frame, hal.FrameSamples)
	for n := range loud {
		loud[n], negative[n] = 12000, -12000
	}
	mic := make(hal.Frame, hal.FrameSamples)
	m := NewMixer(Config{})
	var sound []int16
	for n := range 24 {
		plan := Plan{Route: hal.Headset, Volume: 7, Calls: [CallsMax]sip.CallID{1, 2}, Live: sip.CallID(1 + n/2%2)}
		received := Frames{loud, negative}
		if n%5 == 4 {
			received = Frames{} // both lost their media
		}
		speaker, _ := m.Step(plan, mic, received)
		sound = append(sound, speaker...)
	}
	if got, most := largestStep(sound), 24000/rampSamples+2; got > most || got < most/3 {
		t.Errorf("largest step %d, want at most %d", got, most)
	}
}

func TestTheRingerIsOnTheLoudspeakerWhateverTheRoute(t *testing.T) {
	for _, route := range []hal.Route{hal.Silent, hal.Handset, hal.Headset, hal.Speaker} {
		plan := Plan{Tone: Ring, Route: route, Volume: 0, Ringer: 7}
		if got := plan.route(); got != hal.Speaker {
			t.Errorf("route %v: the ringer goes to %v", route, got)
		}
		if got := loudest(listen(NewMixer(Config{}), plan, 500*time.Millisecond)); got < 8000 {
			t.Errorf("route %v: the ringer sounds with %d", route, got)
		}
	}
	for _, c := range []struct {
		name string
		plan Plan
	}{
		{"ringer switched off", Plan{Tone: Ring, Volume: 7}},
		{"other tones on hook", Plan{Tone: Busy, Volume: 7, Ringer: 7}},
		{"digit on hook", Plan{Digit: '5', Volume: 7, Ringer: 7}},
		{"no volume", Plan{Tone: Dial, Route: hal.Handset, Ringer: 7}},
		{"no such tone", Plan{Tone: toneCount, Route: hal.Handset, Volume: 7}},
	} {
		if got := loudest(listen(NewMixer(Config{}), c.plan, 500*time.Millisecond)); got != 0 {
			t.Errorf("%s: sounds with %d, want silence", c.name, got)
		}
		if got := c.plan.route(); got != c.plan.Route {
			t.Errorf("%s: route %v, want %v", c.name, got, c.plan.Route)
		}
	}
}

func TestARingerDuringAConversationIsAKnockAtTheEar(t *testing.T) {
	plan := Plan{Tone: Ring, Route: hal.Headset, Volume: 7, Ringer: 10, Live: 1, Calls: [CallsMax]sip.CallID{1}}
	if plan.route() != hal.Headset || plan.tone() != Knock {
		t.Fatalf("route %v, tone %v, want the headset and a knock", plan.route(), plan.tone())
	}
	if got := loudest(listen(NewMixer(Config{}), plan, time.Second)); got == 0 || got > 3000 {
		t.Errorf("the knock is %d loud", got)
	}
}

func TestTheRestOfTheRingerDoesNotReachTheEar(t *testing.T) {
	m := NewMixer(Config{})
	listen(m, Plan{Tone: Ring, Ringer: 10}, 500*time.Millisecond)
	answered := Plan{Route: hal.Handset, Volume: 10, Live: 1, Calls: [CallsMax]sip.CallID{1}}
	if got := loudest(listen(m, answered, 100*time.Millisecond)); got != 0 {
		t.Errorf("after answering %d is heard at the ear", got)
	}
}

func TestOnlyTheLiveCallIsHeardAndSpokenTo(t *testing.T) {
	mic := sine(0, 1000, 8000)
	plan := Plan{Route: hal.Handset, Volume: 7, Live: 4, Calls: [CallsMax]sip.CallID{0, 1, 4, 6}}
	m := NewMixer(Config{SidetoneDB: -100})
	var sound []int16
	for n := range 20 {
		received := Frames{1: sine(n, 400, 8000), 2: sine(n, 700, 8000), 3: sine(n, 1500, 8000)}
		speaker, send := m.Step(plan, mic, received)
		sound = append(sound, speaker...)
		if send[0] != nil || send[1] != nil || send[3] != nil {
			t.Fatal("the voice went to a call that is not live")
		}
		if n > 0 && [hal.FrameSamples]int16(send[2]) != [hal.FrameSamples]int16(mic) {
			t.Fatal("the live call did not get the microphone's frame as it was")
		}
		if n > 0 && [hal.FrameSamples]int16(speaker) != [hal.FrameSamples]int16(received[2]) {
			t.Fatal("at 0 dB the live call is not heard as it was")
		}
	}
	if got := level(sound, 700); got < -13 {
		t.Errorf("the live call is heard at %.1f dB", got)
	}
	for _, hz := range []float64{400, 1500} {
		if got := level(sound, hz); got > -60 {
			t.Errorf("another call is heard: %.1f dB at %v Hz", got, hz)
		}
	}
}

func TestSilenceIsSentInsteadOfVoice(t *testing.T) {
	live := Plan{Route: hal.Handset, Volume: 7, Live: 1, Calls: [CallsMax]sip.CallID{1, 2}}
	for _, c := range []struct {
		name   string
		change func(*Plan)
	}{
		{"muted", func(p *Plan) { p.Muted = true }},
		{"no route", func(p *Plan) { p.Route = hal.Silent }},
		{"no live call", func(p *Plan) { p.Live = 0 }},
		{"live call unknown", func(p *Plan) { p.Live = 9 }},
		{"a digit's feedback sounds", func(p *Plan) { p.Digit = '1' }},
	} {
		plan := live
		c.change(&plan)
		m := NewMixer(Config{})
		mic := sine(0, 1000, 20000)
		for range 3 {
			if _, send := m.Step(live, mic, Frames{}); send[0] == nil {
				t.Fatalf("%s: no voice before it", c.name)
			}
		}
		if _, send := m.Step(plan, mic, Frames{}); send[0] != nil || send[1] != nil {
			t.Errorf("%s: the very first frame still carries voice", c.name)
		}
		speaker, _ := m.Step(plan, mic, Frames{})
		if got := level(speaker, 1000); got > -30 && plan.Digit == 0 {
			t.Errorf("%s: the sidetone goes on at %.1f dB", c.name, got)
		}
	}
}

func TestSidetoneIsLightAndOnlyAtTheEar(t *testing.T) {
	for _, c := range []struct {
		route  hal.Route
		muted  bool
		config Config
		dB     float64 // less than -60 means silence
	}{
		{hal.Speaker, false, Config{}, -100},
		{hal.Handset, true, Config{}, -100},
		{hal.Handset, false, Config{SidetoneDB: -61}, -100},
		{hal.Handset, false, Config{}, -20},
		{hal.Headset, false, Config{SidetoneDB: -26}, -26},
	} {
		m := NewMixer(c.config)
		plan := Plan{Route: c.route, Muted: c.muted, Volume: 10, Live: 1, Calls: [CallsMax]sip.CallID{1}}
		var sound []int16
		for n := range 20 {
			speaker, _ := m.Step(plan, sine(n, 1000, math.MaxInt16/2), Frames{})
			sound = append(sound, speaker...)
		}
		got := level(sound[hal.FrameSamples:], 1000) + 6.02
		if c.dB < -60 && loudest(sound) != 0 || c.dB >= -60 && math.Abs(got-c.dB) > 0.3 {
			t.Errorf("%v muted=%v: sidetone %.1f dB, want %.1f", c.route, c.muted, got, c.dB)
		}
	}
}

func TestVolumeGoesInStepsOfThreeDecibels(t *testing.T) {
	for _, c := range []struct {
		volume int
		dB     float64
	}{{-1, math.Inf(-1)}, {0, math.Inf(-1)}, {1, -18}, {6, -3}, {7, 0}, {10, 9}, {11, 9}} {
		m := NewMixer(Config{})
		plan := Plan{Route: hal.Speaker, Volume: c.volume, Live: 1, Calls: [CallsMax]sip.CallID{1}}
		var sound []int16
		for n := range 20 {
			speaker, _ := m.Step(plan, make(hal.Frame, hal.FrameSamples), Frames{sine(n, 1000, 3276.7)})
			sound = append(sound, speaker...)
		}
		got := level(sound[hal.FrameSamples:], 1000) + 20
		if math.IsInf(c.dB, -1) && loudest(sound) != 0 || !math.IsInf(c.dB, -1) && math.Abs(got-c.dB) > 0.1 {
			t.Errorf("volume %d: %.2f dB, want %.0f", c.volume, got, c.dB)
		}
	}
}

func TestTheLimiterNeverOvershootsNorFoldsOver(t *testing.T) {
	for _, peak := range []float64{0, 8000, math.MaxInt16} {
		before := int16(0)
		for sample := 0.0; sample < 300000; sample += 7 {
			up, down := limit(sample, peak), limit(-sample, peak)
			if up < before || float64(up) > peak || down != -up {
				t.Fatalf("peak %v: %v becomes %d and %d after %d", peak, sample, up, down, before)
			}
			if sample < limiterKnee*peak && up != int16(sample) {
				t.Fatalf("peak %v: %v is changed to %d below the knee", peak, sample, up)
			}
			before = up
		}
		if float64(before) < 0.95*peak {
			t.Errorf("peak %v: the limiter gives no more than %d", peak, before)
		}
	}
}

func TestTheEarIsKeptBelowItsPeak(t *testing.T) {
	for _, c := range []struct {
		route hal.Route
		most  int
	}{{hal.Headset, 16423}, {hal.Handset, 16423}, {hal.Speaker, math.MaxInt16}} {
		m := NewMixer(Config{EarPeakDB: -6})
		plan := Plan{Route: c.route, Volume: 10, Live: 1, Calls: [CallsMax]sip.CallID{1}}
		var sound []int16
		for n := range 10 {
			speaker, _ := m.Step(plan, make(hal.Frame, hal.FrameSamples), Frames{sine(n, 1000, 32000)})
			sound = append(sound, speaker...)
		}
		if got := loudest(sound); got > c.most || got < c.most*8/10 {
			t.Errorf("%v: peak %d, want just below %d", c.route, got, c.most)
		}
	}
}

func TestAStepAllocatesNothing(t *testing.T) {
	m := NewMixer(Config{})
	plan := Plan{Tone: Knock, Digit: '5', Route: hal.Handset, Volume: 9, Live: 1, Calls: [CallsMax]sip.CallID{1, 2}}
	mic, received := sine(0, 1000, 8000), Frames{sine(0, 400, 8000)}
	if allocations := testing.AllocsPerRun(500, func() {
		plan.Muted = !plan.Muted
		m.Step(plan, mic, received)
	}); allocations != 0 {
		t.Errorf("%v allocations a step", allocations)
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

func BenchmarkStep(b *testing.B) {
	m := NewMixer(Config{})
	plan := Plan{Tone: Knock, Digit: '5', Route: hal.Handset, Volume: 9, Live: 1, Calls: [CallsMax]sip.CallID{1, 2}}
	mic, received := sine(0, 1000, 8000), Frames{sine(0, 400, 8000)}
	for b.Loop() {
		m.Step(plan, mic, received)
	}
}
