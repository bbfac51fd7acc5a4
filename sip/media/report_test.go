package media

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"

	"github.com/pion/rtcp"
)

// A spoken is one compound RTCP packet on the wire.
type spoken struct {
	at       time.Time
	from, to netip.AddrPort
	packets  []rtcp.Packet
}

// overhear records all RTCP on the wire from now on.
func (w *wire) overhear(t *testing.T) *[]spoken {
	var heard []spoken
	w.tap = func(data []byte, from, to netip.AddrPort) {
		if from.Port()%2 == 0 {
			return
		}
		packets, err := rtcp.Unmarshal(data)
		if err != nil {
			t.Errorf("RTCP that cannot be read: %v: %x", err, data)
		}
		heard = append(heard, spoken{time.Now(), from, to, packets})
	}
	return &heard
}

func TestReportsAreSpacedAsRFC3550Says(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999} {
		first, next := reportInterval(true, random), reportInterval(false, random)
		if first < 1026*time.Millisecond || first > 3079*time.Millisecond {
			t.Errorf("the first report after %v", first)
		}
		if next < 2052*time.Millisecond || next > 6157*time.Millisecond {
			t.Errorf("the next report after %v", next)
		}
	}
}

func TestReportsTellBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		w.fate = func([]byte, netip.AddrPort, netip.AddrPort) []time.Duration {
			return []time.Duration{35 * time.Millisecond}
		}
		reports := w.overhear(t)
		k := newTalk(t, w, nil)
		k.talk(10 * time.Second)
		w.mu.Lock()
		w.fate = lose(0.1)
		w.mu.Unlock()
		k.talk(50 * time.Second)
		near, far := k.statistics(k.near), k.statistics(k.far)
		w.mu.Lock()
		w.fate = nil
		w.mu.Unlock()
		k.end()
		time.Sleep(time.Second)

		if near.RoundTrip > time.Millisecond || far.Lost < 150 || near.RemoteLost < 100 || near.RemoteLost > far.Lost {
			t.Errorf("near says\n%+v, far\n%+v", near, far)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		var last time.Time
		count, goodbyes := 0, 0
		for _, s := range *reports {
			if s.from.Addr() != k.nearAt.Addr() {
				continue
			}
			if s.to != netip.AddrPortFrom(k.atFar.Addr(), k.atFar.Port()+1) {
				t.Fatalf("RTCP to %v", s.to)
			}
			if gap := s.at.Sub(last); !last.IsZero() && gap > 6200*time.Millisecond {
				t.Errorf("no report for %v", gap)
			}
			last = s.at
			count++
			if leaving := checkCompound(t, s.packets); leaving {
				goodbyes++
			}
		}
		if count < 10 || count > 30 || goodbyes != 1 {
			t.Errorf("%d reports in 60 s, %d good-byes", count, goodbyes)
		}
	})
}

// checkCompound holds a compound packet against RFC 3550 section 6.1.
func checkCompound(t *testing.T, packets []rtcp.Packet) (leaving bool) {
	t.Helper()
	if len(packets) < 2 {
		t.Fatalf("a compound packet of %d", len(packets))
	}
	sr, isSender := packets[0].(*rtcp.SenderReport)
	rr, isReceiver := packets[0].(*rtcp.ReceiverReport)
	if !isSender && !isReceiver {
		t.Fatalf("the first packet is no report: %T", packets[0])
	}
	ssrc := uint32(0)
	if isSender {
		ssrc = sr.SSRC
	} else {
		ssrc = rr.SSRC
	}
	names, ok := packets[1].(*rtcp.SourceDescription)
	if !ok || len(names.Chunks) != 1 || names.Chunks[0].Source != ssrc ||
		names.Chunks[0].Items[0].Type != rtcp.SDESCNAME || len(names.Chunks[0].Items[0].Text) != 16 {
		t.Fatalf("the second packet is no CNAME: %+v", packets[1])
	}
	if len(packets) == 2 {
		return false
	}
	bye, ok := packets[2].(*rtcp.Goodbye)
	if !ok || !slices.Equal(bye.Sources, []uint32{ssrc}) {
		t.Fatalf("the third packet is no BYE: %+v", packets[2])
	}
	return true
}

func TestTheRoundTripIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		w.fate = func(_ []byte, from, _ netip.AddrPort) []time.Duration {
			if from.Addr().String() == "192.0.2.10" {
				return []time.Duration{35 * time.Millisecond}
			}
			return []time.Duration{10 * time.Millisecond}
		}
		k := newTalk(t, w, nil)
		k.talk(20 * time.Second)
		for _, s := range []sip.Statistics{k.statistics(k.near), k.statistics(k.far)} {
			if d := s.RoundTrip - 45*time.Millisecond; d < -time.Millisecond || d > time.Millisecond {
				t.Errorf("the round trip is %v, want 45ms", s.RoundTrip)
			}
		}
		k.end()
		time.Sleep(time.Second)
	})
}

