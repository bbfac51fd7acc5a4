package centre

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
)

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

func TestWhatWasTakenInVainDoesNotReplaceWhatIsNewer(t *testing.T) {
	wake := make(chan struct{}, 1)
	l := newLatest[int](wake)
	l.put("moers", 1)
	l.put("moers", 2)
	l.put("xanten", 3)
	<-wake
	taken := l.take()
	l.put("moers", 4)
	l.putBack(taken)
	if got, want := l.take(), map[string]int{"moers": 4, "xanten": 3}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := l.take(); len(got) != 0 {
		t.Errorf("taken twice: %v", got)
	}
}
