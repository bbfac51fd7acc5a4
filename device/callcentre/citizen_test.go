package callcentre

import (
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware"
	"freizeichen/sip"
)

func (tb *table) lines() []string {
	var lines []string
	if card := tb.desk.View(tb.now, 2).Card; card != nil {
		for _, l := range card.Lines {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

func TestBeforeHeLiftsTheAgentSeesForWhomHeAnswersAndWhatIsWanted(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "+49 281 2070", "zulassung und führerschein ")
	tb.wait(3 * time.Second)
	v := tb.desk.View(tb.now, 2)
	want := Caller{Call: 2, Tenant: "Kreis Wesel", Line: "Zentrale", Greeting: "Kreis Wesel, guten Tag", Topic: "Kfz-Zulassung", Waited: 15 * time.Second}
	if v.Caller == nil || *v.Caller != want || v.Card != nil {
		t.Errorf("caller %+v, card %v", v.Caller, v.Card)
	}
	tb.rings(4, "0999", "Sonstiges")
	if v := tb.desk.View(tb.now, 4); v.Caller.Tenant != "" || v.Caller.Greeting != "" || v.Caller.Topic != "Sonstiges" {
		t.Errorf("a number of nobody: %+v", v.Caller)
	}
}

func TestTheCardHasTheNewsFirstAndSaysWhetherTheOfficeIsOpen(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "02812070", "Kfz-Zulassung")
	tb.step(Answered{2})
	card := tb.desk.View(tb.now, 2).Card
	if got := strings.Join(tb.lines(), "|"); got != "Heute ab 12 Uhr geschlossen|Nur mit Termin|Ausweis|30 €|Straßenverkehrsamt 5036||" {
		t.Errorf("lines %q", got)
	}
	if card.Age != 12 || card.Source != firmware.Local || card.Office == nil || !card.Office.Open || !card.Office.Changes.Equal(nine.Add(9*time.Hour)) {
		t.Errorf("card %+v office %+v", card, card.Office)
	}
	tb.step(Move{+2})
	if top := tb.desk.View(tb.now, 2).Card.Top; top != 2 {
		t.Errorf("top %d", top)
	}
	tb.step(Move{+99})
	tb.step(Move{-99})
	if top := tb.desk.View(tb.now, 2).Card.Top; top != 0 {
		t.Errorf("top %d", top)
	}
	tb.step(Move{-1})
	if card := tb.desk.View(tb.now, 2).Card; card.Lines[card.Top].Kind != OfficeLine {
		t.Errorf("up from the first line stands at %d", card.Top)
	}
}

// choose takes the choice with that text in the menu that is open.
func (tb *table) choose(text string, word Word) {
	tb.Helper()
	for i, c := range tb.desk.View(tb.now, 0).Menu.Choices {
		if c.Text == text && c.Word == word {
			tb.step(Move{i - tb.desk.View(tb.now, 0).Menu.Selected})
			tb.step(Choose{})
			return
		}
	}
	tb.Fatalf("no choice %q %v in %+v", text, word, tb.desk.View(tb.now, 0).Menu)
}

func TestTheAgentChangesTopicAndTenantDuringTheCall(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "02812070", "Kfz-Zulassung")
	tb.step(Answered{2})
	tb.step(Press{ActMore})
	tb.choose("", WordTopic)
	tb.choose("Elterngeld", WordText)
	if v := tb.desk.View(tb.now, 2); v.Caller.Topic != "Elterngeld" || v.Card.Source != firmware.Central || !slices.Contains(tb.lines(), "Antrag online") {
		t.Errorf("topic changed: %+v %v", v.Caller, tb.lines())
	}
	tb.step(Press{ActMore})
	tb.choose("", WordTenant)
	tb.choose("Stadt Moers", WordText)
	tb.step(Press{ActMore})
	tb.choose("", WordTopic)
	tb.choose("Kfz-Zulassung", WordText)
	v := tb.desk.View(tb.now, 2)
	if v.Caller.Tenant != "Stadt Moers" || v.Card.Office.Name != "Spätdienst" || slices.Contains(tb.lines(), "Nur mit Termin") || slices.Contains(tb.lines(), "Heute ab 12 Uhr geschlossen") {
		t.Errorf("tenant changed: %+v %v", v.Caller, tb.lines())
	}
	tb.step(Over{Call: 2, Cause: sip.Normal})
	if o := effect[Keep](tb).Outcome; o.Tenant != "moers" || o.Topic != "zulassung" || o.Line != "02812070" {
		t.Errorf("outcome %+v", o)
	}
}

