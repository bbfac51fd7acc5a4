//go:build linux

package process

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestUsageGrowsWithWork(t *testing.T) {
	if _, err := Of(1 << 30); err == nil {
		t.Error("a process that does not exist has usage")
	}
	before, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	heap := make([]byte, 16<<20)
	for begin := time.Now(); time.Since(begin) < 20*time.Millisecond; {
		for i := range heap {
			heap[i]++
		}
	}
	after, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if worked := after.CPU - before.CPU; worked < 5*time.Millisecond {
		t.Errorf("20 ms of work took %v", worked)
	}
	if grown := after.Anonymous - before.Anonymous; grown < 15<<10 {
		t.Errorf("16 MB of heap are %d kB", grown)
	}
	if after.HWM < after.RSS-1000 || after.Threads < 1 || after.ImageSize < 1<<20 || heap[0] == 0 {
		t.Errorf("usage %+v", after)
	}
}

func TestAGroupIsItsProcessesTogether(t *testing.T) {
	if _, err := OfGroup(1 << 30); err == nil {
		t.Error("a group that does not exist has usage")
	}
	group, err := OfGroup(syscall.Getpgrp())
	if err != nil {
		t.Fatal(err)
	}
	own, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if group.Threads < own.Threads-3 || group.RSS < own.RSS/2 || group.CPU == 0 {
		t.Errorf("the group has %+v, one process of it %+v", group, own)
	}
}

func TestAnotherSystemIsReadByItsFiles(t *testing.T) {
	files := map[string]string{
		"/proc/7/task/7/schedstat": "1500000 3 4\n", "/proc/7/task/7/status": "voluntary_ctxt_switches:\t5\n",
		"/proc/7/task/9/schedstat": "500000 3 4\n", "/proc/7/task/9/status": "voluntary_ctxt_switches:\t6\n",
		"/proc/7/stat":         "7 (a) (b) c) S 1 7 7 0 -1 1 2 3 4 5 6 7 8\n",
		"/proc/7/status":       "VmHWM:\t 300 kB\nVmRSS:\t 200 kB\nRssAnon:\t 50 kB\nRssFile:\t 150 kB\nThreads:\t2\n",
		"/proc/7/smaps_rollup": "Rss: 200 kB\nPss:  190 kB\n",
	}
	s := System{
		Read: func(path string) ([]byte, error) {
			if text, there := files[path]; there {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		},
		Glob: func(string) ([]string, error) {
			return []string{"/proc/7/task/7", "/proc/7/task/8", "/proc/7/task/9"}, nil
		}, // 8 has just ended
	}
	u, err := s.Of(7)
	if want := (Usage{CPU: 2 * time.Millisecond, Switches: 11, RSS: 200, HWM: 300, Anonymous: 50, File: 150, Proportional: 190, Threads: 2, Mapped: 200, Kernel: 70 * time.Millisecond}); err != nil || u != want {
		t.Errorf("%+v, %v", u, err)
	}
	delete(files, "/proc/7/smaps_rollup")
	if _, err := s.Of(7); err == nil {
		t.Error("memory that cannot be read is told")
	}
}
