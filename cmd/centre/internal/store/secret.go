package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"freizeichen/sip/switchboard/wire"
)

// hashCost of bcrypt takes about 50 ms of a processor and 4 KiB: the lock after five tries protects a PIN of four digits,
// not the hash, and 5,000 agents who sign in within ten minutes must not need a second machine.
const hashCost = 9

// nobodyHash is the hash, of that cost, of a password that was thrown away: what is tried for unknown names is compared
// with it.
const nobodyHash = "$2a$09$Phyk1/5kNOHDXaaTje6kBOTVSjfHiy/vWTQj6bwMOrmIzulmp09bG"

// A password of a supervisor has so many bytes; bcrypt reads no more than 72.
const (
	passwordMin = 12
	passwordMax = 72
)

// Kinds of names in the table of tries.
const (
	agentTries      = "agent:"
	supervisorTries = "supervisor:"
)

// Tries: after triesMax wrong ones in a row a name is locked for lockFirst, after as many more for twice, four and eight
// times as long, at most an hour; a supervisor always for a minute. A day without a try forgets all of it.
const (
	triesMax  = 5
	lockFirst = 5 * time.Minute
	// A supervisor is locked so long each time: a stranger who knows the name shall not keep him out with a few tries an
	// hour, and at that pace nobody guesses a password of passwordMin bytes.
	lockSupervisor = time.Minute
	lockMax        = time.Hour // a lock that lasts longer was written by a clock that was wrong: it does not count
	forgetful      = 24 * time.Hour
)

// whoMax bounds a name in bytes that somebody tries.
const whoMax = 160

// try counts a try before it is looked at, so that tries at once cannot be more than five: left are those that remain if
// this one is wrong; with none left, retry is when the name may be tried again. While it is locked, left is -1.
func (s *Store) try(ctx context.Context, now time.Time, who string) (left int, retry time.Time, err error) {
	first, grows := lockFirst, 1
	if strings.HasPrefix(who, supervisorTries) {
		first, grows = lockSupervisor, 0
	}
	who = who[:min(len(who), whoMax)]
	var failed int
	var until int64
	err = s.db.QueryRowContext(ctx, s.sql(`
		INSERT INTO tries (who, failed, locks, locked_until, last_at) VALUES ($1, 1, 0, 0, $2)
		ON CONFLICT (who) DO UPDATE SET
			failed = CASE WHEN tries.last_at < $3 OR tries.failed >= $4 THEN 1 ELSE tries.failed + 1 END,
			locks = CASE WHEN tries.last_at < $3 THEN 0 WHEN tries.failed = $4 - 1 THEN tries.locks + 1 ELSE tries.locks END,
			locked_until = CASE WHEN tries.last_at >= $3 AND tries.failed = $4 - 1
				THEN $2 + CAST($5 AS BIGINT) * CASE CAST($7 AS BIGINT) * tries.locks WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 4 WHEN 3 THEN 8 ELSE 12 END ELSE 0 END,
			last_at = $2
		WHERE tries.locked_until <= $2 OR tries.locked_until > $6
		RETURNING failed, locked_until`),
		who, micros(now), micros(now.Add(-forgetful)), int64(triesMax), first.Microseconds(), micros(now.Add(lockMax)), grows).Scan(&failed, &until)
	if errors.Is(err, sql.ErrNoRows) { // it is locked
		err = s.db.QueryRowContext(ctx, s.sql(`SELECT locked_until FROM tries WHERE who = $1`), who).Scan(&until)
		if errors.Is(err, sql.ErrNoRows) {
			return s.try(ctx, now, who) // forgiven in this moment
		}
		return -1, timeOf(until), err
	}
	return triesMax - failed, timeOf(until), err
}

// forgive forgets the tries of a name that was right.
func (s *Store) forgive(ctx context.Context, who string) error {
	_, err := s.exec(ctx, s.db, `DELETE FROM tries WHERE who = $1`, who)
	return err
}

// secret reads one hash; empty without one.
func (s *Store) secret(ctx context.Context, statement, name string) (hash string, err error) {
	err = s.db.QueryRowContext(ctx, s.sql(statement), name).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return hash, err
}

