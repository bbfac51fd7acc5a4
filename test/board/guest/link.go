//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"freizeichen/test/board/rig/wire"
)

// link is the serial port to the test. Before it is open, what is told is lost.
type link struct {
	mu      sync.Mutex
	port    *os.File
	encoder *json.Encoder
}

// open finds the port by its name: udev, which would make a link of that name, is not here.
func (l *link) open() error {
	names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	if err != nil {
		return err
	}
	for _, path := range names {
		if name, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(name)) != wire.Port {
			continue
		}
		device := filepath.Join("/dev", filepath.Base(filepath.Dir(path)))
		// Blocking: two goroutines, one that reads and one that writes, wait in the kernel.
		fd, err := unix.Open(device, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("opening %s: %w", device, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.port = os.NewFile(uintptr(fd), device)
		l.encoder = json.NewEncoder(l.port)
		return nil
	}
	return fmt.Errorf("no serial port is called %s among %v", wire.Port, names)
}

func (l *link) send(m wire.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.encoder == nil {
		return
	}
	if err := l.encoder.Encode(m); err != nil {
		fmt.Println("guest: telling the test:", err)
	}
}

func (l *link) tell(kind, text string) {
	l.send(wire.Message{Event: &wire.Event{Kind: kind, Text: text}})
}
