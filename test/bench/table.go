//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"freizeichen/test/bench/peer"
)

// Goals of this phone: not slower than baresip to register and to ring, at most so much memory, and nothing allocated
// for a packet.
const (
	residentMaxKB = 24 << 10
	// What remains below this for each packet is not of the packets, but of the reports of every few seconds.
	allocationsMax = 0.01
)

// row is a figure of each phone. NaN is one that does not exist.
type row struct {
	what, unit string
	decimals   int
	values     []float64
	goal       string // in words; empty without one
	met        bool
}

// print writes the table.
func (b *bench) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out)
	head := []string{"", "unit"}
	for _, r := range b.results {
		head = append(head, r.name)
	}
	fmt.Fprintln(w, strings.Join(append(head, "ratio", "goal"), "\t"))
	for _, row := range b.rows() {
		fmt.Fprintln(w, strings.Join(row.cells(), "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	g := b.generator
	_, err := fmt.Fprintf(out, "\nratio: the first phone's figure by the second's; below 1 is better.\n"+
		"Control of the spacing: our own generator's packets had sd %s, p1 %s, p99 %s, max %s ms. The machine, not a phone, is\n"+
		"the reason for what is no better there.\n", millis(g.sd, 2), millis(g.p1, 1), millis(g.p99, 1), millis(g.max, 1))
	return err
}

// cells are the row as text.
func (r row) cells() []string {
	cells := []string{r.what, r.unit}
	for _, v := range r.values {
		cells = append(cells, number(v, r.decimals))
	}
	ratio := math.NaN()
	if len(r.values) > 1 && r.values[1] != 0 {
		ratio = r.values[0] / r.values[1]
	}
	goal := ""
	if r.goal != "" {
		goal = r.goal + ": missed"
		if r.met {
			goal = r.goal + ": met"
		}
	}
	return append(cells, number(ratio, 2), goal)
}

func number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return fmt.Sprintf("%.*f", decimals, v)
}

func millis(d time.Duration, decimals int) string {
	return fmt.Sprintf("%.*f", decimals, float64(d)/float64(time.Millisecond))
}

// rows are all figures.
func (b *bench) rows() []row {
	var rows []row
	add := func(what, unit string, decimals int, of func(result) float64) *row {
		r := row{what: what, unit: unit, decimals: decimals}
		for _, result := range b.results {
			r.values = append(r.values, of(result))
		}
		rows = append(rows, r)
		return &rows[len(rows)-1]
	}
	times := func(what string, of func(result) []time.Duration, q float64) *row {
		return add(what, "ms", 2, func(r result) float64 { return float64(quantileOf(of(r), q)) / 1e6 })
	}
	started := func(r result) []time.Duration { return r.started }
	ringing := func(r result) []time.Duration { return r.ringing }
	answered := func(r result) []time.Duration { return r.answered }
	times(fmt.Sprintf("start to registered, median of %d", b.options.starts), started, 0.5).notSlower()
	times("  min", started, 0)
	times("  p95", started, 0.95)
	times(fmt.Sprintf("INVITE to 180, median of %d", b.options.calls), ringing, 0.5).notSlower()
	times("  p95", ringing, 0.95)
	times(fmt.Sprintf("lift to 200, median of %d", b.options.calls), answered, 0.5)
	times("  p95", answered, 0.95)
	add("CPU in a call", "s/min", 3, func(r result) float64 { return r.cpu.Seconds() * float64(time.Minute) / float64(b.options.talk) })
	add("resident, registered (VmRSS)", "MB", 1, func(r result) float64 { return float64(r.idle.RSS) / 1024 })
	add("resident, in the call (VmRSS)", "MB", 1, func(r result) float64 { return float64(r.talking.RSS) / 1024 })
	add("resident, at most (VmHWM)", "MB", 1, func(r result) float64 { return float64(r.talking.HWM) / 1024 }).
		want(fmt.Sprintf("at most %d MB", residentMaxKB>>10), func(v []float64) bool { return v[0] <= residentMaxKB>>10 })
	add("  of VmRSS its own (RssAnon)", "MB", 1, func(r result) float64 { return float64(r.talking.Anonymous) / 1024 })
	add("  its share (Pss)", "MB", 1, func(r result) float64 { return float64(r.talking.Proportional) / 1024 })
	add("  RssAnon gained in the call", "kB", 0, func(r result) float64 { return float64(r.talking.Anonymous - r.idle.Anonymous) })
	add("threads", "", 0, func(r result) float64 { return float64(r.talking.Threads) })
	add("program and its libraries", "MB", 1, func(r result) float64 { return float64(r.talking.ImageSize) / (1 << 20) })
	add(fmt.Sprintf("sent RTP, packets for %d", b.options.talk/peer.PacketTime), "", 0, func(r result) float64 { return float64(r.packets) })
	spacings := func(what string, of func(spacing) time.Duration) {
		add(what, "ms", 2, func(r result) float64 { return float64(of(r.sent)) / 1e6 })
	}
	spacings("  spacing, sd", func(s spacing) time.Duration { return s.sd })
	spacings("  p1", func(s spacing) time.Duration { return s.p1 })
	spacings("  p99", func(s spacing) time.Duration { return s.p99 })
	spacings("  max", func(s spacing) time.Duration { return s.max })
	allocations := add("allocations per RTP packet", "", 4, func(result) float64 { return math.NaN() })
	allocations.values[0] = b.allocations
	allocations.want("none", func(v []float64) bool { return v[0] < allocationsMax })
	return rows
}

// want gives the row a goal.
func (r *row) want(goal string, met func(values []float64) bool) {
	r.goal, r.met = goal, met(r.values)
}

// notSlower is the goal to be at least as quick as the other phone, if there is one.
func (r *row) notSlower() {
	if len(r.values) > 1 {
		r.want("not slower", func(v []float64) bool { return v[0] <= v[1] })
	}
}
