//go:build linux

package pcmtest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// refine narrows a configuration to what the hardware can do: snd_pcm_hw_refine.
func (s *Stream) refine(p *asound.HWParams) error {
	if p.RMask == 0 {
		return nil // the caller says that nothing changed
	}
	formats := asound.Mask{}
	for _, bit := range s.formats() {
		formats[bit/32] |= 1 << (bit % 32)
	}
	for i, can := range []asound.Mask{{1<<0 | 1<<asound.AccessRWInterleaved}, formats, {1 << asound.SubformatStandard}} {
		for j := range can {
			p.Masks[i][j] &= can[j]
		}
		if p.Masks[i] == (asound.Mask{}) {
			return unix.EINVAL
		}
	}
	if !s.refineIntervals(p) {
		return unix.EINVAL
	}
	for _, which := range []int{asound.PeriodSize, asound.BufferSize, asound.Rate} {
		if i := &p.Intervals[which]; s.OpenEnds && i.Min < i.Max {
			i.Min, i.Max, i.Flags = i.Min-1, i.Max+1, asound.OpenMin|asound.OpenMax
		}
	}
	p.CMask, p.RMask = p.RMask, 0
	p.Info = 1<<0 | 1<<8 // mmap, interleaved
	p.MSBits = 16
	return nil
}

func (s *Stream) formats() []int {
	if len(s.Formats) == 0 {
		return []int{asound.FormatS16LE}
	}
	return s.Formats
}

// refineIntervals applies the limits and buffer = period x periods until nothing changes; false: nothing is left.
func (s *Stream) refineIntervals(p *asound.HWParams) bool {
	slices.Sort(s.Rates)
	limit := func(which, low, high int) bool { return narrow(&p.Intervals[which], uint64(low), uint64(high)) }
	if !limit(asound.Channels, s.Channels[0], s.Channels[1]) || !limit(asound.Periods, 2, 1024) ||
		!limit(asound.PeriodSize, cmp.Or(s.Period[0], 16), cmp.Or(s.Period[1], 8192)) ||
		!limit(asound.BufferSize, cmp.Or(s.Buffer[0], 32), cmp.Or(s.Buffer[1], 65536)) || !limit(asound.Rate, 1, 1e6) {
		return false
	}
	rate, period, periods, buffer := &p.Intervals[asound.Rate], &p.Intervals[asound.PeriodSize], &p.Intervals[asound.Periods], &p.Intervals[asound.BufferSize]
	possible := slices.DeleteFunc(slices.Clone(s.Rates), func(hz int) bool { return hz < int(rate.Min) || hz > int(rate.Max) })
	if len(possible) == 0 || !limit(asound.Rate, possible[0], possible[len(possible)-1]) {
		return false
	}
	for before := (asound.HWParams{}); before != *p; {
		before = *p
		if !narrow(buffer, uint64(period.Min)*uint64(periods.Min), uint64(period.Max)*uint64(periods.Max)) ||
			!narrow(period, uint64((buffer.Min+periods.Max-1)/periods.Max), uint64(buffer.Max/periods.Min)) ||
			!narrow(periods, uint64((buffer.Min+period.Max-1)/period.Max), uint64(buffer.Max/period.Min)) {
			return false
		}
	}
	channels := p.Intervals[asound.Channels]
	micros := func(frames, hz uint32) int { return int(uint64(frames) * 1e6 / uint64(hz)) }
	return limit(asound.SampleBits, 8, 32) && limit(asound.FrameBits, 8*int(channels.Min), 32*int(channels.Max)) &&
		limit(asound.PeriodTime, micros(period.Min, rate.Max), micros(period.Max, rate.Min)+1) &&
		limit(asound.BufferTime, micros(buffer.Min, rate.Max), micros(buffer.Max, rate.Min)+1)
}

// narrow is snd_interval_refine for whole numbers; it reports whether something is left.
func narrow(i *asound.Interval, low, high uint64) bool {
	if i.Flags&asound.OpenMin != 0 {
		i.Min++
	}
	if i.Flags&asound.OpenMax != 0 {
		i.Max--
	}
	i.Min, i.Max = uint32(max(uint64(i.Min), low)), uint32(min(uint64(i.Max), high))
	i.Flags = asound.Integer
	if i.Min > i.Max {
		i.Flags |= asound.Empty
	}
	return i.Min <= i.Max
}

