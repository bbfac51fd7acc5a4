package media

import (
	"slices"
	"testing"
	"time"
)

// put gives the buffer a packet of 20 ms whose samples all have the value given.
func put(b *fixedBuffer, timestamp uint32, value int16) {
	samples := slices.Repeat([]int16{value}, frameSamples)
	b.Put(stretch{timestamp: timestamp, length: frameSamples, sound: voice, samples: samples})
}

// played takes frames out of the buffer and describes each by one letter: the value of its voice ("a" is 1), "-" missing,
// "." idle, "q" quiet, "n" comfort noise, "+" mixed.
func played(b *fixedBuffer, frames int) string {
	var text []byte
	for range frames {
		var letter byte
		frame := make([]int16, frameSamples)
		for rest := frame; len(rest) > 0; {
			n, s := b.Get(rest)
			is := map[sound]byte{missing: '-', idle: '.', quiet: 'q', comfort: 'n'}[s]
			if s == voice {
				is = byte('a' + rest[0] - 1)
			}
			if letter != 0 && letter != is {
				is = '+'
			}
			letter = is
			rest = rest[n:]
		}
		text = append(text, letter)
	}
	return string(text)
}

const second = 1000 * millisecond

func TestPacketsArePlayedInTheOrderOfTheirTimestamps(t *testing.T) {
	tests := []struct {
		name  string
		order string // packet n in time is the letter 'a' + n
		want  string
		late  uint64
	}{
		{"nothing", "", "......", 0},
		{"one lost", "abdef", "qqqab-def---", 0},
		{"one twice", "abbcdef", "qqqabcdef---", 0},
		{"two changed", "abdcef", "qqqabcdef---", 0},
		{"the first ones changed", "badc", "qqabcd---", 0},
		{"all lost but one", "a", "qqqa---", 0},
		{"in order", "abcdef", "qqqabcdef---", 0},
	}
	for _, test := range tests {
		for _, base := range []uint32{5000, 1<<32 - 3*frameSamples} { // the second wraps in the middle
			var b fixedBuffer
			for _, letter := range test.order {
				put(&b, base+uint32(letter-'a')*frameSamples, int16(letter-'a'+1))
			}
			if got := played(&b, len(test.want)); got != test.want || b.Counts().late != test.late {
				t.Errorf("%s, from %d: played %q, %d late; want %q, %d", test.name, base, got, b.Counts().late, test.want, test.late)
			}
		}
	}
}

func TestALatePacketIsCountedAndNotPlayed(t *testing.T) {
	var b fixedBuffer
	put(&b, 0, 1)
	put(&b, 2*frameSamples, 3)
	if got := played(&b, 5); got != "qqqa-" {
		t.Fatalf("played %q", got)
	}
	put(&b, 1*frameSamples, 2)
	if got := played(&b, 2); got != "c-" {
		t.Errorf("after the late packet: played %q", got)
	}
	if late := b.Counts().late; late != 1 {
		t.Errorf("%d late packets, want 1", late)
	}
}

func TestPacketsOfOtherLengthsAndPhasesFit(t *testing.T) {
	var b fixedBuffer
	for i := range uint32(8) { // 8 packets of 30 ms, shifted by 5 samples
		samples := slices.Repeat([]int16{1}, 240)
		b.Put(stretch{timestamp: 5 + i*240, length: 240, sound: voice, samples: samples})
	}
	if got := played(&b, 15); got != "qqqaaaaaaaaaaaa" {
		t.Errorf("played %q", got)
	}
}

func TestAJumpOfTheTimestampsBeginsAnotherTimeLine(t *testing.T) {
	for _, jump := range []uint32{second, 1 << 31, 1<<32 - 10*second} { // ahead, as far as can be, and back
		var b fixedBuffer
		for i := range uint32(20) {
			put(&b, i*frameSamples, 1)
			played(&b, 1)
		}
		var got string
		for i := range uint32(20) {
			put(&b, jump+(20+i)*frameSamples, 2)
			got += played(&b, 1)
		}
		if got[12:] != "bbbbbbbb" {
			t.Errorf("a jump by %d: played %q", int32(jump), got)
		}
		if b.Counts().recentred != 1 {
			t.Errorf("a jump by %d: recentred %d times", int32(jump), b.Counts().recentred)
		}
	}
}

// drift plays ten minutes in which the sender makes one packet more or less in 200 (far more than clocks differ).
func drift(packets, frames int) (b fixedBuffer, worst time.Duration, gaps int) {
	sent := 0
	for i := range 10 * 60 * 50 {
		for sent*frames < i*packets {
			put(&b, uint32(sent)*frameSamples, 1)
			sent++
		}
		if played(&b, 1) == "-" {
			gaps++
		}
		worst = max(worst, b.Counts().delay)
	}
	return b, worst, gaps
}

