// Package clock reads and sets the clock that goes on while the phone has no power: a DS3231 on I2C (Maxim 19-5170 Rev. 10) or
// a real-time clock of the kernel (/dev/rtcN). A time that cannot be trusted is an error, never a wrong time: certificates and
// logs depend on it. It does not set the system's clock.
//
//	DS3231 {Bus, Addr} --Tx 00h..0Fh--> 16 registers --parse (pure)--> time.Time in UTC, or what is wrong
//	Kernel {Path}  ----RTC_RD_TIME--> struct rtc_time --parse (pure)--^
//
//	Reading, 10 s, Reading --Tick (pure)--> drift against the monotonic clock
package clock

import (
	"errors"
	"fmt"
	"time"
)

// ErrStopped is the error for a clock that stood since it was set: its time means nothing. Usually its battery is empty or
// missing; Set makes it valid until it stands again.
var ErrStopped = errors.New("the clock stood: check its battery, then set it")

// The years that a clock may show: the DS3231 counts leap years right up to 2100 (page 11), and no phone was before 2020.
const (
	yearMin = 2020
	yearMax = 2099
)

// civil makes a time of what a clock shows, and refuses what no calendar has.
func civil(year, month, day, hour, minute, second int) (time.Time, error) {
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	switch {
	case t.Year() != year || int(t.Month()) != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute || t.Second() != second:
		return time.Time{}, fmt.Errorf("it shows %04d-%02d-%02d %02d:%02d:%02d, which does not exist", year, month, day, hour, minute, second)
	case year < yearMin || year > yearMax:
		return time.Time{}, fmt.Errorf("it shows the year %d, not %d to %d: set it", year, yearMin, yearMax)
	}
	return t, nil
}

// settable makes of t the second that a clock can be set to.
func settable(t time.Time) (time.Time, error) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < yearMin || t.Year() > yearMax {
		return time.Time{}, fmt.Errorf("the year %d is not %d to %d", t.Year(), yearMin, yearMax)
	}
	return t, nil
}

// A Reading is what a clock showed, and when: At must have a monotonic reading, as time.Now has.
type Reading struct {
	Clock time.Time
	At    time.Time
}

// Limits of the tick test.
const (
	// TickTime is how far apart two readings are to be, at least.
	TickTime = 10 * time.Second
	// DriftMax is above what whole seconds alone can make: a clock that is right differs by less than a second.
	DriftMax = time.Second
)

// Tick is how much the clock went faster than the monotonic clock between two readings, at least TickTime apart. It is an
// error if that is DriftMax or more, either way: the clock stands, runs away, or was set in between.
func Tick(first, second Reading) (drift time.Duration, err error) {
	took := second.At.Sub(first.At)
	if took < TickTime {
		return 0, fmt.Errorf("clock: readings %v apart say nothing: they must be %v apart", took, TickTime)
	}
	drift = second.Clock.Sub(first.Clock) - took
	switch {
	case second.Clock.Equal(first.Clock):
		return drift, fmt.Errorf("clock: it stands at %s: its crystal is broken", first.Clock.Format(time.DateTime))
	case drift.Abs() >= DriftMax:
		return drift, fmt.Errorf("clock: it went %v in %v", second.Clock.Sub(first.Clock), took)
	}
	return drift, nil
}
