//go:build linux

package pcm_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/pcmtest"

	"golang.org/x/sys/unix"
)

// oscillator makes a sine of amplitude 8000 on one channel, from 1; 0 is all.
func oscillator(hz float64, channel int) func(samples []int16, channels, rateHz int) {
	n := 0
	return func(samples []int16, channels, rateHz int) {
		for i := 0; i < len(samples); i += channels {
			for c := range channels {
				samples[i+c] = 0
				if channel == 0 || channel == c+1 {
					samples[i+c] = int16(8000 * math.Sin(2*math.Pi*hz*float64(n)/float64(rateHz)))
				}
			}
			n++
		}
	}
}

// amplitude is that of a tone in sound, by Goertzel.
func amplitude(samples []int16, hz, rateHz float64) float64 {
	var s, c float64
	for i, v := range samples {
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / rateHz)
		s, c = s+sin*float64(v), c+cos*float64(v)
	}
	return 2 * math.Hypot(s, c) / float64(max(1, len(samples)))
}

// talk runs frames as device/voice does, with a tone to the speaker, and is what the microphone heard.
func talk(t *testing.T, d *pcm.Duplex, frames int) []int16 {
	t.Helper()
	speak := oscillator(440, 0)
	var heard []int16
	mic, speaker := make([]int16, hal.FrameSamples), make([]int16, hal.FrameSamples)
	for range frames {
		if err := d.Read(mic); err != nil {
			t.Fatal(err)
		}
		heard = append(heard, mic...)
		speak(speaker, 1, hal.RateHz)
		if err := d.Write(speaker); err != nil {
			t.Fatal(err)
		}
	}
	return heard
}

func card(rate int, channels int) *pcmtest.Card {
	return &pcmtest.Card{ID: "x",
		Capture:  &pcmtest.Stream{Rates: []int{rate}, Channels: [2]int{channels, channels}},
		Playback: &pcmtest.Stream{Rates: []int{rate}, Channels: [2]int{channels, channels}}}
}

func TestSoundPassesBothWaysAtEveryRate(t *testing.T) {
	for _, rate := range []int{8000, 16000, 44100, 48000} {
		for _, channels := range []int{1, 2, 6} {
			synctest.Test(t, func(t *testing.T) {
				card := card(rate, channels)
				card.Capture.Sound = oscillator(1000, channels) // on the last channel
				var played [8][]int16
				card.Playback.Sound = func(samples []int16, channels, _ int) {
					for i, v := range samples {
						played[i%channels] = append(played[i%channels], v)
					}
				}
				d := open(t, pcmtest.New(card))
				began := time.Now()
				heard := talk(t, d, 100)
				if took := time.Since(began); took < 1995*time.Millisecond || took > 2010*time.Millisecond {
					t.Errorf("%d Hz: 100 frames took %v", rate, took)
				}
				if a := amplitude(heard[800:], 1000, hal.RateHz); math.Abs(a-8000) > 100 {
					t.Errorf("%d Hz, %d channels: the microphone's tone has amplitude %.0f, want 8000", rate, channels, a)
				}
				for c := range channels {
					if a := amplitude(played[c][rate/5:], 440, float64(rate)); math.Abs(a-8000) > 100 {
						t.Errorf("%d Hz, %d channels: the tone on channel %d has amplitude %.0f, want 8000", rate, channels, c+1, a)
					}
				}
				s := d.Statistics()
				if s.CaptureXruns+s.PlaybackXruns+s.Dropped != 0 || s.Frames != 100 || s.BendPPM != 0 {
					t.Errorf("%d Hz: %+v", rate, s)
				}
				if s.PlaybackDelay < 37*time.Millisecond || s.PlaybackDelay > 46*time.Millisecond || s.CaptureDelay < 20*time.Millisecond || s.CaptureDelay > 34*time.Millisecond {
					t.Errorf("%d Hz: delays %v and %v", rate, s.CaptureDelay, s.PlaybackDelay)
				}
				_ = d.Close()
			})
		}
	}
}

