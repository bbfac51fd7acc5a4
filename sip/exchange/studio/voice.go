package studio

import (
	"math"
	"math/rand/v2"
)

// The sound of an exchange line: 8 kHz, frames of 20 ms.
const (
	rateHz      = 8000
	frameLength = 160
)

// speechRMS is the level while a voice speaks: -20 dBov, where 0 dBov is the root mean square of a full-scale
// square wave (ITU-T G.100.1).
const speechRMS = 3277

// A voice makes voice-like sound: a train of glottal pulses runs through three formant resonators that move from vowel
// to vowel, in the rhythm of syllables and with pauses between phrases. The same seed speaks the same sound.
//
//	pulses (pitch contour) --> F1 --> F2 --> F3 --> envelope of the syllable --> -20 dBov
type voice struct {
	rng      *rand.Rand
	pitchHz  float64 // mean
	tract    float64 // length of the vocal tract as a factor of the formants
	pace     float64 // factor of all durations
	left     int     // syllables of the phrase
	length   int     // syllables the phrase began with
	vowel    vowel   // where the last syllable ended
	phase    float64 // of the glottal cycle, 0 to 1
	last     float64 // glottal flow one sample ago
	formants [3]resonator
	pending  []int16 // sound of the present syllable not yet given
}

type vowel [3]float64 // formant frequencies in Hz

// The German long vowels and schwa, rounded means of men's voices.
var vowels = []vowel{
	{730, 1200, 2550}, {400, 2050, 2600}, {300, 2150, 2950}, {420, 800, 2450},
	{330, 780, 2350}, {420, 1500, 2250}, {310, 1650, 2200}, {480, 1450, 2450},
}

// formantBandwidthHz of F1, F2, F3.
var formantBandwidthHz = [3]float64{80, 110, 160}

func newVoice(seed uint64) *voice {
	rng := rand.New(rand.NewPCG(seed, 0x766f696365)) // the second word only keeps voices apart from other uses of the seed
	v := &voice{rng: rng, vowel: vowels[0]}
	if rng.IntN(2) == 0 {
		v.pitchHz, v.tract = 90+50*rng.Float64(), 0.94+0.1*rng.Float64()
	} else {
		v.pitchHz, v.tract = 170+70*rng.Float64(), 1.08+0.12*rng.Float64()
	}
	v.pace = 0.85 + 0.35*rng.Float64()
	return v
}

// speak fills the frame with the next sound of uninterrupted talking.
func (v *voice) speak(frame []int16) {
	for n := 0; n < len(frame); {
		if len(v.pending) == 0 {
			v.articulate()
		}
		copied := copy(frame[n:], v.pending)
		v.pending, n = v.pending[copied:], n+copied
	}
}

// articulate makes the next syllable, or the pause between two phrases.
func (v *voice) articulate() {
	if v.left == 0 {
		v.length = 4 + v.rng.IntN(6)
		v.left = v.length
		v.pending = make([]int16, v.samples(250+250*v.rng.Float64()))
		return
	}
	v.left--
	closure := v.samples(25 + 35*v.rng.Float64()) // of the consonant
	nucleus := v.samples(110 + 80*v.rng.Float64())
	if v.left == 0 {
		nucleus = nucleus * 3 / 2 // phrases end slowly
	}
	from, to := v.vowel, vowels[v.rng.IntN(len(vowels))]
	v.vowel = to
	// The pitch falls over the phrase, and each syllable has an accent of its own.
	done := 1 - float64(v.left)/float64(v.length)
	pitch := v.pitchHz * (1.09 - 0.16*done) * (0.98 + 0.04*v.rng.Float64())
	sound := make([]float64, nucleus)
	var energy float64
	for i := range sound {
		at := float64(i) / float64(nucleus)
		glide := math.Min(1, 2*at)
		for f := range v.formants {
			if i%16 != 0 { // 2 ms: vowels move slower
				break
			}
			v.formants[f].tune((from[f]+(to[f]-from[f])*glide)*v.tract, formantBandwidthHz[f])
		}
		s := v.glottis(pitch*(1+0.03*math.Sin(math.Pi*at))) + 0.004*v.rng.NormFloat64()
		for f := range v.formants {
			s = v.formants[f].filter(s)
		}
		s *= envelope(i, nucleus)
		sound[i] = s
		energy += s * s
	}
	// Voiced sound has peaks of four to five times its level: this gain is far from clipping.
	gain := speechRMS / math.Sqrt(energy/float64(nucleus))
	v.pending = make([]int16, closure, closure+nucleus)
	for _, s := range sound {
		v.pending = append(v.pending, int16(gain*s))
	}
}

