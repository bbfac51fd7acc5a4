//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"

	"freizeichen/device/console"
)

// freizeichen is our phone, headless, with a microphone that hears what is heard.
type freizeichen struct{ title, path string }

func (f *freizeichen) name() string { return f.title }

func (f *freizeichen) command(s seat) (*exec.Cmd, error) {
	return exec.Command(f.path, "-headless", "-pbx", fmt.Sprintf("sip:%s:%s@%s", s.user, s.password, s.exchange),
		"-socket", socket(s), "-sip", s.sip.String(), "-rtp", fmt.Sprintf("%d-%d", s.rtp, s.rtp+rtpPorts-1), "-sound", "loop"), nil
}

func socket(s seat) string { return filepath.Join(s.dir, "phone.sock") }

// consoleKeys speaks what phonectl speaks, on one connection: starting phonectl is no part of lifting.
type consoleKeys struct {
	conn    net.Conn
	answers *bufio.Scanner
}

func (f *freizeichen) control(s seat) (control, error) {
	conn, err := net.Dial("unix", socket(s))
	if err != nil {
		return nil, err
	}
	return &consoleKeys{conn: conn, answers: bufio.NewScanner(conn)}, nil
}

// lift asks for the call to be answered. It comes back when the phone has said yes, later than the 200.
func (k *consoleKeys) lift() error {
	if err := json.NewEncoder(k.conn).Encode(console.Request{Verb: "answer"}); err != nil {
		return fmt.Errorf("pressing the answer key: %w", err)
	}
	if !k.answers.Scan() {
		return fmt.Errorf("pressing the answer key: the phone hung up (%v)", k.answers.Err())
	}
	var response console.Response
	if err := json.Unmarshal(k.answers.Bytes(), &response); err != nil {
		return fmt.Errorf("pressing the answer key: %w", err)
	}
	if response.Status != console.Done {
		return fmt.Errorf("pressing the answer key: refused: %s", response.Text)
	}
	return nil
}

func (k *consoleKeys) Close() error { return k.conn.Close() }
