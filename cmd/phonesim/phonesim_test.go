package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"freizeichen/device/console"
)

func TestWhatTheCommandLineGetsWrongIsSaidWithTheRightForm(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "phone.yaml")
	if err := os.WriteFile(broken, []byte("languag: de\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-headless":                            "a headless phone needs a PBX: -pbx 'sip:USER:PASSWORD@HOST:PORT'",
		"-pbx 201@host":                        "the form is sip:USER:PASSWORD@HOST:PORT",
		"-config " + broken:                    "phone.yaml:1:1",
		"-config " + broken + ".no":            "no such file",
		"-language fr":                         "not one of de, en",
		"-panel big":                           "not one of mono128x64, colour320x240",
		"-listen 0.0.0.0:80":                   "not a loopback address",
		"-listen here":                         "not a loopback address",
		"-sip nowhere":                         "such as 192.0.2.1:5060 or :5060",
		"-rtp 9":                               "-rtp:",
		"-sound drums":                         "-sound:",
		"-sound wav:/no/such/file.wav,x.wav":   "", // opened later
		"more":                                 `unexpected "more"`,
		"-headless -pbx sip:1:hunter2@host:-1": "must have a port",
	} {
		_, err := parseOptions(strings.Fields(args), io.Discard)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("phonesim %s: %v, want %q", args, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("phonesim %s: the password is in the message: %v", args, err)
		}
	}
	if _, err := parseOptions([]string{"-headless", "-config", broken}, io.Discard); err == nil || strings.Contains(err.Error(), "needs a PBX") {
		t.Errorf("a broken file of a headless phone: %v; the account may stand in it", err)
	}
	if _, err := parseOptions([]string{"-no-such-flag"}, io.Discard); err == nil || errors.Is(err, flag.ErrHelp) {
		t.Errorf("an unknown flag: %v", err)
	}
}

func TestTheFlagsOverruleTheFile(t *testing.T) {
	o, err := parseOptions(strings.Fields("-headless -pbx sip:202:x@pbx.example;transport=tcp -language en -panel colour320x240 -sip 127.0.0.1:5070 -rtp 30000-30099 -sound tone:440"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := o.config
	if c.Accounts[0].User != "202" || c.Language != "en" || c.Panel != "colour320x240" || c.Network.Local.String() != "127.0.0.1:5070" ||
		c.Network.RTP.String() != "30000-30099" || o.sound.String() != "tone:440" || o.builtIn || o.browser {
		t.Errorf("got %+v", o)
	}
	if o, err = parseOptions(nil, io.Discard); err != nil || !o.builtIn || !o.browser || o.socket != console.DefaultSocket() {
		t.Errorf("without flags: %+v, %v", o, err)
	}
}

// started runs phonesim until the test ends and returns what it prints first.
func started(t *testing.T, args ...string) (line string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var problems bytes.Buffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, in, &problems); in.Close() }()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != 0 {
			t.Errorf("phonesim ended with status %d:\n%s", status, &problems)
		}
	})
	buffer := make([]byte, 1000)
	n, _ := out.Read(buffer)
	m, _ := out.Read(buffer[n:])
	go io.Copy(io.Discard, out) // what follows holds nobody up
	return string(buffer[:n+m])
}

func TestItPrintsWhereToLookRegistersAndRings(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "phone.sock")
	if line := started(t, "-socket", socket, "-sound", "null"); !strings.Contains(line, "open http://127.0.0.1:") || strings.Count(line, "\n") != 3 {
		t.Errorf("it prints %q", line)
	}
	wanted := func(verb, text string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			response, err := console.Ask(socket, console.Request{Verb: verb})
			if err == nil && response.Status == console.Done && strings.Contains(response.Text, text) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s says %+v, %v, want %q", verb, response, err, text)
			}
		}
	}
	wanted("status", "registration: registered")
	wanted("show", "Anruf für Kreis Wesel")
	wanted("answer", "")
	wanted("status", "line1: talking")
}

func TestTheSwitchboardInTheSameProcessSeatsAnAgentAndWrapsUpHisCalls(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "phone.sock")
	said := started(t, "-socket", socket, "-sound", "null", "-language", "en")
	_, address, _ := strings.Cut(said, "https://")
	address, _, _ = strings.Cut(address, "/")
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} // as a person who says yes
	if answer, err := client.Get("https://" + address + "/login"); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the supervisor's page: %v, %v; said %s", answer, err, said)
	} else {
		answer.Body.Close()
	}
	wanted := func(verb, text string) {
		t.Helper()
		var response console.Response
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var err error
			if response, err = console.Ask(socket, console.Request{Verb: verb}); err == nil && response.Status == console.Done && strings.Contains(response.Text, text) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s says %+v, %v, want %q", verb, response, err, text)
			}
		}
	}
	wanted("show", "Agent 4711")
	wanted("show", "Kreis Wesel: 0 waiting, 1 free")
	wanted("show", "Call for Kreis Wesel")
	wanted("answer", "")
	wanted("status", "line1: talking")
	wanted("hangup", "")
	wanted("show", "Wrap-up")
}

func TestAPortInUseIsSaid(t *testing.T) {
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var problems bytes.Buffer
	status := run(t.Context(), []string{"-headless", "-pbx", "sip:201:secret@127.0.0.1", "-sip", taken.LocalAddr().String(),
		"-socket", filepath.Join(t.TempDir(), "phone.sock")}, io.Discard, &problems)
	if text := problems.String(); status != 1 || !strings.Contains(text, "address already in use") || !strings.Contains(text, "-sip") || strings.Contains(text, "secret") {
		t.Errorf("status %d: %s", status, text)
	}
}

func TestTheHintFitsWhatWentWrong(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const inUse = "another program"
	for _, c := range []struct{ address, socket, want string }{
		{"127.0.0.1:0", file, "is not a socket; choose another path with -socket"},
		{"127.0.0.1:0", filepath.Join(file, "phone.sock"), "not a directory (-socket chooses another path)"},
		{"127.0.0.1:0", filepath.Join(dir, strings.Repeat("x", 150)), "-socket chooses a shorter one"},
		{"192.0.2.1:0", filepath.Join(dir, "phone.sock"), "this machine does not have the address; -sip chooses another"},
	} {
		var problems bytes.Buffer
		status := run(t.Context(), []string{"-headless", "-pbx", "sip:201:secret@127.0.0.1", "-sip", c.address, "-socket", c.socket}, io.Discard, &problems)
		if text := problems.String(); status != 1 || !strings.Contains(text, c.want) || strings.Contains(text, inUse) {
			t.Errorf("-sip %s -socket %s: status %d, %s", c.address, c.socket, status, text)
		}
	}
	for want, err := range map[string]error{
		"-sip chooses another": &net.OpError{Op: "listen", Net: "udp", Err: os.NewSyscallError("bind", syscall.EACCES)},
		"-socket chooses":      &net.OpError{Op: "listen", Net: "unix", Err: os.NewSyscallError("bind", syscall.EACCES)},
		inUse:                  &net.OpError{Op: "listen", Net: "udp", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)},
	} {
		if got := hint(err, "phone.sock"); !strings.Contains(got, want) {
			t.Errorf("%v%s, want %q", err, got, want)
		}
	}
	if got := hint(errors.New("anything else"), "phone.sock"); got != "" {
		t.Errorf("hint%s", got)
	}
	if got := hint(&fs.PathError{Op: "open", Path: "/etc/authority.crt", Err: syscall.ENOENT}, "/run/phone.sock"); got != "" {
		t.Errorf("an authority that is missing:%s", got)
	}
}
