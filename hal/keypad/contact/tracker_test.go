package contact

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"freizeichen/hal"
)

const ms = time.Millisecond

var (
	epoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	timing = Timing{Press: 5 * ms, Release: 20 * ms, Rest: 50 * ms}
	at     = func(d time.Duration) time.Time { return epoch.Add(d) }
)

// pad is 4 x 3 keys: 1 2 3 / 4 5 6 / 7 8 9 / * 0 #.
func pad() Keymap {
	m := Keymap{}
	for i, key := range []hal.Key{hal.Key1, hal.Key2, hal.Key3, hal.Key4, hal.Key5, hal.Key6, hal.Key7, hal.Key8, hal.Key9, hal.KeyStar, hal.Key0, hal.KeyPound} {
		m[Position{uint8(i / 3), uint8(i % 3)}] = key
	}
	return m
}

// set closes the contacts of keys of the pad.
func set(keys ...hal.Key) (s Set) {
	for p, key := range pad() {
		s.Put(p, slices.Contains(keys, key))
	}
	return s
}

// short writes changes as "+5 -5 5(500ms)".
func short(changes []hal.KeyChange) string {
	text := ""
	for _, c := range changes {
		sign := "-"
		if c.Down {
			sign = "+"
		}
		if c.Held > 0 {
			text += fmt.Sprintf(" %v(%v)", c.Key, c.Held)
		} else {
			text += " " + sign + c.Key.String()
		}
	}
	return text
}

func TestAKeymapThatDoesNotFitIsRefused(t *testing.T) {
	for name, m := range map[string]Keymap{
		"empty":                  {},
		"a row too many":         {{4, 0}: hal.Key1},
		"a column too many":      {{0, 3}: hal.Key1},
		"no key":                 {{0, 0}: hal.KeyNone},
		"a key that nobody has":  {{0, 0}: hal.KeyCount},
		"a key that sits twice":  {{0, 0}: hal.Key1, {1, 1}: hal.Key1},
		"a position nowhere":     {{255, 255}: hal.Key1},
		"one right, one outside": {{0, 0}: hal.Key1, {9, 9}: hal.Key2},
	} {
		if err := m.Check(4, 3); err == nil {
			t.Errorf("%s is accepted", name)
		}
		NewTracker(m, timing, false).Scan(epoch, Set{}) // and does no harm
	}
	if err := pad().Check(4, 3); err != nil {
		t.Error(err)
	}
	if rows, cols := pad().Lines(); rows != 0x0F || cols != 0x07 {
		t.Errorf("rows %#x, columns %#x", rows, cols)
	}
	if err := pad().Check(99, 99); err != nil {
		t.Error(err)
	}
}

// A step is what is seen at a time, and what is told then.
type step struct {
	at   time.Duration
	keys []hal.Key
	want string
}

func play(t *testing.T, tracker *Tracker, steps []step) {
	t.Helper()
	for _, s := range steps {
		if got := short(tracker.Scan(at(s.at), set(s.keys...))); got != s.want {
			t.Fatalf("at %v with %v down: told%s, want%s", s.at, s.keys, got, s.want)
		}
	}
}

func keys(k ...hal.Key) []hal.Key { return k }

func TestAKeyIsToldOnceItIsStable(t *testing.T) {
	tracker := NewTracker(pad(), timing, false)
	play(t, tracker, []step{
		{0, nil, ""},
		{10 * ms, keys(hal.Key5), ""},
		{15 * ms, keys(hal.Key5), " +5"},
		{20 * ms, nil, ""},
		{25 * ms, keys(hal.Key5), ""}, // bounce after the press
		{100 * ms, keys(hal.Key5), ""},
		{105 * ms, nil, ""},
		{124 * ms, nil, ""},
		{125 * ms, nil, " -5"},
		{200 * ms, keys(hal.Key5), ""},
		{204 * ms, nil, ""}, // a disturbance
		{300 * ms, nil, ""},
	})
	got := tracker.Report().Keys[hal.Key5]
	if got.Presses != 1 || got.BounceMax != 5*ms || got.Bounces != 2 {
		t.Errorf("%+v", got)
	}
	if tracker.Active() || !tracker.Deadline().IsZero() {
		t.Error("at rest it is active")
	}
}

