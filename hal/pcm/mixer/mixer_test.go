//go:build linux

package mixer_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/mixer"
	"freizeichen/hal/pcm/pcmtest"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, card *pcmtest.Card) (*mixer.Mixer, *pcmtest.Machine) {
	t.Helper()
	machine := pcmtest.New(card)
	m, err := mixer.Open(machine, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m, machine
}

func TestAMissingControlNamesThoseThatAreAlike(t *testing.T) {
	card := pcmtest.Codec()
	second := pcmtest.Volume("Capture Volume", 0, 7)
	second.Index = 1
	card.Controls = append(card.Controls, second)
	for i := range 5 {
		card.Controls = append(card.Controls, pcmtest.Switch(fmt.Sprintf("Left Mixer %d", i)))
	}
	m, _ := open(t, card)
	for _, c := range []struct {
		name  string
		index int
		says  string
	}{
		{"Headset Playback Volume", 0, `mixer: card 0 has no control "Headset Playback Volume": it has "Headphone Playback Volume", "Speaker Playback Volume", `},
		{"Capture Volume", 2, `no control "Capture Volume,2": it has "Capture Volume", "Capture Volume,1"`},
		{"", 0, `and 3 more`},
	} {
		_, err := m.Find(c.name, c.index)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q,%d: %v, want %q", c.name, c.index, err, c.says)
		}
	}
	if e, err := m.Find("Capture Volume", 1); err != nil || e.String() != "Capture Volume,1" {
		t.Error(e, err)
	}
	if names := m.Names(); len(names) != len(card.Controls) || !slices.Contains(names, "Capture Volume,1") {
		t.Errorf("names: %q", names)
	}
	empty, _ := open(t, &pcmtest.Card{ID: "x"})
	if _, err := empty.Find("PCM", 0); err == nil || !strings.Contains(err.Error(), "none at all") {
		t.Errorf("a card without controls: %v", err)
	}
	if _, err := mixer.Open(pcmtest.New(), 0); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no card: %v", err)
	}
}

func TestWhatCannotBeSetIsRefusedAndLeftAlone(t *testing.T) {
	card := pcmtest.Codec()
	locked := pcmtest.Switch("Jack")
	locked.Access = asound.AccessRead
	bytes := pcmtest.Volume("EQ", 0, 1)
	bytes.Type = asound.TypeBytes
	card.Controls = append(card.Controls, locked, bytes, pcmtest.Volume("Bare", 0, 10))
	m, _ := open(t, card)
	for _, c := range []struct{ name, value, says string }{
		{"Headphone Playback Volume", "128", "goes from 0 to 127"},
		{"Headphone Playback Volume", "-1", "goes from 0 to 127"},
		{"Headphone Playback Volume", "on", `it is a volume: a volume is like "-6 dB"`},
		{"Headphone Playback Volume", "", "it is a volume"},
		{"Headphone Playback Volume", "nan dB", "it is a volume"},
		{"Headphone Playback Volume", "inf dB", "it is a volume"},
		{"Headphone Playback Volume", "101 %", "per cent are 0 to 100"},
		{"Headphone Playback Volume", "nan%", "per cent are 0 to 100"},
		{"Capture Switch", "2", "goes from 0 to 1"},
		{"Capture Switch", "-6 dB", "it is a switch"},
		{"Capture Switch", "50 %", "it is a switch"},
		{"Playback Polarity", "Inverted", `it can be ["No Inversion" "Left Inverted" "Right Inverted" "Stereo Inversion"]`},
		{"Playback Polarity", "4", "goes from 0 to 3"},
		{"Bare", "-6 dB", "does not say what its values are"},
		{"Jack", "on", "only be read"},
		{"EQ", "1", "type 4 is not known"},
	} {
		before := card.Level(c.name)
		err := m.Apply([]mixer.Setting{{Name: c.name, Value: c.value}})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s to %q: %v, want %q", c.name, c.value, err, c.says)
		}
		if !slices.Equal(before, card.Level(c.name)) {
			t.Errorf("%s to %q: is %v now", c.name, c.value, card.Level(c.name))
		}
	}
}

