//go:build unix

package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"freizeichen/test/tool"
)

func TestPostgreSQL(t *testing.T) {
	cluster := startCluster(t)
	var count atomic.Int32
	runSuite(t, func(t *testing.T) string { return cluster.database(t, fmt.Sprintf("test%d", count.Add(1))) })
	t.Run("killing_the_switchboard_in_the_middle_of_writes_loses_nothing", func(t *testing.T) { killed(bed{t, cluster.database(t, "victim")}) })
}

// A cluster is a PostgreSQL of the test alone: in a folder of its own, reached by a socket in it.
type cluster struct {
	socket string
	admin  *sql.DB
}

// unprivileged is somebody who is not root: PostgreSQL refuses to run as root. Nil: we are nobody special already.
func unprivileged(t *testing.T) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is ours to pass on
	if os.Geteuid() != 0 {
		return attributes
	}
	for _, name := range []string{"postgres", "nobody"} {
		if who, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(who.Uid, 10, 32)
			gid, _ := strconv.ParseUint(who.Gid, 10, 32)
			attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			return attributes
		}
	}
	t.Fatal("there is neither a user postgres nor nobody")
	return nil
}

// startTimeout bounds initdb and the server's start on a machine that is busy.
const startTimeout = 60 * time.Second

func startCluster(t *testing.T) *cluster {
	postgres := tool.PostgreSQL(t)
	if resolved, err := filepath.EvalSymlinks(postgres); err == nil {
		postgres = resolved
	}
	who := unprivileged(t)
	// Not t.TempDir: its parent is ours alone, and a socket's path has at most 107 bytes.
	folder, err := os.MkdirTemp("", "pg")
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	if who.Credential != nil {
		ok(t, os.Chown(folder, int(who.Credential.Uid), int(who.Credential.Gid)))
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(filepath.Dir(postgres), "initdb"), "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir, initdb.Env = who, folder, append(os.Environ(), "LC_ALL=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command(postgres, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50", "-c", "shared_buffers=16MB")
	server.SysProcAttr, server.Dir, server.Env = who, folder, append(os.Environ(), "LC_ALL=C")
	server.Stdout, server.Stderr = &log, &log
	ok(t, server.Start())
	ended := make(chan struct{})
	go func() {
		server.Wait() // how it ended says the log
		close(ended)
	}()
	c := &cluster{socket: folder}
	t.Cleanup(func() {
		if c.admin != nil {
			c.admin.Close()
		}
		server.Process.Signal(syscall.SIGINT) // fast shutdown
		select {
		case <-ended:
		case <-time.After(startTimeout):
			server.Process.Kill()
			<-ended
			t.Error("PostgreSQL did not end")
		}
	})
	c.admin, err = sql.Open("pgx", c.url("postgres"))
	ok(t, err)
	for deadline := time.Now().Add(startTimeout); ; {
		if err = c.admin.PingContext(ctx); err == nil {
			return c
		}
		select {
		case <-ended:
			t.Fatalf("PostgreSQL has ended:\n%s", log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL does not answer: %v", err)
		}
	}
}

func (c *cluster) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("test"), Path: "/" + database, RawQuery: url.Values{"host": {c.socket}}.Encode()}).String()
}

// database makes an empty one.
func (c *cluster) database(t *testing.T, name string) string {
	_, err := c.admin.ExecContext(ctx, "CREATE DATABASE "+name)
	ok(t, err)
	return c.url(name)
}
