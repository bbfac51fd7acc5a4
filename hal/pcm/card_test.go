//go:build linux

package pcm_test

import (
	"errors"
	"strings"
	"testing"

	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/pcmtest"

	"golang.org/x/sys/unix"
)

func TestACardIsFoundOrTheErrorListsWhatThereIs(t *testing.T) {
	second := pcmtest.Headset()
	second.ID = "Headset_1"
	machine := pcmtest.New(pcmtest.Codec(), pcmtest.Headset(), second)
	for _, c := range []struct {
		want    string
		id, err string
	}{
		{"", "", `no such sound card: there are 0 "wm8960soundcard" (wm8960-soundcard), 1 "Headset" (Headset), 2 "Headset_1" (Headset)`},
		{"Jabra", "", `finding sound card "Jabra": no such sound card: there are 0 "wm8960soundcard"`},
		{"1209:0001", "", `2 cards are called so; say the ID: there are 1 "Headset" (Headset), 2 "Headset_1"`},
		{"freizeichen", "", "2 cards are called so"},
		{"Headset", "Headset", ""},
		{"Headset_1", "Headset_1", ""},
		{"wm8960soundcard", "wm8960soundcard", ""},
		{"wm8960-soundcard", "wm8960soundcard", ""},
		{"WM8960", "wm8960soundcard", ""},
	} {
		card, err := pcm.Find(machine, c.want)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.want, err, c.err)
			}
			continue
		}
		if err != nil || card.ID != c.id {
			t.Errorf("%q: %v, %v", c.want, card, err)
		}
	}
	for want, id := range map[string]string{"wm8960": "wm8960soundcard", "Headset": "Headset", "Headset_1": "Headset_1", "freizeichen": "Headset"} {
		if card, err := pcm.Find(machine, want, "Headset_1"); err != nil || card.ID != id {
			t.Errorf("%q, while Headset_1 belongs to somebody else: %v, %v", want, card, err)
		}
	}
	for _, want := range []string{"Headset", "1209:0001", "head"} {
		if card, err := pcm.Find(pcmtest.New(second), want, "Headset_1"); !errors.Is(err, pcm.ErrNoCard) {
			t.Errorf("%q, when only somebody else's is there: %v, %v", want, card, err)
		}
	}
	_, err := pcm.Find(pcmtest.New(), "Headset")
	if !errors.Is(err, pcm.ErrNoCard) || !strings.Contains(err.Error(), "no sound card at all") {
		t.Errorf("a machine without cards: %v", err)
	}
}

func TestACardTellsItsDevicesAndItsPlaceOnUSB(t *testing.T) {
	cards, err := pcm.Cards(pcmtest.New(pcmtest.Codec(), pcmtest.Headset()))
	if err != nil || len(cards) != 2 {
		t.Fatal(cards, err)
	}
	codec, headset := cards[0], cards[1]
	if codec.USBPath != "" || codec.USBID != "" || len(codec.Playback) != 1 || len(codec.Capture) != 1 {
		t.Errorf("codec: %+v", codec)
	}
	if headset.Number != 1 || headset.USBID != "1209:0001" || headset.USBPath != "/sys/devices/pci0000:00/0000:00:02.0/usb1/1-1" ||
		headset.Components != "USB1209:0001" || headset.Driver != "USB-Audio" || headset.Mixer != "USB Mixer" {
		t.Errorf("headset: %+v", headset)
	}
	if !strings.Contains(headset.LongName, "full speed") {
		t.Errorf("long name: %q", headset.LongName)
	}
}

func TestACardThatGoesWhileWeLookIsNoError(t *testing.T) {
	machine := pcmtest.New(pcmtest.Codec())
	for _, gone := range []error{unix.ENODEV, unix.ENXIO} {
		machine.Fail(func(string, asound.Request) error { return gone })
		if cards, err := pcm.Cards(machine); err != nil || len(cards) != 0 {
			t.Errorf("%v: %v, %v", gone, cards, err)
		}
	}
	machine.Plug(pcmtest.Headset())
	asked := 0
	machine.Fail(func(string, asound.Request) error { // udev has not given us the first one yet
		if asked++; asked == 1 {
			return unix.EACCES
		}
		return nil
	})
	if cards, err := pcm.Cards(machine); err != nil || len(cards) != 1 || cards[0].ID != "Headset" {
		t.Errorf("no right at one of two: %v, %v", cards, err)
	}
	machine.Fail(func(string, asound.Request) error { return unix.EACCES })
	if _, err := pcm.Cards(machine); err == nil || !strings.Contains(err.Error(), "group audio") {
		t.Errorf("no right: %v", err)
	}
}