func TestAChannelIsChosenAndTheOthersStaySilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := card(16000, 2)
		left, right := oscillator(700, 1), oscillator(1000, 2)
		card.Capture.Sound = func(samples []int16, channels, rateHz int) {
			other := make([]int16, len(samples))
			left(samples, channels, rateHz)
			right(other, channels, rateHz)
			for i := range samples {
				samples[i] += other[i]
			}
		}
		var loudest [2]int16
		card.Playback.Sound = func(samples []int16, channels, _ int) {
			for i, v := range samples {
				loudest[i%channels] = max(loudest[i%channels], v)
			}
		}
		d, err := pcm.Open(pcmtest.New(card), pcm.End{Channel: 2}, pcm.End{Channel: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		heard := talk(t, d, 20)[800:]
		if l, r := amplitude(heard, 700, hal.RateHz), amplitude(heard, 1000, hal.RateHz); l > 50 || r < 7900 {
			t.Errorf("of the left %.0f is heard, of the right %.0f", l, r)
		}
		if loudest[0] < 7900 || loudest[1] != 0 {
			t.Errorf("loudest on the left %d, on the right %d", loudest[0], loudest[1])
		}
	})
}

func TestStoppedStreamsAreBroughtBackAndCounted(t *testing.T) {
	for _, c := range []struct {
		name string
		stop func(*pcmtest.Stream)
	}{
		{"xrun", (*pcmtest.Stream).Xrun},
		{"sleep", (*pcmtest.Stream).Suspend},
	} {
		synctest.Test(t, func(t *testing.T) {
			card := pcmtest.Headset()
			card.Capture.Sound = oscillator(1000, 0)
			d := open(t, pcmtest.New(card))
			talk(t, d, 10)
			for range 3 {
				c.stop(card.Playback)
				talk(t, d, 5)
				c.stop(card.Capture)
				talk(t, d, 5)
			}
			if s := d.Statistics(); s.PlaybackXruns != 3 || s.CaptureXruns != 3 || s.Dropped != 0 {
				t.Errorf("%s: %+v", c.name, s)
			}
			if a := amplitude(talk(t, d, 50), 1000, hal.RateHz); a < 7900 {
				t.Errorf("%s: the microphone's amplitude is %.0f afterwards", c.name, a)
			}
			if s := d.Statistics(); s.PlaybackDelay < 35*time.Millisecond || s.PlaybackDelay > 46*time.Millisecond {
				t.Errorf("%s: what is written is heard after %v", c.name, s.PlaybackDelay)
			}
			_ = d.Close()
		})
	}
}

func TestTheFirstWriteDoesNotRunDryWhenTheMicrophoneBeginsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		d := open(t, pcmtest.New(card))
		go func() {
			time.Sleep(time.Millisecond)
			card.Capture.Hang(true)
			time.Sleep(200 * time.Millisecond)
			card.Capture.Hang(false)
		}()
		talk(t, d, 100)
		if s := d.Statistics(); s.PlaybackXruns != 0 || s.CaptureXruns != 0 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
		_ = d.Close()
	})
}

func TestAStallOfTheProgramLeavesNoDelayBehind(t *testing.T) {
	for _, c := range []struct {
		stall      time.Duration
		xruns      uint64 // of either direction
		droppedMax uint64
	}{{15 * time.Millisecond, 0, 0}, {25 * time.Millisecond, 0, 0}, {60 * time.Millisecond, 1, 2}, {95 * time.Millisecond, 1, 4}, {3 * time.Second, 2, 4}} {
		synctest.Test(t, func(t *testing.T) {
			card := pcmtest.Headset()
			d := open(t, pcmtest.New(card))
			talk(t, d, 20)
			time.Sleep(c.stall)
			talk(t, d, 200)
			s := d.Statistics()
			if s.CaptureXruns+s.PlaybackXruns != c.xruns || s.Dropped > c.droppedMax {
				t.Errorf("a stall of %v: %+v", c.stall, s)
			}
			if s.PlaybackDelay > 90*time.Millisecond {
				t.Errorf("a stall of %v: 4 s later what is written is heard after %v", c.stall, s.PlaybackDelay)
			}
			_ = d.Close()
		})
	}
}

func TestAQueueThatGrewTooLongIsShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		card.Playback.Buffer = [2]int{3200, 3200} // 200 ms
		d := open(t, pcmtest.New(card))
		talk(t, d, 20)
		speaker := make([]int16, hal.FrameSamples)
		for range 9 { // more than the microphone gave
			if err := d.Write(speaker); err != nil {
				t.Fatal(err)
			}
		}
		if queued := card.Playback.Queued(); queued > 16*110 {
			t.Errorf("%d ms wait to be heard", queued/16)
		}
		talk(t, d, 20)
		s := d.Statistics()
		if s.Dropped < 8 || s.Dropped > 10 || s.PlaybackXruns != 0 || s.PlaybackDelay > 55*time.Millisecond {
			t.Errorf("%+v", s)
		}
		_ = d.Close()
	})
}

func TestOddHardwareRunsWithoutAGap(t *testing.T) {
	for _, c := range []struct {
		name           string
		period, buffer [2]int // frames of 16 kHz
		step           time.Duration
	}{
		{"periods of 32 ms, seen only at their end", [2]int{512, 512}, [2]int{0, 0}, 32 * time.Millisecond},
		{"a buffer of 40 ms", [2]int{0, 0}, [2]int{64, 640}, 0},
		{"a buffer of 60 ms in three periods", [2]int{320, 320}, [2]int{960, 960}, 0},
		{"periods of 1 ms", [2]int{16, 16}, [2]int{0, 0}, 0},
		{"a large buffer", [2]int{0, 0}, [2]int{32000, 32000}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			card := card(16000, 1)
			for _, s := range []*pcmtest.Stream{card.Playback, card.Capture} {
				s.Period, s.Buffer, s.Step = c.period, c.buffer, c.step
			}
			d := open(t, pcmtest.New(card))
			talk(t, d, 500)
			if s := d.Statistics(); s.CaptureXruns+s.PlaybackXruns+s.Dropped != 0 || s.PlaybackDelay > 120*time.Millisecond {
				t.Errorf("%s: %+v", c.name, s)
			}
			_ = d.Close()
		})
	}
}

func TestAFlushIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		var played []int16
		card.Playback.Sound = func(samples []int16, _, _ int) { played = append(played, samples...) }
		d := open(t, pcmtest.New(card))
		if err := d.Flush(); err != nil {
			t.Fatal(err)
		}
		talk(t, d, 20)
		if err := d.Flush(); err != nil {
			t.Fatal(err)
		}
		before := len(played)
		mic, silence := make([]int16, hal.FrameSamples), make([]int16, hal.FrameSamples)
		for range 10 {
			if err := d.Read(mic); err != nil {
				t.Fatal(err)
			}
			if err := d.Write(silence); err != nil {
				t.Fatal(err)
			}
		}
		for i, v := range played[before:] {
			if v != 0 {
				t.Fatalf("sample %d after the flush is %d", i, v)
			}
		}
		if len(played)-before < 16*150 {
			t.Errorf("only %d samples were played after the flush", len(played)-before)
		}
		if s := d.Statistics(); s.PlaybackXruns != 0 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
		_ = d.Close()
	})
}

func TestAStoppedDeviceDoesNotRunOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		d := open(t, pcmtest.New(card))
		for range 3 {
			talk(t, d, 20)
			if err := d.Stop(); err != nil {
				t.Fatal(err)
			}
			if card.Capture.State() != "SETUP" || card.Playback.State() != "SETUP" {
				t.Fatalf("stopped: %s and %s", card.Capture.State(), card.Playback.State())
			}
			time.Sleep(time.Minute)
		}
		talk(t, d, 20)
		if s := d.Statistics(); s.CaptureXruns+s.PlaybackXruns+s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
		_ = d.Close()
	})
}

