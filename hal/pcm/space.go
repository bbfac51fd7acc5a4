//go:build linux

package pcm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// channelsMax is the most channels of a device that are filled or read; more are for studios.
const channelsMax = 8

// space is what a device can still be set to. Each step narrows it with HW_REFINE: the kernel takes away what does not
// go together with what was chosen, and says EINVAL when nothing is left (snd_pcm_hw_refine in pcm_native.c).
type space struct {
	file   asound.File
	params asound.HWParams
}

// newSpace is all that the device can do with 16-bit samples through READI and WRITEI.
func newSpace(file asound.File) (*space, error) {
	all := asound.HWParams{}
	for i := range all.Masks {
		for j := range all.Masks[i] {
			all.Masks[i][j] = math.MaxUint32
		}
	}
	for i := range all.Intervals {
		all.Intervals[i].Max = math.MaxUint32
	}
	s := &space{file, all}
	s.params.Masks[asound.Access] = asound.Mask{1 << asound.AccessRWInterleaved}
	s.params.Masks[asound.Format] = asound.Mask{1 << asound.FormatS16LE}
	s.params.Masks[asound.Subformat] = asound.Mask{1 << asound.SubformatStandard}
	err := s.refine(&s.params)
	if errors.Is(err, unix.EINVAL) {
		if s.refine(&all) == nil {
			return nil, fmt.Errorf("it has no S16_LE: %w; it can %s", err, formats(all.Masks[asound.Format]))
		}
	}
	return s, err
}

func (s *space) refine(params *asound.HWParams) error {
	params.RMask = math.MaxUint32
	return s.file.Ioctl(asound.HWRefine, params)
}

// within is the space with an interval narrowed further.
func (s *space) within(which int, low, high uint32) (asound.HWParams, error) {
	params := s.params
	now := &params.Intervals[which]
	lowest, highest := bounds(*now)
	now.Min, now.Max = max(low, lowest), min(high, highest)
	now.Flags = asound.Integer
	if now.Min > now.Max {
		return params, unix.EINVAL
	}
	err := s.refine(&params)
	return params, err
}

// bounds are the ends of an interval, both in it.
func bounds(i asound.Interval) (low, high uint32) {
	low, high = i.Min, i.Max
	if i.Flags&asound.OpenMin != 0 && low < math.MaxUint32 {
		low++
	}
	if i.Flags&asound.OpenMax != 0 && high > 0 {
		high--
	}
	return low, high
}

// near sets an interval to what is nearest to want.
func (s *space) near(which int, want uint32) error {
	exact, err := s.within(which, want, want)
	if err == nil {
		s.params = exact
		return nil
	}
	var possible []uint32
	if above, err := s.within(which, want, math.MaxUint32); err == nil {
		low, _ := bounds(above.Intervals[which])
		possible = append(possible, low)
	}
	if below, err := s.within(which, 0, want); err == nil {
		_, high := bounds(below.Intervals[which])
		possible = append(possible, high)
	}
	off := func(value uint32) uint32 { return max(value, want) - min(value, want) }
	slices.SortStableFunc(possible, func(a, b uint32) int { return cmp.Compare(off(a), off(b)) })
	for _, value := range possible {
		params, again := s.within(which, value, value)
		if again == nil {
			s.params = params
			return nil
		}
		err = again
	}
	return err
}

// chooseSound sets rate and channels: the first of the rates that the device can do, with as few channels as it can,
// but no fewer than channels.
func (s *space) chooseSound(rates []int, channels int) error {
	able, err := s.within(asound.Channels, uint32(channels), channelsMax)
	if errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("it has no channel %d: %w; it can %s", channels, err, s.can())
	}
	if err != nil {
		return err
	}
	before := s.params
	s.params = able
	for _, rate := range rates {
		params, err := s.within(asound.Rate, uint32(rate), uint32(rate))
		if errors.Is(err, unix.EINVAL) {
			continue
		}
		if err != nil {
			return err
		}
		s.params = params
		fewest, _ := bounds(params.Intervals[asound.Channels])
		return s.near(asound.Channels, fewest)
	}
	s.params = before
	return fmt.Errorf("it has none of the rates %v Hz: %w; it can %s", rates, unix.EINVAL, s.can())
}

// chooseSizes sets period and buffer, both in frames, and the hardware up.
func (s *space) chooseSizes(period, buffer uint32) error {
	if err := s.near(asound.PeriodSize, period); err != nil {
		return fmt.Errorf("choosing a period near %d frames: %w", period, err)
	}
	// Where periods are long, the position is seen late by up to one, and what is written in between needs room.
	buffer = max(buffer, 5*uint32(s.value(asound.PeriodSize)))
	if err := s.near(asound.BufferSize, buffer); err != nil {
		return fmt.Errorf("choosing a buffer near %d frames: %w", buffer, err)
	}
	if err := s.file.Ioctl(asound.SetHW, &s.params); err != nil {
		return fmt.Errorf("setting the hardware up: %w", err)
	}
	return nil
}

// value is what an interval was set to.
func (s *space) value(which int) int {
	low, _ := bounds(s.params.Intervals[which])
	return int(low)
}

// can says what the device can be set to.
func (s *space) can() string {
	span := func(which int, unit string) string {
		low, high := bounds(s.params.Intervals[which])
		if low == high {
			return fmt.Sprintf("%d %s", low, unit)
		}
		return fmt.Sprintf("%d to %d %s", low, high, unit)
	}
	return span(asound.Rate, "Hz") + ", " + span(asound.Channels, "channels")
}

// formats names the usual ones of a mask; the numbers are those of <sound/asound.h>.
func formats(mask asound.Mask) string {
	var names []string
	for _, f := range []struct {
		bit  int
		name string
	}{{0, "S8"}, {1, "U8"}, {2, "S16_LE"}, {3, "S16_BE"}, {6, "S24_LE"}, {10, "S32_LE"}, {14, "FLOAT_LE"}, {32, "S24_3LE"}} {
		if mask[f.bit/32]>>(f.bit%32)&1 != 0 {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return "none of the usual formats"
	}
	return strings.Join(names, ", ")
}
