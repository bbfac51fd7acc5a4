package switchboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

var ada = sip.Agent{Device: "201", Number: "4711", Name: "Ada", State: sip.Ready, Queues: []string{"kw"}, Version: 7, Confirmed: true}

// A site is a switchboard as a phone sees it, over pipes in fake time, and what the phone has made of it.
type site struct {
	t      *testing.T
	client *Client
	box    *box
	config Config
	stop   func()

	mu     sync.Mutex
	conns  chan net.Conn
	closed bool                                              // nobody listens
	answer func(w http.ResponseWriter, r *http.Request) bool // comes first; false: the usual answer
	asked  []string                                          // method, address and body of every request
	dials  []time.Time
	events []string // with the seconds since the start
	log    bytes.Buffer
	began  time.Time
	refuse error // of Knowledge
}

func (s *site) Accept() (net.Conn, error) {
	conn, more := <-s.conns
	if !more {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (s *site) Close() error   { close(s.conns); return nil }
func (s *site) Addr() net.Addr { return &net.TCPAddr{} }

func (s *site) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	s.dials = append(s.dials, time.Now())
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	s.conns <- far
	return near, nil
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	answer := s.answer
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
	s.mu.Unlock()
	if device, secret, _ := r.BasicAuth(); device != "201" || secret != "the secret" {
		s.t.Errorf("asked as %s", device)
	}
	if answer != nil && answer(w, r) {
		return
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	switch r.Method + " " + kind {
	case "GET agent":
		w.Write(wire.EncodeAgent(ada))
	case "POST agent":
		w.Write(wire.EncodeReply(sip.AgentReply{Known: true, Agent: ada}))
	case "GET figures":
		w.Write(wire.EncodeFigures(sip.DayFigures{Day: s.began}))
	case "GET knowledge":
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, `{"v":1}`)
	case "PUT outcomes":
		w.WriteHeader(http.StatusNoContent)
	case "PUT messages":
		w.WriteHeader(http.StatusCreated)
		w.Write(wire.EncodeReceipt(s.began.Add(time.Hour)))
	}
}

// event writes an event down, short.
func (s *site) event(e sip.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf("%T %+v", e, e)
	switch e := e.(type) {
	case sip.AgentReply:
		text = fmt.Sprintf("reply %d %v known=%v", e.ID, e.Problem, e.Known)
		if e.Known && !reflect.DeepEqual(e.Agent, ada) {
			s.t.Errorf("got agent %+v", e.Agent)
		}
	case sip.SwitchboardChanged:
		text = fmt.Sprintf("up=%v %v", e.Up, e.Problem)
	case sip.FiguresReported:
		text = "figures"
	case sip.OutboxChanged:
		text = fmt.Sprintf("outbox %.2s %v waiting=%d", e.ID, e.Problem, e.Waiting)
	case sip.MessageTaken:
		text = fmt.Sprintf("taken %.2s due in %v", e.ID, e.Due.Sub(s.began))
	}
	s.events = append(s.events, text)
}

// inBubble runs a test against a site in fake time. The phone runs from start on.
func inBubble(t *testing.T, test func(s *site)) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{t: t, box: &box{}, conns: make(chan net.Conn), began: time.Now()}
		s.config = Config{
			URL: "http://localhost", Device: "201", Secret: "the secret", Outbox: s.box, Event: s.event, Dial: s.dial,
			Knowledge: func(data []byte) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.events = append(s.events, "knowledge "+string(data))
				return s.refuse
			},
			Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		}
		server := &http.Server{Handler: s, IdleTimeout: 5 * time.Second}
		go server.Serve(s)
		test(s)
		if s.stop != nil {
			s.stop()
		}
		server.Close()
		if log := s.log.String(); strings.Contains(log, "the secret") || strings.Contains(log, "2580") || strings.Contains(log, "02841") {
			t.Errorf("the log says too much:\n%s", log)
		}
	})
}

func (s *site) start() {
	s.t.Helper()
	client, err := New(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.client = client
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		client.Run(ctx)
		close(done)
	}()
	s.stop = func() {
		cancel()
		<-done
	}
	synctest.Wait()
}

