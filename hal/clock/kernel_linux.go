package clock

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Kernel is a real-time clock with a driver of the kernel (Documentation/admin-guide/rtc.rst of the Linux source), opened for
// each call only: /dev/rtcN can be open once. It must run in UTC.
type Kernel struct {
	Path string // such as /dev/rtc0
}

// Read is the time in UTC, to the second. ErrStopped: the driver knows that it must be set first.
func (k Kernel) Read() (t time.Time, err error) {
	err = k.open(func(fd int) error {
		r, err := unix.IoctlGetRTCTime(fd)
		if errors.Is(err, unix.EINVAL) { // drivers say so of a clock whose oscillator stood, and of fields that are no date
			return fmt.Errorf("%w: %w", err, ErrStopped)
		}
		if err != nil {
			return err
		}
		t, err = parseRTC(*r)
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("clock: read %s: %w", k.Path, err)
	}
	return t, nil
}

// Set sets the clock to a second.
func (k Kernel) Set(t time.Time) error {
	t, err := settable(t)
	if err == nil {
		err = k.open(func(fd int) error { r := formatRTC(t); return unix.IoctlSetRTCTime(fd, &r) })
	}
	if err != nil {
		return fmt.Errorf("clock: set %s: %w", k.Path, err)
	}
	return nil
}

func (k Kernel) open(do func(fd int) error) error {
	f, err := os.Open(k.Path)
	if err != nil {
		return err
	}
	// Fd is of a file that stays blocking here: an ioctl of a clock does not wait.
	return errors.Join(do(int(f.Fd())), f.Close())
}

// parseRTC reads the kernel's struct rtc_time: months from 0, years from 1900, no daylight saving.
func parseRTC(r unix.RTCTime) (time.Time, error) {
	return civil(int(r.Year)+1900, int(r.Mon)+1, int(r.Mday), int(r.Hour), int(r.Min), int(r.Sec))
}

func formatRTC(t time.Time) unix.RTCTime {
	return unix.RTCTime{Sec: int32(t.Second()), Min: int32(t.Minute()), Hour: int32(t.Hour()), Mday: int32(t.Day()),
		Mon: int32(t.Month()) - 1, Year: int32(t.Year()) - 1900, Wday: int32(t.Weekday()), Yday: int32(t.YearDay()) - 1}
}
