package centre

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/firmware/knowledge"
	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
)

func TestFiguresComeBackWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	f, err := OpenFigures(path)
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
	again, err := OpenFigures(path)
	if err != nil || !reflect.DeepEqual(again.Days(), []count.Day{day, {Queue: "xanten"}}) {
		t.Errorf("%+v, %v", again.Days(), err)
	}
	if err := os.WriteFile(path, []byte(`[{"Queue":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err = OpenFigures(path); err == nil || len(again.Days()) != 0 || !strings.Contains(err.Error(), path) {
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
		days, err := readFigures(data)
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
	k := NewKnowledge(path, compiled, slog.New(slog.NewTextHandler(&log, nil)))
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
	next := NewKnowledge(path, compiled, nil)
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
	k := NewKnowledge(path, "", nil)
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

// full is a disk without room.
type full struct {
	Memory
	err error
}

func (f *full) PutDays(context.Context, []count.Day) error { return f.err }

func TestADiskThatIsFullIsSaidOnceAndSoIsItsEnd(t *testing.T) {
	var log strings.Builder
	disk := &full{err: errors.New("no space left")}
	s := newScribe(disk, slog.New(slog.NewTextHandler(&log, nil)))
	s.day(count.Day{Queue: "moers"})
	for range 2 {
		if s.write() {
			t.Error("it was written")
		}
	}
	disk.err = nil
	for range 2 {
		if !s.write() {
			t.Error("it was not written")
		}
	}
	if strings.Count(log.String(), "no space left") != 1 || strings.Count(log.String(), "written again") != 1 {
		t.Errorf("log: %s", &log)
	}
}

func TestMetricsTellOfQueuesAndOfNobody(t *testing.T) {
	l, m := newLab(), NewMetrics()
	l.observe = m.Observe
	m.CertificateEnds(time.Unix(1_800_000_000, 0))
	run(t, l, func(t *testing.T, c *Centre) {
		metrics := m.Handler(c)
		phones := m.Instrument("phones", http.NotFoundHandler())
		phones.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/agent", nil))
		c.Do(t.Context(), "201", signIn)
		c.Do(t.Context(), "201", sip.AgentRequest{Verb: sip.GoReady})
		l.post(acd.CallerJoined{Queue: "moers", Caller: "1795360724.11"}, acd.CallerAbandoned{Queue: "moers", Caller: "1795360724.11"}, acd.CallerJoined{Queue: "moers", Caller: "2"})
		time.Sleep(time.Second)
		synctest.Wait()
		answer := httptest.NewRecorder()
		metrics.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		text := answer.Body.String()
		for _, want := range []string{
			"switchboard_pbx_up 1\n", "switchboard_certificate_end_timestamp_seconds 1.8e+09\n", `switchboard_queue_waiting{queue="moers"} 1` + "\n", `switchboard_queue_abandoned_total{queue="moers"} 1` + "\n",
			`switchboard_queue_agents_free{queue="moers"} 1`, `switchboard_pbx_commands_total{command="add"} 1`, `switchboard_agent_replies_total{problem="none"} 2`,
			`switchboard_presence_publishes_total{about="queue"} `, `switchboard_http_requests_total{code="404",handler="phones",method="get"} 1`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is missing in\n%s", want, text)
			}
		}
		for line := range strings.Lines(text) {
			// Prometheus shows them sorted by name: each stands for itself.
			if strings.HasPrefix(line, "# HELP switchboard_") && strings.Contains(line, "Of them") {
				t.Errorf("a help that needs another: %s", line)
			}
		}
		for _, secret := range []string{`"4711"`, "1795360724.11", `"201"`, "Ada"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is told", secret)
			}
		}
		l.post(acd.PBXLost{})
		synctest.Wait()
		answer = httptest.NewRecorder()
		metrics.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		if text := answer.Body.String(); !strings.Contains(text, "switchboard_pbx_up 0\n") || strings.Contains(text, "queue_waiting") {
			t.Errorf("figures of a PBX that is away: %s", text)
		}
	})
}
