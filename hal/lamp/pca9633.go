package lamp

import (
	"fmt"
	"strings"
	"time"

	"freizeichen/hal"
)

// Registers of the PCA9633 (Rev. 6 table 7), and the control byte that increments through all of them (table 6).
const (
	regMode1   = 0x00
	regMode2   = 0x01
	regPWM0    = 0x02
	regGrpPWM  = 0x06
	regGrpFreq = 0x07
	regLEDOut  = 0x08
	registers  = 9

	increment = 0x80
)

// Bits of MODE1 and MODE2 (tables 8 and 9).
const (
	mode1Writable = 0x1F // AI[2:0] follow the control byte
	mode2Blink    = 0x20 // DMBLNK
	mode2Invert   = 0x10 // INVRT
	mode2PushPull = 0x04 // OUTDRV
	mode2OutNE    = 0x01 // as after power-on; matters only with the OE pin
)

// Output states in LEDOUT (table 13).
const (
	driveOff   = 0
	drivePWM   = 2
	driveGroup = 3
)

// oscillatorStart is how long the oscillator needs after SLEEP was cleared: before, nothing that it drives may be written
// (table 8, note 2).
const oscillatorStart = 500 * time.Microsecond

// A chip is one PCA9633 with up to four lamps.
type chip struct {
	wiring Chip
	lamps  [4]hal.Lamp
	bound  [4]bool
	known  bool // have is what the chip holds
	have   [registers]byte
}

func (c *chip) name() string {
	var lamps []string
	for channel, bound := range c.bound {
		if bound {
			lamps = append(lamps, c.lamps[channel].String())
		}
	}
	return fmt.Sprintf("chip PCA9633 at %#x (%s)", c.wiring.Addr, strings.Join(lamps, ", "))
}

// group is the rhythm in which the chip blinks by itself; Dark: none. It is one that no other chip or line has, because only
// software keeps those together; the chip has one group, so that a second rhythm is left to software.
func (c *chip) group(s *scene) hal.Blink {
	var users [hal.BlinkCount]int
	for channel, bound := range c.bound {
		if bound {
			users[s.lamps[c.lamps[channel]]]++
		}
	}
	for b, n := range users {
		if _, _, ok := groupBlink(hal.Blink(b)); ok && n > 0 && n == s.users[b] {
			return hal.Blink(b)
		}
	}
	return hal.Dark
}

// groupBlink is GRPPWM and GRPFREQ of a rhythm: period (GRPFREQ+1)/24 s, on for GRPPWM/256 of it (section 7.3.4 and 7.3.5,
// equations 2 and 3). It is not ok if that misses one of the halves by more than a tenth, which nobody sees.
func groupBlink(b hal.Blink) (pwm, freq byte, ok bool) {
	on, off := b.Pattern()
	if on == 0 {
		return 0, 0, false
	}
	steps := ((on+off)*24 + time.Second/2) / time.Second
	share := (on*256 + (on+off)/2) / (on + off)
	if steps < 1 || steps > 256 || share < 1 || share > 255 {
		return 0, 0, false
	}
	period := steps * time.Second / 24
	litFor := period * share / 256
	near := func(got, want time.Duration) bool { return (got - want).Abs() <= want/10 }
	return byte(share), byte(steps - 1), near(litFor, on) && near(period-litFor, off)
}

// image is what the registers shall hold.
func (c *chip) image(s *scene, now time.Time) [registers]byte {
	// SLEEP = 0. ALLCALL = 0: the common address 70h may belong to another part of the board.
	image := [registers]byte{regMode1: 0, regMode2: mode2Blink | mode2OutNE}
	if c.wiring.Invert {
		image[regMode2] |= mode2Invert
	}
	if !c.wiring.OpenDrain {
		image[regMode2] |= mode2PushPull
	}
	// A group that nobody uses keeps its last rhythm, which costs no write.
	image[regGrpPWM], image[regGrpFreq] = c.have[regGrpPWM], c.have[regGrpFreq]
	group := c.group(s)
	if pwm, freq, ok := groupBlink(group); ok {
		image[regGrpPWM], image[regGrpFreq] = pwm, freq
	}
	for channel, bound := range c.bound {
		if !bound {
			continue
		}
		image[regPWM0+channel] = s.level
		drive := byte(driveOff)
		if lamp := c.lamps[channel]; group != hal.Dark && s.lamps[lamp] == group {
			drive = driveGroup
		} else if s.lit(lamp, now) {
			drive = drivePWM
		}
		image[regLEDOut] |= drive << (2 * channel)
	}
	return image
}

func (c *chip) show(s *scene, now time.Time) error {
	want := c.image(s, now)
	if c.known && want == c.have {
		return nil
	}
	if !c.known {
		if err := c.write(regMode1, want[regMode1:regMode1+1]); err != nil {
			return err
		}
		time.Sleep(oscillatorStart)
		if err := c.write(regMode2, want[regMode2:]); err != nil {
			return err
		}
		c.known, c.have = true, want
		return nil
	}
	for first := 0; first < registers; first++ {
		last := first
		for last < registers && want[last] != c.have[last] {
			last++
		}
		if last == first {
			continue
		}
		if err := c.write(first, want[first:last]); err != nil {
			return err
		}
		first = last
	}
	c.have = want
	return nil
}

// next: a chip that blinks by itself wants nothing.
func (c *chip) next(s *scene, now time.Time) time.Time {
	var next time.Time
	group := c.group(s)
	for channel, bound := range c.bound {
		if lamp := c.lamps[channel]; bound && (group == hal.Dark || s.lamps[lamp] != group) {
			next = earlier(next, s.next(lamp, now))
		}
	}
	return next
}

// check reads the registers back. What differs was lost, with the supply or by a discharge: all is written anew.
func (c *chip) check(s *scene, now time.Time) error {
	if same, err := c.compare(); err != nil || same == nil {
		return err
	}
	c.known = false
	if err := c.show(s, now); err != nil {
		return err
	}
	same, err := c.compare()
	if err == nil {
		err = same
	}
	if err != nil {
		c.known = false
	}
	return err
}

// compare says which register differs from what was written.
func (c *chip) compare() (differs, err error) {
	var is [registers]byte
	if err := c.wiring.Bus.Tx(c.wiring.Addr, []byte{increment | regMode1}, is[:]); err != nil {
		return nil, c.broken("read its registers", err)
	}
	is[regMode1] &= mode1Writable
	for n := range is {
		if is[n] != c.have[n] {
			return fmt.Errorf("register %#02x reads %#02x after %#02x was written: replace the chip if this stays", n, is[n], c.have[n]), nil
		}
	}
	return nil, nil
}

func (c *chip) write(first int, values []byte) error {
	message := append([]byte{increment | byte(first)}, values...)
	if err := c.wiring.Bus.Tx(c.wiring.Addr, message, nil); err != nil {
		return c.broken(fmt.Sprintf("write register %#02x", first), err)
	}
	return nil
}

// broken forgets what the chip holds, because half a transfer may have moved, or its power may be gone. A chip that does not
// even answer a read is missing.
func (c *chip) broken(doing string, err error) error {
	c.known = false
	err = fmt.Errorf("%s: %w", doing, err)
	if c.wiring.Bus.Tx(c.wiring.Addr, []byte{increment | regMode1}, make([]byte, 1)) != nil {
		return missing{fmt.Errorf("%w; it does not answer: check its supply and its bus", err)}
	}
	return err
}
