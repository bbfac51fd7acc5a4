package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"

	"freizeichen/cmd/centre"
	"freizeichen/cmd/centre/roster"
	"freizeichen/firmware/switchboard"
)

// book opens the database for one command.
func (c *command) book(ctx context.Context, do func(*centre.Book) error) error {
	settings, err := switchboard.Load(c.file)
	if err != nil {
		return err
	}
	b, err := centre.OpenBook(ctx, settings, true) // the switchboard may run: what is changed counts at once
	if err != nil {
		return err
	}
	return errors.Join(do(b), b.Close())
}

func (c *command) importAgents(ctx context.Context, path string) error {
	in := patient(ctx, c.stdin)
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	agents, err := roster.Read(in)
	if err != nil {
		return err
	}
	settings, err := switchboard.Load(c.file)
	if err != nil {
		return err
	}
	return c.book(ctx, func(b *centre.Book) error {
		known, err := b.Agents(ctx)
		if err != nil {
			return err
		}
		if err := b.PutAgents(ctx, agents); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%d agents made or changed\n", len(agents))
		c.doubts(settings, known, agents)
		return nil
	})
}

// doubts names what was imported and will not work as it is.
func (c *command) doubts(settings switchboard.Config, known, agents []roster.Agent) {
	var noPIN, noQueue, unserved []string
	for _, a := range agents {
		if a.PIN == "" && !slices.ContainsFunc(known, func(k roster.Agent) bool { return k.Number == a.Number }) {
			noPIN = append(noPIN, a.Number)
		}
		some := false
		for _, s := range a.Queues {
			served := slices.ContainsFunc(settings.Queues, func(q switchboard.Queue) bool { return q.Name == s.Queue })
			some = some || served
			if !served && !slices.Contains(unserved, s.Queue) {
				unserved = append(unserved, s.Queue)
			}
		}
		if !some {
			noQueue = append(noQueue, a.Number)
		}
	}
	if len(noPIN) > 0 {
		fmt.Fprintf(c.stderr, "switchboard: cannot sign in before they get a PIN by another import: %s\n", strings.Join(noPIN, " "))
	}
	if len(noQueue) > 0 {
		fmt.Fprintf(c.stderr, "switchboard: cannot sign in, because they have no queue that is served: %s\n", strings.Join(noQueue, " "))
	}
	if len(unserved) > 0 {
		fmt.Fprintf(c.stderr, "switchboard: not among the queues of %s, and left out at sign-in: %s\n", c.file, strings.Join(unserved, " "))
	}
}

// removed says what was removed, or that nothing was there.
func (c *command) removed(what string, found bool, err error) error {
	if err == nil && !found {
		err = fmt.Errorf("there is no %s; nothing was changed", what)
	}
	if err == nil {
		fmt.Fprintf(c.stdout, "%s is removed\n", what)
	}
	return err
}

// orphans warns of a phone that queues go on to call: nobody signs out there any more.
func (c *command) orphans(ctx context.Context, b *centre.Book, gone func(device, agent string) bool) {
	seats, err := b.Seats(ctx)
	if err != nil {
		return // removing will say so, too
	}
	for device, agent := range seats {
		if gone(device, agent) {
			fmt.Fprintf(c.stderr, "switchboard: warning: agent %s is signed in at phone %s, and queues call it until somebody signs out there, or\n"+
				"  asterisk -rx \"queue remove member PJSIP/%s from QUEUE\"\n", agent, device, device)
		}
	}
}

func (c *command) removeAgent(ctx context.Context, number string) error {
	return c.book(ctx, func(b *centre.Book) error {
		c.orphans(ctx, b, func(_, agent string) bool { return agent == number })
		found, err := b.RemoveAgent(ctx, number)
		return c.removed("agent "+number, found, err)
	})
}

