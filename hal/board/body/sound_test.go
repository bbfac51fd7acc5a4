//go:build linux

package body

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/pcmtest"
)

// A soundRig is a body's sound with cards in memory.
type soundRig struct {
	*Sound
	t       *testing.T
	machine *pcmtest.Machine
	plays   map[string]*atomic.Int64 // samples that were not silent, by card

	mu      sync.Mutex
	reports []string
	pulled  []string
	logged  strings.Builder
}

// table is a phone whose handset is the codec, with a loudspeaker of its own and USB headsets.
func table() board.Table {
	return board.Table{
		Handset: board.Sound{Place: "b:1", Card: "Codec", Playback: "left", Capture: "left"},
		Speaker: board.Sound{Place: "b:2", Card: "Loud"},
		Headset: board.Headset{USB: true},
	}
}

// codec is a sound chip, headset a USB headset at a port.
func codec(id string) *pcmtest.Card {
	c := pcmtest.Codec()
	c.ID, c.Name, c.LongName = id, id, id
	return c
}

func headsetAt(id, port string) *pcmtest.Card {
	c := pcmtest.Headset()
	c.ID, c.Name, c.LongName, c.USBPath = id, id, id, port
	return c
}

func newRig(t *testing.T, table board.Table, cards ...*pcmtest.Card) *soundRig {
	r := &soundRig{t: t, machine: pcmtest.New(), plays: map[string]*atomic.Int64{}}
	for _, c := range cards {
		r.plug(c)
	}
	log := slog.New(slog.NewTextHandler(writer(func(b []byte) { r.mu.Lock(); defer r.mu.Unlock(); r.logged.Write(b) }), nil))
	r.Sound = newSound(r.machine, table, func(c hal.PartChange) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reports = append(r.reports, c.Part.String()+" "+c.Fault.String())
	}, func(usb string) { r.mu.Lock(); defer r.mu.Unlock(); r.pulled = append(r.pulled, usb) }, log)
	return r
}

// newCallThatHangs is a call by the handset whose card has just hung; the loudspeaker's works.
func newCallThatHangs(t *testing.T) (r *soundRig, hung *pcmtest.Card) {
	hung = codec("Codec")
	r = newRig(t, table(), hung, codec("Loud"))
	r.Route(hal.Handset)
	r.frames(20)
	hung.Capture.Hang(true)
	return r, hung
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

func (r *soundRig) plug(c *pcmtest.Card) {
	if r.plays[c.ID] == nil {
		r.plays[c.ID] = &atomic.Int64{}
	}
	loud := r.plays[c.ID]
	c.Playback.Sound = func(samples []int16, _, _ int) {
		for _, s := range samples {
			if s != 0 {
				loud.Add(1)
			}
		}
	}
	r.machine.Plug(c)
}

// frames is some frames of a call. Every frame takes its time, whatever the cards do.
func (r *soundRig) frames(n int) {
	r.t.Helper()
	var mic, speaker [hal.FrameSamples]int16
	for i := range speaker {
		speaker[i] = 1000
	}
	for range n {
		if err := r.Read(mic[:]); err != nil {
			r.t.Fatalf("reading: %v", err)
		}
		if err := r.Write(speaker[:]); err != nil {
			r.t.Fatalf("writing: %v", err)
		}
	}
}

// heard is which cards sound during some frames.
func (r *soundRig) heard(n int) string {
	r.t.Helper()
	before := map[string]int64{}
	for id, loud := range r.plays {
		before[id] = loud.Load()
	}
	r.frames(n)
	var sounding []string
	for _, id := range []string{"Codec", "Loud", "Jabra", "Poly", "Wire", "Device", "Device_1"} {
		if loud := r.plays[id]; loud != nil && loud.Load() > before[id] {
			sounding = append(sounding, id)
		}
	}
	return strings.Join(sounding, " ")
}

func (r *soundRig) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := strings.Join(r.reports, ", ")
	r.reports = nil
	return told
}

