package callcentre

import (
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware"
	"freizeichen/sip"
)

var nine = time.Date(2026, 11, 30, 9, 0, 0, 0, firmware.Place()) // a Monday

// knowledge has two tenants with a topic in common, an office that is open and one that is not.
func knowledge() firmware.Knowledge {
	day := func(spans ...firmware.Span) (week [7][]firmware.Span) {
		for i := time.Monday; i <= time.Friday; i++ {
			week[i] = spans
		}
		return week
	}
	at := func(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }
	return firmware.Knowledge{
		Version: "1", Compiled: nine,
		Tenants: []firmware.Tenant{
			{ID: "kreis", Name: "Kreis Wesel", Topics: []string{"zulassung", "elterngeld"}, Lines: []firmware.Line{
				{Number: "02812070", Name: "Zentrale", Greeting: "Kreis Wesel, guten Tag", Calendar: "service"},
			}},
			{ID: "moers", Name: "Stadt Moers", Topics: []string{"ausweis"}, Lines: []firmware.Line{
				{Number: "115", Name: "115", Greeting: "Stadt Moers, guten Tag", Calendar: "service"},
			}},
		},
		Topics: []firmware.Topic{
			{ID: "zulassung", Name: "Kfz-Zulassung", Match: []string{"Zulassung und Führerschein"}},
			{ID: "elterngeld", Name: "Elterngeld"}, {ID: "ausweis", Name: "Personalausweis"},
		},
		Offices: []firmware.Office{
			{ID: "strasse", Name: "Straßenverkehrsamt", Number: "5036", Calendar: "service"},
			{ID: "abends", Name: "Spätdienst", Number: "5051", Calendar: "late"},
		},
		Calendars: []firmware.Calendar{
			{ID: "service", Week: day(firmware.Span{From: at(7, 30), Until: at(18, 0)})},
			{ID: "late", Week: day(firmware.Span{From: at(18, 0), Until: at(20, 0)})},
		},
		Cards: []firmware.Card{
			{Topic: "zulassung", Tenant: "kreis", Updated: nine.AddDate(0, 0, -12), Text: []string{"Nur mit Termin"}, Papers: []string{"Ausweis"}, Fee: "30 €", Office: "strasse"},
			{Topic: "zulassung", Tenant: "moers", Text: []string{"Moers verweist an den Kreis"}, Office: "abends"},
			{Topic: "elterngeld", Source: firmware.Central, Text: []string{"Antrag online"}},
		},
		Notices: []firmware.Notice{{Tenants: []string{"kreis"}, Text: "Heute ab 12 Uhr geschlossen", From: nine.Add(-time.Hour), Until: nine.Add(15 * time.Hour)}},
	}
}

// table plays with one desk.
type table struct {
	*testing.T
	desk    *Desk
	now     time.Time
	effects []Effect
}

func newTable(t *testing.T) *table {
	tb := &table{T: t, now: nine, desk: New(Config{
		On: true, Reasons: []Reason{{ID: "break", Code: "*471"}, {ID: "meeting"}}, Codes: Codes{SignIn: "*45", SignOut: "*46", Ready: "*48"},
		Queues: []string{"kw"}, RejectPauses: true, Boot: strings.Repeat("a", 24),
	})}
	tb.step(KnowledgeChanged{knowledge()})
	return tb
}

// step plays one event, and is what it led to.
func (tb *table) step(event Event) []Effect {
	tb.effects = tb.desk.Step(tb.now, event)
	return tb.effects
}

func (tb *table) wait(d time.Duration) {
	for until := tb.now.Add(d); ; {
		due := tb.desk.Deadline()
		if due.IsZero() || due.After(until) {
			tb.now = until
			tb.step(Tick{})
			return
		}
		tb.now = due
		tb.step(Tick{})
	}
}

func (tb *table) typed(digits string) {
	for i := range len(digits) {
		tb.step(Digit{digits[i]})
	}
}

