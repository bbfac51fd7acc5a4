//go:build linux

package checks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/screen"
	"freizeichen/firmware/config"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/eeprom"
	"freizeichen/hal/panel"
)

func (b *Bench) language() selftest.Language {
	if b.Config.Config.Language == config.English {
		return selftest.English
	}
	return selftest.German
}

func yesNo() []selftest.Choice { return []selftest.Choice{selftest.Yes, selftest.No} }

func lampNumber(l hal.Lamp) string { return strconv.Itoa(int(l)) }

// lampFitted tells whether the board has a lamp.
func (b *Bench) lampFitted(l hal.Lamp) bool {
	return slices.ContainsFunc(b.Body.Table().Lamps, func(have board.Lamp) bool { return have.Lamp == l })
}

// An idle is how a chip is asked whether it is there, without changing it: some pop a key or a measurement when they are
// simply read.
type idle struct {
	chip     board.Chip
	name     string
	register int // that may be read at any time; -1: the chip has none, and is simply read
}

// chips are all that must answer.
func (b *Bench) chips() []idle {
	t := b.Body.Table()
	var all []idle
	add := func(c board.Chip, name string, register int) {
		if c.Place != "" && !slices.ContainsFunc(all, func(have idle) bool { return have.chip.Bus == c.Bus && have.chip.Address == c.Address }) {
			all = append(all, idle{c, name, register})
		}
	}
	switch t.Keypad.Kind {
	case board.KeypadTCA8418:
		add(t.Keypad.Chip, "TCA8418", 0x01) // CFG
	case board.KeypadMCP23017:
		add(t.Keypad.Chip, "MCP23017", 0x00) // IODIRA
	}
	add(t.Panel.Chip, t.Panel.Kind, -1)
	for _, l := range t.Lamps {
		add(l.Chip, "PCA9633", 0x00) // MODE1
	}
	add(t.Identity.Chip, "EEPROM", 0x00)
	add(t.Temperature.Chip, "LM75", 0x01) // configuration
	add(t.Clock.Chip, "DS3231", 0x0f)     // status
	add(t.Light.Chip, "BH1750", -1)       // the last measurement
	return all
}

// ask reads one byte of a chip.
func (b *Bench) ask(i idle) error {
	bus := b.Body.Bus(i.chip.Bus)
	if bus == nil {
		return errMissing
	}
	var w []byte
	if i.register >= 0 {
		w = []byte{byte(i.register)}
	}
	return bus.Tx(i.chip.Address, w, make([]byte, 1))
}

// answers tells whether a chip is there.
func (b *Bench) answers(c board.Chip) bool {
	return slices.ContainsFunc(b.chips(), func(i idle) bool { return i.chip == c && b.ask(i) == nil })
}

// What the bus is asked: at power-on little, for there is no time.
const (
	readsPowerOn = 3
	readsEach    = 100
)

// bus looks for the chips of the table, reads each many times, and, when there is time, for others.
func (b *Bench) bus(ctx context.Context, step *selftest.Step) selftest.Result {
	var r reading.Bus
	reads := readsEach
	if step.Level == selftest.PowerOn {
		reads = readsPowerOn
	}
	known := map[string]bool{}
	names := map[string]int{} // of buses, numbered as they come
	place := func(bus string, address uint16) string {
		if _, seen := names[bus]; !seen {
			names[bus] = len(names)
		}
		return fmt.Sprintf("%d:0x%02x", names[bus], address)
	}
	for _, i := range b.chips() {
		at := place(i.chip.Bus, i.chip.Address)
		known[at] = true
		r.Expected = append(r.Expected, at+" "+i.name)
		if b.ask(i) != nil {
			continue
		}
		r.Found = append(r.Found, at+" "+i.name)
		for range reads {
			if ctx.Err() != nil {
				return selftest.Result{}
			}
			r.Reads++
			if b.ask(i) != nil {
				r.Nacks++
			}
		}
	}
	if step.Level == selftest.PowerOn {
		return r.Judge(b.limits)
	}
	for _, bus := range b.Body.Table().Scan {
		for address := uint16(0x08); address <= 0x77; address++ {
			if at := place(bus.Name, address); !known[at] && b.Body.Bus(bus.Name).Tx(address, nil, make([]byte, 1)) == nil {
				r.Found = append(r.Found, at+" unknown")
			}
		}
	}
	return r.Judge(b.limits)
}

