package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"freizeichen/firmware/disk"
)

// kept is how many reports a phone holds.
const kept = 10

// A Store holds the last ten reports of a phone in a folder of their own: each a file that is there whole or not at all,
// whenever the power fails. One writer at a time.
type Store struct {
	folder string
	disk   steps
}

// NewStore is the store in a folder, which is made if it is not there.
func NewStore(folder string) (*Store, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return &Store{folder, disk.Disk{}}, nil
}

// steps are those of Add that a power cut can come between.
type steps interface {
	Write(path string, data []byte) error // and flush
	Rename(from, to string) error
	Remove(path string) error
	Flush(folder string) error // the names in it
}

// storedName has a number that counts up, because clocks of phones jump, and half the hash, so that damage shows.
var storedName = regexp.MustCompile(`^(\d{8})-([0-9a-f]{32})\.json$`)

const draftName = "draft.new"

// Add stores a record, and removes the oldest ones beyond ten. It is the document as stored, and its
// hash; with an error both when only an old one could not be removed.
func (s *Store) Add(r Record) (document []byte, hash string, err error) {
	if err := r.check(); err != nil {
		return nil, "", fmt.Errorf("report: storing: %w", err)
	}
	if document, err = r.Encode(); err != nil {
		return nil, "", err
	}
	names, err := s.names()
	if err != nil {
		return nil, "", err
	}
	number := 1
	if len(names) > 0 {
		last, _ := strconv.Atoi(storedName.FindStringSubmatch(names[len(names)-1])[1]) // eight digits
		number = last + 1
	}
	hash = Hash(document)
	draft, path := filepath.Join(s.folder, draftName), filepath.Join(s.folder, fmt.Sprintf("%08d-%s.json", number, hash[:32]))
	// One name for the draft: what a power cut leaves behind is overwritten by the next.
	if err := s.disk.Write(draft, document); err != nil {
		return nil, "", fmt.Errorf("report: writing %s: %w", draft, err)
	}
	if err := s.disk.Rename(draft, path); err != nil {
		return nil, "", fmt.Errorf("report: storing %s: %w", path, err)
	}
	if err := s.disk.Flush(s.folder); err != nil {
		return nil, "", fmt.Errorf("report: flushing %s: %w", s.folder, err)
	}
	// Only now: a power cut leaves one too many, never one too few.
	for _, name := range names[:max(0, len(names)+1-kept)] {
		if err := s.disk.Remove(filepath.Join(s.folder, name)); err != nil {
			return document, hash, fmt.Errorf("report: stored, but not removing the oldest: %w", err)
		}
	}
	return document, hash, nil
}

// All are the records, the newest first, and a note for each file that is damaged: it is left out, and the others count.
func (s *Store) All() (records []Record, notes []string, err error) {
	names, err := s.names()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Backward(names) {
		record, err := read(filepath.Join(s.folder, name), storedName.FindStringSubmatch(name)[2])
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s is damaged and left out: %v", name, err))
			continue
		}
		records = append(records, record)
	}
	return records, notes, nil
}

func read(path, hash string) (Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return Record{}, err
	}
	document, err := io.ReadAll(io.LimitReader(file, documentMax+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return Record{}, err
	}
	if Hash(document)[:32] != hash {
		return Record{}, errors.New("its bytes are not those that were stored")
	}
	return Decode(document)
}

// names are those of stored reports, the oldest first.
func (s *Store) names() ([]string, error) {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var names []string
	for _, entry := range entries { // in order of their names
		if entry.Type().IsRegular() && storedName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}
