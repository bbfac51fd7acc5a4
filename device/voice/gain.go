package voice

// levelGain is the factor of a volume level: 0 is silent, 7 is 1, a level is 3 dB. Levels beyond the ends are the ends.
func levelGain(level int) float64 {
	if level <= 0 {
		return 0
	}
	return decibels(float64((min(level, loudestLevel) - zeroLevel) * perLevelDB))
}

// A glide is a factor that reaches a new value in rampTime instead of jumping.
type glide struct{ now, target, step float64 }

// to sets where the factor goes.
func (g *glide) to(target float64) {
	if target != g.target {
		g.target, g.step = target, (target-g.now)/float64(rampSamples)
	}
}

// next is the factor of the next sample.
func (g *glide) next() float64 {
	if g.now == g.target {
		return g.now
	}
	g.now += g.step
	if (g.step > 0) == (g.now > g.target) || g.step == 0 {
		g.now = g.target
	}
	return g.now
}

// A crossing joins two sounds that do not know of each other: what was heard last fades into the new one within
// rampTime.
type crossing struct {
	from, heard float64 // the sample the change began at, and the last one
	in          float64 // 0 to 1: how much of the new sound is heard
}

// begin says that the next sample belongs to another sound.
func (c *crossing) begin() { c.from, c.in = c.heard, 0 }

// next is what is heard of the sample.
func (c *crossing) next(sample float64) float64 {
	c.heard = sample
	if c.in < 1 {
		c.in = min(1, c.in+1/float64(rampSamples))
		c.heard = c.from + c.in*(sample-c.from)
	}
	return c.heard
}

// limiterKnee is the part of the peak below which the limiter changes nothing.
const limiterKnee = 0.75

// limit rounds a sample in units of int16 and keeps it within the peak: as it is up to the knee, bent above so that
// even a sound of any height stays below the peak and loud speech does not crackle.
func limit(sample, peak float64) int16 {
	sign := 1.0
	if sample < 0 {
		sample, sign = -sample, -1
	}
	if knee := limiterKnee * peak; sample > knee {
		over, room := sample-knee, peak-knee
		sample = knee + room*over/(over+room)
	}
	return int16(sign * (sample + 0.5))
}
