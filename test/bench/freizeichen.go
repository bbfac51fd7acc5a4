//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"freizeichen/device/console"
	"freizeichen/test/bench/peer"
)

// freizeichen is our phone on a board without any part: it has neither keys nor a sound card, and sends silence by its own
// clock.
type freizeichen struct{ title, path string }

// Files of the seat.
const (
	freizeichenBoard  = "model: bench\n"
	freizeichenConfig = `accounts:
  - {user: "%s", password: "%s", domain: %s, server: "%s"}
network: {local: "%s", rtp-ports: %d-%d}
`
)

func (f *freizeichen) name() string { return f.title }

func (f *freizeichen) command(s seat) (*exec.Cmd, error) {
	board, config := filepath.Join(s.dir, "board.yaml"), filepath.Join(s.dir, "phone.yaml")
	account := fmt.Sprintf(freizeichenConfig, s.user, s.password, s.exchange.Addr(), s.exchange, s.sip, s.rtp, s.rtp+rtpPorts-1)
	for path, text := range map[string]string{board: freizeichenBoard, config: account} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return exec.Command(f.path, "-board", board, "-config", config, "-socket", socket(s)), nil
}

func socket(s seat) string { return filepath.Join(s.dir, "phone.sock") }

// consoleKeys speaks what phonectl speaks, on one connection: starting phonectl is no part of lifting.
type consoleKeys struct {
	path    string
	conn    net.Conn
	answers *bufio.Scanner
}

func (f *freizeichen) control(s seat) (control, error) {
	keys, err := dialConsole(socket(s))
	if err != nil {
		return nil, err // not a control that holds none
	}
	return keys, nil
}

func dialConsole(path string) (*consoleKeys, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	return &consoleKeys{path: path, conn: conn, answers: bufio.NewScanner(conn)}, nil
}

// ask asks the phone; the text is its answer.
func (k *consoleKeys) ask(verb string) (text string, err error) {
	if err := json.NewEncoder(k.conn).Encode(console.Request{Verb: verb}); err != nil {
		return "", err
	}
	if !k.answers.Scan() {
		return "", fmt.Errorf("the phone hung up (%v)", k.answers.Err())
	}
	var response console.Response
	if err := json.Unmarshal(k.answers.Bytes(), &response); err != nil {
		return "", err
	}
	if response.Status != console.Done {
		return "", fmt.Errorf("refused: %s", response.Text)
	}
	return response.Text, nil
}

// lift asks for the call to be answered. It comes back when the phone has said yes, later than the 200.
func (k *consoleKeys) lift() error {
	if _, err := k.ask("answer"); err != nil {
		return fmt.Errorf("pressing the answer key: %w", err)
	}
	return nil
}

// check asks how much sound has come: there is no loop that would show it.
func (k *consoleKeys) check(s *peer.Stream) error {
	fresh, err := dialConsole(k.path) // the phone ends connections on which nothing is said for as long as a long call
	if err != nil {
		return fmt.Errorf("asking for the sound: %w", err)
	}
	defer fresh.Close()
	text, err := fresh.ask("status")
	if err != nil {
		return fmt.Errorf("asking for the sound: %w", err)
	}
	heard := 0
	_, after, _ := strings.Cut(text, "\nreceived: ")
	if _, err := fmt.Sscanf(after, "%d", &heard); err != nil {
		return fmt.Errorf("asking for the sound: status says %q", text)
	}
	if least := s.Sent() / 10; heard < least {
		return fmt.Errorf("has heard %d packets of our %d; at least %d make a call", heard, s.Sent(), least)
	}
	return s.CheckCount()
}

func (k *consoleKeys) Close() error { return k.conn.Close() }
