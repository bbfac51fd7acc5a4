package hostile

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"testing"
	"time"

	"freizeichen/sip/codec"
)

// packet is RTP as RFC 3550 section 5.1 draws it.
func packet(payloadType uint8, sequence uint16, timestamp, ssrc uint32, payload []byte) []byte {
	b := []byte{0x80, payloadType}
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	return append(b, payload...)
}

// loudly is 20 ms of the stranger's tone in A-law.
func loudly() []byte {
	frame := make([]byte, 160)
	codec.EncodeALaw(frame, tone(strangerHz, 160))
	return frame
}

// spray sends n packets to a port.
func (s *stranger) spray(to netip.AddrPort, n int, pause time.Duration, make func(i int) []byte) {
	for i := range n {
		_, _ = s.conn.WriteToUDPAddrPort(make(i), to)
		if pause > 0 {
			time.Sleep(pause)
		}
	}
}

// nobodyButThePeerIsHeard lets strangers send sound, digits, comfort noise and garbage to the ports of a call.
func nobodyButThePeerIsHeard(t *testing.T) {
	d := raise(t, ground{})
	id := d.talk(ada)
	before := weigh()
	rtp := d.sound()
	rtcp := netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
	sound := loudly()
	dice := rand.New(rand.NewPCG(5, 6))
	neverHeard := func(what string) {
		t.Helper()
		if share(d.ear.last(), strangerHz) > 0.1 {
			t.Errorf("%s: the agent hears a stranger", what)
		}
	}
	// From another host, and from the exchange's own host but another port: what a NAT could be, and so only silence of the
	// real peer would let him in.
	for _, host := range []string{"127.0.0.2", "127.0.0.1"} {
		s := newStranger(t, host, rtp)
		neverHeard := neverHeard
		if host == "127.0.0.1" {
			// From the peer's own host 200 ms of silence are enough to let him in, which a busy machine can make: it is
			// enough that the peer is heard afterwards.
			neverHeard = func(string) {}
		}
		s.spray(rtp, 100, 10*time.Millisecond, func(i int) []byte { return packet(8, uint16(i), uint32(160*i), 7, sound) })
		neverHeard(host + " in sequence")
		s.spray(rtp, 50, 10*time.Millisecond, func(i int) []byte { return packet(uint8(i*5), uint16(i), uint32(160*i), 7, sound) })
		s.spray(rtp, 50, time.Millisecond, func(i int) []byte { return packet(101, uint16(i), 0, 7, []byte{byte(i % 16), 0x80, 0, 160}) })
		s.spray(rtp, 50, time.Millisecond, func(i int) []byte { return packet(13, uint16(i), 0, 7, []byte{10}) })
		s.spray(rtp, 500, 0, func(i int) []byte {
			garbage := make([]byte, dice.IntN(300))
			for k := range garbage {
				garbage[k] = byte(dice.Uint32())
			}
			if len(garbage) > 0 && i%2 == 0 {
				garbage[0] = 0x80 | garbage[0]&0x3f
			}
			return garbage
		})
		neverHeard(host + " with garbage")
		s.spray(rtcp, 1000, 0, func(i int) []byte {
			garbage := make([]byte, 4*dice.IntN(40))
			for k := range garbage {
				garbage[k] = byte(dice.Uint32())
			}
			if len(garbage) >= 4 { // a version and a type that are right: sender report to extended report
				garbage[0], garbage[1] = 0x80|garbage[0]&0x3f, byte(200+i%8)
				binary.BigEndian.PutUint16(garbage[2:], uint16(len(garbage)/4-1))
			}
			return garbage
		})
		d.wantSound(id)
		neverHeard(host + " after all")
		s.leave()
	}

	// A flood: the real peer's packets are lost in it for a while.
	s := newStranger(t, "127.0.0.2", rtp)
	s.spray(rtp, 20000, 0, func(i int) []byte { return packet(8, uint16(i), uint32(160*i), uint32(i), sound) })
	d.wantSound(id)
	neverHeard("after a flood")
	s.leave()

	d.body.Hook(false)
	d.await("in no call", 5*time.Second, d.inNoCall)
	d.await("the count of strangers", 5*time.Second, func() bool { return strangers(d) >= 1500 })
	if n := strangers(d); n > 25000 {
		t.Errorf("%d packets of strangers were counted, more than were sent", n)
	}
	d.wantWork()
	wantNoMore(t, before, burden{heap: 8 << 20})
}

var strangersOf = regexp.MustCompile(`received=[1-9].* strangers=(\d+)`)

// strangers is what the phone has logged of a call's refused packets. The exchange logs its side as well, with none.
func strangers(d *desk) int {
	most := 0
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	for _, e := range d.log.entries {
		if match := strangersOf.FindStringSubmatch(e.text); match != nil {
			n, err := strconv.Atoi(match[1])
			if err != nil {
				d.t.Fatal(err)
			}
			most = max(most, n)
		}
	}
	return most
}

// nobodyTakesThePlaceOfASilentPeer: a peer that holds us may be silent for minutes, and nobody is heard instead of it.
func nobodyTakesThePlaceOfASilentPeer(t *testing.T) {
	d := raise(t, ground{tap: true})
	id := d.talk(ada)
	l := newLiar(t, d)
	silent, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.3:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	l.change(offer(silent.LocalAddr().(*net.UDPAddr).AddrPort(), "a=inactive")) // the peer holds us, and says nothing
	s := newStranger(t, "127.0.0.2", d.sound())
	sound := loudly()
	s.spray(d.sound(), 150, 20*time.Millisecond, func(i int) []byte { return packet(8, uint16(i), uint32(160*i), 7, sound) })
	if share(d.ear.last(), strangerHz) > 0.1 {
		t.Error("the agent hears a stranger while the peer holds the call")
	}
	if got := s.answers(100 * time.Millisecond); got["datagrams"] > 0 {
		t.Error("the stranger gets the agent's sound")
	}
	l.change(l.truth())
	d.wantSound(id)
}
