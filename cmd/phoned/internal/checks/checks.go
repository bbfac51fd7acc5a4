//go:build linux

// Package checks carries out the phone's self-tests on the hardware of a board: it reads, plays, lights and asks, and hands
// plain values to firmware/selftest/reading, which judges them.
//
//	selftest.Run --Func(step)--> checks --> body: bus, sound, keypad, hook, lamps, panel ...
//	             <--Result--------  +-----> /proc, /sys: storage, network, watchdog, temperature
//
// It decides neither what is allowed nor what follows.
package checks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/board/body"
	"freizeichen/hal/eeprom"
	"freizeichen/sip"
)

// Config is what is tested.
type Config struct {
	Body   *body.Body
	Config config.Config
	Data   string // folder of the phone; empty: it keeps nothing, and has no storage to test
	View   func() phone.View
	// Echo calls the number of this site that sends back what it hears, and counts; nil: there is none.
	Echo func(context.Context) (sip.Statistics, error)
	Log  *slog.Logger
}

// Bench has the tests of one phone.
type Bench struct {
	Config
	root   string // "/": where proc and sys are
	limits selftest.Limits
	began  time.Time // the phone's start

	ping     func(context.Context, netip.Addr) (sent, lost int)
	seconds  *seconds // of the clock
	mu       sync.Mutex
	identity eeprom.Identity                 // as last read; zero: never
	ticks    ticks                           // of the clock, from the beginning of the run
	waits    map[selftest.Part]time.Duration // in the queues of a way of sound, at the last look
}

// New prepares the tests. The error is one of the board's table: limits that nobody measures.
func New(c Config) (*Bench, error) {
	b := &Bench{Config: c, root: "/", began: time.Now(), limits: selftest.StandardLimits(), ping: ping, waits: map[selftest.Part]time.Duration{}}
	b.seconds = &seconds{read: b.readClock}
	others := map[string]selftest.Limit{}
	for _, l := range c.Body.Table().Limits {
		others[l.Name] = selftest.Limit{Low: l.Low, WarnLow: l.Low, WarnHigh: l.High, High: l.High}
	}
	var err error
	if b.limits, err = b.limits.With(others); err != nil {
		return nil, fmt.Errorf("checks: limits of the board: %w", err)
	}
	return b, nil
}

// The pictures and lamps that a test shows, as phrases that only the panel understands.
const (
	sayPattern selftest.Phrase = "show-pattern"
	sayLamp    selftest.Phrase = "show-lamp"
)

// Shows is the picture or the lamp that a step wants to be seen: PatternNone and LampCount when it wants none.
func Shows(say selftest.Phrase, arguments []string) (phone.Pattern, hal.Lamp) {
	if len(arguments) == 0 {
		return phone.PatternNone, hal.LampCount
	}
	n, err := strconv.Atoi(arguments[0])
	switch {
	case err != nil || n < 0:
	case say == sayPattern && n < int(phone.PatternCount):
		return phone.Pattern(n), hal.LampCount
	case say == sayLamp && n < int(hal.LampCount):
		return phone.PatternNone, hal.Lamp(n)
	}
	return phone.PatternNone, hal.LampCount
}

// Plan is what to do for a level, all of it or the tests named and what they hang on, and how. The error names a test that
// the level does not have.
func (b *Bench) Plan(level selftest.Level, names ...selftest.ID) (selftest.Plan, selftest.Bench, error) {
	tests, err := selftest.Select(selftest.Standard(b.onBus()...), level, names...)
	if err != nil {
		return selftest.Plan{}, selftest.Bench{}, fmt.Errorf("checks: %w", err)
	}
	view := b.View()
	plan := selftest.Plan{Level: level, Tests: tests, Hardware: b.hardware(), CallUp: len(view.Calls) > 0}
	b.beginTicks(level)
	return plan, selftest.Bench{Limits: b.limits, Tests: map[selftest.ID]selftest.Func{
		selftest.CheckBus: b.bus, selftest.CheckIdentity: b.readIdentity, selftest.CheckTemperature: b.temperature,
		selftest.CheckWatchdog: b.watchdog, selftest.CheckStorage: b.storage, selftest.CheckStuck: b.stuck,
		selftest.CheckEthernet: b.ethernet, selftest.CheckNetwork: b.network, selftest.CheckClock: b.clock,
		selftest.CheckLevel: b.level, selftest.CheckResponse: twice(b.response), selftest.CheckDistortion: twice(b.distortion),
		selftest.CheckNoise: twice(b.noise), selftest.CheckMute: b.mute, selftest.CheckDelay: twice(b.delay), selftest.CheckEcho: twice(b.echo),
		selftest.CheckKeys: b.keys, selftest.CheckBounce: b.bounce, selftest.CheckHook: b.hook,
		selftest.CheckLamps: b.lamps, selftest.CheckDisplay: b.display,
	}}, nil
}

