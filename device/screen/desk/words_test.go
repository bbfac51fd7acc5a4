package desk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/screen/font"
	"freizeichen/firmware"
	"freizeichen/sip"
)

var languages = map[string]*Words{"de": German(), "en": English()}

// constants counts the constants of a type that a file declares, so that a new one without words is found.
func constants(t *testing.T, file, typeName string) int {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, declaration := range parsed.Decls {
		block, ok := declaration.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		if first, ok := block.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident); ok && first.Name == typeName {
			count += len(block.Specs)
		}
	}
	return count
}

// labels is every form of every label, so that an empty one is found.
func labels(all []Label) []string {
	var texts []string
	for _, l := range all {
		texts = append(texts, l.Full, l.Medium, l.Short)
	}
	return texts
}

func TestEveryWordOfTheDeskHasATextInEveryLanguage(t *testing.T) {
	const view, agent, queue, knowledge = "../../callcentre/view.go", "../../../sip/agent.go", "../../../sip/queue.go", "../../../firmware/knowledge.go"
	for name, w := range languages {
		var states, notes []string
		for _, s := range w.states {
			states = append(states, s.full, s.short)
		}
		for _, n := range w.notes[1:] {
			notes = append(notes, n.with, n.without)
		}
		for _, group := range []struct {
			name  string
			texts []string
			want  int
			empty []int // that have no text on purpose
		}{
			{"Action", labels(w.actions[1:]), 3 * (constants(t, view, "Action") - 2), nil},
			{"Word", w.choices[:], constants(t, view, "Word") - 1, []int{int(callcentre.WordText)}},
			{"MenuKind", w.menus[:], constants(t, view, "MenuKind") - 1, nil},
			{"Note", notes, 2 * (constants(t, view, "Note") - 2), nil},
			{"Light", w.lights[:], constants(t, view, "Light"), nil},
			{"PromptKind", w.prompts[:], constants(t, view, "PromptKind"), nil},
			{"LineKind", w.lines[:], constants(t, view, "LineKind"), []int{int(callcentre.TextLine), int(callcentre.OpenLine)}},
			{"AgentState", states, 2 * (constants(t, agent, "AgentState") - 1), nil},
			{"AgentProblem", w.problems[:], constants(t, agent, "AgentProblem") - 1, nil},
			{"Result", w.results[:], constants(t, agent, "Result") - 1, nil},
			{"Formula", w.formulas[:], constants(t, queue, "Formula") - 1, nil},
			{"Source", w.sources[:], constants(t, knowledge, "Source"), nil},
			{"phrase", w.phrases[:], int(phraseCount), nil},
			{"weekday", w.weekdays[:], 7, nil},
		} {
			if len(group.texts) != group.want || group.want <= 0 {
				t.Errorf("%s: %d texts for %d values of %s", name, len(group.texts), group.want, group.name)
			}
			for i, text := range group.texts {
				if (text == "") != slices.Contains(group.empty, i) || text != font.Clean(text) {
					t.Errorf("%s: %s %d is %q", name, group.name, i, text)
				}
			}
		}
	}
}

// distinct are texts that an agent must be able to tell apart.
func TestNoTwoProblemsNotesOrStatesReadTheSame(t *testing.T) {
	for name, w := range languages {
		var notes []string
		for _, n := range w.notes[1:] {
			notes = append(notes, n.without)
		}
		for _, group := range [][]string{w.problems[:], notes, w.menus[:], w.results[:], w.formulas[:], w.lights[:], w.sources[:]} {
			if sorted := slices.Sorted(slices.Values(group)); len(slices.Compact(sorted)) != len(group) {
				t.Errorf("%s: two of %q are the same", name, group)
			}
		}
	}
}

func TestAllLanguagesHaveTheSamePlaces(t *testing.T) {
	places := regexp.MustCompile(`%(\[\d\])?[sd%]`)
	same := func(a, b string) {
		t.Helper()
		inA, inB := places.FindAllString(a, -1), places.FindAllString(b, -1)
		slices.Sort(inA)
		if slices.Sort(inB); !slices.Equal(inA, inB) {
			t.Errorf("%q and %q have different places", a, b)
		}
	}
	for i := range german.phrases {
		same(german.phrases[i], english.phrases[i])
	}
	for i := range german.notes {
		same(german.notes[i].with, english.notes[i].with)
		if places.MatchString(german.notes[i].without + english.notes[i].without) {
			t.Errorf("note %d has a place for nothing", i)
		}
	}
}

