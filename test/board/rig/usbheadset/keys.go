package usbheadset

import "time"

// Keys are those that are down, and what the hook switch of the headset says.
type Keys struct {
	OffHook, Mute, Flash, Redial, Drop bool
	VolumeUp, VolumeDown               bool
}

// Lamps is what the phone writes: LED page (0x08) of the usage tables.
type Lamps struct{ OffHook, Mute, Ring, Hold, Microphone bool }

// Numbers of the reports.
const (
	reportTelephony = 1
	reportLamps     = 2
	reportConsumer  = 3
)

// reportDescriptor is HID 6.2.2. Mute is a key that says that it was pressed (one shot, relative), hook a switch that stays (absolute), as
// Usage Tables chapter 11 has them.
var reportDescriptor = []byte{
	0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, // telephony page, headset, collection
	0x85, reportTelephony, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
	0x09, 0x20, 0x95, 0x01, 0x81, 0x22, // hook switch: absolute, no preferred state
	0x09, 0x2f, 0x09, 0x21, 0x09, 0x24, 0x09, 0x26, 0x95, 0x04, 0x81, 0x06, // mute, flash, redial, drop: relative
	0x95, 0x03, 0x81, 0x03, // filling
	0x05, 0x08, 0x85, reportLamps,
	0x09, 0x17, 0x09, 0x09, 0x09, 0x18, 0x09, 0x20, 0x09, 0x21, 0x95, 0x05, 0x91, 0x22, // off-hook, mute, ring, hold, microphone
	0x95, 0x03, 0x91, 0x03,
	0xc0,
	0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01, // consumer page, consumer control
	0x85, reportConsumer, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
	0x09, 0xe9, 0x09, 0xea, 0x95, 0x02, 0x81, 0x02, // volume up and down
	0x95, 0x06, 0x81, 0x03,
	0xc0,
}

// bits puts the first into bit 0.
func bits(values ...bool) byte {
	var b byte
	for i, v := range values {
		if v {
			b |= 1 << i
		}
	}
	return b
}

func (k Keys) telephony() byte { return bits(k.OffHook, k.Mute, k.Flash, k.Redial, k.Drop) }

func (k Keys) consumer() byte { return bits(k.VolumeUp, k.VolumeDown) }

// report is what a key report says now.
func (h *Headset) report(number byte) (reply []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch number {
	case reportTelephony:
		return []byte{number, h.keys.telephony()}, true
	case reportConsumer:
		return []byte{number, h.keys.consumer()}, true
	}
	return nil, false
}

// lamps takes a report from the machine, its number first.
func (h *Headset) lamps(report []byte) {
	if len(report) < 2 || report[0] != reportLamps {
		return
	}
	b := report[1]
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.reports) < reportsMax {
		h.reports = append(h.reports, Report{time.Now(), Lamps{b&1 != 0, b&2 != 0, b&4 != 0, b&8 != 0, b&16 != 0}})
	}
	close(h.changed)
	h.changed = make(chan struct{})
}
