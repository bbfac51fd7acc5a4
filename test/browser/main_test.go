// Package browser proves the page of phonesim, and that of supervisors, as its person meets it: the real program, a real
// Chromium, real clicks, keys and sound. It must not know how the page is made inside: it looks for names, roles, keys and what is told to
// screen readers.
//
//	Chromium <--clicks, keys, looks-- test --phonectl--> phonesim
//	   |                               |                    |
//	   +-- page, web socket, sound ----|--------------------+
//	                                   +--citizens--> exchange (phonesim's own, or one of the test)
//	   +-- the supervisor's page ------ cmd/centre/pagetest, an invented service centre, by HTTPS
package browser

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// TestMain puts everything that the tests write into one folder, and removes it.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "phone-page-")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Setenv("TMPDIR", dir); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		log.Print(err)
	}
	os.Exit(code)
}

// programs is the folder with phonesim and phonectl, built once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "programs-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir, "./cmd/phonesim", "./cmd/phonectl")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the phone: %w\n%s", err, out)
	}
	return dir, nil
})
