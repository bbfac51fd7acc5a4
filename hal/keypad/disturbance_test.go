package keypad

import (
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"
)

func TestADisturbedTransferNeitherDoublesNorLosesAKey(t *testing.T) {
	for _, c := range []struct {
		name string
		make func() *rig
		hold time.Duration
	}{
		{"TCA8418", tcaRig, 100 * ms},
		{"TCA8418, both events in one reading", tcaRig, 0},
		{"MCP23017", mcpRig, 100 * ms},
	} {
		for at, hit := 1, true; hit; at++ {
			synctest.Test(t, func(t *testing.T) {
				r, p := c.make(), &phone{}
				k := r.run(t, p)
				time.Sleep(time.Second)
				n := 0
				r.bus.Fail(func(uint16, []byte, []byte) error {
					if n++; n == at {
						return syscall.EIO
					}
					return nil
				})
				r.push(hal.Key5)
				time.Sleep(c.hold)
				r.let(hal.Key5)
				time.Sleep(3 * time.Second)
				if keys, parts := p.take(); keys != " +5 -5" || len(parts) > 0 {
					t.Errorf("%s, transfer %d fails: told%s and %v", c.name, at, keys, parts)
				}
				hit = n >= at
				k.Close()
			})
		}
	}
}

func TestAStuckKeyThatComesUpWhileTheKeypadIsLostIsAKeyAgain(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		r.push(hal.Key7)
		k := r.run(t, p)
		time.Sleep(31 * time.Second)
		r.fail(syscall.EIO)
		r.push(hal.Key3) // wakes it
		time.Sleep(3 * time.Second)
		r.let(hal.Key3, hal.Key7)
		r.fail(nil)
		time.Sleep(2 * time.Minute)
		p.take()
		r.push(hal.Key7)
		time.Sleep(60 * ms)
		if keys, parts := p.take(); keys != " +7" || parts[len(parts)-1].Fault != hal.Working {
			t.Errorf("told%s and %v", keys, parts)
		}
		k.Close()
	})
}

func TestAKeyThatIsStuckStaysSoWhenTheKeypadIsLost(t *testing.T) {
	each(t, func(t *testing.T, r *rig, p *phone) {
		r.push(hal.Key7)
		k := r.run(t, p)
		time.Sleep(31 * time.Second)
		p.take()
		left := 3
		if r.bus == nil {
			r.fail(syscall.EIO)
			time.Sleep(time.Second)
			r.fail(nil)
			r.bus = &haltest.Bus{} // nobody's
		}
		r.bus.Fail(func(uint16, []byte, []byte) error {
			if left--; left >= 0 {
				return syscall.EIO
			}
			return nil
		})
		r.push(hal.Key3) // wakes it
		time.Sleep(5 * time.Second)
		r.let(hal.Key3)
		time.Sleep(time.Minute)
		keys, parts := p.take()
		if strings.Contains(keys, "7") || parts[len(parts)-1].Detail != "key 7 is stuck" {
			t.Errorf("told%s and %v", keys, parts)
		}
		r.let(hal.Key7)
		time.Sleep(2 * time.Minute)
		p.take()
		r.push(hal.Key7)
		time.Sleep(60 * ms)
		if keys, parts := p.take(); keys != " +7" || parts[len(parts)-1].Fault != hal.Working {
			t.Errorf("after it came up: told%s and %v", keys, parts)
		}
		k.Close()
	})
}
