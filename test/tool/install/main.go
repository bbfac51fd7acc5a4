// Install puts the tools of the tests on this machine and says in one line each what is there. It is `make tools`.
//
// As root on Debian it installs what is missing; elsewhere it says what will be skipped, and that is no failure, unless
// CI=true.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"freizeichen/test/tool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missing := install(ctx, os.Stdout)
	if missing > 0 && tool.CI() {
		fmt.Printf("%d tools are missing, and CI skips nothing\n", missing)
		os.Exit(1)
	}
}

// install reports how many tools are missing in the end.
func install(ctx context.Context, out io.Writer) (missing int) {
	impossible := tool.MayInstall()
	for _, wanted := range tool.Tools() {
		path, err := wanted.Find()
		if err != nil && impossible == nil {
			if err := tool.InstallPackages(ctx, out, strings.Fields(wanted.Package)...); err != nil {
				fmt.Fprintln(out, err)
			}
			path, err = wanted.Find()
		}
		missing += report(out, wanted.Name, path, err, impossible, wanted.For)
	}
	path, err := tool.FindAsterisk()
	if err != nil && impossible == nil {
		path, err = asterisk(ctx, out)
	}
	missing += report(out, "Asterisk", path, err, impossible, "the phone at a real PBX (test/asterisk)")
	kernel, err := tool.FindKernel()
	if err != nil && impossible == nil {
		kernel, err = tool.InstallKernel(ctx, out)
	}
	missing += report(out, "Linux", kernel.Dir(), err, impossible, "the phone on a real kernel (test/board)")
	return missing
}

func asterisk(ctx context.Context, out io.Writer) (string, error) {
	if _, err := exec.LookPath("debootstrap"); err != nil {
		if err := tool.InstallPackages(ctx, out, "debootstrap"); err != nil {
			return "", err
		}
	}
	return tool.InstallAsterisk(ctx, out)
}

func report(out io.Writer, name, path string, err, impossible error, without string) (missing int) {
	if err == nil {
		fmt.Fprintf(out, "%-9s %s\n", name, path)
		return 0
	}
	why := ""
	if impossible != nil {
		why = fmt.Sprintf(", and %v", impossible)
	}
	fmt.Fprintf(out, "%-9s missing: %v%s. Not tested: %s\n", name, err, why, without)
	return 1
}
