package hook

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/line"

	"periph.io/x/conn/v3/gpio"
)

const (
	// reopenEvery is how often a lost line is looked for.
	reopenEvery = time.Second
	// checkEvery is how often the level of a line without edges is read: chips have been seen to lose an interrupt, and
	// before Linux 6.7 nobody is woken when a chip goes.
	checkEvery = 10 * time.Second
	// A line with more than stormEdges edges within stormWindow is a storm. The worst contact makes one in 0.2 ms, and rests.
	stormEdges  = 1000
	stormWindow = 100 * time.Millisecond
	// restlessMax is for a line that is quieter, but never rests for longer than retriggerWithin: hum, or a contact that corrodes.
	restlessMax = 2 * time.Second
	// In a storm edges are off and the level is read instead; it is over after calmReadings equal ones. Mains of 50 and 60 Hz have
	// no rhythm of 13 ms: hum is never read at the same place of its wave again and again.
	stormPoll    = 13 * time.Millisecond
	calmReadings = 20
)

// A Line is what a Switch needs of a GPIO line; *line.Line is one.
type Line interface {
	In(pull gpio.Pull, edge gpio.Edge) error
	Value() (gpio.Level, error)
	// NextEdge waits; it ends with line.ErrTimeout, or with another error when the line is closed or fails.
	NextEdge(timeout time.Duration) (line.Edge, error)
	Close() error
}

// Options say how the switch is wired. The zero value is a switch that is closed to ground while the handset lies on it, with a
// pull-up on the board.
type Options struct {
	// Stable is how long the level must stay the same; 0 is StableDefault.
	Stable time.Duration
	// UpIsLow is set where a lifted handset makes Low.
	UpIsLow bool
	// Pull is the bias of the line.
	Pull gpio.Pull
	// Reopen finds the line again after it failed. Without it the old one is tried.
	Reopen func() (Line, error)
}

// A Switch is the hook switch of a phone while it is being watched.
type Switch struct {
	options Options
	hook    func(hal.HookChange)
	part    func(hal.PartChange)
	quit    chan struct{}
	done    chan struct{}

	mu        sync.Mutex
	current   Line
	closed    bool
	debouncer *Debouncer

	told hal.PartChange // by the goroutine alone, like all below
}

// Start watches a line, and owns it from now on: Close closes it. l may be nil if Options.Reopen will find it. The first
// state of the hook is told as soon as it is known; hook and part are called by one goroutine, in order, and must not call Close.
func Start(l Line, o Options, hook func(hal.HookChange), part func(hal.PartChange)) (*Switch, error) {
	if o.Stable == 0 {
		o.Stable = StableDefault
	}
	if o.Stable < StableMin || o.Stable > StableMax {
		return nil, fmt.Errorf("hook: debounce for %v: between %v and %v are allowed", o.Stable, StableMin, StableMax)
	}
	if l == nil && o.Reopen == nil {
		return nil, errors.New("hook: start: there is neither a line nor a way to find one")
	}
	s := &Switch{options: o, hook: hook, part: part, quit: make(chan struct{}), done: make(chan struct{}),
		current: l, debouncer: NewDebouncer(o.Stable), told: hal.PartChange{Part: hal.PartHook}}
	go s.run()
	return s, nil
}

// Close ends watching, waits for it, and closes the line. Closing again does nothing.
func (s *Switch) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.done
		return nil
	}
	s.closed = true
	l := s.current
	s.mu.Unlock()
	close(s.quit)
	var err error
	if l != nil {
		err = l.Close() // wakes the goroutine
	}
	<-s.done
	return err
}

// Report is what has been measured of the switch so far.
func (s *Switch) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.debouncer.Report()
}

// Up tells whether the handset is lifted, as told last; false before anything was.
func (s *Switch) Up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.debouncer.up
}

// Restart forgets what has been measured.
func (s *Switch) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.debouncer.Restart()
}

func (s *Switch) run() {
	defer close(s.done)
	l := s.current
	for first := true; ; first = false {
		var err error
		if l == nil || !first && s.options.Reopen != nil {
			l, err = s.reopen(l)
		}
		if err == nil {
			err = s.watch(l)
		}
		if !s.sleep(0) {
			return
		}
		s.tell(faultOf(err), err.Error())
		if !s.sleep(reopenEvery) {
			return
		}
	}
}

