// Package disk writes files so that they outlive a power cut: whoever writes a draft, gives it the file's name and flushes the
// folder has, at every moment, the old file or the new one, whole.
//
//	knowledge, reports of the self-test --Write(draft), Rename(draft, file), Flush(folder)--> Disk --> the file system
//
// It knows no content. Tests put something before it that fails, or stops, at any of the steps.
package disk

import (
	"errors"
	"os"
	"runtime"
)

// Disk is the machine's.
type Disk struct{}

// Write makes a file with the content and waits until it is on the medium. A file that cannot be whole is removed: a full disk
// gets its room back.
func (Disk) Write(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// Rename gives a file another's name, in one step.
func (Disk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file.
func (Disk) Remove(path string) error { return os.Remove(path) }

// Flush waits until the names in a folder are on the medium.
func (Disk) Flush(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such call; only the simulator runs there
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