func TestFiftyMillisecondsOfBounceAreOnePressAndOneRelease(t *testing.T) {
	tracker := NewTracker(pad(), timing, false)
	told := ""
	for i := range 200 { // scans each 5 ms, of a contact that changes each 3.5 ms for 50 ms
		now := time.Duration(i) * 5 * ms
		down := now >= 100*ms && now < 500*ms
		for _, edge := range []time.Duration{100 * ms, 500 * ms} {
			if since := now - edge; since > 0 && since < 50*ms && since/(7*ms/2)%2 == 1 {
				down = !down
			}
		}
		var s Set
		if down {
			s = set(hal.Key1)
		}
		told += short(tracker.Scan(at(now), s))
	}
	if told != " +1 -1" {
		t.Errorf("told%s", told)
	}
}

func TestAQuickSecondTapIsToldLaterAndNotLost(t *testing.T) {
	play(t, NewTracker(pad(), timing, false), []step{
		{0, keys(hal.Key1), ""},
		{5 * ms, keys(hal.Key1), " +1"},
		{20 * ms, nil, ""}, // a tap of 20 ms
		{50 * ms, nil, ""},
		{55 * ms, nil, " -1"},
		{60 * ms, keys(hal.Key1), ""},
		{100 * ms, keys(hal.Key1), ""},
		{105 * ms, keys(hal.Key1), " +1"},
		{110 * ms, nil, ""},
		{155 * ms, nil, " -1"},
	})
}

func TestSeveralKeysAreToldInTheOrderTheyWentDown(t *testing.T) {
	play(t, NewTracker(pad(), timing, false), []step{
		{0, keys(hal.Key9), ""},
		{2 * ms, keys(hal.Key9, hal.Key1), ""},
		{10 * ms, keys(hal.Key9, hal.Key1), " +9 +1"},
		{50 * ms, nil, ""},
		{70 * ms, nil, " -1 -9"}, // at once: by row and column
	})
}

func TestAGhostKeyIsNeverReported(t *testing.T) {
	tracker := NewTracker(pad(), timing, false)
	corners := keys(hal.Key1, hal.Key2, hal.Key4, hal.Key5) // 1, 2 and 4 are pressed, 5 looks so
	play(t, tracker, []step{
		{0, keys(hal.Key1), ""},
		{5 * ms, keys(hal.Key1), " +1"},
		{10 * ms, keys(hal.Key1, hal.Key2), ""},
		{15 * ms, keys(hal.Key1, hal.Key2), " +2"},
		{20 * ms, corners, ""},
		{490 * ms, corners, ""},
		{900 * ms, corners, ""},                                    // nor do 1 and 2 repeat, which may have come up
		{910 * ms, keys(hal.Key1, hal.Key2), " 1(900ms) 2(800ms)"}, // 4 came up unseen
		{930 * ms, keys(hal.Key1, hal.Key2), " 2(900ms)"},
		{940 * ms, corners, ""},
		{1000 * ms, keys(hal.Key2, hal.Key4), ""}, // 1 came up: 2 and 4 remain
		{1020 * ms, keys(hal.Key2, hal.Key4), " +4 -1 2(1s)"},
	})
	if got := tracker.Report().Ghosts; got != 2 {
		t.Errorf("%d ghosts", got)
	}
}

func TestThreeCornersWaitForTheFourth(t *testing.T) {
	tracker := NewTracker(pad(), Timing{}, false) // a chip that tells events: the ghost may come before the key
	play(t, tracker, []step{
		{0, keys(hal.Key4), " +4"},
		{ms, keys(hal.Key4, hal.Key1), " +1"},
		{2 * ms, keys(hal.Key4, hal.Key1, hal.Key2), ""}, // a ghost through 5, which is not told yet
		{20 * ms, keys(hal.Key4, hal.Key1, hal.Key2, hal.Key5), ""},
		{200 * ms, keys(hal.Key4, hal.Key1, hal.Key5), ""}, // the ghost was 2, and three corners again
		{229 * ms, keys(hal.Key4, hal.Key1, hal.Key5), ""},
		{230 * ms, keys(hal.Key4, hal.Key1, hal.Key5), " +5"},
	})
	for _, three := range [][]hal.Key{{hal.Key1, hal.Key2, hal.Key4}, {hal.Key1, hal.Key2, hal.Key5}, {hal.Key1, hal.Key4, hal.Key5}, {hal.Key2, hal.Key4, hal.Key5}} {
		for i := range three {
			tracker := NewTracker(pad(), Timing{}, false)
			tracker.Scan(epoch, set(three[i], three[(i+1)%3]))
			if got := short(tracker.Scan(epoch, set(three...))); got != "" {
				t.Errorf("%v: the third corner is told at once:%s", three, got)
			}
		}
	}
}

