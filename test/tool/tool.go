// Package tool finds the programs of other people that tests run, a browser, a PBX, other phones, and free ports for them. `make tools`, which is
// test/tool/install, installs them; tests only look.
//
//	tool.Chromium(t)  -> path     no tool at home: the test skips with one line that says how to get it
//	                              no tool with CI=true: the test fails
//
// No other package of the tree may skip a test: test/imports sees to it.
package tool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A Tool is a program that tests run.
type Tool struct {
	Name     string   // as people know it
	Commands []string // that it may be called, or a file where it lies; the first one found counts
	Package  string   // of Debian
	For      string   // what cannot be tested without it
}

// Tools are all tools that come as a package of the running Debian. Asterisk does not, see Asterisk; nor does the board's kernel, see Kernel.
func Tools() []Tool {
	return []Tool{chromium, baresip, sipp, kamailio, postgres, gcc, spleen, poppler, qemu, fdtput, emulator}
}

var (
	chromium = Tool{"Chromium", []string{"chromium", "chromium-browser", "google-chrome"}, "chromium", "the page in a browser (test/browser)"}
	baresip  = Tool{"baresip", []string{"baresip"}, "baresip", "the phone to compare with (make bench)"}
	sipp     = Tool{"SIPp", []string{"sipp"}, "sip-tester", "callers at a real PBX (test/asterisk)"}
	kamailio = Tool{"Kamailio", []string{"/usr/lib/x86_64-linux-gnu/kamailio/modules/presence.so", "/usr/lib/aarch64-linux-gnu/kamailio/modules/presence.so"},
		"kamailio kamailio-presence-modules", "phones at a presence server (test/presence)"}
	// Debian keeps the server of each version in a folder of its own, outside of PATH.
	postgres = Tool{"PostgreSQL", []string{"postgres", "/usr/lib/postgresql/18/bin/postgres", "/usr/lib/postgresql/17/bin/postgres", "/usr/lib/postgresql/16/bin/postgres",
		"/usr/lib/postgresql/15/bin/postgres"}, "postgresql", "the switchboard's store on PostgreSQL (cmd/centre/internal/store)"}
	gcc      = Tool{"gcc", []string{"gcc"}, "gcc libc6-dev", "tests under the race detector (make check)"}
	spleen   = Tool{"Spleen", []string{"/usr/share/consolefonts/spleen-5x8.psfu.gz"}, "fonts-spleen", "that the panel's letters are those of the font"}
	poppler  = Tool{"Poppler", []string{"pdftotext"}, "poppler-utils", "that the self-test's report can be read (firmware/selftest)"}
	qemu     = Tool{"QEMU", []string{"qemu-system-aarch64"}, "qemu-system-arm", onBoard}
	fdtput   = Tool{"fdtput", []string{"fdtput"}, "device-tree-compiler xz-utils", onBoard}
	emulator = Tool{"qemu-arm", []string{"qemu-arm-static", "qemu-arm"}, "qemu-user", "the packages that count bytes on 32-bit boards (make arm)"}
)

// onBoard is what cannot be tested without a machine to boot.
const onBoard = "the phone on a real kernel (test/board)"

// Find is the path of the tool's command.
func (tool Tool) Find() (string, error) {
	for _, command := range tool.Commands {
		if path, err := exec.LookPath(command); err == nil {
			return path, nil
		}
		if _, err := os.Stat(command); err == nil && filepath.IsAbs(command) {
			return command, nil
		}
	}
	return "", fmt.Errorf("%s is not installed (Debian: %s)", tool.Name, tool.Package)
}

// Chromium is the path of a browser that chromedp can drive.
func Chromium(t testing.TB) string { t.Helper(); return need(t, chromium.Find) }

// Baresip is the path of baresip.
func Baresip(t testing.TB) string { t.Helper(); return need(t, baresip.Find) }

// SIPp is the path of sipp.
func SIPp(t testing.TB) string { t.Helper(); return need(t, sipp.Find) }

// Kamailio is the path of a Kamailio with the modules for presence.
func Kamailio(t testing.TB) string {
	t.Helper()
	need(t, kamailio.Find)
	return need(t, Tool{Name: "Kamailio", Commands: []string{"kamailio", "/usr/sbin/kamailio"}, Package: "kamailio"}.Find)
}

// PostgreSQL is the path of its server, postgres; initdb lies beside it.
func PostgreSQL(t testing.TB) string { t.Helper(); return need(t, postgres.Find) }

// Asterisk is a folder that holds a Debian with Asterisk 22: the argument of chroot. The test must run as root.
func Asterisk(t testing.TB) string { t.Helper(); return need(t, FindAsterisk) }

// Poppler is the path of pdftotext.
func Poppler(t testing.TB) string { t.Helper(); return need(t, poppler.Find) }

// Board is what boots an arm64 board: the path of qemu-system-aarch64, that of fdtput, and a kernel.
func Board(t testing.TB) (machine, deviceTree string, kernel Kernel) {
	t.Helper()
	machine, deviceTree = need(t, qemu.Find), need(t, fdtput.Find)
	return machine, deviceTree, Kernel{need(t, func() (string, error) {
		kernel, err := FindKernel()
		return kernel.dir, err
	})}
}

func need(t testing.TB, find func() (string, error)) string {
	t.Helper()
	path, err := find()
	switch {
	case err == nil:
		return path
	case CI():
		t.Fatalf("CI skips nothing: %v; `make tools` as root on Debian installs it", err)
	default:
		t.Skipf("skipped: %v; `make tools` as root on Debian installs it", err)
	}
	return ""
}

// CI reports whether this is a continuous integration, where nothing may be skipped.
func CI() bool {
	value := os.Getenv("CI")
	return value != "" && value != "false" && value != "0"
}
