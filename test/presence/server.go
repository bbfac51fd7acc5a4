// Package presence starts a real Kamailio as the presence server of a big site, and its tests are the whole way of a
// queue's status there: publisher, server, and the phones' own user agent. The configuration in etc is what a site can
// begin with.
//
//	server := presence.Start(t)     a Kamailio of its own on a free port of 127.0.0.1, ended with the test
package presence

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"freizeichen/test/tool"
)

// Password is everybody's in the test's configuration, Domain the address of all queues and phones.
const (
	Password = "telefon-geheim"
	Domain   = "presence.example"
)

//go:embed etc/kamailio.cfg
var configuration string

// Bounds of what is waited for, on a machine that does other things too.
const (
	startMax  = 20 * time.Second
	stopMax   = 10 * time.Second
	pollEvery = 50 * time.Millisecond
)

// A Server is a running Kamailio.
type Server struct {
	t       testing.TB
	program string
	dir     string
	port    int
	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone
}

// Start starts a Kamailio that ends with the test. The test skips without one, and fails in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, program: tool.Kamailio(t), dir: t.TempDir()}
	t.Cleanup(func() {
		s.Stop()
		if log, err := os.ReadFile(s.path("log")); t.Failed() {
			t.Logf("Kamailio's log: %v\n%s", err, log)
		}
	})
	var err error
	for range 3 { // between looking for a free port and binding it, somebody else may take it
		s.port = tool.FreePort(t)
		if err = s.start(); err == nil {
			return s
		}
		s.Stop()
	}
	t.Fatalf("kamailio: %v", err)
	return nil
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// Address is where it takes SIP, UDP and TCP.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *Server) start() error {
	text := strings.NewReplacer("@PORT@", fmt.Sprint(s.port), "@PASSWORD@", Password).Replace(configuration)
	if err := os.WriteFile(s.path("kamailio.cfg"), []byte(text), 0o644); err != nil {
		return err
	}
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	// -DD: the process that we know stays, and its children end with it.
	s.process = exec.Command(s.program, "-f", s.path("kamailio.cfg"), "-DD", "-E", "-m", "1024", "-M", "16", "-x", "tlsf", "-X", "tlsf", "-Y", s.dir)
	s.process.Stdout, s.process.Stderr = log, log
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := s.process.Start(); err != nil {
		s.process = nil
		return err
	}
	process, exited := s.process, make(chan struct{})
	s.exited = exited
	go func() {
		_ = process.Wait() // its log says more
		close(exited)
	}()
	for deadline := time.Now().Add(startMax); time.Now().Before(deadline); {
		if s.answers() {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("it ended while starting: %v", process.ProcessState)
		case <-time.After(pollEvery):
		}
	}
	return fmt.Errorf("it was not ready within %s", startMax)
}

// answers reports whether OPTIONS is answered by UDP.
func (s *Server) answers() bool {
	conn, err := net.Dial("udp", s.Address())
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	local := conn.LocalAddr().String()
	fmt.Fprintf(conn, "OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[2]s\r\nMax-Forwards: 70\r\nFrom: <sip:test@%[2]s>;tag=a\r\n"+
		"To: <sip:%[1]s>\r\nCall-ID: %[2]s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", s.Address(), local)
	answer := make([]byte, 2000)
	n, err := conn.Read(answer)
	return err == nil && strings.HasPrefix(string(answer[:n]), "SIP/2.0 200 ")
}

// Stop ends Kamailio; subscriptions and publications are forgotten.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopMax):
		_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL) // the group is its own: it and its children
		<-s.exited
	}
	s.process = nil
}

// Restart stops Kamailio and starts it with an empty memory, on the same port.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.start(); err != nil {
		s.t.Fatalf("kamailio: restart: %v", err)
	}
}

// PID is the process's, for measurements; it leads a group of its own, its children's too. 0 while it is stopped.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}
