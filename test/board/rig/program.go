package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program builds one of our programs for the board, "freizeichen/cmd/phoned", and gives it as a file of the machine: /usr/bin/phoned.
func Program(t testing.TB, name string) File {
	t.Helper()
	return program(t, name, machine64...)
}

// Program32 is Program for ARMv7. The board's processor and kernel run programs of 32 bits too: what these see are the kernel's own
// layouts for 32 bits.
func Program32(t testing.TB, name string) File {
	t.Helper()
	return program(t, name, "GOARCH=arm", "GOARM=7")
}

// machine64 is what the board is.
var machine64 = []string{"GOARCH=arm64"}

func program(t testing.TB, name string, machine ...string) File {
	t.Helper()
	data, err := build(name, machine...)
	if err != nil {
		t.Fatal(err)
	}
	return File{Path: "/usr/bin/" + filepath.Base(name), Data: data, Mode: 0o755}
}

// build compiles as `make cross` does; Go's cache makes the second time quick.
func build(name string, machine ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "board-program-")
	if err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "program")
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, name)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-buildvcs=false"), machine...)
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("rig: building %s for the board: %w\n%s", name, err, said)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	return data, nil
}
