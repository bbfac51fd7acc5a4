package screen

import (
	"bytes"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"freizeichen/device/callcentre"
	"freizeichen/device/callcentre/library"
	"freizeichen/device/phone"
	"freizeichen/device/screen/font"
	"freizeichen/firmware"
	"freizeichen/hal"
	"freizeichen/sip"
)

func TestWithoutACallCentreNothingOfTheDeskIsShown(t *testing.T) {
	full := sceneNamed(t, "desk-card-closed").Desk
	full.On = false
	for panel, name := range panelNames {
		r := New(panel, German)
		for _, s := range scenes() {
			if s.view.Desk.On {
				continue
			}
			with := s.view
			with.Desk = full
			with.Desk.Caller = &callcentre.Caller{Call: 2, Tenant: "Stadt Moers"}
			if !bytes.Equal(r.Draw(s.view).Pix, r.Draw(with).Pix) || !slices.Equal(r.Text(s.view), r.Text(with)) {
				t.Errorf("%s %s: the desk changes what is shown", name, s.name)
			}
		}
	}
}

func TestTheDeskReadsLikeThePanel(t *testing.T) {
	for _, c := range []struct {
		scene    string
		language Language
		want     []string
	}{
		{"desk-ready", German, []string{"201, verbunden, Agent 4711, 10:42", "Bereit seit 8:03",
			"Kreis Wesel Zulassung: 3 warten, längste 1:07, 2 frei. 78 % in 30 s der angebotenen, heute, Ziel 80 % fast erreicht", "Tasten: Pause · Menü"}},
		{"desk-ready", English, []string{"201, registered, Agent 4711, 10:42", "Ready since 8:03",
			"Kreis Wesel Zulassung: 3 waiting, longest 1:07, 2 free. 78 % in 30 s of offered, today, target 80 % just missed", "Keys: Pause · Menu"}},
		{"desk-away", German, []string{"201, verbunden, Agent 4711, Ergebnis nicht gespeichert, 2 Ergebnisse noch nicht übertragen, 10:42, 1 verpasster Anruf",
			"Pause: Kurzpause seit 10:30", "Schaltzentrale nicht erreichbar seit 10:33",
			"Kreis Wesel Zulassung: 3 warten, längste 1:07, 2 frei. 78 % in 30 s der angebotenen, heute, Ziel 80 % fast erreicht", "Tasten: Bereit · Menü"}},
		{"desk-stale-alone", German, []string{"201, verbunden, Agent 4711, 10:42", "Bereit seit 8:03", "Stadt Xanten: keine Daten seit 10:35", "Tasten: Pause · Menü"}},
		{"desk-coarse", German, []string{"201, verbunden, Agent 4711, 10:42", "Bereit seit 8:03", "Bürgertelefon: es wartet jemand, kein Platz frei", "Tasten: Pause · Menü"}},
		{"desk-ringing", German, []string{"201, verbunden, Agent 4711, Bereit, 10:42", "Eingehender Anruf", "Anruf für Stadt Moers, Behördennummer 115",
			"Begrüßung: Stadt Moers, guten Tag, mein Name ist Hopper. Was kann ich für Sie tun?", "Anliegen: Führerschein", "Ada Lovelace, 0281 207 2020",
			"wartet seit 1:11", "Tasten: Annehmen · Ablehnen"}},
		{"desk-ringing-unknown", German, []string{"201, verbunden, Agent 4711, Bereit, 10:42", "Eingehender Anruf, 0:04", "Anruf für 115",
			"Ada Lovelace, 0281 207 2020", "Tasten: Annehmen · Ablehnen"}},
		{"desk-card-scrolled", English, []string{"201, registered, Agent 4711, Ready, 10:42, headset", "Connected, 3:07", "Ada Lovelace, 0281 207 2020",
			"Führerschein, Stadt Moers, local, checked 12 days ago, example data, line 6 of 10", "Fee: 25,30 €", "Counter: Mo-Fr 7:30-12:30, Do auch 14-17",
			"Office: Straßenverkehrsamt Wesel, 0281 207 4360", "open now until 12:30", "Source: local · checked 12 days ago · example data",
			"Keys: Ask the office · Pass on to the office · Message to the office · More"}},
		{"desk-pin", German, []string{"201, verbunden, Abgemeldet, 10:42", "PIN, Agent 4711: 4 Ziffern eingegeben", "Tasten: Weiter · Löschen · Abbrechen"}},
		{"desk-pin-wrong", German, []string{"201, verbunden, Abgemeldet, 10:42", "PIN, Agent 4711: 0 Ziffern eingegeben", "noch 3 Versuche",
			"Nummer oder PIN falsch, noch 3 Versuche", "Tasten: Weiter · Löschen · Abbrechen"}},
		{"desk-after", German, []string{"201, verbunden, Agent 4711, Nacharbeit, 10:42", "Nacharbeit, Stadt Moers", "noch 0:23, * verlängert, noch 2-mal, OK: Menü",
			"Anliegen: Führerschein", "Ergebnis: gelöst", "1 Kfz-Zulassung", "2 Führerschein, gilt jetzt", "3 Schwerbehinderung", "4 Elterngeld", "5 Personalausweis",
			"6 Wohngeld", "7 Sperrmüll", "0 Anderes Anliegen", "Tasten: Gelöst · Weitergegeben · Nachricht hinterlassen · Fertig"}},
		{"desk-take-over", English, []string{"201, registered, Signed out, 10:42", "Signed in at 205. Move?, 1 of 2", "Selected: 1 Yes", "2 No", "Keys: Yes · No"}},
	} {
		if got := New(hal.Colour320x240, c.language).Text(sceneNamed(t, c.scene)); !slices.Equal(got, c.want) {
			t.Errorf("%s reads\n%s\nwant\n%s", c.scene, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// drawn is the width of all that was drawn for a meaning, on all its rows, in the face of that height.
func drawn(panel hal.Panel, language Language, view *phone.View, meaning string) (width int, face font.Face) {
	seen := map[image.Rectangle]bool{} // bold letters are drawn twice, a pixel apart
	New(panel, language).draw(view, func(text string, area image.Rectangle, _ uint8) {
		if text != meaning || area.Dx() == area.Dy() || seen[area.Sub(image.Pt(1, 0))] {
			return
		}
		seen[area] = true
		for _, f := range []font.Face{font.Face5x8, font.Face6x12, font.Face8x16, font.Face12x24, font.Face16x32} {
			if f.Height() == area.Dy() {
				face = f
			}
		}
		width += area.Dx()
	})
	return width, face
}

func TestTheMunicipalityIsNeverCut(t *testing.T) {
	for panel, name := range panelNames {
		for _, tenant := range []string{"Moers", "Stadt Xanten", "Kreis Wesel", "Jobcenter Kreis Wesel", "Gemeinde Neukirchen-Vluyn", "Kommunaler Zweckverband Moers", longTenant} {
			view := sceneNamed(t, "desk-ringing")
			view.Desk.Caller = &callcentre.Caller{Call: 2, Tenant: tenant, Greeting: longGreeting, Waited: time.Hour}
			width, face := drawn(panel, German, &view, tenant)
			if want := face.Width(tenant) - face.Width(" ") - 4; width < want { // a break eats a space and gaps
				t.Errorf("%s: %q is drawn in %d of %d pixels", name, tenant, width, want)
			}
		}
	}
}

func TestTheAgentsStateIsNeverCut(t *testing.T) {
	reasons := []string{"", "break", "meeting", "training", "backoffice", "declined", "dnd"}
	for panel, name := range panelNames {
		for language := range languageCount {
			for state := range sip.AgentStateCount {
				for _, reason := range reasons {
					view := sceneNamed(t, "desk-ready")
					view.Desk.Agent.Quiet = true
					view.Desk.Agent.State, view.Desk.Agent.Reason, view.Desk.Agent.Since = state, reason, now.AddDate(0, 0, -3)
					title := wording{language.catalogue(), &view}.says().Agent().Title
					whole := false // the status line has a short word for it
					New(panel, language).draw(&view, func(text string, area image.Rectangle, _ uint8) {
						for f := font.Face5x8; f <= font.Face16x32; f++ {
							whole = whole || text == title && area.Dy() == f.Height() && area.Dx() >= f.Width(title)
						}
					})
					if !whole {
						t.Errorf("%s %s: %q is cut", name, language, title)
					}
				}
			}
		}
	}
}

func TestNoStateOfTheAgentIsToldByColourAlone(t *testing.T) {
	shapes := map[string]sip.AgentState{}
	for state := range sip.AgentStateCount {
		view := sceneNamed(t, "desk-card") // the idle screen has the whole word
		view.Desk.Agent.State = state
		picture := New(hal.Mono128x64, German).Draw(view)
		if other, ok := shapes[string(picture.Pix)]; ok {
			t.Errorf("%v looks like %v", state, other)
		}
		shapes[string(picture.Pix)] = state
	}
}

func TestEveryLightHasItsShapeAndItsWord(t *testing.T) {
	icons, words := map[icon]bool{}, map[string]bool{}
	for light := callcentre.LightGood; light <= callcentre.LightBad; light++ {
		view := sceneNamed(t, "desk-ready")
		view.Desk.Queues[0].Level.Light = light
		icons[lightIcon(light)] = true
		words[strings.Join(New(hal.Mono128x64, German).Text(view), "\n")] = true
	}
	if len(icons) != 3 || len(words) != 3 || icons[""] {
		t.Errorf("%d shapes and %d texts for three lights", len(icons), len(words))
	}
}

// What is old or was never told is not shown as if it were true: the picture does not depend on it.
func TestFiguresThatAreNotTrueAreNotShown(t *testing.T) {
	for panel, name := range panelNames {
		r := New(panel, German)
		for _, change := range []func(*callcentre.QueueView){
			func(q *callcentre.QueueView) { q.Stale = now.Add(-time.Minute) },
			func(q *callcentre.QueueView) { q.Known = false },
		} {
			for _, n := range []int{1, 2} {
				var pictures [2]*image.Paletted
				for i := range pictures {
					view := sceneNamed(t, "desk-ready")
					view.Desk.Queues = queueViews(n)
					q := &view.Desk.Queues[0]
					change(q)
					if i == 1 {
						q.Waiting, q.Oldest, q.Free, q.Level.Percent, q.Level.Light, q.Busy = 9, time.Hour, 8, 99, callcentre.LightGood, callcentre.Long
					}
					pictures[i] = r.Draw(view)
				}
				if !bytes.Equal(pictures[0].Pix, pictures[1].Pix) {
					t.Errorf("%s: figures of %d queues are shown without data", name, n)
				}
			}
		}
	}
}

func TestANoteLeavesTheSoftKeysAndTheStatusLineFree(t *testing.T) {
	for panel, name := range panelNames {
		top, bottom := monoBody, monoSoft
		if panel == hal.Colour320x240 {
			top, bottom = colourBody, colourSoft
		}
		for _, scene := range []string{"desk-ready", "desk-card", "desk-pin", "desk-menu", "desk-after"} {
			for n := callcentre.NoteNone + 1; n < callcentre.NoteCount; n++ {
				view := sceneNamed(t, scene)
				r := New(panel, German)
				without := r.Draw(view)
				view.Desk.Note, view.Desk.NoteArg = n, strings.Repeat("Straßenverkehrsamt ", 9)
				with := r.Draw(view)
				if bytes.Equal(with.Pix, without.Pix) {
					t.Errorf("%s %s: note %d is not seen", name, scene, n)
				}
				if !bytes.Equal(with.Pix[:top*with.Stride], without.Pix[:top*with.Stride]) || !bytes.Equal(with.Pix[bottom*with.Stride:], without.Pix[bottom*with.Stride:]) {
					t.Errorf("%s %s: note %d covers more than the screen", name, scene, n)
				}
			}
		}
	}
}

func TestThePINIsNotShownEvenIfItWereInTheView(t *testing.T) {
	for panel, name := range panelNames {
		a, b := sceneNamed(t, "desk-pin"), sceneNamed(t, "desk-pin")
		b.Desk.Prompt = &callcentre.Prompt{Kind: callcentre.AskPIN, Typed: "4711", Hidden: 5}
		if r := New(panel, German); bytes.Equal(r.Draw(a).Pix, r.Draw(b).Pix) {
			t.Errorf("%s: a typed digit is not seen", name)
		}
	}
}

// A line that is longer than the panel wraps, and its end comes when the lines before it have been scrolled away.
func TestTheEndOfALongLineCanBeReached(t *testing.T) {
	line := "Wer im Ausland lebt, beantragt beim Konsulat und nicht hier; Ende"
	for panel, name := range panelNames {
		view := sceneNamed(t, "desk-card")
		view.Desk.Card.Lines[5].Text, view.Desk.Card.Top = line, 5
		face, width, rows := font.Face5x8, monoWidth-14, 4
		if panel == hal.Colour320x240 {
			face, width, rows = font.Face8x16, colourX1-colourX0-22, 7
		}
		all := wording{German.catalogue(), &view}.cardRows(face, width, rows)
		text := ""
		for _, row := range all {
			if row.Text == line {
				text = join(" ", text, row.text)
			}
		}
		if !strings.HasSuffix(text, line) {
			t.Errorf("%s shows %q", name, text)
		}
	}
}

// The agent sees whose card it is: above the first line, but not where that would push its end off the panel.
func TestTheMonoCardSaysItsTopic(t *testing.T) {
	const room = monoWidth - 14
	view := sceneNamed(t, "desk-card")
	title := func() string { return wording{German.catalogue(), &view}.cardTitle(font.Face5x8, room, 3) }
	if got := title(); got != "Führerschein · Stadt Moers" {
		t.Errorf("the title is %q", got)
	}
	drawn := false
	New(hal.Mono128x64, German).draw(&view, func(meaning string, _ image.Rectangle, _ uint8) { drawn = drawn || meaning == title() })
	if !drawn {
		t.Error("the title is not on the panel")
	}
	view.Desk.Card.Top = 1
	if got := title(); got != "" {
		t.Errorf("scrolled away it is %q", got)
	}
	view.Desk.Card.Top, view.Desk.Card.Lines[0].Text = 0, strings.Repeat("Wort ", 18)
	if got := title(); got != "" {
		t.Errorf("above a line of four rows it is %q", got)
	}
}

// words are what hostile networks, sites and knowledge files may send.
var words = []string{"", " ", "Moers", "Kfz", hostile, longTopic, longTenant, "\u202e0281", "שלום", "العربية", "\x1b[31m", "\xff\xfe", "🙂", "%s %d", "a\nb", strings.Repeat("ß", 900),
	strings.Repeat("x", 70000)}

// randomView is a View that no phone shows, or a strange one that it does.
func randomView(r *rand.Rand, extra string) phone.View {
	word := func() string {
		if r.IntN(4) == 0 {
			return extra
		}
		return words[r.IntN(len(words))]
	}
	number := func() int { return []int{-1 << 30, -1, 0, 1, 2, 3, 7, 99, 1234, 1 << 30}[r.IntN(10)] }
	span := func() time.Duration { return time.Duration(number()) * time.Second }
	when := func() time.Time {
		return []time.Time{{}, now, now.Add(span()), time.Unix(int64(number()), 0)}[r.IntN(4)]
	}
	flip := func() bool { return r.IntN(2) == 0 }
	list := func() []callcentre.Choice {
		all := make([]callcentre.Choice, r.IntN(15))
		for i := range all {
			all[i] = callcentre.Choice{Word: callcentre.Word(r.IntN(40)), Text: word(), Mark: flip()}
		}
		return all
	}
	v := callcentre.View{On: r.IntN(9) > 0, Queue: number(), Light: callcentre.Light(r.IntN(6)), Note: callcentre.Note(r.IntN(20)), NoteArg: word(), Unsent: number(), Lost: flip()}
	v.Agent = callcentre.AgentView{Number: word(), Name: word(), State: sip.AgentState(r.IntN(7)), Reason: word(), ReasonText: word(), Since: when(), Known: flip(),
		Asked: flip(), Away: when(), Problem: sip.AgentProblem(r.IntN(16)), Unconfirmed: flip()}
	for range r.IntN(8) {
		v.Queues = append(v.Queues, callcentre.QueueView{Name: word(), Known: flip(), Waiting: number(), Oldest: span(), Free: number(), Coarse: flip(), Stale: when(),
			Busy:  callcentre.Busy(r.IntN(8)),
			Level: callcentre.LevelView{Known: flip(), Percent: number(), Formula: sip.Formula(r.IntN(5)), Within: span(), Target: number(), Light: callcentre.Light(r.IntN(6))}})
	}
	for range r.IntN(4) {
		v.Closing = append(v.Closing, library.Closing{Tenant: word(), Line: word(), At: when()})
	}
	if flip() {
		v.Caller = &callcentre.Caller{Call: sip.CallID(r.IntN(3)), Tenant: word(), Line: word(), Greeting: word(), Topic: word(), Waited: span(), Talking: flip()}
	}
	if flip() {
		v.Card = &callcentre.CardView{Topic: word(), Tenant: word(), Top: number(), Source: firmware.Source(r.IntN(5)), Example: flip(), Updated: when(), Age: number(), Missing: flip()}
		for range r.IntN(12) {
			v.Card.Lines = append(v.Card.Lines, callcentre.CardLine{Kind: callcentre.LineKind(r.IntN(10)), Text: word()})
		}
		if flip() {
			v.Card.Office = &callcentre.OfficeView{Name: word(), Number: word(), Open: flip(), Changes: when(), Busy: flip()}
		}
	}
	if flip() {
		v.After = &callcentre.After{Tenant: word(), Topic: word(), Result: sip.Result(r.IntN(6)), Choices: list(), Top: number(), Counting: flip(), Left: span(), Extends: number(), Late: flip()}
	}
	if r.IntN(3) == 0 {
		v.Prompt = &callcentre.Prompt{Kind: callcentre.PromptKind(r.IntN(4)), Typed: word(), Hidden: number(), Tries: number()}
	}
	if flip() {
		v.Menu = &callcentre.Menu{Kind: callcentre.MenuKind(r.IntN(12)), Arg: word(), Choices: list(), Selected: number()}
	}
	if flip() {
		v.Edition = &callcentre.Edition{Version: word(), At: when(), Example: flip(), Old: flip()}
	}
	call := phone.Call{ID: sip.CallID(r.IntN(3)), Line: 1, State: phone.CallState(r.IntN(9)), Party: sip.Party{Name: word(), Number: word()}, Topic: word(), Duration: span()}
	screens := []phone.Screen{nil, phone.Idle{}, phone.Desk{}, phone.Desk{}, phone.Desk{}, phone.Calls{}, phone.Calls{Calls: []phone.Call{call}},
		phone.Calls{Calls: []phone.Call{call}}, phone.Calls{Calls: []phone.Call{call, call}, Selected: number()}, phone.Dialling{Number: word()}, phone.List{}}
	view := phone.View{Now: now, Screen: screens[r.IntN(len(screens))], Desk: v}
	view.Status = phone.Status{Name: word(), Registration: phone.Registration(r.IntN(3)), Missed: number(), Muted: flip(), Route: hal.Route(r.IntN(5))}
	for i := range view.Soft {
		view.Soft[i] = phone.Soft(r.IntN(64))
	}
	return view
}

// checkView draws and reads a View: nothing lies outside the panel, and every text is fit to be read.
func checkView(t *testing.T, view phone.View) {
	t.Helper()
	for panel := range panelNames {
		for language := range languageCount {
			r, bounds := New(panel, language), image.Rectangle{Max: panel.Size()}
			r.draw(&view, func(meaning string, area image.Rectangle, _ uint8) {
				if !area.In(bounds) {
					t.Errorf("%.60q is drawn at %v on %v", meaning, area, bounds)
				}
			})
			for _, line := range r.Text(view) {
				if line == "" || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.ContainsRune(line, '\u202e') {
					t.Errorf("reads %.80q", line)
				}
			}
		}
	}
}

func TestNoDeskWhateverItHoldsBreaksThePanel(t *testing.T) {
	for seed := range uint64(200) {
		view := randomView(rand.New(rand.NewPCG(seed, 3)), "Elterngeld")
		checkView(t, view)
		if text := strings.Join(New(hal.Mono128x64, German).Text(view), "\n"); strings.Contains(text, "%!") {
			t.Errorf("a place is filled with the wrong thing: %s", text) // fmt says so
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzDesk(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, words[seed])
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		checkView(t, randomView(rand.New(rand.NewPCG(seed, 3)), text))
	})
}
