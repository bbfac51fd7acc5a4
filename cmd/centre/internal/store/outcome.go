package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"freizeichen/sip"
)

// PutOutcome keeps what an agent said of a call. The same identifier counts once: a higher revision replaces what is
// there, a lower or equal one changes nothing. It reports whether something changed.
func (s *Store) PutOutcome(ctx context.Context, o sip.Outcome) (changed bool, err error) {
	n, err := s.exec(ctx, s.db, `
		INSERT INTO outcomes (id, revision, agent, queue, tenant, line, topic, office, result, at, talked_ms, wrapup_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, agent = excluded.agent, queue = excluded.queue, tenant = excluded.tenant,
			line = excluded.line, topic = excluded.topic, office = excluded.office, result = excluded.result, at = excluded.at,
			talked_ms = excluded.talked_ms, wrapup_ms = excluded.wrapup_ms
		WHERE excluded.revision > outcomes.revision`,
		o.ID, o.Revision, o.Agent, o.Queue, o.Tenant, o.Line, o.Topic, o.Office, int(o.Result), micros(o.At), o.Talked.Milliseconds(), o.WrapUp.Milliseconds())
	return n > 0, s.wrap("put outcome", err)
}

// Day is the day that now lies in, from midnight to midnight by the clock of the place: 23 to 25 hours.
func (s *Store) Day(now time.Time) (from, until time.Time) {
	y, m, d := now.In(s.config.Place).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, s.config.Place), time.Date(y, m, d+1, 0, 0, 0, 0, s.config.Place)
}

// Figures counts the calls that were answered in [from, until). Own stays zero, see OwnTally.
func (s *Store) Figures(ctx context.Context, from, until time.Time) (sip.DayFigures, error) {
	f := sip.DayFigures{Day: from}
	lines, topics := map[string]sip.Tally{}, map[string]sip.Tally{}
	err := s.rows(ctx, `SELECT line, topic, result, COUNT(*) FROM outcomes WHERE at >= $1 AND at < $2 GROUP BY line, topic, result`,
		[]any{micros(from), micros(until)}, func(row rowScanner) error {
			var line, topic string
			var result, n int
			if err := row.Scan(&line, &topic, &result, &n); err != nil {
				return err
			}
			f.Team = count(f.Team, result, n)
			lines[line] = count(lines[line], result, n)
			topics[topic] = count(topics[topic], result, n)
			return nil
		})
	f.Lines, f.Topics = ranked(lines), ranked(topics)
	return f, s.wrap("read figures", err)
}

// OwnTally counts an agent's own calls that were answered in [from, until). It is shown to himself alone.
func (s *Store) OwnTally(ctx context.Context, from, until time.Time, agent string) (sip.Tally, error) {
	var own sip.Tally
	if agent == "" { // those whose agent was forgotten
		return own, nil
	}
	err := s.rows(ctx, `SELECT result, COUNT(*) FROM outcomes WHERE agent = $3 AND at >= $1 AND at < $2 GROUP BY result`,
		[]any{micros(from), micros(until), agent}, func(row rowScanner) error {
			var result, n int
			err := row.Scan(&result, &n)
			own = count(own, result, n)
			return err
		})
	return own, s.wrap("read own figures", err)
}

func count(t sip.Tally, result, n int) sip.Tally {
	t.Calls += n
	switch sip.Result(result) {
	case sip.Solved:
		t.Solved += n
	case sip.Forwarded:
		t.Forwarded += n
	case sip.LeftMessage:
		t.Messages += n
	default:
		t.Unsaid += n
	}
	return t
}