// set changes the site while the phone runs.
func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *site) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// saw compares the events since the last call.
func (s *site) saw(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.events, want) {
		s.t.Errorf("events\n  %s\nwant\n  %s", strings.Join(s.events, "\n  "), strings.Join(want, "\n  "))
	}
	s.events = nil
}

// heard compares what the switchboard was asked since the last call; a want that ends in * is a beginning.
func (s *site) heard(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	same := slices.EqualFunc(s.asked, want, func(got, want string) bool {
		begin, star := strings.CutSuffix(want, "*")
		return got == want || star && strings.HasPrefix(got, begin)
	})
	if !same {
		s.t.Errorf("asked\n  %s\nwant\n  %s", strings.Join(s.asked, "\n  "), strings.Join(want, "\n  "))
	}
	s.asked = nil
}

// settle forgets what the first moments have brought.
func (s *site) settle() {
	s.set(func() { s.events, s.asked, s.dials = nil, nil, nil })
}

func outcome(n int) sip.Outcome {
	return sip.Outcome{ID: fmt.Sprintf("%02x%030x", n, n), Agent: "4711", Result: sip.Solved, At: time.Now()}
}

func TestAPhoneThatStartsLearnsEverything(t *testing.T) {
	inBubble(t, func(s *site) {
		s.start()
		s.saw("up=true none", "reply 0 none known=true", `knowledge {"v":1}`, "figures")
		s.heard("GET /v1/agent", "GET /v1/knowledge", "GET /v1/figures")
		// From now on everything is asked again every five minutes and a bit.
		s.pass(5*time.Minute - time.Second)
		s.heard()
		s.pass(5*time.Minute/jitterFraction + 2*time.Second)
		s.mu.Lock()
		slices.Sort(s.asked)
		s.mu.Unlock()
		s.heard("GET /v1/agent", "GET /v1/figures", "GET /v1/knowledge")
		s.set(func() { slices.Sort(s.events) })
		s.saw("figures", "reply 0 none known=true") // 304 brings no knowledge
	})
}

func TestARequestIsAnsweredOnce(t *testing.T) {
	inBubble(t, func(s *site) {
		s.start()
		s.settle()
		s.client.Do(sip.AgentRequest{ID: 5, Verb: sip.SignIn, Number: "4711", PIN: "2580", TakeOver: true})
		synctest.Wait()
		s.saw("reply 5 none known=true")
		s.heard(`POST /v1/agent {"verb":"sign-in","number":"4711","pin":"2580","takeOver":true}`)
	})
}

func TestAChangedAgentIsFetched(t *testing.T) {
	inBubble(t, func(s *site) {
		s.start()
		s.settle()
		s.client.Changed(ada.Version)
		synctest.Wait()
		s.heard()
		s.client.Changed(ada.Version + 1)
		synctest.Wait()
		s.heard("GET /v1/agent")
		s.saw("reply 0 none known=true")
	})
}

func TestARequestBreaksOffWhatRunsInTheBackground(t *testing.T) {
	inBubble(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == knowledgePath {
				<-r.Context().Done() // as if on a slow line
			}
			return r.URL.Path == knowledgePath
		}
		s.start()
		s.pass(time.Second)
		s.settle()
		s.client.Do(sip.AgentRequest{ID: 1, Verb: sip.GoReady})
		synctest.Wait()
		s.saw("reply 1 none known=true") // at once, and the switchboard is not away
		s.set(func() { s.answer = nil })
		s.pass(knowledgeTimeout + time.Minute)
		s.saw("up=false switchboard-away", "up=true none", "reply 0 none known=true", `knowledge {"v":1}`, "figures")
	})
}

func TestASilentSwitchboardIsAwayAfterThreeSeconds(t *testing.T) {
	inBubble(t, func(s *site) {
		s.start()
		s.settle()
		s.set(func() {
			s.answer = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		})
		for i := range 3 {
			s.client.Do(sip.AgentRequest{ID: uint64(i + 1), Verb: sip.GoReady})
		}
		s.pass(requestTimeout - time.Millisecond)
		s.saw()
		s.pass(time.Millisecond)
		s.saw("up=false switchboard-away", "reply 1 switchboard-away known=false", "reply 2 switchboard-away known=false", "reply 3 switchboard-away known=false")
		if !strings.Contains(s.log.String(), "no answer within 3s") {
			t.Errorf("log: %s", s.log.String())
		}
		// One that has been answered since: what was done is seen.
		s.set(func() { s.answer = nil })
		s.pass(2 * time.Second)
		s.saw("up=true none", "reply 0 none known=true", "figures")
	})
}

