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
	Kernel       time.Duration // the kernel's part of it, to a hundredth of a second
	RSS, HWM     int           // resident memory now and at most, kB: an older kernel tells up to 64 pages a thread too little
	Mapped       int           // resident memory now, counted page by page, kB
	Anonymous    int           // the part of RSS that is the process's own: heap and stacks, kB
	File         int           // the part that is files, on disk or in memory: the program itself, kB
	Proportional int           // resident memory, what is shared with others divided among them, kB
	Threads      int
	Switches     int   // voluntary context switches of all its threads: each is a wait, and a wake-up after it
	ImageSize    int64 // of the program and of all libraries it has mapped, bytes
}

// A System is where processes are: this machine, or one that is emulated.
type System struct {
	Read func(path string) ([]byte, error)
	Glob func(pattern string) ([]string, error)
}

// Here is this machine.
func Here() System { return System{os.ReadFile, filepath.Glob} }

// Of reads /proc of this machine.
func Of(pid int) (u Usage, err error) {
	u, err = Here().Of(pid)
	if err != nil {
		return u, err
	}
	maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "maps"))
	if err != nil {
		return u, fmt.Errorf("reading the files of process %d: %w", pid, err)
	}
	u.ImageSize = imageSize(maps)
	return u, nil
}

// Of reads /proc of the system: all but ImageSize.
func (s System) Of(pid int) (u Usage, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if err = s.threads(dir, &u); err != nil {
		return u, fmt.Errorf("reading the time of process %d: %w", pid, err)
	}
	status, err := s.Read(filepath.Join(dir, "status"))
	if err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	fields := numbers(status)
	u.RSS, u.HWM, u.Anonymous, u.File, u.Threads = fields["VmRSS"], fields["VmHWM"], fields["RssAnon"], fields["RssFile"]+fields["RssShmem"], fields["Threads"]
	rollup, err := s.Read(filepath.Join(dir, "smaps_rollup"))
	if err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	pages := numbers(rollup)
	u.Mapped, u.Proportional = pages["Rss"], pages["Pss"]
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

// threads adds up what is counted for each thread. The first field of schedstat is nanoseconds on a processor, where
// /proc/PID/stat counts in hundredths of a second, which is much for a phone.
func (s System) threads(dir string, u *Usage) error {
	threads, err := s.Glob(filepath.Join(dir, "task", "*"))
	if err != nil || len(threads) == 0 {
		return errors.Join(errors.New("the process has gone"), err)
	}
	for _, thread := range threads {
		text, err := s.Read(filepath.Join(thread, "schedstat"))
		if err != nil {
			continue // a thread that has just ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return fmt.Errorf("the kernel gives no schedstat: %w", err)
		}
		u.CPU += time.Duration(n)
		if text, err = s.Read(filepath.Join(thread, "status")); err == nil {
			u.Switches += numbers(text)["voluntary_ctxt_switches"]
		}
	}
	if u.CPU == 0 {
		return errors.New("the kernel gives no schedstat")
	}
	return s.kernel(dir, u)
}

// kernel reads stime, field 15 of /proc/PID/stat, the 13th after the name: proc(5).
func (s System) kernel(dir string, u *Usage) error {
	text, err := s.Read(filepath.Join(dir, "stat"))
	if err != nil {
		return err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return fmt.Errorf("stat says %q", text)
	}
	n, err := strconv.ParseInt(fields[12], 10, 64)
	u.Kernel = time.Duration(n) * time.Second / 100 // sysconf(_SC_CLK_TCK) of every Linux that Go runs on
	return err
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
