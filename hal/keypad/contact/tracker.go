// Package contact turns the closed contacts of a key matrix into the keys of the phone: debounced, repeated while they stay down,
// never a ghost, and not one that is stuck. It is pure: it reads no contact and no clock, and knows no chip.
//
//	closed contacts, whole, every time --Scan--> Tracker --> hal.KeyChange, in order
//	                       time passes --Tick-->    |
//	                                     Deadline <-+-> Report, Stuck
//
// Keys close a row to a column. Unless there is a diode at each key, three keys at the corners of a rectangle look like four: what
// cannot be told apart keeps the state that was told before.
package contact

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"freizeichen/hal"
)

// Size of the largest matrix.
const (
	RowsMax = 8
	ColsMax = 16
)

const (
	// cornerWait is how long a key at one of three corners of a rectangle is not believed: a scan of a TCA8418 takes 25 ms
	// (SCPS215G section 8.4.2), and what it sees of the fourth corner may come that much later.
	cornerWait = 30 * time.Millisecond
	// A key that is down for stuckAfter is stuck; one that is so within startWindow of the first look, for stuckAtStart.
	stuckAfter   = 120 * time.Second
	stuckAtStart = 30 * time.Second
	startWindow  = time.Second
)

// A Position is where a key sits in the matrix: row 0 to 7, column 0 to 15.
type Position struct{ Row, Col uint8 }

// A Keymap says which key sits where.
type Keymap map[Position]hal.Key

// Check refuses a keymap that does not fit a matrix of rows and cols, or that has a key twice.
func (m Keymap) Check(rows, cols int) error {
	if len(m) == 0 {
		return fmt.Errorf("keymap: the keymap is empty")
	}
	at := map[hal.Key]Position{}
	for p, key := range m {
		if int(p.Row) >= min(rows, RowsMax) || int(p.Col) >= min(cols, ColsMax) {
			return fmt.Errorf("keymap: key %v at row %d, column %d: there are %d rows and %d columns", key, p.Row, p.Col, rows, cols)
		}
		if key == hal.KeyNone || key >= hal.KeyCount {
			return fmt.Errorf("keymap: row %d, column %d: %v is no key", p.Row, p.Col, key)
		}
		if q, twice := at[key]; twice {
			return fmt.Errorf("keymap: key %v is at row %d, column %d and at row %d, column %d", key, p.Row, p.Col, q.Row, q.Col)
		}
		at[key] = p
	}
	return nil
}

// Lines are the rows and columns that keys sit on, a bit each.
func (m Keymap) Lines() (rows uint8, cols uint16) {
	for p := range m {
		rows |= 1 << p.Row
		cols |= 1 << p.Col
	}
	return rows, cols
}

// A Set is the closed contacts of a matrix: bit c of Set[r] is row r, column c.
type Set [RowsMax]uint16

// Has tells whether a contact is closed.
func (s *Set) Has(p Position) bool {
	return p.Row < RowsMax && p.Col < ColsMax && s[p.Row]&(1<<p.Col) != 0
}

// Put closes or opens a contact.
func (s *Set) Put(p Position, closed bool) {
	if p.Row >= RowsMax || p.Col >= ColsMax {
		return
	}
	s[p.Row] &^= 1 << p.Col
	if closed {
		s[p.Row] |= 1 << p.Col
	}
}

// Timing debounces. Zero tells each change at once, for chips that debounce themselves.
type Timing struct {
	// Press and Release are how long a contact must have been seen closed or open.
	Press, Release time.Duration
	// Rest is how long nothing more is told of a key that was told: longer than any bounce, and shorter than any finger. A change
	// is only told later by that, not lost.
	Rest time.Duration
}

// A key is one contact, with a key of the phone or without.
type key struct {
	key       hal.Key // KeyNone: nobody knows of a switch here
	raw       bool    // as seen last
	ambiguous bool    // at a corner of a rectangle: it keeps what was told
	down      bool    // as told
	masked    bool    // stuck: told as up until it is
	suspect   bool    // it was stuck when the keypad was lost, and has not been seen open since
	moving    bool
	first     time.Time // change of the movement
	since     time.Time // the last change, or the end of ambiguity
	order     uint64    // of the last change among all keys
	told      time.Time
	pressed   time.Time
	repeat    time.Time
	stuckAt   time.Time
	stats     KeyReport
}

// A Tracker turns the closed contacts of a matrix into changes of keys. It is pure: it reads no clock. NewTracker makes one.
type Tracker struct {
	timing Timing
	diodes bool
	keys   [RowsMax][ColsMax]key
	seen   Set
	start  time.Time
	order  uint64
	ghosts int
	ghost  bool // some contact is ambiguous
	out    []hal.KeyChange
}

