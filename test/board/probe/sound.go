//go:build linux

package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"
	"unsafe"

	"freizeichen/test/board/rig/usbheadset"

	"golang.org/x/sys/unix"
)

// What include/uapi/sound/asound.h says on a 64-bit machine. It is written anew here: the rig shall not share a mistake with hal/pcm.
type hardware struct {
	flags     uint32
	masks     [8][8]uint32                         // access, format, subformat, five reserved
	intervals [21]struct{ min, max, flags uint32 } // 12, nine reserved
	wanted    uint32
	_         [5]uint32
	_         uint64
	_         [64]byte
}

type software struct {
	_                                            uint32
	periodStep                                   uint32
	_                                            [2]uint32
	availMin, align, start, stop, _, _, boundary uint64
	_                                            [64]byte
}

type transfer struct {
	result int64
	buffer unsafe.Pointer
	frames uint64
}

const (
	rate          = 16000
	period        = rate / 50
	buffer        = 5 * period
	setHW         = 0xc2604111
	setSW         = 0xc0884113
	prepare       = 0x4140
	start         = 0x4142
	writeI        = 0x40184150
	readI         = 0x80184151
	firstInterval = 8
)

func ioctl(file *os.File, request uintptr, argument unsafe.Pointer) error {
	if _, _, code := unix.Syscall(unix.SYS_IOCTL, file.Fd(), request, uintptr(argument)); code != 0 {
		return fmt.Errorf("%s: %#x: %w", file.Name(), request, code)
	}
	return nil
}

func open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	var hw hardware
	for i := range hw.masks {
		for j := range hw.masks[i] {
			hw.masks[i][j] = ^uint32(0)
		}
	}
	for i := range hw.intervals {
		hw.intervals[i].max = ^uint32(0)
	}
	hw.wanted = ^uint32(0)
	hw.masks[0], hw.masks[1], hw.masks[2] = [8]uint32{1 << 3}, [8]uint32{1 << 2}, [8]uint32{1} // interleaved, S16_LE, standard
	for number, value := range map[int]uint32{10: 1, 11: rate, 13: period, 17: buffer} {
		i := &hw.intervals[number-firstInterval]
		i.min, i.max, i.flags = value, value, 1<<2 // integer
	}
	if err := ioctl(file, setHW, unsafe.Pointer(&hw)); err != nil {
		return nil, err
	}
	sw := software{periodStep: 1, availMin: period, align: 1, start: 3 * period, stop: buffer, boundary: buffer << 20}
	if err := ioctl(file, setSW, unsafe.Pointer(&sw)); err != nil {
		return nil, err
	}
	return file, ioctl(file, prepare, nil)
}

// move transfers samples, and starts again after a gap.
func move(file *os.File, request uintptr, samples []int16) (gap bool, err error) {
	t := transfer{buffer: unsafe.Pointer(&samples[0]), frames: uint64(len(samples))}
	// Go's scheduler sends signals. EIO is what a card that has given or taken nothing for a buffer's time is told on a busy machine
	// (wait_for_avail in sound/core/pcm_lib.c): it still runs.
	for err = unix.EINTR; errors.Is(err, unix.EINTR) || errors.Is(err, unix.EIO); {
		err = ioctl(file, request, unsafe.Pointer(&t))
	}
	if !errors.Is(err, unix.EPIPE) {
		return false, err
	}
	if err := ioctl(file, prepare, nil); err != nil {
		return true, err
	}
	if request == readI {
		return true, ioctl(file, start, nil)
	}
	return true, nil
}

const (
	soundTime = 2 * time.Second
	periods   = int(soundTime / (20 * time.Millisecond))
)

func sound(argument string) error {
	card, err := strconv.Atoi(argument)
	if err != nil {
		return err
	}
	saidHz, heardHz := float64(400+100*card), float64(1000+100*card)
	speaker, err := open(fmt.Sprintf("/dev/snd/pcmC%dD0p", card))
	if err != nil {
		return err
	}
	microphone, err := open(fmt.Sprintf("/dev/snd/pcmC%dD0c", card))
	if err != nil {
		return err
	}
	said := make(chan error, 1)
	saidGaps := 0
	go func() {
		samples, phase := make([]int16, period), 0
		for range periods {
			for i := range samples {
				samples[i] = int16(8000 * math.Sin(2*math.Pi*saidHz*float64(phase)/rate))
				phase++
			}
			gap, err := move(speaker, writeI, samples)
			if gap {
				saidGaps++
			}
			if err != nil {
				said <- err
				return
			}
		}
		said <- nil
	}()
	if err := ioctl(microphone, start, nil); err != nil {
		return err
	}
	var heard []int16
	gaps := 0
	for range periods {
		samples := make([]int16, period)
		gap, err := move(microphone, readI, samples)
		if err != nil {
			return err
		}
		if gap {
			gaps++
			continue
		}
		heard = append(heard, samples...)
	}
	if err := <-said; err != nil {
		return err
	}
	fmt.Printf("share %.2f frames %d gaps %d %d\n", usbheadset.Share(heard, heardHz), len(heard), saidGaps, gaps)
	return nil
}
