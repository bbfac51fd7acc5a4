package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Link opens the wallboard, to look at, until it is revoked: a screen in the corridor does not go dark because somebody left.
type Link struct {
	Hash  string // of what stands in it, in hexadecimal digits
	Label string // where the screen hangs
	Owner string // the supervisor who made it
	Made  time.Time
}

// PutLink keeps a link.
func (s *Store) PutLink(ctx context.Context, l Link) error {
	_, err := s.exec(ctx, s.db, `INSERT INTO links (hash, label, owner, made_at) VALUES ($1, $2, $3, $4)`, l.Hash, l.Label, l.Owner, micros(l.Made))
	return s.wrap("put link", err)
}

// Links are all links, the oldest first.
func (s *Store) Links(ctx context.Context) ([]Link, error) {
	var all []Link
	err := s.rows(ctx, `SELECT hash, label, owner, made_at FROM links ORDER BY made_at, hash`, nil, func(row rowScanner) error {
		l, err := scanLink(row)
		all = append(all, l)
		return err
	})
	return all, s.wrap("read links", err)
}

// Link finds a link by its hash.
func (s *Store) Link(ctx context.Context, hash string) (l Link, found bool, err error) {
	l, err = scanLink(s.db.QueryRowContext(ctx, s.sql(`SELECT hash, label, owner, made_at FROM links WHERE hash = $1`), hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, false, nil
	}
	return l, err == nil, s.wrap("read link", err)
}

func scanLink(row rowScanner) (Link, error) {
	var l Link
	var made int64
	err := row.Scan(&l.Hash, &l.Label, &l.Owner, &made)
	l.Made = timeOf(made)
	return l, err
}

// RemoveLink revokes a link. It is no error when there is none.
func (s *Store) RemoveLink(ctx context.Context, hash string) error {
	_, err := s.exec(ctx, s.db, `DELETE FROM links WHERE hash = $1`, hash)
	return s.wrap("remove link", err)
}

// Callback is whom to call about an open message; false when there is none with this identifier, or it is done.
func (s *Store) Callback(ctx context.Context, id string) (number, name string, found bool, err error) {
	err = s.db.QueryRowContext(ctx, s.sql(`SELECT callback, name FROM messages WHERE id = $1 AND done_at = 0`), id).Scan(&number, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", false, nil
	}
	return number, name, err == nil, s.wrap("read callback", err)
}