func TestTextsFitTheirBoxes(t *testing.T) {
	for name, w := range languages {
		fits := func(text string, face font.Face, width int) {
			t.Helper()
			if got := face.Width(text); got > width {
				t.Errorf("%s: %q is %d pixels wide, its place %d", name, text, got, width)
			}
		}
		whole := func(text string, face font.Face, width, count int) {
			t.Helper()
			rows := face.Lines(text, width, count+1)
			if len(rows) > count {
				t.Errorf("%s: %q does not fit on %d lines", name, text, count)
			}
		}
		for _, label := range w.actions {
			fits(label.Short, font.Face5x8, 29)
			fits(label.Medium, font.Face6x12, 73)
		}
		for _, s := range w.states {
			fits(s.short+"?", font.Face5x8, 39)
		}
		for _, p := range []phrase{phraseUnconfirmedIn, phraseStateUnknownIn, phraseAsked} {
			fits(w.say(p), font.Face5x8, 118)
		}
		for _, p := range []phrase{phraseAwayIn, phraseStrangerIn} {
			fits(w.say(p, "10:42"), font.Face5x8, 118)
		}
		for _, title := range w.menus {
			fits(title, font.Face5x8, 127)
		}
		for kind, title := range w.menus {
			switch callcentre.MenuKind(kind) {
			case callcentre.TakeOverMenu, callcentre.NoticeMenu: // no position beside it
			default:
				fits(title, font.Face5x8, 127-4-font.Face5x8.Width(w.say(phraseQueueOf, 28, 28)))
			}
		}
		fits(w.say(phraseTakeOver, "2055"), font.Face5x8, 127)
		for _, choice := range w.choices {
			fits(choice, font.Face6x12, 105)
		}
		for _, formula := range w.formulas {
			fits(formula+", "+w.say(phraseToday), font.Face5x8, 123)
			level := w.say(phraseLevel, w.say(phrasePercent, 78), w.say(phraseSeconds, 30)) + " " + formula
			fits(level+dot+w.say(phraseTarget, w.say(phrasePercent, 80))+" "+w.lights[callcentre.LightNear], font.Face6x12, 283)
		}
		for i := range w.notes {
			arg, given := "Straßenverkehrsamt Wesel", map[callcentre.Note]string{callcentre.NoteTakenOver: "2055", callcentre.NoteOfficeClosed: "23.11. 7:30"}
			if other := given[callcentre.Note(i)]; other != "" {
				arg = other
			}
			for _, arg := range []string{"", arg} {
				v := callcentre.View{Note: callcentre.Note(i), NoteArg: arg}
				whole(Desk{Words: w, View: &v}.Note(), font.Face5x8, 120, 3)
				whole(Desk{Words: w, View: &v}.Note(), font.Face8x16, 268, 2)
			}
		}
		for p := range sip.AgentProblemCount {
			whole(w.Problem(p), font.Face5x8, 120, 3)
			whole(w.Problem(p), font.Face8x16, 268, 2)
		}
		for _, arg := range []string{"too-many-tries 10:42", "signed-in-elsewhere 2055", "wrong-pin"} {
			v := callcentre.View{Note: callcentre.NoteProblem, NoteArg: arg, Prompt: &callcentre.Prompt{Tries: 4}}
			whole(Desk{Words: w, View: &v}.Note(), font.Face5x8, 120, 3)
			whole(Desk{Words: w, View: &v}.Note(), font.Face8x16, 268, 2)
		}
		for source := range w.sources {
			whole(w.sources[source]+dot+w.say(phraseChecked, 365), font.Face5x8, 114, 2)
		}
		if len(w.sources) != int(firmware.Day)+1 {
			t.Errorf("%s: %d sources", name, len(w.sources))
		}
	}
}

