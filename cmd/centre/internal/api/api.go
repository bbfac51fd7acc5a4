// Package api answers the phones: HTTPS and JSON of sip/switchboard/wire. A phone proves itself with its own secret in
// every request; the agent's problems are answers, HTTP's problems are RFC 9457.
//
//	GET  /v1/agent            who is signed in here                  --> Desk
//	POST /v1/agent            sign in, pause, ...                    --> Desk
//	PUT  /v1/outcomes/{id}    what came of a call, idempotent        --> Records
//	PUT  /v1/messages/{id}    a message to an office, idempotent     --> Records
//	GET  /v1/knowledge        with ETag                              --> Config.Knowledge
//	GET  /v1/figures          the day's, of the team and the agent   --> Records
//
// It decides nothing about agents and queues, and logs no PIN, no secret, no number and no name of anybody.
package api

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

// A Desk is who knows and changes the agents' states.
type Desk interface {
	// State is the agent at a phone; State SignedOut with Device alone when nobody is there.
	State(device string) sip.Agent
	// Do does what the agent at a phone asks. It answers until ctx ends, with PBXAway at the latest.
	Do(ctx context.Context, device string, request sip.AgentRequest) sip.AgentReply
}

// Records are what outlives the program; the store has them.
type Records interface {
	CheckPhone(ctx context.Context, device, secret string) (bool, error)
	// Sat reports whether an agent has signed in at a phone lately.
	Sat(ctx context.Context, device, agent string) (bool, error)
	PutOutcome(ctx context.Context, o sip.Outcome) (changed bool, err error)
	PutMessage(ctx context.Context, m sip.OfficeMessage, due time.Time) (created bool, kept time.Time, err error)
	// Figures are those of the day that now lies in; OwnTally is the agent's part.
	Figures(ctx context.Context, from, until time.Time) (sip.DayFigures, error)
	OwnTally(ctx context.Context, from, until time.Time, agent string) (sip.Tally, error)
}

// A Config is what the API needs. All fields but Log, Now and Changed must be set.
type Config struct {
	Desk    Desk
	Records Records
	// Day is the day that a time lies in.
	Day func(now time.Time) (from, until time.Time)
	// Knowledge is the compiled file and its wire.Tag, which is not computed for each phone. No data: there is none yet.
	Knowledge func() (data []byte, tag string)
	// Due is when an office answers a message at the latest; zero: nothing is promised.
	Due func(m sip.OfficeMessage) time.Time
	// Changed is called when a new outcome or message was kept: the supervisor's page is out of date. Nil: nobody wants to know.
	Changed func()
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // nil: time.Now
}

// Bounds of time, in which a phone waits 3 s for its answer.
const (
	requestTimeout = 5 * time.Second
	figuresAge     = 5 * time.Second // the team's figures are counted at most so often, however many phones ask
)

// clockAhead and clockBehind bound how wrong a phone's clock may be before its times are not believed: its journal may
// hold an outcome for a long holiday.
const (
	clockAhead  = 10 * time.Minute
	clockBehind = 60 * 24 * time.Hour
)

type server struct {
	Config
	limits limits

	mu      sync.Mutex
	team    sip.DayFigures
	teamAt  time.Time // when team was counted; zero: never
	teamDay time.Time // the day it was counted for
}

// New makes the handler of everything below /v1/.
func New(config Config) http.Handler {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Changed == nil {
		config.Changed = func() {}
	}
	s := &server{Config: config}
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*call) error{
		"GET /v1/agent":         s.getAgent,
		"POST /v1/agent":        s.postAgent,
		"PUT /v1/outcomes/{id}": s.putOutcome,
		"PUT /v1/messages/{id}": s.putMessage,
		"GET /v1/knowledge":     s.getKnowledge,
		"GET /v1/figures":       s.getFigures,
	} {
		mux.Handle(pattern, s.authenticated(answer))
	}
	// Who asks for anything else proves himself first, too: strangers learn nothing.
	mux.Handle("/", s.authenticated(func(c *call) error {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			if _, pattern := mux.Handler(&http.Request{Method: method, URL: c.URL}); pattern != "/" {
				return problem(http.StatusMethodNotAllowed, "this address takes another method")
			}
		}
		return problem(http.StatusNotFound, "this switchboard has no such address; is the phone's software newer than the switchboard's?")
	}))
	return mux
}

