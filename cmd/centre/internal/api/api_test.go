package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"freizeichen/cmd/centre/internal/store"
	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// desk has one agent at phone 201 and remembers what it was asked.
type desk struct {
	asked []sip.AgentRequest
	reply sip.AgentReply
}

func (d *desk) State(device string) sip.Agent {
	if device != "201" {
		return sip.Agent{}
	}
	return sip.Agent{Device: "201", Number: "4711", Name: "Ada", State: sip.Ready, Since: noon, Queues: []string{"kw"}, Version: 3, Confirmed: true}
}

func (d *desk) Do(_ context.Context, device string, request sip.AgentRequest) sip.AgentReply {
	d.asked = append(d.asked, request)
	return d.reply
}

// bench is an API on a real store, with a clock that stands.
type bench struct {
	t       *testing.T
	desk    *desk
	store   *store.Store
	handler http.Handler
	log     bytes.Buffer
	now     time.Time
	secret  string
	changed int
	version string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b := &bench{t: t, desk: &desk{}, store: s, now: noon, secret: store.NewSecret(), version: "v1"}
	for _, device := range []string{"201", "202"} {
		if err := s.PutPhone(t.Context(), store.Phone{Device: device}, b.secret); err != nil {
			t.Fatal(err)
		}
	}
	b.handler = New(b.config(s))
	return b
}

func (b *bench) config(records Records) Config {
	return Config{
		Desk: b.desk, Records: records, Day: b.store.Day,
		Knowledge: func() ([]byte, string) {
			if b.version == "" {
				return nil, ""
			}
			return []byte(`{"version":"` + b.version + `"}`), `"` + b.version + `"`
		},
		Due:     func(m sip.OfficeMessage) time.Time { return m.At.Add(24 * time.Hour) },
		Changed: func() { b.changed++ },
		Log:     slog.New(slog.NewTextHandler(&b.log, nil)),
		Now:     func() time.Time { return b.now },
	}
}

// ask sends one request of phone 201.
func (b *bench) ask(method, target string, body []byte, header ...string) *httptest.ResponseRecorder {
	return b.as("201", b.secret, method, target, bytes.NewReader(body), header...)
}

