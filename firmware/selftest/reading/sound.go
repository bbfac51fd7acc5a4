// Package reading judges what was read of the phone: plain values in, a result with measurements out. How they are read is
// the program's affair, how sound is analysed that of selftest/acoustic; what is allowed stands in selftest.Limits.
//
//	reading.Storage{WearPercent: &wear, FreePercent: 61, Syncs: times}.Judge(limits) --> selftest.Result
//
// A value that could not be read is nil or NaN, as each field says: nil is not looked at, NaN fails. Nothing here is a pass
// without a value. No I/O, no clock.
package reading

import "freizeichen/firmware/selftest"

// Response is of a frequency response in its mask.
type Response struct {
	LowestDB, HighestDB float64 // points in the mask, around their middle
	ClarityDB           float64 // how much of what was heard was the test signal
}

// Judge is the result of selftest.CheckResponse.
func (r Response) Judge(l selftest.Limits) selftest.Result {
	return selftest.Judge(l.Measure(selftest.CheckResponse, "lowest", r.LowestDB), l.Measure(selftest.CheckResponse, "highest", r.HighestDB),
		l.Measure(selftest.CheckResponse, "clarity", r.ClarityDB))
}

// Distortion is harmonics and noise under a tone.
type Distortion struct {
	THDNPercent float64
	Electrical  bool // the loop is a cable and no air
}

// Judge is the result of selftest.CheckDistortion.
func (r Distortion) Judge(l selftest.Limits) selftest.Result {
	name := "thdn"
	if r.Electrical {
		name = "thdn_electrical"
	}
	return selftest.Judge(l.Measure(selftest.CheckDistortion, name, r.THDNPercent))
}

// Noise is what is heard of silence.
type Noise struct {
	SNRDB float64 // A-weighted, under the tone of -10 dBFS
}

// Judge is the result of selftest.CheckNoise.
func (r Noise) Judge(l selftest.Limits) selftest.Result {
	return selftest.Judge(l.Measure(selftest.CheckNoise, "snr", r.SNRDB))
}

// Level is a path's level, its polarity and its channel.
type Level struct {
	DeviationDB float64  // from what golden units have
	Polarity    int      // 1 right, -1 reversed, 0 not known; which fails
	LeakDB      *float64 // what the other channel got, above this one; nil: there is one channel
}

// Judge is the result of selftest.CheckLevel.
func (r Level) Judge(l selftest.Limits) selftest.Result {
	measured := []selftest.Measurement{l.Measure(selftest.CheckLevel, "deviation", r.DeviationDB), l.Measure(selftest.CheckLevel, "polarity", float64(r.Polarity))}
	return selftest.Judge(append(measured, optional(l, selftest.CheckLevel, "leak", r.LeakDB)...)...)
}

// Delay is how late a path is.
type Delay struct {
	DelayMS  float64
	DriftPPM *float64 // how much faster the microphone's clock is; nil: not looked at
}

// Judge is the result of selftest.CheckDelay.
func (r Delay) Judge(l selftest.Limits) selftest.Result {
	measured := []selftest.Measurement{l.Measure(selftest.CheckDelay, "delay", r.DelayMS)}
	return selftest.Judge(append(measured, optional(l, selftest.CheckDelay, "drift", r.DriftPPM)...)...)
}

// Echo is how much of what is played comes back.
type Echo struct {
	ERLDB float64 // echo return loss before the canceller
}

// Judge is the result of selftest.CheckEcho.
func (r Echo) Judge(l selftest.Limits) selftest.Result {
	return selftest.Judge(l.Measure(selftest.CheckEcho, "erl", r.ERLDB))
}

// Mute is what comes through a muted microphone.
type Mute struct {
	LevelDBFS float64
	Lamp      selftest.Choice // whether the mute lamp was seen; empty: there is none
}

// Judge is the result of selftest.CheckMute.
func (r Mute) Judge(l selftest.Limits) selftest.Result {
	measured := []selftest.Measurement{l.Measure(selftest.CheckMute, "level", r.LevelDBFS)}
	if r.Lamp != "" {
		measured = append(measured, selftest.Words("lamp", string(r.Lamp), string(selftest.Yes)))
	}
	return selftest.Judge(measured...)
}

// optional is a value that not every phone has.
func optional(l selftest.Limits, kind selftest.ID, name string, value *float64) []selftest.Measurement {
	if value == nil {
		return nil
	}
	return []selftest.Measurement{l.Measure(kind, name, *value)}
}

// flag is a value that is 1 or 0.
func flag(l selftest.Limits, kind selftest.ID, name string, set *bool) []selftest.Measurement {
	if set == nil {
		return nil
	}
	value := 0.0
	if *set {
		value = 1
	}
	return []selftest.Measurement{l.Measure(kind, name, value)}
}
