package hal

import "time"

// catchUpFrames is how many frames in a row a FrameClock lets through at once after a stall: 100 ms, which every
// jitter buffer and every sound card's queue still takes.
const catchUpFrames = 5

// A FrameClock says when the next frame is due for whatever has no clock of its own: a simulated sound device, or
// the stand-in for one that was unplugged. It keeps an absolute schedule: counting the ticks of a time.Ticker drifts,
// because a late receiver loses ticks. The zero value is ready; its first frame is due FrameTime after the first Wait.
type FrameClock struct {
	due     time.Time
	skipped uint64
}

// Wait moves on by one frame and is how long to sleep, seen from now, until that frame is due: 0 when it is late.
// After a long stall catchUpFrames frames are due at once and the others are skipped.
func (c *FrameClock) Wait(now time.Time) time.Duration {
	if c.due.IsZero() {
		c.due = now
	}
	c.due = c.due.Add(FrameTime)
	if surplus := now.Sub(c.due)/FrameTime - catchUpFrames; surplus > 0 {
		c.skipped += uint64(surplus)
		c.due = c.due.Add(surplus * FrameTime)
	}
	return max(0, c.due.Sub(now))
}

// Skipped is the number of frames left out after stalls.
func (c *FrameClock) Skipped() uint64 { return c.skipped }
