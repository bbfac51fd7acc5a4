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
