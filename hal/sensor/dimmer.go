package sensor

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Curve says how bright panel and lamps are in which light. It is data, of a board's file.
type Curve struct {
	// Points rise in Lux and do not fall in Level. The first has the night's minimum, the last the day's maximum; between two
	// points the level follows the logarithm of the light, as the eye does.
	Points []Point
	// Hysteresis is by which factor the light must change before the brightness follows, 1 or more: 1.3 keeps still when clouds
	// pass, or somebody leans over the phone.
	Hysteresis float64
	// Slew is how many levels a second the brightness changes: no flicker, and no glare when the light goes on.
	Slew float64
}

// A Point is one point of a curve. Level is 1 to 255.
type Point struct {
	Lux   float64
	Level uint8
}

// DefaultCurve fits an office: about 500 lx on the desk, 10 lx of emergency lighting at night.
func DefaultCurve() Curve {
	return Curve{Points: []Point{{1, 16}, {10, 40}, {100, 120}, {500, 220}, {2000, 255}}, Hysteresis: 1.3, Slew: 60}
}

// stepEvery is how often the brightness moves while it does: smooth to the eye, and ten short transfers a second.
const stepEvery = 100 * time.Millisecond

// A Dimmer makes a brightness of light. It is pure: times are given to it.
type Dimmer struct {
	curve  Curve
	anchor float64 // the light that the target belongs to; below zero: none
	target float64
	level  float64   // 0: nothing measured yet
	moved  time.Time // when level was right
	next   time.Time // zero: it rests
}

// NewDimmer checks the curve.
func NewDimmer(c Curve) (*Dimmer, error) {
	if len(c.Points) == 0 {
		return nil, errors.New("sensor: a curve without points")
	}
	for i, p := range c.Points {
		switch {
		case !(p.Lux >= 0) || math.IsInf(p.Lux, 0):
			return nil, fmt.Errorf("sensor: point %d of the curve has %g lx", i, p.Lux)
		case p.Level == 0:
			return nil, fmt.Errorf("sensor: point %d of the curve is dark: the level is 1 to 255", i)
		case i > 0 && (p.Lux <= c.Points[i-1].Lux || p.Level < c.Points[i-1].Level):
			return nil, fmt.Errorf("sensor: point %d of the curve (%g lx, level %d) is not above the one before", i, p.Lux, p.Level)
		}
	}
	if !(c.Hysteresis >= 1) || math.IsInf(c.Hysteresis, 0) {
		return nil, fmt.Errorf("sensor: a hysteresis of %g is not 1 or more", c.Hysteresis)
	}
	if !(c.Slew > 0) || math.IsInf(c.Slew, 0) {
		return nil, fmt.Errorf("sensor: a slew of %g levels a second is not above 0", c.Slew)
	}
	return &Dimmer{curve: c, anchor: -1}, nil
}

// Light takes a measurement. The first one counts at once.
func (d *Dimmer) Light(now time.Time, lux float64) {
	d.Tick(now)
	if !(lux >= 0) {
		return // no measurement
	}
	// Below the first point all is night: there the ratio of two readings means nothing.
	lux = max(lux, d.curve.Points[0].Lux)
	ratio := (lux + 1) / (d.anchor + 1)
	if d.anchor >= 0 && ratio < d.curve.Hysteresis && ratio > 1/d.curve.Hysteresis {
		return
	}
	d.anchor = lux
	d.aim(now, d.curve.level(lux))
}

// Blind tells that there is no light to measure: the brightest level is safe.
func (d *Dimmer) Blind(now time.Time) {
	d.Tick(now)
	d.anchor = -1
	d.aim(now, float64(d.curve.Points[len(d.curve.Points)-1].Level))
}

func (d *Dimmer) aim(now time.Time, target float64) {
	d.target = target
	if d.level == 0 {
		d.level = target
	}
	if d.level == d.target {
		d.next = time.Time{}
	} else if d.next.IsZero() {
		d.moved, d.next = now, now.Add(stepEvery)
	}
}

// Tick lets the brightness move to where it is now.
func (d *Dimmer) Tick(now time.Time) {
	if d.next.IsZero() || now.Before(d.next) {
		return
	}
	step := d.curve.Slew * now.Sub(d.moved).Seconds()
	if math.Abs(d.target-d.level) <= step {
		d.level, d.next = d.target, time.Time{}
		return
	}
	d.level += math.Copysign(step, d.target-d.level)
	d.moved, d.next = now, now.Add(stepEvery)
}

// Level is the brightness now, 1 to 255; 0 as long as nothing was measured.
func (d *Dimmer) Level() uint8 { return uint8(math.Round(d.level)) }

// Deadline is when Tick is due; zero: never.
func (d *Dimmer) Deadline() time.Time { return d.next }

// level is the curve's value.
func (c Curve) level(lux float64) float64 {
	last := c.Points[len(c.Points)-1]
	if lux >= last.Lux {
		return float64(last.Level)
	}
	for i, p := range c.Points {
		if lux > p.Lux {
			continue
		}
		if i == 0 {
			return float64(p.Level)
		}
		before := c.Points[i-1]
		share := math.Log((lux+1)/(before.Lux+1)) / math.Log((p.Lux+1)/(before.Lux+1))
		return float64(before.Level) + share*(float64(p.Level)-float64(before.Level))
	}
	return float64(last.Level)
}
