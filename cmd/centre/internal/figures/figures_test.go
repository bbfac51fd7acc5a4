package figures

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
)

func TestFiguresComeBackWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	f, err := Open(path)
	if err != nil || len(f.Days()) != 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	day := count.Day{Queue: "moers", At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Talking: []count.Talk{{Interface: "PJSIP/201", InTime: true}}}
	day.Level.Answered, day.PBX.InTime = 3, count.Span{Low: 1, High: 2}
	if err := f.Put([]count.Day{{Queue: "xanten"}, day}); err != nil {
		t.Fatal(err)
	}
	if err := f.Put([]count.Day{{Queue: "xanten"}}); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil || !reflect.DeepEqual(again.Days(), []count.Day{day, {Queue: "xanten"}}) {
		t.Errorf("%+v, %v", again.Days(), err)
	}
	if err := os.WriteFile(path, []byte(`[{"Queue":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err = Open(path); err == nil || len(again.Days()) != 0 || !strings.Contains(err.Error(), path) {
		t.Errorf("half a file: %+v, %v", again.Days(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	f.path = filepath.Join(path, "no", "folder")
	if err := f.Put(nil); err == nil {
		t.Error("a file that cannot be written is confirmed")
	}
}

func FuzzReadFigures(f *testing.F) {
	f.Add([]byte(`[{"Queue":"moers","Level":{"Answered":3}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		days, err := read(data)
		if err != nil {
			return
		}
		// What was read may be anything; the model takes what can be true.
		c := acd.New(acd.Config{Queues: []acd.Queue{{Name: "moers"}}})
		c.Step(time.Unix(0, 0), acd.Restored{Days: days})
		if s, _ := c.Status(time.Unix(0, 0), "moers"); !s.Plausible() {
			t.Errorf("%+v", s)
		}
	})
}
