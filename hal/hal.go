// Package hal holds the words of the phone's body: keys, hook, lamps, panel, sound. Types only:
// parts of a board, and the simulated body, speak them; device/loop joins them with the phone.
package hal

import (
	"image"
	"time"
)

// A Key is one key of the phone.
type Key uint8

// The keys. The digits are Key0 + n.
const (
	KeyNone Key = iota
	Key0
	Key1
	Key2
	Key3
	Key4
	Key5
	Key6
	Key7
	Key8
	Key9
	KeyStar
	KeyPound
	KeySoft1 // the four keys below the panel, left to right
	KeySoft2
	KeySoft3
	KeySoft4
	KeyUp
	KeyDown
	KeyOK
	KeyCancel
	KeyLine1
	KeyLine2
	KeyHold
	KeyTransfer
	KeyRedial
	KeyMute
	KeyHeadset
	KeySpeaker
	KeyVolumeUp
	KeyVolumeDown
	KeyCount
)

// Digit is the DTMF digit of the key, 0 when it has none.
func (k Key) Digit() byte {
	switch {
	case k >= Key0 && k <= Key9:
		return '0' + byte(k-Key0)
	case k == KeyStar:
		return '*'
	case k == KeyPound:
		return '#'
	}
	return 0
}

var keyNames = [KeyCount]string{"none", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#",
	"soft1", "soft2", "soft3", "soft4", "up", "down", "ok", "cancel", "line1", "line2",
	"hold", "transfer", "redial", "mute", "headset", "speaker", "volume-up", "volume-down"}

func (k Key) String() string {
	if k < KeyCount {
		return keyNames[k]
	}
	return "invalid"
}

// ParseKey is the inverse of String; KeyNone when there is no such key.
func ParseKey(name string) Key {
	for k, n := range keyNames {
		if n == name {
			return Key(k)
		}
	}
	return KeyNone
}

// KeyChange: a key went down or came up, debounced; or it is still down, which is told again with Held.
type KeyChange struct {
	Key  Key
	Down bool
	// Held is how long the key has been down when it repeats: RepeatAfter first (a long press), then every RepeatEvery
	// until it comes up. Zero for the press itself and for the release.
	Held time.Duration
}

// A key that stays down repeats: first after RepeatAfter, then every RepeatEvery.
const (
	RepeatAfter = 500 * time.Millisecond
	RepeatEvery = 100 * time.Millisecond
)

// HookChange: the handset was lifted (Up) or put back.
type HookChange struct{ Up bool }

// A Lamp is one light of the phone.
type Lamp uint8

// The lamps.
const (
	LampMessage Lamp = iota // the large one that can be seen across the room: rings, missed calls
	LampLine1
	LampLine2
	LampHold
	LampMute
	LampHeadset
	LampSpeaker
	LampQueue // of the queues: by rhythm, how pressing they are
	LampAgent // of the agent's state: steady is ready
	LampCount
)

func (l Lamp) String() string {
	return [...]string{"message", "line1", "line2", "hold", "mute", "headset", "speaker", "queue", "agent", "invalid"}[min(l, LampCount)]
}

// A Blink is how a lamp shines.
type Blink uint8

// The blink patterns. They differ in rhythm, so that nothing hangs on colour alone.
const (
	Dark      Blink = iota
	Steady          // on
	BlinkSlow       // 1 s on, 1 s off: something waits
	BlinkFast       // 125 ms on, 125 ms off: it rings
	Flash           // 100 ms on every 3 s: remember me
	Wink            // 100 ms off every 3 s: a part of the phone is broken
	BlinkCount
)

func (b Blink) String() string {
	return [...]string{"dark", "steady", "slow", "fast", "flash", "wink", "invalid"}[min(b, BlinkCount)]
}

// Pattern is how long the lamp is on and then off, again and again. Dark and Steady have none (0, 0).
func (b Blink) Pattern() (on, off time.Duration) {
	switch b {
	case BlinkSlow:
		return time.Second, time.Second
	case BlinkFast:
		return 125 * time.Millisecond, 125 * time.Millisecond
	case Flash:
		return 100 * time.Millisecond, 2900 * time.Millisecond
	case Wink:
		return 2900 * time.Millisecond, 100 * time.Millisecond
	}
	return 0, 0
}

// Lamps is the state of all lamps.
type Lamps [LampCount]Blink

// A Panel is a kind of display.
type Panel uint8

// The panels.
const (
	Mono128x64    Panel = iota // SSD1306, SH1106: 1 bit a pixel
	Colour320x240              // ST7789 and alike
)

// Size is the panel's width and height in pixels.
func (p Panel) Size() image.Point {
	if p == Colour320x240 {
		return image.Pt(320, 240)
	}
	return image.Pt(128, 64)
}

// A Display is all that the body shows: whole, every time. A body may skip what has not changed.
type Display struct {
	// Picture has the panel's size; not written to after it has been shown. The palette of a mono panel is
	// off, on (index 0 and 1).
	Picture *image.Paletted
	Lamps   Lamps
	Text    []string // the panel's text line by line, for screen readers and phonectl
	// Soft is what the four soft keys mean now, left to right, in words; empty for a key that does nothing.
	Soft [4]string
	// Headset is what the headset's own lamps show.
	Headset HeadsetLamps
}

// A Route is where the voice goes.
type Route uint8

// The routes.
const (
	Silent  Route = iota // nowhere: nothing is heard, the microphone is off
	Handset              // earpiece and its microphone
	Headset
	Speaker // loudspeaker and the phone's own microphone
)

func (r Route) String() string {
	return [...]string{"silent", "handset", "headset", "speaker"}[min(r, Speaker)]
}

// A Frame is 20 ms of mono signed 16-bit sound: 160 samples at 8 kHz.
type Frame []int16

// Sound of the body: FrameTime long frames at RateHz.
const (
	FrameTime    = 20 * time.Millisecond
	RateHz       = 8000
	FrameSamples = RateHz / 50
)
