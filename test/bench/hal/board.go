//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/clock"
	"freizeichen/hal/eeprom"
	"freizeichen/hal/haltest"
	"freizeichen/test/bench/peer"
	"freizeichen/test/bench/process"
	"freizeichen/test/bench/stand"
	"freizeichen/test/board/rig"
	"freizeichen/test/board/rig/usbheadset"
	"freizeichen/test/board/rig/wire"
)

// Addresses of boards/virt.yaml.
const (
	addressPanel  = 0x3c
	addressKeypad = 0x34
)

// watchdog is WatchdogSec of cmd/phoned/systemd/phoned.service.
const watchdog = 10 * time.Second

// A desk has phoned on the emulated board, registered at the exchange.
type desk struct {
	*rig.Machine
	stand    *stand.Stand
	exchange *peer.Exchange
	keys     *haltest.TCA8418
	layout   [][]hal.Key
	meter    *meter
	system   process.System
	pid      int
}

// startDesk boots the board virt with all its parts, so that nothing is looked for in vain, and a phone built by one of rig's
// functions.
func startDesk(s *stand.Stand, build func(testing.TB, string) rig.File) (*desk, error) {
	p := &desk{stand: s, meter: &meter{}}
	text, known := board.Known("virt")
	if !known {
		return nil, fmt.Errorf("there is no board virt")
	}
	table, err := board.Load("virt")
	if err != nil {
		return nil, err
	}
	p.layout = table.Keypad.Keys
	bus, err := p.parts()
	if err != nil {
		return nil, err
	}
	handset, err := usbheadset.New(usbheadset.Model{Vendor: 0x1209, Product: 2, Manufacturer: "Freizeichen", Name: "Handset"})
	if err != nil {
		return nil, err
	}
	if p.exchange, err = peer.OpenExchange(); err != nil {
		return nil, err
	}
	s.Cleanup(p.exchange.Close)
	p.exchange.Host = netip.MustParseAddr(rig.Host)
	server := netip.AddrPortFrom(p.exchange.Host, p.exchange.Address().Port())
	config := configuration(server, p.exchange.Password(account), netip.MustParseAddr(rig.Address))
	arguments := []string{"-board", "/etc/board.yaml", "-config", "/etc/phone.yaml", "-socket", "/tmp/phone.sock", "-data", "/tmp"}
	p.Machine = rig.Start(s, rig.Board{
		Files:   []rig.File{build(s, programPhone), rig.Program(s, programPace), {Path: "/etc/phone.yaml", Data: []byte(config)}, {Path: "/etc/board.yaml", Data: []byte(text)}},
		Program: wire.Program{Path: "/usr/bin/phoned", Args: arguments, UID: 1000, GIDs: rig.Groups(1000), WatchdogEvery: watchdog},
		Bus:     bus, Handset: handset,
	})
	p.Wait(wire.Ready, "")
	if p.pid, err = strconv.Atoi(p.Wait(wire.Started, "")); err != nil {
		return nil, fmt.Errorf("the number of phoned on the board: %w", err)
	}
	p.system = process.System{
		Read: func(path string) ([]byte, error) { text, err := p.Read(path); return []byte(text), err },
		Glob: func(pattern string) ([]string, error) { return p.Glob(pattern), nil },
	}
	select {
	case <-p.exchange.Registrations(account):
		return p, nil
	case <-time.After(rig.Patience):
		return nil, fmt.Errorf("phoned on the board did not register within %s; the board said:\n%s", rig.Patience, p.Log())
	}
}

// macOfTheBoard is the one that QEMU gives its first network card.
var macOfTheBoard = [6]byte{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}

// parts are the models on the bus.
func (p *desk) parts() (*haltest.Bus, error) {
	bus := new(haltest.Bus)
	p.keys = haltest.NewTCA8418(func(high bool) {
		if p.Machine != nil {
			_ = p.Wires.Set(rig.KeyInterrupt, high) // it can only fail when QEMU has ended
		}
	})
	record, err := eeprom.Identity{Serial: "FZ-0001", Model: "virt", Revision: "A1", MAC: macOfTheBoard, Produced: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}.Marshal()
	if err != nil {
		return nil, fmt.Errorf("the board's EEPROM: %w", err)
	}
	memory, heat, light := haltest.NewEEPROM24(256, 8, false, 0), haltest.NewLM75(), haltest.NewBH1750()
	memory.Load(record)
	heat.Measure(0x1f80) // 31.5 °C
	light.Shine(400)
	for address, target := range map[uint16]haltest.Target{
		addressPanel: haltest.NewSSD1306(), addressKeypad: p.keys, 0x50: memory, 0x48: heat, 0x68: haltest.NewDS3231(time.Now), 0x23: light,
		0x62: haltest.NewPCA9633(), 0x63: haltest.NewPCA9633(),
	} {
		bus.Attach(address, target)
	}
	if err := (clock.DS3231{Bus: bus, Addr: 0x68}).Set(time.Now()); err != nil {
		return nil, fmt.Errorf("the board's clock: %w", err)
	}
	bus.Fail(p.meter.note)
	return bus, nil
}

