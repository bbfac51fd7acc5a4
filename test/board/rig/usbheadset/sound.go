package usbheadset

import (
	"encoding/binary"

	"freizeichen/test/board/rig/usbredir"
)

// Endpoints of the headset.
const (
	endpointPlay   = 0x01
	endpointRecord = 0x82
	endpointKeys   = 0x83
)

// A Way is a direction of sound.
type Way byte

// The ways, by the number of the feature unit that holds their mixer.
const (
	Playback Way = 5
	Capture  Way = 6
)

// Ranges of the mixers, in 1/256 dB, Audio 5.2.2.4.3.2.
const (
	volumeMin        = -48 * 256
	volumeMax        = 0
	volumeResolution = 256
)

// interfaces are the descriptors of Audio chapter 4: control, playback, capture; and those of HID.
//
//	machine -> 1 USB stream -> 5 mixer -> 2 earpiece        3 microphone -> 6 mixer -> 4 USB stream -> machine
func interfaces(keys bool) []byte {
	units := [][]byte{
		{12, 0x24, 2, 1, 0x01, 0x01, 0, 1, 0, 0, 0, 0},    // input terminal 1: USB streaming, mono
		{12, 0x24, 2, 3, 0x02, 0x04, 0, 1, 0, 0, 0, 0},    // input terminal 3: headset
		{9, 0x24, 6, byte(Playback), 1, 1, 0x03, 0x00, 0}, // feature unit: mute and volume of all channels
		{9, 0x24, 6, byte(Capture), 3, 1, 0x03, 0x00, 0},  // the same
		{9, 0x24, 3, 2, 0x02, 0x04, 0, byte(Playback), 0}, // output terminal 2: headset
		{9, 0x24, 3, 4, 0x01, 0x01, 0, byte(Capture), 0},  // output terminal 4: USB streaming
	}
	length := 10
	for _, u := range units {
		length += len(u)
	}
	b := []byte{9, 4, 0, 0, 0, 1, 1, 0, 0} // interface 0: audio control
	b = append(b, 10, 0x24, 1, 0x00, 0x01, byte(length), 0, 2, 1, 2)
	for _, u := range units {
		b = append(b, u...)
	}
	b = append(b, streaming(1, 1, endpointPlay, 0x09)...)   // adaptive: it plays at the pace of what comes
	b = append(b, streaming(2, 4, endpointRecord, 0x05)...) // asynchronous: it has a clock of its own
	if keys {
		b = append(b, 9, 4, 3, 0, 1, 3, 0, 0, 0)
		b = append(b, 9, 0x21, 0x11, 1, 0, 1, 0x22, byte(len(reportDescriptor)), 0)
		b = append(b, 7, 5, endpointKeys, 3, 8, 0, 4)
	}
	return b
}

// streaming is an audio streaming interface: setting 0 has no endpoint, setting 1 carries sound.
func streaming(number, terminal, endpoint, attributes byte) []byte {
	b := []byte{9, 4, number, 0, 0, 1, 2, 0, 0, 9, 4, number, 1, 1, 1, 2, 0, 0}
	b = append(b, 7, 0x24, 1, terminal, 1, 1, 0)                                                     // PCM
	b = append(b, 11, 0x24, 2, 1, 1, 2, 16, 1, byte(RateHz&0xff), byte(RateHz>>8), byte(RateHz>>16)) // mono, 2 bytes, 16 bits, one rate
	b = append(b, 9, 5, endpoint, attributes, 40, 0, 1, 0, 0)
	return append(b, 7, 0x25, 1, 0, 0, 0, 0)
}

// Requests of Audio 5.2 and HID 7.2.
const (
	classToInterface   = 0x21
	classFromInterface = 0xa1
	standardOfClass    = 0x81
	requestDescriptor  = 0x06
	requestSetCurrent  = 0x01
	requestCurrent     = 0x81
	requestMin         = 0x82
	requestMax         = 0x83
	requestResolution  = 0x84
	requestGetReport   = 0x01
	requestSetReport   = 0x09
	requestSetIdle     = 0x0a
	typeReport         = 0x22
	controlMute        = 1
	controlVolume      = 2
	interfaceKeys      = 3
)

// Control answers requests to the mixers and the keys.
func (f function) Control(setup usbredir.Setup, data []byte) (reply []byte, ok bool) {
	toKeys := setup.Index == interfaceKeys
	switch {
	case setup.Type == standardOfClass && setup.Request == requestDescriptor && setup.Value>>8 == typeReport:
		return reportDescriptor, true
	case setup.Type == classFromInterface && toKeys && setup.Request == requestGetReport:
		return f.h.report(byte(setup.Value))
	case setup.Type == classToInterface && toKeys && setup.Request == requestSetReport:
		f.h.lamps(data)
		return nil, true
	case setup.Type == classToInterface && toKeys && setup.Request == requestSetIdle:
		return nil, true
	case !toKeys && (setup.Type == classToInterface || setup.Type == classFromInterface):
		return f.h.mixer(byte(setup.Index>>8), byte(setup.Value>>8), setup.Request, data)
	}
	return nil, false
}

// mixer is a feature unit, Audio 5.2.2.4.
func (h *Headset) mixer(unit, control, request byte, data []byte) (reply []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if unit != byte(Playback) && unit != byte(Capture) {
		return nil, false
	}
	word := func(v int16) ([]byte, bool) { return binary.LittleEndian.AppendUint16(nil, uint16(v)), true }
	switch {
	case control == controlMute && request == requestSetCurrent && len(data) >= 1:
		h.muted[unit] = data[0] != 0
		return nil, true
	case control == controlMute && request == requestCurrent:
		if h.muted[unit] {
			return []byte{1}, true
		}
		return []byte{0}, true
	case control == controlVolume && request == requestSetCurrent && len(data) >= 2:
		h.volume[unit] = int16(binary.LittleEndian.Uint16(data))
		return nil, true
	case control == controlVolume && request == requestCurrent:
		return word(h.volume[unit])
	case control == controlVolume && request == requestMin:
		return word(volumeMin)
	case control == controlVolume && request == requestMax:
		return word(volumeMax)
	case control == controlVolume && request == requestResolution:
		return word(volumeResolution)
	}
	return nil, false
}
