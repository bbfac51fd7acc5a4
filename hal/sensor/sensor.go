// Package sensor measures what the phone feels: temperature by an LM75B (NXP Rev. 6.1) or TMP102 (TI SBOS397), by the
// kernel's thermal zones and the throttle flag of a Raspberry Pi; ambient light by a BH1750FVI (ROHM 2009.04 Rev. B). A
// reading is plausible or an error, never a wrong number. It also decides how bright panel and lamps shall be, which is pure
// (Dimmer); it does not know who is dimmed.
//
//	LM75.Celsius, Zone.Celsius --+
//	                             +--> Watch (a goroutine, 2 s or more) --> report(hal.PartChange)
//	BH1750.Lux ------------------+
//	BH1750.Lux --> Follow (a goroutine) --> Dimmer (pure) --> level(1 to 255)
package sensor

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"freizeichen/hal"
)

// PollMin is how often a sensor is asked at most: none of them has an interrupt, all share their bus with keys and lamps, and
// neither rooms nor chips change faster.
const PollMin = 2 * time.Second

// failuresMax is how many readings in a row must fail before the part does: one disturbed transfer is no fault.
const failuresMax = 3

// missing marks the error of a sensor that does not answer, or has no file.
type missing struct{ error }

func (m missing) Unwrap() error { return m.error }

// A health counts failures of one part, and reports what is news.
type health struct {
	part     hal.Part
	report   func(hal.PartChange) // nil: nobody asks
	failures int
	fault    hal.Fault
}

// result is one reading's.
func (h *health) result(err error) {
	change := hal.PartChange{Part: h.part, Detail: "measures again"}
	if err != nil {
		h.failures++
		change.Fault, change.Detail = hal.Failing, err.Error()
		if errors.As(err, &missing{}) || errors.Is(err, fs.ErrNotExist) {
			change.Fault = hal.Missing
		}
		if h.failures < failuresMax {
			return
		}
	} else {
		h.failures = 0
	}
	if change.Fault == h.fault {
		return
	}
	h.fault = change.Fault
	if h.report != nil {
		h.report(change)
	}
}

// Watch calls read every so often, at once and then not more often than PollMin, on a goroutine of its own. It reports that
// the part fails after three failures in a row, and that it works again; one report at a time. What was read is the
// business of read. stop ends it and waits for a read under way.
func Watch(part hal.Part, every time.Duration, read func() error, report func(hal.PartChange)) (stop func()) {
	h := health{part: part, report: report}
	return loop(func() time.Time {
		h.result(read())
		return time.Now().Add(max(every, PollMin))
	})
}

// loop calls step at once and then whenever it asked for, until stop.
func loop(step func() (next time.Time)) (stop func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-done:
				return
			case <-timer.C:
				timer.Reset(time.Until(step()))
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		ended.Wait()
	})
}

// notThere tells a part that is not there from one that fails: it does not answer the question again either.
func notThere(err error, again func() error) error {
	if again() != nil {
		return missing{fmt.Errorf("%w; it does not answer: check its supply and its bus", err)}
	}
	return err
}
