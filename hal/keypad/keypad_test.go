package keypad

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/keypad/contact"

	"periph.io/x/conn/v3/gpio"
)

func TestWhatCannotBeStartedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		good := p.options()
		for name, spoil := range map[string]func(*Options){
			"no keymap":         func(o *Options) { o.Keys = nil },
			"a row too many":    func(o *Options) { o.Keys = contact.Keymap{{Row: 8}: hal.Key1} },
			"a column too many": func(o *Options) { o.Keys = contact.Keymap{{Col: 10}: hal.Key1} },
			"nobody for keys":   func(o *Options) { o.Key = nil },
			"nobody for parts":  func(o *Options) { o.Part = nil },
		} {
			o := good
			spoil(&o)
			if _, err := r.start(o); err == nil || !strings.HasPrefix(err.Error(), "keypad: ") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestKeysAreToldInOrder(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		for _, key := range []hal.Key{hal.Key1, hal.Key1, hal.Key0, hal.KeyPound} {
			r.push(key)
			time.Sleep(60 * ms)
			r.let(key)
			time.Sleep(60 * ms)
		}
		p.want(t, " +1 -1 +1 -1 +0 -0 +# -#")
		r.push(hal.Key3)
		time.Sleep(30 * ms)
		r.push(hal.Key5)
		time.Sleep(30 * ms)
		r.let(hal.Key3)
		time.Sleep(60 * ms)
		r.let(hal.Key5)
		time.Sleep(60 * ms)
		p.want(t, " +3 +5 -3 -5")
		report := k.Report()
		if report.Keys[hal.Key1].Presses != 2 || report.Keys[hal.Key9].Presses != 0 {
			t.Errorf("%+v", report)
		}
		k.Close()
	})
}

func TestTheLatencyIsFromTheEdgeUntilTheKeyIsTold(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		time.Sleep(time.Second) // it looks for keys at the start, too: those have no edge
		r.push(hal.Key1)
		time.Sleep(time.Second) // and its repeats do not count
		r.let(hal.Key1)
		time.Sleep(time.Second)
		least := scanned.Press
		if _, chip := k.device.(*tca8418); chip {
			least = 0 // it debounces before its edge
		}
		if latency := k.Report().LatencyMax; latency < least || latency > least+10*ms {
			t.Errorf("%v, want %v and a little", latency, least)
		}
		k.Close()
	})
}

func TestAGhostKeyIsNeverReported(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		for _, key := range []hal.Key{hal.Key1, hal.Key2, hal.Key4} { // 5 is the ghost
			r.push(key)
			time.Sleep(60 * ms)
		}
		p.want(t, " +1 +2")
		r.let(hal.Key1)
		time.Sleep(60 * ms)
		if keys, _ := p.take(); keys != " -1 +4" && keys != " +4 -1" { // a scanner believes a press sooner than a release
			t.Errorf("told%s", keys)
		}
		r.let(hal.Key2, hal.Key4)
		time.Sleep(60 * ms)
		p.want(t, " -2 -4")
		if k.Report().Ghosts != 1 {
			t.Errorf("%d ghosts", k.Report().Ghosts)
		}
		k.Close()
	})
}

func TestAHeldKeyRepeats(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		r.push(hal.KeyStar)
		time.Sleep(750 * ms)
		r.let(hal.KeyStar)
		time.Sleep(50 * ms)
		p.want(t, " +* (*) (*) (*) -*")
		k.Close()
	})
}

func TestAKeypadAtRestIsLeftInPeace(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		time.Sleep(time.Second)
		traffic := r.traffic()
		time.Sleep(58 * time.Second)
		if got := r.traffic(); got != traffic {
			t.Errorf("%d transfers at rest", got-traffic)
		}
		time.Sleep(time.Hour - time.Minute)
		if got := r.traffic(); got > traffic+60*100 {
			t.Errorf("%d transfers in an hour", got-traffic)
		}
		p.want(t, "")
		k.Close()
	})
}

