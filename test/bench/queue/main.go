//go:build linux

// Queue measures how long one change of a queue takes to the last of 50, 1,000 and 5,000 phones, and what it costs, by each
// way there is. It is `make bench-queue`.
//
//	a caller --> Asterisk --AMI--> switchboard --SetPresence--> Asterisk --NOTIFY--+--> crowd: N-1 phones in one process
//	"caller" --> fake AMI -------> switchboard --PUBLISH------> Kamailio --NOTIFY--+--> phone: the user agent of one
//	a caller --> Asterisk, its own dialog hints --------------------------NOTIFY--+
//
// The bench is the caller: it joins the queue and leaves it again, takes the time from then to the last NOTIFY, and reads
// from /proc what each process took. The switchboard is the program as it is released.
//
// All is on loopback, so servers and phones share the processors: at a site the phones have their own. The crowd's
// arrivals are timed by the kernel. It measures, and fails for no figure: a goal that is missed is a word in the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"freizeichen/test/bench/stand"
)

// options is what the command line decides.
type options struct {
	changes int
	sizes   []int
	ways    []string
	agents  int
	board   string // a switchboard to be measured instead of one built here
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 2 && os.Args[1] == role {
		err = play(ctx, os.Args[2], os.Args[3:], os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench-queue:", err)
		stop()
		os.Exit(1)
	}
}

func parseOptions(args []string) (options, error) {
	o := options{}
	sizes, ways := "", ""
	flags := flag.NewFlagSet("bench-queue", flag.ContinueOnError)
	flags.IntVar(&o.changes, "changes", 10, "changes of the queue in each case")
	flags.StringVar(&sizes, "phones", "50,1000,5000", "numbers of phones")
	flags.StringVar(&ways, "ways", strings.Join(allWays(), ","), "ways to measure")
	flags.IntVar(&o.agents, "agents", 5000, "signed in when the switchboard's memory is read; 0: it is not")
	flags.StringVar(&o.board, "switchboard", "", "measure this switchboard `FILE` (default: build one)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 {
			return o, fmt.Errorf("-phones %q: whole numbers of at least 2, with commas between them", sizes)
		}
		o.sizes = append(o.sizes, n)
	}
	for way := range strings.SplitSeq(ways, ",") {
		if !slices.Contains(allWays(), way) {
			return o, fmt.Errorf("-ways %q: there are %s", ways, strings.Join(allWays(), ", "))
		}
		o.ways = append(o.ways, way)
	}
	if flags.NArg() > 0 || o.changes < 1 || o.agents < 0 {
		return o, errors.New("bench-queue -help lists what there is to say")
	}
	return o, nil
}

// run measures and prints.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	var results []result
	var held memory
	err = stand.Hold(out, func(s *stand.Stand) error {
		if o.board == "" {
			o.board = buildSwitchboard(ctx, s)
		}
		var err error
		if results, err = measureAll(ctx, o, out); err != nil {
			return err
		}
		if o.agents == 0 {
			return nil
		}
		if held, err = measureMemory(ctx, o, out); err != nil {
			return fmt.Errorf("memory of the switchboard: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return printTable(out, results, held)
}

// measureAll measures each way with each number of phones; a way without its program is left out.
func measureAll(ctx context.Context, o options, out io.Writer) (results []result, err error) {
	for _, way := range o.ways {
		for _, phones := range o.sizes {
			if way == hints && phones > hintsMax {
				continue // for reference; its fan-out is that of Asterisk's presence
			}
			r, err := measure(ctx, setting{way: way, phones: phones, changes: o.changes, program: o.board}, out)
			if errors.Is(err, stand.ErrMissing) {
				fmt.Fprintln(out, err)
				break
			}
			if ctx.Err() != nil {
				return nil, ctx.Err() // what went wrong then is its echo
			}
			if err != nil {
				return nil, fmt.Errorf("%s, %d phones: %w", way, phones, err)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// The ways.
const (
	asteriskPresence = "asterisk"
	presenceServer   = "kamailio"
	hints            = "hints"
	hintsMax         = 1000
)

func allWays() []string { return []string{asteriskPresence, presenceServer, hints} }
