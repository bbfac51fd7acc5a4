//go:build linux

package checks

import (
	"context"
	"fmt"
	"time"

	"freizeichen/device/voice"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/acoustic"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/hal"
	"freizeichen/sip"
)

// Sound of the tests.
const (
	toneHz    = 1000.0
	toneDBFS  = -10.0
	settle    = 400 * time.Millisecond // until what was started is heard
	latest    = 500 * time.Millisecond // how late a path may be and still be measured
	coupleFor = 20 * time.Second       // for a person to hold earpiece and microphone together
	coupled   = 45.0                   // dB that the tone may lose until then
	driftOver = 10                     // seconds between two chirps
	// noiseSeconds is what acoustic.ERL needs at 8 kHz, and a little more.
	noiseSeconds = 2.5
)

// routeOf is the way of sound of a part.
func routeOf(part selftest.Part) hal.Route {
	switch part {
	case selftest.PartHandset:
		return hal.Handset
	case selftest.PartHeadset:
		return hal.Headset
	}
	return hal.Speaker
}

// play plays samples on the part's way and is what was heard meanwhile, and for rest longer.
func (b *Bench) play(ctx context.Context, part selftest.Part, samples []int16, rest time.Duration) ([]int16, error) {
	loan := b.Body.Sound().Lend()
	defer loan.Release()
	duplex, err := loan.Open(routeOf(part))
	if err != nil {
		return nil, err
	}
	defer duplex.Close()
	var frame, mic [hal.FrameSamples]int16
	frames := func(d time.Duration) int { return int((d + hal.FrameTime - 1) / hal.FrameTime) }
	length := time.Duration(len(samples)) * time.Second / hal.RateHz
	lead := frames(settle)
	var heard []int16
	for n := range lead + frames(length) + frames(rest) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := duplex.Read(mic[:]); err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		clear(frame[:])
		if n >= lead {
			heard = append(heard, mic[:]...)
			samples = samples[copy(frame[:], samples):]
		}
		if err := duplex.Write(frame[:]); err != nil {
			return nil, fmt.Errorf("playing: %w", err)
		}
	}
	counted := duplex.Statistics()
	b.mu.Lock()
	b.waits[part] = counted.CaptureDelay + counted.PlaybackDelay
	b.mu.Unlock()
	return heard, nil
}

// tone plays the test tone and is what was heard once it sounded.
func (b *Bench) tone(ctx context.Context, part selftest.Part, seconds float64) ([]int16, error) {
	heard, err := b.play(ctx, part, acoustic.Tone(hal.RateHz, toneHz, toneDBFS, seconds+settle.Seconds()), 0)
	if err != nil {
		return nil, err
	}
	skip := int(settle.Seconds() * hal.RateHz)
	return heard[min(skip, len(heard)):], nil
}

// coupling is what a good phone of this model loses between earpiece and microphone.
func (b *Bench) coupling(part selftest.Part) float64 {
	switch part {
	case selftest.PartHandset:
		return b.Body.Table().Handset.CouplingDB
	case selftest.PartSpeaker:
		return b.Body.Table().Speaker.CouplingDB
	}
	return b.Body.Table().Headset.CouplingDB
}

// twice measures again what has failed: a cough is no defect. A part that is broken fails twice.
func twice(measure selftest.Func) selftest.Func {
	return func(ctx context.Context, step *selftest.Step) selftest.Result {
		result := measure(ctx, step)
		if result.Outcome == selftest.Fail && ctx.Err() == nil {
			return measure(ctx, step)
		}
		return result
	}
}

// level waits until the person has brought earpiece and microphone together, and measures level and polarity.
func (b *Bench) level(ctx context.Context, step *selftest.Step) selftest.Result {
	part := step.Test.Part
	switch part {
	case selftest.PartHandset:
		step.Say(selftest.SayLift)
	case selftest.PartHeadset:
		step.Say(selftest.SayCouple, part.Title().In(b.language()))
	default:
		step.Say(selftest.SayQuiet)
	}
	for began, stumbled := time.Now(), false; ; {
		heard, err := b.tone(ctx, part, 0.5)
		if err != nil && !stumbled && ctx.Err() == nil {
			stumbled = true // once is no defect, as in twice
			continue
		}
		if err != nil {
			return failed(err)
		}
		if dBFS, err := acoustic.ToneDBFS(heard, hal.RateHz, toneHz); err == nil && dBFS > toneDBFS+b.coupling(part)-coupled {
			return twice(b.levelNow)(ctx, step)
		}
		if time.Since(began) > coupleFor {
			return b.levelNow(ctx, step) // nothing comes: that is the level
		}
	}
}

// levelNow measures what is heard by now; the hand may still have been on its way when the tone was first heard.
func (b *Bench) levelNow(ctx context.Context, step *selftest.Step) selftest.Result {
	part := step.Test.Part
	pulses, err := b.play(ctx, part, acoustic.Pulses(hal.RateHz, 1), latest)
	if err != nil {
		return failed(err)
	}
	polarity, err := acoustic.PolarityOf(pulses, hal.RateHz)
	if err != nil {
		polarity = 0
	}
	heard, err := b.tone(ctx, part, 0.5)
	if err != nil {
		return failed(err)
	}
	dBFS, err := acoustic.ToneDBFS(heard, hal.RateHz, toneHz)
	if err != nil {
		dBFS = acoustic.LevelDBFS(nil) // not even silence can be told from it
	}
	return reading.Level{DeviationDB: dBFS - toneDBFS - b.coupling(part), Polarity: polarity}.Judge(b.limits)
}

