package voice

import (
	"math"
	"strings"

	"freizeichen/hal"
)

// sidetoneDB is how much softer than spoken one hears oneself.
const sidetoneDB = -20

// A Config is how the phone sounds whatever it is doing. The zero Config is a German phone.
type Config struct {
	Country Country

	// SidetoneDB is the level at which one hears oneself in handset and headset; 0 means -20, less than -60 none.
	// A codec with a sidetone of its own does it better, without the delay of the frames: then there should be none here.
	SidetoneDB float64

	// EarPeakDB keeps what handset and headset can give below full scale by so many dB: 0 or less. It keeps a sudden
	// loud tone in the network from reaching the ear louder than the agent's own setting; the limit in pascal of
	// ITU-T P.360 is kept by the amplifier, whose gain is the board's.
	EarPeakDB float64
}

// Frames has a frame for each of Plan.Calls, in the same places. A nil frame is silence.
type Frames [CallsMax]hal.Frame

// A Mixer decides what is heard and what is sent, frame by frame, and nothing else: no clock, no device, no network.
//
//	microphone --+-- muted, or no live call? --------------> frame for the live call, silence for the others
//	             +-- sidetone ---------+
//	live call's sound -- gain ---------+-- limiter --> frame for the speaker
//	tone, digit feedback -- gain ------+
type Mixer struct {
	signals signals
	digits  [len(digitKeys)]signal

	sidetone float64 // factor
	earPeak  float64 // in units of int16

	tone, digit         player
	received            crossing
	live                bool // the last frame had sound of
	plan                Plan // this
	voiceGain, toneGain glide
	sideGain, sendGain  glide

	speaker, send [hal.FrameSamples]int16
}

// NewMixer makes a mixer that has been silent so far.
func NewMixer(config Config) *Mixer {
	m := &Mixer{signals: signalsOf(config.Country), digits: digitSignals()}
	switch {
	case config.SidetoneDB == 0:
		m.sidetone = decibels(sidetoneDB)
	case config.SidetoneDB >= -60:
		m.sidetone = decibels(config.SidetoneDB)
	}
	m.earPeak = math.MaxInt16 * decibels(min(0, config.EarPeakDB))
	return m
}

// Step takes the microphone's frame and what has been received from each call, and makes the frame that is heard
// and those that are sent. All frames have hal.FrameSamples samples. What is returned is the mixer's and holds until the
// next Step. Only the live call is heard and spoken to: a voice never passes from one call to another.
func (m *Mixer) Step(plan Plan, mic hal.Frame, received Frames) (speaker hal.Frame, send Frames) {
	if plan.route() != m.plan.route() {
		m.tone.cut()
		m.digit.cut()
	}
	place := plan.live()
	var heard hal.Frame
	if place >= 0 {
		heard = received[place]
	}
	if live := heard != nil; plan.Live != m.plan.Live || live != m.live {
		m.received.begin()
		m.live = live
	}
	m.plan = plan
	m.tone.want(m.signalOf(plan.tone()))
	m.digit.want(m.digitOf(plan.Digit))
	m.setGains(place >= 0)
	m.mix(mic, heard)
	if m.sends(place >= 0) {
		m.speak(mic)
		send[place] = m.send[:]
	} else {
		m.sendGain = glide{} // a mute cuts at once: not a syllable more
	}
	return m.speaker[:], send
}

// sends reports whether the microphone reaches the live call. While the feedback of a digit sounds it does not: the
// network gets the digit as an event, and a loudspeaker's echo of it would be a second one.
func (m *Mixer) sends(live bool) bool {
	return live && !m.plan.Muted && m.plan.Route != hal.Silent && m.plan.Digit == 0
}

// signalOf is the tone's signal, nil for silence.
func (m *Mixer) signalOf(tone Tone) *signal {
	if tone == Quiet || tone >= toneCount {
		return nil
	}
	return &m.signals[tone]
}

// digitOf is the digit's signal, nil for none.
func (m *Mixer) digitOf(digit byte) *signal {
	if n := strings.IndexByte(digitKeys, digit); n >= 0 {
		return &m.digits[n]
	}
	return nil
}

// setGains says where all gains go.
func (m *Mixer) setGains(live bool) {
	volume := levelGain(m.plan.Volume)
	if m.plan.Route == hal.Silent {
		volume = 0
	}
	m.voiceGain.to(volume)
	m.toneGain.to(volume)
	if m.plan.ringing() {
		m.toneGain.to(levelGain(m.plan.Ringer))
	}
	m.sideGain.to(0)
	if m.sends(live) && m.plan.Route != hal.Speaker {
		m.sideGain.to(m.sidetone)
	}
	m.sendGain.to(1)
}

// mix makes the speaker's frame.
func (m *Mixer) mix(mic, heard hal.Frame) {
	peak := float64(math.MaxInt16)
	if route := m.plan.route(); route == hal.Handset || route == hal.Headset {
		peak = m.earPeak
	}
	for n := range m.speaker {
		voice := 0.0
		if heard != nil {
			voice = float64(heard[n])
		}
		sum := m.voiceGain.next() * m.received.next(voice)
		sum += m.toneGain.next() * math.MaxInt16 * (m.tone.next() + m.digit.next())
		sum += m.sideGain.next() * float64(mic[n])
		m.speaker[n] = limit(sum, peak)
	}
}

// speak makes the frame for the live call.
func (m *Mixer) speak(mic hal.Frame) {
	for n := range m.send {
		m.send[n] = int16(m.sendGain.next() * float64(mic[n]))
	}
}
