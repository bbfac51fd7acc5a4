// Package store keeps what the switchboard must not forget: agents, phones, supervisors, who is signed in where, the
// outcomes of calls and the messages to offices. SQLite in one file by default, PostgreSQL by URL; the same statements
// and the same tests for both.
//
//	api, page --> Store --> database/sql --> SQLite file | PostgreSQL
//
// What a method has confirmed survives a power cut. The store reads no clock: now is given. It logs nothing.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// A Config says where the data lie and how long they are kept.
type Config struct {
	// URL is "postgres://user:password@host/database", or the path of a SQLite file, whose folder is
	// made if that above it exists.
	URL string
	// Place is the time zone whose midnight parts the days; nil means UTC.
	Place *time.Location
	// AgentDays after a call its outcome forgets the agent; the statistics stay. Zero means 30.
	AgentDays int
	// MessageDays after a message was done it is deleted. Zero means 7.
	MessageDays int
	// OpenDays after it should have been answered a message is deleted that nobody has done. Zero means 30.
	OpenDays int
	// Beside: a switchboard may have the database open at the same time. For commands: they change a few rows, and leave
	// the schema alone while it runs.
	Beside bool

	cost int // of bcrypt; zero means hashCost, tests take less
}

// A Store is the switchboard's memory. All methods may be called at once from anywhere; a name or number that does not
// exist is not an error unless the method says so.
type Store struct {
	db       *sql.DB
	postgres bool
	config   Config
	hashes   chan struct{} // a token for each password hash computed at once
	nobody   string        // hash that a secret for an unknown name is compared with
	unlock   func() error  // of the SQLite file's lock
	guest    bool          // somebody else has the lock
	holding  *sql.Conn     // has PostgreSQL's lock; Hold's
}

// Bounds of the connections. SQLite has one: its writers would only wait for each other, and without order.
const (
	postgresConnections = 8
	connectTimeout      = 5 * time.Second
	hashesAtOnce        = 2 // password hashes take 50 ms of a processor each: the phones' requests need the others
)

// ErrNewer is what Open's error wraps when the database has been written by a newer program.
var ErrNewer = errors.New("the database was written by a newer version of this program: start that version, or restore the backup made before the update")

// Open opens or creates the database and brings its schema up to date.
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.Place == nil {
		config.Place = time.UTC
	}
	if config.AgentDays == 0 {
		config.AgentDays = 30
	}
	if config.MessageDays == 0 {
		config.MessageDays = 7
	}
	if config.OpenDays == 0 {
		config.OpenDays = 30
	}
	if config.cost == 0 {
		config.cost = hashCost
	}
	s := &Store{config: config, hashes: make(chan struct{}, hashesAtOnce), nobody: nobodyHash, unlock: func() error { return nil }}
	s.postgres = strings.HasPrefix(config.URL, "postgres://") || strings.HasPrefix(config.URL, "postgresql://")
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", s.place(), errors.Join(err, s.close()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.postgres {
		server, err := pgx.ParseConfig(s.config.URL)
		if err != nil {
			return errors.New("the URL is not one of PostgreSQL") // the error holds parts of it
		}
		if server.ConnectTimeout == 0 {
			server.ConnectTimeout = connectTimeout
		}
		if server.RuntimeParams["synchronous_commit"] == "" { // whatever the server's default: what was confirmed is safe
			server.RuntimeParams["synchronous_commit"] = "on"
		}
		for name, value := range keepAlive() {
			server.RuntimeParams[name] = cmp.Or(server.RuntimeParams[name], value)
		}
		s.db = stdlib.OpenDB(*server)
		s.db.SetMaxOpenConns(postgresConnections)
		s.db.SetMaxIdleConns(postgresConnections)
		s.db.SetConnMaxIdleTime(5 * time.Minute)
	} else {
		if err := private(s.config.URL); err != nil {
			return err
		}
		unlock, err := lockFile(s.config.URL + ".lock")
		if s.guest = errors.Is(err, errLocked) && s.config.Beside; err != nil && !s.guest {
			return err
		}
		if !s.guest {
			s.unlock = unlock
		}
		if s.db, err = sql.Open("sqlite", sqliteURL(s.config.URL)); err != nil {
			return err
		}
		s.db.SetMaxOpenConns(1)
		s.db.SetMaxIdleConns(1)
	}
	if err := s.db.PingContext(ctx); err != nil {
		return err
	}
	if err := s.Hold(ctx); err != nil {
		return err
	}
	return s.migrate(ctx)
}