func TestAnUnpluggedCardIsReportedFromEveryState(t *testing.T) {
	calls := map[string]func(*pcm.Duplex) error{
		"Read":  func(d *pcm.Duplex) error { return d.Read(make([]int16, hal.FrameSamples)) },
		"Write": func(d *pcm.Duplex) error { return d.Write(make([]int16, hal.FrameSamples)) },
	}
	states := map[string]func(*testing.T, *pcmtest.Card, *pcm.Duplex){
		"fresh":   func(*testing.T, *pcmtest.Card, *pcm.Duplex) {},
		"running": func(t *testing.T, _ *pcmtest.Card, d *pcm.Duplex) { talk(t, d, 5) },
		"stopped": func(t *testing.T, _ *pcmtest.Card, d *pcm.Duplex) { talk(t, d, 5); _ = d.Stop() },
		"flushed": func(t *testing.T, _ *pcmtest.Card, d *pcm.Duplex) { talk(t, d, 5); _ = d.Flush() },
		"run over": func(t *testing.T, c *pcmtest.Card, d *pcm.Duplex) {
			talk(t, d, 5)
			c.Capture.Xrun()
			c.Playback.Xrun()
		},
		"suspended": func(t *testing.T, c *pcmtest.Card, d *pcm.Duplex) {
			talk(t, d, 5)
			c.Capture.Suspend()
			c.Playback.Suspend()
		},
	}
	for state, reach := range states {
		for name, call := range calls {
			// The kernel says EBADFD while it disconnects, and ENODEV when it has.
			for _, half := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					card := pcmtest.Headset()
					machine := pcmtest.New(card)
					d := open(t, machine)
					reach(t, card, d)
					if half {
						machine.Fail(func(string, asound.Request) error { return unix.EBADFD })
					} else {
						machine.Unplug(card)
					}
					if err := call(d); !errors.Is(err, pcm.ErrUnplugged) || !strings.Contains(err.Error(), "card 0 Headset (pcmC0D0") {
						t.Errorf("%s, %s, half %v: %v", state, name, half, err)
					}
					if err := d.Flush(); err != nil && !errors.Is(err, pcm.ErrUnplugged) {
						t.Errorf("%s: Flush: %v", state, err)
					}
					if err := d.Close(); err != nil {
						t.Errorf("%s: Close: %v", state, err)
					}
				})
			}
		}
	}
}

func TestAWaitingReadEndsWhenTheCardIsUnpluggedAndAnewOneWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		machine := pcmtest.New(card)
		d := open(t, machine)
		talk(t, d, 5)
		began := time.Now()
		time.AfterFunc(5*time.Millisecond, func() { machine.Unplug(card) })
		err := d.Read(make([]int16, hal.FrameSamples))
		if !errors.Is(err, pcm.ErrUnplugged) || time.Since(began) != 5*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if number := machine.Plug(card); number != 0 {
			t.Fatalf("plugged in as %d", number)
		}
		if err := d.Read(make([]int16, hal.FrameSamples)); !errors.Is(err, pcm.ErrUnplugged) {
			t.Errorf("the old device: %v", err)
		}
		again := open(t, machine)
		talk(t, again, 5)
		_, _ = d.Close(), again.Close()
	})
}

func TestAMicrophoneThatHangsIsReportedAfterASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		d := open(t, pcmtest.New(card))
		talk(t, d, 5)
		card.Capture.Hang(true)
		began := time.Now()
		err := d.Read(make([]int16, hal.FrameSamples))
		if took := time.Since(began); err == nil || took < 990*time.Millisecond || took > time.Second || !strings.Contains(err.Error(), "gave nothing for 1s") {
			t.Errorf("after %v: %v", took, err)
		}
		_ = d.Close()
	})
}