// samples of a duration in this voice's pace.
func (v *voice) samples(milliseconds float64) int {
	return int(milliseconds * v.pace * rateHz / 1000)
}

// glottis is the derivative of the glottal flow (the mouth radiates the derivative): Rosenberg's pulse, which opens for
// 40 % of the cycle and closes in 16 %.
func (v *voice) glottis(pitchHz float64) float64 {
	v.phase += pitchHz / rateHz
	v.phase -= math.Floor(v.phase)
	const opening, closing = 0.40, 0.16
	flow := 0.0
	switch {
	case v.phase < opening:
		flow = 0.5 * (1 - math.Cos(math.Pi*v.phase/opening))
	case v.phase < opening+closing:
		flow = math.Cos(math.Pi / 2 * (v.phase - opening) / closing)
	}
	s := flow - v.last
	v.last = flow
	return s
}

// envelope rises in 15 ms and falls in 30 ms.
func envelope(i, length int) float64 {
	const rise, fall = rateHz * 15 / 1000, rateHz * 30 / 1000
	return math.Min(1, math.Min(float64(i)/rise, float64(length-i)/fall))
}

// A resonator is one formant: a second-order section with gain 1 at 0 Hz (D. Klatt, Software for a cascade/parallel
// formant synthesizer, JASA 67, 1980).
type resonator struct{ a, b, c, y1, y2 float64 }

func (r *resonator) tune(hz, bandwidthHz float64) {
	radius := math.Exp(-math.Pi * bandwidthHz / rateHz)
	r.c = -radius * radius
	r.b = 2 * radius * math.Cos(2*math.Pi*math.Min(hz, 3800)/rateHz)
	r.a = 1 - r.b - r.c
}

func (r *resonator) filter(x float64) float64 {
	y := r.a*x + r.b*r.y1 + r.c*r.y2
	r.y1, r.y2 = y, r.y1
	return y
}

// A Talker takes turns: it speaks for some seconds, listens, and answers when the other side has spoken and paused.
type Talker struct {
	voice    *voice
	rng      *rand.Rand
	speaking bool
	left     int  // frames until the turn ends (speaking) or patience with a silent peer ends (listening)
	spoken   bool // the other side has spoken in this turn
	quiet    int  // frames since the other side spoke
}

// loudRMS is what counts as speech of the other side: -40 dBov.
const loudRMS = 328

// A listening talker answers after a pause of 600 ms.
const answerPause = 30

// NewTalker begins listening, as people do who wait for a greeting, or speaking, as those who answer.
func NewTalker(seed uint64, begins bool) *Talker {
	t := &Talker{voice: newVoice(seed), rng: rand.New(rand.NewPCG(seed, 0x7475726e)), speaking: begins}
	t.left = 150
	return t
}

// Frame takes what is heard and gives what is said; both have 160 samples.
func (t *Talker) Frame(heard, said []int16) {
	if t.left--; t.speaking {
		t.voice.speak(said)
		if t.left <= 0 {
			t.speaking, t.spoken, t.quiet = false, false, 0
			t.left = 150 + t.rng.IntN(150) // 3 to 6 s
		}
		return
	}
	clear(said)
	t.quiet++
	if rms(heard) > loudRMS {
		t.spoken, t.quiet = true, 0
		t.left = max(t.left, answerPause+1)
	}
	if t.left <= 0 || t.spoken && t.quiet >= answerPause {
		t.speaking, t.left = true, 100+t.rng.IntN(200) // 2 to 6 s
	}
}

func rms(frame []int16) float64 {
	var sum float64
	for _, s := range frame {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(max(1, len(frame))))
}
