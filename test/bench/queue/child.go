//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// role is the first argument of a process that is no bench: "role crowd {...}".
const role = "role"

// A task is what a child is told at its start.
type task struct {
	Way      string `json:"way"`
	Server   string `json:"server"` // of SIP
	Domain   string `json:"domain"`
	Password string `json:"password"`
	Phones   int    `json:"phones"`
}

// An order is a line to a child, a word one from it.
type (
	order struct {
		Value  int  `json:"value"`
		Gather bool `json:"gather"` // the crowd: what has come since the last order
	}
	word struct {
		Value   int       `json:"value"`
		At      time.Time `json:"at"` // the value came, to the first
		Last    time.Time `json:"last"`
		Reached int       `json:"reached"`
		Packets int       `json:"packets"`
		Again   int       `json:"again"`
		Bytes   int       `json:"bytes"`
	}
)

// play is the life of a child.
func play(ctx context.Context, name string, args []string, in io.Reader, out io.Writer) error {
	var t task
	if len(args) != 1 {
		return errors.New("a child wants its task")
	}
	if err := json.Unmarshal([]byte(args[0]), &t); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := make(chan order)
	go func() { // ends with the process
		defer cancel()
		for lines := json.NewDecoder(in); ; {
			var o order
			if lines.Decode(&o) != nil {
				return
			}
			orders <- o
		}
	}()
	tell := func(w word) error { return json.NewEncoder(out).Encode(w) }
	switch name {
	case "crowd":
		return playCrowd(ctx, t, orders, tell)
	case "phone":
		return playPhone(ctx, t, tell)
	}
	return fmt.Errorf("there is no role %q", name)
}

// A child is a process of this program with another role. It ends when its input does.
type child struct {
	name    string
	process *exec.Cmd
	in      io.WriteCloser
	words   chan word // closed when the child has ended
	ended   chan error
}

// farewell bounds how long a child may take to end.
const farewell = 5 * time.Second

// wordsMax is what a phone can say while nobody listens: a change has few words.
const wordsMax = 1000

func startChild(name string, t task) (*child, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{name: name, process: exec.Command(self, role, name, string(text)), words: make(chan word, wordsMax), ended: make(chan error, 1)}
	c.process.Stderr = os.Stderr
	c.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, errOut := c.process.StdoutPipe()
	in, errIn := c.process.StdinPipe()
	if err := errors.Join(errOut, errIn); err != nil {
		return nil, err
	}
	c.in = in
	if err := c.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", name, err)
	}
	go func() {
		defer close(c.words)
		for lines := json.NewDecoder(bufio.NewReader(out)); ; {
			var w word
			if lines.Decode(&w) != nil {
				break
			}
			c.words <- w
		}
		c.ended <- c.process.Wait()
	}()
	return c, nil
}

func (c *child) pid() int { return c.process.Process.Pid }

func (c *child) tell(o order) error {
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		return fmt.Errorf("telling the %s: %w", c.name, err)
	}
	return nil
}

// next waits for a word.
func (c *child) next(ctx context.Context) (word, error) {
	select {
	case w, ok := <-c.words:
		if !ok {
			return w, fmt.Errorf("the %s has ended", c.name)
		}
		return w, nil
	case <-ctx.Done():
		return word{}, fmt.Errorf("waiting for the %s: %w", c.name, ctx.Err())
	}
}

// until waits for a word of a value.
func (c *child) until(ctx context.Context, value int) (word, error) {
	for {
		if w, err := c.next(ctx); err != nil || w.Value == value {
			return w, err
		}
	}
}

// after waits for a word of a value from a time on; older ones are of earlier changes.
func (c *child) after(ctx context.Context, value int, since time.Time) (word, error) {
	for {
		if w, err := c.until(ctx, value); err != nil || w.At.After(since) {
			return w, err
		}
	}
}

// stop ends the child, by its process.
func (c *child) stop() {
	c.in.Close()
	late := time.AfterFunc(farewell, func() { _ = c.process.Process.Kill() })
	defer late.Stop()
	for range c.words { // what it still says
	}
	<-c.ended
}