func TestTriesGetRarerWhileTheSwitchboardIsAway(t *testing.T) {
	inBubble(t, func(s *site) {
		s.closed = true
		s.start()
		s.pass(10 * time.Minute)
		s.saw("up=false switchboard-away")
		if n := len(s.dials); n < 15 || n > 30 {
			t.Errorf("%d tries in ten minutes", n)
		}
		pause := retryPauseMin
		for i := 1; i < len(s.dials); i++ {
			if got := s.dials[i].Sub(s.dials[i-1]); got < pause || got > pause+pause/jitterFraction {
				t.Errorf("pause %d: %v, want %v and a bit", i, got, pause)
			}
			pause = min(2*pause, retryPauseMax)
		}
		// A request of the agent does not wait for the next try.
		s.settle()
		s.client.Do(sip.AgentRequest{ID: 1})
		synctest.Wait()
		s.saw("reply 1 switchboard-away known=false")
		s.set(func() { s.closed = false })
		s.client.Do(sip.AgentRequest{ID: 2})
		synctest.Wait()
		s.saw("up=true none", "reply 2 none known=true", `knowledge {"v":1}`, "figures")
	})
}

func TestWhatIsAnsweredIsUnderstoodOrRefused(t *testing.T) {
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   []string // events of a request
		log    string
	}{
		{"a phone that is not known", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", wire.ProblemType)
			w.WriteHeader(401)
			w.Write(wire.EncodeProblem(wire.Problem{Status: 401, Detail: "the switchboard does not know this phone"}))
		}, []string{"up=false phone-unknown", "reply 1 phone-unknown known=false"}, "does not know this phone"},
		{"garbage", func(w http.ResponseWriter) { io.WriteString(w, "<html>") }, []string{"up=false switchboard-away", "reply 1 switchboard-away known=false"}, "not the expected JSON"},
		{"too much", func(w http.ResponseWriter) { w.Write(make([]byte, wire.BodyMax+1)) }, []string{"up=false switchboard-away", "reply 1 switchboard-away known=false"}, "more than"},
		{"a fault", func(w http.ResponseWriter) { w.WriteHeader(500) }, []string{"up=false switchboard-away", "reply 1 switchboard-away known=false"}, "status 500"},
		{"a redirection", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://localhost/elsewhere")
			w.WriteHeader(307)
		}, []string{"up=false switchboard-away", "reply 1 switchboard-away known=false"}, "status 307"},
		{"a refusal", func(w http.ResponseWriter) { w.WriteHeader(422) }, []string{"reply 1 switchboard-away known=false"}, "status 422"},
		{"too many requests", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, []string{"reply 1 switchboard-away known=false"}, "status 429"},
	}
	for _, test := range tests {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			inBubble(t, func(s *site) {
				s.start()
				s.settle()
				s.set(func() {
					s.answer = func(w http.ResponseWriter, r *http.Request) bool { test.answer(w); return true }
				})
				s.client.Do(sip.AgentRequest{ID: 1, Verb: sip.GoReady})
				synctest.Wait()
				s.saw(test.want...)
				s.heard(`POST /v1/agent {"verb":"ready"}`)
				if !strings.Contains(s.log.String(), test.log) {
					t.Errorf("log: %s", s.log.String())
				}
				if test.name == "too many requests" {
					s.pass(7*time.Second - time.Millisecond)
					s.heard()
				}
				s.set(func() { s.answer = nil })
				s.pass(10 * time.Second)
				if last := s.events[len(s.events)-1]; !slices.Contains([]string{"reply 0 none known=true", "figures"}, last) {
					t.Errorf("it does not come back: %q", s.events)
				}
			})
		})
	}
}

