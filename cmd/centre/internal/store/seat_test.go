//go:build unix

package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func seats(b bed) {
	s := b.open(Config{AgentDays: 30})
	ok(b, s.PutAgent(ctx, ada))
	ok(b, s.PutAgent(ctx, Agent{Number: "4712", Name: "Bert"}))
	sat := func(device, agent string, want bool) {
		b.Helper()
		if got := must[bool](b)(s.Sat(ctx, device, agent)); got != want {
			b.Errorf("%s was at %s: %v", agent, device, got)
		}
	}
	sat("201", "4711", false)
	ok(b, s.PutSignIn(ctx, SignIn{"201", "4711", noon}))
	ok(b, s.PutSignIn(ctx, SignIn{"202", "4712", noon}))
	ok(b, s.PutSignIn(ctx, SignIn{"203", "4712", noon}))
	ok(b, s.PutSignIn(ctx, SignIn{"203", "4711", noon.Add(time.Hour)}))
	sat("201", "4711", true) // he has left, his phone delivers later
	sat("201", "4712", false)
	must[Forgotten](b)(s.Forget(ctx, noon.AddDate(0, 0, 30)))
	sat("201", "4711", true)
	if f := must[Forgotten](b)(s.Forget(ctx, noon.AddDate(0, 0, 32))); f.Seats != 3 {
		b.Errorf("%+v", f)
	}
	sat("201", "4711", false)
	sat("203", "4711", true) // where he still sits
	must[bool](b)(s.RemovePhone(ctx, "203"))
	sat("203", "4711", false)
	ok(b, s.PutSignIn(ctx, SignIn{"201", "4711", noon}))
	if !must[bool](b)(s.RemoveAgent(ctx, "4711")) || must[bool](b)(s.RemoveAgent(ctx, "4711")) {
		b.Error("who is removed is not told")
	}
	sat("201", "4711", false)
}

func alone(b bed) {
	s := b.open(Config{})
	if second, err := Open(ctx, Config{URL: b.url}); !errors.Is(err, errLocked) {
		b.Errorf("two switchboards on one database: %v", err)
		if err == nil {
			second.Close()
		}
	}
	b.open(Config{Beside: true}) // a command may
	ok(b, s.Hold(ctx))
	ok(b, s.Close())
	b.open(Config{})
}

// The server was started again: with the connection the lock has gone, and a second switchboard may have it now.
func TestALockThatWasLostIsTakenAgainOrItIsSaid(t *testing.T) {
	cluster := startCluster(t)
	b := bed{t, cluster.database(t, "lost")}
	s := b.open(Config{})
	cut := func() {
		t.Helper()
		if _, err := cluster.admin.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'`); err != nil {
			t.Fatal(err)
		}
	}
	cut()
	ok(b, s.Hold(ctx))
	if _, err := Open(ctx, Config{URL: b.url}); !errors.Is(err, errLocked) {
		t.Errorf("it was not taken again: %v", err)
	}
	cut()
	second := b.open(Config{})
	if err := s.Hold(ctx); !errors.Is(err, errLocked) {
		t.Errorf("%v", err)
	}
	ok(b, second.Close())
	ok(b, s.Hold(ctx))
}

func TestTheFileIsForNobodyElseToRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "switchboard.db")
	b := bed{t, path}
	s := b.open(Config{})
	ok(b, s.PutAgent(ctx, ada))
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its folder: %v, %v", info.Mode(), err)
	}
}
