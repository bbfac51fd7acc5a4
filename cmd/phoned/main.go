//go:build linux

// Command phoned is the phone on a board: hook, keypad, lamps, display, sound and headset as the board's table says, and
// the same phone as phonesim behind them. It runs as a service of systemd, without being root.
//
// Exit status: 0 ended by a signal, 1 could not start or broke (the reason is on standard error), 2 usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"freizeichen/device/console"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/eeprom"
)

// version is set by the linker for releases.
var version = "0.1-dev"

// heapGrowth is by how much the heap may grow before garbage is collected, in percent. With Go's own 100 less than a megabyte
// that lives lies in four; half of that costs a phone nothing: calls allocate next to nothing.
const heapGrowth = 50

func main() {
	if os.Getenv("GOGC") == "" { // nobody on this board knows better
		debug.SetGCPercent(heapGrowth)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "phoned:", err)
		return 2
	}
	if o.print != "" {
		fmt.Fprint(stdout, o.print)
		return 0
	}
	if o.identity != nil {
		if err := writeIdentity(o.board, *o.identity, stdout); err != nil {
			fmt.Fprintln(stderr, "phoned:", err)
			return 1
		}
		return 0
	}
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	if err := live(ctx, o, log); err != nil {
		fmt.Fprintln(stderr, "phoned:", err)
		return 1
	}
	return 0
}

// options is what the command line decides.
type options struct {
	board   board.Table
	config  config.Config
	socket  string
	data    string // folder for what must survive a restart: the last reports of the self-test
	verbose bool
	print   string // all that is wanted: the table of a known board
	// identity is all that is wanted: to be written into the board's EEPROM.
	identity *eeprom.Identity
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	flags := flag.NewFlagSet("phoned", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("board", "", "the board: one of "+strings.Join(board.Names(), ", ")+", or a `FILE` (needed)")
	file := flags.String("config", "", "configuration `FILE` (needed); phonectl config check FILE explains what is wrong in it")
	socket := flags.String("socket", console.DefaultSocket(), "`PATH` of the socket for phonectl")
	data := flags.String("data", "", "`FOLDER` for the reports of the self-test; without one they are lost with the power")
	table := flags.String("table", "", "print the table of a known `BOARD`, to be changed into your own, and end")
	identity := flags.String("write-identity", "", "write `SERIAL,REVISION,MAC` into the EEPROM of the board, as the factory does, and end")
	verbose := flags.Bool("verbose", false, "log what happens, with callers' numbers")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected %q; phoned -help lists the flags", flags.Arg(0))
	}
	o := options{socket: *socket, data: *data, verbose: *verbose}
	if *table != "" {
		text, known := board.Known(*table)
		if !known {
			return options{}, fmt.Errorf("-table: there is no board %q; known are %s", *table, strings.Join(board.Names(), ", "))
		}
		o.print = text
		return o, nil
	}
	if *identity != "" {
		return identityOptions(*name, *identity)
	}
	if *name == "" || *file == "" {
		return options{}, errors.New("-board and -config are needed; phoned -help lists the flags")
	}
	if *socket == "" {
		return options{}, errors.New("-socket needs a path: phonectl and the service line ask the phone there")
	}
	var err error
	if o.board, err = board.Load(*name); err != nil {
		return options{}, fmt.Errorf("-board: %w", err)
	}
	if o.config, err = config.Load(*file); err != nil {
		return options{}, fmt.Errorf("-config: %w", err)
	}
	if len(o.config.Accounts) == 0 {
		return options{}, fmt.Errorf("-config: %s has no account; phonectl config reference shows one", *file)
	}
	// The display that is there counts, not the one that somebody has written down.
	o.config.Panel = config.Mono128x64
	if o.board.Panel.Shows == hal.Colour320x240 {
		o.config.Panel = config.Colour320x240
	}
	return o, nil
}
