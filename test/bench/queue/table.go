//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func printTable(out io.Writer, o options, results []result, m memory) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out)
	for _, r := range results {
		n := float64(r.changes)
		fmt.Fprintln(w, strings.Join([]string{r.way, strconv.Itoa(r.phones), millis(median(r.first)), millis(median(r.last)), millis(slices.Max(r.last)), millis(median(r.real)),
			fmt.Sprintf("%.0f", float64(r.packets)/n), fmt.Sprintf("%.1f", float64(r.again)/n), fmt.Sprint(r.missed),
			millis(per(r.server, n)), millis(per(r.board, n)), millis(per(r.phone, n)), millis(per(r.crowd, n)), mb(r.server), mb(r.board), mb(r.phone), r.subscribed.String()}, "\t"))
	}
	fmt.Fprintf(out, "%+v\n", m)
	return w.Flush()
}

func per(c cost, n float64) time.Duration    { return time.Duration(float64(c.cpu) / n) }
func mb(c cost) string                       { return fmt.Sprintf("%.1f", float64(c.memoryKB)/1024) }
func millis(d time.Duration) string          { return fmt.Sprintf("%.2f", float64(d)/1e6) }
func median(v []time.Duration) time.Duration { return slices.Sorted(slices.Values(v))[len(v)/2] }
