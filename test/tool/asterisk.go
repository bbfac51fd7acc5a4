package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// asteriskDir is the finished Debian sid with Asterisk; the number changes when what is installed in it changes.
const asteriskDir = "debian-sid-asterisk-1"

// FindAsterisk is a folder that holds a Debian with Asterisk 22, for chroot.
func FindAsterisk() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, asteriskDir)
	if _, err := os.Stat(filepath.Join(root, "usr/sbin/asterisk")); err != nil {
		return "", errors.New("the Debian with Asterisk 22 is not installed in the cache")
	}
	if os.Geteuid() != 0 {
		return "", errors.New("starting Asterisk in its own Debian needs root")
	}
	return root, nil
}

// asteriskTimeout bounds the installation: it takes about a minute and 400 MB.
const asteriskTimeout = 10 * time.Minute

// InstallAsterisk puts Debian sid with Asterisk into the cache, from the mirror of the system's own apt configuration.
// It must run as root, with debootstrap installed. What happens is written to log.
func InstallAsterisk(ctx context.Context, log io.Writer) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, asteriskTimeout)
	defer cancel()
	return installInCache(ctx, log, FindAsterisk, bootstrap)
}

// bootstrap makes the folder beside its place and moves it there whole: a half one is never found.
func bootstrap(ctx context.Context, cache string, mirror Mirror, log io.Writer) (string, error) {
	half, err := os.MkdirTemp(cache, "half-")
	if err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	defer os.RemoveAll(half)
	// debootstrap gives a folder that it finds its own mode: MkdirTemp's 0700 would lock Asterisk's user out.
	if err := os.Chmod(half, 0o755); err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	arguments := []string{"--variant=minbase", "--include=asterisk"}
	if mirror.Keyring != "" {
		arguments = append(arguments, "--keyring="+mirror.Keyring)
	}
	fmt.Fprintf(log, "installing Asterisk from Debian sid, about a minute and 400 MB, into %s\n", cache)
	if err := run(ctx, log, proxy(mirror.URI), "debootstrap", append(arguments, "sid", half, mirror.URI)...); err != nil {
		return "", fmt.Errorf("tool: debootstrap of Debian sid with Asterisk: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(half, "var/cache/apt/archives")); err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	root := filepath.Join(cache, asteriskDir)
	if err := errors.Join(os.RemoveAll(root), os.Rename(half, root)); err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	return root, nil
}

// proxy is the environment that makes debootstrap use apt's proxy, when apt has one.
func proxy(uri string) []string {
	scheme, _, _ := strings.Cut(uri, ":")
	out, err := exec.Command("apt-config", "dump", "--format=%v", "Acquire::"+scheme+"::Proxy").Output()
	if value := strings.TrimSpace(string(out)); err == nil && value != "" && value != "DIRECT" {
		return []string{scheme + "_proxy=" + value}
	}
	return nil
}
