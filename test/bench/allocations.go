//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"time"

	"freizeichen/device/voice"
	"freizeichen/hal"
	"freizeichen/sip"
	"freizeichen/sip/media"
	"freizeichen/test/bench/peer"
)

// Frames of the count: the phone gets a frame each frameGap, faster than in life, so that it is done in seconds.
const (
	framesBefore  = 1000 // until buffers, stacks and the peer's address are what they stay
	framesCounted = 5000
	frameGap      = 500 * time.Microsecond
)

// countAllocations counts what the phone's whole path of sound allocates for each RTP packet, sent or received, in steady
// state: sound device, device/voice, sip/media, real sockets on loopback. The peer allocates nothing.
func countAllocations(ctx context.Context) (perPacket float64, err error) {
	const call = sip.CallID(2)
	other, err := peer.OpenStream()
	if err != nil {
		return 0, fmt.Errorf("counting allocations: %w", err)
	}
	defer other.Close()
	first, err := freePorts()
	if err != nil {
		return 0, fmt.Errorf("counting allocations: %w", err)
	}
	sessions := media.New(media.Config{
		Address: func() netip.Addr { return peer.Loopback }, PortMin: first + portRTP, PortMax: first + portsOfSeat - 1, Logger: slog.New(slog.DiscardHandler),
	})
	defer sessions.CloseAll()
	other.To, err = sessions.Open(call)
	if err != nil {
		return 0, fmt.Errorf("counting allocations: %w", err)
	}
	err = sessions.Apply(call, sip.Media{
		Remote: netip.AddrPortFrom(peer.Loopback, other.Port()), RemoteRTCP: netip.AddrPortFrom(peer.Loopback, other.Port()+1),
		Codec: sip.PCMA, PayloadType: peer.PayloadALaw, EventType: 101, PacketTime: peer.PacketTime,
	})
	if err != nil {
		return 0, fmt.Errorf("counting allocations: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	m := &metronome{peer: other, stop: stop}
	v := voice.New(m, sessions, voice.Config{}, nil, slog.New(slog.DiscardHandler))
	v.Set(voice.Plan{Route: hal.Handset, Live: call, Calls: [voice.CallsMax]sip.CallID{call}, Volume: 7})
	go other.Swallow()
	v.Run(ctx)
	statistics, _ := sessions.Statistics(call)
	if least := uint64(framesBefore + framesCounted - 50); statistics.Sent < least || statistics.Received < least {
		return 0, errors.Join(fmt.Errorf("counting allocations: %d packets sent and %d received in %d frames make no call",
			statistics.Sent, statistics.Received, framesBefore+framesCounted), ctx.Err())
	}
	return float64(m.after-m.before) / (2 * framesCounted), nil
}

// metronome is a sound device: for each frame of the microphone the peer sends a packet.
type metronome struct {
	peer          *peer.Stream
	frames        int
	before, after uint64 // allocations of the process
	stop          func()
}

func (m *metronome) Read(mic []int16) error {
	time.Sleep(frameGap)
	for i := range mic {
		mic[i] = int16(i * 50) // not silence
	}
	switch m.frames++; m.frames {
	case framesBefore:
		m.before = allocated()
	case framesBefore + framesCounted:
		m.after = allocated()
		m.stop()
	}
	return m.peer.Say()
}

func (m *metronome) Write([]int16) error { return nil }
func (m *metronome) Route(hal.Route)     {}
func (m *metronome) Close() error        { return nil }

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}
