package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Bounds of the service line.
const (
	lineMax     = 256              // bytes of a command
	wrongMax    = 3                // passwords, before the line is deaf for a while
	deafFor     = 30 * time.Second //
	serviceIdle = 10 * time.Minute // after that the technician has gone home
)

// A Service is the phone's side of a serial line for technicians without a network: after a password the same requests
// as phonectl's, one a line.
//
//	password: ******
//	ok
//	> status
//	version: 1.0
//	ok
//	> selftest technician
//	ok
//	> dance
//	error 3 this phone does not know "dance"
//
// An answer ends with a line "ok", or "error STATUS TEXT". Ctrl-C or Ctrl-U empties the line that is being typed; "exit"
// and ten silent minutes end the login.
type Service struct {
	Server   *Server
	Password string // empty: nobody gets in
	Log      func(format string, values ...any)
}

// errTooLong is a line that nobody types.
var errTooLong = errors.New("the line is too long")

// Serve speaks with whoever is at the line until it breaks or ctx ends. The error is the line's, or that of ctx. Who ends
// ctx closes the line as well: a Read may wait in it.
func (s *Service) Serve(ctx context.Context, line io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &terminal{line: line, typed: make(chan []byte)}
	go t.listen(ctx)
	wrong := 0
	for ctx.Err() == nil {
		if s.Password == "" {
			t.say("no password is set in the configuration (service-line): nobody can log in\r\n")
			if _, err := t.read(ctx, false, time.Time{}); err != nil && !errors.Is(err, errTooLong) {
				return err
			}
			continue
		}
		t.say("password: ")
		typed, err := t.read(ctx, true, time.Time{})
		if err != nil && !errors.Is(err, errTooLong) {
			return err
		}
		if !equal(typed, s.Password) || err != nil {
			if wrong++; typed == "" && err == nil {
				wrong-- // somebody pressed Enter to see whether anybody is there
				continue
			}
			t.say("error 1 wrong password\r\n")
			if wrong >= wrongMax {
				s.Log("three wrong passwords on the service line; it is deaf for %s", deafFor)
				t.deaf(ctx, deafFor)
				wrong = 0
			}
			continue
		}
		wrong = 0
		s.Log("somebody has logged in on the service line")
		t.say("ok\r\n")
		if err := s.session(ctx, t); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// session answers until the technician leaves.
func (s *Service) session(ctx context.Context, t *terminal) error {
	for ctx.Err() == nil {
		t.say("> ")
		text, err := t.read(ctx, false, time.Now().Add(serviceIdle))
		verb, argument, _ := strings.Cut(strings.TrimSpace(text), " ")
		switch {
		case errors.Is(err, errTooLong):
			t.say(fmt.Sprintf("error 2 a line has at most %d bytes\r\n", lineMax))
			continue
		case errors.Is(err, errIdle):
			t.say("\r\nok logged out\r\n")
			return nil
		case err != nil:
			return err
		case verb == "":
			continue
		case verb == "exit" || verb == "logout":
			t.say("ok\r\n")
			return nil
		case verb == "help":
			t.say(strings.Join(s.Server.Verbs(), " ") + " exit\r\nok\r\n")
			continue
		}
		response := s.Server.answer(Request{Verb: verb, Argument: strings.TrimSpace(argument)})
		t.answer(response)
	}
	return ctx.Err()
}

// equal compares in the same time whatever was typed.
func equal(typed, password string) bool {
	a, b := sha256.Sum256([]byte(typed)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// errIdle is a line on which nobody has typed for long.
var errIdle = errors.New("nobody types")

// A terminal is a line as a person has it: what is typed is echoed and can be corrected.
type terminal struct {
	line    io.ReadWriter
	typed   chan []byte // closed when the line has ended
	ended   error       // why, once typed is closed
	pending []byte      // read and not yet looked at
	skipLF  bool        // the line before ended with CR: a LF belongs to it
}

// listen reads the line until it ends, or ctx does.
func (t *terminal) listen(ctx context.Context) {
	defer close(t.typed)
	for {
		var buffer [64]byte
		n, err := t.line.Read(buffer[:])
		if n > 0 {
			select {
			case t.typed <- buffer[:n]:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			t.ended = err
			return
		}
	}
}

// say writes to the line. While it is away nobody listens, and whoever comes back presses Enter.
func (t *terminal) say(text string) { _, _ = io.WriteString(t.line, text) }

// answer prints a response; every line of it ends as terminals want it.
func (t *terminal) answer(r Response) {
	text := strings.TrimSuffix(r.Text, "\n")
	if r.Status != Done {
		t.say(fmt.Sprintf("error %d %s\r\n", r.Status, strings.ReplaceAll(text, "\n", "; ")))
		return
	}
	if text != "" {
		t.say(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
	}
	t.say("ok\r\n")
}

// read is the next line that is typed, echoed or as stars. The zero time waits for ever.
func (t *terminal) read(ctx context.Context, secret bool, until time.Time) (string, error) {
	var typed []byte
	long := false
	for {
		b, err := t.next(ctx, until)
		if err != nil {
			return "", err
		}
		skip := t.skipLF && b == '\n'
		t.skipLF = b == '\r'
		switch {
		case skip:
		case b == '\r' || b == '\n':
			t.say("\r\n")
			if long {
				return "", errTooLong
			}
			return string(typed), nil
		case b == 0x03 || b == 0x15: // Ctrl-C, Ctrl-U
			t.say(strings.Repeat("\b \b", len(typed)))
			typed, long = typed[:0], false
		case b == 0x08 || b == 0x7f: // backspace, delete
			if n := len(typed); n > 0 {
				typed = typed[:n-1]
				t.say("\b \b")
			}
		case b < ' ':
		case len(typed) >= lineMax:
			long = true
		default:
			typed = append(typed, b)
			if secret {
				b = '*'
			}
			t.say(string(rune(b)))
		}
	}
}

// next is the next byte.
func (t *terminal) next(ctx context.Context, until time.Time) (byte, error) {
	var idle <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		idle = timer.C
	}
	for len(t.pending) == 0 {
		open := false
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-idle:
			return 0, errIdle
		case t.pending, open = <-t.typed:
			if !open {
				return 0, fmt.Errorf("console: reading the service line: %w", t.ended)
			}
		}
	}
	b := t.pending[0]
	t.pending = t.pending[1:]
	return b, nil
}

// deaf throws away what is typed.
func (t *terminal) deaf(ctx context.Context, how time.Duration) {
	until := time.Now().Add(how)
	for time.Now().Before(until) {
		if _, err := t.next(ctx, until); err != nil {
			return // the line's end is met again by the next read
		}
	}
}
