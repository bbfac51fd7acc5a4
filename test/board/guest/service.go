//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/test/board/rig/wire"
)

// notifyPath is where the program tells how it is, sd_notify(3).
const notifyPath = "/run/notify"

// lingerMax is how long is waited for the last lines of a program that has ended, should a child of it hold the pipe.
const lingerMax = 2 * time.Second

// A service is the program under test.
type service struct {
	link    *link
	program wire.Program
	timeout time.Duration

	mu       sync.Mutex
	process  *exec.Cmd // nil when it does not run
	watchdog *os.File  // nil until the program says the first time that it lives
}

func newService(link *link, config wire.Config) (*service, error) {
	s := &service{link: link, program: config.Program, timeout: config.Watchdog}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notifyPath, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(notifyPath, 0o666); err != nil {
		return nil, err
	}
	go s.listen(socket)
	return s, nil
}

func credential(p wire.Program) *syscall.Credential {
	c := &syscall.Credential{Uid: uint32(p.UID), Gid: uint32(p.UID)}
	for i, gid := range p.GIDs {
		if i == 0 {
			c.Gid = uint32(gid)
			continue
		}
		c.Groups = append(c.Groups, uint32(gid))
	}
	return c
}

// start starts the program; its end is told.
func (s *service) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return fmt.Errorf("%s runs already", s.program.Path)
	}
	c := command(s.program)
	c.Env = append(c.Env, "NOTIFY_SOCKET="+notifyPath)
	if s.program.WatchdogEvery > 0 {
		c.Env = append(c.Env, "WATCHDOG_USEC="+strconv.FormatInt(s.program.WatchdogEvery.Microseconds(), 10))
	}
	r, w := io.Pipe()
	c.Stdout, c.Stderr, c.WaitDelay = w, w, lingerMax
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.program.Path, err)
	}
	s.process = c
	s.link.tell(wire.Started, strconv.Itoa(c.Process.Pid))
	told := make(chan struct{})
	go func() {
		defer close(told)
		lines := bufio.NewReaderSize(r, 64<<10)
		for {
			line, err := lines.ReadString('\n')
			if line != "" {
				s.link.tell(wire.Output, strings.TrimSuffix(line, "\n"))
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		err := c.Wait()
		w.Close()
		<-told
		s.mu.Lock()
		s.process = nil
		s.mu.Unlock()
		text := "exit status 0"
		if err != nil {
			text = err.Error()
		}
		s.link.tell(wire.Ended, text)
	}()
	return nil
}

// signal sends the program a signal.
func (s *service) signal(number int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return errors.New("the program does not run")
	}
	return unix.Kill(s.process.Process.Pid, unix.Signal(number))
}

// pid is the program's process number, 0 when it does not run.
func (s *service) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}

// listen passes on what the program tells of itself. The watchdog lives of it and of nothing else.
func (s *service) listen(socket *net.UnixConn) {
	message := make([]byte, 8192)
	for {
		n, err := socket.Read(message)
		if err != nil {
			fmt.Println("guest: notify socket:", err)
			return
		}
		for state := range strings.SplitSeq(strings.TrimSpace(string(message[:n])), "\n") {
			status, isStatus := strings.CutPrefix(state, "STATUS=")
			switch {
			case state == "READY=1":
				s.feed()
				s.link.tell(wire.Ready, "")
			case state == "WATCHDOG=1":
				s.feed()
				s.link.tell(wire.Fed, "")
			case isStatus:
				s.link.tell(wire.Status, status)
			default:
				s.link.tell(wire.Notified, state)
			}
		}
	}
}

// feed keeps the kernel's watchdog quiet for its time, and lets it loose at the first call.
func (s *service) feed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timeout <= 0 {
		return
	}
	if s.watchdog == nil {
		file, err := os.OpenFile("/dev/watchdog", os.O_WRONLY, 0)
		if err == nil {
			err = unix.IoctlSetPointerInt(int(file.Fd()), unix.WDIOC_SETTIMEOUT, int(s.timeout/time.Second))
		}
		if err != nil {
			fmt.Println("guest: watchdog:", err)
			return
		}
		s.watchdog = file
	}
	if _, err := s.watchdog.Write([]byte{0}); err != nil {
		fmt.Println("guest: watchdog:", err)
	}
}
