package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"freizeichen/sip"
)

// A bed is where a test's database lies.
type bed struct {
	*testing.T
	url string
}

// open opens the database; the test closes it.
func (b bed) open(config Config) *Store {
	b.Helper()
	config.URL, config.cost = b.url, bcrypt.MinCost
	s, err := Open(context.Background(), config)
	if err != nil {
		b.Fatal(err)
	}
	s.nobody = nobodyFast
	b.Cleanup(func() { s.Close() })
	return s
}

// nobodyFast is nobodyHash of the lowest cost, of "nobody has this".
const nobodyFast = "$2a$04$w/JQvIrNtNsqXiRdSiTv3OBJwITqSfBvIEe8mngwCc663HBrGYkBu"

// must fails the test for any error.
func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// suite is what every database must do.
var suite = []struct {
	name string
	test func(b bed)
}{
	{"agents keep their queues and their PIN", agentsKeep},
	{"five wrong PINs lock a number, and longer each time", wrongPINs},
	{"an unknown number is answered as a wrong PIN", unknownNumber},
	{"guesses at once are no more than five", guessesAtOnce},
	{"a lock by a wrong clock does not last", wrongClock},
	{"phones prove themselves by their secret", phones},
	{"supervisors log in, without a default password", supervisors},
	{"a sign-in is at one phone, and outlives the program", signIns},
	{"a revision that is not newer changes nothing", revisions},
	{"revisions at once leave the highest", revisionsAtOnce},
	{"the day's figures", dayFigures},
	{"a day has 23 to 25 hours", days},
	{"messages are kept once and finished", messages},
	{"commands work beside a switchboard", besides},
	{"a phone is told who has sat there", seats},
	{"a second switchboard is refused", alone},
	{"links open the wallboard until they are revoked", wallboards},
	{"whom to call is told while a message is open", callbacks},
	{"what is kept long enough is forgotten", retention},
	{"a newer schema is refused", newerSchema},
	{"a second opening finds everything", reopening},
	{"two that start at once migrate once", startsAtOnce},
	{"commits wait for the disk", durable},
}

func runSuite(t *testing.T, fresh func(t *testing.T) (url string)) {
	for _, test := range suite {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) { test.test(bed{t, fresh(t)}) })
	}
}

func TestSQLite(t *testing.T) {
	runSuite(t, func(t *testing.T) string { return filepath.Join(t.TempDir(), "switch board?#%.db") })
}

var (
	ctx  = context.Background()
	noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	ada  = Agent{Number: "4711", Name: "Ada", Queues: []Membership{{"kw-fuehrerschein", 1}, {"kw-zulassung", 0}}}
)

func agentsKeep(b bed) {
	s := b.open(Config{})
	if err := s.PutAgent(ctx, Agent{Number: "1"}); err == nil {
		b.Error("an agent without a name was taken")
	}
	for _, pin := range []string{"", "123", strings.Repeat("1", 33)} {
		if _, err := s.SetPIN(ctx, "4711", pin); err == nil {
			b.Errorf("a PIN of %d characters was taken", len(pin))
		}
	}
	if found := must[bool](b)(s.SetPIN(ctx, "4711", "2580")); found {
		b.Error("a PIN was set for nobody")
	}
	ok(b, s.PutAgent(ctx, ada))
	ok(b, s.PutAgent(ctx, Agent{Number: "10", Name: "Zoe"}))
	if check := must[PINCheck](b)(s.CheckPIN(ctx, noon, "4711", "")); check.Problem != sip.WrongPIN {
		b.Errorf("an agent without a PIN signs in: %+v", check)
	}
	if found := must[bool](b)(s.SetPIN(ctx, "4711", "2580")); !found {
		b.Error("the agent is not found")
	}
	if check := must[PINCheck](b)(s.CheckPIN(ctx, noon, "4711", "2580")); check.Problem != sip.NoProblem || !reflect.DeepEqual(check.Agent, ada) {
		b.Errorf("got %+v", check)
	}
	changed := Agent{Number: "4711", Name: "Ada L.", Queues: []Membership{{"moers", 3}}}
	ok(b, s.PutAgent(ctx, changed))
	if got := must[[]Agent](b)(s.Agents(ctx)); !reflect.DeepEqual(got, []Agent{{Number: "10", Name: "Zoe"}, changed}) {
		b.Errorf("got %+v", got)
	}
	if check := must[PINCheck](b)(s.CheckPIN(ctx, noon, "4711", "2580")); check.Problem != sip.NoProblem {
		b.Errorf("the PIN is lost: %+v", check)
	}
	// Who goes leaves the statistics behind, without him.
	must[bool](b)(s.PutOutcome(ctx, outcome(1, 0)))
	ok(b, s.PutSignIn(ctx, SignIn{"201", "4711", noon}))
	must[bool](b)(s.RemoveAgent(ctx, "4711"))
	if _, found, err := s.Agent(ctx, "4711"); found || err != nil {
		b.Errorf("found %v, %v", found, err)
	}
	if in := must[[]SignIn](b)(s.SignIns(ctx)); len(in) != 0 {
		b.Errorf("still signed in: %v", in)
	}
	from, until := s.Day(noon)
	if own := must[sip.Tally](b)(s.OwnTally(ctx, from, until, "4711")); own.Calls != 0 {
		b.Errorf("still counted: %v", own)
	}
	if all := must[sip.DayFigures](b)(s.Figures(ctx, from, until)); all.Team.Calls != 1 {
		b.Errorf("lost from the statistics: %v", all)
	}
}

