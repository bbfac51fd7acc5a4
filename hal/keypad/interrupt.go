package keypad

import (
	"errors"
	"fmt"
	"time"

	"freizeichen/hal/line"

	"periph.io/x/conn/v3/gpio"
)

const (
	// An interrupt that asked quietMax times in a row for nothing, none of them quietGap after another, is not to be believed: the line
	// is stuck, or storms. The keypad is then polled every pollEvery, until the line has been at rest for calmPolls of them; each
	// relapse within relapseWithin doubles that, up to calmMax.
	quietMax      = 20
	quietGap      = time.Second
	pollEvery     = 50 * time.Millisecond
	calmPolls     = 20
	calmMax       = 1200
	relapseWithin = 10 * time.Second
	// lowAgain is when a line that is still low is served again: its next edge will not come.
	lowAgain = 10 * time.Millisecond
)

// timestamped is what lines have that know when an edge was, and why waiting ended; *line.Line does.
type timestamped interface {
	NextEdge(timeout time.Duration) (line.Edge, error)
}

// valued is what lines have that can fail to be read; *line.Line does.
type valued interface {
	Value() (gpio.Level, error)
}

// read is a pin's level, with an error where the pin can give one.
func read(pin gpio.PinIn) (gpio.Level, error) {
	if v, ok := pin.(valued); ok {
		return v.Value()
	}
	return pin.Read(), nil
}

// An interrupt is the line by which a chip wakes us, low while it wants something; or all columns of a matrix.
type interrupt struct {
	pins    []gpio.PinIn
	pause   func(time.Duration) bool
	armed   bool
	edge    time.Time // of the last wake-up, where the pin knows
	quiet   int
	quietAt time.Time
	calm    int // polls with the line at rest
	wanted  int // so many, to trust it again
	trusted time.Time
	polling bool
}

func (i *interrupt) fail(pin gpio.PinIn, err error) error {
	return fmt.Errorf("line %s: %w", pin, err)
}

// arm turns edges on, disarm off.
func (i *interrupt) arm() error    { return i.in(true, gpio.FallingEdge) }
func (i *interrupt) disarm() error { return i.in(false, gpio.NoEdge) }

func (i *interrupt) in(armed bool, edge gpio.Edge) error {
	i.armed = armed
	for _, pin := range i.pins {
		if err := pin.In(gpio.PullUp, edge); err != nil {
			return i.fail(pin, err)
		}
	}
	return nil
}

// start arms, and trusts the line again.
func (i *interrupt) start() error {
	i.polling, i.quiet, i.calm = false, 0, 0
	return i.arm()
}

// wait waits for an edge of any pin; while none are on, it only lets time pass.
func (i *interrupt) wait(timeout time.Duration) (woken bool, err error) {
	if !i.armed || timeout == 0 {
		i.pause(timeout)
		return false, nil
	}
	if len(i.pins) == 1 { // which needs no goroutine
		woken, i.edge, err = i.await(i.pins[0], timeout)
		return woken, err
	}
	type result struct {
		woken bool
		edge  time.Time
		err   error
	}
	results := make(chan result, len(i.pins))
	for _, pin := range i.pins {
		go func() {
			woken, edge, err := i.await(pin, timeout)
			results <- result{woken, edge, err}
		}()
	}
	first := <-results
	for ended := 1; ended < len(i.pins); {
		if first.woken || first.err != nil {
			i.halt()
		}
		again := time.NewTimer(scanEvery) // one may have begun to wait after it was halted
		select {
		case r := <-results:
			if ended++; !first.woken && (r.woken || first.err == nil) {
				first = r
			}
		case <-again.C:
		}
		again.Stop()
	}
	i.edge = first.edge
	return first.woken, first.err
}

// await waits for an edge of one pin. edge is its time, where the pin knows.
func (i *interrupt) await(pin gpio.PinIn, timeout time.Duration) (woken bool, edge time.Time, err error) {
	if t, ok := pin.(timestamped); ok {
		e, err := t.NextEdge(timeout)
		switch {
		case err == nil:
			return true, e.Time, nil
		case errors.Is(err, line.ErrTimeout), errors.Is(err, line.ErrHalted):
			return false, edge, nil
		}
		return false, edge, i.fail(pin, err)
	}
	began := time.Now()
	woken = pin.WaitForEdge(timeout)
	if !woken && time.Since(began) < timeout/2 {
		i.pause(lowAgain) // a pin that does not wait must not make us run in circles
	}
	return woken, edge, nil
}

// judge looks at the line after a service that found something, or nothing; asked says that the line had wanted it. It is when
// to serve again on account of the line; the zero time is never.
func (i *interrupt) judge(now time.Time, asked, found bool) (again time.Time, err error) {
	low := false
	for _, pin := range i.pins {
		level, err := read(pin)
		if err != nil {
			return again, i.fail(pin, err)
		}
		low = low || level == gpio.Low
	}
	if i.polling {
		i.calm++
		if low {
			i.calm = 0
		}
		if i.calm < i.wanted {
			return now.Add(pollEvery), nil
		}
		i.trusted = now
		return now, i.start() // and served once more: a key may have gone down in between
	}
	if found || now.Sub(i.quietAt) > quietGap {
		i.quiet = 0
	}
	if !found && (asked || low) {
		i.quiet, i.quietAt = i.quiet+1, now
	}
	if i.quiet >= quietMax {
		if i.wanted = min(2*i.wanted, calmMax); i.wanted == 0 || now.Sub(i.trusted) > relapseWithin {
			i.wanted = calmPolls
		}
		i.polling, i.calm = true, 0
		return now.Add(pollEvery), i.disarm()
	}
	if low {
		return now.Add(lowAgain), nil
	}
	return again, nil
}

func (i *interrupt) trouble() string {
	if i.polling {
		return fmt.Sprintf("interrupt line %s is stuck: the keys are polled", i.pins[0])
	}
	return ""
}

func (i *interrupt) halt() {
	for _, pin := range i.pins {
		_ = pin.Halt() // it can only fail on a line that has failed; then nobody waits
	}
}
