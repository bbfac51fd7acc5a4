package media

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
)

func TestACallThatIsNotOpenIsRefusedOrIgnored(t *testing.T) {
	s := New(Config{Address: at("192.0.2.10"), Listen: newWire().listen})
	if err := s.Apply(7, agreement(described)); err == nil {
		t.Error("an agreement was applied to no call")
	}
	frame := whistle(440, 0)
	if s.Receive(7, frame) || frame[1] != 0 {
		t.Error("no call was heard")
	}
	s.Send(7, frame)
	s.SendDigit(7, '1')
	s.Close(7)
	s.CloseAll()
	for _, call := range []sip.CallID{0, 7} {
		if statistics, ok := s.Statistics(call); ok {
			t.Errorf("no call has statistics: %+v", statistics)
		}
	}
}

func TestAnAgreementWithoutCodecOrAddressIsRefused(t *testing.T) {
	s := New(Config{Address: at("192.0.2.10"), Listen: newWire().listen})
	defer s.CloseAll()
	if _, err := s.Open(theCall); err != nil {
		t.Fatal(err)
	}
	for _, m := range []sip.Media{{}, {Codec: sip.PCMA}, {Remote: described},
		{Codec: sip.PCMA, Remote: netip.AddrPortFrom(described.Addr(), 0)}} {
		if err := s.Apply(theCall, m); err == nil {
			t.Errorf("%+v was applied", m)
		}
	}
}

func TestARangeOfPortsThatIsUsedUpIsAnError(t *testing.T) {
	tests := []struct {
		min, max uint16
		taken    string // by somebody else
		want     []uint16
	}{
		{10000, 10000, "", nil}, // no room for RTCP
		{10001, 10002, "", nil},
		{20000, 10000, "", nil},
		{10000, 10003, "192.0.2.10:10001", []uint16{10002}},
		{10000, 10003, "192.0.2.10:10002", []uint16{10000}},
		{10001, 10005, "", []uint16{10002, 10004}},
		{65534, 65535, "", []uint16{65534}},
	}
	for _, test := range tests {
		w := newWire()
		if test.taken != "" {
			if _, err := w.listen(netip.MustParseAddrPort(test.taken)); err != nil {
				t.Fatal(err)
			}
		}
		s := New(Config{Address: at("192.0.2.10"), PortMin: test.min, PortMax: test.max, Listen: w.listen})
		for i, want := range test.want {
			if got, err := s.Open(sip.CallID(i + 1)); err != nil || got.Port() != want {
				t.Errorf("%d to %d without %q: opened %v, %v; want %d", test.min, test.max, test.taken, got, err, want)
			}
		}
		if open, want := len(w.ports), 2*len(test.want)+min(len(test.taken), 1); open != want {
			t.Errorf("%d to %d without %q: %d ports are open, want %d", test.min, test.max, test.taken, open, want)
		}
		_, err := s.Open(99)
		if err == nil || !strings.Contains(err.Error(), "no free pair of ports") {
			t.Errorf("%d to %d, used up: %v", test.min, test.max, err)
		}
		s.CloseAll()
		if len(test.want) > 0 {
			if _, err := s.Open(99); err != nil {
				t.Errorf("%d to %d, all closed again: %v", test.min, test.max, err)
			}
			s.CloseAll()
		}
	}
}

func TestTheAddressIsAskedForAtEachCall(t *testing.T) {
	host := netip.Addr{}
	s := New(Config{Address: func() netip.Addr { return host }, Listen: newWire().listen})
	defer s.CloseAll()
	if opened, err := s.Open(1); err == nil {
		t.Errorf("without a network: opened %v", opened)
	}
	for call, address := range map[sip.CallID]string{2: "192.0.2.10", 3: "2001:db8::10"} {
		host = netip.MustParseAddr(address)
		if opened, err := s.Open(call); err != nil || opened.Addr() != host {
			t.Errorf("at %s: opened %v, %v", address, opened, err)
		}
	}
}