// asked is the only request of the last step.
func (tb *table) asked() sip.AgentRequest {
	tb.Helper()
	var requests []sip.AgentRequest
	for _, e := range tb.effects {
		if a, ok := e.(Ask); ok {
			requests = append(requests, a.Request)
		}
	}
	if len(requests) != 1 {
		tb.Fatalf("asked %d times: %v", len(requests), tb.effects)
	}
	return requests[0]
}

// signIn seats agent 4711.
func (tb *table) signIn() {
	tb.step(Press{ActSignIn})
	tb.typed("4711#1234#")
	tb.step(sip.AgentReply{ID: tb.asked().ID, Known: true, Agent: tb.agent(sip.Ready)})
}

func (tb *table) agent(state sip.AgentState) sip.Agent {
	return sip.Agent{Device: "201", Number: "4711", Name: "Ada", State: state, Since: tb.now, Queues: []string{"kw", "moers"}, Confirmed: true}
}

func (tb *table) rings(call sip.CallID, called, topic string) {
	tb.step(Rings{sip.Incoming{Call: call, From: sip.Party{Name: "Erika", Number: "03023125001"}, Called: sip.Party{Number: called}, Topic: topic, Queue: "kw", Waited: 12 * time.Second}})
}

func effect[T Effect](tb *table) T {
	tb.Helper()
	for _, e := range tb.effects {
		if found, ok := e.(T); ok {
			return found
		}
	}
	var none T
	tb.Fatalf("no %T in %v", none, tb.effects)
	return none
}

func has[T Effect](tb *table) bool {
	return slices.ContainsFunc(tb.effects, func(e Effect) bool { _, ok := e.(T); return ok })
}

func TestAnAgentSignsInWithNumberAndPINAndWatchesHisQueues(t *testing.T) {
	tb := newTable(t)
	tb.step(Press{ActSignIn})
	tb.typed("4711")
	if p := tb.desk.View(tb.now, 0).Prompt; p == nil || p.Typed != "4711" || p.Kind != AskNumber {
		t.Fatalf("prompt %+v", p)
	}
	tb.step(Press{ActNext})
	tb.typed("12345")
	tb.step(Press{ActErase})
	if p := tb.desk.View(tb.now, 0).Prompt; p == nil || p.Hidden != 4 || p.Typed != "4711" {
		t.Fatalf("prompt %+v shows more of the PIN than its length", p)
	}
	tb.step(Choose{})
	r := tb.asked()
	if r.Verb != sip.SignIn || r.Number != "4711" || r.PIN != "1234" || strings.Contains(r.String(), "1234") {
		t.Fatalf("asked %+v, printed as %q", r, r)
	}
	if v := tb.desk.View(tb.now, 0); !v.Agent.Asked || v.Agent.State != sip.SignedOut {
		t.Errorf("before the answer: %+v", v.Agent)
	}
	tb.step(sip.AgentReply{ID: r.ID, Known: true, Agent: tb.agent(sip.Ready)})
	if w := effect[Watch](tb); !slices.Equal(w.Queues, []string{"kw", "moers"}) {
		t.Errorf("watches %v", w.Queues)
	}
	v := tb.desk.View(tb.now, 0)
	if v.Agent.State != sip.Ready || v.Agent.Name != "Ada" || v.Note != NoteSignedIn || v.Agent.Unconfirmed {
		t.Errorf("signed in: %+v note %v", v.Agent, v.Note)
	}
	tb.step(sip.AgentReply{Known: true, Agent: sip.Agent{State: sip.SignedOut, Elsewhere: "205"}})
	if v := tb.desk.View(tb.now, 0); !has[Wipe](tb) || v.Note != NoteTakenOver || v.NoteArg != "205" {
		t.Errorf("taken over: wiped %t, note %v %q", has[Wipe](tb), v.Note, v.NoteArg)
	}
}

