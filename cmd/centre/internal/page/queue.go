package page

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"freizeichen/sip"
)

// A queueRow is a queue as it is shown.
type queueRow struct {
	ID     string // for the element
	Title  string
	Coarse bool // see sip.QueueStatus.Coarse
	// Stale: what is known is not how the queue stands now. As of At, zero: nothing was ever known.
	Stale             bool
	At                time.Time
	Waiting           int
	Counts            bool          // somebody waits, and it is known since when
	Waited            time.Duration // of who waits longest
	Late              bool          // longer than Within
	Within            time.Duration // that is promised
	Free              int
	SignedIn          int
	Paused            int
	Busy              int // signed in, and neither free nor paused
	Target            int
	Levels            []levelRow
	Promised          *levelRow // of Levels; nil without a promise
	Offered, Answered int       // since midnight
	Abandoned, InTime int
}

// A levelRow is the service level by one formula.
type levelRow struct {
	Formula sip.Formula
	Percent int
	Known   bool // there is something to divide by
	Within  time.Duration
	Target  int       // promised for this formula, 0: nothing
	Reached bool      // Percent is what is promised, at least
	Since   time.Time // the counts have a gap before it; zero: they are of today
}

// queueOf is the row of a queue. A report that cannot be true is not shown.
func queueOf(now time.Time, s sip.QueueStatus, pbx PBX) queueRow {
	row := queueRow{ID: "queue-" + hex.EncodeToString([]byte(s.Queue)), Title: cmp.Or(s.Title, s.Queue), At: s.At, Coarse: s.Coarse}
	old := s.Valid > 0 && now.Sub(s.At) > s.Valid
	row.Stale = old || !pbx.Connected || s.At.IsZero() || !s.Plausible()
	if !s.Plausible() {
		row.At = time.Time{}
		return row
	}
	if !pbx.Connected && !pbx.Since.IsZero() && pbx.Since.Before(row.At) {
		row.At = pbx.Since // what was repeated since was not seen
	}
	l := s.Level
	row.Waiting, row.Free, row.SignedIn, row.Paused = s.Waiting, s.Free, s.SignedIn, s.Paused
	row.Busy = s.SignedIn - s.Free - s.Paused
	row.Within, row.Target = l.Within, l.Target
	row.Offered, row.Answered, row.Abandoned, row.InTime = l.Offered, l.Answered, l.Abandoned, l.AnsweredInTime
	if s.Waiting > 0 && !s.Oldest.IsZero() && !row.Stale {
		row.Counts, row.Waited = true, max(0, now.Sub(s.Oldest))
		row.Late = l.Within > 0 && row.Waited > l.Within
	}
	if s.Coarse {
		return row
	}
	for f := range sip.FormulaCount {
		level := levelRow{Formula: f, Within: l.Within, Since: s.Since}
		level.Percent, level.Known = l.Percent(f)
		if f == l.Formula && l.Target > 0 {
			level.Target, level.Reached = l.Target, level.Percent >= l.Target
		}
		row.Levels = append(row.Levels, level)
	}
	// What is promised stands first.
	slices.SortStableFunc(row.Levels, func(a, b levelRow) int { return cmp.Compare(b.Target, a.Target) })
	if row.Levels[0].Target > 0 {
		row.Promised = &row.Levels[0]
	}
	return row
}

// A team is what all agents do, counted.
type team struct {
	SignedIn, Ready, Talking, WrapUp, Paused, SignedOut int
	Reasons                                             []reason // of Paused; empty when they would tell of a person
	Few                                                 bool     // so few are signed in that Reasons are not told
}

// A reason counts who paused for it.
type reason struct {
	Text string
	Desk int
}

// teamMin is how many must be signed in before reasons to pause are told: among two, everybody knows who it is.
const teamMin = 3

// count counts. Who talks is counted as talking, whatever state follows his call.
func count(desks []Desk, text func(string) string) team {
	var t team
	reasons := map[string]int{}
	for _, desk := range desks {
		if desk.State == sip.SignedOut {
			t.SignedOut++
			continue
		}
		t.SignedIn++
		switch {
		case desk.Talking:
			t.Talking++
		case desk.State == sip.Ready:
			t.Ready++
		case desk.State == sip.WrapUp:
			t.WrapUp++
		default:
			t.Paused++
			reasons[desk.Reason]++
		}
	}
	if t.Few = t.SignedIn < teamMin; t.Few {
		return t
	}
	for name, desks := range reasons {
		t.Reasons = append(t.Reasons, reason{text(name), desks})
	}
	slices.SortFunc(t.Reasons, func(a, b reason) int { return cmp.Or(cmp.Compare(b.Desk, a.Desk), cmp.Compare(a.Text, b.Text)) })
	return t
}
