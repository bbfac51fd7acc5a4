// Package keypad reads the keys of the phone: behind a TCA8418 (TI SCPS215G), behind an MCP23017 that is used as a scanner
// (Microchip DS20001952C), or a matrix right on GPIO lines. It sleeps until a key moves, finds a chip again that was lost, and
// reports what is missing, failing or stuck. It decides nothing about what a key does; keypad/contact decides what a contact is
// worth.
//
//	INT edge --> Keypad --service--> tca8418, or scanner of mcp23017 or lines --Scan, Tick--> contact.Tracker --hal.KeyChange--> phone
//	               ^----------------------next deadline--------------------------'              '--Report--> self-test
//	               '--hal.PartChange--> phone
package keypad

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/keypad/contact"

	"periph.io/x/conn/v3/i2c"
)

const (
	// retryEvery is how often a lost keypad is looked for; a first failure is tried again at once.
	retryEvery = time.Second
	// onceIn is how rare failures must be to be a disturbance that nobody is told of.
	onceIn = 10 * time.Second
	// healthEvery is how often an idle chip is asked whether it still has its configuration: after a dip of its supply it would
	// be silent for ever.
	healthEvery = 60 * time.Second
	// scanEvery is the pause between two scans while keys move, slowEvery while only a stuck key is down.
	scanEvery = 5 * time.Millisecond
	slowEvery = 50 * time.Millisecond
)

// scanned is the timing of matrices that are scanned every scanEvery: a press is seen twice, a release four times, and 50 ms of bounce
// are one change.
var scanned = contact.Timing{Press: 5 * time.Millisecond, Release: 20 * time.Millisecond, Rest: 50 * time.Millisecond}

// Options are what all keypads have. Keys, Key and Part must be there.
type Options struct {
	Keys contact.Keymap
	// Key gets the changes of keys, Part how the keypad is; both are called by one goroutine, in order, and must not call
	// Close.
	Key  func(hal.KeyChange)
	Part func(hal.PartChange)
	// Timing debounces; nil is what suits the chip.
	Timing *contact.Timing
	// Diodes says that there is one at each key, so that all keys can be told apart.
	Diodes bool
	// Settle is how long a row of a matrix of GPIO lines is driven before its columns are read; 0 is 50 µs.
	Settle time.Duration
}

// A device is one kind of keypad below the goroutine. Its methods are called by that goroutine alone, but for halt.
type device interface {
	// setup configures the device, so that it wakes us.
	setup() error
	// service reads what is to be read, because an edge woke us or because it wanted to be called, and is when it wants to be
	// called next without an edge.
	service(now time.Time, woken bool) (next time.Time, err error)
	// wait waits for an edge.
	wait(timeout time.Duration) (woken bool, err error)
	// halt ends wait; it may come too early, and is called again then.
	halt()
	// trouble says what is wrong though keys work, or is empty.
	trouble() string
}

// A Keypad is the keys of a phone while they are being watched.
type Keypad struct {
	options Options
	device  device
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once

	mu        sync.Mutex
	tracker   *contact.Tracker
	latency   time.Duration
	overflows int

	told   hal.PartChange // by the goroutine alone
	failed time.Time      // last failure
}

func newKeypad(o Options, timing contact.Timing) *Keypad {
	if o.Timing != nil {
		timing = *o.Timing
	}
	return &Keypad{options: o, quit: make(chan struct{}), done: make(chan struct{}),
		tracker: contact.NewTracker(o.Keys, timing, o.Diodes), told: hal.PartChange{Part: hal.PartKeypad}}
}

func (o Options) check(rows, cols int) error {
	if o.Key == nil || o.Part == nil {
		return errors.New("keypad: start: nobody takes the keys, or what happens to the part")
	}
	if err := o.Keys.Check(rows, cols); err != nil {
		return fmt.Errorf("keypad: start: %w", err)
	}
	return nil
}

func (k *Keypad) watch(d device) *Keypad {
	k.device = d
	go k.run()
	return k
}

// Close ends watching and waits for it; keys that are down are released. Buses and lines stay open, edges of lines are turned
// off. Closing again does nothing.
func (k *Keypad) Close() error {
	k.closing.Do(func() { close(k.quit) })
	for {
		k.device.halt()
		timer := time.NewTimer(scanEvery)
		select {
		case <-k.done:
			timer.Stop()
			k.device.halt() // the last thing that it did may have been to turn edges on
			return nil
		case <-timer.C: // it began to wait after it was halted
		}
	}
}