// A KeyReport says how well one key does.
type KeyReport struct {
	Presses   int
	Bounces   int           // changes of the contact more than one a movement
	BounceMax time.Duration // first to last change of the worst movement
	Stuck     bool          // it is down and not believed
	Down      time.Time     // since when its contact is closed; zero: it is open
}

// NewTracker makes a tracker with all keys up. diodes says that the matrix has one at each key, and knows no ghosts.
func NewTracker(keys Keymap, timing Timing, diodes bool) *Tracker {
	t := &Tracker{timing: timing, diodes: diodes}
	for p, k := range keys {
		if p.Row < RowsMax && p.Col < ColsMax && k < hal.KeyCount {
			t.keys[p.Row][p.Col].key = k
		}
	}
	return t
}

// Scan takes all contacts as they are at now, and returns what changed, in order. Nothing is concluded from the time since the
// scan before: where each change is seen, call Tick first.
func (t *Tracker) Scan(now time.Time, closed Set) []hal.KeyChange {
	if t.start.IsZero() {
		t.start = now
	}
	corners := t.rectangles(closed)
	for r := range t.keys {
		for c := range t.keys[r] {
			k := &t.keys[r][c]
			p := Position{uint8(r), uint8(c)}
			if raw := closed.Has(p); raw != k.raw {
				t.change(now, k, raw)
			}
			k.suspect = k.suspect && (k.raw || now.Sub(t.start) <= startWindow)
			ambiguous := corners.Has(p)
			if k.ambiguous && !ambiguous {
				k.since = now // it must be stable anew, now that it can be told
			}
			k.ambiguous, k.moving = ambiguous, k.moving && !ambiguous
		}
	}
	if ghost := corners != (Set{}); ghost != t.ghost {
		if t.ghost = ghost; ghost {
			t.ghosts++
		}
	}
	t.seen = closed
	return t.Tick(now)
}

func (t *Tracker) change(now time.Time, k *key, raw bool) {
	if !k.moving {
		k.moving, k.first = true, now
	} else {
		k.stats.Bounces++
		k.stats.BounceMax = max(k.stats.BounceMax, now.Sub(k.first))
	}
	t.order++
	k.raw, k.since, k.order = raw, now, t.order
}

// rectangles are the contacts at the corners of any rectangle that is closed: of four such, one may be a ghost.
func (t *Tracker) rectangles(closed Set) (corners Set) {
	if t.diodes {
		return corners
	}
	for r := range closed {
		for q := range r {
			if both := closed[r] & closed[q]; both&(both-1) != 0 { // two columns or more
				corners[r] |= both
				corners[q] |= both
			}
		}
	}
	return corners
}

// corner tells whether a contact is one of three closed at a rectangle, so that the fourth may be on its way.
func (t *Tracker) corner(row, col int) bool {
	if t.diodes {
		return false
	}
	for r, cols := range t.seen {
		if r == row {
			continue
		}
		own, other := t.seen[row]&^(1<<col), cols&^(1<<col)
		beside := cols&(1<<col) != 0
		if beside && (own != 0 || other != 0) || own&other != 0 {
			return true
		}
	}
	return false
}

// pending is when a contact that differs from what was told is believed.
func (t *Tracker) pending(row, col int) (due time.Time, ok bool) {
	k := &t.keys[row][col]
	if k.key == hal.KeyNone || k.ambiguous {
		return due, false
	}
	if k.masked {
		return k.since.Add(t.timing.Release), !k.raw
	}
	switch {
	case k.raw == k.down:
		return due, false
	case !k.raw:
		due = k.since.Add(t.timing.Release)
	case t.corner(row, col):
		due = k.since.Add(max(t.timing.Press, cornerWait))
	default:
		due = k.since.Add(t.timing.Press)
	}
	if rest := k.told.Add(t.timing.Rest); rest.After(due) {
		due = rest
	}
	return due, true
}

// Tick returns what the passing of time has decided: keys that are stable now, keys that repeat, keys that are stuck.
func (t *Tracker) Tick(now time.Time) []hal.KeyChange {
	type decision struct {
		due time.Time
		key *key
	}
	var decided []decision
	for r := range t.keys {
		for c := range t.keys[r] {
			k := &t.keys[r][c]
			due, ok := t.pending(r, c)
			switch {
			case ok && !now.Before(due):
				decided = append(decided, decision{due, k})
			case k.raw == k.down && k.moving && !now.Before(k.since.Add(max(t.timing.Press, t.timing.Release))):
				k.moving = false // it came to nothing
			}
		}
	}
	slices.SortFunc(decided, func(a, b decision) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.key.order, b.key.order))
	})
	for _, d := range decided {
		t.settle(now, d.key)
	}
	for r := range t.keys {
		for c := range t.keys[r] {
			t.hold(now, &t.keys[r][c])
		}
	}
	out := t.out
	t.out = nil
	return out
}

