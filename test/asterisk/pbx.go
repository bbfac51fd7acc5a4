// Package asterisk starts a real Asterisk 22 for tests, and its tests are the phone's conversation with it: registration,
// queue calls, sound both ways, hold, digits, and a PBX that goes away.
//
//	pbx := asterisk.Start(t)              an Asterisk of its own on a free port of 127.0.0.1, ended with the test
//	pbx.WaitRegistered("201")
//	citizen := pbx.Originate("02812070")  somebody calls the queue; sends 1004 Hz, keeps what he hears
//
// The configuration is in etc; what the pbx does is at most what a customer's PBX does too. It must not work around a
// fault of the phone.
package asterisk

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	snippet "freizeichen/cmd/switchboard/asterisk"
	"freizeichen/test/tool"
)

// Password is the one of every phone of the configuration: 201 (digest MD5), 202 (SHA-256), 203 (SHA-512-256, SHA-256, MD5).
const Password = "telefon-geheim"

//go:embed etc/*.conf
var etc embed.FS

// empty are files that Asterisk asks for and finds nothing in.
var empty = []string{"ccss", "cdr", "cel", "codecs", "features", "musiconhold", "pjproject", "queuerules", "stasis", "udptl"}

// Bounds of what is waited for, on a machine that does other things too.
const (
	startMax    = 30 * time.Second
	commandMax  = 10 * time.Second
	registerMax = 30 * time.Second
	pollEvery   = 50 * time.Millisecond
	stopMax     = 5 * time.Second
)

// A PBX is a running Asterisk.
type PBX struct {
	t       testing.TB
	root    string // of its Debian
	dir     string // of this run, seen from root
	port    int    // SIP, UDP and TCP
	ami     int    // of the manager interface, TCP
	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone
	calls   int           // originated so far: their names
	edits   []Edit
}

// An Edit changes one file of this run's configuration: Old, which must be there, becomes New.
type Edit struct{ File, Old, New string }

// Start starts an Asterisk that ends with the test. The test skips without one, and fails in CI.
func Start(t testing.TB, edits ...Edit) *PBX {
	t.Helper()
	p := &PBX{t: t, root: tool.Asterisk(t), edits: edits}
	hosts(t, p.root)
	sweep(t, p.root)
	dir, err := os.MkdirTemp(filepath.Join(p.root, "tmp"), "pbx-")
	if err != nil {
		t.Fatal(err)
	}
	p.dir = strings.TrimPrefix(dir, p.root)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Asterisk's log:\n%s", tail(p.Log(), 150))
		}
		p.stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	// Between looking for a free port and binding it, somebody else may take it.
	for range 3 {
		p.port, p.ami = tool.FreePort(t), tool.FreePort(t)
		p.configure()
		if err = p.start(); err == nil {
			return p
		}
		p.stop()
	}
	t.Fatalf("asterisk: %v", err)
	return nil
}

// hosts gives the Debian a name for this machine: without one, Asterisk asks the DNS for it at every call.
func hosts(t testing.TB, root string) {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	want := "127.0.0.1 localhost " + name + "\n"
	path := filepath.Join(root, "etc/hosts")
	if have, err := os.ReadFile(path); err == nil && string(have) == want {
		return
	}
	// Another run may read it now: it is replaced in one step.
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := errors.Join(os.WriteFile(temporary, []byte(want), 0o644), os.Rename(temporary, path)); err != nil {
		t.Fatal(err)
	}
}

// sweep removes what runs left that were killed, a day ago or longer.
func sweep(t testing.TB, root string) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(root, "tmp/pbx-*"))
	for _, dir := range dirs {
		if info, statErr := os.Stat(dir); statErr == nil && time.Since(info.ModTime()) > 24*time.Hour {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// configure writes this run's files.
func (p *PBX) configure() {
	p.t.Helper()
	values := strings.NewReplacer("@DIR@", p.dir, "@SIP@", strconv.Itoa(p.port), "@AMI@", strconv.Itoa(p.ami), "@PASSWORD@", Password)
	files := map[string]string{}
	for _, name := range empty {
		files[name+".conf"] = "[general]\n"
	}
	files["acl.conf"] = "; none\n"
	names, err := fs.Glob(etc, "etc/*.conf")
	for _, name := range names {
		data, readErr := etc.ReadFile(name)
		err = errors.Join(err, readErr)
		files[filepath.Base(name)] = values.Replace(string(data))
	}
	snippets, listErr := snippet.Files.ReadDir(".")
	err = errors.Join(err, listErr)
	for _, file := range snippets {
		data, readErr := snippet.Files.ReadFile(file.Name())
		err = errors.Join(err, readErr)
		files[file.Name()] = strings.ReplaceAll(string(data), "secret = change-me", "secret = "+Password)
	}
	for _, e := range p.edits {
		if !strings.Contains(files[e.File], e.Old) {
			p.t.Fatalf("%s does not have %q", e.File, e.Old)
		}
		files[e.File] = strings.ReplaceAll(files[e.File], e.Old, e.New)
	}
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(p.path(name), []byte(text), 0o644))
	}
	for _, name := range []string{"run", "var", "log", "spool"} {
		err = errors.Join(err, os.MkdirAll(p.path(name), 0o755))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// path is a file of this run, seen from outside.
func (p *PBX) path(name string) string { return filepath.Join(p.root, p.dir, name) }

// command runs Asterisk's program in its Debian.
func (p *PBX) command(ctx context.Context, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/usr/sbin/asterisk", append([]string{"-C", p.dir + "/asterisk.conf"}, arguments...)...)
	c.Dir = "/"
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LANG=C.UTF-8"}
	// Pdeathsig: a test that is killed leaves no Asterisk behind.
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: p.root, Pdeathsig: syscall.SIGKILL}
	return c
}

func (p *PBX) start() error {
	p.process = p.command(context.Background(), "-f") // -f stays in the foreground: the process is the one we know
	if err := p.process.Start(); err != nil {
		p.process = nil
		return err
	}
	process, exited := p.process, make(chan struct{})
	p.exited = exited
	go func() {
		_ = process.Wait() // its log says more
		close(exited)
	}()
	deadline := time.Now().Add(startMax)
	for time.Now().Before(deadline) {
		if strings.Contains(p.ask("core waitfullybooted"), "fully booted") {
			// The transports are there, or another program had the port.
			if n := strings.Count(p.ask("pjsip show transports"), fmt.Sprintf("127.0.0.1:%d", p.port)); n >= 2 {
				return nil
			}
			return fmt.Errorf("port %d is taken", p.port)
		}
		select {
		case <-exited:
			return fmt.Errorf("it ended while starting:\n%s", tail(p.Log(), 20))
		case <-time.After(pollEvery):
		}
	}
	return fmt.Errorf("it was not ready within %s", startMax)
}

// stop ends the process that start began, by its id.
func (p *PBX) stop() {
	if p.process == nil {
		return
	}
	_ = p.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopMax):
		_ = p.process.Process.Kill()
		<-p.exited
	}
	p.process = nil
}