func TestNobodySeesACardOfAnotherTenant(t *testing.T) {
	k := knowledge()
	own := map[string][]string{}
	for _, c := range k.Cards {
		own[c.Tenant] = append(own[c.Tenant], append(c.Text, c.Papers...)...)
	}
	for _, called := range []string{"02812070", "115", "+49115", "0999", "", "anonymous", "115115", "0281207"} {
		for _, topic := range []string{"Kfz-Zulassung", "Elterngeld", "Personalausweis", "", "Ufo"} {
			tb := newTable(t)
			tb.signIn()
			tb.rings(2, called, topic)
			tb.step(Answered{2})
			v := tb.desk.View(tb.now, 2)
			for tenant, texts := range own {
				name := map[string]string{"kreis": "Kreis Wesel", "moers": "Stadt Moers", "": v.Caller.Tenant}[tenant]
				for _, text := range texts {
					if slices.Contains(tb.lines(), text) && (v.Caller.Tenant == "" || name != v.Caller.Tenant) {
						t.Errorf("called %q topic %q: the card of %q is shown to %q", called, topic, tenant, v.Caller.Tenant)
					}
				}
			}
		}
	}
}

func TestTheOfficeIsOneKeyAwayAndAClosedOneIsKnownBefore(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "02812070", "Kfz-Zulassung")
	tb.step(Answered{2})
	tb.step(Press{ActAsk})
	if c := effect[Consult](tb); c.Call != 2 || c.Office != (sip.Party{Name: "Straßenverkehrsamt", Number: "5036"}) {
		t.Errorf("consults %+v", c)
	}
	tb.step(OfficeFailed{Call: 2, Number: "5051"})
	if v := tb.desk.View(tb.now, 2); v.Card.Office.Busy || v.Note != NoteNone {
		t.Errorf("somebody else is busy, and the card says it of the office: %+v note %v", v.Card.Office, v.Note)
	}
	tb.step(OfficeFailed{Call: 2, Number: "5036"})
	if v := tb.desk.View(tb.now, 2); !v.Card.Office.Busy || v.Note != NoteOfficeBusy {
		t.Errorf("busy office: %+v note %v", v.Card.Office, v.Note)
	}
	tb.step(Press{ActMessage})
	m := effect[Leave](tb).Message
	if m.Office != "strasse" || m.Callback != "03023125001" || m.Topic != "zulassung" || m.Tenant != "kreis" || len(m.ID) != 32 {
		t.Errorf("message %+v", m)
	}
	tb.step(Press{ActMessage})
	if has[Leave](tb) {
		t.Error("the same message is left twice")
	}
	tb.step(Over{Call: 2, Cause: sip.Normal})
	if o := effect[Keep](tb).Outcome; o.Result != sip.LeftMessage || o.Office != "strasse" || o.ID == m.ID {
		t.Errorf("outcome %+v", o)
	}

	tb.rings(4, "115", "Kfz-Zulassung")
	tb.step(Answered{4})
	tb.step(Press{ActPass})
	if v := tb.desk.View(tb.now, 4); has[Pass](tb) || v.Note != NoteOfficeClosed || v.NoteArg != "30.11. 18:00" {
		t.Errorf("a closed office is called: %v, note %v %q", tb.effects, v.Note, v.NoteArg)
	}
	tb.wait(armed + time.Second)
	tb.step(Press{ActPass})
	if has[Pass](tb) {
		t.Error("a second press long after calls the closed office")
	}
	tb.step(Press{ActPass})
	if p := effect[Pass](tb); p.Call != 4 || p.Office.Number != "5051" {
		t.Errorf("passes %+v", p)
	}
	tb.step(Over{Call: 4, Cause: sip.Transferred})
	if o := effect[Keep](tb).Outcome; o.Result != sip.Forwarded || o.Office != "abends" {
		t.Errorf("outcome %+v", o)
	}
}

func TestACallerWithoutNumberCannotLeaveAMessage(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.step(Rings{sip.Incoming{Call: 2, From: sip.Party{Number: "anonymous"}, Called: sip.Party{Number: "02812070"}, Topic: "Kfz-Zulassung"}})
	tb.step(Answered{2})
	tb.step(Press{ActMessage})
	if has[Leave](tb) || tb.desk.View(tb.now, 2).Note != NoteNoNumber {
		t.Errorf("%v note %v", tb.effects, tb.desk.View(tb.now, 2).Note)
	}
	tb.step(Identified{2, sip.Party{Number: "03023125001"}})
	tb.step(Press{ActMessage})
	if !has[Leave](tb) {
		t.Error("his number has become known, but no message is left")
	}
}

