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

// cacheTries bounds how often something is fetched: a mirror may hiccup.
const cacheTries = 3

// installInCache makes what find does not find yet, from the mirror of the system's own apt configuration. Two runs at once wait for
// each other.
func installInCache[T any](ctx context.Context, log io.Writer, find func() (T, error), fetch func(ctx context.Context, cache string, mirror Mirror, log io.Writer) (T, error)) (T, error) {
	var nothing T
	cache, err := CacheDir()
	if err != nil {
		return nothing, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nothing, fmt.Errorf("tool: %w", err)
	}
	unlock, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return nothing, err
	}
	defer unlock()
	if found, err := find(); err == nil {
		return found, nil // somebody else was faster
	}
	// What a run left that was killed.
	halves, err := filepath.Glob(filepath.Join(cache, "half-*"))
	for _, half := range halves {
		err = errors.Join(err, os.RemoveAll(half))
	}
	if err != nil {
		return nothing, fmt.Errorf("tool: %w", err)
	}
	mirror, err := FindMirror(os.DirFS("/etc/apt"))
	if err != nil {
		return nothing, fmt.Errorf("tool: installing into %s: %w", cache, err)
	}
	for try := 1; ; try++ {
		made, err := fetch(ctx, cache, mirror, log)
		if err == nil || try == cacheTries || ctx.Err() != nil {
			return made, err
		}
		fmt.Fprintf(log, "try %d of %d failed: %v\n", try, cacheTries, err)
	}
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
