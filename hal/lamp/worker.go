package lamp

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"freizeichen/hal"
)

const (
	// Hardware that fails is tried again after retryFirst, then after twice as long, up to retryMax: a chip that is back lights
	// again before somebody calls the technician, and a bus that hangs is not made worse.
	retryFirst = 250 * time.Millisecond
	retryMax   = 10 * time.Second
	// checkEvery is how soon a chip that lost its power in silence is found while nothing changes.
	checkEvery = 30 * time.Second
)

// An output is hardware that fails as one: a line, a chip, a kernel LED.
type output interface {
	// name is what a technician calls it, with its lamps.
	name() string
	// show makes the hardware what the scene says at an instant, and writes only what differs.
	show(s *scene, now time.Time) error
	// next is when show is due again though the scene has not changed; zero: never.
	next(s *scene, now time.Time) time.Time
}

// A checker is an output that can be asked whether it still is what show made it. It repairs what is not.
type checker interface {
	check(s *scene, now time.Time) error
}

// missing marks the error of hardware that is not there, or does not answer at all.
type missing struct{ error }

func (m missing) Unwrap() error { return m.error }

// A worker is the goroutine of outputs that do not hold up each other.
type worker struct {
	lights *Lights
	posts  []*post
	wake   chan struct{}
	err    error // of the last state; read after its end
}

// A post is an output, and when it is tried again.
type post struct {
	out   output
	fault *fault
	pause time.Duration // the last one; zero: it works
	retry time.Time
	check time.Time
}

func (w *worker) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var due <-chan time.Time
		s := w.lights.current()
		if deadline := w.turn(&s, time.Now()); !deadline.IsZero() {
			timer.Reset(time.Until(deadline))
			due = timer.C
		} else {
			timer.Stop()
		}
		select {
		case <-w.lights.done:
			w.last()
			return
		case <-w.wake:
		case <-due:
		}
	}
}

// turn brings every output up to date, and says when it wants to be called again: never, if nothing blinks and nothing can
// be checked.
func (w *worker) turn(s *scene, now time.Time) time.Time {
	var deadline time.Time
	for _, p := range w.posts {
		deadline = earlier(deadline, p.turn(s, now))
	}
	return deadline
}

func (p *post) turn(s *scene, now time.Time) time.Time {
	if now.Before(p.retry) {
		return p.retry
	}
	err := p.out.show(s, now)
	if c, ok := p.out.(checker); ok && err == nil && (p.pause > 0 || !now.Before(p.check)) {
		// What was written a moment ago needs no check, unless it failed before.
		if p.pause > 0 || !p.check.IsZero() {
			err = c.check(s, now)
		}
		p.check = now.Add(checkEvery)
	}
	p.fault.set(err)
	if err != nil {
		p.pause = min(max(2*p.pause, retryFirst), retryMax)
		p.retry = now.Add(p.pause)
		return p.retry
	}
	p.pause, p.retry = 0, time.Time{}
	return earlier(p.out.next(s, now), p.check)
}

// last shows the last state, also on hardware that is waiting for its next try.
func (w *worker) last() {
	s := w.lights.current()
	var errs []error
	for _, p := range w.posts {
		errs = append(errs, p.out.show(&s, time.Now()))
	}
	w.err = errors.Join(errs...)
}

// faults are those of all outputs, told as the one part that the phone knows.
type faults struct {
	report func(hal.PartChange)

	mu  sync.Mutex
	all []*fault
}

// A fault is how one output is.
type fault struct {
	of     *faults
	name   string
	fault  hal.Fault
	detail string
}

func (f *faults) add(name string) *fault {
	one := &fault{of: f, name: name}
	f.all = append(f.all, one)
	return one
}

// set tells how the output is. Only another kind of fault is news: a retry that fails with other words is not.
func (f *fault) set(err error) {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	kind, detail := hal.Working, ""
	if err != nil {
		kind, detail = hal.Failing, fmt.Sprintf("%s: %v", f.name, err)
		if errors.As(err, &missing{}) {
			kind = hal.Missing
		}
	}
	if kind == f.fault {
		return
	}
	f.fault, f.detail = kind, detail
	if f.of.report != nil {
		f.of.report(f.of.sum())
	}
}

// sum is the worst of all faults with the details of each.
func (f *faults) sum() hal.PartChange {
	sum := hal.PartChange{Part: hal.PartLamps}
	var details []string
	for _, one := range f.all {
		if one.fault == hal.Working {
			continue
		}
		details = append(details, one.detail)
		if sum.Fault != hal.Missing {
			sum.Fault = one.fault
		}
	}
	sum.Detail = strings.Join(details, "; ")
	if details == nil {
		sum.Detail = "all lamps answer"
	}
	return sum
}