// readIdentity compares the EEPROM with the board and its network interface.
func (b *Bench) readIdentity(context.Context, *selftest.Step) selftest.Result {
	t := b.Body.Table()
	id, err := eeprom.Chip{Bus: b.Body.Bus(t.Identity.Bus), Addr: t.Identity.Address, Kind: t.Identity.Kind}.Read()
	if err != nil {
		return failed(err)
	}
	b.mu.Lock()
	b.identity = id
	b.mu.Unlock()
	r := reading.Identity{Serial: id.Serial, Model: id.Model, Revision: id.Revision, MAC: net.HardwareAddr(id.MAC[:]).String(), ChecksumGood: true, BoardModel: t.Model}
	r.InterfaceMAC, _ = b.text("sys/class/net/" + t.Network + "/address") // empty: not looked at
	return r.Judge(b.limits)
}

// lamps lights each lamp alone and asks.
func (b *Bench) lamps(ctx context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartLamps); f.Fault != hal.Working {
		return selftest.FailBecause(f.Detail)
	}
	var r reading.Looks
	language, _ := screen.ParseLanguage(b.language().String())
	for _, lamp := range b.Body.Lights().Lamps() {
		step.Say(sayLamp, lampNumber(lamp))
		seen := step.Ask(ctx, selftest.Question{Phrase: selftest.AskLampColour, Arguments: []string{screen.Label(language, "lamp-"+lamp.String())}, Choices: yesNo()})
		r.Looks = append(r.Looks, reading.Look{Name: lamp.String(), Wanted: selftest.Yes, Seen: seen})
		if seen == "" {
			break // nobody is there
		}
		if f := b.Body.Fault(hal.PartLamps); f.Fault != hal.Working {
			return selftest.FailBecause(f.Detail)
		}
	}
	return r.Judge(b.limits)
}

// patternShown is how long a picture stands before the question covers it.
const patternShown = 1500 * time.Millisecond

// display shows the pictures and asks.
func (b *Bench) display(ctx context.Context, step *selftest.Step) selftest.Result {
	if _, err := b.Body.Panel().Check(ctx); err != nil && !errors.Is(err, panel.ErrUnreadable) {
		return failed(err)
	}
	var r reading.Looks
	ask := func(name string, question selftest.Question) bool {
		question.Choices = yesNo()
		seen := step.Ask(ctx, question)
		r.Looks = append(r.Looks, reading.Look{Name: name, Wanted: selftest.Yes, Seen: seen})
		return seen != ""
	}
	for p := phone.PatternBright; p < phone.PatternCount; p++ {
		number := strconv.Itoa(int(p))
		step.Say(sayPattern, number)
		if pause(ctx, patternShown) != nil {
			return selftest.Result{}
		}
		if !ask("pattern "+number, selftest.Question{Phrase: selftest.AskPattern, Arguments: []string{number}}) {
			return r.Judge(b.limits)
		}
	}
	step.Say("")
	for _, level := range []float64{1, 0.1, 1, 0.1, 1} {
		b.Body.Panel().Dim(level)
		if pause(ctx, patternShown/3) != nil {
			break
		}
	}
	b.Body.Panel().Dim(b.Body.Brightness())
	ask("backlight", selftest.Question{Phrase: selftest.AskBacklight})
	return r.Judge(b.limits)
}

// hookFor is how long ten times up and down may take. Who has not moved the handset for hookRest then has given up.
const hookFor, hookRest = 45 * time.Second, 15 * time.Second

// hook counts ten times up and down by the switch's own count.
func (b *Bench) hook(ctx context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartHook); f.Fault != hal.Working {
		return selftest.FailBecause(f.Detail)
	}
	b.Body.Switch().Restart()
	cycles := func() int { return b.Body.Switch().Report().Movements / 2 }
	began, moved := time.Now(), time.Time{}
	for shown := -1; cycles() < 10 && time.Since(began) < hookFor; {
		if n := cycles(); n != shown {
			step.Say(selftest.SayHookCycle, strconv.Itoa(n), "10")
			shown, moved = n, time.Now()
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return selftest.Result{}
		}
	}
	r := b.Body.Switch().Report()
	// A hand that goes on is no fault of the switch; a movement that was counted twice is.
	return reading.Hook{Cycles: min(cycles(), 10) + r.Retriggers, Bounce: r.BounceMax, Glitches: r.Glitches,
		GaveUp: cycles() < 10 && time.Since(moved) > hookRest}.Judge(b.limits)
}
