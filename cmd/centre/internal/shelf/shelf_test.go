package shelf

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/knowledge"
)

func TestABrokenKnowledgeFileLeavesTheLastGoodOneInForce(t *testing.T) {
	dir := t.TempDir()
	path, compiled := filepath.Join(dir, "knowledge.yaml"), filepath.Join(dir, "knowledge.json")
	write := func(content []byte, stamp int64) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(stamp, 0), time.Unix(stamp, 0)); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	k := New(path, compiled, slog.New(slog.NewTextHandler(&log, nil)))
	if data, _ := k.Compiled(); len(data) != 0 {
		t.Error("knowledge out of nothing")
	}
	if _, state := k.Knowledge(); !strings.Contains(state.Fault, "no such file") {
		t.Errorf("%+v", state)
	}
	write(knowledge.Example(), 1)
	k.look()
	data, version := k.Compiled()
	known, state := k.Knowledge()
	if len(data) == 0 || len(version) < 32 || len(known.Tenants) == 0 || state.Fault != "" || state.Read.IsZero() {
		t.Fatalf("%d bytes, version %s, %+v", len(data), version, state)
	}
	write([]byte("tenantz: []\n"), 2)
	k.look()
	if _, now := k.Compiled(); now != version {
		t.Error("a broken file is in force")
	}
	_, state = k.Knowledge()
	if !strings.Contains(state.Fault, "knowledge.yaml:1:1") || state.At.IsZero() || !strings.Contains(log.String(), "tenantz") {
		t.Errorf("%+v\n%s", state, &log)
	}
	before := log.Len()
	k.look()
	if log.Len() != before {
		t.Error("the same fault is logged each time")
	}
	next := New(path, compiled, nil)
	if _, now := next.Compiled(); now != version {
		t.Error("a restart with a broken file forgets the last good one")
	}
	if _, state := next.Knowledge(); state.Fault == "" || state.Read.IsZero() {
		t.Errorf("%+v", state)
	}
}

func TestAKnowledgeFileThatIsBeingWrittenIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "knowledge.yaml")
	write := func(content []byte, age time.Duration) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, content, 0o600), os.Chtimes(path, time.Now().Add(-age), time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	write(knowledge.Example(), 0) // at the start there is nothing better
	k := New(path, "", nil)
	_, first := k.Compiled()
	next := strings.Replace(string(knowledge.Example()), "Beispiel 2026-11", "Beispiel 2026-12", 1)
	write([]byte(next), 0)
	k.look()
	if _, now := k.Compiled(); now != first {
		t.Error("what is perhaps half a file is in force")
	}
	write([]byte(next), settleTime)
	k.look()
	if _, now := k.Compiled(); now == first {
		_, state := k.Knowledge()
		t.Errorf("what lies there is not taken: %+v", state)
	}
}