func TestWithDiodesAllKeysAreTold(t *testing.T) {
	play(t, NewTracker(pad(), Timing{}, true), []step{{0, keys(hal.Key1, hal.Key2, hal.Key4, hal.Key5), " +1 +2 +4 +5"}})
}

func TestAHeldKeyRepeats(t *testing.T) {
	tracker := NewTracker(pad(), Timing{}, false)
	tracker.Scan(epoch, set(hal.KeyStar))
	for _, want := range []time.Duration{500, 600, 700} {
		deadline := tracker.Deadline()
		if got := deadline.Sub(epoch); got != want*ms {
			t.Fatalf("the deadline is at %v, want %v", got, want*ms)
		}
		if got := short(tracker.Tick(deadline)); got != fmt.Sprintf(" *(%v)", want*ms) {
			t.Errorf("told%s", got)
		}
	}
	// After a stall of 10 s one repeat stands for all.
	if got := short(tracker.Tick(at(10750 * ms))); got != " *(10.7s)" {
		t.Errorf("told%s", got)
	}
	if got := tracker.Deadline().Sub(epoch); got != 10800*ms {
		t.Errorf("the deadline is at %v", got)
	}
}

func TestAKeyThatMayBeComingUpDoesNotRepeat(t *testing.T) {
	play(t, NewTracker(pad(), timing, false), []step{
		{0, keys(hal.Key1), ""},
		{5 * ms, keys(hal.Key1), " +1"},
		{495 * ms, nil, ""},
		{510 * ms, nil, ""},
		{515 * ms, nil, " -1"},
	})
}

func TestAStuckKeyIsTakenOutUntilItComesUp(t *testing.T) {
	for name, c := range map[string]struct{ from, after time.Duration }{
		"at the start": {500 * ms, 30 * time.Second},
		"later":        {time.Minute, 120 * time.Second},
	} {
		tracker := NewTracker(pad(), Timing{}, false)
		tracker.Scan(epoch, Set{})
		tracker.Scan(at(c.from), set(hal.Key5))
		for now := at(c.from); now.Before(at(c.from + c.after)); now = tracker.Deadline() {
			for _, change := range tracker.Tick(now) {
				if !change.Down {
					t.Fatalf("%s: released after %v", name, now.Sub(at(c.from)))
				}
			}
		}
		end := c.from + c.after
		if got := short(tracker.Tick(at(end))); got != " -5" {
			t.Errorf("%s: told%s", name, got)
		}
		if got := tracker.Stuck(); !slices.Equal(got, keys(hal.Key5)) || !tracker.Report().Keys[hal.Key5].Stuck || tracker.Active() {
			t.Errorf("%s: stuck %v", name, got)
		}
		play(t, tracker, []step{
			{end + time.Hour, keys(hal.Key5), ""},
			{end + time.Hour, keys(hal.Key5, hal.Key9), " +9"}, // the others go on
			{end + time.Hour, keys(hal.Key5), " -9"},
			{end + 2*time.Hour, nil, ""},
		})
		if got := tracker.Stuck(); len(got) != 0 {
			t.Errorf("%s: stuck %v after it came up", name, got)
		}
		play(t, tracker, []step{{end + 3*time.Hour, keys(hal.Key5), " +5"}, {end + 3*time.Hour, nil, " -5"}})
	}
}

func TestALostKeypadHasNoKeysDown(t *testing.T) {
	tracker := NewTracker(pad(), Timing{}, false)
	tracker.Scan(epoch, set(hal.Key1, hal.Key9))
	if got := short(tracker.Lost()); got != " -1 -9" {
		t.Errorf("told%s", got)
	}
	if got := short(tracker.Lost()); got != "" || tracker.Active() || !tracker.Deadline().IsZero() {
		t.Errorf("told%s", got)
	}
	play(t, tracker, []step{{time.Second, keys(hal.Key9), " +9"}})
}