// onBoard measures everything that needs the board.
func onBoard(ctx context.Context, s *stand.Stand, o options, out io.Writer) error {
	p, err := startDesk(s, rig.Program)
	if err != nil {
		return err
	}
	began := time.Now().Add(settle)
	before, err := emulated("/proc", os.Getpid())
	if err != nil {
		return err
	}
	idle, err := observe(ctx, p.system, p.pid, o.rest)
	if err != nil {
		return err
	}
	after, err := emulated("/proc", os.Getpid())
	if err != nil {
		return err
	}
	idle.share = before.share(after)
	slower, err := p.pace(ctx)
	if err != nil {
		return err
	}
	if err := p.printRest(idle, slower, began, o.rest, out); err != nil {
		return err
	}
	if err := p.printLatencies(ctx, o.rounds, out); err != nil {
		return err
	}
	talking, err := p.talk(ctx, o.talk)
	if err != nil {
		return err
	}
	return printMemory("arm64", idle.at, talking, o.talk, out)
}

// on32 measures the memory of the program for ARMv7, which the board runs as well.
func on32(ctx context.Context, s *stand.Stand, o options, out io.Writer) error {
	p, err := startDesk(s, rig.Program32)
	if err != nil {
		return err
	}
	idle, err := observe(ctx, p.system, p.pid, settle)
	if err != nil {
		return err
	}
	talking, err := p.talk(ctx, o.talk)
	if err != nil {
		return err
	}
	return printMemory("armv7", idle.at, talking, o.talk, out)
}

func (p *desk) printRest(idle rest, slower float64, began time.Time, long time.Duration, out io.Writer) error {
	t := newTable(fmt.Sprintf("phoned on the emulated arm64 board, all parts there, registered and at rest for %s", long), "", "unit", "", "goal")
	idle.rows(t)
	for _, part := range []struct {
		name    string
		address uint16
	}{{"I2C bus", 0}, {"  of it keypad", addressKeypad}, {"  of it panel", addressPanel}} {
		messages, bytes := p.meter.bytes(part.address, began)
		t.row(part.name, "messages, bytes", fmt.Sprintf("%d, %d", messages, bytes), "")
	}
	if err := t.print(out); err != nil {
		return err
	}
	percent := 100 * idle.cpu.Seconds() / idle.took.Seconds() * idle.share
	_, err := fmt.Fprintf(out, "At drawing the phone's screen the emulated processor is %.0f times as slow as this machine's own, of which the same work would be %.3f %%.\n",
		slower, percent/slower)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "The processor is emulated, and the I2C bus is a USB adapter: each message costs the kernel's USB stack, where a board has one register.")
	return err
}

// residentMaxKB is the goal for the memory in a call: 16 MB.
const residentMaxKB = 16 << 10

func printMemory(program string, idle, talking process.Usage, long time.Duration, out io.Writer) error {
	t := newTable(fmt.Sprintf("memory of phoned for %s on the emulated arm64 board, MB; the call has lasted %s", program, long), "", "at rest", "in a call", "goal")
	t.row("resident, page by page (smaps_rollup)", megabytes(idle.Mapped), megabytes(talking.Mapped),
		goal(fmt.Sprintf("at most %d MB in a call", residentMaxKB>>10), talking.Mapped <= residentMaxKB))
	t.row("  its share (Pss)", megabytes(idle.Proportional), megabytes(talking.Proportional), "")
	t.row("resident (VmRSS)", megabytes(idle.RSS), megabytes(talking.RSS), "")
	t.row("  its own: heap and stacks (RssAnon)", megabytes(idle.Anonymous), megabytes(talking.Anonymous), "")
	t.row("  the program, from a disk in memory (RssFile and RssShmem)", megabytes(idle.File), megabytes(talking.File), "")
	t.row("  at most (VmHWM)", megabytes(idle.HWM), megabytes(talking.HWM), "")
	t.row("threads", strconv.Itoa(idle.Threads), strconv.Itoa(talking.Threads), "")
	if err := t.print(out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "VmRSS lags: this kernel counts in each thread, and adds up when 64 pages have changed.")
	return err
}
