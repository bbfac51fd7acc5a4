package station

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"freizeichen/firmware/knowledge"
)

func TestTheLastKnowledgeIsKeptInTheDataFolder(t *testing.T) {
	file := kept(filepath.Join(t.TempDir(), "knowledge.json"))
	if _, err := file.Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("at the first start: %v", err)
	}
	k, err := knowledge.Parse("example.yaml", knowledge.Example(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	data := knowledge.Compile(k)
	if err := file.Store(data); err != nil {
		t.Fatal(err)
	}
	if got, err := file.Open(); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(data))
	}
	if err := os.WriteFile(string(file), data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Open(); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged file: %v", err)
	}
}
