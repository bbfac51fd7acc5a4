package media

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"freizeichen/sip"
)

// deaf is a Conn that takes everything and says nothing.
type deaf struct{ sent int }

func (d *deaf) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, net.ErrClosed
}
func (d *deaf) WriteToUDPAddrPort(data []byte, _ netip.AddrPort) (int, error) {
	d.sent++
	return len(data), nil
}
func (d *deaf) LocalAddr() net.Addr             { return &net.UDPAddr{} }
func (d *deaf) SetReadDeadline(time.Time) error { return nil }
func (d *deaf) Close() error                    { return nil }

// agreed is a session without readers that has heard two packets of its peer.
func agreed(t testing.TB, digit func(sip.CallID, byte)) *session {
	t.Helper()
	c := New(Config{Digit: digit}).config // with its logger
	s := newSession(theCall, new(deaf), new(deaf), c)
	if err := s.apply(nine, agreement(described)); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		s.receivedRTP(nine, packet(i, 8), described)
	}
	if s.reception.received != 1 {
		t.Fatalf("%d packets received after probation, want 1", s.reception.received)
	}
	return s
}

// packet is RTP number i of one stream with 20 ms.
func packet(i int, payloadType byte) []byte {
	data := make([]byte, 12+frameSamples)
	data[0], data[1] = 0x80, payloadType
	binary.BigEndian.PutUint16(data[2:], uint16(i))
	binary.BigEndian.PutUint32(data[4:], uint32(i*frameSamples))
	return data
}

func TestSendingAllocatesNothing(t *testing.T) {
	s, frame := agreed(t, nil), whistle(440, 0)
	allocated := testing.AllocsPerRun(1000, func() { s.send(time.Now(), frame) })
	if sent := s.rtp.(*deaf).sent; allocated != 0 || sent < 1000 {
		t.Errorf("%v allocations for each of %d packets", allocated, sent)
	}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	s, frame, data := agreed(t, nil), make([]int16, frameSamples), packet(0, 8)
	i := 2
	allocated := testing.AllocsPerRun(1000, func() {
		binary.BigEndian.PutUint16(data[2:], uint16(i))
		binary.BigEndian.PutUint32(data[4:], uint32(i*frameSamples))
		if i++; i%10 != 0 { // the tenth is lost and must be concealed
			s.receivedRTP(time.Now(), data, described)
		}
		s.receive(frame)
	})
	if allocated != 0 || s.concealed < 50 {
		t.Errorf("%v allocations a packet, %d frames concealed", allocated, s.concealed)
	}
}

func TestWhatIsNoRTPIsAStranger(t *testing.T) {
	version1 := packet(3, 8)
	version1[0] = 0x40
	padding := append(packet(3, 8), 0)
	padding[0] |= 0x20
	extension := packet(3, 8)[:14]
	extension[0] |= 0x10
	for name, data := range map[string][]byte{
		"nothing": nil, "a header too short": packet(3, 8)[:11], "version 1": version1, "padding of zero": padding,
		"an extension too short": extension, "STUN": {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		s := agreed(t, nil)
		before := s.source.count()
		s.receivedRTP(nine, data, described)
		if s.source.count() != before+1 || s.reception.received != 1 {
			t.Errorf("%s: %d strangers, %d received", name, s.source.count()-before, s.reception.received)
		}
	}
}

func TestComfortNoiseGoesOnUntilVoiceComes(t *testing.T) {
	s, frame := agreed(t, nil), make([]int16, frameSamples)
	s.receivedRTP(nine, append(packet(2, 13)[:12], 50), described) // -50 dBov
	var heard []bool
	for range 100 { // two seconds
		heard = append(heard, s.receive(frame))
	}
	if heard[0] || !heard[4] || !heard[99] {
		t.Errorf("heard: %v", heard)
	}
	loudest := int16(0)
	for _, sample := range frame {
		loudest = max(loudest, sample)
	}
	if loudest < 100 || loudest > 200 || s.concealed != 0 {
		t.Errorf("the noise peaks at %d, %d frames were made up", loudest, s.concealed)
	}
	s.receivedRTP(nine, packet(200, 8), described)
	for range 60 {
		s.receive(frame)
	}
	if s.receive(frame) {
		t.Error("the noise goes on after voice")
	}
}

func TestAForbiddenPeerTeachesNoAddress(t *testing.T) {
	s := agreed(t, nil)
	held, frame := agreement(described), make([]int16, frameSamples)
	held.Direction = sip.SendOnly
	for range 3 { // what comes before the first packet
		s.receive(frame)
	}
	if err := s.apply(nine, held); err != nil {
		t.Fatal(err)
	}
	if s.receive(frame) {
		t.Error("what had arrived before the hold is played")
	}
	now := nine
	for i := range 300 {
		now = now.Add(20 * time.Millisecond)
		s.receivedRTP(now, packet(i, 8), otherHost)
	}
	if s.source.target() != described {
		t.Errorf("while the peer was held, a stranger at %v took its place", s.source.target())
	}
}

func TestAnEchoedDigitIsNotToldAfterTheEnd(t *testing.T) {
	told := 0
	s := agreed(t, func(sip.CallID, byte) { told++ })
	event := append(packet(2, 101)[:12], 5, eventVolume, 0, 160)
	s.close(nine)
	s.receivedRTP(nine, event, described)
	if told != 0 {
		t.Error("a digit was told after the end")
	}
}

func FuzzReceivedRTP(f *testing.F) {
	f.Add(packet(2, 8), packet(3, 13))
	f.Add(append(packet(2, 101)[:12], 5, 0x8a, 3, 32), packet(60000, 0))
	f.Add([]byte{0x9f, 8, 0, 2, 0, 0, 0, 0}, []byte{0xb0, 0x88, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, first, then []byte) {
		s, frame := agreed(t, func(_ sip.CallID, digit byte) {
			if digit == 0 {
				t.Error("no digit was told")
			}
		}), make([]int16, frameSamples)
		now := nine
		for range 3 {
			for _, data := range [][]byte{first, then} {
				now = now.Add(20 * time.Millisecond)
				s.receivedRTP(now, data, described)
				s.receive(frame)
			}
		}
		if _, err := s.compose(now, true); err != nil {
			t.Fatal(err)
		}
		statistics := s.statistics()
		if statistics.Received > 7 || statistics.Late > 7 || statistics.Jitter < 0 {
			t.Fatalf("%+v", statistics)
		}
	})
}

func FuzzReceivedRTCP(f *testing.F) {
	s := agreed(f, nil)
	report, err := s.compose(nine, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(report)
	f.Add([]byte{0x81, 200, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{0x9f, 203, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := agreed(t, nil)
		s.receivedRTCP(nine.Add(time.Second), data, agreement(described).RemoteRTCP)
		if s.reporter.roundTrip < 0 || s.reporter.remoteJitter < 0 {
			t.Fatalf("%+v", s.reporter)
		}
		if _, err := s.compose(nine.Add(time.Hour), false); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkSend(b *testing.B) {
	s, frame := agreed(b, nil), whistle(440, 0)
	b.ReportAllocs()
	for b.Loop() {
		s.send(nine, frame)
	}
}

func BenchmarkReceive(b *testing.B) {
	s, frame, data := agreed(b, nil), make([]int16, frameSamples), packet(0, 8)
	b.ReportAllocs()
	for i := 2; b.Loop(); i++ {
		binary.BigEndian.PutUint16(data[2:], uint16(i))
		binary.BigEndian.PutUint32(data[4:], uint32(i*frameSamples))
		s.receivedRTP(nine, data, described)
		s.receive(frame)
	}
}