func TestTheSenderReportJoinsBothClocks(t *testing.T) {
	s := newSession(theCall, nil, nil, Config{})
	s.media, s.agreed = agreement(described), true
	start := s.sender.timestamp
	for i := range 50 {
		s.sender.advance(nine.Add(time.Duration(i)*20*time.Millisecond), s.media, nil)
		s.sender.packet(s.media, s.out[:])
	}
	data, err := s.compose(nine.Add(time.Second), false)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := rtcp.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	sr := packets[0].(*rtcp.SenderReport)
	// 2026-11-22 09:00:01 UTC is 4,004,326,801 s after 1900.
	if sr.NTPTime>>32 != 4004326801 || uint32(sr.NTPTime) != 0 {
		t.Errorf("NTP time %d", sr.NTPTime>>32)
	}
	if sr.RTPTime-start != second || sr.PacketCount != 50 || sr.OctetCount != 8000 {
		t.Errorf("after 1 s: timestamp +%d, %d packets, %d octets", sr.RTPTime-start, sr.PacketCount, sr.OctetCount)
	}
	if data, err = s.compose(nine.Add(6*time.Second), false); err != nil {
		t.Fatal(err)
	}
	if packets, err = rtcp.Unmarshal(data); err != nil {
		t.Fatal(err)
	}
	if _, ok := packets[0].(*rtcp.ReceiverReport); !ok {
		t.Errorf("without new packets: %T, want a receiver report", packets[0])
	}
}

func TestNothingIsReportedToNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		reports := w.overhear(t)
		s := New(Config{Address: at("192.0.2.10"), Listen: w.listen})
		hold := agreement(netip.MustParseAddrPort("0.0.0.0:4000"))
		mute := agreement(described)
		mute.RemoteRTCP = netip.AddrPort{}
		for call, m := range []sip.Media{{}, hold, mute} {
			if _, err := s.Open(sip.CallID(call)); err != nil {
				t.Fatal(err)
			}
			if m.Codec != sip.CodecNone {
				if err := s.Apply(sip.CallID(call), m); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Minute)
		s.CloseAll()
		if len(*reports) != 0 {
			t.Errorf("RTCP to %v", (*reports)[0].to)
		}
	})
}

func TestWhoNeverSpokeSaysNoGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		reports := w.overhear(t)
		k := newTalk(t, w, nil)
		k.near.Send(theCall, nil)
		k.end()
		if len(*reports) != 1 || (*reports)[0].from.Addr() != k.nearAt.Addr() {
			t.Errorf("good-byes: %+v, want that of near alone", *reports)
		}
	})
}

func TestFalseReportsAreNotBelieved(t *testing.T) {
	s := newSession(theCall, nil, nil, Config{})
	m := agreement(described)
	s.media, s.agreed = m, true
	s.source.expect(nine, described)
	block := rtcp.ReceptionReport{SSRC: s.sender.ssrc, TotalLost: 7, Jitter: 80,
		LastSenderReport: uint32(ntp(nine) >> 16), Delay: 65536 / 2}
	tests := []struct {
		name   string
		from   netip.AddrPort
		change func(*rtcp.ReceptionReport)
		want   reporter
	}{
		{"from another host", otherHost, func(*rtcp.ReceptionReport) {}, reporter{}},
		{"of another stream", m.RemoteRTCP, func(b *rtcp.ReceptionReport) { b.SSRC++ }, reporter{}},
		{"with more delay than time", m.RemoteRTCP, func(b *rtcp.ReceptionReport) { b.Delay = 65536 * 2 },
			reporter{remoteLost: 7, remoteJitter: 10 * time.Millisecond}},
		{"without a report of ours", m.RemoteRTCP, func(b *rtcp.ReceptionReport) { b.LastSenderReport = 0 },
			reporter{remoteLost: 7, remoteJitter: 10 * time.Millisecond}},
		{"with fewer lost than none", m.RemoteRTCP, func(b *rtcp.ReceptionReport) { b.TotalLost = 0xffffff },
			reporter{remoteJitter: 10 * time.Millisecond, roundTrip: time.Second / 2}},
		{"true", m.RemoteRTCP, func(*rtcp.ReceptionReport) {},
			reporter{remoteLost: 7, remoteJitter: 10 * time.Millisecond, roundTrip: time.Second / 2}},
	}
	for _, test := range tests {
		s.reporter = reporter{}
		said := block
		test.change(&said)
		data, err := (&rtcp.ReceiverReport{SSRC: 99, Reports: []rtcp.ReceptionReport{said}}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		s.receivedRTCP(nine.Add(time.Second), data, test.from)
		if s.reporter != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, s.reporter, test.want)
		}
	}
	if n := s.source.count(); n != 1 {
		t.Errorf("%d strangers, want 1", n)
	}
	s.source.current.ssrc = 5
	for ssrc, want := range map[uint32]uint32{6: 0, 5: 0x22223333} {
		s.reporter = reporter{}
		data, err := rtcp.Marshal([]rtcp.Packet{&rtcp.SenderReport{SSRC: ssrc, NTPTime: 0x1111222233334444}})
		if err != nil {
			t.Fatal(err)
		}
		if s.receivedRTCP(nine, data, m.RemoteRTCP); s.reporter.lastReport != want {
			t.Errorf("a report of sender %d, while 5 is heard: %#x", ssrc, s.reporter.lastReport)
		}
	}
}

func TestReportsFollowAPeerThatSpeaksFromAnotherHost(t *testing.T) {
	s := newSession(theCall, nil, nil, Config{})
	s.media, s.agreed = agreement(described), true
	for _, test := range []struct {
		heard netip.AddrPort
		want  string
	}{{netip.AddrPort{}, "192.0.2.20:4001"}, {described, "192.0.2.20:4001"}, {otherPort, "192.0.2.20:4001"},
		{otherHost, "203.0.113.9:4001"}} {
		s.source = source{expected: described, current: origin{address: test.heard}}
		if got := s.reportTarget(); got.String() != test.want {
			t.Errorf("heard from %v: reports to %v, want %s", test.heard, got, test.want)
		}
	}
}
