//go:build linux

package pcm_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/pcmtest"

	"golang.org/x/sys/unix"
)

func TestWhatCannotBeOpenedSaysWhyAndWhatWouldDo(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*pcmtest.Card)
		capture  pcm.End
		playback pcm.End
		is       error
		says     string
	}{
		{name: "no such card", capture: pcm.End{Card: 3}, is: pcm.ErrNoCard, says: "capture from card 3  (pcmC3D0c)"},
		{name: "no such device", playback: pcm.End{Device: 1}, is: pcm.ErrNoCard, says: "pcmC0D1p"},
		{name: "a card without a microphone", change: func(c *pcmtest.Card) { c.Capture = nil }, is: pcm.ErrNoCard, says: "pcmC0D0c"},
		{name: "a sound server has it", change: func(c *pcmtest.Card) { c.Playback.Holder = "pulseaudio" },
			is: unix.EBUSY, says: "playback to card 0 wm8960soundcard (pcmC0D0p): device or resource busy: held by process 4711 pulseaudio"},
		{name: "a rate that we do not know", capture: pcm.End{Rates: []int{8000, 22050}}, says: "22050"},
		{name: "a rate that it does not know", change: func(c *pcmtest.Card) { c.Playback.Rates = []int{96000, 192000} },
			is: unix.EINVAL, says: "none of the rates [8000 16000 48000 44100] Hz: invalid argument; it can 96000 to 192000 Hz, 2 channels"},
		{name: "a rate that was not wanted", capture: pcm.End{Rates: []int{48000}}, change: func(c *pcmtest.Card) { c.Capture.Rates = []int{8000} },
			is: unix.EINVAL, says: "it can 8000 Hz"},
		{name: "no 16-bit samples", change: func(c *pcmtest.Card) { c.Capture.Formats = []int{10, 32} },
			is: unix.EINVAL, says: "it has no S16_LE: invalid argument; it can S32_LE, S24_3LE"},
		{name: "a channel that is not there", capture: pcm.End{Channel: 3}, is: unix.EINVAL, says: "it has no channel 3: invalid argument; it can 8000 to 48000 Hz, 2 channels"},
		{name: "a channel for a studio", playback: pcm.End{Channel: 9}, says: "channels are 1 to 8"},
		{name: "a negative channel", playback: pcm.End{Channel: -1}, says: "channels are 1 to 8"},
		{name: "too little room", change: func(c *pcmtest.Card) { c.Playback.Buffer[1] = 256 }, says: "its buffer is at most 30ms, at least 40ms are needed"},
	} {
		card := pcmtest.Codec()
		if c.change != nil {
			c.change(card)
		}
		machine := pcmtest.New(card)
		_, err := pcm.Open(machine, c.capture, c.playback)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "pcm: ") {
			t.Errorf("%s: error %v, want %q", c.name, err, c.says)
		}
		for name, s := range map[string]*pcmtest.Stream{"pcmC0D0p": card.Playback, "pcmC0D0c": card.Capture} {
			if s != nil && s.Holder == "" {
				if _, err := machine.Open(name); err != nil {
					t.Errorf("%s: %s was left open: %v", c.name, name, err)
				}
			}
		}
	}
}