func TestACallIsOpenedOnce(t *testing.T) {
	s := New(Config{Address: at("192.0.2.10"), Listen: newWire().listen})
	defer s.CloseAll()
	first, err := s.Open(theCall)
	if err != nil || first.String() != "192.0.2.10:10000" {
		t.Fatalf("opened %v, %v", first, err)
	}
	if again, err := s.Open(theCall); err == nil {
		t.Errorf("opened again: %v", again)
	}
	second, err := s.Open(2)
	if err != nil || second.String() != "192.0.2.10:10002" {
		t.Errorf("the second call: %v, %v", second, err)
	}
}

func TestTwoPhonesHearEachOther(t *testing.T) {
	tests := []struct {
		name                  string
		codec                 sip.Codec
		payloadType           uint8
		nearTo, farTo         int // packet times in milliseconds
		packetsNear, packetsF uint64
	}{
		{"A-law", sip.PCMA, 8, 20, 20, 100, 100},
		{"mu-law", sip.PCMU, 0, 20, 20, 100, 100},
		{"A-law under a dynamic number", sip.PCMA, 97, 20, 20, 100, 100},
		{"other packet times", sip.PCMA, 8, 10, 30, 200, 66},
		{"long packets", sip.PCMU, 0, 40, 60, 50, 33},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t, newWire(), func(near, far *sip.Media) {
				near.Codec, near.PayloadType = test.codec, test.payloadType
				far.Codec, far.PayloadType = test.codec, test.payloadType
				near.PacketTime = time.Duration(test.nearTo) * time.Millisecond
				far.PacketTime = time.Duration(test.farTo) * time.Millisecond
			})
			defer k.end()
			heardNear, heardFar := k.talk(2 * time.Second)
			if s := share(heardNear[8000:], 1000); s < 0.98 {
				t.Errorf("%s: near hears %.3f of 1000 Hz", test.name, s)
			}
			if s := share(heardFar[8000:], 440); s < 0.98 {
				t.Errorf("%s: far hears %.3f of 440 Hz", test.name, s)
			}
			near, far := k.statistics(k.near), k.statistics(k.far)
			if near.Sent != test.packetsNear || far.Sent != test.packetsF {
				t.Errorf("%s: sent %d and %d packets, want %d and %d", test.name, near.Sent, far.Sent, test.packetsNear, test.packetsF)
			}
			if near.Lost+near.Late+near.Stranger+near.ConcealedFrames+far.Lost+far.Late+far.Stranger+far.ConcealedFrames != 0 {
				t.Errorf("%s: a clean wire, but\n%+v\n%+v", test.name, near, far)
			}
		})
	}
}

func TestTheDelayIsThatOfTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t, newWire(), nil)
		defer k.end()
		_, heard := k.talk(time.Second)
		first := 0
		for heard[first] > -3000 && heard[first] < 3000 {
			first++
		}
		// One packet of probation, one frame that waits to be fetched, and the buffer.
		if delay := duration(int64(first)); delay < 80*time.Millisecond || delay > 100*time.Millisecond {
			t.Errorf("the first sound is heard after %v", delay)
		}
		if d := k.statistics(k.far).BufferDelay; d != 60*time.Millisecond {
			t.Errorf("the buffer says %v", d)
		}
	})
}

