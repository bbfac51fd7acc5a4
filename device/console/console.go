// Package console lets a program on the same machine drive and ask a running phone, through a Unix domain socket that
// only the phone's own user can open. It sends requests and key presses to device/loop and reads what it shows; it
// decides nothing.
//
//	phonectl --line of JSON--> Server --Ask, Post--> device/loop
//	         <--line of JSON--        <--View, Text, Transcript--
package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"freizeichen/device/loop"
	"freizeichen/hal"
	"freizeichen/sip"
)

// Bounds of the socket: more than any script needs, little enough to do no harm.
const (
	requestMax  = 4 << 10
	connections = 16
	answerMax   = 5 * time.Second
	idleMax     = 30 * time.Second // a connection that says nothing gives its place to another
)

// A Status is the outcome of a request, and phonectl's exit status.
type Status int

// The outcomes.
const (
	Done         Status = 0
	Refused      Status = 1 // the text says why
	Usage        Status = 2 // the request is malformed; the text says how it should be
	NotSupported Status = 3 // this phone does not know the verb
)

// Request is one line of JSON to the phone.
type Request struct {
	Verb     string `json:"verb"`
	Argument string `json:"argument,omitempty"`
}

// Response is one line of JSON from the phone.
type Response struct {
	Status Status `json:"status"`
	Text   string `json:"text,omitempty"` // may have several lines
}

// Keys presses the phone's keys, so that what a program presses and what a person presses cannot differ. A body
// without such a thing has its presses posted to the loop by the program that joins the two.
type Keys interface {
	Press(hal.Key)
	Release(hal.Key)
	Hook(up bool)
}

// Config is what a Server speaks for.
type Config struct {
	Loop *loop.Loop
	Keys Keys
	// Statistics of a running call, or of one that has just ended; implemented by sip/media.
	Statistics func(sip.CallID) (sip.Statistics, bool)
	// SelfTest is nil for a phone that has none.
	SelfTest SelfTest
	Version  string
	Logger   *slog.Logger
}

// SelfTest is what programs ask about the phone's self-test. A person's test is asked for as phone.AskTest.
type SelfTest interface {
	// PowerOn runs the test of every start again; it needs nobody and ends within three seconds.
	PowerOn(context.Context) error
	// Progress is one line about the test that runs, or about the last one; over says which.
	Progress() (line string, over bool)
	// Report is the last report as a JSON document, nil without one.
	Report() []byte
}

// Server answers on one socket.
type Server struct {
	config   Config
	listener net.Listener
	slots    chan struct{}
	idle     time.Duration // idleMax, less in tests
	wait     sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// DefaultSocket is where a phone listens unless told otherwise: below XDG_RUNTIME_DIR, or below a directory in the
// system's temporary directory that belongs to the user.
func DefaultSocket() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "freizeichen", "phone.sock")
	}
	return filepath.Join(os.TempDir(), "freizeichen-"+strconv.Itoa(os.Getuid()), "phone.sock")
}

// serviceSocket is where the phone of cmd/phoned/systemd listens.
const serviceSocket = "/run/phoned/phone.sock"

// FindSocket is where a program looks for the phone that is meant when nobody says: the user's own, else the service's.
func FindSocket() string {
	if _, err := os.Stat(DefaultSocket()); err != nil {
		if _, err := os.Stat(serviceSocket); err == nil {
			return serviceSocket
		}
	}
	return DefaultSocket()
}

// Listen opens the socket. A socket left over by a dead phone is replaced; that of a living one is an error.
func Listen(path string, config Config) (*Server, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("console: make the socket's directory: %w", err)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("console: another phone listens on %s; choose another path with -socket", path)
	}
	if err := removeLeftOver(path); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("console: listen: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("console: protect the socket: %w", err)
	}
	return &Server{config: config, listener: listener, slots: make(chan struct{}, connections), idle: idleMax, open: map[net.Conn]bool{}}, nil
}

// removeLeftOver removes a dead phone's socket, and nothing else: the path may be a slip of the pen that names a document.
func removeLeftOver(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("console: %s is not a socket; choose another path with -socket", path)
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("console: replace a left-over socket: %w", err)
	}
	return nil
}

// Verbs is what can be asked, sorted.
func (s *Server) Verbs() []string { return slices.Sorted(maps.Keys(verbs)) }

// Run answers until Close. It returns when the last connection is gone.
func (s *Server) Run() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			break
		}
		s.slots <- struct{}{}
		if !s.keep(conn) {
			break
		}
		s.wait.Go(func() {
			defer func() { <-s.slots }()
			defer s.drop(conn)
			s.serve(conn)
		})
	}
	s.wait.Wait()
}

// Close ends Run and all connections, and removes the socket.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	if err := s.listener.Close(); err != nil {
		return fmt.Errorf("console: close: %w", err)
	}
	return nil
}

func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.open[conn] = true
	return true
}

func (s *Server) drop(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	_ = conn.Close()
}

// serve answers one connection line by line.
func (s *Server) serve(conn net.Conn) {
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, requestMax), requestMax)
	out := json.NewEncoder(conn)
	for s.next(conn, lines) {
		var request Request
		response := Response{Status: Usage, Text: `a request is one line such as {"verb":"dial","argument":"115"}`}
		if err := json.Unmarshal(lines.Bytes(), &request); err == nil {
			response = s.answer(request)
		}
		_ = conn.SetWriteDeadline(time.Now().Add(answerMax))
		if err := out.Encode(response); err != nil {
			return
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		_ = out.Encode(Response{Status: Usage, Text: fmt.Sprintf("the request is longer than %d bytes", requestMax)})
	}
}

// next waits for a line, but not for ever.
func (s *Server) next(conn net.Conn, lines *bufio.Scanner) bool {
	_ = conn.SetReadDeadline(time.Now().Add(s.idle))
	return lines.Scan()
}

func (s *Server) answer(r Request) Response {
	ctx, cancel := context.WithTimeout(context.Background(), answerMax)
	defer cancel()
	do, known := verbs[r.Verb]
	if !known {
		return Response{NotSupported, fmt.Sprintf("this phone does not know %q", r.Verb)}
	}
	return do(s, ctx, r.Argument)
}
