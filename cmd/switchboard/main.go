// Command switchboard stands beside the PBX of a service centre: it follows queues and agents, tells the phones, and
// answers them, the supervisor's browser and Prometheus.
//
//	switchboard [run]             serve until a signal comes
//	switchboard check             say what is wrong in the configuration
//	switchboard agents ...        import FILE.csv | list | remove NUMBER
//	switchboard phones ...        add DEVICE [LABEL] | list | remove DEVICE
//	switchboard supervisors ...   add NAME | list | remove NAME
//	switchboard certificate NAME  make a certificate for a site without an authority of its own
//
// Exit status: 0 done, or ended by a signal; 1 it could not be done (the reason is on standard error); 2 usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // a machine without time zones would count another day

	"freizeichen/firmware/switchboard"
)

// version is set by the linker for releases.
var version = "0.1-dev"

// defaultFile is where a package puts the configuration.
const defaultFile = "/etc/switchboard/switchboard.yaml"

const usage = `usage: switchboard [-config FILE] [-verbose] COMMAND

  run                          serve until a signal comes (the default)
  check                        say what is wrong in the configuration and in the files it names
  reference                    print a configuration that explains every key
  agents import FILE.csv       make or change agents; "-" is standard input
  agents list
  agents remove NUMBER         forget an agent; calls already counted stay in the statistics, without the agent
  phones add DEVICE [LABEL]    make a phone, or give it a new secret, which is printed this once
  phones list
  phones remove DEVICE
  supervisors add NAME         make a supervisor or change the password, which is asked for
  supervisors list
  supervisors remove NAME
  certificate [-out FOLDER] NAME...  make a certificate for host names or IP addresses

FILE is /etc/switchboard/switchboard.yaml unless -config names another. Commands may be given while the switchboard runs:
what they change counts at once, an agent's queues from his next sign-in. Give them as the user that the switchboard runs as.

exit status: 0 done, or ended by a signal; 1 it could not be done, and why; 2 usage
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := command{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(c.run(ctx, os.Args[1:]))
}

// command is one call of the program.
type command struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	file           string
	verbose        bool
}

// errUsage means that the arguments are wrong.
var errUsage = errors.New("usage")

func (c *command) run(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet("switchboard", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.file, "config", defaultFile, "")
	flags.BoolVar(&c.verbose, "verbose", false, "")
	shown := flags.Bool("version", false, "")
	err := flags.Parse(args)
	args = flags.Args()
	if err == nil && len(args) > 0 && !slices.Contains([]string{"certificate"}, args[0]) {
		// "switchboard run -config FILE" is as good as "switchboard -config FILE run".
		verb := args[0]
		if err = flags.Parse(args[1:]); err == nil {
			args = append([]string{verb}, flags.Args()...)
		}
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.stdout, usage)
		return 0
	case err != nil:
		fmt.Fprintf(c.stderr, "switchboard: %v\n%s", err, usage)
		return 2
	case *shown:
		fmt.Fprintln(c.stdout, "switchboard", version)
		return 0
	}
	if len(args) == 0 {
		args = []string{"run"}
	}
	err = c.do(ctx, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.stdout, usage)
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(c.stderr, "switchboard: %v\n%s", strings.TrimPrefix(err.Error(), "usage: "), usage)
		return 2
	case err != nil:
		fmt.Fprintln(c.stderr, "switchboard:", err)
		return 1
	}
	return 0
}

func (c *command) do(ctx context.Context, args []string) error {
	verb := strings.Join(args[:min(2, len(args))], " ")
	switch {
	case verb == "run":
		return c.serve(ctx)
	case verb == "check":
		return c.check()
	case verb == "reference":
		fmt.Fprint(c.stdout, switchboard.Reference())
		return nil
	case args[0] == "certificate":
		return c.certificate(args[1:])
	case verb == "agents import" && len(args) == 3:
		return c.importAgents(ctx, args[2])
	case verb == "agents list" && len(args) == 2:
		return c.listAgents(ctx)
	case verb == "agents remove" && len(args) == 3:
		return c.removeAgent(ctx, args[2])
	case verb == "phones add" && (len(args) == 3 || len(args) == 4):
		return c.addPhone(ctx, args[2], strings.Join(args[3:], ""))
	case verb == "phones list" && len(args) == 2:
		return c.listPhones(ctx)
	case verb == "phones remove" && len(args) == 3:
		return c.removePhone(ctx, args[2])
	case verb == "supervisors add" && len(args) == 3:
		return c.addSupervisor(ctx, args[2])
	case verb == "supervisors list" && len(args) == 2:
		return c.listSupervisors(ctx)
	case verb == "supervisors remove" && len(args) == 3:
		return c.removeSupervisor(ctx, args[2])
	}
	return fmt.Errorf("%w: %q is no command, or has too few or too many arguments", errUsage, strings.Join(args, " "))
}

// logger writes to standard error; the journal of the system adds the time.
func (c *command) logger() *slog.Logger {
	level := slog.LevelInfo
	if c.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: level}))
}
