// Package lamp lights the phone's lamps: LEDs on GPIO lines, behind PCA9633 LED drivers (NXP PCA9633 Rev. 6), or of the
// kernel (/sys/class/leds). It decides nothing: it is told the state of all lamps, whole, every time, and makes the hardware
// follow, however slow that is.
//
//	Show(hal.Lamps), Dim, Force --> scene (what, since when; pure) --newest wins--> a goroutine for all lines ----> gpio.PinOut
//	report(hal.PartChange) <------- faults <-- retried with pauses <--------------- one for each PCA9633 ---------> i2c.Bus
//	                                                                                one for all kernel LEDs ------> sysfs
//
// A chip that hangs holds up neither the caller nor the other lamps. Lamps of one rhythm blink together: each goroutine
// computes them from one common start. Hardware blinks by itself only where it is the only one of that rhythm, because two
// oscillators drift apart.
package lamp

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"freizeichen/hal"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

// A Binding says which hardware one lamp is: exactly one of Line, Chip and LED is set. A lamp may have several bindings, and
// then all of them shine as it does.
type Binding struct {
	Lamp hal.Lamp
	// Line is high for a lamp that shines; a line that is active low inverts by itself. It is never read.
	Line gpio.PinOut
	// Chip and Channel (0 to 3) are an output of a PCA9633. All bindings of one chip point to one Chip.
	Chip    *Chip
	Channel int
	// LED is the name of a folder in /sys/class/leds, such as "red:message"; no patterns.
	LED string
}

// A Chip is one PCA9633 and how its outputs are wired (PCA9633 Rev. 6 section 7.7).
type Chip struct {
	Bus  i2c.Bus
	Addr uint16
	// OpenDrain is for LEDs between supply and output (OUTDRV = 0); otherwise outputs are push-pull.
	OpenDrain bool
	// Invert is for outputs with an external driver: an N-type transistor wants it (INVRT = 1).
	Invert bool
}

// A Config says what lamps there are. It can be built from a file as soon as its lines and buses are open; whoever opened
// them closes them, after Close.
type Config struct {
	Bindings []Binding
	// Root is put before /sys; empty on a phone.
	Root string
	// Report gets the faults of hal.PartLamps, one at a time and from other goroutines: when one comes, when another joins it,
	// and Working when none is left. Nil: nobody asks.
	Report func(hal.PartChange)
}

// Lights are the lamps of a phone. All methods may be called from any goroutine; only Close waits for the hardware.
type Lights struct {
	bindings []Binding
	faults   faults
	workers  []*worker
	done     chan struct{}
	ended    sync.WaitGroup

	mu     sync.Mutex
	asked  hal.Lamps
	forced [hal.LampCount]force
	scene  scene
	closed bool
}

// A force is what the self-test wants of a lamp.
type force uint8

const (
	unforced force = iota
	forcedDark
	forcedLit
)

// New lights nothing: all lamps go dark, at full brightness. It fails if the bindings contradict themselves. Hardware that
// does not answer is reported, tried again with pauses of up to 10 s, and costs nothing but its own lamps.
func New(config Config) (*Lights, error) {
	outputs, err := outputs(config)
	if err != nil {
		return nil, err
	}
	l := &Lights{bindings: config.Bindings, done: make(chan struct{}), faults: faults{report: config.Report}}
	lines, leds := &worker{lights: l}, &worker{lights: l}
	for _, out := range outputs {
		p := &post{out: out, fault: l.faults.add(out.name())}
		switch out.(type) {
		case *line:
			lines.posts = append(lines.posts, p)
		case *led:
			leds.posts = append(leds.posts, p)
		default:
			l.workers = append(l.workers, &worker{lights: l, posts: []*post{p}})
		}
	}
	l.workers = append(l.workers, lines, leds)
	l.scene = newScene(scene{level: 255}, hal.Lamps{}, l.bindings, time.Now())
	for _, w := range l.workers {
		w.wake = make(chan struct{}, 1)
		l.ended.Go(w.run)
	}
	return l, nil
}

