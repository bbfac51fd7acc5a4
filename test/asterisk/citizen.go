package asterisk

import (
	"fmt"
	"strings"
)

// A Citizen is somebody who calls. He sends a tone of CitizenHz and keeps what he hears.
type Citizen struct {
	pbx  *PBX
	name string // of his extension and his recording
}

// CitizenHz is Asterisk's Milliwatt.
const CitizenHz = 1004

// Originate lets a citizen call a number of the carrier: a queue's or a phone's.
func (p *PBX) Originate(number string) *Citizen {
	p.t.Helper()
	p.calls++
	c := &Citizen{pbx: p, name: fmt.Sprintf("9%03d", p.calls)}
	// /n: the two halves stay apart, so that the recording has each voice for itself.
	if out := p.CLI(fmt.Sprintf("channel originate Local/%s@carrier/n extension %s@citizen", number, c.name)); out != "" {
		p.t.Fatalf("asterisk: originate %s: %s", number, out)
	}
	return c
}

// HangUp ends the citizen's call. He may have gone already.
func (c *Citizen) HangUp() {
	c.pbx.t.Helper()
	if channel := c.channel(); channel != "" {
		c.pbx.CLI("channel request hangup " + channel)
	}
}

// Present reports whether he is still on the line.
func (c *Citizen) Present() bool { return c.channel() != "" }

// channel is his end of the call, empty without one. Fields of "concise": channel!context!extension!...
func (c *Citizen) channel() string {
	for line := range strings.Lines(c.pbx.ask("core show channels concise")) {
		if f := strings.Split(line, "!"); len(f) > 3 && f[1] == "citizen" && f[2] == c.name {
			return f[0]
		}
	}
	return ""
}

// WaitGone waits until he is off the line.
func (c *Citizen) WaitGone() {
	c.pbx.t.Helper()
	c.pbx.wait(commandMax, "the citizen is off the line", func() bool { return !c.Present() })
}

// Heard is what he heard so far, 8 kHz, silence left out where nobody sent.
func (c *Citizen) Heard() []int16 { return c.pbx.Recording(c.name + "-heard") }
