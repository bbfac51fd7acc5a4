//go:build linux

// Hal measures the body of the phone: what a movement of hook and keys takes to the wire and to the panel, what a change of the
// panel costs its bus, and what a phone at rest takes from its board. It is `make bench-hal`.
//
//	bench: hook, key, INVITE --> emulated board with phoned (test/board/rig) --SIP--> bench: 200
//	                               panel, keypad: models on its I2C bus      --meter--> bench: what was sent, when
//	device/phone --View--> device/screen --pictures--> hal/panel.Price: bytes and time on each panel's bus
//	/proc of the board, and of a phoned on this machine --> CPU, wake-ups, memory
//
// The board's processor is emulated: its times say what is done in vain, and which part of it the bus needs, not what a real board
// takes. It measures, and fails for no figure: a goal that is missed is a word in the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"freizeichen/test/bench/stand"
)

// options is what the command line decides.
type options struct {
	rounds int
	rest   time.Duration // at rest, on the board and here
	talk   time.Duration
	parts  string
}

// Parts of the measurement.
const (
	partPanel  = "panel"
	partSize   = "size"
	partNative = "native"
	partBoard  = "board"
	part32     = "board32"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench-hal:", err)
		os.Exit(1)
	}
}

func parseOptions(args []string) (options, error) {
	o := options{}
	rest, talk := 0, 0
	all := strings.Join([]string{partPanel, partSize, partNative, partBoard, part32}, ",")
	flags := flag.NewFlagSet("bench-hal", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 20, "movements of hook and keys, and calls")
	flags.IntVar(&rest, "rest", 120, "seconds at rest; the self-test that never ends comes every 120")
	flags.IntVar(&talk, "talk", 30, "seconds of the call")
	flags.StringVar(&o.parts, "parts", all, "what to measure")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || o.rounds < 1 || rest < 1 || talk < 1 {
		return o, errors.New("the flags take whole numbers of at least 1; bench-hal -help lists them")
	}
	for part := range strings.SplitSeq(o.parts, ",") {
		if !strings.Contains(","+all+",", ","+part+",") {
			return o, fmt.Errorf("-parts %q: there are %s", o.parts, all)
		}
	}
	o.rest, o.talk = time.Duration(rest)*time.Second, time.Duration(talk)*time.Second
	return o, nil
}

// wants tells whether a part is measured.
func (o options) wants(part string) bool { return strings.Contains(","+o.parts+",", ","+part+",") }

// run measures and prints.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.wants(partPanel) {
		if err := printPrices(out); err != nil {
			return err
		}
	}
	if o.wants(partSize) || o.wants(partNative) {
		if err := programs(ctx, o, out); err != nil {
			return err
		}
	}
	for _, board := range []struct {
		part    string
		measure func(context.Context, *stand.Stand, options, io.Writer) error
	}{{partBoard, onBoard}, {part32, on32}} {
		if !o.wants(board.part) {
			continue
		}
		err := stand.Hold(os.Stderr, func(s *stand.Stand) error { return board.measure(ctx, s, o, out) })
		if errors.Is(err, stand.ErrMissing) {
			fmt.Fprintln(out, "\nthe emulated board:", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// programs builds phoned for boards and for this machine, and measures both.
func programs(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "freizeichen-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the programs: %w", err)
	}
	defer os.RemoveAll(dir)
	if o.wants(partSize) {
		if err := printSizes(ctx, dir, out); err != nil {
			return err
		}
	}
	if o.wants(partNative) {
		return printNative(ctx, dir, o.rest, out)
	}
	return nil
}

// programPhone is the phone.
const programPhone = "freizeichen/cmd/phoned"

// build is `make arm` for one machine: "GOARCH=arm64".
func build(ctx context.Context, path, program string, machine ...string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, program)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), machine...)
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s for %s: %w\n%s", program, machine, err, said)
	}
	return nil
}

// megabyteMax is the goal for the program on flash: 12 MB.
const megabyteMax = 12.0

func printSizes(ctx context.Context, dir string, out io.Writer) error {
	t := newTable("phoned as `make arm` builds it", "", "MB", "goal")
	for _, machine := range []struct {
		name        string
		environment []string
	}{{"arm64", []string{"GOOS=linux", "GOARCH=arm64"}}, {"armv7", []string{"GOOS=linux", "GOARCH=arm", "GOARM=7"}}} {
		path := filepath.Join(dir, machine.name)
		if err := build(ctx, path, programPhone, machine.environment...); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("the size of phoned: %w", err)
		}
		size := float64(info.Size()) / 1e6
		t.row(machine.name, fmt.Sprintf("%.2f", size), goal(fmt.Sprintf("below %.0f MB", megabyteMax), size < megabyteMax))
	}
	return t.print(out)
}
