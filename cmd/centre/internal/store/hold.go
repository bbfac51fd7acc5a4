package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// holdKey is the advisory lock of a switchboard that serves: "switch" in ASCII.
const holdKey = 0x737769746368

// holdWait is how long the lock of one that has just ended is waited for: its server may not have noticed yet.
const holdWait = "2s"

// keepAlive makes PostgreSQL notice within half a minute that the machine of a switchboard has died: another one may serve
// then (postgresql.org/docs/current/runtime-config-connection.html, TCP settings).
func keepAlive() map[string]string {
	return map[string]string{"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
}

// Hold keeps a second switchboard off the same PostgreSQL; SQLite's file has its own lock. PostgreSQL takes the lock with
// the connection: Open calls it, and who serves calls it again now and then, because the server may have been started
// again in between. An error says that somebody else serves now, or that nobody could look.
func (s *Store) Hold(ctx context.Context) error {
	if !s.postgres || s.config.Beside {
		return nil
	}
	if s.holding != nil {
		if s.holding.PingContext(ctx) == nil {
			return nil
		}
		s.drop()
	}
	var err error
	for range postgresConnections + 1 { // as many of the pool as may be broken
		var away *pgconn.ConnectError
		if err = s.hold(ctx); err == nil || errors.Is(err, errLocked) || errors.As(err, &away) || ctx.Err() != nil {
			break
		}
	}
	return s.wrap("hold", err)
}

// hold takes the lock on a connection that is kept.
func (s *Store) hold(ctx context.Context) (err error) {
	if s.holding, err = s.db.Conn(ctx); err != nil {
		return err
	}
	_, err = s.holding.ExecContext(ctx, `SELECT set_config('lock_timeout', $1, false)`, holdWait)
	if err == nil {
		// Session-level: it lasts as long as the connection (postgresql.org/docs/current/explicit-locking.html, 13.3.5).
		_, err = s.holding.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(holdKey))
	}
	if err == nil {
		return nil
	}
	s.drop()
	const lockNotAvailable = "55P03"
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Code == lockNotAvailable {
		return fmt.Errorf("%w: stop it first, or give this one a database of its own", errLocked)
	}
	return err
}

// drop closes the connection with the lock. It does not go back into the pool: nobody else must have the lock.
func (s *Store) drop() {
	_ = s.holding.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.holding.Close()
	s.holding = nil
}