func TestASignInThatFailsSaysWhyAndWhatToDo(t *testing.T) {
	tb := newTable(t)
	begin := func() uint64 {
		tb.step(Press{ActSignIn})
		tb.typed("4711#1#")
		return tb.asked().ID
	}
	tb.step(sip.AgentReply{ID: begin(), Problem: sip.WrongPIN, Tries: 3})
	if v := tb.desk.View(tb.now, 0); v.Note != NoteProblem || v.NoteArg != "wrong-pin" || v.Prompt == nil || v.Prompt.Kind != AskPIN || v.Prompt.Tries != 3 || v.Prompt.Typed != "4711" {
		t.Errorf("wrong PIN: note %v %q, prompt %+v", v.Note, v.NoteArg, v.Prompt)
	}
	tb.step(sip.AgentReply{ID: begin(), Problem: sip.TooManyTries, Retry: tb.now.Add(5 * time.Minute)})
	if v := tb.desk.View(tb.now, 0); v.NoteArg != "too-many-tries 09:05" {
		t.Errorf("locked: %q", v.NoteArg)
	}
	tb.typed("12")
	if v := tb.desk.View(tb.now, 0); v.Prompt == nil || v.Prompt.Hidden != 2 || v.Note != NoteNone {
		t.Errorf("locked: the PIN of whoever tries again is dialled as a number: prompt %+v, note %v", v.Prompt, v.Note)
	}
	tb.step(Back{})
	tb.step(sip.AgentReply{ID: begin(), Problem: sip.SignedInThere, Elsewhere: "205"})
	if v := tb.desk.View(tb.now, 0); v.Menu == nil || v.Menu.Kind != TakeOverMenu || v.Menu.Arg != "205" {
		t.Fatalf("signed in elsewhere: %+v", v.Menu)
	}
	tb.step(Press{ActYes})
	if r := tb.asked(); !r.TakeOver || r.PIN != "1" || r.Verb != sip.SignIn {
		t.Errorf("taking over asks %+v", r)
	}
	tb.wait(time.Minute)
	tb.step(Press{ActSignIn})
	tb.typed("47")
	tb.wait(promptShown)
	if v := tb.desk.View(tb.now, 0); v.Prompt != nil {
		t.Error("a number that nobody goes on typing stays on the panel")
	}
}

func TestFeatureCodesStandInForASwitchboardThatIsAway(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.step(sip.SwitchboardChanged{Problem: sip.SwitchboardAway})
	away := tb.now
	tb.wait(time.Minute)
	tb.step(Press{ActPause})
	tb.step(Digit{'1'})
	tb.step(sip.AgentReply{ID: tb.asked().ID, Problem: sip.SwitchboardAway})
	if c := effect[Code](tb); c.Number != "*471" {
		t.Fatalf("dials %q", c.Number)
	}
	if v := tb.desk.View(tb.now, 0).Agent; v.State != sip.Ready || !v.Asked || !v.Away.Equal(away) {
		t.Errorf("before the PBX has answered: %+v", v)
	}
	tb.step(CodeDone{OK: true})
	if v := tb.desk.View(tb.now, 0); v.Agent.State != sip.Paused || v.Agent.Reason != "break" || !v.Agent.Unconfirmed || v.Note != NoteCode {
		t.Errorf("after: %+v note %v", v.Agent, v.Note)
	}
	tb.step(sip.SwitchboardChanged{Up: true})
	tb.step(sip.AgentReply{Known: true, Agent: tb.agent(sip.Ready)}) // the truth
	if v := tb.desk.View(tb.now, 0).Agent; v.State != sip.Ready || v.Unconfirmed || !v.Away.IsZero() {
		t.Errorf("the switchboard is back: %+v", v)
	}
	tb.step(Press{ActPause})
	tb.step(Digit{'2'}) // a reason without a code
	tb.step(sip.AgentReply{ID: tb.asked().ID, Problem: sip.SwitchboardAway})
	if v := tb.desk.View(tb.now, 0); has[Code](tb) || v.Note != NoteProblem || v.NoteArg != "switchboard-away" || v.Agent.State != sip.Ready {
		t.Errorf("without a code: %v, note %v %q", tb.effects, v.Note, v.NoteArg)
	}
	tb.step(Press{ActSignIn})
	tb.typed("4711#1234#")
	tb.step(sip.AgentReply{ID: tb.asked().ID, Problem: sip.SwitchboardUntrusted})
	if c := effect[Code](tb); c.Number != "*45" || tb.desk.code.PIN != "" {
		t.Errorf("dials %q and keeps a PIN of %d digits", c.Number, len(tb.desk.code.PIN))
	}
	tb.step(CodeDone{OK: true})
	tb.step(Press{ActPause})
	tb.step(Digit{'1'})
	tb.step(sip.AgentReply{ID: tb.asked().ID, Problem: sip.SwitchboardAway})
	tb.step(CodeDone{})
	if v := tb.desk.View(tb.now, 0); v.Note != NoteCodeFailed || v.Agent.State != sip.Ready {
		t.Errorf("a refused code: %+v note %v", v.Agent, v.Note)
	}
}

