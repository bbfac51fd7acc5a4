package media

import (
	"math"
	"time"
)

// A sound is what a stretch of the stream's time line holds.
type sound uint8

const (
	missing sound = iota // nothing has arrived
	voice
	quiet   // known to be silent: before the first voice, while a digit is sent instead
	comfort // comfort noise (RFC 3389)
	idle    // no stream runs
)

// A stretch is what one packet says about the time line.
type stretch struct {
	timestamp uint32 // RTP timestamp of its first sample
	length    int    // samples, at most stretchMax
	sound     sound  // voice, quiet or comfort
	samples   []int16
}

// A jitterBuffer turns packets that come early, late, twice or never into an even flow of samples. Its clock is the
// caller of Get. Both methods are called under the session's lock.
type jitterBuffer interface {
	// Put takes a stretch; the samples are copied.
	Put(stretch)
	// Get takes the next samples that are all of one sound: 1 <= n <= len(frame). Only voice is written to frame.
	Get(frame []int16) (n int, s sound)
	// Reset forgets the stream: the next Put begins another one. The counts stay.
	Reset()
	Counts() bufferCounts
}

type bufferCounts struct {
	late      uint64        // stretches of voice that came after their time to play, wholly or in part
	recentred uint64        // how often the delay was set right by a jump
	delay     time.Duration // how long samples wait at present
}

const (
	rateHz       = 8000          // of sip.PCMA and sip.PCMU
	millisecond  = rateHz / 1000 // in samples
	frameSamples = 20 * millisecond
	// stretchMax is the longest packet taken: ten times the usual. RFC 3551 section 4.2 asks receivers for 200 ms.
	stretchMax = 200 * millisecond
)

const (
	// playoutDelay is how long a packet waits when it comes on time: on a wired network jitter of two packets is rare.
	playoutDelay = 60 * millisecond
	// playoutReach is how far ahead a packet may lie. Further ahead is another time line: a jump of timestamps.
	playoutReach = 400 * millisecond
	// playoutSlack: packets that always come earlier than playoutDelay by more than this make us jump forward.
	playoutSlack = 40 * millisecond
	// observation is how long "always" is. It must be longer than the usual burst of delay.
	observation = 2000 * millisecond
	// lateMax frames in a row in which packets came late only: the delay is too short, for example because the
	// sender's clock is slower than ours.
	lateMax = 5
	// dryMax without anything to play: the stream has ended (hold, silence suppression); the next packet starts anew.
	dryMax = 400 * millisecond
	// ringSize is a power of two above playoutReach, so that the ring's index is a part of the timestamp.
	ringSize = 4096
)

// A fixedBuffer is a jitter buffer of constant delay, a ring of samples indexed by timestamp:
//
//	     next                    end
//	-----[vvvvvvvvv----vvvvvvvvvv)-------> timestamp      v voice, - missing
//	     |<--- lead of a packet --->|
//
// It does not care for sequence numbers: a packet knows by its timestamp where it belongs, whenever it comes.
// The zero value is ready.
type fixedBuffer struct {
	samples [ringSize]int16
	sounds  [ringSize]sound
	running bool
	next    uint32 // timestamp of the next sample to be played
	end     uint32 // after the newest sample
	dry     int    // samples missing since the last one present

	lateSeen, timelySeen bool // since the last Get
	lateRun              int
	observed             int   // samples played in this observation
	leadMin              int32 // smallest lead in this observation
	lead16               int32 // 16 times the smoothed lead

	counts bufferCounts
}

// Put implements jitterBuffer.
func (b *fixedBuffer) Put(s stretch) {
	if !b.running {
		b.start(s.timestamp, quiet)
		b.lead16 = 16 * playoutDelay
	}
	lead := int32(s.timestamp - b.next)
	switch {
	case s.sound == voice && lead < 0:
		b.counts.late++
		b.lateSeen = true
		if b.lateRun < lateMax {
			break
		}
		b.counts.recentred++
		b.start(s.timestamp, missing)
		lead = playoutDelay
	case int(lead)+s.length > playoutReach:
		b.counts.recentred++
		b.start(s.timestamp, missing)
		lead = playoutDelay
	case s.sound == voice:
		b.timelySeen = true
	}
	if lead <= -stretchMax {
		return // nothing of it is left, and what is computed below could overflow
	}
	if s.sound == voice {
		b.leadMin = min(b.leadMin, lead)
		b.lead16 += lead - b.lead16/16
	}
	b.store(s, lead)
}

func (b *fixedBuffer) store(s stretch, lead int32) {
	for i := max(0, -int(lead)); i < s.length; i++ {
		at := (s.timestamp + uint32(i)) % ringSize
		if b.sounds[at] != missing && s.sound != voice {
			continue // voice goes before all else
		}
		b.sounds[at] = s.sound
		if s.sound == voice {
			b.samples[at] = s.samples[i]
		}
	}
	if end := s.timestamp + uint32(s.length); int32(end-b.end) > 0 {
		b.end = end
	}
}

// start begins a time line whose first packet has the timestamp given. Until then there is the sound before.
func (b *fixedBuffer) start(timestamp uint32, before sound) {
	clear(b.sounds[:])
	b.running = true
	b.next = timestamp - playoutDelay
	b.end = timestamp
	for i := range uint32(playoutDelay) {
		b.sounds[(b.next+i)%ringSize] = before
	}
	b.dry, b.lateRun, b.lateSeen, b.observed, b.leadMin = 0, 0, false, 0, math.MaxInt32
}

// Get implements jitterBuffer.
func (b *fixedBuffer) Get(frame []int16) (n int, s sound) {
	if !b.running {
		return len(frame), idle
	}
	b.watch()
	s = b.sounds[b.next%ringSize]
	for n < len(frame) && b.sounds[(b.next+uint32(n))%ringSize] == s {
		at := (b.next + uint32(n)) % ringSize
		if s == voice {
			frame[n] = b.samples[at]
		}
		b.sounds[at] = missing
		n++
	}
	b.next += uint32(n)
	b.observed += n
	if s != missing {
		b.dry = 0
	} else if b.dry += n; b.dry >= dryMax && int32(b.end-b.next) <= 0 {
		b.running = false
	}
	return n, s
}

// watch keeps the delay right: too many late packets are dealt with by the next Put, too much delay here.
func (b *fixedBuffer) watch() {
	switch {
	case b.timelySeen:
		b.lateRun = 0
	case b.lateSeen:
		b.lateRun++
	}
	b.lateSeen, b.timelySeen = false, false
	if b.observed < observation {
		return
	}
	if b.leadMin != math.MaxInt32 && b.leadMin > playoutDelay+playoutSlack {
		skip := uint32(b.leadMin - playoutDelay)
		for i := range skip {
			b.sounds[(b.next+i)%ringSize] = missing
		}
		b.next += skip
		b.counts.recentred++
	}
	b.observed, b.leadMin = 0, math.MaxInt32
}

// Reset implements jitterBuffer.
func (b *fixedBuffer) Reset() { b.running = false }

// Counts implements jitterBuffer.
func (b *fixedBuffer) Counts() bufferCounts {
	counts := b.counts
	if b.running {
		counts.delay = duration(int64(max(b.lead16/16, 0)))
	}
	return counts
}

// duration is the time that samples take.
func duration(samples int64) time.Duration { return time.Duration(samples) * time.Second / rateHz }

// units is a time in samples, which is how RTP timestamps count it.
func units(d time.Duration) uint32 { return uint32(d.Microseconds() * rateHz / 1e6) }