// A Report says how well the keypad does, for the self-test.
type Report struct {
	contact.Report
	// LatencyMax is the longest from the edge of an interrupt until its key was told, where the line has timestamps.
	LatencyMax time.Duration
	// Overflows is how often the chip's queue was too short.
	Overflows int
}

// Report is how the keys have done so far.
func (k *Keypad) Report() Report {
	k.mu.Lock()
	defer k.mu.Unlock()
	return Report{k.tracker.Report(), k.latency, k.overflows}
}

func (k *Keypad) run() {
	defer close(k.done)
	for {
		err := k.device.setup()
		if err == nil {
			err = k.follow()
		}
		k.lost()
		if k.over() {
			return
		}
		now := time.Now()
		disturbance := now.Sub(k.failed) > onceIn
		k.failed = now
		if disturbance && k.told.Fault == hal.Working {
			continue // with a setup that must succeed
		}
		k.tell(faultOf(err), err.Error())
		if !k.sleep(retryEvery) {
			return
		}
	}
}

// follow serves the device until it fails or the keypad is closed.
func (k *Keypad) follow() error {
	next := time.Now()
	for woken := false; ; {
		if now := time.Now(); woken || !now.Before(next) {
			var err error
			if next, err = k.device.service(now, woken); err != nil {
				return err
			}
			k.condition()
		}
		if k.over() {
			return nil
		}
		var err error
		if woken, err = k.device.wait(max(0, time.Until(next))); err != nil {
			return fmt.Errorf("keypad: wait for a key: %w", err)
		}
	}
}

// condition tells how the keypad is while it works.
func (k *Keypad) condition() {
	var wrong []string
	if trouble := k.device.trouble(); trouble != "" {
		wrong = append(wrong, trouble)
	}
	k.mu.Lock()
	stuck := k.tracker.Stuck()
	k.mu.Unlock()
	for _, key := range stuck {
		wrong = append(wrong, fmt.Sprintf("key %v is stuck", key))
	}
	if len(wrong) == 0 {
		k.tell(hal.Working, "")
		return
	}
	k.tell(hal.Failing, strings.Join(wrong, "; "))
}

// scan, tick and lost are the tracker's, with the lock, and tell what comes of it.
func (k *Keypad) scan(now time.Time, closed contact.Set) bool {
	return k.track(func(t *contact.Tracker) []hal.KeyChange { return t.Scan(now, closed) })
}

func (k *Keypad) tick(now time.Time) bool {
	return k.track(func(t *contact.Tracker) []hal.KeyChange { return t.Tick(now) })
}

func (k *Keypad) lost() { k.track((*contact.Tracker).Lost) }

func (k *Keypad) track(do func(*contact.Tracker) []hal.KeyChange) (told bool) {
	k.mu.Lock()
	changes := do(k.tracker)
	k.mu.Unlock()
	for _, change := range changes {
		k.options.Key(change)
	}
	return len(changes) > 0
}

func (k *Keypad) deadline() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tracker.Deadline()
}

func (k *Keypad) active() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tracker.Active()
}

// served notes how long it took from the edge of an interrupt until its keys were told.
func (k *Keypad) served(edge time.Time) {
	if edge.IsZero() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latency = max(k.latency, time.Since(edge))
}

func (k *Keypad) overflow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.overflows++
}

func (k *Keypad) over() bool {
	select {
	case <-k.quit:
		return true
	default:
		return false
	}
}

// sleep reports false when the keypad is being closed.
func (k *Keypad) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-k.quit:
		return false
	case <-timer.C:
		return true
	}
}

func (k *Keypad) tell(fault hal.Fault, detail string) {
	news := hal.PartChange{Part: hal.PartKeypad, Fault: fault, Detail: detail}
	if news != k.told {
		k.told = news
		k.options.Part(news)
	}
}

// transfer is one transfer on the bus of a chip, and the same again if it fails: a single disturbance must not release every key
// and press it anew, which dials a digit twice. Doing it twice must not do more than doing it once.
func transfer(dev *i2c.Dev, w, r []byte) error {
	err := dev.Tx(w, r)
	if err != nil {
		err = dev.Tx(w, r)
	}
	return err
}

// errVerify is what a register that does not keep what was written ends with.
var errVerify = errors.New("it does not keep its configuration")

// faultOf tells a part that fails from one that does not answer. Periph's buses give the kernel's errors as text.
func faultOf(err error) hal.Fault {
	for _, failing := range []error{errVerify, syscall.EIO, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.EBUSY, syscall.EPROTO} {
		if errors.Is(err, failing) || strings.HasSuffix(err.Error(), ": "+failing.Error()) {
			return hal.Failing
		}
	}
	return hal.Missing
}

// sooner is the earlier of two times, of which the zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