func TestAStuckKeyIsReportedByItsName(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		r.push(hal.Key7) // before we look
		k := r.run(t, p)
		time.Sleep(31 * time.Second)
		keys, parts := p.take()
		if !strings.HasPrefix(keys, " +7 (7)") || !strings.HasSuffix(keys, " -7") || len(parts) == 0 || parts[0].Detail != "key 7 is stuck" {
			t.Errorf("told%s and %v", keys, parts)
		}
		r.push(hal.Key3) // the others go on
		time.Sleep(60 * ms)
		r.let(hal.Key3)
		time.Sleep(60 * ms)
		p.want(t, " +3 -3", hal.Failing)
		traffic := r.traffic()
		time.Sleep(time.Second)
		if got := r.traffic() - traffic; got > 500 {
			t.Errorf("%d transfers a second for a stuck key", got)
		}
		r.let(hal.Key7)
		time.Sleep(5 * time.Second)
		p.want(t, "", hal.Failing, hal.Working)
		r.push(hal.Key7)
		time.Sleep(60 * ms)
		p.want(t, " +7", hal.Failing, hal.Working)
		k.Close()
		p.want(t, " -7", hal.Failing, hal.Working)
	})
}

func TestALostKeypadReleasesItsKeysAndIsFoundAgain(t *testing.T) {
	for fault, err := range map[hal.Fault]error{hal.Missing: syscall.ENXIO, hal.Failing: syscall.ETIMEDOUT} {
		each(t, func(t *testing.T, r *rig, p *phone) {
			k := r.run(t, p)
			r.push(hal.Key1)
			time.Sleep(60 * ms)
			p.want(t, " +1")
			r.fail(err)
			r.push(hal.Key9)
			time.Sleep(3 * time.Second)
			p.want(t, " -1", fault)
			traffic := r.traffic()
			time.Sleep(10 * time.Second)
			if got := r.traffic() - traffic; got > 20 {
				t.Errorf("%d tries in 10 s", got)
			}
			r.let(hal.Key1, hal.Key9)
			r.fail(nil)
			time.Sleep(2 * time.Second)
			p.want(t, "", fault, hal.Working)
			r.push(hal.Key5)
			time.Sleep(60 * ms)
			p.want(t, " +5", fault, hal.Working)
			k.Close()
		})
	}
}

func TestAKeypadMayBeMissingAtTheStart(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		r.fail(errors.New("sysfs-i2c: no such device or address")) // as periph says it
		k := r.run(t, p)
		p.want(t, "", hal.Missing)
		r.fail(nil)
		time.Sleep(2 * time.Second)
		r.push(hal.Key5)
		time.Sleep(60 * ms)
		p.want(t, " +5", hal.Missing, hal.Working)
		k.Close()
	})
}

func TestOneFailureIsADisturbance(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		r.push(hal.Key1)
		time.Sleep(60 * ms)
		if r.bus != nil {
			left := 2 // one alone is repeated
			r.bus.Fail(func(uint16, []byte, []byte) error {
				if left > 0 {
					left--
					return syscall.ENXIO
				}
				return nil
			})
		}
		r.let(hal.Key1)
		time.Sleep(3 * time.Second)
		r.push(hal.Key2)
		time.Sleep(60 * ms)
		p.want(t, " +1 -1 +2")
		k.Close()
	})
}

func TestAStuckBusIsFailing(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		r.fail(errors.New("sysfs-i2c: connection timed out"))
		r.push(hal.Key1)
		time.Sleep(3 * time.Second)
		p.want(t, "", hal.Failing)
		k.Close()
	})
}

func TestAChipThatForgetsIsConfiguredAgain(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		if r.reset == nil {
			r.reset = func() {}
		}
		k := r.run(t, p)
		r.reset()
		time.Sleep(2 * healthEvery)
		r.push(hal.Key5)
		time.Sleep(60 * ms)
		p.want(t, " +5")
		r.reset()
		time.Sleep(3 * time.Second)
		r.let(hal.Key5)
		time.Sleep(time.Second)
		r.push(hal.Key6)
		time.Sleep(60 * ms)
		keys, parts := p.take()
		if !strings.HasSuffix(keys, " -5 +6") || len(parts) > 0 {
			t.Errorf("told%s and %v", keys, parts)
		}
		k.Close()
	})
}

// A tardy pin ends a wait when it is halted for the second time: the first came before it waited.
type tardy struct {
	plain
	halts chan struct{}
}

