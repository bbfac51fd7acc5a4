package headset

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"freizeichen/hal"
)

// A model is a wireless headset of Jabra's layout with somebody who presses its key now and then, and a phone that obeys it
// and now and then calls and hangs up by itself. The headset answers every change of its lamp, late.
type model struct {
	hook    bool
	offHook bool // the lamp, as the headset has it
	phone   bool
	due     []due

	answered time.Time // it answers in order
}

type due struct {
	at time.Time
	do func(now time.Time)
}

func (m *model) at(t time.Time, do func(time.Time)) {
	i, _ := slices.BinarySearchFunc(m.due, t, func(d due, t time.Time) int { return d.at.Compare(t.Add(1)) })
	m.due = slices.Insert(m.due, i, due{t, do})
}

func TestEveryPressIsOneKeyAndNothingElseIs(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		soon := func(most time.Duration) time.Duration { return time.Duration(random.Int64N(int64(most))) }
		h, err := New(descriptor(t, "jabra-layout"))
		if err != nil {
			t.Fatal(err)
		}
		m := model{}
		start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
		var pressed, keys []hal.HeadsetAction
		var step func(now time.Time, changes []hal.HeadsetChange)
		report := func(now time.Time) {
			b := byte(0)
			if m.hook {
				b = 1
			}
			step(now, h.Input(now, []byte{2, b, 0}))
		}
		step = func(now time.Time, changes []hal.HeadsetChange) {
			for _, c := range changes {
				keys = append(keys, c.Action)
				m.at(now.Add(soon(50*time.Millisecond)), func(now time.Time) {
					m.phone = c.Action == hal.HeadsetOffHook
					h.Show(now, hal.HeadsetLamps{OffHook: m.phone})
				})
			}
			reports := h.Reports(now)
			for _, r := range reports {
				if lamp := r[1]&1 == 1; lamp != m.offHook {
					m.offHook = lamp
					at := now.Add(soon(150 * time.Millisecond))
					if at.Before(m.answered) {
						at = m.answered
					}
					m.answered = at
					m.at(at, func(now time.Time) {
						if m.hook != lamp {
							m.hook = lamp
							report(now)
						}
					})
				}
			}
			if len(reports) > 0 {
				h.Sent(now, true)
			}
		}
		for n := range 40 {
			at := start.Add(time.Duration(n)*3*time.Second + soon(time.Second))
			if random.IntN(2) == 0 {
				m.at(at, func(now time.Time) {
					m.hook = !m.hook
					want := hal.HeadsetOnHook
					if m.hook {
						want = hal.HeadsetOffHook
					}
					pressed = append(pressed, want)
					report(now)
				})
				continue
			}
			change := func(now time.Time) {
				m.phone = !m.phone
				h.Show(now, hal.HeadsetLamps{OffHook: m.phone})
			}
			m.at(at, change)
			if random.IntN(2) == 0 { // and at once back again
				m.at(at.Add(soon(40*time.Millisecond)), change)
			}
		}
		for now := start; len(m.due) > 0 || !h.Deadline().IsZero(); {
			if d := h.Deadline(); len(m.due) == 0 || !d.IsZero() && d.Before(m.due[0].at) {
				now = d
				step(now, h.Tick(now))
				continue
			}
			next := m.due[0]
			m.due = m.due[1:]
			now = next.at
			next.do(now)
			step(now, nil)
		}
		if !slices.Equal(keys, pressed) || m.hook != m.phone || m.offHook != m.phone {
			t.Fatalf("seed %d: pressed %v, heard %v; in the end phone %v, lamp %v, headset %v", seed, pressed, keys, m.phone, m.offHook, m.hook)
		}
	}
}

func TestAStormOfReportsIsFewKeys(t *testing.T) {
	for _, name := range []string{"jabra-layout", "plantronics-layout", "rig", "dell-sp325"} {
		h, err := New(descriptor(t, name))
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		now, keys := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), 0
		for range 10_000 { // ten seconds, a report a millisecond
			now = now.Add(time.Millisecond)
			keys += len(h.Tick(now))
			report := []byte{byte(random.IntN(13)), byte(random.Uint32()), byte(random.Uint32())}
			keys += len(h.Input(now, report[:random.IntN(4)]))
			h.Show(now, hal.HeadsetLamps{OffHook: random.IntN(2) == 0, Mute: random.IntN(2) == 0})
			for _, r := range h.Reports(now) {
				if len(r) != 2 && len(r) != 3 {
					t.Fatalf("%s: a report of %d bytes", name, len(r))
				}
			}
			h.Sent(now, random.IntN(4) > 0)
		}
		// Hook and mute 5 times a second each, six keys 50 times.
		if most := 10 * (2*5 + 6*50); keys > most {
			t.Errorf("%s: %d keys in ten seconds, more than %d", name, keys, most)
		}
	}
}

func FuzzInput(f *testing.F) {
	f.Add(uint8(0), []byte{3, 2, 1, 0, 3, 2, 0, 0})
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		names := []string{"jabra-layout", "plantronics-layout", "rig", "dell-sp325", "blackwire-3220", "logitech-mx-brio"}
		h, err := New(descriptor(t, names[int(which)%len(names)]))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
		for len(data) > 0 {
			n := min(int(data[0]&7), len(data)-1)
			h.Show(now, hal.HeadsetLamps{OffHook: data[0]&8 > 0, Ring: data[0]&16 > 0, Mute: data[0]&32 > 0})
			h.Input(now, data[1:1+n])
			h.Reports(now)
			h.Sent(now, data[0]&64 > 0)
			now = now.Add(time.Duration(data[0]) * time.Millisecond)
			h.Tick(now)
			data = data[1+n:]
		}
		// Whatever happened, it comes to rest.
		for range 20 {
			d := h.Deadline()
			if d.IsZero() {
				return
			}
			h.Tick(d)
			h.Reports(d)
			h.Sent(d, true)
		}
		t.Fatal("it never comes to rest")
	})
}
