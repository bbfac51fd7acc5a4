package browser

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/exchange"
	"freizeichen/sip/exchange/plan"
)

// Times that a phone or a page may take, generous on a machine that does other things too.
const (
	patience = 30 * time.Second
	look     = 50 * time.Millisecond // between two looks at something that is awaited
)

// A phone is a running phonesim with its page.
type phone struct {
	t       *testing.T
	socket  string
	url     string // http://127.0.0.1:PORT/
	process *exec.Cmd
	stderr  string // file of what it complains about
	exited  chan struct{}
}

// startPhone starts a phone with the exchange in its own process, where the first citizen calls after 4 s.
func startPhone(t *testing.T, arguments ...string) *phone {
	t.Helper()
	dir, err := os.MkdirTemp("", "phone-") // not t.TempDir: the path of a socket is short (unix(7))
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{t: t, socket: filepath.Join(dir, "phone.sock"), stderr: filepath.Join(dir, "stderr")}
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(p.stderr)
			t.Logf("the panel:\n%s\nthe status:\n%s\nwhat phonesim complained about:\n%s", p.try("show"), p.try("status"), said)
		}
		p.kill()
	})
	p.start("127.0.0.1:0", arguments...)
	return p
}

// startPhoneAt starts a phone at an exchange of the test.
func startPhoneAt(t *testing.T, central *exchange.Exchange, arguments ...string) *phone {
	t.Helper()
	p := startPhone(t, append([]string{"-pbx", account(central)}, arguments...)...)
	p.until("the phone is registered", func() bool { return strings.Contains(p.try("status"), "registration: registered") })
	return p
}

// start runs phonesim and waits for the line with its address.
func (p *phone) start(listen string, arguments ...string) {
	p.t.Helper()
	dir, err := programs()
	if err != nil {
		p.t.Fatal(err)
	}
	stderr, err := os.OpenFile(p.stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer stderr.Close() // the process has its own
	p.process = exec.Command(filepath.Join(dir, "phonesim"), append([]string{"-socket", p.socket, "-listen", listen}, arguments...)...)
	p.process.Stderr = stderr
	p.process.SysProcAttr = noOrphan()
	stdout, err := p.process.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited := make(chan struct{})
	p.exited = exited
	line := make(chan string, 1)
	go func() {
		first, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- first
		_ = p.process.Wait() // what it says is in its output
		close(exited)
	}()
	select {
	case first := <-line:
		p.url = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(first)
		if p.url == "" {
			p.t.Fatalf("phonesim prints no address but %q", first)
		}
	case <-time.After(patience):
		p.t.Fatal("phonesim prints nothing")
	}
}

// kill ends the process without a word, as a power cut does.
func (p *phone) kill() {
	if p.process == nil || p.process.Process == nil {
		return
	}
	_ = p.process.Process.Kill() // it may have ended
	<-p.exited
}

// address is the page's host and port.
func (p *phone) address() string {
	return strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/")
}

func (p *phone) run(words ...string) *exec.Cmd {
	dir, _ := programs() // start has seen its error
	return exec.Command(filepath.Join(dir, "phonectl"), append([]string{"-socket", p.socket}, words...)...)
}

// try asks for something that may fail.
func (p *phone) try(words ...string) string {
	out, _ := p.run(words...).CombinedOutput()
	return string(out)
}

// ctl asks the phone for something that it must do.
func (p *phone) ctl(words ...string) string {
	p.t.Helper()
	out, err := p.run(words...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("phonectl %s: %v: %s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// says waits until the status has a line that begins so.
func (p *phone) says(want string) {
	p.t.Helper()
	p.until("status says "+want, func() bool { return strings.Contains("\n"+p.try("status"), "\n"+want) })
}

// until waits for something.
func (p *phone) until(what string, is func() bool) {
	p.t.Helper()
	for begin := time.Now(); !is(); time.Sleep(look) {
		if time.Since(begin) > patience {
			p.t.Fatalf("in %s not: %s", patience, what)
		}
	}
}

// The account of the phone at an exchange of the test.
const (
	agent  = "201"
	secret = "secret"
)

func account(central *exchange.Exchange) string {
	return fmt.Sprintf("sip:%s:%s@%s", agent, secret, central.Address())
}

// Ada calls Kreis Wesel. Her number is of a block that is kept free for media productions, see sip/exchange/citizen.
var ada = exchange.Citizen{
	Party: sip.Party{Name: "Ada Böhm", Number: "03023125017"}, Called: "02812070", Topic: "Elterngeld", Voice: 7,
}

// startExchange runs an exchange where nobody calls but whom the test lets call. Ada can be called back, and 5051
// answers at once.
func startExchange(t *testing.T) *exchange.Exchange {
	t.Helper()
	central, err := exchange.New(exchange.Config{
		Listen:   netip.MustParseAddrPort("127.0.0.1:0"),
		Domain:   "servicecenter.example",
		Accounts: []exchange.Account{{User: agent, Password: secret}},
		Queues:   []exchange.Queue{{Name: "Kreis Wesel", Numbers: []string{"02812070"}, Agents: []string{agent}, Retry: time.Second}},
		Destinations: plan.Plan{
			{Number: "5051", Name: "Fachdienst Elterngeld", Ringing: 100 * time.Millisecond},
			{Number: ada.Party.Number, Name: ada.Party.Name, Ringing: 100 * time.Millisecond},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- central.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the exchange: %v", err)
		}
	})
	return central
}