func wrongPINs(b bed) {
	s := b.open(Config{})
	ok(b, s.PutAgent(ctx, ada))
	must[bool](b)(s.SetPIN(ctx, "4711", "2580"))
	now := noon
	for round, length := range []time.Duration{5, 10, 20, 40, 60, 60} {
		for left := 4; left >= 1; left-- {
			if got := must[PINCheck](b)(s.CheckPIN(ctx, now, "4711", "0000")); got.Problem != sip.WrongPIN || got.Tries != left {
				b.Fatalf("round %d: got %+v, want %d tries left", round, got, left)
			}
		}
		until := now.Add(length * time.Minute)
		if got := must[PINCheck](b)(s.CheckPIN(ctx, now, "4711", "0000")); got.Problem != sip.TooManyTries || !got.Retry.Equal(until) {
			b.Fatalf("round %d: got %+v, want a lock until %v", round, got, until)
		}
		// The right PIN does not help, and does not make the lock longer.
		if got := must[PINCheck](b)(s.CheckPIN(ctx, until.Add(-time.Second), "4711", "2580")); got.Problem != sip.TooManyTries || !got.Retry.Equal(until) {
			b.Fatalf("round %d: got %+v during the lock", round, got)
		}
		now = until
	}
	if got := must[PINCheck](b)(s.CheckPIN(ctx, now, "4711", "2580")); got.Problem != sip.NoProblem {
		b.Errorf("after the lock: %+v", got)
	}
	if got := must[PINCheck](b)(s.CheckPIN(ctx, now, "4711", "0000")); got.Tries != 4 {
		b.Errorf("the right PIN did not forgive: %+v", got)
	}
	// A day without a try forgives too; a new PIN ends a lock at once.
	for range 5 {
		must[PINCheck](b)(s.CheckPIN(ctx, now.Add(25*time.Hour), "4711", "0000"))
	}
	if got := must[PINCheck](b)(s.CheckPIN(ctx, now.Add(25*time.Hour), "4711", "2580")); got.Problem != sip.TooManyTries {
		b.Errorf("got %+v", got)
	}
	must[bool](b)(s.SetPIN(ctx, "4711", "1234"))
	if got := must[PINCheck](b)(s.CheckPIN(ctx, now.Add(25*time.Hour), "4711", "1234")); got.Problem != sip.NoProblem {
		b.Errorf("the new PIN did not end the lock: %+v", got)
	}
}

func unknownNumber(b bed) {
	s := b.open(Config{})
	ok(b, s.PutAgent(ctx, ada))
	must[bool](b)(s.SetPIN(ctx, "4711", "2580"))
	for range 7 {
		known := must[PINCheck](b)(s.CheckPIN(ctx, noon, "4711", "0000"))
		unknown := must[PINCheck](b)(s.CheckPIN(ctx, noon, "4712", "0000"))
		if !reflect.DeepEqual(known, unknown) {
			b.Errorf("an agent is told from nobody: %+v, %+v", known, unknown)
		}
	}
	// Nobody has a PIN, and his hash costs the same as that of an agent.
	if right := must[bool](b)(s.matches(ctx, "", "nobody has this")); right {
		b.Error("nobody signs in")
	}
	if cost, err := bcrypt.Cost([]byte(nobodyHash)); cost != hashCost || err != nil {
		b.Errorf("nobody's PIN costs %d, %v", cost, err)
	}
}