func TestOutcomesAreDeliveredInOrderAndOnce(t *testing.T) {
	inBubble(t, func(s *site) {
		s.closed = true
		s.start()
		s.settle()
		for n := 1; n <= 2; n++ {
			s.client.KeepOutcome(outcome(n))
		}
		m := sip.OfficeMessage{ID: outcome(3).ID, Agent: "4711", Office: "kw-36", Callback: "028412020", At: time.Now()}
		s.client.KeepMessage(m)
		again := outcome(1) // said once more it is still one outcome
		again.Revision++
		s.client.KeepOutcome(again)
		synctest.Wait()
		s.saw("outbox 01 kept waiting=1", "outbox 02 kept waiting=2", "outbox 03 kept waiting=3", "outbox 01 kept waiting=3")
		s.set(func() { s.closed = false })
		s.pass(2 * time.Second)
		s.saw("up=true none", "reply 0 none known=true", "outbox  kept waiting=3", "outbox  kept waiting=2", "taken 03 due in 1h0m0s", "outbox  kept waiting=1",
			"outbox  kept waiting=0", `knowledge {"v":1}`, "figures")
		s.heard("GET /v1/agent", "PUT /v1/outcomes/"+outcome(1).ID+" {*", "PUT /v1/outcomes/"+outcome(2).ID+" {*", "PUT /v1/messages/"+m.ID+" {*",
			"PUT /v1/outcomes/"+outcome(1).ID+" {*", "GET /v1/knowledge", "GET /v1/figures")
		// One that comes while the switchboard is there goes at once, and the figures follow it.
		s.client.KeepOutcome(outcome(4))
		synctest.Wait()
		s.heard("PUT /v1/outcomes/" + outcome(4).ID + " {*")
		s.pass(figuresPause + figuresPause/jitterFraction + time.Second)
		s.heard("GET /v1/figures")
	})
}

func TestAnOutcomeThatTheSwitchboardRefusesIsKeptAndHoldsUpNobody(t *testing.T) {
	inBubble(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			bad := strings.HasSuffix(r.URL.Path, outcome(1).ID)
			if bad {
				w.WriteHeader(http.StatusUnprocessableEntity)
			}
			return bad
		}
		s.start()
		s.box.Append([]byte("not even an entry"))
		s.settle()
		s.client.KeepOutcome(outcome(1))
		s.client.KeepOutcome(outcome(2))
		synctest.Wait()
		s.heard("PUT /v1/outcomes/"+outcome(1).ID+" {*", "PUT /v1/outcomes/"+outcome(2).ID+" {*")
		if s.box.Len() != 2 {
			t.Errorf("%d wait", s.box.Len())
		}
		s.set(func() { s.answer, s.asked = nil, nil })
		s.pass(refusedPause + refusedPause/jitterFraction + time.Second)
		s.set(func() {
			s.asked = slices.DeleteFunc(s.asked, func(r string) bool { return !strings.HasPrefix(r, "PUT") })
		})
		s.heard("PUT /v1/outcomes/" + outcome(1).ID + " {*")
	})
}

func TestAConfirmationThatFailsIsMadeLater(t *testing.T) {
	inBubble(t, func(s *site) {
		s.start()
		s.box.stuck = true
		s.settle()
		s.client.KeepOutcome(outcome(1))
		s.pass(time.Minute)
		s.set(func() {
			s.asked = slices.DeleteFunc(s.asked, func(r string) bool { return !strings.HasPrefix(r, "PUT") })
		})
		s.heard("PUT /v1/outcomes/" + outcome(1).ID + " {*") // once, not without end
		s.box.mu.Lock()
		s.box.stuck = false
		s.box.mu.Unlock()
		s.pass(refusedPause + refusedPause/jitterFraction + time.Second)
		if s.box.Len() != 0 {
			t.Error("it still waits")
		}
	})
}

func TestAnOutboxThatTakesNothingIsShown(t *testing.T) {
	inBubble(t, func(s *site) {
		s.closed, s.box.most = true, 1
		s.start()
		s.settle()
		s.client.KeepOutcome(outcome(1))
		s.client.KeepOutcome(outcome(2))
		synctest.Wait()
		s.saw("outbox 01 kept waiting=1", "outbox 02 outbox-full waiting=1")
		s.box.broken = true
		s.client.KeepOutcome(outcome(3))
		synctest.Wait()
		s.saw("outbox 03 outbox-fault waiting=1")
	})
}

// kept is a KnowledgeStore without a disk.
type kept struct{ data []byte }

func (k *kept) Store(data []byte) error {
	k.data = slices.Clone(data)
	return nil
}

func (k *kept) Open() ([]byte, error) {
	if k.data == nil {
		return nil, fs.ErrNotExist
	}
	return k.data, nil
}

