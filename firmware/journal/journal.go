// Package journal is a queue in a file that a power cut cannot hurt: what Append has confirmed is there after any cut, in
// order, until Confirm has confirmed that it may go. It keeps bytes and knows nothing of them.
//
//	file     "FZJOURN1", then records
//	record   F7 5A, kind (1 byte: 'A' append, 'C' confirm), length of the data (3 bytes), number (8 bytes),
//	         CRC-32C of kind to number and data (4 bytes), data; all little-endian
//
// A record goes to the disk (fsync) before its method returns. A tail that a cut has torn is cut off when the file is
// opened. When much of the file is of no use any more, a new one takes its place by rename. A method that failed has
// changed nothing that counts; the next one begins with a new file, because nobody knows what a disk that failed holds.
package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"sync"
)

// DataMax bounds the data of one record in bytes; zero bytes are none.
const DataMax = 64 << 10

const (
	magic      = "FZJOURN1"
	headerSize = 18
	mark0      = 0xF7 // never in UTF-8: what is written here is JSON
	mark1      = 0x5A
	appended   = 'A'
	confirmed  = 'C'
	// compactFrom is the size in bytes from which a file that is mostly dead is written anew: rarely enough for flash.
	compactFrom = 64 << 10
)

// A FullError says that a journal holds as many records as it may. What it holds is safe; the new one was not taken.
type FullError struct{ Records int }

func (e *FullError) Error() string {
	return fmt.Sprintf("journal: %d records wait to be confirmed, no more are taken", e.Records)
}

// Full tells this error from those of the disk, for callers that do not know this package.
func (e *FullError) Full() bool { return true }

// errClosed is the error of every method after Close.
var errClosed = errors.New("the journal is closed")

// A Journal is an open file. Its methods may be called from several goroutines at once.
type Journal struct {
	mu      sync.Mutex
	folder  folder
	name    string
	most    int
	compact int64 // see compactFrom
	file    file  // nil after Close, and while suspect
	closed  bool
	unlock  func() error
	size    int64 // of the file
	live    int64 // of it, the bytes of records that wait
	suspect bool  // a write has failed: the file must be written anew before the next
	last    uint64
	waiting []record // in the order of their numbers
	damage  Damage
}

type record struct {
	id   uint64
	data []byte
}

// Damage is what opening found in the file.
type Damage struct {
	TornBytes int // at the end, of a record that was being written when the power went: it had not been confirmed
	LostBytes int // before the end: the disk has changed what was once written
}

// Open opens or creates the journal of at most so many records. Only one process can have it open; its folder must exist.
func Open(path string, most int) (*Journal, error) {
	unlock, err := lock(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("journal: open %s: %w", path, err)
	}
	j, err := open(osFolder(filepath.Dir(path)), filepath.Base(path), most, compactFrom)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	j.unlock = unlock
	return j, nil
}

func open(in folder, name string, most int, compact int64) (*Journal, error) {
	j := &Journal{folder: in, name: name, most: most, compact: compact, unlock: func() error { return nil }}
	data, err := in.read(name)
	if err == nil {
		j.replay(data)
		// The file is opened by writing it anew: torn and lost bytes are gone, and what is kept is known to be on the disk,
		// which nobody knows of bytes that were read from the system's memory.
		err = j.rewrite()
	}
	if err != nil {
		return nil, fmt.Errorf("journal: open %s: %w", name, err)
	}
	return j, nil
}

// replay reads a whole file, whatever it holds.
func (j *Journal) replay(data []byte) {
	at := 0
	if bytes.HasPrefix(data, []byte(magic)) {
		at = len(magic)
	}
	for at < len(data) {
		kind, r, next, ok := parse(data[at:])
		if !ok {
			skipped, more := resume(data[at:])
			if !more {
				j.damage.TornBytes += len(data) - at
				return
			}
			j.damage.LostBytes += skipped
			at += skipped
			continue
		}
		at += next
		j.last = max(j.last, r.id)
		i, found := j.find(r.id)
		switch {
		case kind == appended && !found:
			j.waiting = slices.Insert(j.waiting, i, record{r.id, bytes.Clone(r.data)})
		case kind == confirmed && found:
			j.waiting = slices.Delete(j.waiting, i, i+1)
		}
	}
}

// parse reads the record that data begins with, if there is a whole one.
func parse(data []byte) (kind byte, r record, size int, ok bool) {
	if len(data) < headerSize || data[0] != mark0 || data[1] != mark1 {
		return 0, record{}, 0, false
	}
	kind = data[2]
	length := int(data[3]) | int(data[4])<<8 | int(data[5])<<16
	if length > DataMax || len(data) < headerSize+length || (kind != appended || length == 0) && (kind != confirmed || length > 0) {
		return 0, record{}, 0, false
	}
	body := data[headerSize : headerSize+length]
	if checksum(data[2:14], body) != binary.LittleEndian.Uint32(data[14:]) {
		return 0, record{}, 0, false
	}
	return kind, record{id: binary.LittleEndian.Uint64(data[6:]), data: body}, headerSize + length, true
}

