//go:build linux

// Package process reads from /proc what a process, or a group of processes, has taken from the machine. It is for
// measurements on Linux.
package process

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

// Usage is what a process has taken from the machine so far.
type Usage struct {
	CPU          time.Duration // of all its threads, to the nanosecond
	RSS, HWM     int           // resident memory now and at most, kB
	Anonymous    int           // the part of RSS that is the process's own: heap and stacks, kB
	Proportional int           // resident memory, what is shared with others divided among them, kB
	Threads      int
	ImageSize    int64 // of the program and of all libraries it has mapped, bytes
}

// Of reads /proc.
func Of(pid int) (u Usage, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if u.CPU, err = cpuTime(dir); err != nil {
		return u, fmt.Errorf("reading the time of process %d: %w", pid, err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	fields := numbers(status)
	u.RSS, u.HWM, u.Anonymous, u.Threads = fields["VmRSS"], fields["VmHWM"], fields["RssAnon"], fields["Threads"]
	rollup, err := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
	if err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	u.Proportional = numbers(rollup)["Pss"]
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		return u, fmt.Errorf("reading the files of process %d: %w", pid, err)
	}
	u.ImageSize = imageSize(maps)
	return u, nil
}

// OfGroup adds up the processes of a process group: a server and its children. HWM is the sum of what each had at most.
func OfGroup(pgid int) (sum Usage, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return sum, err
	}
	found := false
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a process that has just ended
		}
		// pid (comm) state ppid pgrp: comm may have anything in it (proc(5)).
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(pgid) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		u, err := Of(pid)
		if err != nil {
			continue // likewise
		}
		found = true
		sum.CPU += u.CPU
		sum.RSS, sum.HWM, sum.Anonymous, sum.Proportional = sum.RSS+u.RSS, sum.HWM+u.HWM, sum.Anonymous+u.Anonymous, sum.Proportional+u.Proportional
		sum.Threads += u.Threads
		sum.ImageSize = max(sum.ImageSize, u.ImageSize)
	}
	if !found {
		return sum, fmt.Errorf("there is no process group %d", pgid)
	}
	return sum, nil
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