func TestKnowledgeOutlivesTheSwitchboard(t *testing.T) {
	inBubble(t, func(s *site) {
		s.config.Kept = &kept{}
		s.start()
		s.stop()
		s.settle()
		s.closed = true
		s.start() // without a switchboard
		s.saw(`knowledge {"v":1}`, "up=false switchboard-away")
		s.stop()
		// The tag that both sides compute spares the second fetch.
		s.settle()
		s.closed = false
		var tags []string
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != knowledgePath {
				return false
			}
			tags = append(tags, r.Header.Get("If-None-Match"))
			w.WriteHeader(http.StatusNotModified)
			return true
		}
		s.start()
		s.saw(`knowledge {"v":1}`, "up=true none", "reply 0 none known=true", "figures")
		if !slices.Equal(tags, []string{wire.Tag([]byte(`{"v":1}`))}) {
			t.Errorf("asked with tags %q", tags)
		}
	})
}

func TestKnowledgeThatCannotBeUsedIsNotKept(t *testing.T) {
	inBubble(t, func(s *site) {
		file := &kept{}
		s.config.Kept = file
		s.refuse = errors.New("line 3: unknown key")
		s.start()
		if file.data != nil || !strings.Contains(s.log.String(), "line 3") {
			t.Errorf("kept: %q; log: %s", file.data, s.log.String())
		}
		s.saw("up=true none", "reply 0 none known=true", `knowledge {"v":1}`, "figures")
	})
}

func TestASwitchboardWithoutKnowledgeIsUp(t *testing.T) {
	inBubble(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == knowledgePath {
				w.WriteHeader(http.StatusNotFound)
			}
			return r.URL.Path == knowledgePath
		}
		s.start()
		s.saw("up=true none", "reply 0 none known=true", "figures")
	})
}

func TestQueuesHaveAnEnd(t *testing.T) {
	inBubble(t, func(s *site) {
		client, err := New(s.config) // does not run
		if err != nil {
			t.Fatal(err)
		}
		for i := range requestsMax + 1 {
			if taken := client.Do(sip.AgentRequest{ID: uint64(i)}); taken != (i < requestsMax) {
				t.Errorf("request %d: %v", i, taken)
			}
		}
		for i := range keepsMax + 1 {
			if taken := client.KeepOutcome(outcome(i)); taken != (i < keepsMax) {
				t.Errorf("outcome %d: %v", i, taken)
			}
		}
		// What was taken is on the disk when Run has ended, and every request has its answer.
		s.closed = true
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		client.Run(ctx)
		replies := 0
		for _, e := range s.events {
			if strings.HasPrefix(e, "reply ") {
				replies++
			}
		}
		if s.box.Len() != keepsMax || replies != requestsMax {
			t.Errorf("%d kept, %d replies", s.box.Len(), replies)
		}
	})
}

func TestIdleConnectionsAreClosedSoon(t *testing.T) {
	inBubble(t, func(s *site) {
		s.start()
		if len(s.dials) != 1 {
			t.Errorf("%d connections for what belongs together", len(s.dials))
		}
		s.pass(4 * time.Second)
		s.client.Do(sip.AgentRequest{ID: 1})
		synctest.Wait()
		if len(s.dials) != 2 {
			t.Errorf("%d connections: the first was still open", len(s.dials))
		}
	})
}

func TestAddressesThatWouldGiveTheSecretAwayAreRefused(t *testing.T) {
	for _, address := range []string{"", "switchboard", "http://switchboard.example", "http://192.0.2.1:80", "ftp://localhost", "https://user@host", "https://", "https://host?x=1", "::"} {
		if _, err := New(Config{URL: address, Device: "201", Secret: "x"}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	for _, address := range []string{"https://switchboard.example:8443", "http://127.0.0.1:8080", "http://[::1]:80", "https://host/below"} {
		if _, err := New(Config{URL: address, Device: "201", Secret: "x"}); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, config := range []Config{{URL: "https://host", Secret: "x"}, {URL: "https://host", Device: "201"}, {URL: "https://host", Device: "201", Secret: "x", CAFile: "/nowhere"}} {
		if _, err := New(config); err == nil {
			t.Errorf("%+v was taken", config)
		}
	}
}