func guessesAtOnce(b bed) {
	s := b.open(Config{})
	ok(b, s.PutAgent(ctx, ada))
	must[bool](b)(s.SetPIN(ctx, "4711", "2580"))
	var mu sync.Mutex
	problems := map[sip.AgentProblem]int{}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			got, err := s.CheckPIN(ctx, noon, "4711", fmt.Sprintf("%04d", i))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				b.Error(err)
			}
			problems[got.Problem]++
		})
	}
	all.Wait()
	if problems[sip.WrongPIN] != 4 || problems[sip.TooManyTries] != 16 {
		b.Errorf("got %v", problems)
	}
}

func wrongClock(b bed) {
	s := b.open(Config{})
	ok(b, s.PutAgent(ctx, ada))
	must[bool](b)(s.SetPIN(ctx, "4711", "2580"))
	for range 5 {
		must[PINCheck](b)(s.CheckPIN(ctx, noon.AddDate(10, 0, 0), "4711", "0000"))
	}
	if got := must[PINCheck](b)(s.CheckPIN(ctx, noon, "4711", "2580")); got.Problem != sip.NoProblem {
		b.Errorf("got %+v", got)
	}
}

func phones(b bed) {
	s := b.open(Config{})
	one, two := NewSecret(), NewSecret()
	if one == two || len(one) != 40 {
		b.Errorf("secrets %d characters long", len(one))
	}
	for _, refused := range []struct{ device, secret string }{{"", one}, {"201", ""}, {"201", one[:31]}} {
		if err := s.PutPhone(ctx, Phone{Device: refused.device}, refused.secret); err == nil || strings.Contains(err.Error(), one[:31]) {
			b.Errorf("%d characters: %v", len(refused.secret), err)
		}
	}
	ok(b, s.PutPhone(ctx, Phone{"201", "Empfang"}, one))
	ok(b, s.PutPhone(ctx, Phone{"201", "Empfang links"}, ""))
	ok(b, s.PutPhone(ctx, Phone{"1201", "Keller"}, two))
	if got := must[[]Phone](b)(s.Phones(ctx)); !reflect.DeepEqual(got, []Phone{{"1201", "Keller"}, {"201", "Empfang links"}}) {
		b.Errorf("got %v", got)
	}
	must[bool](b)(s.RemovePhone(ctx, "1201"))
	for _, test := range []struct {
		device, secret string
		want           bool
	}{{"201", one, true}, {"201", two, false}, {"201", "", false}, {"", "", false}, {"1201", two, false}, {"202", one, false}} {
		if got := must[bool](b)(s.CheckPhone(ctx, test.device, test.secret)); got != test.want {
			b.Errorf("phone %s: %v", test.device, got)
		}
	}
}

func supervisors(b bed) {
	s := b.open(Config{})
	if names := must[[]string](b)(s.Supervisors(ctx)); len(names) != 0 {
		b.Errorf("there are %v from the start", names)
	}
	if err := s.PutSupervisor(ctx, "eva", "too short"); err == nil || strings.Contains(err.Error(), "too short") {
		b.Errorf("got %v", err)
	}
	const password = "correct horse battery"
	ok(b, s.PutSupervisor(ctx, "eva", password))
	login := func(name, password string) (string, time.Time) {
		token, retry, err := s.LogIn(ctx, noon, name, password, time.Hour)
		ok(b, err)
		return token, retry
	}
	for _, refused := range [][2]string{{"eva", "wrong"}, {"eva", ""}, {"adam", password}, {"", ""}} {
		if token, retry := login(refused[0], refused[1]); token != "" || !retry.IsZero() {
			b.Errorf("%v: %q, %v", refused, token, retry)
		}
	}
	token, _ := login("eva", password)
	name := func(now time.Time) string { return must[string](b)(s.Session(ctx, now, token)) }
	if name(noon) != "eva" || name(noon.Add(time.Hour-time.Second)) != "eva" || name(noon.Add(time.Hour)) != "" {
		b.Error("the session does not last an hour")
	}
	ok(b, s.PutSupervisor(ctx, "eva", password+"!"))
	if name(noon) != "" {
		b.Error("the session outlived the password")
	}
	token, _ = login("eva", password+"!")
	ok(b, s.LogOut(ctx, token))
	if name(noon) != "" {
		b.Error("the session outlived its end")
	}
	for again := range 4 { // a stranger locks her out for a minute, however often
		now := noon.Add(time.Duration(again) * time.Minute)
		for range 5 {
			_, _, err := s.LogIn(ctx, now, "eva", "wrong", time.Hour)
			ok(b, err)
		}
		token, retry, err := s.LogIn(ctx, now, "eva", password+"!", time.Hour)
		if err != nil || token != "" || !retry.Equal(now.Add(time.Minute)) {
			b.Errorf("five wrong passwords: %q, %v, %v", token, retry, err)
		}
	}
	if token, _, err := s.LogIn(ctx, noon.Add(4*time.Minute), "eva", password+"!", time.Hour); token == "" || err != nil {
		b.Errorf("after the lock: %q, %v", token, err)
	}
	must[bool](b)(s.RemoveSupervisor(ctx, "eva"))
	if names := must[[]string](b)(s.Supervisors(ctx)); len(names) != 0 {
		b.Errorf("still there: %v", names)
	}
}

