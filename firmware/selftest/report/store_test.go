package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/disk"
)

func numbered(n int) Record {
	r := run()
	r.Start, r.End = noon.Add(time.Duration(n)*time.Minute), noon.Add(time.Duration(n)*time.Minute)
	return New(r, subject)
}

func serials(records []Record) (minutes []int) {
	for _, r := range records {
		minutes = append(minutes, int((r.StartMillis-noon.UnixMilli())/60000))
	}
	return minutes
}

func TestTheLastTenAreKeptNewestFirst(t *testing.T) {
	store, err := NewStore(filepath.Join(t.TempDir(), "reports"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 23 {
		// Every third run has a clock that is years behind: it is still the newest.
		n := i
		if i%3 == 0 {
			n = -i
		}
		document, hash, err := store.Add(numbered(n))
		if err != nil || hash != Hash(document) {
			t.Fatal(err)
		}
	}
	records, notes, err := store.All()
	if err != nil || notes != nil || fmt.Sprint(serials(records)) != "[22 -21 20 19 -18 17 16 -15 14 13]" {
		t.Errorf("%v, %v, %v", serials(records), notes, err)
	}
}

func TestDamagedReportsAreLeftOutWithANote(t *testing.T) {
	folder := t.TempDir()
	store, _ := NewStore(folder)
	for i := range 4 {
		if _, _, err := store.Add(numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	damage := func(path string, change func([]byte) []byte) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	damage(files[0], func(data []byte) []byte { return data[:len(data)/2] })
	damage(files[1], func(data []byte) []byte {
		return bytes.Replace(data, []byte(`"measured_value":61,`), []byte(`"measured_value":62,`), 1)
	})
	damage(files[2], func([]byte) []byte { return nil })
	for name, data := range map[string]string{"draft.new": "half", "notes.txt": "x", "00000009-zz.json": "{}"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	records, notes, err := store.All()
	if err != nil || fmt.Sprint(serials(records)) != "[3]" || len(notes) != 3 || !strings.Contains(notes[0], filepath.Base(files[2])) {
		t.Errorf("%v, %v, %v", serials(records), notes, err)
	}
	if _, _, err := store.Add(numbered(9)); err != nil {
		t.Error(err)
	}
}

func TestARecordThatCannotBeReadIsNotStored(t *testing.T) {
	store, _ := NewStore(t.TempDir())
	r := numbered(1)
	r.Outcome = "GOOD"
	if _, _, err := store.Add(r); err == nil {
		t.Error("it is stored")
	}
	if _, err := NewStore(string([]byte{0})); err == nil {
		t.Error("a folder without a name")
	}
}

// powerCut is a disk whose power fails before step number at; what is written then is half there.
type powerCut struct {
	disk.Disk
	step, at int
}

var errPower = errors.New("the power is gone")

func (c *powerCut) fails() bool { c.step++; return c.step > c.at }

func (c *powerCut) Write(path string, data []byte) error {
	if c.fails() {
		_ = os.WriteFile(path, data[:len(data)/2], 0o644)
		return errPower
	}
	return c.Disk.Write(path, data)
}

func (c *powerCut) Rename(from, to string) error {
	if c.fails() {
		return errPower
	}
	return c.Disk.Rename(from, to)
}

func (c *powerCut) Remove(path string) error {
	if c.fails() {
		return errPower
	}
	return c.Disk.Remove(path)
}

func (c *powerCut) Flush(folder string) error {
	if c.fails() {
		return errPower
	}
	return c.Disk.Flush(folder)
}

func TestAPowerCutAtEveryStepLeavesWholeReports(t *testing.T) {
	for at := range 4 {
		folder := t.TempDir()
		store, _ := NewStore(folder)
		for i := range 10 {
			if _, _, err := store.Add(numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		store.disk = &powerCut{at: at}
		if _, _, err := store.Add(numbered(10)); !errors.Is(err, errPower) {
			t.Fatalf("step %d: %v", at, err)
		}
		again, _ := NewStore(folder)
		records, notes, err := again.All()
		if err != nil || notes != nil || len(records) < 10 {
			t.Errorf("step %d: %v, %v, %v", at, serials(records), notes, err)
		}
		if _, _, err := again.Add(numbered(11)); err != nil {
			t.Errorf("step %d: afterwards: %v", at, err)
		}
		if records, _, _ := again.All(); len(records) != 10 || serials(records)[0] != 11 {
			t.Errorf("step %d: afterwards %v", at, serials(records))
		}
	}
}
