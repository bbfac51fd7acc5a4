// Package shelf holds what agents speak from: the last good version of a file that people edit while it is in use.
package shelf

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"freizeichen/firmware"
	"freizeichen/firmware/knowledge"
	"freizeichen/sip/switchboard/wire"
)

// lookEvery is how soon a changed knowledge file is seen.
const lookEvery = 5 * time.Second

// settleTime is how long a changed file must have lain: half of it may be without an error, too.
const settleTime = time.Second

// A Shelf is one knowledge file. Its methods may be called on any goroutine.
type Shelf struct {
	path string // of the file that people edit; empty: there is none
	copy string // of the compiled copy, which outlives the program; empty: none
	log  *slog.Logger

	mu      sync.Mutex
	now     firmware.Knowledge
	data    []byte // compiled
	tag     string // of data
	state   State
	changed time.Time // the file's, when it was looked at last
	size    int64
}

// State tells whether the knowledge is that of the file.
type State struct {
	Read  time.Time // the last good version was read; zero: there never was one
	Fault string    // what is wrong with the file as it is now, with its line; empty: nothing
	At    time.Time // of Fault
}

// New reads the file, or the compiled copy when the file is broken.
func New(path, compiled string, log *slog.Logger) *Shelf {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	k := &Shelf{path: path, copy: compiled, log: log}
	if path == "" {
		return k
	}
	if compiled != "" {
		data, known, err := knowledge.Open(compiled)
		switch {
		case err == nil:
			k.now, k.data, k.tag = known, data, wire.Tag(data)
			if info, err := os.Stat(compiled); err == nil {
				k.state.Read = info.ModTime()
			}
		case !errors.Is(err, fs.ErrNotExist):
			log.Warn("the compiled knowledge cannot be used; the file decides", "error", err)
		}
	}
	k.look()
	return k
}

// Run looks for changes of the file until ctx ends.
func (k *Shelf) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if k.path != "" {
				k.look()
			}
		}
	}
}

// look reads the file if it has changed.
func (k *Shelf) look() {
	info, err := os.Stat(k.path)
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		if info.ModTime().Equal(k.changed) && info.Size() == k.size {
			return
		}
		if age := now.Sub(info.ModTime()); len(k.data) > 0 && age >= 0 && age < settleTime {
			return // the next look comes
		}
		k.changed, k.size = info.ModTime(), info.Size()
	}
	var known firmware.Knowledge
	if err == nil {
		known, err = knowledge.Read(k.path, now)
	}
	if err != nil {
		if fault := err.Error(); fault != k.state.Fault {
			k.state.Fault, k.state.At = fault, now
			if len(k.data) > 0 {
				k.log.Error("the knowledge file is not taken; the last good one stays in force", "error", err)
			} else {
				k.log.Error("the knowledge file is not taken; phones get none until it is right", "error", err)
			}
		}
		return
	}
	k.now, k.data = known, knowledge.Compile(known)
	k.tag = wire.Tag(k.data)
	k.state = State{Read: now}
	k.log.Info("the knowledge file is in force", "version", known.Version)
	if k.copy != "" {
		if err := knowledge.Store(k.copy, k.data); err != nil {
			k.log.Error("the compiled knowledge could not be kept for the next start", "error", err)
		}
	}
}

// Compiled is what phones get, and its entity tag. No data: there is none.
func (k *Shelf) Compiled() (data []byte, tag string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.data, k.tag
}

// Knowledge is the last good version and its state.
func (k *Shelf) Knowledge() (firmware.Knowledge, State) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now, k.state
}