func signIns(b bed) {
	s := b.open(Config{})
	ok(b, s.PutAgent(ctx, ada))
	ok(b, s.PutAgent(ctx, Agent{Number: "4712", Name: "Bert"}))
	if err := s.PutSignIn(ctx, SignIn{"201", "9999", noon}); err == nil {
		b.Error("nobody signed in")
	}
	ok(b, s.PutSignIn(ctx, SignIn{"201", "4711", noon}))
	ok(b, s.PutSignIn(ctx, SignIn{"202", "4711", noon.Add(time.Hour)})) // takes himself over
	ok(b, s.PutSignIn(ctx, SignIn{"202", "4712", noon}))                // the phone has a new one
	ok(b, s.PutSignIn(ctx, SignIn{"201", "4711", noon.Add(time.Microsecond)}))
	ok(b, s.RemoveSignIn(ctx, "203"))
	ok(b, s.Close())
	want := []SignIn{{"201", "4711", noon.Add(time.Microsecond)}, {"202", "4712", noon}}
	s = b.open(Config{})
	if got := must[[]SignIn](b)(s.SignIns(ctx)); !reflect.DeepEqual(got, want) {
		b.Errorf("got %v", got)
	}
	ok(b, s.RemoveSignIn(ctx, "201"))
	if got := must[[]SignIn](b)(s.SignIns(ctx)); !reflect.DeepEqual(got, want[1:]) {
		b.Errorf("got %v", got)
	}
}

// outcome is the n-th call of a made-up day.
func outcome(n, revision int) sip.Outcome {
	return sip.Outcome{
		ID: fmt.Sprintf("%032x", n), Revision: revision, Agent: "4711", Queue: "kw-zulassung", Tenant: "kw", Line: "02812070", Topic: "zulassung",
		Result: sip.Solved, At: noon, Talked: 93 * time.Second, WrapUp: 12 * time.Second,
	}
}

func revisions(b bed) {
	s := b.open(Config{})
	from, until := s.Day(noon)
	first, second, third := outcome(1, 0), outcome(1, 1), outcome(1, 7)
	second.Result, second.Topic = sip.Forwarded, "elterngeld"
	third.Result = sip.LeftMessage
	for i, step := range []struct {
		o    sip.Outcome
		want bool
	}{{second, true}, {first, false}, {second, false}, {third, true}, {second, false}, {third, false}} {
		if changed := must[bool](b)(s.PutOutcome(ctx, step.o)); changed != step.want {
			b.Errorf("step %d: changed %v", i, changed)
		}
		want := sip.Tally{Calls: 1, Forwarded: 1}
		if i > 2 {
			want = sip.Tally{Calls: 1, Messages: 1}
		}
		if got := must[sip.DayFigures](b)(s.Figures(ctx, from, until)); got.Team != want {
			b.Errorf("step %d: %+v", i, got.Team)
		}
	}
}