func (t *Tracker) settle(now time.Time, k *key) {
	k.moving = false
	if k.masked {
		k.masked, k.suspect, k.down = false, false, false
		return
	}
	// One that was stuck and is closed at the first looks is stuck still; nobody may have it pressed for another stuckAtStart.
	if k.suspect && k.raw && k.since.Sub(t.start) <= startWindow {
		k.masked = true
		return
	}
	k.suspect = false
	k.down, k.told = k.raw, now
	t.tell(k, k.down, 0)
	if !k.down {
		return
	}
	k.stats.Presses++
	k.pressed, k.repeat, k.stuckAt = now, now.Add(hal.RepeatAfter), now.Add(stuckAfter)
	if k.since.Sub(t.start) <= startWindow {
		k.stuckAt = now.Add(stuckAtStart)
	}
}

// hold repeats a key that stays down, and takes it out when nobody presses that long.
func (t *Tracker) hold(now time.Time, k *key) {
	if !k.down {
		return
	}
	if !now.Before(k.stuckAt) && k.raw {
		k.down, k.masked = false, true
		t.tell(k, false, 0)
		return
	}
	// What may have come up does not repeat.
	if !k.raw || k.ambiguous || now.Before(k.repeat) {
		return
	}
	// After a stall one repeat stands for all that were missed.
	missed := now.Sub(k.repeat) / hal.RepeatEvery
	k.repeat = k.repeat.Add(missed * hal.RepeatEvery)
	t.tell(k, true, k.repeat.Sub(k.pressed))
	k.repeat = k.repeat.Add(hal.RepeatEvery)
}

func (t *Tracker) tell(k *key, down bool, held time.Duration) {
	t.out = append(t.out, hal.KeyChange{Key: k.key, Down: down, Held: held})
}

// Lost releases all keys that were told as down, and forgets what was seen: the keypad is gone, or has lost count.
func (t *Tracker) Lost() []hal.KeyChange {
	for r := range t.keys {
		for c := range t.keys[r] {
			k := &t.keys[r][c]
			if k.down {
				t.tell(k, false, 0)
			}
			k.suspect = k.suspect || k.masked
			k.raw, k.down, k.masked, k.ambiguous, k.moving = false, false, false, false, false
		}
	}
	t.seen, t.start, t.ghost = Set{}, time.Time{}, false
	out := t.out
	t.out = nil
	return out
}

// Deadline is when Tick has something to decide; the zero time means never.
func (t *Tracker) Deadline() time.Time {
	var first time.Time
	sooner := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	for r := range t.keys {
		for c := range t.keys[r] {
			k := &t.keys[r][c]
			if due, ok := t.pending(r, c); ok {
				sooner(due)
			}
			if k.down && k.raw {
				sooner(k.stuckAt)
				if !k.ambiguous {
					sooner(k.repeat)
				}
			}
		}
	}
	return first
}

// Active tells whether a key is down or moving, those that are stuck left out.
func (t *Tracker) Active() bool {
	for r := range t.keys {
		for c := range t.keys[r] {
			k := &t.keys[r][c]
			if k.key != hal.KeyNone && (k.down || k.raw && !k.masked || k.masked && !k.raw) {
				return true
			}
		}
	}
	return false
}

// A Report says how well the keys do.
type Report struct {
	Keys   map[hal.Key]KeyReport
	Ghosts int // how often keys could not be told apart
}

// Report is what has been seen so far, of all keys of the keymap.
func (t *Tracker) Report() Report {
	report := Report{Keys: map[hal.Key]KeyReport{}, Ghosts: t.ghosts}
	for r := range t.keys {
		for c := range t.keys[r] {
			if k := &t.keys[r][c]; k.key != hal.KeyNone {
				stats := k.stats
				if stats.Stuck = k.masked; k.raw {
					stats.Down = k.since
				}
				report.Keys[k.key] = stats
			}
		}
	}
	return report
}

// Stuck are the keys that are down and not believed.
func (t *Tracker) Stuck() []hal.Key {
	var stuck []hal.Key
	for r := range t.keys {
		for c := range t.keys[r] {
			if k := &t.keys[r][c]; k.masked || k.suspect {
				stuck = append(stuck, k.key)
			}
		}
	}
	return stuck
}
