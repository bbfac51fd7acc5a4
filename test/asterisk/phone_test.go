package asterisk

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"freizeichen/test/tool"
)

// programs is the folder with phonesim, phonectl and switchboard, built once. TestMain removes it. In CI they are built with the
// race detector, which takes three times as long: these tests are the busiest life that a whole phone has here.
var programs = sync.OnceValues(func() (string, error) {
	dir := os.Getenv(programsVariable)
	build := exec.Command("go", "build", "-o", dir, "./cmd/phonesim", "./cmd/phonectl", "./cmd/switchboard")
	if tool.CI() {
		build.Args = slices.Insert(build.Args, 2, "-race")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return dir, nil
})

const programsVariable = "FREIZEICHEN_TEST_PROGRAMS"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "freizeichen-programs-")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Setenv(programsVariable, dir); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		log.Print(err)
	}
	os.Exit(code)
}

// Times that a phone may take, generous on a machine that does other things too.
const (
	shownMax  = 10 * time.Second
	farewell  = 10 * time.Second
	phoneTone = 700 // Hz of what a phone with sound says
)

// A phone is a running phonesim without page and exchange.
type phone struct {
	t       *testing.T
	dir     string
	socket  string
	process *exec.Cmd
	output  string // file of what it prints
	exited  chan struct{}
	killed  bool // by kill: no clean end is to be expected
}

// startPhone starts a phone at the PBX. The password "" means the right one.
func startPhone(t *testing.T, pbx *PBX, user string, arguments ...string) *phone {
	t.Helper()
	return startAt(t, fmt.Sprintf("sip:%s:%s@%s", user, Password, pbx.Address()), arguments...)
}

func startAt(t *testing.T, account string, arguments ...string) *phone {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &phone{t: t, dir: dir, socket: filepath.Join(dir, "phone.sock"), output: filepath.Join(dir, "output"), exited: make(chan struct{})}
	// Each phone has ports of its own, so that nobody hears another's sound.
	first := 20000 + tool.FreePort(t)%4000
	p.process = exec.Command(filepath.Join(bin, "phonesim"), append([]string{"-headless", "-pbx", account, "-socket", p.socket,
		"-sip", "127.0.0.1:0", "-rtp", fmt.Sprintf("%d-%d", first, first+99), "-sound", "tone:700"}, arguments...)...)
	output, err := os.Create(p.output)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close() // the process has its own
	p.process.Stdout, p.process.Stderr = output, output
	p.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.process.Wait() // what it says is in its output
		close(p.exited)
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the panel of %s:\n%s\nits status:\n%s", account, p.try("show"), p.try("status"))
		}
		p.stop()
		if t.Failed() {
			t.Logf("what %s said:\n%s", account, tail(p.said(), 60))
		}
	})
	p.wait("its socket answers", func() bool { return p.run("status").Run() == nil })
	return p
}

// stop switches the phone off, as SIGTERM does: it ends its calls and its registration.
func (p *phone) stop() {
	p.t.Helper()
	if p.killed {
		return
	}
	terminate(p.t, "phone", p.process, p.exited)
}

// terminate asks a program of ours to end and wants it to do so in time and well.
func terminate(t testing.TB, name string, program *exec.Cmd, exited <-chan struct{}) {
	t.Helper()
	_ = program.Process.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(farewell):
		t.Errorf("the %s has not ended %s after SIGTERM", name, farewell)
		_ = program.Process.Kill()
		<-exited
	}
	// A race that was found is exit status 66, a panic 2.
	if status := program.ProcessState; !status.Success() {
		t.Errorf("the %s ended with %s", name, status)
	}
}

// kill ends the phone as a power cut does.
func (p *phone) kill() {
	p.killed = true
	_ = p.process.Process.Kill()
	<-p.exited
}

// said is what the phone has printed.
func (p *phone) said() string {
	data, err := os.ReadFile(p.output)
	if err != nil {
		p.t.Error(err)
	}
	return string(data)
}

// run is phonectl at this phone.
func (p *phone) run(words ...string) *exec.Cmd {
	bin, _ := programs() // startPhone has seen its error
	return exec.Command(filepath.Join(bin, "phonectl"), append([]string{"-socket", p.socket}, words...)...)
}

// ctl asks the phone for something that it must do.
func (p *phone) ctl(words ...string) string {
	p.t.Helper()
	c := p.run(words...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		p.t.Fatalf("phonectl %s: %v: %s", strings.Join(words, " "), err, stderr.String())
	}
	return string(out)
}

// try asks for something that may fail.
func (p *phone) try(words ...string) string {
	out, _ := p.run(words...).CombinedOutput()
	return string(out)
}

// status is one line of the phone's status, empty without it.
func (p *phone) status(key string) string {
	for line := range strings.Lines(p.try("status")) {
		if value, ok := strings.CutPrefix(line, key+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (p *phone) wait(what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(shownMax); !done(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited %s in vain until %s", shownMax, what)
		}
		select {
		case <-p.exited:
			p.t.Fatalf("the phone ended while it was waited until %s", what)
		default:
		}
	}
}

// waitShow waits until the panel shows all of the texts, and gives all that it shows.
func (p *phone) waitShow(texts ...string) (shown string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("the panel shows %q", texts), func() bool {
		shown = p.try("show")
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				return false
			}
		}
		return true
	})
	return shown
}

// waitStatus waits until a line of the status begins so.
func (p *phone) waitStatus(key, begins string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("status %s is %q", key, begins), func() bool {
		value := p.status(key)
		return strings.HasPrefix(value, begins) && (begins != "" || value == "")
	})
}

// waitIdle waits until the phone has no call.
func (p *phone) waitIdle() {
	p.t.Helper()
	p.wait("it has no call", func() bool {
		status := p.try("status")
		return strings.Contains(status, "registration") && !strings.Contains(status, "line1:") && !strings.Contains(status, "line2:")
	})
}

// recording is a sound that says 700 Hz and a file that keeps what is heard: the value of -sound, and what reads the file
// after stop.
func recording(t *testing.T) (sound string, heard func() []int16) {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.wav")
	if err := os.WriteFile(in, ToneWAV(phoneTone, 60), 0o644); err != nil {
		t.Fatal(err)
	}
	return "wav:" + in + "," + out, func() []int16 {
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return Samples(data)
	}
}
