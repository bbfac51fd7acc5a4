package media

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// frames describes what a digitSender does in each frame: "-", or code, timestamp in frames, duration in frames, marks.
func frames(d *digitSender, n int) string {
	var text []string
	payload := make([]byte, eventSize)
	for i := range n {
		if !d.active() {
			text = append(text, "voice")
			continue
		}
		size, timestamp, marker := d.next(payload, uint32(i*frameSamples))
		if size == 0 {
			text = append(text, "-")
			continue
		}
		packet := fmt.Sprintf("%d@%d+%d", payload[0], timestamp/frameSamples, binary.BigEndian.Uint16(payload[2:])/frameSamples)
		if marker {
			packet += "M"
		}
		if payload[1]&eventEnd != 0 {
			packet += "E"
		}
		text = append(text, packet)
	}
	return strings.Join(text, " ")
}

func TestADigitIsSentAsRFC4733Says(t *testing.T) {
	var d digitSender
	if !d.add('#') {
		t.Fatal("# is no digit")
	}
	if got, want := frames(&d, 9), "11@0+1M 11@0+2 11@0+3 11@0+4 11@0+5E 11@0+5E 11@0+5E - voice"; got != want {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestDigitsFollowEachOtherWithAPause(t *testing.T) {
	var d digitSender
	d.add('1')
	d.add('D')
	if got, want := frames(&d, 17), "1@0+1M 1@0+2 1@0+3 1@0+4 1@0+5E 1@0+5E 1@0+5E - "+
		"15@8+1M 15@8+2 15@8+3 15@8+4 15@8+5E 15@8+5E 15@8+5E - voice"; got != want {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestWhatIsNoDigitIsNotQueued(t *testing.T) {
	var d digitSender
	for _, digit := range []byte{0, ' ', 'E', 'a', 0xff} {
		if d.add(digit) {
			t.Errorf("%q was taken", digit)
		}
	}
	for i := range digitsMax {
		if !d.add('0') {
			t.Fatalf("digit %d was refused", i+1)
		}
	}
	if d.add('0') {
		t.Errorf("digit %d was taken", digitsMax+1)
	}
}

func TestEachDigitIsHeardOnce(t *testing.T) {
	type packet struct {
		code      byte
		timestamp uint32
		duration  uint16
		marks     string
	}
	tests := []struct {
		name    string
		packets []packet
		want    string
	}{
		{"no digit", []packet{{16, 100, 160, "M"}, {200, 900, 160, "M"}}, ""},
		{"all packets", []packet{{5, 100, 160, "M"}, {5, 100, 320, ""}, {5, 100, 320, "E"}, {5, 100, 320, "E"}}, "5"},
		{"the beginning is lost", []packet{{5, 100, 320, ""}, {5, 100, 320, "E"}}, "5"},
		{"the end is lost", []packet{{5, 100, 160, "M"}, {5, 2000, 160, "M"}, {5, 2000, 320, ""}}, "55"},
		{"only one end comes", []packet{{11, 100, 800, "E"}}, "#"},
		{"an old packet comes late", []packet{{1, 100, 160, "M"}, {2, 2000, 160, "M"}, {1, 100, 800, "E"}}, "12"},
		{"a long one in two segments", []packet{{1, 100, 65535, ""}, {1, 100 + 65535, 160, ""}}, "1"},
		{"a new one right after a long one", []packet{{1, 100, 65535, ""}, {1, 100 + 65535, 160, "M"}}, "11"},
		{"the timestamp wraps", []packet{{1, 1<<32 - 100, 160, "M"}, {2, 1000, 160, "M"}}, "12"},
	}
	for _, test := range tests {
		var d digitReceiver
		var got string
		for _, p := range test.packets {
			payload := []byte{p.code, eventVolume, byte(p.duration >> 8), byte(p.duration)}
			if strings.Contains(p.marks, "E") {
				payload[1] |= eventEnd
			}
			digit, duration, ok := d.receive(payload, p.timestamp, strings.Contains(p.marks, "M"))
			if !ok || duration != int(p.duration) {
				t.Errorf("%s: %+v is no event of its duration: %d, %v", test.name, p, duration, ok)
			}
			if digit != 0 {
				got += string(digit)
			}
		}
		if got != test.want {
			t.Errorf("%s: heard %q, want %q", test.name, got, test.want)
		}
	}
	var d digitReceiver
	if _, _, ok := d.receive([]byte{1, 2, 3}, 0, true); ok {
		t.Error("three bytes are an event")
	}
}
