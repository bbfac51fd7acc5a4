package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// MayInstall says why nothing can be installed here, or nil: it takes root and Debian.
func MayInstall() error {
	release, err := os.ReadFile("/etc/os-release")
	switch {
	case err != nil || !slices.Contains(strings.Fields(string(release)), "ID=debian"):
		return errors.New("this is no Debian")
	case os.Geteuid() != 0:
		return errors.New("only root installs packages")
	}
	return nil
}

// packagesTries bounds how often a mirror is asked.
const packagesTries = 4

// InstallPackages installs packages of the running Debian.
func InstallPackages(ctx context.Context, log io.Writer, names ...string) error {
	fmt.Fprintf(log, "apt-get install %s\n", strings.Join(names, " "))
	environment := []string{"DEBIAN_FRONTEND=noninteractive"}
	// Another apt may run on a fresh machine; a mirror may hiccup.
	options := []string{"-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"}
	install := append(slices.Clone(options), "install", "-y", "--no-install-recommends")
	var err error
	for try := range packagesTries {
		if try > 0 { // containers come without package lists, or with old ones
			if err = run(ctx, log, environment, "apt-get", append(slices.Clone(options), "update")...); err != nil {
				continue
			}
		}
		if err = run(ctx, log, environment, "apt-get", append(install, names...)...); err == nil {
			return nil
		}
	}
	return fmt.Errorf("tool: installing %s: %w", strings.Join(names, " "), err)
}