func (p tardy) WaitForEdge(time.Duration) bool { <-p.halts; <-p.halts; return false }
func (p tardy) Halt() error {
	select {
	case p.halts <- struct{}{}:
	default:
	}
	return nil
}

func TestCloseHaltsAgainWhoWasNotYetWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		k, err := StartTCA8418(r.bus, 0x34, tardy{plain{r.pin}, make(chan struct{})}, p.options())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		k.Close()
	})
}

func TestALineThatIsStuckLowIsPolled(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		r.pin.stick(true)
		r.push(hal.Key4) // of another column, where there are lines
		r.push(hal.Key6)
		time.Sleep(time.Second)
		r.let(hal.Key4, hal.Key6)
		time.Sleep(2 * time.Second)
		_, parts := p.take()
		if len(parts) == 0 || parts[0].Fault != hal.Failing {
			t.Fatalf("reported %v", parts)
		}
		p.mu.Lock()
		p.parts = p.parts[len(p.parts)-1:]
		p.mu.Unlock()
		traffic := r.traffic()
		r.push(hal.Key6)
		time.Sleep(150 * ms)
		r.let(hal.Key6)
		time.Sleep(150 * ms)
		p.want(t, " +6 -6", hal.Failing)
		time.Sleep(10 * time.Second)
		if got := r.traffic() - traffic; got > 10*500 {
			t.Errorf("%d transfers in 10 s", got)
		}
		r.pin.stick(false)
		time.Sleep(5 * time.Second)
		keys, parts := p.take()
		if keys != "" || parts[len(parts)-1].Fault != hal.Working {
			t.Errorf("told%s and %v", keys, parts)
		}
		traffic = r.traffic()
		time.Sleep(30 * time.Second)
		if got := r.traffic() - traffic; got > 200 {
			t.Errorf("%d transfers at rest", got)
		}
		r.push(hal.Key4)
		time.Sleep(60 * ms)
		if keys, _ := p.take(); keys != " +4" {
			t.Errorf("told%s", keys)
		}
		k.Close()
	})
}

func TestAStormOfInterruptsIsBounded(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		traffic := r.traffic()
		for _, limit := range []int{4000, 2000, 1000, 1000} { // 10 kHz
			for range 10000 {
				r.pin.pulse()
				time.Sleep(100 * time.Microsecond)
			}
			if got := r.traffic() - traffic; got > limit {
				t.Errorf("%d transfers a second in a storm", got)
			}
			traffic = r.traffic()
		}
		time.Sleep(10 * time.Second)
		if _, parts := p.take(); len(parts) == 0 || parts[0].Fault != hal.Failing || parts[len(parts)-1].Fault != hal.Working {
			t.Errorf("reported %v", parts)
		}
		r.push(hal.Key4)
		time.Sleep(60 * ms)
		if keys, _ := p.take(); keys != " +4" {
			t.Errorf("told%s", keys)
		}
		k.Close()
	})
}

func TestALineThatGoesIsMissing(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		k := r.run(t, p)
		r.pin.locked(func() { r.pin.err = syscall.ENODEV })
		time.Sleep(3 * time.Second)
		p.want(t, "", hal.Missing)
		r.pin.locked(func() { r.pin.err = nil })
		time.Sleep(3 * time.Second)
		r.push(hal.Key4)
		time.Sleep(60 * ms)
		p.want(t, " +4", hal.Missing, hal.Working)
		k.Close()
	})
}

func TestNoEdgesAreLeftOnAfterClose(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		r.pin.slow = ms // Close comes while edges are being turned on
		k := r.run(t, p)
		k.Close()
		if r.pin.edge != gpio.NoEdge {
			t.Errorf("%v of %v still wakes the machine", r.pin.edge, r.pin)
		}
	})
}