// resume is how many bytes lie before the next whole record, when there is one.
func resume(data []byte) (skipped int, more bool) {
	for at := 1; at < len(data); at++ {
		next := bytes.Index(data[at:], []byte{mark0, mark1})
		if next < 0 {
			break
		}
		at += next
		if _, _, _, ok := parse(data[at:]); ok {
			return at, true
		}
	}
	return 0, false
}

func checksum(head, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(head, table), table, body)
}

func encode(into []byte, kind byte, r record) []byte {
	n := len(r.data)
	head := []byte{mark0, mark1, kind, byte(n), byte(n >> 8), byte(n >> 16)}
	head = binary.LittleEndian.AppendUint64(head, r.id)
	head = binary.LittleEndian.AppendUint32(head, checksum(head[2:], r.data))
	return append(append(into, head...), r.data...)
}

// find is where a number is or would be among the waiting.
func (j *Journal) find(id uint64) (int, bool) {
	return slices.BinarySearchFunc(j.waiting, id, func(r record, id uint64) int {
		switch {
		case r.id < id:
			return -1
		case r.id > id:
			return 1
		}
		return 0
	})
}

// Append keeps data, 1 to DataMax bytes, behind all others. After it has returned without an error they are safe. The
// error is a FullError when there is no room; nothing that waits is ever pushed out.
func (j *Journal) Append(data []byte) (id uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(data) == 0 || len(data) > DataMax {
		return 0, fmt.Errorf("journal: append: %d bytes are not between 1 and %d", len(data), DataMax)
	}
	if len(j.waiting) >= j.most {
		return 0, &FullError{len(j.waiting)}
	}
	r := record{j.last + 1, bytes.Clone(data)}
	// The number is taken even if the disk fails: no second record may have it.
	j.last++
	if err := j.write(appended, r); err != nil {
		return 0, fmt.Errorf("journal: append: %w", err)
	}
	j.waiting = append(j.waiting, r)
	j.live += headerSize + int64(len(data))
	return r.id, nil
}

// Next is the first record behind a number that waits to be confirmed; behind 0 it is the oldest. The data must not be
// changed.
func (j *Journal) Next(after uint64) (id uint64, data []byte, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i, found := j.find(after)
	if found {
		i++
	}
	if i >= len(j.waiting) {
		return 0, nil, false
	}
	return j.waiting[i].id, j.waiting[i].data, true
}

// Confirm lets a record go: it will not be seen again, also after a cut, once this has returned without an error. A
// number that does not wait is no error.
func (j *Journal) Confirm(id uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	i, found := j.find(id)
	if !found {
		return nil
	}
	if err := j.write(confirmed, record{id: id}); err != nil {
		return fmt.Errorf("journal: confirm: %w", err)
	}
	j.live -= headerSize + int64(len(j.waiting[i].data))
	j.waiting = slices.Delete(j.waiting, i, i+1)
	if j.size > j.compact && j.live < j.size/2 {
		// The record is gone already; if the file cannot be written anew now, the next write will see to it.
		_ = j.rewrite()
	}
	return nil
}

// Len is how many records wait.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.waiting)
}

// Damage is what was found when the journal was opened.
func (j *Journal) Damage() Damage { return j.damage }

// Close lets the file go. What waits, waits.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	err := errors.Join(j.letGo(), j.unlock())
	if err != nil {
		return fmt.Errorf("journal: close: %w", err)
	}
	return nil
}

// write puts one record behind the others and waits until it is on the disk.
func (j *Journal) write(kind byte, r record) error {
	if j.closed {
		return errClosed
	}
	if j.suspect {
		if err := j.rewrite(); err != nil {
			return err
		}
	}
	data := encode(nil, kind, r)
	_, err := j.file.Write(data)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.suspect = true
		return err
	}
	j.size += int64(len(data))
	return nil
}

// rewrite puts a new file with nothing but what waits in the place of the old one.
func (j *Journal) rewrite() error {
	data := []byte(magic)
	if j.last > 0 { // the numbers go on where they were
		data = encode(data, confirmed, record{id: j.last})
	}
	for _, r := range j.waiting {
		data = encode(data, appended, r)
	}
	// From here on nothing counts that is written until the new file has its name on the disk: a cut may bring either.
	j.suspect = true
	fresh, err := j.folder.create(j.name + ".new")
	if err != nil {
		return err
	}
	_, err = fresh.Write(data)
	if err == nil {
		err = fresh.Sync()
	}
	// Not every system renames a file that is open, or onto one.
	if err := errors.Join(err, fresh.Close(), j.letGo()); err != nil {
		return err
	}
	if err := j.folder.rename(j.name+".new", j.name); err != nil {
		return err
	}
	if err := j.folder.sync(); err != nil {
		return err
	}
	if j.file, err = j.folder.extend(j.name); err != nil {
		return err
	}
	j.size, j.live, j.suspect = int64(len(data)), int64(len(data)-len(magic)), false
	return nil
}

// letGo closes the file, if one is open.
func (j *Journal) letGo() error {
	if j.file == nil {
		return nil
	}
	file := j.file
	j.file = nil
	return file.Close()
}