func TestASpeakerThatHangsIsReportedAfterASecond(t *testing.T) {
	for _, buffer := range []int{0, 16000 * 60 / 1000} { // the second is full before it is too long
		synctest.Test(t, func(t *testing.T) {
			card := pcmtest.Headset()
			card.Playback.Buffer[1] = buffer
			d := open(t, pcmtest.New(card))
			defer d.Close()
			talk(t, d, 5)
			card.Playback.Hang(true)
			began := time.Now()
			frame := make([]int16, hal.FrameSamples)
			var err error
			for err == nil && time.Since(began) < 10*time.Second {
				if err = d.Read(frame); err == nil {
					err = d.Write(frame)
				}
			}
			if took := time.Since(began); err == nil || took < time.Second || took > 1100*time.Millisecond || !strings.Contains(err.Error(), "took nothing for 1s") {
				t.Errorf("buffer %d, after %v: %v", buffer, took, err)
			}
			card.Playback.Hang(false)
			if err := d.Flush(); err != nil {
				t.Fatal(err)
			}
			before := d.Statistics().Dropped
			talk(t, d, 100)
			if dropped := d.Statistics().Dropped - before; dropped > 0 && buffer == 0 {
				t.Errorf("%d frames are left out afterwards", dropped)
			}
		})
	}
}

// Only frames in a row are a speaker that hangs.
func TestFramesLeftOutNowAndThenAreNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		d := open(t, pcmtest.New(card))
		defer d.Close()
		for range 100 {
			card.Playback.Hang(true)
			talk(t, d, 4) // the queue grows too long
			card.Playback.Hang(false)
			talk(t, d, 10)
		}
		if s := d.Statistics(); s.Dropped < 100 {
			t.Errorf("only %d frames were left out", s.Dropped)
		}
	})
}

func TestAStreamThatStopsAgainAndAgainIsGivenUp(t *testing.T) {
	for _, c := range []struct {
		device string
		call   func(*pcm.Duplex) error
	}{
		{"pcmC0D0c", func(d *pcm.Duplex) error { return d.Read(make([]int16, hal.FrameSamples)) }},
		{"pcmC0D0p", func(d *pcm.Duplex) error { return d.Write(make([]int16, hal.FrameSamples)) }},
	} {
		for _, always := range []unix.Errno{unix.EPIPE, unix.ESTRPIPE, unix.EIO} {
			synctest.Test(t, func(t *testing.T) {
				machine := pcmtest.New(pcmtest.Headset())
				d := open(t, machine)
				talk(t, d, 5)
				machine.Fail(func(device string, request asound.Request) error {
					if device == c.device && (request == asound.ReadI || request == asound.WriteI) {
						return always
					}
					return nil
				})
				if err := c.call(d); !errors.Is(err, always) {
					t.Errorf("%s %v: %v", c.device, always, err)
				}
				_ = d.Close()
			})
		}
	}
}

func TestCloseEndsAReadThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := pcmtest.Headset()
		machine := pcmtest.New(card)
		d := open(t, machine)
		talk(t, d, 5)
		card.Capture.Hang(true)
		time.Sleep(50 * time.Millisecond)
		ended := make(chan error)
		began := time.Now()
		go func() {
			mic := make([]int16, hal.FrameSamples)
			for {
				if err := d.Read(mic); err != nil {
					ended <- err
					return
				}
			}
		}()
		time.Sleep(100 * time.Millisecond)
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != pcm.ErrClosed || time.Since(began) != 100*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		frame := make([]int16, hal.FrameSamples)
		for name, err := range map[string]error{"Read": d.Read(frame), "Write": d.Write(frame), "Flush": d.Flush(), "Stop": d.Stop()} {
			if err != pcm.ErrClosed {
				t.Errorf("%s of a closed device: %v", name, err)
			}
		}
		_ = open(t, machine).Close()
	})
}

func TestAFrameOfAnotherLengthIsRefused(t *testing.T) {
	d := open(t, pcmtest.New(pcmtest.Headset()))
	for _, n := range []int{0, 1, 159, 161, 320} {
		if d.Read(make([]int16, n)) == nil || d.Write(make([]int16, n)) == nil {
			t.Errorf("%d samples are a frame", n)
		}
	}
}

// instant is a kernel whose streams always have and take whole frames.
type instant struct{ asound.Kernel }

func (i instant) Open(name string) (asound.File, error) {
	f, err := i.Kernel.Open(name)
	return instantFile{f}, err
}

type instantFile struct{ asound.File }

func (f instantFile) Ioctl(request asound.Request, argument asound.Argument) error {
	switch a := argument.(type) {
	case *asound.Transfer:
		a.Result = int(a.Frames)
		return nil
	case *asound.Delay:
		a.Frames = 1000
		return nil
	}
	if request == asound.Start {
		return nil
	}
	return f.File.Ioctl(request, argument)
}

