package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"freizeichen/cmd/centre"
	"freizeichen/cmd/centre/certificate"
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
	in := c.stdin
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
	return c.book(ctx, func(b *centre.Book) error {
		if err := b.PutAgents(ctx, agents); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%d agents are known now or changed\n", len(agents))
		return nil
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
	return c.book(ctx, func(b *centre.Book) error { return b.RemovePhone(ctx, device) })
}

func (c *command) addSupervisor(ctx context.Context, name string) error {
	password, err := c.askPassword(name)
	if err != nil {
		return err
	}
	return c.book(ctx, func(b *centre.Book) error { return b.PutSupervisor(ctx, name, password) })
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
	return c.book(ctx, func(b *centre.Book) error { return b.RemoveSupervisor(ctx, name) })
}

// askPassword reads a password: one line of standard input, or twice from a terminal that does not show it.
func (c *command) askPassword(name string) (string, error) {
	in := bufio.NewReader(c.stdin)
	line := func() (string, error) {
		text, err := in.ReadString('\n')
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

// certificate makes files for a site without an authority of its own.
func (c *command) certificate(args []string) error {
	flags := flag.NewFlagSet("certificate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	folder := flags.String("out", ".", "")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return fmt.Errorf("%w: certificate needs the names or IP addresses by which phones and browsers call the switchboard", errUsage)
	}
	chain, err := certificate.New(time.Now(), flags.Args()...)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		data []byte
		mode os.FileMode
	}{{"authority.crt", chain.Authority, 0o644}, {"switchboard.crt", chain.Server, 0o644}, {"switchboard.key", chain.Key, 0o600}} {
		// Never over a file that is there: a key that is lost cannot be brought back.
		out, err := os.OpenFile(filepath.Join(*folder, file.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.mode)
		if err != nil {
			return err
		}
		_, err = out.Write(file.data)
		if err = errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.stdout, "authority.crt goes to the phones (call-centre.switchboard.ca) and browsers, switchboard.crt and switchboard.key stay here\n")
	return nil
}
