package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// CacheDir is where large things are kept between runs, outside of the tree: freizeichen in $XDG_CACHE_HOME, for root
// without one in /var/cache, else in the user's cache folder. It need not exist.
func CacheDir() (string, error) {
	if os.Getenv("XDG_CACHE_HOME") == "" && os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return "/var/cache/freizeichen", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	return filepath.Join(dir, "freizeichen"), nil
}

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

// Bounds of the installation: it takes about a minute and 400 MB.
const (
	asteriskTries   = 3
	asteriskTimeout = 10 * time.Minute
)

// InstallAsterisk puts Debian sid with Asterisk into the cache, from the mirror of the system's own apt configuration.
// Two runs at once wait for each other. It must run as root, with debootstrap installed. What happens is written to log.
func InstallAsterisk(ctx context.Context, log io.Writer) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	unlock, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if root, err := FindAsterisk(); err == nil {
		return root, nil // somebody else was faster
	}
	// What a run left that was killed.
	halves, err := filepath.Glob(filepath.Join(cache, "half-*"))
	for _, half := range halves {
		err = errors.Join(err, os.RemoveAll(half))
	}
	if err != nil {
		return "", fmt.Errorf("tool: %w", err)
	}
	mirror, err := FindMirror(os.DirFS("/etc/apt"))
	if err != nil {
		return "", fmt.Errorf("tool: installing Asterisk: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, asteriskTimeout)
	defer cancel()
	for try := 1; ; try++ {
		root, err := bootstrap(ctx, cache, mirror, log)
		if err == nil || try == asteriskTries || ctx.Err() != nil {
			return root, err
		}
		fmt.Fprintf(log, "try %d of %d failed: %v\n", try, asteriskTries, err)
	}
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

// run runs a command; of what it prints only the end is shown, and only when it fails.
func run(ctx context.Context, log io.Writer, environment []string, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Env = append(os.Environ(), environment...)
	command.WaitDelay = 10 * time.Second
	out, err := command.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		fmt.Fprintln(log, strings.Join(lines[max(0, len(lines)-linesShown):], "\n"))
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// linesShown of a failed command's output.
const linesShown = 15

// lock waits until no other process holds the file.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("tool: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("tool: locking %s: %w", path, err), file.Close())
	}
	return func() { file.Close() }, nil
}