func TestLinesThatCloseInFiveMinutesAreAnnounced(t *testing.T) {
	tb := newTable(t)
	tb.now = nine.Add(8*time.Hour + 54*time.Minute)
	if c := tb.desk.View(tb.now, 0).Closing; len(c) != 0 {
		t.Errorf("at 17:54: %v", c)
	}
	tb.now = tb.now.Add(time.Minute)
	if c := tb.desk.View(tb.now, 0).Closing; len(c) != 2 || c[0].Tenant != "Kreis Wesel" || !c[0].At.Equal(nine.Add(9*time.Hour)) {
		t.Errorf("at 17:55: %v", c)
	}
}

func TestANoteGoesWithTheKeyThatFollowsIt(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "115", "Kfz-Zulassung")
	tb.step(Answered{2})
	for _, key := range []Event{Press{ActMore}, Press{ActPass}, Move{1}} {
		tb.step(Back{})
		tb.wait(armed + time.Second)
		tb.step(Press{ActPass})
		if v := tb.desk.View(tb.now, 2); v.Note != NoteOfficeClosed {
			t.Fatalf("closed: note %v", v.Note)
		}
		if tb.step(key); tb.desk.View(tb.now, 2).Note != NoteNone {
			t.Errorf("after %T%+v the panel still asks to press again", key, key)
		}
	}
}

func TestAPauseCanBeAskedForDuringTheCallAndAfterIt(t *testing.T) {
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "02812070", "Kfz-Zulassung")
	tb.step(Answered{2})
	tb.step(Press{ActMore})
	tb.typed("6")
	tb.typed("1")
	r := tb.asked()
	if r.Verb != sip.GoPaused || r.Reason != "break" {
		t.Errorf("during the call: %+v", r)
	}
	later := tb.agent(sip.Ready)
	later.PausesNext = "break"
	tb.step(sip.AgentReply{ID: r.ID, Known: true, Agent: later})
	if v := tb.desk.View(tb.now, 2); v.Note != NotePausesNext {
		t.Errorf("nobody says that the pause will come: note %v", v.Note)
	}
	tb.step(Press{ActMore})
	tb.typed("7")
	if r := tb.asked(); r.Verb != sip.GoReady {
		t.Errorf("taken back: %+v", r)
	}
	tb.step(Over{Call: 2, Cause: sip.Normal})
	tb.wrapUp(30 * time.Second)
	tb.step(Choose{})
	for i, c := range tb.desk.View(tb.now, 0).Menu.Choices {
		if c.Word == WordPause {
			tb.typed(string(rune('1' + i)))
		}
	}
	tb.typed("2")
	if r := tb.asked(); r.Verb != sip.GoPaused || r.Reason != "meeting" || !tb.desk.AfterCall() {
		t.Errorf("after the call: %+v, its work is open: %t", r, tb.desk.AfterCall())
	}
}

func TestTheOutcomeNamesTheOfficeThatGotTheCall(t *testing.T) {
	for _, c := range []struct {
		key  Action // pressed before
		to   string
		want string
	}{
		{ActMessage, "5051", "abends"}, {ActMessage, "5036", "strasse"}, {ActMessage, "4999", ""}, {ActNone, "50 51", "abends"}, {ActNone, "", "strasse"},
	} {
		tb := newTable(t)
		tb.signIn()
		tb.rings(2, "02812070", "Kfz-Zulassung")
		tb.step(Answered{2})
		tb.step(Press{c.key})
		tb.step(Over{Call: 2, Cause: sip.Transferred, To: c.to})
		if o := effect[Keep](tb).Outcome; o.Result != sip.Forwarded || o.Office != c.want {
			t.Errorf("%v, then passed on to %q: %v at %q, want %q", c.key, c.to, o.Result, o.Office, c.want)
		}
	}
	tb := newTable(t)
	tb.signIn()
	tb.rings(2, "02812070", "Kfz-Zulassung")
	tb.step(Answered{2})
	tb.step(Press{ActMessage})
	tb.step(Press{ActMore})
	tb.typed("32")         // another office
	tb.step(Press{ActAsk}) // closed
	tb.step(Press{ActAsk})
	tb.step(Over{Call: 2, Cause: sip.Normal})
	if o := effect[Keep](tb).Outcome; o.Result != sip.LeftMessage || o.Office != "strasse" {
		t.Errorf("the message went to strasse; the outcome says %v at %q", o.Result, o.Office)
	}
}

func TestTheCardShowsTheOfficeThatWasChosen(t *testing.T) {
	tb := newTable(t)
	tb.rings(2, "02812070", "Kfz-Zulassung")
	tb.step(Answered{2})
	tb.step(Press{ActMore})
	tb.typed("32")
	if card := tb.desk.View(tb.now, 2).Card; card.Office.Name != "Spätdienst" || card.Lines[card.Top].Kind != OfficeLine {
		t.Errorf("the card stands at %+v", card.Lines[card.Top])
	}
}