func TestAStuckKeyIsNotPressedByADisturbance(t *testing.T) {
	for _, chosen := range []Timing{{}, timing} {
		tracker := NewTracker(pad(), chosen, false)
		stuck := set(hal.Key5)
		tracker.Scan(epoch, stuck)
		tracker.Scan(at(ms*10), stuck)
		tracker.Tick(at(time.Minute))
		now := time.Minute
		for range 3 { // and one disturbance does not make it forget another
			tracker.Lost()
			play(t, tracker, []step{{now, nil, ""}, {now + 100*ms, keys(hal.Key5), ""}, {now + 200*ms, keys(hal.Key5), ""}, {now + time.Minute, keys(hal.Key5), ""}})
			if got := tracker.Stuck(); !slices.Equal(got, keys(hal.Key5)) || tracker.Active() {
				t.Errorf("stuck %v after a disturbance", got)
			}
			now += 2 * time.Minute
		}
		play(t, tracker, []step{{now, nil, ""}, {now + 100*ms, nil, ""}})
		tracker.Scan(at(now+200*ms), stuck)
		if got := short(tracker.Scan(at(now+300*ms), stuck)) + short(tracker.Lost()); len(tracker.Stuck()) > 0 || got != " -5" && got != " +5 -5" {
			t.Errorf("after it came up: told%s", got)
		}
		// It came up while nobody looked: pressed later, it is a key again.
		tracker = NewTracker(pad(), chosen, false)
		tracker.Scan(epoch, stuck)
		tracker.Scan(at(ms*10), stuck)
		tracker.Tick(at(time.Minute))
		tracker.Lost()
		tracker.Scan(at(2*time.Minute), Set{})
		if tracker.Scan(at(2*time.Minute+startWindow+1), Set{}); len(tracker.Stuck()) > 0 {
			t.Errorf("stuck %v though it is seen open", tracker.Stuck())
		}
		tracker.Scan(at(3*time.Minute), stuck)
		tracker.Scan(at(3*time.Minute+10*ms), stuck)
		if got := short(tracker.Lost()); got != " -5" {
			t.Errorf("after it came up unseen: told%s", got)
		}
	}
}

func TestPositionsOutsideDoNoHarm(t *testing.T) {
	var s Set
	s.Put(Position{8, 0}, true)
	s.Put(Position{0, 16}, true)
	s.Put(Position{255, 255}, true)
	if s != (Set{}) || s.Has(Position{8, 0}) || s.Has(Position{0, 16}) {
		t.Errorf("%v", s)
	}
}

// closure is what a matrix without diodes shows: whatever hangs together with a row.
func closure(down Set) (seen Set) {
	for row := range down {
		rows, cols := uint(1)<<row, uint16(0)
		for before := uint(0); before != rows; {
			before = rows
			for r := range down {
				if rows&(1<<r) != 0 {
					cols |= down[r]
				}
				if down[r]&cols != 0 {
					rows |= 1 << r
				}
			}
		}
		seen[row] = cols
	}
	return seen
}

// Whatever is pressed, released and bounced: no key is told as down that is not pressed, presses and releases alternate, and at
// rest everything is up again.
func FuzzContacts(f *testing.F) {
	f.Add([]byte{0, 12, 1, 12, 4, 12, 5, 200, 0, 12}, false)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255, 255}, true)
	f.Fuzz(func(t *testing.T, script []byte, events bool) {
		if len(script) > 150 { // longer ones find nothing new, and cost time
			return
		}
		chosen := timing
		if events {
			chosen = Timing{}
		}
		tracker := NewTracker(pad(), chosen, false)
		var down Set
		told, pressed := map[hal.Key]bool{}, map[hal.Key]bool{}
		keymap := pad()
		now := epoch
		check := func(changes []hal.KeyChange) {
			for _, c := range changes {
				switch {
				case c.Held > 0 && (!told[c.Key] || !c.Down):
					t.Fatalf("%v repeats and is not down", c.Key)
				case c.Held > 0:
				case c.Down == told[c.Key]:
					t.Fatalf("%v is told %v again", c.Key, c.Down)
				case c.Down && !pressed[c.Key]:
					t.Fatalf("%v is told and is not pressed", c.Key)
				default:
					told[c.Key] = c.Down
				}
			}
		}
		scan := func() {
			if events {
				check(tracker.Tick(now))
			}
			for p, key := range keymap {
				pressed[key] = down.Has(p)
			}
			check(tracker.Scan(now, closure(down)))
		}
		for _, b := range script {
			if i := int(b & 15); i < 12 {
				p := Position{uint8(i / 3), uint8(i % 3)}
				down.Put(p, !down.Has(p))
			}
			now = now.Add(time.Duration(b>>4) * 3 * ms)
			scan()
		}
		down = Set{}
		for range 20 {
			now = now.Add(5 * ms)
			scan()
		}
		for key, is := range told {
			if is {
				t.Fatalf("%v is down for ever", key)
			}
		}
		if tracker.Active() || !tracker.Deadline().IsZero() {
			t.Fatal("it does not rest")
		}
	})
}

func BenchmarkScan(b *testing.B) {
	tracker := NewTracker(pad(), timing, false)
	down := set(hal.Key5)
	for i := range b.N {
		tracker.Scan(at(time.Duration(i)*5*ms), down)
	}
}
