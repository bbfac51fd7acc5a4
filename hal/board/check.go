package board

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"freizeichen/firmware/document"
	"freizeichen/hal"
	"freizeichen/hal/eeprom"
)

// checker finds what is wrong in a file, and says where in it each part stands.
type checker struct {
	*document.Problems
	file string
	gpio string              // the chip of lines that name none
	i2c  string              // the bus of chips that name none
	pins map[string]position // taken lines

	chips    map[string]taken    // addresses of a bus
	channels map[string]position // taken channels of the lamps' chips
}

// taken is the first part at an address. Lamps share their chip.
type taken struct {
	at    position
	lamps bool
}

func (c *checker) place(at position) Place {
	if at == (position{}) {
		return ""
	}
	return Place(fmt.Sprintf("%s:%d", c.file, at.Line))
}

func (c *checker) table(t *Table, m raw) {
	c.pins, c.chips, c.channels = map[string]position{}, map[string]taken{}, map[string]position{}
	document.Value(c.Problems, &t.Model, m.Model, document.TextOf(word))
	document.Value(c.Problems, &c.gpio, m.GPIO, document.TextOf(text))
	document.Value(c.Problems, &c.i2c, m.I2C, document.TextOf(text))
	c.hook(&t.Hook, m.Hook)
	c.keypad(&t.Keypad, m.Keypad)
	c.lamps(t, m.Lamps)
	c.panel(&t.Panel, m.Panel)
	c.sound(&t.Handset, m.Sound.Handset, "sound.handset")
	c.sound(&t.Speaker, m.Sound.Speaker, "sound.speaker")
	c.sound(&t.Jack, m.Sound.Headset, "sound.headset")
	c.headset(&t.Headset, m.Headset)
	t.Identity.Chip = c.chip(m.Identity.At, m.Identity.Bus, m.Identity.Address, "identity.address", false)
	document.Value(c.Problems, &t.Identity.Kind, m.Identity.Kind, memory)
	t.Light.Chip = c.chip(m.Light.At, m.Light.Bus, m.Light.Address, "light.address", false)
	t.Temperature.Place, t.Clock.Place = c.place(m.Temperature.At), c.place(m.Clock.At)
	document.Value(c.Problems, &t.Temperature.Zone, m.Temperature.Zone, document.TextOf(word))
	if m.Temperature.Address.Set || t.Temperature.Zone == "" {
		t.Temperature.Chip = c.chip(m.Temperature.At, m.Temperature.Bus, m.Temperature.Address, "temperature.address", false)
	}
	document.Value(c.Problems, &t.Clock.Device, m.Clock.Device, document.TextOf(device))
	if m.Clock.Address.Set || t.Clock.Device == "" {
		t.Clock.Chip = c.chip(m.Clock.At, m.Clock.Bus, m.Clock.Address, "clock.address", false)
	}
	c.line(&t.Service, m.Service, "service")
	document.Value(c.Problems, &t.Network, m.Network, document.TextOf(word))
	document.Value(c.Problems, &t.Watchdog, m.Watchdog, document.ParseBool)
	for i, r := range m.Limits {
		var l Limit
		document.Value(c.Problems, &l.Name, r.Name, document.TextOf(word))
		document.Value(c.Problems, &l.Low, r.Low, number)
		document.Value(c.Problems, &l.High, r.High, number)
		if l.Low > l.High {
			c.Add(r.At, "limits[%d] allows nothing: low is above high", i)
		}
		t.Limits = append(t.Limits, l)
	}
}

func (c *checker) hook(h *Hook, m rawHook) {
	if m.At == (position{}) {
		return
	}
	h.Pin = c.pin(rawPin{m.At, m.Chip, m.Line, m.Active, m.Pull}, "hook")
	h.Debounce = 10 * time.Millisecond
	document.Value(c.Problems, &h.Debounce, m.Debounce, document.DurationOf(time.Millisecond, 100*time.Millisecond, false))
}

// pin checks one line: its chip may be the board's, and no other part has it.
func (c *checker) pin(m rawPin, path string) Pin {
	if m.At == (position{}) {
		return Pin{}
	}
	p := Pin{Place: c.place(m.At), Chip: c.gpio}
	document.Value(c.Problems, &p.Chip, m.Chip, document.TextOf(text))
	if p.Chip == "" {
		c.Add(m.At, "%s has no chip; give it one (chip: LABEL), or the board (gpio: LABEL)", path)
	}
	c.Need(m.At, path, "line", m.Line)
	if document.Value(c.Problems, &p.Line, m.Line, document.TextOf(text)) {
		id := p.Chip + " " + p.Line
		if first, taken := c.pins[id]; taken {
			c.Add(m.Line.At, "%s.line %s of %s is taken already, in line %d", path, p.Line, p.Chip, first.Line)
		}
		c.pins[id] = m.Line.At
	}
	active := "high"
	document.Choice(c.Problems, &active, m.Active, "high", "low")
	p.Low = active == "low"
	document.Choice(c.Problems, &p.Pull, m.Pull, "up", "down")
	return p
}