func (r *soundRig) want(what, got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestEachRouteSoundsWhereTheTableSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wired := table()
		wired.Jack = board.Sound{Place: "b:3", Card: "Wire"}
		r := newRig(t, wired, codec("Codec"), codec("Loud"), codec("Wire"))
		defer r.Close()
		for _, route := range []hal.Route{hal.Handset, hal.Speaker, hal.Headset, hal.Handset, hal.Silent, hal.Speaker} {
			r.Route(route)
			want := map[hal.Route]string{hal.Handset: "Codec", hal.Speaker: "Loud", hal.Headset: "Wire", hal.Silent: ""}[route]
			r.want(route.String(), r.heard(20), want)
		}
		r.want("reports of a phone that is whole", r.told(), "")
		if !r.Has(hal.Handset) || r.Has(hal.Silent) {
			t.Error("Has is wrong")
		}
	})
}

// 112 must be heard, whatever is broken.
func TestACallIsHeardBySomethingWhateverIsMissing(t *testing.T) {
	for _, c := range []struct {
		cards string
		route hal.Route
		heard string
	}{
		{"", hal.Handset, ""},
		{"Codec", hal.Handset, "Codec"},
		{"Loud", hal.Handset, "Loud"},
		{"Jabra", hal.Handset, "Jabra"},
		{"Loud Jabra", hal.Handset, "Loud"},
		{"Codec Jabra", hal.Speaker, "Codec"},
		{"Jabra", hal.Speaker, "Jabra"},
		{"Codec", hal.Headset, "Codec"},
		{"Codec Loud", hal.Headset, "Loud"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, table())
			defer r.Close()
			for id := range strings.FieldsSeq(c.cards) {
				if id == "Jabra" {
					r.plug(headsetAt(id, "/sys/usb/1-1"))
				} else {
					r.plug(codec(id))
				}
			}
			r.Route(c.route)
			r.want(fmt.Sprintf("%s with %q", c.route, c.cards), r.heard(30), c.heard)
			r.frames(100)
			if n := strings.Count(r.logged.String(), "does not go where it should"); n > 1 {
				t.Errorf("%s with %q: told %d times", c.route, c.cards, n)
			}
		})
	}
}

func TestACardThatComesDuringACallTakesItOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, table(), codec("Loud"))
		defer r.Close()
		r.Check()
		r.want("at the start", r.told(), "handset missing")
		r.Check()
		r.want("nothing new", r.told(), "")
		r.Route(hal.Handset)
		r.want("before", r.heard(20), "Loud")
		r.plug(codec("Codec"))
		r.frames(60) // it is looked for once a second
		r.want("after", r.heard(20), "Codec")
		r.want("it works again", r.told(), "handset working")
	})
}

func TestTheFallbackIsNotDisturbedByLookingForTheWantedCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, loud := codec("Codec"), codec("Loud")
		busy.Playback.Holder = "pulseaudio"
		r := newRig(t, table(), busy, loud)
		defer r.Close()
		r.Route(hal.Handset)
		r.want("while somebody has the card", r.heard(20), "Loud")
		r.want("the handset", r.told(), "handset failing")
		starts := loud.Playback.Starts()
		r.mixer = func(asound.Kernel, pcm.Card, []board.Control) error {
			t.Error("its mixer is set again")
			return nil
		}
		r.frames(1500)
		if again := loud.Playback.Starts() - starts; again != 0 {
			t.Errorf("within 30 s the loudspeaker was interrupted %d times", again)
		}
		r.want("reports meanwhile", r.told(), "")
	})
}

func TestACardThatHangsIsPassedOverAndReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, loud := codec("Codec"), codec("Loud")
		r := newRig(t, table(), hung, loud)
		defer r.Close()
		r.Route(hal.Handset)
		r.frames(20)
		hung.Capture.Hang(true)
		r.frames(10) // a second without sound, then the other card
		r.want("the other card", r.heard(20), "Loud")
		r.frames(500)
		r.want("reports", r.told(), "handset failing")
	})
}

// 112 must be heard: no two cards that hang may keep the phone from the third.
func TestTwoCardsThatHangDoNotHideTheThird(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := codec("Codec"), codec("Loud")
		r := newRig(t, table(), one, two, headsetAt("Jabra", "/sys/usb/1-1"))
		defer r.Close()
		one.Capture.Hang(true)
		two.Capture.Hang(true)
		r.Route(hal.Handset)
		r.frames(4) // a second for each
		r.want("the third", r.heard(20), "Jabra")
	})
}

