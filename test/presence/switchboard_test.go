package presence

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/ami/amitest"
)

// manager is a manager interface in memory behind a real socket.
func manager(t *testing.T, server *amitest.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			outside, err := listener.Accept()
			if err != nil {
				return
			}
			inside, err := server.Dial(t.Context(), "tcp", "")
			if err != nil {
				outside.Close()
				return
			}
			go func() { _, _ = io.Copy(inside, outside); inside.Close() }()
			go func() { _, _ = io.Copy(outside, inside); outside.Close() }()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
		server.Close()
	})
	return listener.Addr().String()
}

// startSwitchboard runs the program with presence by PUBLISH until the test ends.
func startSwitchboard(t *testing.T, ami string, server *Server) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "switchboard")
	run := func(name string, arguments ...string) {
		if said, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, arguments, err, said)
		}
	}
	run("go", "build", "-o", program, "freizeichen/cmd/switchboard")
	run(program, "certificate", "-out", dir, "127.0.0.1")
	file := filepath.Join(dir, "switchboard.yaml")
	text := fmt.Sprintf("asterisk: {address: %q, secret: s3cret}\npresence: {by: publish, server: %q, network: udp, domain: presence.example, user: switchboard, password: %q}\n"+
		"https: {listen: \"127.0.0.1:0\", certificate: %[4]s/switchboard.crt, key: %[4]s/switchboard.key}\nmetrics: \"\"\n"+
		"database: %[4]s/switchboard.db\ndata: %[4]s\nqueues: [{name: kw, title: Kreis Wesel, target: 80}]\n", ami, server.Address(), Password, dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := exec.Command(program, "-config", file)
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil || t.Failed() {
			t.Errorf("the switchboard ended with %v:\n%s", err, said.String())
		}
	})
}

func TestTheProgramTellsPhonesByAPresenceServer(t *testing.T) {
	server := Start(t)
	pbx := amitest.New("switchboard", "s3cret", "kw")
	startSwitchboard(t, manager(t, pbx), server)
	phone := startPhone(t, server, "201", "udp", "kw")
	waiting := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; {
			if r, ok := phone.next(fmt.Sprintf("%d waiting", n)).(sip.QueueReported); ok && r.Status.Waiting == n {
				if r.Status.Title != "Kreis Wesel" || r.Status.Level.Target != 80 || r.Status.Valid == 0 {
					t.Errorf("reported %+v", r.Status)
				}
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("never %d waiting", n)
			}
		}
	}
	waiting(0)
	pbx.Join("kw", "1.1")
	waiting(1)
	pbx.Leave("kw", "1.1")
	waiting(0)
}
