package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/device/loop"
	"freizeichen/device/phone"
	"freizeichen/sip"
)

// fakeTest is a self-test that has been done.
type fakeTest struct{}

func (fakeTest) PowerOn(context.Context) error { return nil }
func (fakeTest) Progress() (string, bool)      { return "PASS", true }
func (fakeTest) Report() []byte                { return []byte(`{"outcome":"PASS"}`) }

// technician types on one end of a line and reads what the phone says.
type technician struct {
	t    *testing.T
	line net.Conn
	mu   sync.Mutex
	seen string
}

func (f *technician) listen() {
	buffer := make([]byte, 512)
	for {
		n, err := f.line.Read(buffer)
		f.mu.Lock()
		f.seen += string(buffer[:n])
		f.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// types sends text and gives what the phone has said since, a moment later.
func (f *technician) types(text string) string {
	f.t.Helper()
	if _, err := io.WriteString(f.line, text); err != nil {
		f.t.Fatal(err)
	}
	return f.later(time.Second)
}

func (f *technician) later(d time.Duration) string {
	time.Sleep(d)
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen = ""
	return seen
}

// atTheLine runs a conversation with a phone whose password is given.
func atTheLine(t *testing.T, password string, talk func(*technician)) (logged string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := loop.New(loop.Config{
			Phone: phone.New(phone.Config{Name: "201"}), Network: silent{}, Body: silent{}, Voice: silent{}, Painter: silent{},
			Logger: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { _ = l.Run(ctx) })
		ours, theirs := net.Pipe()
		server := &Server{config: Config{Loop: l, Keys: posting{l}, SelfTest: fakeTest{}, Version: "1",
			Statistics: func(sip.CallID) (sip.Statistics, bool) { return sip.Statistics{}, false }}}
		service := Service{Server: server, Password: password, Log: func(format string, values ...any) { logged += fmt.Sprintf(format, values...) + "\n" }}
		var err error
		wait.Go(func() { err = service.Serve(ctx, ours) })
		f := &technician{t: t, line: theirs}
		wait.Go(f.listen)
		talk(f)
		cancel()
		theirs.Close()
		ours.Close()
		wait.Wait()
		if err == nil {
			t.Error("the line's end is no error")
		}
	})
	return logged
}

func TestATechnicianLogsInAndAsksAsWithPhonectl(t *testing.T) {
	logged := atTheLine(t, "schraube", func(f *technician) {
		for _, c := range []struct{ typed, want string }{
			{"schraube\r\n", "password: ********\r\nok\r\n> "},
			{"status\r", "status\r\nversion: 1\r\n"},
			{"\n", ""}, // belongs to the CR
			{"dance\r", "dance\r\nerror 3 this phone does not know \"dance\"\r\n> "},
			{"  press   5 \r", "ok\r\n> "},
			{"press any\r", "error 2 there is no key"},
			{"answer\r", "error 1 no call is ringing\r\n> "},
			{"selftest thorough\r", "error 1 there is no such self-test"},
			{"selftest-report\r", "{\"outcome\":\"PASS\"}\r\nok\r\n"},
			{"selftest-progress\r", "over PASS\r\n"},
			{"statuz\x7fs\r", "statuz\b \bs\r\nversion: 1"},
			{"nonsense\x15show\r", "\b \bshow\r\nregistering"},
			{"\x00\x01\xff\xfe\r", "error 3"},
			{strings.Repeat("x", 1000) + "\r", "error 2 a line has at most 256 bytes"},
			{"\r", "> "},
			{"help\r", "transcript transfer exit"},
			{"exit\r", "ok\r\npassword: "},
		} {
			if got := f.types(c.typed); !strings.Contains(got, c.want) {
				t.Errorf("%q is answered %q, want %q", c.typed, got, c.want)
			}
		}
	})
	if !strings.Contains(logged, "logged in") || strings.Contains(logged, "schraube") {
		t.Errorf("the log says %q", logged)
	}
}

func TestWhoGuessesThePasswordFindsADeafLine(t *testing.T) {
	logged := atTheLine(t, "schraube", func(f *technician) {
		for range wrongMax {
			if got := f.types("hammer\r"); !strings.Contains(got, "error 1 wrong password") {
				t.Fatalf("answered %q", got)
			}
		}
		if got := f.types("schraube\r"); got != "" {
			t.Errorf("a deaf line says %q", got)
		}
		f.later(deafFor)
		if got := f.types("schraube\r"); !strings.Contains(got, "ok") {
			t.Errorf("afterwards it says %q", got)
		}
	})
	if !strings.Contains(logged, "three wrong passwords") {
		t.Errorf("the log says %q", logged)
	}
}

func TestALoginEndsWhenNobodyTypes(t *testing.T) {
	atTheLine(t, "schraube", func(f *technician) {
		f.types("schraube\r")
		if got := f.later(serviceIdle + time.Minute); !strings.Contains(got, "logged out") || !strings.HasSuffix(got, "password: ") {
			t.Errorf("it says %q", got)
		}
	})
}

func TestWithoutAPasswordNobodyGetsIn(t *testing.T) {
	atTheLine(t, "", func(f *technician) {
		if got := f.types("\r") + f.types("status\r"); !strings.Contains(got, "nobody can log in") || strings.Contains(got, "version") {
			t.Errorf("it says %q", got)
		}
	})
}

func FuzzService(f *testing.F) {
	f.Add([]byte("ehei\x03eheima\x08\x08\rstatus\r\x15help\r"))
	f.Fuzz(func(t *testing.T, typed []byte) {
		if strings.Contains(string(typed), "g") {
			return // it may be the password
		}
		ours := &recorded{in: typed}
		service := Service{Server: &Server{}, Password: "geheim", Log: func(string, ...any) {}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ours.done = cancel
		_ = service.Serve(ctx, ours)
		if strings.Contains(ours.out.String(), "\n> ") {
			t.Errorf("%q logs in", typed)
		}
	})
}

// recorded is a line on which everything has been typed already.
type recorded struct {
	in   []byte
	out  strings.Builder
	done func()
}

func (r *recorded) Read(b []byte) (int, error) {
	n := copy(b, r.in)
	r.in = r.in[n:]
	if n == 0 {
		r.done()
		return 0, io.EOF
	}
	return n, nil
}

func (r *recorded) Write(b []byte) (int, error) { return r.out.Write(b) }
