//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"freizeichen/sip/presence/publisher"
	"freizeichen/test/bench/stand"
)

// buildSwitchboard builds the program as it is released.
func buildSwitchboard(ctx context.Context, s *stand.Stand) (path string) {
	path = filepath.Join(s.TempDir(), "switchboard")
	s.Logf("building switchboard as it is released: CGO_ENABLED=0 go build -trimpath -ldflags '-s -w'")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "freizeichen/cmd/switchboard")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		s.Fatalf("building switchboard: %v\n%s", err, out)
	}
	return path
}

// A site is what a switchboard is told of its surroundings.
type site struct {
	manager, secret string           // of Asterisk, real or not
	publish         publisher.Config // the presence server; without Server: by Asterisk
	queues          []string
}

// configuration is the file. Nobody asks by HTTPS, and the port is nobody's.
func (c site) configuration(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "asterisk:\n  address: %q\n  secret: %q\n", c.manager, c.secret)
	if c.publish.Server != "" {
		fmt.Fprintf(&b, "presence:\n  by: publish\n  server: %q\n  domain: %q\n  user: switchboard\n  password: %q\n", c.publish.Server, c.publish.Domain, c.publish.Password)
	}
	fmt.Fprintf(&b, "https:\n  listen: 127.0.0.1:0\n  certificate: %[1]s/switchboard.crt\n  key: %[1]s/switchboard.key\n", dir)
	fmt.Fprintf(&b, "metrics: \"\"\ndatabase: %[1]s/switchboard.db\ndata: %[1]s\nqueues:\n", dir)
	for _, name := range c.queues {
		fmt.Fprintf(&b, "  - name: %s\n    title: Kreis Wesel Zulassung\n    target: 80\n", name)
	}
	return b.String()
}

// startSwitchboard starts the program; it ends with the stand. before is done when its folder and file are there.
func startSwitchboard(s *stand.Stand, program string, c site, before func(file string)) (pid int) {
	dir := s.TempDir()
	file := filepath.Join(dir, "switchboard.yaml")
	if err := os.WriteFile(file, []byte(c.configuration(dir)), 0o600); err != nil {
		s.Fatal(err)
	}
	if out, err := exec.Command(program, "certificate", "-out", dir, "127.0.0.1").CombinedOutput(); err != nil {
		s.Fatalf("switchboard certificate: %v\n%s", err, out)
	}
	if before != nil {
		before(file)
	}
	process := exec.Command(program, "-config", file)
	said := &bytes.Buffer{}
	process.Stdout, process.Stderr = said, said
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		s.Fatalf("starting the switchboard: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	s.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(farewell, func() { _ = process.Process.Kill() })
		defer late.Stop()
		if err := <-ended; err != nil {
			s.Errorf("the switchboard: %v; it said:\n%s", err, said)
		}
	})
	return process.Process.Pid
}
