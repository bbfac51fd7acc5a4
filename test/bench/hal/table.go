//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A table is printed as columns under a title.
type table struct {
	title string
	lines [][]string
}

func newTable(title string, head ...string) *table {
	return &table{title: title, lines: [][]string{head}}
}

func (t *table) row(cells ...string) { t.lines = append(t.lines, cells) }

// print writes the table with the machine's load, which is in every figure.
func (t *table) print(out io.Writer) error {
	fmt.Fprintf(out, "\n%s (load %s)\n", t.title, load())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range t.lines {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// goal is a goal in words, and whether it is met.
func goal(words string, met bool) string {
	if met {
		return words + ": met"
	}
	return words + ": missed"
}

// load is this machine's load average of the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if first, _, ok := strings.Cut(string(text), " "); ok && err == nil {
		return first
	}
	return "unknown"
}

// middle and worst are the median, by nearest rank, and the greatest; 0 of nothing.
func middle[T int | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	rank := int(math.Ceil(float64(len(values)) / 2))
	return slices.Sorted(slices.Values(values))[rank-1]
}

func worst[T int | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	return slices.Max(values)
}

func millis(d time.Duration, decimals int) string {
	return fmt.Sprintf("%.*f", decimals, float64(d)/float64(time.Millisecond))
}

func megabytes(kilobytes int) string { return fmt.Sprintf("%.1f", float64(kilobytes)/1024) }
