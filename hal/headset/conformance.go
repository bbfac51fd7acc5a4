package headset

import (
	"strings"

	"freizeichen/hal/headset/hid"
)

// A Control is how a headset offers one of its controls.
type Control uint8

// The ways.
const (
	Absent  Control = iota
	Level           // it tells its state: on or off
	OneShot         // it tells presses
)

func (c Control) String() string {
	return [...]string{"absent", "level", "one-shot", "invalid"}[min(c, OneShot+1)]
}

// A Conformance is what a headset can do by what its report descriptor says. It is no promise that it does: the
// technician's self-test asks for each key.
type Conformance struct {
	Hook, Mute, Flash, Redial, Drop, Reject, VolumeUp, VolumeDown, Busy                 Control
	OffHookLamp, RingLamp, MuteLamp, HoldLamp, MicrophoneLamp, MessageLamp, SpeakerLamp bool
}

// Examine reads a report descriptor. A device without any of it is no error; bytes that are no descriptor are one.
func Examine(descriptor []byte) (Conformance, error) {
	d, err := hid.Parse(descriptor)
	if err != nil {
		return Conformance{}, err
	}
	var c Conformance
	for _, in := range []struct {
		to    *Control
		usage hid.Usage
	}{
		{&c.Hook, usageHook}, {&c.Mute, usageMute}, {&c.Flash, usageFlash}, {&c.Redial, usageRedial}, {&c.Drop, usageDrop},
		{&c.Reject, usageReject}, {&c.VolumeUp, usageVolumeUp}, {&c.VolumeDown, usageVolumeDown}, {&c.Busy, usageBusy},
	} {
		if control, ok := input(d, in.usage); ok {
			*in.to = OneShot
			if level := in.usage == usageHook || in.usage == usageMute || in.usage == usageBusy; level && isLevel(control) {
				*in.to = Level
			}
		}
	}
	for _, out := range []struct {
		to    *bool
		usage hid.Usage
	}{
		{&c.OffHookLamp, lampOffHook}, {&c.RingLamp, lampRing}, {&c.MuteLamp, lampMute}, {&c.HoldLamp, lampHold},
		{&c.MicrophoneLamp, lampMicrophone}, {&c.MessageLamp, lampMessage}, {&c.SpeakerLamp, lampSpeaker},
	} {
		_, *out.to = d.Output(out.usage)
	}
	return c, nil
}

// Complete tells whether an agent can work with it: answer and mute on the headset, and see both there.
func (c Conformance) Complete() bool {
	return c.Hook != Absent && c.Mute != Absent && c.OffHookLamp && c.RingLamp && c.MuteLamp
}

// String is the verdict for the self-test, in plain English: "can answer and end, mute; has no ring lamp".
func (c Conformance) String() string {
	var can, lacks []string
	say := func(ok bool, what, missing string) {
		if ok {
			can = append(can, what)
		} else if missing != "" {
			lacks = append(lacks, missing)
		}
	}
	say(c.Hook != Absent, "answer and end", "hook key")
	say(c.Mute != Absent, "mute", "mute key")
	say(c.Reject != Absent || c.Drop != Absent, "reject", "")
	say(c.Flash != Absent, "hold", "")
	say(c.Redial != Absent, "redial", "")
	say(c.VolumeUp != Absent && c.VolumeDown != Absent, "change the volume", "volume keys")
	verdict := "can nothing"
	if len(can) > 0 {
		verdict = "can " + strings.Join(can, ", ")
	}
	say(c.OffHookLamp, "", "off-hook lamp")
	say(c.RingLamp, "", "ring lamp")
	say(c.MuteLamp, "", "mute lamp")
	if len(lacks) > 0 {
		verdict += "; has no " + strings.Join(lacks, ", no ")
	}
	return verdict
}