func TestAFastSenderDoesNotFillTheBufferForEver(t *testing.T) {
	b, worst, _ := drift(201, 200)
	if worst > 150*time.Millisecond {
		t.Errorf("the delay grew to %v", worst)
	}
	// 150 packets too many are 3 s; each jump takes at least 40 ms of them away.
	if n := b.Counts().recentred; n < 10 || n > 75 {
		t.Errorf("recentred %d times", n)
	}
}

func TestASlowSenderDoesNotComeLateForEver(t *testing.T) {
	b, _, gaps := drift(199, 200)
	if late := b.Counts().late; late > 1000 {
		t.Errorf("%d of 29850 packets came late", late)
	}
	if n := b.Counts().recentred; n < 10 || n > 75 {
		t.Errorf("recentred %d times", n)
	}
	if gaps > 1200 {
		t.Errorf("%d frames were empty", gaps)
	}
}

func TestABurstAfterAStallDoesNotMoveTheDelay(t *testing.T) {
	var b fixedBuffer
	for i := range uint32(50) {
		put(&b, i*frameSamples, 1)
		played(&b, 1)
	}
	stalled := played(&b, 10) // nothing for 200 ms
	for i := range uint32(10) {
		put(&b, (50+i)*frameSamples, 2)
	}
	var after string
	for i := range uint32(10) {
		put(&b, (60+i)*frameSamples, 3)
		after += played(&b, 1)
	}
	if stalled != "aaa-------" && stalled != "aa--------" {
		t.Errorf("during the stall: %q", stalled)
	}
	if after[3:] != "ccccccc" || b.Counts().recentred != 0 {
		t.Errorf("after the stall: %q, recentred %d times", after, b.Counts().recentred)
	}
}

func TestAStreamThatEndsStartsAnew(t *testing.T) {
	var b fixedBuffer
	put(&b, 0, 1)
	if got := played(&b, 26); got != "qqqa"+"--------------------"+".." {
		t.Errorf("played %q", got)
	}
	put(&b, 10*second, 2)
	if got := played(&b, 4); got != "qqqb" {
		t.Errorf("after the pause: played %q", got)
	}
	if n := b.Counts().recentred; n != 0 {
		t.Errorf("recentred %d times", n)
	}
}

func TestQuietAndComfortNoiseGiveWayToVoice(t *testing.T) {
	var b fixedBuffer
	put(&b, 0, 1)
	b.Put(stretch{timestamp: frameSamples, length: 2 * frameSamples, sound: quiet})
	b.Put(stretch{timestamp: 3 * frameSamples, length: frameSamples, sound: comfort})
	put(&b, 4*frameSamples, 5)
	put(&b, 2*frameSamples, 3)
	if got := played(&b, 8); got != "qqqaqcne" {
		t.Errorf("played %q", got)
	}
}

func TestTheDelayIsKnown(t *testing.T) {
	var b fixedBuffer
	for i := range uint32(100) {
		put(&b, i*frameSamples, 1)
		played(&b, 1)
	}
	if delay := b.Counts().delay; delay != 60*time.Millisecond {
		t.Errorf("delay %v, want 60ms", delay)
	}
	put(&b, 1<<32-second, 1) // far too late
	if counts := b.Counts(); counts.delay != 60*time.Millisecond || counts.late != 1 {
		t.Errorf("after a packet of long ago: %+v", counts)
	}
	b.Reset()
	if delay := b.Counts().delay; delay != 0 {
		t.Errorf("delay %v without a stream", delay)
	}
}

func FuzzFixedBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 160, 255, 0, 0, 0, 1, 200})
	f.Add([]byte{0x80, 0, 0, 0, 1, 1, 255, 255, 0x7f, 0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		var b fixedBuffer
		samples, frame := make([]int16, stretchMax), make([]int16, frameSamples)
		for len(script) >= 6 {
			timestamp := uint32(script[0])<<24 | uint32(script[1])<<16 | uint32(script[2])<<8 | uint32(script[3])
			length := int(script[5])*6 + 1
			b.Put(stretch{timestamp: timestamp, length: length, sound: voice + sound(script[4]%3), samples: samples[:length]})
			for range script[4] / 3 {
				for rest := frame; len(rest) > 0; {
					n, _ := b.Get(rest)
					if n < 1 || n > len(rest) {
						t.Fatalf("%d samples into %d", n, len(rest))
					}
					rest = rest[n:]
				}
			}
			if d := b.Counts().delay; d < 0 || d > time.Second {
				t.Fatalf("delay %v", d)
			}
			script = script[6:]
		}
	})
}