// hash computes a password's hash, a few at once.
func (s *Store) hash(ctx context.Context, password string) (string, error) {
	if err := s.enter(ctx); err != nil {
		return "", err
	}
	defer s.leave()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), s.config.cost)
	return string(hash), err
}

// matches compares a password; without a hash it does the same work and says no.
func (s *Store) matches(ctx context.Context, hash, password string) (bool, error) {
	if err := s.enter(ctx); err != nil {
		return false, err
	}
	defer s.leave()
	err := bcrypt.CompareHashAndPassword([]byte(cmp.Or(hash, s.nobody)), []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil && hash != "", err
}

func (s *Store) enter(ctx context.Context) error {
	select {
	case s.hashes <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) leave() { <-s.hashes }

// NewSecret makes a phone's secret: 160 bits of chance as 40 hexadecimal digits.
func NewSecret() string {
	secret := make([]byte, 20)
	rand.Read(secret) // never fails, see crypto/rand
	return hex.EncodeToString(secret)
}

// A Phone is a device that may ask the switchboard.
type Phone struct {
	Device string // its SIP account: "201"
	Label  string // where it stands, for people
}

// secretMin is the shortest secret of a phone: 128 bits as hexadecimal digits.
const secretMin = 32

// What the name of a phone is made of: it becomes a part of the PBX's names (PJSIP/201), of lines of the manager interface
// and of a resource (cc-phone-201).
const (
	deviceMax     = 64
	deviceLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
)

// PutPhone makes or changes a phone. Its secret is one of NewSecret, or empty: a known phone's stays.
func (s *Store) PutPhone(ctx context.Context, p Phone, secret string) error {
	var changed int64
	var err error
	switch {
	case p.Device == "" || len(p.Device) > deviceMax || strings.Trim(p.Device, deviceLetters) != "":
		return fmt.Errorf("store: a phone is named as its SIP account at the PBX: 1 to %d letters, digits, dots, - or _", deviceMax)
	case secret == "":
		changed, err = s.exec(ctx, s.db, `UPDATE phones SET label = $2 WHERE device = $1`, p.Device, p.Label)
		if err == nil && changed == 0 {
			err = errors.New("a new phone needs a secret")
		}
	case len(secret) < secretMin:
		err = fmt.Errorf("the secret has fewer than %d characters", secretMin)
	default:
		_, err = s.exec(ctx, s.db, `INSERT INTO phones (device, label, secret_hash) VALUES ($1, $2, $3)
			ON CONFLICT (device) DO UPDATE SET label = excluded.label, secret_hash = excluded.secret_hash`, p.Device, p.Label, wire.SecretHash(secret))
	}
	return s.wrap("put phone "+p.Device, err)
}

// RemovePhone forgets a phone and who sits there. It reports whether there was one.
func (s *Store) RemovePhone(ctx context.Context, device string) (found bool, err error) {
	err = s.wrap("remove phone "+device, s.atomically(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{`DELETE FROM sign_ins WHERE device = $1`, `DELETE FROM seats WHERE device = $1`} {
			if _, err := s.exec(ctx, tx, statement, device); err != nil {
				return err
			}
		}
		n, err := s.exec(ctx, tx, `DELETE FROM phones WHERE device = $1`, device)
		found = n > 0
		return err
	}))
	return found, err
}

// Phones are all phones in the order of their devices.
func (s *Store) Phones(ctx context.Context) ([]Phone, error) {
	var all []Phone
	err := s.rows(ctx, `SELECT device, label FROM phones`, nil, func(row rowScanner) error {
		var p Phone
		err := row.Scan(&p.Device, &p.Label)
		all = append(all, p)
		return err
	})
	slices.SortFunc(all, func(a, b Phone) int { return compare(a.Device, b.Device) })
	return all, s.wrap("read phones", err)
}

// PhoneHash is the hash of a phone's secret, see wire.SecretHash; empty when there is no such phone.
func (s *Store) PhoneHash(ctx context.Context, device string) (string, error) {
	hash, err := s.secret(ctx, `SELECT secret_hash FROM phones WHERE device = $1`, device)
	return hash, s.wrap("read the hash of a phone", err)
}

// CheckPhone reports whether a phone is known, and with this secret.
func (s *Store) CheckPhone(ctx context.Context, device, secret string) (bool, error) {
	hash, err := s.secret(ctx, `SELECT secret_hash FROM phones WHERE device = $1`, device)
	if err != nil {
		return false, s.wrap("check phone", err)
	}
	return subtle.ConstantTimeCompare([]byte(cmp.Or(hash, wire.SecretHash(""))), []byte(wire.SecretHash(secret))) == 1 && hash != "", nil
}

// PutSupervisor makes a supervisor or changes his password, which has 12 to 72 bytes, and ends his sessions.
func (s *Store) PutSupervisor(ctx context.Context, name, password string) error {
	if name == "" || len(password) < passwordMin || len(password) > passwordMax {
		return fmt.Errorf("store: a supervisor needs a name and a password of %d to %d bytes", passwordMin, passwordMax)
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return s.wrap("put supervisor", err)
	}
	return s.wrap("put supervisor", s.atomically(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, `INSERT INTO supervisors (name, password_hash) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash`, name, hash); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, `DELETE FROM sessions WHERE supervisor = $1`, name); err != nil {
			return err
		}
		_, err := s.exec(ctx, tx, `DELETE FROM tries WHERE who = $1`, supervisorTries+name)
		return err
	}))
}

