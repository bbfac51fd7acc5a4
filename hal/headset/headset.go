// Package headset speaks with USB headsets: what their own keys ask for goes to the phone, what the phone knows of the call
// goes to their lamps. The decisions are pure; Watcher, on Linux, carries them out on the kernel's raw HID devices. It knows
// no call and no sound. Headsets on a serial line are in package handsfree, the reading of descriptors in package hid.
//
//	/dev/hidrawN --report--> Headset.Input(now, report) ----> hal.HeadsetChange
//	                         Headset.Show(now, lamps) ---+
//	                         Headset.Tick(now) ----------+--> Headset.Reports(now) --> /dev/hidrawN
//
// Hook and mute belong to both ends. The headset changes them by its keys, the phone by its lamps, and each answers the
// other: what comes back is an echo and no key. Sources: HID Usage Tables (HUT) 1.5, pages 0x08, 0x09, 0x0B and 0x0C and the
// usage types of section 3.4; for the order of reports and the answers, Jabra's "Interacting with Jabra devices" and its HID
// guide, sections 2 and 3.
package headset

import (
	"errors"
	"slices"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/headset/hid"
)

const (
	// echoTime is how long after the phone changed hook or mute the headset's answer may contradict it: it is the answer to
	// the change before.
	echoTime = 200 * time.Millisecond
	// patience is how long the phone may take to do what a key asked for. Then it has refused, and the headset is told so.
	// Jabra's wired headsets take their hook back by themselves after about 2 s without an answer.
	patience = time.Second
	// keyTime is the shortest time between two presses of one key. Some headsets report every press twice within 5 ms (the
	// kernel's hid-plantronics knows the Blackwire 3220 for it), and a volume wheel that turns fast must not fill the queue.
	keyTime = 20 * time.Millisecond
	// retryTime passes after a report could not be written.
	retryTime = time.Second
)

// The usages of HUT 1.5 that a headset has.
const (
	pageLED       = 0x08
	pageButton    = 0x09
	pageTelephony = 0x0B
	pageConsumer  = 0x0C
)

var (
	usageHook       = hid.Usage{Page: pageTelephony, ID: 0x20} // Hook Switch, OOC
	usageFlash      = hid.Usage{Page: pageTelephony, ID: 0x21} // Flash, MC
	usageRedial     = hid.Usage{Page: pageTelephony, ID: 0x24} // Redial, OSC
	usageDrop       = hid.Usage{Page: pageTelephony, ID: 0x26} // Drop, OSC
	usageMute       = hid.Usage{Page: pageTelephony, ID: 0x2F} // Phone Mute, OOC
	usageBusy       = hid.Usage{Page: pageTelephony, ID: 0x97} // Line Busy Tone, MC
	usageReject     = hid.Usage{Page: pageButton, ID: 0x07}    // Button 7; all makers mean "reject" by it
	usageVolumeUp   = hid.Usage{Page: pageConsumer, ID: 0xE9}  // Volume Increment, RTC
	usageVolumeDown = hid.Usage{Page: pageConsumer, ID: 0xEA}  // Volume Decrement, RTC

	lampMute       = hid.Usage{Page: pageLED, ID: 0x09}
	lampOffHook    = hid.Usage{Page: pageLED, ID: 0x17}
	lampRing       = hid.Usage{Page: pageLED, ID: 0x18}
	lampMessage    = hid.Usage{Page: pageLED, ID: 0x19} // stays dark: the phone has its own
	lampSpeaker    = hid.Usage{Page: pageLED, ID: 0x1E} // stays dark: no headset needs it
	lampHold       = hid.Usage{Page: pageLED, ID: 0x20}
	lampMicrophone = hid.Usage{Page: pageLED, ID: 0x21}
)

// ErrNoTelephony is what New says of a device that is no headset with keys: a keyboard, or a headset that only has sound.
var ErrNoTelephony = errors.New("headset: the device has neither hook switch nor mute key")

