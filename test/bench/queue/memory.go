//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"freizeichen/sip/ami/amitest"
	"freizeichen/test/bench/process"
	"freizeichen/test/bench/stand"
)

// A memory is what a switchboard with many agents holds.
type memory struct {
	agents, queues int
	synced         time.Duration // from the start of the program until all queues were told of
	mostKB         int           // of resident memory
	calm, busy     process.Usage // after the start; after every queue has changed, and after a second login to the PBX
}

// Queues of the measurement, and in how many each agent serves.
const (
	boardQueues = 200
	served      = 4
	busyRounds  = 3 // callers who come into every queue and leave it, a second apart
	syncMax     = time.Minute
)

// measureMemory runs the switchboard beside a fake Asterisk whose members are its agents, signed in before it started.
func measureMemory(ctx context.Context, o options, out io.Writer) (m memory, err error) {
	fmt.Fprintf(out, "memory: %d agents in %d of %d queues each\n", o.agents, served, boardQueues)
	m.agents, m.queues = o.agents, boardQueues
	return m, stand.Hold(out, func(s *stand.Stand) error {
		names := make([]string, boardQueues)
		for i := range names {
			names[i] = fmt.Sprintf("queue-%d", i)
		}
		pbx := startFakePBX(s, names...)
		for i := range o.agents {
			for n := range served {
				pbx.Add(names[(i+n*boardQueues/served)%boardQueues], amitest.Member{Interface: fmt.Sprintf("PJSIP/%d", deviceFirst+i), Name: fmt.Sprint(agentFirst + i)})
			}
		}
		began := time.Now()
		pid := startSwitchboard(s, o.board, site{manager: pbx.address, secret: secret, queues: names}, func(file string) {
			signIn(s, o, file)
			began = time.Now()
		})
		if err := told(ctx, pbx, names); err != nil {
			return err
		}
		m.synced = time.Since(began)
		time.Sleep(settle)
		var err error
		if m.calm, err = process.Of(pid); err != nil {
			return err
		}
		for range busyRounds {
			for _, name := range names {
				pbx.Join(name, uniqueid)
			}
			time.Sleep(apart)
			for _, name := range names {
				pbx.Leave(name, uniqueid)
			}
			time.Sleep(apart)
		}
		pbx.Cut("")
		time.Sleep(4 * settle)
		if got := pbx.Dials(); got < 2 {
			return fmt.Errorf("the switchboard has connected %d times, and was cut off once", got)
		}
		m.busy, err = process.Of(pid)
		m.mostKB = max(m.calm.RSS, m.calm.HWM, m.busy.RSS, m.busy.HWM) // the kernel keeps each of them a little late
		return err
	})
}

// Numbers of phones and agents.
const (
	deviceFirst = 20_001
	agentFirst  = 40_001
)

// signIn makes agents who signed in before the program was stopped. Checking a PIN takes 25 ms or more by design: it is
// not done 5,000 times here.
func signIn(s *stand.Stand, o options, file string) {
	var list bytes.Buffer
	list.WriteString("number,name,pin,queues\n")
	for i := range o.agents {
		fmt.Fprintf(&list, "%d,Agent %d,,", agentFirst+i, agentFirst+i)
		for n := range served {
			fmt.Fprintf(&list, "queue-%d ", (i+n*boardQueues/served)%boardQueues)
		}
		list.WriteString("\n")
	}
	add := exec.Command(o.board, "-config", file, "agents", "import", "-")
	add.Stdin = &list
	if out, err := add.CombinedOutput(); err != nil {
		s.Fatalf("switchboard agents import: %v\n%s", err, out)
	}
	database := filepath.Join(filepath.Dir(file), "switchboard.db")
	query(s, database, func(db *sql.DB) error {
		_, err := db.Exec(`INSERT INTO sign_ins (device, agent, since_at) SELECT number + ?, number, ? FROM agents`, deviceFirst-agentFirst, time.Now().UnixMicro())
		return err
	})
	// This runs when the program has ended, before its folder goes.
	s.Cleanup(func() {
		query(s, database, func(db *sql.DB) error {
			n := 0
			if err := db.QueryRow(`SELECT count(*) FROM sign_ins`).Scan(&n); err != nil {
				return err
			}
			if n != o.agents {
				return fmt.Errorf("in the end %d of %d agents are signed in: what was measured is not what it should be", n, o.agents)
			}
			return nil
		})
	})
}

// query opens the database of a switchboard that does not run.
func query(s *stand.Stand, path string, do func(*sql.DB) error) {
	db, err := sql.Open("sqlite", path)
	if err == nil {
		err = errors.Join(do(db), db.Close())
	}
	if err != nil {
		s.Fatalf("the switchboard's database: %v", err)
	}
}

// told waits until each queue has been told of.
func told(ctx context.Context, pbx *fakePBX, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, syncMax)
	defer cancel()
	for _, name := range names {
		for pbx.State("PRESENCE_STATE(CustomPresence:cc-"+name+")") == "" {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("the switchboard has told nothing of %s: %w", name, ctx.Err())
			}
		}
	}
	return nil
}
