package knowledge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"freizeichen/firmware"
	"freizeichen/firmware/disk"
)

// Store writes a compiled file so that path holds either what it held before or all of data, whenever the power fails:
// beside it, flushed, and renamed (rename(2) is atomic on one file system). Data that Load refuses is not stored. One
// writer at a time.
func Store(path string, data []byte) error {
	return storeOn(disk.Disk{}, path, data)
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
	Write(path string, data []byte) error // and flush
	Rename(from, to string) error
	Flush(folder string) error // the names in it
}

func storeOn(s storage, path string, data []byte) error {
	if _, err := Load(data); err != nil {
		return err
	}
	// One name for the draft: what a power cut leaves behind is overwritten by the next, and does not fill a small disk.
	draft := path + ".new"
	if err := s.Write(draft, data); err != nil {
		return fmt.Errorf("knowledge: writing %s: %w", draft, err)
	}
	if err := s.Rename(draft, path); err != nil {
		return fmt.Errorf("knowledge: replacing %s: %w", path, err)
	}
	if err := s.Flush(filepath.Dir(path)); err != nil {
		return fmt.Errorf("knowledge: flushing the folder of %s: %w", path, err)
	}
	return nil
}