// A Headset is what the phone knows of one USB headset: its controls, what it said last and what it was told last.
type Headset struct {
	descriptor *hid.Descriptor
	hook, mute shared
	keys       []key
	lamps      []lamp
	wanted     hal.HeadsetLamps
	sent       map[byte][]byte // what each report last said to the headset, without its id
	stale      map[byte]bool   // reports to be written even if they say nothing new
	sending    []*shared       // whose change is on its way
	holdUntil  time.Time       // no report before, because the last one failed
}

// A key is a button that means one thing when it is pressed.
type key struct {
	control hid.Control
	down    bool
	last    time.Time
	means   hal.HeadsetAction
}

// A lamp is one bit of an output report.
type lamp struct {
	control hid.Control
	shows   func(hal.HeadsetLamps) bool
}

// New reads a report descriptor; nothing is wanted of the headset yet, so the first Reports turn everything off.
func New(descriptor []byte) (*Headset, error) {
	d, err := hid.Parse(descriptor)
	if err != nil {
		return nil, err
	}
	h := &Headset{descriptor: d, sent: map[byte][]byte{}, stale: map[byte]bool{}}
	h.hook = newShared(d, usageHook, lampOffHook, hal.HeadsetOffHook, hal.HeadsetOnHook)
	h.mute = newShared(d, usageMute, lampMute, hal.HeadsetMute, hal.HeadsetUnmute)
	if !h.hook.present && !h.mute.present {
		return nil, ErrNoTelephony
	}
	for _, k := range []struct {
		usage hid.Usage
		means hal.HeadsetAction
	}{
		{usageReject, hal.HeadsetReject}, {usageDrop, hal.HeadsetOnHook}, {usageFlash, hal.HeadsetFlash},
		{usageRedial, hal.HeadsetRedial}, {usageVolumeUp, hal.HeadsetVolumeUp}, {usageVolumeDown, hal.HeadsetVolumeDown},
	} {
		if c, ok := input(d, k.usage); ok {
			h.keys = append(h.keys, key{control: c, means: k.means})
		}
	}
	for _, l := range []struct {
		usage hid.Usage
		shows func(hal.HeadsetLamps) bool
	}{
		{lampRing, func(l hal.HeadsetLamps) bool { return l.Ring }},
		{lampOffHook, func(l hal.HeadsetLamps) bool { return l.OffHook }},
		{lampMute, func(l hal.HeadsetLamps) bool { return l.Mute }},
		{lampHold, func(l hal.HeadsetLamps) bool { return l.Hold }},
		{lampMicrophone, func(l hal.HeadsetLamps) bool { return l.Microphone }},
		{lampMessage, never}, {lampSpeaker, never},
	} {
		if c, ok := d.Output(l.usage); ok {
			h.lamps = append(h.lamps, lamp{c, l.shows})
		}
	}
	return h, nil
}

func never(hal.HeadsetLamps) bool { return false }

// input finds a control. A button is the headset's only in a telephony collection: a mouse has a seventh one, too.
func input(d *hid.Descriptor, u hid.Usage) (hid.Control, bool) {
	c, ok := d.Input(u)
	if ok && u.Page == pageButton && c.Application.Page != pageTelephony {
		return c, false
	}
	return c, ok
}

// Input takes one report as it was read, its id first when reports are numbered. What is too short, unknown or says nothing
// new asks for nothing.
func (h *Headset) Input(now time.Time, report []byte) []hal.HeadsetChange {
	id := byte(0)
	if h.descriptor.Numbered {
		if len(report) == 0 {
			return nil
		}
		id, report = report[0], report[1:]
	}
	var changes []hal.HeadsetChange
	pressed := func(c hid.Control) (bool, bool) {
		if c.Report != id {
			return false, false
		}
		return c.On(report)
	}
	for i := range h.keys {
		k := &h.keys[i]
		down, known := pressed(k.control)
		if !known || down == k.down {
			continue
		}
		k.down = down
		if down && now.Sub(k.last) >= keyTime {
			changes = append(changes, h.press(k.means)...)
			k.last = now
		}
	}
	for _, s := range []*shared{&h.mute, &h.hook} {
		if on, known := pressed(s.control); s.present && known {
			changes = append(changes, s.input(now, on)...)
		}
	}
	return changes
}

