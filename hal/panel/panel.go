// Package panel drives the phone's display and sends only what changed. A picture comes whole each time; which parts of the
// controller's memory differ, and in which windows they cost least on the bus, is a pure function (package plan). The shell
// holds one goroutine that alone speaks with the panel. It must not know what a picture means.
//
//	Show(picture) -> latest wins -> encode -> memory -> windows(shown, memory) -> Controller: SSD1306, SH1106  I2C
//	   never blocks                 for the controller     near the fewest bytes              SSD1322, ST7789   SPI
//	                                                                                          /dev/fbN          memory
//	any error -> hal.PartChange; once a second: start, everything, light -> Working
//	every checkEvery: status -> an error as any other; every renewEvery, where nothing can be read: everything again
//
// Datasheets that are cited: Solomon Systech SSD1306 Rev 1.1 (Apr 2008) with its application note on the charge pump;
// Sino Wealth SH1106 V2.3; Solomon Systech SSD1322 Rev 1.2; Newhaven NHD-2.7-12864WDW3; Sitronix ST7789V V1.6; and the
// kernel's include/uapi/linux/fb.h.
package panel

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"sync"
	"time"

	"freizeichen/hal"
)

// A Controller is one display controller with its glass, on its bus. Make one with NewSSD1306, NewSH1106, NewSSD1322,
// NewST7789 or NewFramebuffer; it then belongs to the Panel that it is opened with.
type Controller interface {
	// form says how a picture stands in the memory. It never changes.
	form() *form
	// start initialises the controller, dark; its memory is not known afterwards. It ends with absent when nobody answers.
	start() error
	// write sends a window of cells, row by row.
	write(window image.Rectangle, data []byte) error
	// light switches on or off, and sets the brightness between 0 and 1.
	light(on bool, fraction float64) error
	// status reads what the controller says of itself, which should be on; errLost when it has forgotten that.
	status(on bool) (string, error)
}

// A renewer is a controller that may stand on a bus which it cannot be read on.
type renewer interface {
	// renew sends what start sends, but resets nothing and darkens nothing: nobody sees it on a panel that works.
	renew() error
}

// ErrUnreadable is what Check ends with on a bus that a panel cannot be read on: only a person can see whether it works.
var ErrUnreadable = errors.New("cannot be read")

// absent is the error of a panel that does not answer at all.
type absent struct{ error }

func (a absent) Unwrap() error { return a.error }

// errLost is the error of a panel that answers but is not in the state that it was put into: it lost power.
var errLost = errors.New("has lost its state: was its power interrupted?")

// startPause is the least time between two attempts to start a panel. A panel that has worked for longer is started again
// at once: a single disturbance costs the user one frame.
const startPause = time.Second

const (
	// checkEvery is how soon a panel that lost its power in silence is found while it works otherwise: it acknowledges all that
	// it is sent, and stays dark. Each check that fails doubles the pause up to renewEvery, so that a module whose status cannot
	// be believed does not flicker twice a minute.
	checkEvery = 30 * time.Second
	// renewEvery is how often a panel that cannot be asked is sent everything instead.
	renewEvery = 5 * time.Minute
)

// A Panel shows pictures. Its methods may be called from any goroutine.
type Panel struct {
	controller Controller
	report     func(hal.PartChange)

	wake     chan struct{} // holds one: something is wanted
	requests chan request
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once
	closeErr error // after closed

	mu   sync.Mutex
	want want

	// All below belongs to the goroutine.
	up     bool      // started, and memory is what the controller holds
	tried  time.Time // of the last start
	fault  hal.Fault
	err    error         // why it is not up
	check  time.Time     // when to look next whether it still is
	pause  time.Duration // until the check after
	memory []byte
	next   []byte
	data   []byte
	shown  want
}

// want is all that a panel shall be.
type want struct {
	picture  *image.Paletted
	fraction float64
	blank    bool
}

// A request is run by the goroutine between two pictures.
type request struct {
	do     func() (string, error)
	answer chan answer // holds one
}

type answer struct {
	text string
	err  error
}

// Open starts a panel: dark until it is initialised, then black at full brightness until the first picture. It does not wait
// for the bus. Report is told when the panel fails, goes and works again, from one goroutine; it must not call the panel. A
// panel that works from the beginning is not reported. Close ends it.
func Open(c Controller, report func(hal.PartChange)) *Panel {
	p := &Panel{
		controller: c, report: report,
		wake: make(chan struct{}, 1), requests: make(chan request),
		closing: make(chan struct{}), closed: make(chan struct{}),
		want:   want{fraction: 1},
		memory: make([]byte, c.form().Length()), next: make([]byte, c.form().Length()), pause: checkEvery,
	}
	go p.run()
	return p
}

// Show is the picture from now on; it is not written to any more. It never blocks: of pictures that come faster than the bus
// is, the last one counts. Pixels beyond the panel are not shown, missing ones are dark; nil is ignored.
func (p *Panel) Show(picture *image.Paletted) {
	if picture != nil {
		p.set(func(w *want) { w.picture = picture })
	}
}

// Dim sets the brightness, from 0, the darkest that can still be seen, to 1. What is outside is cut; not-a-number is 1.
func (p *Panel) Dim(fraction float64) {
	if math.IsNaN(fraction) {
		fraction = 1
	}
	p.set(func(w *want) { w.fraction = min(1, max(0, fraction)) })
}

// Blank switches the panel dark, or on again with the present picture.
func (p *Panel) Blank(blank bool) { p.set(func(w *want) { w.blank = blank }) }