// sqliteURL asks for a write-ahead log that is synced with every commit: what was confirmed survives a power cut
// (sqlite.org/pragma.html#pragma_synchronous: FULL). The secrets of callers are overwritten when they are deleted.
func sqliteURL(path string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)"}}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String()
}

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrateTimeout bounds waiting for another switchboard that migrates the same database.
const migrateTimeout = time.Minute

// migrate brings the schema up to date, alone: SQLite's file is locked, PostgreSQL gets an advisory lock.
func (s *Store) migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	dialect, folder, options := goose.DialectSQLite3, "migrations/sqlite", []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		dialect, folder, options = goose.DialectPostgres, "migrations/postgres", append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, s.db, files, options...)
	if err != nil {
		return err
	}
	// The provider is not closed: that would close our database.
	has, knows, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the version of the schema: %w", err)
	}
	if has > knows {
		return fmt.Errorf("schema version %d, this program knows %d: %w", has, knows, ErrNewer)
	}
	if s.guest && has < knows {
		return fmt.Errorf("schema version %d, this program knows %d: the switchboard that runs is older than this command: stop it first", has, knows)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema from version %d to %d: %w", has, knows, err)
	}
	return nil
}

// Ping asks the database for a sign of life, for the switchboard's health.
func (s *Store) Ping(ctx context.Context) error { return s.wrap("ping", s.db.PingContext(ctx)) }

// Close ends all work. No other method may be called afterwards.
func (s *Store) Close() error { return s.wrap("close", s.close()) }

func (s *Store) close() error {
	var err error
	if s.holding != nil {
		s.drop()
	}
	if s.db != nil {
		err = s.db.Close()
	}
	return errors.Join(err, s.unlock())
}

// place names the database without a password.
func (s *Store) place() string {
	if !s.postgres {
		return s.config.URL
	}
	u, err := url.Parse(s.config.URL)
	if err != nil {
		return "PostgreSQL"
	}
	return "postgres://" + u.Host + u.Path
}

// wrap says what was done; the arguments of statements are never part of it.
func (s *Store) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", doing, err)
}

// sql turns the placeholders $1 into ?1 for SQLite, where $1 would be a name.
func (s *Store) sql(statement string) string {
	if s.postgres {
		return statement
	}
	return strings.ReplaceAll(statement, "$", "?")
}

// executor is a database or a transaction of it.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// exec reports how many rows a statement changed.
func (s *Store) exec(ctx context.Context, on executor, statement string, arguments ...any) (int64, error) {
	result, err := on.ExecContext(ctx, s.sql(statement), arguments...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// atomically runs statements that count together or not at all.
func (s *Store) atomically(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// A rowScanner reads the columns of one row.
type rowScanner interface{ Scan(into ...any) error }

// rows reads all rows of a query; scan reads one.
func (s *Store) rows(ctx context.Context, statement string, arguments []any, scan func(row rowScanner) error) error {
	rows, err := s.db.QueryContext(ctx, s.sql(statement), arguments...)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// micros is a time as the tables hold it; 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// private makes the database's folder, unless a folder above it is missing, and its file, for nobody else to read: agents'
// names and citizens' numbers stand in it. SQLite gives its other files the rights of this one.
func private(path string) error {
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("its folder cannot be made: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// errLocked is what a second switchboard hears.
var errLocked = errors.New("another switchboard uses this database")

// lockFile keeps a second switchboard off the same SQLite file.
func lockFile(path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockExclusively(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: stop it first, or give this one a database of its own (%s is locked: %w)", errLocked, path, err), file.Close())
	}
	return file.Close, nil // the system takes the lock with the file
}
