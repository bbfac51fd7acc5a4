package media

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"

	"github.com/pion/rtp"
)

var nine = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// sent describes the packets of frames frames: sequence number, payload type, "@" timestamp in milliseconds, "+" length
// of the payload, M marker; "|" ends a frame.
func sent(t *testing.T, s *sender, m sip.Media, frames int) string {
	t.Helper()
	var text strings.Builder
	buffer := make([]byte, packetMax)
	for range frames {
		now := s.at.Add(20 * time.Millisecond)
		if s.at.IsZero() {
			now = nine
		}
		s.advance(now, m, whistle(440, 0))
		for n := s.packet(m, buffer); n > 0; n = s.packet(m, buffer) {
			var p rtp.Packet
			if err := p.Unmarshal(buffer[:n]); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%d:%d@%d+%d", p.SequenceNumber, p.PayloadType, p.Timestamp/millisecond, len(p.Payload))
			if p.Marker {
				text.WriteString("M")
			}
			text.WriteString(" ")
		}
		text.WriteString("|")
	}
	return text.String()
}

func TestPacketsHaveTheTimeThePeerWants(t *testing.T) {
	tests := []struct {
		millis int
		want   string
	}{
		{10, "0:8@0+80M 1:8@10+80 |2:8@20+80 3:8@30+80 |4:8@40+80 5:8@50+80 |6:8@60+80 7:8@70+80 |"},
		{20, "0:8@0+160M |1:8@20+160 |2:8@40+160 |3:8@60+160 |"},
		{30, "|0:8@0+240M |1:8@30+240 ||"},
		{40, "|0:8@0+320M ||1:8@40+320 |"},
		{60, "||0:8@0+480M ||"},
	}
	for _, test := range tests {
		m := agreement(described)
		m.PacketTime = time.Duration(test.millis) * time.Millisecond
		s := sender{spurt: true}
		if got := sent(t, &s, m, 4); got != test.want {
			t.Errorf("%d ms: sent %q\nwant %q", test.millis, got, test.want)
		}
	}
}

func TestTheTimestampGoesOnThroughSilence(t *testing.T) {
	m := agreement(described)
	s := sender{}
	got := sent(t, &s, m, 1)
	m.Direction = sip.RecvOnly
	got += sent(t, &s, m, 2)
	m.Direction = sip.SendRecv
	got += sent(t, &s, m, 2)
	if want := "0:8@0+160 |||1:8@60+160M |2:8@80+160 |"; got != want {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestADigitTakesThePlaceOfVoice(t *testing.T) {
	m := agreement(described)
	m.PacketTime = 40 * time.Millisecond
	s := sender{}
	got := sent(t, &s, m, 1)
	s.digits.add('5')
	got += sent(t, &s, m, 10)
	want := "|0:101@20+4M |1:101@20+4 |2:101@20+4 |3:101@20+4 |4:101@20+4 |5:101@20+4 |6:101@20+4 |||7:8@180+320M |"
	if got != want {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestTheTimeLineJumpsWhenSoundStoodStill(t *testing.T) {
	m := agreement(described)
	s := sender{}
	got := sent(t, &s, m, 1)
	s.at = s.at.Add(-980 * time.Millisecond) // frames that come late do not matter ...
	got += sent(t, &s, m, 1)
	s.at = s.at.Add(-3 * time.Second) // ... but three seconds without
	buffer := make([]byte, packetMax)
	s.advance(s.at.Add(3020*time.Millisecond), m, nil)
	n := s.packet(m, buffer)
	var p rtp.Packet
	if err := p.Unmarshal(buffer[:n]); err != nil {
		t.Fatal(err)
	}
	if got != "0:8@0+160 |1:8@20+160 |" || p.Timestamp != (40+3000)*millisecond || !p.Marker {
		t.Errorf("sent %q, and after 3 s without sound %d ms, marker %v", got, p.Timestamp/millisecond, p.Marker)
	}
}