// Of cards that all hang each is tried in turn: the one that comes back is found.
func TestOfCardsThatAllHangTheOneThatComesBackIsHeard(t *testing.T) {
	for _, back := range []string{"Codec", "Loud"} {
		synctest.Test(t, func(t *testing.T) {
			cards := map[string]*pcmtest.Card{"Codec": codec("Codec"), "Loud": codec("Loud")}
			r := newRig(t, table(), cards["Codec"], cards["Loud"])
			defer r.Close()
			r.Route(hal.Handset)
			r.frames(5)
			for _, c := range cards {
				c.Capture.Hang(true)
			}
			r.frames(5000)
			cards[back].Capture.Hang(false)
			r.frames(250)
			r.want("the card that is back", r.heard(20), back)
		})
	}
}

func TestACardThatHangsDoesNotDisturbTheCallThatGoesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, hung := newCallThatHangs(t)
		defer r.Close()
		frames := 0
		for end := time.Now().Add(time.Minute); time.Now().Before(end); frames++ {
			r.frames(1)
		}
		if frames < 2840 { // of 3000: a second until it is noticed, and two in which it was tried again
			t.Errorf("%d frames in a minute", frames)
		}
		hung.Capture.Hang(false)
		r.frames(60 * 50)
		r.want("a minute after it works again", r.heard(20), "Codec")
		r.want("reports", r.told(), "handset failing, handset working")
	})
}

func TestASpeakerThatHangsIsPassedOverThoughItsMicrophoneWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := codec("Codec")
		r := newRig(t, table(), hung, codec("Loud"))
		defer r.Close()
		hung.Playback.Hang(true)
		r.Route(hal.Handset)
		r.frames(100)
		r.want("the other card", r.heard(20), "Loud")
		r.frames(3000)
		r.want("reports", r.told(), "handset failing")
		if n := hung.Playback.Starts(); n > 4 { // it gives frames each time, which do not make it a card that works
			t.Errorf("it was tried %d times in a minute", n)
		}
	})
}

func TestACardThatWorksAgainBetweenCallsIsTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, hung := newCallThatHangs(t)
		defer r.Close()
		r.frames(1500) // it has failed three times
		r.Route(hal.Silent)
		hung.Capture.Hang(false)
		r.Check()
		r.Route(hal.Handset)
		r.want("the next call", r.heard(20), "Codec")
	})
}

func TestACardThatHungAndWasPulledOutIsTakenWhenItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, hung := newCallThatHangs(t)
		defer r.Close()
		r.frames(1500) // it has failed three times
		r.machine.Unplug(hung)
		r.frames(60)
		r.want("without it", r.heard(20), "Loud")
		r.plug(codec("Codec"))
		r.frames(60)
		r.want("when it is back", r.heard(20), "Codec")
	})
}

func TestTheOnlyCardIsTriedAgainThoughItHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := codec("Codec")
		r := newRig(t, table(), hung)
		defer r.Close()
		r.Route(hal.Handset)
		r.frames(20)
		hung.Capture.Hang(true)
		r.frames(300)
		hung.Capture.Hang(false)
		r.frames(200)
		r.want("afterwards", r.heard(50), "Codec")
		r.want("reports", r.told(), "handset failing, handset working")
	})
}