func TestFramesAllocateNothing(t *testing.T) {
	d, err := pcm.Open(instant{pcmtest.New(card(44100, 2))}, pcm.End{}, pcm.End{Channel: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	frame := make([]int16, hal.FrameSamples)
	if n := testing.AllocsPerRun(100, func() {
		if err := errors.Join(d.Read(frame), d.Write(frame)); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func TestRandomFaultsNeverHangAndNeverLeaveDelay(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			rates := []int{8000, 16000, 44100}
			card := card(rates[random.IntN(3)], 1+random.IntN(2))
			card.Playback.Step = []time.Duration{0, 4 * time.Millisecond, 10 * time.Millisecond}[random.IntN(3)]
			card.Playback.PPM, card.Capture.PPM = random.Float64()*200-100, random.Float64()*200-100
			card.Playback.Latency = time.Duration(random.IntN(12)) * time.Millisecond
			d := open(t, pcmtest.New(card))
			frame := make([]int16, hal.FrameSamples)
			for step := range 400 {
				s := []*pcmtest.Stream{card.Capture, card.Playback}[random.IntN(2)]
				switch random.IntN(60) {
				case 0:
					s.Xrun()
				case 1:
					s.Suspend()
				case 2:
					time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
				case 3:
					_ = d.Flush()
				case 4:
					_ = d.Stop()
				}
				time.Sleep(time.Duration(random.IntN(8)) * time.Millisecond)
				began := time.Now()
				if err := d.Read(frame); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, err)
				}
				if took := time.Since(began); took > 60*time.Millisecond {
					t.Fatalf("seed %d, step %d: a frame took %v", seed, step, took)
				}
				if err := d.Write(frame); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, err)
				}
				if d := d.Statistics().PlaybackDelay; d > 120*time.Millisecond {
					t.Fatalf("seed %d, step %d: heard after %v", seed, step, d)
				}
			}
			_ = d.Close()
		})
	}
}

func TestTwoCardsWithDifferentCrystalsStayTogether(t *testing.T) {
	for _, c := range []struct {
		ppm  float64 // of the speaker's clock against the microphone's
		rate int
		step time.Duration
	}{{200, 44100, 0}, {-200, 8000, 0}, {200, 8000, 10 * time.Millisecond}, {400, 16000, 0}, {-400, 16000, 4 * time.Millisecond}, {0, 16000, 0}} {
		t.Run(fmt.Sprintf("%+.0f ppm at %d Hz", c.ppm, c.rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				headset, codec := pcmtest.Headset(), card(c.rate, 2)
				headset.Playback, codec.Capture = nil, nil
				headset.Capture.PPM, codec.Playback.PPM, codec.Playback.Step = 30, 30+c.ppm, c.step
				codec.Playback.Latency = 3 * time.Millisecond
				d, err := pcm.Open(pcmtest.New(headset, codec), pcm.End{Card: 0}, pcm.End{Card: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				talk(t, d, 2000)
				var low, high time.Duration = time.Hour, 0
				for range 20 { // the last third of a minute
					talk(t, d, 50)
					delay := d.Statistics().PlaybackDelay
					low, high = min(low, delay), max(high, delay)
				}
				s := d.Statistics()
				if s.CaptureXruns+s.PlaybackXruns+s.Dropped != 0 {
					t.Errorf("%+v", s)
				}
				// Within the target of 40 ms, 2 ms of the filter, 3 ms of the hardware, 10 ms that the servo gives way, and its step.
				if low < 28*time.Millisecond || high > 57*time.Millisecond+c.step {
					t.Errorf("what is written is heard after %v to %v", low, high)
				}
				// A position that moves in steps is seen now early, now late.
				if off := math.Abs(s.BendPPM - c.ppm); off > 80+15*float64(c.step/time.Millisecond) || c.ppm == 0 && off != 0 {
					t.Errorf("after a minute it bends by %.0f ppm", s.BendPPM)
				}
			})
		})
	}
}