// reopen closes the old line, which the kernel gives to nobody else before, and asks for a new one.
func (s *Switch) reopen(old Line) (Line, error) {
	if old != nil {
		_ = old.Close() // it has failed already
	}
	l, err := s.options.Reopen()
	switch {
	case err != nil:
		l = nil
	case l == nil:
		err = errors.New("hook: reopen: there is no line")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = l
	if s.closed && l != nil {
		_ = l.Close()
		return nil, line.ErrClosed
	}
	return l, err
}

// watch follows one line until it fails or the switch is closed.
func (s *Switch) watch(l Line) error {
	if err := l.In(s.options.Pull, gpio.BothEdges); err != nil {
		return err
	}
	if err := s.read(l); err != nil {
		return err
	}
	s.tell(hal.Working, "")
	var storm storm
	for {
		edge, err := l.NextEdge(s.timeout())
		switch {
		case err == nil:
			s.debounce(func(d *Debouncer) (hal.HookChange, bool) {
				return d.Edge(edge.Time, edge.Rising != s.options.UpIsLow, int(edge.Lost))
			})
			if storm.edge(edge, max(s.options.Stable, retriggerWithin)) {
				err = s.sitOut(l)
			}
		case errors.Is(err, line.ErrTimeout):
			err = s.read(l) // nothing is told of a level that an edge may have missed
		}
		if err != nil {
			return err
		}
	}
}

// timeout is how long nothing needs to be done without an edge.
func (s *Switch) timeout() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if deadline := s.debouncer.Deadline(); !deadline.IsZero() {
		return max(0, time.Until(deadline))
	}
	return checkEvery
}

func (s *Switch) read(l Line) error {
	level, err := l.Value()
	if err != nil {
		return err
	}
	s.debounce(func(d *Debouncer) (hal.HookChange, bool) {
		return d.Level(time.Now(), bool(level) != s.options.UpIsLow)
	})
	return nil
}

// debounce does something with the debouncer, and tells what comes of it.
func (s *Switch) debounce(do func(*Debouncer) (hal.HookChange, bool)) {
	s.mu.Lock()
	change, told := do(s.debouncer)
	s.mu.Unlock()
	if told {
		s.hook(change)
	}
}

// A storm watches how the edges come.
type storm struct {
	window   time.Time
	edges    int // since window began
	restless time.Time
	last     time.Time
}

// edge tells a line that is not to be believed: it has too many edges, or for too long no pause of rest or more.
func (w *storm) edge(e line.Edge, rest time.Duration) bool {
	if e.Time.Sub(w.window) > stormWindow {
		w.window, w.edges = e.Time, 0
	}
	w.edges += 1 + int(e.Lost)
	if e.Time.Sub(w.last) > rest {
		w.restless = e.Time
	}
	w.last = e.Time
	return w.edges > stormEdges || e.Time.Sub(w.restless) > restlessMax
}

// sitOut waits for a line that never rests, at the cost of a reading now and then. The hook stays as it was told: what such a
// line says is not to be believed.
func (s *Switch) sitOut(l Line) error {
	if err := l.In(s.options.Pull, gpio.NoEdge); err != nil {
		return err
	}
	s.tell(hal.Failing, "the line never rests: check the switch and its wire")
	s.debounce(func(d *Debouncer) (hal.HookChange, bool) { d.Forget(); return hal.HookChange{}, false })
	for equal, before := 0, gpio.Low; equal < calmReadings; equal++ {
		if !s.sleep(stormPoll) {
			return line.ErrClosed
		}
		level, err := l.Value()
		if err != nil {
			return err
		}
		if level != before {
			equal = -1
		}
		before = level
	}
	if err := l.In(s.options.Pull, gpio.BothEdges); err != nil {
		return err
	}
	s.tell(hal.Working, "")
	return s.read(l)
}

// sleep reports false when the switch is being closed.
func (s *Switch) sleep(d time.Duration) bool {
	if d == 0 {
		select {
		case <-s.quit:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.quit:
		return false
	case <-timer.C:
		return true
	}
}

// tell reports how the part is, when that is news.
func (s *Switch) tell(fault hal.Fault, detail string) {
	news := hal.PartChange{Part: hal.PartHook, Fault: fault, Detail: detail}
	if news != s.told {
		s.told = news
		s.part(news)
	}
}

// faultOf tells a line that is not there from one that fails.
func faultOf(err error) hal.Fault {
	for _, gone := range []error{syscall.ENODEV, syscall.ENXIO, syscall.ENOENT, line.ErrClosed} {
		if errors.Is(err, gone) {
			return hal.Missing
		}
	}
	return hal.Failing
}
