package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"freizeichen/sip"
)

// victimVariable makes this test binary a program that writes until it is killed; its value is the database.
const victimVariable = "FREIZEICHEN_STORE_VICTIM"

func TestMain(m *testing.M) {
	if url := os.Getenv(victimVariable); url != "" {
		victim(url)
	}
	os.Exit(m.Run())
}

// victim writes outcomes and messages, several at once, and says each number that was confirmed.
func victim(url string) {
	s, err := Open(ctx, Config{URL: url, cost: bcrypt.MinCost})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	start := time.Now().UnixNano()
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%016x%08x%08x", start, worker, n)
				o := outcome(0, 0)
				o.ID = id
				if _, err := s.PutOutcome(ctx, o); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				o.Revision, o.Result = 1, sip.Forwarded
				_, err := s.PutOutcome(ctx, o)
				if err == nil {
					_, _, err = s.PutMessage(ctx, sip.OfficeMessage{ID: id, Agent: "4711", Office: "kw-36", At: noon}, noon)
				}
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Println(id)
			}
		})
	}
	all.Wait()
}

func TestKillingSQLiteInTheMiddleOfWritesLosesNothing(t *testing.T) {
	killed(bed{t, filepath.Join(t.TempDir(), "s.db")})
}

// killed kills a program that writes, again and again, and looks for all it had been told.
func killed(b bed) {
	confirmed := map[string]bool{}
	for round := range 5 {
		program := exec.Command(os.Args[0])
		program.Env = append(os.Environ(), victimVariable+"="+b.url)
		program.Stderr = os.Stderr
		out, err := program.StdoutPipe()
		ok(b, err)
		ok(b, program.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if strings.HasPrefix(lines.Text(), "error") {
				b.Error(lines.Text())
			}
			if n == 20+7*round {
				program.Process.Kill() // what it says before it is dead counts, too
			}
			if len(lines.Text()) == 32 { // the last line may be torn
				confirmed[lines.Text()] = true
			}
		}
		program.Wait() // it was killed: an error, as wanted
		s := b.open(Config{})
		found := map[string]bool{}
		ok(b, s.rows(ctx, `SELECT o.id FROM outcomes o JOIN messages m ON m.id = o.id WHERE o.revision = 1`, nil, func(row rowScanner) error {
			var id string
			err := row.Scan(&id)
			found[id] = true
			return err
		}))
		for id := range confirmed {
			if !found[id] {
				b.Fatalf("round %d: %s was confirmed and is lost", round, id)
			}
		}
		if !s.postgres {
			var verdict string
			ok(b, s.db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict))
			if verdict != "ok" {
				b.Fatalf("round %d: %s", round, verdict)
			}
		}
		ok(b, s.Close())
	}
	if len(confirmed) < 100 {
		b.Errorf("only %d were confirmed", len(confirmed))
	}
}

// Killing a program cannot show what a power cut does: that commits wait for the disk is asked of the database.
func durable(b bed) {
	s := b.open(Config{})
	wanted := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "busy_timeout": "5000"}
	ask := "PRAGMA "
	if s.postgres {
		wanted, ask = map[string]string{"synchronous_commit": "on"}, "SHOW "
	}
	for name, want := range wanted {
		var got string
		ok(b, s.db.QueryRow(ask+name).Scan(&got))
		if got != want {
			b.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func addressesThatAreNone(t *testing.T, urls ...string) {
	for _, url := range urls {
		s, err := Open(ctx, Config{URL: url})
		if err == nil {
			s.Close()
			t.Errorf("%s was opened", url)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestADatabaseThatIsNotThereIsAnErrorWithoutThePassword(t *testing.T) {
	addressesThatAreNone(t, filepath.Join(t.TempDir(), "missing", "missing", "s.db"), "postgres://u:hunter2@127.0.0.1:1/x", "postgres://u:hunter2@[::1/x", "postgres://u:hunter2@host/x?sslmode=odd")
}

func TestAFileThatIsNoDatabaseIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	text := []byte(strings.Repeat("somebody's notes\n", 100))
	ok(t, os.WriteFile(path, text, 0o600))
	addressesThatAreNone(t, path)
	if now, err := os.ReadFile(path); err != nil || string(now) != string(text) {
		t.Errorf("the notes have changed: %v", err)
	}
}