func (b *bench) as(device, secret, method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	if device != "" {
		r.SetBasicAuth(device, secret)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// refused fails unless the answer is a problem that says what to do.
func refused(t *testing.T, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	p, err := wire.DecodeProblem(w.Body.Bytes())
	if w.Code != status || p.Status != status || err != nil || !strings.Contains(p.Detail, detail) || w.Header().Get("Content-Type") != wire.ProblemType {
		t.Errorf("got %d %+v %v, want %d with %q", w.Code, p, err, status, detail)
	}
}

var (
	outcome = sip.Outcome{ID: strings.Repeat("0a", 16), Agent: "4711", Queue: "kw", Tenant: "kw", Line: "115", Topic: "zulassung", Result: sip.Solved, At: noon, Talked: 61 * time.Second}
	message = sip.OfficeMessage{ID: strings.Repeat("0b", 16), Agent: "4711", Office: "kw-36", Callback: "028412020", Name: "Frau Ünal", At: noon}
)

func TestOnlyPhonesThatAreKnownAreAnswered(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct{ device, secret, detail string }{
		{"", "", "names no phone"},
		{"203", b.secret, "does not know this phone"},
		{"201", "", "does not know this phone"},
		{"201", store.NewSecret(), "does not know this phone"},
	} {
		for _, target := range []string{"/v1/agent", "/v1/knowledge", "/v1/figures", "/v1/nothing", "/"} {
			w := b.as(test.device, test.secret, "GET", target, nil)
			refused(t, w, http.StatusUnauthorized, test.detail)
			if w.Header().Get("WWW-Authenticate") == "" {
				t.Error("no challenge")
			}
		}
	}
	if !strings.Contains(b.log.String(), "from=192.0.2.1 ") {
		t.Errorf("nobody finds the phone that is refused:\n%s", b.log.String())
	}
	if strings.Contains(b.log.String(), b.secret) || strings.Contains(b.log.String(), "203") {
		t.Errorf("the log repeats what strangers say:\n%s", b.log.String())
	}
}

func TestStrangersDoNotFillTheLog(t *testing.T) {
	b := newBench(t)
	for range 1000 {
		b.as("201", "guess", "GET", "/v1/agent", nil)
	}
	if n := strings.Count(b.log.String(), "refused"); n != strangerLimit.burst {
		t.Errorf("%d lines", n)
	}
	b.ask("GET", "/v1/nothing", nil)
	if !strings.Contains(b.log.String(), "no such address") {
		t.Error("a phone that is known is not told of")
	}
	b.now = b.now.Add(strangerLimit.pause)
	b.log.Reset()
	b.as("201", "guess", "GET", "/v1/agent", nil)
	if b.log.Len() == 0 {
		t.Error("strangers are never told of again")
	}
}

func TestWhatIsBadIsRefusedWithASentence(t *testing.T) {
	b := newBench(t)
	other := outcome
	other.ID = strings.Repeat("0c", 16)
	wrong := message
	wrong.Office = ""
	for _, test := range []struct {
		method, target string
		body           string
		status         int
		detail         string
	}{
		{"GET", "/v1/nothing", "", http.StatusNotFound, "no such address"},
		{"DELETE", "/v1/agent", "", http.StatusMethodNotAllowed, "another method"},
		{"GET", "/v1/outcomes/" + outcome.ID, "", http.StatusMethodNotAllowed, "another method"},
		{"POST", "/v1/agent", "", http.StatusUnprocessableEntity, "not the expected JSON"},
		{"POST", "/v1/agent", `{"verb":"sign-in","number":4711,"pin":"2580"}`, http.StatusUnprocessableEntity, "number has the wrong type"},
		{"POST", "/v1/agent", `{"verb":"dance"}`, http.StatusUnprocessableEntity, "verb"},
		{"POST", "/v1/agent", `{"verb":"pause","volume":11}`, http.StatusUnprocessableEntity, "not known"},
		{"POST", "/v1/agent", `{"verb":"state"}{}`, http.StatusUnprocessableEntity, "follows"},
		{"POST", "/v1/agent", `{"verb":"pause","reason":"` + strings.Repeat("x", wire.BodyMax) + `"}`, http.StatusRequestEntityTooLarge, "larger"},
		{"PUT", "/v1/outcomes/" + outcome.ID, string(wire.EncodeOutcome(other)), http.StatusUnprocessableEntity, "another id"},
		{"PUT", "/v1/messages/" + message.ID, string(wire.EncodeMessage(wrong)), http.StatusUnprocessableEntity, "office is empty"},
	} {
		refused(t, b.ask(test.method, test.target, []byte(test.body)), test.status, test.detail)
	}
	refused(t, b.ask("POST", "/v1/agent", []byte(`{"verb":"state"}`), "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "application/json")
	if len(b.desk.asked) != 0 || b.changed != 0 {
		t.Errorf("it was done: %v", b.desk.asked)
	}
	if strings.Contains(b.log.String(), "2580") || strings.Contains(b.log.String(), "Ünal") || strings.Contains(b.log.String(), message.Callback) {
		t.Errorf("the log repeats a PIN or a citizen:\n%s", b.log.String())
	}
}

func TestTheDeskIsAskedAndAnswers(t *testing.T) {
	b := newBench(t)
	got, err := wire.DecodeAgent(b.ask("GET", "/v1/agent", nil).Body.Bytes())
	if want := b.desk.State("201"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	nobody, err := wire.DecodeAgent(b.as("202", b.secret, "GET", "/v1/agent", nil).Body.Bytes())
	if err != nil || nobody.Device != "202" || nobody.State != sip.SignedOut {
		t.Errorf("got %+v, %v", nobody, err)
	}
	b.desk.reply = sip.AgentReply{Problem: sip.WrongPIN, Tries: 3}
	request := sip.AgentRequest{Verb: sip.SignIn, Number: "4711", PIN: "2580", TakeOver: true}
	w := b.ask("POST", "/v1/agent", wire.EncodeRequest(request))
	reply, err := wire.DecodeReply(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK || !reflect.DeepEqual(reply, b.desk.reply) || !reflect.DeepEqual(b.desk.asked, []sip.AgentRequest{request}) {
		t.Errorf("got %d %+v %v, asked %v", w.Code, reply, err, b.desk.asked)
	}
	if log := b.log.String(); strings.Contains(log, "2580") || strings.Contains(log, "4711") || !strings.Contains(log, "verb=sign-in problem=wrong-pin") {
		t.Errorf("log: %s", log)
	}
}

func TestOutcomesAndMessagesCountOnce(t *testing.T) {
	b := newBench(t)
	for range 2 {
		if w := b.ask("PUT", "/v1/outcomes/"+outcome.ID, wire.EncodeOutcome(outcome)); w.Code != http.StatusNoContent {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	for _, want := range []int{http.StatusCreated, http.StatusOK} {
		w := b.ask("PUT", "/v1/messages/"+message.ID, wire.EncodeMessage(message))
		due, err := wire.DecodeReceipt(w.Body.Bytes())
		if w.Code != want || err != nil || !due.Equal(noon.Add(24*time.Hour)) {
			t.Errorf("got %d %v %v", w.Code, due, err)
		}
	}
	if b.changed != 2 {
		t.Errorf("changed %d times", b.changed)
	}
	own := sip.Tally{Calls: 1, Solved: 1}
	for device, want := range map[string]sip.Tally{"201": own, "202": {}} {
		f, err := wire.DecodeFigures(b.as(device, b.secret, "GET", "/v1/figures", nil).Body.Bytes())
		if err != nil || f.Team != own || f.Own != want || f.Lines[0].Name != "115" || f.Topics[0].Name != "zulassung" {
			t.Errorf("%s: got %+v, %v", device, f, err)
		}
	}
}

func TestAPhoneSpeaksInTheNameOfItsOwnAgentsAlone(t *testing.T) {
	b := newBench(t)
	from, until := b.store.Day(noon)
	speak := func(id string, want sip.Tally) {
		t.Helper()
		o, m := outcome, message
		o.ID, m.ID = strings.Repeat(id, 16), strings.Repeat(id, 16)
		if w := b.as("202", b.secret, "PUT", "/v1/outcomes/"+o.ID, bytes.NewReader(wire.EncodeOutcome(o))); w.Code != http.StatusNoContent {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if w := b.as("202", b.secret, "PUT", "/v1/messages/"+m.ID, bytes.NewReader(wire.EncodeMessage(m))); w.Code != http.StatusCreated {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if own, err := b.store.OwnTally(t.Context(), from, until, "4711"); err != nil || own != want {
			t.Errorf("%s: %+v, %v", id, own, err)
		}
		all, err := b.store.Messages(t.Context(), false, 10)
		if last := all[len(all)-1]; err != nil || (last.Agent == "4711") != (want.Calls > 0) {
			t.Errorf("%s: %+v, %v", id, last, err)
		}
	}
	speak("0a", sip.Tally{})
	if log := b.log.String(); !strings.Contains(log, "has not signed in there") || strings.Contains(log, "4711") {
		t.Errorf("log: %s", log)
	}
	// He was there, and his phone delivers later.
	if err := errors.Join(b.store.PutAgent(t.Context(), store.Agent{Number: "4711", Name: "Ada"}),
		b.store.PutSignIn(t.Context(), store.SignIn{Device: "202", Agent: "4711", Since: noon}), b.store.RemoveSignIn(t.Context(), "202")); err != nil {
		t.Fatal(err)
	}
	speak("0b", sip.Tally{Calls: 1, Solved: 1})
	if figures, err := b.store.Figures(t.Context(), from, until); err != nil || figures.Team.Calls != 2 {
		t.Errorf("%+v, %v", figures, err)
	}
}

// Who signs in by a feature code while the switchboard is away has no number there; a citizen's message must not be lost.
func TestWhatAnAgentWithoutANumberDidCountsForTheTeam(t *testing.T) {
	b := newBench(t)
	o, m := outcome, message
	o.Agent, m.Agent = "", ""
	if w := b.ask("PUT", "/v1/outcomes/"+o.ID, wire.EncodeOutcome(o)); w.Code != http.StatusNoContent {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := b.ask("PUT", "/v1/messages/"+m.ID, wire.EncodeMessage(m)); w.Code != http.StatusCreated {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	f, err := wire.DecodeFigures(b.ask("GET", "/v1/figures", nil).Body.Bytes())
	if err != nil || f.Team.Calls != 1 || f.Own.Calls != 0 || strings.Contains(b.log.String(), "name of an agent") {
		t.Errorf("%+v, %v, log: %s", f, err, b.log.String())
	}
}

func TestTheTeamIsCountedOnceForManyPhones(t *testing.T) {
	b := newBench(t)
	counted := &counting{Records: b.store}
	b.handler = New(b.config(counted))
	for i, want := range []int{1, 1, 2, 3} {
		b.now = []time.Time{noon, noon.Add(figuresAge - 1), noon.Add(figuresAge), noon}[i] // the last: the clock was set back
		if w := b.ask("GET", "/v1/figures", nil); w.Code != http.StatusOK || counted.figures != want {
			t.Errorf("request %d: status %d, counted %d times, want %d", i, w.Code, counted.figures, want)
		}
	}
}

type counting struct {
	Records
	figures int
	fails   error
}

func (c *counting) Figures(ctx context.Context, from, until time.Time) (sip.DayFigures, error) {
	c.figures++
	if c.fails != nil {
		return sip.DayFigures{}, c.fails
	}
	return c.Records.Figures(ctx, from, until)
}

func TestAClockThatIsWrongIsNotBelieved(t *testing.T) {
	b := newBench(t)
	for i, at := range []time.Time{time.Date(1970, 1, 1, 0, 3, 0, 0, time.UTC), noon.AddDate(1, 0, 0), noon.Add(-time.Hour)} {
		o := outcome
		o.ID, o.At = fmt.Sprintf("%032x", i), at
		if w := b.ask("PUT", "/v1/outcomes/"+o.ID, wire.EncodeOutcome(o)); w.Code != http.StatusNoContent {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	f, err := wire.DecodeFigures(b.ask("GET", "/v1/figures", nil).Body.Bytes())
	if err != nil || f.Team.Calls != 3 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestKnowledgeIsSentWhenItIsNew(t *testing.T) {
	b := newBench(t)
	w := b.ask("GET", "/v1/knowledge", nil)
	if w.Code != http.StatusOK || w.Body.String() != `{"version":"v1"}` || w.Header().Get("ETag") != `"v1"` {
		t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
	}
	for tag, want := range map[string]int{`"v1"`: 304, `"v0", W/"v1"`: 304, `*`: 304, `"v0"`: 200, `v1`: 200, ``: 200} {
		if w := b.ask("GET", "/v1/knowledge", nil, "If-None-Match", tag); w.Code != want || (want == 304) != (w.Body.Len() == 0) {
			t.Errorf("%s: %d with %d bytes", tag, w.Code, w.Body.Len())
		}
	}
	b.version = ""
	refused(t, b.ask("GET", "/v1/knowledge", nil), http.StatusNotFound, "no knowledge file")
}

func TestAPhoneThatAsksTooOftenWaits(t *testing.T) {
	b := newBench(t)
	for range requestLimit.burst {
		if w := b.ask("GET", "/v1/agent", nil); w.Code != http.StatusOK {
			t.Fatalf("got %d", w.Code)
		}
	}
	w := b.ask("GET", "/v1/agent", nil)
	refused(t, w, http.StatusTooManyRequests, "Retry-After")
	if w.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	if w := b.as("202", b.secret, "GET", "/v1/agent", nil); w.Code != http.StatusOK {
		t.Errorf("another phone waits too: %d", w.Code)
	}
	b.now = noon.Add(requestLimit.pause)
	if w := b.ask("GET", "/v1/agent", nil); w.Code != http.StatusOK {
		t.Errorf("got %d after the pause", w.Code)
	}
	refused(t, b.ask("GET", "/v1/agent", nil), http.StatusTooManyRequests, "Retry-After")
	b.now = noon.AddDate(-1, 0, 0) // the clock is set back
	if w := b.ask("GET", "/v1/agent", nil); w.Code != http.StatusOK {
		t.Errorf("got %d after the clock was set back", w.Code)
	}
}

func TestAPhoneCannotTryManyAgents(t *testing.T) {
	b := newBench(t)
	b.desk.reply = sip.AgentReply{Problem: sip.WrongPIN, Tries: 4}
	for i := range signInLimit.burst + 1 {
		w := b.ask("POST", "/v1/agent", wire.EncodeRequest(sip.AgentRequest{Verb: sip.SignIn, Number: fmt.Sprint(i), PIN: "0000"}))
		reply, err := wire.DecodeReply(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if last := i == signInLimit.burst; last != (reply.Problem == sip.TooManyTries) || last && !reply.Retry.Equal(noon.Add(signInLimit.pause)) {
			t.Errorf("try %d: %+v", i, reply)
		}
	}
	if len(b.desk.asked) != signInLimit.burst {
		t.Errorf("the desk was asked %d times", len(b.desk.asked))
	}
}

func TestWhatTheStoreCannotDoIsTriedAgain(t *testing.T) {
	b := newBench(t)
	b.handler = New(b.config(&counting{Records: b.store, fails: errors.New("disk full")}))
	refused(t, b.ask("GET", "/v1/figures", nil), http.StatusServiceUnavailable, "try again")
	if !strings.Contains(b.log.String(), "disk full") {
		t.Errorf("log: %s", b.log.String())
	}
}

func TestTheBucketsOfPhonesThatAreGoneAreThrownAway(t *testing.T) {
	var l limits
	for i := range bucketsMax + 5 {
		l.take(noon.Add(time.Duration(i)*time.Second), fmt.Sprint(i), requestLimit)
	}
	if len(l.buckets) > 10 {
		t.Errorf("%d buckets are left", len(l.buckets))
	}
}