// heardNothing is the result of an analysis that found no sound.
func heardNothing(err error) selftest.Result { return selftest.FailBecause(err.Error()) }

func (b *Bench) response(ctx context.Context, step *selftest.Step) selftest.Result {
	step.Say(selftest.SayQuiet)
	heard, err := b.play(ctx, step.Test.Part, acoustic.Sweep(hal.RateHz), latest)
	if err != nil {
		return failed(err)
	}
	r, err := acoustic.ResponseOf(heard, hal.RateHz, acoustic.Narrow())
	if err != nil {
		return heardNothing(err)
	}
	return reading.Response{LowestDB: r.LowestDB, HighestDB: r.HighestDB, ClarityDB: r.ClarityDB}.Judge(b.limits)
}

func (b *Bench) distortion(ctx context.Context, step *selftest.Step) selftest.Result {
	step.Say(selftest.SayQuiet)
	heard, err := b.tone(ctx, step.Test.Part, 1)
	if err != nil {
		return failed(err)
	}
	d, err := acoustic.DistortionOf(heard, hal.RateHz, toneHz)
	if err != nil {
		return heardNothing(err)
	}
	return reading.Distortion{THDNPercent: d.THDNPercent}.Judge(b.limits)
}

func (b *Bench) noise(ctx context.Context, step *selftest.Step) selftest.Result {
	step.Say(selftest.SayQuiet)
	tone, err := b.tone(ctx, step.Test.Part, 0.7)
	if err != nil {
		return failed(err)
	}
	silence, err := b.play(ctx, step.Test.Part, nil, time.Second)
	if err != nil {
		return failed(err)
	}
	snr, err := acoustic.SNR(tone, silence, hal.RateHz)
	if err != nil {
		return heardNothing(err)
	}
	return reading.Noise{SNRDB: snr}.Judge(b.limits)
}

// mute sends what the microphone hears of the tone through the phone's own mixer with mute on: nothing may come out.
func (b *Bench) mute(ctx context.Context, step *selftest.Step) selftest.Result {
	heard, err := b.tone(ctx, step.Test.Part, 0.5)
	if err != nil {
		return failed(err)
	}
	const call sip.CallID = 1
	mixer := voice.NewMixer(voice.Config{})
	plan := voice.Plan{Route: routeOf(step.Test.Part), Live: call, Muted: true, Volume: 7, Calls: [voice.CallsMax]sip.CallID{call}}
	var sent []int16
	for ; len(heard) >= hal.FrameSamples; heard = heard[hal.FrameSamples:] {
		_, send := mixer.Step(plan, heard[:hal.FrameSamples], voice.Frames{})
		if send[0] == nil {
			sent = append(sent, make([]int16, hal.FrameSamples)...) // silence goes out
		} else {
			sent = append(sent, send[0]...)
		}
	}
	r := reading.Mute{LevelDBFS: acoustic.LevelDBFS(sent)}
	if b.lampFitted(hal.LampMute) {
		step.Say(sayLamp, lampNumber(hal.LampMute))
		if r.Lamp = step.Ask(ctx, selftest.Question{Phrase: selftest.AskMuteLamp, Choices: yesNo()}); r.Lamp == "" {
			return selftest.Result{}
		}
	}
	return r.Judge(b.limits)
}

func (b *Bench) delay(ctx context.Context, step *selftest.Step) selftest.Result {
	step.Say(selftest.SayQuiet)
	heard, err := b.play(ctx, step.Test.Part, acoustic.TwoChirps(hal.RateHz, driftOver), latest)
	if err != nil {
		return failed(err)
	}
	delay, err := acoustic.DelayOf(acoustic.Chirp(hal.RateHz), heard[:hal.RateHz], hal.RateHz)
	if err != nil {
		return heardNothing(err)
	}
	drift, err := acoustic.DriftOf(heard, hal.RateHz, driftOver)
	if err != nil {
		return heardNothing(err)
	}
	// What the phone's own queues hold is no delay of the path.
	late := float64(delay-b.queued(step.Test.Part)) / float64(time.Millisecond)
	return reading.Delay{DelayMS: max(0, late), DriftPPM: &drift}.Judge(b.limits)
}

// queued is how long a sample waits in the queues between the program and the card.
func (b *Bench) queued(part selftest.Part) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waits[part]
}

func (b *Bench) echo(ctx context.Context, step *selftest.Step) selftest.Result {
	step.Say(selftest.SayQuiet)
	noise := acoustic.Noise(hal.RateHz, toneDBFS, noiseSeconds)
	heard, err := b.play(ctx, step.Test.Part, noise, latest)
	if err != nil {
		return failed(err)
	}
	erl, err := acoustic.ERL(noise, heard, hal.RateHz)
	if err != nil {
		return heardNothing(err)
	}
	return reading.Echo{ERLDB: erl}.Judge(b.limits)
}