// chip checks one part on an I2C bus: no other part has its address, but lamps share theirs. path is that of the address.
func (c *checker) chip(at position, bus, addr scalar, path string, lamp bool) Chip {
	if at == (position{}) {
		return Chip{}
	}
	part := path[:strings.LastIndex(path, ".")]
	chip := Chip{Place: c.place(at), Bus: c.i2c}
	document.Value(c.Problems, &chip.Bus, bus, document.TextOf(text))
	if chip.Bus == "" {
		c.Add(at, "%s has no bus; give it one (bus: NAME OF THE ADAPTER), or the board (i2c: NAME)", part)
	}
	c.Need(at, part, "address", addr)
	if document.Value(c.Problems, &chip.Address, addr, address) {
		id := fmt.Sprintf("%s %#x", chip.Bus, chip.Address)
		if first, already := c.chips[id]; already && !(first.lamps && lamp) {
			c.Add(addr.At, "%s %#x of %s is taken already, in line %d", path, chip.Address, chip.Bus, first.at.Line)
		}
		c.chips[id] = taken{addr.At, lamp}
	}
	return chip
}

func (c *checker) keypad(k *Keypad, m rawKeypad) {
	if m.At == (position{}) {
		return
	}
	k.Place = c.place(m.At)
	c.Need(m.At, "keypad", "kind", m.Kind)
	document.Choice(c.Problems, &k.Kind, m.Kind, KeypadTCA8418, KeypadMCP23017, KeypadMatrix)
	document.Value(c.Problems, &k.Diodes, m.Diodes, document.ParseBool)
	rows, columns := 8, 10 // of a TCA8418
	switch k.Kind {
	case KeypadMCP23017:
		columns = 8
		fallthrough
	case KeypadTCA8418:
		k.Chip = c.chip(m.At, m.Bus, m.Address, "keypad.address", false)
		if m.Interrupt.At == (position{}) {
			c.Add(m.At, "keypad.interrupt is missing: without it every key would have to be asked for all the time")
		}
		k.Interrupt = c.pin(m.Interrupt, "keypad.interrupt")
		if len(m.Rows)+len(m.Columns) > 0 {
			c.Add(m.At, "keypad has rows or columns of its own; with %s the chip has them", k.Kind)
		}
	case KeypadMatrix:
		for i, r := range m.Rows {
			k.Rows = append(k.Rows, c.pin(r, fmt.Sprintf("keypad.rows[%d]", i)))
		}
		for i, r := range m.Columns {
			k.Columns = append(k.Columns, c.pin(r, fmt.Sprintf("keypad.columns[%d]", i)))
		}
		rows, columns = len(k.Rows), len(k.Columns)
		if rows == 0 || columns == 0 {
			c.Add(m.At, "keypad of the kind matrix needs rows and columns")
		}
	}
	c.keys(k, m, rows, columns)
}

// keys reads the rows of the keypad, each a text of key names.
func (c *checker) keys(k *Keypad, m rawKeypad, rows, columns int) {
	if len(m.Keys) == 0 {
		c.Add(m.At, "keypad.keys is missing: a line of key names for each row, - where there is no key")
	}
	if len(m.Keys) > rows {
		c.Add(m.Keys[rows].At, "keypad.keys has %d rows; the keypad has %d", len(m.Keys), rows)
	}
	seen := map[hal.Key]bool{}
	for _, s := range m.Keys {
		names := strings.Fields(s.Text)
		if len(names) > columns {
			c.Add(s.At, "%s has %d keys; the keypad has %d columns", s.Path, len(names), columns)
		}
		var row []hal.Key
		for _, name := range names {
			key := hal.ParseKey(name)
			switch {
			case name == "-":
			case key == hal.KeyNone:
				c.Add(s.At, "%s: there is no key %s%s", s.Path, document.Excerpt(name), meant(name, keyNames()))
			case seen[key]:
				c.Add(s.At, "%s: key %s is there twice", s.Path, name)
			}
			seen[key] = true
			row = append(row, key)
		}
		k.Keys = append(k.Keys, row)
	}
}

func keyNames() []string {
	var names []string
	for k := hal.Key0; k < hal.KeyCount; k++ {
		names = append(names, k.String())
	}
	return names
}

func meant(word string, among []string) string {
	if near := document.Nearest(word, among); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; allowed: " + strings.Join(among, " ")
}