func TestSettingsOfABoardAreSetOnAllChannels(t *testing.T) {
	card := pcmtest.Codec()
	card.Controls = append(card.Controls, pcmtest.Volume("Stepped", -20, 21), pcmtest.Volume("Whole", math.MinInt32, math.MaxInt32))
	card.Control("Stepped").Step = 10
	m, _ := open(t, card)
	for _, c := range []struct {
		name, value string
		want        []int
	}{
		{"Headphone Playback Volume", "-6 dB", []int{115, 115}}, // value 121 is 0 dB
		{"Headphone Playback Volume", "-6.4dB", []int{115, 115}},
		{"Headphone Playback Volume", "-6.6 dB", []int{114, 114}},
		{"Headphone Playback Volume", "+99 dB", []int{127, 127}},
		{"Headphone Playback Volume", "-500 dB", []int{1, 1}}, // the least that is heard
		{"Headphone Playback Volume", "mute", []int{0, 0}},
		{"Headphone Playback Volume", "100%", []int{127, 127}},
		{"Headphone Playback Volume", "50 %", []int{64, 64}},
		{"Headphone Playback Volume", " 23 ", []int{23, 23}},
		{"Capture Volume", "0 dB", []int{23, 23}}, // -17.25 + 23 x 0.75
		{"Capture Switch", "on", []int{1}},
		{"Capture Switch", "off", []int{0}},
		{"Capture Switch", "1", []int{1}},
		{"Playback Polarity", "Right Inverted", []int{2}},
		{"Playback Polarity", "3", []int{3}},
		{"Stepped", "50 %", []int{0, 0}},
		{"Stepped", "100 %", []int{20, 20}},
		{"Stepped", "-20", []int{-20, -20}},
		{"Whole", "75 %", []int{1<<30 - 1, 1<<30 - 1}}, // more than an int on 32 bits
	} {
		if err := m.Apply([]mixer.Setting{{Name: "no such"}, {Name: c.name, Value: c.value}}); err == nil || !strings.Contains(err.Error(), "no such") {
			t.Errorf("the missing one is not told: %v", err)
		}
		e, err := m.Find(c.name, 0)
		if err != nil {
			t.Fatal(err)
		}
		values, err := e.Values()
		if got := card.Level(c.name); err != nil || !slices.Equal(got, c.want) || !slices.Equal(values, got) {
			t.Errorf("%s to %q: is %v, reads %v, want %v; %v", c.name, c.value, got, values, c.want, err)
		}
	}
	e, err := m.Find("Headphone Playback Volume", 0)
	if err != nil {
		t.Fatal(err)
	}
	if set, err := e.SetDB(math.Inf(-1)); err != nil || !math.IsInf(set, -1) || card.Level(e.String())[0] != 0 {
		t.Errorf("silence: %v, %v", set, err)
	}
	if set, err := e.SetDB(-3.3); err != nil || set != -3 {
		t.Errorf("-3.3 dB: %v, %v", set, err)
	}
	choice, err := m.Find("Playback Polarity", 0)
	if err != nil || len(choice.Items()) != 4 || choice.Kind() != mixer.Choice {
		t.Errorf("choice: %v, %v", choice.Items(), err)
	}
}

func TestAnUnpluggedCardIsAnErrorEverywhere(t *testing.T) {
	card := pcmtest.Headset()
	m, machine := open(t, card)
	e, err := m.Find("PCM Playback Volume", 0)
	if err != nil {
		t.Fatal(err)
	}
	machine.Unplug(card)
	_, finding := m.Find("PCM Playback Volume", 0)
	_, reading := e.Values()
	_, setting := e.SetDB(-6)
	for name, err := range map[string]error{"Find": finding, "Values": reading, "SetDB": setting} {
		if !errors.Is(err, unix.ENODEV) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACardThatLiesAboutItsCountsIsRefused(t *testing.T) {
	for _, lie := range []func(asound.Argument){
		func(a asound.Argument) {
			if list, ok := a.(*asound.IDList); ok {
				list.Count = 1 << 30
			}
		},
		func(a asound.Argument) {
			if info, ok := a.(*asound.Info); ok && info.Type == asound.TypeEnumerated {
				info.Enumerated().Items = 1 << 30
			}
		},
	} {
		m, err := mixer.Open(liar{pcmtest.New(pcmtest.Codec()), lie}, 0)
		if err == nil {
			_, err = m.Find("Playback Polarity", 0)
		}
		if err == nil || !strings.Contains(err.Error(), "1073741824") {
			t.Errorf("believed: %v", err)
		}
	}
}

type liar struct {
	asound.Kernel
	lie func(asound.Argument)
}

func (l liar) Open(name string) (asound.File, error) {
	f, err := l.Kernel.Open(name)
	return liarFile{f, l.lie}, err
}

type liarFile struct {
	asound.File
	lie func(asound.Argument)
}

func (f liarFile) Ioctl(request asound.Request, argument asound.Argument) error {
	err := f.File.Ioctl(request, argument)
	f.lie(argument)
	return err
}
