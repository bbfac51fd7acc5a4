package page

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"freizeichen/hal"
)

// The web socket at /socket carries text messages, each one JSON object, and binary messages, whose first byte is
// their kind. This is the protocol's one description; assets/script/link.js is its other end.
//
// From the page, text, exactly one of:
//
//	{"key": "5", "down": true}       a key of hal.ParseKey goes down or comes up
//	{"hook": "up" | "down"}          the handset is lifted or put back
//	{"sound": "take" | "release"}    the page wants the sound, or gives it back
//	{"microphone": "granted" | "denied" | "absent"}
//	{"panel": "mono" | "colour"}     another panel is wanted
//	{"language": "en"}               another language is wanted
//
// To the page, text:
//
//	{"language": "de", "labels": {"key.hold": "Halten", ...}}    first, and when the language changes
//	{"state": {...}}                                             then, and when the state changes; see state
//
// Binary, both ways:
//
//	1, then 320 bytes: a frame of 20 ms, 160 samples, signed 16 bit little endian, 8 kHz, mono
//	2, then a PNG: the panel's picture (to the page only)
//
// A message from the page that is none of these ends the connection with status 1008. What the page is told is
// whole, every time: no message depends on an earlier one.

// The kinds of binary messages.
const (
	kindSound   = 1
	kindPicture = 2
)

// soundSize is the length of a sound message. It is also the longest message a page may send.
const soundSize = 1 + 2*hal.FrameSamples

// words is the labels of a language.
type words struct {
	Language string           `json:"language"`
	Labels   map[Label]string `json:"labels"`
}

// state is what the page shows besides the panel's picture.
type state struct {
	Panel     panelState           `json:"panel"`
	Text      []string             `json:"text"`      // the panel's text, line by line
	Soft      [4]string            `json:"soft"`      // what the soft keys mean, left to right; empty: nothing
	Ringing   bool                 `json:"ringing"`   // a call waits to be answered: a screen reader says so at once
	Lamps     map[string]lampState `json:"lamps"`     // by the name of hal.Lamp
	Keys      []string             `json:"keys"`      // held down on any page, in the order of hal.Key
	Hook      string               `json:"hook"`      // "up" or "down"
	Sound     string               `json:"sound"`     // "here", "elsewhere" (another page has it), "free", "none"
	Languages []string             `json:"languages"` // what can be chosen; empty: no choice
}

type panelState struct {
	Kind   string `json:"kind"` // "mono" or "colour"; empty before the first picture
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Choice bool   `json:"choice"` // another panel can be chosen
}

// lampState is how a lamp shines: its blink's name, and milliseconds on and off (0, 0 when it does not blink).
type lampState struct {
	Blink string `json:"blink"`
	On    int64  `json:"on"`
	Off   int64  `json:"off"`
}

// panelKinds are the panels' names.
var panelKinds = [...]string{hal.Mono128x64: "mono", hal.Colour320x240: "colour"}

// panelOf is what the page must know to show a picture.
func panelOf(picture *image.Paletted) panelState {
	if picture == nil {
		return panelState{}
	}
	size := picture.Bounds().Size()
	for panel, kind := range panelKinds {
		if hal.Panel(panel).Size() == size {
			return panelState{Kind: kind, Width: size.X, Height: size.Y}
		}
	}
	return panelState{Width: size.X, Height: size.Y}
}

func lampsOf(lamps hal.Lamps) map[string]lampState {
	states := make(map[string]lampState, len(lamps))
	for lamp, blink := range lamps {
		on, off := blink.Pattern()
		states[hal.Lamp(lamp).String()] = lampState{blink.String(), on.Milliseconds(), off.Milliseconds()}
	}
	return states
}

// What a page can ask for, besides hal.KeyChange, hal.HookChange and hal.Panel.
type (
	soundWish       bool // true: it wants the sound; false: it gives it back
	microphoneState string
	languageWish    string
)

// request is a text message from the page as it comes. One wish has a value, the others are zero.
type request struct {
	Key        string `json:"key"`
	Down       bool   `json:"down"`
	Hook       string `json:"hook"`
	Sound      string `json:"sound"`
	Microphone string `json:"microphone"`
	Panel      string `json:"panel"`
	Language   string `json:"language"`
}

var errMessage = errors.New("message not understood")

// parseText reads a text message: a hal.KeyChange, hal.HookChange, hal.Panel, soundWish, microphoneState or
// languageWish.
func parseText(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var r request
	if err := decoder.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", errMessage, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: more than one object", errMessage)
	}
	if wish := r.wish(); wish != nil {
		return wish, nil
	}
	return nil, fmt.Errorf("%w: not one known wish", errMessage)
}

// wish is the one thing the request asks for, nil when it is none or several. The cases compare the whole request
// with one that has only the one field.
func (r request) wish() any {
	switch r {
	case request{Key: r.Key, Down: r.Down}:
		if key := hal.ParseKey(r.Key); key != hal.KeyNone {
			return hal.KeyChange{Key: key, Down: r.Down}
		}
	case request{Hook: r.Hook}:
		if r.Hook == "up" || r.Hook == "down" {
			return hal.HookChange{Up: r.Hook == "up"}
		}
	case request{Sound: r.Sound}:
		if r.Sound == "take" || r.Sound == "release" {
			return soundWish(r.Sound == "take")
		}
	case request{Microphone: r.Microphone}:
		switch r.Microphone {
		case "granted", "denied", "absent":
			return microphoneState(r.Microphone)
		}
	case request{Panel: r.Panel}:
		for panel, kind := range panelKinds {
			if r.Panel == kind {
				return hal.Panel(panel)
			}
		}
	case request{Language: r.Language}:
		return languageWish(r.Language)
	}
	return nil
}

// parseBinary reads a binary message: a frame from the microphone.
func parseBinary(data []byte) (hal.Frame, error) {
	if len(data) != soundSize || data[0] != kindSound {
		return nil, fmt.Errorf("%w: %d bytes are no sound frame", errMessage, len(data))
	}
	frame := make(hal.Frame, hal.FrameSamples)
	for i := range frame {
		frame[i] = int16(binary.LittleEndian.Uint16(data[1+2*i:]))
	}
	return frame, nil
}

// soundMessage is a frame for the page's loudspeaker. A short frame is filled with silence, a long one cut.
func soundMessage(frame hal.Frame) []byte {
	data := make([]byte, soundSize)
	data[0] = kindSound
	for i, sample := range frame[:min(len(frame), hal.FrameSamples)] {
		binary.LittleEndian.PutUint16(data[1+2*i:], uint16(sample))
	}
	return data
}

func pictureMessage(picture *image.Paletted) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(kindPicture)
	// Speed before size: it goes over loopback only.
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("page: encoding the panel's picture: %w", err)
	}
	return b.Bytes(), nil
}