func TestACardMayBePulledOutAtAnyMoment(t *testing.T) {
	for _, route := range []hal.Route{hal.Handset, hal.Headset} {
		for n := range 160 {
			synctest.Test(t, func(t *testing.T) {
				jabra := headsetAt("Jabra", "/sys/usb/1-1")
				r := newRig(t, table(), codec("Loud"), codec("Codec"), jabra)
				defer r.Close()
				r.Plugged("/sys/usb/1-1")
				number := map[hal.Route]string{hal.Handset: "pcmC1", hal.Headset: "pcmC2"}[route]
				var count atomic.Int64
				r.machine.Fail(func(device string, _ asound.Request) error {
					if strings.HasPrefix(device, number) && count.Add(1) > int64(n) {
						return unix.ENODEV
					}
					return nil
				})
				began := time.Now()
				r.Route(route)
				r.frames(4)
				r.Route(hal.Silent)
				r.Route(route)
				r.frames(2)
				if err := r.Rest(); err != nil {
					t.Fatal(err)
				}
				r.frames(1)
				if count.Load() <= int64(n) {
					return // the moment is behind the end
				}
				if route == hal.Headset {
					r.machine.Unplug(jabra)
					r.Plugged("")
				}
				r.frames(60)
				if spent := time.Since(began); spent > 3*time.Second {
					t.Errorf("%s, call %d: 67 frames took %v", route, n, spent)
				}
				r.want(fmt.Sprintf("%s, call %d", route, n), r.heard(20), "Loud")
			})
		}
	}
}

func TestAHeadsetThatIsPulledOutIsToldOnceAndTheCallGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jabra := headsetAt("Jabra", "/sys/usb/1-1")
		must := table()
		must.Headset.Must = true
		r := newRig(t, must, codec("Codec"), codec("Loud"), jabra)
		defer r.Close()
		r.Route(hal.Headset)
		r.want("before", r.heard(20), "Jabra")
		r.machine.Unplug(jabra)
		r.want("the call", r.heard(20), "Loud")
		r.want("reports", r.told(), "headset missing")
		r.want("pulled", strings.Join(r.pulled, " "), "/sys/usb/1-1")
		r.plug(headsetAt("Jabra", "/sys/usb/1-2"))
		r.Plugged("/sys/usb/1-2")
		r.want("plugged in again", r.heard(20), "Jabra")
		r.want("reports", r.told(), "headset working")
	})
}

// The kernel calls two equal cards Device and Device_1.
func TestACardIsNotTakenForTheOneWhoseNameBeginsItsOwn(t *testing.T) {
	twins := board.Table{Handset: board.Sound{Place: "b:1", Card: "Device"}, Speaker: board.Sound{Place: "b:2", Card: "Device_1"}, Headset: board.Headset{USB: true}}
	synctest.Test(t, func(t *testing.T) {
		one := headsetAt("Device", "/sys/usb/1-1")
		r := newRig(t, twins, one, headsetAt("Device_1", "/sys/usb/1-2"))
		defer r.Close()
		r.Route(hal.Handset)
		r.want("before", r.heard(20), "Device")
		r.machine.Unplug(one)
		r.want("the call goes on", r.heard(20), "Device_1")
		r.want("reports", r.told(), "handset missing")
		if r.Has(hal.Handset) || r.Has(hal.Headset) || !r.Has(hal.Speaker) {
			t.Errorf("handset %t, headset %t, speaker %t", r.Has(hal.Handset), r.Has(hal.Headset), r.Has(hal.Speaker))
		}
		r.plug(one)
		r.frames(60)
		r.want("when it is back", r.heard(20), "Device")
		r.want("reports", r.told(), "handset working")
	})
}

func TestACardThatGoesByTheNameOfThePulledOneIsNotIt(t *testing.T) {
	for _, c := range []struct {
		name          string
		table         board.Table
		route         hal.Route
		pulled, stays string
		reports, gone string
	}{
		{name: "another headset", table: board.Table{Handset: board.Sound{Place: "b:1", Card: "Codec"}, Headset: board.Headset{USB: true}},
			route: hal.Headset, pulled: "Jabra", stays: "Poly", gone: "/sys/usb/Jabra"},
		{name: "a headset by wire", table: board.Table{Jack: board.Sound{Place: "b:1", Card: "Wire"}, Headset: board.Headset{USB: true}},
			route: hal.Headset, pulled: "Jabra", stays: "Wire", gone: "/sys/usb/Jabra"},
		{name: "a handset named by a part of its name", table: board.Table{Handset: board.Sound{Place: "b:1", Card: "Dev"}},
			route: hal.Handset, pulled: "Device", stays: "", reports: "handset missing"},
	} {
		synctest.Test(t, func(t *testing.T) {
			out := headsetAt(c.pulled, "/sys/usb/"+c.pulled)
			r := newRig(t, c.table, out)
			defer r.Close()
			r.Route(c.route)
			r.want(c.name+": before", r.heard(20), c.pulled)
			if c.stays != "" {
				r.plug(headsetAt(c.stays, "/sys/usb/"+c.stays))
			}
			r.machine.Unplug(out)
			r.want(c.name+": after", r.heard(20), c.stays)
			r.want(c.name+": reports", r.told(), c.reports)
			r.want(c.name+": pulled", strings.Join(r.pulled, " "), c.gone)
		})
	}
}