func (p *Panel) set(change func(*want)) {
	p.mu.Lock()
	change(&p.want)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default: // it is awake already, and will look
	}
}

// Refresh initialises the panel and writes everything, for the self-test. It returns when that is done, with its error, or
// when the context ends.
func (p *Panel) Refresh(ctx context.Context) error {
	_, err := p.ask(ctx, func() (string, error) {
		p.up, p.tried = false, time.Time{}
		p.obey()
		return "", p.err
	})
	return err
}

// Check asks the panel how it is, for the self-test. The text is for the report. The error is ErrUnreadable where the bus
// cannot read. A panel that answers but has forgotten its state is started again.
func (p *Panel) Check(ctx context.Context) (string, error) {
	return p.ask(ctx, func() (string, error) {
		if !p.up {
			return "", p.err
		}
		text, err := p.controller.status(!p.shown.blank)
		if errors.Is(err, errLost) {
			p.fail(err)
		}
		return text, err
	})
}

func (p *Panel) ask(ctx context.Context, do func() (string, error)) (string, error) {
	r := request{do, make(chan answer, 1)}
	name := p.controller.form().name
	select {
	case p.requests <- r:
	case <-ctx.Done():
		return "", fmt.Errorf("panel: %s: its bus is busy: %w", name, ctx.Err())
	case <-p.closed:
		return "", fmt.Errorf("panel: %s is closed", name)
	}
	select {
	case a := <-r.answer:
		return a.text, a.err
	case <-ctx.Done():
		return "", fmt.Errorf("panel: %s: its bus is busy: %w", name, ctx.Err())
	}
}

// Close switches the panel dark and ends. It waits for a transfer that is under way, and returns the error of the last one.
// It does not close the bus.
func (p *Panel) Close() error {
	p.once.Do(func() { close(p.closing) })
	<-p.closed
	return p.closeErr
}

func (p *Panel) run() {
	defer close(p.closed)
	for {
		p.obey()
		due := p.check
		if !p.up {
			due = p.tried.Add(startPause)
		}
		timer := time.NewTimer(time.Until(due))
		select {
		case <-p.wake:
		case <-timer.C:
		case r := <-p.requests:
			text, err := r.do()
			r.answer <- answer{text, err}
		case <-p.closing:
			p.closeErr = p.end()
			return
		}
		timer.Stop()
	}
}

func (p *Panel) end() error {
	var err error
	if p.up {
		err = p.controller.light(false, p.shown.fraction)
	}
	if c, ok := p.controller.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// obey makes the panel what is wanted now.
func (p *Panel) obey() {
	p.mu.Lock()
	w := p.want
	p.mu.Unlock()
	if !p.up {
		if time.Since(p.tried) < startPause {
			return
		}
		p.tried = time.Now()
		if err := p.start(w); err != nil {
			p.fail(err)
			return
		}
		p.up, p.err, p.check = true, nil, time.Now().Add(p.pause)
		p.tell(hal.Working, p.controller.form().name)
		return
	}
	err := p.change(w)
	if err == nil && !time.Now().Before(p.check) {
		err = p.look(w)
	}
	if err != nil {
		p.fail(err) // and run starts it again: at once, if the panel has worked for a while
	}
}

// look finds a panel that is no longer what it was made. One that cannot be asked is made so again.
func (p *Panel) look(w want) error {
	_, err := p.controller.status(!p.shown.blank)
	r, ok := p.controller.(renewer)
	switch {
	case err == nil:
		p.pause = checkEvery
	case ok && errors.Is(err, ErrUnreadable):
		p.pause = renewEvery
		if err = r.renew(); err == nil {
			err = p.paint(w)
		}
	default:
		p.pause = min(2*p.pause, renewEvery)
	}
	p.check = time.Now().Add(p.pause)
	return err
}

// start brings the panel up with everything that is wanted. Light comes last, so that nobody sees memory of before.
func (p *Panel) start(w want) error {
	if err := p.controller.start(); err != nil {
		return err
	}
	return p.paint(w)
}

// paint sends the whole picture, whatever the controller holds, and then switches it on.
func (p *Panel) paint(w want) error {
	f := p.controller.form()
	f.encode(p.next, w.picture)
	if err := p.send(f.Whole()); err != nil {
		return err
	}
	p.shown = w
	return p.controller.light(!w.blank, w.fraction)
}

// change brings the panel from what is shown to what is wanted.
func (p *Panel) change(w want) error {
	if w.picture != p.shown.picture {
		f := p.controller.form()
		f.encode(p.next, w.picture)
		if err := p.send(f.Windows(p.memory, p.next)); err != nil {
			return err
		}
	}
	if w.blank != p.shown.blank || w.fraction != p.shown.fraction {
		if err := p.controller.light(!w.blank, w.fraction); err != nil {
			return err
		}
	}
	p.shown = w
	return nil
}

func (p *Panel) send(windows []image.Rectangle) error {
	for _, w := range windows {
		p.data = p.controller.form().Cut(p.data[:0], p.next, w)
		if err := p.controller.write(w, p.data); err != nil {
			return err
		}
	}
	p.memory, p.next = p.next, p.memory
	return nil
}

func (p *Panel) fail(err error) {
	p.up, p.err = false, err
	fault := hal.Failing
	if errors.As(err, new(absent)) {
		fault = hal.Missing
	}
	p.tell(fault, err.Error())
}

func (p *Panel) tell(fault hal.Fault, detail string) {
	if fault != p.fault {
		p.fault = fault
		p.report(hal.PartChange{Part: hal.PartPanel, Fault: fault, Detail: detail})
	}
}