func TestWhatTheCatalogueDoesNotKnowHasNoText(t *testing.T) {
	for name, w := range languages {
		if got := w.Action(callcentre.ActionCount); !reflect.DeepEqual(got, Label{}) {
			t.Errorf("%s: an unknown action is %q", name, got)
		}
		if got := w.Problem(200); got != w.Problem(sip.PBXRefused) {
			t.Errorf("%s: an unknown problem is %q", name, got)
		}
	}
}

func TestAProblemSaysHowMuchIsKnown(t *testing.T) {
	for _, c := range []struct {
		arg, want string
		prompt    *callcentre.Prompt
	}{
		{"", "Das hat nicht geklappt. Bitte noch einmal versuchen", nil},
		{"nonsense", "Das hat nicht geklappt. Bitte noch einmal versuchen", nil},
		{"wrong-pin", "Nummer oder PIN falsch. Bitte noch einmal", nil},
		{"wrong-pin", "Nummer oder PIN falsch, noch 1 Versuch", &callcentre.Prompt{Tries: 1}},
		{"wrong-pin", "Nummer oder PIN falsch, noch 3 Versuche", &callcentre.Prompt{Tries: 3}},
		{"too-many-tries", "Zu viele Versuche: gesperrt. Warten oder Leitung fragen", nil},
		{"too-many-tries 09:05", "Zu viele Versuche: gesperrt bis 9:05. Leitung fragen", nil},
		{"signed-in-elsewhere 205", "Agent ist an Apparat 205 angemeldet", nil},
	} {
		v := callcentre.View{Note: callcentre.NoteProblem, NoteArg: c.arg, Prompt: c.prompt}
		if got := (Desk{Words: German(), View: &v}).Note(); got != c.want {
			t.Errorf("%q is %q, want %q", c.arg, got, c.want)
		}
	}
}

func TestATimeSaysItsDayUnlessItIsToday(t *testing.T) {
	now := time.Date(2026, time.March, 28, 10, 42, 0, 0, time.FixedZone("CET", 3600)) // summer time begins in the night
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{now, "10:42"},
		{now.Add(-2 * time.Hour), "8:42"},
		{now.Add(-10*time.Hour - 37*time.Minute), "0:05"},
		{now.Add(-11 * time.Hour), "27.3. 23:42"},
		{now.Add(14 * time.Hour).UTC(), "morgen 0:42"},
		{now.AddDate(0, 0, 2), "Mo 10:42"},
		{now.AddDate(0, 0, 6), "Fr 10:42"},
		{now.AddDate(0, 0, 7), "4.4. 10:42"},
	} {
		if got := (Desk{Words: German(), Now: now}).at(c.at); got != c.want {
			t.Errorf("%v is %q, want %q", c.at, got, c.want)
		}
	}
}

func TestAFigureWithAGapSaysSinceWhenItHasNone(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 42, 0, 0, time.UTC)
	level := callcentre.LevelView{Known: true, Percent: 78, Within: 30 * time.Second, Since: now.Add(-time.Hour)}
	v := callcentre.View{Queues: []callcentre.QueueView{{Name: "Stadt Moers", Known: true, Level: level}, {Name: "Stadt Xanten", Known: true, Level: callcentre.LevelView{Since: level.Since}}}}
	d := Desk{Words: German(), View: &v, Now: now}
	for i, want := range []string{"78 % in 30 s der angebotenen, seit 9:42", "kein Anruf seit 9:42"} {
		if got := d.Queue(i).Level.Full(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheTopicsAfterACallNameTheKeysThatChooseThem(t *testing.T) {
	v := callcentre.View{After: &callcentre.After{Choices: []callcentre.Choice{{Text: "Elterngeld"}, {Word: callcentre.WordOther}}}}
	d := Desk{Words: German(), View: &v}
	if a, b := d.Favourite(0).Line(), d.Favourite(1).Line(); a != "1 Elterngeld" || b != "0 Anderes Anliegen" {
		t.Errorf("%q, %q", a, b)
	}
}

func TestOneCallIsNotSeveral(t *testing.T) {
	for calls, want := range map[int]string{1: "Heute 1 Anruf", 2: "Heute 2 Anrufe"} {
		v := callcentre.View{Today: &callcentre.Today{Team: sip.Tally{Calls: calls}}}
		if got := (Desk{Words: German(), View: &v}).Day(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
