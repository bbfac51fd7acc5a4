//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Goals: some phones hear of a change at once, many within a second by the way for many, and for less of the server's time
// than Asterisk takes; the switchboard fits beside a PBX.
const (
	few, fewMax   = 50, 50 * time.Millisecond
	many, manyMax = 5000, time.Second
	residentMaxKB = 64 << 10
)

// A row is a figure of each case of one way, by the number of phones.
type row struct {
	what, unit string
	decimals   int
	of         func(result) float64
}

func rows() []row {
	times := func(what string, of func(outcome) []time.Duration, q float64) row {
		return row{what, "ms", 1, func(r result) float64 { return float64(quantile(of(r.outcome), q)) / 1e6 }}
	}
	perChange := func(what, unit string, decimals int, of func(outcome) float64) row {
		return row{what, unit, decimals, func(r result) float64 { return of(r.outcome) / float64(len(r.last)) }}
	}
	cpu := func(what string, of func(outcome) cost) row {
		return perChange(what, "ms", 1, func(o outcome) float64 { return of(o).figure(float64(of(o).cpu) / 1e6) })
	}
	memory := func(what string, of func(outcome) cost) row {
		return row{what, "MB", 1, func(r result) float64 { return of(r.outcome).figure(float64(of(r.outcome).memoryKB) / 1024) }}
	}
	last := func(o outcome) []time.Duration { return o.last }
	return []row{
		times("change to first phone, median", func(o outcome) []time.Duration { return o.first }, 0.5),
		times("change to last phone, median", last, 0.5),
		times("  worst", last, 1),
		times("change to the real phone, median", func(o outcome) []time.Duration { return o.real }, 0.5),
		perChange("NOTIFY packets a change", "", 0, func(o outcome) float64 { return float64(o.packets) }),
		perChange("  of them sent again", "", 0, func(o outcome) float64 { return float64(o.again) }),
		perChange("  kilobytes", "kB", 0, func(o outcome) float64 { return float64(o.bytes) / 1000 }),
		{"phones never reached, all changes", "", 0, func(r result) float64 { return float64(r.missed) }},
		cpu("CPU a change: server", func(o outcome) cost { return o.server }),
		cpu("  switchboard", func(o outcome) cost { return o.board }),
		cpu("  one real phone", func(o outcome) cost { return o.phone }),
		cpu("  all others, in one process", func(o outcome) cost { return o.crowd }),
		memory("memory (Pss): server", func(o outcome) cost { return o.server }),
		memory("  switchboard", func(o outcome) cost { return o.board }),
		memory("  one real phone", func(o outcome) cost { return o.phone }),
		{"all phones subscribed after", "s", 2, func(r result) float64 { return r.subscribed.Seconds() }},
	}
}

// figure is v, or NaN for a process that there was none of.
func (c cost) figure(v float64) float64 {
	if c == (cost{}) {
		return math.NaN()
	}
	return v
}

// printTable writes the ways side by side, and the goals.
func printTable(out io.Writer, results []result, m memory) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	ways, phones := []string{"", ""}, []string{"phones", "unit"}
	for _, r := range results {
		ways, phones = append(ways, title(r.way)), append(phones, strconv.Itoa(r.phones))
	}
	fmt.Fprintf(out, "\n")
	fmt.Fprintln(w, strings.Join(ways, "\t"))
	fmt.Fprintln(w, strings.Join(phones, "\t"))
	for _, row := range rows() {
		cells := []string{row.what, row.unit}
		for _, r := range results {
			cells = append(cells, number(row.of(r), row.decimals))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	if m.agents > 0 {
		fmt.Fprintf(out, "\nswitchboard, %d agents signed in, %d queues (VmRSS): %s MB after %.2f s, %s MB when every queue has changed and the PBX\n"+
			"was lost and found again, %s MB at most; all its CPU until then: %.2f s\n", m.agents, m.queues,
			megabytes(m.calm.RSS), m.synced.Seconds(), megabytes(m.busy.RSS), megabytes(m.mostKB), m.busy.CPU.Seconds())
	}
	fmt.Fprintln(out)
	for _, g := range goals(results, m) {
		fmt.Fprintln(out, g)
	}
	_, err := fmt.Fprint(out, legend)
	return err
}

const legend = `
Asterisk: caller, AMI, switchboard, SetPresence, Asterisk's presence to all phones. Kamailio: caller of a fake PBX, AMI,
switchboard, PUBLISH, the presence server to all phones. hints: caller, Asterisk's own dialog hint, without a switchboard.
A change is a caller who joins the queue, or leaves it. Time runs from the time stamp of Asterisk's event (of the fake PBX:
when it is sent) to the kernel's time stamp of the NOTIFY; at the real phone to when its user agent has told of it.
Server: Asterisk with the call of the caller in it, or Kamailio with its children. All of them and the phones share the
processors of this machine.
`

func title(way string) string {
	return map[string]string{asteriskPresence: "Asterisk", presenceServer: "Kamailio", hints: "hints"}[way]
}

// A goal is one line about what was wanted.
type goal struct {
	what string
	met  bool
}

func (g goal) String() string {
	if g.met {
		return "goal " + g.what + ": met"
	}
	return "goal " + g.what + ": missed"
}

// goals are those that something was measured for.
func goals(results []result, m memory) (list []goal) {
	find := func(way string, phones int) (result, bool) {
		for _, r := range results {
			if r.way == way && r.phones == phones {
				return r, true
			}
		}
		return result{}, false
	}
	add := func(met bool, format string, args ...any) {
		list = append(list, goal{fmt.Sprintf(format, args...), met})
	}
	for _, way := range []string{asteriskPresence, presenceServer} {
		if r, ok := find(way, few); ok {
			add(quantile(r.last, 0.5) <= fewMax && r.missed == 0, "%d phones within %v, %s (median of %d)", few, fewMax, title(way), len(r.last))
		}
	}
	server, ok := find(presenceServer, many)
	if ok {
		add(quantile(server.last, 0.5) <= manyMax && server.missed == 0, "%d phones within %v, %s (median of %d)", many, manyMax, title(presenceServer), len(server.last))
	}
	if pbx, both := find(asteriskPresence, many); ok && both {
		add(server.server.cpu < pbx.server.cpu, "less CPU a change than Asterisk's own fan-out to %d (%.2f of it)", many, ratio(server.server.cpu, pbx.server.cpu))
	}
	if m.agents > 0 {
		add(m.mostKB < residentMaxKB, "switchboard below %d MB with %d agents", residentMaxKB>>10, m.agents)
	}
	return list
}

func ratio(a, b time.Duration) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

func number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

func megabytes(kilobytes int) string { return number(float64(kilobytes)/1024, 1) }