func revisionsAtOnce(b bed) {
	s := b.open(Config{})
	var all sync.WaitGroup
	for revision := range 30 {
		all.Go(func() {
			o := outcome(1, revision)
			o.Topic = fmt.Sprint(revision)
			if _, err := s.PutOutcome(ctx, o); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	from, until := s.Day(noon)
	if got := must[sip.DayFigures](b)(s.Figures(ctx, from, until)); len(got.Topics) != 1 || got.Topics[0].Name != "29" {
		b.Errorf("got %+v", got.Topics)
	}
}

func dayFigures(b bed) {
	s := b.open(Config{})
	put := func(n int, line, topic, agent string, result sip.Result, at time.Time) {
		o := outcome(n, 0)
		o.Line, o.Topic, o.Agent, o.Result, o.At = line, topic, agent, result, at
		must[bool](b)(s.PutOutcome(ctx, o))
	}
	from, until := s.Day(noon)
	put(1, "115", "zulassung", "4711", sip.Solved, noon)
	put(2, "115", "zulassung", "4712", sip.Forwarded, noon)
	put(3, "02812070", "zulassung", "4711", sip.Solved, noon)
	put(4, "02812070", "elterngeld", "4711", sip.LeftMessage, from) // the first moment
	put(5, "02812070", "", "4711", sip.NoResult, until.Add(-time.Microsecond))
	put(6, "02812070", "zulassung", "4711", sip.Solved, until) // tomorrow
	put(7, "02812070", "zulassung", "4711", sip.Solved, from.Add(-time.Microsecond))
	got := must[sip.DayFigures](b)(s.Figures(ctx, from, until))
	want := sip.DayFigures{
		Day:  from,
		Team: sip.Tally{Calls: 5, Solved: 2, Forwarded: 1, Messages: 1, Unsaid: 1},
		Lines: []sip.NamedTally{
			{Name: "02812070", Tally: sip.Tally{Calls: 3, Solved: 1, Messages: 1, Unsaid: 1}},
			{Name: "115", Tally: sip.Tally{Calls: 2, Solved: 1, Forwarded: 1}}},
		Topics: []sip.NamedTally{
			{Name: "zulassung", Tally: sip.Tally{Calls: 3, Solved: 2, Forwarded: 1}},
			{Name: "", Tally: sip.Tally{Calls: 1, Unsaid: 1}},
			{Name: "elterngeld", Tally: sip.Tally{Calls: 1, Messages: 1}}},
	}
	if !reflect.DeepEqual(got, want) {
		b.Errorf("got  %+v\nwant %+v", got, want)
	}
	if percent, known := got.Team.FirstContact(); percent != 50 || !known {
		b.Errorf("first contact %d %v", percent, known)
	}
	if own := must[sip.Tally](b)(s.OwnTally(ctx, from, until, "4712")); own != (sip.Tally{Calls: 1, Forwarded: 1}) {
		b.Errorf("got %+v", own)
	}
	if none := must[sip.Tally](b)(s.OwnTally(ctx, from, until, "")); none != (sip.Tally{}) {
		b.Errorf("got %+v", none)
	}
}

func days(b bed) {
	place, err := time.LoadLocation("Europe/Berlin")
	ok(b, err)
	s := b.open(Config{Place: place})
	for _, test := range []struct {
		now   time.Time
		hours float64
	}{
		{time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC), 23},
		{time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC), 23}, // 00:30 by the clock on the wall
		{time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC), 25},
		{noon, 24},
	} {
		from, until := s.Day(test.now)
		if until.Sub(from).Hours() != test.hours || from.After(test.now) || !until.After(test.now) {
			b.Errorf("%v: %v to %v", test.now, from, until)
		}
	}
}

func messages(b bed) {
	s := b.open(Config{})
	m := sip.OfficeMessage{ID: fmt.Sprintf("%032x", 1), Agent: "4711", Tenant: "kw", Line: "115", Topic: "zulassung", Office: "kw-36", Callback: "028412020", Name: "Ünal", At: noon}
	later := m
	later.ID = fmt.Sprintf("%032x", 2)
	put := func(m sip.OfficeMessage, due time.Time) (bool, time.Time) {
		created, kept, err := s.PutMessage(ctx, m, due)
		ok(b, err)
		return created, kept
	}
	if created, due := put(m, noon.Add(48*time.Hour)); !created || !due.Equal(noon.Add(48*time.Hour)) {
		b.Errorf("created %v, due %v", created, due)
	}
	if created, due := put(m, noon.Add(96*time.Hour)); created || !due.Equal(noon.Add(48*time.Hour)) {
		b.Errorf("sent again: created %v, due %v", created, due)
	}
	put(later, noon.Add(24*time.Hour))
	open := must[[]Message](b)(s.Messages(ctx, false, 10))
	if len(open) != 2 || open[0].ID != later.ID || open[1] != (Message{m, noon.Add(48 * time.Hour), time.Time{}}) {
		b.Errorf("got %+v", open)
	}
	if one := must[[]Message](b)(s.Messages(ctx, false, 1)); len(one) != 1 {
		b.Errorf("got %d", len(one))
	}
	if found := must[bool](b)(s.FinishMessage(ctx, noon, "nothing")); found {
		b.Error("nothing was finished")
	}
	for i := range 2 { // the first time counts
		if found := must[bool](b)(s.FinishMessage(ctx, noon.Add(time.Duration(i+1)*time.Hour), m.ID)); !found {
			b.Error("not found")
		}
	}
	if done := must[[]Message](b)(s.Messages(ctx, true, 10)); len(done) != 1 || !done[0].Done.Equal(noon.Add(time.Hour)) {
		b.Errorf("got %+v", done)
	}
}

