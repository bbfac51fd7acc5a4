//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"freizeichen/test/bench/peer"
	"freizeichen/test/bench/process"
)

// account is the phone's at the exchange.
const account = "301"

// configuration is the phone's file; server is the exchange as the phone sees it.
func configuration(server netip.AddrPort, password string, local netip.Addr) string {
	return fmt.Sprintf("accounts:\n  - {user: %q, password: %q, domain: %s, server: %q}\nnetwork: {local: \"%s:0\", rtp-ports: 20000-20099}\n",
		account, password, server.Addr(), server, local)
}

// A rest is what a phone at rest has taken.
type rest struct {
	took     time.Duration
	cpu      time.Duration
	kernel   time.Duration // of cpu
	switches int
	at       process.Usage // in the end
	share    float64       // of the time in which the processor wanted to run, that it did
}

func restOf(before, after process.Usage, took time.Duration) rest {
	return rest{took: took, cpu: after.CPU - before.CPU, kernel: after.Kernel - before.Kernel, switches: after.Switches - before.Switches, at: after, share: 1}
}

// idleMax is the goal for a phone at rest, in percent of a core.
const idleMax = 0.5

func (r rest) rows(t *table) {
	percent := 100 * r.cpu.Seconds() / r.took.Seconds()
	words := goal(fmt.Sprintf("below %.1f %%", idleMax), percent*r.share < idleMax)
	if r.share == 1 {
		t.row("CPU", "% of a core", fmt.Sprintf("%.3f", percent), words)
	} else {
		t.row("CPU, as the board counts it", "% of a core", fmt.Sprintf("%.3f", percent), "")
		t.row(fmt.Sprintf("CPU: this machine ran the board in %.0f %% of the time in which it wanted to", 100*r.share), "% of a core",
			fmt.Sprintf("%.3f", percent*r.share), words)
	}
	t.row("  of it in the kernel: drivers and the bus", "% of a core", fmt.Sprintf("%.2f", 100*r.kernel.Seconds()/r.took.Seconds()), "")
	t.row("waits that ended (voluntary context switches)", "/s", fmt.Sprintf("%.2f", float64(r.switches)/r.took.Seconds()), "")
	t.row("CPU a wait", "us", fmt.Sprintf("%.0f", float64(r.cpu.Microseconds())/float64(max(1, r.switches))), "")
}

// settle is how long a phone has after its start before it is at rest: its self-test begins after 30 s to look at the parts
// once a minute, and the first time knows nothing of the clock.
const settle = 45 * time.Second

// printNative measures a phone without parts on this machine: what is left is the program itself.
func printNative(ctx context.Context, dir string, long time.Duration, out io.Writer) (err error) {
	program := filepath.Join(dir, "phoned")
	if err := build(ctx, program, programPhone); err != nil {
		return err
	}
	exchange, err := peer.OpenExchange()
	if err != nil {
		return err
	}
	defer exchange.Close()
	table, config := filepath.Join(dir, "board.yaml"), filepath.Join(dir, "phone.yaml")
	err = errors.Join(os.WriteFile(table, []byte("model: bench\n"), 0o600),
		os.WriteFile(config, []byte(configuration(exchange.Address(), exchange.Password(account), peer.Loopback)), 0o600))
	if err != nil {
		return fmt.Errorf("writing the phone's files: %w", err)
	}
	phone := exec.CommandContext(ctx, program, "-board", table, "-config", config, "-socket", filepath.Join(dir, "phone.sock"))
	phone.Env = append(os.Environ(), "NOTIFY_SOCKET=", fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds()))
	phone.Cancel = func() error { return phone.Process.Signal(syscall.SIGTERM) }
	phone.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := phone.Start(); err != nil {
		return fmt.Errorf("starting phoned: %w", err)
	}
	defer func() { err = errors.Join(err, phone.Process.Signal(syscall.SIGTERM), phone.Wait()) }()
	select {
	case <-exchange.Registrations(account):
	case <-time.After(peer.Patience):
		return fmt.Errorf("phoned did not register within %s", peer.Patience)
	}
	r, err := observe(ctx, process.Here(), phone.Process.Pid, long)
	if err != nil {
		return err
	}
	t := newTable(fmt.Sprintf("phoned on this machine, without parts, registered and at rest for %s", long), "", "unit", "", "goal")
	r.rows(t)
	t.row("resident (VmRSS)", "MB", megabytes(r.at.RSS), "")
	return t.print(out)
}

// observe lets a phone rest.
func observe(ctx context.Context, system process.System, pid int, long time.Duration) (rest, error) {
	if err := pause(ctx, settle); err != nil {
		return rest{}, err
	}
	before, err := system.Of(pid)
	if err != nil {
		return rest{}, err
	}
	began := time.Now()
	if err := pause(ctx, long); err != nil {
		return rest{}, err
	}
	after, err := system.Of(pid)
	return restOf(before, after, time.Since(began)), err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
