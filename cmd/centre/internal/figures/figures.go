// Package figures keeps the queues' figures of the day in one small file, so that a switchboard that is started again goes
// on counting.
package figures

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"freizeichen/sip/acd/count"
)

// A File is the figures of all queues. It holds nothing of persons. Whenever the power fails, it holds what it held before or
// all of the new.
type File struct {
	path string

	mu   sync.Mutex
	days map[string]count.Day
}

// sizeMax bounds the file: 200 queues with 5,000 talks are less.
const sizeMax = 8 << 20

// Open reads the file; none is an empty one. With an error that is to be logged it is empty too: the figures begin
// anew, and say so.
func Open(path string) (*File, error) {
	f := &File{path: path, days: map[string]count.Day{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		var days []count.Day
		if days, err = read(data); err == nil {
			for _, d := range days {
				f.days[d.Queue] = d
			}
			return f, nil
		}
	}
	return f, fmt.Errorf("figures: reading %s: %w", path, err)
}

func read(data []byte) ([]count.Day, error) {
	if len(data) > sizeMax {
		return nil, fmt.Errorf("%d bytes are too many", len(data))
	}
	var days []count.Day
	err := json.Unmarshal(data, &days)
	return days, err
}

// Days are the figures of all queues.
func (f *File) Days() []count.Day {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sorted()
}

func (f *File) sorted() []count.Day {
	return slices.SortedFunc(maps.Values(f.days), func(a, b count.Day) int { return strings.Compare(a.Queue, b.Queue) })
}

// Put replaces the figures of some queues and writes the file.
func (f *File) Put(days []count.Day) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range days {
		f.days[d.Queue] = d
	}
	data, err := json.Marshal(f.sorted())
	if err == nil {
		err = replace(f.path, data)
	}
	if err != nil {
		return fmt.Errorf("figures: writing the file: %w", err)
	}
	return nil
}

// replace writes a file beside path, flushes it and renames it over (rename(2) is atomic on one file system). The folder
// is not flushed: after a power cut yesterday's minute is as good as today's.
func replace(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".figures-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