// fitted is which parts the board's table has, and what the drivers know of them.
func (b *Bench) fitted() map[selftest.Part]bool {
	t := b.Body.Table()
	return map[selftest.Part]bool{
		selftest.PartHandset: t.Handset.Place != "", selftest.PartSpeaker: t.Speaker.Place != "", selftest.PartKeypad: t.Keypad.Place != "",
		selftest.PartHook: t.Hook.Place != "", selftest.PartPanel: t.Panel.Place != "", selftest.PartLamps: len(t.Lamps) > 0,
		selftest.PartEthernet: t.Network != "", selftest.PartNetwork: true, selftest.PartBus: len(t.Scan) > 0,
		selftest.PartIdentity: t.Identity.Place != "", selftest.PartClock: t.Clock.Place != "", selftest.PartTemperature: t.Temperature.Place != "",
		selftest.PartWatchdog: t.Watchdog || b.has("sys/class/watchdog/watchdog0"), selftest.PartStorage: b.Data != "",
		selftest.PartHeadset: t.Headset.Must || b.Body.Sound().Has(hal.Headset),
	}
}

// partOf is the part of the body behind a part of the self-test; PartCount when the drivers know none.
func partOf(p selftest.Part) hal.Part {
	for part := range hal.PartCount {
		if part.String() == string(p) {
			return part
		}
	}
	return hal.PartCount
}

func (b *Bench) hardware() map[selftest.Part]selftest.Presence {
	hardware := map[selftest.Part]selftest.Presence{}
	b.Body.Sound().Check()
	for part, there := range b.fitted() {
		switch {
		case !there:
		case b.lost(part):
			hardware[part] = selftest.Lost
		default:
			hardware[part] = selftest.Fitted
		}
	}
	return hardware
}

// lost tells whether the driver of a part says that it is missing. What the tests look at themselves they find themselves.
func (b *Bench) lost(part selftest.Part) bool {
	switch part {
	case selftest.PartIdentity, selftest.PartClock, selftest.PartTemperature:
		return false
	}
	p := partOf(part)
	return p < hal.PartCount && b.Body.Fault(p).Fault == hal.Missing
}

// onBus are the parts that the bus explains: all of those that hang on it, when none of them answers. While one does, each
// part is tested for itself.
func (b *Bench) onBus() []selftest.Part {
	t := b.Body.Table()
	chips := map[selftest.Part]board.Chip{
		selftest.PartPanel: t.Panel.Chip, selftest.PartKeypad: t.Keypad.Chip, selftest.PartIdentity: t.Identity.Chip,
		selftest.PartClock: t.Clock.Chip, selftest.PartTemperature: t.Temperature.Chip,
	}
	var parts []selftest.Part
	for part, chip := range chips {
		if chip.Place == "" {
			continue
		}
		if b.answers(chip) {
			return nil
		}
		parts = append(parts, part)
	}
	return parts
}

func (b *Bench) has(path string) bool {
	_, err := os.Stat(filepath.Join(b.root, path))
	return err == nil
}

// text is a small file of proc or sys.
func (b *Bench) text(path string) (string, error) {
	data, err := os.ReadFile(filepath.Join(b.root, path))
	return strings.TrimSpace(string(data)), err
}

// number is a file that holds one; nil when it does not, or is not there.
func (b *Bench) number(path string) *float64 {
	text, err := b.text(path)
	if err != nil {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &v
}

// pause waits, unless the test shall end.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Tell reports to the phone what only tests look at: parts without a driver of their own.
func (b *Bench) Tell(r selftest.Report) {
	for _, f := range r.Findings {
		switch f.Test.Part {
		case selftest.PartIdentity, selftest.PartClock, selftest.PartTemperature, selftest.PartStorage, selftest.PartEthernet:
		default:
			continue
		}
		change := hal.PartChange{Part: partOf(f.Test.Part)}
		switch f.Outcome {
		case selftest.Pass, selftest.Marginal:
		case selftest.Fail:
			change.Fault, change.Detail = hal.Failing, f.Reason.In(selftest.English)
		default:
			continue
		}
		b.Body.Report(change)
	}
}

// Subject is who is tested.
func (b *Bench) Subject(firmware string, language selftest.Language) report.Subject {
	b.mu.Lock()
	id := b.identity
	b.mu.Unlock()
	s := report.Subject{Product: "Freizeichen", Model: b.Body.Table().Model, Firmware: firmware, Language: language}
	if id.Serial != "" {
		s.Serial, s.Model, s.Revision, s.MAC = id.Serial, id.Model, id.Revision, net.HardwareAddr(id.MAC[:]).String()
	} else if mac, err := b.text("sys/class/net/" + b.Body.Table().Network + "/address"); err == nil {
		s.MAC = mac
	}
	return s
}

// errMissing is a part that the table does not have; its tests are not run.
var errMissing = errors.New("the board has no such part")

// failed is a test that could not read its part.
func failed(err error) selftest.Result { return selftest.FailBecause(err.Error()) }
