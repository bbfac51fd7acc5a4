package knowledge

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"freizeichen/firmware/disk"
)

// two are an old and a new compiled file.
func two(t *testing.T) (before, after []byte) {
	t.Helper()
	var data [2][]byte
	for i, version := range []string{"v1", "v2"} {
		k, err := Parse("f", []byte(strings.Replace(base, "v1", version, 1)), now)
		if err != nil {
			t.Fatal(err)
		}
		data[i] = Compile(k)
	}
	return data[0], data[1]
}

func TestAFileIsStoredAndOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "knowledge.json")
	if _, _, err := Open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	before, after := two(t)
	for i, data := range [][]byte{before, after} {
		if err := Store(path, data); err != nil {
			t.Fatal(err)
		}
		got, k, err := Open(path)
		if err != nil || !bytes.Equal(got, data) || k.Version != []string{"v1", "v2"}[i] {
			t.Errorf("got %q, %q, %v", got, k.Version, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestWhatIsNoKnowledgeNeverReplacesTheLastGoodCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "knowledge.json")
	before, after := two(t)
	if err := Store(path, before); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte("<html>502</html>"), after[:len(after)-2], []byte(`{"format":2}`)} {
		if err := Store(path, data); err == nil {
			t.Errorf("%q is stored", data)
		}
	}
	if err := Store(filepath.Join(path, "below", "a file"), after); err == nil {
		t.Error("a folder that does not exist takes a file")
	}
	if got, _, err := Open(path); err != nil || !bytes.Equal(got, before) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, before[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("half a file: %v", err)
	}
}

// errCut is the power cut.
var errCut = errors.New("the power is cut")

// cutting is a disk whose power is cut in one step: within a write after so many bytes, or before a later step. What was
// not flushed by then may be lost: the write that is cut is the worst case of it.
type cutting struct {
	disk.Disk
	bytes int // that reach the disk
	step  string
	did   []string
}

func (c *cutting) Write(path string, data []byte) error {
	c.did = append(c.did, "write "+filepath.Base(path))
	if c.step == "write" {
		if err := os.WriteFile(path, data[:c.bytes], 0o600); err != nil {
			return err
		}
		return errCut
	}
	return c.Disk.Write(path, data)
}

func (c *cutting) Rename(from, to string) error {
	c.did = append(c.did, "rename "+filepath.Base(from)+" "+filepath.Base(to))
	if c.step == "rename" {
		return errCut
	}
	return c.Disk.Rename(from, to)
}

func (c *cutting) Flush(folder string) error {
	c.did = append(c.did, "flush")
	if c.step == "flush" {
		return errCut
	}
	return c.Disk.Flush(folder)
}

func TestAPowerCutLeavesTheOldOrTheNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "knowledge.json")
	before, after := two(t)
	if err := Store(path, before); err != nil {
		t.Fatal(err)
	}
	wants := func(c *cutting, want []byte) {
		t.Helper()
		if err := storeOn(c, path, after); !errors.Is(err, errCut) {
			t.Fatalf("%s, byte %d: %v", c.step, c.bytes, err)
		}
		if got, _, err := Open(path); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s, byte %d: %v, the old file %v, the new one %v", c.step, c.bytes, err, bytes.Equal(got, before), bytes.Equal(got, after))
		}
	}
	for n := range len(after) + 1 {
		wants(&cutting{step: "write", bytes: n}, before)
	}
	wants(&cutting{step: "rename"}, before)
	wants(&cutting{step: "flush"}, after)
	// What the cuts left behind is in nobody's way.
	last := &cutting{}
	if err := storeOn(last, path, before); err != nil {
		t.Fatal(err)
	}
	if want := []string{"write knowledge.json.new", "rename knowledge.json.new knowledge.json", "flush"}; !slices.Equal(last.did, want) {
		t.Errorf("%q", last.did)
	}
	if got, _, err := Open(path); err != nil || !bytes.Equal(got, before) {
		t.Errorf("%v", err)
	}
}
