package hook

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/line"

	"periph.io/x/conn/v3/gpio"
)

// A wire is a Line that behaves as the kernel's: a queue of edges that drops the oldest.
type wire struct {
	mu      sync.Mutex
	level   bool
	edges   bool // asked for
	queue   []line.Edge
	seq     uint32
	taken   uint32
	deaf    bool // the interrupt does not come
	storms  bool // an edge every 10 µs, whenever one is asked for
	broken  error
	closed  bool
	changed chan struct{}
	calls   int
}

func newWire(level bool) *wire { return &wire{level: level, changed: make(chan struct{})} }

func (w *wire) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *wire) set(level bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.toggle(level)
	w.wake()
}

func (w *wire) toggle(level bool) {
	if w.level == level {
		return
	}
	w.level = level
	if w.edges && !w.deaf {
		w.seq++
		w.queue = append(w.queue, line.Edge{Time: time.Now(), Rising: level, Seq: w.seq})
		w.queue = w.queue[max(0, len(w.queue)-64):]
	}
}

func (w *wire) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = err
	w.wake()
}

func (w *wire) state() error {
	if w.closed {
		return line.ErrClosed
	}
	return w.broken
}

func (w *wire) In(pull gpio.Pull, edge gpio.Edge) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	w.edges, w.queue, w.taken = edge == gpio.BothEdges, nil, w.seq
	return w.state()
}

func (w *wire) Value() (gpio.Level, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.storms {
		w.level = !w.level
	}
	return gpio.Level(w.level), w.state()
}

func (w *wire) NextEdge(timeout time.Duration) (line.Edge, error) {
	end := time.After(timeout)
	for {
		w.mu.Lock()
		w.calls++
		if w.storms {
			w.mu.Unlock()
			time.Sleep(10 * time.Microsecond)
			w.mu.Lock()
			w.toggle(!w.level)
		}
		err, changed := w.state(), w.changed
		if err == nil && len(w.queue) > 0 {
			e := w.queue[0]
			w.queue = w.queue[1:]
			e.Lost, w.taken = e.Seq-w.taken-1, e.Seq
			w.mu.Unlock()
			return e, nil
		}
		w.mu.Unlock()
		if err != nil {
			return line.Edge{}, err
		}
		select {
		case <-changed:
		case <-end:
			return line.Edge{}, line.ErrTimeout
		}
	}
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wake()
	return nil
}

// A phone keeps what it is told.
type phone struct {
	mu    sync.Mutex
	hook  []bool
	parts []hal.PartChange
}

func (p *phone) start(t *testing.T, l Line, o Options) *Switch {
	t.Helper()
	s, err := Start(l, o, func(c hal.HookChange) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.hook = append(p.hook, c.Up)
	}, func(c hal.PartChange) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.parts = append(p.parts, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *phone) want(t *testing.T, hook []bool, faults ...hal.Fault) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []hal.Fault
	for _, part := range p.parts {
		if part.Part != hal.PartHook || (part.Detail == "") != (part.Fault == hal.Working) {
			t.Errorf("a report of %v: %q", part.Part, part.Detail)
		}
		got = append(got, part.Fault)
	}
	if !slices.Equal(p.hook, hook) || !slices.Equal(got, faults) {
		t.Errorf("told %v and %v, want %v and %v", p.hook, p.parts, hook, faults)
	}
}

func TestWhatCannotBeStartedIsRefused(t *testing.T) {
	for _, c := range []struct {
		l Line
		o Options
	}{{nil, Options{}}, {newWire(false), Options{Stable: time.Microsecond}}, {newWire(false), Options{Stable: time.Second}}} {
		if s, err := Start(c.l, c.o, nil, nil); err == nil || !strings.HasPrefix(err.Error(), "hook: ") {
			t.Errorf("%+v: %v, %v", c.o, s, err)
		}
	}
}

func TestTheFirstStateIsToldAndFiftyMillisecondsOfBounceAreOneChange(t *testing.T) {
	for _, upIsLow := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, p := newWire(upIsLow), &phone{}
			s := p.start(t, w, Options{UpIsLow: upIsLow})
			p.want(t, []bool{false})
			for i := range 51 {
				w.set((i%2 == 0) != upIsLow)
				time.Sleep(ms)
			}
			time.Sleep(20 * ms)
			p.want(t, []bool{false, true})
			w.set(upIsLow)
			time.Sleep(9 * ms)
			p.want(t, []bool{false, true})
			time.Sleep(2 * ms)
			p.want(t, []bool{false, true, false})
			if r := s.Report(); r.Movements != 2 || r.BounceMax != 50*ms || r.EdgesMax != 51 {
				t.Errorf("%+v", r)
			}
			if err := errors.Join(s.Close(), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestALineWithoutInterruptsIsReadNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWire(false), &phone{}
		s := p.start(t, w, Options{})
		synctest.Wait()
		w.deaf = true
		w.set(true)
		time.Sleep(checkEvery + 20*ms)
		p.want(t, []bool{false, true})
		s.Close()
	})
}

func TestAQueueThatOverranIsCuredByReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(false)
		release := make(chan struct{})
		var told []bool
		s, err := Start(w, Options{}, func(c hal.HookChange) {
			told = append(told, c.Up)
			<-release // the goroutine is held up
		}, func(hal.PartChange) {})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i := range 201 {
			w.set(i%2 == 0)
			time.Sleep(100 * time.Microsecond)
		}
		close(release)
		time.Sleep(50 * ms)
		s.Close()
		if r := s.Report(); !slices.Equal(told, []bool{false, true}) || r.EdgesLost != 201-64 {
			t.Errorf("told %v, %+v", told, r)
		}
	})
}

func TestALineThatGoesIsReportedAndFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, p := newWire(false), &phone{}
		var second *wire
		opened := 0
		s := p.start(t, first, Options{Reopen: func() (Line, error) {
			if opened++; opened < 5 {
				return nil, syscall.ENODEV
			}
			second = newWire(true)
			return second, nil
		}})
		p.want(t, []bool{false})
		first.fail(syscall.EIO)
		p.want(t, []bool{false}, hal.Failing)
		time.Sleep(4500 * ms)
		p.want(t, []bool{false}, hal.Failing, hal.Missing)
		time.Sleep(time.Second)
		p.want(t, []bool{false, true}, hal.Failing, hal.Missing, hal.Working)
		if !first.closed || second.closed {
			t.Error("the old line stays open, or the new one is closed")
		}
		s.Close()
		if !second.closed {
			t.Error("the new line stays open")
		}
	})
}

func TestAPhoneMayStartWithoutItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &phone{}
		var there atomic.Bool
		s := p.start(t, nil, Options{Reopen: func() (Line, error) {
			if there.Load() {
				return newWire(true), nil
			}
			return nil, syscall.ENOENT
		}})
		p.want(t, nil, hal.Missing)
		there.Store(true)
		time.Sleep(2 * time.Second)
		p.want(t, []bool{true}, hal.Missing, hal.Working)
		s.Close()
	})
}

func TestWithoutReopenTheOldLineIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWire(false), &phone{}
		s := p.start(t, w, Options{})
		synctest.Wait()
		w.fail(syscall.EIO)
		p.want(t, []bool{false}, hal.Failing)
		w.fail(nil)
		time.Sleep(2 * time.Second)
		w.set(true)
		time.Sleep(20 * ms)
		p.want(t, []bool{false, true}, hal.Failing, hal.Working)
		s.Close()
	})
}

func TestAStormCostsLittleAndChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWire(false), &phone{}
		s := p.start(t, w, Options{})
		synctest.Wait()
		w.mu.Lock()
		w.storms, w.calls = true, 0
		w.wake()
		w.mu.Unlock()
		time.Sleep(10 * time.Second) // a million edges
		p.want(t, []bool{false}, hal.Failing)
		if w.calls > stormEdges+1100 {
			t.Errorf("%d calls in a storm of 10 s", w.calls)
		}
		w.mu.Lock()
		w.storms, w.level = false, true
		w.mu.Unlock()
		time.Sleep(time.Second)
		p.want(t, []bool{false, true}, hal.Failing, hal.Working)
		s.Close()
	})
}

func TestALineThatHumsIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWire(false), &phone{}
		s := p.start(t, w, Options{})
		synctest.Wait()
		for i := range 500 { // 100 Hz
			w.set(i%2 == 0)
			time.Sleep(5 * ms)
		}
		p.want(t, []bool{false}, hal.Failing)
		s.Close()
	})
}

func TestAHumOfAnyRhythmIsReportedOnceAndThenIgnored(t *testing.T) {
	for name, half := range map[string][2]time.Duration{
		"100 Hz":                       {5 * ms, 5 * ms},
		"50 Hz, longer than debounced": {8 * ms, 12 * ms},
		"40 Hz, debounced as movement": {12500 * time.Microsecond, 12500 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, p := newWire(false), &phone{}
				s := p.start(t, w, Options{})
				synctest.Wait()
				for start, i := time.Now(), 0; time.Since(start) < 20*time.Second; i++ {
					w.set(i%2 == 0)
					time.Sleep(half[i%2])
				}
				synctest.Wait()
				if len(p.parts) != 1 || p.parts[0].Fault != hal.Failing {
					t.Errorf("told %v", p.parts)
				}
				if most := int(restlessMax/min(half[0], half[1])) + 2; len(p.hook) > most {
					t.Errorf("told %d movements of the hook, at most %d before the line is not believed", len(p.hook), most)
				}
				s.Close()
			})
		})
	}
}

func TestCloseWaitsInEveryState(t *testing.T) {
	for name, prepare := range map[string]func(*wire){
		"at rest":   func(*wire) {},
		"moving":    func(w *wire) { w.set(true) },
		"lost":      func(w *wire) { w.fail(syscall.ENODEV) },
		"in storms": func(w *wire) { w.mu.Lock(); w.storms = true; w.wake(); w.mu.Unlock(); time.Sleep(time.Second) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w, p := newWire(false), &phone{}
			s := p.start(t, w, Options{Reopen: func() (Line, error) { return nil, syscall.ENODEV }})
			synctest.Wait()
			prepare(w)
			closed := make(chan struct{}, 2)
			for range 2 {
				go func() { s.Close(); closed <- struct{}{} }()
			}
			start := time.Now()
			<-closed
			<-closed
			if time.Since(start) > 20*ms {
				t.Errorf("%s: closing took %v", name, time.Since(start))
			}
			told := len(p.hook)
			w.set(false)
			time.Sleep(time.Hour)
			if len(p.hook) != told {
				t.Errorf("%s: told after Close", name)
			}
		})
	}
}
