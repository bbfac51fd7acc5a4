package media

import (
	"encoding/binary"
	"strings"
)

// digits are the DTMF events of RFC 4733 section 3.2 by their code.
const digits = "0123456789*#ABCD"

const (
	// A digit of ours sounds 100 ms and is followed by 60 ms of pause: exchanges need 40 ms of each (ITU-T Q.24),
	// voice menus that listen to transcoded tones need more.
	toneFrames  = 5
	pauseFrames = 3
	// endPackets is how often the end of a digit is sent (RFC 4733 section 2.5.1.4: three times).
	endPackets = 3
	// digitsMax digits wait: 5 s of tones. Nobody types further ahead.
	digitsMax = 32
	// eventSize is the length of an event's payload (RFC 4733 section 2.3).
	eventSize = 4
	// eventVolume is the power of our tones in -dBm0: what most exchanges send.
	eventVolume = 10
	eventEnd    = 0x80 // E bit
)

// A digitSender sends digits as telephone-event, a packet every 20 ms, all with the timestamp of the beginning:
//
//	frame     0     1     2     3     4     5     6     7  |  0
//	packet    M         ...           E     E     E     -  |  M      M marker, E end
//
// The zero value has nothing to send.
type digitSender struct {
	queue     [digitsMax]byte // event codes
	waiting   int
	frame     int // of the first digit in the queue; 0 is before its first packet
	timestamp uint32
}

// add queues a digit; false when it is none or too many wait.
func (d *digitSender) add(digit byte) bool {
	code := strings.IndexByte(digits, digit)
	if code < 0 || d.waiting == digitsMax {
		return false
	}
	d.queue[d.waiting] = byte(code)
	d.waiting++
	return true
}

// active reports whether a digit, or the pause after it, takes the place of voice.
func (d *digitSender) active() bool { return d.waiting > 0 }

// clear forgets all digits.
func (d *digitSender) clear() { d.waiting, d.frame = 0, 0 }

// next writes the event payload of the frame with the timestamp given to payload and moves on by one frame. n is 0 when
// no packet is due in this frame.
func (d *digitSender) next(payload []byte, now uint32) (n int, timestamp uint32, marker bool) {
	if d.frame == 0 {
		d.timestamp = now
	}
	// RFC 4733 section 2.5.1.2: the marker bit stands in the first packet of an event only.
	marker = d.frame == 0
	if d.frame < toneFrames-1+endPackets {
		payload[0], payload[1] = d.queue[0], eventVolume
		if d.frame >= toneFrames-1 {
			payload[1] |= eventEnd
		}
		binary.BigEndian.PutUint16(payload[2:], uint16(min(d.frame+1, toneFrames)*frameSamples))
		n = eventSize
	}
	if d.frame++; d.frame == toneFrames+pauseFrames {
		copy(d.queue[:], d.queue[1:d.waiting])
		d.waiting--
		d.frame = 0
	}
	return n, d.timestamp, marker
}

// A digitReceiver finds the digits in telephone-event packets: one digit a timestamp, at its first packet, so that
// neither a lost beginning nor a lost end matters. The zero value has heard nothing.
type digitReceiver struct {
	heard     bool
	timestamp uint32
	code      byte
}

// receive takes a packet. digit is 0 unless a digit begins with it. duration is how long the event sounds so far,
// in timestamp units; ok is false when it is no event.
func (d *digitReceiver) receive(payload []byte, timestamp uint32, marker bool) (digit byte, duration int, ok bool) {
	if len(payload) < eventSize {
		return 0, 0, false
	}
	code := payload[0]
	duration = int(binary.BigEndian.Uint16(payload[2:]))
	known, since := d.heard, timestamp-d.timestamp
	if known && int32(since) <= 0 {
		return 0, duration, true // an update, a repeated end, or late
	}
	d.heard, d.timestamp = true, timestamp
	// RFC 4733 section 2.5.1.3: an event longer than the field goes on in a new segment, "without marker bit".
	continued := known && code == d.code && since == 1<<16-1 && !marker
	if d.code = code; continued || int(code) >= len(digits) {
		return 0, duration, true // events above 15 are no digits: flash, tones, alarms
	}
	return digits[code], duration, true
}