func (c *command) listAgents(ctx context.Context) error {
	return c.book(ctx, func(b *centre.Book) error {
		agents, err := b.Agents(ctx)
		table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
		for _, a := range agents {
			var queues []string
			for _, q := range a.Queues {
				queues = append(queues, fmt.Sprintf("%s:%d", q.Queue, q.Penalty))
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", a.Number, a.Name, strings.Join(queues, " "))
		}
		return errors.Join(err, table.Flush())
	})
}

func (c *command) addPhone(ctx context.Context, device, label string) error {
	return c.book(ctx, func(b *centre.Book) error {
		devices, labels, err := b.Phones(ctx)
		if err != nil {
			return err
		}
		if i := slices.Index(devices, device); i >= 0 {
			label = cmp.Or(label, labels[i])
			fmt.Fprintf(c.stderr, "switchboard: phone %s was known; the secret that it had does not work any more\n", device)
		}
		secret, err := b.AddPhone(ctx, device, label)
		if err == nil {
			fmt.Fprintf(c.stdout, "secret of phone %s, for call-centre.switchboard.secret of its configuration: %s\n", device, secret)
		}
		return err
	})
}

func (c *command) listPhones(ctx context.Context) error {
	return c.book(ctx, func(b *centre.Book) error {
		devices, labels, err := b.Phones(ctx)
		table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
		for i := range devices {
			fmt.Fprintf(table, "%s\t%s\n", devices[i], labels[i])
		}
		return errors.Join(err, table.Flush())
	})
}

func (c *command) removePhone(ctx context.Context, device string) error {
	return c.book(ctx, func(b *centre.Book) error {
		c.orphans(ctx, b, func(phone, _ string) bool { return phone == device })
		found, err := b.RemovePhone(ctx, device)
		return c.removed("phone "+device, found, err)
	})
}

func (c *command) addSupervisor(ctx context.Context, name string) error {
	password, err := c.askPassword(ctx, name)
	if err != nil {
		return err
	}
	return c.book(ctx, func(b *centre.Book) error {
		if err := b.PutSupervisor(ctx, name, password); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "supervisor %s can log in with this password; earlier sessions have ended\n", name)
		return nil
	})
}

func (c *command) listSupervisors(ctx context.Context) error {
	return c.book(ctx, func(b *centre.Book) error {
		names, err := b.Supervisors(ctx)
		for _, name := range names {
			fmt.Fprintln(c.stdout, name)
		}
		return err
	})
}

func (c *command) removeSupervisor(ctx context.Context, name string) error {
	return c.book(ctx, func(b *centre.Book) error {
		found, err := b.RemoveSupervisor(ctx, name)
		return c.removed("supervisor "+name, found, err)
	})
}

// askPassword reads a password: one line of standard input, or twice from a terminal that does not show it.
func (c *command) askPassword(ctx context.Context, name string) (string, error) {
	in := bufio.NewReader(patient(ctx, c.stdin))
	line := func() (string, error) {
		text, err := in.ReadString('\n')
		if ctx.Err() != nil {
			return "", errors.New("interrupted; nothing was changed")
		}
		if text == "" && err != nil {
			return "", errors.New("no password on standard input")
		}
		return strings.TrimRight(text, "\r\n"), nil
	}
	file, ok := c.stdin.(*os.File)
	if info, err := os.Stdin.Stat(); !ok || err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return line()
	}
	stty := func(argument string) error {
		command := exec.Command("stty", argument)
		command.Stdin = file
		return command.Run()
	}
	if err := stty("-echo"); err != nil {
		return "", fmt.Errorf("the terminal cannot hide a password (%w); give it on standard input", err)
	}
	defer stty("echo")
	fmt.Fprintf(c.stderr, "password of %s, 12 to 72 bytes: ", name)
	first, err := line()
	if err != nil {
		return "", err
	}
	fmt.Fprint(c.stderr, "\nonce more: ")
	second, err := line()
	fmt.Fprintln(c.stderr)
	if err == nil && first != second {
		err = errors.New("the two are not the same; nothing was changed")
	}
	return first, err
}

// patient reads until ctx ends: who waits for a line of a person can be interrupted.
func patient(ctx context.Context, from io.Reader) io.Reader { return interruptible{ctx, from} }

type interruptible struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader. A read that was interrupted goes on until the program ends; nobody gets what it reads.
func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	own, done := make([]byte, len(p)), make(chan result, 1)
	go func() {
		n, err := r.from.Read(own)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return copy(p, own[:got.n]), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