// What is open on a card stays dead when the card comes back: that is no headset that is gone.
func TestAHeadsetThatWasPulledOutBetweenCallsIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jabra := headsetAt("Jabra", "/sys/usb/1-1")
		r := newRig(t, table(), codec("Codec"), jabra)
		defer r.Close()
		r.Route(hal.Headset)
		r.frames(10)
		r.Route(hal.Silent)
		r.frames(2)
		if err := r.Rest(); err != nil {
			t.Fatal(err)
		}
		r.machine.Unplug(jabra)
		r.plug(jabra)
		r.Route(hal.Headset)
		r.want("the next call", r.heard(20), "Jabra")
		r.want("pulled", strings.Join(r.pulled, " "), "")
	})
}

func TestTheHeadsetWithTheKeysIsTheOneThatIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handset := headsetAt("Codec", "/sys/usb/1-9") // a handset on USB is no headset
		r := newRig(t, table(), handset, codec("Loud"), headsetAt("Jabra", "/sys/usb/1-1"), headsetAt("Poly", "/sys/usb/1-2"))
		defer r.Close()
		r.Route(hal.Headset)
		r.want("without keys the first", r.heard(20), "Jabra")
		r.Route(hal.Silent)
		r.Plugged("/sys/usb/1-2")
		r.Route(hal.Headset)
		r.want("with keys theirs", r.heard(20), "Poly")
	})
}

func TestAMixerThatDoesNotObeyIsLoggedAndTheCallIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := table()
		wrong.Handset.Mixer = []board.Control{{Place: "b:7", Name: "Hedphone Playback Volume", DB: "-6"}, {Place: "b:8", Name: "Headphone Playback Volume", DB: "-6"}}
		card := codec("Codec")
		r := newRig(t, wrong, card)
		defer r.Close()
		r.Route(hal.Handset)
		r.want("the call", r.heard(20), "Codec")
		if log := r.logged.String(); !strings.Contains(log, "b:7 to b:8") || !strings.Contains(log, "Hedphone") {
			t.Errorf("the log does not say what is wrong: %s", log)
		}
		r.want("reports", r.told(), "")
		if level := card.Level("Headphone Playback Volume"); level[0] != 115 { // -121 dB + 115
			t.Errorf("what can be set is %v", level)
		}
	})
}

func TestTheSwitchesOfAHeadsetThatNobodyKnowsAreOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := headsetAt("Jabra", "/sys/usb/1-1")
		second := pcmtest.Switch("PCM Playback Switch")
		second.Index = 1
		card.Controls = append(card.Controls, second, pcmtest.Switch("Mic Playback Switch"))
		r := newRig(t, table(), card)
		defer r.Close()
		r.Route(hal.Headset)
		r.frames(1)
		if card.Level("PCM Playback Switch")[0] != 1 || card.Level("Mic Capture Switch")[0] != 1 || second.Values[0] != 1 {
			t.Error("a switch is off")
		}
		if card.Level("Mic Playback Switch")[0] != 0 {
			t.Error("who speaks hears himself by the card, beside what the phone does")
		}
	})
}

func TestSilenceAsksNoCardAndTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := codec("Codec")
		r := newRig(t, table(), card)
		defer r.Close()
		r.Route(hal.Handset)
		r.frames(5)
		r.Route(hal.Silent)
		var calls atomic.Int64
		r.machine.Fail(func(string, asound.Request) error { calls.Add(1); return nil })
		began := time.Now()
		r.frames(100)
		if spent := time.Since(began); spent != 2*time.Second || calls.Load() != 0 {
			t.Errorf("100 frames of silence took %v and %d calls of the kernel", spent, calls.Load())
		}
		r.machine.Fail(nil)
		if state := card.Capture.State(); state == "RUNNING" {
			t.Error("the microphone runs while nobody listens")
		}
	})
}