func TestACardThatIsOpenTwiceNamesUs(t *testing.T) {
	machine := pcmtest.New(pcmtest.Headset())
	d := open(t, machine)
	_, err := pcm.Open(machine, pcm.End{}, pcm.End{})
	if !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "held by process 1") {
		t.Errorf("second Open: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, machine)
}

func TestAnErrorOfTheKernelIsNoRefusedRate(t *testing.T) {
	for _, request := range []asound.Request{asound.HWRefine, asound.SetHW, asound.SetSW} {
		machine := pcmtest.New(pcmtest.Codec())
		calls := 0
		machine.Fail(func(_ string, r asound.Request) error {
			if r != request {
				return nil
			}
			if calls++; r == asound.HWRefine && calls < 3 {
				return nil
			}
			return unix.ENODEV
		})
		if _, err := pcm.Open(machine, pcm.End{}, pcm.End{}); !errors.Is(err, pcm.ErrUnplugged) {
			t.Errorf("%#x fails with ENODEV: %v", request, err)
		}
	}
}

func TestTheRateIsTheOneWithLeastWork(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name     string
		stream   pcmtest.Stream
		end      pcm.End
		rate     int
		channels int
		period   time.Duration
		buffer   time.Duration
	}{
		{"all", pcmtest.Stream{Rates: []int{48000, 8000, 44100, 16000}, Channels: [2]int{1, 2}}, pcm.End{}, 8000, 1, 10 * ms, 100 * ms},
		{"16 kHz", pcmtest.Stream{Rates: []int{48000, 44100, 16000}, Channels: [2]int{1, 1}}, pcm.End{}, 16000, 1, 10 * ms, 100 * ms},
		{"codecs", pcmtest.Stream{Rates: []int{44100, 48000}, Channels: [2]int{2, 2}}, pcm.End{}, 48000, 2, 10 * ms, 100 * ms},
		{"44.1 kHz alone", pcmtest.Stream{Rates: []int{44100}, Channels: [2]int{2, 2}}, pcm.End{}, 44100, 2, 10 * ms, 100 * ms},
		{"the board wants 48 kHz", pcmtest.Stream{Rates: []int{8000, 48000}, Channels: [2]int{2, 2}}, pcm.End{Rates: []int{48000, 8000}}, 48000, 2, 10 * ms, 100 * ms},
		{"the right channel", pcmtest.Stream{Rates: []int{8000}, Channels: [2]int{1, 8}}, pcm.End{Channel: 2}, 8000, 2, 10 * ms, 100 * ms},
		{"long periods", pcmtest.Stream{Rates: []int{16000}, Channels: [2]int{1, 1}, Period: [2]int{512, 4096}}, pcm.End{}, 16000, 1, 32 * ms, 160 * ms},
		{"long periods, told with open ends", pcmtest.Stream{Rates: []int{16000}, Channels: [2]int{1, 1}, Period: [2]int{512, 4096}, OpenEnds: true}, pcm.End{}, 16000, 1, 32 * ms, 160 * ms},
		{"rates told with open ends", pcmtest.Stream{Rates: []int{44100, 48000}, Channels: [2]int{1, 2}, OpenEnds: true}, pcm.End{}, 48000, 1, 10 * ms, 100 * ms},
		{"short periods", pcmtest.Stream{Rates: []int{16000}, Channels: [2]int{1, 1}, Period: [2]int{16, 64}}, pcm.End{}, 16000, 1, 4 * ms, 100 * ms},
		{"a small buffer", pcmtest.Stream{Rates: []int{16000}, Channels: [2]int{1, 1}, Buffer: [2]int{64, 800}}, pcm.End{}, 16000, 1, 10 * ms, 50 * ms},
		{"a large buffer", pcmtest.Stream{Rates: []int{16000}, Channels: [2]int{1, 1}, Buffer: [2]int{3200, 6400}}, pcm.End{}, 16000, 1, 10 * ms, 200 * ms},
	} {
		capture, playback := c.stream, c.stream
		d, err := pcm.Open(pcmtest.New(&pcmtest.Card{ID: "x", Capture: &capture, Playback: &playback}), c.end, c.end)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := pcm.Sound{RateHz: c.rate, Channels: c.channels, Period: c.period, Buffer: c.buffer}
		if in, out := d.Sounds(); in != want || out != want {
			t.Errorf("%s: %+v and %+v, want %+v", c.name, in, out, want)
		}
	}
}

// open opens card 0 both ways and closes it at the test's end.
func open(t *testing.T, machine *pcmtest.Machine) *pcm.Duplex {
	t.Helper()
	d, err := pcm.Open(machine, pcm.End{}, pcm.End{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}