// Stop ends Asterisk without a word to the phones, as a power cut does.
func (p *PBX) Stop() {
	if p.process != nil {
		_ = p.process.Process.Kill()
		<-p.exited
		p.process = nil
	}
}

// Restart stops Asterisk and starts it with an empty memory, on the same port: no phone is registered.
func (p *PBX) Restart() {
	p.t.Helper()
	p.Stop()
	if err := errors.Join(os.RemoveAll(p.path("var")), os.Mkdir(p.path("var"), 0o755)); err != nil {
		p.t.Fatal(err)
	}
	if err := p.start(); err != nil {
		p.t.Fatalf("asterisk: restart: %v", err)
	}
}

// Address is where it takes SIP, UDP and TCP: "127.0.0.1:5160".
func (p *PBX) Address() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

// Manager is where it takes the manager interface, see manager.conf.
func (p *PBX) Manager() string { return fmt.Sprintf("127.0.0.1:%d", p.ami) }

// PID is the process's, for measurements; 0 while it is stopped.
func (p *PBX) PID() int {
	if p.process == nil {
		return 0
	}
	return p.process.Process.Pid
}

// CLI runs a command of Asterisk's console and gives its output.
func (p *PBX) CLI(command string) string {
	p.t.Helper()
	out := p.ask(command)
	if strings.Contains(out, "No such command") || strings.HasPrefix(out, "Unable to connect") {
		p.t.Fatalf("asterisk: %q: %s", command, out)
	}
	return out
}

func (p *PBX) ask(command string) string {
	ctx, cancel := context.WithTimeout(context.Background(), commandMax)
	defer cancel()
	out, _ := p.command(ctx, "-rx", command).CombinedOutput() // an error is in what it says
	return strings.TrimSpace(string(out))
}

// Log is everything it has logged, from verbose up, but our own questions.
func (p *PBX) Log() string {
	data, err := os.ReadFile(p.path("log/full"))
	if err != nil {
		return err.Error()
	}
	var lines strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, "Remote UNIX connection") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// WaitRegistered waits until Asterisk knows the phone and would send it a call.
func (p *PBX) WaitRegistered(user string) {
	p.t.Helper()
	p.wait(registerMax, user+" is registered and reachable", func() bool { return p.Reachable(user) })
}

// WaitGone waits until Asterisk knows the phone no more.
func (p *PBX) WaitGone(user string) {
	p.t.Helper()
	p.wait(registerMax, user+" is unregistered", func() bool {
		return !strings.Contains(p.ask("pjsip show contacts"), "sip:"+user+"@") && !strings.Contains(p.ask("pjsip show contacts"), " "+user+"/")
	})
}

// Reachable reports whether the phone is registered and has answered OPTIONS: queues call only such.
func (p *PBX) Reachable(user string) bool {
	for line := range strings.Lines(p.ask("pjsip show contacts")) {
		if strings.Contains(line, "Contact:") && strings.Contains(line, " "+user+"/") && strings.Contains(line, "Avail") {
			return true
		}
	}
	return false
}

// WaitLog waits until the log holds a text.
func (p *PBX) WaitLog(text string) {
	p.t.Helper()
	p.wait(commandMax, fmt.Sprintf("Asterisk logs %q", text), func() bool { return strings.Contains(p.Log(), text) })
}

func (p *PBX) wait(most time.Duration, what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(most); !done(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited %s in vain until %s", most, what)
		}
	}
}

// tail is the last lines of a text.
func tail(text string, most int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