func TestAPhoneAtRestIsAwakeWithTheNextFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := codec("Codec")
		r := newRig(t, table(), card)
		defer r.Close()
		r.Route(hal.Handset)
		for range 3 {
			r.frames(10)
			if err := r.Rest(); err != nil {
				t.Fatal(err)
			}
			if state := card.Capture.State(); state == "RUNNING" {
				t.Error("it runs at rest")
			}
			time.Sleep(time.Hour)
			r.want("after the rest", r.heard(10), "Codec")
		}
	})
}

func TestTheSelfTestBorrowsTheSoundWhileTheCallWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, table(), codec("Codec"), codec("Loud"))
		r.Route(hal.Handset)
		end := make(chan struct{})
		var voice sync.WaitGroup
		voice.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					r.frames(1)
				}
			}
		})
		for i := range 50 {
			time.Sleep(time.Duration(i) * 1700 * time.Microsecond) // at any moment of a Read
			first, second := r.Lend(), r.Lend()
			if _, err := first.Open(hal.Headset); !errors.Is(err, pcm.ErrNoCard) {
				t.Fatalf("a way that is not there: %v", err)
			}
			duplex, err := first.Open(hal.Handset)
			if err != nil {
				t.Fatal(err)
			}
			second.Release() // the card stays with the first
			second.Release()
			var mic [hal.FrameSamples]int16
			for range 5 {
				if err := duplex.Read(mic[:]); err != nil {
					t.Fatal(err)
				}
			}
			if err := duplex.Close(); err != nil {
				t.Fatal(err)
			}
			first.Release()
		}
		time.Sleep(time.Second)
		close(end)
		voice.Wait()
		r.want("given back", r.heard(20), "Codec")
		r.want("reports", r.told(), "")
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClosingEndsAReadThatWaitsWithinAFrame(t *testing.T) {
	for _, route := range []hal.Route{hal.Silent, hal.Handset} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, table(), codec("Codec"))
			r.Route(route)
			r.frames(3)
			ended := make(chan time.Time)
			go func() {
				var mic [hal.FrameSamples]int16
				for r.Read(mic[:]) == nil {
				}
				ended <- time.Now()
			}()
			time.Sleep(47 * time.Millisecond)
			closed := time.Now()
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if late := (<-ended).Sub(closed); late > hal.FrameTime {
				t.Errorf("%s: it ended after %v", route, late)
			}
			r.Route(hal.Speaker)
			if err := errors.Join(r.Rest(), r.Close()); err != nil {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestAFaultThatWentByIsNotToldForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := codec("Codec")
		r := newRig(t, table(), hung)
		defer r.Close()
		r.Route(hal.Handset)
		r.frames(20)
		hung.Capture.Hang(true)
		r.frames(100)
		r.told()
		r.Check() // during a call: nobody takes its card away
		r.Route(hal.Silent)
		r.Check()
		r.want("while it hangs", r.told(), "speaker missing")
		hung.Capture.Hang(false)
		r.Check()
		r.want("when it gives sound again", r.told(), "handset working")
		r.Route(hal.Handset)
		r.want("and a call is heard", r.heard(50), "Codec")
	})
}

func TestARingerWithoutLoudspeakerIsSoftAtTheEar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := codec("Codec")
		r := newRig(t, table(), card)
		var loudest atomic.Int64
		card.Playback.Sound = func(samples []int16, _, _ int) {
			for _, sample := range samples {
				loudest.Store(max(loudest.Load(), int64(sample)))
			}
		}
		defer r.Close()
		for route, want := range map[hal.Route]int64{hal.Speaker: 150, hal.Handset: 1200} {
			loudest.Store(0)
			r.Route(route)
			r.frames(50)
			if got := loudest.Load(); got > want || got < want/2 {
				t.Errorf("on the way of the %s an ear gets %d of 1000", route, got)
			}
		}
	})
}
