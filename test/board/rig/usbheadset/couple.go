package usbheadset

import "encoding/binary"

// What is heard waits so long before the microphone has it: packets from the machine come in bursts, and a gap would be heard.
const coupleAhead = RateHz / 5 // 200 ms

// coupleMax bounds what waits, when nobody listens to the microphone.
const coupleMax = 2 * RateHz

// coupling is the air between earpiece and microphone.
type coupling struct {
	change  func(int16) int16
	waiting []int16
	flowing bool
}

// Couple lets the microphone hear what is played, as if earpiece and microphone were held together. Each sample is changed on its way.
func (h *Headset) Couple(change func(int16) int16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &coupling{change: change}
	h.coupled = c
	h.source = func(samples []int16) {
		clear(samples)
		if c.flowing = c.flowing && len(c.waiting) >= len(samples) || len(c.waiting) >= coupleAhead; c.flowing {
			c.waiting = c.waiting[copy(samples, c.waiting):]
		}
	}
}

// couple takes what is played. The caller holds the lock.
func (h *Headset) couple(data []byte) {
	c := h.coupled
	if c == nil {
		return
	}
	for ; len(data) >= 2 && len(c.waiting) < coupleMax; data = data[2:] {
		c.waiting = append(c.waiting, c.change(int16(binary.LittleEndian.Uint16(data))))
	}
}