func retention(b bed) {
	s := b.open(Config{AgentDays: 30, MessageDays: 7})
	old, young := outcome(1, 0), outcome(2, 0)
	old.At, young.At = noon.AddDate(0, 0, -30).Add(-time.Second), noon.AddDate(0, 0, -30)
	must[bool](b)(s.PutOutcome(ctx, old))
	must[bool](b)(s.PutOutcome(ctx, young))
	for n, done := range []time.Time{noon.AddDate(0, 0, -7).Add(-time.Second), noon.AddDate(0, 0, -7), {}} {
		id := fmt.Sprintf("%032x", n)
		_, _, err := s.PutMessage(ctx, sip.OfficeMessage{ID: id, Agent: "4711", Office: "x", Callback: "1", At: noon.AddDate(-1, 0, 0)}, noon)
		ok(b, err)
		if !done.IsZero() {
			must[bool](b)(s.FinishMessage(ctx, done, id))
		}
	}
	for n, due := range []time.Time{noon.AddDate(0, 0, -30).Add(-time.Second), noon.AddDate(0, 0, -30), {}} { // without a promise, it is as old as it is
		_, _, err := s.PutMessage(ctx, sip.OfficeMessage{ID: fmt.Sprintf("%032x", 100+n), Callback: "1", At: noon.AddDate(0, 0, -40)}, due)
		ok(b, err)
	}
	ok(b, s.PutSupervisor(ctx, "eva", "correct horse battery"))
	_, _, err := s.LogIn(ctx, noon.Add(-2*time.Hour), "eva", "correct horse battery", time.Hour)
	ok(b, err)
	must[PINCheck](b)(s.CheckPIN(ctx, noon.Add(-25*time.Hour), "4711", "0000"))
	must[PINCheck](b)(s.CheckPIN(ctx, noon, "4712", "0000"))
	if got := must[Forgotten](b)(s.Forget(ctx, noon)); got != (Forgotten{Agents: 1, Messages: 1, Lapsed: 2, Sessions: 1, Tries: 1}) {
		b.Errorf("got %+v", got)
	}
	if got := must[Forgotten](b)(s.Forget(ctx, noon)); got != (Forgotten{}) {
		b.Errorf("the second time: %+v", got)
	}
	if all := must[sip.DayFigures](b)(s.Figures(ctx, noon.AddDate(-1, 0, 0), noon)); all.Team.Calls != 2 {
		b.Errorf("the statistics lost %+v", all.Team)
	}
	if own := must[sip.Tally](b)(s.OwnTally(ctx, noon.AddDate(-1, 0, 0), noon, "4711")); own.Calls != 1 {
		b.Errorf("own %+v", own)
	}
}

func newerSchema(b bed) {
	s := b.open(Config{})
	_, err := s.exec(ctx, s.db, `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, 99, true)
	ok(b, err)
	ok(b, s.Close())
	_, err = Open(ctx, Config{URL: b.url, cost: bcrypt.MinCost})
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "schema version 99, this program knows 3") {
		b.Errorf("got %v", err)
	}
}

func reopening(b bed) {
	s := b.open(Config{})
	ok(b, s.Ping(ctx))
	ok(b, s.PutAgent(ctx, ada))
	ok(b, s.Close())
	s = b.open(Config{})
	if got := must[[]Agent](b)(s.Agents(ctx)); !slices.ContainsFunc(got, func(a Agent) bool { return reflect.DeepEqual(a, ada) }) {
		b.Errorf("got %v", got)
	}
}

func startsAtOnce(b bed) {
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			s, err := Open(ctx, Config{URL: b.url, cost: bcrypt.MinCost})
			if err != nil {
				if !strings.Contains(err.Error(), "another switchboard uses this database") {
					b.Error(err)
				}
				return
			}
			if err := s.PutAgent(ctx, ada); err != nil {
				b.Error(err)
			}
			s.Close()
		})
	}
	all.Wait()
	b.open(Config{})
}

func BenchmarkPIN(b *testing.B) {
	s := &Store{config: Config{cost: hashCost}, hashes: make(chan struct{}, hashesAtOnce), nobody: nobodyHash}
	for b.Loop() {
		s.matches(ctx, "", "2580")
	}
}