// RemoveSupervisor forgets a supervisor and ends his sessions. It reports whether there was one.
func (s *Store) RemoveSupervisor(ctx context.Context, name string) (found bool, err error) {
	n, err := s.exec(ctx, s.db, `DELETE FROM supervisors WHERE name = $1`, name)
	return n > 0, s.wrap("remove supervisor", err)
}

// Supervisors are the names of all supervisors. None: nobody can log in, there is no default password.
func (s *Store) Supervisors(ctx context.Context) ([]string, error) {
	var all []string
	err := s.rows(ctx, `SELECT name FROM supervisors`, nil, func(row rowScanner) error {
		var name string
		err := row.Scan(&name)
		all = append(all, name)
		return err
	})
	slices.Sort(all)
	return all, s.wrap("read supervisors", err)
}

// LogIn begins a supervisor's session of the given length. An empty token means that name or password is wrong, or, with
// retry set, that the name is locked until then; which names exist cannot be told from answer or time.
func (s *Store) LogIn(ctx context.Context, now time.Time, name, password string, length time.Duration) (token string, retry time.Time, err error) {
	left, retry, err := s.try(ctx, now, supervisorTries+name)
	if err != nil || left < 0 {
		return "", retry, s.wrap("log in", err)
	}
	hash, err := s.secret(ctx, `SELECT password_hash FROM supervisors WHERE name = $1`, name)
	if err != nil {
		return "", time.Time{}, s.wrap("log in", err)
	}
	if right, err := s.matches(ctx, hash, password); err != nil || !right {
		return "", retry, s.wrap("log in", err)
	}
	if err := s.forgive(ctx, supervisorTries+name); err != nil {
		return "", time.Time{}, s.wrap("log in", err)
	}
	token = NewSecret()
	_, err = s.exec(ctx, s.db, `INSERT INTO sessions (token_hash, supervisor, expires_at) VALUES ($1, $2, $3)`, wire.SecretHash(token), name, micros(now.Add(length)))
	if err != nil {
		return "", time.Time{}, s.wrap("log in", err)
	}
	return token, time.Time{}, nil
}

// Session is the supervisor whom a token belongs to; empty when it has expired or never was.
func (s *Store) Session(ctx context.Context, now time.Time, token string) (name string, err error) {
	err = s.db.QueryRowContext(ctx, s.sql(`SELECT supervisor FROM sessions WHERE token_hash = $1 AND expires_at > $2`), wire.SecretHash(token), micros(now)).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return name, s.wrap("read session", err)
}

// LogOut ends a session.
func (s *Store) LogOut(ctx context.Context, token string) error {
	_, err := s.exec(ctx, s.db, `DELETE FROM sessions WHERE token_hash = $1`, wire.SecretHash(token))
	return s.wrap("log out", err)
}

func compare(a, b string) int { return cmp.Compare(a, b) }
