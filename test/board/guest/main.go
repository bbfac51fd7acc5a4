//go:build linux

// Guest is the first process of the emulated board: it loads the drivers, brings up the network, waits for the devices, and runs the
// program under test as a service of systemd would be run: as a user without rights, with NOTIFY_SOCKET and a watchdog. The test asks
// it for the rest by a serial port, see rig/wire. It must not know what the program is.
//
//	kernel --> guest: mount, modules, network, wait --> program under test --READY=1, WATCHDOG=1--> guest --> /dev/watchdog
//	test <--wire: events, replies; requests--> guest --> other programs, signals, files
//
// What goes wrong stands on the console too. Orphans of the program are not reaped: the machine is gone in a minute.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/test/board/rig/wire"
)

func main() {
	link := &link{}
	err := boot(link)
	fmt.Println("guest:", err)
	link.tell(wire.Failed, err.Error())
	time.Sleep(time.Second) // the port is emptied by the kernel, in its own time
	end()
}

// end switches the machine off.
func end() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

// boot returns only what went wrong.
func boot(link *link) error {
	if err := mount(); err != nil {
		return err
	}
	var config wire.Config
	data, err := os.ReadFile(wire.ConfigPath)
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", wire.ConfigPath, err)
	}
	// Before the modules: none of their devices may be missed.
	if err := watchDevices(config.Permissions); err != nil {
		return err
	}
	for _, name := range config.Modules {
		if err := load(filepath.Join(wire.ModulesDir, name)); err != nil {
			return err
		}
	}
	if err := link.open(); err != nil {
		return err
	}
	if err := network(config); err != nil {
		return err
	}
	if err := await(config); err != nil {
		return err
	}
	if err := synchronise(); err != nil {
		return err
	}
	permit(config.Permissions)
	service, err := newService(link, config)
	if err != nil {
		return err
	}
	link.tell(wire.Booted, uptime())
	go func() {
		for range time.Tick(wire.AliveEvery) {
			link.tell(wire.Alive, uptime())
		}
	}()
	if config.Program.Path != "" {
		if err := service.start(); err != nil {
			return err
		}
	}
	return obey(link, service)
}

// mount makes the folders that every program expects.
func mount() error {
	for _, m := range []struct{ kind, path string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"},
	} {
		if err := os.MkdirAll(m.path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.path, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.path, err)
		}
	}
	// The rest of the file system is in memory too.
	return errors.Join(os.MkdirAll("/run", 0o755), os.MkdirAll("/tmp", 0o755), os.Chmod("/tmp", 0o777|os.ModeSticky), limits(),
		os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 2147483647"), 0o644), // as systemd's 50-default.conf does
		os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"))
}

// limits are those of cmd/phoned/systemd/phoned.service, which every program here inherits.
func limits() error {
	const rank, locked = 50, 64 << 20
	return errors.Join(unix.Setrlimit(unix.RLIMIT_RTPRIO, &unix.Rlimit{Cur: rank, Max: rank}),
		unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: locked, Max: locked}))
}

// synchronise tells the kernel that its clock is right, as a time service does on a real board: QEMU's is the host's.
func synchronise() error {
	const status, maxError = 0x0010, 0x0004 // ADJ_STATUS, ADJ_MAXERROR of linux/timex.h
	if _, err := unix.Adjtimex(&unix.Timex{Modes: status | maxError}); err != nil {
		return fmt.Errorf("setting the clock's state: %w", err)
	}
	return nil
}

func load(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil {
		return fmt.Errorf("loading %s: %w", path, err)
	}
	return nil
}

// lookEvery is how often is looked for a device: nothing in the kernel tells of all of them.
const lookEvery = 20 * time.Millisecond

// await waits for the devices: USB finds its own after the modules are loaded.
func await(config wire.Config) error {
	missing := slices.Clone(config.Wait)
	for deadline := time.Now().Add(config.WaitMax); ; time.Sleep(lookEvery) {
		missing = slices.DeleteFunc(missing, func(pattern string) bool {
			found, err := filepath.Glob(pattern)
			return err == nil && len(found) > 0
		})
		if len(missing) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not there after %s: %s", config.WaitMax, strings.Join(missing, ", "))
		}
	}
}

func uptime() string {
	data, _ := os.ReadFile("/proc/uptime")
	seconds, _, _ := strings.Cut(string(data), " ")
	return seconds
}

// command prepares a program to be run as its user.
func command(p wire.Program) *exec.Cmd {
	c := exec.Command(p.Path, p.Args...)
	c.Dir = p.Dir
	c.Env = append(os.Environ(), p.Environment...)
	if p.UID != 0 || len(p.GIDs) > 0 {
		c.SysProcAttr = &unix.SysProcAttr{Credential: credential(p)}
	}
	return c
}