func TestABadWireIsHeardThrough(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	jitter := func(most int) func([]byte, netip.AddrPort, netip.AddrPort) []time.Duration {
		return func([]byte, netip.AddrPort, netip.AddrPort) []time.Duration {
			return []time.Duration{time.Duration(chance.IntN(most)) * time.Millisecond}
		}
	}
	tests := []struct {
		name  string
		fate  func(data []byte, from, to netip.AddrPort) []time.Duration
		clean float64
		check func(s sip.Statistics) bool
	}{
		{"5 % lost", lose(0.05), 0.94, func(s sip.Statistics) bool {
			return s.Lost > 20 && s.Lost < 80 && s.ConcealedFrames >= s.Lost && s.Late == 0
		}},
		{"20 % lost", lose(0.20), 0.70, func(s sip.Statistics) bool { return s.Lost > 140 && s.Lost < 260 }},
		{"jitter of 40 ms, out of order", jitter(40), 0.98, func(s sip.Statistics) bool {
			return s.Lost == 0 && s.Late == 0 && s.Jitter > 8*time.Millisecond && s.Jitter < 20*time.Millisecond
		}},
		{"jitter of 150 ms", jitter(150), 0.3, func(s sip.Statistics) bool { return s.Lost < 5 && s.Late > 50 }},
		{"all twice", func([]byte, netip.AddrPort, netip.AddrPort) []time.Duration {
			return []time.Duration{0, 110 * time.Millisecond}
		}, 0.98, func(s sip.Statistics) bool {
			return s.Lost == 0 && s.Late == 0 && s.ConcealedFrames == 0 && s.Received < 1001
		}},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			w := newWire()
			w.fate = test.fate
			k := newTalk(t, w, nil)
			defer k.end()
			_, heard := k.talk(20 * time.Second)
			statistics := k.statistics(k.far)
			if s := share(heard[rateHz:], 440); s < test.clean && !test.check(statistics) {
				t.Errorf("%s: %.3f of the sound is the tone, %+v", test.name, s, statistics)
			} else if s < test.clean {
				t.Errorf("%s: %.3f of the sound is the tone", test.name, s)
			} else if !test.check(statistics) {
				t.Errorf("%s: %+v", test.name, statistics)
			}
			time.Sleep(200 * time.Millisecond) // what is still on its way arrives
		})
	}
}

// forge sends packets of another origin to an address, one each 20 ms together with the talk.
func (k *talk) forge(from string, to netip.AddrPort, packets int, payloadType byte) []int16 {
	k.t.Helper()
	conn, err := k.wire.listen(netip.MustParseAddrPort(from))
	if err != nil {
		k.t.Fatal(err)
	}
	defer conn.Close()
	var heard []int16
	for i := range packets {
		packet := make([]byte, 12+frameSamples)
		packet[0], packet[1] = 0x80, payloadType
		binary.BigEndian.PutUint16(packet[2:], uint16(i))
		binary.BigEndian.PutUint32(packet[4:], uint32(i*frameSamples))
		binary.BigEndian.PutUint32(packet[8:], 0xbad)
		for j := range frameSamples { // a square wave of 2 kHz, as loud as can be
			packet[12+j] = []byte{0x2a, 0x2a, 0xaa, 0xaa}[j%4]
		}
		if _, err := conn.WriteToUDPAddrPort(packet, to); err != nil {
			k.t.Fatal(err)
		}
		_, far := k.talk(20 * time.Millisecond)
		heard = append(heard, far...)
	}
	return heard
}

func TestAStrangersSoundIsCountedAndNotHeard(t *testing.T) {
	tests := []struct {
		name        string
		from        string
		payloadType byte
	}{
		{"another host", "203.0.113.9:4000", 8},
		{"another port of the peer", "192.0.2.10:4000", 8},
		{"a payload type that was not agreed", "192.0.2.10:4000", 9},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t, newWire(), nil)
			defer k.end()
			k.talk(time.Second)
			heard := k.forge(test.from, k.atFar, 150, test.payloadType)
			if s := share(heard, 440); s < 0.98 {
				t.Errorf("%s: only %.3f of what is heard is the peer", test.name, s)
			}
			if n := k.statistics(k.far).Stranger; n != 150 {
				t.Errorf("%s: %d strangers counted, want 150", test.name, n)
			}
		})
	}
}

func TestNothingIsHeardBeforeTheAgreement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		k := newTalk(t, w, nil)
		defer k.end()
		at, err := k.near.Open(2)
		if err != nil {
			t.Fatal(err)
		}
		k.forge("192.0.2.20:4000", at, 10, 8)
		frame := make([]int16, frameSamples)
		if k.near.Receive(2, frame) {
			t.Error("sound was heard before anything was agreed")
		}
		k.near.Send(2, frame)
		if s, _ := k.near.Statistics(2); s.Stranger != 10 || s.Sent != 0 {
			t.Errorf("%+v, want 10 strangers and nothing sent", s)
		}
	})
}

func TestTheRealAddressOfThePeerIsLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Far speaks from another port than near was told.
		k := newTalk(t, newWire(), func(near, _ *sip.Media) {
			near.Remote = netip.AddrPortFrom(near.Remote.Addr(), 30000)
		})
		defer k.end()
		heard, heardFar := k.talk(2 * time.Second)
		if s := share(heard[8000:], 1000); s < 0.98 {
			t.Errorf("near hears %.3f of 1000 Hz", s)
		}
		if s := share(heardFar[8000:], 440); s < 0.98 {
			t.Errorf("far hears %.3f of 440 Hz: near does not send to where far speaks from", s)
		}
	})
}

func TestANewAddressIsLearnedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		k := newTalk(t, w, nil)
		defer k.end()
		k.talk(time.Second)
		third := New(Config{Address: at("192.0.2.30"), Listen: w.listen})
		defer third.CloseAll()
		at, err := third.Open(theCall)
		if err != nil {
			t.Fatal(err)
		}
		if err := third.Apply(theCall, agreement(k.nearAt)); err != nil {
			t.Fatal(err)
		}
		if err := k.near.Apply(theCall, agreement(at)); err != nil {
			t.Fatal(err)
		}
		var heard []int16
		for i := range 100 {
			third.Send(theCall, whistle(300, i))
			near, _ := k.talk(20 * time.Millisecond) // far does not know yet, and goes on
			heard = append(heard, near...)
		}
		if s := share(heard[8000:], 300); s < 0.98 {
			t.Errorf("near hears %.3f of the new peer, %.3f of the old one", s, share(heard[8000:], 1000))
		}
	})
}

func TestStatisticsStayAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t, newWire(), nil)
		k.talk(time.Second)
		before := k.statistics(k.far)
		k.end()
		if after := k.statistics(k.far); after.Received != before.Received || after.Received != 49 {
			t.Errorf("before the end %+v\nafter it %+v", before, after)
		}
		for call := sip.CallID(2); call < 2+endedMax; call++ {
			if _, err := k.far.Open(call); err != nil {
				t.Fatal(err)
			}
			k.far.Close(call)
		}
		if _, ok := k.far.Statistics(theCall); ok {
			t.Errorf("the call is remembered after %d others", endedMax)
		}
		if _, ok := k.far.Statistics(2); !ok {
			t.Errorf("the last %d calls are not remembered", endedMax)
		}
	})
}

func TestRealSocketsCarrySound(t *testing.T) {
	before := runtime.NumGoroutine()
	loopback := Config{Address: at("127.0.0.1"), PortMin: 30000, PortMax: 30999}
	near, far := New(loopback), New(loopback)
	nearAt, err := near.Open(theCall)
	if err != nil {
		t.Fatal(err)
	}
	atFar, err := far.Open(theCall) // finds another pair in the same range
	if err != nil {
		t.Fatal(err)
	}
	if err := near.Apply(theCall, agreement(atFar)); err != nil {
		t.Fatal(err)
	}
	if err := far.Apply(theCall, agreement(nearAt)); err != nil {
		t.Fatal(err)
	}
	var heard []int16
	frame := make([]int16, frameSamples)
	for i := range 60 { // faster than real time: each frame waits only for its packet
		near.Send(theCall, whistle(440, i))
		for deadline := time.Now().Add(5 * time.Second); i > 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if s, _ := far.Statistics(theCall); s.Received == uint64(i) {
				break
			}
		}
		if far.Receive(theCall, frame) {
			heard = append(heard, frame...)
		}
	}
	if s := share(heard[800:], 440); len(heard) < 50*frameSamples || s < 0.98 {
		t.Errorf("%.3f of %d samples are the tone", s, len(heard))
	}
	near.CloseAll()
	far.CloseAll()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left", runtime.NumGoroutine()-before)
		}
	}
}