func TestCloseWaitsInEveryState(t *testing.T) {
	for name, prepare := range map[string]func(*rig){
		"at rest":  func(*rig) {},
		"down":     func(r *rig) { r.push(hal.Key1); time.Sleep(time.Second) },
		"pressing": func(r *rig) { r.push(hal.Key1) },
		"lost":     func(r *rig) { r.fail(syscall.ENXIO); r.push(hal.Key1); time.Sleep(3 * time.Second) },
		"stuck":    func(r *rig) { r.pin.stick(true); r.push(hal.Key1); time.Sleep(time.Second) },
	} {
		each(t, func(t *testing.T, r *rig, p *phone) {
			k := r.run(t, p)
			prepare(r)
			start := time.Now()
			ended := make(chan error)
			for range 2 {
				go func() { ended <- k.Close() }()
			}
			for range 2 {
				if err := <-ended; err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if took := time.Since(start); took > 60*ms {
				t.Errorf("%s: closing took %v", name, took)
			}
			if held, bad := p.held(); len(held) > 0 || bad != "" {
				t.Errorf("%s: %v stay down; %s", name, held, bad)
			}
			p.take()
			r.let(hal.Key1)
			r.push(hal.Key2)
			time.Sleep(time.Hour)
			if keys, _ := p.take(); keys != "" {
				t.Errorf("%s: told%s after Close", name, keys)
			}
		})
	}
}

// Random keys, failures and pauses: keys alternate, none is told that is not pressed at that time or shortly before, and in the
// end all are up.
func TestRandomKeysAndFailures(t *testing.T) {
	for seed := range uint64(8) {
		each(t, func(t *testing.T, r *rig, p *phone) {
			random := rand.New(rand.NewPCG(seed, 1))
			k := r.run(t, p)
			pressed := map[hal.Key]time.Time{} // when it was pressed last, or released
			down := map[hal.Key]bool{}
			for range 200 {
				key := hal.Key0 + hal.Key(random.IntN(10))
				if down[key] {
					r.let(key)
				} else {
					r.push(key)
				}
				down[key] = !down[key]
				pressed[key] = time.Now()
				if random.IntN(20) == 0 {
					r.fail(syscall.EIO)
					time.Sleep(time.Duration(random.IntN(3000)) * ms)
					r.fail(nil)
				}
				time.Sleep(time.Duration(random.IntN(120)) * ms)
				held, _ := p.held()
				for _, key := range held {
					if !down[key] && time.Since(pressed[key]) > 100*ms && !ambiguous(down, key) {
						t.Fatalf("seed %d: %v is told as down %v after it came up", seed, key, time.Since(pressed[key]))
					}
				}
			}
			for key, is := range down {
				if is {
					r.let(key)
				}
			}
			time.Sleep(5 * time.Second)
			if held, bad := p.held(); len(held) > 0 || bad != "" {
				t.Errorf("seed %d: %v stay down; %s", seed, held, bad)
			}
			k.Close()
		})
	}
}

// ambiguous tells whether a key that is up may look down.
func ambiguous(down map[hal.Key]bool, key hal.Key) bool {
	n := 0
	for _, is := range down {
		if is {
			n++
		}
	}
	return n >= 3
}

func TestPinsWithoutTimesWorkToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		k, err := StartTCA8418(r.bus, 0x34, plain{r.pin}, p.options())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.push(hal.Key1)
		time.Sleep(60 * ms)
		p.want(t, " +1")
		k.Close()
	})
}

// A pin whose WaitForEdge returns at once, as one has been seen to do.
type restless struct{ plain }

func (restless) WaitForEdge(time.Duration) bool { return false }

func TestAPinThatDoesNotWaitCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := tcaRig(), &phone{}
		k, err := StartTCA8418(r.bus, 0x34, restless{plain{r.pin}}, p.options())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		k.Close()
		if r.pin.calls > 1100 {
			t.Errorf("%d calls in 10 s", r.pin.calls)
		}
	})
}

func TestFaultsAreToldApart(t *testing.T) {
	for err, want := range map[error]hal.Fault{
		fmt.Errorf("keypad: %w", syscall.ENXIO):                   hal.Missing,
		errors.New("sysfs-i2c: remote I/O error"):                 hal.Missing,
		errors.New("sysfs-i2c: input/output error"):               hal.Failing,
		errors.New("sysfs-i2c: connection timed out"):             hal.Failing,
		fmt.Errorf("keypad: CFG reads 0: %w", errVerify):          hal.Failing,
		errors.New("sysfs-i2c: resource temporarily unavailable"): hal.Failing,
	} {
		if got := faultOf(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
