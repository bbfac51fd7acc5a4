package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"freizeichen/sip"
)

// An Agent is who may sign in.
type Agent struct {
	Number string // "4711", digits
	Name   string
	Queues []Membership // in the order of their names
}

// A Membership is one queue that an agent serves.
type Membership struct {
	Queue   string
	Penalty int // as of app_queue: those with a lower one are asked first
}

// A SignIn is who sits at which phone. It outlives the program: a switchboard that was started again knows who is where.
type SignIn struct {
	Device string
	Agent  string
	Since  time.Time
}

// Bounds of a PIN in bytes; bcrypt reads no more than 72.
const (
	pinMin = 4
	pinMax = 32
)

// PutAgent makes or changes an agent and the whole list of his queues. His PIN stays; a new agent has none and cannot
// sign in until SetPIN.
func (s *Store) PutAgent(ctx context.Context, a Agent) error {
	if a.Number == "" || a.Name == "" {
		return errors.New("store: an agent needs a number and a name")
	}
	return s.wrap("put agent "+a.Number, s.atomically(ctx, func(tx *sql.Tx) error {
		_, err := s.exec(ctx, tx, `INSERT INTO agents (number, name) VALUES ($1, $2) ON CONFLICT (number) DO UPDATE SET name = excluded.name`, a.Number, a.Name)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, `DELETE FROM agent_queues WHERE agent = $1`, a.Number); err != nil {
			return err
		}
		for _, m := range a.Queues {
			if _, err := s.exec(ctx, tx, `INSERT INTO agent_queues (agent, queue, penalty) VALUES ($1, $2, $3)`, a.Number, m.Queue, m.Penalty); err != nil {
				return err
			}
		}
		return nil
	}))
}

// RemoveAgent forgets an agent, his PIN, queues and sign-in. What he did stays in the statistics, without him. It reports
// whether he existed.
func (s *Store) RemoveAgent(ctx context.Context, number string) (found bool, err error) {
	err = s.wrap("remove agent "+number, s.atomically(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, `UPDATE outcomes SET agent = '' WHERE agent = $1`, number); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, `DELETE FROM tries WHERE who = $1`, agentTries+number); err != nil {
			return err
		}
		n, err := s.exec(ctx, tx, `DELETE FROM agents WHERE number = $1`, number)
		found = n > 0
		return err
	}))
	return found, err
}

// SetPIN gives an agent a PIN of 4 to 32 characters and ends a lock of his number. It reports whether he exists.
func (s *Store) SetPIN(ctx context.Context, number, pin string) (found bool, err error) {
	if len(pin) < pinMin || len(pin) > pinMax {
		return false, fmt.Errorf("store: a PIN has %d to %d characters", pinMin, pinMax)
	}
	hash, err := s.hash(ctx, pin)
	if err != nil {
		return false, s.wrap("set PIN", err)
	}
	var changed int64
	err = s.atomically(ctx, func(tx *sql.Tx) (err error) {
		if changed, err = s.exec(ctx, tx, `UPDATE agents SET pin_hash = $2 WHERE number = $1`, number, hash); err != nil {
			return err
		}
		_, err = s.exec(ctx, tx, `DELETE FROM tries WHERE who = $1`, agentTries+number)
		return err
	})
	return changed > 0, s.wrap("set PIN", err)
}

// Agents are all agents in the order of their numbers.
func (s *Store) Agents(ctx context.Context) ([]Agent, error) {
	return s.agents(ctx, `SELECT a.number, a.name, q.queue, q.penalty FROM agents a LEFT JOIN agent_queues q ON q.agent = a.number ORDER BY a.number, q.queue`)
}

// Agent is one agent.
func (s *Store) Agent(ctx context.Context, number string) (a Agent, found bool, err error) {
	all, err := s.agents(ctx, `SELECT a.number, a.name, q.queue, q.penalty FROM agents a LEFT JOIN agent_queues q ON q.agent = a.number WHERE a.number = $1 ORDER BY q.queue`, number)
	if err != nil || len(all) == 0 {
		return Agent{}, false, err
	}
	return all[0], true, nil
}