// setHardware is snd_pcm_hw_params: it takes fewest channels, lowest rate, shortest period, longest buffer.
func (s *Stream) setHardware(p *asound.HWParams) error {
	switch s.state {
	case stateOpen, stateSetup, statePrepared:
	default:
		return unix.EBADFD
	}
	for _, choose := range []struct {
		which   int
		longest bool
	}{{asound.Channels, false}, {asound.Rate, false}, {asound.PeriodSize, false}, {asound.BufferSize, true}} {
		p.RMask = math.MaxUint32
		if err := s.refine(p); err != nil {
			s.state = stateOpen
			return err
		}
		i := &p.Intervals[choose.which]
		narrow(i, 0, math.MaxUint32) // closes its ends
		if choose.longest {
			i.Min = i.Max
		} else {
			i.Max = i.Min
		}
	}
	p.RMask = math.MaxUint32
	if err := s.refine(p); err != nil {
		s.state = stateOpen
		return err
	}
	value := func(which int) int { return int(p.Intervals[which].Min) }
	s.rate, s.channels, s.period, s.buffer = value(asound.Rate), value(asound.Channels), value(asound.PeriodSize), value(asound.BufferSize)
	p.RateNum, p.RateDen = uint32(s.rate), 1
	s.software = asound.SWParams{AvailMin: uintptr(s.period), StartThreshold: 1, StopThreshold: uintptr(s.buffer), Boundary: s.boundary()}
	s.state, s.queue = stateSetup, nil
	return nil
}

// boundary is where the kernel's positions wrap.
func (s *Stream) boundary() uintptr {
	boundary := s.buffer
	for boundary <= (math.MaxInt-s.buffer)/2 {
		boundary *= 2
	}
	return uintptr(boundary)
}

// setSoftware is snd_pcm_sw_params.
func (s *Stream) setSoftware(p *asound.SWParams) error {
	if s.state == stateOpen {
		return unix.EBADFD
	}
	if p.TimestampMode > 1 || p.AvailMin == 0 {
		return unix.EINVAL
	}
	if p.SilenceSize >= s.boundary() {
		if p.SilenceThreshold != 0 {
			return unix.EINVAL
		}
	} else if p.SilenceSize > p.SilenceThreshold || p.SilenceThreshold > uintptr(s.buffer) {
		return unix.EINVAL
	}
	p.Boundary = s.boundary()
	s.software = *p
	return nil
}

// delay is do_pcm_hwsync and snd_pcm_calc_delay.
func (s *Stream) delay(d *asound.Delay) error {
	switch s.state {
	case statePrepared, stateRunning:
	case stateXrun:
		return unix.EPIPE
	case stateSuspended:
		return unix.ESTRPIPE
	default:
		return unix.EBADFD
	}
	d.Frames = s.waiting()
	if s.state == stateRunning {
		d.Frames += int(s.Latency * time.Duration(s.rate) / time.Second)
	}
	return nil
}

// prepare is snd_pcm_prepare.
func (s *Stream) prepare() error {
	switch s.state {
	case stateOpen:
		return unix.EBADFD
	case stateRunning:
		return unix.EBUSY
	}
	s.state, s.queue = statePrepared, nil
	return nil
}

// start is snd_pcm_pre_start and snd_pcm_do_start.
func (s *Stream) start() error {
	if s.state != statePrepared {
		return unix.EBADFD
	}
	if s.playback && s.waiting() == 0 && s.software.StopThreshold < s.software.Boundary {
		return unix.EPIPE
	}
	s.state, s.started, s.position = stateRunning, time.Now(), 0
	s.starts++
	s.changed()
	return nil
}

// transfer is __snd_pcm_lib_xfer without blocking.
func (s *Stream) transfer(t *asound.Transfer, write bool) error {
	t.Result = 0
	switch {
	case write != s.playback:
		return unix.EINVAL
	case s.state == statePrepared, s.state == stateRunning:
	case s.state == stateXrun:
		return unix.EPIPE
	case s.state == stateSuspended:
		return unix.ESTRPIPE
	default:
		return unix.EBADFD
	}
	if t.Frames == 0 {
		return nil
	}
	if !write && s.state == statePrepared && t.Frames >= s.software.StartThreshold {
		if err := s.start(); err != nil {
			return err
		}
	}
	n := min(int(t.Frames), s.available())
	if n == 0 {
		return unix.EAGAIN
	}
	samples := t.Samples(s.channels)[:n*s.channels]
	if write {
		s.queue = append(s.queue, samples...)
	} else {
		copy(samples, s.queue)
		s.queue = s.queue[n*s.channels:]
	}
	t.Result = n
	if write && s.state == statePrepared && s.waiting() >= int(s.software.StartThreshold) {
		return s.start()
	}
	return nil
}
