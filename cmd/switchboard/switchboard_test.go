package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/sip/ami/amitest"
)

// call runs one command.
func call(t *testing.T, stdin string, args ...string) (status int, out, problems string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
	status = c.run(t.Context(), args)
	return status, stdout.String(), stderr.String()
}

func configured(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	if status, _, problems := call(t, "", "certificate", "-out", dir, "localhost", "127.0.0.1"); status != 0 {
		t.Fatal(problems)
	}
	path := filepath.Join(dir, "switchboard.yaml")
	text := fmt.Sprintf("https:\n  listen: 127.0.0.1:0\n  certificate: %[1]s/switchboard.crt\n  key: %[1]s/switchboard.key\nmetrics: \"\"\n"+
		"database: %[1]s/switchboard.db\ndata: %[1]s\nqueues:\n  - name: zulassung\n", dir)
	if err := os.WriteFile(path, []byte(text+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const login = "asterisk:\n  secret: s3cret\n"

func TestWhatIsWrongIsSaidAndHowItIsRight(t *testing.T) {
	for args, want := range map[string]string{
		"fly":                              `2 "fly" is no command`,
		"agents":                           `2 "agents" is no command`,
		"phones add":                       "2 ",
		"-config":                          "2 flag needs an argument",
		"run -no-such-flag":                "2 flag provided but not defined",
		"check -config /no/such/file.yaml": "1 ",
		"-config /no/such/file.yaml run":   "1 ",
		"agents import /no/such/file.csv":  "1 open /no/such/file.csv",
		"certificate":                      "2 certificate needs the names",
	} {
		status, _, problems := call(t, "", strings.Fields(args)...)
		if got := fmt.Sprint(status, " ", strings.TrimPrefix(problems, "switchboard: ")); !strings.HasPrefix(got, want) {
			t.Errorf("switchboard %s: %s, want %s", args, got, want)
		}
	}
	for _, args := range []string{"-help", "-version", "reference", "certificate --help", "agents --help", "check -h"} {
		if status, out, problems := call(t, "", strings.Fields(args)...); status != 0 || out == "" || problems != "" {
			t.Errorf("%s: %d %s %s", args, status, out, problems)
		}
	}
}

func TestTheBookIsKeptByCommands(t *testing.T) {
	file := configured(t, login)
	do := func(stdin string, args ...string) string {
		t.Helper()
		status, out, problems := call(t, stdin, append([]string{"-config", file}, args...)...)
		if status != 0 {
			t.Errorf("%v: %d %s", args, status, problems)
		}
		return out
	}
	do("", "check")
	do("number,name,pin,queues\n4711,Ada,1234,zulassung:2\n", "agents", "import", "-")
	if _, _, doubts := call(t, "number,name,pin,queues\n4711,Ada,,zulassung:2\n4712,Bert,,mars\n", "-config", file, "agents", "import", "-"); !strings.Contains(doubts, "PIN by another import: 4712\n") ||
		!strings.Contains(doubts, "no queue that is served: 4712\n") ||
		!strings.Contains(doubts, "left out at sign-in: mars\n") {
		t.Errorf("%s", doubts)
	}
	do("", "agents", "remove", "4712")
	for _, nobody := range []string{"agents remove 4712", "phones remove 999", "supervisors remove nobody"} {
		if status, _, problems := call(t, "", append([]string{"-config", file}, strings.Fields(nobody)...)...); status != 1 || !strings.Contains(problems, "there is no ") {
			t.Errorf("%s: %d %s", nobody, status, problems)
		}
	}
	if out := do("", "agents", "list"); !strings.Contains(out, "4711  Ada  zulassung:2") || strings.Contains(out, "1234") {
		t.Errorf("%s", out)
	}
	secret := do("", "phones", "add", "201", "by the window")
	if out := do("", "phones", "list"); !strings.Contains(out, "201  by the window") {
		t.Errorf("%s", out)
	}
	if again := do("", "phones", "add", "201"); again == secret || len(again) < 40 {
		t.Errorf("%s", again)
	}
	if status, _, problems := call(t, "", "-config", file, "phones", "add", "201"); status != 0 || !strings.Contains(problems, "does not work any more") {
		t.Errorf("a phone that worked is cut off without a word: %d %s", status, problems)
	}
	if out := do("", "phones", "list"); !strings.Contains(out, "201  by the window") {
		t.Errorf("its label is lost: %s", out)
	}
	do("", "phones", "remove", "201")
	if out := do("", "phones", "list"); out != "" {
		t.Errorf("%s", out)
	}
	if out := do("correct horse battery\n", "supervisors", "add", "grace"); !strings.Contains(out, "grace can log in") || strings.Contains(out, "horse") {
		t.Errorf("%s", out)
	}
	if out := do("", "supervisors", "list"); out != "grace\n" {
		t.Errorf("%s", out)
	}
	do("", "supervisors", "remove", "grace")
	for stdin, want := range map[string]string{"": "no password", "short\n": "12"} {
		if status, _, problems := call(t, stdin, "-config", file, "supervisors", "add", "grace"); status != 1 || !strings.Contains(problems, want) {
			t.Errorf("%q: %d %s", stdin, status, problems)
		}
	}
	if status, _, problems := call(t, "", "certificate", "-out", filepath.Dir(file), "localhost"); status != 1 || !strings.Contains(problems, "exists") {
		t.Errorf("a key is overwritten: %d %s", status, problems)
	}
}

func TestCheckLooksIntoTheFilesThatAreNamed(t *testing.T) {
	good := configured(t, login)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if status, _, problems := call(t, "", "certificate", "-out", filepath.Join(other, "new"), "switchboard.example"); status != 0 {
		t.Fatal(problems)
	}
	dir := filepath.Dir(good)
	for _, test := range []struct{ from, to, want string }{
		{"s3cret", "change-me", "asterisk.secret is \"change-me\" still"},
		{dir + "/switchboard.crt", dir + "/none.crt", "none.crt: no such file"},
		{dir + "/switchboard.key", other + "/new/switchboard.key", "private key does not match"},
		{"data: " + dir, "data: " + dir + "/no/data", "data: the folder"},
		{"database: " + dir, "database: " + dir + "/no/data", "database: the folder"},
		{"metrics: \"\"", "metrics: \"\"\nknowledge: " + dir + "/none.yaml", "knowledge: "},
		{"  secret: s3cret", "  secret: s3cret\n  tls: true\n  ca: " + dir + "/none.pem", "asterisk.ca: "},
	} {
		file := filepath.Join(other, "switchboard.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), test.from, test.to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, out, problems := call(t, "", "-config", file, "check"); status != 1 || out != "" || !strings.Contains(problems, test.want) {
			t.Errorf("%d %s %s, want %s", status, out, problems, test.want)
		}
	}
	if status, out, problems := call(t, "", "-config", good, "check"); status != 0 || !strings.Contains(out, "is in order") || problems != "" {
		t.Errorf("%d %s %s", status, out, problems)
	}
	if err := os.Chmod(good, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, problems := call(t, "", "-config", good, "check"); status != 0 || !strings.Contains(problems, "chmod o= "+good) {
		t.Errorf("a secret that everybody reads: %d %s", status, problems)
	}
	if status, _, problems := call(t, "", "certificate", "-out", dir, "x.example"); status != 1 || !strings.Contains(problems, "nothing was changed") {
		t.Errorf("%d %s", status, problems)
	}
}

func TestACertificateIsDoubted(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	leaf := x509.Certificate{NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0), DNSNames: []string{"switchboard.example"}}
	for want, change := range map[string]func(*x509.Certificate){
		"has ended on 2026-11-27": func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) },
		"begins on 2026-11-29":    func(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 0, 1) },
		"ends on 2026-12-08":      func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, 10) },
		"names no host":           func(c *x509.Certificate) { c.DNSNames = nil },
		"":                        func(*x509.Certificate) {},
	} {
		c := leaf
		change(&c)
		if got := doubtOf(&c, now); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhoIsRemovedWhileSignedInIsNotForgottenInTheQueues(t *testing.T) {
	file := configured(t, login)
	if status, _, problems := call(t, "number,name,pin,queues\n4711,Ada,1234,zulassung\n", "-config", file, "agents", "import", "-"); status != 0 {
		t.Fatal(problems)
	}
	database, err := sql.Open("sqlite", filepath.Join(filepath.Dir(file), "switchboard.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	for _, args := range []string{"agents remove 4711", "phones remove 201"} {
		if _, err := database.Exec(`INSERT OR IGNORE INTO agents (number, name) VALUES ('4711', 'Ada'); INSERT OR IGNORE INTO sign_ins VALUES ('201', '4711', 1)`); err != nil {
			t.Fatal(err)
		}
		if _, _, problems := call(t, "", append([]string{"-config", file}, strings.Fields(args)...)...); !strings.Contains(problems, "queue remove member PJSIP/201 from QUEUE") {
			t.Errorf("%s: %s", args, problems)
		}
	}
}

func TestACommandThatWaitsForAPersonCanBeInterrupted(t *testing.T) {
	file := configured(t, login)
	for _, args := range []string{"supervisors add grace", "agents import -"} {
		nobody, typist := io.Pipe()
		ctx, interrupt := context.WithCancel(t.Context())
		var said lines
		c := command{stdin: nobody, stdout: &said, stderr: &said}
		ended := make(chan int)
		go func() { ended <- c.run(ctx, append([]string{"-config", file}, strings.Fields(args)...)) }()
		interrupt()
		if status := <-ended; status != 1 {
			t.Errorf("%s: %d %s", args, status, &said)
		}
		typist.Close()
	}
}

// lines is what a program writes, for a test that waits for it.
type lines struct {
	mu   sync.Mutex
	text string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(p)
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// after waits for a mark and returns the word behind it.
func (l *lines) after(t *testing.T, mark string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, rest, found := strings.Cut(l.String(), mark); found && strings.Contains(rest, " ") {
			return strings.Fields(rest)[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come:\n%s", mark, l)
		}
	}
}

// manager gives an Asterisk in memory a port.
func manager(t *testing.T, server *amitest.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var pipes sync.WaitGroup
	pipes.Go(func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := server.Dial(t.Context(), "tcp", "")
			if err != nil {
				here.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{here, there}, {there, here}} {
				pipes.Go(func() {
					io.Copy(way[0], way[1])
					way[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		server.Close()
		pipes.Wait()
	})
	return listener.Addr().String()
}

func TestItServesBesideAnAsterisk(t *testing.T) {
	server := amitest.New("switchboard", "s3cret", "zulassung")
	file := configured(t, login+"  address: "+manager(t, server)+"\n")
	ctx, stop := context.WithCancel(t.Context())
	var said lines
	ended := make(chan int)
	c := command{stdin: strings.NewReader(""), stdout: &said, stderr: &said}
	go func() { ended <- c.run(ctx, []string{"run", "-config", file}) }()
	conn, err := tls.Dial("tcp", said.after(t, "https="), &tls.Config{InsecureSkipVerify: true}) // whose it is, another test looks at
	if err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	for deadline := time.Now().Add(20 * time.Second); !slices.Contains(server.Actions(), "Setvar"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no queue is told: %v\n%s", server.Actions(), &said)
		}
	}
	stop()
	if status := <-ended; status != 0 || !strings.Contains(said.String(), "nobody can log in") || strings.Contains(said.String(), "s3cret") {
		t.Errorf("%d %s", status, &said)
	}
}
