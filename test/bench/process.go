//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has taken from the machine so far.
type usage struct {
	cpu          time.Duration // of all its threads, to the nanosecond
	rss, hwm     int           // resident memory now and at most, kB
	anonymous    int           // the part of rss that is the process's own: heap and stacks, kB
	proportional int           // resident memory, what is shared with others divided among them, kB
	threads      int
	imageSize    int64 // of the program and of all libraries it has mapped, bytes
}

// usageOf reads /proc.
func usageOf(pid int) (u usage, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if u.cpu, err = cpuTime(dir); err != nil {
		return u, fmt.Errorf("reading the time of process %d: %w", pid, err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	fields := numbers(status)
	u.rss, u.hwm, u.anonymous, u.threads = fields["VmRSS"], fields["VmHWM"], fields["RssAnon"], fields["Threads"]
	rollup, err := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
	if err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	u.proportional = numbers(rollup)["Pss"]
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		return u, fmt.Errorf("reading the files of process %d: %w", pid, err)
	}
	u.imageSize = imageSize(maps)
	return u, nil
}

// cpuTime adds up the first field of each thread's schedstat: nanoseconds on a processor. /proc/PID/stat counts in
// hundredths of a second, which is much for a phone.
func cpuTime(dir string) (total time.Duration, err error) {
	threads, err := filepath.Glob(filepath.Join(dir, "task", "*", "schedstat"))
	if err != nil || len(threads) == 0 {
		return 0, errors.Join(errors.New("the kernel gives no schedstat, or the process has gone"), err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // a thread that has just ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n)
	}
	return total, nil
}

// numbers reads "Name: 123 kB" lines.
func numbers(text []byte) map[string]int {
	found := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if words := strings.Fields(value); len(words) > 0 {
			if n, err := strconv.Atoi(words[0]); err == nil {
				found[name] = n
			}
		}
	}
	return found
}

// imageSize adds up the files of which a part is mapped executable: /proc/PID/maps of proc(5).
func imageSize(maps []byte) (total int64) {
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(maps))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 6 || !strings.Contains(words[1], "x") || !strings.HasPrefix(words[5], "/") || seen[words[5]] {
			continue
		}
		seen[words[5]] = true
		if info, err := os.Stat(words[5]); err == nil {
			total += info.Size()
		}
	}
	return total
}
