package knowledge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"freizeichen/firmware"
)

// Store writes a compiled file so that path holds either what it held before or all of data, whenever the power fails:
// beside it, flushed, and renamed (rename(2) is atomic on one file system). Data that Load refuses is not stored. One
// writer at a time.
func Store(path string, data []byte) error {
	return storeOn(disk{}, path, data)
}

// Open reads a compiled file that Store wrote: its bytes, for an entity tag, and what they say. The error wraps os.ErrNotExist
// when there is none.
func Open(path string) ([]byte, firmware.Knowledge, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, firmware.Knowledge{}, fmt.Errorf("knowledge: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(file, compiledMax+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, firmware.Knowledge{}, fmt.Errorf("knowledge: reading %s: %w", path, err)
	}
	k, err := Load(data)
	if err != nil {
		return nil, firmware.Knowledge{}, fmt.Errorf("%w (%s)", err, path)
	}
	return data, k, nil
}

// storage is the steps of Store that a power cut can come between.
type storage interface {
	write(path string, data []byte) error // and flush
	rename(from, to string) error
	flush(folder string) error // the names in it
}

func storeOn(s storage, path string, data []byte) error {
	if _, err := Load(data); err != nil {
		return err
	}
	// One name for the draft: what a power cut leaves behind is overwritten by the next, and does not fill a small disk.
	draft := path + ".new"
	if err := s.write(draft, data); err != nil {
		return fmt.Errorf("knowledge: writing %s: %w", draft, err)
	}
	if err := s.rename(draft, path); err != nil {
		return fmt.Errorf("knowledge: replacing %s: %w", path, err)
	}
	if err := s.flush(filepath.Dir(path)); err != nil {
		return fmt.Errorf("knowledge: flushing the folder of %s: %w", path, err)
	}
	return nil
}

// disk is the real storage.
type disk struct{}

func (disk) write(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // a full disk gets its room back
	}
	return nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }

func (disk) flush(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such call; only the simulator runs there
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