func (c *checker) lamps(t *Table, all []rawLamp) {
	var names []string
	for l := range hal.LampCount {
		names = append(names, l.String())
	}
	seen := map[string]position{}
	for i, m := range all {
		path := fmt.Sprintf("lamps[%d]", i)
		l := Lamp{Place: c.place(m.At)}
		n := slices.Index(names, m.Lamp.Text)
		if first, twice := seen[m.Lamp.Text]; twice {
			c.Add(m.Lamp.At, "%s.lamp %s is there already, in line %d", path, m.Lamp.Text, first.Line)
		}
		seen[m.Lamp.Text] = m.Lamp.At
		if n < 0 {
			c.Add(m.Lamp.At, "%s.lamp is %s%s", path, document.Excerpt(m.Lamp.Text), meant(m.Lamp.Text, names))
			continue
		}
		l.Lamp = hal.Lamp(n)
		ways := 0
		for _, s := range []scalar{m.Line, m.PCA9633, m.LED} {
			if s.Set {
				ways++
			}
		}
		switch {
		case ways != 1:
			c.Add(m.At, "%s needs one of line (of a GPIO chip), pca9633 (an address) and led (of the kernel)", path)
		case m.Line.Set:
			l.Pin = c.pin(rawPin{At: m.At, Chip: m.Chip, Line: m.Line, Active: m.Active}, path)
		case m.LED.Set:
			document.Value(c.Problems, &l.LED, m.LED, document.TextOf(word))
		default:
			l.Chip = c.chip(m.At, m.Bus, m.PCA9633, path+".pca9633", true)
			c.Need(m.At, path, "channel", m.Channel)
			if document.Value(c.Problems, &l.Channel, m.Channel, document.NumberOf(0, 3)) {
				id := fmt.Sprintf("%s %#x %d", l.Chip.Bus, l.Chip.Address, l.Channel)
				if first, twice := c.channels[id]; twice {
					c.Add(m.Channel.At, "%s.channel %d of %#x is taken already, in line %d", path, l.Channel, l.Chip.Address, first.Line)
				}
				c.channels[id] = m.Channel.At
			}
		}
		t.Lamps = append(t.Lamps, l)
	}
}

func (c *checker) line(l *Line, m rawLine, path string) {
	if m.At == (position{}) {
		return
	}
	l.Place, l.Baud = c.place(m.At), 115200
	c.Need(m.At, path, "port", m.Port)
	document.Value(c.Problems, &l.Port, m.Port, document.TextOf(device))
	document.Value(c.Problems, &l.Baud, m.Baud, document.NumberOf(300, 4_000_000))
}

func (c *checker) headset(h *Headset, m rawHeadset) {
	h.Place = c.place(m.At)
	document.Value(c.Problems, &h.USB, m.USB, document.ParseBool)
	document.Value(c.Problems, &h.Must, m.Must, document.ParseBool)
	document.Value(c.Problems, &h.CouplingDB, m.Coupling, parseDecibels)
	c.line(&h.Serial, m.Serial, "headset.serial")
	if h.Must && !h.USB {
		c.Add(m.Must.At, "headset.must wants usb: true as well: of others nobody knows whether they are there")
	}
}

func text(s string) error {
	if s == "" || len(s) > 80 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("is %s; allowed: one line of at most 80 characters", document.Excerpt(s))
	}
	return nil
}

func word(s string) error {
	if text(s) != nil || strings.ContainsAny(s, " /*?[]") || s == ".." || s == "." {
		return fmt.Errorf("is %s; allowed: one word without / * ? [ ]", document.Excerpt(s))
	}
	return nil
}

func device(s string) error {
	if text(s) != nil || !strings.HasPrefix(s, "/dev/") || strings.Contains(s, "..") {
		return fmt.Errorf("is %s; allowed: a device such as /dev/ttyAMA0", document.Excerpt(s))
	}
	return nil
}

// address is a 7-bit I2C address; those below 0x08 and above 0x77 are reserved (NXP UM10204 section 3.1.12).
func address(s string) (uint16, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 8)
	if err != nil || !strings.HasPrefix(s, "0x") || n < 0x08 || n > 0x77 {
		return 0, fmt.Errorf("is %s; allowed: 0x08 to 0x77", document.Excerpt(s))
	}
	return uint16(n), nil
}

// decibels takes a level, or mute.
func decibels(s string) error {
	if s == "mute" {
		return nil
	}
	_, err := parseDecibels(s)
	return err
}

func parseDecibels(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= -130 && v <= 60) {
		return 0, errors.New("is " + document.Excerpt(s) + "; allowed: -130 to 60, in dB")
	}
	return v, nil
}

func memory(s string) (eeprom.Kind, error) {
	kind, err := eeprom.ParseKind(s)
	if err != nil {
		return 0, fmt.Errorf("is %s; allowed: %s, %s", document.Excerpt(s), eeprom.AT24C02, eeprom.AT24C32)
	}
	return kind, nil
}

func number(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, errors.New("is " + document.Excerpt(s) + "; allowed: a number")
	}
	return v, nil
}
