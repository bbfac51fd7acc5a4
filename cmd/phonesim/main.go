// Command phonesim is the phone on a computer: in the browser with an exchange in the same process, connected to a real
// PBX (-pbx), or without a page for scripts and tests (-headless).
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
	"syscall"
)

// version is set by the linker for releases.
var version = "0.1-dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	options, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "phonesim:", err)
		return 2
	}
	level := slog.LevelWarn
	if options.verbose {
		level = slog.LevelDebug
	}
	s := simulator{options: options, stdout: stdout, log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))}
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(stderr, "phonesim:", err)
		return 1
	}
	return 0
}
