package codec

// A Concealment makes up sound for what never arrived, out of what arrived before: it repeats the last pitch period and
// fades it out. The idea is that of ITU-T G.711 Appendix I (pitch waveform replication), without its look-ahead: this
// one adds no delay. The zero value is ready. All sound of a stream must pass through Heard or Conceal, in order.
type Concealment struct {
	past   [pastSamples]int16 // what was played, oldest first
	period [lagMax]int16      // the pitch period being repeated
	lag    int                // its length
	made   int                // samples made up since sound was last heard, at most fadeTo
}

const (
	// The pitch of human voices: 66 to 200 Hz, as in G.711 Appendix I.
	lagMin = 40
	lagMax = 120
	// matchSamples of 20 ms are compared to find the pitch: two periods of the lowest voice fit approximately.
	matchSamples = 160
	pastSamples  = matchSamples + lagMax
	// From fadeFrom to fadeTo the repetition gets silent: after 10 ms it begins to sound like a machine, and after
	// 60 ms nothing of it is true any more (G.711 Appendix I: 20 % each 10 ms).
	fadeFrom = 80
	fadeTo   = 480
	// joinSamples of 4 ms blend the made-up sound into the real one that follows.
	joinSamples = 32
)

// Heard takes sound that arrived. Right after Conceal it changes the beginning of frame, so that nothing clicks.
func (c *Concealment) Heard(frame []int16) {
	if c.made > 0 {
		n := min(joinSamples, len(frame))
		for i := range n {
			frame[i] = int16((int(frame[i])*i + int(c.next())*(n-i)) / n)
		}
		c.made = 0
	}
	c.remember(frame)
}

// Conceal fills frame with made-up sound: silence when nothing was ever heard.
func (c *Concealment) Conceal(frame []int16) {
	if c.made == 0 {
		c.take()
	}
	for i := range frame {
		frame[i] = c.next()
	}
	c.remember(frame)
}

// next is the next made-up sample.
func (c *Concealment) next() int16 {
	if c.made >= fadeTo {
		return 0
	}
	sample := int(c.period[c.made%c.lag])
	if c.made > fadeFrom {
		sample = sample * (fadeTo - c.made) / (fadeTo - fadeFrom)
	}
	c.made++
	return int16(sample)
}

// take cuts the last pitch period out of the past.
func (c *Concealment) take() {
	c.lag = c.pitch()
	last := c.past[pastSamples-c.lag:]
	copy(c.period[:], last)
	// The end of the period must lead into its beginning: the last quarter is blended with what came before the period.
	before := c.past[:pastSamples-c.lag]
	quarter := c.lag / 4
	for i := range quarter {
		at := c.lag - quarter + i
		c.period[at] = int16((int(last[at])*(quarter-i) + int(before[len(before)-quarter+i])*i) / quarter)
	}
}

// pitch is the lag at which the past resembles itself most: the largest normalised correlation.
func (c *Concealment) pitch() int {
	recent := c.past[pastSamples-matchSamples:]
	best, bestScore := lagMax, 0.0 // without any likeness the longest lag sounds least like a machine
	for lag := lagMin; lag <= lagMax; lag++ {
		earlier := c.past[pastSamples-matchSamples-lag : pastSamples-lag]
		var product, energy int64
		for i, sample := range recent {
			product += int64(sample) * int64(earlier[i])
			energy += int64(earlier[i]) * int64(earlier[i])
		}
		if product <= 0 {
			continue
		}
		if score := float64(product) * float64(product) / float64(energy); score > bestScore {
			best, bestScore = lag, score
		}
	}
	return best
}

func (c *Concealment) remember(frame []int16) {
	if len(frame) >= pastSamples {
		copy(c.past[:], frame[len(frame)-pastSamples:])
		return
	}
	copy(c.past[:], c.past[len(frame):])
	copy(c.past[pastSamples-len(frame):], frame)
}
