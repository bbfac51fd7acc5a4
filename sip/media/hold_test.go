package media

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
)

func TestWhatTheDirectionForbidsIsNotSentAndNotHeard(t *testing.T) {
	tests := []struct {
		near, far           sip.Direction
		nearHears, farHears bool
		nearSends, farSends bool
		unspecified         bool // far has the address 0.0.0.0
	}{
		{near: sip.Inactive, far: sip.Inactive},
		{near: sip.SendOnly, far: sip.RecvOnly, farHears: true, nearSends: true},
		{near: sip.RecvOnly, far: sip.SendOnly, nearHears: true, farSends: true},
		{near: sip.SendOnly, far: sip.SendRecv, farHears: true, nearSends: true, farSends: true},
		{near: sip.RecvOnly, far: sip.SendRecv, nearHears: true, farSends: true, unspecified: true},
		{near: sip.SendRecv, far: sip.SendRecv, nearHears: true, farHears: true, nearSends: true, farSends: true},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t, newWire(), nil)
			defer k.end()
			k.talk(time.Second)
			k.apply(func(near, far *sip.Media) {
				near.Direction, far.Direction = test.near, test.far
				if test.unspecified {
					near.Remote = netip.AddrPortFrom(netip.IPv4Unspecified(), near.Remote.Port())
					near.RemoteRTCP = netip.AddrPortFrom(netip.IPv4Unspecified(), near.RemoteRTCP.Port())
				}
			})
			beforeNear, beforeFar := k.statistics(k.near).Sent, k.statistics(k.far).Sent
			heardNear, heardFar := k.talk(2 * time.Second)
			if heard := share(heardNear[8000:], 1000) > 0.98; heard != test.nearHears {
				t.Errorf("near %v, far %v: near hears: %v", test.near, test.far, heard)
			}
			if heard := share(heardFar[8000:], 440) > 0.98; heard != test.farHears {
				t.Errorf("near %v, far %v: far hears: %v", test.near, test.far, heard)
			}
			if sent := k.statistics(k.near).Sent > beforeNear; sent != test.nearSends {
				t.Errorf("near %v, far %v: near sends: %v", test.near, test.far, sent)
			}
			if sent := k.statistics(k.far).Sent > beforeFar; sent != test.farSends {
				t.Errorf("near %v, far %v: far sends: %v", test.near, test.far, sent)
			}
			k.apply(nil)
			heardNear, heardFar = k.talk(2 * time.Second)
			if share(heardNear[8000:], 1000) < 0.98 || share(heardFar[8000:], 440) < 0.98 {
				t.Errorf("near %v, far %v: after the hold they do not hear each other", test.near, test.far)
			}
		})
	}
}

func TestAMutedPhoneSendsComfortNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t, newWire(), nil)
		defer k.end()
		loudest, frame := int16(0), make([]int16, frameSamples)
		for range 100 {
			k.near.Send(theCall, nil)
			time.Sleep(20 * time.Millisecond)
			k.far.Receive(theCall, frame)
			for _, sample := range frame {
				loudest = max(loudest, sample, -sample)
			}
		}
		if sent := k.statistics(k.near).Sent; sent != 100 {
			t.Errorf("%d packets sent in 100 frames", sent)
		}
		if loudest == 0 || loudest > 64 {
			t.Errorf("the noise peaks at %d of 32767", loudest)
		}
	})
}

func TestDigitsArriveOnceAndInOrder(t *testing.T) {
	for _, fraction := range []float64{0, 0.2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire()
			k := newTalk(t, w, nil)
			defer k.end()
			k.talk(time.Second)
			w.mu.Lock()
			w.fate = lose(fraction)
			w.mu.Unlock()
			const number = "0123456789*#ABCD"
			for _, digit := range []byte(number) {
				k.near.SendDigit(theCall, digit)
			}
			_, heard := k.talk(16 * 160 * time.Millisecond)
			var got string
			for len(k.digits) > 0 {
				got += string(<-k.digits)
			}
			if got != number {
				t.Errorf("with %v lost: digits %q", fraction, got)
			}
			if s := share(heard[8000:], 440); s > 0.1 {
				t.Errorf("voice is heard between the digits: %.3f", s)
			}
			if _, heard = k.talk(2 * time.Second); share(heard[8000:], 440) < 0.7 {
				t.Errorf("no voice after the digits: %.3f", share(heard, 440))
			}
			if s := k.statistics(k.far); fraction == 0 && (s.ConcealedFrames != 0 || s.Lost != 0) {
				t.Errorf("sound was made up in place of digits: %+v", s)
			}
		})
	}
}

func TestADigitThatMayNotBeSentIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t, newWire(), func(near, _ *sip.Media) { near.EventType = 0 })
		defer k.end()
		k.near.SendDigit(theCall, '1')
		k.apply(func(near, _ *sip.Media) { near.Direction = sip.RecvOnly })
		k.near.SendDigit(theCall, '2')
		k.apply(nil)
		k.near.SendDigit(theCall, 'x')
		k.near.SendDigit(theCall, '3')
		k.apply(func(near, _ *sip.Media) { near.Direction = sip.RecvOnly })
		k.talk(20 * time.Millisecond)
		k.apply(nil)
		k.talk(200 * time.Millisecond)
		k.near.SendDigit(theCall, '4')
		k.apply(func(near, _ *sip.Media) { near.EventType = 0 })
		k.apply(nil)
		k.talk(time.Second)
		if len(k.digits) != 0 {
			t.Errorf("digit %q arrived", <-k.digits)
		}
	})
}