func TestAReplyThatComesLateChangesTheStateButNotWhatIsAsked(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.step(Press{ActPause})
	tb.step(Digit{'1'})
	old := tb.asked().ID
	tb.step(Press{ActPause})
	tb.step(Digit{'2'})
	newer := tb.asked().ID
	tb.step(sip.AgentReply{ID: old, Problem: sip.PBXRefused})
	if v := tb.desk.View(tb.now, 0); v.Note == NoteProblem || !v.Agent.Asked {
		t.Errorf("an old reply is taken for the new one's: %+v note %v", v.Agent, v.Note)
	}
	tb.step(sip.AgentReply{ID: newer, Problem: sip.PBXRefused})
	if v := tb.desk.View(tb.now, 0); v.Note != NoteProblem || v.NoteArg != "pbx-refused" || v.Agent.Asked {
		t.Errorf("note %v %q", v.Note, v.NoteArg)
	}
}

func TestDoNotDisturbIsAPauseWhileSomebodyIsSignedIn(t *testing.T) {
	tb := newTable(t)
	quiet := func() {
		tb.step(Press{ActMenu})
		for i, c := range tb.desk.View(tb.now, 0).Menu.Choices {
			if c.Word == WordQuiet || c.Word == WordUnquiet {
				tb.step(Digit{byte('1' + i)})
				return
			}
		}
		t.Fatal("no such choice")
	}
	quiet()
	if !tb.desk.Quiet() || len(tb.effects) != 0 {
		t.Errorf("signed out: quiet %t, %v", tb.desk.Quiet(), tb.effects)
	}
	tb.signIn()
	if tb.desk.Quiet() {
		t.Error("who signs in wants to be disturbed")
	}
	quiet()
	if r := tb.asked(); r.Verb != sip.GoPaused || r.Reason != ReasonQuiet || tb.desk.Quiet() {
		t.Errorf("signed in: %+v, quiet %t", r, tb.desk.Quiet())
	}
	paused := tb.agent(sip.Paused)
	paused.Reason = ReasonQuiet
	tb.step(sip.AgentReply{ID: tb.asked2(), Known: true, Agent: paused})
	quiet()
	if r := tb.asked(); r.Verb != sip.GoReady {
		t.Errorf("its end: %+v", r)
	}
}

// asked2 is the identifier of the request under way.
func (tb *table) asked2() uint64 { return tb.desk.asked.ID }

func TestARefusedCallPausesItsAgent(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "02812070", "Elterngeld")
	tb.step(Refused{2})
	if r := tb.asked(); r.Verb != sip.GoPaused || r.Reason != ReasonDeclined {
		t.Errorf("asked %+v", r)
	}
	tb.step(Over{Call: 2, Cause: sip.Rejected})
	if has[Keep](tb) || tb.desk.AfterCall() {
		t.Error("a call that nobody answered has an outcome")
	}
}