// press is what a key asks for now. Drop while it only rings rejects.
func (h *Headset) press(means hal.HeadsetAction) []hal.HeadsetChange {
	if means == hal.HeadsetOnHook && !h.wanted.OffHook {
		if !h.wanted.Ring {
			return nil
		}
		means = hal.HeadsetReject
	}
	return []hal.HeadsetChange{{Action: means}}
}

// Show is what the headset shall show from now on.
func (h *Headset) Show(now time.Time, lamps hal.HeadsetLamps) {
	h.wanted = lamps
	h.hook.show(now, lamps.OffHook)
	h.mute.show(now, lamps.Mute)
}

// Tick decides what only time can tell.
func (h *Headset) Tick(now time.Time) []hal.HeadsetChange {
	var changes []hal.HeadsetChange
	for _, s := range []*shared{&h.mute, &h.hook} {
		again, change := s.tick(now)
		if again {
			h.stale[s.lamp.Report] = true
		}
		changes = append(changes, change...)
	}
	return changes
}

// Deadline is when Tick, and after it Reports, has something to do; the zero time means never.
func (h *Headset) Deadline() time.Time {
	var first time.Time
	for _, t := range []time.Time{h.hook.decide, h.mute.decide, h.holdUntil} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// Reports are the output reports that make the headset show what it shall, in their order, ready to be written: with its id
// in front, or 0 when reports are not numbered (Documentation/hid/hidraw.rst). Only what changed is in them. They count as
// written; the caller says by Sent how it went before it asks again.
func (h *Headset) Reports(now time.Time) [][]byte {
	if now.Before(h.holdUntil) {
		return nil
	}
	h.holdUntil = time.Time{}
	// The ring goes off before the headset goes off hook: some take a report with both as a second call.
	reports := h.write(nil, func(l lamp, on bool) bool { return on && l.shows(h.wanted) }, nil)
	reports = h.write(reports, func(l lamp, _ bool) bool { return l.shows(h.wanted) }, h.stale)
	clear(h.stale)
	h.sending = h.sending[:0]
	for _, s := range []*shared{&h.hook, &h.mute} {
		if s.changing && len(reports) > 0 {
			s.changing = false
			h.sending = append(h.sending, s)
		}
	}
	return reports
}

// write appends the reports that change when each lamp becomes what state says, and the stale ones; on is what it was. A new
// headset first gets all lamps off: nobody knows what it shows.
func (h *Headset) write(reports [][]byte, state func(l lamp, on bool) bool, stale map[byte]bool) [][]byte {
	for i, l := range h.lamps {
		id := l.control.Report
		if slices.ContainsFunc(h.lamps[:i], func(before lamp) bool { return before.control.Report == id }) {
			continue
		}
		length := h.descriptor.Length(hid.Output, id)
		if h.descriptor.Numbered {
			length--
		}
		old, known := h.sent[id]
		report := make([]byte, length)
		for _, l := range h.lamps {
			if l.control.Report == id {
				on, _ := l.control.On(old)
				l.control.Put(report, state(l, on))
			}
		}
		if !known || !slices.Equal(report, old) || stale[id] {
			h.sent[id] = report
			reports = append(reports, append([]byte{id}, report...))
		}
	}
	return reports
}

// Sent tells how it went with the last Reports. What failed is said again, after a while.
func (h *Headset) Sent(now time.Time, ok bool) {
	if !ok {
		for id := range h.sent {
			h.stale[id] = true
		}
		h.holdUntil = now.Add(retryTime)
	}
	for _, s := range h.sending {
		s.sent(now)
	}
	h.sending = h.sending[:0]
}