func (s *Store) agents(ctx context.Context, statement string, arguments ...any) ([]Agent, error) {
	var all []Agent
	err := s.rows(ctx, statement, arguments, func(row rowScanner) error {
		var a Agent
		var queue sql.NullString
		var penalty sql.NullInt64
		if err := row.Scan(&a.Number, &a.Name, &queue, &penalty); err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].Number != a.Number {
			all = append(all, a)
		}
		if queue.Valid {
			last := &all[len(all)-1]
			last.Queues = append(last.Queues, Membership{Queue: queue.String, Penalty: int(penalty.Int64)})
		}
		return nil
	})
	// The collations of databases differ; that of bytes does not.
	slices.SortFunc(all, func(a, b Agent) int { return compare(a.Number, b.Number) })
	for _, a := range all {
		slices.SortFunc(a.Queues, func(x, y Membership) int { return compare(x.Queue, y.Queue) })
	}
	return all, s.wrap("read agents", err)
}

// A PINCheck is what came of a try to sign in.
type PINCheck struct {
	Problem sip.AgentProblem // NoProblem, WrongPIN or TooManyTries
	Agent   Agent            // of NoProblem
	Tries   int              // left, of WrongPIN
	Retry   time.Time        // of TooManyTries
}

// CheckPIN tries a PIN. Five wrong ones lock the number, see tries. An agent who does not exist, one who has no PIN and a
// wrong PIN get the same answer after the same work.
func (s *Store) CheckPIN(ctx context.Context, now time.Time, number, pin string) (PINCheck, error) {
	left, retry, err := s.try(ctx, now, agentTries+number)
	if err != nil || !retry.IsZero() && left < 0 {
		return PINCheck{Problem: sip.TooManyTries, Retry: retry}, s.wrap("check PIN", err)
	}
	hash, err := s.secret(ctx, `SELECT pin_hash FROM agents WHERE number = $1`, number)
	if err != nil {
		return PINCheck{}, s.wrap("check PIN", err)
	}
	right, err := s.matches(ctx, hash, pin)
	switch {
	case err != nil:
		return PINCheck{}, s.wrap("check PIN", err)
	case !right && left == 0:
		return PINCheck{Problem: sip.TooManyTries, Retry: retry}, nil
	case !right:
		return PINCheck{Problem: sip.WrongPIN, Tries: left}, nil
	}
	if err := s.forgive(ctx, agentTries+number); err != nil {
		return PINCheck{}, s.wrap("check PIN", err)
	}
	agent, found, err := s.Agent(ctx, number)
	if err == nil && !found { // removed in this moment
		return PINCheck{Problem: sip.WrongPIN, Tries: left}, nil
	}
	return PINCheck{Agent: agent}, err
}

// PutSignIn remembers that an agent sits at a phone: nowhere else, and nobody else there.
func (s *Store) PutSignIn(ctx context.Context, in SignIn) error {
	return s.wrap("put sign-in", s.atomically(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, `DELETE FROM sign_ins WHERE agent = $1 OR device = $2`, in.Agent, in.Device); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, `INSERT INTO sign_ins (device, agent, since_at) VALUES ($1, $2, $3)`, in.Device, in.Agent, micros(in.Since)); err != nil {
			return err
		}
		_, err := s.exec(ctx, tx, `INSERT INTO seats (device, agent, day_at) VALUES ($1, $2, $3) ON CONFLICT (device, agent) DO UPDATE SET day_at = excluded.day_at`,
			in.Device, in.Agent, micros(in.Since.Truncate(24*time.Hour)))
		return err
	}))
}

// Sat reports whether an agent has signed in at a phone within the days that a call knows its agent, see Config.AgentDays.
func (s *Store) Sat(ctx context.Context, device, agent string) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, s.sql(`SELECT COUNT(*) FROM seats WHERE device = $1 AND agent = $2`), device, agent).Scan(&n)
	return n > 0, s.wrap("read seats", err)
}

// RemoveSignIn forgets who sits at a phone.
func (s *Store) RemoveSignIn(ctx context.Context, device string) error {
	_, err := s.exec(ctx, s.db, `DELETE FROM sign_ins WHERE device = $1`, device)
	return s.wrap("remove sign-in", err)
}

// SignIns are all sign-ins in the order of the phones.
func (s *Store) SignIns(ctx context.Context) ([]SignIn, error) {
	var all []SignIn
	err := s.rows(ctx, `SELECT device, agent, since_at FROM sign_ins`, nil, func(row rowScanner) error {
		var in SignIn
		var since int64
		err := row.Scan(&in.Device, &in.Agent, &since)
		in.Since = timeOf(since)
		all = append(all, in)
		return err
	})
	slices.SortFunc(all, func(a, b SignIn) int { return compare(a.Device, b.Device) })
	return all, s.wrap("read sign-ins", err)
}