// outputs makes an output of each line, LED and chip.
func outputs(config Config) ([]output, error) {
	var outs []output
	chips := map[*Chip]*chip{}
	leds := map[string]bool{}
	lines := map[string]bool{}
	for i, b := range config.Bindings {
		kinds := 0
		for _, set := range []bool{b.Line != nil, b.Chip != nil, b.LED != ""} {
			if set {
				kinds++
			}
		}
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("lamp: binding %d (%s): %s", i, b.Lamp, fmt.Sprintf(format, args...))
		}
		switch {
		case b.Lamp >= hal.LampCount:
			return nil, wrong("there is no lamp %d", uint8(b.Lamp))
		case kinds != 1:
			return nil, wrong("%d of line, chip and LED are set, it must be one", kinds)
		case b.Line != nil:
			if lines[b.Line.String()] {
				return nil, wrong("line %s is bound twice", b.Line.String())
			}
			lines[b.Line.String()] = true
			outs = append(outs, &line{lamp: b.Lamp, pin: b.Line})
		case b.LED != "":
			if strings.ContainsAny(b.LED, "/\\*?[]\x00") || b.LED == "." || b.LED == ".." {
				return nil, wrong("%q is not the name of an LED", b.LED)
			}
			if leds[b.LED] {
				return nil, wrong("LED %s is bound twice", b.LED)
			}
			leds[b.LED] = true
			outs = append(outs, newLED(b.Lamp, config.Root, b.LED))
		case b.Channel < 0 || b.Channel > 3:
			return nil, wrong("a PCA9633 has channels 0 to 3, not %d", b.Channel)
		case b.Chip.Bus == nil:
			return nil, wrong("its chip is on no bus")
		default:
			c := chips[b.Chip]
			if c == nil {
				c = &chip{wiring: *b.Chip}
				chips[b.Chip] = c
				outs = append(outs, c)
			}
			if c.bound[b.Channel] {
				return nil, wrong("channel %d of chip %#x is bound twice", b.Channel, b.Chip.Addr)
			}
			c.bound[b.Channel], c.lamps[b.Channel] = true, b.Lamp
		}
	}
	return outs, nil
}

// Lamps are the lamps that have hardware, each once, in order.
func (l *Lights) Lamps() []hal.Lamp {
	var bound []hal.Lamp
	for lamp := range hal.LampCount {
		for _, b := range l.bindings {
			if b.Lamp == lamp {
				bound = append(bound, lamp)
				break
			}
		}
	}
	return bound
}

// Show makes the lamps shine so from now on. Lamps without hardware are skipped. It does not wait.
func (l *Lights) Show(lamps hal.Lamps) {
	l.change(func() { l.asked = lamps })
}

// Dim sets the brightness of lamps that shine: 255 is full. 0 is as 1: a lamp that shines is never dark for being dimmed.
// Lines know no brightness.
func (l *Lights) Dim(level uint8) {
	l.change(func() { l.scene.level = max(level, 1) })
}

// Force lights or darkens one lamp whatever is shown, for the self-test, until Release.
func (l *Lights) Force(lamp hal.Lamp, on bool) {
	if lamp >= hal.LampCount {
		return
	}
	l.change(func() {
		l.forced[lamp] = forcedDark
		if on {
			l.forced[lamp] = forcedLit
		}
	})
}

// Release ends all that Force did.
func (l *Lights) Release() {
	l.change(func() { l.forced = [hal.LampCount]force{} })
}

// change changes what was asked, computes what is to be seen, and wakes the goroutines if that is something new.
func (l *Lights) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	before := l.scene
	do()
	lamps := l.asked
	for lamp, f := range l.forced {
		switch f {
		case forcedDark:
			lamps[lamp] = hal.Dark
		case forcedLit:
			lamps[lamp] = hal.Steady
		}
	}
	l.scene = newScene(l.scene, lamps, l.bindings, time.Now())
	if l.scene == before {
		return
	}
	for _, w := range l.workers {
		select {
		case w.wake <- struct{}{}:
		default: // it has not yet seen an earlier change, and will see this one with it
		}
	}
}

func (l *Lights) current() scene {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.scene
}

// Close leaves the lamps in a last state, usually all dark, and ends. Nobody blinks any more afterwards: what blinks in last
// stays lit. It waits for the hardware, as long as a transfer takes on a bus that hangs, and says which lamps did not obey.
// What is shown later is ignored, and so is a second Close.
func (l *Lights) Close(last hal.Lamps) error {
	for i, b := range last {
		if on, _ := b.Pattern(); on > 0 {
			last[i] = hal.Steady
		}
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.scene = newScene(l.scene, last, l.bindings, time.Now())
	l.mu.Unlock()
	close(l.done)
	l.ended.Wait()
	var errs []error
	for _, w := range l.workers {
		errs = append(errs, w.err)
	}
	return errors.Join(errs...)
}
