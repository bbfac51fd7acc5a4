package voice

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Tone is what is heard besides voice.
type Tone uint8

// The tones.
const (
	Quiet        Tone = iota // none
	Dial                     // the line is free: dial
	Ringback                 // the other end rings
	Busy                     // the other end is busy
	Congestion               // the network cannot
	Knock                    // a second call waits, mixed into the conversation
	Ring                     // the ringer, always on the loudspeaker
	HoldReminder             // a call is held and nobody talks
	toneCount
)

// A Country is whose tones are played. The zero Country is Germany.
type Country uint8

// The countries whose tones are known.
const (
	Germany Country = iota
	UnitedKingdom
	UnitedStates
	countryCount
)

var countryNames = [countryCount]string{"de", "uk", "us"}

func (c Country) String() string {
	if c < countryCount {
		return countryNames[c]
	}
	return "invalid"
}

// ParseCountry is the inverse of String; the empty string is Germany.
func ParseCountry(name string) (Country, error) {
	if name == "" {
		return Germany, nil
	}
	for c, n := range countryNames {
		if n == name {
			return Country(c), nil
		}
	}
	return Germany, fmt.Errorf("voice: no tones for country %q, only for %s", name, strings.Join(countryNames[:], ", "))
}

// Levels. A digital full-scale sine is +3.14 dBm0 (A-law, ITU-T G.711 section 4), so x dBm0 is x - 3.14 dB here.
const (
	fullScaleDBm0 = 3.14

	toneDBm0     = -10 // nominal level of all supervisory tones, ITU-T E.180/Q.35
	knockDBm0    = -20 // below the conversation it is mixed into
	ringDBm0     = -6  // 0 dB of the ringer; its loudest level reaches full scale
	digitHigh    = -8  // DTMF high group; 2 dB above the low group makes up for the line, as telephones do
	digitLow     = -10 // DTMF low group
	pairLossDB   = 3   // each of two frequencies, so that their sum has the level of one
	perLevelDB   = 3   // between two volume levels
	zeroLevel    = 7   // the volume level that changes nothing
	loudestLevel = 10
)

// amplitude is the peak of a sine of that level, 1 is full scale.
func amplitude(dBm0 float64) float64 { return decibels(dBm0 - fullScaleDBm0) }

// decibels turns dB into a factor.
func decibels(dB float64) float64 { return math.Pow(10, dB/20) }

// A signal is a tone as samples: steps that repeat for ever. The first one begins when the tone begins.
type signal struct {
	steps []step
	ramp  time.Duration // of a rise; falls inside the cadence are as long
}

// A step sounds one or two frequencies, or none, for a time.
type step struct {
	hz        [2]float64    // 0 is none; both 0 is a pause
	amplitude [2]float64    // of each, 1 is full scale
	length    time.Duration // 0 is for ever
}

func (s step) sounds() bool { return s.hz[0] != 0 || s.hz[1] != 0 }

// cadence makes a signal of one frequency (b is 0) or two that goes on and off in turn; without times it is
// continuous.
func cadence(dBm0, a, b float64, onOff ...time.Duration) signal {
	if b != 0 {
		dBm0 -= pairLossDB
	}
	on := step{hz: [2]float64{a, b}, amplitude: [2]float64{amplitude(dBm0), amplitude(dBm0)}}
	if len(onOff) == 0 {
		return signal{steps: []step{on}, ramp: rampTime}
	}
	steps := make([]step, len(onOff))
	for n, length := range onOff {
		if n%2 == 0 {
			steps[n] = on
		}
		steps[n].length = length
	}
	return signal{steps: steps, ramp: rampTime}
}