// ranked puts the most frequent first, equal ones in the order of their names.
func ranked(tallies map[string]sip.Tally) []sip.NamedTally {
	var all []sip.NamedTally
	for name, tally := range tallies {
		all = append(all, sip.NamedTally{Name: name, Tally: tally})
	}
	slices.SortFunc(all, func(a, b sip.NamedTally) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// A Message is one to an office, with what has become of it.
type Message struct {
	sip.OfficeMessage
	Due  time.Time // the office answers until then; zero: nothing was promised
	Done time.Time // zero: it is open
}

// PutMessage keeps a message to an office. The same identifier counts once: what was kept first stays, with its due time,
// which is given back.
func (s *Store) PutMessage(ctx context.Context, m sip.OfficeMessage, due time.Time) (created bool, kept time.Time, err error) {
	var micro int64
	err = s.atomically(ctx, func(tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, `
			INSERT INTO messages (id, agent, tenant, line, topic, office, callback, name, at, due_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
			m.ID, m.Agent, m.Tenant, m.Line, m.Topic, m.Office, m.Callback, m.Name, micros(m.At), micros(due))
		if err != nil {
			return err
		}
		created = n > 0
		return tx.QueryRowContext(ctx, s.sql(`SELECT due_at FROM messages WHERE id = $1`), m.ID).Scan(&micro)
	})
	return created, timeOf(micro), s.wrap("put message", err)
}

// Messages are those that are done, the latest first, or those that are open, the most urgent first; at most the given number.
func (s *Store) Messages(ctx context.Context, done bool, most int) ([]Message, error) {
	statement := `SELECT id, agent, tenant, line, topic, office, callback, name, at, due_at, done_at FROM messages WHERE done_at = 0 ORDER BY due_at, at, id LIMIT $1`
	if done {
		statement = `SELECT id, agent, tenant, line, topic, office, callback, name, at, due_at, done_at FROM messages WHERE done_at > 0 ORDER BY done_at DESC, id LIMIT $1`
	}
	var all []Message
	err := s.rows(ctx, statement, []any{most}, func(row rowScanner) error {
		var m Message
		var at, due, done int64
		err := row.Scan(&m.ID, &m.Agent, &m.Tenant, &m.Line, &m.Topic, &m.Office, &m.Callback, &m.Name, &at, &due, &done)
		m.At, m.Due, m.Done = timeOf(at), timeOf(due), timeOf(done)
		all = append(all, m)
		return err
	})
	return all, s.wrap("read messages", err)
}

// FinishMessage notes that the office has answered. It reports whether there is such a message; the first time counts.
func (s *Store) FinishMessage(ctx context.Context, now time.Time, id string) (found bool, err error) {
	n, err := s.exec(ctx, s.db, `UPDATE messages SET done_at = CASE done_at WHEN 0 THEN $2 ELSE done_at END WHERE id = $1`, id, micros(now))
	return n > 0, s.wrap("finish message", err)
}

// Forgotten says how much was forgotten.
type Forgotten struct {
	Agents   int64 // outcomes that do not know their agent any more
	Messages int64
	Lapsed   int64 // messages that nobody has done
	Sessions int64
	Seats    int64 // of whom was at which phone
	Tries    int64
}

// Forget removes what is kept long enough, see Config: the agent of old outcomes and at which phones he was, messages that are
// done, ended sessions, old tries. It is to be called once an hour or so.
func (s *Store) Forget(ctx context.Context, now time.Time) (Forgotten, error) {
	var f Forgotten
	err := s.atomically(ctx, func(tx *sql.Tx) error {
		// Who sits somewhere for weeks sits there today.
		if _, err := s.exec(ctx, tx, `UPDATE seats SET day_at = $1 WHERE EXISTS (
			SELECT 1 FROM sign_ins WHERE sign_ins.device = seats.device AND sign_ins.agent = seats.agent)`, micros(now.Truncate(24*time.Hour))); err != nil {
			return err
		}
		for _, step := range []struct {
			n         *int64
			statement string
			before    time.Time
		}{
			{&f.Agents, `UPDATE outcomes SET agent = '' WHERE agent <> '' AND at < $1`, now.AddDate(0, 0, -s.config.AgentDays)},
			{&f.Messages, `DELETE FROM messages WHERE done_at > 0 AND done_at < $1`, now.AddDate(0, 0, -s.config.MessageDays)},
			{&f.Lapsed, `DELETE FROM messages WHERE done_at = 0 AND at < $1 AND due_at < $1`, now.AddDate(0, 0, -s.config.OpenDays)},
			{&f.Sessions, `DELETE FROM sessions WHERE expires_at <= $1`, now},
			{&f.Seats, `DELETE FROM seats WHERE day_at < $1`, now.AddDate(0, 0, -s.config.AgentDays-1)},
			{&f.Tries, `DELETE FROM tries WHERE last_at < $1`, now.Add(-forgetful)},
		} {
			n, err := s.exec(ctx, tx, step.statement, micros(step.before))
			if err != nil {
				return err
			}
			*step.n = n
		}
		return nil
	})
	return f, s.wrap("forget", err)
}