// Server is an http.Server with the bounds that 5,000 phones want: connections that idle are closed soon, slow ones are
// cut. TLS before 1.2 is refused. certificates holds the switchboard's own.
func Server(handler http.Handler, certificates ...tls.Certificate) *http.Server {
	return &http.Server{
		Handler:           handler,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates},
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       5 * time.Second,
		MaxHeaderBytes:    8 << 10,
	}
}

// A call is one request of a phone that has proved itself.
type call struct {
	*http.Request
	w      http.ResponseWriter
	device string
	now    time.Time
}

// A refusal is an error of HTTP that the phone is told.
type refusal struct {
	wire.Problem
	after time.Duration // of 429
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Title, r.Detail) }

// problem is a refusal; its detail is a sentence that says what to do.
func problem(status int, detail string, arguments ...any) error {
	return &refusal{Problem: wire.Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(detail, arguments...)}}
}

func busy(after time.Duration) error {
	r := &refusal{after: after}
	r.Problem = wire.Problem{Title: http.StatusText(http.StatusTooManyRequests), Status: http.StatusTooManyRequests, Detail: "too many requests at once; wait as long as Retry-After says"}
	return r
}

// authenticated lets phones in that are known (RFC 7617).
func (s *server) authenticated(answer func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		c := &call{Request: r.WithContext(ctx), w: w, now: s.Now()}
		c.Body = http.MaxBytesReader(w, r.Body, wire.BodyMax)
		w.Header().Set("Cache-Control", "no-store") // RFC 9111 section 5.2.2.5: answers are about one phone
		w.Header().Set("X-Content-Type-Options", "nosniff")
		err := s.enter(c)
		if err == nil {
			err = answer(c)
		}
		if err != nil {
			s.refuse(c, err)
		}
	})
}

func (s *server) enter(c *call) error {
	device, secret, given := c.BasicAuth()
	if !given || device == "" {
		return problem(http.StatusUnauthorized, "the request names no phone; set the phone's name and secret")
	}
	known, err := s.Records.CheckPhone(c.Context(), device, secret)
	if err != nil {
		return err
	}
	if !known {
		return problem(http.StatusUnauthorized, "the switchboard does not know this phone with this secret; enter the phone at the switchboard, or give the phone its secret anew")
	}
	c.device = device
	if after := s.limits.take(c.now, device, requestLimit); after > 0 {
		return busy(after)
	}
	return nil
}

// refuse writes an error. The log names the phone, once it is known; strangers' names are theirs to choose.
func (s *server) refuse(c *call, err error) {
	var r *refusal
	if !errors.As(err, &r) {
		if errors.Is(err, context.Canceled) && c.Context().Err() != nil {
			return // the phone has gone
		}
		s.Log.Error("a phone's request failed", "phone", c.device, "method", c.Method, "address", c.Pattern, "error", err)
		errors.As(problem(http.StatusServiceUnavailable, "the switchboard could not do it now; try again, and look into the switchboard's log"), &r)
	} else if c.device != "" || s.limits.take(c.now, "", strangerLimit) == 0 {
		s.Log.Warn("a phone's request was refused", "phone", c.device, "from", host(c.RemoteAddr), "method", c.Method, "address", c.Pattern, "status", r.Status, "reason", r.Detail)
	}
	header := c.w.Header()
	if r.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Basic realm="switchboard", charset="UTF-8"`)
		header.Set("Connection", "close")
	}
	if r.after > 0 {
		header.Set("Retry-After", strconv.Itoa(int((r.after+time.Second-1)/time.Second)))
	}
	c.answer(r.Status, wire.ProblemType, wire.EncodeProblem(r.Problem))
}

// host is an address without its port: by it an administrator finds a phone whose secret is wrong.
func host(remote string) string {
	address, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return address
}

func (c *call) answer(status int, contentType string, data []byte) {
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(status)
	c.w.Write(data) // a phone that has gone asks again
}

func (c *call) json(status int, data []byte) error {
	c.answer(status, "application/json", data)
	return nil
}

// body reads the whole request.
func (c *call) body() ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(cmp.Or(c.Header.Get("Content-Type"), "application/json")); err != nil || kind != "application/json" {
		return nil, problem(http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	data, err := io.ReadAll(c.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, problem(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", wire.BodyMax)
	}
	if err != nil {
		return nil, problem(http.StatusBadRequest, "the body ended early")
	}
	return data, nil
}

// malformed is the answer to what cannot be decoded: wire's errors repeat nothing of a caller or of a PIN.
func malformed(err error) error { return problem(http.StatusUnprocessableEntity, "%s", err.Error()) }
