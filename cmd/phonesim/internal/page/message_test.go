package page

import (
	"errors"
	"reflect"
	"testing"

	"freizeichen/hal"
)

func TestTextMessagesAreReadStrictly(t *testing.T) {
	for _, c := range []struct {
		text string
		want any // nil: refused
	}{
		{``, nil},
		{`5`, nil},
		{`null`, nil},
		{`[]`, nil},
		{`{}`, nil},
		{`{"key":""}`, nil},
		{`{"key":"none","down":true}`, nil},
		{`{"key":"power","down":true}`, nil},
		{`{"key":5,"down":true}`, nil},
		{`{"key":"5","down":"true"}`, nil},
		{`{"key":"5","down":true,"hook":"up"}`, nil},
		{`{"key":"5","down":true} {"hook":"up"}`, nil},
		{`{"key":"5","down":true}x`, nil},
		{`{"key":"5","down":true,"long":true}`, nil},
		{`{"down":true}`, nil},
		{`{"hook":"sideways"}`, nil},
		{`{"hook":"up","down":true}`, nil},
		{`{"sound":"loud"}`, nil},
		{`{"microphone":"broken"}`, nil},
		{`{"panel":"paper"}`, nil},
		{`{"state":{}}`, nil},

		{`{"key":"5","down":true}`, hal.KeyChange{Key: hal.Key5, Down: true}},
		{`{"key":"#","down":false}`, hal.KeyChange{Key: hal.KeyPound}},
		{` {"key":"volume-down"} `, hal.KeyChange{Key: hal.KeyVolumeDown}},
		{`{"hook":"up"}`, hal.HookChange{Up: true}},
		{`{"hook":"down"}`, hal.HookChange{}},
		{`{"sound":"take"}`, soundWish(true)},
		{`{"sound":"release"}`, soundWish(false)},
		{`{"microphone":"absent"}`, microphoneState("absent")},
		{`{"panel":"mono"}`, hal.Mono128x64},
		{`{"panel":"colour"}`, hal.Colour320x240},
		{`{"language":"en"}`, languageWish("en")},
	} {
		got, err := parseText([]byte(c.text))
		if got != c.want || (err == nil) != (c.want != nil) || err != nil && !errors.Is(err, errMessage) {
			t.Errorf("%s: %#v, %v; want %#v", c.text, got, err, c.want)
		}
	}
}

func TestABinaryMessageIsAWholeFrameOrRefused(t *testing.T) {
	whole := soundMessage(level(-7))
	for _, data := range [][]byte{nil, {kindSound}, whole[:soundSize-1], append(whole[:soundSize:soundSize], 0), {kindPicture}} {
		if _, err := parseBinary(data); !errors.Is(err, errMessage) {
			t.Errorf("%d bytes: %v", len(data), err)
		}
	}
	picture := append([]byte{kindPicture}, whole[1:]...)
	if _, err := parseBinary(picture); !errors.Is(err, errMessage) {
		t.Errorf("a picture from the page: %v", err)
	}
	frame, err := parseBinary(whole)
	if err != nil || !reflect.DeepEqual(frame, level(-7)) {
		t.Errorf("%v, %v", frame, err)
	}
}

func TestAShortFrameEndsInSilenceAndALongOneIsCut(t *testing.T) {
	if got, err := parseBinary(soundMessage(hal.Frame{1})); err != nil || got[0] != 1 || got[1] != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if got := soundMessage(make(hal.Frame, 999)); len(got) != soundSize {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"key":"5","down":true}`))
	f.Add([]byte(`{"hook":"up"}`))
	f.Add([]byte(`{"panel":"mono"}`))
	f.Add(soundMessage(level(1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		wish, err := parseText(data)
		if (wish == nil) == (err == nil) {
			t.Errorf("%v and %v", wish, err)
		}
		if change, ok := wish.(hal.KeyChange); ok && (change.Key == hal.KeyNone || change.Key >= hal.KeyCount) {
			t.Errorf("key %d", change.Key)
		}
		if frame, err := parseBinary(data); err == nil && len(frame) != hal.FrameSamples {
			t.Errorf("a frame of %d samples", len(frame))
		}
	})
}