// ringer makes the phone's ringer: two notes a major third apart (G5, B5), ten a second, swelling and fading so that
// it does not startle. Both lie where a small loudspeaker is loud and where ageing ears still hear well.
func ringer(onOff ...time.Duration) signal {
	const noteLength = 100 * time.Millisecond
	notes := [2]float64{783.99, 987.77}
	s := signal{ramp: 60 * time.Millisecond}
	for n, length := range onOff {
		if n%2 == 1 {
			s.steps = append(s.steps, step{length: length})
			continue
		}
		for note := 0; length > 0; note++ {
			s.steps = append(s.steps, step{
				hz:        [2]float64{notes[note%2]},
				amplitude: [2]float64{amplitude(ringDBm0)},
				length:    min(length, noteLength),
			})
			length -= noteLength
		}
	}
	return s
}

// signals are the tones of a country.
type signals [toneCount]signal

// signalsOf is the table of tones: "Various tones used in national networks (according to ITU-T Recommendation
// E.180)", annex to ITU Operational Bulletin 781. The British ones are also in BT SIN 350, the North American ones in
// ANSI T1.401. The reminder is Germany's "holding tone" everywhere, the ringer's rhythm that of the ringing tone.
func signalsOf(c Country) signals {
	const ms = time.Millisecond
	switch c {
	case UnitedKingdom:
		return signals{
			Dial:         cadence(toneDBm0, 350, 440),
			Ringback:     cadence(toneDBm0, 400, 450, 400*ms, 200*ms, 400*ms, 2000*ms),
			Busy:         cadence(toneDBm0, 400, 0, 375*ms, 375*ms),
			Congestion:   cadence(toneDBm0, 400, 0, 400*ms, 350*ms, 225*ms, 525*ms),
			Knock:        cadence(knockDBm0, 400, 0, 100*ms, 3900*ms),
			Ring:         ringer(400*ms, 200*ms, 400*ms, 2000*ms),
			HoldReminder: cadence(knockDBm0, 400, 0, 150*ms, 150*ms, 150*ms, 8000*ms),
		}
	case UnitedStates:
		return signals{
			Dial:         cadence(toneDBm0, 350, 440),
			Ringback:     cadence(toneDBm0, 440, 480, 2000*ms, 4000*ms),
			Busy:         cadence(toneDBm0, 480, 620, 500*ms, 500*ms),
			Congestion:   cadence(toneDBm0, 480, 620, 250*ms, 250*ms),
			Knock:        cadence(knockDBm0, 440, 0, 300*ms, 9700*ms),
			Ring:         ringer(2000*ms, 4000*ms),
			HoldReminder: cadence(knockDBm0, 440, 0, 150*ms, 150*ms, 150*ms, 8000*ms),
		}
	}
	return signals{
		Dial:         cadence(toneDBm0, 425, 0),
		Ringback:     cadence(toneDBm0, 425, 0, 1000*ms, 4000*ms),
		Busy:         cadence(toneDBm0, 425, 0, 480*ms, 480*ms),
		Congestion:   cadence(toneDBm0, 425, 0, 240*ms, 240*ms),
		Knock:        cadence(knockDBm0, 425, 0, 200*ms, 200*ms, 200*ms, 5000*ms),
		Ring:         ringer(1000*ms, 4000*ms),
		HoldReminder: cadence(knockDBm0, 425, 0, 150*ms, 150*ms, 150*ms, 8000*ms),
	}
}

// digitKeys is the keypad of ITU-T Q.23, row by row: a row is a frequency of the low group, a column one of the high group.
const digitKeys = "123A456B789C*0#D"

// digitSignals has the pair of every digit, in the order of digitKeys (ITU-T Q.23).
func digitSignals() [len(digitKeys)]signal {
	low := [4]float64{697, 770, 852, 941}
	high := [4]float64{1209, 1336, 1477, 1633}
	var all [len(digitKeys)]signal
	for n := range all {
		all[n] = signal{ramp: rampTime, steps: []step{{
			hz:        [2]float64{low[n/4], high[n%4]},
			amplitude: [2]float64{amplitude(digitLow), amplitude(digitHigh)},
		}}}
	}
	return all
}
