package usbheadset

import (
	"bytes"
	"slices"
	"testing"

	"freizeichen/test/board/rig/usbredir"
)

func TestMixersKeepWhatTheyAreSetTo(t *testing.T) {
	h, err := New(Model{Name: "Headset", Keys: true})
	if err != nil {
		t.Fatal(err)
	}
	f := function{h}
	for _, step := range []struct {
		name  string
		setup usbredir.Setup
		data  []byte
		want  []byte
		ok    bool
	}{
		{"no such unit", usbredir.Setup{Type: 0xa1, Request: requestCurrent, Value: 0x0200, Index: 0x0900}, nil, nil, false},
		{"no such control", usbredir.Setup{Type: 0xa1, Request: requestCurrent, Value: 0x0700, Index: 0x0500}, nil, nil, false},
		{"a volume cut short", usbredir.Setup{Type: 0x21, Request: requestSetCurrent, Value: 0x0200, Index: 0x0500}, []byte{1}, nil, false},
		{"the softest", usbredir.Setup{Type: 0xa1, Request: requestMin, Value: 0x0200, Index: 0x0500}, nil, []byte{0x00, 0xd0}, true},
		{"softer", usbredir.Setup{Type: 0x21, Request: requestSetCurrent, Value: 0x0200, Index: 0x0500}, []byte{0x00, 0xf4}, nil, true},
		{"mute", usbredir.Setup{Type: 0x21, Request: requestSetCurrent, Value: 0x0100, Index: 0x0600}, []byte{1}, nil, true},
		{"is it softer", usbredir.Setup{Type: 0xa1, Request: requestCurrent, Value: 0x0200, Index: 0x0500}, nil, []byte{0x00, 0xf4}, true},
	} {
		if got, ok := f.Control(step.setup, step.data); ok != step.ok || !bytes.Equal(got, step.want) {
			t.Errorf("%s: %v, %t", step.name, got, ok)
		}
	}
	if level, muted := h.Volume(Playback); level != -12*256 || muted {
		t.Error("playback", level, muted)
	}
	if level, muted := h.Volume(Capture); level != 0 || !muted {
		t.Error("capture", level, muted)
	}
}

func TestLampsAreNotedAndOtherReportsAreNot(t *testing.T) {
	h, err := New(Model{Name: "Headset", Keys: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, report := range [][]byte{nil, {2}, {1, 1}, {2, 0b10101}} {
		function{h}.Control(usbredir.Setup{Type: 0x21, Request: requestSetReport, Index: interfaceKeys}, report)
	}
	want := Lamps{OffHook: true, Ring: true, Microphone: true}
	if r := h.Reports(); len(r) != 1 || r[0].Lamps != want || !h.WaitLamps(want, 0) || h.WaitLamps(Lamps{}, 0) {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsSaidOnceIsFollowedBySilence(t *testing.T) {
	source := Samples([]int16{1, 2, 3})
	first, second := []int16{9, 9}, []int16{9, 9}
	source(first)
	source(second)
	if !slices.Equal(first, []int16{1, 2}) || !slices.Equal(second, []int16{3, 0}) {
		t.Error(first, second)
	}
}

func TestWhatWasPlayedIsKeptFromAMarkOn(t *testing.T) {
	h, err := New(Model{Name: "Handset"})
	if err != nil {
		t.Fatal(err)
	}
	function{h}.Receive(endpointPlay, []byte{1, 0, 2, 0})
	mark := h.Mark()
	function{h}.Receive(endpointRecord, []byte{9, 0}) // nobody plays there
	function{h}.Receive(endpointPlay, []byte{0xff, 0xff, 7})
	if got := h.Played(mark); !slices.Equal(got, []int16{-1}) {
		t.Error(got)
	}
	if got := h.Played(99); len(got) != 0 {
		t.Error(got)
	}
}
