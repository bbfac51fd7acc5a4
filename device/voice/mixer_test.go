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

func TestTheVoiceRisesWhenTheMuteEnds(t *testing.T) {
	m := NewMixer(Config{})
	mic := make(hal.Frame, hal.FrameSamples)
	for n := range mic {
		mic[n] = 10000
	}
	plan := Plan{Route: hal.Handset, Live: 1, Calls: [CallsMax]sip.CallID{1}}
	for _, muted := range []bool{false, true, false, true, false} {
		plan.Muted = muted
		_, send := m.Step(plan, mic, Frames{})
		if muted {
			continue
		}
		sent := send[0]
		if got := largestStep(append([]int16{0}, sent...)); got > 10000/rampSamples+1 || sent[len(sent)-1] != 10000 {
			t.Errorf("a step of %d to %d", got, sent[len(sent)-1])
		}
	}
}

func TestAChangeOfVolumeDoesNotClick(t *testing.T) {
	loud := make(hal.Frame, hal.FrameSamples)
	for n := range loud {
		loud[n] = 8000
	}
	m := NewMixer(Config{})
	var sound []int16
	for _, volume := range []int{7, 0, 10, 1, 7, 7, 0} {
		plan := Plan{Route: hal.Speaker, Volume: volume, Live: 1, Calls: [CallsMax]sip.CallID{1}}
		speaker, _ := m.Step(plan, make(hal.Frame, hal.FrameSamples), Frames{loud})
		sound = append(sound, speaker...)
	}
	if got, most := largestStep(sound), 22600/rampSamples+2; got > most || got < most/2 {
		t.Errorf("largest step %d, want at most %d", got, most)
	}
}

func TestTheRingerHasAVolumeOfItsOwn(t *testing.T) {
	loudness := func(ringer int) float64 {
		sound := listen(NewMixer(Config{}), Plan{Tone: Ring, Ringer: ringer, Volume: 7}, 500*time.Millisecond)
		return 20 * math.Log10(float64(loudest(sound))/math.MaxInt16)
	}
	for _, c := range []struct {
		ringer int
		dB     float64
	}{{1, -9.14 - 18}, {4, -9.14 - 9}, {7, -9.14}} {
		if got := loudness(c.ringer); math.Abs(got-c.dB) > 0.2 {
			t.Errorf("ringer %d: peak at %.1f dB, want %.1f", c.ringer, got, c.dB)
		}
	}
	if got := loudness(10); got < -1.5 {
		t.Errorf("the loudest ringer reaches %.1f dB only", got)
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

func BenchmarkStep(b *testing.B) {
	m := NewMixer(Config{})
	plan := Plan{Tone: Knock, Digit: '5', Route: hal.Handset, Volume: 9, Live: 1, Calls: [CallsMax]sip.CallID{1, 2}}
	mic, received := sine(0, 1000, 8000), Frames{sine(0, 400, 8000)}
	for b.Loop() {
		m.Step(plan, mic, received)
	}
}
