//go:build linux

// Bench measures the phone beside baresip, in one run and with the same peer, and prints a table. It is `make bench`.
//
//	            +--REGISTER, 401, 200--> Freizeichen --control socket--+
//	exchange ---+--INVITE, 180, 200, BYE                               +-- bench: the answer key, /proc, the table
//	(one UDP    +--RTP, 20 ms----------> baresip ------control socket--+
//	 socket)
//
// What happens on the wire is timed by the kernel's time stamps, so that our own scheduling is not counted. The two
// phones take turns, so that the noise of the machine hits both. It measures, and judges no figure: a slow phone is a
// row of the table, and only a phone that does not register, ring, answer or sound makes the exit status 1.
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
	"strconv"
	"syscall"
	"time"

	"freizeichen/test/bench/peer"
)

// options is what the command line decides.
type options struct {
	starts, calls int
	talk          time.Duration
	phone         string // a phoned to be measured instead of one built here
	against       string // another phoned in baresip's place
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseOptions(args []string) (options, error) {
	seconds := 60
	if text := os.Getenv("BENCH_SECONDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return options{}, fmt.Errorf("BENCH_SECONDS=%q is not a number of seconds", text)
		}
		seconds = n
	}
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.starts, "starts", 21, "starts of each phone")
	flags.IntVar(&o.calls, "calls", 60, "calls to each phone")
	flags.IntVar(&seconds, "seconds", seconds, "length of the long call (default: BENCH_SECONDS, else 60)")
	flags.StringVar(&o.phone, "phone", "", "measure this phoned `FILE` (default: build one)")
	flags.StringVar(&o.against, "against", "", "compare with this phoned `FILE` instead of with baresip")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || o.starts < 1 || o.calls < 1 || seconds < 1 {
		return o, errors.New("the flags take whole numbers of at least 1; bench -help lists them")
	}
	o.talk = time.Duration(seconds) * time.Second
	return o, nil
}

// run measures and prints.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "freizeichen-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the phones: %w", err)
	}
	defer os.RemoveAll(dir)
	programs, err := choose(ctx, o, dir, out)
	if err != nil {
		return err
	}
	central, err := peer.OpenExchange()
	if err != nil {
		return err
	}
	defer central.Close()
	results := make([]result, len(programs))
	for i, p := range programs {
		results[i].name = p.name()
	}
	b := bench{options: o, dir: dir, exchange: central, programs: programs, results: results, out: out}
	for _, part := range []func(context.Context) error{b.start, b.ring, b.talk} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if b.allocations, err = countAllocations(ctx); err != nil {
		return err
	}
	return b.print(out)
}

// choose is the phones to measure: ours first.
func choose(ctx context.Context, o options, dir string, out io.Writer) ([]program, error) {
	if o.phone == "" {
		o.phone = filepath.Join(dir, "phoned")
		fmt.Fprintln(out, "building phoned as it is released: CGO_ENABLED=0 go build -trimpath -ldflags '-s -w'")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", o.phone, "freizeichen/cmd/phoned")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stdout, build.Stderr = out, os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("building phoned: %w", err)
		}
	}
	programs := []program{&freizeichen{title: "Freizeichen", path: o.phone}}
	if o.against != "" {
		return append(programs, &freizeichen{title: "the other", path: o.against}), nil
	}
	theirs, err := findBaresip()
	if err != nil {
		fmt.Fprintf(out, "%v: our own figures only\n", err)
		return programs, nil
	}
	return append(programs, theirs), nil
}
