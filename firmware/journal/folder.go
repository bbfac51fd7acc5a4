package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// A folder is what a journal needs of the operating system; its fake loses power.
type folder interface {
	read(name string) ([]byte, error) // of a file that is missing: nothing
	create(name string) (file, error) // empty, whatever was there
	extend(name string) (file, error) // one that exists, to write at its end
	rename(from, to string) error
	sync() error // what was created and renamed is on the disk
}

// A file is written at its end.
type file interface {
	Write(data []byte) (int, error)
	Sync() error
	Close() error
}

type osFolder string

func (f osFolder) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(f), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (f osFolder) create(name string) (file, error) {
	// Citizens' numbers may be in it: nobody else reads it.
	return os.OpenFile(filepath.Join(string(f), name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
}

func (f osFolder) extend(name string) (file, error) {
	return os.OpenFile(filepath.Join(string(f), name), os.O_APPEND|os.O_WRONLY, 0)
}

func (f osFolder) rename(from, to string) error {
	return os.Rename(filepath.Join(string(f), from), filepath.Join(string(f), to))
}

func (f osFolder) sync() error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call; only phonesim runs there
	}
	folder, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
